/* SPDX-License-Identifier: GPL-2.0-or-later */
/* serials.c -- the list is short and said by people: the file is replaced whole. */
#include "enforce/serials.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "enforce/records.h"

static bool
sound(const void *held)
{
	const struct ctl_revocation *r = held;

	return r->serial_len > 0 && r->serial_len <= sizeof(r->serial) &&
	    memchr(r->words, '\0', sizeof(r->words)) != NULL && memchr(r->who.login, '\0', sizeof(r->who.login)) != NULL;
}

static const struct record_kind kind = {
	.file = "serials.journal",
	.magic = 0x31535143U,	/* "CQS1" */
	.size = sizeof(struct ctl_revocation),
	.max = 8U << 20,
	.sound = sound,
};

int
serials_load(struct serials *s, int dirfd, uint32_t *damaged)
{
	void *held;
	int rc;

	*s = (struct serials){ NULL, 0 };
	if ((rc = records_load(dirfd, &kind, &held, &s->n, damaged)) == 0)
		s->list = held;
	return rc;
}

void
serials_done(struct serials *s)
{
	free(s->list);
	*s = (struct serials){ NULL, 0 };
}

static size_t
place_of(const struct serials *s, uint32_t authority, const uint8_t *serial, uint32_t serial_len)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->list[i].authority == authority && s->list[i].serial_len == serial_len &&
		    memcmp(s->list[i].serial, serial, serial_len) == 0)
			return i;
	return s->n;
}

static int
replace(struct serials *s, int dirfd, struct ctl_revocation *list, size_t n)
{
	int rc = records_rewrite(dirfd, &kind, list, n);

	if (rc < 0) {
		free(list);
		return rc;
	}
	free(s->list);
	*s = (struct serials){ list, n };
	return 0;
}

static struct ctl_revocation *
copy_of(const struct serials *s)
{
	struct ctl_revocation *list = calloc(s->n + 1, sizeof(*list));

	if (list != NULL && s->n > 0)
		memcpy(list, s->list, s->n * sizeof(*list));
	return list;
}

int
serials_add(struct serials *s, int dirfd, const struct ctl_revocation *r)
{
	size_t at = place_of(s, r->authority, r->serial, r->serial_len);
	struct ctl_revocation *list;

	if (at == LIMIT_REVOCATIONS)
		return -ENOSPC;
	if ((list = copy_of(s)) == NULL)
		return -ENOMEM;
	list[at] = *r;
	return replace(s, dirfd, list, at == s->n ? s->n + 1 : s->n);
}

int
serials_remove(struct serials *s, int dirfd, uint32_t authority, const uint8_t *serial, uint32_t serial_len)
{
	size_t at = place_of(s, authority, serial, serial_len);
	struct ctl_revocation *list;

	if (at == s->n)
		return -ENOENT;
	if ((list = copy_of(s)) == NULL)
		return -ENOMEM;
	memmove(&list[at], &list[at + 1], (s->n - at - 1) * sizeof(*list));
	return replace(s, dirfd, list, s->n - 1);
}

bool
device_has_serial(const struct image *im, const struct image_device *d, uint32_t authority, const uint8_t *serial,
    uint32_t serial_len)
{
	for (uint32_t i = 0; i < d->certificates.n; i++) {
		const struct image_certificate *c = &im->certificates[d->certificates.first + i];

		if (c->authority == authority && c->serial_len == serial_len && memcmp(c->serial, serial, serial_len) == 0)
			return true;
	}
	return false;
}

const struct ctl_revocation *
serials_of_device(const struct serials *s, const struct image *im, const struct image_device *d, int64_t wall_ms)
{
	const struct ctl_revocation *longest = NULL, *r;

	for (r = s->list; r != s->list + s->n; r++)
		if ((r->until == 0 || r->until > wall_ms) && (longest == NULL ||
		    (longest->until != 0 && (r->until == 0 || r->until > longest->until))) &&
		    device_has_serial(im, d, r->authority, r->serial, r->serial_len))
			longest = r;
	return longest;
}
