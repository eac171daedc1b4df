/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ocsp_parts.h -- an OCSP response taken apart, for ocsp.c and ocsp_parse.c only. */
#ifndef CORDON_PKI_OCSP_PARTS_H
#define CORDON_PKI_OCSP_PARTS_H

#include "common/buf.h"
#include "pki/ocsp.h"
#include "pki/sigalg.h"

#define OCSP_HASH_MAX 32

/* Of its subject name, and of its key without the AlgorithmIdentifier (RFC 6960
 * 4.1.1). 0 or -EBADMSG or -ENOMEM. */
size_t ocsp_hash_len(enum ocsp_hash);
int ocsp_name_hash(X509 *, enum ocsp_hash, uint8_t out[OCSP_HASH_MAX]);
int ocsp_key_hash(X509 *, enum ocsp_hash, uint8_t out[OCSP_HASH_MAX]);

/* The number itself: step over leading zeros. */
void ocsp_magnitude(const uint8_t **p, size_t *n);

/* One that is signed, its parts lying in the bytes that came. */
struct ocsp_response {
	const uint8_t *tbs;		/* ResponseData, whole: what is signed */
	size_t tbs_len;
	struct sigalg alg;
	const uint8_t *signature;
	size_t signature_len;
	uint8_t responder_tag;		/* 0xa1: by name, whole; 0xa2: by SHA-1 of its key */
	struct buf responder;
	int64_t produced_at;
	struct buf singles;		/* SingleResponses, counted */
	bool has_nonce;
	struct buf nonce;
	struct buf certificates;	/* counted, none parsed */
};

struct ocsp_single {
	enum ocsp_hash hash;
	bool hash_known;		/* otherwise it is about nobody we can know */
	struct buf name_hash, key_hash, serial;
	enum ocsp_status status;
	uint32_t reason;
	int64_t revoked_at;
	int64_t this_update;
	int64_t next_update;		/* 0: none */
};

/* RFC 6960 4.2.1, in strict DER. E_NONE; E_FETCH with the status in *detail when the
 * responder gives no answer; E_TOO_BIG, E_DER, E_CRITICAL, E_WEAK, E_SIGALG ... */
enum source_error ocsp_response_parse(const uint8_t *bytes, size_t len, bool allow_sha1,
    struct ocsp_response *, uint32_t *detail, const char **why);

/* The next of response.singles; E_NONE, E_DER or E_CRITICAL. */
enum source_error ocsp_single_parse(struct buf *singles, struct ocsp_single *, const char **why);

#endif
