/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_judge.c -- what follows from a verified CRL, by the functions that
 * cordon-pki calls: its state at that time, what its silence is worth, and which
 * devices it moves. Runs in the child. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/check.h"

#define REASON_REMOVE 8	/* RFC 5280 5.3.1: removeFromCRL */

struct judging {
	struct check_run *run;
	struct check_report *report;
	const struct check_authority *by;
	const struct authority *declared;	/* NULL: of --ca alone */
	const struct crl_verdict *verdict;
	struct series series;		/* what it is to that authority, */
	struct series all[CHECK_SCANS];	/* and to each declared one that trusts it: that one first */
	size_t n_all;
	struct check_device *devices;
	uint32_t n_devices;
};

static void
limit(struct check_report *r, enum source_error error, const char *why)
{
	/* The first thing that is in the way is told. */
	if (r->limit != E_NONE || error == E_NONE)
		return;
	r->limit = error;
	check_copy(r->limit_why, sizeof(r->limit_why), why);
}

/* ---- its signer, its place in the row ----------------------------------- */

/* What is known of who signed it. */
static enum source_error
signer_state(const struct judging *j)
{
	const struct check_run *run = j->run;
	const struct authority_signer *by = &j->by->by[j->report->signer];

	if (j->declared != NULL && j->report->signer < j->by->n_declared && run->trust != NULL)
		return trust_signer(run->trust, j->by->index, j->report->signer, &run->check->clock);
	return by->not_after != 0 && (run->check->clock.wall_ms > by->not_after ||
	    run->check->clock.wall_ms < by->not_before) ? E_SIGNER_EXPIRED : E_NONE;
}

/* Against the one before; false: refused. */
static bool
judge_row(struct judging *j)
{
	int64_t skew = j->declared != NULL ? j->declared->rules.skew_ms : CRL_SKEW_MS;
	const struct check *k = j->run->check;
	struct crl_highwater before = { .valid = false };
	struct crl_judgement is;

	/* Another kind, another scope: another row of CRLs. */
	if (j->run->before_delta == j->verdict->delta &&
	    memcmp(j->run->before_scope, j->verdict->scope_digest, sizeof(j->run->before_scope)) == 0)
		before = j->run->before;
	/* --number says nothing of the key. */
	if (k->number_len > 0) {
		before = (struct crl_highwater){ .valid = true, .number_len = k->number_len, .this_update = INT64_MIN };
		memcpy(before.number, k->number, sizeof(before.number));
		memcpy(before.key_digest, j->series.key_digest, KEY_DIGEST_LEN);
	}
	is = crl_judge(j->verdict, j->series.key_digest, &before, skew, signer_state(j), &k->clock);
	if (!is.apply) {
		j->report->error = is.error;
		check_copy(j->report->why, sizeof(j->report->why), is.why);
		return false;
	}
	j->report->same = is.same;
	limit(j->report, is.error, is.why);
	return true;
}

/* A delta needs its base; false: refused. */
static bool
judge_delta(struct judging *j)
{
	const struct check_run *run = j->run;
	bool fits = run->has_base && run->base_authority == j->report->authority, quietly = false;
	const char *why = NULL;
	enum source_error error;

	if (!j->verdict->delta)
		return true;
	error = series_take_delta(fits ? &run->base : NULL, j->verdict, j->series.key_digest, &quietly, &why);
	if (error == E_DELTA && j->verdict->number_len == 0) {
		j->report->error = error;
		check_copy(j->report->why, sizeof(j->report->why), why);
		return false;
	}
	if (error == E_NONE && fits)
		j->series.full = run->base.full;
	if (error == E_DELTA && !run->has_base)
		limit(j->report, E_BASE, "a delta alone: with --delta-of FILE it is judged together with its full CRL");
	else
		limit(j->report, error, why);
	return true;
}

/* Signed by somebody of --crl-issuer whom the configuration does not let sign. */
static bool
is_untrusted(const struct judging *j)
{
	return j->declared != NULL && j->report->signer >= j->by->n_declared;
}

/* ---- devices ------------------------------------------------------------ */

static void
add_device(struct judging *j, uint32_t index, enum check_effect effect, uint32_t reason, uint32_t evidence, int64_t at)
{
	const struct authority_device *d = &j->run->check->all->devices[index];

	j->devices[j->n_devices++] = (struct check_device){ .number = d->number, .effect = effect, .reason = reason,
		.evidence = evidence, .critical = (d->flags & DEVICE_CRITICAL) != 0, .revoked_at = at };
}

