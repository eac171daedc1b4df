/* SPDX-License-Identifier: GPL-2.0-or-later */
/* windows.h -- from days, hours and a time zone to stretches of time. Changes the
 * environment's TZ while it works: not for programs with threads. */
#ifndef CORDON_CONFIG_WINDOWS_H
#define CORDON_CONFIG_WINDOWS_H

#include "model/policy.h"

#define ZONE_FOLDER "/usr/share/zoneinfo"

/* Is there such a time zone? 0; -EINVAL for what is no zone's name (a path, or
 * the machine's own zone, whatever it is); -ENOENT and the like. libc itself
 * takes what it does not find for UTC and says nothing. */
int zone_check(const char *name);

/* The windows of s (days, from_s, to_s, zone) whose days begin from yesterday to
 * LIMIT_SCHEDULE_YEARS after now (seconds since 1970, UTC): ascending, apart from
 * each other, no more than LIMIT_WINDOWS.
 *
 * A time of day that the clocks skip stands for the moment at which they skip
 * it. Of one that they show twice, a window begins with the first and ends with
 * the last before which its last second was shown; it opens once. A window all
 * of which is skipped does not open that day.
 *
 * 0, -ENOMEM or -E2BIG; the caller frees *out. */
int windows_expand(const struct schedule_decl *s, int64_t now, struct window **out, size_t *n);

#endif
