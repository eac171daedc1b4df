/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stand_ask.c -- what operators say of devices and of certificates: all of it or
 * nothing, in one transaction, with who said so. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "enforce/cordond.h"

#define UNTIL_MAX_MS (INT64_C(100) * 366 * 86400 * 1000)

/* One request, on its way. */
struct order {
	struct cordond *d;
	const struct ctl_stand *asked;
	struct ctl_who who;
	struct clock_view now;
	struct standings s;
	struct ctl_stood *answer;
};

/* Has it another certificate that is revoked, beside the one that is forgotten? */
static bool
another_revoked(const struct order *o, uint32_t number)
{
	const struct image *im = &o->d->enforcer.policy.image;
	const struct serials *s = &o->d->revocation.serials;
	const struct image_device *d = image_device(im, number);

	for (size_t i = 0; d != NULL && i < s->n; i++) {
		const struct ctl_revocation *r = &s->list[i];

		if ((r->authority != o->asked->authority || r->serial_len != o->asked->serial_len ||
		    memcmp(r->serial, o->asked->serial, r->serial_len) != 0) &&
		    (r->until == 0 || r->until > o->now.wall_ms) &&
		    device_has_serial(im, d, r->authority, r->serial, r->serial_len))
			return true;
	}
	return false;
}

/* What it makes of one device: 0, -EALREADY: nothing, or why not. */
static int
stand_one(const struct order *o, const struct standing *have, struct standing *next)
{
	const struct ctl_stand *a = o->asked;
	const struct operator_word w = {
		.way = a->what == STAND_REVOKE_SERIAL ? WAY_SERIAL : WAY_DEVICE,
		.reason = a->what == STAND_QUARANTINE ? 0 : a->reason, .until = a->until, .who = o->who, .words = a->words };
	uint32_t causes = a->causes != 0 ? a->causes : CAUSE_OPERATOR;

	switch ((enum ctl_stand_what)a->what) {
	case STAND_QUARANTINE:
	case STAND_REVOKE:
	case STAND_REVOKE_SERIAL:
		return standing_ordered(have, &w, o->d->change.boot_id, &o->now, next) ? 0 : -EALREADY;
	case STAND_RELEASE:
		if ((have->cause | have->pending) == 0)
			return -EALREADY;
		return standing_lifted(have, causes, next) ? 0 : -EPERM;
	case STAND_CONFIRM:
		return standing_confirmed(have, next) ? 0 : -EALREADY;
	case STAND_DISMISS:
		return standing_dismissed(have, next) ? 0 : -EALREADY;
	case STAND_FORGET_SERIAL:
		if ((have->ways & WAY_SERIAL) == 0 || another_revoked(o, have->number))
			return -EALREADY;
		*next = *have;
		next->ways &= ~(uint32_t)WAY_SERIAL;
		if (next->ways == 0)
			standing_lifted(have, CAUSE_OPERATOR, next);
		return 0;
	case STANDS:
		break;
	}
	return -EINVAL;
}

/* Nothing changes for some of many: those are passed over. */
static int
stand_device(struct order *o, uint32_t number)
{
	const struct standing empty = { .number = number }, *have;
	size_t index = enforcer_index(&o->d->enforcer, number);
	struct standing next, *at;
	int rc;

	if (index == SIZE_MAX)
		rc = -ENOENT;
	else if (o->s.places[index] != 0)
		return 0;	/* named twice */
	else {
		have = o->d->enforcer.standings[index];
		rc = stand_one(o, have != NULL ? have : &empty, &next);
		o->answer->causes = have != NULL ? have->cause : 0;
	}
	if (rc == -EALREADY)
		return 0;
	if (rc < 0) {
		o->answer->device = number;
		return rc;
	}
	at = standings_at(&o->s, o->d, index);
	if (next.cause != at->cause)
		next.since = o->now.wall_ms;
	*at = next;
	return 0;
}

static int
stand_numbers(struct order *o, int fd)
{
	const void *bytes;
	uint32_t number;
	size_t len;
	int rc;

	if (o->asked->n == 0 || o->asked->n > LIMIT_DEVICES)
		return -EINVAL;
	if ((rc = memfile_map(fd, LIMIT_DEVICES * sizeof(number), &bytes, &len)) < 0)
		return rc;
	if (len != o->asked->n * sizeof(number))
		rc = -EINVAL;
	if (rc == 0)
		rc = standings_init(&o->s, o->d, o->asked->n);
	for (uint32_t i = 0; rc == 0 && i < o->asked->n; i++) {
		memcpy(&number, (const uint8_t *)bytes + i * sizeof(number), sizeof(number));
		rc = stand_device(o, number);
	}
	memfile_unmap(bytes, len);
	return rc;
}

/* Whoever has that certificate now. */
static int
stand_serial(struct order *o)
{
	const struct image *im = &o->d->enforcer.policy.image;
	int rc = standings_init(&o->s, o->d, im->n[IMAGE_DEVICES]);

	if (image_authority(im, o->asked->authority) == NULL || o->asked->serial_len == 0)
		rc = -ENOENT;
	for (uint32_t i = 0; rc == 0 && i < im->n[IMAGE_DEVICES]; i++)
		if (device_has_serial(im, &im->devices[i], o->asked->authority, o->asked->serial, o->asked->serial_len))
			rc = stand_device(o, im->devices[i].number);
	return rc;
}

static bool
loosens(enum ctl_stand_what what)
{
	return what == STAND_RELEASE || what == STAND_DISMISS || what == STAND_FORGET_SERIAL;
}

