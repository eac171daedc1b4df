/* SPDX-License-Identifier: GPL-2.0-or-later */
/* change_ask.c -- what operators ask about the policy: apply, rollback, confirm,
 * history. One change at a time; whoever comes second is told who was first. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "enforce/cordond.h"
#include "enforce/history.h"

struct ctl_who
client_who(const struct client *c, const char login[CTL_LOGIN + 4])
{
	struct ctl_who who = { .uid = CTL_NOBODY };
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(c->ipc.fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0)
		who.uid = peer.uid;
	for (size_t i = 0; i + 1 < sizeof(who.login) && login[i] != '\0'; i++)
		who.login[i] = isgraph((unsigned char)login[i]) ? login[i] : '?';
	return who;
}

static int
text_file(const char *text)
{
	int fd = memfile_new("lines"), rc;

	if (fd < 0)
		return fd;
	if ((rc = file_write_all(fd, text, strlen(text))) < 0 || (rc = memfile_seal(fd)) < 0) {
		close(fd);
		return rc;
	}
	return fd;
}

static void
fill_running(const struct cordond *d, struct ctl_applied *a)
{
	a->revision = d->enforcer.policy.revision;
	a->devices = d->enforcer.policy.image.n[IMAGE_DEVICES];
	a->classes = d->enforcer.policy.image.n[IMAGE_CLASSES] - 1;	/* quarantine is nobody's */
	change_waits(d, &a->waits);
}

/* What the kernel did not take, once. */
static int
refused_file(struct cordond *d)
{
	int fd = text_file(d->change.refused);

	d->change.refused[0] = '\0';
	return fd;
}

static void
answer_applied(struct client *c, struct ctl_applied *a)
{
	int fd = refused_file(c->d);

	fill_running(c->d, a);
	client_answer(c, MSG_CTL_APPLIED, a, sizeof(*a), fd);
	if (fd >= 0)
		close(fd);
}

static enum ctl_refusal
in_the_way(const struct cordond *d)
{
	return d->change.compiling ? REFUSAL_BUSY : d->change.waits.revision != 0 ? REFUSAL_WAITS : REFUSAL_NONE;
}

/* ---- apply -------------------------------------------------------------- */

static int
begin(struct cordond *d, const struct ctl_apply *order, const struct ctl_who *who)
{
	struct clock_view now;
	int rc;

	clock_now(&now);
	d->change.compiling = true;
	d->change.order = *order;
	d->change.who = *who;
	d->change.since = now.wall_ms;
	if ((rc = compile_start(d)) < 0)
		d->change.compiling = false;
	return rc;
}

/* Its answer comes by control_applied: now, or when the devices are looked up. */
static void
waits_for_change(struct client *c, const struct ctl_apply *asked)
{
	c->waits_apply = true;
	c->tell = (asked->flags & CTL_TELL) != 0;
}

/* Exactly the image that stands staged, under numbers that count on. true: it is on
 * its way, and *a is not. */
static bool
apply_staged(struct client *c, const struct ctl_apply *asked, const struct ctl_who *who, struct ctl_applied *a)
{
	struct change_order order = { .asked = asked, .who = *who, .what = HISTORY_APPLIED };
	struct cordond *d = c->d;
	struct loaded_policy again;
	int rc;

	if (d->enforcer.staged.data == NULL) {
		a->refusal = REFUSAL_NOTHING_STAGED;
		return false;
	}
	rc = policy_store_again(&d->enforcer.staged, &d->enforcer.policy.image, change_next_revision(d), &again);
	if (rc < 0) {
		a->error = (uint32_t)-rc;
		return false;
	}
	waits_for_change(c, asked);
	change_look(d, again.fd, &order);
	loaded_policy_done(&again);
	return true;
}

