/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pending.h -- what waits behind the brake, for all who show it. */
#ifndef CORDON_CTL_PENDING_H
#define CORDON_CTL_PENDING_H

#include <jansson.h>

#include "model/image.h"
#include "proto/messages.h"

/* "critical" or "brake". */
const char *pending_why(const struct image_device *);

/* {"devices", "within_seconds", "used"}, or null without a brake. */
json_t *pending_brake_json(const struct ctl_status *);

#define BRAKE_STRLEN 128
/* "the brake allows 20 devices within 10 min, 3 of them used"; returns buf. */
const char *pending_brake_text(const struct ctl_status *, char buf[BRAKE_STRLEN]);

#endif
