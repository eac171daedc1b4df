/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_ctl_format.c -- what reaches a terminal: escaped, aligned, in UTC. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>
#include <sys/socket.h>

#include "ctl/answer.h"
#include "ctl/attempts.h"
#include "ctl/format.h"
#include "proto/messages.h"

static void
shows(const char *text, const char *expected)
{
	char buf[128];

	assert_string_equal(format_text(text, buf, sizeof(buf)), expected);
	assert_int_equal(format_is_clean(text), strcmp(text, expected) == 0);
}

static void
test_harmless_text_stays(void **state)
{
	(void)state;
	shows("", "");
	shows("sensor-847 \"x\" \\ $(y)", "sensor-847 \"x\" \\ $(y)");
	shows("Gerät 7, 温度", "Gerät 7, 温度");
}

static void
test_harmful_text_is_escaped(void **state)
{
	(void)state;
	shows("a\nb\tc\r", "a\\x0ab\\x09c\\x0d");
	shows("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m");
	shows("\x7f", "\\x7f");
	shows("\xc2\x9b" "31m", "\\xc2\\x9b31m");			/* CSI in one character */
	shows("a\xe2\x80\xae" "b", "a\\xe2\\x80\\xae" "b");		/* writes backwards */
	shows("a\xe2\x80\x8b" "b", "a\\xe2\\x80\\x8b" "b");		/* has no width */
	shows("\xef\xbb\xbfx", "\\xef\\xbb\\xbfx");
}

static void
test_broken_utf8_is_escaped(void **state)
{
	(void)state;
	shows("\xff\xfe", "\\xff\\xfe");
	shows("\xc3", "\\xc3");
	shows("\xc3(", "\\xc3(");
	shows("\xc0\xaf", "\\xc0\\xaf");				/* '/', in a form too long */
	shows("\xed\xa0\x80", "\\xed\\xa0\\x80");			/* half of a pair */
	shows("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80");		/* beyond Unicode */
	shows("\x80", "\\x80");
}

static void
test_escaped_text_is_bounded(void **state)
{
	char buf[8];

	(void)state;
	assert_string_equal(format_text("abcdefghij", buf, sizeof(buf)), "abcdefg");
	assert_string_equal(format_text("\n\n\n", buf, sizeof(buf)), "\\x0a");
	assert_string_equal(format_text("abcdef\xc3\xa4", buf, sizeof(buf)), "abcdef");	/* no half of a character */
	assert_string_equal(format_text("abcde\xc3\xa4x", buf, sizeof(buf)), "abcde\xc3\xa4");
}

static void
test_counts(void **state)
{
	char buf[COUNT_STRLEN];

	(void)state;
	assert_string_equal(format_count(0, buf), "0");
	assert_string_equal(format_count(999, buf), "999");
	assert_string_equal(format_count(1200, buf), "1,200");
	assert_string_equal(format_count(1000000, buf), "1,000,000");
	assert_string_equal(format_count(UINT64_MAX, buf), "18,446,744,073,709,551,615");
	assert_string_equal(format_microseconds(999, buf), "999 us");
	assert_string_equal(format_microseconds(1234, buf), "1.2 ms");
	assert_string_equal(format_microseconds(2500000, buf), "2.50 s");
}

static void
test_times(void **state)
{
	char buf[TIME_STRLEN];

	(void)state;
	assert_string_equal(format_time(0, buf), "-");
	assert_string_equal(format_time(1795346459123, buf), "2026-11-22 11:20:59");
	assert_string_equal(format_age(1000, 4000, buf), "3 s");
	assert_string_equal(format_age(4000, 1000, buf), "0 s");
	assert_string_equal(format_age(0, 119999, buf), "119 s");
	assert_string_equal(format_age(0, 120000, buf), "2 min");
	assert_string_equal(format_age(0, 7200000, buf), "2 h");
	assert_string_equal(format_age(0, 172800000, buf), "2 d");
}

