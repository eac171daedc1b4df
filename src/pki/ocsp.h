/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ocsp.h -- one question about one certificate, and what an answer is worth
 * (RFC 6960, RFC 9654 for the nonce). Pure: no I/O, time is handed in. An answer
 * is an accelerator: it may revoke, and what it says of "good" lifts nothing that
 * a CRL said. Whatever is not a verified answer to this very question is none. */
#ifndef CORDON_PKI_OCSP_H
#define CORDON_PKI_OCSP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/x509.h>

#include "common/clock.h"
#include "proto/messages.h"

#define OCSP_SERIAL_MAX	  20
#define OCSP_NONCE_LEN	  32	/* what we send; RFC 9654 */
#define OCSP_NONCE_MAX	  128
#define OCSP_SINGLES_MAX  64	/* answers about other certificates beside ours */
#define OCSP_CERTS_MAX	  8	/* certificates that come with an answer */

/* Which hash the question names the issuer by. Many responders know SHA-1 only
 * (it identifies, it protects nothing); answers are taken with either. */
enum ocsp_hash { OCSP_BY_SHA1, OCSP_BY_SHA256 };

struct ocsp_question {
	X509 *const *issuers;	/* certificates of the CA: one, or several by roll-over; borrowed, as all here */
	size_t n_issuers;
	X509 *const *responders;	/* trusted by the administrator to answer for it */
	size_t n_responders;
	const uint8_t *serial;	/* big-endian; leading zeros do not count */
	size_t serial_len;
	const uint8_t *nonce;	/* that was sent, or NULL */
	size_t nonce_len;
	bool allow_sha1;	/* in signatures */
};

struct ocsp_policy {
	struct clock_view now;
	int64_t skew_ms;
	int64_t max_age_ms;	/* of an answer without our nonce, or without nextUpdate */
	bool need_nonce;
	/* Is the certificate of that serial, of this CA, revoked? Asked about a
	 * responder that the CA let sign. NULL: nobody knows. */
	bool (*revoked)(void *arg, const uint8_t *serial, size_t len);
	void *arg;
};

enum ocsp_status {
	OCSP_NO_ANSWER = 0,	/* error and why say why not */
	OCSP_GOOD,		/* not revoked; says nothing about whether it was ever issued */
	OCSP_REVOKED,
	OCSP_UNKNOWN,		/* the responder never heard of it */
};

struct ocsp_answer {
	enum ocsp_status status;
	uint32_t reason;	/* OCSP_REVOKED: RFC 5280 5.3.1, 0 without */
	int64_t revoked_at;
	int64_t this_update;
	int64_t next_update;	/* 0: none */
	int64_t produced_at;
	int64_t until;		/* counts until then by policy and nextUpdate; wall clock */
	bool nonce;		/* ours came back */
	bool late;		/* OCSP_REVOKED only: too old, not yet valid or without a needed nonce; it
				 * tightens all the same, as an expired CRL does */
	enum source_error error;	/* of OCSP_NO_ANSWER, or why it is late; E_FETCH: the responder gives none */
	uint32_t detail;	/* E_FETCH: OCSPResponseStatus (RFC 6960 4.2.1) */
	const char *why;	/* static text */
};

/* A request in DER, unsigned. issuer: index of the one that issued the certificate.
 * 0, -EINVAL when there is none or serial or nonce are empty or too long, -ENOSPC. LIMIT_OCSP_REQUEST is enough room for all. */
int ocsp_request_make(const struct ocsp_question *, size_t issuer, enum ocsp_hash, uint8_t *out, size_t room,
    size_t *len);

/* All bytes of what a responder sent. Always fills *out. Answers are refused
 * before they are looked at when they are larger than LIMIT_OCSP_RESPONSE or
 * speak about more than OCSP_SINGLES_MAX certificates. */
void ocsp_response_check(const uint8_t *bytes, size_t len, const struct ocsp_question *,
    const struct ocsp_policy *, struct ocsp_answer *out);

#endif
