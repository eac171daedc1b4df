/* SPDX-License-Identifier: GPL-2.0-or-later */
/* der.c -- strict DER over struct buf; must never accept two encodings of one thing. */
#include <errno.h>
#include <string.h>

#include "pki/der.h"

int
der_unsigned(const struct buf *content, uint8_t *out, size_t max, uint8_t *len)
{
	struct buf b = *content;
	uint8_t first = 0, second = 0;
	size_t n;

	if (buf_get_u8(&b, &first) < 0 || (first & 0x80) != 0)
		return -EBADMSG;
	n = buf_left(&b) + 1;
	if (first == 0 && n > 1) {
		struct buf peek = b;

		if (buf_get_u8(&peek, &second) < 0 || (second & 0x80) == 0)
			return -EBADMSG;
		n--;
	} else {
		b = *content;
	}
	if (n > max)
		return -E2BIG;
	*len = (uint8_t)n;
	return buf_get_bytes(&b, out, n);
}

/* Days from 1970-01-01 of a proleptic Gregorian date. */
static int64_t
days_from_civil(int64_t y, unsigned m, unsigned d)
{
	int64_t era;
	unsigned yoe, doy, doe;

	if (m <= 2)
		y--;
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = (unsigned)(y - era * 400);
	doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
	doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146097 + (int64_t)doe - 719468;
}

static unsigned
days_in_month(unsigned y, unsigned m)
{
	static const uint8_t days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

	return days[m - 1] + (m == 2 && leap ? 1 : 0);
}

/* Two digits; above 99 when they are none. */
static inline unsigned
two(const uint8_t *p)
{
	unsigned a = p[0] - (unsigned)'0', b = p[1] - (unsigned)'0';

	return a > 9 || b > 9 ? 1000 : a * 10 + b;
}

/* MMDDHHMMSSZ of that year. */
static bool
date_valid(unsigned year, const uint8_t p[11])
{
	unsigned mon = two(p), day = two(p + 2);

	if (mon - 1 > 11 || day - 1 > 30 || two(p + 4) > 23 || two(p + 6) > 59 || two(p + 8) > 59 ||
	    p[10] != 'Z')
		return false;
	return day <= 28 || day <= days_in_month(year, mon);
}

/* RFC 5280 4.1.2.5.1: YY of 50 and above is 19YY. */
static inline unsigned
utc_year(unsigned yy)
{
	return yy >= 50 ? 1900 + yy : 2000 + yy;
}

int
der_time(uint8_t tag, const uint8_t *p, size_t n, int64_t *ms)
{
	const uint8_t *rest;
	unsigned year, hi, lo;
	int64_t days;

	if (tag == DER_UTCTIME && n == 13) {
		if ((lo = two(p)) > 99)
			return -EBADMSG;
		year = utc_year(lo);
		rest = p + 2;
	} else if (tag == DER_GENTIME && n == 15) {
		if ((hi = two(p)) > 99 || (lo = two(p + 2)) > 99)
			return -EBADMSG;
		year = hi * 100 + lo;
		rest = p + 4;
	} else {
		return -EBADMSG;
	}
	if (!date_valid(year, rest))
		return -EBADMSG;
	days = days_from_civil(year, two(rest), two(rest + 2));
	*ms = ((days * 24 + two(rest + 4)) * 60 + two(rest + 6)) * 60000 + two(rest + 8) * 1000;
	return 0;
}