void
ask_apply(struct client *c, const struct ctl_apply *order)
{
	struct ctl_applied a = { .refusal = in_the_way(c->d) };
	struct ctl_who who = client_who(c, order->login);
	int rc;

	if (a.refusal == REFUSAL_NONE && order->confirm_s > LIMIT_CONFIRM_SECONDS)
		a.error = ERANGE;
	if (a.refusal == REFUSAL_NONE && (order->flags & CTL_STAGE) && order->confirm_s != 0)
		a.error = EINVAL;
	if (a.refusal == REFUSAL_NONE && a.error == 0 && (order->flags & CTL_FROM_STAGED)) {
		if (!apply_staged(c, order, &who, &a))
			answer_applied(c, &a);
		return;
	}
	if (a.refusal != REFUSAL_NONE || a.error != 0) {
		answer_applied(c, &a);
		return;
	}
	waits_for_change(c, order);	/* first: it may be answered before compile_start returns */
	control_progress(c->d, STEP_COMPILE);
	if ((rc = begin(c->d, order, &who)) < 0) {
		c->waits_apply = false;
		client_done(c, rc);
	}
}

void
change_reload(struct cordond *d)
{
	const struct ctl_who who = { .uid = CTL_NOBODY, .login = "reload" };
	const struct ctl_apply order = { .confirm_s = 0 };
	int rc = -EBUSY;

	if (in_the_way(d) != REFUSAL_NONE || (rc = begin(d, &order, &who)) < 0)
		log_warn(rc, "the policy is not applied: another change is under way or waits for its confirmation");
}

static void
finished(struct cordond *d, struct ctl_applied *a, int text_fd)
{
	int empty = -1;

	d->change.compiling = false;
	fill_running(d, a);
	if (text_fd == -1)
		text_fd = empty = refused_file(d);
	control_applied(d, a, text_fd);
	if (empty >= 0)
		close(empty);
}

void
change_compiled(struct cordond *d, int fd, uint32_t mistakes)
{
	struct change_order order = { .asked = &d->change.order, .who = d->change.who, .what = HISTORY_APPLIED };
	struct ctl_applied a = { .mistakes = mistakes };

	if (mistakes == 0 && (d->change.order.flags & CTL_STAGE) == 0) {
		change_look(d, fd, &order);
		return;
	}
	if (mistakes == 0) {
		control_progress(d, STEP_LOAD);
		stage_load(d, fd, &d->change.who, &a);
	}
	finished(d, &a, mistakes != 0 ? fd : -1);
}

void
change_look(struct cordond *d, int image_fd, const struct change_order *o)
{
	struct change *c = &d->change;
	struct clock_view now;
	uint64_t next = change_next_revision(d);

	clock_now(&now);
	c->compiling = true;
	c->since = now.wall_ms;
	if (o->asked != &c->order)
		c->order = *o->asked;
	c->who = o->who;
	c->what = o->what;
	c->other = o->other;
	c->revision = next > d->revocation.lookup.burnt ? next : d->revocation.lookup.burnt + 1;
	c->fd = fcntl(image_fd, F_DUPFD_CLOEXEC, 0);
	if (c->fd >= 0 && lookup_begin(d, c->fd, c->revision) == 1)
		control_progress(d, STEP_LOOKUP);
	else	/* nobody is new, or it is no image: that will be said */
		change_go_on(d);
}

void
change_go_on(struct cordond *d)
{
	struct change *c = &d->change;
	struct change_order order = { .asked = &c->order, .who = c->who, .what = c->what, .other = c->other };
	struct ctl_applied a = { .from = c->other };

	control_progress(d, STEP_LOAD);
	if (c->fd < 0)
		a.error = EMFILE;
	else
		change_load(d, c->fd, &order, &a);
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	lookup_end(d, a.error == 0 && a.refusal == REFUSAL_NONE);
	finished(d, &a, -1);
}

void
change_failed(struct cordond *d)
{
	struct ctl_applied a = { .error = EIO };

	finished(d, &a, -1);
}

/* ---- back, and yes ------------------------------------------------------ */

