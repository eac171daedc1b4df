/* SPDX-License-Identifier: GPL-2.0-or-later */
/* journal.c -- the quarantine journal on disk. */
#include "enforce/journal.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "enforce/records.h"

static bool
evidence_sound(const struct evidence *e)
{
	return e->serial_len <= sizeof(e->serial);
}

static bool
sound(const void *held)
{
	const struct standing *s = held;

	for (size_t i = 0; i < EVIDENCE_SEEN; i++)
		if (!evidence_sound(&s->seen[i]))
			return false;
	return ((s->cause | s->pending | s->dismissed) & ~(uint32_t)CAUSE_ALL) == 0 && s->n_seen <= EVIDENCE_SEEN &&
	    evidence_sound(&s->by) && s->crl_number_len <= sizeof(s->crl_number) && s->kind < EVIDENCES &&
	    (s->ways & ~(uint32_t)WAYS) == 0 && memchr(s->words, '\0', sizeof(s->words)) != NULL &&
	    memchr(s->who.login, '\0', sizeof(s->who.login)) != NULL;
}

static const struct record_kind journal = {
	.file = "stations.journal",
	.magic = 0x324a5143U,	/* "CQJ2" */
	.size = sizeof(struct standing),
	.max = 256U << 20,
	.sound = sound,
};

/* ---- the version before ------------------------------------------------- */

struct standing_1 {
	uint32_t number, cause, authority, crl_reason;
	int64_t revoked_at, since;
	char words[200];
};

static bool
sound_1(const void *held)
{
	const struct standing_1 *s = held;

	return memchr(s->words, '\0', sizeof(s->words)) != NULL;
}

static const struct record_kind journal_1 = {
	.file = "stations.journal",
	.magic = 0x314a5143U,	/* "CQJ1" */
	.size = sizeof(struct standing_1),
	.max = 256U << 20,
	.sound = sound_1,
};

static struct standing
from_1(const struct standing_1 *old)
{
	struct standing s = { .number = old->number, .cause = old->cause & (CAUSE_REVOKED | CAUSE_OPERATOR),
		.since = old->since, .who.uid = CTL_NOBODY };

	if (old->cause != 0 && s.cause == 0)	/* nothing that was ever written; a quarantine all the same */
		s.cause = CAUSE_OPERATOR;
	if (s.cause & CAUSE_REVOKED) {
		s.by = s.seen[0] = (struct evidence){ .authority = old->authority, .reason = old->crl_reason,
			.revoked_at = old->revoked_at };
		s.n_seen = 1;
		s.kind = EVIDENCE_CERTIFICATE;
	}
	if (s.cause & CAUSE_OPERATOR)
		s.ways = WAY_DEVICE;
	s.said_at = old->since;
	memcpy(s.words, old->words, sizeof(s.words));
	return s;
}

/* All records, oldest first. Those of the version before stand before others: a
 * start writes the file anew, unless the disk was full then. */
static int
load_all(int dirfd, struct standing **out, size_t *n, uint32_t *damaged)
{
	struct standing_1 *old;
	struct standing *all;
	uint32_t damaged_1;
	void *held, *held_1;
	size_t n_1;
	int rc;

	if ((rc = records_load(dirfd, &journal, &held, n, damaged)) < 0)
		return rc;
	*out = held;
	if (*damaged == 0)
		return 0;
	if ((rc = records_load(dirfd, &journal_1, &held_1, &n_1, &damaged_1)) < 0) {
		free(held);
		return rc;
	}
	old = held_1;
	all = calloc(*n + n_1 + 1, sizeof(*all));
	for (size_t i = 0; all != NULL && i < n_1; i++)
		all[i] = from_1(&old[i]);
	if (all != NULL)
		memcpy(all + n_1, held, *n * sizeof(*all));
	free(held);
	free(held_1);
	if (all == NULL)
		return -ENOMEM;
	if (n_1 > 0)	/* each kind took the other for one stretch of damage */
		*damaged = *n > 0 ? *damaged - 1 + damaged_1 - 1 : damaged_1;
	*out = all;
	*n += n_1;
	return 0;
}

/* ---- the last of each device -------------------------------------------- */

struct placed {
	struct standing s;
	size_t place;		/* in the file */
};

static int
by_number(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;

	if (x->s.number != y->s.number)
		return x->s.number < y->s.number ? -1 : 1;
	return x->place < y->place ? -1 : x->place > y->place;
}

/* Of each device the last record, if it says anything. */
static size_t
keep_last(const struct placed *p, size_t n, struct standing *out)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if ((i + 1 == n || p[i + 1].s.number != p[i].s.number) && standing_says(&p[i].s))
			out[kept++] = p[i].s;
	return kept;
}

int
journal_load(int dirfd, struct standing **out, size_t *n, uint32_t *damaged)
{
	struct placed *placed;
	struct standing *s;
	size_t all;
	int rc;

	*n = 0;
	*out = NULL;
	if ((rc = load_all(dirfd, &s, &all, damaged)) < 0)
		return rc;
	if ((placed = calloc(all + 1, sizeof(*placed))) == NULL) {
		free(s);
		return -ENOMEM;
	}
	for (size_t i = 0; i < all; i++)
		placed[i] = (struct placed){ .s = s[i], .place = i };
	qsort(placed, all, sizeof(*placed), by_number);
	*n = keep_last(placed, all, s);
	*out = s;
	free(placed);
	return 0;
}

int
journal_append(int dirfd, const struct standing *s, size_t n)
{
	return records_append(dirfd, &journal, s, n);
}

int
journal_rewrite(int dirfd, const struct standing *s, size_t n)
{
	return records_rewrite(dirfd, &journal, s, n);
}
