/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attempts.c -- merge records and counts into rows, in bounded memory.
 * Knows neither policy nor store; time comes from the caller.
 *
 * An entry is open until a final count or until it lapses; a closed entry stays
 * a while under its key, since the kernel may begin the key again at any moment. */
#include "flow/attempts.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "flow/attempts_parts.h"

/* ---- keys --------------------------------------------------------------- */

static_assert(sizeof(struct attempt_key) == 48, "keys are compared as bytes: no padding");

bool
attempts_key_of_record(const struct record *r, struct attempt_key *out)
{
	const struct packet *p = &r->packet;

	memset(out, 0, sizeof(*out));
	out->group = r->group;
	out->mark = r->mark;
	if (r->group != FLOW_REFUSED)
		return true;
	if (p->family == 0)
		return false;
	out->family = p->family;
	out->protocol = p->protocol;
	if (r->mark == 0)
		memcpy(out->mac, r->mac.bytes, sizeof(out->mac));
	if (p->flags & PACKET_PORTS)
		out->port = p->port;
	memcpy(out->source, p->source.bytes, sizeof(out->source));
	memcpy(out->destination, p->destination.bytes, sizeof(out->destination));
	return true;
}

void
attempts_key_of_count(const struct flow_count *c, struct attempt_key *out)
{
	memset(out, 0, sizeof(*out));
	out->group = c->group;
	out->mark = c->mark;
	if (c->family == 0)
		return;
	out->family = c->family;
	out->protocol = c->protocol;
	if (c->mark == 0)
		memcpy(out->mac, c->mac, sizeof(out->mac));
	out->port = c->port;
	memcpy(out->source, c->source, addr_len(c->family));
	memcpy(out->destination, c->destination, addr_len(c->family));
}

/* ---- news --------------------------------------------------------------- */

void
attempts_touch(struct attempts *t, struct open_attempt *e)
{
	if (e->provisional)
		t->n_provisional++;
	if (e->dirty)
		return;
	e->dirty = 1;
	e->next_dirty = 0;
	if (t->dirty_first == 0)
		t->dirty_first = e->index + 1;
	else
		attempts_entry(t, t->dirty_last - 1)->next_dirty = e->index + 1;
	t->dirty_last = e->index + 1;
}

static void
close_entry(struct attempts *t, struct open_attempt *e, enum attempt_state state, const struct clock_view *now)
{
	e->row.state = (uint8_t)state;
	e->touched_ms = now->boot_ms;
	attempts_touch(t, e);
}

/* The next row of a key that had one: who it is has not changed with it. The
 * one before is a copy: making room for the new one may have forgotten it. */
static struct open_attempt *
successor(struct attempts *t, const struct open_attempt *before, const struct clock_view *now)
{
	struct open_attempt *e = attempts_add(t, &before->key, now);

	if (e == NULL)
		return NULL;
	if (before->known != KNOWN_NOTHING) {
		e->row = before->row;
		e->row.id = 0;
		e->row.packets = e->row.bytes = 0;
		e->row.state = ATTEMPT_OPEN;
		e->provisional = before->provisional;
		/* with a record of its own already seen it is as well known as the one before */
		e->known = before->late_ms != 0 ? before->known : KNOWN_FROM_KEY;
	}
	e->row.first_ms = e->row.last_ms = before->late_ms != 0 ? before->late_ms : now->wall_ms;
	return e;
}

static void
add_record(struct attempts *t, struct open_attempt *e, uint32_t bytes, const struct clock_view *now)
{
	e->records++;
	e->touched_ms = now->boot_ms;
	if (now->wall_ms > e->row.last_ms)
		e->row.last_ms = now->wall_ms;
	/* until the kernel's count is here, what was seen is the least there was */
	if (e->records > e->row.packets) {
		e->row.packets = e->records;
		e->row.bytes += bytes;
	}
	attempts_touch(t, e);
}

