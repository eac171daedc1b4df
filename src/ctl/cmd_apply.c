/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_apply.c -- policy apply, stage, rollback, confirm. cordond does it and decides who
 * may; here is asked, waited and said what came of it. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "ctl/answer.h"
#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/format.h"
#include "ctl/history.h"
#include "ctl/who.h"

/* A large configuration takes seconds to compile; a minute is a fault. */
#define APPLY_TIMEOUT_S	300
#define WAIT_POLL_MS	200
#define AWAY_MS		30000	/* cordond may be away so long beyond the deadline */

/* ---- asking ------------------------------------------------------------- */

static int
fill(struct ctl *c, struct ctl_apply *m)
{
	const char *confirm = args_value(c->args, OPT_CONFIRM);
	int64_t ms = 0;

	memset(m, 0, sizeof(*m));
	if (confirm != NULL && (args_duration(confirm, &ms) < 0 || ms < 1000 ||
	    ms > LIMIT_CONFIRM_SECONDS * INT64_C(1000)))
		return ctl_fail(c, EXIT_USAGE, "--confirm %s: a time from 1s to 24h, as 60s or 5m", confirm);
	if (confirm == NULL && args_has(c->args, OPT_WAIT))
		return ctl_fail(c, EXIT_USAGE, "--wait waits for a confirmation: it needs --confirm TIME");
	m->confirm_s = (uint32_t)(ms / 1000);
	m->flags = args_has(c->args, OPT_FORCE) ? CTL_FORCE : 0;
	if (!c->json && c->terminal)
		m->flags |= CTL_TELL;
	connection_find(&m->from);
	who_am_i(m->login);
	return 0;
}

static const char *
step_text(uint32_t step)
{
	return step == STEP_LOAD ? "checking, keeping and loading the policy" :
	    "reading and compiling the configuration";
}

static int
wait_applied(struct ctl *c, struct client *cl, uint32_t type, const struct ctl_apply *m)
{
	bool shows = (m->flags & CTL_TELL) != 0, shown = false;
	struct ctl_progress progress = { .step = STEP_COMPILE };
	int s, rc;

	if ((rc = client_send(cl, type, m, sizeof(*m))) < 0)
		return rc;
	rc = -ETIMEDOUT;
	for (s = 0; s < APPLY_TIMEOUT_S && (rc == -ETIMEDOUT || rc == -EINPROGRESS); s += rc == -ETIMEDOUT) {
		rc = client_wait(cl, MSG_CTL_APPLIED, 1000);
		if (rc == -EINPROGRESS)
			memcpy(&progress, cl->answer.payload, sizeof(progress));
		if (shows && (rc == -EINPROGRESS || rc == -ETIMEDOUT)) {
			fprintf(c->out, "\r\033[K%s ... %d s", step_text(progress.step), s + (rc == -ETIMEDOUT));
			fflush(c->out);
			shown = true;
		}
	}
	if (shown)
		fputs("\r\033[K", c->out);
	return rc == -EINPROGRESS ? -ETIMEDOUT : rc;
}

/* ---- what came of it ---------------------------------------------------- */

static const char *
refusal_word(uint32_t refusal)
{
	static const char *const words[REFUSALS] = { [REFUSAL_BUSY] = "busy", [REFUSAL_WAITS] = "waits",
		[REFUSAL_LOCKOUT] = "lockout", [REFUSAL_NO_REVISION] = "no-revision",
		[REFUSAL_NOTHING_WAITS] = "nothing-waits",
		[REFUSAL_NOTHING_STAGED] = "nothing-staged" };

	return refusal < REFUSALS ? words[refusal] : "?";
}

