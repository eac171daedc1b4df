/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_ocsp.c -- answers of responders: made by OpenSSL, right or wrong in one place,
 * and weighed by us. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#include "crl_make.h"
#include "pki/ocsp.h"
#include "proto/limits.h"

#define NOW_S	1768000000L		/* 2026-01-09 */
#define HOUR_S	3600L
#define DAY_S	(24 * HOUR_S)
#define SERIAL	"\x81\x22\x33"		/* the high bit is set */
#define OTHER	"\x81\x22\x34"

static const uint8_t nonce[OCSP_NONCE_LEN] = "a nonce that nobody has foreseen";

/* Who may sign an answer, or not. */
enum who { CA, CA_SAME_NAME, CA_OTHER, DELEGATE, NO_EKU, NO_SIGNATURES, EXPIRED, NOT_YET, BY_OTHER, SELF_MADE,
	WEAK, TRUSTED, WHOS };

static EVP_PKEY *keys[WHOS];
static X509 *certs[WHOS];

/* ---- certificates ------------------------------------------------------- */

static void
extend(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(ext);
	assert_int_equal(X509_add_ext(x, ext, -1), 1);
	X509_EXTENSION_free(ext);
}

static X509 *
certificate(EVP_PKEY *key, const char *name, int serial, X509 *issuer, EVP_PKEY *issuer_key, long from_s,
    long to_s, const char *eku, const char *usage)
{
	X509 *x = X509_new();
	X509_NAME *subject = X509_NAME_new();

	assert_non_null(x);
	assert_int_equal(X509_set_version(x, X509_VERSION_3), 1);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const uint8_t *)name, -1, -1, 0);
	X509_set_subject_name(x, subject);
	X509_set_issuer_name(x, issuer != NULL ? X509_get_subject_name(issuer) : subject);
	X509_NAME_free(subject);
	ASN1_INTEGER_set(X509_get_serialNumber(x), serial);
	ASN1_TIME_set(X509_getm_notBefore(x), NOW_S + from_s);
	ASN1_TIME_set(X509_getm_notAfter(x), NOW_S + to_s);
	X509_set_pubkey(x, key);
	if (eku != NULL)
		extend(x, NID_ext_key_usage, eku);
	if (usage != NULL)
		extend(x, NID_key_usage, usage);
	assert_true(X509_sign(x, issuer_key, EVP_sha256()) > 0);
	return x;
}

static int
setup(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < WHOS; i++)
		keys[i] = make_key(i == WEAK ? "rsa:1024" : "P-256");
	certs[CA] = certificate(keys[CA], "CA", 1, NULL, keys[CA], -DAY_S, DAY_S, NULL, NULL);
	certs[CA_SAME_NAME] = certificate(keys[CA_SAME_NAME], "CA", 2, NULL, keys[CA_SAME_NAME], -DAY_S, DAY_S,
	    NULL, NULL);
	certs[CA_OTHER] = certificate(keys[CA_OTHER], "Another", 3, NULL, keys[CA_OTHER], -DAY_S, DAY_S, NULL,
	    NULL);
#define BY_CA(which, serial, from, to, eku, usage)                                                          \
	certs[which] = certificate(keys[which], "Responder " #which, serial, certs[CA], keys[CA], from, to, \
	    eku, usage)
	BY_CA(DELEGATE, 10, -DAY_S, DAY_S, "OCSPSigning", "digitalSignature");
	BY_CA(NO_EKU, 11, -DAY_S, DAY_S, "serverAuth", NULL);
	BY_CA(NO_SIGNATURES, 12, -DAY_S, DAY_S, "OCSPSigning", "keyEncipherment");
	BY_CA(EXPIRED, 13, -2 * DAY_S, -1, "OCSPSigning", NULL);
	BY_CA(NOT_YET, 14, HOUR_S, DAY_S, "OCSPSigning", NULL);
	BY_CA(WEAK, 15, -DAY_S, DAY_S, "OCSPSigning", NULL);
	certs[BY_OTHER] = certificate(keys[BY_OTHER], "Responder", 16, certs[CA_SAME_NAME], keys[CA_SAME_NAME],
	    -DAY_S, DAY_S, "OCSPSigning", NULL);
	certs[SELF_MADE] = certificate(keys[SELF_MADE], "Responder", 17, certs[CA], keys[SELF_MADE], -DAY_S,
	    DAY_S, "OCSPSigning", NULL);
	certs[TRUSTED] = certificate(keys[TRUSTED], "Trusted", 18, NULL, keys[TRUSTED], -DAY_S, DAY_S, NULL,
	    NULL);
	return 0;
}

