/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crl_ext.c -- the extensions of a CRL (RFC 5280 5.2): what they say about its
 * number, its signer and what it covers. */
#include <openssl/sha.h>
#include <string.h>

#include "pki/crl_parts.h"
#include "pki/der.h"

enum known {
	EXT_AKI,
	EXT_NUMBER,
	EXT_DELTA,
	EXT_IDP,
	EXT_ISSUER_ALT,
	EXT_FRESHEST,
	EXT_AIA,
	EXT_EXPIRED,
	EXT_UNKNOWN,
};

static const struct {
	const char *oid;
	uint8_t len;
	bool handled;		/* we do what it says, so it may be critical */
} table[EXT_UNKNOWN] = {
	[EXT_AKI] = { "\x55\x1d\x23", 3, true },
	[EXT_NUMBER] = { "\x55\x1d\x14", 3, true },
	[EXT_DELTA] = { "\x55\x1d\x1b", 3, true },
	[EXT_IDP] = { "\x55\x1d\x1c", 3, true },
	[EXT_ISSUER_ALT] = { "\x55\x1d\x12", 3, false },
	[EXT_FRESHEST] = { "\x55\x1d\x2e", 3, false },
	[EXT_AIA] = { "\x2b\x06\x01\x05\x05\x07\x01\x01", 8, false },
	[EXT_EXPIRED] = { "\x55\x1d\x3c", 3, false },
};

uint64_t
crl_point_hash(const uint8_t *name, size_t len)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	uint64_t h = 0;
	int i;

	SHA256(name, len, digest);
	for (i = 0; i < 8; i++)
		h = h << 8 | digest[i];
	return h;
}

static enum source_error
number_parse(struct buf value, uint8_t *out, uint8_t *len, const char **why)
{
	struct buf content;

	if (der_expect(&value, DER_INTEGER, &content) < 0 || buf_left(&value) != 0 ||
	    der_unsigned(&content, out, CRL_NUMBER_MAX, len) < 0) {
		*why = "RFC 5280 5.2.3: not a CRL number of at most 20 octets";
		return E_DER;
	}
	return E_NONE;
}

static enum source_error
aki_parse(struct buf value, struct crl_verdict *v)
{
	struct buf seq, id;
	uint8_t tag;

	if (der_expect(&value, DER_SEQUENCE, &seq) < 0 || buf_left(&value) != 0)
		return E_DER;
	while (buf_left(&seq) > 0) {
		if (der_get(&seq, &tag, &id) < 0)
			return E_DER;
		if (tag != 0x80 || v->key_id_len != 0)
			continue;
		if (buf_left(&id) > sizeof(v->key_id))
			return E_DER;
		v->key_id_len = (uint8_t)buf_left(&id);
		if (buf_get_bytes(&id, v->key_id, v->key_id_len) < 0)
			return E_DER;
	}
	return E_NONE;
}

/* [n] IMPLICIT BOOLEAN, where FALSE is the default and so is not written. */
static enum source_error
idp_flag(struct buf *content, struct crl_verdict *v, uint32_t bit)
{
	uint8_t value = 0;

	if (buf_left(content) != 1 || buf_get_u8(content, &value) < 0 ||
	    (value != 0 && value != 0xff))
		return E_DER;
	if (value == 0)
		v->warnings |= CRL_WARN_BOOLEAN;
	else
		v->scope |= bit;
	return E_NONE;
}

/* DistributionPointName, of which only whole names can be compared with those of
 * certificates (RFC 5280 5.2.5: in identical encoding). */
static enum source_error
idp_point(struct buf content, struct crl_verdict *v)
{
	struct buf names, name;
	const uint8_t *start;
	uint8_t tag, any;

	if (der_get(&content, &tag, &names) < 0 || buf_left(&content) != 0 ||
	    (tag != 0xa0 && tag != 0xa1) || buf_left(&names) == 0)
		return E_DER;
	v->scope |= CRL_SCOPE_POINT;
	v->more_points = tag == 0xa1;
	while (tag != 0xa1 && buf_left(&names) > 0) {
		start = names.data + names.pos;
		if (der_get(&names, &any, &name) < 0)
			return E_DER;
		if (v->n_points == CRL_POINTS)
			v->more_points = true;
		else
			v->points[v->n_points++] =
			    crl_point_hash(start, (size_t)(names.data + names.pos - start));
	}
	return E_NONE;
}

/* ReasonFlags: a BIT STRING, bit 0 first; bit 0 itself means nothing. */
static enum source_error
idp_reasons(struct buf content, struct crl_verdict *v)
{
	uint8_t unused = 0, first = 0, second = 0;
	unsigned bit;

	if (buf_get_u8(&content, &unused) < 0 || unused > 7 || buf_left(&content) > 2 ||
	    (unused != 0 && buf_left(&content) == 0))
		return E_DER;
	v->scope |= CRL_SCOPE_REASONS;
	v->reasons = 0;
	(void)buf_get_u8(&content, &first);
	(void)buf_get_u8(&content, &second);
	for (bit = 0; bit < 8; bit++) {
		v->reasons |= (first >> (7 - bit) & 1U) << bit;
		v->reasons |= (second >> (7 - bit) & 1U) << (8 + bit);
	}
	v->reasons &= CRL_REASONS_ALL;
	return E_NONE;
}

