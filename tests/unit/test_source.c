/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_source.c -- the schedule of a source, in invented time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "pki/crl_policy.h"
#include "pki/source.h"

#define HOUR (3600 * 1000LL)
#define WALL (CLOCK_FLOOR_MS + 1000 * HOUR)
#define LOW  0U
#define HIGH 0xffffffffU

static struct source_url addresses[3] = { { .text = "http://a/crl" }, { .text = "http://b/crl" }, { .text = "http://c/crl" } };

static struct clock_view
at(int64_t ms)
{
	return (struct clock_view){ .wall_ms = WALL + ms, .boot_ms = 50000 + ms };
}

/* With a CRL of an hour ago, in force for a day, confirmed now. */
static struct source
fresh_source(void)
{
	struct source s;
	struct clock_view now = at(0);

	memset(&s, 0, sizeof(s));
	s.refresh_ms = HOUR;
	s.n_urls = 1;
	s.urls = addresses;
	source_start(&s, false, &now, HIGH);
	s.view = (struct source_view){ .state = SOURCE_FRESH, .this_update = WALL - HOUR,
		.next_update = WALL + 24 * HOUR, .entries = 10, .hits = 3, .series = 1 };
	source_succeeded(&s, E_NONE, false, &now, LOW);
	return s;
}

/* ---- when --------------------------------------------------------------- */

static void
test_start(void **state)
{
	struct source s = { .refresh_ms = HOUR };
	struct clock_view now = at(0);

	(void)state;
	/* nothing known: at once, whatever the dice say */
	source_start(&s, false, &now, HIGH);
	assert_true(source_wants_fetch(&s, &now));
	/* with a cache: within a minute */
	source_start(&s, true, &now, HIGH);
	assert_false(source_wants_fetch(&s, &now));
	assert_in_range(s.next_try_boot - now.boot_ms, SOURCE_FIRST_MS - 1, SOURCE_FIRST_MS);
	assert_int_equal(source_wait(&s, &now, HOUR), s.next_try_boot - now.boot_ms);
	source_start(&s, true, &now, LOW);
	assert_true(source_wants_fetch(&s, &now));
	/* nor longer than the refresh */
	s.refresh_ms = 1000;
	source_start(&s, true, &now, HIGH);
	assert_in_range(s.next_try_boot - now.boot_ms, 0, 1000);
}

/* this_update and next_update, from now; refresh; the first and the last moment for
 * the next try, when all is well */
static const struct {
	int64_t this_update, next_update, refresh, first, last;
} refreshes[] = {
	/* an old CRL that is in force for long: so often as the administrator wants */
	{ -HOUR, 24 * HOUR, HOUR, HOUR - HOUR / 10, HOUR },
	{ -20 * HOUR, 100 * HOUR, HOUR, HOUR - HOUR / 10, HOUR },
	{ -20 * HOUR, 0, HOUR, HOUR - HOUR / 10, HOUR },
	/* published half an hour ago, at a steady pace: when the next one comes */
	{ -HOUR / 2, 24 * HOUR, HOUR, HOUR / 2 - HOUR / 20, HOUR / 2 },
	/* before a tenth of its validity is left */
	{ -10 * HOUR, 10 * HOUR, 24 * HOUR, 8 * HOUR - HOUR * 8 / 10, 8 * HOUR },
	/* or five minutes */
	{ -HOUR / 4, HOUR / 4, 24 * HOUR, 9 * 60000, 10 * 60000 },
	/* that time has begun: as after a failure */
	{ -23 * HOUR, HOUR, 24 * HOUR, 1, SOURCE_BACKOFF_MS },
	{ -24 * HOUR, -HOUR, 24 * HOUR, 1, SOURCE_BACKOFF_MS },
	/* a lab's */
	{ -5000, HOUR, 1000, 900, 1000 },
	{ -500, HOUR, 1000, 450, 500 },
	{ -1000, 2000, 1000, 1, 1000 },
};