/* true: it is on its way, and *a is not. */
static bool
load_stored(struct client *c, uint64_t revision, const struct change_order *order, struct ctl_applied *a)
{
	struct cordond *d = c->d;
	struct loaded_policy stored, again;
	int rc = policy_store_read(d->enforcer.dirfd, revision, &stored);

	if (rc == -ENOENT) {
		a->refusal = REFUSAL_NO_REVISION;
		return false;
	}
	if (rc == 0) {
		rc = policy_store_again(&stored, &d->enforcer.policy.image, change_next_revision(d), &again);
		loaded_policy_done(&stored);
	}
	if (rc < 0) {
		a->error = (uint32_t)-rc;
		return false;
	}
	waits_for_change(c, order->asked);
	change_look(d, again.fd, order);
	loaded_policy_done(&again);
	return true;
}

void
ask_rollback(struct client *c, const struct ctl_apply *asked)
{
	struct cordond *d = c->d;
	struct ctl_applied a = { .refusal = in_the_way(d), .from = asked->revision };
	struct change_order order = { .asked = asked, .who = client_who(c, asked->login), .what = HISTORY_ROLLED_BACK };
	int rc;

	/* Back from the policy that waits: that is what going back means now. */
	if (a.refusal == REFUSAL_WAITS && asked->revision == 0 && asked->confirm_s == 0) {
		a.refusal = REFUSAL_NONE;
		a.from = d->change.waits.before;
		if ((rc = change_revert(d, WHY_ASKED, &order.who, &a)) < 0)
			a.error = (uint32_t)-rc;
	} else if (a.refusal == REFUSAL_NONE) {
		if (asked->confirm_s > LIMIT_CONFIRM_SECONDS)
			a.error = ERANGE;
		else if (asked->revision == d->enforcer.policy.revision)
			a.error = EALREADY;
		else if (asked->revision == 0 && (a.from = policy_store_before(d->enforcer.dirfd,
		    &d->enforcer.policy)) == 0)
			a.refusal = REFUSAL_NO_REVISION;
		order.other = a.from;
		if (a.error == 0 && a.refusal == REFUSAL_NONE && load_stored(c, a.from, &order, &a))
			return;
	}
	answer_applied(c, &a);
}

void
ask_confirm(struct client *c, const struct ctl_confirm *m)
{
	struct ctl_confirmed done = { .error = 0 };
	struct ctl_who who = client_who(c, m->login);
	int rc;

	change_waits(c->d, &done.waits);
	if (c->d->change.waits.revision == 0 || done.waits.left_ms == 0)
		done.refusal = REFUSAL_NOTHING_WAITS;
	else if ((rc = change_confirm(c->d, &who)) < 0)
		done.error = (uint32_t)-rc;
	client_answer(c, MSG_CTL_CONFIRMED, &done, sizeof(done), -1);
}

/* ---- looking back ------------------------------------------------------- */

void
ask_history(struct client *c)
{
	struct ctl_history is = { .n = 0 };
	struct history_entry *all = NULL;
	size_t n = 0;
	int rc = history_load(c->d->enforcer.dirfd, &all, &n, &is.damaged), fd = -1;

	if (rc == 0 && (rc = fd = memfile_new("history")) >= 0 &&
	    (rc = file_write_all(fd, all, n * sizeof(*all))) == 0)
		rc = memfile_seal(fd);
	is.n = (uint32_t)n;
	if (rc < 0)
		client_done(c, rc);
	else
		client_answer(c, MSG_CTL_HISTORY_IS, &is, sizeof(is), fd);
	if (fd >= 0)
		close(fd);
	free(all);
}

void
ask_stored(struct client *c, const struct image_ref *ref)
{
	struct loaded_policy stored;
	int rc = policy_store_read(c->d->enforcer.dirfd, ref->revision, &stored);

	if (rc < 0) {
		client_done(c, rc);
		return;
	}
	client_answer(c, MSG_IMAGE, ref, sizeof(*ref), stored.fd);
	loaded_policy_done(&stored);
}
