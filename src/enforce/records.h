/* SPDX-License-Identifier: GPL-2.0-or-later */
/* records.h -- an append-only file of records of one size, each with a checksum.
 * A crash leaves whole ones and perhaps a part of one, which is passed over, as
 * is a damaged one in the middle. */
#ifndef CORDON_ENFORCE_RECORDS_H
#define CORDON_ENFORCE_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct record_kind {
	const char *file;	/* in the state folder */
	uint32_t magic;
	size_t size;		/* of what a record holds: a multiple of 8 */
	size_t max;		/* bytes of the file that are looked at */
	bool (*sound)(const void *);	/* beyond its checksum */
};

#define RECORD_FRAME 16	/* bytes around what a record holds */

/* All sound ones, in order; *damaged counts the stretches between them that are
 * not. A missing file is an empty one. The caller frees *out. */
int records_load(int dirfd, const struct record_kind *, void **out, size_t *n, uint32_t *damaged);

/* Append and fdatasync. */
int records_append(int dirfd, const struct record_kind *, const void *records, size_t n);

/* Replace the file by these alone, atomically. */
int records_rewrite(int dirfd, const struct record_kind *, const void *records, size_t n);

#endif
