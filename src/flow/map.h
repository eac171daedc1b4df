/* SPDX-License-Identifier: GPL-2.0-or-later */
/* map.h -- a bounded hash table from fixed-size keys to fixed-size values. */
#ifndef CORDON_FLOW_MAP_H
#define CORDON_FLOW_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "flow/siphash.h"

struct map {
	struct siphash_key seed;
	size_t key_len;
	size_t value_len;
	size_t limit;		/* entries */
	size_t n;
	size_t slots;		/* power of two, or 0 */
	uint8_t *bytes;		/* of a slot: key, value (8-byte aligned), then 1 where in use */
};

/* Keys have no padding, or zeroed padding. No memory is taken before the first put. */
void map_init(struct map *, const struct siphash_key *seed, size_t key_len, size_t value_len, size_t limit);
void map_done(struct map *);
void map_clear(struct map *);

/* The value, or NULL. Valid until the next put or delete. */
void *map_get(const struct map *, const void *key);

/* The value, made zeroed when it is missing; NULL at the limit or without memory. */
void *map_put(struct map *, const void *key);

void map_del(struct map *, const void *key);

/* Delete every entry that fn says 1 of. */
typedef int map_fn(void *arg, const void *key, void *value);
void map_sweep(struct map *, map_fn *, void *arg);

#endif