static void
test_table_aligns(void **state)
{
	static const char *const heads[] = { "NAME", ">N", "LAST", NULL };
	char *text = NULL;
	size_t len;
	struct table t;
	FILE *f = open_memstream(&text, &len);

	(void)state;
	table_init(&t, heads);
	table_cell(&t, "ä");
	table_cell(&t, "1,200");
	table_cell(&t, "x");
	table_cell(&t, "longer");
	table_cellf(&t, "%d", 7);
	table_cell(&t, "a\nb");
	assert_int_equal(table_rows(&t), 2);
	assert_int_equal(table_print(&t, true, f), 0);
	/* what follows stands under it */
	table_cell(&t, "z");
	table_cell(&t, "2");
	table_cell(&t, "y");
	assert_int_equal(table_print(&t, false, f), 0);
	table_done(&t);
	fclose(f);
	assert_string_equal(text,
	    "NAME        N  LAST\n"
	    "ä       1,200  x\n"
	    "longer      7  a\\x0ab\n"
	    "z           2  y\n");
	free(text);
}

static void
test_words(void **state)
{
	char buf[CAUSE_STRLEN], protocol[PROTOCOL_STRLEN];
	uint32_t e;

	(void)state;
	assert_string_equal(word_cause(0, buf), "-");
	assert_string_equal(word_cause(CAUSE_REVOKED, buf), "revoked");
	assert_string_equal(word_cause(CAUSE_REVOKED | CAUSE_OPERATOR, buf), "revoked, operator");
	assert_string_equal(word_station(STATION_QUARANTINED), "quarantined");
	assert_string_equal(word_station(99), "?");
	assert_string_equal(word_source_state(SOURCE_EXPIRED), "expired");
	assert_string_equal(word_source_state(SOURCE_EXPIRED + 1), "?");
	assert_string_equal(word_crl_reason(1), "keyCompromise");
	assert_string_equal(word_crl_reason(7), "?");
	assert_string_equal(word_protocol(6, protocol), "tcp");
	assert_string_equal(word_protocol(200, protocol), "200");
	/* a new error must get its words */
	for (e = E_NONE + 1; e < SOURCE_ERRORS; e++) {
		assert_string_not_equal(word_source_error(e), "?");
		assert_string_not_equal(word_source_error_key(e), "?");
	}
	assert_string_equal(word_source_error(SOURCE_ERRORS), "?");
}

static void
test_json_values(void **state)
{
	json_t *j = answer_text("\xff<b>");

	(void)state;
	assert_string_equal(json_string_value(j), "\\xff<b>");
	json_decref(j);
	j = answer_time(0);
	assert_true(json_is_null(j));
	json_decref(j);
	j = answer_time(1795346459123);
	assert_string_equal(json_string_value(j), "2026-11-22T11:20:59.123Z");
	json_decref(j);
	j = answer_count(UINT64_MAX);
	assert_true(json_integer_value(j) == INT64_MAX);
	json_decref(j);
	j = answer_lines("a\n\nb");
	assert_int_equal(json_array_size(j), 2);
	assert_string_equal(json_string_value(json_array_get(j, 1)), "b");
	json_decref(j);
}

/* It is of two places, not of a packet to somewhere. */
static void
test_a_clone_shows_where(void **state)
{
	struct attempt a = { .id = 3, .last_ms = 1795346459123, .device_name = "sensor-1", .class_name = "sensor",
		.reason = REASON_CLONE, .identity = IDENTITY_CLAIMED, .family = AF_INET, .interface = "lan0",
		.source = { .family = AF_INET, .bytes = { 10, 10, 0, 11 } }, .detail = "on lan0 and lan1" };
	struct table t;
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	json_t *j = attempts_json(&a);

	(void)state;
	attempts_table(&t);
	attempts_row(&t, &a);
	assert_int_equal(table_print(&t, false, f), 0);
	fclose(f);
	table_done(&t);
	assert_non_null(strstr(text, "  on lan0 and lan1  -  "));
	assert_null(strstr(text, "?"));
	assert_null(strstr(text, "  0"));
	free(text);
	assert_true(json_is_null(json_object_get(j, "protocol")));
	assert_string_equal(json_string_value(json_object_get(j, "detail")), "on lan0 and lan1");
	json_decref(j);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_harmless_text_stays),
		cmocka_unit_test(test_harmful_text_is_escaped),
		cmocka_unit_test(test_broken_utf8_is_escaped),
		cmocka_unit_test(test_escaped_text_is_bounded),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_table_aligns),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_json_values),
		cmocka_unit_test(test_a_clone_shows_where),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
