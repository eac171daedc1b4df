/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lookup.c -- who comes with a new policy is looked up in every CRL at hand before
 * it gets any access. cordon-pki has so long for that; whoever it does not answer
 * for starts in quarantine, and is let out by its answer. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "enforce/cordond.h"

static const struct timeval patience = { 10, 0 };

/* ---- what is new -------------------------------------------------------- */

/* *n counts those with a certificate that nobody has looked up. */
static uint8_t *
news_of(const struct image *now, const struct image *next, uint32_t *n)
{
	uint8_t *news = calloc((size_t)next->n[IMAGE_DEVICES] + 1, 1);

	*n = 0;
	for (uint32_t i = 0; news != NULL && i < next->n[IMAGE_DEVICES]; i++) {
		const struct image_device *y = &next->devices[i], *x = image_device(now, y->number);

		if (x == NULL)
			news[i] = NEWS_DEVICE;
		else if (device_has_new_certificate(now, x, next, y))
			news[i] = NEWS_CERTIFICATE;
		*n += news[i] != NEWS_NONE && y->certificates.n > 0;
	}
	return news;
}

/* ---- asking ------------------------------------------------------------- */

static void
ask(struct cordond *d)
{
	struct lookup *l = &d->revocation.lookup;
	struct worker *pki = &d->workers[SLOT_PKI];
	struct image_ref ref = { .revision = l->candidate.revision };

	if (pki->state != WORKER_UP)
		return;	/* it is asked when it comes up, if that is in time */
	l->asked = true;
	findings_empty(&d->revocation.findings);
	tell_standings(pki);
	worker_send(pki, MSG_PKI_LOOKUP, &ref, sizeof(ref), l->candidate.fd);
}

void
lookup_pki_up(struct cordond *d)
{
	d->revocation.lookup.asked = false;
	findings_empty(&d->revocation.lookup.held);
	if (d->revocation.lookup.waits)
		ask(d);
}

static void
on_patience(evutil_socket_t fd, short what, void *arg)
{
	struct cordond *d = arg;

	(void)fd;
	(void)what;
	if (!d->revocation.lookup.waits)
		return;
	log_warn(0, "new devices could not be looked up in time: they start in quarantine until they are");
	d->revocation.lookup.waits = false;
	change_go_on(d);
}

int
lookup_begin(struct cordond *d, int image_fd, uint64_t revision)
{
	struct lookup *l = &d->revocation.lookup;
	const char *why;
	uint32_t n;
	int rc;

	if ((rc = loaded_policy_from_fd(image_fd, revision, &l->candidate, &why)) < 0)
		return rc;
	if ((l->news = news_of(&d->enforcer.policy.image, &l->candidate.image, &n)) == NULL) {
		loaded_policy_done(&l->candidate);
		l->candidate.data = NULL;
		return -ENOMEM;
	}
	l->answered = n == 0;
	if (n == 0)
		return 0;
	if (l->timer == NULL && (l->timer = evtimer_new(d->base, on_patience, d)) == NULL)
		return 0;
	l->waits = true;
	evtimer_add(l->timer, &patience);
	ask(d);
	return 1;
}

void
lookup_answered(struct cordond *d, const struct pki_looked *m)
{
	struct lookup *l = &d->revocation.lookup;

	if (l->waits && l->asked && m->revision == l->candidate.revision) {
		if (m->error != 0)
			log_warn((int)m->error, "new devices could not be looked up: they start in quarantine until they are");
		l->answered = m->error == 0 && !l->held.lost;
		l->waits = false;
		evtimer_del(l->timer);
		change_go_on(d);
	} else if (m->error == 0 && m->revision == d->enforcer.policy.revision) {
		d->revocation.looked = m->revision;
		lookup_let_out(d);
	}
}

bool
lookup_holds(const struct cordond *d, uint32_t device)
{
	const struct lookup *l = &d->revocation.lookup;
	const struct image_device *y;

	if (!l->asked || l->candidate.data == NULL)
		return false;
	y = image_device(&l->candidate.image, device);
	return y != NULL && l->news[y - l->candidate.image.devices] != NEWS_NONE;
}

/* ---- how they begin ----------------------------------------------------- */

/* An operator revoked a certificate of it. */
static void
start_by_serial(struct cordond *d, const struct image *next, const struct image_device *device,
    const struct clock_view *now, struct standing *s)
{
	const struct ctl_revocation *r = serials_of_device(&d->revocation.serials, next, device, now->wall_ms);
	struct operator_word w;
	struct standing out;

	if (r == NULL)
		return;
	w = (struct operator_word){ .way = WAY_SERIAL, .reason = r->reason, .until = r->until, .who = r->who,
		.words = r->words };
	if (standing_ordered(s, &w, d->change.boot_id, now, &out))
		*s = out;
}

