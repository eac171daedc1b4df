/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crl_make.c -- writes DER and signs it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "crl_make.h"

#define MUST(x)                                                           \
	do {                                                              \
		if (!(x)) {                                               \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x); \
			abort();                                          \
		}                                                         \
	} while (0)

/* ---- bytes -------------------------------------------------------------- */

void
bytes_add(struct bytes *b, const void *p, size_t n)
{
	if (b->n + n > b->room) {
		b->room = (b->n + n) * 2 + 64;
		MUST((b->p = realloc(b->p, b->room)) != NULL);
	}
	if (n > 0)
		memcpy(b->p + b->n, p, n);
	b->n += n;
}

void
bytes_octet(struct bytes *b, uint8_t octet)
{
	bytes_add(b, &octet, 1);
}

static void
header(struct bytes *b, uint8_t tag, size_t n)
{
	uint8_t octets[4];
	unsigned used = 0;
	size_t rest;

	bytes_octet(b, tag);
	if (n < 0x80) {
		bytes_octet(b, (uint8_t)n);
		return;
	}
	for (rest = n; rest > 0; rest >>= 8)
		octets[used++] = (uint8_t)rest;
	bytes_octet(b, (uint8_t)(0x80 | used));
	while (used > 0)
		bytes_octet(b, octets[--used]);
}

void
bytes_element(struct bytes *b, uint8_t tag, const void *content, size_t n)
{
	header(b, tag, n);
	bytes_add(b, content, n);
}

void
bytes_free(struct bytes *b)
{
	free(b->p);
	memset(b, 0, sizeof(*b));
}

static void
wrap(struct bytes *out, uint8_t tag, struct bytes *inner)
{
	bytes_element(out, tag, inner->p, inner->n);
	bytes_free(inner);
}

/* ---- parts -------------------------------------------------------------- */

#define OID(bytes) bytes, sizeof(bytes) - 1

