/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attempts.h -- the attempts that are still open, in memory.
 *
 * Two sources tell of one refused key: NFLOG records (who, why, when; only a
 * few of many packets) and the kernel's counts (exact numbers; seconds later).
 * Here they become one row. Whoever comes first begins it. */
#ifndef CORDON_FLOW_ATTEMPTS_H
#define CORDON_FLOW_ATTEMPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "evidence/attempt.h"
#include "flow/nflog.h"
#include "flow/siphash.h"

/* After a final count a record of the same key may be a late one, or the first
 * of the next key; so long it begins nothing by itself. */
#define ATTEMPTS_GRACE_MS 2000
#define ATTEMPTS_GHOST_MS 30000		/* a closed key is remembered, to tell who a bare count is about */
#define ATTEMPTS_ALONE_MS 5000		/* after this a count without a record counts as unmatched */
#define ATTEMPTS_LAPSE_MS 60000		/* beyond two windows without news: cordond reads its counts in turns too */
#define ATTEMPTS_DORMANT_MS (24 * 3600 * 1000LL)

/* What the kernel counts under. No padding, so that keys compare as bytes. */
struct attempt_key {
	uint8_t group;
	uint8_t family;		/* 0: a count per mark alone */
	uint8_t protocol;
	uint8_t pad;
	uint32_t mark;
	uint8_t mac[6];		/* strangers only */
	uint16_t port;
	uint8_t source[16];
	uint8_t destination[16];
};

enum attempt_known {
	KNOWN_NOTHING,
	KNOWN_FROM_KEY,		/* no record came, or not for this one of several keys in a row */
	KNOWN_FROM_RECORD,
};

struct open_attempt {
	struct attempt_key key;
	struct attempt row;
	uint8_t known;		/* enum attempt_known: set by who filled the row's who and why */
	uint8_t provisional;	/* 1: its mark has not been explained yet */
	uint64_t credited;	/* packets of it that its sender's sighting has; the caller's */
	uint8_t fresh;		/* 1: a new row, of which the caller has not been told before; it clears this */
	/* the rest belongs to attempts.c */
	uint8_t used;
	uint8_t dirty;
	uint8_t tallied;	/* counted as unmatched */
	uint8_t began_by_record;
	int64_t touched_ms;	/* boot clock: last news */
	int64_t began_ms;
	int64_t late_ms;	/* wall clock of a record after the close; 0: none */
	uint64_t counted;	/* the kernel's last count of this key */
	uint64_t counted_bytes;
	uint64_t base;		/* of it, what belongs to rows before this one */
	uint64_t base_bytes;
	uint64_t records;
	uint32_t index;
	uint32_t next;		/* in its bucket; index + 1 */
	uint32_t next_dirty;
};

struct attempts;

/* NULL without memory. window_ms: how long the kernel keeps a key. */
struct attempts *attempts_new(size_t limit, const struct siphash_key *seed);
void attempts_free(struct attempts *);
void attempts_set_window(struct attempts *, int64_t window_ms);

/* The key of a record; false when its packet says too little to have one. */
bool attempts_key_of_record(const struct record *, struct attempt_key *out);
void attempts_key_of_count(const struct flow_count *, struct attempt_key *out);

/* News of a key. The answer is the open attempt, whose who and why the caller
 * fills when *known says less than the news does; or NULL when the news belongs
 * to a closed one, tells nothing new, or there is no room (attempts_refused). */
struct open_attempt *attempts_record(struct attempts *, const struct attempt_key *, uint32_t bytes,
    const struct clock_view *);
struct open_attempt *attempts_count(struct attempts *, const struct attempt_key *, const struct flow_count *,
    const struct clock_view *);

/* An attempt of its own, closed at once: it has no key in the kernel. */
struct open_attempt *attempts_event(struct attempts *, uint32_t mark, const struct clock_view *);

/* An open row of an earlier run; the kernel may still count its key. */
int attempts_restore(struct attempts *, const struct attempt *row, const struct clock_view *);

/* The row was changed by the caller and must be written (again). */
void attempts_touch(struct attempts *, struct open_attempt *);

/* Each open attempt of which `provisional` is set. */
typedef void attempts_fn(void *arg, struct open_attempt *);
void attempts_each_provisional(struct attempts *, attempts_fn *, void *arg);

/* Close what had no news for two windows and a while, forget what is closed and written. */
void attempts_tick(struct attempts *, const struct clock_view *);

/* Rows to write, at most max; they count as written until attempts_unwritten
 * gives them back. The rows stay where they are until the next tick. */
size_t attempts_take_dirty(struct attempts *, struct attempt **rows, size_t max);
void attempts_unwritten(struct attempts *, struct attempt *const *rows, size_t n);
bool attempts_dirty(const struct attempts *);

/* Is there one that began less than this ago by a count, and waits for its record? */
bool attempts_await_record(const struct attempts *, int64_t boot_ms, int64_t within_ms);

size_t attempts_n(const struct attempts *);
uint64_t attempts_unmatched(const struct attempts *);	/* counts that no record explained */
uint64_t attempts_refused(const struct attempts *);	/* new keys for which there was no room */

#endif