static const struct authority_device *
device_numbered(const struct authorities *all, uint32_t number)
{
	uint32_t low = 0, high = all->n_devices;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (all->devices[mid].number < number)
			low = mid + 1;
		else
			high = mid;
	}
	return low < all->n_devices && all->devices[low].number == number ? &all->devices[low] : NULL;
}

/* What would be, if it did. */
static void
untrusted_devices(struct judging *j, const struct check_found *found)
{
	const struct authorities *all = j->run->check->all;
	struct crl_hit hit;
	size_t i, pos;

	for (i = 0; i < found->n; i++) {
		uint32_t index = j->run->check->list[found->authorities[i]].index;

		for (pos = 0; index != CHECK_NONE && crl_scan_hit(found->scans[i], &pos, &hit);) {
			const struct subject *s = &all->authorities[index].subjects[hit.cert];

			if ((s->flags & SUBJECT_CA) == 0 && hit.reason != REASON_REMOVE && j->n_devices < all->n_devices)
				add_device(j, s->device, EFFECT_UNTRUSTED, hit.reason, EVIDENCE_CERTIFICATE, hit.revoked_at);
		}
	}
}

static void
collect(struct judging *j, const struct trust_decision *decision)
{
	const struct authorities *all = j->run->check->all;
	const struct trust_verdict *v = trust_verdicts(j->run->trust);
	bool *told = calloc((size_t)all->n_devices + 1, sizeof(*told));
	const struct authority_device *d;
	size_t i;

	if (told == NULL)
		return;
	for (i = 0; i < decision->n_tighten; i++) {
		const struct pki_revoke *r = &decision->tighten[i];

		if (r->cause != CAUSE_REVOKED || (d = device_numbered(all, r->device)) == NULL || told[d - all->devices])
			continue;
		told[d - all->devices] = true;
		add_device(j, (uint32_t)(d - all->devices), EFFECT_QUARANTINE, r->reason, r->evidence, r->revoked_at);
	}
	for (i = 0; i < decision->n_loosen; i++) {
		if ((d = device_numbered(all, decision->loosen[i].device)) == NULL || told[d - all->devices])
			continue;
		told[d - all->devices] = true;
		add_device(j, (uint32_t)(d - all->devices), EFFECT_CLEAR, 0, 0, 0);
	}
	for (i = 0; i < all->n_devices; i++) {
		j->report->clean += v[i].clean;
		if (v[i].revoked && !told[i])
			add_device(j, (uint32_t)i, EFFECT_ALREADY, v[i].reason, v[i].evidence, v[i].at);
	}
	free(told);
}

/* This CRL alone: what others say stays as it is, and the lack of them moves nobody. */
static int
trusted_devices(struct judging *j)
{
	const struct authorities *all = j->run->check->all;
	struct trust_input in = { .series = j->all, .n_series = j->n_all, .clock = j->run->check->clock };
	struct trust_decision decision;
	bool *settled;
	int rc;

	if ((settled = calloc((size_t)all->n + 1, sizeof(*settled))) == NULL)
		return -ENOMEM;
	in.settled = settled;
	if ((rc = trust_judge(j->run->trust, &in)) == 0 &&
	    (rc = trust_decide(j->run->trust, &in, j->run->check->standings, j->run->check->n_standings, &decision)) == 0)
		collect(j, &decision);
	free(settled);
	return rc;
}

static int
judge_devices(struct judging *j, const struct check_found *found)
{
	if ((j->devices = calloc((size_t)j->run->check->all->n_devices + 1, sizeof(*j->devices))) == NULL)
		return -ENOMEM;
	if (!is_untrusted(j))
		return trusted_devices(j);
	untrusted_devices(j, found);
	return 0;
}

/* ---- the whole ---------------------------------------------------------- */

/* A series of this CRL alone, for that one of those who trust it. */
static int
take_series(const struct check_run *run, const struct check_found *found, size_t i, struct series *out)
{
	const struct check_authority *by = &run->check->list[found->authorities[i]];
	const struct crl_verdict *v = crl_scan_verdict(found->scans[i]);
	struct series_crl *crl = v->delta ? &out->delta : &out->full;

	memset(out, 0, sizeof(*out));
	out->authority = by->index != CHECK_NONE ? by->index : 0;
	out->signer = (uint32_t)v->signer;
	out->covers_all = by->covers_all;
	memcpy(out->key_digest, by->by[v->signer].key_digest, KEY_DIGEST_LEN);
	memcpy(out->scope_digest, v->scope_digest, sizeof(out->scope_digest));
	crl->source = PKI_NO_SOURCE;
	crl->received_at = run->check->clock.wall_ms;
	return series_crl_take(crl, found->scans[i]);
}