static const struct alg {
	const char *name;
	const char *oid;
	size_t oid_len;
	const char *hash;
	char params;		/* n: NULL, p: PSS, -: none */
} algs[] = {
	{ "rsa-md5", OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04"), "MD5", 'n' },
	{ "rsa-sha1", OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05"), "SHA1", 'n' },
	{ "rsa-sha256", OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"), "SHA256", 'n' },
	{ "rsa-sha384", OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c"), "SHA384", 'n' },
	{ "rsa-sha512", OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d"), "SHA512", 'n' },
	{ "pss-sha1", OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"), "SHA1", 'p' },
	{ "pss-sha256", OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"), "SHA256", 'p' },
	{ "pss-sha512", OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"), "SHA512", 'p' },
	{ "ecdsa-sha1", OID("\x2a\x86\x48\xce\x3d\x04\x01"), "SHA1", '-' },
	{ "ecdsa-sha256", OID("\x2a\x86\x48\xce\x3d\x04\x03\x02"), "SHA256", '-' },
	{ "ecdsa-sha384", OID("\x2a\x86\x48\xce\x3d\x04\x03\x03"), "SHA384", '-' },
	{ "ecdsa-sha512", OID("\x2a\x86\x48\xce\x3d\x04\x03\x04"), "SHA512", '-' },
	{ "ed25519", OID("\x2b\x65\x70"), NULL, '-' },
	{ "ed448", OID("\x2b\x65\x71"), NULL, '-' },
	{ "unknown", OID("\x2b\x65\x72"), "SHA256", '-' },
};

static const struct alg *
alg_named(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(algs) / sizeof(algs[0]); i++)
		if (strcmp(algs[i].name, name) == 0)
			return &algs[i];
	MUST(!"such an algorithm");
	return NULL;
}

static void
pss_params(struct bytes *out, const char *hash)
{
	struct bytes one = { 0 }, alg = { 0 }, mgf = { 0 }, all = { 0 }, salt = { 0 };
	uint8_t last = strcmp(hash, "SHA256") == 0 ? 1 : strcmp(hash, "SHA384") == 0 ? 2 : 3;
	uint8_t len = last == 1 ? 32 : last == 2 ? 48 : 64;
	uint8_t oid[9] = { 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, last };

	if (strcmp(hash, "SHA1") == 0) {
		bytes_element(out, 0x30, NULL, 0);
		return;
	}
	bytes_element(&one, 0x06, oid, sizeof(oid));
	bytes_element(&one, 0x05, NULL, 0);
	wrap(&alg, 0x30, &one);
	bytes_element(&all, 0xa0, alg.p, alg.n);
	bytes_element(&mgf, 0x06, OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08"));
	bytes_add(&mgf, alg.p, alg.n);
	wrap(&one, 0x30, &mgf);
	wrap(&all, 0xa1, &one);
	bytes_element(&salt, 0x02, &len, 1);
	wrap(&all, 0xa2, &salt);
	wrap(out, 0x30, &all);
	bytes_free(&alg);
}

void
make_alg(struct bytes *out, const char *name)
{
	const struct alg *alg = alg_named(name);
	struct bytes content = { 0 };

	bytes_element(&content, 0x06, alg->oid, alg->oid_len);
	if (alg->params == 'n')
		bytes_element(&content, 0x05, NULL, 0);
	if (alg->params == 'p')
		pss_params(&content, alg->hash);
	wrap(out, 0x30, &content);
}

static void
rdn(struct bytes *out, uint8_t tag, uint8_t attribute, const char *text)
{
	struct bytes part = { 0 }, seq = { 0 };
	uint8_t oid[3] = { 0x55, 0x04, attribute };

	bytes_element(&part, 0x06, oid, sizeof(oid));
	bytes_element(&part, tag, text, strlen(text));
	wrap(&seq, 0x30, &part);
	wrap(out, 0x31, &seq);
}

void
make_name(struct bytes *out, uint8_t tag, const char *organisation, const char *common)
{
	struct bytes rdns = { 0 };

	rdn(&rdns, tag, 10, organisation);
	rdn(&rdns, tag, 3, common);
	wrap(out, 0x30, &rdns);
}

static void
entry_start(struct bytes *entry, const uint8_t *serial, size_t n, const char *date)
{
	bytes_element(entry, 0x02, serial, n);
	bytes_element(entry, strlen(date) == 15 ? 0x18 : 0x17, date, strlen(date));
}

void
make_entry_with(struct bytes *out, const uint8_t *serial, size_t n, const char *date,
    const struct bytes *exts)
{
	struct bytes entry = { 0 };

	entry_start(&entry, serial, n, date);
	if (exts != NULL)
		bytes_element(&entry, 0x30, exts->p, exts->n);
	wrap(out, 0x30, &entry);
}

void
make_entry(struct bytes *out, const uint8_t *serial, size_t n, const char *date, int reason)
{
	uint8_t value[3] = { 0x0a, 1, (uint8_t)reason };
	struct bytes exts = { 0 };

	if (reason >= 0)
		EXTENSION(&exts, OID_REASON, false, value, sizeof(value));
	make_entry_with(out, serial, n, date, reason >= 0 ? &exts : NULL);
	bytes_free(&exts);
}

void
make_extension(struct bytes *out, const char *oid, size_t oid_len, bool critical, const void *value,
    size_t n)
{
	struct bytes ext = { 0 };

	bytes_element(&ext, 0x06, oid, oid_len);
	if (critical)
		bytes_element(&ext, 0x01, "\xff", 1);
	bytes_element(&ext, 0x04, value, n);
	wrap(out, 0x30, &ext);
}

void
make_crl_number(struct bytes *out, const uint8_t *number, size_t n)
{
	struct bytes value = { 0 };

	bytes_element(&value, 0x02, number, n);
	EXTENSION(out, OID_NUMBER, false, value.p, value.n);
	bytes_free(&value);
}

/* ---- the whole ---------------------------------------------------------- */

static void
sign(EVP_PKEY *key, const struct alg *alg, const struct bytes *tbs, struct bytes *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx = NULL;
	uint8_t sig[1024];
	size_t n = sizeof(sig);

	MUST(ctx != NULL);
	/* Ed25519 and Ed448 keys sign without a named hash, whatever the algorithm claims. */
	MUST(EVP_DigestSignInit_ex(ctx, &pctx, EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448") ? NULL : alg->hash, NULL,
		 NULL, key, NULL) == 1);
	if (alg->params == 'p')
		MUST(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) == 1 &&
		    EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) == 1);
	MUST(EVP_DigestSign(ctx, sig, &n, tbs->p, tbs->n) == 1);
	EVP_MD_CTX_free(ctx);
	bytes_octet(out, 0);
	bytes_add(out, sig, n);
}

static void
make_time(struct bytes *out, const char *text)
{
	bytes_element(out, strlen(text) == 15 ? 0x18 : 0x17, text, strlen(text));
}

static void
make_tbs(const struct make *m, struct bytes *out)
{
	struct bytes tbs = { 0 }, exts = { 0 }, seq = { 0 };

	if (!m->version1)
		bytes_element(&tbs, 0x02, "\x01", 1);
	make_alg(&tbs, m->alg);
	bytes_add(&tbs, m->name->p, m->name->n);
	make_time(&tbs, m->this_update != NULL ? m->this_update : "260101000000Z");
	if (m->next_update == NULL || m->next_update[0] != '\0')
		make_time(&tbs, m->next_update != NULL ? m->next_update : "270101000000Z");
	if (m->entries != NULL)
		bytes_element(&tbs, 0x30, m->entries->p, m->entries->n);
	if (!m->no_number && !m->version1)
		make_crl_number(&exts, (const uint8_t *)"\x01", 1);
	if (m->extensions != NULL)
		bytes_add(&exts, m->extensions->p, m->extensions->n);
	if (exts.n > 0) {
		wrap(&seq, 0x30, &exts);
		wrap(&tbs, 0xa0, &seq);
	}
	wrap(out, 0x30, &tbs);
}

void
make_crl(const struct make *m, struct bytes *out)
{
	struct bytes tbs = { 0 }, signature = { 0 };

	make_tbs(m, &tbs);
	sign(m->key, alg_named(m->alg), &tbs, &signature);
	make_alg(&tbs, m->outer_alg != NULL ? m->outer_alg : m->alg);
	bytes_element(&tbs, 0x03, signature.p, signature.n);
	bytes_free(&signature);
	wrap(out, 0x30, &tbs);
}

void
make_pem(const struct bytes *der, struct bytes *out)
{
	size_t at, n;
	uint8_t line[65];

	bytes_add(out, "-----BEGIN X509 CRL-----\n", 25);
	for (at = 0; at < der->n; at += n) {
		n = der->n - at < 48 ? der->n - at : 48;
		bytes_add(out, line, (size_t)EVP_EncodeBlock(line, der->p + at, (int)n));
		bytes_octet(out, '\n');
	}
	bytes_add(out, "-----END X509 CRL-----\n", 23);
}

struct crl_scan *
make_scan(const struct inventory *inv, const struct crl_signer *signers, size_t n, uint64_t max_size)
{
	/* lives as long as the test */
	static struct crl_name names[64];
	static size_t at;
	struct crl_name *name = &names[at++ % 64];
	struct crl_scan_setup setup = { .inventory = inv, .names = name, .n_names = n > 0, .signers = signers,
		.n_signers = n, .max_size = max_size };

	if (n > 0)
		*name = (struct crl_name){ signers[0].name, signers[0].name_len };
	return crl_scan_new(&setup);
}

EVP_PKEY *
make_key(const char *kind)
{
	EVP_PKEY *key;

	if (strncmp(kind, "rsa:", 4) == 0)
		key = EVP_RSA_gen((unsigned)atoi(kind + 4));
	else if (strncmp(kind, "ED", 2) == 0)
		key = EVP_PKEY_Q_keygen(NULL, NULL, kind);
	else
		key = EVP_EC_gen(kind);
	MUST(key != NULL);
	return key;
}

void
make_certificate(EVP_PKEY *key, const struct bytes *name, unsigned usage, struct bytes *out)
{
	const uint8_t *p = name->p;
	X509_NAME *subject = d2i_X509_NAME(NULL, &p, (long)name->n);
	X509 *x = X509_new();
	X509_EXTENSION *ext;
	uint8_t *der = NULL;
	int n;

	MUST(subject != NULL && x != NULL && X509_set_version(x, X509_VERSION_3) == 1);
	MUST(ASN1_INTEGER_set(X509_get_serialNumber(x), 1) == 1);
	MUST(X509_set_subject_name(x, subject) == 1 && X509_set_issuer_name(x, subject) == 1);
	MUST(X509_gmtime_adj(X509_getm_notBefore(x), -3600) != NULL);
	MUST(X509_gmtime_adj(X509_getm_notAfter(x), 86400) != NULL);
	MUST(X509_set_pubkey(x, key) == 1);
	if (usage != 0) {
		ext = X509V3_EXT_conf_nid(NULL, NULL, NID_key_usage,
		    (usage & KU_CRL_SIGN) != 0 ? "critical,keyCertSign,cRLSign" : "critical,keyCertSign");
		MUST(ext != NULL && X509_add_ext(x, ext, -1) == 1);
		X509_EXTENSION_free(ext);
	}
	MUST(X509_sign(x, key, EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha256()) > 0);
	MUST((n = i2d_X509(x, &der)) > 0);
	bytes_add(out, der, (size_t)n);
	OPENSSL_free(der);
	X509_NAME_free(subject);
	X509_free(x);
}
