/* SPDX-License-Identifier: GPL-2.0-or-later */
/* returning.c -- a policy of before brings back devices that were gone. What was
 * decided about them meanwhile holds; what they had open then does not. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "enforce/conntrack.h"
#include "enforce/parts.h"

#define JOURNAL_LONG 4096	/* records, beside half of the devices */
#define FORGET_EACH_MAX 16	/* each is a request of its own, over all flows */

int
forget_devices(struct enforcer *e, const uint32_t *numbers, size_t n)
{
	uint32_t forgotten;
	int rc = 0;

	if (n > FORGET_EACH_MAX)
		return conntrack_forget_marked(&e->reader, &forgotten);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = conntrack_forget(&e->reader, numbers[i] << 8, MARK_NUMBER_MASK);
	return rc;
}

/* The same device by its name, numbered anew meanwhile. */
static int
known_by_name(struct enforcer *e, const struct image *next, struct places *p)
{
	const struct image *now = &e->policy.image;
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < now->n[IMAGE_DEVICES]; i++) {
		const struct image_device *d;

		if (e->standings[i] == NULL || image_device(next, now->devices[i].number) != NULL)
			continue;
		d = image_device_named(next, image_text(now, now->devices[i].name));
		if (d != NULL && p->standings[d - next->devices] == NULL)
			rc = places_add(p, next, d, e->standings[i]);
	}
	return rc;
}

/* Nothing but a record ends a quarantine: the journal still knows. */
static int
known_by_number(struct enforcer *e, const struct image *next, struct places *p)
{
	struct standing *s;
	uint32_t damaged;
	size_t n;
	int rc = journal_load(e->dirfd, &s, &n, &damaged);

	if (rc < 0)
		return rc;
	for (size_t i = 0; rc == 0 && i < n; i++) {
		const struct image_device *d = image_device(next, s[i].number);

		if (d != NULL && enforcer_index(e, s[i].number) == SIZE_MAX && p->standings[d - next->devices] == NULL)
			rc = places_add(p, next, d, &s[i]);
	}
	free(s);
	return rc;
}

static int
forget_flows(struct enforcer *e, const struct image *next)
{
	uint32_t *numbers = calloc((size_t)next->n[IMAGE_DEVICES] + 1, sizeof(*numbers));
	size_t n = 0;
	int rc;

	if (numbers == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < next->n[IMAGE_DEVICES]; i++)
		if (enforcer_index(e, next->devices[i].number) == SIZE_MAX)
			numbers[n++] = next->devices[i].number;
	rc = forget_devices(e, numbers, n);
	free(numbers);
	return rc;
}

int
returning_devices(struct enforcer *e, const struct image *next, struct places *p)
{
	int rc;

	if ((rc = known_by_name(e, next, p)) == 0 && (rc = known_by_number(e, next, p)) == 0)
		rc = forget_flows(e, next);
	return rc;
}

/* ---- the journal, when a disk had refused a part of it ------------------ */

/* Of devices that the policy has, we know best; of others the file does. */
int
enforcer_rewrite_journal(struct enforcer *e)
{
	uint32_t n = e->policy.image.n[IMAGE_DEVICES], damaged;
	struct standing *filed = NULL, *all = NULL;
	size_t n_filed = 0, kept = 0;
	int rc = journal_load(e->dirfd, &filed, &n_filed, &damaged);

	if (rc == 0 && (all = calloc((size_t)n + n_filed + 1, sizeof(*all))) == NULL)
		rc = -ENOMEM;
	for (uint32_t i = 0; rc == 0 && i < n; i++)
		if (e->standings[i] != NULL)
			all[kept++] = *e->standings[i];
	for (size_t i = 0; rc == 0 && i < n_filed; i++)
		if (enforcer_index(e, filed[i].number) == SIZE_MAX)
			all[kept++] = filed[i];
	if (rc == 0)
		rc = journal_rewrite(e->dirfd, all, kept);
	if (rc == 0)
		e->appended = 0;
	free(filed);
	free(all);
	return rc;
}

bool
enforcer_journal_long(const struct enforcer *e)
{
	return e->appended > JOURNAL_LONG + e->policy.image.n[IMAGE_DEVICES] / 2;
}
