/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_crl_scan.c -- the push parser: what it takes, what it refuses, and that
 * no hit leaves it unverified. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crl_make.h"
#include "pki/crl_fast.h"
#include "pki/crl_scan.h"

#define OURS	"\x10\x20\x30"		/* device 7 */
#define OURS2	"\xf1\x02\x03\x04\x05\x06\x07\x08\x09"	/* device 8: the high bit is set */
#define THEIRS	"\x55\x66"
#define SERIAL(s) (const uint8_t *)s, sizeof(s) - 1
#define DATE	"260301120000Z"

static EVP_PKEY *key, *other_key;
static struct bytes name, other_name;
static struct inventory *inventory;
static struct crl_signer signer;
static struct crl_scan *scan;

static const struct inventory_key hash_key = { { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 } };

static int
setup(void **state)
{
	struct inventory_cert certs[3] = { { .cert = 7 }, { .cert = 8 }, { .cert = 9 } };

	(void)state;
	serial_load(&certs[0].serial, SERIAL(OURS));
	serial_load(&certs[1].serial, SERIAL(OURS2));
	serial_load(&certs[2].serial, SERIAL(OURS2));	/* one certificate on two devices */
	key = make_key("P-256");
	other_key = make_key("P-256");
	make_name(&name, 0x0c, "Example", "Factory CA");
	make_name(&other_name, 0x0c, "Example", "Another CA");
	inventory = inventory_new(certs, 3, &hash_key);
	signer = (struct crl_signer){ .name = name.p, .name_len = name.n, .key = key, .may_sign = true };
	scan = make_scan(inventory, &signer, 1, 1 << 20);
	return inventory == NULL || scan == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	crl_scan_free(scan);
	inventory_free(inventory);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other_key);
	bytes_free(&name);
	bytes_free(&other_name);
	return 0;
}

/* ---- to make them and look at them ----------------------------------------- */

static enum source_error
scan_in_pieces(const uint8_t *p, size_t n, size_t piece)
{
	size_t at, len;

	crl_scan_reset(scan);
	for (at = 0; at < n; at += len) {
		len = n - at < piece ? n - at : piece;
		if (crl_scan_feed(scan, p + at, len) < 0)
			break;
	}
	return crl_scan_finish(scan, NULL, 0);
}

static enum source_error
scan_bytes(const struct bytes *b)
{
	return scan_in_pieces(b->p, b->n, b->n > 0 ? b->n : 1);
}

static size_t
hits(void)
{
	struct crl_hit hit;
	size_t pos = 0, n = 0;

	while (crl_scan_hit(scan, &pos, &hit))
		n++;
	return n;
}

/* The hit of that device; false when there is none. */
static bool
hit_of(uint32_t device, struct crl_hit *out)
{
	size_t pos = 0;

	while (crl_scan_hit(scan, &pos, out))
		if (out->cert == device)
			return true;
	return false;
}

static const struct make plain = { .alg = "ecdsa-sha256" };

static struct make
base(const struct bytes *entries)
{
	struct make m = plain;

	m.key = key;
	m.name = &name;
	m.entries = entries;
	return m;
}

static enum source_error
scan_made(const struct make *m)
{
	struct bytes der = { 0 };
	enum source_error error;

	make_crl(m, &der);
	error = scan_bytes(&der);
	bytes_free(&der);
	return error;
}

static void
small_crl(struct bytes *der)
{
	struct bytes entries = { 0 };
	struct make m;

	make_entry(&entries, SERIAL(THEIRS), DATE, -1);
	make_entry(&entries, SERIAL(OURS), DATE, 1);
	make_entry(&entries, SERIAL("\x77"), DATE, 4);
	m = base(&entries);
	make_crl(&m, der);
	bytes_free(&entries);
}

/* ---- what is taken ------------------------------------------------------ */

static void
test_listed(void **state)
{
	struct bytes der = { 0 };
	const struct crl_verdict *v;
	struct crl_hit hit;

	(void)state;
	small_crl(&der);
	assert_int_equal(scan_bytes(&der), E_NONE);
	v = crl_scan_verdict(scan);
	assert_int_equal(v->entries, 3);
	assert_int_equal(v->version, 2);
	assert_int_equal(v->number_len, 1);
	assert_int_equal(v->number[0], 1);
	assert_int_equal(v->size, der.n);
	assert_int_equal(v->this_update, 1767225600000);
	assert_int_equal(v->next_update, 1798761600000);
	assert_int_equal(v->warnings, 0);
	assert_int_equal(hits(), 1);
	assert_true(hit_of(7, &hit));
	assert_int_equal(hit.reason, 1);
	assert_int_equal(hit.revoked_at, 1772366400000);
	bytes_free(&der);
}

