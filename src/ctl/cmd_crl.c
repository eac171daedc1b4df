/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_crl.c -- crl list, refresh: where revocations come from, and how fresh
 * they are. A source that failed says why and since when. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "ctl/answer.h"
#include "ctl/ctl.h"
#include "ctl/format.h"
#include "ctl/view.h"

/* A fetch may take this long, and pki needs its time after it. */
#define REFRESH_TIMEOUT_MS ((int64_t)(LIMIT_FETCH_SECONDS + 60) * 1000)
#define REFRESH_POLL_US 100000

/* 0: all of them. */
static bool
is_wanted(const struct view *v, uint32_t i, uint32_t authority)
{
	return authority == 0 || v->image.sources[i].authority == authority;
}

/* "E_FETCH: the transfer failed (HTTP 404)"; "" when all is well. */
static const char *
error_text(const struct pki_source *s, char *buf, size_t size)
{
	if (s->error == E_NONE)
		buf[0] = '\0';
	else if (s->error != E_FETCH || s->detail == 0)
		snprintf(buf, size, "%s: %s", word_source_error_key(s->error), word_source_error(s->error));
	else
		snprintf(buf, size, "%s: %s (%s %" PRIu32 ")", word_source_error_key(s->error),
		    word_source_error(s->error), s->detail >= 100 ? "HTTP status" : "curl error", s->detail);
	return buf;
}

static json_t *
source_json(const struct view *v, uint32_t i)
{
	const struct pki_source *s = &v->sources[i];
	char number[2 * sizeof(s->number) + 1], error[160];

	format_hex(s->number, s->number_len, number);
	return json_pack("{s:o, s:o, s:s, s:b, s:s?, s:s?, s:i, s:s?, s:i, s:i, s:o, s:o, s:o, s:o, s:o}",
	    "authority", answer_text(view_authority_name(v, v->image.sources[i].authority)),
	    "url", answer_text(image_source_url(&v->image, &v->image.sources[i])),
	    "state", word_source_state(s->state), "fetching", s->fetching != 0,
	    "error", s->error != E_NONE ? word_source_error_key(s->error) : NULL,
	    "error_text", s->error != E_NONE ? error_text(s, error, sizeof(error)) : NULL,
	    "detail", (int)s->detail, "number", s->number_len > 0 ? number : NULL,
	    "entries", (int)s->entries, "hits", (int)s->hits,
	    "this_update", answer_time(s->this_update), "next_update", answer_time(s->next_update),
	    "last_success", answer_time(s->last_success), "last_try", answer_time(s->last_try),
	    "next_try", answer_time(s->next_try));
}

static void
add_row(struct table *t, const struct view *v, uint32_t i)
{
	const struct pki_source *s = &v->sources[i];
	char number[2 * sizeof(s->number) + 1], error[160], text[COUNT_STRLEN], time[TIME_STRLEN];

	table_cell(t, view_authority_name(v, v->image.sources[i].authority));
	table_cellf(t, "%s%s", word_source_state(s->state), s->fetching ? ", fetching" : "");
	table_cell(t, s->number_len > 0 ? format_hex(s->number, s->number_len, number) : "-");
	table_cell(t, format_count(s->entries, text));
	table_cell(t, format_count(s->hits, text));
	table_cell(t, format_time(s->last_success, time));
	table_cell(t, format_time(s->next_update, time));
	table_cell(t, format_time(s->next_try, time));
	table_cell(t, image_source_url(&v->image, &v->image.sources[i]));
	table_cell(t, s->error == E_NONE ? "-" : error_text(s, error, sizeof(error)));
}

/* Print the sources of an authority; EXIT_MISTAKES when failed_matters and one failed. */
static int
show_sources(struct ctl *c, const struct view *v, uint32_t authority, bool failed_matters)
{
	static const char *const heads[] = { "AUTHORITY", "STATE", "NUMBER", ">ENTRIES", ">OURS",
		"LAST SUCCESS (UTC)", "NEXT UPDATE (UTC)", "NEXT TRY (UTC)", "SOURCE", "LAST PROBLEM", NULL };
	json_t *list = json_array();
	int exit = EXIT_DONE;
	struct table t;
	uint32_t i;

	table_init(&t, heads);
	for (i = 0; i < v->image.n[IMAGE_SOURCES]; i++) {
		if (!is_wanted(v, i, authority))
			continue;
		if (failed_matters && v->sources[i].error != E_NONE)
			exit = EXIT_MISTAKES;
		if (c->json)
			json_array_append_new(list, source_json(v, i));
		else
			add_row(&t, v, i);
	}
	if (c->json) {
		exit = ctl_json(c, exit, json_pack("{s:o, s:O}", "revision", answer_count(v->revision),
		    "sources", list));
	} else if (table_rows(&t) == 0) {
		fprintf(c->out, "no sources: no authority has a CRL, so nothing can be revoked\n");
	} else {
		table_print(&t, true, c->out);
	}
	table_done(&t);
	json_decref(list);
	return exit;
}

