/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_boxes.c -- disjoint boxes cover exactly what overlapping ones did. */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/compile.h"
#include "model/image_check.h"
#include "model/image_record.h"

#define SIDE 12		/* ports 0..11 and addresses x.0..x.11 */

static struct image_box
box(uint8_t family, uint8_t protocol, unsigned low, unsigned high, unsigned first, unsigned last)
{
	struct image_box b;

	memset(&b, 0, sizeof(b));
	b.kind = BOX_PORTS;
	b.family = family;
	b.protocol = protocol;
	b.low = (uint16_t)low;
	b.high = (uint16_t)high;
	b.first[family == AF_INET ? 3 : 15] = (uint8_t)first;
	b.last[family == AF_INET ? 3 : 15] = (uint8_t)last;
	return b;
}

/* How many boxes hold this port and address? */
static unsigned
covers(const struct image_box *b, size_t n, uint8_t protocol, unsigned port, unsigned address)
{
	unsigned hits = 0;
	size_t i;

	for (i = 0; i < n; i++)
		hits += b[i].protocol == protocol && b[i].low <= port && port <= b[i].high &&
		    b[i].first[3] <= address && address <= b[i].last[3];
	return hits;
}

static void
check_sorted(const struct image_box *b, size_t n)
{
	size_t i, from = 0;

	for (i = 0; i < n; i++) {
		if (i + 1 < n) {
			assert_true(image_box_cmp(&b[i], &b[i + 1]) < 0);
			if (image_box_same_group(&b[i], &b[i + 1]))
				continue;
		}
		assert_int_equal(image_boxes_overlap(b + from, i + 1 - from), 0);
		from = i + 1;
	}
}

/* Deterministic and good enough to shuffle. */
static unsigned
roll(unsigned *state, unsigned below)
{
	*state = *state * 1103515245 + 12345;
	return (*state >> 16) % below;
}

static void
test_random_cover(void **state)
{
	unsigned seed = 7, round, n, i, port, address;
	struct image_box in[24], swap, *out, *again;
	size_t n_out, n_again;

	(void)state;
	for (round = 0; round < 3000; round++) {
		n = 1 + roll(&seed, 24);
		for (i = 0; i < n; i++) {
			unsigned low = roll(&seed, SIDE), first = roll(&seed, SIDE);

			in[i] = box(AF_INET, roll(&seed, 3) == 0 ? IPPROTO_UDP : IPPROTO_TCP, low,
			    low + roll(&seed, SIDE - low), first, first + roll(&seed, SIDE - first));
		}
		assert_int_equal(boxes_disjoint(in, n, 1000, &out, &n_out), 0);
		check_sorted(out, n_out);
		for (port = 0; port < SIDE; port++)
			for (address = 0; address < SIDE; address++) {
				assert_int_equal(covers(out, n_out, IPPROTO_TCP, port, address),
				    covers(in, n, IPPROTO_TCP, port, address) > 0);
				assert_int_equal(covers(out, n_out, IPPROTO_UDP, port, address),
				    covers(in, n, IPPROTO_UDP, port, address) > 0);
			}
		/* Another order, and the answer itself, give the same. */
		for (i = 0; i < n; i++) {
			unsigned k = roll(&seed, n);

			swap = in[i];
			in[i] = in[k];
			in[k] = swap;
		}
		assert_int_equal(boxes_disjoint(in, n, 1000, &again, &n_again), 0);
		assert_int_equal(n_again, n_out);
		assert_memory_equal(again, out, n_out * sizeof(*out));
		free(again);
		assert_int_equal(boxes_disjoint(out, n_out, 1000, &again, &n_again), 0);
		assert_int_equal(n_again, n_out);
		assert_memory_equal(again, out, n_out * sizeof(*out));
		free(again);
		free(out);
	}
}

static void
test_neighbours_merge(void **state)
{
	struct image_box in[4], *out, want;
	size_t n;

	(void)state;
	/* Four quarters of one rectangle. */
	in[0] = box(AF_INET, IPPROTO_TCP, 1, 5, 0, 7);
	in[1] = box(AF_INET, IPPROTO_TCP, 6, 9, 0, 7);
	in[2] = box(AF_INET, IPPROTO_TCP, 1, 5, 8, 9);
	in[3] = box(AF_INET, IPPROTO_TCP, 6, 9, 8, 9);
	want = box(AF_INET, IPPROTO_TCP, 1, 9, 0, 9);
	assert_int_equal(boxes_disjoint(in, 4, 10, &out, &n), 0);
	assert_int_equal(n, 1);
	assert_memory_equal(out, &want, sizeof(want));
	free(out);
}

/* 10.0.1.5 and 10.0.2.6 are none, although the last octets follow each other:
 * what lies between them stays closed. */
static void
test_no_neighbours(void **state)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	struct image_box in[2], *out;
	size_t n, i, at;

	(void)state;
	for (i = 0; i < 2; i++) {
		at = families[i] == AF_INET ? 2 : 14;
		in[0] = box(families[i], IPPROTO_TCP, 80, 80, 5, 5);
		in[1] = box(families[i], IPPROTO_TCP, 80, 80, 6, 6);
		in[0].first[at] = in[0].last[at] = 1;
		in[1].first[at] = in[1].last[at] = 2;
		assert_int_equal(boxes_disjoint(in, 2, 10, &out, &n), 0);
		assert_int_equal(n, 2);
		assert_memory_equal(out, in, sizeof(in));
		free(out);
	}
}

