/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_crl.c -- crl list: where revocations come from, and how fresh they are.
 * The first line sums up, and the exit code says whether it is as it should be. */
#include <inttypes.h>
#include <string.h>

#include "ctl/answer.h"
#include "ctl/crl.h"
#include "ctl/ctl.h"
#include "ctl/format.h"
#include "ctl/sources.h"
#include "ctl/view.h"

struct troubles {
	json_t *problems;
	json_t *notes;
};

/* Who would fetch it all is not there: nothing of it is kept up to date. */
static bool
pki_is_up(struct client *cl)
{
	struct ctl_empty nothing = { 0 };
	struct ctl_status s;

	if (client_ask(cl, MSG_CTL_STATUS, &nothing, sizeof(nothing), MSG_CTL_STATUS_IS, CLIENT_TIMEOUT_MS) < 0)
		return false;
	memcpy(&s, cl->answer.payload, sizeof(s));
	return s.worker_up[PROC_PKI] != 0;
}

static void
collect(const struct view *v, uint32_t authority, bool pki, struct troubles *t)
{
	uint32_t i;

	t->problems = json_array();
	t->notes = json_array();
	if (!pki)
		trouble_say(t->problems, "cordon-pki is not running: nothing of this is kept up to date; see "
		    "`journalctl -u cordon'");
	for (i = 0; i < v->image.n[IMAGE_SOURCES]; i++)
		if (source_is_of(v, i, authority))
			source_troubles(v, i, t->problems, t->notes);
	for (i = 0; i < v->image.n[IMAGE_AUTHORITIES]; i++)
		if (authority == 0 || v->image.authorities[i].number == authority)
			authority_troubles(v, i, t->problems, t->problems);
}

/* ---- for people --------------------------------------------------------- */

static void
print_part(struct ctl *c, uint32_t n, const char *what, bool *first)
{
	if (n == 0)
		return;
	fprintf(c->out, "%s%" PRIu32 " %s", *first ? "" : ", ", n, what);
	*first = false;
}

static void
print_verdict(struct ctl *c, const struct sources_sum *s, bool pki)
{
	bool first = true;

	if (s->n == 0) {
		fprintf(c->out, "no sources: no authority has a CRL, so nothing can be revoked\n");
		return;
	}
	fprintf(c->out, "%s of %" PRIu32 " source%s ", sources_are_current(s) && pki ? "current:" : "NOT CURRENT:", s->n,
	    s->n == 1 ? "" : "s");
	print_part(c, s->states[SOURCE_FRESH], "fresh", &first);
	print_part(c, s->states[SOURCE_DUE], "due", &first);
	print_part(c, s->states[SOURCE_STALE], "stale", &first);
	print_part(c, s->states[SOURCE_EXPIRED], "expired", &first);
	print_part(c, s->states[SOURCE_NEVER], "never fetched", &first);
	print_part(c, s->failing, "failing", &first);
	print_part(c, s->overdue, "overdue", &first);
	print_part(c, s->alarms, s->alarms == 1 ? "authority with an alarm" : "authorities with alarms", &first);
	fprintf(c->out, "%s\n", pki ? "" : "; cordon-pki is not running");
}

static void
print_list(struct ctl *c, const char *mark, const json_t *list)
{
	char shown[8192];
	json_t *line;
	size_t i;

	json_array_foreach(list, i, line)
		fprintf(c->out, "%s %s\n", mark, format_text(json_string_value(line), shown, sizeof(shown)));
}

static void
print_authority(struct ctl *c, const struct view *v, uint32_t i)
{
	const struct pki_authority *a = &v->authorities[i];
	char n[6][COUNT_STRLEN];

	fprintf(c->out, "%s: of our certificates %s clean, %s stale, %s unchecked, %s revoked, %s held, %s expired",
	    image_text(&v->image, v->image.authorities[i].name), format_count(a->clean, n[0]),
	    format_count(a->stale, n[1]), format_count(a->unchecked, n[2]), format_count(a->revoked, n[3]),
	    format_count(a->held, n[4]), format_count(a->expired, n[5]));
	if (a->ocsp_asked != 0)
		fprintf(c->out, "; OCSP: %s asked, %s without an answer", format_count(a->ocsp_asked, n[0]),
		    format_count(a->ocsp_failed, n[1]));
	fputc('\n', c->out);
}

static void
print_sources(struct ctl *c, const struct view *v, uint32_t authority)
{
	struct table t;
	uint32_t i;

	sources_table(&t);
	for (i = 0; i < v->image.n[IMAGE_SOURCES]; i++)
		if (source_is_of(v, i, authority))
			source_row(&t, v, i);
	if (table_rows(&t) > 0)
		table_print(&t, true, c->out);
	table_done(&t);
}

/* ---- list --------------------------------------------------------------- */

static json_t *
list_json(const struct view *v, uint32_t authority, bool current, const struct troubles *t)
{
	json_t *sources = json_array(), *authorities = json_array();
	uint32_t i;

	for (i = 0; i < v->image.n[IMAGE_SOURCES]; i++)
		if (source_is_of(v, i, authority))
			json_array_append_new(sources, source_json(v, i));
	for (i = 0; i < v->image.n[IMAGE_AUTHORITIES]; i++)
		if (authority == 0 || v->image.authorities[i].number == authority)
			json_array_append_new(authorities, authority_json(v, i));
	return json_pack("{s:o, s:b, s:O, s:O, s:o, s:o}", "revision", answer_count(v->revision), "current", current,
	    "problems", t->problems, "notes", t->notes, "sources", sources, "authorities", authorities);
}

static void
print_all(struct ctl *c, const struct view *v, uint32_t authority, const struct sources_sum *s, bool pki,
    const struct troubles *t)
{
	uint32_t i;

	print_verdict(c, s, pki);
	print_list(c, "!!", t->problems);
	print_list(c, " -", t->notes);
	print_sources(c, v, authority);
	for (i = 0; i < v->image.n[IMAGE_AUTHORITIES]; i++)
		if (authority == 0 || v->image.authorities[i].number == authority)
			print_authority(c, v, i);
}

int
crl_show(struct ctl *c, struct client *cl, const struct view *v, uint32_t authority)
{
	bool pki = pki_is_up(cl), current;
	struct sources_sum s;
	struct troubles t;
	int exit;

	sources_count(v, authority, &s);
	current = sources_are_current(&s) && pki;
	exit = current ? EXIT_DONE : EXIT_DIFFERS;
	collect(v, authority, pki, &t);
	if (c->json)
		exit = ctl_json(c, exit, list_json(v, authority, current, &t));
	else
		print_all(c, v, authority, &s, pki, &t);
	json_decref(t.problems);
	json_decref(t.notes);
	return exit;
}

static int
list(struct ctl *c, struct client *cl, struct view *v)
{
	const struct image_authority *a = NULL;
	int exit = EXIT_MISTAKES;

	if (c->args->n_words > 0 && (a = view_authority(c, v, c->args->words[0], &exit)) == NULL)
		return exit;
	return crl_show(c, cl, v, a != NULL ? a->number : 0);
}

int
cmd_crl_list(struct ctl *c)
{
	return view_with(c, list);
}
