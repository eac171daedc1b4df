/* SPDX-License-Identifier: GPL-2.0-or-later */
/* header.c -- what a server says about its answer. Pure. */
#include "fetch/header.h"

#include <string.h>

#include <curl/curl.h>

void
header_take(const char *line, size_t n, const char *name, char *out, size_t size)
{
	size_t len = strlen(name), i;

	if (n < len || strncasecmp(line, name, len) != 0)
		return;
	line += len;
	n -= len;
	while (n > 0 && (*line == ' ' || *line == '\t')) {
		line++;
		n--;
	}
	while (n > 0 && (line[n - 1] == '\r' || line[n - 1] == '\n' || line[n - 1] == ' '))
		n--;
	for (i = 0; i < n; i++)
		if ((unsigned char)line[i] < 0x20 || (unsigned char)line[i] > 0x7e)
			return;
	if (n < size) {
		memset(out, 0, size);
		memcpy(out, line, n);
	}
}

static uint32_t
bounded(int64_t seconds)
{
	return seconds <= 0 ? 0 : seconds < (int64_t)RETRY_AFTER_MAX_S ? (uint32_t)seconds : RETRY_AFTER_MAX_S;
}

uint32_t
header_retry_after(const char *value, int64_t now_s)
{
	size_t digits = strspn(value, "0123456789"), i;
	int64_t seconds = 0;
	time_t date;

	if (digits > 0 && value[digits] == '\0') {
		for (i = 0; i < digits && seconds < (int64_t)RETRY_AFTER_MAX_S; i++)
			seconds = 10 * seconds + (value[i] - '0');
		return bounded(seconds);
	}
	/* A date begins with the name of a day; curl would also take bare numbers for one. */
	if (digits > 0 || (date = curl_getdate(value, NULL)) == -1)
		return 0;
	return bounded((int64_t)date - now_s);
}
