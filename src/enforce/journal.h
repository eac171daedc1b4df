/* SPDX-License-Identifier: GPL-2.0-or-later */
/* journal.h -- who is quarantined or restricted, who waits behind the brake, and
 * why: an append-only file of fixed records, the last of a device counts. A torn
 * last record is ignored; nothing but an explicit record ends a quarantine. */
#ifndef CORDON_ENFORCE_JOURNAL_H
#define CORDON_ENFORCE_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#include "enforce/standing.h"

/* Read all; *out holds one record per device of whom anything is known, sorted by
 * number, and the caller frees it. A damaged record in the middle is passed
 * over and counted in *damaged. A missing file is an empty one. Records of the
 * version before are understood. */
int journal_load(int dirfd, struct standing **out, size_t *n, uint32_t *damaged);

/* Append records and fdatasync. */
int journal_append(int dirfd, const struct standing *, size_t n);

/* Replace the file by these records alone, atomically. */
int journal_rewrite(int dirfd, const struct standing *, size_t n);

#endif
