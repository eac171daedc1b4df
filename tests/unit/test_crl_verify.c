/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_crl_verify.c -- who may sign, with which keys and algorithms; names as OpenSSL
 * compares them; and that a million entries need no more memory than one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "crl_make.h"
#include "pki/authority.h"
#include "pki/crl_scan.h"
#include "pki/name.h"

#define OURS "\x10\x20\x30"
#define DATE "260301120000Z"

static const struct inventory_key hash_key = { { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 } };
static struct inventory *inventory;
static struct bytes name;

static int
setup(void **state)
{
	struct inventory_cert cert = { .cert = 7 };

	(void)state;
	serial_load(&cert.serial, (const uint8_t *)OURS, 3);
	inventory = inventory_new(&cert, 1, &hash_key);
	make_name(&name, 0x0c, "Example", "Factory CA");
	return inventory == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	inventory_free(inventory);
	bytes_free(&name);
	return 0;
}

/* ---- to make them and look at them ----------------------------------------- */

static size_t
hits(const struct crl_scan *scan)
{
	struct crl_hit hit;
	size_t pos = 0, n = 0;

	while (crl_scan_hit(scan, &pos, &hit))
		n++;
	return n;
}

/* Scan with these signers; the message is handed in again where it is asked for. */
static enum source_error
verify(const struct bytes *der, const struct crl_signer *signers, size_t n, size_t *n_hits)
{
	struct crl_scan *scan = make_scan(inventory, signers, n, 1UL << 30);
	const struct crl_verdict *v;
	enum source_error error;

	assert_non_null(scan);
	v = crl_scan_verdict(scan);
	(void)crl_scan_feed(scan, der->p, der->n);
	error = crl_scan_needs_message(scan) ?
	    crl_scan_finish(scan, der->p + v->signed_offset, v->signed_len) :
	    crl_scan_finish(scan, NULL, 0);
	*n_hits = hits(scan);
	crl_scan_free(scan);
	return error;
}

static void
crl_signed(EVP_PKEY *key, const char *alg, struct bytes *der)
{
	struct bytes entries = { 0 };
	struct make m = { .key = key, .alg = alg, .name = &name, .entries = &entries };

	make_entry(&entries, (const uint8_t *)OURS, 3, DATE, 1);
	make_crl(&m, der);
	bytes_free(&entries);
}

/* ---- algorithms --------------------------------------------------------- */

static void
test_algorithms(void **state)
{
	static const struct {
		const char *key;
		const char *alg;
		enum source_error error;
	} rows[] = {
		{ "rsa:2048", "rsa-sha256", E_NONE },
		{ "rsa:2048", "rsa-sha384", E_NONE },
		{ "rsa:2048", "rsa-sha512", E_NONE },
		{ "rsa:2048", "pss-sha256", E_NONE },
		{ "rsa:2048", "pss-sha512", E_NONE },
		{ "rsa:2048", "pss-sha1", E_WEAK },
		{ "rsa:2048", "rsa-sha1", E_WEAK },
		{ "rsa:2048", "rsa-md5", E_WEAK },
		{ "rsa:1024", "rsa-sha256", E_WEAK },
		{ "rsa:1024", "pss-sha256", E_WEAK },
		{ "P-256", "ecdsa-sha256", E_NONE },
		{ "P-256", "ecdsa-sha512", E_NONE },
		{ "P-384", "ecdsa-sha384", E_NONE },
		{ "P-256", "ecdsa-sha1", E_WEAK },
		{ "P-521", "ecdsa-sha512", E_NONE },
		{ "secp256k1", "ecdsa-sha256", E_SIGALG },
		{ "ED25519", "ed25519", E_NONE },
		{ "ED448", "ed448", E_NONE },
		{ "ED448", "ed25519", E_SIGALG },
		{ "P-256", "unknown", E_SIGALG },
		/* the algorithm of another kind of key than the authority has */
		{ "P-256", "rsa-sha256", E_SIGALG },
		{ "rsa:2048", "ecdsa-sha256", E_SIGALG },
		{ "P-256", "ed25519", E_SIGALG },
	};
	struct crl_signer signer = { .name = name.p, .name_len = name.n, .may_sign = true };
	struct bytes der = { 0 };
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		signer.key = make_key(rows[i].key);
		crl_signed(signer.key, rows[i].alg, &der);
		assert_int_equal(verify(&der, &signer, 1, &n), rows[i].error);
		assert_int_equal(n, rows[i].error == E_NONE);
		/* the last octet of the signature */
		der.p[der.n - 1] ^= 1;
		assert_int_not_equal(verify(&der, &signer, 1, &n), E_NONE);
		assert_int_equal(n, 0);
		EVP_PKEY_free(signer.key);
		bytes_free(&der);
	}
}