/* The key begins again, as far as a record can tell. */
static struct open_attempt *
begin_by_record(struct attempts *t, const struct attempt_key *key, const struct open_attempt *before,
    const struct clock_view *now)
{
	struct open_attempt old = { .used = 0 }, *e;

	if (before != NULL)
		old = *before;
	if ((e = attempts_add(t, key, now)) == NULL)
		return NULL;
	e->began_by_record = 1;
	if (old.late_ms != 0)
		e->row.first_ms = old.late_ms;
	if (old.used && old.row.state == ATTEMPT_LAPSED) {
		e->base = e->counted = old.counted;
		e->base_bytes = e->counted_bytes = old.counted_bytes;
	}
	return e;
}

struct open_attempt *
attempts_record(struct attempts *t, const struct attempt_key *key, uint32_t bytes, const struct clock_view *now)
{
	struct open_attempt *e = attempts_find(t, key);

	if (e != NULL && e->row.state == ATTEMPT_FINAL &&
	    now->boot_ms - e->touched_ms < ATTEMPTS_GRACE_MS) {
		e->late_ms = now->wall_ms;
		return NULL;
	}
	if (e == NULL || e->row.state != ATTEMPT_OPEN)
		e = begin_by_record(t, key, e, now);
	if (e != NULL)
		add_record(t, e, bytes, now);
	return e;
}

/* The key was closed, or is closed by these numbers; they are of a new row. */
static struct open_attempt *
next_row(struct attempts *t, struct open_attempt *e, uint64_t packets, const struct clock_view *now)
{
	struct open_attempt old, *next;

	/* A counter never goes back: the key was deleted unseen, and this is the next one. */
	if (e->row.state == ATTEMPT_OPEN)
		close_entry(t, e, ATTEMPT_LAPSED, now);
	old = *e;
	next = successor(t, &old, now);
	if (next != NULL && old.row.state == ATTEMPT_LAPSED && packets > old.counted) {
		next->base = old.counted;
		next->base_bytes = old.counted_bytes;
	}
	return next;
}

/* Which row do these numbers belong to? */
static struct open_attempt *
entry_for_count(struct attempts *t, const struct attempt_key *key, uint64_t packets, const struct clock_view *now)
{
	struct open_attempt *e = attempts_find(t, key);

	if (e == NULL)
		return attempts_add(t, key, now);
	if (e->row.state == ATTEMPT_OPEN && packets >= e->counted)
		return e;
	if (e->row.state == ATTEMPT_OPEN && e->base > 0 && e->base == e->counted) {
		/* no count came since it began: its base was of a key that is gone */
		e->base = e->base_bytes = 0;
		return e;
	}
	if (e->row.state == ATTEMPT_LAPSED && packets == e->counted)
		return NULL;	/* nothing new since it was closed */
	return next_row(t, e, packets, now);
}

struct open_attempt *
attempts_count(struct attempts *t, const struct attempt_key *key, const struct flow_count *c,
    const struct clock_view *now)
{
	struct open_attempt *e = entry_for_count(t, key, c->packets, now);
	uint64_t packets, bytes;
	bool news;

	if (e == NULL)
		return NULL;
	packets = c->packets - e->base;
	bytes = c->bytes >= e->base_bytes ? c->bytes - e->base_bytes : 0;
	news = packets > e->row.packets;
	if (news && e->row.packets > 0)
		e->row.last_ms = now->wall_ms;
	/* A record may run ahead of the count; the final count has the last word. */
	if (packets >= e->row.packets || c->final) {
		news |= e->row.packets != packets || e->row.bytes != bytes;
		e->row.packets = packets;
		e->row.bytes = bytes;
	}
	e->counted = c->packets;
	e->counted_bytes = c->bytes;
	e->touched_ms = now->boot_ms;
	if (c->final)
		close_entry(t, e, ATTEMPT_FINAL, now);
	else if (news)
		attempts_touch(t, e);
	return e;
}

struct open_attempt *
attempts_event(struct attempts *t, uint32_t mark, const struct clock_view *now)
{
	struct attempt_key key;
	struct open_attempt *e;

	memset(&key, 0, sizeof(key));
	key.group = FLOW_SIGHTED;	/* no count and no record has a key of this group */
	key.mark = mark;
	if ((e = attempts_add(t, &key, now)) == NULL)
		return NULL;
	e->known = KNOWN_FROM_RECORD;
	close_entry(t, e, ATTEMPT_FINAL, now);
	return e;
}

