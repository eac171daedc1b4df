/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attempts_table.c -- entries in chunks that never move, found by a keyed hash.
 * Knows when an entry may be forgotten, and nothing of what it tells. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "flow/attempts_parts.h"

#define BUCKETS_MIN 1024
#define SWEEP_EVERY_MS 1000	/* when the table is full, look for room this often at most */

struct open_attempt *
attempts_entry(const struct attempts *t, uint32_t index)
{
	return &t->chunks[index / CHUNK][index % CHUNK];
}

static size_t
bucket_of(const struct attempts *t, const struct attempt_key *key)
{
	return (size_t)siphash(&t->seed, key, sizeof(*key)) & (t->n_buckets - 1);
}

struct attempts *
attempts_new(size_t limit, const struct siphash_key *seed)
{
	struct attempts *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->seed = *seed;
	t->limit = limit;
	t->window_ms = 300 * 1000;
	t->n_buckets = BUCKETS_MIN;
	t->buckets = calloc(t->n_buckets, sizeof(*t->buckets));
	if (t->buckets == NULL) {
		free(t);
		return NULL;
	}
	return t;
}

void
attempts_free(struct attempts *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->n_chunks; i++)
		free(t->chunks[i]);
	free(t->chunks);
	free(t->buckets);
	free(t);
}

void
attempts_set_window(struct attempts *t, int64_t window_ms)
{
	t->window_ms = window_ms;
}

static bool
add_chunk(struct attempts *t)
{
	struct open_attempt **chunks = realloc(t->chunks, (t->n_chunks + 1) * sizeof(*chunks));
	struct open_attempt *chunk;

	if (chunks == NULL)
		return false;
	t->chunks = chunks;
	if ((chunk = calloc(CHUNK, sizeof(*chunk))) == NULL)
		return false;
	t->chunks[t->n_chunks] = chunk;
	for (uint32_t i = 0; i < CHUNK; i++) {
		chunk[i].index = (uint32_t)(t->n_chunks * CHUNK) + i;
		chunk[i].next = t->free_list;
		t->free_list = chunk[i].index + 1;
	}
	t->n_chunks++;
	return true;
}

/* More buckets when there is memory for them; longer chains otherwise. */
static void
grow_buckets(struct attempts *t)
{
	size_t n = t->n_buckets * 2, old_n = t->n_buckets;
	uint32_t *buckets = calloc(n, sizeof(*buckets)), *old = t->buckets;

	if (buckets == NULL)
		return;
	t->buckets = buckets;
	t->n_buckets = n;
	for (size_t i = 0; i < old_n; i++) {
		uint32_t order[2] = { 0, 0 };	/* last entry of the two new chains */
		uint32_t next;

		/* entries of one key keep their order: the newest stands first */
		for (uint32_t at = old[i]; at != 0; at = next) {
			struct open_attempt *e = attempts_entry(t, at - 1);
			size_t b = bucket_of(t, &e->key);
			size_t half = b >= old_n ? 1 : 0;

			next = e->next;
			e->next = 0;
			if (order[half] == 0)
				buckets[b] = at;
			else
				attempts_entry(t, order[half] - 1)->next = at;
			order[half] = at;
		}
	}
	free(old);
}

static void
unlink_entry(struct attempts *t, struct open_attempt *e)
{
	uint32_t *at = &t->buckets[bucket_of(t, &e->key)];

	while (attempts_entry(t, *at - 1) != e)
		at = &attempts_entry(t, *at - 1)->next;
	*at = e->next;
}

/* Only what is written may be forgotten. */
static void
forget(struct attempts *t, struct open_attempt *e)
{
	uint32_t index = e->index;

	assert(!e->dirty);
	unlink_entry(t, e);
	memset(e, 0, sizeof(*e));
	e->index = index;
	e->next = t->free_list;
	t->free_list = index + 1;
	t->n--;
}

void
attempts_forget(struct attempts *t, int64_t boot_ms, bool pressed)
{
	for (size_t i = 0; i < t->n_chunks * CHUNK; i++) {
		struct open_attempt *e = attempts_entry(t, (uint32_t)i);
		int64_t keep = e->row.state == ATTEMPT_LAPSED ? ATTEMPTS_DORMANT_MS : ATTEMPTS_GHOST_MS;

		if (!e->used || e->dirty || e->row.state == ATTEMPT_OPEN)
			continue;
		if (pressed || boot_ms - e->touched_ms >= keep)
			forget(t, e);
	}
}

struct open_attempt *
attempts_add(struct attempts *t, const struct attempt_key *key, const struct clock_view *now)
{
	struct open_attempt *e;
	uint32_t index;
	size_t b;

	if (t->n >= t->limit && now->boot_ms - t->swept_ms >= SWEEP_EVERY_MS) {
		t->swept_ms = now->boot_ms;
		attempts_forget(t, now->boot_ms, true);
	}
	if (t->n >= t->limit || (t->free_list == 0 && !add_chunk(t))) {
		t->refused++;
		return NULL;
	}
	if (t->n >= t->n_buckets)
		grow_buckets(t);
	index = t->free_list - 1;
	e = attempts_entry(t, index);
	t->free_list = e->next;
	memset(e, 0, sizeof(*e));
	e->index = index;
	e->used = e->fresh = 1;
	e->key = *key;
	b = bucket_of(t, key);
	e->next = t->buckets[b];
	t->buckets[b] = index + 1;
	t->n++;
	e->touched_ms = e->began_ms = now->boot_ms;
	e->row.first_ms = e->row.last_ms = now->wall_ms;
	e->row.state = ATTEMPT_OPEN;
	e->row.mark = key->mark;
	e->row.group = key->group;
	e->row.family = key->family;
	e->row.protocol = key->protocol;
	e->row.port = key->port;
	if (key->family != 0) {
		e->row.source.family = e->row.destination.family = key->family;
		memcpy(e->row.source.bytes, key->source, sizeof(key->source));
		memcpy(e->row.destination.bytes, key->destination, sizeof(key->destination));
		if (key->mark == 0) {
			memcpy(e->row.mac.bytes, key->mac, sizeof(key->mac));
			e->row.has_mac = 1;
		}
	}
	return e;
}

struct open_attempt *
attempts_find(const struct attempts *t, const struct attempt_key *key)
{
	for (uint32_t at = t->buckets[bucket_of(t, key)]; at != 0;) {
		struct open_attempt *e = attempts_entry(t, at - 1);

		if (memcmp(&e->key, key, sizeof(*key)) == 0)
			return e;
		at = e->next;
	}
	return NULL;
}
