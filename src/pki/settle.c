/* SPDX-License-Identifier: GPL-2.0-or-later */
/* settle.c -- what is known is judged as a whole, and what differs from what cordond
 * has is told to it, one batch after another. What tightens goes to the kernel before
 * it goes to any disk of ours; nothing loosens while a CRL in use is not on the disk. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "pki/pki.h"
#include "proto/messages.h"

#define AGAIN_MS     1000	/* after a batch that was not taken; doubles */
#define AGAIN_MAX_MS 60000

void
settle_want(struct pki *p)
{
	p->settling.wanted = true;
}

/* ---- may it loosen? ----------------------------------------------------- */

static bool
disk_has_all(const struct pki *p)
{
	size_t i;

	for (i = 0; i < p->set.n; i++) {
		const struct series *s = &p->set.series[i];
		const struct series_extra *e = &p->set.extra[i];

		if ((s->full.valid && (s->full.unsaved || e->behind[0])) ||
		    (s->delta.valid && (s->delta.unsaved || e->behind[1])))
			return false;
	}
	return true;
}

static bool
may_loosen(const struct pki *p)
{
	return !p->lookup.candidate && !cache_pending(p) && disk_has_all(p);
}

/* ---- to judge ----------------------------------------------------------- */

static bool
source_had_its_try(const struct pki *p, const struct source *s, const struct clock_view *now)
{
	return s->failures > 0 || s->confirmed_boot != 0 || now->boot_ms - p->loaded_boot >= PKI_FIRST_TRY_MS;
}

/* Before each source had its chance, a lack of CRLs is no news. */
static bool
settled_renew(struct pki *p, const struct clock_view *now)
{
	bool waits[LIMIT_AUTHORITIES] = { false }, before, changed = false, scanned = !cache_pending(p);
	uint32_t i;

	for (i = 0; i < p->all->n_sources; i++)
		if (!source_had_its_try(p, &p->sources[i], now))
			waits[p->sources[i].authority] = true;
	for (i = 0; i < p->all->n; i++) {
		before = p->settled[i];
		p->settled[i] = scanned && (before || !waits[i]);
		changed = changed || before != p->settled[i];
	}
	return changed;
}

static int
judge(struct pki *p, struct trust_decision *out, const struct clock_view *now)
{
	struct trust_input in = { .series = p->set.series, .n_series = p->set.n, .ocsp = ocsp_said(p),
		.settled = p->settled };
	int rc;

	(void)settled_renew(p, now);
	pki_clock(p, now, &in.clock);
	p->judged_boot = now->boot_ms;
	if ((rc = trust_judge(p->trust, &in)) < 0 ||
	    (rc = trust_decide(p->trust, &in, p->settling.standings, p->settling.n_standings, out)) < 0)
		return rc;
	return 0;
}

/* ---- a batch ------------------------------------------------------------ */

static void
batch_free(struct settling *s)
{
	free(s->tighten);
	free(s->loosen);
	s->tighten = NULL;
	s->loosen = NULL;
	s->n_tighten = s->n_loosen = 0;
	s->sent = false;
}

static int
batch_of(struct pki *p, const struct trust_decision *d, const struct clock_view *now)
{
	struct settling *s = &p->settling;
	size_t i, loosen = may_loosen(p) ? d->n_loosen : 0;

	s->tighten = calloc(d->n_tighten + 1, sizeof(*s->tighten));
	s->loosen = calloc(loosen + 1, sizeof(*s->loosen));
	if (s->tighten == NULL || s->loosen == NULL)
		return -ENOMEM;
	for (i = 0; i < d->n_tighten; i++) {
		/* A candidate's settings are not in force; its devices are looked up. */
		if (p->lookup.candidate && d->tighten[i].cause != CAUSE_REVOKED)
			continue;
		s->tighten[s->n_tighten] = d->tighten[i];
		if (p->lookup.candidate)
			s->tighten[s->n_tighten].source = PKI_NO_SOURCE;
		s->n_tighten++;
	}
	for (i = 0; i < loosen; i++)
		if (ocsp_allows(p, &d->loosen[i], now))
			s->loosen[s->n_loosen++] = d->loosen[i];
	ocsp_forget_wanted(p);
	return 0;
}

/* Whose CRL it was, and when its last byte had come. */
static void
cause_of(const struct pki *p, struct pki_revoke_done *done)
{
	size_t i;

	done->source = PKI_NO_SOURCE;
	for (i = 0; i < PKI_JOBS; i++) {
		const struct job *j = &p->jobs[i];

		if (j->phase != JOB_FREE && j->n_taken > 0 && j->received_at >= done->received_at) {
			done->received_at = j->received_at;
			done->source = p->lookup.candidate ? PKI_NO_SOURCE : j->source->index;
		}
	}
}

static void
batch_send(struct pki *p, const struct clock_view *now)
{
	struct pki_revoke_done done = { 0 };
	struct settling *s = &p->settling;
	size_t i;

	for (i = 0; i < s->n_tighten; i++)
		pki_send(p, MSG_PKI_REVOKE, &s->tighten[i], sizeof(s->tighten[i]), -1);
	for (i = 0; i < s->n_loosen; i++)
		pki_send(p, MSG_PKI_CLEAR, &s->loosen[i], sizeof(s->loosen[i]), -1);
	cause_of(p, &done);
	if (done.received_at == 0)
		done.received_at = now->wall_ms;
	done.n = (uint32_t)(s->n_tighten + s->n_loosen);
	pki_send(p, MSG_PKI_REVOKE_DONE, &done, sizeof(done), -1);
	p->lookup.found += (uint32_t)s->n_tighten;
	s->sent = true;
	s->deadline_boot = now->boot_ms + PKI_APPLY_MS;
}

