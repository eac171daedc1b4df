/* SPDX-License-Identifier: GPL-2.0-or-later */
/* journal.c -- the quarantine journal on disk. */
#include "enforce/journal.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "enforce/records.h"

static bool
sound(const void *held)
{
	const struct standing *s = held;

	return memchr(s->words, '\0', sizeof(s->words)) != NULL;
}

static const struct record_kind journal = {
	.file = "stations.journal",
	.magic = 0x314a5143U,	/* "CQJ1" */
	.size = sizeof(struct standing),
	.max = 256U << 20,
	.sound = sound,
};

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

/* Of each device the last record, if it says quarantined. */
static size_t
keep_last(const struct placed *p, size_t n, struct standing *out)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if ((i + 1 == n || p[i + 1].s.number != p[i].s.number) && p[i].s.cause != 0)
			out[kept++] = p[i].s;
	return kept;
}

int
journal_load(int dirfd, struct standing **out, size_t *n, uint32_t *damaged)
{
	struct placed *placed;
	struct standing *s;
	void *held;
	size_t all;
	int rc;

	*n = 0;
	*out = NULL;
	if ((rc = records_load(dirfd, &journal, &held, &all, damaged)) < 0)
		return rc;
	s = held;
	if ((placed = calloc(all + 1, sizeof(*placed))) == NULL) {
		free(held);
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
