/* SPDX-License-Identifier: GPL-2.0-or-later */
/* verify.c -- an operator asks whether the kernel holds what the model says. With
 * 100,000 devices that is more than a second's work, so it is done in slices,
 * between which everything else goes on; a change in between begins it again. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "enforce/cordond.h"
#include "enforce/nft_compare.h"
#include "enforce/restore.h"
#include "model/origin.h"

#define BEGINNINGS 8	/* after so many changes in between it is done in one slice */

struct verify {
	struct cordond *d;
	struct event *timer;
	struct nft_socket socket;	/* its own: a dump goes on over slices */
	struct nft_compare *compare;
	struct ruleset rs;
	const void *policy;		/* what rs was made of, to know that it still is */
	uint32_t generation;
	unsigned beginnings;
	struct ctl_verified answer;
};

static_assert(SET_NAMELEN == sizeof(((struct ctl_verified *)0)->where) &&
    SET_NAMELEN == sizeof(((struct ctl_difference *)0)->set) &&
    ELEMENT_STRLEN == sizeof(((struct ctl_difference *)0)->element), "wire");

void
verify_done(struct cordond *d)
{
	struct verify *v = d->verify;

	if (v == NULL)
		return;
	nft_compare_free(v->compare);
	if (v->socket.fd >= 0)
		close(v->socket.fd);
	if (v->timer != NULL)
		event_free(v->timer);
	free(v);
	d->verify = NULL;
}

/* ---- the answer --------------------------------------------------------- */

/* The list is sorted: what differs in its data stands there twice, foreign first. */
static bool
same_key(const struct nft_difference *a, const struct nft_difference *b)
{
	return a->foreign && !b->foreign && element_same_key(&a->e, &b->e);
}

static uint32_t
fill(const struct nft_comparison *found, struct ctl_difference *out)
{
	uint32_t n = 0;

	for (size_t i = 0; i < found->n && n < LIMIT_DIFFERENCES; i++, n++) {
		const struct nft_difference *x = &found->list[i];

		out[n].what = x->foreign ? DIFFERS_FOREIGN : DIFFERS_MISSING;
		if (i + 1 < found->n && same_key(x, x + 1)) {
			out[n].what = DIFFERS_DATA;
			i++;
		}
		set_name(&x->e.set, out[n].set);
		element_text(&x->e, x->foreign ? x->chain : NULL, out[n].element);
	}
	return n;
}

static int
differences_file(const struct nft_comparison *found, uint32_t *n)
{
	struct ctl_difference *list = calloc(LIMIT_DIFFERENCES, sizeof(*list));
	int fd, rc;

	if (list == NULL)
		return -ENOMEM;
	*n = fill(found, list);
	rc = fd = memfile_new("differences");
	if (fd >= 0 && ((rc = file_write_all(fd, list, *n * sizeof(*list))) < 0 || (rc = memfile_seal(fd)) < 0))
		close(fd);
	free(list);
	return rc < 0 ? rc : fd;
}

static void
tell_all(struct cordond *d, int error, const struct ctl_verified *a, int fd)
{
	for (size_t i = 0; i < LIMIT_CLIENTS; i++) {
		struct client *c = &d->clients[i];

		if (!c->used || !c->waits_verify)
			continue;
		c->waits_verify = false;
		if (error != 0)
			client_done(c, error);
		else
			client_answer(c, MSG_CTL_VERIFIED, a, sizeof(*a), fd);
	}
}

/* Agree or not: it stands. Where others may change the rules it is put right
 * at once, and by nobody else than the watch. */
static void
finish(struct verify *v)
{
	const struct nft_comparison *found = nft_compare_result(v->compare);
	struct ctl_verified *a = &v->answer;
	struct cordond *d = v->d;
	int fd = -1, rc = enforcer_rules_agree(&d->enforcer, a->where);

	if (rc == 0)
		rc = fd = differences_file(found, &a->listed);
	if (rc >= 0) {
		if (a->where[0] == '\0')
			memcpy(a->where, found->where, sizeof(a->where));
		a->agrees = found->agrees && a->where[0] == '\0';
		a->compared = found->compared;
		a->missing = found->missing;
		a->foreign = found->foreign;
		if (!a->agrees) {
			d->enforcer.healthy = false;
			d->told.more = true;
			watch_compare(d);
		}
	}
	tell_all(d, rc < 0 ? rc : 0, a, fd);
	if (fd >= 0)
		close(fd);
	verify_done(d);
}

/* ---- the work ----------------------------------------------------------- */

static bool
changed(const struct verify *v)
{
	const struct enforcer *e = &v->d->enforcer;
	uint32_t now;

	return e->policy.data != v->policy || e->stations != v->rs.stations ||
	    nft_generation(&v->d->enforcer.reader, &now) < 0 || now != v->generation;
}

static int
begin(struct verify *v)
{
	struct enforcer *e = &v->d->enforcer;

	nft_compare_free(v->compare);
	v->rs = enforcer_ruleset(e);
	v->policy = e->policy.data;
	v->beginnings++;
	if ((v->compare = nft_compare_new(&v->socket, &v->rs, 2 * LIMIT_DIFFERENCES)) == NULL)
		return -ENOMEM;
	return nft_generation(&e->reader, &v->generation);
}

/* 1: there is more. */
static int
slice(struct verify *v)
{
	int rc = 0;

	if (v->compare == NULL || (v->beginnings < BEGINNINGS && changed(v)))
		rc = begin(v);
	if (rc == 0)
		do {
			rc = nft_compare_step(v->compare);
		} while (rc == 1 && v->beginnings == BEGINNINGS);
	/* What was found while somebody made a change proves nothing. */
	if (v->beginnings < BEGINNINGS && (rc == -EAGAIN || (rc == 0 && changed(v)))) {
		nft_compare_free(v->compare);
		v->compare = NULL;
		return 1;
	}
	return rc;
}

static void
on_slice(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval at_once = { 0, 0 };
	struct verify *v = arg;
	struct clock_view from, to;
	uint32_t took;
	int rc;

	(void)fd;
	(void)what;
	clock_now(&from);
	rc = slice(v);
	clock_now(&to);
	took = (uint32_t)(to.boot_us - from.boot_us);
	v->answer.microseconds += took;
	if (took > v->answer.longest)
		v->answer.longest = took;
	if (rc == 0) {
		finish(v);
	} else if (rc < 0 || evtimer_add(v->timer, &at_once) == -1) {
		log_error(rc, "the kernel's rules cannot be read");
		tell_all(v->d, rc < 0 ? rc : -ENOMEM, NULL, -1);
		verify_done(v->d);
	}
}

static int
start(struct cordond *d)
{
	static const struct timeval at_once = { 0, 0 };
	struct verify *v = calloc(1, sizeof(*v));
	int fd;

	if (v == NULL)
		return -ENOMEM;
	d->verify = v;
	v->d = d;
	v->socket.fd = -1;
	if ((fd = nft_socket_open()) < 0)
		return fd;
	if ((v->timer = evtimer_new(d->base, on_slice, v)) == NULL || evtimer_add(v->timer, &at_once) == -1) {
		close(fd);
		return -ENOMEM;
	}
	return nft_socket_init(&v->socket, fd);
}

void
ask_verify(struct client *c)
{
	struct cordond *d = c->d;
	int rc;

	c->waits_verify = true;
	if (d->verify == NULL && (rc = start(d)) < 0) {
		verify_done(d);
		tell_all(d, rc, NULL, -1);
	}
}