static int
list(struct ctl *c, struct client *cl, struct view *v)
{
	(void)cl;
	return show_sources(c, v, 0, false);
}

int
cmd_crl_list(struct ctl *c)
{
	return view_with(c, list);
}

/* ---- refresh ------------------------------------------------------------ */

/* Whether every source was tried since, and none is being fetched. */
static bool
is_over(const struct view *v, uint32_t authority, const int64_t *tried)
{
	uint32_t i;

	for (i = 0; i < v->image.n[IMAGE_SOURCES]; i++)
		if (is_wanted(v, i, authority) &&
		    (v->sources[i].fetching != 0 || v->sources[i].last_try == tried[i]))
			return false;
	return true;
}

static int
wait_over(struct client *cl, struct view *v, uint32_t authority, const int64_t *tried)
{
	struct clock_view now;
	int64_t until;
	int rc = 0;

	clock_now(&now);
	until = now.boot_ms + REFRESH_TIMEOUT_MS;
	while (rc == 0 && !is_over(v, authority, tried)) {
		if (now.boot_ms > until)
			return -ETIMEDOUT;
		usleep(REFRESH_POLL_US);
		rc = view_refresh(cl, v);
		clock_now(&now);
	}
	return rc;
}

static int
refresh_wait(struct ctl *c, struct client *cl, struct view *v, uint32_t authority, const int64_t *tried)
{
	int rc = wait_over(cl, v, authority, tried);

	if (rc == -ESTALE)
		return ctl_fail(c, EXIT_UNDETERMINED, "the policy changed meanwhile: see `cordonctl crl list'");
	if (rc == -ETIMEDOUT)
		return ctl_fail(c, EXIT_UNDETERMINED, "the refresh is not over after %d s: see `cordonctl crl list'",
		    (int)(REFRESH_TIMEOUT_MS / 1000));
	return rc < 0 ? client_fail(c, rc, "refresh") : show_sources(c, v, authority, true);
}

static int
refresh(struct ctl *c, struct client *cl, struct view *v)
{
	const struct image_authority *a = NULL;
	struct ctl_authority ask = { .number = 0 };
	int64_t tried[LIMIT_SOURCES] = { 0 };
	int exit = EXIT_MISTAKES, rc;
	uint32_t i, n = 0;

	if (c->args->n_words > 0 && (a = view_authority(c, v, c->args->words[0], &exit)) == NULL)
		return exit;
	ask.number = a != NULL ? a->number : 0;
	for (i = 0; i < v->image.n[IMAGE_SOURCES]; i++) {
		tried[i] = v->sources[i].last_try;
		n += is_wanted(v, i, ask.number);
	}
	if (n == 0)
		return ctl_fail(c, EXIT_MISTAKES, a != NULL ? "this authority has no CRL: nothing to fetch" :
		    "no authority has a CRL: nothing to fetch");
	if ((rc = client_ask(cl, MSG_CTL_CRL_REFRESH, &ask, sizeof(ask), MSG_CTL_DONE, CLIENT_TIMEOUT_MS)) < 0)
		return client_fail(c, rc, "refresh");
	if (args_has(c->args, OPT_WAIT))
		return refresh_wait(c, cl, v, ask.number, tried);
	if (c->json)
		return ctl_json(c, EXIT_DONE, json_pack("{s:i}", "asked", (int)n));
	fprintf(c->out, "asked for %" PRIu32 " source%s: `cordonctl crl list' shows what comes\n", n, n == 1 ? "" : "s");
	return EXIT_DONE;
}

int
cmd_crl_refresh(struct ctl *c)
{
	return view_with(c, refresh);
}