int
attempts_restore(struct attempts *t, const struct attempt *row, const struct clock_view *now)
{
	struct attempt_key key;
	struct open_attempt *e;

	memset(&key, 0, sizeof(key));
	key.group = row->group;
	key.mark = row->mark;
	if (row->group == FLOW_REFUSED) {
		key.family = row->family;
		key.protocol = row->protocol;
		key.port = row->port;
		if (row->mark == 0)
			memcpy(key.mac, row->mac.bytes, sizeof(key.mac));
		memcpy(key.source, row->source.bytes, sizeof(key.source));
		memcpy(key.destination, row->destination.bytes, sizeof(key.destination));
	}
	if ((e = attempts_add(t, &key, now)) == NULL)
		return -ENOSPC;
	e->row = *row;
	e->fresh = 0;
	e->known = KNOWN_FROM_RECORD;
	e->credited = row->packets;
	e->counted = row->packets;
	e->counted_bytes = row->bytes;
	return 0;
}

/* ---- upkeep ------------------------------------------------------------- */

void
attempts_each_provisional(struct attempts *t, attempts_fn *fn, void *arg)
{
	size_t left = 0;

	if (t->n_provisional == 0)
		return;
	for (size_t i = 0; i < t->n_chunks * CHUNK; i++) {
		struct open_attempt *e = attempts_entry(t, (uint32_t)i);

		if (!e->used || !e->provisional)
			continue;
		fn(arg, e);
		left += e->provisional;
	}
	t->n_provisional = left;
}

void
attempts_tick(struct attempts *t, const struct clock_view *now)
{
	for (size_t i = 0; i < t->n_chunks * CHUNK; i++) {
		struct open_attempt *e = attempts_entry(t, (uint32_t)i);

		if (!e->used)
			continue;
		if (e->known < KNOWN_FROM_RECORD && !e->began_by_record && !e->tallied &&
		    now->boot_ms - e->began_ms >= ATTEMPTS_ALONE_MS) {
			e->tallied = 1;
			t->unmatched++;
		}
		if (e->row.state == ATTEMPT_OPEN && now->boot_ms - e->touched_ms >= 2 * t->window_ms + ATTEMPTS_LAPSE_MS)
			close_entry(t, e, ATTEMPT_LAPSED, now);
	}
	attempts_forget(t, now->boot_ms, false);
}

bool
attempts_await_record(const struct attempts *t, int64_t boot_ms, int64_t within_ms)
{
	for (size_t i = 0; i < t->n_chunks * CHUNK; i++) {
		const struct open_attempt *e = attempts_entry(t, (uint32_t)i);

		if (e->used && e->known < KNOWN_FROM_RECORD && boot_ms - e->began_ms < within_ms)
			return true;
	}
	return false;
}

size_t
attempts_take_dirty(struct attempts *t, struct attempt **rows, size_t max)
{
	size_t n = 0;

	while (t->dirty_first != 0 && n < max) {
		struct open_attempt *e = attempts_entry(t, t->dirty_first - 1);

		t->dirty_first = e->next_dirty;
		e->dirty = 0;
		rows[n++] = &e->row;
	}
	if (t->dirty_first == 0)
		t->dirty_last = 0;
	return n;
}

void
attempts_unwritten(struct attempts *t, struct attempt *const *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		attempts_touch(t, (struct open_attempt *)((char *)rows[i] - offsetof(struct open_attempt, row)));
}

bool
attempts_dirty(const struct attempts *t)
{
	return t->dirty_first != 0;
}

size_t
attempts_n(const struct attempts *t)
{
	return t->n;
}

uint64_t
attempts_unmatched(const struct attempts *t)
{
	return t->unmatched;
}

uint64_t
attempts_refused(const struct attempts *t)
{
	return t->refused;
}