/* All jobs whose CRLs were judged by then go on to the disk. */
static void
round_ends(struct pki *p, int error, const struct clock_view *now)
{
	size_t i;

	for (i = 0; i < PKI_JOBS; i++)
		if (p->jobs[i].phase == JOB_SETTLING && p->jobs[i].round <= p->settling.round)
			job_settled(p, &p->jobs[i], error, now);
}

static void
looked(struct pki *p)
{
	struct pki_looked m = { .revision = p->revision, .n = p->lookup.found };
	size_t i;

	if (cache_pending(p) || p->settling.wanted || p->settling.sent)
		return;
	for (i = 0; i < p->set.n; i++)
		if (p->set.extra[i].damaged[0] || p->set.extra[i].damaged[1])
			m.error = EBADMSG;
	if (!p->lookup.owed && (!p->lookup.failed || m.error != 0))
		return;
	p->lookup.owed = false;
	p->lookup.failed = m.error != 0;
	pki_send(p, MSG_PKI_LOOKED, &m, sizeof(m), -1);
}

static void
not_taken(struct pki *p, int error, const struct clock_view *now)
{
	struct settling *s = &p->settling;
	int64_t wait = AGAIN_MS;
	uint32_t i;

	log_warn(error, "cordond did not take what follows from CRLs");
	for (i = 0; i < s->failures && wait < AGAIN_MAX_MS; i++)
		wait *= 2;
	s->failures++;
	s->again_boot = now->boot_ms + (wait < AGAIN_MAX_MS ? wait : AGAIN_MAX_MS);
	s->wanted = true;
	round_ends(p, error, now);
}

static void
taken(struct pki *p, const struct clock_view *now)
{
	uint32_t i;

	/* What was not taken before has no copy on the disk yet. */
	for (i = 0; p->settling.failures > 0 && i < p->all->n_sources; i++)
		if (p->sources[i].error == E_APPLY)
			source_now(&p->sources[i], now);
	p->settling.failures = 0;
	p->settling.again_boot = 0;
	round_ends(p, 0, now);
	looked(p);
}

void
settle_run(struct pki *p, const struct clock_view *now)
{
	struct settling *s = &p->settling;
	struct trust_decision d;
	int rc;

	if (p->all == NULL)
		return;
	if (s->sent && now->boot_ms >= s->deadline_boot) {
		/* The answer may still come and must not be taken for another's. */
		s->old_answers++;
		batch_free(s);
		not_taken(p, ETIMEDOUT, now);
	}
	if (!s->wanted || s->sent || now->boot_ms < s->again_boot) {
		looked(p);
		return;
	}
	s->wanted = false;
	s->round++;
	if ((rc = judge(p, &d, now)) < 0 || (rc = batch_of(p, &d, now)) < 0) {
		batch_free(s);
		not_taken(p, -rc, now);
		return;
	}
	sources_view(p, now);
	reports_judged(p);
	if (s->n_tighten + s->n_loosen > 0) {
		batch_send(p, now);
		return;
	}
	batch_free(s);
	taken(p, now);
}

void
settle_answer(struct pki *p, int error, const struct clock_view *now)
{
	struct settling *s = &p->settling;

	/* Answers come in the order of the questions. */
	if (s->old_answers > 0) {
		s->old_answers--;
		return;
	}
	if (!s->sent)
		return;
	if (error == 0 && standings_apply(s) < 0)
		error = ENOMEM;
	batch_free(s);
	if (error != 0) {
		not_taken(p, error, now);
		return;
	}
	taken(p, now);
}

/* Where devices stand was told anew before the answer came. Cordond may have let go of
 * a part of the batch by then: what still differs is told once more. */
void
settle_told(struct pki *p)
{
	struct settling *s = &p->settling;

	if (s->sent) {
		s->old_answers++;
		batch_free(s);
	}
	settle_want(p);
}

/* ---- time --------------------------------------------------------------- */

static bool
series_changed(struct pki *p, size_t i, const struct pki_clock *clock)
{
	struct series *s = &p->set.series[i];
	struct series_extra *e = &p->set.extra[i];
	const struct series_rules *rules = &p->all->authorities[s->authority].rules;
	uint8_t full = (uint8_t)series_state(s, rules, clock), delta = (uint8_t)series_delta_state(s, rules, clock);
	uint8_t signer = (uint8_t)trust_signer(p->trust, s->authority, s->signer, clock);
	bool changed = e->state[0] != full || e->state[1] != delta || e->signer != signer;

	e->state[0] = full;
	e->state[1] = delta;
	e->signer = signer;
	return changed;
}

/* What changes with time alone. */
void
settle_tick(struct pki *p, const struct clock_view *now)
{
	struct pki_clock clock;
	size_t i;

	pki_clock(p, now, &clock);
	for (i = 0; i < p->set.n; i++)
		if (series_changed(p, i, &clock))
			settle_want(p);
	if (settled_renew(p, now) || now->boot_ms - p->judged_boot >= PKI_JUDGE_MS)
		settle_want(p);
}

int64_t
settle_wait(const struct pki *p, const struct clock_view *now, int64_t max)
{
	const struct settling *s = &p->settling;
	int64_t left = max;

	if (s->sent)
		left = s->deadline_boot - now->boot_ms;
	else if (s->wanted)
		left = s->again_boot - now->boot_ms;
	return left < 0 ? 0 : left < max ? left : max;
}