/* 10.0.0.255 and 10.0.1.0 are neighbours, and so across every octet of IPv6;
 * 255.255.255.255 has none. */
static void
test_neighbours_carry(void **state)
{
	struct image_box in[2], *out;
	size_t n;

	(void)state;
	in[0] = box(AF_INET, IPPROTO_TCP, 80, 80, 0, 255);
	in[1] = box(AF_INET, IPPROTO_TCP, 80, 80, 0, 255);
	in[1].first[2] = in[1].last[2] = 1;
	assert_int_equal(boxes_disjoint(in, 2, 10, &out, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(out[0].last[2], 1);
	free(out);

	in[0] = box(AF_INET6, IPPROTO_TCP, 80, 80, 0, 0);
	memset(in[0].last + 1, 0xff, 15);
	in[1] = box(AF_INET6, IPPROTO_TCP, 80, 80, 0, 0);
	in[1].first[0] = in[1].last[0] = 1;
	assert_int_equal(boxes_disjoint(in, 2, 10, &out, &n), 0);
	assert_int_equal(n, 1);
	free(out);

	in[0] = box(AF_INET, IPPROTO_TCP, 80, 80, 0, 0);
	in[1] = box(AF_INET, IPPROTO_TCP, 80, 80, 0, 0);
	memset(in[1].first, 0xff, 4);
	memset(in[1].last, 0xff, 4);
	assert_int_equal(boxes_disjoint(in, 2, 10, &out, &n), 0);
	assert_int_equal(n, 2);
	free(out);
}

static void
test_groups_stay_apart(void **state)
{
	struct image_box in[5], *out;
	size_t n;

	(void)state;
	in[0] = box(AF_INET, IPPROTO_TCP, 80, 80, 1, 1);
	in[1] = box(AF_INET6, IPPROTO_TCP, 80, 80, 1, 1);
	in[2] = box(AF_INET, IPPROTO_UDP, 80, 80, 1, 1);
	in[3] = box(AF_INET, 0, 0, 0, 1, 1);
	in[3].kind = BOX_ANY;
	in[4] = in[0];
	assert_int_equal(boxes_disjoint(in, 5, 10, &out, &n), 0);
	assert_int_equal(n, 4);
	check_sorted(out, n);
	assert_int_equal(out[n - 1].kind, BOX_ANY);
	free(out);
}

/* Without addresses (inside a peer) only ports count. */
static void
test_without_addresses(void **state)
{
	struct image_box in[3], *out;
	size_t n;

	(void)state;
	in[0] = box(0, IPPROTO_TCP, 0, 65535, 0, 0);
	in[1] = box(0, IPPROTO_TCP, 80, 90, 0, 0);
	in[2] = box(0, IPPROTO_UDP, 85, 100, 0, 0);
	assert_int_equal(boxes_disjoint(in, 3, 10, &out, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(out[0].high, 65535);
	free(out);
}

static void
test_limit(void **state)
{
	struct image_box in[8], *out = NULL;
	size_t n, i;

	(void)state;
	for (i = 0; i < 8; i++)
		in[i] = box(AF_INET, IPPROTO_TCP, 80, 80, 2 * (unsigned)i, 2 * (unsigned)i);
	assert_int_equal(boxes_disjoint(in, 8, 7, &out, &n), -E2BIG);
	assert_null(out);
	assert_int_equal(boxes_disjoint(in, 8, 8, &out, &n), 0);
	assert_int_equal(n, 8);
	free(out);
	assert_int_equal(boxes_disjoint(in, 0, 0, &out, &n), 0);
	assert_int_equal(n, 0);
	free(out);
}

/* The checker of images must see any overlap, by looking at every pair here. */
static void
test_overlap_is_seen(void **state)
{
	unsigned seed = 11, round, n, i, k, seen = 0;
	struct image_box b[10], swap;
	int want;

	(void)state;
	for (round = 0; round < 20000; round++) {
		n = 2 + roll(&seed, 9);
		for (i = 0; i < n; i++) {
			unsigned low = roll(&seed, SIDE), first = roll(&seed, 60);

			b[i] = box(AF_INET, IPPROTO_TCP, low, low + roll(&seed, 4), first, first + roll(&seed, 8));
		}
		for (i = 1; i < n; i++)
			for (k = i; k > 0 && image_box_cmp(&b[k - 1], &b[k]) > 0; k--) {
				swap = b[k];
				b[k] = b[k - 1];
				b[k - 1] = swap;
			}
		want = 0;
		for (i = 0; i < n; i++)
			for (k = i + 1; k < n; k++)
				want |= b[i].low <= b[k].high && b[k].low <= b[i].high &&
				    memcmp(b[i].first, b[k].last, 16) <= 0 &&
				    memcmp(b[k].first, b[i].last, 16) <= 0;
		assert_int_equal(image_boxes_overlap(b, n), want);
		seen += (unsigned)want;
	}
	assert_in_range(seen, 1000, 19000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_cover),
		cmocka_unit_test(test_neighbours_merge),
		cmocka_unit_test(test_no_neighbours),
		cmocka_unit_test(test_neighbours_carry),
		cmocka_unit_test(test_groups_stay_apart),
		cmocka_unit_test(test_without_addresses),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_overlap_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
