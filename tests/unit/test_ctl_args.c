/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_ctl_args.c -- the command line: what it takes, refuses and suggests. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/args.h"
#include "ctl/commands.h"
#include "ctl/inventory.h"

#include <errno.h>
#include <stdlib.h>

static struct args args;
static char why[ARGS_WHY_LEN];

#define PARSE(...) parse((const char *[]){ "cordonctl", __VA_ARGS__, NULL })

static int
parse(const char *argv[])
{
	int argc = 0;

	memset(&args, 0, sizeof(args));
	why[0] = '\0';
	while (argv[argc] != NULL)
		argc++;
	return args_parse(argc, (char *const *)argv, &args, why);
}

static int
parse_words(unsigned n)
{
	static const char *argv[ARGS_WORDS_MAX + 3];
	unsigned i;

	argv[0] = "cordonctl";
	for (i = 0; i < n; i++)
		argv[i + 1] = "word";
	argv[n + 1] = NULL;
	return parse(argv);
}

static void
test_order_is_free(void **state)
{
	(void)state;
	assert_int_equal(PARSE("--json", "device", "--run=/x", "show", "a", "--label", "b", "--label=c"), 0);
	assert_int_equal(args.n_words, 3);
	assert_string_equal(args.words[0], "device");
	assert_string_equal(args.words[2], "a");
	assert_true(args_has(&args, OPT_JSON));
	assert_false(args_has(&args, OPT_NFT));
	assert_string_equal(args_value(&args, OPT_RUN), "/x");
	assert_string_equal(args_nth(&args, OPT_LABEL, 0), "b");
	assert_string_equal(args_nth(&args, OPT_LABEL, 1), "c");
	assert_null(args_nth(&args, OPT_LABEL, 2));
}

static void
test_double_dash_ends_options(void **state)
{
	(void)state;
	assert_int_equal(PARSE("device", "show", "--", "--json"), 0);
	assert_int_equal(args.n_words, 3);
	assert_string_equal(args.words[2], "--json");
	assert_int_equal(PARSE("device", "show", "-"), 0);
	assert_string_equal(args.words[2], "-");
}

static void
refused(int rc, const char *because)
{
	assert_int_equal(rc, -EINVAL);
	if (strstr(why, because) == NULL)
		fail_msg("\"%s\" says nothing of \"%s\"", why, because);
}

static void
test_mistakes_are_said(void **state)
{
	(void)state;
	refused(PARSE("status", "--jsno"), "did you mean --json?");
	refused(PARSE("status", "--xyzzy"), "unknown option --xyzzy");
	refused(PARSE("status", "-j"), "unknown option -j");
	refused(PARSE("status", "--json=1"), "takes no value");
	refused(PARSE("status", "--run"), "--run needs a value");
	refused(PARSE("status", "--run", "a", "--run", "b"), "given twice");
	refused(parse_words(ARGS_WORDS_MAX + 1), "too many words");
	assert_int_equal(parse_words(ARGS_WORDS_MAX), 0);
	assert_int_equal(PARSE("status", "--json", "--json"), 0);
}

/* `crl reset --confirm' takes no time, `policy apply --confirm' does. */
static void
test_a_bare_option(void **state)
{
	(void)state;
	assert_int_equal(PARSE("crl", "reset", "--confirm", "factory-ca"), 0);
	assert_int_equal(args.n_words, 3);
	assert_string_equal(args.words[2], "factory-ca");
	assert_true(args_has(&args, OPT_CONFIRM));
	assert_null(args_value(&args, OPT_CONFIRM));
	refused(PARSE("crl", "reset", "x", "--confirm=60s"), "takes no value");
	assert_int_equal(PARSE("policy", "apply", "--confirm", "60s"), 0);
	assert_string_equal(args_value(&args, OPT_CONFIRM), "60s");
	refused(PARSE("policy", "apply", "--confirm"), "needs a value");
}

static void
test_options_are_bounded(void **state)
{
	const char *argv[ARGS_OPTIONS_MAX + 3];
	int i;

	(void)state;
	argv[0] = "cordonctl";
	for (i = 1; i <= ARGS_OPTIONS_MAX; i++)
		argv[i] = "--label=x";
	argv[i] = NULL;
	assert_int_equal(parse(argv), 0);
	argv[i++] = "--label=x";
	argv[i] = NULL;
	refused(parse(argv), "more than");
}

