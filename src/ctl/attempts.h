/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attempts.h -- attempts from the store, as table rows and as JSON. */
#ifndef CORDON_CTL_ATTEMPTS_H
#define CORDON_CTL_ATTEMPTS_H

#include <jansson.h>

#include "ctl/ctl.h"
#include "ctl/format.h"
#include "evidence/store.h"

/* Bring the kernel's counts into the store. 0 when cordond did; -errno: they
 * may lag behind. */
int attempts_flush(const struct ctl *);

/* The time that --since says, 0 without it. 0, or the exit code, said already. */
int attempts_since(struct ctl *, int64_t *since_ms);

/* Open the store for reading. 0, or the exit code, said already. */
int attempts_open(struct ctl *, struct evidence **);

void attempts_table(struct table *);
/* Columns as wide as they mostly are, for rows that come one by one. */
void attempts_make_room(struct table *);
void attempts_row(struct table *, const struct attempt *);
json_t *attempts_json(const struct attempt *);

#endif
