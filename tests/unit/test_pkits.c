/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_pkits.c -- NIST's path validation tests (PKITS), as far as they are about
 * CRLs, from its files to verdicts about devices. Each end entity is a device; the
 * CAs of its names, and whom its certificates name as CRL issuers, are declared as an
 * administrator would. "Valid" must be proven clean up to the trust anchor, "Invalid"
 * must not: revoked, or not proven. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/x509v3.h>

#include "pki/name.h"
#include "third_party.h"
#include "world.h"

#define FILES 512
#define AT_2020 1590969600000LL		/* the certificates run from 2010 to 2030 */

struct file {
	char name[96];
	struct bytes der;
	X509 *x;
};

static struct file certs[FILES], crls[FILES];
static size_t n_certs, n_crls;

/* ---- the files ---------------------------------------------------------- */

static void
take_cert(const struct bytes *der, const char *name, void *arg)
{
	struct file *f = &certs[n_certs];

	(void)arg;
	assert_true(n_certs < FILES);
	if ((f->x = certificate_read(der->p, der->n)) == NULL)
		return;		/* keys that nobody uses any more */
	snprintf(f->name, sizeof(f->name), "%s", name);
	bytes_add(&f->der, der->p, der->n);
	n_certs++;
}

static void
take_crl(const struct bytes *der, const char *name, void *arg)
{
	struct file *f = &crls[n_crls++];

	(void)arg;
	assert_true(n_crls < FILES);
	snprintf(f->name, sizeof(f->name), "%s", name);
	bytes_add(&f->der, der->p, der->n);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct file *)a)->name, ((const struct file *)b)->name);
}

static void
files_free(void)
{
	size_t i;

	for (i = 0; i < n_certs; i++) {
		X509_free(certs[i].x);
		bytes_free(&certs[i].der);
	}
	for (i = 0; i < n_crls; i++)
		bytes_free(&crls[i].der);
	memset(certs, 0, sizeof(certs));
	memset(crls, 0, sizeof(crls));
	n_certs = n_crls = 0;
}

/* ---- an administrator --------------------------------------------------- */

static bool
is_device(const struct file *f)
{
	size_t n = strlen(f->name);

	return n > 6 && strcmp(f->name + n - 6, "EE.crt") == 0;
}

static bool
same(const X509_NAME *a, const X509_NAME *b)
{
	const uint8_t *ap, *bp;
	size_t al, bl;

	return X509_NAME_get0_der((X509_NAME *)(uintptr_t)a, &ap, &al) == 1 &&
	    X509_NAME_get0_der((X509_NAME *)(uintptr_t)b, &bp, &bl) == 1 && name_equal(ap, al, bp, bl);
}

static void
declare(struct world *w, uint32_t ca, uint32_t role, const struct file *f)
{
	struct image_issuer *i = &w->issuers[w->n_issuers].issuer;

	assert_true(w->n_issuers < WORLD_ISSUERS);
	i->certificate = (uint32_t)w->blobs.n;
	i->certificate_len = (uint32_t)f->der.n;
	i->role = role;
	bytes_add(&w->blobs, f->der.p, f->der.n);
	w->issuers[w->n_issuers++].ca = ca;
}

static uint32_t authority(struct world *, const X509_NAME *);

/* Whom this certificate names as CRL issuers may sign the CRLs of who issued it. */
static void
delegates(struct world *w, uint32_t ca, const struct file *f)
{
	CRL_DIST_POINTS *points = X509_get_ext_d2i(f->x, NID_crl_distribution_points, NULL, NULL);
	int i, j;
	size_t c;

	for (i = 0; i < sk_DIST_POINT_num(points); i++) {
		GENERAL_NAMES *names = sk_DIST_POINT_value(points, i)->CRLissuer;

		for (j = 0; j < sk_GENERAL_NAME_num(names); j++) {
			GENERAL_NAME *name = sk_GENERAL_NAME_value(names, j);

			for (c = 0; name->type == GEN_DIRNAME && c < n_certs; c++) {
				if (is_device(&certs[c]) ||
				    !same(X509_get_subject_name(certs[c].x), name->d.directoryName))
					continue;
				declare(w, ca, ISSUER_CRL, &certs[c]);
				(void)authority(w, X509_get_issuer_name(certs[c].x));
			}
		}
	}
	CRL_DIST_POINTS_free(points);
}

/* The authority of that name, with all who stand above it. */
static uint32_t
authority(struct world *w, const X509_NAME *name)
{
	static const X509_NAME *names[WORLD_CAS];
	uint32_t ca, above;
	size_t c;

	for (ca = 0; ca < w->n_cas; ca++)
		if (same(names[ca], name))
			return ca;
	assert_true(w->n_cas < WORLD_CAS);
	names[w->n_cas++] = name;
	w->authorities[ca].number = ca + 1;
	w->authorities[ca].skew_s = 300;
	w->authorities[ca].grace_s = w->authorities[ca].max_age_s = 86400;
	w->authorities[ca].sources.n = 1;
	for (c = 0; c < n_certs; c++) {
		if (is_device(&certs[c]) || !same(X509_get_subject_name(certs[c].x), name))
			continue;
		declare(w, ca, X509_check_ca(certs[c].x) > 0 ? ISSUER_OWN : ISSUER_CRL, &certs[c]);
		above = authority(w, X509_get_issuer_name(certs[c].x));
		delegates(w, above, &certs[c]);
	}
	return ca;
}

