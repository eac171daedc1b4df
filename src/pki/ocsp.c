/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ocsp.c -- what an answer is worth: whether it is about that certificate, who signed
 * it, and when. Must not remember anything. */
#include <errno.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "pki/der.h"
#include "pki/name.h"
#include "pki/ocsp_parts.h"
#include "proto/limits.h"

/* ---- is it about that certificate? -------------------------------------- */

static bool
serial_is(const struct buf *is, const struct ocsp_question *q)
{
	const uint8_t *a = is->data + is->pos, *b = q->serial;
	size_t a_len = buf_left(is), b_len = q->serial_len;

	ocsp_magnitude(&a, &a_len);
	ocsp_magnitude(&b, &b_len);
	return b_len > 0 && a_len == b_len && memcmp(a, b, a_len) == 0;
}

/* Which of the issuers it names, or -ENOENT. */
static int
issuer_of(const struct ocsp_single *s, const struct ocsp_question *q)
{
	uint8_t name[OCSP_HASH_MAX], key[OCSP_HASH_MAX];
	size_t i, n = ocsp_hash_len(s->hash);

	for (i = 0; s->hash_known && i < q->n_issuers; i++)
		if (ocsp_name_hash(q->issuers[i], s->hash, name) == 0 &&
		    ocsp_key_hash(q->issuers[i], s->hash, key) == 0 && der_equals(&s->name_hash, name, n) &&
		    der_equals(&s->key_hash, key, n))
			return (int)i;
	return -ENOENT;
}

/* Of several that speak about it the one that says the worst. */
static enum source_error
find_single(const struct ocsp_response *r, const struct ocsp_question *q, struct ocsp_single *out,
    int *issuer, const char **why)
{
	static const uint8_t rank[] = { [OCSP_GOOD] = 1, [OCSP_UNKNOWN] = 2, [OCSP_REVOKED] = 3 };
	struct buf singles = r->singles;
	struct ocsp_single s;
	enum source_error error;
	int which;

	memset(out, 0, sizeof(*out));
	while (buf_left(&singles) > 0) {
		if ((error = ocsp_single_parse(&singles, &s, why)) != E_NONE)
			return error;
		if (!serial_is(&s.serial, q) || (which = issuer_of(&s, q)) < 0 ||
		    rank[s.status] <= rank[out->status])
			continue;
		*out = s;
		*issuer = which;
	}
	if (out->status != OCSP_NO_ANSWER)
		return E_NONE;
	*why = "RFC 6960 3.2: an answer about another certificate";
	return E_SCOPE;
}

/* ---- who signed it? ----------------------------------------------------- */

/* RFC 6960 3.2 item 3: the responderID is the signer's. */
static bool
responder_is(const struct ocsp_response *r, X509 *x)
{
	uint8_t key[OCSP_HASH_MAX];
	const uint8_t *der;
	size_t n;

	if (r->responder_tag == 0xa2)
		return ocsp_key_hash(x, OCSP_BY_SHA1, key) == 0 && der_equals(&r->responder, key, 20);
	return X509_NAME_get0_der(X509_get_subject_name(x), &der, &n) == 1 &&
	    name_equal(der, n, r->responder.data + r->responder.pos, buf_left(&r->responder));
}

static enum source_error
signed_by(const struct ocsp_response *r, X509 *x, const char **why)
{
	EVP_PKEY *key = X509_get0_pubkey(x);
	enum source_error error;

	*why = "the responder's key cannot be used";
	if (key == NULL)
		return E_SIGALG;
	if ((error = sigalg_key_fits(&r->alg, key, why)) != E_NONE)
		return error;
	*why = "the signature is not the responder's";
	return sigalg_verify_message(&r->alg, key, r->tbs, r->tbs_len, r->signature, r->signature_len);
}

static bool
valid_at(X509 *x, int64_t now, int64_t skew)
{
	const ASN1_TIME *from = X509_get0_notBefore(x), *to = X509_get0_notAfter(x);
	int64_t begin, end;

	if (der_time((uint8_t)ASN1_STRING_type(from), ASN1_STRING_get0_data(from),
		(size_t)ASN1_STRING_length(from), &begin) < 0 ||
	    der_time((uint8_t)ASN1_STRING_type(to), ASN1_STRING_get0_data(to),
		(size_t)ASN1_STRING_length(to), &end) < 0)
		return false;
	return begin - skew <= now && now <= end;
}

