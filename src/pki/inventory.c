/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inventory.c -- keyed hash of serials with a bitmap before it: on a CRL of a
 * million entries nearly all are strangers, and the bitmap sends those away
 * from one cache line. Must not depend on which serials an authority picks. */
#include <stdlib.h>

#include "pki/inventory.h"

/* Of the filter: hardly any stranger passes, and 1,200 devices fit into 8 kB. With many
 * devices some 1 % pass, and 100,000 stay within a core's cache. */
#define FEW	      4096
#define BITS_PER_CERT(n) ((n) <= FEW ? 32 : 16)

struct inventory {
	size_t n;
	uint64_t slot_mask;
	struct inventory_filter filter;
	uint32_t *slots;	/* index of a certificate + 1; 0: free */
	struct inventory_cert *certs;
};

static bool
same(const struct serial *a, const struct serial *b)
{
	return a->w[0] == b->w[0] && a->w[1] == b->w[1] && a->w[2] == b->w[2] && a->w[3] == b->w[3];
}

static uint64_t
power_above(size_t n)
{
	uint64_t p = 128;	/* two words at least: a shift by 64 is none */

	while (p < n)
		p <<= 1;
	return p;
}

struct inventory *
inventory_new(const struct inventory_cert *certs, size_t n, const struct inventory_key *key)
{
	struct inventory *inv;
	uint64_t h, slots = power_above(2 * n), bits = power_above(BITS_PER_CERT(n) * n);
	size_t i;

	if ((inv = calloc(1, sizeof(*inv))) == NULL)
		return NULL;
	inv->n = n;
	inv->slot_mask = slots - 1;
	inv->filter.key = *key;
	inv->filter.shift = 64 - (unsigned)__builtin_ctzll(bits / 64);
	inv->filter.words = calloc(bits / 64, sizeof(*inv->filter.words));
	inv->slots = calloc(slots, sizeof(*inv->slots));
	inv->certs = calloc(n == 0 ? 1 : n, sizeof(*inv->certs));
	if (inv->filter.words == NULL || inv->slots == NULL || inv->certs == NULL) {
		inventory_free(inv);
		return NULL;
	}
	for (i = 0; i < n; i++) {
		inv->certs[i] = certs[i];
		h = inventory_hash(key, &certs[i].serial);
		inv->filter.words[h >> inv->filter.shift] |= inventory_bits(&inv->filter, h);
		for (h >>= 32; inv->slots[h & inv->slot_mask] != 0; h++)
			;
		inv->slots[h & inv->slot_mask] = (uint32_t)i + 1;
	}
	return inv;
}

void
inventory_free(struct inventory *inv)
{
	if (inv == NULL)
		return;
	free(inv->filter.words);
	free(inv->slots);
	free(inv->certs);
	free(inv);
}

size_t
inventory_count(const struct inventory *inv)
{
	return inv == NULL ? 0 : inv->n;
}

const struct inventory_filter *
inventory_filter(const struct inventory *inv)
{
	return &inv->filter;
}

uint32_t
inventory_cert(const struct inventory *inv, size_t at)
{
	return inv->certs[at].cert;
}

bool
inventory_find(const struct inventory *inv, const struct serial *s, size_t *pos, uint32_t *at)
{
	uint64_t h;
	uint32_t slot;

	if (*pos == INVENTORY_START && !inventory_maybe(&inv->filter, s))
		return false;
	if (*pos == INVENTORY_START)
		h = inventory_hash(&inv->filter.key, s) >> 32 & inv->slot_mask;
	else
		h = (*pos + 1) & inv->slot_mask;
	/* At most half of the slots are taken: a free one ends each walk. */
	for (; (slot = inv->slots[h]) != 0; h = (h + 1) & inv->slot_mask) {
		if (same(&inv->certs[slot - 1].serial, s)) {
			*pos = h;
			*at = slot - 1;
			return true;
		}
	}
	return false;
}