static const struct command *
find(void)
{
	unsigned used = 0;
	const struct command *cmd = command_find(&args, &used, why);

	return cmd != NULL && command_check(cmd, &args, used, why) == 0 ? cmd : NULL;
}

static void
test_every_command_is_found(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < n_commands; i++) {
		memset(&args, 0, sizeof(args));
		args.words[args.n_words++] = commands[i].noun;
		if (commands[i].verb != NULL)
			args.words[args.n_words++] = commands[i].verb;
		while (args.n_words < commands[i].min + 1 + (commands[i].verb != NULL))
			args.words[args.n_words++] = "x";
		assert_ptr_equal(find(), &commands[i]);
		assert_non_null(commands[i].run);
		assert_non_null(commands[i].what);
	}
}

static void
not_found(const char *because)
{
	assert_null(find());
	if (strstr(why, because) == NULL)
		fail_msg("\"%s\" says nothing of \"%s\"", why, because);
}

static void
test_unknown_commands_suggest(void **state)
{
	(void)state;
	assert_int_equal(PARSE("devcie", "list"), 0);
	not_found("did you mean \"device\"?");
	assert_int_equal(PARSE("device", "lsit"), 0);
	not_found("did you mean \"device list\"?");
	assert_int_equal(PARSE("device", "frobnicate"), 0);
	not_found("quarantine");
	assert_int_equal(PARSE("device"), 0);
	not_found("device what?");
	assert_int_equal(PARSE("pending", "confrim"), 0);
	not_found("did you mean \"pending confirm\"?");
	assert_int_equal(PARSE("zzzzzzzz"), 0);
	not_found("no command \"zzzzzzzz\"");
	memset(&args, 0, sizeof(args));
	not_found("no command given");
}

static void
test_operands_and_options_fit(void **state)
{
	(void)state;
	assert_int_equal(PARSE("device", "show"), 0);
	not_found("needs NAME");
	assert_int_equal(PARSE("status", "now"), 0);
	not_found("takes no \"now\"");
	assert_int_equal(PARSE("status", "--limit", "3"), 0);
	not_found("\"status\" takes no --limit");
	assert_int_equal(PARSE("attempt", "list", "--limit", "3", "--json"), 0);
	assert_non_null(find());
}

static void
test_distance(void **state)
{
	(void)state;
	assert_int_equal(args_distance("", ""), 0);
	assert_int_equal(args_distance("", "abc"), 3);
	assert_int_equal(args_distance("abc", "abc"), 0);
	assert_int_equal(args_distance("abc", "abd"), 1);
	assert_int_equal(args_distance("abc", "acb"), 1);	/* swapped */
	assert_int_equal(args_distance("abc", "ab"), 1);
	assert_int_equal(args_distance("kitten", "sitting"), 3);
}

static void
test_numbers(void **state)
{
	uint32_t n = 7;

	(void)state;
	assert_int_equal(args_number("10", 10, &n), 0);
	assert_int_equal(n, 10);
	assert_int_equal(args_number("11", 10, &n), -EINVAL);
	assert_int_equal(n, 10);
	assert_int_equal(args_number("", 10, &n), -EINVAL);
	assert_int_equal(args_number("-1", 10, &n), -EINVAL);
	assert_int_equal(args_number("1x", 10, &n), -EINVAL);
	assert_int_equal(args_number("4294967295", UINT32_MAX, &n), 0);
	assert_int_equal(args_number("4294967296", UINT32_MAX, &n), -EINVAL);
	assert_int_equal(args_number("99999999999999999999999", UINT32_MAX, &n), -EINVAL);
}

