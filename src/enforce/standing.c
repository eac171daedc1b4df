/* SPDX-License-Identifier: GPL-2.0-or-later */
/* standing.c -- what a word makes of a standing. Tightening is taken from anybody
 * who may say so; each way to loosen is a function of its own, and small. */
#include "enforce/standing.h"

#include <stdio.h>
#include <string.h>

/* ---- evidence ----------------------------------------------------------- */

static bool
same_certificate(const struct evidence *a, const struct evidence *b)
{
	return a->authority == b->authority && a->serial_len == b->serial_len &&
	    memcmp(a->serial, b->serial, a->serial_len) == 0;
}

bool
evidence_same(const struct evidence *a, const struct evidence *b)
{
	return same_certificate(a, b) && a->reason == b->reason && a->revoked_at == b->revoked_at;
}

/* RFC 5280 5.3.1: a hold may end, a compromised key concerns every certificate of it. */
static int
gravity(uint32_t reason)
{
	switch (reason) {
	case REASON_HOLD:
	case 8:		/* removeFromCRL: no reason to be revoked by */
		return 0;
	case 1:		/* keyCompromise */
	case 2:		/* cACompromise */
	case 10:	/* aACompromise */
		return 2;
	}
	return 1;
}

static struct evidence
evidence_of(const struct pki_revoke *r)
{
	struct evidence e = { .revoked_at = r->revoked_at, .authority = r->authority, .reason = r->reason,
		.serial_len = r->serial_len };

	memcpy(e.serial, r->serial, r->serial_len);
	return e;
}

static bool
is_seen(const struct standing *s, const struct evidence *e)
{
	for (uint32_t i = 0; i < s->n_seen; i++)
		if (evidence_same(&s->seen[i], e))
			return true;
	return false;
}

/* Of more than there is room for, the oldest goes of those that the gravest speaks
 * for as well. */
static void
make_room(struct standing *s)
{
	uint32_t at = 0;

	while (at + 1 < s->n_seen && s->seen[at].authority != s->by.authority)
		at++;
	memmove(&s->seen[at], &s->seen[at + 1], (s->n_seen - at - 1) * sizeof(s->seen[0]));
	s->n_seen--;
}

/* What is said of the same certificate replaces what was said. */
static void
see(struct standing *s, const struct evidence *e)
{
	for (uint32_t i = 0; i < s->n_seen; i++) {
		if (same_certificate(&s->seen[i], e)) {
			s->seen[i] = *e;
			return;
		}
	}
	if (s->n_seen == EVIDENCE_SEEN)
		make_room(s);
	s->seen[s->n_seen++] = *e;
}

static void
rest_on(struct standing *s, const struct evidence *by, const struct pki_revoke *r)
{
	s->by = *by;
	s->kind = r->evidence;
	s->crl_number_len = r->number_len;
	memset(s->crl_number, 0, sizeof(s->crl_number));
	memcpy(s->crl_number, r->number, r->number_len);
}

static void
forget_evidence(struct standing *s)
{
	memset(&s->by, 0, sizeof(s->by));
	memset(s->seen, 0, sizeof(s->seen));
	s->n_seen = s->kind = 0;
	s->crl_number_len = 0;
}

/* ---- what cordon-pki says ----------------------------------------------- */

/* It is in force: only what is graver, or new, is worth a line. */
static enum found
found_more(struct standing *s, const struct evidence *by, const struct pki_revoke *r)
{
	bool graver = gravity(by->reason) > gravity(s->by.reason);

	if (is_seen(s, by))
		return FOUND_NOTHING;
	for (uint32_t i = 0; i < s->n_seen; i++)
		if (same_certificate(&s->seen[i], by) && gravity(by->reason) < gravity(s->seen[i].reason))
			return FOUND_NOTHING;
	see(s, by);
	if (graver || (same_certificate(&s->by, by) && gravity(by->reason) == gravity(s->by.reason)))
		rest_on(s, by, r);
	return FOUND_MORE;
}

enum found
standing_found(const struct standing *have, const struct pki_revoke *r, struct standing *out)
{
	const struct evidence by = evidence_of(r);

	*out = *have;
	if (r->cause != CAUSE_REVOKED) {
		if ((have->cause | have->pending | have->dismissed) & r->cause)
			return FOUND_NOTHING;
		out->cause |= r->cause;
		return FOUND_ACTS;
	}
	if (have->cause & CAUSE_REVOKED)
		return found_more(out, &by, r);
	if (((have->pending | have->dismissed) & CAUSE_REVOKED) && is_seen(have, &by))
		return FOUND_NOTHING;
	if ((have->pending & CAUSE_REVOKED) == 0 || gravity(by.reason) >= gravity(have->by.reason))
		rest_on(out, &by, r);
	see(out, &by);
	out->pending &= ~(uint32_t)CAUSE_REVOKED;
	out->dismissed &= ~(uint32_t)CAUSE_REVOKED;
	out->cause |= CAUSE_REVOKED;
	return FOUND_ACTS;
}

void
standing_wait(struct standing *s, uint32_t causes)
{
	s->pending |= s->cause & causes;
	s->cause &= ~causes;
}

static bool
is_hold_of(const struct standing *s, uint32_t authority)
{
	for (uint32_t i = 0; i < s->n_seen; i++)
		if (s->seen[i].reason != REASON_HOLD || s->seen[i].authority != authority)
			return false;
	return s->n_seen > 0 && s->by.reason == REASON_HOLD && s->by.authority == authority;
}

