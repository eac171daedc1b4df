/* SPDX-License-Identifier: GPL-2.0-or-later */
/* until.c -- a quarantine that an operator gave an end ends by itself. No other does. */
#include <errno.h>

#include "common/clock.h"
#include "common/log.h"
#include "enforce/cordond.h"

#define LOOK_MS	60000	/* at least so often: the wall clock may have been set */
#define AGAIN_MS 5000	/* the disk refused */

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	until_check(arg);
}

void
until_begin(struct cordond *d)
{
	struct clock_view now;

	clock_now(&now);
	for (uint32_t i = 0; i < d->enforcer.policy.image.n[IMAGE_DEVICES]; i++)
		if (d->enforcer.standings[i] != NULL)
			standing_anchor(d->enforcer.standings[i], d->change.boot_id, &now);
	until_check(d);
}

/* Those that have ended, and *next: milliseconds until another one does. */
static int
ended(struct cordond *d, const struct clock_view *now, struct standings *s, int64_t *next)
{
	struct enforcer *e = &d->enforcer;
	uint32_t n = e->policy.image.n[IMAGE_DEVICES];
	int rc = standings_init(s, d, n);

	*next = INT64_MAX;
	for (uint32_t i = 0; rc == 0 && i < n; i++) {
		int64_t left = e->standings[i] != NULL ? standing_left(e->standings[i], d->change.boot_id, now) : -1;
		struct standing out, *at;

		if (left > 0 && left < *next)
			*next = left;
		if (left != 0 || !standing_lifted(e->standings[i], CAUSE_OPERATOR, &out))
			continue;
		at = standings_at(s, d, i);
		*at = out;
		at->since = now->wall_ms;
	}
	return rc;
}

void
until_check(struct cordond *d)
{
	struct standings s;
	struct clock_view now;
	struct timeval tv;
	int64_t next;
	int rc;

	clock_now(&now);
	if ((rc = ended(d, &now, &s, &next)) == 0)
		rc = cordond_stand(d, s.list, s.n, true, DEVICE_RELEASED, NULL, "its time has ended");
	if (rc == 0 && s.n > 0)
		log_info("%zu device(s): the time that an operator gave their quarantine has ended", s.n);
	standings_done(&s);
	if (rc < 0) {
		log_error(rc, "a quarantine whose time has ended could not be lifted: it is tried again");
		next = AGAIN_MS;
	}
	if (next == INT64_MAX)
		return;
	if (next > LOOK_MS)
		next = LOOK_MS;
	if (d->revocation.until_timer == NULL)
		d->revocation.until_timer = evtimer_new(d->base, on_timer, d);
	tv = (struct timeval){ next / 1000, (next % 1000) * 1000 };
	if (d->revocation.until_timer != NULL)
		evtimer_add(d->revocation.until_timer, &tv);
}