/* Why not, and what to do; returns buf. */
static const char *
refusal_text(uint32_t refusal, const struct ctl_waits *w, const struct ctl_apply *m, char buf[2048])
{
	char who[WHO_STRLEN], age[AGO_STRLEN], connection[CONNECTION_STRLEN];
	struct clock_view now;

	clock_now(&now);
	if (refusal == REFUSAL_BUSY)
		snprintf(buf, 2048, "another change is being made, by %s, begun %s ago: nothing was changed. "
		    "Try again when it is over; `cordonctl policy history' shows it then",
		    who_text(&w->who, who), format_age(w->since, now.wall_ms, age));
	else if (refusal == REFUSAL_WAITS)
		snprintf(buf, 2048, "revision %" PRIu64 " waits for its confirmation: by %s, %s ago; it is left again "
		    "in %" PRIu32 " s. Nothing was changed. First decide on that one: `cordonctl policy confirm' "
		    "lets it stay, `cordonctl policy rollback' leaves it now (revision %" PRIu64 " comes back)",
		    w->revision, who_text(&w->who, who), format_age(w->since, now.wall_ms, age),
		    (w->left_ms + 999) / 1000, w->before);
	else if (refusal == REFUSAL_LOCKOUT)
		snprintf(buf, 2048, "this policy would drop the connection that you work over (%s): nothing was "
		    "changed. Name the port in the appliance's services (services = ( { tcp = %u; } )) and "
		    "declare the device you come from, or take %.15s out of device_interfaces; or insist with "
		    "--force, best with --confirm 60s, which brings the policy of now back by itself",
		    connection_text(&m->from, connection), (unsigned)m->from.server_port, m->from.interface);
	else if (refusal == REFUSAL_NO_REVISION)
		snprintf(buf, 2048, m->revision != 0 ? "revision %" PRIu64 " is not kept (the last %u are): see "
		    "`cordonctl policy history'" : "no other policy is kept to go back to", m->revision,
		    LIMIT_REVISIONS);
	else if (refusal == REFUSAL_NOTHING_STAGED)
		snprintf(buf, 2048, "nothing is staged: `cordonctl policy stage' stages the configuration");
	else
		snprintf(buf, 2048, "no policy waits for a confirmation: see `cordonctl policy history'");
	return buf;
}

static const char *
unstaged_word(uint32_t unstaged)
{
	return unstaged == UNSTAGED_ENFORCED ? "enforced" : unstaged == UNSTAGED_STALE ? "stale" : NULL;
}

static json_t *
applied_json(const struct ctl_applied *a, const struct ctl_apply *m, const char *text)
{
	bool refused = a->refusal != REFUSAL_NONE;
	char why[2048], connection[CONNECTION_STRLEN];

	return json_pack("{s:b, s:o, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:s?, s:o, s:s?, s:s?, s:o, s:o, s:s?}",
	    (m->flags & CTL_STAGE) != 0 ? "staged" : "applied", a->error == 0 && a->mistakes == 0 && !refused, "revision", answer_count(a->revision),
	    "devices", (int)a->devices, "classes", (int)a->classes, "added", (int)a->added,
	    "removed", (int)a->removed, "renewed", (int)a->renewed, "microseconds", (int)a->microseconds,
	    "all_microseconds", (int)a->all_microseconds, "mistakes", (int)a->mistakes,
	    "error", a->error != 0 ? strerror((int)a->error) : refused ?
	    refusal_text(a->refusal, &a->waits, m, why) : NULL, "lines", answer_lines(text),
	    "refused", refused ? refusal_word(a->refusal) : NULL,
	    "connection", a->refusal == REFUSAL_LOCKOUT ? connection_text(&m->from, connection) : NULL, "waits", waits_json(&a->waits), "from", answer_count(a->from),
	    "unstaged", unstaged_word(a->unstaged));
}

static void
print_applied(const struct ctl *c, const struct ctl_applied *a)
{
	char n[5][COUNT_STRLEN], took[COUNT_STRLEN];

	fprintf(c->out, "revision %" PRIu64 " runs: %s device%s, %s class%s; ", a->revision,
	    format_count(a->devices, n[0]), a->devices == 1 ? "" : "s",
	    format_count(a->classes, n[1]), a->classes == 1 ? "" : "es");
	if (a->added == 0 && a->removed == 0 && a->renewed == 0)
		fprintf(c->out, "nothing changed in the kernel\n");
	else
		fprintf(c->out, "%s element%s added, %s removed, %s device%s renewed; the kernel took %s\n",
		    format_count(a->added, n[2]), a->added == 1 ? "" : "s", format_count(a->removed, n[3]),
		    format_count(a->renewed, n[4]), a->renewed == 1 ? "" : "s",
		    format_microseconds(a->microseconds, took));
	if (a->from != 0)
		fprintf(c->out, "it is what revision %" PRIu64 " was\n", a->from);
	if (a->unstaged != UNSTAGED_NOT)
		fprintf(c->out, "nothing is staged any more: %s\n", a->unstaged == UNSTAGED_ENFORCED ?
		    "this is what was" : "devices have other numbers now; stage again what you want to compare");
	if (a->waits.revision != 0)
		fprintf(c->out, "it is left again in %" PRIu32 " s, unless you run `cordonctl policy confirm'\n",
		    (a->waits.left_ms + 999) / 1000);
}