/* Whatever the pieces, the verdict is one. */
static void
test_pieces(void **state)
{
	struct bytes der = { 0 };
	struct crl_verdict whole;
	size_t piece;

	(void)state;
	small_crl(&der);
	assert_int_equal(scan_bytes(&der), E_NONE);
	whole = *crl_scan_verdict(scan);
	for (piece = 1; piece <= der.n; piece++) {
		assert_int_equal(scan_in_pieces(der.p, der.n, piece), E_NONE);
		assert_memory_equal(crl_scan_verdict(scan), &whole, sizeof(whole));
		assert_int_equal(hits(), 1);
	}
	bytes_free(&der);
}

static void
test_hits_wait_for_the_verdict(void **state)
{
	struct bytes der = { 0 };

	(void)state;
	small_crl(&der);
	crl_scan_reset(scan);
	assert_int_equal(crl_scan_feed(scan, der.p, der.n), 0);
	assert_int_equal(hits(), 0);
	assert_int_equal(crl_scan_finish(scan, NULL, 0), E_NONE);
	assert_int_equal(hits(), 1);
	crl_scan_refuse(scan, E_FETCH, "the transfer broke");
	assert_int_equal(hits(), 0);
	bytes_free(&der);
}

static void
test_serial_forms(void **state)
{
	static const struct {
		const char *octets;
		size_t n;
		uint32_t device;
		uint32_t warnings;
		enum source_error error;
	} rows[] = {
		{ OURS, 3, 7, 0, E_NONE },
		{ "\x00" OURS, 4, 7, CRL_WARN_SERIAL, E_NONE },	/* a zero too many */
		{ "\x00\xf1\x02\x03\x04\x05\x06\x07\x08\x09", 10, 8, 0, E_NONE },
		{ OURS2, 9, 8, CRL_WARN_SERIAL, E_NONE },	/* no sign octet: "negative" */
		{ "01234567890123456789", 20, 0, 0, E_NONE },
		{ "012345678901234567890", 21, 0, CRL_WARN_SERIAL, E_NONE },
		{ "01234567890123456789012345678901", 32, 0, CRL_WARN_SERIAL, E_NONE },
		{ "012345678901234567890123456789012", 33, 0, 0, E_DER },
		{ "", 0, 0, 0, E_DER },
	};
	struct bytes entries = { 0 };
	struct crl_hit hit;
	struct make m;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		make_entry(&entries, (const uint8_t *)rows[i].octets, rows[i].n, DATE, -1);
		m = base(&entries);
		assert_int_equal(scan_made(&m), rows[i].error);
		if (rows[i].error == E_NONE)
			assert_int_equal(crl_scan_verdict(scan)->warnings, rows[i].warnings);
		assert_int_equal(hit_of(rows[i].device, &hit), rows[i].device != 0);
		/* two devices carry the certificate of device 8 */
		assert_int_equal(hits(), rows[i].device == 0 ? 0 : rows[i].device - 6);
		bytes_free(&entries);
	}
}

static void
test_reasons(void **state)
{
	static const struct {
		int reason;
		uint32_t is;
		bool hit;
		uint32_t warnings;
	} rows[] = {
		{ -1, 0, true, 0 }, { 0, 0, true, 0 }, { 1, 1, true, 0 }, { 6, 6, true, 0 },
		{ 7, 0, true, CRL_WARN_REASON }, { 8, 0, false, CRL_WARN_REMOVE }, { 9, 9, true, 0 },
		{ 10, 10, true, 0 }, { 11, 0, true, CRL_WARN_REASON }, { 99, 0, true, CRL_WARN_REASON },
	};
	struct bytes entries = { 0 };
	struct crl_hit hit;
	struct make m;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		make_entry(&entries, SERIAL(OURS), DATE, rows[i].reason);
		m = base(&entries);
		assert_int_equal(scan_made(&m), E_NONE);
		assert_int_equal(hit_of(7, &hit), rows[i].hit);
		if (rows[i].hit)
			assert_int_equal(hit.reason, rows[i].is);
		assert_int_equal(crl_scan_verdict(scan)->warnings, rows[i].warnings);
		bytes_free(&entries);
	}
}