/* What cordon-pki found about it: from the first on. */
static void
start_by_findings(const struct findings *held, uint32_t at, const uint32_t *following, struct standing *s)
{
	for (; at != 0; at = following[at - 1]) {
		struct standing out;

		if (standing_found(s, &held->found[at - 1], &out) != FOUND_NOTHING)
			*s = out;
	}
}

/* By device of the candidate, 1 + index of the first finding; and from each the next. */
static int
index_findings(const struct findings *held, const struct image *next, uint32_t **first, uint32_t **following)
{
	*first = calloc((size_t)next->n[IMAGE_DEVICES] + 1, sizeof(**first));
	*following = calloc(held->n_found + 1, sizeof(**following));
	if (*first == NULL || *following == NULL)
		return -ENOMEM;
	for (size_t i = held->n_found; i > 0; i--) {
		const struct image_device *y = image_device(next, held->found[i - 1].device);

		if (y == NULL)
			continue;
		(*following)[i - 1] = (*first)[y - next->devices];
		(*first)[y - next->devices] = (uint32_t)i;
	}
	return 0;
}

/* Nothing is known of it yet: what is it to begin with? */
static struct standing
start_of(struct cordond *d, const struct image *next, const struct image_device *device, enum device_news news,
    bool answered, const struct clock_view *now)
{
	struct standing s = { .number = device->number };

	start_by_serial(d, next, device, now, &s);
	if (news == NEWS_DEVICE && !answered && device->certificates.n > 0)
		s.cause |= CAUSE_NEW;
	return s;
}

int
lookup_starts(struct cordond *d, const struct image *next, bool answered, struct standing **out, size_t *n)
{
	const struct findings none = { .n_found = 0 };
	const struct findings *held = d->revocation.lookup.candidate.data != NULL ? &d->revocation.lookup.held : &none;
	uint32_t *first = NULL, *following = NULL, news_n;
	uint8_t *news = news_of(&d->enforcer.policy.image, next, &news_n);
	struct standing *list = calloc((size_t)next->n[IMAGE_DEVICES] + 1, sizeof(*list));
	struct clock_view now;
	int rc = news == NULL || list == NULL ? -ENOMEM : index_findings(held, next, &first, &following);

	*n = 0;
	clock_now(&now);
	for (uint32_t i = 0; rc == 0 && i < next->n[IMAGE_DEVICES]; i++) {
		struct standing s;

		if (news[i] == NEWS_NONE)
			continue;
		s = start_of(d, next, &next->devices[i], news[i], answered, &now);
		if (news[i] == NEWS_DEVICE)
			start_by_findings(held, first[i], following, &s);
		s.since = now.wall_ms;
		if (standing_says(&s))
			list[(*n)++] = s;
	}
	free(first);
	free(following);
	free(news);
	if (rc < 0) {
		free(list);
		list = NULL;
	}
	*out = list;
	return rc;
}

/* ---- afterwards --------------------------------------------------------- */

void
lookup_end(struct cordond *d, bool in_force)
{
	struct lookup *l = &d->revocation.lookup;
	struct findings held = l->held;
	bool asked = l->asked;

	if (!in_force && asked && !l->answered)
		l->burnt = l->candidate.revision;
	if (l->candidate.data != NULL)
		loaded_policy_done(&l->candidate);
	l->candidate.data = NULL;
	free(l->news);
	l->news = NULL;
	l->waits = l->asked = false;
	memset(&l->held, 0, sizeof(l->held));
	if (asked && !in_force)
		tell_pki(&d->workers[SLOT_PKI]);	/* by the running policy again */
	if (in_force && held.n_found > 0 && findings_act(d, &held, 0) < 0)
		log_error(0, "what was found about devices with new certificates could not be acted upon yet");
	findings_done(&held);
}

void
lookup_let_out(struct cordond *d)
{
	struct enforcer *e = &d->enforcer;
	uint32_t n = e->policy.image.n[IMAGE_DEVICES];
	struct standings s;
	struct clock_view now;
	int rc;

	if (d->revocation.looked != e->policy.revision)
		return;
	clock_now(&now);
	rc = standings_init(&s, d, n);
	for (uint32_t i = 0; rc == 0 && i < n; i++) {
		struct standing *at;

		if (e->standings[i] == NULL || (e->standings[i]->cause & CAUSE_NEW) == 0)
			continue;
		at = standings_at(&s, d, i);
		at->cause &= ~(uint32_t)CAUSE_NEW;
		/* After a crash nobody asked this yet. */
		start_by_serial(d, &e->policy.image, &e->policy.image.devices[i], &now, at);
		at->since = now.wall_ms;
	}
	if (rc == 0)
		rc = cordond_stand(d, s.list, s.n, true, DEVICE_RELEASED, NULL, NULL);
	if (rc < 0)
		log_error(rc, "devices that were looked up could not be let out of quarantine: it is tried again");
	else if (s.n > 0)
		log_info("%zu device(s) that came with a policy were looked up", s.n);
	standings_done(&s);
}