/* Did that CA sign this certificate, with an algorithm that counts? */
static enum source_error
issued_by(X509 *x, X509 *ca, bool allow_sha1, const char **why)
{
	const X509_ALGOR *alg = X509_get0_tbs_sigalg(x);
	EVP_PKEY *key = X509_get0_pubkey(ca);
	enum source_error error;
	struct buf all, content;
	struct sigalg parsed;
	uint8_t *der = NULL;
	int n;

	*why = "RFC 6960 4.2.2.2: the responder's certificate is not the CA's";
	if (key == NULL || X509_NAME_cmp(X509_get_issuer_name(x), X509_get_subject_name(ca)) != 0 ||
	    (n = i2d_X509_ALGOR(alg, &der)) <= 0)
		return E_SIGNER;
	buf_init(&all, der, (size_t)n);
	error = der_expect(&all, DER_SEQUENCE, &content) < 0 ? E_DER :
							       sigalg_parse(content, allow_sha1, &parsed, why);
	OPENSSL_free(der);
	if (error != E_NONE || (error = sigalg_key_fits(&parsed, key, why)) != E_NONE)
		return error;
	*why = "RFC 6960 4.2.2.2: the responder's certificate is not the CA's";
	return X509_verify(x, key) == 1 ? E_NONE : E_SIGNER;
}

/* RFC 6960 4.2.2.2: a certificate for just this, from the very CA. */
static enum source_error
delegated(X509 *x, X509 *ca, const struct ocsp_question *q, const struct ocsp_policy *p, const char **why)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(x);
	uint32_t flags = X509_get_extension_flags(x);
	enum source_error error;

	if ((error = issued_by(x, ca, q->allow_sha1, why)) != E_NONE)
		return error;
	*why = "RFC 6960 4.2.2.2: the responder's certificate is not for signing OCSP answers";
	if ((flags & (EXFLAG_INVALID | EXFLAG_CRITICAL)) != 0 || (flags & EXFLAG_XKUSAGE) == 0 ||
	    (X509_get_extended_key_usage(x) & XKU_OCSP_SIGN) == 0 ||
	    (X509_get_key_usage(x) & KU_DIGITAL_SIGNATURE) == 0)
		return E_SIGNER;
	if (!valid_at(x, p->now.wall_ms, p->skew_ms)) {
		*why = "the responder's certificate is not valid today";
		return E_SIGNER_EXPIRED;
	}
	if (p->revoked != NULL &&
	    p->revoked(p->arg, ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial))) {
		*why = "the responder's certificate is revoked";
		return E_SIGNER_REVOKED;
	}
	return E_NONE;
}

/* Among the certificates that came with the answer; *error stays when none of
 * them is the one that it names. */
static void
verify_delegated(const struct ocsp_response *r, X509 *ca, const struct ocsp_question *q,
    const struct ocsp_policy *p, enum source_error *error, const char **why)
{
	struct buf certs = r->certificates, content;
	const uint8_t *der, *end;
	X509 *x;

	while (*error != E_NONE && buf_left(&certs) > 0) {
		der = certs.data + certs.pos;
		if (der_expect(&certs, DER_SEQUENCE, &content) < 0)
			return;
		end = certs.data + certs.pos;
		if ((x = d2i_X509(NULL, &der, end - der)) == NULL)
			continue;
		if (der == end && responder_is(r, x)) {
			*error = delegated(x, ca, q, p, why);
			if (*error == E_NONE)
				*error = signed_by(r, x, why);
		}
		X509_free(x);
	}
}

/* RFC 6960 4.2.2.2: the CA itself, one whom the administrator trusts, or one whom
 * the CA let sign. By what the answer says of its signer there is but one. */
static enum source_error
verify(const struct ocsp_response *r, X509 *ca, const struct ocsp_question *q, const struct ocsp_policy *p,
    const char **why)
{
	enum source_error error = E_SIGNER;
	size_t i;

	*why = "RFC 6960 4.2.2.2: signed by nobody who may";
	if (responder_is(r, ca))
		error = signed_by(r, ca, why);
	for (i = 0; i < q->n_responders && error != E_NONE; i++)
		if (responder_is(r, q->responders[i]))
			error = signed_by(r, q->responders[i], why);
	if (error != E_NONE)
		verify_delegated(r, ca, q, p, &error, why);
	return error;
}