bool
standing_cleared(const struct standing *have, const struct pki_clear *c, bool manual, struct standing *out)
{
	if (((have->cause | have->pending | have->dismissed) & c->cause) == 0)
		return false;
	if (c->cause != CAUSE_STALE && c->cause != CAUSE_LIMITED && c->cause != CAUSE_REVOKED)
		return false;
	if (c->cause == CAUSE_REVOKED && !is_hold_of(have, c->authority))
		return false;
	if (c->cause == CAUSE_REVOKED && manual && (have->cause & CAUSE_REVOKED))
		return false;
	*out = *have;
	out->cause &= ~c->cause;
	out->pending &= ~c->cause;
	out->dismissed &= ~c->cause;
	if (c->cause == CAUSE_REVOKED)
		forget_evidence(out);
	return true;
}

/* ---- what an operator says ---------------------------------------------- */

#define BY_EVIDENCE (CAUSE_REVOKED | CAUSE_STALE | CAUSE_LIMITED)

bool
standing_lifted(const struct standing *have, uint32_t causes, struct standing *out)
{
	uint32_t gone = (have->cause | have->pending) & causes;

	if (gone == 0)
		return false;
	*out = *have;
	out->cause &= ~gone;
	out->pending &= ~gone;
	out->dismissed |= gone & BY_EVIDENCE;
	if (gone & CAUSE_OPERATOR) {
		out->ways = 0;
		out->until = out->until_boot = 0;
		out->operator_reason = 0;
	}
	return true;
}

bool
standing_confirmed(const struct standing *have, struct standing *out)
{
	if (have->pending == 0)
		return false;
	*out = *have;
	out->cause |= have->pending;
	out->pending = 0;
	return true;
}

bool
standing_dismissed(const struct standing *have, struct standing *out)
{
	return standing_lifted(have, have->pending & BY_EVIDENCE, out);
}

/* Words of one way never shorten what was said by another: a device and its
 * certificate, or two certificates of it. */
static int64_t
ends_at(const struct standing *have, const struct operator_word *w)
{
	if ((have->cause & CAUSE_OPERATOR) == 0 || (w->way == WAY_DEVICE && have->ways == WAY_DEVICE))
		return w->until;
	return have->until == 0 || w->until == 0 ? 0 : have->until > w->until ? have->until : w->until;
}

bool
standing_ordered(const struct standing *have, const struct operator_word *w, const uint8_t boot_id[BOOT_ID_LEN],
    const struct clock_view *now, struct standing *out)
{
	const int64_t until = ends_at(have, w);

	if ((have->cause & CAUSE_OPERATOR) && (have->ways & w->way) && have->until == until &&
	    (w->reason == 0 || have->operator_reason == w->reason))
		return false;
	*out = *have;
	out->cause |= CAUSE_OPERATOR;
	out->ways |= w->way;
	out->operator_reason = w->reason;
	out->said_at = now->wall_ms;
	out->until = until;
	if (until == w->until)
		out->until_boot = until == 0 ? 0 : now->boot_ms + (until - now->wall_ms);
	memcpy(out->boot_id, boot_id, BOOT_ID_LEN);
	out->who = w->who;
	snprintf(out->words, sizeof(out->words), "%s", w->words);
	return true;
}

int64_t
standing_left(const struct standing *s, const uint8_t boot_id[BOOT_ID_LEN], const struct clock_view *now)
{
	int64_t wall = s->until - now->wall_ms, boot = s->until_boot - now->boot_ms;

	if ((s->cause & CAUSE_OPERATOR) == 0 || s->until == 0)
		return -1;
	if (memcmp(s->boot_id, boot_id, BOOT_ID_LEN) != 0)
		boot = wall;
	if (boot > wall)	/* the clock jumped ahead */
		wall = boot;
	return wall > 0 ? wall : 0;
}

void
standing_anchor(struct standing *s, const uint8_t boot_id[BOOT_ID_LEN], const struct clock_view *now)
{
	int64_t left = s->until - now->wall_ms, given = s->until - s->said_at;

	if ((s->cause & CAUSE_OPERATOR) == 0 || s->until == 0 || memcmp(s->boot_id, boot_id, BOOT_ID_LEN) == 0)
		return;
	if (left > given)	/* the clock is behind what it was */
		left = given;
	s->until_boot = now->boot_ms + (left > 0 ? left : 0);
	memcpy(s->boot_id, boot_id, BOOT_ID_LEN);
}

void
standing_join(struct standing *s, const struct standing *more)
{
	uint32_t number = s->number, had = s->cause;

	if (!standing_says(s)) {
		*s = *more;
		s->number = number;
		return;
	}
	s->cause |= more->cause;
	s->pending = (s->pending | more->pending) & ~s->cause;
	s->dismissed &= ~more->cause;
	if ((more->cause & ~had) & CAUSE_REVOKED) {
		s->by = more->by;
		s->kind = more->kind;
		s->crl_number_len = more->crl_number_len;
		memcpy(s->crl_number, more->crl_number, sizeof(s->crl_number));
		for (uint32_t i = 0; i < more->n_seen; i++)
			see(s, &more->seen[i]);
	}
	if ((more->cause & ~had) & CAUSE_OPERATOR) {
		s->ways = more->ways;
		s->operator_reason = more->operator_reason;
		s->said_at = more->said_at;
		s->until = more->until;
		s->until_boot = more->until_boot;
		memcpy(s->boot_id, more->boot_id, BOOT_ID_LEN);
		s->who = more->who;
		memcpy(s->words, more->words, sizeof(s->words));
	}
}