static void
test_refresh(void **state)
{
	struct clock_view now = at(0);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(refreshes) / sizeof(refreshes[0]); i++) {
		struct source s = fresh_source();

		s.refresh_ms = refreshes[i].refresh;
		s.view.this_update = WALL + refreshes[i].this_update;
		s.view.next_update = refreshes[i].next_update == 0 ? 0 : WALL + refreshes[i].next_update;
		source_succeeded(&s, E_NONE, false, &now, LOW);
		assert_in_range(s.next_try_boot - now.boot_ms, refreshes[i].first, refreshes[i].last);
		source_succeeded(&s, E_NONE, false, &now, HIGH);
		assert_in_range(s.next_try_boot - now.boot_ms, refreshes[i].first, refreshes[i].last);
	}
}

static void
test_refresh_is_spread_over_a_tenth(void **state)
{
	struct source s = fresh_source();
	struct clock_view now = at(0);

	(void)state;
	assert_int_equal(s.next_try_boot, now.boot_ms + HOUR);
	source_succeeded(&s, E_NONE, false, &now, HIGH);
	assert_in_range(s.next_try_boot - now.boot_ms, HOUR - HOUR / 10, HOUR - HOUR / 10 + 1);
	assert_int_equal(source_wait(&s, &now, 1000), 1000);
	now = at(HOUR);
	assert_true(source_wants_fetch(&s, &now));
}

static void
test_back_off(void **state)
{
	static const int64_t in_force[] = { 30000, 60000, 120000, 240000, 480000, 900000, 900000 };
	static const int64_t stale[] = { 30000, 60000, 120000, 240000, 300000, 300000, 300000 };
	struct clock_view now = at(0);
	struct source s;
	size_t i, k;

	(void)state;
	for (k = 0; k < 3; k++) {
		s = fresh_source();
		s.view.state = k == 0 ? SOURCE_FRESH : k == 1 ? SOURCE_STALE : SOURCE_NEVER;
		for (i = 0; i < sizeof(stale) / sizeof(stale[0]); i++) {
			struct source low = s;

			source_failed(&low, E_FETCH, 404, 0, &now, LOW);
			assert_int_equal(low.next_try_boot - now.boot_ms, 1);
			source_failed(&s, E_FETCH, 404, 0, &now, HIGH);
			assert_int_equal(s.next_try_boot - now.boot_ms, k == 0 ? in_force[i] : stale[i]);
		}
	}
	/* never slower than the refresh itself */
	s.refresh_ms = 5000;
	source_failed(&s, E_FETCH, 404, 0, &now, HIGH);
	assert_int_equal(s.next_try_boot - now.boot_ms, 5000);
	/* success ends it */
	source_succeeded(&s, E_NONE, false, &now, LOW);
	assert_int_equal(s.failures, 0);
	assert_false(s.slow);
}

/* What a server asks for is granted, as far as it is not absurd. */
static void
test_retry_after(void **state)
{
	struct source s = fresh_source();
	struct clock_view now = at(0);

	(void)state;
	source_failed(&s, E_FETCH, 503, 120, &now, LOW);
	assert_int_equal(s.next_try_boot - now.boot_ms, 120000);
	source_failed(&s, E_FETCH, 503, 1, &now, HIGH);
	assert_int_equal(s.next_try_boot - now.boot_ms, 60000);
	source_failed(&s, E_FETCH, 503, UINT32_MAX, &now, LOW);
	assert_int_equal(s.next_try_boot - now.boot_ms, SOURCE_CAP_MS);
	s.view.state = SOURCE_STALE;
	source_failed(&s, E_FETCH, 503, 86400, &now, LOW);
	assert_int_equal(s.next_try_boot - now.boot_ms, SOURCE_CAP_STALE_MS);
}

/* Mirrors are tried in order within one attempt; the next attempt begins anew. */
static void
test_mirrors(void **state)
{
	struct source s = fresh_source();
	struct clock_view now = at(0);

	(void)state;
	assert_false(source_next_url(&s));
	s.n_urls = 3;
	assert_true(source_next_url(&s));
	assert_int_equal(s.url, 1);
	source_succeeded(&s, E_NONE, false, &now, LOW);
	assert_int_equal(s.answered, 1);
	assert_int_equal(s.url, 0);
	assert_true(source_next_url(&s) && source_next_url(&s));
	assert_false(source_next_url(&s));
	source_failed(&s, E_FETCH, 404, 0, &now, LOW);
	assert_int_equal(s.url, 0);
	assert_int_equal(s.answered, 1);
	assert_int_equal(s.failures, 1);
}

