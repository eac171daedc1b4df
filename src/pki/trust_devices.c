/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trust_devices.c -- from certificates to devices: the worst that is said of any
 * of a device's certificates, but for those that a newer one of it replaced. */
#include <string.h>

#include "pki/trust_parts.h"

/* One of a device's certificates, with all that is said of it. */
struct view {
	const struct subject *subject;
	const struct finding *finding;
	const struct authority *authority;
	uint32_t index;		/* of the authority */
	struct blame blame;
	struct node issuer;
	bool expired;
	bool unknown;		/* to an OCSP responder */
	bool settled;
};

static void
view_of(const struct trust *t, const struct subject_ref *ref, struct view *v)
{
	const struct trust_said *said = trust_saying(t->in, ref->authority, ref->subject);
	const struct blame *taint;
	struct blame b;

	v->index = ref->authority;
	v->authority = &t->all->authorities[ref->authority];
	v->subject = &v->authority->subjects[ref->subject];
	v->finding = trust_found(t, ref->authority, ref->subject);
	v->settled = t->in->settled == NULL || t->in->settled[ref->authority];
	v->unknown = said != NULL && said->what == SAID_UNKNOWN;
	v->expired = v->subject->not_after != 0 && trust_proven_now(&t->in->clock) > v->subject->not_after;
	trust_listing(t, ref->authority, ref->subject, &v->blame);
	trust_issuer(t, ref->authority, v->subject, &v->issuer);
	b = v->issuer.blame;
	b.evidence = EVIDENCE_ISSUER;
	blame_worsen(&v->blame, &b);
	if ((taint = trust_tainted(t, v->subject->key)) != NULL)
		blame_worsen(&v->blame, taint);
}

/* A certificate that was replaced, or that nobody uses any more, says nothing about
 * a device that has a newer one in order. The issuer's reasons count alike. */
static bool
replaced(const struct trust *t, const struct authority_device *d, uint32_t at, const struct view *v)
{
	struct view newer;
	uint32_t i;

	if (v->blame.excuse != EXCUSE_REPLACED)
		return false;
	for (i = at + 1; i < d->n; i++) {
		view_of(t, &t->all->refs[d->first + i], &newer);
		if (newer.blame.strength == 0 && !newer.expired)
			return true;
	}
	return false;
}

/* ---- what settings want ------------------------------------------------- */

static uint8_t
cause_of(uint32_t when)
{
	switch ((enum when_stale)when) {
	case WHEN_STALE_KEEP:
		break;
	case WHEN_STALE_RESTRICT:
		return CAUSE_LIMITED;
	case WHEN_STALE_QUARANTINE:
		return CAUSE_STALE;
	}
	return 0;
}

static bool
unchecked(const struct finding *f)
{
	return !f->current && !f->stale && !f->expired;
}

static uint8_t
wanted_by(const struct view *v)
{
	uint8_t wanted = 0;

	if (v->settled && v->finding->expired)
		wanted |= cause_of(v->authority->when_stale);
	if (v->settled && unchecked(v->finding))
		wanted |= cause_of(v->authority->when_unchecked);
	if (v->unknown)
		wanted |= cause_of(v->authority->ocsp.unknown);
	return wanted;
}

static uint8_t
possible_by(const struct authority *a)
{
	return cause_of(a->when_stale) | cause_of(a->when_unchecked) |
	    (a->ocsp.devices != OCSP_OFF ? cause_of(a->ocsp.unknown) : 0);
}

/* ---- a device ----------------------------------------------------------- */

static void
blame_take(struct trust_verdict *v, const struct blame *b)
{
	if (v->revoked && b->strength <= reason_strength(v->reason))
		return;
	v->revoked = true;
	v->reason = b->reason;
	v->evidence = b->evidence;
	v->authority = b->authority;
	v->subject = b->subject;
	v->series = b->series;
	v->delta = b->delta;
	v->at = b->at;
}

struct sum {
	uint32_t counted;	/* certificates that are neither replaced nor expired */
	bool unchecked, stale;
	bool known;		/* all of them are at hand */
	struct trust_verdict old;	/* what is wanted for the expired ones, if there are no others */
};

static void
want(struct trust_verdict *v, const struct view *c)
{
	uint8_t wanted = c->blame.strength == 0 ? wanted_by(c) : 0;

	v->fresh &= c->finding->current;
	if (wanted != 0 && v->wanted == 0)
		v->wanted_by = c->index;
	v->wanted |= wanted;
}

static void
add(struct trust_verdict *v, struct sum *sum, const struct view *c)
{
	const struct finding *f = c->finding;

	if (c->blame.strength > 0)
		blame_take(v, &c->blame);
	v->clean &= finding_clean(f) && c->issuer.clean && !c->expired;
	v->all_clean &= finding_clean(f) && c->issuer.all_clean && !c->expired;
	want(c->expired ? &sum->old : v, c);
	if (c->expired)
		return;
	sum->counted++;
	sum->unchecked |= unchecked(f);
	sum->stale |= !finding_clean(f);
}

/* It does not count, but who says so must be in force before anything is loosened. */
static void
add_replaced(struct trust_verdict *v, const struct view *c)
{
	v->clean &= c->finding->current && c->issuer.clean && !c->expired;
	v->all_clean &= c->finding->current && c->issuer.all_clean && !c->expired;
	if (!c->expired)
		v->fresh &= c->finding->current && !c->unknown;
}

