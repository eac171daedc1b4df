/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clock.h -- the one place that reads clocks; everything else is told the time. */
#ifndef CORDON_COMMON_CLOCK_H
#define CORDON_COMMON_CLOCK_H

#include <stdint.h>

struct clock_view {
	int64_t wall_ms;	/* milliseconds since 1970, UTC; may be wrong */
	int64_t boot_ms;	/* milliseconds since boot, with suspend; never goes back */
	int64_t boot_us;	/* the same in microseconds, for short spans */
};

void clock_now(struct clock_view *out);

#define RFC3339_STRLEN 32
/* "2026-11-22T11:20:59.123Z"; returns buf. */
const char *clock_format(int64_t wall_ms, char buf[RFC3339_STRLEN]);

#endif
