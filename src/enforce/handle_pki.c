/* SPDX-License-Identifier: GPL-2.0-or-later */
/* handle_pki.c -- what cordon-pki says, checked against our own tables, and the
 * fetchers it gets. It may only tighten: nothing here releases a device. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "enforce/cordond.h"

/* ---- cordon-pki --------------------------------------------------------- */

void
pki_up(struct worker *w)
{
	w->d->n_pending = 0;
	tell_image(w);
}

/* Scheme and host of a URL: a fetcher goes nowhere else. */
static void
url_prefix(const char *url, char *out, size_t size)
{
	const char *slashes = strstr(url, "://");
	size_t n = strlen(url);

	if (slashes != NULL && strncmp(url, "file:", 5) != 0) {
		n = (size_t)(slashes - url) + 3;
		n += strcspn(url + n, "/?#");
	}
	snprintf(out, size, "%.*s", (int)n, url);
}

void
fetch_up(struct worker *w)
{
	const struct image *im = &w->d->enforcer.policy.image;
	struct worker *pki = &w->d->workers[SLOT_PKI];
	struct pki_fetcher fetcher = { .kind = FETCH_CRL, .which = w->context };
	struct fetch_limits limits = {
		.max_bytes = LIMIT_CRL_BYTES,
		.timeout_s = LIMIT_FETCH_SECONDS,
		.max_redirects = LIMIT_FETCH_REDIRECTS,
	};
	int pair[2];

	if (w->context >= im->n[IMAGE_SOURCES] || ipc_pair(pair) < 0) {
		worker_kill(w, "has nothing to fetch");
		return;
	}
	url_prefix(image_source_url(im, &im->sources[w->context]), limits.url_prefix,
	    sizeof(limits.url_prefix));
	if (worker_send(w, MSG_FETCH_LIMITS, &limits, sizeof(limits), pair[0]) == 0)
		worker_send(pki, MSG_PKI_FETCHER, &fetcher, sizeof(fetcher), pair[1]);
	close(pair[0]);
	close(pair[1]);
}

/* One that ran: pki sees the end of its channel by itself. */
void
fetch_down(struct worker *w)
{
	struct pki_fetch f = { .kind = FETCH_CRL, .which = w->context };

	if (w->pid == 0)
		worker_send(&w->d->workers[SLOT_PKI], MSG_PKI_NO_FETCHER, &f, sizeof(f), -1);
}

static const char *
pki_fetch(struct cordond *d, const struct pki_fetch *f)
{
	struct worker *w;

	if (f->which >= d->enforcer.policy.image.n[IMAGE_SOURCES])
		return NULL;	/* of a policy that just went */
	if ((w = worker_free_fetch(d)) == NULL) {
		worker_send(&d->workers[SLOT_PKI], MSG_PKI_NO_FETCHER, f, sizeof(*f), -1);
		return NULL;
	}
	w->context = f->which;
	worker_start(w);
	return NULL;
}

static const char *
pki_revoke(struct cordond *d, const struct pki_revoke *r)
{
	const struct image *im = &d->enforcer.policy.image;
	struct clock_view now;

	if (image_authority(im, r->authority) == NULL || image_device(im, r->device) == NULL)
		return NULL;	/* the same */
	if (d->n_pending == d->room_pending) {
		size_t room = d->room_pending ? 2 * d->room_pending : 64;
		struct standing *p;

		if (d->n_pending > LIMIT_DEVICES)
			return "revoked more than there are";
		if ((p = reallocarray(d->pending, room, sizeof(*p))) == NULL) {
			d->pending_lost = true;	/* its DONE is answered so, and pki tries again */
			return NULL;
		}
		d->pending = p;
		d->room_pending = room;
	}
	clock_now(&now);
	d->pending[d->n_pending++] = (struct standing){
		.number = r->device,
		.cause = CAUSE_REVOKED,
		.authority = r->authority,
		.crl_reason = r->reason,
		.revoked_at = r->revoked_at,
		.since = now.wall_ms,
	};
	return NULL;
}

static const char *
pki_revoke_done(struct cordond *d, const struct pki_revoke_done *done)
{
	struct pki_revoked answer = { .source = done->source };
	struct clock_view now;
	uint32_t changed = 0;
	int rc = cordond_quarantine(d, d->pending, d->n_pending, &changed);

	if (rc == 0 && changed > 0) {
		clock_now(&now);
		log_warn(0, "%u device(s) quarantined: revoked (%lld ms after the CRL had come)", changed,
		    (long long)(now.wall_ms - done->received_at));
	} else if (rc < 0) {
		log_error(rc, "revoked devices could not be quarantined");
	}
	d->n_pending = 0;
	answer.error = rc < 0 ? (uint32_t)-rc : d->pending_lost ? ENOMEM : 0;
	d->pending_lost = false;
	worker_send(&d->workers[SLOT_PKI], MSG_PKI_REVOKED, &answer, sizeof(answer), -1);
	return NULL;
}

static const char *
pki_source(struct cordond *d, const struct pki_source *s)
{
	if (s->state > SOURCE_EXPIRED || s->error >= SOURCE_ERRORS || s->number_len > sizeof(s->number))
		return "told a source state that there is none of";
	if (s->source < d->enforcer.policy.image.n[IMAGE_SOURCES] && d->sources != NULL)
		d->sources[s->source] = *s;
	return NULL;
}

const char *
pki_message(struct worker *w, struct ipc_message *m)
{
	if (m->type == MSG_PKI_FETCH)
		return pki_fetch(w->d, (const struct pki_fetch *)m->payload);
	if (m->type == MSG_PKI_REVOKE)
		return pki_revoke(w->d, (const struct pki_revoke *)m->payload);
	if (m->type == MSG_PKI_REVOKE_DONE)
		return pki_revoke_done(w->d, (const struct pki_revoke_done *)m->payload);
	if (m->type == MSG_PKI_SOURCE)
		return pki_source(w->d, (const struct pki_source *)m->payload);
	return "spoke out of turn";
}
