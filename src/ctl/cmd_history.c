/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_history.c -- policy history: what became of the policy, when, by whom. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "ctl/answer.h"
#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/format.h"
#include "ctl/history.h"
#include "ctl/who.h"

#define ROWS_DEFAULT 50

static void
detail(const struct history_entry *h, char *buf, size_t size)
{
	char n[3][COUNT_STRLEN];

	switch (h->what) {
	case HISTORY_APPLIED:
	case HISTORY_ROLLED_BACK:
	case HISTORY_REVERTED:
		break;
	default:
		snprintf(buf, size, "%s", history_why_text(h->why));
		return;
	}
	size_t at = (size_t)snprintf(buf, size, "%s added, %s removed, %s renewed", format_count(h->added, n[0]),
	    format_count(h->removed, n[1]), format_count(h->renewed, n[2]));

	if (h->what == HISTORY_ROLLED_BACK && at < size)
		at += (size_t)snprintf(buf + at, size - at, "; what revision %" PRIu64 " was", h->other);
	if (h->what == HISTORY_REVERTED && at < size)
		at += (size_t)snprintf(buf + at, size - at, "; revision %" PRIu64 " was left%s%s", h->other,
		    h->why != WHY_NONE ? ": " : "", history_why_text(h->why));
	else if (h->confirm_s != 0 && at < size)
		at += (size_t)snprintf(buf + at, size - at, "; to be confirmed within %" PRIu32 " s", h->confirm_s);
	if (h->forced && at < size)
		snprintf(buf + at, size - at, "; forced");
}

static json_t *
entry_json(const struct history_entry *h)
{
	return json_pack("{s:o, s:o, s:s, s:s, s:o, s:o, s:i, s:i, s:i, s:i, s:b}",
	    "revision", answer_count(h->revision), "at", answer_time(h->at), "what", history_what_word(h->what),
	    "why", history_why_word(h->why), "other", answer_count(h->other), "who", who_json(&h->who),
	    "added", (int)h->added, "removed", (int)h->removed, "renewed", (int)h->renewed,
	    "confirm_seconds", (int)h->confirm_s, "forced", h->forced != 0);
}

static int
show_table(struct ctl *c, const struct history *h, size_t limit)
{
	static const char *const heads[] = { ">REVISION", "WHEN", "WHAT", "WHO", "DETAIL", NULL };
	char time[TIME_STRLEN], who[WHO_STRLEN], text[256];
	struct table t;
	size_t i;

	table_init(&t, heads);
	for (i = h->n; i-- > 0 && h->n - i <= limit;) {
		const struct history_entry *e = &h->entries[i];

		table_cellf(&t, "%" PRIu64, e->revision);
		table_cell(&t, format_time(e->at, time));
		table_cell(&t, history_what_word(e->what));
		table_cell(&t, who_text(&e->who, who));
		detail(e, text, sizeof(text));
		table_cell(&t, text);
	}
	table_print(&t, true, c->out);
	table_done(&t);
	if (h->damaged != 0)
		fprintf(c->err, "cordonctl: %" PRIu32 " damaged record(s) were passed over\n", h->damaged);
	return EXIT_DONE;
}

static int
show_json(struct ctl *c, const struct history *h, size_t limit)
{
	json_t *list = json_array();
	size_t i;

	for (i = h->n; i-- > 0 && h->n - i <= limit;)
		json_array_append_new(list, entry_json(&h->entries[i]));
	return ctl_json(c, EXIT_DONE, json_pack("{s:o, s:i}", "history", list, "damaged", (int)h->damaged));
}

static int
show(struct ctl *c, const struct history *h)
{
	const char *value = args_value(c->args, OPT_LIMIT);
	uint32_t limit = ROWS_DEFAULT;

	if (value != NULL && args_number(value, LIMIT_HISTORY, &limit) < 0)
		return ctl_fail(c, EXIT_USAGE, "--limit %s: a number up to %u", value, LIMIT_HISTORY);
	return c->json ? show_json(c, h, limit) : show_table(c, h, limit);
}

int
cmd_policy_history(struct ctl *c)
{
	struct history h;
	struct client cl;
	int rc;

	if ((rc = client_open(c, &cl)) != 0)
		return rc;
	if ((rc = history_ask(&cl, &h)) < 0) {
		rc = client_fail(c, rc, "history");
	} else {
		rc = show(c, &h);
		history_done(&h);
	}
	client_close(&cl);
	return rc;
}
