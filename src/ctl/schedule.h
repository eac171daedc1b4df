/* SPDX-License-Identifier: GPL-2.0-or-later */
/* schedule.h -- when a schedule is open, in words, as of a given time. */
#ifndef CORDON_CTL_SCHEDULE_H
#define CORDON_CTL_SCHEDULE_H

#include <stdint.h>

#include <jansson.h>

#include "model/image.h"

#define SCHEDULE_STRLEN 512
/* "nightly: daily 02:00-04:00 Europe/Berlin; next 2026-11-23 01:00:00 to 2026-11-23
 * 03:00:00 UTC"; "open until ..."; "never again: apply the policy". Returns buf. */
const char *schedule_text(const struct image *, const struct image_schedule *, int64_t now_ms,
    char buf[SCHEDULE_STRLEN]);

/* {"name", "days": ["mon"], "from": "02:00", "to": "04:00", "zone", "open": false,
 * "next": {"from", "to"} or null, "last": the end of its last window} */
json_t *schedule_json(const struct image *, const struct image_schedule *, int64_t now_ms);

#endif