static void
print_staged(const struct ctl *c, const struct ctl_applied *a)
{
	char n[2][COUNT_STRLEN], took[COUNT_STRLEN];

	fprintf(c->out, "staged beside revision %" PRIu64 ", which stays in force: %s element%s added, %s removed; "
	    "the kernel took %s\n`cordonctl policy staged' shows what it would change from now on\n", a->revision,
	    format_count(a->added, n[0]), a->added == 1 ? "" : "s", format_count(a->removed, n[1]),
	    format_microseconds(a->microseconds, took));
}

static int
show_applied(struct ctl *c, const struct ctl_applied *a, const struct ctl_apply *m, const char *text)
{
	int exit = a->mistakes != 0 || a->error != 0 || a->refusal != REFUSAL_NONE ? EXIT_MISTAKES : EXIT_DONE;
	bool stage = (m->flags & CTL_STAGE) != 0;
	char n[COUNT_STRLEN], why[2048], shown[4096];

	if (c->json)
		return ctl_json(c, exit, applied_json(a, m, text));
	ctl_lines(text, exit == EXIT_DONE ? c->out : c->err);
	if (a->refusal != REFUSAL_NONE)
		fprintf(c->err, "cordonctl: %s\n", format_text(refusal_text(a->refusal, &a->waits, m, why), shown,
		    sizeof(shown)));
	else if (a->mistakes != 0)
		fprintf(c->err, "cordonctl: %s mistake%s: nothing was %s, revision %" PRIu64 " still runs\n",
		    format_count(a->mistakes, n), a->mistakes == 1 ? "" : "s", stage ? "staged" : "applied", a->revision);
	else if (a->error == EALREADY)
		fprintf(c->err, "cordonctl: revision %" PRIu64 " runs already\n", a->revision);
	else if (a->error != 0)
		fprintf(c->err, "cordonctl: the policy could not be %s (%s): nothing was changed, "
		    "revision %" PRIu64 " still runs; see `journalctl -u cordon'\n",
		    stage ? "staged" : "applied", strerror((int)a->error), a->revision);
	else if (stage)
		print_staged(c, a);
	else
		print_applied(c, a);
	return exit;
}

/* ---- until somebody decides --------------------------------------------- */

/* What the history says of this revision: 0 while nothing. */
static uint32_t
outcome(const struct ctl *c, uint64_t revision, struct history_entry *out)
{
	struct history h;
	struct client cl;
	uint32_t what = 0;
	size_t i;

	if (client_connect(c, &cl) < 0)
		return 0;
	if (history_ask(&cl, &h) == 0) {
		for (i = h.n; what == 0 && i-- > 0;) {
			if ((h.entries[i].what == HISTORY_CONFIRMED && h.entries[i].revision == revision) ||
			    (h.entries[i].what == HISTORY_REVERTED && h.entries[i].other == revision)) {
				*out = h.entries[i];
				what = out->what;
			}
		}
		history_done(&h);
	}
	client_close(&cl);
	return what;
}

static int
show_outcome(struct ctl *c, const struct ctl_applied *a, const struct history_entry *h)
{
	bool stays = h->what == HISTORY_CONFIRMED;
	int exit = stays ? EXIT_DONE : EXIT_DIFFERS;
	char who[WHO_STRLEN], shown[2 * WHO_STRLEN];

	if (c->json)
		return ctl_json(c, exit, json_pack("{s:s, s:o, s:o, s:s, s:o, s:o}", "outcome",
		    stays ? "confirmed" : "reverted", "revision", answer_count(a->waits.revision), "running",
		    answer_count(h->revision), "why", history_why_word(h->why), "at", answer_time(h->at),
		    "who", who_json(&h->who)));
	format_text(who_text(&h->who, who), shown, sizeof(shown));
	if (stays)
		fprintf(c->out, "revision %" PRIu64 " stays: confirmed by %s\n", a->waits.revision, shown);
	else
		fprintf(c->err, "cordonctl: REVERTED: revision %" PRIu64 " was left (%s; %s); revision %" PRIu64
		    " holds what ran before\n", a->waits.revision, history_why_text(h->why), shown, h->revision);
	return exit;
}

