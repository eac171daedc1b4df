/* SPDX-License-Identifier: GPL-2.0-or-later */
/* series.c -- what consecutive CRLs say about a certificate. A hit counts whatever
 * the time and the scope; silence only when everything is right. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pki/authority.h"
#include "pki/name.h"
#include "pki/point.h"
#include "pki/series.h"

#define REASON_HOLD   6
#define REASON_REMOVE 8

/* ---- taking a CRL over -------------------------------------------------- */

int
series_crl_take(struct series_crl *out, const struct crl_scan *scan)
{
	const struct crl_verdict *v = crl_scan_verdict(scan);
	struct crl_hit hit, *hits = NULL;
	size_t pos = 0, n = 0;

	while (crl_scan_hit(scan, &pos, &hit))
		n++;
	if (n > 0 && (hits = calloc(n, sizeof(*hits))) == NULL)
		return -ENOMEM;
	for (pos = n = 0; crl_scan_hit(scan, &pos, &hit); n++)
		hits[n] = hit;
	free(out->hits);
	out->hits = hits;
	out->n_hits = (uint32_t)n;
	out->valid = true;
	out->this_update = v->this_update;
	out->next_update = v->next_update;
	out->entries = v->entries;
	out->bytes = v->size;
	out->scope = v->scope;
	out->reasons = v->reasons;
	out->warnings = v->warnings;
	out->number_len = v->number_len;
	out->base_len = v->base_len;
	out->n_points = v->n_points;
	memcpy(out->number, v->number, sizeof(out->number));
	memcpy(out->base, v->base, sizeof(out->base));
	memcpy(out->points, v->points, sizeof(out->points));
	/* Vouched for: the digest is that of when it was verified. */
	if (v->vouched)
		return 0;
	out->digest_len = v->digest_len;
	memcpy(out->digest, v->digest, sizeof(out->digest));
	return 0;
}

void
series_crl_done(struct series_crl *c)
{
	free(c->hits);
	memset(c, 0, sizeof(*c));
}

/* ---- deltas ------------------------------------------------------------- */

/* Is the delta the newer one? A full CRL without a number cannot tell. */
static bool
delta_newer(const struct series *s)
{
	return s->delta.valid && (!s->full.valid || s->full.number_len == 0 ||
	    crl_number_cmp(s->delta.number, s->delta.number_len, s->full.number, s->full.number_len) > 0);
}

bool
series_delta_counts(const struct series *s)
{
	return delta_newer(s) && s->full.valid && s->full.number_len > 0 && s->delta.number_len > 0 &&
	    crl_number_cmp(s->full.number, s->full.number_len, s->delta.base, s->delta.base_len) >= 0;
}

static enum source_error
delta_error(enum source_error error, const char *text, const char **why)
{
	*why = text;
	return error;
}

enum source_error
series_take_delta(const struct series *s, const struct crl_verdict *v, const uint8_t key_digest[KEY_DIGEST_LEN],
    bool *quietly, const char **why)
{
	*quietly = false;
	if (v->number_len == 0 || crl_number_cmp(v->number, v->number_len, v->base, v->base_len) <= 0)
		return delta_error(E_DELTA, "RFC 5280 5.2.4: a delta CRL needs a number above its base's", why);
	if (s == NULL || memcmp(s->key_digest, key_digest, KEY_DIGEST_LEN) != 0)
		return delta_error(E_DELTA, "RFC 5280 5.2.4: no full CRL under the key of the delta", why);
	if (memcmp(s->scope_digest, v->scope_digest, sizeof(s->scope_digest)) != 0)
		return delta_error(E_DELTA, "RFC 5280 5.2.4: no full CRL with the scope of the delta", why);
	if (!s->full.valid)
		return delta_error(E_BASE, "RFC 5280 5.2.4: the base of the delta is missing", why);
	if (s->full.number_len == 0)
		return delta_error(E_DELTA, "RFC 5280 5.2.4: the full CRL has no number", why);
	*quietly = crl_number_cmp(v->number, v->number_len, s->full.number, s->full.number_len) <= 0;
	if (!*quietly && crl_number_cmp(v->base, v->base_len, s->full.number, s->full.number_len) > 0)
		return delta_error(E_BASE, "RFC 5280 5.2.4: the full CRL is older than the base of the delta",
		    why);
	return E_NONE;
}

/* ---- time --------------------------------------------------------------- */

static int64_t
crl_ends(const struct series_crl *c, const struct series_rules *r)
{
	return c->next_update != 0 ? c->next_update : c->this_update + r->max_age_ms;
}

/* A moment that is certainly past. Without a clock that somebody vouches for, what
 * is known is that the CRL was made before it came, and how long ago that was. */
