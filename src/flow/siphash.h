/* SPDX-License-Identifier: GPL-2.0-or-later */
/* siphash.h -- a keyed hash: what a stranger sends cannot be chosen to collide. */
#ifndef CORDON_FLOW_SIPHASH_H
#define CORDON_FLOW_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
	uint64_t k0;
	uint64_t k1;
};

/* SipHash-2-4 (Aumasson and Bernstein, 2012). */
uint64_t siphash(const struct siphash_key *, const void *data, size_t len);

#endif