static int
teardown(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < WHOS; i++) {
		EVP_PKEY_free(keys[i]);
		X509_free(certs[i]);
	}
	return 0;
}

/* ---- answers ------------------------------------------------------------ */

struct spec {
	enum who about;		/* the issuer in CertID */
	const char *hash;	/* NULL: SHA1 */
	const char *serial;	/* NULL: SERIAL */
	int status;		/* V_OCSP_CERTSTATUS_* */
	int reason;		/* -1: none */
	long this_s, next_s, produced_s;	/* next_s: 0 none */
	const uint8_t *nonce;
	enum who by;
	bool by_name;
	bool without_certs;
	const char *digest;	/* of the signature; NULL: SHA256 */
	unsigned others;	/* answers about other certificates, before ours */
	bool critical;		/* an unknown critical extension */
};

static const struct spec good = { .about = CA, .status = V_OCSP_CERTSTATUS_GOOD, .reason = -1,
	.this_s = -HOUR_S, .next_s = HOUR_S, .produced_s = -HOUR_S, .by = CA };

static void
add_single(OCSP_BASICRESP *bs, const struct spec *s, const char *serial, int status)
{
	ASN1_TIME *this_update = ASN1_GENERALIZEDTIME_set(NULL, NOW_S + s->this_s);
	ASN1_TIME *next = s->next_s != 0 ? ASN1_GENERALIZEDTIME_set(NULL, NOW_S + s->next_s) : NULL;
	ASN1_TIME *revoked = ASN1_GENERALIZEDTIME_set(NULL, NOW_S - DAY_S);
	BIGNUM *n = BN_bin2bn((const uint8_t *)serial, (int)strlen(serial), NULL);
	ASN1_INTEGER *number = BN_to_ASN1_INTEGER(n, NULL);
	X509 *ca = certs[s->about];
	OCSP_CERTID *id = OCSP_cert_id_new(EVP_get_digestbyname(s->hash != NULL ? s->hash : "SHA1"),
	    X509_get_subject_name(ca), X509_get0_pubkey_bitstr(ca), number);

	assert_non_null(OCSP_basic_add1_status(bs, id, status, s->reason, revoked, this_update, next));
	OCSP_CERTID_free(id);
	ASN1_INTEGER_free(number);
	BN_free(n);
	ASN1_TIME_free(this_update);
	ASN1_TIME_free(next);
	ASN1_TIME_free(revoked);
}

static void
add_critical(OCSP_BASICRESP *bs)
{
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	ASN1_OBJECT *oid = OBJ_txt2obj("1.2.3.4", 1);
	X509_EXTENSION *ext;

	ASN1_OCTET_STRING_set(value, (const uint8_t *)"\x05\x00", 2);
	ext = X509_EXTENSION_create_by_OBJ(NULL, oid, 1, value);
	assert_int_equal(OCSP_BASICRESP_add_ext(bs, ext, -1), 1);
	X509_EXTENSION_free(ext);
	ASN1_OBJECT_free(oid);
	ASN1_OCTET_STRING_free(value);
}

static void
answer_make(const struct spec *s, struct bytes *out)
{
	OCSP_BASICRESP *bs = OCSP_BASICRESP_new();
	OCSP_RESPONSE *response;
	uint8_t *der = NULL;
	char serial[9];
	unsigned i;
	int n;

	for (i = 0; i < s->others; i++) {
		snprintf(serial, sizeof(serial), "%u", 10000000 + i);
		add_single(bs, s, serial, V_OCSP_CERTSTATUS_GOOD);
	}
	add_single(bs, s, s->serial != NULL ? s->serial : SERIAL, s->status);
	if (s->nonce != NULL)
		assert_int_equal(OCSP_basic_add1_nonce(bs, (uint8_t *)(uintptr_t)s->nonce, OCSP_NONCE_LEN), 1);
	if (s->critical)
		add_critical(bs);
	ASN1_GENERALIZEDTIME_set((ASN1_GENERALIZEDTIME *)(uintptr_t)OCSP_resp_get0_produced_at(bs),
	    NOW_S + s->produced_s);
	assert_int_equal(OCSP_basic_sign(bs, certs[s->by], keys[s->by],
			     EVP_get_digestbyname(s->digest != NULL ? s->digest : "SHA256"), NULL,
			     OCSP_NOTIME | (s->by_name ? 0 : OCSP_RESPID_KEY) |
				 (s->without_certs ? OCSP_NOCERTS : 0)), 1);
	response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, bs);
	assert_true((n = i2d_OCSP_RESPONSE(response, &der)) > 0);
	bytes_add(out, der, (size_t)n);
	OPENSSL_free(der);
	OCSP_RESPONSE_free(response);
	OCSP_BASICRESP_free(bs);
}

