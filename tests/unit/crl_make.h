/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crl_make.h -- CRLs for tests and measurements, right or wrong in any chosen
 * place, signed for real. Written byte by byte: what is tested must not also
 * make the test. Aborts without memory. */
#ifndef CORDON_TESTS_CRL_MAKE_H
#define CORDON_TESTS_CRL_MAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "pki/crl_scan.h"

struct bytes {
	uint8_t *p;
	size_t n;
	size_t room;
};

void bytes_add(struct bytes *, const void *, size_t);
void bytes_octet(struct bytes *, uint8_t);
/* An element with this content. */
void bytes_element(struct bytes *, uint8_t tag, const void *content, size_t n);
void bytes_free(struct bytes *);

/* AlgorithmIdentifiers, whole; "rsa-sha256", "ecdsa-sha256", "pss-sha256",
 * "ed25519", "rsa-sha1", ... */
void make_alg(struct bytes *, const char *name);

/* A Name of organisation and common name as UTF8String (0x0c) or another tag. */
void make_name(struct bytes *, uint8_t tag, const char *organisation, const char *common);

/* One entry; reason -1: no extension. date: 13 characters. */
void make_entry(struct bytes *, const uint8_t *serial, size_t n, const char *date, int reason);
/* The same with these Extension elements. */
void make_entry_with(struct bytes *, const uint8_t *serial, size_t n, const char *date, const struct bytes *exts);

/* One Extension. */
void make_extension(struct bytes *, const char *oid, size_t oid_len, bool critical, const void *value, size_t n);
#define EXTENSION(out, oid, critical, value, n) \
	make_extension(out, oid, sizeof(oid) - 1, critical, value, n)
void make_crl_number(struct bytes *, const uint8_t *number, size_t n);

#define OID_AKI	    "\x55\x1d\x23"
#define OID_NUMBER  "\x55\x1d\x14"
#define OID_DELTA   "\x55\x1d\x1b"
#define OID_IDP	    "\x55\x1d\x1c"
#define OID_REASON  "\x55\x1d\x15"
#define OID_ISSUER  "\x55\x1d\x1d"
#define OID_UNKNOWN "\x2a\x03\x04"

/* What a CRL is made of. Zeroed: version 2, UTCTime 2026, no list. */
struct make {
	EVP_PKEY *key;
	const char *alg;	/* of make_alg; the hash is taken from it */
	const char *outer_alg;	/* NULL: the same */
	const struct bytes *name;
	bool version1;
	const char *this_update;	/* 13 or 15 characters */
	const char *next_update;	/* "": none */
	const struct bytes *entries;	/* NULL: no list; empty: an empty one */
	const struct bytes *extensions;	/* NULL or empty: none */
	bool no_number;		/* otherwise number 1 is added to the extensions */
};

void make_crl(const struct make *, struct bytes *out);
void make_pem(const struct bytes *der, struct bytes *out);

/* A scan for the authority whose name the first signer has. */
struct crl_scan *make_scan(const struct inventory *, const struct crl_signer *, size_t n_signers,
    uint64_t max_size);

/* Keys: "P-256", "P-384", "rsa:2048", "rsa:1024", "ED25519". */
EVP_PKEY *make_key(const char *kind);

/* A self-signed certificate in DER. usage: 0 none, else KU_* bits of OpenSSL. */
void make_certificate(EVP_PKEY *, const struct bytes *name, unsigned usage, struct bytes *out);

#endif
