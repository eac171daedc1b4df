/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_crl_others.c -- CRLs and OCSP answers that others made: NIST's PKITS, zlint,
 * Mbed TLS, OpenSSL's fuzzers; and random CRLs. Each is read as OpenSSL reads it, or
 * the difference stands here with its reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>

#include "crl_make.h"
#include "crl_openssl.h"
#include "pki/authority.h"
#include "pki/crl_input.h"
#include "pki/crl_scan.h"
#include "pki/name.h"
#include "pki/ocsp_parts.h"
#include "pki/source.h"
#include "third_party.h"

/* ---- fuzz inputs -------------------------------------------------------- */

struct reader {
	struct crl_scan *scan;
	bool again;
	enum source_error errors[8];
	struct crl_verdict verdicts[8];
	uint32_t n;
};

static int
reader_begin(void *arg, uint32_t n)
{
	struct reader *r = arg;

	if (r->again)
		crl_scan_again(r->scan);
	else
		crl_scan_reset(r->scan);
	return n >= 8;
}

static int
reader_der(void *arg, const uint8_t *der, size_t n)
{
	return crl_scan_feed(((struct reader *)arg)->scan, der, n);
}

static void
reader_end(void *arg, enum source_error error, const char *why)
{
	struct reader *r = arg;
	const struct crl_verdict *v = crl_scan_verdict(r->scan);

	if (error != E_NONE)
		crl_scan_refuse(r->scan, error, why);
	r->errors[r->n] = crl_scan_finish(r->scan, NULL, 0);
	r->verdicts[r->n++] = *v;
}

static const struct crl_input_taker reader_calls = { reader_begin, reader_der, reader_end };

/* All CRLs of a file; what the file as a whole is. */
static enum source_error
read_file(struct reader *r, const struct bytes *file)
{
	struct crl_input in;

	r->n = 0;
	crl_input_init(&in, &reader_calls, r);
	(void)crl_input_feed(&in, file->p, file->n);
	return crl_input_finish(&in);
}

/* Nobody signed these for us: whatever they are, they are refused. */
static void
fuzz_input(const struct bytes *file, const char *which, void *arg)
{
	struct reader *r = arg;
	uint32_t i;

	(void)which;
	if (read_file(r, file) != E_NONE)
		return;
	for (i = 0; i < r->n; i++)
		assert_int_not_equal(r->errors[i], E_NONE);
}

static void
test_fuzz_inputs(void **state)
{
	static const struct crl_scan_setup with = { .max_size = 1 << 24, .allow_sha1 = true };
	struct reader r = { 0 };
	char folder[512];

	(void)state;
	need_folder(third_party(folder, "pki/openssl-fuzz-crl"));
	assert_non_null(r.scan = crl_scan_new(&with));
	each_file(folder, "", fuzz_input, &r);
	crl_scan_free(r.scan);
}

/* ---- faulty CRLs -------------------------------------------------------- */

struct fault {
	const char *file;
	enum source_error error;
	uint32_t warnings;
	const char *why;
};

struct faults {
	const struct fault *list;
	size_t n;
	struct reader reader;
	unsigned read, expected;
};

/* Read as if it had been verified: of most the signer is not at hand. Whatever is
 * not in the list has nothing wrong with its form. */
static void
fault_of(const struct bytes *file, const char *which, void *arg)
{
	struct faults *all = arg;
	enum source_error error = E_NONE;
	uint32_t warnings = 0, i;
	size_t k;

	if (read_file(&all->reader, file) == E_NOT_CRL)
		return;		/* certificates */
	for (k = 0; k < all->n; k++)
		if (strcmp(all->list[k].file, which) == 0) {
			error = all->list[k].error;
			warnings = all->list[k].warnings;
			all->expected++;
		}
	for (i = 0; i < all->reader.n; i++) {
		if ((i == 0 ? error : E_NONE) != all->reader.errors[i] ||
		    warnings != all->reader.verdicts[i].warnings)
			fail_msg("%s: %s (%s), warnings %x", which, source_error_name(all->reader.errors[i]),
			    all->reader.verdicts[i].why, all->reader.verdicts[i].warnings);
		all->read++;
	}
}

