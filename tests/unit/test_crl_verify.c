/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_crl_verify.c -- who may sign, with which keys and algorithms; agreement
 * with OpenSSL on real CRLs; and that a million entries need no more memory
 * than one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/x509v3.h>

#include "crl_make.h"
#include "pki/authority.h"
#include "pki/crl_input.h"
#include "pki/crl_scan.h"
#include "pki/name.h"
#include "pki/source.h"

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

/* ---- helpers ------------------------------------------------------------ */

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
		{ "P-256", "unknown", E_SIGALG },
		/* the algorithm of another kind of key than the authority has */
		{ "P-256", "rsa-sha256", E_SIGALG },
		{ "rsa:2048", "ecdsa-sha256", E_SIGALG },
		{ "P-256", "ed25519", E_SIGALG },
	};
	struct crl_signer signer = { name.p, name.n, NULL, true };
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
	struct crl_signer signer = { name.p, name.n, make_key("ED25519"), true };
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
	struct crl_signer signers[3] = { { name.p, name.n, make_key("P-256"), true },
		{ name.p, name.n, make_key("rsa:2048"), true },
		{ name.p, name.n, make_key("P-256"), true } };
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
	struct crl_signer signer = { name.p, name.n, make_key("P-256"), true };
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

/* ---- real ones ---------------------------------------------------------- */

static const char *
data_folder(char out[512], const char *below)
{
	const char *root = getenv("CORDON_DATA"), *source = getenv("srcdir");

	if (root != NULL)
		snprintf(out, 512, "%s/%s", root, below);
	else
		snprintf(out, 512, "%s/../shared/data/%s", source != NULL ? source : ".", below);
	return out;
}

static bool
read_whole(const char *folder, const char *file, struct bytes *out)
{
	char path[1024];
	uint8_t piece[4096];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, file);
	if ((f = fopen(path, "rb")) == NULL)
		return false;
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
		bytes_add(out, piece, n);
	fclose(f);
	return out->n > 0;
}

/* Before anything is allocated: skip() comes back to nobody. */
static void
need_folder(const char *folder)
{
	if (access(folder, R_OK | X_OK) == 0)
		return;
	print_message("skipped: no folder %s\n", folder);
	skip();
}

static void
each_file(const char *folder, const char *suffix, void (*f)(const struct bytes *, const char *, void *),
    void *arg)
{
	struct bytes file = { 0 };
	struct dirent *e;
	size_t n, m = strlen(suffix);
	DIR *dir = opendir(folder);

	assert_non_null(dir);
	while ((e = readdir(dir)) != NULL) {
		n = strlen(e->d_name);
		if (e->d_name[0] == '.' || n < m || strcmp(e->d_name + n - m, suffix) != 0)
			continue;
		if (read_whole(folder, e->d_name, &file))
			f(&file, e->d_name, arg);
		bytes_free(&file);
	}
	closedir(dir);
}

/* Nobody signed these for us: whatever they are, they give no hit. */
static void
fuzz_input(const struct bytes *file, const char *which, void *arg)
{
	struct crl_signer signer = { name.p, name.n, arg, true };
	size_t n;

	(void)which;
	assert_int_not_equal(verify(file, &signer, 1, &n), E_NONE);
	assert_int_equal(n, 0);
}

static void
test_fuzz_inputs(void **state)
{
	char folder[512];
	EVP_PKEY *key;

	(void)state;
	need_folder(data_folder(folder, "pki/openssl-fuzz-crl"));
	key = make_key("P-256");
	each_file(folder, "", fuzz_input, key);
	EVP_PKEY_free(key);
}

struct agreement {
	const char *certificates;
	unsigned verified;
	unsigned refused;
	unsigned disagree;
};

