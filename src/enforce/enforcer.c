/* SPDX-License-Identifier: GPL-2.0-or-later */
/* enforcer.c -- one transaction per change, and what is kept about it. */
#include "enforce/enforcer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enforce/conntrack.h"
#include "enforce/nft_batch.h"
#include "enforce/parts.h"

struct ruleset
enforcer_ruleset(const struct enforcer *e)
{
	return (struct ruleset){ .image = &e->policy.image, .stations = e->stations, .features = e->features,
	    .absent = e->absent, .candidate = e->staged.data != NULL ? &e->staged.image : NULL };
}

void
enforcer_policy_changed(struct enforcer *e)
{
	e->absent = ruleset_make(&e->policy.image, NULL, e->features).absent;
}

size_t
enforcer_index(const struct enforcer *e, uint32_t number)
{
	const struct image_device *d = image_device(&e->policy.image, number);

	return d == NULL ? SIZE_MAX : (size_t)(d - e->policy.image.devices);
}

struct nft_batch *
enforcer_batch(struct enforcer *e, const struct image *image)
{
	return nft_batch_new(RULESET_TABLE, ++e->owner.seq, image->appliance->hook_priority,
	    ruleset_capacity(image));
}

int
enforcer_forget_last_mark(struct enforcer *e, uint32_t number)
{
	return conntrack_forget(&e->reader, number << 8 | 255, UINT32_MAX);
}

int
enforcer_restored(struct enforcer *e, int rc)
{
	char where[SET_NAMELEN];
	bool differed, unknown;

	if (rc == -ENOMEM || rc == -EPERM || rc == -EMSGSIZE)
		return rc;
	/* Where nobody knows what became of a change, what differs may be its doing. */
	unknown = rc == -ENOBUFS;
	e->healthy = false;
	rc = enforcer_restore(e, &differed, where);
	e->foreign_changes += differed && !unknown;
	return rc;
}

/* ---- stations ----------------------------------------------------------- */

static int
send_changes(struct enforcer *e, const struct station_change *changes, size_t n)
{
	const struct ruleset rs = enforcer_ruleset(e);
	struct nft_batch *b = enforcer_batch(e, &e->policy.image);
	struct nft_failure failure;
	int rc;

	if (b == NULL)
		return -ENOMEM;
	if ((rc = diff_station_changes(&rs, changes, n, &nft_batch_sink, b)) == 0)
		rc = nft_batch_send(b, &e->owner, NULL, NULL, &failure);
	nft_batch_free(b);
	return rc;
}

/* A station of the same device with another mark, where `at' says. */
static int
change_to(struct enforcer *e, size_t index, const struct station *at, struct station_change *out)
{
	struct station place = *at;
	bool wrapped;

	out->index = (uint32_t)index;
	out->from = out->to = e->stations[index];
	out->to.quarantined = place.quarantined;
	out->to.limited = place.limited;
	out->to.generation = station_next_generation(out->from.generation, &wrapped);
	return wrapped ? conntrack_forget(&e->reader, out->from.number << 8, MARK_NUMBER_MASK) : 0;
}

static int
commit_changes(struct enforcer *e, struct station_change *changes, size_t n)
{
	int rc = send_changes(e, changes, n);

	if (rc < 0 && (rc = enforcer_restored(e, rc)) == 0) {
		for (size_t i = 0; rc == 0 && i < n; i++)
			rc = change_to(e, changes[i].index, &changes[i].to, &changes[i]);
		if (rc == 0)
			rc = send_changes(e, changes, n);
	}
	for (size_t i = 0; rc == 0 && i < n; i++) {
		e->stations[changes[i].index] = changes[i].to;
		if (changes[i].from.generation == 255)
			enforcer_forget_last_mark(e, changes[i].from.number);
	}
	return rc;
}

int
enforcer_renew(struct enforcer *e, const uint32_t *indexes, uint32_t n)
{
	struct station_change *changes = calloc((size_t)n + 1, sizeof(*changes));
	int rc = changes == NULL ? -ENOMEM : 0;

	for (uint32_t i = 0; rc == 0 && i < n; i++)
		rc = change_to(e, indexes[i], &e->stations[indexes[i]], &changes[i]);
	if (rc == 0 && n > 0)
		rc = commit_changes(e, changes, n);
	free(changes);
	return rc;
}

