/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ocsp_desk.c -- whose turn it is to be asked about, and what was said of each. An
 * answer may revoke; "good" lifts nothing, and without an answer all stays as it is. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "pki/ocsp_desk.h"

#define FIRST_MS     600000	/* over which the first questions are spread, or refresh */
#define PACE_MS	     100	/* between two questions to one responder */
#define AGAIN_MS     1000	/* after one that failed; doubles */
#define AGAIN_MAX_MS 300000

/* ---- to and from a policy ----------------------------------------------- */

static void
authority_done(struct ocsp_authority *o)
{
	free(o->certificates);
	free(o->turns);
	free(o->said);
}

static bool
is_asked_about(const struct pki *p, const struct authority *a, const struct subject *s)
{
	if ((s->flags & SUBJECT_CA) != 0 || s->device >= p->all->n_devices)
		return false;
	return a->ocsp.devices == OCSP_ALL || (p->all->devices[s->device].flags & DEVICE_CRITICAL) != 0;
}

static int
certificates_of(const struct pki *p, const struct authority *a, struct ocsp_authority *o)
{
	const struct trust_certificate *c = &p->all->certificates[a->first_certificate];
	uint32_t i, role;

	if ((o->certificates = calloc((size_t)a->n_certificates + 1, sizeof(*o->certificates))) == NULL)
		return -ENOMEM;
	for (role = ISSUER_OWN; role <= ISSUER_OCSP; role += ISSUER_OCSP - ISSUER_OWN) {
		for (i = 0; i < a->n_certificates; i++) {
			if (c[i].x509 == NULL || c[i].role != role)
				continue;
			o->certificates[o->n_all++] = c[i].x509;
			o->n_own += role == ISSUER_OWN;
		}
	}
	return 0;
}

static int
authority_new(struct pki *p, uint32_t at, struct ocsp_authority *o, const struct clock_view *now)
{
	const struct authority *a = &p->all->authorities[at];
	int64_t refresh = (int64_t)a->ocsp.refresh_s * 1000, span = refresh < FIRST_MS ? refresh : FIRST_MS;
	uint32_t i;

	if (a->ocsp.devices == OCSP_OFF || a->n_subjects == 0)
		return 0;
	if (certificates_of(p, a, o) < 0 || (o->turns = calloc(a->n_subjects, sizeof(*o->turns))) == NULL ||
	    (o->said = calloc(a->n_subjects, sizeof(*o->said))) == NULL)
		return -ENOMEM;
	if (o->n_own == 0)
		return 0;
	o->n = a->n_subjects;
	o->next_boot = now->boot_ms;
	for (i = 0; i < o->n; i++)
		o->turns[i].next_boot = is_asked_about(p, a, &a->subjects[i]) ?
		    now->boot_ms + (int64_t)(((uint64_t)span * pki_random(p)) >> 32) : OCSP_NEVER;
	return 0;
}

/* What responders said outlives a policy, as far as it revokes: a certificate is
 * known by its serial. */
void
ocsp_keep(struct pki *p, struct ocsp_memory *m)
{
	struct ocsp_desk *d = p->ocsp;
	uint32_t i, k;

	memset(m, 0, sizeof(*m));
	for (i = 0; d != NULL && i < d->n; i++) {
		for (k = 0; k < d->authorities[i].n; k++) {
			const struct trust_said *said = &d->authorities[i].said[k];
			struct ocsp_remembered *more;

			if (said->what != SAID_REVOKED && said->what != SAID_UNKNOWN)
				continue;
			if ((more = realloc(m->of, (m->n + 1) * sizeof(*more))) == NULL)
				return;
			m->of = more;
			m->of[m->n].authority = p->all->authorities[i].number;
			m->of[m->n].serial_len = p->all->authorities[i].subjects[k].serial_len;
			memcpy(m->of[m->n].serial, p->all->authorities[i].subjects[k].serial, sizeof(m->of[m->n].serial));
			m->of[m->n++].said = *said;
		}
	}
}

static void
recall(struct pki *p, const struct ocsp_memory *m)
{
	struct ocsp_desk *d = p->ocsp;
	uint32_t i, k;
	size_t n;

	for (n = 0; n < m->n; n++) {
		for (i = 0; i < d->n; i++) {
			const struct authority *a = &p->all->authorities[i];

			for (k = 0; a->number == m->of[n].authority && k < d->authorities[i].n; k++)
				if (a->subjects[k].serial_len == m->of[n].serial_len &&
				    memcmp(a->subjects[k].serial, m->of[n].serial, m->of[n].serial_len) == 0)
					d->authorities[i].said[k] = m->of[n].said;
		}
	}
}

int
ocsp_new(struct pki *p, struct ocsp_memory *m, const struct clock_view *now)
{
	struct ocsp_desk *d;
	uint32_t i;
	int rc = 0;

	if ((d = calloc(1, sizeof(*d))) == NULL)
		return -ENOMEM;
	for (i = 0; i < OCSP_AT_ONCE; i++)
		d->slots[i].channel.fd = -1;
	p->ocsp = d;
	d->n = p->all->n;
	d->authorities = calloc((size_t)d->n + 1, sizeof(*d->authorities));
	d->told = calloc((size_t)d->n + 1, sizeof(*d->told));
	if (d->authorities == NULL || d->told == NULL)
		return -ENOMEM;
	for (i = 0; i < d->n && rc == 0; i++) {
		rc = authority_new(p, i, &d->authorities[i], now);
		d->told[i].said = d->authorities[i].said;
	}
	recall(p, m);
	free(m->of);
	memset(m, 0, sizeof(*m));
	return rc;
}

