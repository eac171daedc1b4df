/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sightings.c -- the bounded list of unknown devices; knows neither policy nor
 * store. A row keeps its slot until another takes it, so that the store is
 * bounded by writing alone. */
#include "flow/sightings.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sighting_key {
	struct mac mac;
	char interface[IF_NAMESIZE];
};
static_assert(sizeof(struct sighting_key) == 6 + IF_NAMESIZE, "keys are compared as bytes: no padding");

/* One device interface, by its name. */
struct share {
	int64_t minute_ms;	/* boot clock: when its present minute began */
	uint32_t fresh;		/* rows that were made in it */
	uint32_t rows;
};

int
sightings_init(struct sightings *s, const struct siphash_key *seed)
{
	memset(s, 0, sizeof(*s));
	map_init(&s->by_key, seed, sizeof(struct sighting_key), sizeof(uint32_t), LIMIT_SIGHTINGS);
	map_init(&s->by_interface, seed, IF_NAMESIZE, sizeof(struct share), LIMIT_INTERFACES + LIMIT_SIGHTINGS);
	s->rows = calloc(LIMIT_SIGHTINGS, sizeof(*s->rows));
	s->dirty = calloc(LIMIT_SIGHTINGS, 1);
	if (s->rows != NULL && s->dirty != NULL)
		return 0;
	sightings_done(s);
	return -ENOMEM;
}

void
sightings_done(struct sightings *s)
{
	map_done(&s->by_key);
	map_done(&s->by_interface);
	free(s->rows);
	free(s->dirty);
	s->rows = NULL;
	s->dirty = NULL;
	s->n = 0;
}

static void
touch(struct sightings *s, const struct sighting *row)
{
	s->dirty[row->slot - 1] = 1;
	s->any_dirty = true;
}

/* ---- which row? --------------------------------------------------------- */

static void
make_key(const struct mac *mac, const char *interface, struct sighting_key *key)
{
	memset(key, 0, sizeof(*key));
	key->mac = *mac;
	snprintf(key->interface, sizeof(key->interface), "%s", interface);
}

static struct share *
share_of(struct sightings *s, const struct sighting_key *key)
{
	return map_put(&s->by_interface, key->interface);
}

struct largest {
	char interface[IF_NAMESIZE];
	uint32_t rows;
};

static int
compare_share(void *arg, const void *key, void *value)
{
	const struct share *share = value;
	struct largest *l = arg;

	if (share->rows > l->rows) {
		l->rows = share->rows;
		memcpy(l->interface, key, sizeof(l->interface));
	}
	return 0;
}

/* The row that was not seen for longest, of the interface that has most: one
 * port cannot push the others' out. */
static struct sighting *
least_wanted(struct sightings *s)
{
	struct sighting *oldest = NULL;
	struct largest l = { .rows = 0 };

	map_sweep(&s->by_interface, compare_share, &l);
	for (size_t i = 0; i < s->n; i++) {
		struct sighting *row = &s->rows[i];

		if (strcmp(row->interface, l.interface) == 0 && (oldest == NULL || row->last_ms < oldest->last_ms))
			oldest = row;
	}
	return oldest;
}

static void
push_out(struct sightings *s, const struct sighting *row)
{
	struct sighting_key key;
	struct share *share;

	make_key(&row->mac, row->interface, &key);
	map_del(&s->by_key, &key);
	if ((share = map_get(&s->by_interface, key.interface)) != NULL)
		share->rows--;
	s->sums.pushed_out++;
}

/* A row of its own for this key, in a slot that was free or is freed. */
static struct sighting *
make_row(struct sightings *s, const struct sighting_key *key, struct share *share)
{
	struct sighting *row;
	uint32_t slot, *at;

	if (s->n < LIMIT_SIGHTINGS) {
		slot = (uint32_t)++s->n;
	} else {
		if ((row = least_wanted(s)) == NULL)
			return NULL;
		slot = row->slot;
		push_out(s, row);
	}
	if ((at = map_put(&s->by_key, key)) == NULL) {
		/* without memory: the slot stays, as a row of nobody */
		memset(&s->rows[slot - 1], 0, sizeof(s->rows[0]));
		s->rows[slot - 1].slot = slot;
		return NULL;
	}
	*at = slot;
	row = &s->rows[slot - 1];
	memset(row, 0, sizeof(*row));
	row->slot = slot;
	row->mac = key->mac;
	memcpy(row->interface, key->interface, sizeof(row->interface));
	share->rows++;
	return row;
}

