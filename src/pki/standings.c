/* SPDX-License-Identifier: GPL-2.0-or-later */
/* standings.c -- what cordond has on its disk about the devices, as far as it told
 * us and acknowledged since. Whatever differs from it is told to cordond again. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "common/log.h"
#include "pki/pki.h"

static int
by_device(const void *a, const void *b)
{
	const struct pki_standing *x = a, *y = b;

	if (x->device != y->device)
		return x->device < y->device ? -1 : 1;
	return x->cause < y->cause ? -1 : x->cause > y->cause;
}

static struct pki_standing *
find(const struct settling *s, uint32_t device)
{
	size_t low = 0, high = s->n_standings, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (s->standings[middle].device < device)
			low = middle + 1;
		else
			high = middle;
	}
	return low < s->n_standings && s->standings[low].device == device ? &s->standings[low] : NULL;
}

int
settle_standings(struct pki *p, int fd, uint32_t n)
{
	struct settling *s = &p->settling;
	struct pki_standing *copy;
	const void *map;
	size_t len;
	int rc;

	if ((rc = memfile_map(fd, (size_t)LIMIT_DEVICES * 5 * sizeof(*copy), &map, &len)) < 0)
		return rc;
	if (len != (size_t)n * sizeof(*copy))
		rc = -EBADMSG;
	else if ((copy = calloc((size_t)n + 1, sizeof(*copy))) == NULL)
		rc = -ENOMEM;
	if (rc == 0) {
		memcpy(copy, map, len);
		qsort(copy, n, sizeof(*copy), by_device);
		free(s->standings);
		s->standings = copy;
		s->n_standings = n;
		settle_told(p);
	}
	memfile_unmap(map, len);
	return rc;
}

/* The same cause of one device counts once, as it was told last. */
static void
tighten_one(struct pki_standing *to, const struct pki_revoke *r)
{
	*to = (struct pki_standing){ .device = r->device, .cause = r->cause, .authority = r->authority,
		.reason = r->reason, .revoked_at = r->revoked_at, .serial_len = r->serial_len };
	memcpy(to->serial, r->serial, sizeof(to->serial));
}

static void
loosen_all(struct settling *s)
{
	struct pki_standing *at, *end = s->standings + s->n_standings;
	size_t i, n = 0;

	for (i = 0; i < s->n_loosen; i++)
		for (at = find(s, s->loosen[i].device); at != NULL && at < end && at->device == s->loosen[i].device; at++)
			at->cause &= ~s->loosen[i].cause;
	for (i = 0; i < s->n_standings; i++)
		if (s->standings[i].cause != 0)
			s->standings[n++] = s->standings[i];
	s->n_standings = n;
}

int
standings_apply(struct settling *s)
{
	struct pki_standing *all, *at;
	size_t i, n;

	if ((all = calloc(s->n_standings + s->n_tighten + 1, sizeof(*all))) == NULL)
		return -ENOMEM;
	/* What is told anew takes the place of what stood there for the same cause. */
	for (i = 0; i < s->n_tighten; i++)
		for (at = find(s, s->tighten[i].device);
		     at != NULL && at < s->standings + s->n_standings && at->device == s->tighten[i].device; at++)
			at->cause &= ~s->tighten[i].cause;
	loosen_all(s);
	n = s->n_standings;
	if (n > 0)
		memcpy(all, s->standings, n * sizeof(*all));
	for (i = 0; i < s->n_tighten; i++)
		tighten_one(&all[n++], &s->tighten[i]);
	qsort(all, n, sizeof(*all), by_device);
	free(s->standings);
	s->standings = all;
	s->n_standings = n;
	return 0;
}
