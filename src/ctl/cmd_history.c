/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_history.c -- policy history: what became of the policy, when, by whom. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "ctl/answer.h"
#include "ctl/changes.h"
#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/format.h"
#include "ctl/history.h"
#include "ctl/who.h"
#include "model/image.h"

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

/* ---- one of them -------------------------------------------------------- */

/* Another answer takes the place of the one before: the image is mapped anew. */
static int
stored_image(struct ctl *c, struct client *cl, uint64_t revision, const void **data, size_t *len, struct image *out)
{
	const struct image_ref ref = { .revision = revision };
	const char *why = "it cannot be mapped";
	int rc = client_ask(cl, MSG_CTL_STORED, &ref, sizeof(ref), MSG_IMAGE, CLIENT_TIMEOUT_MS);

	*data = NULL;
	if (rc == -ENOENT)
		return ctl_fail(c, EXIT_MISTAKES, "the policy of revision %" PRIu64 " is no longer kept: the last %u are",
		    revision, LIMIT_REVISIONS);
	if (rc < 0)
		return client_fail(c, rc, "history");
	if (memfile_map(cl->answer.fd, LIMIT_IMAGE_BYTES, data, len) < 0 || image_open(*data, *len, out, &why) < 0)
		return ctl_fail(c, EXIT_MISTAKES, "the policy of revision %" PRIu64 " makes no sense: %s", revision, why);
	return 0;
}

/* The policy that ran before this one came: 0 is the empty one. */
static bool
find_before(const struct history *h, uint64_t revision, uint64_t *before)
{
	size_t i;

	*before = 0;
	for (i = 0; i < h->n; i++) {
		if (h->entries[i].revision == revision)
			return true;
		*before = h->entries[i].revision;
	}
	return false;
}

static int
show_one(struct ctl *c, struct client *cl, const struct history *h, const char *word)
{
	const void *data[2] = { NULL, NULL };
	struct image old, next;
	size_t len[2];
	uint32_t revision;
	uint64_t before;
	int rc;

	if (args_number(word, UINT32_MAX, &revision) < 0)
		return ctl_fail(c, EXIT_USAGE, "\"%s\" is no revision: a number, see `cordonctl policy history'", word);
	if (!find_before(h, revision, &before))
		return ctl_fail(c, EXIT_MISTAKES, "the history knows no revision %s", word);
	if ((rc = stored_image(c, cl, before, &data[0], &len[0], &old)) == 0 &&
	    (rc = stored_image(c, cl, revision, &data[1], &len[1], &next)) == 0) {
		if (!c->json)
			fprintf(c->out, "from revision %" PRIu64 " to %s:\n", before, word);
		rc = changes_show(c, &old, &next);
		if (rc == EXIT_DIFFERS)		/* as policies do; nothing failed */
			rc = EXIT_DONE;
	}
	for (size_t i = 0; i < 2; i++)
		if (data[i] != NULL)
			memfile_unmap(data[i], len[i]);
	return rc;
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
		rc = c->args->n_words > 0 ? show_one(c, &cl, &h, c->args->words[0]) : show(c, &h);
		history_done(&h);
	}
	client_close(&cl);
	return rc;
}
