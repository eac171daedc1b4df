/* SPDX-License-Identifier: GPL-2.0-or-later */
/* subject_read.c -- a device's certificate (RFC 5280 4.1) as far as CRLs and keys
 * concern it. Fleets have a hundred thousand of them, so they are read without
 * decoding keys or names; signatures were verified when the policy was compiled. */
#include <errno.h>
#include <openssl/sha.h>
#include <string.h>

#include "pki/authority_parts.h"
#include "pki/der.h"

#define OID_BASIC_CONSTRAINTS "\x55\x1d\x13"
#define OID_CRL_POINTS	      "\x55\x1d\x1f"

/* Hashes of these GeneralNames. */
static int
points_add(struct subject *s, struct buf names)
{
	struct buf name;
	const uint8_t *start;
	uint8_t tag;

	while (buf_left(&names) > 0) {
		start = names.data + names.pos;
		if (der_get(&names, &tag, &name) < 0)
			return -EBADMSG;
		if (s->n_points == SUBJECT_POINTS)
			s->more_points = 1;
		else
			s->points[s->n_points++] =
			    crl_point_hash(start, (size_t)(names.data + names.pos - start));
	}
	return 0;
}

/* DistributionPoint: its whole names; without any, those of cRLIssuer stand for
 * them (RFC 5280 6.3.3 (b) (2) (i)). */
static int
point_read(struct subject *s, struct buf point)
{
	struct buf field, names, issuer = { 0 };
	bool named = false;
	uint8_t tag, kind;

	while (buf_left(&point) > 0) {
		if (der_get(&point, &tag, &field) < 0)
			return -EBADMSG;
		if (tag == 0xa0) {
			named = true;
			if (der_get(&field, &kind, &names) < 0 || buf_left(&field) != 0)
				return -EBADMSG;
			/* A name relative to the issuer's is compared with nothing. */
			if (kind == 0xa1)
				s->more_points = 1;
			else if (kind != 0xa0 || points_add(s, names) < 0)
				return -EBADMSG;
		} else if (tag == 0xa2) {
			issuer = field;
		}
	}
	return named ? 0 : points_add(s, issuer);
}

static int
points_read(struct subject *s, struct buf value)
{
	struct buf seq, point;

	if (der_expect(&value, DER_SEQUENCE, &seq) < 0 || buf_left(&value) != 0)
		return -EBADMSG;
	while (buf_left(&seq) > 0)
		if (der_expect(&seq, DER_SEQUENCE, &point) < 0 || point_read(s, point) < 0)
			return -EBADMSG;
	return 0;
}

static int
constraints_read(struct subject *s, struct buf value)
{
	struct buf seq, flag;
	uint8_t ca = 0;

	if (der_expect(&value, DER_SEQUENCE, &seq) < 0)
		return -EBADMSG;
	if (der_next(&seq) == DER_BOOLEAN &&
	    (der_expect(&seq, DER_BOOLEAN, &flag) < 0 || buf_get_u8(&flag, &ca) < 0))
		return -EBADMSG;
	if (ca != 0)
		s->flags |= SUBJECT_ISSUES;
	return 0;
}

static int
extensions_read(struct subject *s, struct buf outer)
{
	struct buf seq, ext, oid, value, flag;
	int rc = 0;

	if (der_expect(&outer, DER_SEQUENCE, &seq) < 0 || buf_left(&outer) != 0)
		return -EBADMSG;
	while (buf_left(&seq) > 0 && rc == 0) {
		if (der_expect(&seq, DER_SEQUENCE, &ext) < 0 || der_expect(&ext, DER_OID, &oid) < 0)
			return -EBADMSG;
		if (der_next(&ext) == DER_BOOLEAN && der_expect(&ext, DER_BOOLEAN, &flag) < 0)
			return -EBADMSG;
		if (der_expect(&ext, DER_OCTETS, &value) < 0 || buf_left(&ext) != 0)
			return -EBADMSG;
		if (der_equals(&oid, OID_BASIC_CONSTRAINTS, 3))
			rc = constraints_read(s, value);
		else if (der_equals(&oid, OID_CRL_POINTS, 3))
			rc = points_read(s, value);
	}
	return rc;
}

static int
validity_read(struct subject *s, struct buf validity)
{
	struct buf time;
	int64_t *out[2] = { &s->not_before, &s->not_after };
	uint8_t tag;
	int i;

	for (i = 0; i < 2; i++)
		if (der_get(&validity, &tag, &time) < 0 ||
		    der_time(tag, time.data + time.pos, buf_left(&time), out[i]) < 0)
			return -EBADMSG;
	return 0;
}

static int
tbs_read(struct subject *s, struct buf tbs)
{
	struct buf part, validity;
	const uint8_t *key;
	uint8_t digest[SHA256_DIGEST_LENGTH], tag;

	if (der_next(&tbs) == 0xa0 && der_expect(&tbs, 0xa0, &part) < 0)
		return -EBADMSG;
	if (der_expect(&tbs, DER_INTEGER, &part) < 0 || der_expect(&tbs, DER_SEQUENCE, &part) < 0 ||
	    der_expect(&tbs, DER_SEQUENCE, &part) < 0 || der_expect(&tbs, DER_SEQUENCE, &validity) < 0 ||
	    der_expect(&tbs, DER_SEQUENCE, &part) < 0 || validity_read(s, validity) < 0)
		return -EBADMSG;
	key = tbs.data + tbs.pos;
	if (der_expect(&tbs, DER_SEQUENCE, &part) < 0)
		return -EBADMSG;
	SHA256(key, (size_t)(tbs.data + tbs.pos - key), digest);
	memcpy(s->key, digest, sizeof(s->key));
	while (buf_left(&tbs) > 0) {
		if (der_get(&tbs, &tag, &part) < 0)
			return -EBADMSG;
		if (tag == 0xa3)
			return extensions_read(s, part);
	}
	return 0;
}

int
subject_read(struct subject *s, const uint8_t *der, size_t len)
{
	struct buf all, certificate, tbs;
	struct subject got = *s;

	buf_init(&all, der, len);
	if (der_expect(&all, DER_SEQUENCE, &certificate) < 0 || buf_left(&all) != 0 ||
	    der_expect(&certificate, DER_SEQUENCE, &tbs) < 0 || tbs_read(&got, tbs) < 0)
		return -EBADMSG;
	got.flags |= SUBJECT_KNOWN;
	*s = got;
	return 0;
}