static void
test_strongest_reason_wins(void **state)
{
	static const int order[2][3] = { { 4, 1, 6 }, { 6, 1, 4 } };
	struct bytes entries = { 0 };
	struct crl_hit hit;
	struct make m;
	size_t i, j;

	(void)state;
	for (i = 0; i < 2; i++) {
		for (j = 0; j < 3; j++)
			make_entry(&entries, SERIAL(OURS), DATE, order[i][j]);
		m = base(&entries);
		assert_int_equal(scan_made(&m), E_NONE);
		assert_int_equal(hits(), 1);
		assert_true(hit_of(7, &hit));
		assert_int_equal(hit.reason, 1);
		bytes_free(&entries);
	}
}

static void
test_version_1(void **state)
{
	struct bytes entries = { 0 };
	struct make m;

	(void)state;
	make_entry(&entries, SERIAL(OURS), DATE, -1);
	m = base(&entries);
	m.version1 = true;
	assert_int_equal(scan_made(&m), E_NONE);
	assert_int_equal(crl_scan_verdict(scan)->version, 1);
	assert_int_equal(hits(), 1);
	/* extensions came with version 2 */
	make_entry(&entries, SERIAL(OURS), DATE, 1);
	assert_int_equal(scan_made(&m), E_DER);
	bytes_free(&entries);
}

static void
test_lists(void **state)
{
	struct bytes empty = { 0 };
	struct make m = base(NULL);

	(void)state;
	assert_int_equal(scan_made(&m), E_NONE);
	assert_int_equal(crl_scan_verdict(scan)->warnings, 0);
	m.entries = &empty;
	assert_int_equal(scan_made(&m), E_NONE);
	assert_int_equal(crl_scan_verdict(scan)->warnings, CRL_WARN_EMPTY_LIST);
	m.next_update = "";
	assert_int_equal(scan_made(&m), E_NONE);
	assert_int_equal(crl_scan_verdict(scan)->next_update, 0);
	m.no_number = true;
	assert_int_equal(scan_made(&m), E_NONE);
	assert_int_equal(crl_scan_verdict(scan)->number_len, 0);
}

static void
test_times(void **state)
{
	static const struct {
		const char *text;
		enum source_error error;
	} rows[] = {
		{ "260101000000Z", E_NONE },
		{ "20260101000000Z", E_NONE },
		{ "20600101000000Z", E_NONE },
		{ "2601010000Z", E_DER },		/* no seconds */
		{ "260101000000+0100", E_DER },		/* offset */
		{ "20260101000000.5Z", E_DER },
		{ "261301000000Z", E_DER },
		{ "260230000000Z", E_DER },
		{ "240229000000Z", E_NONE },
		{ "260229000000Z", E_DER },
		{ "260101240000Z", E_DER },
		{ "2601010000 0Z", E_DER },
	};
	struct bytes entries = { 0 };
	struct make m;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		m = base(NULL);
		m.this_update = rows[i].text;
		assert_int_equal(scan_made(&m), rows[i].error);
		make_entry(&entries, SERIAL(THEIRS), rows[i].text, 1);
		m = base(&entries);
		assert_int_equal(scan_made(&m), rows[i].error);
		bytes_free(&entries);
	}
}

static void
test_numbers(void **state)
{
	static const struct {
		const char *octets;
		size_t n;
		uint8_t len;
		enum source_error error;
	} rows[] = {
		{ "\x00", 1, 1, E_NONE },
		{ "\x7f\xff", 2, 2, E_NONE },
		{ "\x00\xff", 2, 1, E_NONE },
		{ "12345678901234567890", 20, 20, E_NONE },
		{ "\x00\xf2" "2345678901234567890", 21, 20, E_NONE },
		{ "123456789012345678901", 21, 0, E_DER },
		{ "\xff", 1, 0, E_DER },		/* negative */
		{ "\x00\x01", 2, 0, E_DER },		/* not minimal */
		{ "", 0, 0, E_DER },
	};
	struct bytes exts = { 0 };
	struct make m;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		make_crl_number(&exts, (const uint8_t *)rows[i].octets, rows[i].n);
		m = base(NULL);
		m.no_number = true;
		m.extensions = &exts;
		assert_int_equal(scan_made(&m), rows[i].error);
		if (rows[i].error == E_NONE)
			assert_int_equal(crl_scan_verdict(scan)->number_len, rows[i].len);
		bytes_free(&exts);
	}
}