static void
run_faults(struct faults *all, const char *folder, unsigned at_least)
{
	static const struct crl_scan_setup with = { .max_size = 1 << 24, .allow_sha1 = true };

	all->reader.again = true;
	assert_non_null(all->reader.scan = crl_scan_new(&with));
	each_file(folder, ".pem", fault_of, all);
	crl_scan_free(all->reader.scan);
	assert_int_equal(all->expected, all->n);
	assert_true(all->read >= at_least);
}

#define OFFSET "RFC 5280 5.1.2.4: times are in UTC, these have +0100"

static void
test_zlint(void **state)
{
	static const struct fault list[] = {
		{ "crlEmpty.pem", E_DER, 0, "a private key where the key identifier belongs" },
		{ "crlEntrustNoRevokedCerts01.pem", E_NONE, CRL_WARN_EMPTY_LIST, NULL },
		{ "crlEntrustNoRevokedCerts02.pem", E_NONE, CRL_WARN_EMPTY_LIST, NULL },
		{ "crl_empty_revoked_certificates_ko.pem", E_NONE, CRL_WARN_EMPTY_LIST, NULL },
		{ "crlWithRevokedCertificatesContainerButNoActualRevokedCerts-CBonnell.pem", E_NONE,
		    CRL_WARN_EMPTY_LIST, NULL },
		{ "crlWithRevokedCertificatesContainerButNoActualRevokedCerts-ReallyReallyBroken.pem", E_NONE,
		    CRL_WARN_EMPTY_LIST, NULL },
		{ "crlWithReasonCode7.pem", E_NONE, CRL_WARN_REASON, NULL },
		{ "crl_number_negative.pem", E_DER, 0, "RFC 5280 5.2.3" },
		{ "crl_number_too_large.pem", E_DER, 0, "RFC 5280 5.2.3" },
		{ "crl_ecc_sha384_nulx_effx.pem", E_DER, 0, "RFC 5758 3.2: ECDSA has no parameters" },
		{ "crl_rsa_sha224_nul0_eff1.pem", E_WEAK, 0, NULL },
		{ "crl_rsa_sha224_nul1_effx.pem", E_WEAK, 0, NULL },
		{ "crlWithAuthKeyID.pem", E_DER, 0, OFFSET },
		{ "crlWithMissingAuthKeyID.pem", E_DER, 0, OFFSET },
		{ "crlWithDuplicatesInCRLEntryExtensions.pem", E_DER, 0, OFFSET },
		{ "crlWithNoDuplicateInCRLEntryExtensions.pem", E_DER, 0, OFFSET },
		{ "crl_no_duplicate_ext.pem", E_DER, 0, OFFSET },
		{ "crl_with_duplicate_ext.pem", E_DER, 0, OFFSET },
	};
	struct faults all = { .list = list, .n = sizeof(list) / sizeof(list[0]) };
	char folder[512];

	(void)state;
	need_folder(third_party(folder, "pki/zlint-crl"));
	run_faults(&all, folder, 50);
}

static void
test_mbedtls(void **state)
{
	static const struct fault list[] = {
		{ "crl-ec-sha224.pem", E_WEAK, 0, NULL },
		{ "crl-rsa-pss-sha224.pem", E_WEAK, 0, NULL },
		{ "crl_sha224.pem", E_WEAK, 0, NULL },
		{ "crl_md5.pem", E_WEAK, 0, NULL },
		{ "crl_cat_rsabadpem-ec.pem", E_DER, 0, "the first of two is no base64; the second is read" },
	};
	struct faults all = { .list = list, .n = sizeof(list) / sizeof(list[0]) };
	char folder[512];

	(void)state;
	need_folder(third_party(folder, "pki/mbedtls-crl"));
	run_faults(&all, folder, 25);
}

static int
hex_digit(char c)
{
	const char *all = "0123456789abcdef", *at = c != '\0' ? strchr(all, c | 0x20) : NULL;

	return at != NULL ? (int)(at - all) : -1;
}

/* Lines of name, hex and the error that Mbed TLS has for it. Those that it takes
 * are signed with SHA-224, but for one that writes a default out. */
