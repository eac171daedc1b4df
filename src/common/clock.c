/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clock.c -- reads the clocks, for everybody. */
#include "common/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>

#include "common/file.h"

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

/* The kernel's own bound for what it calls synchronised. */
#define ERROR_MAX_US 16000000

bool
clock_is_set(void)
{
	struct timex t = { .modes = 0 };

	/* With modes 0 it is a question and needs no right. */
	return ntp_adjtime(&t) >= 0 && (t.status & STA_UNSYNC) == 0 && t.maxerror <= ERROR_MAX_US;
}

static int
hex_digit(char c)
{
	const char *digits = "0123456789abcdef", *at = c == '\0' ? NULL : strchr(digits, c);

	return at == NULL ? -1 : (int)(at - digits);
}

/* "6b0c8f2e-....": 32 digits, dashes between them. */
int
clock_boot_id(const char *file, uint8_t out[BOOT_ID_LEN])
{
	uint8_t *text, id[BOOT_ID_LEN] = { 0 };
	size_t len, n = 0;
	int rc;

	if ((rc = file_read_at(AT_FDCWD, file, 64, &text, &len)) < 0)
		return rc;
	for (size_t i = 0; rc == 0 && i < len && text[i] != '\n'; i++) {
		int digit = hex_digit((char)text[i]);

		if (text[i] == '-')
			continue;
		if (digit < 0 || n == 2 * BOOT_ID_LEN)
			rc = -EBADMSG;
		else
			id[n / 2] = (uint8_t)(id[n / 2] << 4 | digit), n++;
	}
	free(text);
	if (rc == 0 && n != 2 * BOOT_ID_LEN)
		rc = -EBADMSG;
	if (rc == 0)
		memcpy(out, id, sizeof(id));
	return rc;
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