/* Ed25519 signs the message itself, which is handed in a second time: what was
 * scanned and what is verified must be one. */
static void
test_message_must_be_the_same(void **state)
{
	static const struct {
		bool scan_other, hand_in_other, hand_in;
		enum source_error error;
	} rows[] = {
		{ false, false, true, E_NONE },
		{ false, false, false, E_SIG },
		{ false, true, true, E_SIG },
		{ true, false, true, E_SIG },	/* the genuine message for a forged scan */
		{ true, true, true, E_SIG },
	};
	struct crl_signer signer = { .name = name.p, .name_len = name.n, .key = make_key("ED25519"), .may_sign = true };
	struct crl_scan *scan = make_scan(inventory, &signer, 1, 1 << 20);
	const struct crl_verdict *v = crl_scan_verdict(scan);
	struct bytes der = { 0 }, other = { 0 };
	const struct bytes *handed;
	size_t i;

	(void)state;
	crl_signed(signer.key, "ed25519", &der);
	bytes_add(&other, der.p, der.n);
	/* a digit of a date: another CRL, and nothing wrong with its form */
	for (i = 0; memcmp(other.p + i, DATE, 13) != 0; i++)
		assert_true(i < other.n - 13);
	other.p[i] = '1';
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		crl_scan_reset(scan);
		handed = rows[i].scan_other ? &other : &der;
		assert_int_equal(crl_scan_feed(scan, handed->p, handed->n), 0);
		assert_true(crl_scan_needs_message(scan));
		handed = rows[i].hand_in_other ? &other : &der;
		assert_int_equal(crl_scan_finish(scan, rows[i].hand_in ? handed->p + v->signed_offset : NULL,
				     rows[i].hand_in ? v->signed_len : 0),
		    rows[i].error);
		assert_int_equal(hits(scan), rows[i].error == E_NONE);
	}
	crl_scan_free(scan);
	EVP_PKEY_free(signer.key);
	bytes_free(&der);
	bytes_free(&other);
}

/* ---- signers ------------------------------------------------------------ */

static void
test_several_keys_of_one_name(void **state)
{
	struct crl_signer signers[3] = { { .name = name.p, .name_len = name.n, .key = make_key("P-256"), .may_sign = true },
		{ .name = name.p, .name_len = name.n, .key = make_key("rsa:2048"), .may_sign = true },
		{ .name = name.p, .name_len = name.n, .key = make_key("P-256"), .may_sign = true } };
	struct bytes der = { 0 };
	size_t n;

	(void)state;
	crl_signed(signers[2].key, "ecdsa-sha256", &der);
	assert_int_equal(verify(&der, signers, 3, &n), E_NONE);
	assert_int_equal(n, 1);
	assert_int_equal(verify(&der, signers, 2, &n), E_SIG);
	assert_int_equal(verify(&der, signers, 1, &n), E_SIG);
	assert_int_equal(verify(&der, signers, 0, &n), E_SIGNER);
	assert_int_equal(n, 0);
	bytes_free(&der);
	for (n = 0; n < 3; n++)
		EVP_PKEY_free(signers[n].key);
}

static void
test_certificate(void **state)
{
	static const struct {
		unsigned usage;
		bool may_sign;
		enum source_error error;
	} rows[] = {
		{ 0, true, E_NONE },			/* no keyUsage: everything */
		{ KU_CRL_SIGN, true, E_NONE },
		{ KU_KEY_CERT_SIGN, false, E_SIGNER },
	};
	EVP_PKEY *key = make_key("P-256");
	struct bytes der = { 0 }, crl = { 0 };
	uint8_t digest[KEY_DIGEST_LEN];
	struct crl_signer signer;
	size_t i, n;
	X509 *x;

	(void)state;
	crl_signed(key, "ecdsa-sha256", &crl);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		make_certificate(key, &name, rows[i].usage, &der);
		assert_non_null(x = certificate_read(der.p, der.n));
		assert_int_equal(certificate_signer(x, &signer, digest), 0);
		assert_int_equal(signer.may_sign, rows[i].may_sign);
		assert_int_equal(signer.name_len, name.n);
		assert_memory_equal(signer.name, name.p, name.n);
		assert_int_equal(verify(&crl, &signer, 1, &n), rows[i].error);
		X509_free(x);
		/* neither cut nor prolonged */
		assert_null(certificate_read(der.p, der.n - 1));
		bytes_octet(&der, 0);
		assert_null(certificate_read(der.p, der.n));
		bytes_free(&der);
	}
	bytes_free(&crl);
	EVP_PKEY_free(key);
}

