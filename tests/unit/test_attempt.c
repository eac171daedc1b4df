/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_attempt.c -- records and counts of one key become one row, whatever the
 * order in which they come; memory stays bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "flow/attempts.h"
#include "flow/map.h"

#define MARK 0x1101
#define WALL 1700000000000

static const struct siphash_key seed = { 1, 2 };
static struct clock_view now;
static struct attempts *t;

static int
set_up(void **state)
{
	(void)state;
	now = (struct clock_view){ .wall_ms = WALL, .boot_ms = 100000 };
	t = attempts_new(1000, &seed);
	return t != NULL ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	attempts_free(t);
	return 0;
}

static void
later(int64_t ms)
{
	now.wall_ms += ms;
	now.boot_ms += ms;
}

static struct record
a_record(uint16_t port)
{
	struct record r;

	memset(&r, 0, sizeof(r));
	r.group = FLOW_REFUSED;
	r.mark = MARK;
	r.has_head = 1;
	r.packet.family = r.packet.source.family = r.packet.destination.family = AF_INET;
	r.packet.protocol = IPPROTO_TCP;
	r.packet.flags = PACKET_PORTS;
	r.packet.port = port;
	r.packet.len = 60;
	memcpy(r.packet.source.bytes, "\x0a\x0a\x00\x0b", 4);
	memcpy(r.packet.destination.bytes, "\xc0\x00\x02\x02", 4);
	return r;
}

static struct flow_count
a_count(uint16_t port, uint64_t packets, uint8_t final)
{
	struct flow_count c;

	memset(&c, 0, sizeof(c));
	c.group = FLOW_REFUSED;
	c.mark = MARK;
	c.family = AF_INET;
	c.protocol = IPPROTO_TCP;
	memcpy(c.source, "\x0a\x0a\x00\x0b", 4);
	memcpy(c.destination, "\xc0\x00\x02\x02", 4);
	c.port = port;
	c.packets = packets;
	c.bytes = packets * 60;
	c.final = final;
	return c;
}

static struct open_attempt *
record(uint16_t port)
{
	struct record r = a_record(port);
	struct attempt_key key;
	struct open_attempt *e;

	assert_true(attempts_key_of_record(&r, &key));
	e = attempts_record(t, &key, r.packet.len, &now);
	if (e != NULL)
		e->known = KNOWN_FROM_RECORD;
	return e;
}

static struct open_attempt *
count(uint16_t port, uint64_t packets, uint8_t final)
{
	struct flow_count c = a_count(port, packets, final);
	struct attempt_key key;

	attempts_key_of_count(&c, &key);
	return attempts_count(t, &key, &c, &now);
}

/* Write what is dirty, as a store would; the number of rows. */
static size_t
write_rows(void)
{
	static int64_t next_id = 1;
	struct attempt *rows[64];
	size_t n = attempts_take_dirty(t, rows, 64);

	for (size_t i = 0; i < n; i++)
		if (rows[i]->id == 0)
			rows[i]->id = next_id++;
	return n;
}

static void
siphash_is_siphash(void **state)
{
	const struct siphash_key k = { 0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL };
	uint8_t in[15];

	(void)state;
	for (uint8_t i = 0; i < sizeof(in); i++)
		in[i] = i;
	/* the example of the paper's appendix A */
	assert_true(siphash(&k, in, sizeof(in)) == 0xa129ca6149be45e5ULL);
}

static void
map_keeps_what_is_put(void **state)
{
	struct map m;

	(void)state;
	map_init(&m, &seed, sizeof(uint32_t), sizeof(uint64_t), 1000);
	for (uint32_t i = 0; i < 1000; i++)
		*(uint64_t *)map_put(&m, &i) = i * 7ULL;
	assert_null(map_put(&m, &(uint32_t){ 1000 }));
	assert_non_null(map_put(&m, &(uint32_t){ 999 }));
	for (uint32_t i = 0; i < 1000; i += 3)
		map_del(&m, &i);
	for (uint32_t i = 0; i < 1000; i++) {
		const uint64_t *v = map_get(&m, &i);

		if (i % 3 == 0)
			assert_null(v);
		else
			assert_int_equal(*v, i * 7ULL);
	}
	assert_int_equal(m.n, 666);
	map_done(&m);
}

static void
record_then_count(void **state)
{
	struct open_attempt *e = record(80), *same;

	(void)state;
	assert_int_equal(e->row.packets, 1);
	assert_int_equal(e->row.bytes, 60);
	assert_int_equal(e->row.first_ms, WALL);
	assert_int_equal(e->row.state, ATTEMPT_OPEN);
	later(3000);
	same = count(80, 2000000, 0);
	assert_ptr_equal(same, e);
	assert_int_equal(e->row.packets, 2000000);
	assert_int_equal(e->row.bytes, 120000000);
	assert_int_equal(e->row.first_ms, WALL);
	assert_int_equal(e->row.last_ms, WALL + 3000);
	assert_int_equal(attempts_n(t), 1);
}

