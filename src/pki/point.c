/* SPDX-License-Identifier: GPL-2.0-or-later */
/* point.c -- relative names of distribution points become whole ones. Only reads
 * what a strict reader has passed. */
#include <errno.h>
#include <string.h>

#include "pki/der.h"
#include "pki/point.h"

#define OID_CRL_SCOPE "\x55\x1d\x1c"

struct name {
	uint8_t bytes[POINT_NAME_MAX];
	size_t n;
};

/* Put a header before what stands in it. */
static int
wrap(struct name *out, uint8_t tag)
{
	uint8_t head[4] = { tag };
	size_t n = 2;

	if (out->n < 0x80) {
		head[1] = (uint8_t)out->n;
	} else if (out->n < 0x100) {
		head[1] = 0x81;
		head[n++] = (uint8_t)out->n;
	} else {
		head[1] = 0x82;
		head[n++] = (uint8_t)(out->n >> 8);
		head[n++] = (uint8_t)out->n;
	}
	if (out->n + n > sizeof(out->bytes))
		return -E2BIG;
	memmove(out->bytes + n, out->bytes, out->n);
	memcpy(out->bytes, head, n);
	out->n += n;
	return 0;
}

int
point_relative(const uint8_t *issuer, size_t len, struct buf rdn, uint64_t *out)
{
	struct name name = { .n = 0 };
	struct buf all, rdns;
	uint8_t before[POINT_NAME_MAX];
	size_t n;

	buf_init(&all, issuer, len);
	if (der_expect(&all, DER_SEQUENCE, &rdns) < 0 || buf_left(&all) != 0)
		return -EBADMSG;
	n = buf_left(&rdns);
	name.n = buf_left(&rdn);
	if (n > sizeof(before) || name.n > sizeof(name.bytes) || buf_get_bytes(&rdns, before, n) < 0 ||
	    buf_get_bytes(&rdn, name.bytes, name.n) < 0 || wrap(&name, DER_SET) < 0 ||
	    name.n + n > sizeof(name.bytes))
		return -E2BIG;
	memmove(name.bytes + n, name.bytes, name.n);
	memcpy(name.bytes, before, n);
	name.n += n;
	if (wrap(&name, DER_SEQUENCE) < 0 || wrap(&name, 0xa4) < 0)
		return -E2BIG;
	*out = crl_point_hash(name.bytes, name.n);
	return 0;
}

uint64_t
point_issuer_hash(const uint8_t *name, size_t len)
{
	return crl_point_hash(name, len);
}

/* The content of nameRelativeToCRLIssuer of an issuingDistributionPoint. */
static bool
relative_of(struct buf value, struct buf *rdn)
{
	struct buf seq, point;

	return der_expect(&value, DER_SEQUENCE, &seq) == 0 && der_expect(&seq, 0xa0, &point) == 0 &&
	    der_expect(&point, 0xa1, rdn) == 0;
}

void
point_of_crl(const uint8_t *exts, size_t n, const uint8_t *issuer, size_t issuer_len, struct crl_verdict *v)
{
	struct buf b, outer, seq, ext, oid, flag, value, rdn;
	uint64_t hash;

	if ((v->scope & CRL_SCOPE_POINT) == 0 || v->n_points != 0)
		return;
	buf_init(&b, exts, n);
	if (der_expect(&b, 0xa0, &outer) < 0 || der_expect(&outer, DER_SEQUENCE, &seq) < 0)
		return;
	while (der_expect(&seq, DER_SEQUENCE, &ext) == 0 && der_expect(&ext, DER_OID, &oid) == 0) {
		if (!der_equals(&oid, OID_CRL_SCOPE, 3))
			continue;
		if (der_next(&ext) == DER_BOOLEAN && der_expect(&ext, DER_BOOLEAN, &flag) < 0)
			return;
		if (der_expect(&ext, DER_OCTETS, &value) == 0 && relative_of(value, &rdn) &&
		    point_relative(issuer, issuer_len, rdn, &hash) == 0) {
			v->points[v->n_points++] = hash;
			v->more_points = false;
		}
		return;
	}
}
