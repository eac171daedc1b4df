/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trust_decide.c -- what is true of devices against where they stand. What once was
 * revoked stays so, with one exception: certificateHold that is proven to be over.
 * The one place from which anything is ever loosened. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pki/trust_parts.h"

struct deciding {
	struct trust *t;
	const struct trust_input *in;
	size_t n_tighten, n_loosen;
	int rc;
};

/* ---- out ---------------------------------------------------------------- */

static void
tighten(struct deciding *d, const struct pki_revoke *r)
{
	struct trust *t = d->t;
	struct pki_revoke *more;

	if (d->n_tighten == t->tighten_room) {
		if ((more = realloc(t->tighten, (t->tighten_room * 2 + 64) * sizeof(*more))) == NULL) {
			d->rc = -ENOMEM;
			return;
		}
		t->tighten = more;
		t->tighten_room = t->tighten_room * 2 + 64;
	}
	t->tighten[d->n_tighten++] = *r;
}

static void
loosen(struct deciding *d, const struct pki_standing *s, uint32_t cause)
{
	struct trust *t = d->t;
	struct pki_clear *more;

	if (d->n_loosen == t->loosen_room) {
		if ((more = realloc(t->loosen, (t->loosen_room * 2 + 64) * sizeof(*more))) == NULL) {
			d->rc = -ENOMEM;
			return;
		}
		t->loosen = more;
		t->loosen_room = t->loosen_room * 2 + 64;
	}
	t->loosen[d->n_loosen++] =
	    (struct pki_clear){ .device = s->device, .authority = s->authority, .cause = cause };
}

/* ---- tighten ------------------------------------------------------------ */

static void
revoke(struct deciding *d, const struct authority_device *device, const struct trust_verdict *v)
{
	const struct authority *a = &d->t->all->authorities[v->authority];
	const struct subject *s = &a->subjects[v->subject];
	struct pki_revoke r = {
		.device = device->number,
		.authority = a->number,
		.cause = CAUSE_REVOKED,
		.reason = v->reason,
		.evidence = v->evidence,
		.source = PKI_NO_SOURCE,
		.revoked_at = v->at,
		.serial_len = s->serial_len,
	};

	memcpy(r.serial, s->serial, sizeof(r.serial));
	if (v->series != TRUST_NONE && v->series < d->in->n_series) {
		const struct series *by = &d->in->series[v->series];
		const struct series_crl *crl = v->delta ? &by->delta : &by->full;

		r.source = crl->source;
		r.number_len = crl->number_len;
		memcpy(r.number, crl->number, sizeof(r.number));
	}
	tighten(d, &r);
}

static void
limit(struct deciding *d, const struct authority_device *device, const struct trust_verdict *v, uint32_t causes)
{
	static const uint32_t each[] = { CAUSE_STALE, CAUSE_LIMITED };
	size_t i;

	for (i = 0; i < sizeof(each) / sizeof(each[0]); i++) {
		struct pki_revoke r = { .device = device->number, .cause = each[i], .source = PKI_NO_SOURCE,
			.authority = d->t->all->authorities[v->wanted_by].number };

		if ((causes & each[i]) != 0)
			tighten(d, &r);
	}
}

/* ---- loosen ------------------------------------------------------------- */

static uint32_t
authority_index(const struct authorities *all, uint32_t number)
{
	uint32_t low = 0, high = all->n;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (all->authorities[mid].number < number)
			low = mid + 1;
		else
			high = mid;
	}
	return low < all->n && all->authorities[low].number == number ? low : TRUST_NONE;
}

static bool
issues_for(const struct trust *t, const struct authority_device *device, uint32_t authority)
{
	uint32_t i;

	for (i = 0; i < device->n; i++)
		if (t->all->refs[device->first + i].authority == authority)
			return true;
	return false;
}

/* Is it proven that what stood on a CRL of that authority stands there no longer?
 * When it was an authority above, silence of one that is not asked proves nothing. */
static bool
proven_over(const struct trust *t, const struct authority_device *device, const struct trust_verdict *v,
    uint32_t authority)
{
	if (v->revoked)
		return false;
	return authority != TRUST_NONE && issues_for(t, device, authority) ? v->clean : v->all_clean;
}

