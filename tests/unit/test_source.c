/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_source.c -- the schedule of a source, in invented time; and its files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pki/source.h"
#include "pki/store.h"

#define HOUR (3600 * 1000LL)
#define WALL (CLOCK_FLOOR_MS + 1000 * HOUR)
#define LOW  0U
#define HIGH 0xffffffffU

static struct clock_view
at(int64_t ms)
{
	return (struct clock_view){ .wall_ms = WALL + ms, .boot_ms = 50000 + ms };
}

static struct source
fresh_source(void)
{
	struct source s;
	struct crl_verdict v;
	struct clock_view now = at(0);

	memset(&s, 0, sizeof(s));
	memset(&v, 0, sizeof(v));
	s.refresh_ms = HOUR;
	source_start(&s, false, &now, HIGH);
	v.this_update = WALL - HOUR;
	v.next_update = WALL + 24 * HOUR;
	v.digest_len = 32;
	v.entries = 10;
	source_use(&s, &v, 3);
	s.applied = true;
	source_succeeded(&s, &now, LOW);
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
	assert_false(source_wants_scan(&s, &now));
	/* with a cache: that first, and the fetch within a few seconds */
	source_start(&s, true, &now, HIGH);
	assert_true(source_wants_scan(&s, &now));
	assert_false(source_wants_fetch(&s, &now));
	assert_in_range(s.next_try_boot - now.boot_ms, 1, SOURCE_FIRST_MS);
	assert_int_equal(source_wait_scan(&s, &now, HOUR), 0);
	assert_int_equal(source_wait_fetch(&s, &now, HOUR), HOUR);
}

static void
test_refresh_is_spread_over_a_tenth(void **state)
{
	struct source s = fresh_source();
	struct clock_view now = at(0);

	(void)state;
	assert_int_equal(s.next_try_boot, now.boot_ms + HOUR);
	source_succeeded(&s, &now, HIGH);
	assert_in_range(s.next_try_boot - now.boot_ms, HOUR - HOUR / 10, HOUR - HOUR / 10 + 1);
	assert_int_equal(source_wait_fetch(&s, &now, 1000), 1000);
	assert_int_equal(source_wait_scan(&s, &now, 1000), 1000);
	now = at(HOUR);
	assert_true(source_wants_fetch(&s, &now));
}

static void
test_back_off(void **state)
{
	static const int64_t bounds[] = { 2000, 4000, 8000, 16000, 32000, 64000, 128000, 256000, 300000, 300000 };
	struct source s = fresh_source();
	struct clock_view now = at(0);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
		struct source low = s;

		source_failed(&low, E_FETCH, 404, &now, LOW);
		assert_int_equal(low.next_try_boot - now.boot_ms, 1);
		source_failed(&s, E_FETCH, 404, &now, HIGH);
		assert_int_equal(s.next_try_boot - now.boot_ms, bounds[i]);
	}
	/* never slower than the refresh itself */
	s.refresh_ms = 5000;
	source_failed(&s, E_FETCH, 404, &now, HIGH);
	assert_int_equal(s.next_try_boot - now.boot_ms, 5000);
	/* success ends it */
	source_succeeded(&s, &now, LOW);
	source_failed(&s, E_FETCH, 404, &now, HIGH);
	assert_int_equal(s.next_try_boot - now.boot_ms, 2000);
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
	source_succeeded(&s, &now, LOW);
	source_idle(&s, &now);
	assert_true(source_wants_fetch(&s, &now));
	s.busy = true;
	source_succeeded(&s, &now, LOW);
	source_idle(&s, &now);
	assert_false(source_wants_fetch(&s, &now));
}

static void
test_one_does_not_wait_for_another(void **state)
{
	struct source slow = fresh_source(), other = fresh_source();
	struct clock_view now = at(HOUR);

	(void)state;
	slow.busy = true;
	assert_false(source_wants_fetch(&slow, &now));
	assert_true(source_wants_fetch(&other, &now));
}

static void
test_scan_again(void **state)
{
	struct source s = fresh_source();
	struct clock_view now = at(0);

	(void)state;
	source_scan_later(&s, &now, HIGH);
	assert_false(source_wants_scan(&s, &now));
	assert_int_equal(source_wait_scan(&s, &now, HOUR), 2000);
	now = at(2000);
	assert_true(source_wants_scan(&s, &now));
}

