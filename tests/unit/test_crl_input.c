/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_crl_input.c -- what servers send as CRLs: DER, PEM, several of them, and what
 * is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crl_make.h"
#include "pki/crl_input.h"

#define TEXT(s)	s, sizeof(s) - 1
#define BEGIN	"-----BEGIN X509 CRL-----\n"
#define END	"-----END X509 CRL-----\n"
#define CRLS	8

/* All that the input told us. */
struct told {
	struct bytes der[CRLS];
	enum source_error end[CRLS];
	uint32_t n;		/* begun */
	uint32_t ended;
	int unwanted;		/* not this one */
	int refuse;		/* this one, at its first octet */
	bool broken;		/* calls in a wrong order */
};

static int
told_begin(void *arg, uint32_t n)
{
	struct told *t = arg;

	if (n != t->n || n >= CRLS)
		t->broken = true;
	t->n++;
	return (int)n == t->unwanted;
}

static int
told_der(void *arg, const uint8_t *der, size_t n)
{
	struct told *t = arg;

	if (t->n == 0 || t->end[t->n - 1] != E_NONE || n == 0) {
		t->broken = true;
		return 0;
	}
	bytes_add(&t->der[t->n - 1], der, n);
	return (int)t->n - 1 == t->refuse ? -7 : 0;
}

static void
told_end(void *arg, enum source_error error, const char *why)
{
	struct told *t = arg;

	t->broken = t->broken || t->n == 0 || (error != E_NONE) != (why != NULL);
	t->end[t->n - 1] = error;
	t->ended++;
}

static const struct crl_input_taker taker = { told_begin, told_der, told_end };

static void
told_init(struct told *t)
{
	memset(t, 0, sizeof(*t));
	t->unwanted = t->refuse = -1;
}

static void
told_done(struct told *t)
{
	int i;

	for (i = 0; i < CRLS; i++)
		bytes_free(&t->der[i]);
	told_init(t);
}

/* The body's error; *fed what the last feed returned. */
static enum source_error
input(struct told *t, const struct bytes *file, size_t piece, int *fed, uint32_t *detail)
{
	enum source_error error;
	struct crl_input in;
	size_t at, len;

	crl_input_init(&in, &taker, t);
	for (at = 0, *fed = 0; at < file->n && *fed == 0; at += len) {
		len = file->n - at < piece ? file->n - at : piece;
		*fed = crl_input_feed(&in, file->p + at, len);
	}
	error = crl_input_finish(&in);
	*detail = in.detail;
	assert_int_equal((error != E_NONE), (in.why != NULL));
	assert_false(t->broken);
	return error;
}

static enum source_error
input_simply(struct told *t, const struct bytes *file, size_t piece)
{
	uint32_t detail;
	int fed;

	return input(t, file, piece, &fed, &detail);
}

static void
some_der(struct bytes *der, uint8_t which, size_t n)
{
	uint8_t *p = malloc(n);

	assert_non_null(p);
	memset(p, which, n);
	bytes_element(der, 0x30, p, n);
	free(p);
}

static bool
is(const struct bytes *a, const struct bytes *b)
{
	return a->n == b->n && memcmp(a->p, b->p, a->n) == 0;
}

static void
add_text(struct bytes *b, const char *text)
{
	bytes_add(b, text, strlen(text));
}

/* ---- one CRL ------------------------------------------------------------ */

static void
test_der(void **state)
{
	struct bytes der = { 0 };
	struct told t;
	size_t piece;

	(void)state;
	told_init(&t);
	some_der(&der, 1, 300);
	for (piece = 1; piece <= der.n; piece++) {
		assert_int_equal(input_simply(&t, &der, piece), E_NONE);
		assert_int_equal(t.n, 1);
		assert_int_equal(t.ended, 1);
		assert_int_equal(t.end[0], E_NONE);
		assert_true(is(&t.der[0], &der));
		told_done(&t);
	}
	bytes_free(&der);
}

/* PEM of a CRL is the CRL, with CRLF, without a last newline, with text around. */
static void
test_pem_is_der(void **state)
{
	static const char *const shapes[][3] = {
		/* before, line end, after */
		{ "", "\n", "\n" }, { "", "\r\n", "\r\n" }, { "", "\n", "" },
		{ "Certificate Revocation List:\n  Version 2\n", "\n", "\nthe end\n" },
		{ "\xef\xbb\xbf", "\n", "\n" }, { "  \n\n", " \n", "\n\n" },
		{ "-----BEGIN X509\n", "\n", "\n-----" },
	};
	struct bytes der = { 0 }, pem = { 0 }, file = { 0 };
	size_t i, j, piece;
	struct told t;

	(void)state;
	told_init(&t);
	some_der(&der, 2, 277);
	make_pem(&der, &pem);
	for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		add_text(&file, shapes[i][0]);
		for (j = 0; j < pem.n - 1; j++) {
			if (pem.p[j] == '\n')
				add_text(&file, shapes[i][1]);
			else
				bytes_octet(&file, pem.p[j]);
		}
		add_text(&file, shapes[i][2]);
		for (piece = 1; piece <= file.n; piece += piece < 70 ? 1 : 97) {
			assert_int_equal(input_simply(&t, &file, piece), E_NONE);
			assert_int_equal(t.ended, 1);
			assert_int_equal(t.end[0], E_NONE);
			assert_true(is(&t.der[0], &der));
			told_done(&t);
		}
		bytes_free(&file);
	}
	bytes_free(&der);
	bytes_free(&pem);
}