/* Who found no slot, or made room, did nothing wrong. */
static void
test_postponed(void **state)
{
	struct source s = fresh_source();
	struct clock_view now = at(HOUR);

	(void)state;
	source_postponed(&s, false, &now);
	assert_int_equal(s.next_try_boot - now.boot_ms, SOURCE_SLOTLESS_MS);
	assert_int_equal(s.failures, 0);
	assert_int_equal(s.error, E_NONE);
	assert_false(s.slow);
	source_postponed(&s, true, &now);
	assert_true(s.slow);
}

static void
test_refresh_on_demand(void **state)
{
	struct source s = fresh_source();
	struct clock_view now = at(1000);

	(void)state;
	assert_false(source_wants_fetch(&s, &now));
	source_refresh(&s, &now);
	assert_true(source_wants_fetch(&s, &now));
	/* while one is under way: another one after it, since that may have come too early */
	s.busy = true;
	assert_false(source_wants_fetch(&s, &now));
	source_refresh(&s, &now);
	source_succeeded(&s, E_NONE, false, &now, LOW);
	source_idle(&s, &now);
	assert_true(source_wants_fetch(&s, &now));
	s.busy = true;
	source_succeeded(&s, E_NONE, false, &now, LOW);
	source_idle(&s, &now);
	assert_false(source_wants_fetch(&s, &now));
}

/* ---- validators and states ---------------------------------------------- */

static void
test_validators(void **state)
{
	struct source s = fresh_source();
	struct clock_view now = at(0);

	(void)state;
	assert_true(source_may_validate(&s, &now));
	/* the transfer failed: that says nothing about the content */
	source_failed(&s, E_FETCH, 404, 0, &now, LOW);
	assert_true(source_may_validate(&s, &now));
	/* the content was no good */
	source_failed(&s, E_SIG, 0, 0, &now, LOW);
	assert_false(source_may_validate(&s, &now));
	source_succeeded(&s, E_NONE, false, &now, LOW);
	assert_true(source_may_validate(&s, &now));
	s.view.state = SOURCE_STALE;
	assert_false(source_may_validate(&s, &now));
	s.view.state = SOURCE_NEVER;
	assert_false(source_may_validate(&s, &now));
}

/* "Unchanged" never makes anything fresher, and when something new should be there,
 * all of it is asked for. */
static void
test_unchanged(void **state)
{
	struct source s = fresh_source();
	struct clock_view now = at(HOUR - 1);

	(void)state;
	source_succeeded(&s, E_NONE, true, &now, LOW);
	assert_true(source_may_validate(&s, &now));
	assert_int_equal(s.view.next_update, WALL + 24 * HOUR);
	now = at(3 * HOUR);
	assert_int_equal(source_state(&s, &now), SOURCE_DUE);
	assert_true(source_may_validate(&s, &now));
	source_succeeded(&s, E_NONE, true, &now, LOW);
	assert_int_equal(source_state(&s, &now), SOURCE_FRESH);
	assert_false(source_may_validate(&s, &now));
	source_succeeded(&s, E_NONE, false, &now, LOW);
	assert_true(source_may_validate(&s, &now));
	s.view.state = SOURCE_STALE;
	source_succeeded(&s, E_NONE, true, &now, LOW);
	assert_int_equal(source_state(&s, &now), SOURCE_STALE);
}

static void
test_states(void **state)
{
	struct source s = fresh_source();
	struct clock_view now = at(HOUR + HOUR / 10);

	(void)state;
	assert_int_equal(source_state(&s, &now), SOURCE_FRESH);
	now = at(HOUR + HOUR / 10 + 1);
	assert_int_equal(source_state(&s, &now), SOURCE_DUE);
	/* from the cache: nobody confirmed it since we run */
	s.confirmed_boot = 0;
	now = at(0);
	assert_int_equal(source_state(&s, &now), SOURCE_DUE);
	s.view.state = SOURCE_EXPIRED;
	assert_int_equal(source_state(&s, &now), SOURCE_EXPIRED);
	s.view.state = SOURCE_NEVER;
	assert_int_equal(source_state(&s, &now), SOURCE_NEVER);
}