/* What we asked, and how strict we are. */
struct asked {
	bool no_nonce, need_nonce, allow_sha1, trust;
	const uint8_t *revoked;		/* serial, one octet */
};

static bool
is_revoked(void *arg, const uint8_t *serial, size_t n)
{
	const struct asked *a = arg;

	return a->revoked != NULL && n == 1 && serial[0] == a->revoked[0];
}

static void
check(const struct bytes *b, const struct asked *a, struct ocsp_answer *out)
{
	struct asked copy = *a;
	struct ocsp_question q = { .issuers = &certs[CA], .n_issuers = 1, .responders = &certs[TRUSTED],
		.n_responders = a->trust, .serial = (const uint8_t *)"\0" SERIAL, .serial_len = 4,
		.nonce = a->no_nonce ? NULL : nonce, .nonce_len = a->no_nonce ? 0 : sizeof(nonce),
		.allow_sha1 = a->allow_sha1 };
	struct ocsp_policy p = { .now = { .wall_ms = NOW_S * 1000 }, .skew_ms = 300000,
		.max_age_ms = DAY_S * 1000, .need_nonce = a->need_nonce, .revoked = is_revoked, .arg = &copy };

	memset(out, 0xff, sizeof(*out));
	ocsp_response_check(b->p, b->n, &q, &p, out);
	assert_int_equal(out->error != E_NONE, out->why != NULL);
	assert_true(out->status == OCSP_NO_ANSWER || out->error == E_NONE ||
	    (out->status == OCSP_REVOKED && out->late));
}

static void
check_made(const struct spec *s, const struct asked *a, struct ocsp_answer *out)
{
	struct bytes b = { 0 };

	answer_make(s, &b);
	check(&b, a, out);
	bytes_free(&b);
}

/* ---- what counts -------------------------------------------------------- */

static void
test_good_revoked_unknown(void **state)
{
	struct spec s = good;
	struct ocsp_answer out;
	struct asked a = { 0 };

	(void)state;
	check_made(&s, &a, &out);
	assert_int_equal(out.status, OCSP_GOOD);
	assert_int_equal(out.this_update, (NOW_S - HOUR_S) * 1000);
	assert_int_equal(out.next_update, (NOW_S + HOUR_S) * 1000);
	assert_int_equal(out.produced_at, (NOW_S - HOUR_S) * 1000);
	assert_int_equal(out.until, (NOW_S + HOUR_S) * 1000);
	assert_false(out.nonce);
	s.status = V_OCSP_CERTSTATUS_REVOKED;
	s.reason = 1;
	check_made(&s, &a, &out);
	assert_int_equal(out.status, OCSP_REVOKED);
	assert_int_equal(out.reason, 1);
	assert_int_equal(out.revoked_at, (NOW_S - DAY_S) * 1000);
	assert_false(out.late);
	s.reason = -1;
	check_made(&s, &a, &out);
	assert_int_equal(out.status, OCSP_REVOKED);
	assert_int_equal(out.reason, 0);
	s.status = V_OCSP_CERTSTATUS_UNKNOWN;
	check_made(&s, &a, &out);
	assert_int_equal(out.status, OCSP_UNKNOWN);
}

/* CertID by SHA-1 or SHA-256; another hash names nobody. */
static void
test_hashes(void **state)
{
	static const struct {
		const char *hash;
		enum ocsp_status status;
		enum source_error error;
	} rows[] = { { "SHA1", OCSP_GOOD, E_NONE }, { "SHA256", OCSP_GOOD, E_NONE },
		{ "SHA512", OCSP_NO_ANSWER, E_SCOPE } };
	struct spec s = good;
	struct ocsp_answer out;
	struct asked a = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		s.hash = rows[i].hash;
		check_made(&s, &a, &out);
		assert_int_equal(out.status, rows[i].status);
		assert_int_equal(out.error, rows[i].error);
	}
}

