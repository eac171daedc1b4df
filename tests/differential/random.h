/* SPDX-License-Identifier: GPL-2.0-or-later */
/* random.h -- numbers that a seed repeats exactly. */
#ifndef CORDON_TESTS_DIFFERENTIAL_RANDOM_H
#define CORDON_TESTS_DIFFERENTIAL_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct random {
	uint64_t state;
};

static inline uint64_t
random_next(struct random *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

/* 0 .. n - 1 */
static inline uint32_t
random_below(struct random *r, uint32_t n)
{
	return (uint32_t)((random_next(r) >> 32) * n >> 32);
}

/* low .. high */
static inline uint32_t
random_in(struct random *r, uint32_t low, uint32_t high)
{
	return low + random_below(r, high - low + 1);
}

/* In so many of a hundred. */
static inline bool
random_is(struct random *r, uint32_t percent)
{
	return random_below(r, 100) < percent;
}

#endif