static void
test_report(void **state)
{
	struct source s = fresh_source();
	struct clock_view now = at(1000);
	struct pki_source r;

	(void)state;
	s.index = 4;
	s.authority_number = 9;
	s.view.number_len = 2;
	s.view.number[1] = 7;
	s.view.bytes = 1000;
	s.view.received_at = WALL - 5;
	s.rollbacks = 6;
	source_failed(&s, E_TRUNC, 77, 0, &now, HIGH);
	source_report(&s, &now, &r);
	assert_int_equal(r.source, 4);
	assert_int_equal(r.authority, 9);
	assert_int_equal(r.state, SOURCE_FRESH);
	assert_int_equal(r.error, E_TRUNC);
	assert_int_equal(r.detail, 77);
	assert_int_equal(r.failures, 1);
	assert_int_equal(r.rollbacks, 6);
	assert_int_equal(r.entries, 10);
	assert_int_equal(r.hits, 3);
	assert_int_equal(r.bytes, 1000);
	assert_int_equal(r.series, 1);
	assert_int_equal(r.last_change, WALL - 5);
	assert_int_equal(r.last_success, WALL);
	assert_int_equal(r.next_try, now.wall_ms + 30000);
	assert_int_equal(r.number_len, 2);
	assert_int_equal(r.number[1], 7);
}

static void
test_inherit(void **state)
{
	struct source_url renewed[2] = { { .text = "http://b/crl" }, { .text = "http://z/crl" } };
	struct source s = { .index = 3, .authority = 1, .authority_number = 8, .refresh_ms = 2 * HOUR, .n_urls = 2,
		.urls = renewed };
	struct source before = fresh_source();

	(void)state;
	before.n_urls = 3;
	before.answered = 2;
	before.busy = before.again = true;
	strcpy(addresses[1].etag, "\"b\"");
	source_inherit(&s, &before);
	assert_int_equal(s.index, 3);
	assert_int_equal(s.authority_number, 8);
	assert_int_equal(s.refresh_ms, 2 * HOUR);
	assert_int_equal(s.view.hits, 3);
	assert_int_equal(s.answered, 0);
	assert_false(s.busy || s.again);
	assert_true(s.tell);
	/* an address keeps what it said, wherever it stands now */
	assert_string_equal(s.urls[0].etag, "\"b\"");
	assert_string_equal(s.urls[1].etag, "");
	assert_ptr_equal(s.urls, renewed);
}

static void
test_servers(void **state)
{
	(void)state;
	assert_int_equal(source_server("file:///x/crl"), 0);
	assert_true(source_server("http://a/1") != 0);
	assert_true(source_server("http://a/1") == source_server("http://a/2?x"));
	assert_true(source_server("http://a/1") != source_server("http://a:81/1"));
	assert_true(source_server("http://a/1") != source_server("http://b/1"));
}

static void
test_ids(void **state)
{
	char a[SOURCE_ID_LEN], b[SOURCE_ID_LEN];

	(void)state;
	source_id("ca", "http://x/1", a);
	source_id("ca", "http://x/1", b);
	assert_string_equal(a, b);
	assert_int_equal(strlen(a), SOURCE_ID_LEN - 1);
	source_id("ca", "http://x/2", b);
	assert_string_not_equal(a, b);
	source_id("cah", "ttp://x/1", b);
	assert_string_not_equal(a, b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_start),
		cmocka_unit_test(test_refresh),
		cmocka_unit_test(test_refresh_is_spread_over_a_tenth),
		cmocka_unit_test(test_back_off),
		cmocka_unit_test(test_retry_after),
		cmocka_unit_test(test_mirrors),
		cmocka_unit_test(test_postponed),
		cmocka_unit_test(test_refresh_on_demand),
		cmocka_unit_test(test_validators),
		cmocka_unit_test(test_unchanged),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_report),
		cmocka_unit_test(test_inherit),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_servers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
