/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ocsp_request.c -- a question about one certificate (RFC 6960 4.1), and how its
 * issuer is named in it. Must not sign or remember anything. */
#include <errno.h>
#include <string.h>

#include <openssl/evp.h>

#include "pki/der.h"
#include "pki/ocsp_parts.h"
#include "proto/limits.h"

/* ---- names and keys by hash --------------------------------------------- */

size_t
ocsp_hash_len(enum ocsp_hash hash)
{
	return hash == OCSP_BY_SHA1 ? 20 : 32;
}

static int
hash(enum ocsp_hash which, const uint8_t *p, size_t n, uint8_t out[OCSP_HASH_MAX])
{
	unsigned len = 0;

	if (EVP_Digest(p, n, out, &len, which == OCSP_BY_SHA1 ? EVP_sha1() : EVP_sha256(), NULL) != 1 ||
	    len != ocsp_hash_len(which))
		return -ENOMEM;
	return 0;
}

int
ocsp_name_hash(X509 *x, enum ocsp_hash which, uint8_t out[OCSP_HASH_MAX])
{
	const uint8_t *der;
	size_t n;

	if (X509_NAME_get0_der(X509_get_subject_name(x), &der, &n) != 1)
		return -EBADMSG;
	return hash(which, der, n, out);
}

int
ocsp_key_hash(X509 *x, enum ocsp_hash which, uint8_t out[OCSP_HASH_MAX])
{
	const ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(x);

	if (key == NULL)
		return -EBADMSG;
	return hash(which, ASN1_STRING_get0_data(key), (size_t)ASN1_STRING_length(key), out);
}

/* ---- the request -------------------------------------------------------- */

/* Written from the end to the front, so that lengths are known when they come. */
struct back {
	uint8_t *p;
	size_t at;		/* octets still free */
	bool full;
};

static void
back_put(struct back *b, const void *p, size_t n)
{
	if (n > b->at) {
		b->full = true;
		return;
	}
	b->at -= n;
	memcpy(b->p + b->at, p, n);
}

/* A header for all that was written since `end` octets were free. */
static void
back_wrap(struct back *b, uint8_t tag, size_t end)
{
	size_t n = end - b->at;
	uint8_t head[4] = { tag, (uint8_t)n };

	if (n >= 0x100) {
		head[1] = 0x82;
		head[2] = (uint8_t)(n >> 8);
		head[3] = (uint8_t)n;
		back_put(b, head, 4);
	} else if (n >= 0x80) {
		head[1] = 0x81;
		head[2] = (uint8_t)n;
		back_put(b, head, 3);
	} else {
		back_put(b, head, 2);
	}
}

static void
back_element(struct back *b, uint8_t tag, const void *p, size_t n)
{
	size_t end = b->at;

	back_put(b, p, n);
	back_wrap(b, tag, end);
}

static void
put_nonce(struct back *b, const struct ocsp_question *q)
{
	size_t end = b->at;

	back_element(b, DER_OCTETS, q->nonce, q->nonce_len);
	back_wrap(b, DER_OCTETS, end);
	back_element(b, DER_OID, "\x2b\x06\x01\x05\x05\x07\x30\x01\x02", 9);
	back_wrap(b, DER_SEQUENCE, end);	/* Extension */
	back_wrap(b, DER_SEQUENCE, end);
	back_wrap(b, 0xa2, end);		/* requestExtensions */
}

static void
put_cert_id(struct back *b, enum ocsp_hash which, const uint8_t *name, const uint8_t *key,
    const uint8_t *serial, size_t serial_len)
{
	size_t end = b->at, alg;

	back_put(b, serial, serial_len);
	if ((serial[0] & 0x80) != 0)
		back_put(b, "", 1);
	back_wrap(b, DER_INTEGER, end);
	back_element(b, DER_OCTETS, key, ocsp_hash_len(which));
	back_element(b, DER_OCTETS, name, ocsp_hash_len(which));
	alg = b->at;
	back_element(b, DER_NULL, "", 0);
	if (which == OCSP_BY_SHA1)
		back_element(b, DER_OID, "\x2b\x0e\x03\x02\x1a", 5);
	else
		back_element(b, DER_OID, "\x60\x86\x48\x01\x65\x03\x04\x02\x01", 9);
	back_wrap(b, DER_SEQUENCE, alg);
	back_wrap(b, DER_SEQUENCE, end);	/* CertID */
	back_wrap(b, DER_SEQUENCE, end);	/* Request */
	back_wrap(b, DER_SEQUENCE, end);	/* requestList */
}

void
ocsp_magnitude(const uint8_t **p, size_t *n)
{
	while (*n > 1 && **p == 0) {
		(*p)++;
		(*n)--;
	}
}

int
ocsp_request_make(const struct ocsp_question *q, size_t issuer, enum ocsp_hash which, uint8_t *out,
    size_t room, size_t *len)
{
	uint8_t bytes[LIMIT_OCSP_REQUEST], name[OCSP_HASH_MAX], key[OCSP_HASH_MAX];
	struct back b = { .p = bytes, .at = sizeof(bytes) };
	const uint8_t *serial = q->serial;
	size_t serial_len = q->serial_len;

	if (issuer >= q->n_issuers || serial_len == 0 ||
	    (q->nonce != NULL && (q->nonce_len == 0 || q->nonce_len > OCSP_NONCE_MAX)))
		return -EINVAL;
	ocsp_magnitude(&serial, &serial_len);
	if (serial_len > OCSP_SERIAL_MAX || ocsp_name_hash(q->issuers[issuer], which, name) < 0 ||
	    ocsp_key_hash(q->issuers[issuer], which, key) < 0)
		return -EINVAL;
	if (q->nonce != NULL)
		put_nonce(&b, q);
	put_cert_id(&b, which, name, key, serial, serial_len);
	back_wrap(&b, DER_SEQUENCE, sizeof(bytes));	/* TBSRequest */
	back_wrap(&b, DER_SEQUENCE, sizeof(bytes));	/* OCSPRequest */
	if (b.full || sizeof(bytes) - b.at > room)
		return -ENOSPC;
	*len = sizeof(bytes) - b.at;
	memcpy(out, bytes + b.at, *len);
	return 0;
}
