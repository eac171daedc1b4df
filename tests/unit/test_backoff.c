/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_backoff.c -- delays before a restart, with the time made up. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "spawn/backoff.h"

static void
test_doubles_up_to_a_bound(void **state)
{
	static const int64_t want[] = { 100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000, 10000 };
	struct backoff b = { 0, 0 };
	int64_t now = 1000000;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		backoff_started(&b, now);
		now += 5; /* it lives 5 ms each time */
		assert_int_equal(backoff_ended(&b, now), want[i]);
		now += want[i];
	}
}

static void
test_starts_over_after_a_good_run(void **state)
{
	struct backoff b = { 0, 0 };

	(void)state;
	backoff_started(&b, 0);
	assert_int_equal(backoff_ended(&b, 1), 100);
	backoff_started(&b, 101);
	assert_int_equal(backoff_ended(&b, 101 + BACKOFF_RESET_MS - 1), 200);
	backoff_started(&b, 50000);
	assert_int_equal(backoff_ended(&b, 50000 + BACKOFF_RESET_MS), 100);
	backoff_started(&b, 90000);
	assert_int_equal(backoff_ended(&b, 90001), 200);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_doubles_up_to_a_bound),
		cmocka_unit_test(test_starts_over_after_a_good_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