/* Any certificate of the suite that verifies this CRL, as OpenSSL sees it. */
static X509 *
issuer_of(const char *folder, X509_CRL *crl)
{
	struct bytes file = { 0 };
	struct dirent *e;
	DIR *dir = opendir(folder);
	X509 *found = NULL, *x;
	EVP_PKEY *key;
	const uint8_t *p;

	while (dir != NULL && found == NULL && (e = readdir(dir)) != NULL) {
		if (strstr(e->d_name, ".crt") == NULL || !read_whole(folder, e->d_name, &file)) {
			bytes_free(&file);
			continue;
		}
		p = file.p;
		x = d2i_X509(NULL, &p, (long)file.n);
		bytes_free(&file);
		key = x != NULL ? X509_get0_pubkey(x) : NULL;
		if (key != NULL && X509_NAME_cmp(X509_get_subject_name(x), X509_CRL_get_issuer(crl)) == 0 &&
		    X509_CRL_verify(crl, key) == 1)
			found = x;
		else
			X509_free(x);
	}
	if (dir != NULL)
		closedir(dir);
	return found;
}

/* The octets as they stand in the CRL: what a negative number looks like is
 * what a device's certificate has, too. */
static void
serial_of(const X509_REVOKED *entry, struct serial *out)
{
	uint8_t *der = NULL;
	int n = i2d_ASN1_INTEGER(X509_REVOKED_get0_serialNumber(entry), &der);

	assert_in_range(n, 3, 2 + 32);
	serial_load(out, der + 2, (size_t)n - 2);
	OPENSSL_free(der);
}

/* All entries that OpenSSL sees become our inventory: all of them must be hit. */
static size_t
hits_of_all(X509_CRL *crl, const struct crl_signer *signer, const struct bytes *der, enum source_error *error,
    struct crl_verdict *v)
{
	STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(crl);
	int n = sk_X509_REVOKED_num(entries), i;
	struct inventory_cert *certs = calloc((size_t)(n > 0 ? n : 1), sizeof(*certs));
	struct inventory *inv;
	struct crl_scan *scan;
	size_t found;

	for (i = 0; i < n; i++)
		serial_of(sk_X509_REVOKED_value(entries, i), &certs[i].serial);
	inv = inventory_new(certs, (size_t)(n > 0 ? n : 0), &hash_key);
	scan = make_scan(inv, signer, 1, 1UL << 30);
	(void)crl_scan_feed(scan, der->p, der->n);
	*error = crl_scan_finish(scan, NULL, 0);
	found = hits(scan);
	*v = *crl_scan_verdict(scan);
	crl_scan_free(scan);
	inventory_free(inv);
	free(certs);
	return found;
}

static void
agree(const struct bytes *file, const char *which, void *arg)
{
	struct agreement *all = arg;
	const uint8_t *p = file->p;
	X509_CRL *crl = d2i_X509_CRL(NULL, &p, (long)file->n);
	X509 *issuer = crl != NULL ? issuer_of(all->certificates, crl) : NULL;
	struct crl_verdict v = { 0 };
	uint8_t digest[KEY_DIGEST_LEN];
	struct crl_signer signer;
	enum source_error error;
	size_t found;
	int entries;

	if (issuer == NULL)
		goto out;
	assert_int_equal(certificate_signer(issuer, &signer, digest), 0);
	entries = sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl));
	found = hits_of_all(crl, &signer, file, &error, &v);
	if (error != E_NONE) {
		all->refused++;
		assert_int_equal(found, 0);
		print_message("%s: %s (%s)\n", which, source_error_name(error), v.why);
		goto out;
	}
	all->verified++;
	/* entries of other issuers, and those that only remove, are no hits of ours */
	if (v.entries != (uint64_t)(entries > 0 ? entries : 0) ||
	    (found != v.entries && (v.scope & CRL_SCOPE_INDIRECT) == 0 && !v.delta)) {
		print_error("%s: %zu hits, %d entries by OpenSSL, %llu by us\n", which, found, entries,
		    (unsigned long long)v.entries);
		all->disagree++;
	}
out:
	X509_free(issuer);
	X509_CRL_free(crl);
}

static void
test_pkits_as_openssl(void **state)
{
	char folder[512], certificates[512];
	struct agreement all = { .certificates = data_folder(certificates, "pki/pkits/certs") };

	(void)state;
	need_folder(data_folder(folder, "pki/pkits/crls"));
	each_file(folder, ".crl", agree, &all);
	print_message("%u verified, %u refused\n", all.verified, all.refused);
	assert_int_equal(all.disagree, 0);
	assert_true(all.verified > 100);
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
		cmocka_unit_test(test_fuzz_inputs),
		cmocka_unit_test(test_pkits_as_openssl),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
