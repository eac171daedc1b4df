/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_crl_issuers.c -- whose entries count and whose signature: indirect CRLs,
 * delegated issuers, several keys of one name, distribution points, and a second
 * look at bytes that were verified. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crl_make.h"
#include "pki/crl_scan.h"

#define OURS	"\x10\x20\x30"
#define DATE	"260301120000Z"
#define SERIAL(s) (const uint8_t *)s, sizeof(s) - 1

static const struct inventory_key hash_key = { { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 } };
static const uint8_t indirect_idp[] = { 0x30, 3, 0x84, 1, 0xff };
static EVP_PKEY *key, *other_key, *delegate_key;
static struct bytes name, other_name, delegate_name, folded_name;
static struct inventory *inventory;

static int
setup(void **state)
{
	struct inventory_cert cert = { .cert = 7 };

	(void)state;
	serial_load(&cert.serial, SERIAL(OURS));
	inventory = inventory_new(&cert, 1, &hash_key);
	key = make_key("P-256");
	other_key = make_key("P-256");
	delegate_key = make_key("P-256");
	make_name(&name, 0x0c, "Example", "Factory CA");
	make_name(&folded_name, 0x13, "EXAMPLE", " factory  ca");
	make_name(&other_name, 0x0c, "Example", "Another CA");
	make_name(&delegate_name, 0x0c, "Example", "CRL issuer");
	return inventory == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	inventory_free(inventory);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other_key);
	EVP_PKEY_free(delegate_key);
	bytes_free(&name);
	bytes_free(&folded_name);
	bytes_free(&other_name);
	bytes_free(&delegate_name);
	return 0;
}

static struct crl_signer
signer_of(const struct bytes *n, EVP_PKEY *k, const char *key_id)
{
	struct crl_signer s = { .name = n->p, .name_len = n->n, .key = k, .may_sign = true,
		.key_id = (const uint8_t *)key_id, .key_id_len = key_id != NULL ? strlen(key_id) : 0 };

	return s;
}

struct outcome {
	enum source_error error;
	size_t hits;
	struct crl_hit hit;
	struct crl_verdict v;
};

/* As the authority of that name, with these signers. */
static struct outcome
scan_as(const struct bytes *own, const struct crl_signer *signers, size_t n, bool allow_sha1,
    const struct bytes *der)
{
	const struct crl_name own_name = { own->p, own->n };
	const struct crl_scan_setup with = { .inventory = inventory, .names = &own_name, .n_names = 1,
		.signers = signers, .n_signers = n, .max_size = 1 << 20, .allow_sha1 = allow_sha1 };
	struct crl_scan *scan = crl_scan_new(&with);
	struct outcome o = { 0 };
	size_t pos = 0;

	assert_non_null(scan);
	(void)crl_scan_feed(scan, der->p, der->n);
	o.error = crl_scan_finish(scan, NULL, 0);
	while (crl_scan_hit(scan, &pos, &o.hit))
		o.hits++;
	o.v = *crl_scan_verdict(scan);
	crl_scan_free(scan);
	return o;
}

static void
cert_issuer(struct bytes *exts, const struct bytes *a, const struct bytes *b)
{
	struct bytes names = { 0 }, value = { 0 };

	bytes_element(&names, 0x82, "not.a.name.of.ours", 18);
	bytes_element(&names, 0xa4, a->p, a->n);
	if (b != NULL)
		bytes_element(&names, 0xa4, b->p, b->n);
	bytes_element(&value, 0x30, names.p, names.n);
	EXTENSION(exts, OID_ISSUER, true, value.p, value.n);
	bytes_free(&names);
	bytes_free(&value);
}

/* A CRL with ours on it, by name and key, with these extensions. */
static void
listing(const struct bytes *by, EVP_PKEY *k, const struct bytes *exts, struct bytes *der)
{
	struct bytes entries = { 0 };
	struct make m = { .alg = "ecdsa-sha256", .key = k, .name = by, .entries = &entries, .extensions = exts };

	make_entry(&entries, SERIAL(OURS), DATE, 1);
	make_crl(&m, der);
	bytes_free(&entries);
}

/* ---- whose entries ------------------------------------------------------ */