/* ---- names -------------------------------------------------------------- */

static void
test_issuer_names(void **state)
{
	static const struct {
		uint8_t tag;
		const char *organisation;
		const char *common;
		enum source_error error;
	} rows[] = {
		{ 0x13, "Example", "Factory CA", E_NONE },
		{ 0x13, " EXAMPLE ", "factory   ca", E_NONE },
		{ 0x0c, "Example", "FactoryCA", E_SIGNER },
		{ 0x0c, "Example", "Factory C", E_SIGNER },
		{ 0x0c, "", "", E_SIGNER },
	};
	struct bytes issuer = { 0 }, entries = { 0 };
	struct make m;
	size_t i;

	(void)state;
	make_entry(&entries, SERIAL(OURS), DATE, 1);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		make_name(&issuer, rows[i].tag, rows[i].organisation, rows[i].common);
		m = base(&entries);
		m.name = &issuer;
		assert_int_equal(scan_made(&m), rows[i].error);
		assert_int_equal(hits(), rows[i].error == E_NONE);
		bytes_free(&issuer);
	}
	bytes_free(&entries);
}

static void
test_wrong_key_same_name(void **state)
{
	struct bytes entries = { 0 };
	struct make m;

	(void)state;
	make_entry(&entries, SERIAL(OURS), DATE, 1);
	m = base(&entries);
	m.key = other_key;
	assert_int_equal(scan_made(&m), E_SIG);
	assert_int_equal(hits(), 0);
	bytes_free(&entries);
}

static void
cert_issuer(struct bytes *exts, const struct bytes *who)
{
	struct bytes names = { 0 }, value = { 0 };

	bytes_element(&names, 0xa4, who->p, who->n);
	bytes_element(&value, 0x30, names.p, names.n);
	EXTENSION(exts, OID_ISSUER, true, value.p, value.n);
	bytes_free(&names);
	bytes_free(&value);
}

/* Entries of another authority are not ours, and the issuer is inherited. */
static void
test_indirect(void **state)
{
	static const uint8_t idp[] = { 0x30, 3, 0x84, 1, 0xff };
	struct bytes entries = { 0 }, foreign = { 0 }, own = { 0 }, exts = { 0 };
	struct crl_hit hit;
	struct make m;
	int i;

	(void)state;
	cert_issuer(&foreign, &other_name);
	cert_issuer(&own, &name);
	EXTENSION(&exts, OID_IDP, true, idp, sizeof(idp));
	make_entry_with(&entries, SERIAL(THEIRS), DATE, &foreign);
	for (i = 0; i < 1000; i++)
		make_entry(&entries, SERIAL(OURS), DATE, 1);
	m = base(&entries);
	m.extensions = &exts;
	assert_int_equal(scan_made(&m), E_NONE);
	assert_int_equal(hits(), 0);
	make_entry_with(&entries, SERIAL(OURS2), DATE, &own);
	assert_int_equal(scan_made(&m), E_NONE);
	assert_int_equal(hits(), 2);
	assert_true(hit_of(8, &hit));
	/* and without indirectCRL it is no CRL at all */
	m.extensions = NULL;
	assert_int_equal(scan_made(&m), E_IDP);
	assert_int_equal(hits(), 0);
	bytes_free(&entries);
	bytes_free(&foreign);
	bytes_free(&own);
	bytes_free(&exts);
}

/* ---- extensions --------------------------------------------------------- */

