/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stations.c -- the last few marks of each device, and what they mean. */
#include "flow/stations.h"

#include <errno.h>

#include "proto/limits.h"

struct marks {
	uint32_t mark[STATIONS_KEPT];	/* 0: none */
	uint8_t where[STATIONS_KEPT];
	uint8_t last;			/* index of the present one */
};

void
stations_init(struct stations *s, const struct siphash_key *seed)
{
	/* twice: those of the policy, and those of the one before it */
	map_init(&s->by_number, seed, sizeof(uint32_t), sizeof(struct marks), 2 * (size_t)LIMIT_DEVICES);
}

void
stations_done(struct stations *s)
{
	map_done(&s->by_number);
}

int
stations_set(struct stations *s, const struct flow_station *st)
{
	struct marks *m;

	if (st->number == 0 || st->mark >> 8 != st->number || (st->mark & 0xff) == 0 ||
	    st->where > STATION_RESTRICTED)
		return -EINVAL;
	if ((m = map_put(&s->by_number, &st->number)) == NULL)
		return -ENOSPC;
	if (m->mark[m->last] != 0 && m->mark[m->last] != st->mark) {
		/* an older slot of this mark, from before the generations wrapped, goes */
		for (unsigned i = 0; i < STATIONS_KEPT; i++)
			if (m->mark[i] == st->mark)
				m->mark[i] = 0;
		m->last = (m->last + 1) % STATIONS_KEPT;
	}
	m->mark[m->last] = st->mark;
	m->where[m->last] = (uint8_t)st->where;
	return 0;
}

enum station_where
stations_of_mark(const struct stations *s, uint32_t mark)
{
	uint32_t number = mark >> 8;
	const struct marks *m = map_get(&s->by_number, &number);

	if (m == NULL || mark == 0)
		return STATION_UNKNOWN;
	/* Between devices a mark is saved without its generation. */
	if ((mark & 0xff) == 0)
		return (enum station_where)m->where[m->last];
	for (unsigned i = 0; i < STATIONS_KEPT; i++)
		if (m->mark[i] == mark)
			return (enum station_where)m->where[i];
	return STATION_UNKNOWN;
}

enum station_where
stations_of_device(const struct stations *s, uint32_t number)
{
	const struct marks *m = map_get(&s->by_number, &number);

	return m != NULL ? (enum station_where)m->where[m->last] : STATION_UNKNOWN;
}

static int
is_gone(void *arg, const void *key, void *value)
{
	(void)value;
	return directory_device(arg, *(const uint32_t *)key) == NULL;
}

void
stations_prune(struct stations *s, const struct directory *d)
{
	map_sweep(&s->by_number, is_gone, (void *)(uintptr_t)d);
}