/* cordond may end meanwhile, and be ended: that is what the deadline is for. */
static int
wait_outcome(struct ctl *c, const struct ctl_applied *a)
{
	struct history_entry h;
	struct clock_view now;
	int64_t until;

	clock_now(&now);
	until = now.boot_ms + a->waits.left_ms + AWAY_MS;
	while (outcome(c, a->waits.revision, &h) == 0) {
		clock_now(&now);
		if (now.boot_ms > until)
			return ctl_fail(c, EXIT_NOT_RUNNING, "cordond does not say what became of revision %" PRIu64
			    ": see `journalctl -u cordon'", a->waits.revision);
		usleep(WAIT_POLL_MS * 1000);
	}
	return show_outcome(c, a, &h);
}

/* ---- commands ----------------------------------------------------------- */

static int
change(struct ctl *c, uint32_t type, const struct ctl_apply *m)
{
	struct ctl_applied applied = { .revision = 0 };
	struct client cl;
	uint8_t *text = NULL;
	size_t len;
	int rc;

	if ((rc = client_open(c, &cl)) != 0)
		return rc;
	if ((rc = wait_applied(c, &cl, type, m)) < 0) {
		rc = client_fail(c, rc, type == MSG_CTL_APPLY ? "apply" : "rollback");
	} else if ((rc = file_read_fd(cl.answer.fd, LIMIT_MISTAKES * 8192UL, &text, &len)) < 0) {
		rc = ctl_fail(c, EXIT_MISTAKES, "the answer cannot be read: %s", strerror(-rc));
	} else {
		memcpy(&applied, cl.answer.payload, sizeof(applied));
		if (applied.mistakes == 0 && applied.refusal == REFUSAL_NONE && applied.error == 0 &&
		    args_has(c->args, OPT_WAIT) && c->json)
			rc = EXIT_DONE;		/* one object, at the end */
		else
			rc = show_applied(c, &applied, m, (const char *)text);
	}
	free(text);
	client_close(&cl);
	if (rc == EXIT_DONE && args_has(c->args, OPT_WAIT) && applied.waits.revision != 0) {
		fflush(c->out);
		rc = wait_outcome(c, &applied);
	}
	return rc;
}

int
cmd_policy_apply(struct ctl *c)
{
	struct ctl_apply m;
	int rc = fill(c, &m);

	if (args_has(c->args, OPT_STAGED))
		m.flags |= CTL_FROM_STAGED;
	return rc != 0 ? rc : change(c, MSG_CTL_APPLY, &m);
}

int
cmd_policy_stage(struct ctl *c)
{
	struct ctl_apply m;
	int rc = fill(c, &m);

	m.flags |= CTL_STAGE;
	return rc != 0 ? rc : change(c, MSG_CTL_APPLY, &m);
}

int
cmd_policy_rollback(struct ctl *c)
{
	uint32_t revision = 0;
	struct ctl_apply m;
	int rc = fill(c, &m);

	if (rc != 0)
		return rc;
	if (c->args->n_words > 0 && (args_number(c->args->words[0], UINT32_MAX, &revision) < 0 || revision == 0))
		return ctl_fail(c, EXIT_USAGE, "\"%s\" is no revision: a number, see `cordonctl policy history'",
		    c->args->words[0]);
	m.revision = revision;
	return change(c, MSG_CTL_ROLLBACK, &m);
}

int
cmd_policy_confirm(struct ctl *c)
{
	struct ctl_confirmed done = { .error = 0 };
	struct ctl_confirm m;
	struct client cl;
	char why[2048];
	int rc;

	who_am_i(m.login);
	if ((rc = client_open(c, &cl)) != 0)
		return rc;
	if ((rc = client_ask(&cl, MSG_CTL_CONFIRM, &m, sizeof(m), MSG_CTL_CONFIRMED, CLIENT_TIMEOUT_MS)) < 0)
		rc = client_fail(c, rc, "confirm");
	else
		memcpy(&done, cl.answer.payload, sizeof(done));
	client_close(&cl);
	if (rc != 0)
		return rc;
	if (done.refusal != REFUSAL_NONE)
		return ctl_fail(c, EXIT_MISTAKES, "%s", refusal_text(done.refusal, &done.waits, NULL, why));
	if (done.error != 0)
		return ctl_fail(c, EXIT_MISTAKES, "the confirmation could not be written down (%s): revision %" PRIu64
		    " still waits", strerror((int)done.error), done.waits.revision);
	if (c->json)
		return ctl_json(c, EXIT_DONE, json_pack("{s:b, s:o}", "confirmed", true, "waits",
		    waits_json(&done.waits)));
	fprintf(c->out, "revision %" PRIu64 " stays\n", done.waits.revision);
	return EXIT_DONE;
}
