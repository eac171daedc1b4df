/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sigalg.h -- which signature algorithms count, and with which keys. */
#ifndef CORDON_PKI_SIGALG_H
#define CORDON_PKI_SIGALG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "common/buf.h"
#include "proto/messages.h"

enum sigalg_kind { SIGALG_RSA, SIGALG_RSA_PSS, SIGALG_ECDSA, SIGALG_ED25519, SIGALG_ED448 };
enum sigalg_hash { SIGALG_SHA256, SIGALG_SHA384, SIGALG_SHA512, SIGALG_SHA1, SIGALG_HASHES };

struct sigalg {
	enum sigalg_kind kind;
	enum sigalg_hash hash;	/* Ed25519, Ed448: SHA-512, to know the message by; the signature takes all of it */
	int salt_len;		/* RSA-PSS */
};

/* Read the content of an AlgorithmIdentifier. E_NONE; E_WEAK for MD5 and its like,
 * and for SHA-1 without leave; E_SIGALG for what we do not know; E_DER. */
enum source_error sigalg_parse(struct buf content, bool allow_sha1, struct sigalg *out, const char **why);

/* Ed25519 and Ed448 sign the message itself, not its digest. */
bool sigalg_takes_message(const struct sigalg *);

/* May this key make such signatures? RSA from 2048 bit, P-256, P-384, P-521, Ed25519, Ed448. */
enum source_error sigalg_key_fits(const struct sigalg *, EVP_PKEY *, const char **why);

/* Verify over the digest of the message, or over the message where that is what is signed. */
enum source_error sigalg_verify(const struct sigalg *, EVP_PKEY *, const uint8_t *digest, size_t digest_len,
    const uint8_t *sig, size_t sig_len);
enum source_error sigalg_verify_whole(EVP_PKEY *, const uint8_t *message, size_t len, const uint8_t *sig,
    size_t sig_len);

/* Over a message that is at hand, whatever the algorithm takes of it. */
enum source_error sigalg_verify_message(const struct sigalg *, EVP_PKEY *, const uint8_t *message, size_t len,
    const uint8_t *sig, size_t sig_len);

#endif
