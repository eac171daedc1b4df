/* SPDX-License-Identifier: GPL-2.0-or-later */
/* serials.h -- certificates that operators revoked, whether a device has them or
 * not: serials.journal. A device that comes with one starts in quarantine. */
#ifndef CORDON_ENFORCE_SERIALS_H
#define CORDON_ENFORCE_SERIALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/image.h"
#include "proto/messages.h"

struct serials {
	struct ctl_revocation *list;
	size_t n;
};

/* What is on the disk. 0 or -errno: a list that cannot be read stays as it is. */
int serials_load(struct serials *, int dirfd, uint32_t *damaged);
void serials_done(struct serials *);

/* Written down before this returns 0. -ENOSPC: there are too many. What was said of
 * the same serial before is replaced. */
int serials_add(struct serials *, int dirfd, const struct ctl_revocation *);

/* The same. -ENOENT: there is none such. */
int serials_remove(struct serials *, int dirfd, uint32_t authority, const uint8_t *serial, uint32_t serial_len);

/* The first of its certificates that was revoked and whose time has not ended, or
 * NULL; with one alone, of that authority and serial. */
const struct ctl_revocation *serials_of_device(const struct serials *, const struct image *,
    const struct image_device *, int64_t wall_ms);
bool device_has_serial(const struct image *, const struct image_device *, uint32_t authority,
    const uint8_t *serial, uint32_t serial_len);

#endif