static void
test_about_another(void **state)
{
	struct spec s = good;
	struct ocsp_answer out;
	struct asked a = { 0 };

	(void)state;
	s.serial = OTHER;
	check_made(&s, &a, &out);
	assert_int_equal(out.status, OCSP_NO_ANSWER);
	assert_int_equal(out.error, E_SCOPE);
	/* the same serial of another CA, or of one with the same name */
	s.serial = NULL;
	s.about = CA_OTHER;
	check_made(&s, &a, &out);
	assert_int_equal(out.error, E_SCOPE);
	s.about = CA_SAME_NAME;
	check_made(&s, &a, &out);
	assert_int_equal(out.error, E_SCOPE);
	assert_int_equal(out.status, OCSP_NO_ANSWER);
}

/* ---- who signs ---------------------------------------------------------- */

static void
test_signers(void **state)
{
	static const uint8_t delegate[1] = { 10 };
	static const struct {
		enum who by;
		bool without_certs, trust, revoked;
		enum source_error error;
	} rows[] = {
		{ CA, false, false, false, E_NONE },
		{ CA, true, false, false, E_NONE },
		{ DELEGATE, false, false, false, E_NONE },
		{ DELEGATE, true, false, false, E_SIGNER },	/* nobody knows it */
		{ DELEGATE, false, false, true, E_SIGNER_REVOKED },
		{ NO_EKU, false, false, false, E_SIGNER },
		{ NO_SIGNATURES, false, false, false, E_SIGNER },
		{ EXPIRED, false, false, false, E_SIGNER_EXPIRED },
		{ NOT_YET, false, false, false, E_SIGNER_EXPIRED },
		{ WEAK, false, false, false, E_WEAK },
		{ BY_OTHER, false, false, false, E_SIGNER },	/* of a CA with that name, not of that key */
		{ SELF_MADE, false, false, false, E_SIGNER },
		{ CA_OTHER, false, false, false, E_SIGNER },
		{ CA_SAME_NAME, false, false, false, E_SIGNER },
		{ TRUSTED, false, false, false, E_SIGNER },
		{ TRUSTED, false, true, false, E_NONE },
		{ TRUSTED, true, true, false, E_NONE },
	};
	struct spec s = good;
	struct ocsp_answer out;
	size_t i, by_name;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (by_name = 0; by_name < 2; by_name++) {
			struct asked a = { .trust = rows[i].trust,
				.revoked = rows[i].revoked ? delegate : NULL };

			/* a CA of the same name is met by its name, and found out by its signature */
			s.by = rows[i].by;
			s.by_name = by_name == 1;
			s.without_certs = rows[i].without_certs;
			check_made(&s, &a, &out);
			if (s.by == CA_SAME_NAME && by_name == 1)
				assert_true(out.error == E_SIG || out.error == E_SIGNER);
			else
				assert_int_equal(out.error, rows[i].error);
			assert_int_equal(out.status, rows[i].error == E_NONE ? OCSP_GOOD : OCSP_NO_ANSWER);
		}
	}
}

static void
test_weak_hashes(void **state)
{
	struct spec s = good;
	struct ocsp_answer out;
	struct asked a = { 0 };

	(void)state;
	s.digest = "SHA1";
	check_made(&s, &a, &out);
	assert_int_equal(out.error, E_WEAK);
	a.allow_sha1 = true;
	check_made(&s, &a, &out);
	assert_int_equal(out.status, OCSP_GOOD);
	s.digest = "SHA224";
	check_made(&s, &a, &out);
	assert_int_equal(out.error, E_WEAK);
}

/* ---- nonce -------------------------------------------------------------- */

