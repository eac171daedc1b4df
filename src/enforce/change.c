/* SPDX-License-Identifier: GPL-2.0-or-later */
/* change.c -- a policy comes into force, for good or until somebody confirms it.
 *
 * For the second there are two clocks beside the file: ours, and cordon-spawn's,
 * which ends us when ours does not act. Whoever starts then finds the file. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "enforce/change_parts.h"
#include "enforce/history.h"
#include "enforce/lockout.h"

#define LOADING_MS	60000	/* for the kernel to take a policy, or the one before again */
#define AGAIN_MS	1000	/* between two tries to go back */

const struct ctl_who change_nobody = { .uid = CTL_NOBODY };

/* ---- the clocks --------------------------------------------------------- */

int
change_arm(struct cordond *d, uint32_t ms)
{
	struct spawn_arm m = { .ms = ms };

	return ipc_send_wait(&d->spawn, MSG_SPAWN_ARM, 0, &m, sizeof(m), -1, SEND_WAIT_MS);
}

static void
disarm(struct cordond *d)
{
	struct spawn_disarm m = { 0 };

	ipc_send_wait(&d->spawn, MSG_SPAWN_DISARM, 0, &m, sizeof(m), -1, SEND_WAIT_MS);
}

void
change_set_timer(struct cordond *d, uint32_t ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	evtimer_add(d->change.timer, &tv);
}

uint32_t
change_left(const struct cordond *d)
{
	struct clock_view now;

	if (d->change.waits.revision == 0)
		return 0;
	clock_now(&now);
	return pending_left(&d->change.waits, d->change.boot_id, now.boot_ms);
}

void
change_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct cordond *d = arg;
	uint32_t left = change_left(d);

	(void)fd;
	(void)what;
	if (left > 0)
		change_set_timer(d, left);
	else if (d->change.waits.revision != 0)
		change_revert(d, WHY_DEADLINE, &change_nobody, NULL);
}

void
change_settled(struct cordond *d)
{
	int rc;

	if ((rc = pending_remove(d->enforcer.dirfd)) < 0)
		log_error(rc, "the note on the confirmed or reverted policy cannot be removed");
	d->change.waits.revision = 0;
	d->change.reverting = false;
	evtimer_del(d->change.timer);
	disarm(d);
}

/* ---- what is written down ----------------------------------------------- */

int
change_record(struct cordond *d, struct history_entry *h)
{
	struct clock_view now;
	int rc;

	clock_now(&now);
	h->at = now.wall_ms;
	h->revision = d->enforcer.policy.revision;
	if (h->what != HISTORY_BOOT && h->what != HISTORY_RESTORED)
		d->change.last = *h;
	if ((rc = history_append(d->enforcer.dirfd, h)) < 0)
		log_error(rc, "the history of the policy cannot be written");
	return rc;
}

void
change_waits(const struct cordond *d, struct ctl_waits *out)
{
	const struct change *c = &d->change;

	*out = (struct ctl_waits){ .revision = 0 };
	if (c->waits.revision != 0)
		*out = (struct ctl_waits){ c->waits.revision, c->waits.before, c->waits.since, change_left(d),
			c->waits.confirm_s, c->waits.who };
	else if (c->compiling)
		*out = (struct ctl_waits){ .since = c->since, .confirm_s = c->order.confirm_s, .who = c->who };
}

uint64_t
change_next_revision(struct cordond *d)
{
	uint64_t image = 0, trial = 0, highest = d->enforcer.policy.revision;

	policy_store_newest(d->enforcer.dirfd, &image, &trial);
	if (image > highest)
		highest = image;
	return (trial > highest ? trial : highest) + 1;
}

/* ---- into force --------------------------------------------------------- */

struct before {
	struct cordond *d;
	const struct change_order *order;
	struct pending pending;
	bool noted;
	bool locks_out;
};

/* From now on. */
static int
note_deadline(struct cordond *d, struct pending *p)
{
	struct clock_view now;

	clock_now(&now);
	p->since = now.wall_ms;
	p->until = now.wall_ms + p->confirm_s * INT64_C(1000);
	p->until_boot = now.boot_ms + p->confirm_s * INT64_C(1000);
	return pending_write(d->enforcer.dirfd, p);
}

/* The image is sound and nothing has changed yet: what must stand before it does? */
static int
before_change(void *arg, const struct ruleset *next)
{
	struct before *b = arg;
	const struct ctl_apply *asked = b->order->asked;
	int rc;

	if ((asked->flags & CTL_FORCE) == 0 && would_drop(next, &asked->from)) {
		b->locks_out = true;
		return -ECONNREFUSED;
	}
	if (asked->confirm_s == 0)
		return 0;
	b->noted = true;
	if ((rc = note_deadline(b->d, &b->pending)) < 0)
		return rc;
	return change_arm(b->d, asked->confirm_s * 1000 + LOADING_MS);
}

static void
into_force(struct cordond *d, struct before *b, const struct apply_report *r)
{
	const struct change_order *o = b->order;
	struct history_entry h = { .other = o->other, .what = o->what, .added = r->added, .removed = r->removed,
		.renewed = r->renewed, .confirm_s = o->asked->confirm_s,
		.forced = (o->asked->flags & CTL_FORCE) != 0, .who = o->who };

	if (o->asked->confirm_s > 0) {
		/* The time that loading took is not the operator's. */
		note_deadline(d, &b->pending);
		change_arm(d, o->asked->confirm_s * 1000 + GRACE_MS);
		d->change.waits = b->pending;
		change_set_timer(d, change_left(d));
		log_warn(0, "revision %llu is left again in %u s unless it is confirmed",
		    (unsigned long long)b->pending.revision, o->asked->confirm_s);
	}
	change_record(d, &h);
}

