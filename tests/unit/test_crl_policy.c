/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_crl_policy.c -- replays, double issue, and the future. Numbers of tests
 * are those of the table of cases in doc/revocation.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pki/crl_policy.h"

#define DAY  (24 * 3600 * 1000LL)
#define NOW  (CLOCK_FLOOR_MS + 100 * DAY)

static const uint8_t key[KEY_DIGEST_LEN] = { 1 }, other_key[KEY_DIGEST_LEN] = { 2 };
static const struct pki_clock now = { .wall_ms = NOW, .trusted = true },
	unset = { .wall_ms = 1000, .floor_ms = CLOCK_FLOOR_MS };

/* number 0: the CRL has none. */
static struct crl_verdict
verdict(unsigned number, int64_t this_update, uint8_t content)
{
	struct crl_verdict v;

	memset(&v, 0, sizeof(v));
	if (number != 0) {
		v.number_len = number > 255 ? 2 : 1;
		v.number[0] = (uint8_t)(number > 255 ? number >> 8 : number);
		v.number[1] = (uint8_t)(number > 255 ? number : 0);
	}
	v.this_update = this_update;
	v.next_update = this_update + 7 * DAY;
	v.digest_len = 32;
	v.digest[0] = content;
	return v;
}

static void
test_62_63_64_65_66_order(void **state)
{
	static const struct {
		unsigned had, has;	/* numbers */
		int had_at, has_at;	/* days */
		bool same_content;
		enum source_error error;
		bool same;
	} rows[] = {
		{ 5, 6, -3, -2, false, E_NONE, false },
		{ 5, 6, -3, -3, false, E_NONE, false },
		{ 255, 256, -3, -2, false, E_NONE, false },
		{ 5, 300, -3, -2, false, E_NONE, false },	/* a gap is no fault */
		{ 5, 5, -3, -3, true, E_NONE, true },
		{ 5, 4, -3, -2, false, E_ROLLBACK, false },
		{ 256, 255, -3, -2, false, E_ROLLBACK, false },
		{ 5, 5, -3, -3, false, E_EQUIVOCATION, false },
		{ 5, 5, -3, -2, false, E_EQUIVOCATION, false },
		{ 5, 6, -3, -4, false, E_ROLLBACK, false },	/* the number alone does not do */
		{ 0, 0, -3, -2, false, E_NONE, false },
		{ 0, 0, -3, -4, false, E_ROLLBACK, false },
		{ 0, 0, -3, -3, false, E_EQUIVOCATION, false },
		{ 0, 0, -3, -3, true, E_NONE, true },
		{ 5, 0, -3, -2, false, E_NONE, false },		/* numbers came or went: time is the order */
		{ 5, 0, -3, -4, false, E_ROLLBACK, false },
		{ 0, 5, -3, -2, false, E_NONE, false },
		{ 0, 5, -3, -4, false, E_ROLLBACK, false },
	};
	struct crl_verdict had, has;
	struct crl_highwater hw;
	struct crl_judgement j;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		had = verdict(rows[i].had, NOW + rows[i].had_at * DAY, 1);
		has = verdict(rows[i].has, NOW + rows[i].has_at * DAY, rows[i].same_content ? 1 : 2);
		crl_highwater_of(&had, key, &hw);
		j = crl_judge(&has, key, &hw, CRL_SKEW_MS, E_NONE, &now);
		assert_int_equal(j.error, rows[i].error);
		assert_int_equal(j.apply, rows[i].error == E_NONE);
		assert_int_equal(j.install, rows[i].error == E_NONE);
		assert_int_equal(j.same, rows[i].same);
		assert_int_equal(j.why != NULL, rows[i].error != E_NONE);
	}
}

static void
test_first(void **state)
{
	struct crl_highwater none = { .valid = false };
	struct crl_verdict v = verdict(1, NOW - 3000 * DAY, 1);
	struct crl_judgement j;

	(void)state;
	/* expired for years: who is listed is revoked all the same */
	j = crl_judge(&v, key, &none, CRL_SKEW_MS, E_NONE, &now);
	assert_true(j.apply && j.install && !j.same);
	assert_int_equal(j.error, E_NONE);
}

/* A new certificate of the authority begins a new sequence. */
static void
test_new_key(void **state)
{
	struct crl_verdict had = verdict(9, NOW - DAY, 1), has = verdict(1, NOW - 2 * DAY, 2);
	struct crl_highwater hw;

	(void)state;
	crl_highwater_of(&had, key, &hw);
	assert_false(crl_judge(&has, key, &hw, CRL_SKEW_MS, E_NONE, &now).apply);
	assert_true(crl_judge(&has, other_key, &hw, CRL_SKEW_MS, E_NONE, &now).install);
}

static void
test_58_future(void **state)
{
	struct crl_verdict v = verdict(5, NOW + CRL_SKEW_MS, 1);
	struct crl_highwater none = { 0 };
	struct crl_judgement j;

	(void)state;
	j = crl_judge(&v, key, &none, CRL_SKEW_MS, E_NONE, &now);
	assert_true(j.apply && j.install && j.mark && j.clears && j.error == E_NONE);
	v.this_update++;
	j = crl_judge(&v, key, &none, CRL_SKEW_MS, E_NONE, &now);
	assert_true(j.apply && j.install);
	assert_false(j.mark || j.clears);
	assert_int_equal(j.error, E_FUTURE);
	/* a clock that was never set knows no future, and proves no present */
	j = crl_judge(&v, key, &none, CRL_SKEW_MS, E_NONE, &unset);
	assert_true(j.apply && j.install && j.mark && j.error == E_NONE);
	assert_false(j.clears);
	/* the floor does, a bit */
	assert_int_equal(pki_clock_now(&(struct pki_clock){ .wall_ms = 1, .floor_ms = 2 }), 2);
	assert_int_equal(pki_clock_now(&(struct pki_clock){ .wall_ms = 3, .floor_ms = 2 }), 3);
}