static void
test_nonces(void **state)
{
	static const uint8_t wrong[OCSP_NONCE_LEN] = "a nonce that somebody else asked";
	static const struct {
		const uint8_t *back;
		bool no_nonce, need;
		enum source_error error;
		bool is_ours;
	} rows[] = {
		{ nonce, false, false, E_NONE, true },
		{ nonce, false, true, E_NONE, true },
		{ wrong, false, false, E_ROLLBACK, false },
		{ wrong, false, true, E_ROLLBACK, false },
		{ NULL, false, false, E_NONE, false },
		{ NULL, false, true, E_ROLLBACK, false },
		{ wrong, true, false, E_NONE, false },	/* we did not ask with one */
		{ NULL, true, false, E_NONE, false },
	};
	struct spec s = good;
	struct ocsp_answer out;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct asked a = { .no_nonce = rows[i].no_nonce, .need_nonce = rows[i].need };

		s.nonce = rows[i].back;
		s.status = V_OCSP_CERTSTATUS_GOOD;
		check_made(&s, &a, &out);
		assert_int_equal(out.error, rows[i].error);
		assert_int_equal(out.status, rows[i].error == E_NONE ? OCSP_GOOD : OCSP_NO_ANSWER);
		assert_int_equal(out.nonce, rows[i].is_ours);
		/* revoked: the answer to another question says nothing; a missing nonce only makes it late */
		s.status = V_OCSP_CERTSTATUS_REVOKED;
		check_made(&s, &a, &out);
		if (rows[i].error == E_NONE || rows[i].back == NULL)
			assert_int_equal(out.status, OCSP_REVOKED);
		else
			assert_int_equal(out.status, OCSP_NO_ANSWER);
		assert_int_equal(out.late, rows[i].error != E_NONE && rows[i].back == NULL);
	}
}

/* ---- time --------------------------------------------------------------- */

static void
test_times(void **state)
{
	static const struct {
		long this_s, next_s, produced_s;
		bool with_nonce;
		enum source_error error;
		long until_s;
	} rows[] = {
		{ -HOUR_S, HOUR_S, -HOUR_S, false, E_NONE, HOUR_S },
		/* the clock of the responder is ahead of ours */
		{ 299, HOUR_S, 299, false, E_NONE, HOUR_S },
		{ 301, HOUR_S, 0, false, E_FUTURE, 0 },
		{ 0, HOUR_S, 301, false, E_FUTURE, 0 },
		/* nextUpdate has come */
		{ -HOUR_S, -299, -HOUR_S, false, E_NONE, -299 },
		{ -HOUR_S, -301, -HOUR_S, false, E_ROLLBACK, 0 },
		{ -HOUR_S, -301, -HOUR_S, true, E_ROLLBACK, 0 },
		/* signed in advance, days ago: without nonce it can be anybody's */
		{ -DAY_S, DAY_S, -DAY_S, false, E_NONE, 0 },
		{ -DAY_S - 301, DAY_S, -DAY_S, false, E_ROLLBACK, 0 },
		{ -DAY_S - 301, DAY_S, -DAY_S, true, E_NONE, DAY_S },
		{ -HOUR_S, 7 * DAY_S, -HOUR_S, false, E_NONE, DAY_S - HOUR_S },
		/* no nextUpdate: as long as max_age, nonce or not */
		{ -HOUR_S, 0, -HOUR_S, false, E_NONE, DAY_S - HOUR_S },
		{ -DAY_S - 301, 0, 0, false, E_ROLLBACK, 0 },
		{ -DAY_S - 301, 0, 0, true, E_ROLLBACK, 0 },
		/* before it begins it ends */
		{ -HOUR_S, -HOUR_S - 1, 0, false, E_DER, 0 },
	};
	struct ocsp_answer out;
	struct asked a = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct spec s = good;

		s.this_s = rows[i].this_s;
		s.next_s = rows[i].next_s;
		s.produced_s = rows[i].produced_s;
		s.nonce = rows[i].with_nonce ? nonce : NULL;
		check_made(&s, &a, &out);
		assert_int_equal(out.error, rows[i].error);
		assert_int_equal(out.status, rows[i].error == E_NONE ? OCSP_GOOD : OCSP_NO_ANSWER);
		if (rows[i].error == E_NONE)
			assert_int_equal(out.until, (NOW_S + rows[i].until_s) * 1000);
		s.status = V_OCSP_CERTSTATUS_UNKNOWN;
		check_made(&s, &a, &out);
		assert_int_equal(out.status, rows[i].error == E_NONE ? OCSP_UNKNOWN : OCSP_NO_ANSWER);
		/* to tighten, the age does not matter */
		s.status = V_OCSP_CERTSTATUS_REVOKED;
		check_made(&s, &a, &out);
		assert_int_equal(out.status, rows[i].error == E_DER ? OCSP_NO_ANSWER : OCSP_REVOKED);
		assert_int_equal(out.late, rows[i].error != E_NONE && rows[i].error != E_DER);
	}
}

