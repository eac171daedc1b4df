/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inventory.h -- which of our certificates has this serial? An index per
 * authority, built once and never changed: a new policy builds a new one. */
#ifndef CORDON_PKI_INVENTORY_H
#define CORDON_PKI_INVENTORY_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A serial of up to 32 octets as the number it is: big-endian magnitude,
 * w[0] the lowest word. Encodings of one number are one key. */
struct serial {
	uint64_t w[4];
};

/* Random, so that nobody who chooses serials can choose collisions. */
struct inventory_key {
	uint32_t k[10];
};

struct inventory_cert {
	struct serial serial;
	uint32_t cert;		/* what the caller calls it */
};

/* What turns nearly every stranger away: two bits per hash, in one word. In the
 * header, since a CRL of a million entries asks it a million times. */
struct inventory_filter {
	struct inventory_key key;
	unsigned shift;		/* the top bits of the hash are the number of the word */
	uint64_t *words;
};

struct inventory;

/* Copies certs. NULL without memory. */
struct inventory *inventory_new(const struct inventory_cert *certs, size_t n, const struct inventory_key *);
void inventory_free(struct inventory *);

size_t inventory_count(const struct inventory *);

/* What the caller calls the one at that place, 0 .. count - 1. */
uint32_t inventory_cert(const struct inventory *, size_t at);

const struct inventory_filter *inventory_filter(const struct inventory *);

/* The place of every certificate with that serial, one per call: start with *pos =
 * INVENTORY_START; false when there is no (further) one. */
#define INVENTORY_START SIZE_MAX
bool inventory_find(const struct inventory *, const struct serial *, size_t *pos, uint32_t *at);

static inline uint64_t
serial_word(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return be64toh(v);
}

/* The first left (at most 8) octets of at least 8. */
static inline uint64_t
serial_top(const uint8_t *p, size_t left)
{
	return left == 0 ? 0 : serial_word(p) >> (64 - 8 * left);
}

/* Content octets of a serial, 1..32, leading zeros or not; reads p[0..n) only. */
static inline void
serial_load(struct serial *s, const uint8_t *p, size_t n)
{
	s->w[0] = s->w[1] = s->w[2] = s->w[3] = 0;
	if (n >= 16) {
		s->w[0] = serial_word(p + n - 8);
		s->w[1] = serial_word(p + n - 16);
		if (n >= 24) {
			s->w[2] = serial_word(p + n - 24);
			s->w[3] = serial_top(p, n - 24);
		} else {
			s->w[2] = serial_top(p, n - 16);
		}
	} else if (n >= 8) {
		s->w[0] = serial_word(p + n - 8);
		s->w[1] = serial_top(p, n - 8);
	} else {
		for (; n > 0; n--)
			s->w[0] = s->w[0] << 8 | *p++;
	}
}

static inline uint64_t
inventory_products(uint64_t w, const uint32_t k[2])
{
	return (uint64_t)((uint32_t)w + k[0]) * ((uint32_t)(w >> 32) + k[1]);
}

/* Sums of products of keyed halves: two different serials meet with a chance
 * of 2^-32 whoever chose them, as long as the key stays unknown. */
static inline uint64_t
inventory_hash(const struct inventory_key *key, const struct serial *s)
{
	uint64_t h = inventory_products(s->w[0], key->k) + inventory_products(s->w[1], key->k + 2);

	if ((s->w[2] | s->w[3]) != 0)
		h += inventory_products(s->w[2], key->k + 4) +
		    inventory_products(s->w[3], key->k + 6);
	return h * ((uint64_t)key->k[8] << 32 | key->k[9] | 1);
}

/* The two bits of a hash: by the 12 bits below those that number the word. */
static inline uint64_t
inventory_bits(const struct inventory_filter *f, uint64_t h)
{
	return 1ULL << (h >> (f->shift - 6) & 63) | 1ULL << (h >> (f->shift - 12) & 63);
}

/* False: certainly none of ours. */
static inline bool
inventory_maybe(const struct inventory_filter *f, const struct serial *s)
{
	uint64_t h = inventory_hash(&f->key, s);

	return (~f->words[h >> f->shift] & inventory_bits(f, h)) == 0;
}

#endif
