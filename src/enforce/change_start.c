/* SPDX-License-Identifier: GPL-2.0-or-later */
/* change_start.c -- what a start found of a change goes on, and what happened while
 * nobody was there is written down. */
#include <errno.h>
#include <stdlib.h>

#include "common/log.h"
#include "enforce/change_parts.h"
#include "enforce/history.h"

/* The last change, for the status; a start and a repair are none. */
static void
find_last(struct cordond *d)
{
	struct history_entry *all;
	uint32_t damaged;
	size_t n;

	if (history_load(d->enforcer.dirfd, &all, &n, &damaged) < 0)
		return;
	if (damaged > 0)
		log_warn(0, "%u damaged record(s) in the history of the policy passed over", damaged);
	while (n > 0 && (all[n - 1].what == HISTORY_BOOT || all[n - 1].what == HISTORY_RESTORED))
		n--;
	d->change.last = n > 0 ? all[n - 1] : (struct history_entry){ .what = 0 };
	free(all);
}

static void
record_start(struct cordond *d, const struct start_report *r)
{
	struct history_entry h = { .what = HISTORY_BOOT, .who = change_nobody,
		.why = r->adopted && !r->caught_up ? WHY_ADOPTED : r->adopted || r->rebuilt ? WHY_REBUILT :
		    WHY_LOADED };

	change_record(d, &h);
}

/* A change that ended while nobody was there to write it down. */
static void
record_trial(struct cordond *d, const struct trial *t)
{
	struct history_entry h = { .who = change_nobody, .confirm_s = t->known ? t->pending.confirm_s : 0 };

	if (t->state == TRIAL_CONFIRMED) {
		h.what = HISTORY_CONFIRMED;
	} else {
		h.what = HISTORY_REVERTED;
		h.why = t->why;
		h.other = t->given_up;
		log_warn(0, "REVERTED: revision %llu was left, %s; revision %llu holds what ran before",
		    (unsigned long long)t->given_up, change_why_text(t->why),
		    (unsigned long long)d->enforcer.policy.revision);
	}
	if (t->not_saved != 0)
		log_error(t->not_saved, "the policy is in force and could not be written down");
	change_record(d, &h);
}

/* A crash came between the kernel and the history: the policy in force is newer
 * than all that is written down. */
static void
record_unwritten(struct cordond *d)
{
	const struct pending *p = &d->change.waits;
	struct history_entry h = { .what = HISTORY_APPLIED, .who = change_nobody };

	if (d->change.last.what == 0 || d->change.last.revision >= d->enforcer.policy.revision)
		return;
	if (p->revision == d->enforcer.policy.revision) {
		h.who = p->who;
		h.confirm_s = p->confirm_s;
		h.forced = p->forced;
	}
	change_record(d, &h);
}

int
change_init(struct cordond *d, const struct trial *t, const struct start_report *r)
{
	struct spawn_loaded loaded = { 0 };
	uint32_t left = 0;

	if ((d->change.timer = evtimer_new(d->base, change_on_timer, d)) == NULL)
		return -ENOMEM;
	find_last(d);
	if (t->state == TRIAL_WAITS && d->enforcer.policy.revision == t->pending.revision) {
		d->change.waits = t->pending;
		left = change_left(d);
		change_arm(d, left + GRACE_MS);
		change_set_timer(d, left);
		log_warn(0, "revision %llu is left again in %u s unless it is confirmed",
		    (unsigned long long)t->pending.revision, left / 1000);
	} else {
		if (t->state != TRIAL_NONE)
			record_trial(d, t);
		change_settled(d);
	}
	record_unwritten(d);
	record_start(d, r);
	return ipc_send_wait(&d->spawn, MSG_SPAWN_LOADED, 0, &loaded, sizeof(loaded), -1, SEND_WAIT_MS);
}

void
change_done(struct cordond *d)
{
	if (d->change.timer != NULL)
		event_free(d->change.timer);
}

void
change_tick(struct cordond *d)
{
	struct history_entry h = { .what = HISTORY_RESTORED, .who = change_nobody };

	if (d->change.foreign_noted != d->enforcer.foreign_changes) {
		d->change.foreign_noted = d->enforcer.foreign_changes;
		change_record(d, &h);
	}
	if (d->change.waits.revision != 0 && change_left(d) == 0)
		change_on_timer(-1, 0, d);
}