static enum device_check
check_of(const struct trust_verdict *v, const struct sum *sum, const struct authority_device *d)
{
	if (d->n == 0)
		return CHECK_NONE;
	if (v->revoked)
		return reason_strength(v->reason) == STRENGTH_HOLD ? CHECK_HELD : CHECK_REVOKED;
	if (sum->counted == 0)
		return CHECK_EXPIRED;
	if (sum->unchecked)
		return CHECK_UNCHECKED;
	return sum->stale ? CHECK_STALE : CHECK_CLEAN;
}

static void
count(struct pki_authority *r, const struct view *c)
{
	const struct finding *f = c->finding;

	if (c->unknown)
		r->ocsp_unknown++;
	if (f->removed && !c->expired)
		r->alarms |= ALARM_REMOVED;
	if (c->blame.strength > STRENGTH_HOLD)
		r->revoked++;
	else if (c->blame.strength == STRENGTH_HOLD)
		r->held++;
	else if (c->expired)
		r->expired++;
	else if (unchecked(f))
		r->unchecked++;
	else if (finding_clean(f))
		r->clean++;
	else
		r->stale++;
}

static void
device_judge(struct trust *t, const struct authority_device *d, struct trust_verdict *v)
{
	struct sum sum = { .known = true, .old.fresh = d->n > 0 };
	struct view c;
	uint32_t i;

	*v = (struct trust_verdict){ .fresh = d->n > 0, .clean = d->n > 0, .all_clean = d->n > 0 };
	for (i = 0; i < d->n; i++) {
		view_of(t, &t->all->refs[d->first + i], &c);
		count(&t->reports[c.index], &c);
		sum.known &= (c.subject->flags & SUBJECT_KNOWN) != 0;
		v->possible |= possible_by(c.authority);
		if (replaced(t, d, i, &c))
			add_replaced(v, &c);
		else
			add(v, &sum, &c);
	}
	/* To have run out spares nobody what its authority wants for a dead CRL. */
	if (sum.counted == 0) {
		v->fresh = sum.old.fresh;
		v->wanted = sum.old.wanted;
		v->wanted_by = sum.old.wanted_by;
	}
	v->check = (uint8_t)check_of(v, &sum, d);
	if (!sum.known)
		v->check |= CHECK_CHAIN_UNKNOWN;
	if (v->revoked && v->evidence == EVIDENCE_ISSUER)
		t->reports[v->authority].batch++;
}

/* ---- authorities -------------------------------------------------------- */

static bool
signer_alarm(const struct trust *t, uint32_t index)
{
	const struct authority *a = &t->all->authorities[index];
	enum source_error error;
	uint32_t s, i;

	for (s = 0; s < a->n_signers; s++) {
		error = trust_signer(t, index, s, &t->in->clock);
		if (error == E_SIGNER_REVOKED)
			return true;
		/* A key that was rolled over may run out in peace. */
		for (i = t->first_weight[index]; error != E_NONE && i < t->first_weight[index + 1]; i++)
			if (t->weights[i].series->signer == s)
				return true;
		if (error != E_NONE && a->n_signers == 1)
			return true;
	}
	return false;
}

static void
report(const struct trust *t, uint32_t index, struct pki_authority *r)
{
	const struct trust_ocsp *ocsp = t->in->ocsp != NULL ? &t->in->ocsp[index] : NULL;
	const struct authority *a = &t->all->authorities[index];
	uint32_t i;

	r->authority = a->number;
	r->clones = a->clones;
	r->ocsp_asked = ocsp != NULL ? ocsp->asked : 0;
	r->ocsp_failed = ocsp != NULL ? ocsp->failed : 0;
	/* Of CAs' certificates too. */
	for (i = 0; i < a->n_subjects; i++)
		if ((a->subjects[i].flags & SUBJECT_CA) != 0 && trust_found(t, index, i)->removed)
			r->alarms |= ALARM_REMOVED;
	for (i = t->first_weight[index]; i < t->first_weight[index + 1]; i++)
		if ((t->weights[i].series->full.warnings & CRL_WARN_REMOVE) != 0)
			r->alarms |= ALARM_REMOVED;
	r->alarms |= (r->clones > 0 ? ALARM_CLONES : 0) | (r->batch > 0 ? ALARM_BATCH : 0) |
	    (r->stale > 0 ? ALARM_STALE : 0) | (r->ocsp_unknown > 0 ? ALARM_OCSP_UNKNOWN : 0) |
	    (r->unchecked > 0 ? ALARM_UNCHECKED : 0) | (signer_alarm(t, index) ? ALARM_SIGNER : 0);
}

void
trust_devices_judge(struct trust *t)
{
	uint32_t i;

	memset(t->reports, 0, (size_t)t->all->n * sizeof(*t->reports));
	memset(t->unrevoked, 0, (size_t)t->all->n * sizeof(*t->unrevoked));
	for (i = 0; i < t->all->n_devices; i++)
		device_judge(t, &t->all->devices[i], &t->verdicts[i]);
	for (i = 0; i < t->all->n; i++)
		report(t, i, &t->reports[i]);
}
