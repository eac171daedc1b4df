/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sigalg.c -- one table of algorithms; what is not in it verifies nothing. */
#include <errno.h>
#include <string.h>

#include <openssl/rsa.h>

#include "pki/der.h"
#include "pki/sigalg.h"

#define OID(bytes) bytes, sizeof(bytes) - 1

enum params { PARAMS_NONE, PARAMS_NULL, PARAMS_PSS };

struct sigalg_row {
	const char *oid;
	size_t oid_len;
	enum source_error error;
	enum sigalg_kind kind;
	enum sigalg_hash hash;
	enum params params;
};

static const struct sigalg_row rows[] = {
	/* sha256, 384, 512 WithRSAEncryption */
	{ OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"), E_NONE, SIGALG_RSA, SIGALG_SHA256, PARAMS_NULL },
	{ OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c"), E_NONE, SIGALG_RSA, SIGALG_SHA384, PARAMS_NULL },
	{ OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d"), E_NONE, SIGALG_RSA, SIGALG_SHA512, PARAMS_NULL },
	/* RSASSA-PSS */
	{ OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"), E_NONE, SIGALG_RSA_PSS, SIGALG_SHA256, PARAMS_PSS },
	/* ecdsa-with-SHA256, 384, 512 */
	{ OID("\x2a\x86\x48\xce\x3d\x04\x03\x02"), E_NONE, SIGALG_ECDSA, SIGALG_SHA256, PARAMS_NONE },
	{ OID("\x2a\x86\x48\xce\x3d\x04\x03\x03"), E_NONE, SIGALG_ECDSA, SIGALG_SHA384, PARAMS_NONE },
	{ OID("\x2a\x86\x48\xce\x3d\x04\x03\x04"), E_NONE, SIGALG_ECDSA, SIGALG_SHA512, PARAMS_NONE },
	/* Ed25519, Ed448 */
	{ OID("\x2b\x65\x70"), E_NONE, SIGALG_ED25519, SIGALG_SHA512, PARAMS_NONE },
	{ OID("\x2b\x65\x71"), E_NONE, SIGALG_ED448, SIGALG_SHA512, PARAMS_NONE },
	/* sha1WithRSAEncryption, ecdsa-with-SHA1: with leave only */
	{ OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05"), E_NONE, SIGALG_RSA, SIGALG_SHA1, PARAMS_NULL },
	{ OID("\x2a\x86\x48\xce\x3d\x04\x01"), E_NONE, SIGALG_ECDSA, SIGALG_SHA1, PARAMS_NONE },
	/* md2, md5, sha224 WithRSAEncryption */
	{ OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x02"), E_WEAK, 0, 0, 0 },
	{ OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04"), E_WEAK, 0, 0, 0 },
	{ OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0e"), E_WEAK, 0, 0, 0 },
	/* ecdsa-with-SHA224 */
	{ OID("\x2a\x86\x48\xce\x3d\x04\x03\x01"), E_WEAK, 0, 0, 0 },
	/* dsa-with-sha1 */
	{ OID("\x2a\x86\x48\xce\x38\x04\x03"), E_WEAK, 0, 0, 0 },
};

static const struct {
	const char *oid;
	size_t oid_len;
	enum sigalg_hash hash;
} hashes[] = {
	{ OID("\x60\x86\x48\x01\x65\x03\x04\x02\x01"), SIGALG_SHA256 },
	{ OID("\x60\x86\x48\x01\x65\x03\x04\x02\x02"), SIGALG_SHA384 },
	{ OID("\x60\x86\x48\x01\x65\x03\x04\x02\x03"), SIGALG_SHA512 },
	{ OID("\x2b\x0e\x03\x02\x1a"), SIGALG_SHA1 },
};

static const char mgf1[] = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08";

/* Parameters that are NULL or absent; nothing may follow. */
static int
params_null(struct buf *b)
{
	struct buf null;

	if (buf_left(b) == 0)
		return 0;
	if (der_expect(b, DER_NULL, &null) < 0 || buf_left(&null) != 0 || buf_left(b) != 0)
		return -EBADMSG;
	return 0;
}

/* 0, -EBADMSG, or -ENOTSUP for a hash that is not in the table. */
static int
hash_parse(struct buf *in, enum sigalg_hash *out)
{
	struct buf alg, oid;
	size_t i;

	if (der_expect(in, DER_SEQUENCE, &alg) < 0 || der_expect(&alg, DER_OID, &oid) < 0 ||
	    params_null(&alg) < 0)
		return -EBADMSG;
	for (i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++)
		if (der_equals(&oid, hashes[i].oid, hashes[i].oid_len)) {
			*out = hashes[i].hash;
			return 0;
		}
	return -ENOTSUP;
}

/* One of the two hashes of RSASSA-PSS: [tag] around an AlgorithmIdentifier, for
 * mgf inside one of MGF1; SHA-1 when it is not there. 0, -EBADMSG or -ENOTSUP. */
static int
pss_hash(struct buf *seq, uint8_t tag, bool mgf, enum sigalg_hash *out)
{
	struct buf field, inner, oid;
	int rc;

	*out = SIGALG_SHA1;
	if (der_next(seq) != tag)
		return 0;
	if (der_expect(seq, tag, &field) < 0)
		return -EBADMSG;
	inner = field;
	if (mgf && (der_expect(&field, DER_SEQUENCE, &inner) < 0 || buf_left(&field) != 0 ||
		       der_expect(&inner, DER_OID, &oid) < 0))
		return -EBADMSG;
	if (mgf && !der_equals(&oid, mgf1, sizeof(mgf1) - 1))
		return -ENOTSUP;
	rc = hash_parse(&inner, out);
	return rc == 0 && buf_left(&inner) != 0 ? -EBADMSG : rc;
}

/* RFC 4055 3.1. */
static enum source_error
pss_parse(struct buf *b, struct sigalg *out, const char **why)
{
	struct buf seq, field, salt;
	enum sigalg_hash mgf_hash;
	uint8_t octets[2], n;
	int rc;

	*why = "RFC 4055 3.1: malformed RSASSA-PSS parameters";
	if (der_expect(b, DER_SEQUENCE, &seq) < 0 || buf_left(b) != 0 ||
	    (rc = pss_hash(&seq, 0xa0, false, &out->hash)) == -EBADMSG)
		return E_DER;
	if (rc == -ENOTSUP) {
		*why = "RSASSA-PSS with a weak or unknown hash";
		return E_WEAK;
	}
	if ((rc = pss_hash(&seq, 0xa1, true, &mgf_hash)) == -EBADMSG)
		return E_DER;
	if (rc == -ENOTSUP || mgf_hash != out->hash) {
		*why = "RSASSA-PSS whose mask uses another hash";
		return E_SIGALG;
	}
	out->salt_len = 20;
	if (der_next(&seq) == 0xa2) {
		if (der_expect(&seq, 0xa2, &field) < 0 || der_expect(&field, DER_INTEGER, &salt) < 0 ||
		    buf_left(&field) != 0 || der_unsigned(&salt, octets, sizeof(octets), &n) < 0)
			return E_DER;
		out->salt_len = n == 2 ? octets[0] << 8 | octets[1] : octets[0];
	}
	return buf_left(&seq) == 0 ? E_NONE : E_DER;
}

enum source_error
sigalg_parse(struct buf content, bool allow_sha1, struct sigalg *out, const char **why)
{
	enum source_error error = E_NONE;
	const struct sigalg_row *row;
	struct buf oid;

	*why = "RFC 5280 4.1.1.2: malformed AlgorithmIdentifier";
	if (der_expect(&content, DER_OID, &oid) < 0)
		return E_DER;
	for (row = rows; row < rows + sizeof(rows) / sizeof(rows[0]); row++)
		if (der_equals(&oid, row->oid, row->oid_len))
			break;
	if (row == rows + sizeof(rows) / sizeof(rows[0])) {
		*why = "unknown signature algorithm";
		return E_SIGALG;
	}
	if (row->error != E_NONE) {
		*why = "signature with a hash that is too weak";
		return row->error;
	}
	out->kind = row->kind;
	out->hash = row->hash;
	out->salt_len = 0;
	switch (row->params) {
	case PARAMS_NONE:
		error = buf_left(&content) == 0 ? E_NONE : E_DER;
		break;
	case PARAMS_NULL:
		error = params_null(&content) == 0 ? E_NONE : E_DER;
		break;
	case PARAMS_PSS:
		error = pss_parse(&content, out, why);
		break;
	}
	if (error == E_NONE && out->hash == SIGALG_SHA1 && !allow_sha1) {
		*why = "signature with SHA-1, whose collisions can be made";
		return E_WEAK;
	}
	return error;
}

bool
sigalg_takes_message(const struct sigalg *alg)
{
	return alg->kind == SIGALG_ED25519 || alg->kind == SIGALG_ED448;
}

enum source_error
sigalg_key_fits(const struct sigalg *alg, EVP_PKEY *key, const char **why)
{
	char group[32];

	switch (alg->kind) {
	case SIGALG_RSA:
	case SIGALG_RSA_PSS:
		if (!EVP_PKEY_is_a(key, "RSA") &&
		    !(alg->kind == SIGALG_RSA_PSS && EVP_PKEY_is_a(key, "RSA-PSS")))
			break;
		if (EVP_PKEY_get_bits(key) < 2048) {
			*why = "RSA key below 2048 bit";
			return E_WEAK;
		}
		return E_NONE;
	case SIGALG_ECDSA:
		if (!EVP_PKEY_is_a(key, "EC"))
			break;
		if (EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) != 1 ||
		    (strcmp(group, "prime256v1") != 0 && strcmp(group, "secp384r1") != 0 &&
			strcmp(group, "secp521r1") != 0)) {
			*why = "EC key on a curve other than P-256, P-384 and P-521";
			return E_SIGALG;
		}
		return E_NONE;
	case SIGALG_ED25519:
		if (!EVP_PKEY_is_a(key, "ED25519"))
			break;
		return E_NONE;
	case SIGALG_ED448:
		if (!EVP_PKEY_is_a(key, "ED448"))
			break;
		return E_NONE;
	}
	*why = "the signature algorithm is not one of the authority's key";
	return E_SIGALG;
}

static const EVP_MD *
hash_md(enum sigalg_hash hash)
{
	switch (hash) {
	case SIGALG_SHA256:
		return EVP_sha256();
	case SIGALG_SHA384:
		return EVP_sha384();
	case SIGALG_SHA512:
		return EVP_sha512();
	case SIGALG_SHA1:
		return EVP_sha1();
	case SIGALG_HASHES:
		break;
	}
	return NULL;
}

enum source_error
sigalg_verify(const struct sigalg *alg, EVP_PKEY *key, const uint8_t *digest, size_t digest_len,
    const uint8_t *sig, size_t sig_len)
{
	const EVP_MD *md = hash_md(alg->hash);
	enum source_error error = E_SIG;
	EVP_PKEY_CTX *ctx;

	if ((ctx = EVP_PKEY_CTX_new(key, NULL)) == NULL)
		return E_SIG;
	if (EVP_PKEY_verify_init(ctx) != 1)
		goto out;
	if (alg->kind == SIGALG_RSA && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) != 1)
		goto out;
	if (alg->kind == SIGALG_RSA_PSS &&
	    (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) != 1 ||
		EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, alg->salt_len) != 1 ||
		EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) != 1))
		goto out;
	if (EVP_PKEY_CTX_set_signature_md(ctx, md) != 1)
		goto out;
	if (EVP_PKEY_verify(ctx, sig, sig_len, digest, digest_len) == 1)
		error = E_NONE;
out:
	EVP_PKEY_CTX_free(ctx);
	return error;
}

enum source_error
sigalg_verify_whole(EVP_PKEY *key, const uint8_t *message, size_t len, const uint8_t *sig, size_t sig_len)
{
	enum source_error error = E_SIG;
	EVP_MD_CTX *ctx;

	if ((ctx = EVP_MD_CTX_new()) == NULL)
		return E_SIG;
	if (EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1 &&
	    EVP_DigestVerify(ctx, sig, sig_len, message, len) == 1)
		error = E_NONE;
	EVP_MD_CTX_free(ctx);
	return error;
}

enum source_error
sigalg_verify_message(const struct sigalg *alg, EVP_PKEY *key, const uint8_t *message, size_t len,
    const uint8_t *sig, size_t sig_len)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (sigalg_takes_message(alg))
		return sigalg_verify_whole(key, message, len, sig, sig_len);
	if (EVP_Digest(message, len, digest, &n, hash_md(alg->hash), NULL) != 1)
		return E_SIG;
	return sigalg_verify(alg, key, digest, n, sig, sig_len);
}
