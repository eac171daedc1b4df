/* SPDX-License-Identifier: GPL-2.0-or-later */
/* health.c -- what is wrong with a running appliance, from its own numbers.
 * Pure. Every way in which enforcement, revocation or evidence is less than it
 * looks must come out here. */
#include "ctl/health.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ctl/answer.h"
#include "ctl/format.h"
#include "ctl/history.h"
#include "ctl/pending.h"
#include "ctl/who.h"

bool
health_needs(uint32_t proc)
{
	return proc == PROC_FLOW || proc == PROC_PKI;
}

static void
judge_kernel(const struct ctl_status *s, struct health *h)
{
	if (s->healthy == 0)
		trouble_say(h->problems, "cordond cannot confirm that the kernel's rules are those of the policy, or cannot "
		    "write its state: see `journalctl -u cordon'");
	if (s->revision == 0)
		trouble_say(h->notes, "no policy was applied yet, nothing is forwarded: run `cordonctl policy apply'");
	if (s->foreign_changes != 0)
		trouble_say(h->notes, "%" PRIu32 " changes that others made to the rules were put right", s->foreign_changes);
	if (s->table_mode == 2)
		trouble_say(h->notes, "this kernel cannot give a table an owner: others may change it, and are watched");
	if (s->landlock == 0)
		trouble_say(h->notes, "this kernel has no Landlock: workers are held by seccomp and their users alone");
}

/* A change that is not over, or that was taken back: aloud. */
static void
judge_change(const struct ctl_status *s, struct health *h)
{
	char who[WHO_STRLEN], time[TIME_STRLEN];

	if (s->waits.revision != 0)
		trouble_say(h->notes, "revision %" PRIu64 " waits for its confirmation: by %s; it is left again in %" PRIu32
		    " s unless `cordonctl policy confirm' is run", s->waits.revision, who_text(&s->waits.who, who),
		    (s->waits.left_ms + 999) / 1000);
	if (s->given_up != 0)
		trouble_say(h->notes, "REVERTED: revision %" PRIu64 " was left at %s UTC%s%s; what ran before runs again",
		    s->given_up, format_time(s->given_up_at, time), s->given_up_why != WHY_NONE ? ": " : "",
		    history_why_text(s->given_up_why));
}

static void
judge_workers(const struct ctl_status *s, struct health *h)
{
	uint32_t p;

	for (p = PROC_NONE + 1; p < PROC_MAX; p++) {
		if (health_needs(p) && s->worker_up[p] == 0)
			trouble_say(h->problems, "%s is not running (restarted %" PRIu32 " times): see `journalctl -u cordon'",
			    proc_name(p), s->worker_restarts[p]);
		else if (s->worker_restarts[p] != 0)
			trouble_say(h->notes, "%s was restarted %" PRIu32 " times", proc_name(p), s->worker_restarts[p]);
	}
}

static void
judge_evidence(const struct ctl_status *s, struct health *h)
{
	if (s->flow.error != 0)
		trouble_say(h->problems, "evidence cannot be written: %s", strerror((int)s->flow.error));
	if (s->flow.lost != 0)
		trouble_say(h->notes, "%" PRIu64 " records of refused packets were lost; the kernel's counts are exact "
		    "all the same", s->flow.lost);
	if (s->flow.unmatched != 0)
		trouble_say(h->notes, "of %" PRIu64 " attempts only the numbers are known", s->flow.unmatched);
	if (s->overflow_packets != 0)
		trouble_say(h->notes, "%" PRIu64 " packets were refused beyond a device's budget: counted, without a "
		    "destination", s->overflow_packets);
	if (s->flow.clones != 0)
		trouble_say(h->notes, "%" PRIu64 " identities were seen at two places at once: "
		    "see `cordonctl attempt list --reason clone'", s->flow.clones);
}

/* Who stands where because of CAs, and what waits for a person. */
static void
judge_stations(const struct ctl_status *s, struct health *h)
{
	char brake[BRAKE_STRLEN];

	if (s->pending != 0)
		trouble_say(h->problems, "%" PRIu32 " device%s to be quarantined wait%s for a person (%s): see `cordonctl pending'",
		    s->pending, s->pending == 1 ? "" : "s", s->pending == 1 ? "s" : "", pending_brake_text(s, brake));
	if (s->restricted != 0)
		trouble_say(h->notes, "%" PRIu32 " devices are restricted, because no CRL in force speaks about them: "
		    "see `cordonctl device list --station restricted'", s->restricted);
}

void
health_judge(const struct ctl_status *s, const struct view *v, struct health *out)
{
	uint32_t i;

	memset(out, 0, sizeof(*out));
	out->problems = json_array();
	out->notes = json_array();
	judge_kernel(s, out);
	judge_change(s, out);
	judge_workers(s, out);
	judge_evidence(s, out);
	judge_stations(s, out);
	if (v == NULL)
		return;
	for (i = 0; i < v->image.n[IMAGE_SOURCES]; i++)
		source_troubles(v, i, out->problems, out->notes);
	for (i = 0; i < v->image.n[IMAGE_AUTHORITIES]; i++)
		authority_troubles(v, i, out->problems, out->notes);
	sources_count(v, 0, &out->sum);
}

void
health_done(struct health *h)
{
	json_decref(h->problems);
	json_decref(h->notes);
}
