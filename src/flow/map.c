/* SPDX-License-Identifier: GPL-2.0-or-later */
/* map.c -- open addressing with linear probing, at most 3/4 full; a deletion
 * moves later entries up, so that no tombstones pile up. */
#include "flow/map.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS 64

static size_t
value_offset(const struct map *m)
{
	return (m->key_len + 7) & ~(size_t)7;
}

static size_t
flag_offset(const struct map *m)
{
	return value_offset(m) + m->value_len;
}

static size_t
slot_size(const struct map *m)
{
	return (flag_offset(m) + 8) & ~(size_t)7;
}

static uint8_t *
slot_at(const struct map *m, size_t i)
{
	return m->bytes + i * slot_size(m);
}

static bool
slot_used(const struct map *m, size_t i)
{
	return slot_at(m, i)[flag_offset(m)] != 0;
}

static size_t
home_of(const struct map *m, const void *key)
{
	return (size_t)siphash(&m->seed, key, m->key_len) & (m->slots - 1);
}

/* Where the key is, or the free slot where it would go. */
static size_t
find(const struct map *m, const void *key)
{
	size_t i = home_of(m, key);

	while (slot_used(m, i) && memcmp(slot_at(m, i), key, m->key_len) != 0)
		i = (i + 1) & (m->slots - 1);
	return i;
}

void
map_init(struct map *m, const struct siphash_key *seed, size_t key_len, size_t value_len, size_t limit)
{
	memset(m, 0, sizeof(*m));
	m->seed = *seed;
	m->key_len = key_len;
	m->value_len = value_len;
	m->limit = limit;
}

void
map_done(struct map *m)
{
	free(m->bytes);
	m->bytes = NULL;
	m->n = m->slots = 0;
}

void
map_clear(struct map *m)
{
	map_done(m);
}

void *
map_get(const struct map *m, const void *key)
{
	size_t i;

	if (m->slots == 0)
		return NULL;
	i = find(m, key);
	return slot_used(m, i) ? slot_at(m, i) + value_offset(m) : NULL;
}

static bool
grow(struct map *m)
{
	struct map next = *m;

	next.slots = m->slots == 0 ? FIRST_SLOTS : m->slots * 2;
	next.bytes = calloc(next.slots, slot_size(m));
	if (next.bytes == NULL)
		return false;
	for (size_t i = 0; i < m->slots; i++)
		if (slot_used(m, i))
			memcpy(slot_at(&next, find(&next, slot_at(m, i))), slot_at(m, i), slot_size(m));
	free(m->bytes);
	*m = next;
	return true;
}

void *
map_put(struct map *m, const void *key)
{
	void *value = map_get(m, key);
	size_t i;

	if (value != NULL)
		return value;
	if (m->n >= m->limit)
		return NULL;
	if ((m->n + 1) * 4 > m->slots * 3 && !grow(m))
		return NULL;
	i = find(m, key);
	memset(slot_at(m, i), 0, slot_size(m));
	memcpy(slot_at(m, i), key, m->key_len);
	slot_at(m, i)[flag_offset(m)] = 1;
	m->n++;
	return slot_at(m, i) + value_offset(m);
}

static void
delete_slot(struct map *m, size_t hole)
{
	size_t mask = m->slots - 1;

	for (size_t i = (hole + 1) & mask; slot_used(m, i); i = (i + 1) & mask) {
		size_t home = home_of(m, slot_at(m, i));

		/* it may move up only where its own search still passes */
		if (((i - home) & mask) >= ((i - hole) & mask)) {
			memcpy(slot_at(m, hole), slot_at(m, i), slot_size(m));
			hole = i;
		}
	}
	slot_at(m, hole)[flag_offset(m)] = 0;
	m->n--;
}

void
map_del(struct map *m, const void *key)
{
	size_t i;

	if (m->slots == 0)
		return;
	i = find(m, key);
	if (slot_used(m, i))
		delete_slot(m, i);
}

void
map_sweep(struct map *m, map_fn *fn, void *arg)
{
	size_t i = 0;

	while (i < m->slots) {
		uint8_t *slot = slot_at(m, i);

		if (slot_used(m, i) && fn(arg, slot, slot + value_offset(m)) == 1)
			delete_slot(m, i);	/* another may stand here now: look again */
		else
			i++;
	}
}