/* ---- none at all -------------------------------------------------------- */

static void
test_not_a_crl(void **state)
{
	static const struct {
		const char *text;
		size_t n;
		enum source_error error;
		uint32_t detail;
	} rows[] = {
		{ TEXT(""), E_EMPTY, 0 },
		{ TEXT("<html>"), E_NOT_CRL, CRL_OTHER_HTML },
		{ TEXT("\r\n <!DOCTYPE html>"), E_NOT_CRL, CRL_OTHER_HTML },
		{ TEXT("\x1f\x8b\x08"), E_NOT_CRL, CRL_OTHER_GZIP },
		{ TEXT("not found"), E_NOT_CRL, CRL_OTHER_TEXT },
		{ TEXT(" \n"), E_NOT_CRL, CRL_OTHER_TEXT },
		{ TEXT("\x01\x02"), E_NOT_CRL, CRL_OTHER_BINARY },
		{ TEXT("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"), E_NOT_CRL,
		    CRL_OTHER_TEXT },
		{ TEXT(" -----BEGIN X509 CRL-----\nMAA=\n" END), E_NOT_CRL, CRL_OTHER_TEXT },
	};
	struct bytes file;
	struct told t;
	uint32_t detail;
	size_t i, piece;
	int fed;

	(void)state;
	told_init(&t);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		file = (struct bytes){ (uint8_t *)(uintptr_t)rows[i].text, rows[i].n, 0 };
		for (piece = 1; piece < 1000; piece *= 3) {
			assert_int_equal(input(&t, &file, piece, &fed, &detail), rows[i].error);
			assert_int_equal(detail, rows[i].detail);
			assert_int_equal(t.n, 0);
		}
	}
}

/* Text is read up to its limit and not one octet further. */
static void
test_text_limit(void **state)
{
	struct bytes der = { 0 }, pem = { 0 }, file = { 0 };
	struct told t;
	int more;

	(void)state;
	told_init(&t);
	some_der(&der, 3, 20);
	make_pem(&der, &pem);
	for (more = 0; more < 2; more++) {
		/* what the BEGIN line itself has is text until it is whole */
		while (file.n + sizeof(BEGIN) - 3 < CRL_INPUT_TEXT_MAX + (size_t)more)
			bytes_octet(&file, file.n % 60 == 0 ? '\n' : 'x');
		file.p[file.n - 1] = '\n';
		bytes_add(&file, pem.p, pem.n);
		assert_int_equal(input_simply(&t, &file, 4096), more ? E_NOT_CRL : E_NONE);
		assert_int_equal(t.ended, !more);
		told_done(&t);
		bytes_free(&file);
	}
	/* behind a CRL it is no reason to forget the CRL */
	bytes_add(&file, pem.p, pem.n);
	while (file.n < 2 * CRL_INPUT_TEXT_MAX)
		bytes_octet(&file, 'x');
	assert_int_equal(input_simply(&t, &file, 4096), E_TRAILING);
	assert_int_equal(t.ended, 1);
	assert_int_equal(t.end[0], E_NONE);
	told_done(&t);
	bytes_free(&file);
	bytes_free(&pem);
	bytes_free(&der);
}

/* ---- several ------------------------------------------------------------ */

