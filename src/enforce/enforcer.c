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

/* A station of the same device with another mark. */
static int
change_to(struct enforcer *e, size_t index, bool quarantined, struct station_change *out)
{
	bool wrapped;

	out->index = (uint32_t)index;
	out->from = out->to = e->stations[index];
	out->to.quarantined = quarantined;
	out->to.generation = station_next_generation(out->from.generation, &wrapped);
	return wrapped ? conntrack_forget(&e->reader, out->from.number << 8, MARK_NUMBER_MASK) : 0;
}

static int
commit_changes(struct enforcer *e, struct station_change *changes, size_t n)
{
	int rc = send_changes(e, changes, n);

	if (rc < 0 && (rc = enforcer_restored(e, rc)) == 0) {
		for (size_t i = 0; rc == 0 && i < n; i++)
			rc = change_to(e, changes[i].index, changes[i].to.quarantined, &changes[i]);
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
		rc = change_to(e, indexes[i], e->stations[indexes[i]].quarantined, &changes[i]);
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

/* What its standing will be; false when it says nothing new. */
static bool
merge(const struct standing *have, const struct standing *add, struct standing *out)
{
	if (have == NULL) {
		*out = *add;
		return true;
	}
	*out = *have;
	if ((have->cause & add->cause) == add->cause)
		return false;
	out->cause |= add->cause;
	if (add->cause & CAUSE_REVOKED) {
		out->authority = add->authority;
		out->crl_reason = add->crl_reason;
		out->revoked_at = add->revoked_at;
	}
	if (add->cause & CAUSE_OPERATOR)
		memcpy(out->words, add->words, sizeof(out->words));
	return true;
}

static int
keep_standing(struct enforcer *e, size_t index, const struct standing *s)
{
	struct standing *copy = e->standings[index];

	if (copy == NULL && (copy = malloc(sizeof(*copy))) == NULL)
		return -ENOMEM;
	*copy = *s;
	e->standings[index] = copy;
	return 0;
}

int
enforcer_quarantine(struct enforcer *e, const struct standing *s, size_t n, uint32_t *changed)
{
	struct station_change *changes = calloc(n + 1, sizeof(*changes));
	struct standing *records = calloc(n + 1, sizeof(*records));
	size_t n_changes = 0, n_records = 0;
	int rc = 0;

	*changed = 0;
	if (changes == NULL || records == NULL)
		rc = -ENOMEM;
	for (size_t i = 0; rc == 0 && i < n; i++) {
		size_t index = enforcer_index(e, s[i].number);

		if (index == SIZE_MAX || !merge(e->standings[index], &s[i], &records[n_records]))
			continue;
		/* Twice in one list: the first moves the device. */
		if (e->standings[index] == NULL && !e->stations[index].quarantined)
			rc = change_to(e, index, true, &changes[n_changes++]);
		if (rc == 0)
			rc = keep_standing(e, index, &records[n_records++]);
	}
	if (rc == 0 && n_changes > 0)
		rc = commit_changes(e, changes, n_changes);
	if (rc < 0) {
		/* The kernel did not follow: nobody may believe it did. */
		for (size_t i = 0; i < n_changes; i++) {
			free(e->standings[changes[i].index]);
			e->standings[changes[i].index] = NULL;
		}
	} else if (n_records > 0) {
		*changed = (uint32_t)n_records;
		e->disk_ok = journal_append(e->dirfd, records, n_records) == 0;
	}
	free(changes);
	free(records);
	return rc;
}

int
enforcer_release(struct enforcer *e, uint32_t number, uint32_t cause, const char *words, int64_t now)
{
	size_t index = enforcer_index(e, number);
	struct station_change change;
	struct standing next;
	int rc;

	if (index == SIZE_MAX)
		return -ENOENT;
	if (e->standings[index] == NULL)
		return -EALREADY;
	if ((e->standings[index]->cause & cause) == 0)
		return -EPERM;
	next = *e->standings[index];
	next.cause &= ~cause;
	next.since = now;
	snprintf(next.words, sizeof(next.words), "%s", words);
	if ((rc = journal_append(e->dirfd, &next, 1)) < 0) {
		e->disk_ok = false;	/* a part of it may stand there: write all of it anew */
		return rc;
	}
	if (next.cause != 0)
		return keep_standing(e, index, &next);
	if ((rc = change_to(e, index, false, &change)) < 0 || (rc = commit_changes(e, &change, 1)) < 0)
		return rc;
	free(e->standings[index]);
	e->standings[index] = NULL;
	return 0;
}