static enum source_error
idp_fields(struct buf seq, struct crl_verdict *v, const char **why)
{
	enum source_error error = E_NONE;
	struct buf content;
	uint8_t tag, last = 0;

	while (buf_left(&seq) > 0 && error == E_NONE) {
		if (der_get(&seq, &tag, &content) < 0 || (tag & 0x1f) < last)
			return E_DER;
		last = (tag & 0x1f) + 1;	/* in this order, each once */
		switch (tag) {
		case 0xa0:
			error = idp_point(content, v);
			break;
		case 0x81:
			error = idp_flag(&content, v, CRL_SCOPE_USERS);
			break;
		case 0x82:
			error = idp_flag(&content, v, CRL_SCOPE_CAS);
			break;
		case 0x83:
			error = idp_reasons(content, v);
			break;
		case 0x84:
			error = idp_flag(&content, v, CRL_SCOPE_INDIRECT);
			break;
		case 0x85:
			error = idp_flag(&content, v, CRL_SCOPE_ATTRIBUTES);
			break;
		default:
			return E_DER;
		}
	}
	if (error != E_NONE)
		return error;
	if ((v->scope & CRL_SCOPE_ATTRIBUTES) != 0) {
		*why = "RFC 5280 5.2.5: a CRL of attribute certificates";
		return E_IDP;
	}
	return E_NONE;
}

static enum source_error
idp_parse(struct buf value, struct crl_verdict *v, const char **why)
{
	struct buf seq;
	enum source_error error;

	SHA256(value.data + value.pos, buf_left(&value), v->scope_digest);
	*why = "RFC 5280 5.2.5: malformed issuingDistributionPoint";
	if (der_expect(&value, DER_SEQUENCE, &seq) < 0 || buf_left(&value) != 0)
		return E_DER;
	v->scope |= CRL_SCOPE_PRESENT;
	if (buf_left(&seq) == 0) {
		*why = "RFC 5280 5.2.5: empty issuingDistributionPoint";
		return E_IDP;
	}
	if ((error = idp_fields(seq, v, why)) != E_NONE)
		return error;
	if ((v->scope & CRL_SCOPE_USERS) != 0 && (v->scope & CRL_SCOPE_CAS) != 0) {
		*why = "RFC 5280 5.2.5: more than one onlyContains";
		return E_IDP;
	}
	return E_NONE;
}

static enum source_error
known_parse(enum known which, struct buf value, struct crl_verdict *v, const char **why)
{
	switch (which) {
	case EXT_AKI:
		*why = "RFC 5280 5.2.1: malformed authorityKeyIdentifier";
		return aki_parse(value, v);
	case EXT_NUMBER:
		return number_parse(value, v->number, &v->number_len, why);
	case EXT_DELTA:
		v->delta = true;
		return number_parse(value, v->base, &v->base_len, why);
	case EXT_IDP:
		return idp_parse(value, v, why);
	case EXT_FRESHEST:
		v->freshest = true;
		break;
	case EXT_ISSUER_ALT:
	case EXT_AIA:
	case EXT_EXPIRED:
	case EXT_UNKNOWN:
		break;
	}
	return E_NONE;
}

static enum known
which_known(const struct buf *oid)
{
	int i;

	for (i = 0; i < EXT_UNKNOWN; i++)
		if (der_equals(oid, table[i].oid, table[i].len))
			return (enum known)i;
	return EXT_UNKNOWN;
}

static enum source_error
extension_parse(struct buf ext, struct buf *oid, struct crl_verdict *v, const char **why)
{
	struct buf flag, value;
	uint8_t critical = 0;
	enum known which;

	*why = "RFC 5280 5.2: malformed extension";
	if (der_expect(&ext, DER_OID, oid) < 0)
		return E_DER;
	if (der_next(&ext) == DER_BOOLEAN) {
		if (der_expect(&ext, DER_BOOLEAN, &flag) < 0 || buf_left(&flag) != 1 ||
		    buf_get_u8(&flag, &critical) < 0 || (critical != 0 && critical != 0xff))
			return E_DER;
		if (critical == 0)
			v->warnings |= CRL_WARN_BOOLEAN;
	}
	if (der_expect(&ext, DER_OCTETS, &value) < 0 || buf_left(&ext) != 0)
		return E_DER;
	which = which_known(oid);
	/* RFC 5280 5.2: such a CRL must not be used for any certificate. */
	if (critical != 0 && (which == EXT_UNKNOWN || !table[which].handled)) {
		*why = "RFC 5280 5.2: unknown critical extension of the CRL";
		return E_CRITICAL;
	}
	return known_parse(which, value, v, why);
}

enum source_error
crl_extensions_parse(const uint8_t *p, size_t n, struct crl_verdict *v)
{
	struct buf b, outer, exts, ext, oids[CRL_EXT_COUNT];
	enum source_error error;
	size_t count = 0, i;

	v->why = "RFC 5280 5.1: malformed crlExtensions";
	buf_init(&b, p, n);
	if (der_expect(&b, 0xa0, &outer) < 0 || buf_left(&b) != 0 ||
	    der_expect(&outer, DER_SEQUENCE, &exts) < 0 || buf_left(&outer) != 0 ||
	    buf_left(&exts) == 0)
		return E_DER;
	while (buf_left(&exts) > 0) {
		if (count == CRL_EXT_COUNT) {
			v->why = "more than 64 extensions";
			return E_DER;
		}
		if (der_expect(&exts, DER_SEQUENCE, &ext) < 0) {
			v->why = "RFC 5280 5.1: malformed crlExtensions";
			return E_DER;
		}
		error = extension_parse(ext, &oids[count], v, &v->why);
		if (error != E_NONE)
			return error;
		for (i = 0; i < count; i++)
			if (der_equals(&oids[i], oids[count].data + oids[count].pos,
				buf_left(&oids[count]))) {
				v->why = "RFC 5280 4.2: the CRL has an extension twice";
				return E_DUP_EXT;
			}
		count++;
	}
	return E_NONE;
}