/* The second of three blocks is broken in every way: the others are as before. */
static void
test_one_bad_block(void **state)
{
	static const struct {
		const char *block;
		enum source_error end;
	} rows[] = {
		{ BEGIN "MAA=\n" END, E_NONE },
		{ BEGIN "M?A=\n" END, E_DER },
		{ BEGIN "MAB=\n" END, E_DER },			/* stray bits */
		{ BEGIN "MA==MAAA\n" END, E_DER },		/* padding in the middle */
		{ BEGIN "MAA\n" END, E_DER },
		{ BEGIN "MAA=\n-----END CRL-----\n", E_DER },
		{ BEGIN "MAA=\n-----\n", E_DER },
		{ BEGIN "MAA=\n-----END X509 CRL\n", E_DER },
		{ BEGIN "MAA=\n", E_TRUNC },			/* the next one begins */
		{ BEGIN, E_TRUNC },
		{ BEGIN "M?A=\nand so on\n", E_DER },
	};
	struct bytes first = { 0 }, third = { 0 }, file = { 0 };
	size_t i, piece;
	struct told t;

	(void)state;
	told_init(&t);
	some_der(&first, 4, 100);
	some_der(&third, 5, 200);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		make_pem(&first, &file);
		add_text(&file, "# the second\n");
		add_text(&file, rows[i].block);
		make_pem(&third, &file);
		for (piece = 1; piece <= file.n; piece += 1 + piece / 4) {
			assert_int_equal(input_simply(&t, &file, piece), E_NONE);
			assert_int_equal(t.n, 3);
			assert_int_equal(t.ended, 3);
			assert_int_equal(t.end[0], E_NONE);
			assert_int_equal(t.end[1], rows[i].end);
			assert_int_equal(t.end[2], E_NONE);
			assert_true(is(&t.der[0], &first));
			assert_true(is(&t.der[2], &third));
			told_done(&t);
		}
		bytes_free(&file);
		/* and as the last of all */
		make_pem(&first, &file);
		add_text(&file, rows[i].block);
		assert_int_equal(input_simply(&t, &file, 17), E_NONE);
		assert_int_equal(t.ended, 2);
		assert_int_equal(t.end[0], E_NONE);
		assert_int_equal(t.end[1], rows[i].end);
		told_done(&t);
		bytes_free(&file);
	}
	bytes_free(&first);
	bytes_free(&third);
}

/* The rest of a large block that is none is passed over, however long it is. */
static void
test_long_bad_block(void **state)
{
	struct bytes der = { 0 }, file = { 0 };
	struct told t;
	size_t i;

	(void)state;
	told_init(&t);
	some_der(&der, 6, 100);
	add_text(&file, BEGIN "?\n");
	for (i = 0; i < 4000; i++)
		add_text(&file, "MIICdTCCAV0CAQEwDQYJKoZIhvcNAQELBQAwRDELMAkGA1UEBhMCVVMxEzARBgNV\n");
	add_text(&file, END);
	make_pem(&der, &file);
	assert_int_equal(input_simply(&t, &file, 1000), E_NONE);
	assert_int_equal(t.ended, 2);
	assert_int_equal(t.end[0], E_DER);
	assert_true(is(&t.der[1], &der));
	told_done(&t);
	bytes_free(&der);
	bytes_free(&file);
}

/* One that its taker does not want, or refuses, leaves the others alone. */
static void
test_takers_say_no(void **state)
{
	struct bytes der[3] = { { 0 } }, file = { 0 };
	struct told t;
	uint32_t detail;
	int i, fed;

	(void)state;
	told_init(&t);
	for (i = 0; i < 3; i++) {
		some_der(&der[i], (uint8_t)i, 9000);
		make_pem(&der[i], &file);
	}
	t.unwanted = 0;
	t.refuse = 1;
	assert_int_equal(input(&t, &file, 500, &fed, &detail), E_NONE);
	assert_int_equal(fed, 0);
	assert_int_equal(t.n, 3);
	assert_int_equal(t.ended, 2);
	assert_int_equal(t.der[0].n, 0);
	assert_true(t.der[1].n < der[1].n);
	assert_true(is(&t.der[2], &der[2]));
	told_done(&t);
	/* with DER nothing else can come */
	t.refuse = 0;
	assert_int_equal(input(&t, &der[0], 500, &fed, &detail), E_NONE);
	assert_int_equal(fed, -7);
	assert_int_equal(t.ended, 1);
	told_done(&t);
	for (i = 0; i < 3; i++)
		bytes_free(&der[i]);
	bytes_free(&file);
}

static int
any_begin(void *arg, uint32_t n)
{
	*(uint32_t *)arg = n + 1;
	return 1;
}

/* As many CRLs as a body may hold, and one more. */
static void
test_limit_of_crls(void **state)
{
	static const struct crl_input_taker counts = { any_begin, NULL, NULL };
	struct crl_input in;
	uint32_t n = 0, i;

	(void)state;
	crl_input_init(&in, &counts, &n);
	for (i = 0; i < CRL_INPUT_CRLS; i++)
		assert_int_equal(crl_input_feed(&in, TEXT(BEGIN "MAA=\n" END)), 0);
	assert_int_equal(n, CRL_INPUT_CRLS);
	assert_int_not_equal(crl_input_feed(&in, TEXT(BEGIN "MAA=\n" END)), 0);
	assert_int_equal(crl_input_finish(&in), E_TOO_BIG);
	assert_int_equal(n, CRL_INPUT_CRLS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_der),
		cmocka_unit_test(test_pem_is_der),
		cmocka_unit_test(test_not_a_crl),
		cmocka_unit_test(test_text_limit),
		cmocka_unit_test(test_one_bad_block),
		cmocka_unit_test(test_long_bad_block),
		cmocka_unit_test(test_takers_say_no),
		cmocka_unit_test(test_limit_of_crls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