static void
test_scopes(void **state)
{
	static const struct {
		const char *value;
		size_t n;
		uint32_t scope;
		enum source_error error;
	} rows[] = {
		{ "\x30\x03\x81\x01\xff", 5, CRL_SCOPE_PRESENT | CRL_SCOPE_USERS, E_NONE },
		{ "\x30\x03\x82\x01\xff", 5, CRL_SCOPE_PRESENT | CRL_SCOPE_CAS, E_NONE },
		{ "\x30\x04\x83\x02\x05\x20", 6, CRL_SCOPE_PRESENT | CRL_SCOPE_REASONS, E_NONE },
		{ "\x30\x06\xa0\x04\xa0\x02\x86\x00", 8, CRL_SCOPE_PRESENT | CRL_SCOPE_POINT, E_NONE },
		{ "\x30\x00", 2, 0, E_IDP },
		{ "\x30\x06\x81\x01\xff\x82\x01\xff", 8, 0, E_IDP },
		{ "\x30\x03\x85\x01\xff", 5, 0, E_IDP },
		{ "\x30\x06\x82\x01\xff\x81\x01\xff", 8, 0, E_DER },	/* order */
		{ "\x30\x03\x86\x01\xff", 5, 0, E_DER },
		{ "\x30\x03\x81\x01\x01", 5, 0, E_DER },
	};
	struct bytes entries = { 0 }, exts = { 0 };
	struct make m;
	size_t i;

	(void)state;
	make_entry(&entries, SERIAL(OURS), DATE, 1);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		EXTENSION(&exts, OID_IDP, true, rows[i].value, rows[i].n);
		m = base(&entries);
		m.extensions = &exts;
		assert_int_equal(scan_made(&m), rows[i].error);
		if (rows[i].error == E_NONE)
			assert_int_equal(crl_scan_verdict(scan)->scope, rows[i].scope);
		/* being listed counts whatever the scope */
		assert_int_equal(hits(), rows[i].error == E_NONE);
		bytes_free(&exts);
	}
	bytes_free(&entries);
}

static void
test_delta(void **state)
{
	struct bytes entries = { 0 }, exts = { 0 };
	struct crl_hit hit;
	struct make m;

	(void)state;
	make_entry(&entries, SERIAL(OURS), DATE, 1);
	make_entry(&entries, SERIAL("\x00" OURS2), DATE, 8);
	EXTENSION(&exts, OID_DELTA, true, "\x02\x01\x05", 3);
	m = base(&entries);
	m.extensions = &exts;
	assert_int_equal(scan_made(&m), E_NONE);
	assert_true(crl_scan_verdict(scan)->delta);
	assert_int_equal(crl_scan_verdict(scan)->base[0], 5);
	assert_int_equal(crl_scan_verdict(scan)->warnings, 0);
	/* what a delta takes off is told, too */
	assert_int_equal(hits(), 3);
	assert_true(hit_of(7, &hit));
	assert_int_equal(hit.reason, 1);
	assert_true(hit_of(8, &hit));
	assert_int_equal(hit.reason, 8);
	/* listed and taken off in one: listed, in either order */
	make_entry(&entries, SERIAL("\x00" OURS2), DATE, 6);
	make_entry(&entries, SERIAL(OURS), DATE, 8);
	assert_int_equal(scan_made(&m), E_NONE);
	assert_true(hit_of(7, &hit));
	assert_int_equal(hit.reason, 1);
	assert_true(hit_of(8, &hit));
	assert_int_equal(hit.reason, 6);
	/* nothing but a delta takes anything off: listed as before, and a warning */
	m.extensions = NULL;
	assert_int_equal(scan_made(&m), E_NONE);
	assert_int_equal(crl_scan_verdict(scan)->warnings, CRL_WARN_REMOVE);
	assert_int_equal(hits(), 3);
	assert_true(hit_of(8, &hit));
	assert_int_equal(hit.reason, 6);
	bytes_free(&entries);
	make_entry(&entries, SERIAL(THEIRS), DATE, 8);
	assert_int_equal(scan_made(&m), E_NONE);
	assert_int_equal(crl_scan_verdict(scan)->warnings, CRL_WARN_REMOVE);
	assert_int_equal(hits(), 0);
	bytes_free(&entries);
	bytes_free(&exts);
}

