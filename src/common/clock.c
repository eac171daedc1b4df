/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clock.c -- reads the clocks, for everybody. */
#include "common/clock.h"

#include <stdio.h>
#include <time.h>

static int64_t
clock_us(clockid_t id)
{
	struct timespec ts = { 0, 0 };

	/* Both clocks exist since Linux 2.6.39; there is no failure to report. */
	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

void
clock_now(struct clock_view *out)
{
	out->wall_ms = clock_us(CLOCK_REALTIME) / 1000;
	out->boot_us = clock_us(CLOCK_BOOTTIME);
	out->boot_ms = out->boot_us / 1000;
}

const char *
clock_format(int64_t wall_ms, char buf[RFC3339_STRLEN])
{
	int64_t s = wall_ms / 1000, ms = wall_ms % 1000;
	struct tm tm;
	time_t t;

	if (ms < 0) {
		ms += 1000;
		s--;
	}
	t = (time_t)s;
	/* RFC 3339 knows four digits of the year and no more. */
	if (gmtime_r(&t, &tm) == NULL || tm.tm_year < -1900 || tm.tm_year > 8099) {
		snprintf(buf, RFC3339_STRLEN, "?");
		return buf;
	}
	snprintf(buf, RFC3339_STRLEN, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
	    (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)(tm.tm_mon + 1) % 100,
	    (unsigned)tm.tm_mday % 100, (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100,
	    (unsigned)tm.tm_sec % 100, (unsigned)ms % 1000);
	return buf;
}