/* ---- several ------------------------------------------------------------ */

static void
test_several_singles(void **state)
{
	struct spec s = good;
	struct ocsp_answer out;
	struct asked a = { 0 };

	(void)state;
	s.others = OCSP_SINGLES_MAX - 1;
	check_made(&s, &a, &out);
	assert_int_equal(out.status, OCSP_GOOD);
	s.others++;
	check_made(&s, &a, &out);
	assert_int_equal(out.error, E_TOO_BIG);
	s.others = 10000;
	check_made(&s, &a, &out);
	assert_int_equal(out.error, E_TOO_BIG);
	assert_int_equal(out.status, OCSP_NO_ANSWER);
}

/* ---- bytes -------------------------------------------------------------- */

static void
test_no_answers(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		enum source_error error;
		uint32_t detail;
	} rows[] = {
		{ "", 0, E_EMPTY, 0 },
		{ "<html>", 6, E_NOT_CRL, 0 },
		{ "\x1f\x8b", 2, E_NOT_CRL, 0 },
		{ "\x30\x03\x0a\x01\x01", 5, E_FETCH, 1 },
		{ "\x30\x03\x0a\x01\x02", 5, E_FETCH, 2 },
		{ "\x30\x03\x0a\x01\x03", 5, E_FETCH, 3 },
		{ "\x30\x03\x0a\x01\x05", 5, E_FETCH, 5 },
		{ "\x30\x03\x0a\x01\x06", 5, E_FETCH, 6 },
		{ "\x30\x03\x0a\x01\x09", 5, E_FETCH, 9 },
		{ "\x30\x03\x0a\x01\x00", 5, E_DER, 0 },	/* successful, and nothing behind it */
		{ "\x30\x03\x0a\x01\x06\x00", 6, E_DER, 0 },
		{ "\x30\x80\x0a\x01\x06\x00\x00", 7, E_DER, 0 },
	};
	struct ocsp_answer out;
	struct asked a = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bytes b = { (uint8_t *)(uintptr_t)rows[i].bytes, rows[i].n, 0 };

		check(&b, &a, &out);
		assert_int_equal(out.status, OCSP_NO_ANSWER);
		assert_int_equal(out.error, rows[i].error);
		assert_int_equal(out.detail, rows[i].detail);
	}
}

static void
test_size(void **state)
{
	struct bytes b = { 0 };
	struct ocsp_answer out;
	struct asked a = { 0 };

	(void)state;
	answer_make(&good, &b);
	while (b.n <= LIMIT_OCSP_RESPONSE)
		bytes_octet(&b, 0);
	check(&b, &a, &out);
	assert_int_equal(out.error, E_TOO_BIG);
	b.n = LIMIT_OCSP_RESPONSE;
	check(&b, &a, &out);
	assert_int_equal(out.error, E_DER);	/* trailing octets */
	bytes_free(&b);
}

/* Cut anywhere, or with any bit turned: never an answer. */
static void
test_every_truncation_and_flip(void **state)
{
	struct spec s = good;
	struct bytes b = { 0 }, cut;
	struct ocsp_answer out;
	struct asked a = { 0 };
	size_t i;
	int bit;

	(void)state;
	s.by = DELEGATE;
	s.nonce = nonce;
	s.status = V_OCSP_CERTSTATUS_REVOKED;
	answer_make(&s, &b);
	for (i = 0; i < b.n; i++) {
		/* of its very size, so that a read beyond it is seen */
		cut = (struct bytes){ malloc(i + 1), i, 0 };
		memcpy(cut.p, b.p, i);
		cut.p = i > 0 ? realloc(cut.p, i) : cut.p;
		check(&cut, &a, &out);
		assert_int_equal(out.status, OCSP_NO_ANSWER);
		free(cut.p);
		for (bit = 0; bit < 8; bit++) {
			b.p[i] ^= 1 << bit;
			check(&b, &a, &out);
			assert_int_equal(out.status, OCSP_NO_ANSWER);
			b.p[i] ^= 1 << bit;
		}
	}
	check(&b, &a, &out);
	assert_int_equal(out.status, OCSP_REVOKED);
	bytes_free(&b);
}

