/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_status.c -- status: a verdict first, then the numbers it comes from. */
#include <inttypes.h>
#include <string.h>

#include "ctl/answer.h"
#include "ctl/ctl.h"
#include "ctl/format.h"
#include "ctl/health.h"
#include "ctl/history.h"
#include "ctl/pending.h"
#include "ctl/view.h"
#include "ctl/who.h"

static json_t *
workers_json(const struct ctl_status *s)
{
	json_t *list = json_object();
	uint32_t p;

	for (p = PROC_NONE + 1; p < PROC_MAX; p++) {
		if (p == PROC_ENFORCE || p == PROC_CTL)
			continue;
		json_object_set_new(list, proc_name(p), json_pack("{s:b, s:i, s:b}", "up", s->worker_up[p] != 0,
		    "restarts", (int)s->worker_restarts[p], "needed", health_needs(p)));
	}
	return list;
}

static json_t *
sources_json(const struct health *h)
{
	json_t *states = json_object();
	uint32_t i;

	for (i = 0; i <= SOURCE_EXPIRED; i++)
		json_object_set_new(states, word_source_state(i), json_integer(h->sum.states[i]));
	return states;
}

static json_t *
status_json(const struct ctl_status *s, const struct health *h)
{
	json_t *answer = json_pack("{s:b, s:O, s:O, s:o, s:o, s:o, s:o, s:i, s:i, s:i, s:i, s:s, s:b, s:i, s:b}",
	    "healthy", json_array_size(h->problems) == 0, "problems", h->problems, "notes", h->notes,
	    "revision", answer_count(s->revision), "applied_at", answer_time(s->applied_at),
	    "started_at", answer_time(s->started_at), "now", answer_time(s->now),
	    "devices", (int)s->devices, "classes", (int)s->classes, "quarantined", (int)s->quarantined,
	    "audited", (int)s->audited, "table", word_table_mode(s->table_mode),
	    "kernel_agrees", s->healthy != 0, "foreign_changes", (int)s->foreign_changes,
	    "landlock", s->landlock != 0);

	json_object_set_new(answer, "waits", waits_json(&s->waits));
	json_object_set_new(answer, "staged", s->staged == 0 ? json_null() : json_pack("{s:o, s:o}", "since",
	    answer_time(s->staged_since), "who", who_json(&s->staged_by)));
	json_object_set_new(answer, "given_up", s->given_up != 0 ? answer_count(s->given_up) : json_null());
	json_object_set_new(answer, "given_up_at", answer_time(s->given_up_at));
	json_object_set_new(answer, "given_up_why", json_string(history_why_word(s->given_up_why)));
	json_object_set_new(answer, "workers", workers_json(s));
	json_object_set_new(answer, "sources", sources_json(h));
	json_object_set_new(answer, "sources_failing", json_integer(h->sum.failing));
	json_object_set_new(answer, "restricted", json_integer(s->restricted));
	json_object_set_new(answer, "pending", json_integer(s->pending));
	json_object_set_new(answer, "brake", pending_brake_json(s));
	json_object_set_new(answer, "refused", json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}",
	    "packets", answer_count(s->refused_packets), "bytes", answer_count(s->refused_bytes),
	    "stranger_packets", answer_count(s->stranger_packets),
	    "overflow_packets", answer_count(s->overflow_packets),
	    "invalid_packets", answer_count(s->invalid_packets), "stray_packets", answer_count(s->stray_packets)));
	json_object_set_new(answer, "evidence", json_pack("{s:o, s:o, s:o, s:o, s:s?}",
	    "attempts", answer_count(s->flow.attempts), "lost", answer_count(s->flow.lost),
	    "unmatched", answer_count(s->flow.unmatched), "clones", answer_count(s->flow.clones),
	    "error", s->flow.error != 0 ? strerror((int)s->flow.error) : NULL));
	return answer;
}

/* ---- for people --------------------------------------------------------- */

static void
print_list(struct ctl *c, const char *mark, const json_t *list, size_t from)
{
	char shown[4096];
	size_t i;

	for (i = from; i < json_array_size(list); i++)
		fprintf(c->out, "%s %s\n", mark,
		    format_text(json_string_value(json_array_get(list, i)), shown, sizeof(shown)));
}

static void
print_verdict(struct ctl *c, const struct ctl_status *s, const struct health *h)
{
	char time[TIME_STRLEN];

	if (s->revision == 0)
		fprintf(c->out, "no policy yet, nothing is forwarded: ");
	else
		fprintf(c->out, "enforcing revision %" PRIu64 " since %s UTC: ", s->revision,
		    format_time(s->applied_at, time));
	if (json_array_size(h->problems) == 0)
		fprintf(c->out, "healthy\n");
	else
		fprintf(c->out, "NOT HEALTHY\n");
	print_list(c, "!!", h->problems, 0);
	print_list(c, " -", h->notes, 0);
}