/* False: no policy is compiled with such a certificate. */
static bool
enrol(struct world *w, const struct file *f)
{
	uint32_t ca = authority(w, X509_get_issuer_name(f->x)), i, own = 0;
	const ASN1_INTEGER *serial = X509_get0_serialNumber(f->x);
	struct image_certificate *c;

	if (ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER)
		return false;
	delegates(w, ca, f);
	world_serial(w, world_device(w), ca, 0);
	c = &w->certs[w->n_certs - 1].certificate;
	c->serial_len = (uint32_t)ASN1_STRING_length(serial);
	memcpy(c->serial, ASN1_STRING_get0_data(serial), c->serial_len);
	c->chain = (uint32_t)w->blobs.n;
	c->chain_len = (uint32_t)f->der.n;
	bytes_add(&w->blobs, f->der.p, f->der.n);
	for (i = 0; i < w->n_issuers; i++) {
		X509 *x;

		if (w->issuers[i].ca != ca || w->issuers[i].issuer.role != ISSUER_OWN)
			continue;
		own++;
		x = certificate_read(w->blobs.p + w->issuers[i].issuer.certificate,
		    w->issuers[i].issuer.certificate_len);
		if (c->issuer == 0 && X509_verify(f->x, X509_get0_pubkey(x)) == 1)
			c->issuer = own;
		X509_free(x);
	}
	return c->issuer != 0;
}

/* ---- judgement ---------------------------------------------------------- */

static void
feed(struct world *w, bool deltas)
{
	uint32_t ca;
	size_t i;

	for (ca = 0; ca < w->n_cas; ca++)
		for (i = 0; i < n_crls; i++)
			if ((strstr(crls[i].name, "deltaCRL.crl") != NULL) == deltas)
				(void)world_take(w, ca, crls[i].der.p, crls[i].der.n);
	world_judge(w);
}

/* Is that end entity's path proven clean? */
static bool
validates(const struct file *f, bool shared)
{
	const struct trust_verdict *v;
	struct world *w = world_new();
	bool clean;

	w->clock.wall_ms = AT_2020;
	if (!enrol(w, f)) {
		world_free(w);
		return false;
	}
	for (uint32_t ca = 0; shared && ca < w->n_cas; ca++)
		w->authorities[ca].flags |= AUTHORITY_ROLLOVER_SHARED;
	world_start(w);
	feed(w, false);
	feed(w, true);
	v = &trust_verdicts(w->trust)[0];
	clean = !v->revoked && v->clean && v->all_clean;
	if (v->revoked)
		assert_true(world_check(w, 0) == CHECK_REVOKED || world_check(w, 0) == CHECK_HELD);
	else if (clean)
		assert_int_equal(world_check(w, 0), CHECK_CLEAN);
	world_free(w);
	return clean;
}

static const struct file *
file_named(const char *name)
{
	size_t i;

	for (i = 0; i < n_certs; i++)
		if (strcmp(certs[i].name, name) == 0)
			return &certs[i];
	return NULL;
}

/* Where cordon decides otherwise, and why. */
static bool
differs(const char *name)
{
	/* The CRL lists -1, written as FF: a serial that some CA wrote without its sign
	 * octet is far more likely than a negative one, so that is taken for 255 as well
	 * (case 21), and 255 is this certificate. */
	return strcmp(name, "ValidNegativeSerialNumberTest14EE.crt") == 0;
}

/* The end entities of a chapter, by what their files are called. shared: the
 * administrator lets a CRL under one key of a CA clear what another key signed. */
static void
chapter(const char *const *names, bool shared)
{
	unsigned bad = 0;

	for (; *names != NULL; names++) {
		const struct file *f = file_named(*names);
		bool valid = strncmp(*names, "Valid", 5) == 0 && !differs(*names);

		assert_non_null(f);
		if (validates(f, shared) == valid)
			continue;
		print_error("%s: not so\n", *names);
		bad++;
	}
	assert_int_equal(bad, 0);
}

static void
test_revocation(void **state)
{
	static const char *const names[] = {
		"InvalidMissingCRLTest1EE.crt", "InvalidRevokedCATest2EE.crt", "InvalidRevokedEETest3EE.crt",
		"InvalidBadCRLSignatureTest4EE.crt", "InvalidBadCRLIssuerNameTest5EE.crt",
		"InvalidWrongCRLTest6EE.crt", "ValidTwoCRLsTest7EE.crt",
		"InvalidUnknownCRLEntryExtensionTest8EE.crt", "InvalidUnknownCRLExtensionTest9EE.crt",
		"InvalidUnknownCRLExtensionTest10EE.crt", "InvalidOldCRLnextUpdateTest11EE.crt",
		"Invalidpre2000CRLnextUpdateTest12EE.crt", "ValidGeneralizedTimeCRLnextUpdateTest13EE.crt",
		"ValidNegativeSerialNumberTest14EE.crt", "InvalidNegativeSerialNumberTest15EE.crt",
		"ValidLongSerialNumberTest16EE.crt", "ValidLongSerialNumberTest17EE.crt",
		"InvalidLongSerialNumberTest18EE.crt", "ValidSeparateCertificateandCRLKeysTest19EE.crt",
		"InvalidSeparateCertificateandCRLKeysTest20EE.crt",
		"InvalidSeparateCertificateandCRLKeysTest21EE.crt", NULL };

	(void)state;
	chapter(names, false);
}

