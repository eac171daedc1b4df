/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crl_fast.h -- the two shapes that nearly all entries have, read in a few
 * nanoseconds: serial, UTCTime, and nothing else or only a reasonCode.
 *
 * The one place of pki that indexes foreign bytes itself: every index stands
 * behind a length check, and tests hold it against crl_entry_parse. */
#ifndef CORDON_PKI_CRL_FAST_H
#define CORDON_PKI_CRL_FAST_H

#include <endian.h>
#include <string.h>

#include "pki/crl_parts.h"
#include "pki/der.h"

/* Eight digits as four numbers of two digits, 16 bits each, the first lowest;
 * *bad gets bits when a byte is no digit. */
static inline uint64_t
crl_fast_pairs(const uint8_t *p, uint64_t *bad)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	v = le64toh(v) - 0x3030303030303030ULL;
	*bad |= (v | (v + 0x7676767676767676ULL)) & 0x8080808080808080ULL;
	return (v * 10 + (v >> 8)) & 0x00ff00ff00ff00ffULL;
}

/* Is p[0..13) a UTCTime that certainly exists? February 29 is left to the calendar. */
static inline bool
crl_fast_date(const uint8_t p[13])
{
	/* by month, so that no month above 12 or of 0 has a day */
	static const uint8_t days[16] = { 0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	uint64_t bad = 0, day, month, front, back;

	front = crl_fast_pairs(p, &bad);		/* YY MM DD HH */
	back = crl_fast_pairs(p + 4, &bad);		/* DD HH MM SS */
	month = front >> 16 & 0xff;
	day = front >> 32 & 0xff;
	/* HH <= 23, MM and SS <= 59: the sum of a lane reaches its top bit beyond that */
	bad |= (back + 0x7fc47fc47fe80000ULL) & 0x8000800080000000ULL;
	return bad == 0 && month < 16 && day - 1 < days[month & 15] && p[12] == 'Z';
}

/* SEQUENCE { SEQUENCE { reasonCode, OCTET STRING { ENUMERATED of one octet. By
 * two loads that overlap and without a branch: which shape comes next nobody
 * can predict. p[0..13). */
static inline bool
crl_fast_reason_head(const uint8_t *p)
{
	static const uint8_t want[13] = { 0x30, 0x0c, 0x30, 0x0a, 0x06, 0x03, 0x55, 0x1d, 0x15, 0x04,
		0x03, 0x0a, 0x01 };
	uint64_t a, b, want_a, want_b;

	memcpy(&a, p, 8);
	memcpy(&b, p + 5, 8);
	memcpy(&want_a, want, 8);
	memcpy(&want_b, want + 5, 8);
	return ((a ^ want_a) | (b ^ want_b)) == 0;
}

/* False: not of these shapes; ask crl_entry_parse. */
static inline bool
crl_entry_fast(const uint8_t *p, size_t n, struct crl_entry *e)
{
	size_t serial_len, at;
	unsigned plain, extended;

	/* 2 header, 2 + 1 serial, 15 time; lengths in short form. */
	if (n < 20 || n > 129 || p[0] != DER_SEQUENCE || p[1] != n - 2 || p[2] != DER_INTEGER)
		return false;
	serial_len = p[3];
	at = 4 + serial_len;
	/* Where the serial ends, 15 octets of time are left, and 14 more or none. */
	plain = n == at + 15;
	extended = (unsigned)(n == at + 29) & (unsigned)crl_fast_reason_head(p + n - 14) &
	    (unsigned)crl_reason_known(p[n - 1]);
	if (serial_len == 0 || serial_len > CRL_SERIAL_MAX || (plain | extended) == 0)
		return false;
	if (p[at] != DER_UTCTIME || p[at + 1] != 13 || !crl_fast_date(p + at + 2))
		return false;
	e->reason = extended ? p[n - 1] : CRL_REASON_ZERO;
	e->extended = extended != 0;
	e->serial = p + 4;
	e->serial_len = serial_len;
	e->date = p + at + 2;
	e->date_tag = DER_UTCTIME;
	e->issuer = NULL;
	e->issuer_len = 0;
	e->has_issuer = false;
	e->warnings = crl_serial_warnings(e->serial, serial_len);
	return true;
}

#endif