static void
test_critical(void **state)
{
	struct spec s = good;
	struct ocsp_answer out;
	struct asked a = { 0 };

	(void)state;
	s.critical = true;
	check_made(&s, &a, &out);
	assert_int_equal(out.error, E_CRITICAL);
}

/* ---- requests ----------------------------------------------------------- */

/* Octet for octet what OpenSSL makes. */
static void
test_requests_as_openssl(void **state)
{
	struct ocsp_question q = { .issuers = &certs[CA], .n_issuers = 1, .serial = (const uint8_t *)"\0\0" SERIAL,
		.serial_len = 5 };
	ASN1_INTEGER *number;
	uint8_t ours[LIMIT_OCSP_REQUEST], *theirs;
	OCSP_REQUEST *request;
	BIGNUM *bn;
	size_t n = 0;
	int i, len;

	(void)state;
	bn = BN_bin2bn((const uint8_t *)SERIAL, 3, NULL);
	number = BN_to_ASN1_INTEGER(bn, NULL);
	for (i = 0; i < 4; i++) {
		q.nonce = (i & 1) != 0 ? nonce : NULL;
		q.nonce_len = (i & 1) != 0 ? sizeof(nonce) : 0;
		assert_int_equal(ocsp_request_make(&q, 0, (i & 2) != 0 ? OCSP_BY_SHA256 : OCSP_BY_SHA1, ours,
				     sizeof(ours), &n), 0);
		request = OCSP_REQUEST_new();
		OCSP_request_add0_id(request,
		    OCSP_cert_id_new((i & 2) != 0 ? EVP_sha256() : EVP_sha1(), X509_get_subject_name(certs[CA]),
			X509_get0_pubkey_bitstr(certs[CA]), number));
		if (q.nonce != NULL)
			OCSP_request_add1_nonce(request, (uint8_t *)(uintptr_t)nonce, sizeof(nonce));
		theirs = NULL;
		len = i2d_OCSP_REQUEST(request, &theirs);
		assert_int_equal(n, len);
		assert_memory_equal(ours, theirs, n);
		assert_int_equal(ocsp_request_make(&q, 0, OCSP_BY_SHA1, ours, n / 2, &n), -ENOSPC);
		OPENSSL_free(theirs);
		OCSP_REQUEST_free(request);
	}
	ASN1_INTEGER_free(number);
	BN_free(bn);
}

static void
test_request_limits(void **state)
{
	static const uint8_t serial[OCSP_SERIAL_MAX + 1] = { 0xff, 1 }, big[OCSP_NONCE_MAX + 1] = { 1 };
	struct ocsp_question q = { .issuers = &certs[CA], .n_issuers = 1, .serial = serial,
		.serial_len = OCSP_SERIAL_MAX, .nonce = big, .nonce_len = OCSP_NONCE_MAX };
	uint8_t out[LIMIT_OCSP_REQUEST];
	size_t n;

	(void)state;
	assert_int_equal(ocsp_request_make(&q, 0, OCSP_BY_SHA256, out, sizeof(out), &n), 0);
	assert_int_equal(ocsp_request_make(&q, 1, OCSP_BY_SHA256, out, sizeof(out), &n), -EINVAL);
	q.nonce_len++;
	assert_int_equal(ocsp_request_make(&q, 0, OCSP_BY_SHA256, out, sizeof(out), &n), -EINVAL);
	q.nonce_len = 0;
	assert_int_equal(ocsp_request_make(&q, 0, OCSP_BY_SHA256, out, sizeof(out), &n), -EINVAL);
	q.nonce = NULL;
	q.serial_len = OCSP_SERIAL_MAX + 1;
	assert_int_equal(ocsp_request_make(&q, 0, OCSP_BY_SHA256, out, sizeof(out), &n), -EINVAL);
	q.serial_len = 0;
	assert_int_equal(ocsp_request_make(&q, 0, OCSP_BY_SHA256, out, sizeof(out), &n), -EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_revoked_unknown),
		cmocka_unit_test(test_hashes),
		cmocka_unit_test(test_about_another),
		cmocka_unit_test(test_signers),
		cmocka_unit_test(test_weak_hashes),
		cmocka_unit_test(test_nonces),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_several_singles),
		cmocka_unit_test(test_no_answers),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_every_truncation_and_flip),
		cmocka_unit_test(test_critical),
		cmocka_unit_test(test_requests_as_openssl),
		cmocka_unit_test(test_request_limits),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