/* ---- validators --------------------------------------------------------- */

static void
test_validators(void **state)
{
	struct source s = fresh_source();
	struct clock_view now = at(0), late = at(25 * HOUR);

	(void)state;
	assert_true(source_may_validate(&s, &now));
	/* a stale CRL is not made young by "unchanged" */
	assert_false(source_may_validate(&s, &late));
	/* no answer says nothing about what we have; a wrong one does */
	source_failed(&s, E_FETCH, 404, &now, LOW);
	assert_true(source_may_validate(&s, &now));
	source_failed(&s, E_SIG, 0, &now, LOW);
	assert_false(source_may_validate(&s, &now));
	source_succeeded(&s, &now, LOW);
	assert_true(source_may_validate(&s, &now));
	s.applied = false;
	assert_false(source_may_validate(&s, &now));
	s.applied = true;
	s.unsaved = true;
	assert_false(source_may_validate(&s, &now));
}

/* ---- how it stands ------------------------------------------------------ */

static void
test_states(void **state)
{
	struct source s = { .refresh_ms = HOUR };
	struct clock_view now = at(0);

	(void)state;
	assert_int_equal(source_state(&s, &now), SOURCE_NEVER);
	s = fresh_source();
	assert_int_equal(source_state(&s, &now), SOURCE_FRESH);
	now = at(2 * HOUR);
	assert_int_equal(source_state(&s, &now), SOURCE_DUE);
	now = at(24 * HOUR);
	assert_int_equal(source_state(&s, &now), SOURCE_STALE);
	now = at(48 * HOUR);
	assert_int_equal(source_state(&s, &now), SOURCE_EXPIRED);
}

/* A router that starts in 1970 does not take its CRL for one of the future,
 * and time goes on for it all the same. */
static void
test_clock_in_the_past(void **state)
{
	struct source s = fresh_source();
	struct clock_view now = at(0);

	(void)state;
	now.wall_ms = 1000;
	assert_int_equal(source_state(&s, &now), SOURCE_FRESH);
	now.boot_ms += 26 * HOUR;
	now.wall_ms += 26 * HOUR;
	assert_int_equal(source_state(&s, &now), SOURCE_STALE);
}

static void
test_report(void **state)
{
	struct source s = fresh_source();
	struct clock_view now = at(10);
	struct pki_source r;

	(void)state;
	s.index = 4;
	s.authority_number = 9;
	source_failed(&s, E_FETCH, 503, &now, HIGH);
	source_report(&s, &now, &r);
	assert_int_equal(r.source, 4);
	assert_int_equal(r.authority, 9);
	assert_int_equal(r.state, SOURCE_FRESH);
	assert_int_equal(r.error, E_FETCH);
	assert_int_equal(r.detail, 503);
	assert_int_equal(r.entries, 10);
	assert_int_equal(r.hits, 3);
	assert_int_equal(r.last_success, WALL);
	assert_int_equal(r.next_try, now.wall_ms + 2000);
	assert_int_equal(r.this_update, WALL - HOUR);
}

static void
test_inherit(void **state)
{
	struct source s = { .index = 3, .authority = 1, .authority_number = 8, .refresh_ms = 2 * HOUR };
	struct source before = fresh_source();

	(void)state;
	before.busy = before.again = true;
	source_inherit(&s, &before);
	assert_int_equal(s.index, 3);
	assert_int_equal(s.authority_number, 8);
	assert_int_equal(s.refresh_ms, 2 * HOUR);
	assert_int_equal(s.hits, 3);
	assert_false(s.busy || s.again || s.applied);
	assert_true(s.tell);
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

/* ---- files -------------------------------------------------------------- */

static char folder_name[64];

static int
folder_setup(void **state)
{
	strcpy(folder_name, "/tmp/test_source.XXXXXX");
	if (mkdtemp(folder_name) == NULL)
		return -1;
	*state = (void *)(intptr_t)open(folder_name, O_RDONLY | O_DIRECTORY);
	return 0;
}

static int
folder_teardown(void **state)
{
	static const char *const suffixes[] = { "crl", "high", "meta", "part" };
	int dir = (int)(intptr_t)*state;
	char name[64];
	size_t i;

	for (i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "one.%s", suffixes[i]);
		unlinkat(dir, name, 0);
	}
	close(dir);
	return rmdir(folder_name);
}