/* ---- when? -------------------------------------------------------------- */

/* E_NONE, or why the answer proves nothing good today. */
static enum source_error
timely(const struct ocsp_answer *a, const struct ocsp_policy *p, const char **why)
{
	int64_t now = p->now.wall_ms;

	if (p->need_nonce && !a->nonce) {
		*why = "RFC 9654: no nonce came back, and one is needed";
		return E_ROLLBACK;
	}
	if (a->this_update > now + p->skew_ms || a->produced_at > now + p->skew_ms) {
		*why = "RFC 6960 4.2.2.1: the answer is not yet valid";
		return E_FUTURE;
	}
	if (a->next_update != 0 && now > a->next_update + p->skew_ms) {
		*why = "RFC 6960 4.2.2.1: newer answers are due since nextUpdate";
		return E_ROLLBACK;
	}
	/* Whoever signs in advance can be quoted for days: without our nonce only young ones count. */
	if ((!a->nonce || a->next_update == 0) && now - a->this_update > p->max_age_ms + p->skew_ms) {
		*why = "older than an answer may be without nonce or nextUpdate";
		return E_ROLLBACK;
	}
	return E_NONE;
}

static int64_t
counts_until(const struct ocsp_answer *a, const struct ocsp_policy *p)
{
	int64_t aged = a->this_update + p->max_age_ms;

	if (a->next_update == 0)
		return aged;
	return a->nonce || a->next_update < aged ? a->next_update : aged;
}

/* ---- the whole ---------------------------------------------------------- */

static enum source_error
refuse_bytes(const uint8_t *bytes, size_t len, const char **why)
{
	if (len == 0) {
		*why = "no bytes";
		return E_EMPTY;
	}
	if (len > LIMIT_OCSP_RESPONSE) {
		*why = "larger than any answer";
		return E_TOO_BIG;
	}
	if (bytes[0] != DER_SEQUENCE) {
		*why = "not an OCSP response";
		return E_NOT_CRL;
	}
	return E_NONE;
}

static enum source_error
check(const uint8_t *bytes, size_t len, const struct ocsp_question *q, const struct ocsp_policy *p,
    struct ocsp_answer *out, struct ocsp_single *s)
{
	struct ocsp_response r;
	enum source_error error;
	int issuer = 0;

	if ((error = refuse_bytes(bytes, len, &out->why)) != E_NONE ||
	    (error = ocsp_response_parse(bytes, len, q->allow_sha1, &r, &out->detail, &out->why)) != E_NONE ||
	    (error = find_single(&r, q, s, &issuer, &out->why)) != E_NONE ||
	    (error = verify(&r, q->issuers[issuer], q, p, &out->why)) != E_NONE)
		return error;
	/* What came back is ours, or it is an answer to somebody else. */
	if (r.has_nonce && q->nonce != NULL && !der_equals(&r.nonce, q->nonce, q->nonce_len)) {
		out->why = "RFC 9654: the nonce is another one's";
		return E_ROLLBACK;
	}
	out->nonce = r.has_nonce && q->nonce != NULL;
	out->produced_at = r.produced_at;
	return E_NONE;
}

void
ocsp_response_check(const uint8_t *bytes, size_t len, const struct ocsp_question *q,
    const struct ocsp_policy *p, struct ocsp_answer *out)
{
	struct ocsp_single s = { 0 };

	memset(out, 0, sizeof(*out));
	if ((out->error = check(bytes, len, q, p, out, &s)) != E_NONE)
		return;
	out->this_update = s.this_update;
	out->next_update = s.next_update;
	out->error = timely(out, p, &out->why);
	if (out->error != E_NONE && s.status != OCSP_REVOKED)
		return;
	out->late = out->error != E_NONE;
	if (!out->late)
		out->why = NULL;
	out->status = s.status;
	out->until = out->late ? 0 : counts_until(out, p);
	if (s.status == OCSP_REVOKED) {
		out->reason = s.reason;
		out->revoked_at = s.revoked_at;
	}
}