/* One indirect CRL of a delegated issuer: each authority finds its own in it. */
static void
test_once_for_each_authority(void **state)
{
	const struct crl_signer delegate = signer_of(&delegate_name, delegate_key, NULL);
	struct bytes entries = { 0 }, exts = { 0 }, issuer = { 0 }, der = { 0 };
	struct make m = { .alg = "ecdsa-sha256", .key = delegate_key, .name = &delegate_name,
		.entries = &entries, .extensions = &exts };
	struct outcome o;
	int i;

	(void)state;
	EXTENSION(&exts, OID_IDP, true, indirect_idp, sizeof(indirect_idp));
	make_entry(&entries, SERIAL(OURS), DATE, 4);		/* of the CRL's issuer itself */
	cert_issuer(&issuer, &other_name, NULL);
	make_entry_with(&entries, SERIAL("\x55"), DATE, &issuer);
	make_entry(&entries, SERIAL(OURS), DATE, 3);		/* inherited: of the other */
	bytes_free(&issuer);
	cert_issuer(&issuer, &folded_name, NULL);
	make_entry_with(&entries, SERIAL("\x56"), DATE, &issuer);
	for (i = 0; i < 3000; i++)
		make_entry(&entries, SERIAL("\x57\x58"), DATE, -1);
	make_entry(&entries, SERIAL(OURS), DATE, 1);		/* inherited over thousands */
	make_crl(&m, &der);
	o = scan_as(&name, &delegate, 1, false, &der);
	assert_int_equal(o.error, E_NONE);
	assert_int_equal(o.hits, 1);
	assert_int_equal(o.hit.reason, 1);
	assert_int_equal(o.v.entries, 3005);
	o = scan_as(&other_name, &delegate, 1, false, &der);
	assert_int_equal(o.hits, 1);
	assert_int_equal(o.hit.reason, 3);
	o = scan_as(&delegate_name, &delegate, 1, false, &der);
	assert_int_equal(o.hits, 1);
	assert_int_equal(o.hit.reason, 4);
	bytes_free(&entries);
	bytes_free(&exts);
	bytes_free(&issuer);
	bytes_free(&der);
}

/* Who may sign for an authority does not thereby list for it: without
 * certificateIssuer the entries are those of the CRL's issuer. */
static void
test_delegate_lists_for_itself(void **state)
{
	const struct crl_signer delegate = signer_of(&delegate_name, delegate_key, NULL);
	struct bytes der = { 0 };
	struct outcome o;

	(void)state;
	listing(&delegate_name, delegate_key, NULL, &der);
	o = scan_as(&name, &delegate, 1, false, &der);
	assert_int_equal(o.error, E_NONE);
	assert_int_equal(o.hits, 0);
	o = scan_as(&delegate_name, &delegate, 1, false, &der);
	assert_int_equal(o.hits, 1);
	bytes_free(&der);
}

/* Any of several names in one certificateIssuer. */
static void
test_several_names(void **state)
{
	const struct crl_signer delegate = signer_of(&delegate_name, delegate_key, NULL);
	struct bytes entries = { 0 }, exts = { 0 }, issuer = { 0 }, der = { 0 };
	struct make m = { .alg = "ecdsa-sha256", .key = delegate_key, .name = &delegate_name,
		.entries = &entries, .extensions = &exts };

	(void)state;
	EXTENSION(&exts, OID_IDP, true, indirect_idp, sizeof(indirect_idp));
	cert_issuer(&issuer, &other_name, &name);
	make_entry_with(&entries, SERIAL(OURS), DATE, &issuer);
	make_crl(&m, &der);
	assert_int_equal(scan_as(&name, &delegate, 1, false, &der).hits, 1);
	assert_int_equal(scan_as(&other_name, &delegate, 1, false, &der).hits, 1);
	assert_int_equal(scan_as(&delegate_name, &delegate, 1, false, &der).hits, 0);
	/* names that are no directoryName: nobody's */
	bytes_free(&entries);
	bytes_free(&der);
	bytes_free(&issuer);
	EXTENSION(&issuer, OID_ISSUER, true, "\x30\x04\x82\x02hi", 6);
	make_entry_with(&entries, SERIAL(OURS), DATE, &issuer);
	make_crl(&m, &der);
	assert_int_equal(scan_as(&delegate_name, &delegate, 1, false, &der).hits, 0);
	/* a broken one is no CRL */
	bytes_free(&entries);
	bytes_free(&der);
	bytes_free(&issuer);
	EXTENSION(&issuer, OID_ISSUER, true, "\x30\x04\xa4\x02\x31\x00", 6);
	make_entry_with(&entries, SERIAL(OURS), DATE, &issuer);
	make_crl(&m, &der);
	assert_int_equal(scan_as(&delegate_name, &delegate, 1, false, &der).error, E_DER);
	bytes_free(&entries);
	bytes_free(&exts);
	bytes_free(&issuer);
	bytes_free(&der);
}

