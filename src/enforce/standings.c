/* SPDX-License-Identifier: GPL-2.0-or-later */
/* standings.c -- many standings at once: into force, told to everybody, and into
 * the devices' history. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "enforce/cordond.h"

#define TELL_EACH_MAX 256	/* of more, cordon-flow gets the list of all */

int
standings_init(struct standings *s, struct cordond *d, size_t n)
{
	uint32_t devices = d->enforcer.policy.image.n[IMAGE_DEVICES];

	*s = (struct standings){ .room = n < devices ? n : devices };
	s->list = calloc(s->room + 1, sizeof(*s->list));
	s->places = calloc((size_t)devices + 1, sizeof(*s->places));
	return s->list == NULL || s->places == NULL ? -ENOMEM : 0;
}

void
standings_done(struct standings *s)
{
	free(s->list);
	free(s->places);
	memset(s, 0, sizeof(*s));
}

struct standing *
standings_at(struct standings *s, struct cordond *d, size_t index)
{
	const struct standing *have = d->enforcer.standings[index];
	struct standing *at;

	if (s->places[index] != 0)
		return &s->list[s->places[index] - 1];
	at = &s->list[s->n++];
	s->places[index] = (uint32_t)s->n;
	if (have != NULL)
		*at = *have;
	at->number = d->enforcer.policy.image.devices[index].number;
	return at;
}

/* ---- history ------------------------------------------------------------ */

void
cordond_events(struct cordond *d, const struct device_event *v, size_t n)
{
	int rc = device_events_append(d->enforcer.dirfd, v, n);

	if (rc < 0)
		log_error(rc, "the history of the devices cannot be written");
}

/* What became of one, or 0: nothing that anybody wants to read. */
static uint32_t
happening(const struct standing *before, const struct standing *after, enum device_happening what, uint32_t *cause)
{
	uint32_t had = before != NULL ? before->cause : 0, waited = before != NULL ? before->pending : 0;

	if (what == DEVICE_DISMISSED) {
		*cause = waited & ~after->pending;
		return what;
	}
	if ((*cause = after->cause & ~had) != 0) {
		if (what == DEVICE_CONFIRMED)
			return what;
		return *cause & CAUSE_QUARANTINE ? DEVICE_QUARANTINED : DEVICE_RESTRICTED;
	}
	if ((*cause = after->pending & ~waited) != 0)
		return DEVICE_PENDING;
	if ((*cause = had & ~after->cause) != 0)
		return DEVICE_RELEASED;
	if ((*cause = waited & ~after->pending) != 0)
		return DEVICE_RELEASED;
	if (what == DEVICE_QUARANTINED && (after->cause & CAUSE_OPERATOR) && before != NULL &&
	    (before->until != after->until || before->operator_reason != after->operator_reason)) {
		*cause = CAUSE_OPERATOR;
		return what;
	}
	return 0;
}

static struct device_event *
events_of(struct cordond *d, const struct standing *next, size_t n, enum device_happening what,
    const struct ctl_who *who, const char *words, size_t *n_events)
{
	struct device_event *v = calloc(n + 1, sizeof(*v));
	struct clock_view now;

	*n_events = 0;
	clock_now(&now);
	for (size_t i = 0; v != NULL && i < n && *n_events < LIMIT_DEVICE_EVENTS; i++) {
		struct device_event *e = &v[*n_events];

		*e = (struct device_event){ .at = now.wall_ms, .revision = d->enforcer.policy.revision,
			.device = next[i].number, .who.uid = CTL_NOBODY };
		e->what = happening(d->enforcer.standings[enforcer_index(&d->enforcer, next[i].number)], &next[i],
		    what, &e->cause);
		if (e->what == 0)
			continue;
		if (e->cause & CAUSE_REVOKED) {
			e->reason = next[i].by.reason;
			e->authority = next[i].by.authority;
			e->evidence = next[i].kind;
		} else if (e->cause & CAUSE_OPERATOR) {
			e->reason = next[i].operator_reason;
		}
		if (who != NULL)
			e->who = *who;
		if (words != NULL)
			strncpy(e->words, words, sizeof(e->words) - 1);
		++*n_events;
	}
	return v;
}

/* ---- into force --------------------------------------------------------- */

int
cordond_stand(struct cordond *d, const struct standing *next, size_t n, bool loosen, enum device_happening what,
    const struct ctl_who *who, const char *words)
{
	uint32_t foreign = d->enforcer.foreign_changes;
	struct device_event *events;
	size_t n_events;
	int rc;

	if (n == 0)
		return 0;
	events = events_of(d, next, n, what, who, words, &n_events);
	watch_pause(d);
	rc = loosen ? enforcer_loosen(&d->enforcer, next, n) : enforcer_tighten(&d->enforcer, next, n);
	watch_resume(d);
	if (rc == 0) {
		/* The rules were put right meanwhile, or many moved: all are told. */
		if (d->enforcer.foreign_changes != foreign || n > TELL_EACH_MAX)
			tell_stations(d);
		for (size_t i = 0; n <= TELL_EACH_MAX && i < n; i++)
			tell_station(d, enforcer_index(&d->enforcer, next[i].number));
		if (events != NULL)
			cordond_events(d, events, n_events);
	}
	free(events);
	return rc;
}
