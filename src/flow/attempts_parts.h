/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attempts_parts.h -- the table behind attempts.h; for attempts.c and
 * attempts_table.c alone. */
#ifndef CORDON_FLOW_ATTEMPTS_PARTS_H
#define CORDON_FLOW_ATTEMPTS_PARTS_H

#include "flow/attempts.h"

#define CHUNK 256		/* entries that are allocated at a time; they never move */

struct attempts {
	struct siphash_key seed;
	struct open_attempt **chunks;
	size_t n_chunks;
	uint32_t *buckets;	/* index + 1 */
	size_t n_buckets;	/* power of two */
	size_t limit;
	size_t n;
	uint32_t free_list;	/* through next; index + 1 */
	uint32_t dirty_first;	/* through next_dirty; index + 1 */
	uint32_t dirty_last;
	size_t n_provisional;	/* upper bound */
	int64_t window_ms;
	int64_t swept_ms;
	uint64_t unmatched;
	uint64_t refused;
};

struct open_attempt *attempts_entry(const struct attempts *, uint32_t index);

/* The newest entry of a key, or NULL. */
struct open_attempt *attempts_find(const struct attempts *, const struct attempt_key *);

/* A new one, before all others of its key; NULL when there is no room. May
 * forget closed entries, so pointers to such do not outlive the call. */
struct open_attempt *attempts_add(struct attempts *, const struct attempt_key *, const struct clock_view *);

/* Forget what is closed and written: all of it when room is needed, else what
 * nobody will ask for any more. */
void attempts_forget(struct attempts *, int64_t boot_ms, bool pressed);

#endif