static void
print_policy_lines(struct ctl *c, const struct ctl_status *s)
{
	char who[WHO_STRLEN], shown[2 * WHO_STRLEN];
	char n[4][COUNT_STRLEN], time[TIME_STRLEN], age[AGO_STRLEN], brake[BRAKE_STRLEN];

	if (s->revision == 0)
		fprintf(c->out, "policy      none was applied yet\n");
	else
		fprintf(c->out, "policy      revision %" PRIu64 ": %s devices, %s classes; applied %s ago\n",
		    s->revision, format_count(s->devices, n[0]), format_count(s->classes, n[1]),
		    format_age(s->applied_at, s->now, age));
	if (s->staged != 0)
		fprintf(c->out, "staged      for %s, by %s: see `cordonctl policy staged'\n",
		    format_age(s->staged_since, s->now, age), format_text(who_text(&s->staged_by, who), shown,
		    sizeof(shown)));
	fprintf(c->out, "devices     %s in quarantine, %s restricted, %s audited, the others enforced\n",
	    format_count(s->quarantined, n[0]), format_count(s->restricted, n[1]), format_count(s->audited, n[2]));
	fprintf(c->out, "pending     %s wait for a person; %s\n", format_count(s->pending, n[0]),
	    pending_brake_text(s, brake));
	fprintf(c->out, "cordond     runs since %s UTC (%s)\n", format_time(s->started_at, time),
	    format_age(s->started_at, s->now, age));
	fprintf(c->out, "kernel      %s; %s; %s changes by others put right\n",
	    s->healthy != 0 ? "compared with the policy, agrees" : "not found to agree with the policy",
	    s->table_mode == 1 ? "the table has an owner and outlives it" : "a plain table, watched",
	    format_count(s->foreign_changes, n[0]));
}

static void
print_numbers(struct ctl *c, const struct ctl_status *s, const struct health *h)
{
	char n[6][COUNT_STRLEN];
	uint32_t i, total = 0;

	fprintf(c->out, "refused     %s packets of devices (%s bytes), %s of strangers; beyond a budget %s, "
	    "invalid %s, stray %s\n", format_count(s->refused_packets, n[0]), format_count(s->refused_bytes, n[1]),
	    format_count(s->stranger_packets, n[2]), format_count(s->overflow_packets, n[3]),
	    format_count(s->invalid_packets, n[4]), format_count(s->stray_packets, n[5]));
	fprintf(c->out, "evidence    %s attempts written; %s records lost, %s without a record, %s clones%s%s\n",
	    format_count(s->flow.attempts, n[0]), format_count(s->flow.lost, n[1]),
	    format_count(s->flow.unmatched, n[2]), format_count(s->flow.clones, n[3]),
	    s->flow.error != 0 ? "; ERROR: " : "", s->flow.error != 0 ? strerror((int)s->flow.error) : "");
	fprintf(c->out, "revocation ");
	for (i = 0; i <= SOURCE_EXPIRED; i++) {
		if (h->sum.states[i] != 0)
			fprintf(c->out, "%s %" PRIu32 " %s", total > 0 ? "," : "", h->sum.states[i], word_source_state(i));
		total += h->sum.states[i];
	}
	if (h->sum.failing != 0)
		fprintf(c->out, "; %" PRIu32 " failing", h->sum.failing);
	fprintf(c->out, "%s\n", total == 0 ? " no sources" : "");
}

static void
print_workers(struct ctl *c, const struct ctl_status *s)
{
	uint32_t p;
	const char *comma = "workers     ";

	for (p = PROC_NONE + 1; p < PROC_MAX; p++) {
		if (!health_needs(p))
			continue;
		fprintf(c->out, "%s%s %s, %" PRIu32 " restart%s", comma, proc_name(p), s->worker_up[p] ? "up" : "DOWN",
		    s->worker_restarts[p], s->worker_restarts[p] == 1 ? "" : "s");
		comma = "; ";
	}
	fprintf(c->out, "; %s\n", s->landlock != 0 ? "under Landlock" : "without Landlock");
}

int
cmd_status(struct ctl *c)
{
	struct ctl_empty nothing = { 0 };
	struct ctl_status s;
	struct health h;
	struct client cl;
	struct view v;
	int exit, rc;

	if ((rc = client_open(c, &cl)) != 0)
		return rc;
	if ((rc = client_ask(&cl, MSG_CTL_STATUS, &nothing, sizeof(nothing), MSG_CTL_STATUS_IS,
	    CLIENT_TIMEOUT_MS)) < 0) {
		rc = client_fail(c, rc, "status");
		client_close(&cl);
		return rc;
	}
	memcpy(&s, cl.answer.payload, sizeof(s));
	if ((rc = view_open(c, &cl, &v)) != 0) {
		client_close(&cl);
		return rc;
	}
	health_judge(&s, &v, &h);
	exit = json_array_size(h.problems) == 0 ? EXIT_DONE : EXIT_MISTAKES;
	if (c->json) {
		exit = ctl_json(c, exit, status_json(&s, &h));
	} else {
		print_verdict(c, &s, &h);
		print_policy_lines(c, &s);
		print_workers(c, &s);
		print_numbers(c, &s, &h);
	}
	health_done(&h);
	view_close(&v);
	client_close(&cl);
	return exit;
}
