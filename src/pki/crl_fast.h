/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crl_fast.h -- the shapes that nearly all entries have, read in a few nanoseconds:
 * serial, a time, and nothing else or only a reasonCode.
 *
 * The one place of pki that indexes foreign bytes itself: every index stands
 * behind a length check, and tests hold it against crl_entry_parse. */
#ifndef CORDON_PKI_CRL_FAST_H
#define CORDON_PKI_CRL_FAST_H

#include <endian.h>
#include <string.h>

#include "pki/crl_parts.h"
#include "pki/der.h"

/* Eight characters as digits, the first lowest; *bad gets bits in 0x80 of a lane
 * that is no digit, or one above what room leaves it: room is 0x7f less the highest. */
static inline uint64_t
crl_fast_digits(const uint8_t *p, uint64_t room, uint64_t *bad)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	v = le64toh(v) - 0x3030303030303030ULL;
	*bad |= v | (v + room);
	return v;
}

/* Is p[0..13) a UTCTime that certainly exists? February 29 is left to the calendar. */
static inline bool
crl_fast_date(const uint8_t p[13])
{
	/* by month, so that month 0 and those above 12 have no day */
	static const uint8_t days[32] = { 0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	uint64_t bad = 0, day, pairs;

	/* YY MM DD HH, of which the tens are at most 9, 1, 3, 2 */
	pairs = crl_fast_digits(p, 0x767d767c767e7676ULL, &bad);
	/* DD HH MM SS: 3, 2, 5, 5 */
	(void)crl_fast_digits(p + 4, 0x767a767a767d767cULL, &bad);
	pairs = (pairs * 10 + (pairs >> 8)) & 0x00ff00ff00ff00ffULL;
	day = pairs >> 32 & 0xff;
	return (bad & 0x8080808080808080ULL) == 0 && day - 1 < days[pairs >> 16 & 31] && pairs >> 48 < 24 &&
	    p[12] == 'Z';
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

static inline uint32_t
crl_fast_u32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

/* The most frequent shapes, without a branch between them: p[0..n) begins with an
 * entry whose date is a UTCTime. Its length, or 0: of another shape. */
static inline size_t
crl_fast_utc(const uint8_t *p, size_t n, struct crl_entry *e)
{
	size_t total, serial_len, rest;
	uint32_t head;
	unsigned plain, extended;

	if (n < 20)
		return 0;
	/* SEQUENCE with a short length, INTEGER */
	head = crl_fast_u32(p);
	total = 2 + (head >> 8 & 0xff);
	serial_len = head >> 24;
	rest = total - 4 - serial_len;
	if ((head & 0x00ff80ff) != (DER_INTEGER << 16 | DER_SEQUENCE) || total > n || serial_len - 1 >= CRL_SERIAL_MAX)
		return 0;
	/* 15 octets of time, and then nothing or 14 of reason */
	plain = rest == 15;
	if ((plain | (unsigned)(rest == 29)) == 0)
		return 0;
	extended = (unsigned)crl_fast_reason_head(p + total - 14) & (unsigned)crl_reason_known(p[total - 1]);
	if ((plain | extended) == 0 || p[4 + serial_len] != DER_UTCTIME || p[5 + serial_len] != 13 ||
	    !crl_fast_date(p + 6 + serial_len))
		return 0;
	e->reason = plain ? CRL_REASON_ZERO : p[total - 1];
	e->extended = !plain;
	e->serial = p + 4;
	e->serial_len = serial_len;
	e->date = p + 6 + serial_len;
	e->date_tag = DER_UTCTIME;
	e->issuer = NULL;
	e->issuer_len = 0;
	e->has_issuer = false;
	e->warnings = crl_serial_warnings(e->serial, serial_len);
	return total;
}

/* The same with a GeneralizedTime of this century: RFC 5280 has them from 2050 on. */
static inline size_t
crl_fast_general(const uint8_t *p, size_t n, struct crl_entry *e)
{
	size_t total, serial_len, at;
	bool reason;

	if (n < 22 || p[0] != DER_SEQUENCE || p[1] >= 0x80 || p[2] != DER_INTEGER)
		return 0;
	total = 2U + p[1];
	serial_len = p[3];
	at = 4 + serial_len;
	if (total > n || serial_len == 0 || serial_len > CRL_SERIAL_MAX || (total != at + 17 && total != at + 31))
		return 0;
	reason = total == at + 31;
	if ((reason && (!crl_fast_reason_head(p + total - 14) || !crl_reason_known(p[total - 1]))) ||
	    p[at] != DER_GENTIME || p[at + 1] != 15 || p[at + 2] != '2' || p[at + 3] != '0' ||
	    !crl_fast_date(p + at + 4))
		return 0;
	*e = (struct crl_entry){ .serial = p + 4, .serial_len = serial_len, .date = p + at + 2,
		.date_tag = DER_GENTIME, .reason = reason ? p[total - 1] : CRL_REASON_ZERO, .extended = reason,
		.warnings = crl_serial_warnings(p + 4, serial_len) };
	return total;
}

/* The entry that p[0..n) begins with, when it has one of these shapes: its length.
 * 0: it has not, or is not whole; ask crl_entry_parse. */
static inline size_t
crl_entry_fast(const uint8_t *p, size_t n, struct crl_entry *e)
{
	size_t total = crl_fast_utc(p, n, e);

	return total > 0 ? total : crl_fast_general(p, n, e);
}

#endif
