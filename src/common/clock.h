/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clock.h -- the one place that reads clocks; everything else is told the time. */
#ifndef CORDON_COMMON_CLOCK_H
#define CORDON_COMMON_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct clock_view {
	int64_t wall_ms;	/* milliseconds since 1970, UTC; may be wrong */
	int64_t boot_ms;	/* milliseconds since boot, with suspend; never goes back */
	int64_t boot_us;	/* the same in microseconds, for short spans */
};

void clock_now(struct clock_view *out);

/* Does somebody who knows the time keep the wall clock (NTP, PTP)? By the kernel's
 * word: it is synchronised, and off by seconds at most. */
bool clock_is_set(void);

#define BOOT_ID_LEN 16
#define BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"
/* What the kernel draws at each boot: times since boot of another one mean
 * nothing here. file: BOOT_ID_FILE. 0 or -errno, -EBADMSG when it holds none. */
int clock_boot_id(const char *file, uint8_t out[BOOT_ID_LEN]);

#define RFC3339_STRLEN 32
/* "2026-11-22T11:20:59.123Z"; returns buf. */
const char *clock_format(int64_t wall_ms, char buf[RFC3339_STRLEN]);

#endif