static void
test_critical(void **state)
{
	struct bytes entries = { 0 }, exts = { 0 }, entry_exts = { 0 };
	struct make m;

	(void)state;
	make_entry(&entries, SERIAL(OURS), DATE, 1);
	m = base(&entries);
	m.extensions = &exts;
	EXTENSION(&exts, OID_UNKNOWN, false, "\x05\x00", 2);
	assert_int_equal(scan_made(&m), E_NONE);
	assert_int_equal(hits(), 1);
	bytes_free(&exts);
	EXTENSION(&exts, OID_UNKNOWN, true, "\x05\x00", 2);
	assert_int_equal(scan_made(&m), E_CRITICAL);
	assert_int_equal(hits(), 0);
	bytes_free(&exts);
	/* of an entry, behind one whose reason is malformed */
	EXTENSION(&entry_exts, OID_REASON, false, "\x02\x01\x01", 3);
	make_entry_with(&entries, SERIAL("\x71"), DATE, &entry_exts);
	assert_int_equal(scan_made(&m), E_NONE);
	assert_int_equal(crl_scan_verdict(scan)->warnings, CRL_WARN_REASON);
	EXTENSION(&entry_exts, OID_UNKNOWN, true, "\x05\x00", 2);
	make_entry_with(&entries, SERIAL("\x72"), DATE, &entry_exts);
	assert_int_equal(scan_made(&m), E_CRITICAL);
	assert_int_equal(hits(), 0);
	bytes_free(&entries);
	bytes_free(&entry_exts);
}

static void
test_twice(void **state)
{
	struct bytes entries = { 0 }, exts = { 0 };
	struct make m = base(NULL);

	(void)state;
	make_crl_number(&exts, (const uint8_t *)"\x02", 1);
	m.extensions = &exts;
	assert_int_equal(scan_made(&m), E_DUP_EXT);
	bytes_free(&exts);
	EXTENSION(&exts, OID_UNKNOWN, false, "\x05\x00", 2);
	EXTENSION(&exts, OID_UNKNOWN, false, "\x05\x00", 2);
	assert_int_equal(scan_made(&m), E_DUP_EXT);
	bytes_free(&exts);
	EXTENSION(&exts, OID_REASON, false, "\x0a\x01\x01", 3);
	EXTENSION(&exts, OID_REASON, false, "\x0a\x01\x01", 3);
	make_entry_with(&entries, SERIAL(OURS), DATE, &exts);
	m = base(&entries);
	assert_int_equal(scan_made(&m), E_DUP_EXT);
	bytes_free(&entries);
	bytes_free(&exts);
}

/* As many extensions as allowed, and one more. */
static void
test_extension_count(void **state)
{
	struct bytes exts = { 0 };
	struct make m = base(NULL);
	uint8_t oid[3] = { 0x2a, 0x05, 0 };

	(void)state;
	m.no_number = true;
	m.extensions = &exts;
	for (oid[2] = 0; oid[2] < CRL_EXT_COUNT; oid[2]++)
		make_extension(&exts, (const char *)oid, sizeof(oid), false, "\x05\x00", 2);
	assert_int_equal(scan_made(&m), E_NONE);
	make_extension(&exts, (const char *)oid, sizeof(oid), false, "\x05\x00", 2);
	assert_int_equal(scan_made(&m), E_DER);
	bytes_free(&exts);
}

/* ---- what is refused ---------------------------------------------------- */

/* One of a kilobyte, with something of everything. */
static void
usual_crl(struct bytes *der)
{
	struct bytes entries = { 0 }, exts = { 0 }, entry_exts = { 0 };
	struct make m = base(&entries);
	uint8_t serial[16] = { 0x31 };

	m.extensions = &exts;
	EXTENSION(&exts, OID_AKI, false, "\x30\x06\x80\x04" "key.", 8);
	EXTENSION(&exts, OID_IDP, true, "\x30\x03\x84\x01\xff", 5);
	EXTENSION(&entry_exts, "\x55\x1d\x18", false, "\x18\x0f" "20260101000000Z", 17);
	for (serial[15] = 0; serial[15] < 14; serial[15]++)
		make_entry(&entries, serial, sizeof(serial), serial[15] == 3 ? "20" DATE : DATE,
		    serial[15] % 3 == 0 ? 4 : -1);
	make_entry_with(&entries, SERIAL(THEIRS), DATE, &entry_exts);
	make_entry(&entries, SERIAL(OURS), DATE, 1);
	make_crl(&m, der);
	assert_in_range(der->n, 800, 1100);
	bytes_free(&entries);
	bytes_free(&exts);
	bytes_free(&entry_exts);
}