static void
test_mbedtls_vectors(void **state)
{
	static const struct crl_scan_setup with = { .max_size = 1 << 24, .allow_sha1 = true };
	struct bytes file = { 0 }, der = { 0 };
	struct crl_scan *scan;
	char folder[512], *line, *save = NULL, *hex;
	unsigned refused = 0;

	(void)state;
	need_folder(third_party(folder, "pki/mbedtls-crl"));
	assert_true(read_whole(folder, "crl_asn1_vectors.tsv", &file));
	bytes_octet(&file, '\0');
	assert_non_null(scan = crl_scan_new(&with));
	for (line = strtok_r((char *)file.p, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
		if (strncmp(line, "X509 CRL", 8) != 0 || (hex = strchr(line, '\t')) == NULL)
			continue;
		for (hex++; hex_digit(hex[0]) >= 0 && hex_digit(hex[1]) >= 0; hex += 2)
			bytes_octet(&der, (uint8_t)(hex_digit(hex[0]) << 4 | hex_digit(hex[1])));
		crl_scan_again(scan);
		(void)crl_scan_feed(scan, der.p, der.n);
		if (strstr(line, "extension not critical explicit") != NULL) {
			assert_int_equal(crl_scan_finish(scan, NULL, 0), E_NONE);
			assert_int_equal(crl_scan_verdict(scan)->warnings, CRL_WARN_BOOLEAN);
		} else if (crl_scan_finish(scan, NULL, 0) == E_NONE) {
			fail_msg("%.80s is taken", line);
		}
		refused++;
		bytes_free(&der);
	}
	assert_true(refused > 30);
	crl_scan_free(scan);
	bytes_free(&file);
}

/* ---- PKITS -------------------------------------------------------------- */

struct pkits {
	const char *certificates;
	unsigned verified, refused, disagree;
};

static const struct {
	const char *file;
	enum source_error error;
	const char *why;
} pkits_refused[] = {
	{ "BadCRLSignatureCACRL.crl", E_DER, "its signature is no whole number of octets; OpenSSL: wrong" },
	{ "DSACACRL.crl", E_WEAK, "DSA with SHA-1, which nothing of ours signs with" },
	{ "DSAParametersInheritedCACRL.crl", E_WEAK, "the same" },
	{ "UnknownCRLEntryExtensionCACRL.crl", E_CRITICAL, "OpenSSL says so later, for each certificate" },
	{ "UnknownCRLExtensionCACRL.crl", E_CRITICAL, "the same" },
	{ "onlyContainsAttributeCertsCACRL.crl", E_IDP, "it can say nothing about our certificates" },
};

/* Certificates of the suite whose subject is that name; the ones that verify this
 * CRL first. */
static X509 *
pkits_issuer(const char *folder, X509_CRL *crl, bool *verifies)
{
	struct bytes file = { 0 };
	struct dirent *e;
	DIR *dir = opendir(folder);
	X509 *found = NULL, *x;
	const uint8_t *p;

	*verifies = false;
	while (dir != NULL && !*verifies && (e = readdir(dir)) != NULL) {
		x = NULL;
		if (strstr(e->d_name, ".crt") != NULL && read_whole(folder, e->d_name, &file)) {
			p = file.p;
			x = d2i_X509(NULL, &p, (long)file.n);
		}
		bytes_free(&file);
		if (x == NULL || X509_get0_pubkey(x) == NULL ||
		    X509_NAME_cmp(X509_get_subject_name(x), X509_CRL_get_issuer(crl)) != 0) {
			X509_free(x);
			continue;
		}
		*verifies = X509_CRL_verify(crl, X509_get0_pubkey(x)) == 1 &&
		    (X509_get_key_usage(x) & KU_CRL_SIGN) != 0;
		if (found == NULL || *verifies) {
			X509_free(found);
			found = x;
		} else {
			X509_free(x);
		}
	}
	if (dir != NULL)
		closedir(dir);
	return found;
}

static void
pkits_one(const struct bytes *file, const char *which, void *arg)
{
	struct pkits *all = arg;
	const uint8_t *p = file->p;
	X509_CRL *crl = d2i_X509_CRL(NULL, &p, (long)file->n);
	uint8_t digest[KEY_DIGEST_LEN];
	enum source_error error, want;
	struct crl_signer signer = { .name = NULL };
	bool verifies;
	X509 *issuer;
	size_t i;

	assert_non_null(crl);
	/* none with a key: where DSA parameters are inherited */
	if ((issuer = pkits_issuer(all->certificates, crl, &verifies)) != NULL)
		assert_int_equal(certificate_signer(issuer, &signer, digest), 0);
	want = verifies ? E_NONE : E_SIG;
	for (i = 0; i < sizeof(pkits_refused) / sizeof(pkits_refused[0]); i++)
		if (strcmp(pkits_refused[i].file, which) == 0)
			want = pkits_refused[i].error;
	/* cRLSign missing in the issuer's certificate: OpenSSL's chain check says it */
	if (want == E_SIG && !signer.may_sign)
		want = E_SIGNER;
	error = crl_as_openssl(crl, file, &signer, which, &all->disagree);
	if (error != want) {
		print_error("%s: %s, not %s\n", which, source_error_name(error), source_error_name(want));
		all->disagree++;
	}
	if (error == E_NONE)
		all->verified++;
	else
		all->refused++;
	X509_free(issuer);
	X509_CRL_free(crl);
}

static void
test_pkits(void **state)
{
	char folder[512], certificates[512];
	struct pkits all = { .certificates = third_party(certificates, "pki/pkits/certs") };

	(void)state;
	need_folder(third_party(folder, "pki/pkits/crls"));
	each_file(folder, ".crl", pkits_one, &all);
	print_message("%u verified, %u refused\n", all.verified, all.refused);
	assert_int_equal(all.disagree, 0);
	assert_true(all.verified > 150);
}

/* ---- random ones -------------------------------------------------------- */

static uint64_t dice = 88172645463325252ULL;

static unsigned
roll(unsigned sides)
{
	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	return (unsigned)(dice >> 33) % sides;
}

static void
random_extensions(struct bytes *exts, const struct bytes *issuers, bool indirect, bool delta)
{
	static const uint8_t reasons[] = { 0, 1, 2, 3, 4, 5, 6, 9, 10, 8 };
	uint8_t value[] = { 0x0a, 1, reasons[roll(delta ? 10 : 9)] };
	struct bytes names = { 0 }, seq = { 0 };
	const struct bytes *issuer;

	if (roll(3) > 0)
		EXTENSION(exts, OID_REASON, false, value, sizeof(value));
	if (roll(8) == 0)
		EXTENSION(exts, "\x55\x1d\x18", false, "\x18\x0f" "20250101000000Z", 17);
	if (roll(16) == 0)
		EXTENSION(exts, OID_UNKNOWN, false, "\x04\x02hi", 4);
	if (indirect && roll(5) == 0) {
		issuer = &issuers[roll(4)];
		bytes_element(&names, 0xa4, issuer->p, issuer->n);
		bytes_element(&seq, 0x30, names.p, names.n);
		EXTENSION(exts, OID_ISSUER, true, seq.p, seq.n);
		bytes_free(&names);
		bytes_free(&seq);
	}
}

/* One serial each: of several entries for one, OpenSSL finds any. */
static void
random_entries(struct bytes *entries, unsigned n, const struct bytes *issuers, bool indirect, bool delta)
{
	static const char *const dates[] = { "260301120000Z", "20260301120000Z", "990101000000Z", "491231235959Z",
		"20500101000000Z" };
	struct bytes exts = { 0 };
	uint8_t serial[21];
	unsigned i, k, len;

	for (i = 0; i < n; i++) {
		len = 4 + roll(17);
		for (k = 0; k < len; k++)
			serial[k] = (uint8_t)roll(256);
		memcpy(serial + len - 3, (uint8_t[]){ (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i }, 3);
		serial[0] = roll(3) == 0 && len < 20 ? 0 : (uint8_t)(1 + roll(127));
		if (serial[0] == 0)
			serial[1] |= 0x80;
		random_extensions(&exts, issuers, indirect, delta);
		make_entry_with(entries, serial, len, dates[roll(8) == 0 ? roll(5) : 0],
		    exts.n > 0 ? &exts : NULL);
		bytes_free(&exts);
	}
}

static void
random_crl(EVP_PKEY *key, const struct bytes *issuers, unsigned n, bool indirect, bool delta, unsigned *disagree)
{
	struct bytes entries = { 0 }, exts = { 0 }, der = { 0 };
	struct make m = { .key = key, .alg = "ecdsa-sha256", .name = &issuers[0], .extensions = &exts };
	struct crl_signer signer = { .name = issuers[0].p, .name_len = issuers[0].n, .key = key,
		.may_sign = true };
	const uint8_t *p;
	X509_CRL *crl;
	char which[80];

	random_entries(&entries, n, issuers, indirect, delta);
	if (n > 0 || roll(2))
		m.entries = &entries;
	if (delta)
		EXTENSION(&exts, OID_DELTA, true, "\x02\x01\x01", 3);
	if (indirect)
		EXTENSION(&exts, OID_IDP, true, "\x30\x03\x84\x01\xff", 5);
	make_crl(&m, &der);
	p = der.p;
	assert_non_null(crl = d2i_X509_CRL(NULL, &p, (long)der.n));
	assert_int_equal(X509_CRL_verify(crl, key), 1);
	snprintf(which, sizeof(which), "random %u%s%s", n, indirect ? " indirect" : "", delta ? " delta" : "");
	assert_int_equal(crl_as_openssl(crl, &der, &signer, which, disagree), E_NONE);
	X509_CRL_free(crl);
	bytes_free(&entries);
	bytes_free(&exts);
	bytes_free(&der);
}

static void
test_random_as_openssl(void **state)
{
	static const unsigned sizes[] = { 0, 1, 2, 3, 17, 100, 1000, 5000, 100000 };
	EVP_PKEY *key = make_key("P-256");
	struct bytes issuers[4] = { { 0 } };
	unsigned disagree = 0, round;
	size_t i;

	(void)state;
	make_name(&issuers[0], 0x0c, "Example", "Factory CA");
	make_name(&issuers[1], 0x13, "EXAMPLE", "factory ca");
	make_name(&issuers[2], 0x0c, "Example", "Another CA");
	make_name(&issuers[3], 0x1e, "\0E\0x", "\0A");
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (round = 0; round < (sizes[i] > 5000 ? 1 : sizes[i] > 1000 ? 4 : 20); round++)
			/* the largest is neither; its shape is that of the others */
			random_crl(key, issuers, sizes[i], sizes[i] <= 5000 && (round & 1) != 0,
			    sizes[i] > 5000 || (round & 2) != 0, &disagree);
	assert_int_equal(disagree, 0);
	for (i = 0; i < 4; i++)
		bytes_free(&issuers[i]);
	EVP_PKEY_free(key);
}

/* ---- OCSP answers ------------------------------------------------------- */

static X509 *
read_pem(const char *folder, const char *file)
{
	char path[1024];
	X509 *x = NULL;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, file);
	if ((f = fopen(path, "r")) != NULL) {
		x = PEM_read_X509(f, NULL, NULL, NULL);
		fclose(f);
	}
	return x;
}

static bool
read_base64(const char *folder, const char *file, struct bytes *out)
{
	EVP_ENCODE_CTX *ctx = EVP_ENCODE_CTX_new();
	struct bytes text = { 0 };
	int n = 0, more = 0;
	bool ok;

	ok = read_whole(folder, file, &text);
	EVP_DecodeInit(ctx);
	bytes_free(out);
	out->p = calloc(1, text.n + 3);
	ok = ok && EVP_DecodeUpdate(ctx, out->p, &n, text.p, (int)text.n) >= 0 &&
	    EVP_DecodeFinal(ctx, out->p + n, &more) == 1;
	out->n = (size_t)(n + more);
	EVP_ENCODE_CTX_free(ctx);
	bytes_free(&text);
	return ok;
}

/* What each group of files has wrong; ND: signed by the CA, D: by one it let sign. */
static void
test_ocsp_answers(void **state)
{
	static const struct {
		const char *answer;	/* before ND1, D1, ... */
		const char *issuer;
		bool delegated_only;
		enum ocsp_status status;
		enum source_error nd, d;
	} rows[] = {
		{ "", "", false, OCSP_GOOD, E_NONE, E_NONE },
		{ "ISOP_", "", false, OCSP_NO_ANSWER, E_SIG, E_SIG },		/* signature of the answer */
		{ "WRID_", "", false, OCSP_NO_ANSWER, E_SIGNER, E_SIGNER },	/* another responder named */
		{ "WINH_", "", false, OCSP_NO_ANSWER, E_SCOPE, E_SCOPE },	/* issuer's name hash */
		{ "WIKH_", "", false, OCSP_NO_ANSWER, E_SCOPE, E_SCOPE },	/* issuer's key hash */
		{ "WKDOSC_", "", true, OCSP_NO_ANSWER, E_NONE, E_SIGNER },		/* key of the responder */
		{ "ISDOSC_", "", true, OCSP_NO_ANSWER, E_NONE, E_SIGNER },	/* its certificate's signature */
		{ "", "WSNIC_", false, OCSP_NO_ANSWER, E_SCOPE, E_SCOPE },	/* name of our issuer */
		{ "", "WKIC_", false, OCSP_NO_ANSWER, E_SCOPE, E_SCOPE },	/* key of our issuer */
		/* whoever signed our issuer's certificate: the administrator trusts it as it is */
		{ "", "ISIC_", false, OCSP_GOOD, E_NONE, E_NONE },
	};
	static const char *const kinds[][2] = { { "ND1", "ICA" }, { "ND2", "Root" }, { "ND3", "Root" },
		{ "D1", "ICA" }, { "D2", "Root" }, { "D3", "Root" } };
	static const char *const subjects[] = { "EE", "ICA", "EE" };
	struct ocsp_policy p = { .skew_ms = 300000, .max_age_ms = 30 * 86400000LL };
	const char *why = NULL;
	struct ocsp_response response;
	uint32_t detail = 0;
	char folder[512], file[128];
	struct ocsp_answer out;
	struct bytes der = { 0 };
	X509 *issuer, *cert;
	size_t i, k;

	(void)state;
	need_folder(third_party(folder, "pki/openssl-ocsp"));
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (k = rows[i].delegated_only ? 3 : 0; k < 6; k++) {
			struct ocsp_question q = { .issuers = &issuer, .n_issuers = 1, .allow_sha1 = true };
			const ASN1_INTEGER *serial;

			snprintf(file, sizeof(file), "%s%s.ors", rows[i].answer, kinds[k][0]);
			assert_true(read_base64(folder, file, &der));
			snprintf(file, sizeof(file), "%s%s_Issuer_%s.pem", rows[i].issuer, kinds[k][0],
			    kinds[k][1]);
			assert_non_null(issuer = read_pem(folder, file));
			snprintf(file, sizeof(file), "%s_Cert_%s.pem", kinds[k][0], subjects[k % 3]);
			assert_non_null(cert = read_pem(folder, file));
			serial = X509_get0_serialNumber(cert);
			q.serial = ASN1_STRING_get0_data(serial);
			q.serial_len = (size_t)ASN1_STRING_length(serial);
			/* in 2012, each an hour after it was made */
			assert_int_equal(ocsp_response_parse(der.p, der.n, true, &response, &detail, &why),
			    E_NONE);
			p.now.wall_ms = response.produced_at + 3600000;
			ocsp_response_check(der.p, der.n, &q, &p, &out);
			if (out.status != rows[i].status || out.error != (k < 3 ? rows[i].nd : rows[i].d))
				fail_msg("%s%s with %s%s: %d %s (%s)", rows[i].answer, kinds[k][0],
				    rows[i].issuer, kinds[k][0], out.status, source_error_name(out.error),
				    out.why);
			X509_free(issuer);
			X509_free(cert);
		}
	}
	bytes_free(&der);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fuzz_inputs),
		cmocka_unit_test(test_zlint),
		cmocka_unit_test(test_mbedtls),
		cmocka_unit_test(test_mbedtls_vectors),
		cmocka_unit_test(test_pkits),
		cmocka_unit_test(test_random_as_openssl),
		cmocka_unit_test(test_ocsp_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