/* ---- whose signature ---------------------------------------------------- */

static void
key_id_of_crl(struct bytes *exts, const char *id)
{
	struct bytes field = { 0 }, value = { 0 };

	bytes_element(&field, 0x80, id, strlen(id));
	bytes_element(&value, 0x30, field.p, field.n);
	EXTENSION(exts, OID_AKI, false, value.p, value.n);
	bytes_free(&field);
	bytes_free(&value);
}

static void
test_authority_key_identifier(void **state)
{
	static const struct {
		const char *in_crl;		/* NULL: no extension */
		const char *ids[2];		/* of the signers: the wrong key, the right one */
		size_t n;
		enum source_error error;
		size_t signer;
	} rows[] = {
		{ "right", { "wrong", "right" }, 2, E_NONE, 1 },
		{ NULL, { "wrong", "right" }, 2, E_NONE, 1 },
		{ "right", { NULL, NULL }, 2, E_NONE, 1 },
		{ "right", { "right", "wrong" }, 2, E_SIG, 0 },	/* the one it names did not sign it */
		{ "right", { "wrong", "wrong" }, 2, E_SIGNER, 0 },
		{ "right", { "righ", "rightt" }, 2, E_SIGNER, 0 },
		{ "right", { "right", "right" }, 1, E_SIG, 0 },
		{ NULL, { NULL, NULL }, 1, E_SIG, 0 },
		{ NULL, { NULL, NULL }, 0, E_SIGNER, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct crl_signer signers[2] = { signer_of(&name, other_key, rows[i].ids[0]),
			signer_of(&name, key, rows[i].ids[1]) };
		struct bytes exts = { 0 }, der = { 0 };
		struct outcome o;

		if (rows[i].in_crl != NULL)
			key_id_of_crl(&exts, rows[i].in_crl);
		listing(&name, key, &exts, &der);
		o = scan_as(&name, signers, rows[i].n, false, &der);
		assert_int_equal(o.error, rows[i].error);
		assert_int_equal(o.hits, rows[i].error == E_NONE);
		if (rows[i].error == E_NONE)
			assert_int_equal(o.v.signer, rows[i].signer);
		bytes_free(&exts);
		bytes_free(&der);
	}
}

/* The name decides first: another one's key signs nothing, and a name without
 * leave neither. */
static void
test_signers_name(void **state)
{
	struct crl_signer signers[2] = { signer_of(&other_name, key, NULL), signer_of(&name, key, NULL) };
	struct bytes der = { 0 };

	(void)state;
	listing(&name, key, NULL, &der);
	assert_int_equal(scan_as(&name, signers, 1, false, &der).error, E_SIGNER);
	assert_int_equal(scan_as(&name, signers, 2, false, &der).error, E_NONE);
	signers[1].may_sign = false;
	assert_int_equal(scan_as(&name, signers, 2, false, &der).error, E_SIGNER);
	bytes_free(&der);
}

/* SHA-1 with leave, MD5 never. */
static void
test_sha1_with_leave(void **state)
{
	static const struct {
		const char *key;
		const char *alg;
		enum source_error without, with;
	} rows[] = {
		{ "rsa:2048", "rsa-sha1", E_WEAK, E_NONE },
		{ "P-256", "ecdsa-sha1", E_WEAK, E_NONE },
		{ "rsa:2048", "pss-sha1", E_WEAK, E_NONE },
		{ "rsa:2048", "rsa-md5", E_WEAK, E_WEAK },
		{ "rsa:1024", "rsa-sha1", E_WEAK, E_WEAK },
		{ "rsa:2048", "rsa-sha256", E_NONE, E_NONE },
	};
	struct make m = { .name = &name };
	struct bytes der = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct crl_signer s;

		m.key = make_key(rows[i].key);
		m.alg = rows[i].alg;
		s = signer_of(&name, m.key, NULL);
		make_crl(&m, &der);
		assert_int_equal(scan_as(&name, &s, 1, false, &der).error, rows[i].without);
		assert_int_equal(scan_as(&name, &s, 1, true, &der).error, rows[i].with);
		der.p[der.n - 1] ^= 1;
		assert_int_not_equal(scan_as(&name, &s, 1, true, &der).error, E_NONE);
		EVP_PKEY_free(m.key);
		bytes_free(&der);
	}
}

