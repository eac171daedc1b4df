/* SPDX-License-Identifier: GPL-2.0-or-later */
/* store.h -- attempts on disk: one writer (cordon-flow), any number of short
 * readers. The only header through which SQLite is used. */
#ifndef CORDON_EVIDENCE_STORE_H
#define CORDON_EVIDENCE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "evidence/attempt.h"
#include "evidence/sighting.h"

#define EVIDENCE_FILE		"evidence.db"
#define EVIDENCE_MODE		0640		/* a reader is of the folder's group */
#define EVIDENCE_QUERY_MAX	100000U		/* rows that one query returns at most */
#define EVIDENCE_TRIM_STEP	2000U		/* rows that one transaction deletes at most: a pause stays short */
#define EVIDENCE_MAX_ROWS	1000000U	/* default retention; 131 bytes each in IPv4, with their indexes */
#define EVIDENCE_MAX_BYTES	(256LL << 20)
#define EVIDENCE_MAX_AGE_MS	(400LL * 24 * 3600 * 1000)

struct evidence;

enum evidence_access { EVIDENCE_READ, EVIDENCE_WRITE };

/* Open the store in a folder. The writer may pass "." for a folder it stands
 * in and could not reach by its absolute path. With EVIDENCE_WRITE the file
 * is made when it is missing and brought to the present schema in one
 * transaction. -ENOENT: no store yet (readers); -EPROTO: made by a newer
 * version; -EBADMSG: damaged, see evidence_set_aside. */
int evidence_open(const char *folder, enum evidence_access, struct evidence **out);
void evidence_close(struct evidence *);

/* Rename a damaged store out of the way, so that a new one can begin. */
int evidence_set_aside(const char *folder, int64_t now_ms);

/* What SQLite said last; static or owned by the store until its next call. */
const char *evidence_error(const struct evidence *);

/* ---- the writer --------------------------------------------------------- */

/* Insert or update n rows by id, all or none; a row with id 0 is new and gets
 * one that was never used before. After a failure the ids are as they were. */
int evidence_put_attempts(struct evidence *, struct attempt *const *rows, size_t n);

/* Totals of a device (number 0: strangers) as the kernel counts them. */
struct evidence_loss {
	uint32_t device;
	int64_t at_ms;
	uint64_t total_packets;
	uint64_t total_bytes;
	uint64_t overflow_packets;
	uint64_t overflow_bytes;
};
int evidence_put_losses(struct evidence *, const struct evidence_loss *, size_t n);

/* Write rows to their slots, whoever had them, and the sums; all or nothing. */
int evidence_put_sightings(struct evidence *, const struct sighting *const *rows, size_t n,
    const struct sighting_sums *);

/* Delete the oldest rows while there are more than max_rows, the file's pages
 * in use exceed max_bytes, or a row ended before oldest_ms; 0 means no bound.
 * At most EVIDENCE_TRIM_STEP rows per call: *deleted tells whether to call again. */
struct evidence_bounds {
	uint64_t max_rows;
	int64_t max_bytes;
	int64_t oldest_ms;
};
int evidence_trim(struct evidence *, const struct evidence_bounds *, size_t *deleted);

/* ---- readers ------------------------------------------------------------ */

struct evidence_filter {
	uint32_t device;		/* device number; 0: any */
	const char *device_name;	/* as it was called then; NULL: any */
	int64_t since_ms;		/* attempts that lasted until then or later; 0: any */
	int64_t until_ms;		/* attempts that began before; 0: any */
	enum attempt_reason reason;	/* REASON_NONE: any */
	enum attempt_state state;	/* ATTEMPT_ANY: any */
	int64_t after_id;		/* > 0: only newer rows, the oldest of them first */
	uint32_t limit;			/* 0: EVIDENCE_QUERY_MAX */
};

/* Called in ascending order of id; non-zero ends the query and is its answer.
 * Without after_id the newest `limit` rows are meant. The row is borrowed. */
typedef int evidence_attempt_fn(void *arg, const struct attempt *);
int evidence_query_attempts(struct evidence *, const struct evidence_filter *, evidence_attempt_fn *, void *arg);

typedef int evidence_loss_fn(void *arg, const struct evidence_loss *);
int evidence_query_losses(struct evidence *, evidence_loss_fn *, void *arg);

/* Unknown devices that were seen then or later, by slot. A store of before
 * there were any has none. */
typedef int evidence_sighting_fn(void *arg, const struct sighting *);
int evidence_query_sightings(struct evidence *, int64_t since_ms, evidence_sighting_fn *, void *arg);
int evidence_sighting_sums(struct evidence *, struct sighting_sums *out);

/* The highest id given out so far; 0: none. A follower starts here. */
int evidence_last_id(struct evidence *, int64_t *out);

#endif