static void
count_then_record(void **state)
{
	struct open_attempt *e = count(80, 1, 0);

	(void)state;
	assert_int_equal(e->known, KNOWN_NOTHING);
	assert_true(e->fresh);
	later(50);
	assert_ptr_equal(record(80), e);
	assert_int_equal(e->row.packets, 1);
	assert_int_equal(attempts_n(t), 1);
	later(ATTEMPTS_ALONE_MS);
	attempts_tick(t, &now);
	assert_int_equal(attempts_unmatched(t), 0);
}

static void
one_packet_has_one_time(void **state)
{
	struct open_attempt *e = record(80);

	(void)state;
	later(4000);
	count(80, 1, 0);
	assert_int_equal(e->row.last_ms, WALL);
	later(296000);
	count(80, 1, 1);
	assert_int_equal(e->row.last_ms, WALL);
	assert_int_equal(e->row.state, ATTEMPT_FINAL);
}

static void
a_record_may_run_ahead_of_the_count(void **state)
{
	struct open_attempt *e = record(80);

	(void)state;
	record(80);
	assert_int_equal(e->row.packets, 2);
	count(80, 1, 0);	/* dumped before the second packet came */
	assert_int_equal(e->row.packets, 2);
	count(80, 2, 1);
	assert_int_equal(e->row.packets, 2);
	assert_int_equal(e->row.bytes, 120);
}

static void
counts_alone_are_attempts_too(void **state)
{
	struct open_attempt *e = count(443, 5, 0);

	(void)state;
	assert_int_equal(e->row.packets, 5);
	assert_int_equal(e->row.port, 443);
	assert_int_equal(e->row.source.family, AF_INET);
	assert_memory_equal(e->row.source.bytes, "\x0a\x0a\x00\x0b", 4);
	e->known = KNOWN_FROM_KEY;
	later(ATTEMPTS_ALONE_MS - 1);
	attempts_tick(t, &now);
	assert_int_equal(attempts_unmatched(t), 0);
	later(1);
	attempts_tick(t, &now);
	attempts_tick(t, &now);
	assert_int_equal(attempts_unmatched(t), 1);
}

static void
a_final_count_ends_the_row(void **state)
{
	struct open_attempt *e = record(80), *next;

	(void)state;
	later(300000);
	count(80, 10, 1);
	assert_int_equal(e->row.state, ATTEMPT_FINAL);
	assert_int_equal(e->row.packets, 10);
	later(ATTEMPTS_GRACE_MS);
	next = record(80);
	assert_non_null(next);
	assert_ptr_not_equal(next, e);
	assert_int_equal(next->row.packets, 1);
	count(80, 3, 0);
	assert_int_equal(next->row.packets, 3);
	assert_int_equal(e->row.packets, 10);
}

/* A sample of the old key that is read after the key's end makes no row. */
static void
a_late_record_begins_nothing(void **state)
{
	(void)state;
	record(80);
	later(300000);
	count(80, 10, 1);
	later(ATTEMPTS_GRACE_MS - 1);
	assert_null(record(80));
	assert_int_equal(attempts_n(t), 1);
	write_rows();
	later(ATTEMPTS_GHOST_MS);
	attempts_tick(t, &now);
	assert_int_equal(attempts_n(t), 0);
}

/* But it may have been the first of the next key: its counts will tell. */
static void
a_late_record_explains_the_next_count(void **state)
{
	struct open_attempt *e = record(80), *next;

	(void)state;
	memcpy(e->row.device_name, "sensor-1", 9);
	e->row.reason = REASON_NOT_ALLOWED;
	e->row.id = 77;
	later(300000);
	count(80, 10, 1);
	later(500);
	assert_null(record(80));
	later(4000);
	next = count(80, 2, 0);
	assert_ptr_not_equal(next, e);
	assert_int_equal(next->row.id, 0);
	assert_int_equal(next->row.packets, 2);
	assert_int_equal(next->known, KNOWN_FROM_RECORD);
	assert_string_equal(next->row.device_name, "sensor-1");
	assert_int_equal(next->row.first_ms, WALL + 300500);
	assert_int_equal(next->row.state, ATTEMPT_OPEN);
	assert_int_equal(e->row.packets, 10);
}

static void
a_counter_that_goes_back_is_another_key(void **state)
{
	struct open_attempt *e = record(80), *next;

	(void)state;
	count(80, 10, 0);
	later(5000);
	next = count(80, 4, 0);
	assert_ptr_not_equal(next, e);
	assert_int_equal(e->row.state, ATTEMPT_LAPSED);
	assert_int_equal(e->row.packets, 10);
	assert_int_equal(next->row.packets, 4);
	assert_int_equal(next->known, KNOWN_FROM_KEY);
}