static void
test_durations(void **state)
{
	int64_t ms = 0;

	(void)state;
	assert_int_equal(args_duration("90s", &ms), 0);
	assert_int_equal(ms, 90000);
	assert_int_equal(args_duration("15m", &ms), 0);
	assert_int_equal(ms, 900000);
	assert_int_equal(args_duration("1h", &ms), 0);
	assert_int_equal(ms, 3600000);
	assert_int_equal(args_duration("7d", &ms), 0);
	assert_int_equal(ms, 604800000);
	assert_int_equal(args_duration("h", &ms), -EINVAL);
	assert_int_equal(args_duration("1", &ms), -EINVAL);
	assert_int_equal(args_duration("1w", &ms), -EINVAL);
	assert_int_equal(args_duration("-1h", &ms), -EINVAL);
	assert_int_equal(args_duration("11111111111111111111h", &ms), -EINVAL);
}

static void
test_times(void **state)
{
	int64_t ms = 0;

	(void)state;
	assert_int_equal(args_rfc3339("1970-01-01T00:00:01Z", &ms), 0);
	assert_int_equal(ms, 1000);
	assert_int_equal(args_rfc3339("2026-11-22T11:20:59.123Z", &ms), 0);
	assert_int_equal(ms, 1795346459123);
	assert_int_equal(args_rfc3339("2026-11-22T12:20:59+01:00", &ms), 0);
	assert_int_equal(ms, 1795346459000);
	assert_int_equal(args_rfc3339("2026-11-22 10:50:59-00:30", &ms), 0);
	assert_int_equal(ms, 1795346459000);
	assert_int_equal(args_rfc3339("2026-11-22", &ms), 0);
	assert_int_equal(ms, 1795305600000);
	assert_int_equal(args_rfc3339("2016-12-31T23:59:60Z", &ms), 0);
	assert_int_equal(ms, 1483228800000);
	assert_int_equal(args_rfc3339("2026-02-30T00:00:00Z", &ms), -EINVAL);
	assert_int_equal(args_rfc3339("2026-13-01", &ms), -EINVAL);
	assert_int_equal(args_rfc3339("2026-11-22T24:00:00Z", &ms), -EINVAL);
	assert_int_equal(args_rfc3339("2026-11-22T11:20:59", &ms), -EINVAL);
	assert_int_equal(args_rfc3339("2026-11-22T11:20:59.Z", &ms), -EINVAL);
	assert_int_equal(args_rfc3339("2026-11-22T11:20:59Zx", &ms), -EINVAL);
	assert_int_equal(args_rfc3339("yesterday", &ms), -EINVAL);
	assert_int_equal(args_rfc3339("", &ms), -EINVAL);
}

static void
with_class(const char *csv, int want, const char *expected)
{
	char *out = NULL;
	size_t len = 0;

	assert_int_equal(inventory_add_class(csv, strlen(csv), "sensor", &out, &len), want);
	if (want == 0) {
		assert_int_equal(len, strlen(expected));
		assert_memory_equal(out, expected, len);
	}
	free(out);
}

static void
test_inventory_class(void **state)
{
	(void)state;
	with_class("name,mac\na,02:00:00:00:00:01\n", 0, "name,mac,class\na,02:00:00:00:00:01,sensor\n");
	with_class("name;mac\r\na;x\r\n\r\nb;y", 0, "name;mac;class\r\na;x;sensor\r\n\r\nb;y;sensor");
	with_class("name,labels\n\"a\nb\",\"x \"\"y\"\"\"\n", 0, "name,labels,class\n\"a\nb\",\"x \"\"y\"\"\",sensor\n");
	with_class("name, Class ,mac\n", -EEXIST, NULL);
	with_class("name,\"class\"\n", -EEXIST, NULL);
	with_class("\xef\xbb\xbf" "class,name\n", -EEXIST, NULL);
	with_class("name,classroom,subclass\na,b,c\n", 0, "name,classroom,subclass,class\na,b,c,sensor\n");
	with_class("name,mac\n\"a,b\n", -EINVAL, NULL);
	with_class("", 0, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_is_free),
		cmocka_unit_test(test_double_dash_ends_options),
		cmocka_unit_test(test_mistakes_are_said),
		cmocka_unit_test(test_a_bare_option),
		cmocka_unit_test(test_options_are_bounded),
		cmocka_unit_test(test_every_command_is_found),
		cmocka_unit_test(test_unknown_commands_suggest),
		cmocka_unit_test(test_operands_and_options_fit),
		cmocka_unit_test(test_distance),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_inventory_class),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
