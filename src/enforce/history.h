/* SPDX-License-Identifier: GPL-2.0-or-later */
/* history.h -- what happened to the policy, and who did it: policy.history, an
 * append-only file of the last records (proto/history.h). */
#ifndef CORDON_ENFORCE_HISTORY_H
#define CORDON_ENFORCE_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include "proto/history.h"

/* All, oldest first; at most LIMIT_HISTORY, the newest. The caller frees *out. */
int history_load(int dirfd, struct history_entry **out, size_t *n, uint32_t *damaged);

/* Write one down, durably. When the file holds twice as many as are kept, the
 * oldest go. */
int history_append(int dirfd, const struct history_entry *);

#endif
