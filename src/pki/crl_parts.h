/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crl_parts.h -- the parts of a CRL that fit into memory whole: one entry, the
 * extensions. For crl_scan.c and its tests only. */
#ifndef CORDON_PKI_CRL_PARTS_H
#define CORDON_PKI_CRL_PARTS_H

#include "pki/crl_scan.h"

#define CRL_REASON_ZERO	  0
#define CRL_REASON_HOLD	  6
#define CRL_REASON_REMOVE 8

struct crl_entry {
	const uint8_t *serial;	/* content octets, 1..CRL_SERIAL_MAX */
	size_t serial_len;
	const uint8_t *date;	/* content octets, valid */
	uint8_t date_tag;
	uint8_t reason;
	bool extended;
	const uint8_t *issuer;	/* certificateIssuer: its GeneralNames, well-formed */
	size_t issuer_len;
	bool has_issuer;
	uint32_t warnings;
};

static inline bool
crl_reason_known(uint8_t reason)
{
	/* 0 to 10 but for 7; without a branch, since entries alternate */
	return (0x77fU >> (reason & 31) & (unsigned)(reason < 32)) != 0;
}

/* What we were shown about a serial that DER would write otherwise. */
static inline uint32_t
crl_serial_warnings(const uint8_t *p, size_t n)
{
	size_t magnitude = n > 1 && p[0] == 0 ? n - 1 : n;

	if ((p[0] & 0x80) != 0 || magnitude > 20 || (n > 1 && p[0] == 0 && (p[1] & 0x80) == 0))
		return CRL_WARN_SERIAL;
	return 0;
}

/* Which of two known reasons for one certificate is the worse: the higher. */
unsigned crl_reason_rank(uint8_t reason);

/* p[0..n) is the whole entry. */
enum source_error crl_entry_parse(const uint8_t *p, size_t n, struct crl_entry *, const char **why);

/* p[0..n) is the whole [0] element. Fills number, base, key id and scope. */
enum source_error crl_extensions_parse(const uint8_t *p, size_t n, struct crl_verdict *);

#endif