static void
standing_decide(struct deciding *d, const struct authority_device *device, const struct trust_verdict *v,
    const struct pki_standing *s)
{
	static const uint32_t each[] = { CAUSE_STALE, CAUSE_LIMITED };
	const struct authorities *all = d->t->all;
	uint32_t at = authority_index(all, s->authority);
	bool manual;
	size_t i;

	if ((s->cause & CAUSE_REVOKED) != 0 && proven_over(d->t, device, v, at)) {
		manual = at != TRUST_NONE && (all->authorities[at].flags & AUTHORITY_HOLD_MANUAL) != 0;
		if (reason_strength(s->reason) == STRENGTH_HOLD && !manual)
			loosen(d, s, CAUSE_REVOKED);
		else
			d->t->unrevoked[at != TRUST_NONE ? at : d->t->all->refs[device->first].authority]++;
	}
	for (i = 0; i < sizeof(each) / sizeof(each[0]); i++) {
		if ((s->cause & each[i]) == 0 || (v->wanted & each[i]) != 0)
			continue;
		/* A verified CRL in force ends it, or an administrator who wants it no more;
		 * the clock alone does not, however often it goes to and fro. */
		if ((v->fresh && !v->revoked) || (v->possible & each[i]) == 0)
			loosen(d, s, each[i]);
	}
}

/* ---- the whole ---------------------------------------------------------- */

/* An operator has overridden just this. */
static bool
is_dismissed(const struct deciding *d, const struct trust_verdict *v, const struct pki_standing *s)
{
	const struct authority *a = &d->t->all->authorities[v->authority];
	const struct subject *subject = &a->subjects[v->subject];

	return s->dismissed && s->authority == a->number && s->reason == v->reason && s->revoked_at == v->at &&
	    s->serial_len == subject->serial_len && memcmp(s->serial, subject->serial, s->serial_len) == 0;
}

static void
device_decide(struct deciding *d, uint32_t index, const struct pki_standing *standings, size_t n)
{
	const struct authority_device *device = &d->t->all->devices[index];
	const struct trust_verdict *v = &d->t->verdicts[index];
	uint32_t causes = 0;
	bool dismissed = false;
	unsigned strength = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		if (standings[i].dismissed) {
			dismissed |= v->revoked && is_dismissed(d, v, &standings[i]);
			continue;
		}
		causes |= standings[i].cause;
		if ((standings[i].cause & CAUSE_REVOKED) != 0 &&
		    reason_strength(standings[i].reason) > strength)
			strength = reason_strength(standings[i].reason);
		standing_decide(d, device, v, &standings[i]);
	}
	if (v->revoked && !dismissed && ((causes & CAUSE_REVOKED) == 0 || reason_strength(v->reason) > strength))
		revoke(d, device, v);
	limit(d, device, v, v->wanted & ~causes);
}

static int
compare(const void *pa, const void *pb)
{
	const struct pki_standing *a = pa, *b = pb;

	if (a->device != b->device)
		return a->device < b->device ? -1 : 1;
	if (a->authority != b->authority)
		return a->authority < b->authority ? -1 : 1;
	if (a->cause != b->cause)
		return a->cause < b->cause ? -1 : 1;
	return a->reason < b->reason ? -1 : a->reason > b->reason;
}

int
trust_decide(struct trust *t, const struct trust_input *in, const struct pki_standing *standings, size_t n,
    struct trust_decision *out)
{
	struct deciding d = { .t = t, .in = in };
	struct pki_standing *sorted;
	size_t at = 0, end;
	uint32_t i;

	if ((sorted = calloc(n + 1, sizeof(*sorted))) == NULL)
		return -ENOMEM;
	if (n > 0)
		memcpy(sorted, standings, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), compare);
	memset(t->unrevoked, 0, (size_t)t->all->n * sizeof(*t->unrevoked));
	for (i = 0; i < t->all->n_devices && d.rc == 0; i++) {
		while (at < n && sorted[at].device < t->all->devices[i].number)
			at++;
		for (end = at; end < n && sorted[end].device == t->all->devices[i].number; end++)
			;
		device_decide(&d, i, sorted + at, end - at);
		at = end;
	}
	free(sorted);
	if (d.rc < 0)
		return d.rc;
	*out = (struct trust_decision){ t->tighten, d.n_tighten, t->loosen, d.n_loosen };
	return 0;
}
