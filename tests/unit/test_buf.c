/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_buf.c -- the bounded reader at its bounds. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "common/buf.h"

static const uint8_t bytes[] = { 0x01, 0x02, 0x03, 0x84, 0x85, 0x86, 0x87, 0xff };

static void
test_reads_in_network_order(void **state)
{
	struct buf b;
	uint32_t v32;
	uint16_t v16;
	uint8_t v8, two[2];

	(void)state;
	buf_init(&b, bytes, sizeof(bytes));
	assert_int_equal(buf_left(&b), 8);
	assert_int_equal(buf_get_u8(&b, &v8), 0);
	assert_int_equal(v8, 0x01);
	assert_int_equal(buf_get_u16(&b, &v16), 0);
	assert_int_equal(v16, 0x0203);
	assert_int_equal(buf_get_u32(&b, &v32), 0);
	assert_int_equal(v32, 0x84858687);
	assert_int_equal(buf_left(&b), 1);
	assert_int_equal(buf_get_bytes(&b, two, 2), -ENODATA);
	assert_int_equal(buf_get_bytes(&b, two, 1), 0);
	assert_int_equal(two[0], 0xff);
	assert_int_equal(buf_left(&b), 0);
}

static void
test_failure_changes_nothing(void **state)
{
	uint8_t v8 = 9, out[16] = { 9 };
	uint16_t v16 = 9;
	uint32_t v32 = 9;
	struct buf b, sub = { 0 };

	(void)state;
	buf_init(&b, bytes, 3);
	assert_int_equal(buf_get_u32(&b, &v32), -ENODATA);
	assert_int_equal(buf_get_bytes(&b, out, 4), -ENODATA);
	assert_int_equal(buf_skip(&b, 4), -ENODATA);
	assert_int_equal(buf_skip(&b, SIZE_MAX), -ENODATA);
	assert_int_equal(buf_sub(&b, 4, &sub), -ENODATA);
	assert_int_equal(buf_get_bytes(&b, out, SIZE_MAX), -ENODATA);
	assert_int_equal(b.pos, 0);
	assert_int_equal(buf_skip(&b, 2), 0);
	assert_int_equal(buf_get_u16(&b, &v16), -ENODATA);
	assert_int_equal(buf_skip(&b, 1), 0);
	assert_int_equal(buf_get_u8(&b, &v8), -ENODATA);
	assert_int_equal(b.pos, 3);
	assert_true(v8 == 9 && v16 == 9 && v32 == 9 && out[0] == 9 && sub.data == NULL);
}

static void
test_sub_reader_is_bounded_by_its_part(void **state)
{
	struct buf b, sub, empty;
	uint32_t v32;
	uint8_t v8;

	(void)state;
	buf_init(&b, bytes, sizeof(bytes));
	assert_int_equal(buf_skip(&b, 1), 0);
	assert_int_equal(buf_sub(&b, 3, &sub), 0);
	assert_int_equal(buf_left(&sub), 3);
	assert_int_equal(buf_left(&b), 4);
	assert_int_equal(buf_get_u32(&sub, &v32), -ENODATA);
	assert_int_equal(buf_get_u8(&sub, &v8), 0);
	assert_int_equal(v8, 0x02);
	assert_int_equal(buf_get_u8(&b, &v8), 0);
	assert_int_equal(v8, 0x85);
	assert_int_equal(buf_sub(&b, 0, &empty), 0);
	assert_int_equal(buf_get_u8(&empty, &v8), -ENODATA);
	buf_init(&b, NULL, 0);
	assert_int_equal(buf_sub(&b, 0, &empty), 0);
	assert_int_equal(buf_get_bytes(&b, NULL, 0), 0);
	assert_int_equal(buf_get_u8(&empty, &v8), -ENODATA);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_in_network_order),
		cmocka_unit_test(test_failure_changes_nothing),
		cmocka_unit_test(test_sub_reader_is_bounded_by_its_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
