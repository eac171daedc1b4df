/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_print_nft.c -- a ruleset as nft's syntax: complete, and always the same. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#include "model/print.h"
#include "sample.h"

struct world {
	struct policy *policy;
	uint8_t *bytes;
	struct image image;
	struct station *stations;
	struct ruleset rules;
};

static int
set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	uint32_t i;
	size_t len;

	w->policy = sample_full();
	w->image = sample_image(w->policy, NULL, &w->bytes, &len);
	w->stations = calloc(w->image.n[IMAGE_DEVICES], sizeof(*w->stations));
	for (i = 0; i < w->image.n[IMAGE_DEVICES]; i++)
		w->stations[i] = (struct station){ .number = w->image.devices[i].number, .generation = 1 };
	w->rules = ruleset_make(&w->image, w->stations,
	    (struct features){ .owner_persist = true, .connlimit = true });
	*state = w;
	return 0;
}

static int
tear_down(void **state)
{
	struct world *w = *state;

	policy_free(w->policy);
	free(w->bytes);
	free(w->stations);
	free(w);
	return 0;
}

static char *
print(const struct ruleset *rules)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_int_equal(print_nft(rules, f), 0);
	fclose(f);
	return text;
}

static void
test_same_input_same_text(void **state)
{
	struct world *w = *state;
	char *a = print(&w->rules), *b = print(&w->rules);

	assert_string_equal(a, b);
	free(a);
	free(b);
}

static int
count_one(void *arg, const struct element *e)
{
	(void)e;
	(*(size_t *)arg)++;
	return 0;
}

static int
set_is_there(void *arg, const struct set_ref *ref)
{
	char name[SET_NAMELEN], line[SET_NAMELEN + 16];

	snprintf(line, sizeof(line), "\n\t%s %s {\n", set_info(ref->kind)->data == DATA_NONE ? "set" : "map",
	    set_name(ref, name));
	if (strstr(arg, line) == NULL)
		fail_msg("%s is not printed", name);
	return 0;
}

static int
chain_is_there(void *arg, const struct chain_ref *ref)
{
	char name[CHAIN_NAMELEN], line[CHAIN_NAMELEN + 16];

	snprintf(line, sizeof(line), "\n\tchain %s {\n", chain_name(ref, name));
	if (strstr(arg, line) == NULL)
		fail_msg("%s is not printed", name);
	return 0;
}

/* Each element is a line of three tabs. */
static void
test_everything_is_there(void **state)
{
	struct world *w = *state;
	char *text = print(&w->rules), *at;
	size_t elements = 0, lines = 0;

	ruleset_each_set(&w->rules, set_is_there, text);
	ruleset_each_chain(&w->rules, chain_is_there, text);
	ruleset_each_element(&w->rules, count_one, &elements);
	for (at = text; (at = strstr(at, "\n\t\t\t")) != NULL; at++)
		lines++;
	assert_true(elements > 0);
	assert_int_equal(lines, elements);
	free(text);
}

static void
has(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" is missing", part);
}

static void
test_what_protects_is_said(void **state)
{
	struct world *w = *state;
	char *text = print(&w->rules);

	has(text, "type filter hook forward priority 0; policy drop;");
	has(text, "ct mark set meta mark");
	has(text, "add @budget { meta mark");
	has(text, "limit rate over 10/second burst 256 packets }");
	has(text, "ct count over ");
	has(text, "\t\tcounter\n\t\tlimit rate 6/minute burst 1 packets\n");
	has(text, "flags interval");
	has(text, "flags dynamic,timeout");
	free(text);
}

static void
test_quarantine_is_printed(void **state)
{
	struct world *w = *state;
	char *before = print(&w->rules), *after, set[96];

	w->stations[0].quarantined = 1;
	w->stations[0].generation = 2;
	after = print(&w->rules);
	snprintf(set, sizeof(set), "set quarantined {\n\t\ttype mark\n\t\tsize 512\n\t\telements = {\n\t\t\t0x%08x",
	    station_mark(&w->stations[0]));
	assert_null(strstr(before, set));
	has(after, set);
	free(before);
	free(after);
}

static void
test_absent_features_are_left_out(void **state)
{
	struct world *w = *state;
	char *text;

	w->rules.features.connlimit = false;
	text = print(&w->rules);
	assert_null(strstr(text, "ct count over"));
	assert_null(strstr(text, "set connections"));
	free(text);
}

int
main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_same_input_same_text, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_everything_is_there, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_protects_is_said, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_quarantine_is_printed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_absent_features_are_left_out, set_up, tear_down),
	};
	void *state;

	/* For nft itself to read: tests/golden loads this text. */
	if (argc == 2 && strcmp(argv[1], "--print") == 0) {
		set_up(&state);
		print_nft(&((struct world *)state)->rules, stdout);
		return tear_down(&state);
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