/* ---- names, held against OpenSSL ---------------------------------------- */

static int
openssl_name_cmp(const struct bytes *a, const struct bytes *b)
{
	const uint8_t *p = a->p, *q = b->p;
	X509_NAME *x = d2i_X509_NAME(NULL, &p, (long)a->n), *y = d2i_X509_NAME(NULL, &q, (long)b->n);
	int cmp;

	assert_non_null(x);
	assert_non_null(y);
	cmp = X509_NAME_cmp(x, y);
	X509_NAME_free(x);
	X509_NAME_free(y);
	return cmp;
}

static void
test_names_as_openssl(void **state)
{
	static const struct {
		uint8_t tag;
		const char *text;
	} names[] = {
		{ 0x0c, "Factory CA" }, { 0x13, "Factory CA" }, { 0x13, "FACTORY ca" },
		{ 0x16, "  factory\t ca " }, { 0x0c, "Factory  CA" }, { 0x0c, "FactoryCA" },
		{ 0x0c, "Factory CA 2" }, { 0x0c, "F\xc3\xa4hre" }, { 0x14, "F\xe4hre" },
		{ 0x0c, "F\xc3\x84hre" }, { 0x0c, "" }, { 0x0c, " " }, { 0x13, "Factory C" },
	};
	struct bytes a = { 0 }, b = { 0 };
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		make_name(&a, names[i].tag, "Example", names[i].text);
		for (j = 0; j < sizeof(names) / sizeof(names[0]); j++) {
			make_name(&b, names[j].tag, "Example", names[j].text);
			assert_int_equal(name_equal(a.p, a.n, b.p, b.n), openssl_name_cmp(&a, &b) == 0);
			bytes_free(&b);
		}
		bytes_free(&a);
	}
}

/* ---- memory ------------------------------------------------------------- */

/* A million entries: found, verified, and not one allocation on the way. */
static void
test_a_million_entries(void **state)
{
	enum { N = 1000000 };
	struct crl_signer signer = { .name = name.p, .name_len = name.n, .key = make_key("P-256"), .may_sign = true };
	struct bytes entries = { 0 }, der = { 0 };
	struct make m = { .key = signer.key, .alg = "ecdsa-sha256", .name = &name, .entries = &entries };
	struct crl_scan *scan;
	struct mallinfo2 start, end;
	size_t at, len;
	uint8_t serial[8] = { 0x40 };
	uint32_t i;

	(void)state;
	for (i = 0; i < N; i++) {
		memcpy(serial + 4, &i, sizeof(i));
		make_entry(&entries, i == N - 5 ? (const uint8_t *)OURS : serial, i == N - 5 ? 3 : 8, DATE,
		    i % 3 == 0 ? 1 : -1);
	}
	make_crl(&m, &der);
	bytes_free(&entries);
	scan = make_scan(inventory, &signer, 1, 1UL << 30);
	assert_non_null(scan);
	start = mallinfo2();
	for (at = 0; at < der.n; at += len) {
		len = der.n - at < 32768 ? der.n - at : 32768;
		assert_int_equal(crl_scan_feed(scan, der.p + at, len), 0);
	}
	end = mallinfo2();
	assert_int_equal(end.uordblks, start.uordblks);
	assert_int_equal(end.hblkhd, start.hblkhd);
	assert_int_equal(crl_scan_finish(scan, NULL, 0), E_NONE);
	assert_int_equal(crl_scan_verdict(scan)->entries, N);
	assert_int_equal(hits(scan), 1);
	crl_scan_free(scan);
	bytes_free(&der);
	EVP_PKEY_free(signer.key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_algorithms),
		cmocka_unit_test(test_message_must_be_the_same),
		cmocka_unit_test(test_several_keys_of_one_name),
		cmocka_unit_test(test_certificate),
		cmocka_unit_test(test_names_as_openssl),
		cmocka_unit_test(test_a_million_entries),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
