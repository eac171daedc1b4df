/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crl_entry.c -- one revoked certificate (RFC 5280 5.1.2.6, 5.3), of any shape. */
#include <errno.h>
#include <string.h>

#include "pki/crl_parts.h"
#include "pki/der.h"

#define OID_CE(last) ((const uint8_t[]){ 0x55, 0x1d, last })
#define CE_REASON	  0x15
#define CE_HOLD		  0x17
#define CE_INVALIDITY	  0x18
#define CE_CERT_ISSUER	  0x1d

unsigned
crl_reason_rank(uint8_t reason)
{
	/* keyCompromise, cACompromise and aACompromise first; hold last. */
	static const uint8_t rank[11] = { [0] = 2, [1] = 7, [2] = 6, [3] = 4, [4] = 3, [5] = 3,
		[6] = 1, [9] = 4, [10] = 5 };

	return rank[reason];
}

/* GeneralNames, of which the directoryNames count (RFC 5280 5.3.3). */
static enum source_error
issuer_parse(struct buf value, struct crl_entry *e)
{
	struct buf names, name, inner;
	uint8_t tag;

	if (der_expect(&value, DER_SEQUENCE, &names) < 0 || der_left(&value) != 0)
		return E_DER;
	e->has_issuer = true;
	e->issuer = names.data + names.pos;
	e->issuer_len = der_left(&names);
	while (der_left(&names) > 0) {
		if (der_get(&names, &tag, &name) < 0)
			return E_DER;
		if (tag == 0xa4 && (der_expect(&name, DER_SEQUENCE, &inner) < 0 || der_left(&name) != 0))
			return E_DER;
	}
	return E_NONE;
}

/* A reason that is none leaves the certificate revoked all the same. */
static void
reason_parse(struct buf value, struct crl_entry *e)
{
	struct buf code;
	uint8_t reason = 0;

	if (der_expect(&value, DER_ENUMERATED, &code) < 0 || der_left(&value) != 0 ||
	    der_left(&code) != 1 || buf_get_u8(&code, &reason) < 0 || !crl_reason_known(reason)) {
		e->warnings |= CRL_WARN_REASON;
		return;
	}
	e->reason = reason;
}

static enum source_error
entry_extension(struct buf ext, struct crl_entry *e, unsigned *seen, const char **why)
{
	static const uint8_t known[] = { CE_REASON, CE_HOLD, CE_INVALIDITY, CE_CERT_ISSUER };
	struct buf oid, flag, value;
	uint8_t critical = 0;
	size_t i;

	if (der_expect(&ext, DER_OID, &oid) < 0)
		return E_DER;
	if (der_next(&ext) == DER_BOOLEAN) {
		if (der_expect(&ext, DER_BOOLEAN, &flag) < 0 || der_left(&flag) != 1 ||
		    buf_get_u8(&flag, &critical) < 0 || (critical != 0 && critical != 0xff))
			return E_DER;
		if (critical == 0)
			e->warnings |= CRL_WARN_BOOLEAN;
	}
	if (der_expect(&ext, DER_OCTETS, &value) < 0 || der_left(&ext) != 0)
		return E_DER;
	for (i = 0; i < sizeof(known); i++)
		if (der_equals(&oid, OID_CE(known[i]), 3))
			break;
	if (i == sizeof(known)) {
		/* RFC 5280 5.3: such a CRL must not be used for any certificate. */
		*why = "RFC 5280 5.3: unknown critical extension of an entry";
		return critical != 0 ? E_CRITICAL : E_NONE;
	}
	if ((*seen & 1U << i) != 0) {
		*why = "RFC 5280 4.2: an entry has an extension twice";
		return E_DUP_EXT;
	}
	*seen |= 1U << i;
	if (known[i] == CE_REASON)
		reason_parse(value, e);
	if (known[i] == CE_CERT_ISSUER)
		return issuer_parse(value, e);
	return E_NONE;
}

/* An unknown critical extension outranks whatever else an entry's extensions
 * have wrong, so all of them are looked at. */
static enum source_error
entry_extensions(struct buf exts, struct crl_entry *e, const char **why)
{
	enum source_error error = E_NONE, got;
	const char *reason = NULL;
	unsigned n = 0, seen = 0;
	struct buf ext;

	*why = "RFC 5280 5.3: malformed extensions of an entry";
	if (der_left(&exts) == 0)
		return E_DER;
	for (; der_left(&exts) > 0; n++) {
		if (n == CRL_EXT_COUNT || der_expect(&exts, DER_SEQUENCE, &ext) < 0)
			return E_DER;
		reason = *why;
		got = entry_extension(ext, e, &seen, &reason);
		if (got != E_NONE && error != E_CRITICAL) {
			error = got;
			*why = reason;
		}
	}
	return error;
}

enum source_error
crl_entry_parse(const uint8_t *p, size_t n, struct crl_entry *e, const char **why)
{
	struct buf b, entry, serial, date, exts;
	int64_t ms;

	memset(e, 0, sizeof(*e));
	*why = "RFC 5280 5.1: malformed entry";
	buf_init(&b, p, n);
	if (der_expect(&b, DER_SEQUENCE, &entry) < 0 || der_left(&b) != 0 ||
	    der_expect(&entry, DER_INTEGER, &serial) < 0)
		return E_DER;
	e->serial = serial.data + serial.pos;
	e->serial_len = der_left(&serial);
	if (e->serial_len == 0 || e->serial_len > CRL_SERIAL_MAX) {
		*why = "serial number beyond 32 octets, or empty";
		return E_DER;
	}
	e->warnings = crl_serial_warnings(e->serial, e->serial_len);
	if (der_get(&entry, &e->date_tag, &date) < 0)
		return E_DER;
	e->date = date.data + date.pos;
	if (der_time(e->date_tag, e->date, der_left(&date), &ms) < 0) {
		*why = "RFC 5280 4.1.2.5: revocationDate in a form that is not allowed";
		return E_DER;
	}
	if (der_left(&entry) == 0)
		return E_NONE;
	e->extended = true;
	if (der_expect(&entry, DER_SEQUENCE, &exts) < 0 || der_left(&entry) != 0)
		return E_DER;
	return entry_extensions(exts, e, why);
}