static void
test_every_truncation(void **state)
{
	struct bytes der = { 0 };
	size_t n;

	(void)state;
	usual_crl(&der);
	for (n = 0; n < der.n; n++) {
		assert_int_equal(scan_in_pieces(der.p, n, n > 0 ? n : 1), n == 0 ? E_EMPTY : E_TRUNC);
		assert_int_equal(hits(), 0);
	}
	bytes_free(&der);
}

static void
test_every_flip(void **state)
{
	struct bytes der = { 0 };
	size_t i;
	int bit;

	(void)state;
	usual_crl(&der);
	for (i = 0; i < der.n; i++) {
		for (bit = 0; bit < 8; bit++) {
			der.p[i] ^= 1 << bit;
			assert_int_not_equal(scan_bytes(&der), E_NONE);
			assert_int_equal(hits(), 0);
			der.p[i] ^= 1 << bit;
		}
		der.p[i] ^= 0xff;
		assert_int_not_equal(scan_bytes(&der), E_NONE);
		assert_int_equal(hits(), 0);
		der.p[i] ^= 0xff;
	}
	assert_int_equal(scan_bytes(&der), E_NONE);
	bytes_free(&der);
}

static void
test_trailing(void **state)
{
	struct bytes der = { 0 };

	(void)state;
	small_crl(&der);
	bytes_octet(&der, 0);
	assert_int_equal(scan_bytes(&der), E_TRAILING);
	assert_int_equal(scan_in_pieces(der.p, der.n, 1), E_TRAILING);
	assert_int_equal(hits(), 0);
	bytes_free(&der);
}

/* The same CRL in BER: the outer SEQUENCE with an indefinite length. */
static void
test_indefinite_length(void **state)
{
	struct bytes der = { 0 }, ber = { 0 };
	size_t head;

	(void)state;
	small_crl(&der);
	head = der.p[1] < 0x80 ? 2 : 2 + (der.p[1] & 0x7f);
	bytes_add(&ber, "\x30\x80", 2);
	bytes_add(&ber, der.p + head, der.n - head);
	bytes_add(&ber, "\0\0", 2);
	assert_int_equal(scan_bytes(&ber), E_DER);
	assert_int_equal(hits(), 0);
	bytes_free(&ber);
	/* and a length with a leading zero */
	bytes_add(&ber, "\x30\x83\x00", 3);
	bytes_add(&ber, der.p + 2, der.n - 2);
	assert_int_equal(scan_bytes(&ber), E_DER);
	bytes_free(&ber);
	bytes_free(&der);
}

static void
test_two_algorithms(void **state)
{
	struct make m = base(NULL);

	(void)state;
	m.outer_alg = "ecdsa-sha384";
	assert_int_equal(scan_made(&m), E_SIGALG);
}

static void
test_size_limit(void **state)
{
	struct bytes der = { 0 };
	struct crl_scan *whole = scan;

	(void)state;
	small_crl(&der);
	scan = make_scan(inventory, &signer, 1, der.n);
	assert_int_equal(scan_bytes(&der), E_NONE);
	crl_scan_free(scan);
	scan = make_scan(inventory, &signer, 1, der.n - 1);
	assert_int_equal(scan_bytes(&der), E_TOO_BIG);
	crl_scan_free(scan);
	scan = whole;
	bytes_free(&der);
}

/* A huge entry or a huge list of extensions is refused at its announcement. */
static void
test_announced_sizes(void **state)
{
	struct bytes entries = { 0 }, exts = { 0 }, padding = { 0 };
	struct make m = base(NULL);

	(void)state;
	padding.n = CRL_EXT_MAX;
	padding.p = calloc(1, padding.n);
	EXTENSION(&exts, OID_UNKNOWN, false, padding.p, CRL_EXT_MAX - 100);
	m.extensions = &exts;
	assert_int_equal(scan_made(&m), E_NONE);
	bytes_free(&exts);
	EXTENSION(&exts, OID_UNKNOWN, false, padding.p, CRL_EXT_MAX);
	assert_int_equal(scan_made(&m), E_DER);
	bytes_free(&exts);
	EXTENSION(&exts, OID_UNKNOWN, false, padding.p, CRL_ENTRY_MAX - 100);
	make_entry_with(&entries, SERIAL(OURS), DATE, &exts);
	m = base(&entries);
	assert_int_equal(scan_made(&m), E_NONE);
	bytes_free(&exts);
	EXTENSION(&exts, OID_UNKNOWN, false, padding.p, CRL_ENTRY_MAX);
	make_entry_with(&entries, SERIAL(OURS), DATE, &exts);
	assert_int_equal(scan_made(&m), E_DER);
	bytes_free(&exts);
	bytes_free(&entries);
	bytes_free(&padding);
}