static void
fill_applied(struct ctl_applied *a, const struct apply_report *r)
{
	a->added = r->added;
	a->removed = r->removed;
	a->renewed = r->renewed;
	a->microseconds = r->microseconds;
	a->all_microseconds = r->all_microseconds;
	a->unstaged = r->unstaged;
}

void
change_load(struct cordond *d, int image_fd, const struct change_order *o, struct ctl_applied *a)
{
	struct before b = { .d = d, .order = o };
	struct apply_order order = { .image_fd = image_fd, .revision = d->change.revision,
		.trial = o->asked->confirm_s > 0, .stored = o->what == HISTORY_ROLLED_BACK,
		.before = before_change, .before_arg = &b };
	struct lookup *l = &d->revocation.lookup;
	struct standing *starts = NULL;
	struct apply_report report = { .added = 0 };
	int rc = 0;

	b.pending = (struct pending){ .revision = order.revision, .before = d->enforcer.policy.revision,
		.confirm_s = o->asked->confirm_s, .forced = (o->asked->flags & CTL_FORCE) != 0, .who = o->who };
	memcpy(b.pending.boot_id, d->change.boot_id, BOOT_ID_LEN);
	if (order.trial && !d->change.has_boot_id) {
		a->error = ENOTSUP;
		return;
	}
	if (l->candidate.data != NULL)
		rc = lookup_starts(d, &l->candidate.image, l->answered, &starts, &order.n_starts);
	order.starts = starts;
	if (rc == 0)
		rc = cordond_apply(d, &order, &o->who, &report);
	free(starts);
	fill_applied(a, &report);
	if (rc == 0) {
		into_force(d, &b, &report);
		return;
	}
	if (b.noted)
		change_settled(d);
	if (b.locks_out) {
		a->refusal = REFUSAL_LOCKOUT;
		return;
	}
	a->error = (uint32_t)-rc;
	memcpy(d->change.refused, report.refused, sizeof(d->change.refused));
	log_warn(rc, "the policy was not applied (%s), the old one stays",
	    report.why != NULL ? report.why : report.refused[0] != '\0' ? report.refused : "nothing was changed");
}

/* ---- back --------------------------------------------------------------- */

const char *
change_why_text(enum history_why why)
{
	static const char *const texts[HISTORY_WHYS] = {
		[WHY_DEADLINE] = "nobody confirmed it in time",
		[WHY_BOOT] = "the machine started anew before it was confirmed",
		[WHY_DAMAGED] = "what was known of its deadline is damaged or gone",
		[WHY_ASKED] = "an operator asked for it",
	};

	return texts[why] != NULL ? texts[why] : "it was not confirmed";
}

/* The newest image on the disk was confirmed, or never had to be. */
static int
load_before(struct cordond *d, struct loaded_policy *out)
{
	struct loaded_policy before;
	uint32_t passed_over;
	int rc = policy_store_load(d->enforcer.dirfd, &before, &passed_over);

	if (rc < 0)
		return rc;
	rc = policy_store_again(&before, &d->enforcer.policy.image, change_next_revision(d), out);
	loaded_policy_done(&before);
	return rc;
}

int
change_revert(struct cordond *d, enum history_why why, const struct ctl_who *who, struct ctl_applied *a)
{
	struct history_entry h = { .other = d->change.waits.revision, .what = HISTORY_REVERTED, .why = why,
		.confirm_s = d->change.waits.confirm_s, .who = *who };
	struct apply_order order = { .stored = true, .despite_disk = true };
	struct loaded_policy before = { .fd = -1 };
	struct apply_report report = { .added = 0 };
	struct standing *starts = NULL;
	int rc;

	if (!d->change.reverting)	/* once: if it goes on failing, another cordond shall try */
		change_arm(d, LOADING_MS);
	d->change.reverting = true;
	if ((rc = load_before(d, &before)) == 0) {
		order.image_fd = before.fd;
		order.revision = before.revision;
		/* It waits for nobody: who comes back is looked up afterwards. */
		if ((rc = lookup_starts(d, &before.image, false, &starts, &order.n_starts)) == 0) {
			order.starts = starts;
			rc = cordond_apply(d, &order, who, &report);
		}
		free(starts);
		loaded_policy_done(&before);
	}
	if (rc < 0) {
		log_error(rc, "revision %llu cannot be left: it is tried again", (unsigned long long)h.other);
		change_set_timer(d, AGAIN_MS);
		return rc;
	}
	if (report.not_saved != 0)
		log_error(report.not_saved, "the policy is in force and could not be written down");
	if (a != NULL)
		fill_applied(a, &report);
	h.added = report.added;
	h.removed = report.removed;
	h.renewed = report.renewed;
	log_warn(0, "REVERTED: revision %llu was left, %s; revision %llu holds what ran before",
	    (unsigned long long)h.other, change_why_text(why), (unsigned long long)d->enforcer.policy.revision);
	change_record(d, &h);
	change_settled(d);
	return 0;
}

int
change_confirm(struct cordond *d, const struct ctl_who *who)
{
	struct history_entry h = { .what = HISTORY_CONFIRMED, .confirm_s = d->change.waits.confirm_s, .who = *who };
	int rc = policy_store_keep(d->enforcer.dirfd, d->change.waits.revision);

	if (rc < 0)
		return rc;
	log_info("revision %llu is confirmed", (unsigned long long)d->change.waits.revision);
	change_record(d, &h);
	change_settled(d);
	return 0;
}