int
enforcer_judge_again(struct enforcer *e)
{
	uint32_t n = e->n_again;

	e->n_again = 0;
	return enforcer_renew(e, e->again, n);
}

/* ---- standings ---------------------------------------------------------- */

bool
station_place(const struct image *im, const struct image_device *d, const struct standing *s, struct station *st)
{
	const struct station before = *st;

	st->quarantined = s != NULL && standing_quarantines(s);
	if (s == NULL || (s->cause & CAUSE_LIMITED) == 0)
		st->limited = 0;
	else
		st->limited = before.limited != 0 ? station_limited_under(im, d, before.limited) : station_limit(im, d);
	return st->quarantined != before.quarantined || st->limited != before.limited;
}

/* The devices among these that stand elsewhere then, and room for all of them: after
 * the kernel has followed nothing may fail any more. */
struct move {
	struct station_change *changes;
	size_t n_changes;
	struct standing **copies;	/* parallel to the list */
};

static void
move_done(struct move *m, size_t n)
{
	for (size_t i = 0; m->copies != NULL && i < n; i++)
		free(m->copies[i]);
	free(m->copies);
	free(m->changes);
}

static int
move_prepare(struct enforcer *e, const struct standing *next, size_t n, struct move *m)
{
	int rc = 0;

	*m = (struct move){ calloc(n + 1, sizeof(*m->changes)), 0, calloc(n + 1, sizeof(struct standing *)) };
	if (m->changes == NULL || m->copies == NULL)
		rc = -ENOMEM;
	for (size_t i = 0; rc == 0 && i < n; i++) {
		size_t index = enforcer_index(e, next[i].number);
		struct station st;

		if (index == SIZE_MAX) {
			rc = -ENOENT;
			break;
		}
		st = e->stations[index];
		if (standing_says(&next[i]) && (m->copies[i] = malloc(sizeof(next[i]))) == NULL)
			rc = -ENOMEM;
		else if (station_place(&e->policy.image, &e->policy.image.devices[index], &next[i], &st))
			rc = change_to(e, index, &st, &m->changes[m->n_changes++]);
	}
	if (rc < 0)
		move_done(m, n);
	return rc;
}

static void
move_finish(struct enforcer *e, const struct standing *next, size_t n, struct move *m)
{
	for (size_t i = 0; i < n; i++) {
		size_t index = enforcer_index(e, next[i].number);

		free(e->standings[index]);
		if ((e->standings[index] = m->copies[i]) != NULL)
			*m->copies[i] = next[i];
		m->copies[i] = NULL;
	}
	move_done(m, n);
}

int
enforcer_tighten(struct enforcer *e, const struct standing *next, size_t n)
{
	struct move m;
	int rc;

	if (n == 0)
		return 0;
	if ((rc = move_prepare(e, next, n, &m)) < 0)
		return rc;
	if (m.n_changes > 0 && (rc = commit_changes(e, m.changes, m.n_changes)) < 0) {
		move_done(&m, n);	/* the kernel did not follow: nobody may believe it did */
		return rc;
	}
	move_finish(e, next, n, &m);
	e->appended += n;
	if (journal_append(e->dirfd, next, n) < 0)
		e->disk_ok = false;
	return 0;
}

int
enforcer_loosen(struct enforcer *e, const struct standing *next, size_t n)
{
	struct move m;
	int rc;

	if (n == 0)
		return 0;
	if ((rc = move_prepare(e, next, n, &m)) < 0)
		return rc;
	e->appended += n;
	if ((rc = journal_append(e->dirfd, next, n)) < 0 ||
	    (m.n_changes > 0 && (rc = commit_changes(e, m.changes, m.n_changes)) < 0)) {
		e->disk_ok = false;	/* what it says now is not so: it is written anew */
		move_done(&m, n);
		return rc;
	}
	move_finish(e, next, n, &m);
	return 0;
}
