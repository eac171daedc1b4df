/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_log.c -- one event, one line, with the prefix that journald reads; and the clock's text. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"

static char text[4096];
static int saved, out[2];

static void
capture(void)
{
	assert_int_equal(pipe(out), 0);
	saved = dup(STDERR_FILENO);
	assert_int_equal(dup2(out[1], STDERR_FILENO), STDERR_FILENO);
	close(out[1]);
}

static const char *
captured(void)
{
	ssize_t n;

	assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	close(saved);
	n = read(out[0], text, sizeof(text) - 1);
	text[n < 0 ? 0 : n] = '\0';
	close(out[0]);
	return text;
}

static void
test_prefix_and_error_text(void **state)
{
	(void)state;
	log_init("t", false);
	capture();
	log_info("hello %d", 3);
	assert_string_equal(captured(), "<6>t: hello 3\n");
	capture();
	log_warn(EPERM, "no");
	assert_string_equal(captured(), "<4>t: no: Operation not permitted\n");
	capture();
	log_error(-ENOENT, "no");
	assert_string_equal(captured(), "<3>t: no: No such file or directory\n");
	capture();
	log_error(0, "no");
	assert_string_equal(captured(), "<3>t: no\n");
}

static void
test_debug_only_when_asked_for(void **state)
{
	(void)state;
	log_init("t", false);
	capture();
	log_debug("x");
	assert_string_equal(captured(), "");
	log_init("t", true);
	capture();
	log_debug("x");
	assert_string_equal(captured(), "<7>t: x\n");
}

/* Nobody forges a second line, and errno survives. */
static void
test_one_line_whatever_is_in_it(void **state)
{
	char longest[3000];

	(void)state;
	log_init("t", false);
	capture();
	errno = EXDEV;
	log_info("a\nb\x1b[2J\x7f\tc \xc3\xa9");
	assert_int_equal(errno, EXDEV);
	assert_string_equal(captured(), "<6>t: a?b?[2J??c \xc3\xa9\n");
	memset(longest, 'y', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	capture();
	log_warn(EPERM, "%s", longest);
	captured();
	assert_int_equal(strlen(text), 1024);
	assert_ptr_equal(strchr(text, '\n'), text + 1023);
}

static void
test_fatal_ends(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	capture();
	pid = fork();
	if (pid == 0)
		log_fatal(0, "over");
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_string_equal(captured(), "<3>t: over\n");
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

static void
test_clock(void **state)
{
	struct clock_view a, b;
	char s[RFC3339_STRLEN];

	(void)state;
	assert_string_equal(clock_format(0, s), "1970-01-01T00:00:00.000Z");
	assert_string_equal(clock_format(1795346459123, s), "2026-11-22T11:20:59.123Z");
	assert_string_equal(clock_format(-1, s), "1969-12-31T23:59:59.999Z");
	assert_string_equal(clock_format(253402300799999, s), "9999-12-31T23:59:59.999Z");
	assert_string_equal(clock_format(253402300800000, s), "?");
	assert_string_equal(clock_format(INT64_MAX, s), "?");
	assert_string_equal(clock_format(INT64_MIN, s), "?");
	clock_now(&a);
	clock_now(&b);
	assert_true(b.boot_ms >= a.boot_ms && a.boot_ms > 0 && a.wall_ms > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prefix_and_error_text),
		cmocka_unit_test(test_debug_only_when_asked_for),
		cmocka_unit_test(test_one_line_whatever_is_in_it),
		cmocka_unit_test(test_fatal_ends),
		cmocka_unit_test(test_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
