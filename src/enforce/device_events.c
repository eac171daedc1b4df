/* SPDX-License-Identifier: GPL-2.0-or-later */
/* device_events.c -- two files that take turns: nothing is ever written anew, so
 * that no event waits for all the others. */
#include "enforce/device_events.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/file.h"
#include "enforce/records.h"

#define NOW_FILE	"device.events"
#define BEFORE_FILE	"device.events.before"

static bool
sound(const void *held)
{
	const struct device_event *v = held;

	return v->what > 0 && v->what < DEVICE_HAPPENINGS && memchr(v->who.login, '\0', sizeof(v->who.login)) != NULL &&
	    memchr(v->words, '\0', sizeof(v->words)) != NULL;
}

#define KIND(name) { .file = (name), .magic = 0x31455143U /* "CQE1" */, .size = sizeof(struct device_event), \
	.max = 64U << 20, .sound = sound }

static const struct record_kind now_kind = KIND(NOW_FILE), before_kind = KIND(BEFORE_FILE);

int
device_events_load(int dirfd, uint32_t device, struct device_event **out, size_t *n, uint32_t *damaged)
{
	const struct record_kind *const kinds[] = { &before_kind, &now_kind };
	struct device_event *all = NULL;
	size_t kept = 0;

	*damaged = 0;
	for (size_t k = 0; k < 2; k++) {
		struct device_event *part, *more = NULL;
		uint32_t bad;
		size_t parts;
		void *held;
		int rc = records_load(dirfd, kinds[k], &held, &parts, &bad);

		if (rc == 0 && (more = reallocarray(all, kept + parts + 1, sizeof(*all))) == NULL) {
			free(held);
			rc = -ENOMEM;
		}
		if (rc < 0) {
			free(all);
			return rc;
		}
		all = more;
		part = held;
		for (size_t i = 0; i < parts; i++)
			if (device == 0 || part[i].device == device)
				all[kept++] = part[i];
		*damaged += bad;
		free(held);
	}
	if (kept > LIMIT_DEVICE_EVENTS) {
		memmove(all, all + (kept - LIMIT_DEVICE_EVENTS), LIMIT_DEVICE_EVENTS * sizeof(*all));
		kept = LIMIT_DEVICE_EVENTS;
	}
	*out = all;
	*n = kept;
	return 0;
}

int
device_events_append(int dirfd, const struct device_event *v, size_t n)
{
	const off_t full = (off_t)(LIMIT_DEVICE_EVENTS * (sizeof(*v) + RECORD_FRAME));
	struct stat st;
	int rc;

	if (n == 0)
		return 0;
	if (fstatat(dirfd, NOW_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size >= full &&
	    (rc = file_rename_at(dirfd, NOW_FILE, BEFORE_FILE)) < 0)
		return rc;
	return records_append(dirfd, &now_kind, v, n);
}

/* ---- from one policy to another ----------------------------------------- */

struct events {
	struct device_event like;
	struct device_event *out;
	size_t n, room;
};

static struct device_event *
add(struct events *e, uint32_t device, enum device_happening what)
{
	static struct device_event beyond;
	struct device_event *v = e->n < e->room ? &e->out[e->n] : &beyond;

	*v = e->like;
	v->device = device;
	v->what = what;
	e->n++;
	return v;
}

static bool
has_certificate(const struct image *im, const struct image_device *d, const struct image_certificate *c,
    const uint8_t *chain)
{
	for (uint32_t i = 0; i < d->certificates.n; i++) {
		const struct image_certificate *x = &im->certificates[d->certificates.first + i];

		if (x->authority == c->authority && x->serial_len == c->serial_len &&
		    memcmp(x->serial, c->serial, c->serial_len) == 0 && x->chain_len == c->chain_len &&
		    memcmp(im->blobs + x->chain, chain, c->chain_len) == 0)
			return true;
	}
	return false;
}

bool
device_has_new_certificate(const struct image *old, const struct image_device *x, const struct image *next,
    const struct image_device *y)
{
	for (uint32_t i = 0; i < y->certificates.n; i++) {
		const struct image_certificate *c = &next->certificates[y->certificates.first + i];

		if (!has_certificate(old, x, c, next->blobs + c->chain))
			return true;
	}
	return false;
}

static void
compare(struct events *e, const struct image *old, const struct image_device *x, const struct image *next,
    const struct image_device *y)
{
	struct device_event *v;

	if (x->class_number != y->class_number) {
		v = add(e, y->number, DEVICE_MOVED);
		v->other = x->class_number;
		v->now = y->class_number;
	}
	if (memcmp(x->mac, y->mac, sizeof(x->mac)) != 0) {
		v = add(e, y->number, DEVICE_REBOUND);
		memcpy(v->old_mac, x->mac, sizeof(v->old_mac));
		memcpy(v->mac, y->mac, sizeof(v->mac));
	}
	if (x->certificates.n != y->certificates.n || device_has_new_certificate(old, x, next, y))
		add(e, y->number, DEVICE_RENEWED);
}

size_t
device_events_of_change(const struct image *old, const struct image *next, const struct device_event *like,
    struct device_event *out, size_t room)
{
	uint32_t i = 0, j = 0, ni = old->n[IMAGE_DEVICES], nj = next->n[IMAGE_DEVICES];
	struct events e = { *like, out, 0, room };

	while (i < ni || j < nj) {
		const struct image_device *x = i < ni ? &old->devices[i] : NULL, *y = j < nj ? &next->devices[j] : NULL;

		if (y == NULL || (x != NULL && x->number < y->number)) {
			add(&e, x->number, DEVICE_WITHDRAWN)->other = x->class_number;
			i++;
		} else if (x == NULL || y->number < x->number) {
			add(&e, y->number, DEVICE_ENROLLED)->now = y->class_number;
			j++;
		} else {
			compare(&e, old, x, next, y);
			i++;
			j++;
		}
	}
	return e.n;
}