/* One more in this minute? */
static bool
has_room(struct share *share, int64_t boot_ms)
{
	if (share->fresh == 0 || boot_ms - share->minute_ms >= SIGHTINGS_MINUTE_MS) {
		share->minute_ms = boot_ms;
		share->fresh = 0;
	}
	return share->fresh < LIMIT_SIGHTINGS_NEW;
}

struct sighting *
sightings_find(struct sightings *s, const struct mac *mac, const char *interface)
{
	struct sighting_key key;
	const uint32_t *slot;

	make_key(mac, interface, &key);
	slot = map_get(&s->by_key, &key);
	return slot != NULL ? &s->rows[*slot - 1] : NULL;
}

struct sighting *
sightings_seen(struct sightings *s, const struct mac *mac, const char *interface, const struct clock_view *now)
{
	struct sighting *row = sightings_find(s, mac, interface);
	struct sighting_key key;
	struct share *share;

	if (row == NULL) {
		make_key(mac, interface, &key);
		share = share_of(s, &key);
		if (share == NULL || !has_room(share, now->boot_ms) || (row = make_row(s, &key, share)) == NULL) {
			s->sums.not_taken++;
			s->any_dirty = true;
			return NULL;
		}
		share->fresh++;
		row->first_ms = now->wall_ms;
	}
	if (now->wall_ms > row->last_ms)
		row->last_ms = now->wall_ms;
	touch(s, row);
	return row;
}

/* ---- what it showed ----------------------------------------------------- */

void
sightings_address(struct sightings *s, struct sighting *row, const struct addr *a)
{
	static const struct addr none;
	size_t i;

	if (a->family == 0 || memcmp(a->bytes, none.bytes, sizeof(none.bytes)) == 0)
		return;
	for (i = 0; i < row->n_addresses; i++)
		if (addr_cmp(&row->addresses[i], a) == 0)
			break;
	if (i == LIMIT_SIGHTING_ADDRESSES) {
		row->more_addresses = 1;
		i--;
	} else if (i == row->n_addresses) {
		row->n_addresses++;
	}
	memmove(&row->addresses[1], &row->addresses[0], i * sizeof(row->addresses[0]));
	row->addresses[0] = *a;
	touch(s, row);
}

/* What is not said this time stays as it was said before. */
void
sightings_dhcp(struct sightings *s, struct sighting *row, const struct dhcp_said *said)
{
	if (said->name[0] != '\0')
		memcpy(row->dhcp_name, said->name, sizeof(row->dhcp_name));
	if (said->vendor[0] != '\0')
		memcpy(row->dhcp_vendor, said->vendor, sizeof(row->dhcp_vendor));
	if (said->list[0] != '\0')
		memcpy(row->dhcp_list, said->list, sizeof(row->dhcp_list));
	if (said->client[0] != '\0')
		memcpy(row->dhcp_client, said->client, sizeof(row->dhcp_client));
	touch(s, row);
}

void
sightings_packets(struct sightings *s, struct sighting *row, int64_t more, int64_t last_ms)
{
	if (more == 0)
		return;
	if (more < 0 && (uint64_t)-more > row->packets)
		row->packets = 0;
	else
		row->packets += (uint64_t)more;
	if (last_ms > row->last_ms)
		row->last_ms = last_ms;
	touch(s, row);
}

/* ---- the store ---------------------------------------------------------- */

void
sightings_restore(struct sightings *s, const struct sighting *old)
{
	struct sighting *row = sightings_find(s, &old->mac, old->interface);
	struct sighting_key key;
	struct share *share;
	uint32_t slot;

	if (row != NULL) {
		/* it was seen before its row could be read */
		if (old->first_ms < row->first_ms)
			row->first_ms = old->first_ms;
		row->packets += old->packets;
		touch(s, row);
		return;
	}
	make_key(&old->mac, old->interface, &key);
	if (s->n == LIMIT_SIGHTINGS || (share = share_of(s, &key)) == NULL ||
	    (row = make_row(s, &key, share)) == NULL)
		return;
	slot = row->slot;
	*row = *old;
	row->slot = slot;
	if (slot != old->slot)
		touch(s, row);
}

void
sightings_touch_all(struct sightings *s)
{
	if (s->n > 0)
		memset(s->dirty, 1, s->n);
	s->any_dirty = true;
}

size_t
sightings_dirty(const struct sightings *s, size_t *slot, const struct sighting **rows, size_t max)
{
	size_t n = 0;

	for (; *slot < s->n && n < max; ++*slot)
		if (s->dirty[*slot] && s->rows[*slot].interface[0] != '\0')
			rows[n++] = &s->rows[*slot];
	return n;
}

void
sightings_written(struct sightings *s)
{
	memset(s->dirty, 0, LIMIT_SIGHTINGS);
	s->any_dirty = false;
}