static void
no_news_for_two_windows(void **state)
{
	struct open_attempt *e = record(80), *next;

	(void)state;
	attempts_set_window(t, 10000);
	count(80, 10, 0);
	later(20000 + ATTEMPTS_LAPSE_MS - 1);
	attempts_tick(t, &now);
	assert_int_equal(e->row.state, ATTEMPT_OPEN);
	later(1);
	attempts_tick(t, &now);
	assert_int_equal(e->row.state, ATTEMPT_LAPSED);
	/* the kernel still counts the key: only what is new is a new row's */
	later(1000);
	assert_null(count(80, 10, 0));
	next = count(80, 13, 0);
	assert_ptr_not_equal(next, e);
	assert_int_equal(next->row.packets, 3);
	assert_int_equal(next->row.bytes, 180);
	next = count(80, 15, 1);
	assert_int_equal(next->row.packets, 5);
	assert_int_equal(e->row.packets, 10);
}

static void
a_lapsed_key_that_was_deleted_unseen(void **state)
{
	struct open_attempt *next;

	(void)state;
	attempts_set_window(t, 10000);
	record(80);
	count(80, 10, 0);
	later(20000 + ATTEMPTS_LAPSE_MS);
	attempts_tick(t, &now);
	next = record(80);
	count(80, 2, 0);
	assert_int_equal(next->row.packets, 2);
	count(80, 1, 0);
	assert_int_equal(next->row.state, ATTEMPT_LAPSED);
}

static void
keys_that_differ_are_rows_that_differ(void **state)
{
	struct record r = a_record(80);
	struct attempt_key a, b;

	(void)state;
	assert_true(attempts_key_of_record(&r, &a));
	r.mark = MARK + 1;
	assert_true(attempts_key_of_record(&r, &b));
	assert_memory_not_equal(&a, &b, sizeof(a));
	/* a stranger is known by its MAC, a device is not */
	r.mark = MARK;
	r.has_mac = 1;
	r.mac.bytes[5] = 9;
	assert_true(attempts_key_of_record(&r, &b));
	assert_memory_equal(&a, &b, sizeof(a));
	r.mark = 0;
	assert_true(attempts_key_of_record(&r, &a));
	r.mac.bytes[5] = 8;
	assert_true(attempts_key_of_record(&r, &b));
	assert_memory_not_equal(&a, &b, sizeof(a));
	/* invalid packets are counted per mark, whatever they carry */
	r.group = FLOW_INVALID;
	assert_true(attempts_key_of_record(&r, &a));
	r.packet.port = 81;
	assert_true(attempts_key_of_record(&r, &b));
	assert_memory_equal(&a, &b, sizeof(a));
	/* no IP, no key */
	r.group = FLOW_REFUSED;
	r.packet.family = 0;
	assert_false(attempts_key_of_record(&r, &a));
}

static void
counts_have_the_keys_of_records(void **state)
{
	struct record r = a_record(80);
	struct flow_count c = a_count(80, 1, 0);
	struct attempt_key a, b;

	(void)state;
	/* what stands behind an IPv4 address is no part of it */
	memset(c.source + 4, 0xff, 12);
	attempts_key_of_count(&c, &b);
	assert_true(attempts_key_of_record(&r, &a));
	assert_memory_equal(&a, &b, sizeof(a));
	r.mark = c.mark = 0;
	r.mac.bytes[0] = c.mac[0] = 2;
	attempts_key_of_count(&c, &b);
	assert_true(attempts_key_of_record(&r, &a));
	assert_memory_equal(&a, &b, sizeof(a));
	r.packet.family = c.family = AF_INET6;
	memset(r.packet.source.bytes, 1, 16);
	memset(c.source, 1, 16);
	memset(r.packet.destination.bytes, 2, 16);
	memset(c.destination, 2, 16);
	attempts_key_of_count(&c, &b);
	assert_true(attempts_key_of_record(&r, &a));
	assert_memory_equal(&a, &b, sizeof(a));
	r.group = c.group = FLOW_INVALID;
	c.family = 0;
	attempts_key_of_count(&c, &b);
	assert_true(attempts_key_of_record(&r, &a));
	assert_memory_equal(&a, &b, sizeof(a));
}

static void
no_more_than_the_limit(void **state)
{
	(void)state;
	for (uint16_t i = 0; i < 1000; i++)
		assert_non_null(record(i));
	assert_int_equal(attempts_refused(t), 0);
	assert_null(record(1000));
	assert_int_equal(attempts_refused(t), 1);
	assert_non_null(record(999));	/* a known one still counts */
	/* what is closed but not written is kept ... */
	later(300000);
	count(7, 1, 1);
	assert_null(record(1001));
	/* ... and makes room as soon as it is */
	while (write_rows() > 0)
		;
	later(1000);
	assert_non_null(record(1002));
	assert_int_equal(attempts_n(t), 1000);
}