/* Whoever signed it: an expired CRL is one to revoke by, so is that of an expired
 * or revoked signer. */
static void
test_17_56_hits_count(void **state)
{
	struct crl_verdict v = verdict(5, NOW - 30 * DAY, 1);
	static const enum source_error errors[] = { E_NONE, E_SIGNER_EXPIRED, E_SIGNER_REVOKED };
	struct crl_highwater none = { 0 };
	struct crl_judgement j;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		j = crl_judge(&v, key, &none, CRL_SKEW_MS, errors[i], &now);
		assert_true(j.apply && j.install && j.mark);
		assert_int_equal(j.clears, errors[i] == E_NONE);
		assert_int_equal(j.error, errors[i]);
		assert_int_equal(j.why != NULL, errors[i] != E_NONE);
	}
	/* but a replay is a replay */
	crl_highwater_of(&v, key, &none);
	v = verdict(4, NOW - 31 * DAY, 2);
	j = crl_judge(&v, key, &none, CRL_SKEW_MS, E_SIGNER_EXPIRED, &now);
	assert_false(j.apply);
	assert_int_equal(j.error, E_ROLLBACK);
}

/* A mark goes up and never down, also past a CRL without a number. */
static void
test_66_67_mark(void **state)
{
	struct crl_verdict v = verdict(0, NOW - 3 * DAY, 1);
	struct crl_highwater hw = { 0 };
	static const uint8_t high[20] = { 0xff, 0xff };

	(void)state;
	v.number_len = 20;
	memcpy(v.number, high, sizeof(high));
	crl_highwater_raise(&hw, &v, key);
	assert_true(hw.valid);
	assert_int_equal(hw.number_len, 20);
	v = verdict(0, NOW - 2 * DAY, 2);
	assert_true(crl_judge(&v, key, &hw, CRL_SKEW_MS, E_NONE, &now).mark);
	crl_highwater_raise(&hw, &v, key);
	assert_int_equal(hw.number_len, 20);
	assert_int_equal(hw.this_update, NOW - 2 * DAY);
	v = verdict(300, NOW - DAY, 3);
	assert_int_equal(crl_judge(&v, key, &hw, CRL_SKEW_MS, E_NONE, &now).error, E_ROLLBACK);
	v.number_len = 20;
	memcpy(v.number, high, sizeof(high));
	v.number[19] = 1;
	assert_true(crl_judge(&v, key, &hw, CRL_SKEW_MS, E_NONE, &now).mark);
	/* number 0 is a number */
	hw.valid = false;
	v = verdict(0, NOW - DAY, 4);
	v.number_len = 1;
	crl_highwater_raise(&hw, &v, key);
	v = verdict(1, NOW - DAY, 5);
	assert_true(crl_judge(&v, key, &hw, CRL_SKEW_MS, E_NONE, &now).mark);
}

/* The CA was built anew and counts from 1: refused until an operator resets the mark. */
static void
test_68_reset(void **state)
{
	struct crl_verdict v = verdict(200, NOW - 2 * DAY, 1);
	struct crl_highwater hw = { 0 };

	(void)state;
	crl_highwater_raise(&hw, &v, key);
	v = verdict(1, NOW - DAY, 2);
	assert_int_equal(crl_judge(&v, key, &hw, CRL_SKEW_MS, E_NONE, &now).error, E_ROLLBACK);
	memset(&hw, 0, sizeof(hw));
	assert_true(crl_judge(&v, key, &hw, CRL_SKEW_MS, E_NONE, &now).mark);
}

static void
test_numbers_are_integers(void **state)
{
	static const struct {
		const char *a;
		size_t a_len;
		const char *b;
		size_t b_len;
		int order;
	} rows[] = {
		{ "\x00", 1, "\x00", 1, 0 },
		{ "\x00\x05", 2, "\x05", 1, 0 },
		{ "\x01\x00", 2, "\xff", 1, 1 },
		{ "\xff", 1, "\x01\x00", 2, -1 },
		{ "01234567890123456789", 20, "11234567890123456789", 20, -1 },
		{ "\x17\x9a\x3e\x6c\x83\x4d\x10\x00", 8, "\x17\x9a\x3e\x6c\x83\x4d\x0f\xff", 8, 1 },
	};
	size_t i;
	int got;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		got = crl_number_cmp((const uint8_t *)rows[i].a, rows[i].a_len, (const uint8_t *)rows[i].b,
		    rows[i].b_len);
		assert_int_equal(got < 0 ? -1 : got > 0, rows[i].order);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_62_63_64_65_66_order),
		cmocka_unit_test(test_first),
		cmocka_unit_test(test_new_key),
		cmocka_unit_test(test_58_future),
		cmocka_unit_test(test_17_56_hits_count),
		cmocka_unit_test(test_66_67_mark),
		cmocka_unit_test(test_68_reset),
		cmocka_unit_test(test_numbers_are_integers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
