/* SPDX-License-Identifier: GPL-2.0-or-later */
/* subject_read.c -- a device's certificate (RFC 5280 4.1) as far as CRLs and keys
 * concern it. Fleets have a hundred thousand of them, so they are read without
 * decoding keys or names; signatures were verified when the policy was compiled. */
#include <errno.h>
#include <openssl/sha.h>
#include <string.h>

#include "pki/authority_parts.h"
#include "pki/der.h"
#include "pki/point.h"

#define OID_BASIC_CONSTRAINTS "\x55\x1d\x13"
#define OID_CRL_POINTS	      "\x55\x1d\x1f"

static void
point_add(struct subject *s, uint64_t hash)
{
	if (s->n_points == SUBJECT_POINTS)
		s->more_points = 1;
	else
		s->points[s->n_points++] = hash;
}

/* Hashes of these GeneralNames, each mixed with whose CRLs are meant. */
static int
points_add(struct subject *s, struct buf names, uint64_t issuer)
{
	struct buf name;
	const uint8_t *start;
	uint8_t tag;

	while (buf_left(&names) > 0) {
		start = names.data + names.pos;
		if (der_get(&names, &tag, &name) < 0)
			return -EBADMSG;
		point_add(s, crl_point_hash(start, (size_t)(names.data + names.pos - start)) ^ issuer);
	}
	return 0;
}

/* The first directoryName of a cRLIssuer; false without one. */
static bool
crl_issuer(struct buf names, struct buf *out)
{
	uint8_t tag;

	while (der_get(&names, &tag, out) == 0)
		if (tag == 0xa4)
			return true;
	return false;
}

struct point {
	struct buf names, issuer;	/* cRLIssuer's GeneralNames */
	uint8_t kind;			/* 0xa0: fullName, 0xa1: relative; 0: no name */
	bool has_issuer;
};

static int
point_parse(struct buf seq, struct point *p)
{
	struct buf field;
	uint8_t tag;

	while (buf_left(&seq) > 0) {
		if (der_get(&seq, &tag, &field) < 0)
			return -EBADMSG;
		if (tag == 0xa0 && (der_get(&field, &p->kind, &p->names) < 0 || buf_left(&field) != 0 ||
			(p->kind != 0xa0 && p->kind != 0xa1)))
			return -EBADMSG;
		if (tag == 0xa2) {
			p->issuer = field;
			p->has_issuer = true;
		}
	}
	return 0;
}

/* DistributionPoint. With cRLIssuer it means that one's CRLs and no others, and
 * without any name of its own that one's name (RFC 5280 6.3.3 (b)). */
static int
point_read(struct subject *s, struct buf seq, struct buf issuer)
{
	struct point p = { .kind = 0 };
	uint64_t whose = 0, hash;

	if (point_parse(seq, &p) < 0)
		return -EBADMSG;
	if (p.has_issuer && crl_issuer(p.issuer, &issuer))
		whose = point_issuer_hash(issuer.data + issuer.pos, buf_left(&issuer));
	if (p.kind == 0)
		return points_add(s, p.issuer, whose);
	if (p.kind == 0xa0)
		return points_add(s, p.names, whose);
	if (point_relative(issuer.data + issuer.pos, buf_left(&issuer), p.names, &hash) == 0)
		point_add(s, hash ^ whose);
	else
		s->more_points = 1;
	return 0;
}

static int
points_read(struct subject *s, struct buf value, struct buf issuer)
{
	struct buf seq, point;

	if (der_expect(&value, DER_SEQUENCE, &seq) < 0 || buf_left(&value) != 0)
		return -EBADMSG;
	while (buf_left(&seq) > 0)
		if (der_expect(&seq, DER_SEQUENCE, &point) < 0 || point_read(s, point, issuer) < 0)
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
extensions_read(struct subject *s, struct buf outer, struct buf issuer)
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
			rc = points_read(s, value, issuer);
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
	struct buf part, validity, issuer;
	const uint8_t *key, *start;
	uint8_t digest[SHA256_DIGEST_LENGTH], tag;

	if (der_next(&tbs) == 0xa0 && der_expect(&tbs, 0xa0, &part) < 0)
		return -EBADMSG;
	if (der_expect(&tbs, DER_INTEGER, &part) < 0 || der_expect(&tbs, DER_SEQUENCE, &part) < 0)
		return -EBADMSG;
	start = tbs.data + tbs.pos;
	if (der_expect(&tbs, DER_SEQUENCE, &part) < 0)
		return -EBADMSG;
	buf_init(&issuer, start, (size_t)(tbs.data + tbs.pos - start));
	if (der_expect(&tbs, DER_SEQUENCE, &validity) < 0 || der_expect(&tbs, DER_SEQUENCE, &part) < 0 ||
	    validity_read(s, validity) < 0)
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
			return extensions_read(s, part, issuer);
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
