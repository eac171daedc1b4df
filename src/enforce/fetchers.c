/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fetchers.c -- the fetchers that cordon-pki gets: it names a source, an authority
 * or the watch by number; hosts and limits come from the policy, never from it. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "enforce/cordond.h"

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

static uint64_t
at_most(uint64_t n, uint64_t max)
{
	return n == 0 || n > max ? max : n;
}

/* false: the policy has no such source. */
static bool
limits_of_source(const struct image *im, const struct pki_fetch *f, struct fetch_limits *l)
{
	const struct image_source *s;

	if (f->which >= im->n[IMAGE_SOURCES] || f->url >= im->sources[f->which].urls.n)
		return false;
	s = &im->sources[f->which];
	l->max_bytes = at_most(s->max_bytes, LIMIT_CRL_BYTES);
	l->timeout_s = (uint32_t)at_most(s->timeout_s, LIMIT_FETCH_SECONDS);
	l->max_redirects = LIMIT_FETCH_REDIRECTS;
	l->no_private = (s->flags & SOURCE_FROM_DEVICES) != 0;
	url_prefix(image_text(im, im->urls[s->urls.first + f->url]), l->url_prefix, sizeof(l->url_prefix));
	snprintf(l->hosts, sizeof(l->hosts), "%s", image_text(im, s->hosts));
	snprintf(l->proxy, sizeof(l->proxy), "%s", image_text(im, s->proxy));
	snprintf(l->no_proxy, sizeof(l->no_proxy), "%s", image_text(im, s->no_proxy));
	snprintf(l->pin, sizeof(l->pin), "%s", image_text(im, s->pin));
	return true;
}

static bool
limits_of_responder(const struct image *im, const struct pki_fetch *f, struct fetch_limits *l)
{
	const struct image_authority *a;

	if (f->which >= im->n[IMAGE_AUTHORITIES] || im->authorities[f->which].ocsp.devices == OCSP_OFF)
		return false;
	a = &im->authorities[f->which];
	l->max_bytes = LIMIT_OCSP_RESPONSE;
	l->timeout_s = LIMIT_FETCH_SECONDS;
	l->max_redirects = 0;
	url_prefix(image_text(im, a->ocsp.url), l->url_prefix, sizeof(l->url_prefix));
	return true;
}

/* What it may do; false: nothing, the policy is another by now. */
static bool
limits_of(const struct image *im, const struct pki_fetch *f, struct fetch_limits *l)
{
	memset(l, 0, sizeof(*l));
	l->kind = f->kind;
	switch ((enum fetch_kind)f->kind) {
	case FETCH_CRL:
		return limits_of_source(im, f, l);
	case FETCH_OCSP:
		return limits_of_responder(im, f, l);
	case FETCH_WATCH:
		return f->which == 0;
	case FETCH_KINDS:
		break;
	}
	return false;
}

void
fetch_up(struct worker *w)
{
	struct worker *pki = &w->d->workers[SLOT_PKI];
	struct pki_fetcher fetcher = { .kind = w->fetch.kind, .which = w->fetch.which };
	static struct fetch_limits limits;	/* large, and there is one loop */
	int pair[2];

	if (!limits_of(&w->d->enforcer.policy.image, &w->fetch, &limits) || ipc_pair(pair) < 0) {
		worker_send(pki, MSG_PKI_NO_FETCHER, &w->fetch, sizeof(w->fetch), -1);
		worker_kill(w, "has nothing to fetch");
		return;
	}
	if (worker_send(w, MSG_FETCH_LIMITS, &limits, sizeof(limits), pair[0]) == 0)
		worker_send(pki, MSG_PKI_FETCHER, &fetcher, sizeof(fetcher), pair[1]);
	else
		worker_send(pki, MSG_PKI_NO_FETCHER, &w->fetch, sizeof(w->fetch), -1);
	close(pair[0]);
	close(pair[1]);
}

/* One that ran: pki sees the end of its channel by itself. */
void
fetch_down(struct worker *w)
{
	if (w->pid == 0)
		worker_send(&w->d->workers[SLOT_PKI], MSG_PKI_NO_FETCHER, &w->fetch, sizeof(w->fetch), -1);
}

/* The watch has a place of its own, and there is one: what cordon-pki asked for before
 * it was started anew is of no use to anybody. */
static struct worker *
place_for(struct cordond *d, uint32_t kind)
{
	struct worker *watch = &d->workers[SLOT_WATCH];

	if (kind != FETCH_WATCH)
		return worker_free_fetch(d);
	if (watch->state == WORKER_DOWN)
		return watch;
	worker_kill(watch, "is asked for anew");
	return NULL;
}

const char *
pki_fetch(struct cordond *d, const struct pki_fetch *f)
{
	static struct fetch_limits limits;
	struct worker *w;

	if (f->kind >= FETCH_KINDS)
		return "asked for a fetcher that there is none of";
	/* While a policy is looked up its numbers may mean others. */
	if (d->revocation.lookup.asked || !limits_of(&d->enforcer.policy.image, f, &limits) ||
	    (w = place_for(d, f->kind)) == NULL) {
		worker_send(&d->workers[SLOT_PKI], MSG_PKI_NO_FETCHER, f, sizeof(*f), -1);
		return NULL;
	}
	w->fetch = *f;
	worker_start(w);
	return NULL;
}