static void
test_self_issued(void **state)
{
	static const char *const names[] = {
		"ValidBasicSelfIssuedOldWithNewTest1EE.crt", "InvalidBasicSelfIssuedOldWithNewTest2EE.crt",
		"ValidBasicSelfIssuedNewWithOldTest3EE.crt", "ValidBasicSelfIssuedNewWithOldTest4EE.crt",
		"InvalidBasicSelfIssuedNewWithOldTest5EE.crt", "ValidBasicSelfIssuedCRLSigningKeyTest6EE.crt",
		"InvalidBasicSelfIssuedCRLSigningKeyTest7EE.crt",
		"InvalidBasicSelfIssuedCRLSigningKeyTest8EE.crt",
		"InvalidkeyUsageCriticalcRLSignFalseTest4EE.crt",
		"InvalidkeyUsageNotCriticalcRLSignFalseTest5EE.crt", NULL };

	(void)state;
	chapter(names, true);
}

static void
test_distribution_points(void **state)
{
	static const char *const names[] = {
		"ValiddistributionPointTest1EE.crt", "InvaliddistributionPointTest2EE.crt",
		"InvaliddistributionPointTest3EE.crt", "ValiddistributionPointTest4EE.crt",
		"ValiddistributionPointTest5EE.crt", "InvaliddistributionPointTest6EE.crt",
		"ValiddistributionPointTest7EE.crt", "InvaliddistributionPointTest8EE.crt",
		"InvaliddistributionPointTest9EE.crt", "ValidNoissuingDistributionPointTest10EE.crt",
		"InvalidonlyContainsUserCertsTest11EE.crt", "InvalidonlyContainsCACertsTest12EE.crt",
		"ValidonlyContainsCACertsTest13EE.crt", "InvalidonlyContainsAttributeCertsTest14EE.crt",
		"InvalidonlySomeReasonsTest15EE.crt", "InvalidonlySomeReasonsTest16EE.crt",
		"InvalidonlySomeReasonsTest17EE.crt", "ValidonlySomeReasonsTest18EE.crt",
		"ValidonlySomeReasonsTest19EE.crt", "InvalidonlySomeReasonsTest20EE.crt",
		"InvalidonlySomeReasonsTest21EE.crt", "ValidIDPwithindirectCRLTest22EE.crt",
		"InvalidIDPwithindirectCRLTest23EE.crt", "ValidIDPwithindirectCRLTest24EE.crt",
		"ValidIDPwithindirectCRLTest25EE.crt", "InvalidIDPwithindirectCRLTest26EE.crt",
		"InvalidcRLIssuerTest27EE.crt", "ValidcRLIssuerTest28EE.crt", "ValidcRLIssuerTest29EE.crt",
		"ValidcRLIssuerTest30EE.crt", "InvalidcRLIssuerTest31EE.crt", "InvalidcRLIssuerTest32EE.crt",
		"ValidcRLIssuerTest33EE.crt", "InvalidcRLIssuerTest34EE.crt", "InvalidcRLIssuerTest35EE.crt",
		NULL };

	(void)state;
	chapter(names, false);
}

static void
test_deltas(void **state)
{
	static const char *const names[] = {
		"InvaliddeltaCRLIndicatorNoBaseTest1EE.crt", "ValiddeltaCRLTest2EE.crt",
		"InvaliddeltaCRLTest3EE.crt", "InvaliddeltaCRLTest4EE.crt", "ValiddeltaCRLTest5EE.crt",
		"InvaliddeltaCRLTest6EE.crt", "ValiddeltaCRLTest7EE.crt", "ValiddeltaCRLTest8EE.crt",
		"InvaliddeltaCRLTest9EE.crt", "InvaliddeltaCRLTest10EE.crt", NULL };

	(void)state;
	chapter(names, false);
}

static int
setup(void **state)
{
	char folder[512];

	(void)state;
	need_folder(third_party(folder, "pki/pkits/certs"));
	each_file(folder, ".crt", take_cert, NULL);
	each_file(third_party(folder, "pki/pkits/crls"), ".crl", take_crl, NULL);
	qsort(certs, n_certs, sizeof(certs[0]), by_name);
	qsort(crls, n_crls, sizeof(crls[0]), by_name);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	files_free();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_revocation, setup, teardown),
		cmocka_unit_test_setup_teardown(test_self_issued, setup, teardown),
		cmocka_unit_test_setup_teardown(test_distribution_points, setup, teardown),
		cmocka_unit_test_setup_teardown(test_deltas, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
