/* SPDX-License-Identifier: GPL-2.0-or-later */
/* journal.h -- who is quarantined, and why: an append-only file of fixed
 * records, the last of a device counts. A torn last record is ignored; nothing
 * but an explicit record ends a quarantine. */
#ifndef CORDON_ENFORCE_JOURNAL_H
#define CORDON_ENFORCE_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

struct standing {
	uint32_t number;	/* device */
	uint32_t cause;		/* bits of enum station_cause; 0: not quarantined (any more) */
	uint32_t authority;	/* CAUSE_REVOKED: which one, */
	uint32_t crl_reason;	/* why, */
	int64_t revoked_at;	/* and when it said so */
	int64_t since;
	char words[200];	/* CAUSE_OPERATOR: the operator's */
};

/* Read all; *out holds one record per device that is quarantined, sorted by
 * number, and the caller frees it. A damaged record in the middle is passed
 * over and counted in *damaged. A missing file is an empty one. */
int journal_load(int dirfd, struct standing **out, size_t *n, uint32_t *damaged);

/* Append records and fdatasync. */
int journal_append(int dirfd, const struct standing *, size_t n);

/* Replace the file by these records alone, atomically. */
int journal_rewrite(int dirfd, const struct standing *, size_t n);

#endif