static bool
exists(int dir, const char *name)
{
	return faccessat(dir, name, F_OK, 0) == 0;
}

static void
test_install_and_load(void **state)
{
	int dir = (int)(intptr_t)*state, fd;
	struct crl_highwater hw = { .valid = true, .number_len = 2, .number = { 1, 2 }, .digest_len = 32,
		.digest = { 9 }, .key_digest = { 8 }, .this_update = 77 }, got;
	struct store_meta meta = { .received_at = 5, .size = 3, .digest_len = 32, .digest = { 9 },
		.etag = "\"tag\"", .last_modified = "then" }, got_meta;
	char text[8] = "";

	assert_int_equal(store_load_highwater(dir, "one", &got), -ENOENT);
	assert_int_equal(store_open(dir, "one"), -ENOENT);
	assert_true((fd = store_temporary(dir, "one")) >= 0);
	assert_int_equal(write(fd, "abc", 3), 3);
	assert_false(exists(dir, "one.crl"));
	assert_int_equal(store_install(dir, "one", fd, &hw, &meta), 0);
	close(fd);
	assert_false(exists(dir, "one.part"));
	assert_true((fd = store_open(dir, "one")) >= 0);
	assert_int_equal(read(fd, text, sizeof(text)), 3);
	assert_string_equal(text, "abc");
	close(fd);
	memset(&got, 0, sizeof(got));
	assert_int_equal(store_load_highwater(dir, "one", &got), 0);
	assert_memory_equal(&got, &hw, sizeof(hw));
	assert_int_equal(store_load_meta(dir, "one", &got_meta), 0);
	assert_memory_equal(&got_meta, &meta, sizeof(meta));
}

/* A flipped bit anywhere in a record is seen. */
static void
test_damaged_records(void **state)
{
	int dir = (int)(intptr_t)*state, fd;
	struct crl_highwater hw = { .valid = true, .this_update = 77 }, got;
	struct store_meta meta = { .size = 3 }, got_meta;
	struct stat st;
	uint8_t octet;
	off_t i;

	fd = store_temporary(dir, "one");
	assert_int_equal(store_install(dir, "one", fd, &hw, &meta), 0);
	close(fd);
	fd = openat(dir, "one.high", O_RDWR);
	assert_int_equal(fstat(fd, &st), 0);
	for (i = 0; i < st.st_size; i++) {
		assert_int_equal(pread(fd, &octet, 1, i), 1);
		octet ^= 4;
		assert_int_equal(pwrite(fd, &octet, 1, i), 1);
		assert_int_equal(store_load_highwater(dir, "one", &got), -EBADMSG);
		octet ^= 4;
		assert_int_equal(pwrite(fd, &octet, 1, i), 1);
	}
	assert_int_equal(store_load_highwater(dir, "one", &got), 0);
	assert_int_equal(ftruncate(fd, st.st_size - 1), 0);
	assert_int_equal(store_load_highwater(dir, "one", &got), -EBADMSG);
	close(fd);
	fd = openat(dir, "one.meta", O_RDWR | O_APPEND);
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
	assert_int_equal(store_load_meta(dir, "one", &got_meta), -EBADMSG);
}

static void
test_clean(void **state)
{
	int dir = (int)(intptr_t)*state, fd = store_temporary(dir, "one");

	close(fd);
	assert_true(exists(dir, "one.part"));
	assert_int_equal(store_clean(dir), 0);
	assert_false(exists(dir, "one.part"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_start),
		cmocka_unit_test(test_refresh_is_spread_over_a_tenth),
		cmocka_unit_test(test_back_off),
		cmocka_unit_test(test_refresh_on_demand),
		cmocka_unit_test(test_one_does_not_wait_for_another),
		cmocka_unit_test(test_scan_again),
		cmocka_unit_test(test_validators),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_clock_in_the_past),
		cmocka_unit_test(test_report),
		cmocka_unit_test(test_inherit),
		cmocka_unit_test(test_ids),
		cmocka_unit_test_setup_teardown(test_install_and_load, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_damaged_records, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_clean, folder_setup, folder_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
