/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_verify.c -- policy verify: does the kernel hold what the policy says? */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "ctl/answer.h"
#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/format.h"

/* Comparing a large policy takes a second; a minute is a fault. */
#define VERIFY_TIMEOUT_MS 60000

static const char *
word_differs(uint32_t what)
{
	switch (what) {
	case DIFFERS_MISSING:
		return "missing";
	case DIFFERS_FOREIGN:
		return "foreign";
	case DIFFERS_DATA:
		return "differs";
	}
	return "?";
}

static json_t *
verified_json(const struct ctl_verified *a, const struct ctl_difference *list)
{
	json_t *rows = json_array();

	for (uint32_t i = 0; i < a->listed; i++)
		json_array_append_new(rows, json_pack("{s:s, s:o, s:o}", "what", word_differs(list[i].what),
		    "set", answer_text(list[i].set), "element", answer_text(list[i].element)));
	return json_pack("{s:b, s:o, s:o, s:o, s:o, s:i, s:i, s:o}", "agrees", a->agrees != 0,
	    "where", answer_text(a->where), "compared", answer_count(a->compared),
	    "missing", answer_count(a->missing), "foreign", answer_count(a->foreign),
	    "microseconds", (int)a->microseconds, "longest_slice_microseconds", (int)a->longest,
	    "differences", rows);
}

static void
print_differences(struct ctl *c, const struct ctl_verified *a, const struct ctl_difference *list)
{
	static const char *const heads[] = { "SET", "WHAT", "ELEMENT", NULL };
	char n[2][COUNT_STRLEN], where[80];
	struct table t;

	table_init(&t, heads);
	for (uint32_t i = 0; i < a->listed; i++) {
		table_cell(&t, list[i].set);
		table_cell(&t, word_differs(list[i].what));
		table_cell(&t, list[i].element);
	}
	if (a->listed > 0 && table_print(&t, true, c->out) < 0)
		ctl_fail(c, EXIT_DIFFERS, "no memory");
	table_done(&t);
	fprintf(c->out, "kernel and policy differ (%s): %s element%s missing, %s foreign; cordond puts it right now\n",
	    format_text(a->where, where, sizeof(where)), format_count(a->missing, n[0]), a->missing == 1 ? "" : "s",
	    format_count(a->foreign, n[1]));
}

static int
show(struct ctl *c, const struct ctl_verified *a, const struct ctl_difference *list)
{
	char n[COUNT_STRLEN], took[COUNT_STRLEN];
	int exit = a->agrees != 0 ? EXIT_DONE : EXIT_DIFFERS;

	if (c->json)
		return ctl_json(c, exit, verified_json(a, list));
	if (exit == EXIT_DONE)
		fprintf(c->out, "kernel and policy agree: %s elements, all rules, sets and chains; compared in %s\n",
		    format_count(a->compared, n), format_microseconds(a->microseconds, took));
	else
		print_differences(c, a, list);
	return exit;
}

/* Is what came with the answer what it says? Its text shall end. */
static bool
makes_sense(const struct ctl_verified *a, const uint8_t *data, size_t len)
{
	const struct ctl_difference *list = (const struct ctl_difference *)(const void *)data;

	if (a->listed > LIMIT_DIFFERENCES || len != a->listed * sizeof(*list) ||
	    memchr(a->where, '\0', sizeof(a->where)) == NULL)
		return false;
	for (uint32_t i = 0; i < a->listed; i++)
		if (memchr(list[i].set, '\0', sizeof(list[i].set)) == NULL ||
		    memchr(list[i].element, '\0', sizeof(list[i].element)) == NULL)
			return false;
	return true;
}

int
cmd_policy_verify(struct ctl *c)
{
	const struct ctl_empty ask = { 0 };
	struct ctl_verified answer;
	uint8_t *data = NULL;
	struct client cl;
	size_t len = 0;
	int rc;

	if ((rc = client_open(c, &cl)) != 0)
		return rc;
	if ((rc = client_ask(&cl, MSG_CTL_VERIFY, &ask, sizeof(ask), MSG_CTL_VERIFIED, VERIFY_TIMEOUT_MS)) < 0) {
		rc = client_fail(c, rc, "verify");
	} else {
		memcpy(&answer, cl.answer.payload, sizeof(answer));
		rc = file_read_fd(cl.answer.fd, LIMIT_DIFFERENCES * sizeof(struct ctl_difference), &data, &len);
		if (rc < 0 || !makes_sense(&answer, data, len))
			rc = ctl_fail(c, EXIT_MISTAKES, "cordond's answer makes no sense: is it of the same version?");
		else
			rc = show(c, &answer, (const struct ctl_difference *)(const void *)data);
	}
	free(data);
	client_close(&cl);
	return rc;
}
