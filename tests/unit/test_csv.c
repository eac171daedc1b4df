/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_csv.c -- rows as spreadsheets write them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/csv.h"

/* All rows as "line:field|field;" or "line!;" for one that is broken. */
static const char *
rows(const char *text)
{
	static char out[1024];
	char *copy = strdup(text);
	const char *why = NULL;
	struct csv_row row;
	size_t used = 0, i;
	struct csv csv;
	int rc;

	assert_non_null(copy);
	out[0] = '\0';
	csv_init(&csv, copy, strlen(copy));
	while ((rc = csv_next(&csv, &row, &why)) != 0) {
		used += (size_t)snprintf(out + used, sizeof(out) - used, "%u%s", row.line, rc < 0 ? "!" : ":");
		for (i = 0; rc > 0 && i < row.n; i++)
			used += (size_t)snprintf(out + used, sizeof(out) - used, "%s%s", i == 0 ? "" : "|",
			    row.fields[i]);
		used += (size_t)snprintf(out + used, sizeof(out) - used, ";");
	}
	free(copy);
	return out;
}

static void
test_plain(void **state)
{
	(void)state;
	assert_string_equal(rows(""), "");
	assert_string_equal(rows("a,b\nc,d\n"), "1:a|b;2:c|d;");
	assert_string_equal(rows("a,b\r\nc,d"), "1:a|b;2:c|d;");
	assert_string_equal(rows("a,b\r\nc,d\r"), "1:a|b;2:c|d;");
	assert_string_equal(rows(" a , b \n\n\n, \n"), "1:a|b;4:|;");
	assert_string_equal(rows("\xef\xbb\xbf""a;b\nc,d;e\n"), "1:a|b;2:c,d|e;");
	assert_string_equal(rows("a\tb\n1\t\t2\n"), "1:a|b;2:1||2;");
	assert_string_equal(rows("a,b\n1,2,3\n"), "1:a|b;2:1|2|3;");
}

static void
test_quotes(void **state)
{
	(void)state;
	assert_string_equal(rows("\"a\",\"b,c\"\n"), "1:a|b,c;");
	assert_string_equal(rows("\"say \"\"no\"\"\",x\n"), "1:say \"no\"|x;");
	assert_string_equal(rows("\"two\nlines\",x\ny,z\n"), "1:two\nlines|x;3:y|z;");
	assert_string_equal(rows(" \"a\" ,b\n"), "1:a|b;");
	assert_string_equal(rows("\"\"\n\"\",\"\"\n"), "2:|;");
	assert_string_equal(rows("a\"b,c\n"), "1:a\"b|c;");
	assert_string_equal(rows("\"a\""), "1:a;");
}

static void
test_broken(void **state)
{
	(void)state;
	assert_string_equal(rows("a,\"b\nc\n"), "1!;");
	assert_string_equal(rows("a,\"b\"c\nd,e\n"), "1!;2:d|e;");
	assert_string_equal(rows("\"\n"), "1!;");
	assert_string_equal(rows("x\n\""), "1:x;2!;");
}

static void
test_limit(void **state)
{
	char text[2 * CSV_FIELDS_MAX + 2];
	struct csv_row row;
	struct csv csv;
	const char *why;

	(void)state;
	memset(text, ',', sizeof(text));
	text[CSV_FIELDS_MAX - 1] = '\n';
	csv_init(&csv, text, CSV_FIELDS_MAX);
	text[CSV_FIELDS_MAX] = '\0';
	assert_int_equal(csv_next(&csv, &row, &why), 1);
	assert_int_equal(row.n, CSV_FIELDS_MAX);
	memset(text, ',', sizeof(text));
	text[CSV_FIELDS_MAX] = '\n';
	text[CSV_FIELDS_MAX + 1] = '\0';
	csv_init(&csv, text, CSV_FIELDS_MAX + 1);
	assert_int_equal(csv_next(&csv, &row, &why), -E2BIG);
	assert_int_equal(csv_next(&csv, &row, &why), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_quotes),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