static int64_t
proven_now(const struct series_crl *c, const struct pki_clock *clock)
{
	int64_t elapsed = clock->boot_ms - c->verified_boot, now;

	if (clock->trusted)
		return pki_clock_now(clock);
	now = c->this_update + (elapsed > 0 ? elapsed : 0);
	return now > clock->floor_ms ? now : clock->floor_ms;
}

static enum source_state
crl_time(const struct series_crl *c, const struct series_rules *r, const struct pki_clock *clock)
{
	int64_t now = proven_now(c, clock), ends = crl_ends(c, r);

	if (!c->valid)
		return SOURCE_NEVER;
	if (now >= ends + r->grace_ms)
		return SOURCE_EXPIRED;
	return now >= ends ? SOURCE_STALE : SOURCE_FRESH;
}

enum source_state
series_delta_state(const struct series *s, const struct series_rules *r, const struct pki_clock *clock)
{
	return crl_time(&s->delta, r, clock);
}

enum source_state
series_state(const struct series *s, const struct series_rules *r, const struct pki_clock *clock)
{
	enum source_state full = crl_time(&s->full, r, clock), delta;

	if (full == SOURCE_NEVER || !series_delta_counts(s))
		return full;
	delta = crl_time(&s->delta, r, clock);
	return delta < full ? delta : full;
}

static bool
begun(const struct series_crl *c, const struct series_rules *r, const struct pki_clock *clock)
{
	return c->this_update <= pki_clock_now(clock) + r->skew_ms;
}

/* In force by what the clock says and by what is proven: to loosen, both must agree. */
static bool
in_force(const struct series_crl *c, const struct series_rules *r, const struct pki_clock *clock)
{
	return crl_time(c, r, clock) == SOURCE_FRESH && pki_clock_now(clock) < crl_ends(c, r) &&
	    begun(c, r, clock);
}

/* ---- weight ------------------------------------------------------------- */

void
series_weigh(const struct series *s, uint32_t index, const struct authority *a, enum source_error signer,
    const struct pki_clock *clock, struct series_weight *out)
{
	const struct series_rules *r = &a->rules;
	bool builds = series_delta_counts(s), sound, own;
	const struct crl_signer *by;

	*out = (struct series_weight){ .series = s, .index = index, .state = series_state(s, r, clock) };
	out->delta_hits = delta_newer(s);
	if (s->signer >= a->n_signers)
		return;
	/* RFC 5280 5.3.3: entries of another issuer's CRL are that one's, unless it is indirect. */
	by = &a->signers[s->signer];
	own = name_equal(by->name, by->name_len, a->subject.der, a->subject.len);
	out->ours = s->full.valid && (own || (s->full.scope & CRL_SCOPE_INDIRECT) != 0);
	out->issuer = own ? 0 : point_issuer_hash(by->name, by->name_len);
	out->any_key = r->rollover_shared || a->signed_by[s->signer].role == ISSUER_CRL;
	/* RFC 5280 5.3.1: a full CRL that takes entries off says of nobody that he is off. */
	sound = out->ours && signer == E_NONE && !s->full.mark_damaged && begun(&s->full, r, clock) &&
	    (s->full.warnings & CRL_WARN_REMOVE) == 0;
	out->delta_removes = sound && builds && !s->delta.mark_damaged && in_force(&s->delta, r, clock);
	/* A delta above a base that we lack says that there is a newer one. */
	out->clears = sound && (!out->delta_hits || builds) &&
	    (in_force(&s->full, r, clock) || out->delta_removes);
}

/* ---- one certificate ---------------------------------------------------- */

unsigned
reason_strength(uint32_t reason)
{
	static const uint8_t strength[11] = { [0] = 3, [1] = 7, [2] = 6, [3] = 4, [4] = STRENGTH_REPLACED,
		[5] = STRENGTH_REPLACED, [REASON_HOLD] = STRENGTH_HOLD, [7] = 3, [REASON_REMOVE] = 0, [9] = 4,
		[10] = STRENGTH_COMPROMISE };

	return reason < sizeof(strength) ? strength[reason] : 3;
}

unsigned
reason_excuse(uint32_t reason)
{
	unsigned strength = reason_strength(reason);

	if (strength == STRENGTH_REPLACED)
		return EXCUSE_REPLACED;
	return strength == STRENGTH_HOLD ? EXCUSE_REPLACED + 1 : EXCUSE_REPLACED + 2;
}

static const struct crl_hit *
hit_of(const struct series_crl *c, uint32_t cert)
{
	uint32_t low = 0, high = c->n_hits;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (c->hits[mid].cert < cert)
			low = mid + 1;
		else
			high = mid;
	}
	return low < c->n_hits && c->hits[low].cert == cert ? &c->hits[low] : NULL;
}