void
ocsp_free(struct pki *p)
{
	struct ocsp_desk *d = p->ocsp;
	uint32_t i;

	if (d == NULL)
		return;
	for (i = 0; i < OCSP_AT_ONCE; i++) {
		if (d->slots[i].channel.fd >= 0)
			ipc_done(&d->slots[i].channel);
		free(d->slots[i].answer);
	}
	for (i = 0; d->authorities != NULL && i < d->n; i++)
		authority_done(&d->authorities[i]);
	free(d->authorities);
	free(d->told);
	free(d);
	p->ocsp = NULL;
}

const struct trust_ocsp *
ocsp_said(const struct pki *p)
{
	return p->ocsp != NULL ? p->ocsp->told : NULL;
}

/* ---- what was said ------------------------------------------------------ */

struct ocsp_question
ocsp_question_about(const struct pki *p, const struct ocsp_slot *s)
{
	const struct ocsp_authority *o = &p->ocsp->authorities[s->authority];
	const struct authority *a = &p->all->authorities[s->authority];
	const struct subject *subject = &a->subjects[s->subject];

	return (struct ocsp_question){ .issuers = o->certificates, .n_issuers = o->n_own,
		.responders = o->certificates + o->n_own, .n_responders = o->n_all - o->n_own,
		.serial = subject->serial, .serial_len = subject->serial_len, .nonce = s->nonce,
		.nonce_len = sizeof(s->nonce), .allow_sha1 = (a->flags & AUTHORITY_SHA1) != 0 };
}

static void
count(struct ocsp_turn *t, struct trust_ocsp *told, bool failed)
{
	told->asked += !t->asked;
	told->failed += failed - t->failed;
	t->asked = 1;
	t->failed = failed;
}

/* The question ended, with an answer that counts or without. */
void
ocsp_heard(struct pki *p, struct ocsp_slot *s, const struct ocsp_answer *answer, const struct clock_view *now)
{
	static const uint8_t saying[] = { [OCSP_GOOD] = SAID_GOOD, [OCSP_REVOKED] = SAID_REVOKED,
		[OCSP_UNKNOWN] = SAID_UNKNOWN };
	struct ocsp_authority *o = &p->ocsp->authorities[s->authority];
	const struct authority *a = &p->all->authorities[s->authority];
	struct ocsp_turn *t = &o->turns[s->subject];
	struct trust_said before = o->said[s->subject], said = { 0 };
	bool failed = answer->status == OCSP_NO_ANSWER, had_failed = t->failed && t->asked;
	int64_t refresh = (int64_t)a->ocsp.refresh_s * 1000, wait = AGAIN_MS;
	uint32_t i;

	if (!failed) {
		said = (struct trust_said){ .what = saying[answer->status], .reason = (uint8_t)answer->reason,
			.revoked_at = answer->revoked_at, .this_update = answer->this_update };
		failed = !trust_hear(&o->said[s->subject], &said);
	} else if (!had_failed) {
		log_warn(0, "%s: its responder has no answer that counts: %s (%s, detail %u)", a->name,
		    answer->why != NULL ? answer->why : "refused", source_error_name(answer->error), answer->detail);
	}
	count(t, &p->ocsp->told[s->authority], failed);
	o->failures = answer->status == OCSP_NO_ANSWER ? o->failures + 1 : 0;
	for (i = 1; i < o->failures && wait < AGAIN_MAX_MS; i++)
		wait *= 2;
	wait = wait < refresh ? wait : refresh;
	o->next_boot = now->boot_ms + (o->failures > 0 ? wait : PACE_MS);
	t->asked_boot = now->boot_ms;
	if (t->next_boot != OCSP_NEVER)
		t->next_boot = now->boot_ms + refresh - (int64_t)(((uint64_t)(refresh / 10) * pki_random(p)) >> 32);
	if (memcmp(&before, &o->said[s->subject], sizeof(before)) != 0 || had_failed != failed || t->wanted_boot != 0)
		settle_want(p);
}

/* ---- before a hold ends ------------------------------------------------- */

static int
by_number(const void *number, const void *device)
{
	const uint32_t a = *(const uint32_t *)number, b = ((const struct authority_device *)device)->number;

	return a < b ? -1 : a > b;
}

/* A device is about to be let out: has its responder been heard since it was asked
 * for? A responder that is away holds nobody. What it never heard of is asked again
 * as well: what it said is not on our disk. */
bool
ocsp_allows(struct pki *p, const struct pki_clear *c, const struct clock_view *now)
{
	const struct authority_device *device;
	bool allowed = true;
	uint32_t i;

	device = bsearch(&c->device, p->all->devices, p->all->n_devices, sizeof(*device), by_number);
	for (i = 0; p->ocsp != NULL && device != NULL && i < device->n; i++) {
		const struct subject_ref *ref = &p->all->refs[device->first + i];
		struct ocsp_authority *o = &p->ocsp->authorities[ref->authority];
		struct ocsp_turn *turn;

		if (o->n == 0 || (c->cause != CAUSE_REVOKED &&
		    p->all->authorities[ref->authority].ocsp.unknown == WHEN_STALE_KEEP))
			continue;
		turn = &o->turns[ref->subject];
		if (turn->wanted_boot == 0)
			turn->wanted_boot = now->boot_ms;
		if (turn->asked_boot < turn->wanted_boot)
			allowed = false;
	}
	return allowed;
}

/* It was let out, or is not to be any more. */
void
ocsp_forget_wanted(struct pki *p)
{
	uint32_t i, k;

	for (i = 0; p->ocsp != NULL && i < p->ocsp->n; i++)
		for (k = 0; k < p->ocsp->authorities[i].n; k++)
			if (p->ocsp->authorities[i].turns[k].asked_boot >= p->ocsp->authorities[i].turns[k].wanted_boot)
				p->ocsp->authorities[i].turns[k].wanted_boot = 0;
}
