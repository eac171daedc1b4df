/* SPDX-License-Identifier: GPL-2.0-or-later */
/* handle_pki.c -- what cordon-pki says, checked against our own tables, and what it
 * is told. It tightens as it likes, and loosens where our own records say so. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "enforce/cordond.h"

#define SAID_MAX (4 * (size_t)LIMIT_DEVICES)	/* findings in a row: causes and certificates of each */

/* ---- what it is told ---------------------------------------------------- */

#define BY_PKI (CAUSE_REVOKED | CAUSE_STALE | CAUSE_LIMITED)

#define TOLD_MAX (1 + EVIDENCE_SEEN)	/* of one device */

static struct pki_standing
told_of(const struct standing *s, uint32_t cause, const struct evidence *by)
{
	struct pki_standing out = { .device = s->number, .cause = cause, .authority = by->authority,
		.reason = by->reason, .revoked_at = by->revoked_at, .serial_len = by->serial_len };

	memcpy(out.serial, by->serial, sizeof(out.serial));
	return out;
}

/* What it goes on from. It shall tell when what was dismissed is no more, as far as
 * that ends by itself; and when a revocation that was dismissed becomes another one. */
static uint32_t
standing_told(const struct standing *s, struct pki_standing out[TOLD_MAX])
{
	uint32_t cause, n = 0;

	if (s == NULL)
		return 0;
	cause = (s->cause | s->pending | (s->dismissed & (CAUSE_STALE | CAUSE_LIMITED))) & BY_PKI;
	if (cause != 0)
		out[n++] = told_of(s, cause, &s->by);
	for (uint32_t i = 0; (s->dismissed & ~cause & CAUSE_REVOKED) != 0 && i < s->n_seen; i++) {
		out[n] = told_of(s, CAUSE_REVOKED, &s->seen[i]);
		out[n++].dismissed = 1;
	}
	return n;
}

static int
standings_file(const struct enforcer *e, uint32_t *n)
{
	uint32_t devices = e->policy.image.n[IMAGE_DEVICES];
	struct pki_standing *all = calloc((size_t)devices * TOLD_MAX + 1, sizeof(*all));
	int fd = memfile_new("standings"), rc;

	*n = 0;
	for (uint32_t i = 0; all != NULL && i < devices; i++)
		*n += standing_told(e->standings[i], &all[*n]);
	rc = fd < 0 ? fd : all == NULL ? -ENOMEM : file_write_all(fd, all, *n * sizeof(*all));
	if (rc == 0)
		rc = memfile_seal(fd);
	if (rc < 0 && fd >= 0)
		close(fd);
	free(all);
	return rc < 0 ? rc : fd;
}

void
tell_standings(struct worker *w)
{
	struct pki_standings m = { .n = 0 };
	int fd = standings_file(&w->d->enforcer, &m.n);

	if (fd < 0) {
		log_error(fd, "cordon-pki cannot be told of the standings");
		return;
	}
	worker_send(w, MSG_PKI_STANDINGS, &m, sizeof(m), fd);
	close(fd);
}

void
tell_overridden(struct cordond *d)
{
	struct worker *w = &d->workers[SLOT_PKI];

	/* A look-up ends with all of it anyway. */
	if (w->state == WORKER_UP && !w->d->revocation.lookup.waits)
		tell_standings(w);
}

void
tell_pki(struct worker *w)
{
	if (w->state != WORKER_UP)
		return;
	findings_empty(&w->d->revocation.findings);
	tell_standings(w);
	tell_image(w);
}

void
pki_up(struct worker *w)
{
	tell_pki(w);
	lookup_pki_up(w->d);
}

/* ---- what it says ------------------------------------------------------- */

static bool
is_one_of(uint32_t cause)
{
	return cause == CAUSE_REVOKED || cause == CAUSE_STALE || cause == CAUSE_LIMITED;
}

static bool
knows_device(const struct cordond *d, uint32_t number)
{
	return image_device(&d->enforcer.policy.image, number) != NULL || lookup_holds(d, number);
}

static const char *
pki_revoke(struct cordond *d, const struct pki_revoke *said)
{
	struct findings *f = lookup_holds(d, said->device) ? &d->revocation.lookup.held : &d->revocation.findings;
	struct pki_revoke r = *said;

	if (!is_one_of(r.cause) || r.serial_len > sizeof(r.serial) || r.number_len > sizeof(r.number) ||
	    r.evidence >= EVIDENCES || (r.evidence != 0) != (r.cause == CAUSE_REVOKED))
		return "told a revocation that there is none of";
	if (f->n_found >= SAID_MAX)
		return "revoked more than there are";
	if (!knows_device(d, r.device))
		return NULL;	/* of a policy that just went */
	if (r.reason > 10)
		r.reason = 0;
	/* When memory is short its DONE is answered so, and it tries again. */
	(void)findings_add(f, &r);
	return NULL;
}

