/* SPDX-License-Identifier: GPL-2.0-or-later */
/* findings.c -- what one CRL, or one look at the clock, makes of the stations.
 *
 * To tighten, a verified finding is enough, but not without bound: more devices
 * than the brake allows wait for a person, all of them or none. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "enforce/cordond.h"

static bool
grow(void **list, size_t *room, size_t n, size_t size)
{
	size_t more = *room != 0 ? 2 * *room : 64;
	void *p;

	if (n < *room)
		return true;
	if ((p = reallocarray(*list, more, size)) == NULL)
		return false;
	*list = p;
	*room = more;
	return true;
}

int
findings_add(struct findings *f, const struct pki_revoke *r)
{
	void *list = f->found;

	if (!grow(&list, &f->room_found, f->n_found, sizeof(*f->found))) {
		f->lost = true;
		return -ENOMEM;
	}
	f->found = list;
	f->found[f->n_found++] = *r;
	return 0;
}

int
findings_add_clear(struct findings *f, const struct pki_clear *c)
{
	void *list = f->cleared;

	if (!grow(&list, &f->room_cleared, f->n_cleared, sizeof(*f->cleared))) {
		f->lost = true;
		return -ENOMEM;
	}
	f->cleared = list;
	f->cleared[f->n_cleared++] = *c;
	return 0;
}

void
findings_empty(struct findings *f)
{
	f->n_found = f->n_cleared = 0;
	f->lost = false;
}

void
findings_done(struct findings *f)
{
	free(f->found);
	free(f->cleared);
	memset(f, 0, sizeof(*f));
}

/* ---- what tightens ------------------------------------------------------ */

struct batch {
	struct standings s;
	uint32_t *acts;		/* causes that were not in force, parallel to the list */
	uint32_t counted;	/* devices that the brake counts */
	uint32_t critical;	/* that wait whatever it says */
	bool held;		/* by the brake, all of them */
};

static bool
authority_wants(const struct image_authority *a, enum when_stale what)
{
	return a != NULL && (a->when_stale == what || a->when_unchecked == what ||
	    (a->ocsp.devices != OCSP_OFF && a->ocsp.unknown == what));
}

/* Has the policy a word for that cause, and the device something to do with it? */
static bool
is_allowed(const struct image *im, const struct image_device *device, const struct pki_revoke *r)
{
	const struct image_authority *a = image_authority(im, r->authority);

	if (a == NULL)
		return false;
	if (r->cause == CAUSE_REVOKED)
		return true;
	for (uint32_t i = 0; i < device->certificates.n; i++)
		if (im->certificates[device->certificates.first + i].authority == r->authority)
			return authority_wants(a, r->cause == CAUSE_STALE ? WHEN_STALE_QUARANTINE : WHEN_STALE_RESTRICT);
	return false;
}

static int
gather(struct cordond *d, const struct findings *f, struct batch *b)
{
	const struct image *im = &d->enforcer.policy.image;
	int rc = standings_init(&b->s, d, f->n_found);

	if (rc < 0)
		return rc;
	if ((b->acts = calloc(f->n_found + 1, sizeof(*b->acts))) == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < f->n_found; i++) {
		const struct pki_revoke *r = &f->found[i];
		size_t index = enforcer_index(&d->enforcer, r->device);
		struct standing *at, next;

		if (index == SIZE_MAX || !is_allowed(im, &im->devices[index], r))
			continue;
		at = standings_at(&b->s, d, index);
		switch (standing_found(at, r, &next)) {
		case FOUND_NOTHING:
			continue;
		case FOUND_ACTS:
			b->acts[at - b->s.list] |= r->cause;
			break;
		case FOUND_MORE:
			break;
		}
		*at = next;
	}
	return 0;
}

/* Who came with a policy and had no access yet loses none. */
static bool
had_access(const struct enforcer *e, size_t index)
{
	return e->standings[index] == NULL || (e->standings[index]->cause & CAUSE_NEW) == 0;
}

static void
judge(struct cordond *d, struct batch *b, const struct clock_view *now)
{
	const struct enforcer *e = &d->enforcer;
	const struct image_appliance *a = e->policy.image.appliance;

	for (size_t i = 0; i < b->s.n; i++) {
		size_t index = enforcer_index(e, b->s.list[i].number);
		const struct image_device *device = &e->policy.image.devices[index];
		struct station st = e->stations[index];

		/* To restrict is no quarantine: the administrator said where to. */
		if ((b->acts[i] & CAUSE_QUARANTINE) == 0 || !had_access(e, index))
			continue;
		if (device->flags & DEVICE_CRITICAL) {
			standing_wait(&b->s.list[i], b->acts[i] & CAUSE_QUARANTINE);
			b->critical++;
		} else if (station_place(&e->policy.image, device, &b->s.list[i], &st)) {
			b->counted++;
		}
	}
	b->held = brake_holds(&d->revocation.brake, a->brake_devices, a->brake_within_s, b->counted, now);
	for (size_t i = 0; i < b->s.n; i++) {
		struct standing *s = &b->s.list[i];
		size_t index = enforcer_index(e, s->number);

		if (b->held && had_access(e, index))
			standing_wait(s, b->acts[i] & CAUSE_QUARANTINE);
		if (b->acts[i] != 0 && (e->standings[index] == NULL || (s->cause & b->acts[i]) != 0 ||
		    (e->standings[index]->cause | e->standings[index]->pending) == 0))
			s->since = now->wall_ms;
	}
}