/* The fast reader never says anything that the careful one does not. */
static void
test_fast_agrees(void **state)
{
	struct bytes entry = { 0 };
	struct crl_entry fast = { 0 }, slow;
	const char *why;
	size_t n, i, seen = 0;
	int reason, value;

	(void)state;
	for (n = 1; n <= 33; n++) {
		/* odd lengths with GeneralizedTime */
		const char *date = (n & 1) != 0 ? "20" DATE : DATE;

		for (reason = -1; reason <= 11; reason++) {
			uint8_t serial[33];

			for (i = 0; i < n; i++)
				serial[i] = (uint8_t)(i * 37 + n);
			make_entry(&entry, serial, n, date, reason);
			for (i = 0; i < entry.n; i++) {
				for (value = 0; value < 256; value += 3) {
					uint8_t was = entry.p[i];

					entry.p[i] = (uint8_t)value;
					if (crl_entry_fast(entry.p, entry.n, &fast) == entry.n) {
						seen++;
						assert_int_equal(crl_entry_parse(entry.p, entry.n, &slow,
								     &why), E_NONE);
						assert_ptr_equal(fast.serial, slow.serial);
						assert_int_equal(fast.serial_len, slow.serial_len);
						assert_ptr_equal(fast.date, slow.date);
						assert_int_equal(fast.date_tag, slow.date_tag);
						assert_int_equal(fast.reason, slow.reason);
						assert_int_equal(fast.extended, slow.extended);
						assert_int_equal(fast.warnings, slow.warnings);
					}
					entry.p[i] = was;
				}
			}
			bytes_free(&entry);
		}
	}
	assert_true(seen > 10000);
}

/* ---- inventory ---------------------------------------------------------- */

static void
test_inventory_finds_all_and_only(void **state)
{
	enum { N = 5000 };
	struct inventory_cert *certs = calloc(N, sizeof(*certs));
	struct inventory *inv;
	struct serial s;
	uint8_t octets[20] = { 1 };
	uint32_t cert;
	size_t i, pos, wrong = 0;

	(void)state;
	for (i = 0; i < N; i++) {
		octets[1] = (uint8_t)(i >> 8);
		octets[19] = (uint8_t)i;
		serial_load(&certs[i].serial, octets, 20);
		certs[i].cert = (uint32_t)i;
	}
	inv = inventory_new(certs, N, &hash_key);
	assert_non_null(inv);
	for (i = 0; i < 2 * N; i++) {
		octets[1] = (uint8_t)(i >> 8);
		octets[19] = (uint8_t)i;
		serial_load(&s, octets, 20);
		pos = INVENTORY_START;
		if (inventory_find(inv, &s, &pos, &cert) != (i < N))
			wrong++;
		else if (i < N && cert != i)
			wrong++;
	}
	assert_int_equal(wrong, 0);
	inventory_free(inv);
	free(certs);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_listed),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_hits_wait_for_the_verdict),
		cmocka_unit_test(test_serial_forms),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_strongest_reason_wins),
		cmocka_unit_test(test_version_1),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_issuer_names),
		cmocka_unit_test(test_wrong_key_same_name),
		cmocka_unit_test(test_indirect),
		cmocka_unit_test(test_scopes),
		cmocka_unit_test(test_delta),
		cmocka_unit_test(test_critical),
		cmocka_unit_test(test_twice),
		cmocka_unit_test(test_extension_count),
		cmocka_unit_test(test_every_truncation),
		cmocka_unit_test(test_every_flip),
		cmocka_unit_test(test_trailing),
		cmocka_unit_test(test_indefinite_length),
		cmocka_unit_test(test_two_algorithms),
		cmocka_unit_test(test_size_limit),
		cmocka_unit_test(test_announced_sizes),
		cmocka_unit_test(test_fast_agrees),
		cmocka_unit_test(test_inventory_finds_all_and_only),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