/* What it is to the others. The first is the one that was judged. */
static int
take_others(struct judging *j, const struct check_found *found)
{
	const struct check_authority *by;
	size_t i;
	int rc = 0;

	j->all[j->n_all++] = j->series;
	for (i = 1; i < found->n && rc == 0; i++) {
		by = &j->run->check->list[found->authorities[i]];
		if (by->index == CHECK_NONE || crl_scan_verdict(found->scans[i])->signer >= by->n_declared)
			continue;
		rc = take_series(j->run, found, i, &j->all[j->n_all]);
		j->n_all += rc == 0;
	}
	return rc;
}

static void
judging_done(struct judging *j)
{
	size_t i;

	free(j->devices);
	for (i = 1; i < j->n_all; i++) {
		series_crl_done(&j->all[i].full);
		series_crl_done(&j->all[i].delta);
	}
	/* The base's own hits are not ours to free. */
	if (j->series.full.hits != j->run->base.full.hits)
		series_crl_done(&j->series.full);
	series_crl_done(&j->series.delta);
}

static void
judge_time(struct judging *j)
{
	static const struct series_rules usual = { .skew_ms = CRL_SKEW_MS, .grace_ms = CRL_GRACE_MS,
		.max_age_ms = CRL_MAX_AGE_MS };
	const struct series_rules *rules = j->declared != NULL ? &j->declared->rules : &usual;

	j->report->state = j->verdict->delta && !j->series.full.valid ?
	    series_delta_state(&j->series, rules, &j->run->check->clock) :
	    series_state(&j->series, rules, &j->run->check->clock);
	if (j->declared == NULL)
		return;
	j->report->certificates = j->declared->n_subjects;
	j->report->covered = (uint32_t)series_coverage(&j->series, j->declared);
	if (!j->verdict->delta && j->report->covered == 0 && j->declared->n_subjects > 0)
		limit(j->report, E_SCOPE, "RFC 5280 5.2.5: its scope holds none of our certificates");
}

static bool
begin(struct judging *j, struct check_run *run, struct check_report *report, const struct check_found *found)
{
	memset(j, 0, sizeof(*j));
	j->run = run;
	j->report = report;
	if (found == NULL)
		return false;
	j->by = &run->check->list[found->authorities[0]];
	j->declared = j->by->index != CHECK_NONE ? &run->check->all->authorities[j->by->index] : NULL;
	j->verdict = crl_scan_verdict(found->scans[0]);
	if (take_series(run, found, 0, &j->series) == 0)
		return true;
	report->error = E_FETCH;
	check_copy(report->why, sizeof(report->why), "no memory");
	return false;
}

void
check_judge(struct check_run *run, struct check_report *report, const struct check_found *found)
{
	static struct judging j;

	if (begin(&j, run, report, found) && judge_row(&j) && judge_delta(&j)) {
		if (is_untrusted(&j))
			limit(report, E_SIGNER, "its signer is not among the crl_issuer of the authority: cordon refuses it as it "
			    "is configured");
		judge_time(&j);
		if (j.declared != NULL && run->trust != NULL &&
		    (take_others(&j, found) < 0 || judge_devices(&j, found) < 0)) {
			report->error = E_FETCH;
			check_copy(report->why, sizeof(report->why), "no memory");
		}
	}
	report->n_devices = report->error == E_NONE ? j.n_devices : 0;
	check_send(run, FRAME_REPORT, report, sizeof(*report), j.devices, report->n_devices * sizeof(*j.devices));
	judging_done(&j);
}

/* ---- what was before ---------------------------------------------------- */

void
check_take_previous(struct check_run *run, struct check_report *report, const struct check_found *found)
{
	const struct crl_verdict *v;

	if (found == NULL)
		return;
	v = crl_scan_verdict(found->scans[0]);
	crl_highwater_of(v, run->check->list[found->authorities[0]].by[report->signer].key_digest, &run->before);
	run->before_delta = v->delta;
	memcpy(run->before_scope, v->scope_digest, sizeof(run->before_scope));
}

void
check_take_base(struct check_run *run, struct check_report *report, const struct check_found *found)
{
	static struct judging j;

	if (!begin(&j, run, report, found))
		return;
	if (j.verdict->delta || run->has_base) {
		judging_done(&j);
		return;
	}
	run->base = j.series;
	run->has_base = true;
	run->base_authority = found->authorities[0];
}