/* Only those for whom something changes. */
static void
drop_unchanged(const struct enforcer *e, struct batch *b)
{
	size_t kept = 0;

	for (size_t i = 0; i < b->s.n; i++) {
		const struct standing *have = e->standings[enforcer_index(e, b->s.list[i].number)];

		if (have == NULL ? !standing_says(&b->s.list[i]) : memcmp(have, &b->s.list[i], sizeof(*have)) == 0)
			continue;
		b->acts[kept] = b->acts[i];
		b->s.list[kept++] = b->s.list[i];
	}
	b->s.n = kept;
}

static void
tell_batch(const struct batch *b, uint32_t in_force, int64_t received_at, const struct clock_view *now)
{
	uint32_t waiting = 0;

	for (size_t i = 0; i < b->s.n; i++)
		waiting += (b->s.list[i].pending & b->acts[i]) != 0;
	if (in_force > 0)
		log_warn(0, "%u device(s) quarantined or restricted: revoked, or nothing fresh is known of them "
		    "(%lld ms after the CRL had come)", in_force,
		    (long long)(received_at != 0 ? now->wall_ms - received_at : 0));
	if (waiting > 0)
		log_warn(0, "PENDING: %u device(s) would be quarantined or restricted (%u critical)%s: see "
		    "`cordonctl pending list'", waiting, b->critical,
		    b->held ? ", more than the brake allows" : "");
}

static int
tighten(struct cordond *d, const struct findings *f, int64_t received_at)
{
	const struct image_appliance *a = d->enforcer.policy.image.appliance;
	struct batch b = { .held = false };
	struct clock_view now;
	uint32_t in_force = 0;
	int rc = gather(d, f, &b), disk;

	clock_now(&now);
	if (rc == 0) {
		judge(d, &b, &now);
		drop_unchanged(&d->enforcer, &b);
		for (size_t i = 0; i < b.s.n; i++)
			in_force += (b.s.list[i].cause & b.acts[i]) != 0;
		rc = cordond_stand(d, b.s.list, b.s.n, false, DEVICE_QUARANTINED, NULL, NULL);
	}
	if (rc == 0) {
		if (!b.held && (disk = brake_note(&d->revocation.brake, d->enforcer.dirfd, a->brake_within_s,
		    b.counted, &now)) < 0)
			log_error(disk, "what the brake counts cannot be written down");
		clock_now(&now);
		tell_batch(&b, in_force, received_at, &now);
	}
	free(b.acts);
	standings_done(&b.s);
	return rc;
}

/* ---- what loosens ------------------------------------------------------- */

/* What is named by the same CRL is not gone: the causes, by index in the image. */
static uint32_t *
causes_found(const struct enforcer *e, const struct findings *f)
{
	uint32_t *causes = calloc((size_t)e->policy.image.n[IMAGE_DEVICES] + 1, sizeof(*causes));

	for (size_t i = 0; causes != NULL && i < f->n_found; i++) {
		size_t index = enforcer_index(e, f->found[i].device);

		if (index != SIZE_MAX)
			causes[index] |= f->found[i].cause;
	}
	return causes;
}

/* May that cause of the standing end? *next is what is left then. */
static bool
ends(const struct image *im, const struct standing *have, const struct pki_clear *c, struct standing *next)
{
	const struct image_authority *a = image_authority(im, c->authority);

	if (c->cause == CAUSE_REVOKED && a == NULL)
		return false;
	return standing_cleared(have, c, a != NULL && (a->flags & AUTHORITY_HOLD_MANUAL) != 0, next);
}

static int
loosen(struct cordond *d, const struct findings *f)
{
	const struct enforcer *e = &d->enforcer;
	uint32_t *found = causes_found(e, f);
	struct standings s;
	struct clock_view now;
	int rc = standings_init(&s, d, f->n_cleared);

	if (found == NULL)
		rc = -ENOMEM;
	clock_now(&now);
	for (size_t i = 0; rc == 0 && i < f->n_cleared; i++) {
		size_t index = enforcer_index(e, f->cleared[i].device);
		struct standing next, *at;

		if (index == SIZE_MAX || e->standings[index] == NULL || (found[index] & f->cleared[i].cause) != 0)
			continue;
		if (!ends(&e->policy.image, s.places[index] != 0 ? &s.list[s.places[index] - 1] : e->standings[index],
		    &f->cleared[i], &next))
			continue;
		at = standings_at(&s, d, index);
		if (next.cause != at->cause)
			next.since = now.wall_ms;
		*at = next;
	}
	if (rc == 0)
		rc = cordond_stand(d, s.list, s.n, true, DEVICE_RELEASED, NULL, NULL);
	if (rc == 0 && s.n > 0)
		log_warn(0, "%zu device(s): a cause of their quarantine, or of waiting for it, is no more", s.n);
	standings_done(&s);
	free(found);
	return rc;
}

int
findings_act(struct cordond *d, const struct findings *f, int64_t received_at)
{
	int rc = f->n_found > 0 ? tighten(d, f, received_at) : 0;

	return rc == 0 && f->n_cleared > 0 ? loosen(d, f) : rc;
}
