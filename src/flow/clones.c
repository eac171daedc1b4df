/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clones.c -- remember the last few places of each device; pure but for memory. */
#include "flow/clones.h"

#include <stddef.h>
#include <string.h>

#include "proto/limits.h"

#define PLACES 4	/* three users in turns are found as two are */

struct place {
	uint32_t at;		/* interface index, 0: none */
	uint32_t pad;
	int64_t seen_ms;
};

struct whereabouts {
	struct place sighted[PLACES];
	struct place learned[PLACES];
	struct place stranger;
	int64_t told_ms;
	int64_t news_ms;
	uint8_t was_told;
};

void
clones_init(struct clones *c, const struct siphash_key *seed, clones_lost_fn *lost, void *arg)
{
	memset(c, 0, sizeof(*c));
	map_init(&c->by_number, seed, sizeof(uint32_t), sizeof(struct whereabouts), LIMIT_DEVICES);
	c->lost = lost;
	c->lost_arg = arg;
}

void
clones_done(struct clones *c)
{
	map_done(&c->by_number);
}

static void
drop_lost(const struct clones *c, struct place *p)
{
	if (p->at == 0)
		return;
	if (c->lost(c->lost_arg, p->at) > p->seen_ms)
		p->at = 0;
}

static struct place *
newest(struct place *places)
{
	struct place *best = NULL;

	for (struct place *p = places; p < places + PLACES; p++)
		if (p->at != 0 && (best == NULL || p->seen_ms > best->seen_ms))
			best = p;
	return best;
}

/* The slot of a place, else a free one, else that of the place seen longest ago. */
static struct place *
slot_for(struct place *places, uint32_t at)
{
	struct place *best = places;

	for (struct place *p = places; p < places + PLACES; p++) {
		if (p->at == at)
			return p;
		if (best->at != 0 && (p->at == 0 || p->seen_ms < best->seen_ms))
			best = p;
	}
	return best;
}

/* Seen here, then elsewhere, and here again within the time? */
static bool
came_back(const struct clones *c, struct place *places, uint32_t at, int64_t now, int64_t within, struct clone *out)
{
	struct place *last, *here;
	bool back = false;

	for (struct place *p = places; p < places + PLACES; p++)
		drop_lost(c, p);
	last = newest(places);
	here = slot_for(places, at);
	if (last != NULL && last->at != at && here->at == at && now - here->seen_ms <= within) {
		out->here = at;
		out->there = last->at;
		back = true;
	}
	here->at = at;
	here->seen_ms = now;
	return back;
}

static struct whereabouts *
whereabouts_of(struct clones *c, uint32_t number, int64_t now)
{
	struct whereabouts *w = map_put(&c->by_number, &number);

	if (w != NULL)
		w->news_ms = now;
	return w;
}

static bool
tell(struct clones *c, struct whereabouts *w, int64_t now)
{
	if (w->was_told && now - w->told_ms < CLONES_QUIET_MS)
		return false;
	w->was_told = 1;
	w->told_ms = now;
	c->told++;
	return true;
}

bool
clones_sighted(struct clones *c, uint32_t number, uint32_t interface, int64_t boot_ms, struct clone *out)
{
	struct whereabouts *w = whereabouts_of(c, number, boot_ms);
	bool found;

	if (w == NULL || interface == 0)
		return false;
	found = came_back(c, w->sighted, interface, boot_ms, CLONES_SIGHTED_MS, out);
	drop_lost(c, &w->stranger);
	if (!found && w->stranger.at != 0 && w->stranger.at != interface &&
	    boot_ms - w->stranger.seen_ms <= CLONES_WRONG_PORT_MS) {
		out->here = interface;
		out->there = w->stranger.at;
		found = true;
	}
	return found && tell(c, w, boot_ms);
}

bool
clones_wrong_port(struct clones *c, uint32_t number, uint32_t interface, int64_t boot_ms, struct clone *out)
{
	struct whereabouts *w = whereabouts_of(c, number, boot_ms);
	struct place *own;

	if (w == NULL || interface == 0)
		return false;
	w->stranger.at = interface;
	w->stranger.seen_ms = boot_ms;
	for (own = w->sighted; own < w->sighted + PLACES; own++)
		drop_lost(c, own);
	own = newest(w->sighted);
	if (own == NULL || own->at == interface || boot_ms - own->seen_ms > CLONES_WRONG_PORT_MS)
		return false;
	out->here = own->at;
	out->there = interface;
	return tell(c, w, boot_ms);
}

bool
clones_learned(struct clones *c, uint32_t number, uint32_t port, int64_t boot_ms, struct clone *out)
{
	struct whereabouts *w = whereabouts_of(c, number, boot_ms);

	return w != NULL && port != 0 &&
	    came_back(c, w->learned, port, boot_ms, CLONES_BRIDGE_MS, out) && tell(c, w, boot_ms);
}

static int
is_stale(void *arg, const void *key, void *value)
{
	const struct whereabouts *w = value;

	(void)key;
	return *(const int64_t *)arg - w->news_ms > CLONES_QUIET_MS;
}

void
clones_tick(struct clones *c, int64_t boot_ms)
{
	map_sweep(&c->by_number, is_stale, &boot_ms);
}