static void
list(struct finding *f, const struct crl_hit *hit, uint32_t index, bool delta)
{
	if (reason_excuse(hit->reason) > f->excuse)
		f->excuse = (uint8_t)reason_excuse(hit->reason);
	if (f->listed && reason_strength(hit->reason) <= reason_strength(f->reason))
		return;
	f->listed = true;
	f->delta = delta;
	f->reason = (uint8_t)hit->reason;
	f->at = hit->revoked_at;
	f->series = index;
}

static void
find_hits(const struct series_weight *w, uint32_t cert, struct finding *f)
{
	const struct crl_hit *full = w->series->full.valid ? hit_of(&w->series->full, cert) : NULL;
	const struct crl_hit *delta = w->delta_hits ? hit_of(&w->series->delta, cert) : NULL;

	/* RFC 5280 5.3.1: only a delta takes off, and only what was on hold. */
	if (full != NULL && full->reason == REASON_REMOVE) {
		f->removed = true;
		full = NULL;
	}
	if (delta != NULL && delta->reason == REASON_REMOVE) {
		if (w->delta_removes && full != NULL && full->reason == REASON_HOLD)
			full = NULL;
		else if (full != NULL && full->reason != REASON_HOLD)
			f->removed = true;
		delta = NULL;
	}
	if (full != NULL)
		list(f, full, w->index, false);
	if (delta != NULL)
		list(f, delta, w->index, true);
}

/* Would this certificate be on it, if it were revoked? RFC 5280 5.2.5, 6.3.3 (b). */
static bool
in_scope(const struct series_weight *w, const struct subject *c)
{
	const struct series *s = w->series;
	unsigned i, j;

	if ((s->full.scope & CRL_SCOPE_ATTRIBUTES) != 0 ||
	    ((s->full.scope & CRL_SCOPE_USERS) != 0 && (c->flags & SUBJECT_ISSUES) != 0) ||
	    ((s->full.scope & CRL_SCOPE_CAS) != 0 && (c->flags & SUBJECT_ISSUES) == 0))
		return false;
	if ((s->full.scope & CRL_SCOPE_POINT) == 0 || s->covers_all)
		return true;
	for (i = 0; i < s->full.n_points; i++)
		for (j = 0; j < c->n_points; j++)
			if ((s->full.points[i] ^ w->issuer) == c->points[j])
				return true;
	return false;
}

enum covered { COVERED_NOT, COVERED_EXPIRED, COVERED_STALE, COVERED_CURRENT };

/* By the CRLs of that signer, and those that speak for all keys: are all reasons
 * covered, and how well? */
static enum covered
covered_by(const struct series_weight *w, size_t n, const struct subject *c, uint32_t signer)
{
	uint32_t all = 0, grace = 0, current = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		if (!w[i].ours || (!w[i].any_key && w[i].series->signer != signer) ||
		    !in_scope(&w[i], c))
			continue;
		all |= w[i].series->full.reasons;
		if (w[i].state != SOURCE_EXPIRED)
			grace |= w[i].series->full.reasons;
		if (w[i].clears)
			current |= w[i].series->full.reasons;
	}
	if ((current & REASONS_ALL) == REASONS_ALL)
		return COVERED_CURRENT;
	if ((grace & REASONS_ALL) == REASONS_ALL)
		return COVERED_STALE;
	return (all & REASONS_ALL) == REASONS_ALL ? COVERED_EXPIRED : COVERED_NOT;
}

/* When nobody knows which key signed it, it must be proven for each. */
static enum covered
covered(const struct series_weight *w, size_t n, const struct authority *a, const struct subject *c)
{
	enum covered worst = COVERED_CURRENT, got;
	bool any = false;
	uint32_t i;

	for (i = 0; i < a->n_signers; i++) {
		if (a->signed_by[i].role != ISSUER_OWN ||
		    (c->issuer != TRUST_NONE && c->issuer != a->signed_by[i].certificate))
			continue;
		got = covered_by(w, n, c, i);
		worst = got < worst ? got : worst;
		any = true;
	}
	return any ? worst : COVERED_NOT;
}

void
series_find(const struct series_weight *w, size_t n, const struct authority *a, uint32_t cert,
    struct finding *out)
{
	size_t i;

	memset(out, 0, sizeof(*out));
	for (i = 0; i < n; i++)
		find_hits(&w[i], cert, out);
	switch (covered(w, n, a, &a->subjects[cert])) {
	case COVERED_CURRENT:
		out->current = true;
		break;
	case COVERED_STALE:
		out->stale = true;
		break;
	case COVERED_EXPIRED:
		out->expired = true;
		break;
	case COVERED_NOT:
		break;
	}
}

size_t
series_coverage(const struct series *s, const struct authority *a)
{
	const struct pki_clock clock = { .trusted = true };
	struct series_weight w;
	size_t n = 0;
	uint32_t i;

	series_weigh(s, 0, a, E_NONE, &clock, &w);
	for (i = 0; w.ours && i < a->n_subjects; i++)
		n += in_scope(&w, &a->subjects[i]);
	return n;
}