/* While a policy is looked up it speaks of that: it says so again when it is applied. */
static const char *
pki_clear(struct cordond *d, const struct pki_clear *c)
{
	struct findings *f = &d->revocation.findings;

	if (!is_one_of(c->cause))
		return "cleared what it may not";
	if (f->n_cleared >= SAID_MAX)
		return "cleared more than there are";
	if (!d->revocation.lookup.asked && image_device(&d->enforcer.policy.image, c->device) != NULL)
		(void)findings_add_clear(f, c);
	return NULL;
}

static const char *
pki_revoke_done(struct cordond *d, const struct pki_revoke_done *done)
{
	struct revocation *r = &d->revocation;
	struct pki_revoked answer = { .source = done->source };
	int rc = findings_act(d, &r->findings, done->received_at);

	if (rc < 0)
		log_error(rc, "what cordon-pki found could not be acted upon");
	answer.error = rc < 0 ? (uint32_t)-rc : r->findings.lost || r->lookup.held.lost ? ENOMEM : 0;
	findings_empty(&r->findings);
	worker_send(&d->workers[SLOT_PKI], MSG_PKI_REVOKED, &answer, sizeof(answer), -1);
	return NULL;
}

static const char *
pki_source(struct cordond *d, const struct pki_source *s)
{
	if (s->state > SOURCE_EXPIRED || s->error >= SOURCE_ERRORS || s->number_len > sizeof(s->number) ||
	    s->delta > 1 || s->fetching > 1 || s->url >= LIMIT_URLS_PER_SOURCE)
		return "told a source state that there is none of";
	if (!d->revocation.lookup.asked && s->source < d->enforcer.policy.image.n[IMAGE_SOURCES] &&
	    d->sources != NULL)
		d->sources[s->source] = *s;
	return NULL;
}

static const char *
pki_authority(struct cordond *d, const struct pki_authority *m)
{
	const struct image *im = &d->enforcer.policy.image;
	const struct image_authority *a = image_authority(im, m->authority);

	if ((m->alarms & ~(uint32_t)ALARMS) != 0)
		return "told an alarm that there is none of";
	if (!d->revocation.lookup.asked && a != NULL && d->revocation.authorities != NULL)
		d->revocation.authorities[a - im->authorities] = *m;
	return NULL;
}

static bool
checks_sound(const uint8_t *checks, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((checks[i] & ~CHECK_CHAIN_UNKNOWN) >= CHECKS)
			return false;
	return true;
}

static const char *
pki_checked(struct cordond *d, const struct pki_checked *m, int fd)
{
	const char *wrong = NULL;
	const void *bytes;
	size_t len;

	if (m->revision != d->enforcer.policy.revision || m->n != d->enforcer.policy.image.n[IMAGE_DEVICES])
		return NULL;	/* of a policy that just went */
	if (memfile_map(fd, LIMIT_DEVICES, &bytes, &len) < 0)
		return "told of its checks in a file that is none";
	if (len != m->n || !checks_sound(bytes, len)) {
		wrong = "told a check that there is none of";
	} else {
		free(d->revocation.checks);
		if ((d->revocation.checks = malloc(len + 1)) != NULL)
			memcpy(d->revocation.checks, bytes, len);
	}
	memfile_unmap(bytes, len);
	return wrong;
}

const char *
pki_message(struct worker *w, struct ipc_message *m)
{
	const void *p = m->payload;

	switch (m->type) {
	case MSG_PKI_FETCH:
		return pki_fetch(w->d, p);
	case MSG_PKI_REVOKE:
		return pki_revoke(w->d, p);
	case MSG_PKI_CLEAR:
		return pki_clear(w->d, p);
	case MSG_PKI_REVOKE_DONE:
		return pki_revoke_done(w->d, p);
	case MSG_PKI_SOURCE:
		return pki_source(w->d, p);
	case MSG_PKI_AUTHORITY:
		return pki_authority(w->d, p);
	case MSG_PKI_CHECKED:
		return pki_checked(w->d, p, m->fd);
	case MSG_PKI_LOOKED:
		lookup_answered(w->d, p);
		return NULL;
	}
	return "spoke out of turn";
}