/* ---- scopes ------------------------------------------------------------- */

static void
scoped(const void *idp, size_t n, struct outcome *out)
{
	const struct crl_signer s = signer_of(&name, key, NULL);
	struct bytes exts = { 0 }, der = { 0 };

	EXTENSION(&exts, OID_IDP, true, idp, n);
	listing(&name, key, &exts, &der);
	*out = scan_as(&name, &s, 1, false, &der);
	bytes_free(&exts);
	bytes_free(&der);
}

static void
test_reasons_covered(void **state)
{
	static const struct {
		const char *idp;
		size_t n;
		uint32_t reasons;
		enum source_error error;
	} rows[] = {
		{ "\x30\x03\x81\x01\xff", 5, CRL_REASONS_ALL, E_NONE },
		{ "\x30\x04\x83\x02\x06\x40", 6, 1 << 1, E_NONE },		/* keyCompromise */
		{ "\x30\x04\x83\x02\x00\xff", 6, 0xfe, E_NONE },		/* bit 0 means nothing */
		{ "\x30\x05\x83\x03\x07\x7f\x80", 7, CRL_REASONS_ALL, E_NONE },
		{ "\x30\x05\x83\x03\x07\x00\x80", 7, 1 << 8, E_NONE },
		{ "\x30\x05\x83\x03\x00\x40\xff", 7, 1 << 1 | 1 << 8, E_NONE },
		{ "\x30\x03\x83\x01\x00", 5, 0, E_NONE },
		{ "\x30\x02\x83\x00", 4, 0, E_DER },
		{ "\x30\x03\x83\x01\x01", 5, 0, E_DER },
		{ "\x30\x04\x83\x02\x08\x40", 6, 0, E_DER },
		{ "\x30\x06\x83\x04\x00\x40\x00\x01", 8, 0, E_DER },
	};
	struct outcome o;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		scoped(rows[i].idp, rows[i].n, &o);
		assert_int_equal(o.error, rows[i].error);
		if (o.error == E_NONE)
			assert_int_equal(o.v.reasons, rows[i].reasons);
		assert_int_equal(o.hits, rows[i].error == E_NONE);
	}
}

/* distributionPoint.fullName with that many URLs. */
static void
test_points(void **state)
{
	struct bytes names = { 0 }, full = { 0 }, point = { 0 }, idp = { 0 }, one = { 0 };
	struct outcome o;
	char url[32];
	int n, i;

	(void)state;
	for (n = 1; n <= CRL_POINTS + 1; n++) {
		for (i = 0; i < n; i++) {
			snprintf(url, sizeof(url), "http://example/%d", i);
			bytes_element(&names, 0x86, url, strlen(url));
		}
		bytes_element(&full, 0xa0, names.p, names.n);
		bytes_element(&point, 0xa0, full.p, full.n);
		bytes_element(&idp, 0x30, point.p, point.n);
		scoped(idp.p, idp.n, &o);
		assert_int_equal(o.error, E_NONE);
		assert_int_equal(o.v.n_points, n <= CRL_POINTS ? n : CRL_POINTS);
		assert_int_equal(o.v.more_points, n > CRL_POINTS);
		for (i = 0; i < o.v.n_points; i++) {
			snprintf(url, sizeof(url), "http://example/%d", i);
			bytes_element(&one, 0x86, url, strlen(url));
			assert_true(o.v.points[i] == crl_point_hash(one.p, one.n));
			assert_true(i == 0 || o.v.points[i] != o.v.points[i - 1]);
			bytes_free(&one);
		}
		bytes_free(&names);
		bytes_free(&full);
		bytes_free(&point);
		bytes_free(&idp);
	}
	/* a name relative to the issuer's stands for a whole one */
	scoped("\x30\x06\xa0\x04\xa1\x02\x30\x00", 8, &o);
	assert_int_equal(o.error, E_NONE);
	assert_int_equal(o.v.n_points, 1);
	assert_false(o.v.more_points);
	/* no name at all, a third kind of name, something behind it */
	scoped("\x30\x04\xa0\x02\xa0\x00", 6, &o);
	assert_int_equal(o.error, E_DER);
	scoped("\x30\x06\xa0\x04\xa2\x02\x86\x00", 8, &o);
	assert_int_equal(o.error, E_DER);
	scoped("\x30\x08\xa0\x06\xa0\x02\x86\x00\x05\x00", 10, &o);
	assert_int_equal(o.error, E_DER);
}