static enum device_happening
happening_of(enum ctl_stand_what what)
{
	if (what == STAND_CONFIRM)
		return DEVICE_CONFIRMED;
	if (what == STAND_DISMISS)
		return DEVICE_DISMISSED;
	return loosens(what) ? DEVICE_RELEASED : DEVICE_QUARANTINED;
}

static int
note_serial(struct order *o)
{
	const struct ctl_stand *a = o->asked;
	struct ctl_revocation r = { .authority = a->authority, .serial_len = a->serial_len, .reason = a->reason,
		.since = o->now.wall_ms, .until = a->until, .who = o->who };

	memcpy(r.serial, a->serial, sizeof(r.serial));
	memcpy(r.words, a->words, sizeof(r.words));
	return serials_add(&o->d->revocation.serials, o->d->enforcer.dirfd, &r);
}

/* To tighten: the kernel, then the disk. To loosen the other way round. */
static int
act(struct order *o)
{
	const struct ctl_stand *a = o->asked;
	const bool serial = a->what == STAND_REVOKE_SERIAL || a->what == STAND_FORGET_SERIAL;
	struct serials *serials = &o->d->revocation.serials;
	int rc = 0;

	if (a->what == STAND_FORGET_SERIAL)
		rc = serials_remove(serials, o->d->enforcer.dirfd, a->authority, a->serial, a->serial_len);
	if (rc == 0 && o->s.n == 0 && !serial)
		return -EALREADY;
	if (rc == 0)
		rc = cordond_stand(o->d, o->s.list, o->s.n, loosens(a->what), happening_of(a->what), &o->who, a->words);
	if (rc == 0 && a->what == STAND_REVOKE_SERIAL)
		rc = note_serial(o);
	if (rc == 0)
		o->answer->changed = (uint32_t)o->s.n;
	/* What was overridden is told again only when it becomes something else. */
	if (rc == 0 && (a->what == STAND_RELEASE || a->what == STAND_DISMISS))
		tell_overridden(o->d);
	/* What loosens is on the disk, or was not done. */
	return rc == 0 && !loosens(a->what) && !o->d->enforcer.disk_ok ? -EIO : rc;
}

/* Text that ends, and only what can be shown; numbers that mean something. */
static int
check(struct ctl_stand *a, const struct clock_view *now)
{
	a->words[sizeof(a->words) - 1] = '\0';
	a->login[sizeof(a->login) - 1] = '\0';
	if (a->serial_len > sizeof(a->serial) || a->reason > 10 || (a->causes & ~(uint32_t)CAUSE_ALL) != 0)
		return -EINVAL;
	if (a->until != 0 && (a->until <= now->wall_ms || a->until - now->wall_ms > UNTIL_MAX_MS))
		return -ERANGE;
	while (a->serial_len > 1 && a->serial[0] == 0) {	/* as certificates have it here */
		memmove(a->serial, a->serial + 1, --a->serial_len);
		a->serial[a->serial_len] = 0;
	}
	return 0;
}

static int
stand(struct client *c, struct ctl_stand *a, int fd, struct ctl_stood *answer)
{
	struct order o = { .d = c->d, .asked = a, .answer = answer };
	int rc;

	clock_now(&o.now);
	if ((rc = check(a, &o.now)) == 0) {
		o.who = client_who(c, a->login);
		rc = a->what == STAND_REVOKE_SERIAL || a->what == STAND_FORGET_SERIAL ? stand_serial(&o) :
		    stand_numbers(&o, fd);
	}
	if (rc == 0)
		rc = act(&o);
	standings_done(&o.s);
	until_check(c->d);
	return rc;
}

void
ask_stand(struct client *c, struct ctl_stand *a, int fd)
{
	struct ctl_stood answer = { .error = 0 };
	int rc = stand(c, a, fd, &answer);

	answer.error = (uint32_t)-rc;
	client_answer(c, MSG_CTL_STOOD, &answer, sizeof(answer), -1);
}

/* ---- looking back ------------------------------------------------------- */

static void
answer_list(struct client *c, uint32_t type, const void *list, size_t n, size_t size, uint32_t damaged)
{
	struct ctl_history is = { .n = (uint32_t)n, .damaged = damaged };
	int fd = memfile_new("list"), rc = fd < 0 ? fd : file_write_all(fd, list, n * size);

	if (rc == 0)
		rc = memfile_seal(fd);
	if (rc < 0)
		client_done(c, rc);
	else
		client_answer(c, type, &is, sizeof(is), fd);
	if (fd >= 0)
		close(fd);
}

void
ask_events(struct client *c, const struct ctl_device *r)
{
	struct device_event *all = NULL;
	uint32_t damaged;
	size_t n;
	int rc = device_events_load(c->d->enforcer.dirfd, r->number, &all, &n, &damaged);

	if (rc < 0)
		client_done(c, rc);
	else
		answer_list(c, MSG_CTL_EVENTS_ARE, all, n, sizeof(*all), damaged);
	free(all);
}

void
ask_revocations(struct client *c)
{
	const struct serials *s = &c->d->revocation.serials;

	answer_list(c, MSG_CTL_REVOCATIONS_ARE, s->list, s->n, sizeof(*s->list), 0);
}

void
ask_crl_reset(struct client *c, const struct pki_reset *r)
{
	struct pki_reset m = { .source = r->source };

	if (r->source >= c->d->enforcer.policy.image.n[IMAGE_SOURCES])
		client_done(c, -ENOENT);
	else
		client_done(c, worker_send(&c->d->workers[SLOT_PKI], MSG_PKI_RESET, &m, sizeof(m), -1));
}
