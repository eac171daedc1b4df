/* SPDX-License-Identifier: GPL-2.0-or-later */
/* names.c -- open addressing over a keyed hash. Names come from inventories
 * that others may have written, so the key is not guessable (the kernel's
 * AT_RANDOM, no system call); the answers do not depend on it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "model/names.h"

#define NAMES_FIRST 64

void
names_init(struct names *t)
{
	const void *random = (const void *)(uintptr_t)getauxval(AT_RANDOM);

	memset(t, 0, sizeof(*t));
	if (random != NULL)
		memcpy(t->key, random, sizeof(t->key));
}

void
names_done(struct names *t)
{
	free(t->slots);
	memset(t, 0, sizeof(*t));
}

static uint64_t
rotate(uint64_t x, unsigned by)
{
	return x << by | x >> (64 - by);
}

static void
sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] = rotate(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] = rotate(v[2], 32);
}

/* SipHash-1-3. */
static uint32_t
names_hash(const struct names *t, const char *name)
{
	uint64_t v[4] = { t->key[0] ^ 0x736f6d6570736575ULL, t->key[1] ^ 0x646f72616e646f6dULL,
		t->key[0] ^ 0x6c7967656e657261ULL, t->key[1] ^ 0x7465646279746573ULL };
	size_t len = strlen(name), i;
	uint64_t word;

	for (i = 0; i + 8 <= len; i += 8) {
		memcpy(&word, name + i, 8);
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	word = (uint64_t)len << 56;
	memcpy(&word, name + i, len - i);
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
	v[2] ^= 0xff;
	for (i = 0; i < 3; i++)
		sip_round(v);
	word = v[0] ^ v[1] ^ v[2] ^ v[3];
	return (uint32_t)(word ^ word >> 32);
}

/* The slot of that name, or the free one where it belongs. */
static struct names_slot *
names_slot(const struct names *t, const char *name, uint32_t hash)
{
	size_t i = hash & (t->n_slots - 1);

	while (t->slots[i].name != NULL &&
	    (t->slots[i].hash != hash || strcmp(t->slots[i].name, name) != 0))
		i = (i + 1) & (t->n_slots - 1);
	return &t->slots[i];
}

static int
names_grow(struct names *t)
{
	struct names next = *t;
	size_t i;

	next.n_slots = t->n_slots == 0 ? NAMES_FIRST : t->n_slots * 2;
	next.slots = calloc(next.n_slots, sizeof(*next.slots));
	if (next.slots == NULL)
		return -ENOMEM;
	for (i = 0; i < t->n_slots; i++)
		if (t->slots[i].name != NULL)
			*names_slot(&next, t->slots[i].name, t->slots[i].hash) = t->slots[i];
	free(t->slots);
	*t = next;
	return 0;
}

int
names_add(struct names *t, const char *name, uint32_t value, uint32_t *old)
{
	struct names_slot *slot;
	uint32_t hash = names_hash(t, name);
	int rc;

	if (t->n * 2 >= t->n_slots && (rc = names_grow(t)) < 0)
		return rc;
	slot = names_slot(t, name, hash);
	if (slot->name != NULL) {
		if (old != NULL)
			*old = slot->value;
		return -EEXIST;
	}
	slot->name = name;
	slot->hash = hash;
	slot->value = value;
	t->n++;
	return 0;
}

bool
names_find(const struct names *t, const char *name, uint32_t *value)
{
	const struct names_slot *slot;

	if (t->n_slots == 0)
		return false;
	slot = names_slot(t, name, names_hash(t, name));
	if (slot->name == NULL)
		return false;
	*value = slot->value;
	return true;
}