static void
test_freshest(void **state)
{
	const struct crl_signer s = signer_of(&name, key, NULL);
	struct bytes exts = { 0 }, der = { 0 };

	(void)state;
	listing(&name, key, NULL, &der);
	assert_false(scan_as(&name, &s, 1, false, &der).v.freshest);
	bytes_free(&der);
	EXTENSION(&exts, "\x55\x1d\x2e", false, "\x30\x00", 2);
	listing(&name, key, &exts, &der);
	assert_true(scan_as(&name, &s, 1, false, &der).v.freshest);
	bytes_free(&der);
	bytes_free(&exts);
}

/* ---- again -------------------------------------------------------------- */

/* The same walk over the same bytes: the same hits, and nothing about a signature. */
static void
test_again(void **state)
{
	const struct crl_signer wrong = signer_of(&name, other_key, NULL);
	const struct crl_name own = { name.p, name.n };
	const struct crl_scan_setup with = { .inventory = inventory, .names = &own, .n_names = 1,
		.signers = &wrong, .n_signers = 1, .max_size = 1 << 20 };
	static const char *const kinds[][2] = { { "P-256", "ecdsa-sha256" }, { "ED25519", "ed25519" } };
	struct crl_scan *scan = crl_scan_new(&with);
	struct bytes entries = { 0 }, der = { 0 };
	struct make m = { .name = &name, .entries = &entries };
	struct crl_hit hit;
	size_t i, at, pos;

	(void)state;
	make_entry(&entries, SERIAL("\x55"), DATE, -1);
	make_entry(&entries, SERIAL(OURS), DATE, 6);
	for (i = 0; i < 2; i++) {
		m.key = make_key(kinds[i][0]);
		m.alg = kinds[i][1];
		make_crl(&m, &der);
		crl_scan_again(scan);
		for (at = 0; at < der.n; at++) {
			assert_int_equal(crl_scan_feed(scan, der.p + at, 1), 0);
			pos = 0;
			assert_false(crl_scan_hit(scan, &pos, &hit));
		}
		assert_false(crl_scan_needs_message(scan));
		assert_int_equal(crl_scan_finish(scan, NULL, 0), E_NONE);
		assert_true(crl_scan_verdict(scan)->vouched);
		assert_int_equal(crl_scan_verdict(scan)->digest_len, 0);
		assert_int_equal(crl_scan_verdict(scan)->entries, 2);
		assert_true(crl_scan_hit(scan, &pos, &hit));
		assert_int_equal(hit.cert, 7);
		assert_int_equal(hit.reason, 6);
		/* cut, it is nothing either */
		crl_scan_again(scan);
		(void)crl_scan_feed(scan, der.p, der.n - 1);
		assert_int_equal(crl_scan_finish(scan, NULL, 0), E_TRUNC);
		pos = 0;
		assert_false(crl_scan_hit(scan, &pos, &hit));
		/* and the next CRL is verified as ever */
		crl_scan_reset(scan);
		(void)crl_scan_feed(scan, der.p, der.n);
		assert_int_not_equal(crl_scan_finish(scan, NULL, 0), E_NONE);
		assert_false(crl_scan_verdict(scan)->vouched);
		assert_false(crl_scan_hit(scan, &pos, &hit));
		EVP_PKEY_free(m.key);
		bytes_free(&der);
	}
	bytes_free(&entries);
	crl_scan_free(scan);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_once_for_each_authority),
		cmocka_unit_test(test_delegate_lists_for_itself),
		cmocka_unit_test(test_several_names),
		cmocka_unit_test(test_authority_key_identifier),
		cmocka_unit_test(test_signers_name),
		cmocka_unit_test(test_sha1_with_leave),
		cmocka_unit_test(test_reasons_covered),
		cmocka_unit_test(test_points),
		cmocka_unit_test(test_freshest),
		cmocka_unit_test(test_again),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