static void
rows_are_found_again_after_growth(void **state)
{
	struct attempts *big = attempts_new(20000, &seed);
	struct flow_count c = a_count(0, 1, 0);
	struct attempt_key key;

	(void)state;
	assert_non_null(big);
	for (uint32_t i = 0; i < 20000; i++) {
		c.mark = i << 8 | 1;
		attempts_key_of_count(&c, &key);
		assert_non_null(attempts_count(big, &key, &c, &now));
	}
	c.packets = 2;
	for (uint32_t i = 0; i < 20000; i++) {
		c.mark = i << 8 | 1;
		attempts_key_of_count(&c, &key);
		assert_int_equal(attempts_count(big, &key, &c, &now)->row.packets, 2);
	}
	assert_int_equal(attempts_n(big), 20000);
	attempts_free(big);
}

static void
dirty_rows_are_taken_once(void **state)
{
	struct attempt *rows[8];

	(void)state;
	record(1);
	record(2);
	record(1);
	assert_true(attempts_dirty(t));
	assert_int_equal(attempts_take_dirty(t, rows, 8), 2);
	assert_false(attempts_dirty(t));
	assert_int_equal(attempts_take_dirty(t, rows + 2, 6), 0);
	/* a store that failed gives them back, and nothing is lost */
	attempts_unwritten(t, rows, 2);
	assert_int_equal(attempts_take_dirty(t, rows, 1), 1);
	assert_int_equal(attempts_take_dirty(t, rows, 8), 1);
	/* the same number again is no news */
	count(1, 2, 0);
	while (attempts_take_dirty(t, rows, 8) > 0)
		;
	count(1, 2, 0);
	assert_false(attempts_dirty(t));
	count(1, 3, 0);
	assert_true(attempts_dirty(t));
}

static void
restored_rows_go_on(void **state)
{
	struct attempt row;
	struct open_attempt *e;

	(void)state;
	e = record(80);
	count(80, 7, 0);
	row = e->row;
	row.id = 42;
	attempts_free(t);
	t = attempts_new(1000, &seed);
	assert_int_equal(attempts_restore(t, &row, &now), 0);
	assert_false(attempts_dirty(t));
	later(5000);
	e = count(80, 9, 0);
	assert_int_equal(e->row.id, 42);
	assert_int_equal(e->row.packets, 9);
	/* or the kernel began again meanwhile */
	attempts_free(t);
	t = attempts_new(1000, &seed);
	assert_int_equal(attempts_restore(t, &row, &now), 0);
	e = count(80, 2, 0);
	assert_int_equal(e->row.id, 0);
	assert_int_equal(e->row.packets, 2);
}

static void
see_provisional(void *arg, struct open_attempt *e)
{
	(*(unsigned *)arg)++;
	e->provisional = 0;
}

static void
provisional_ones_are_found(void **state)
{
	struct open_attempt *e = record(80);
	unsigned n = 0;

	(void)state;
	record(81);
	e->provisional = 1;
	attempts_touch(t, e);
	attempts_each_provisional(t, see_provisional, &n);
	attempts_each_provisional(t, see_provisional, &n);
	assert_int_equal(n, 1);
}

static void
events_stand_alone(void **state)
{
	struct open_attempt *a = attempts_event(t, MARK, &now), *b = attempts_event(t, MARK, &now);

	(void)state;
	assert_ptr_not_equal(a, b);
	assert_int_equal(a->row.state, ATTEMPT_FINAL);
	assert_int_equal(write_rows(), 2);
	later(ATTEMPTS_GHOST_MS);
	attempts_tick(t, &now);
	assert_int_equal(attempts_n(t), 0);
	assert_int_equal(attempts_unmatched(t), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(siphash_is_siphash),
		cmocka_unit_test(map_keeps_what_is_put),
		TEST(record_then_count),
		TEST(count_then_record),
		TEST(one_packet_has_one_time),
		TEST(a_record_may_run_ahead_of_the_count),
		TEST(counts_alone_are_attempts_too),
		TEST(a_final_count_ends_the_row),
		TEST(a_late_record_begins_nothing),
		TEST(a_late_record_explains_the_next_count),
		TEST(a_counter_that_goes_back_is_another_key),
		TEST(no_news_for_two_windows),
		TEST(a_lapsed_key_that_was_deleted_unseen),
		TEST(keys_that_differ_are_rows_that_differ),
		TEST(counts_have_the_keys_of_records),
		TEST(no_more_than_the_limit),
		TEST(rows_are_found_again_after_growth),
		TEST(dirty_rows_are_taken_once),
		TEST(restored_rows_go_on),
		TEST(provisional_ones_are_found),
		TEST(events_stand_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
