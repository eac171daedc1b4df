/* SPDX-License-Identifier: GPL-2.0-or-later */
/* renew.c -- whose admitted flows must be judged again under a new policy?
 * A new generation takes a device's flows off the fast path; those that are
 * still allowed are admitted again by their next packet, the others die. */
#include "model/diff.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/compile.h"
#include "model/same.h"

/* Does b still cover all that a does? Canonical boxes: a ∪ b is b. When memory
 * is short the answer is no, which costs a judgement and lets nothing through. */
static bool
covered(const struct image *ia, struct image_slice a, const struct image *ib, struct image_slice b)
{
	struct image_box *both, *out = NULL;
	size_t n = 0;
	bool answer = false;

	if (a.n == b.n && memcmp(ia->boxes + a.first, ib->boxes + b.first,
	    a.n * sizeof(*ia->boxes)) == 0)
		return true;
	if ((both = calloc((size_t)a.n + b.n + 1, sizeof(*both))) == NULL)
		return false;
	memcpy(both, ia->boxes + a.first, a.n * sizeof(*both));
	memcpy(both + a.n, ib->boxes + b.first, b.n * sizeof(*both));
	if (boxes_disjoint(both, (size_t)a.n + b.n, LIMIT_BOXES_PER_CLASS, &out, &n) == 0)
		answer = n == b.n && memcmp(out, ib->boxes + b.first, n * sizeof(*out)) == 0;
	free(both);
	free(out);
	return answer;
}

/* Flows between devices and those that a schedule let in take no fast path:
 * every packet of them is judged by what holds now. */
static bool
is_fast(const struct image_reach *r)
{
	return r->peer == 0 && r->schedule == 0;
}

static struct image_slice
fast_boxes(const struct image *im, const struct image_class *c, enum reach_direction direction)
{
	for (uint32_t i = 0; i < c->reaches.n; i++) {
		const struct image_reach *r = &im->reaches[c->reaches.first + i];

		if (is_fast(r) && r->direction == direction)
			return r->boxes;
	}
	return (struct image_slice){ 0, 0 };
}

/* A mark means one mode for ever: what was recorded under it can be told later. */
static bool
class_changed(const struct image *old, const struct image_class *x, const struct image *next,
    const struct image_class *y)
{
	if (y == NULL)
		return true;
	return x->mode != y->mode ||
	    !covered(old, fast_boxes(old, x, REACH_OUT), next, fast_boxes(next, y, REACH_OUT)) ||
	    !covered(old, fast_boxes(old, x, REACH_IN), next, fast_boxes(next, y, REACH_IN));
}

/* Where it stands is changed under it; with nothing known of the classes, it may be. */
static bool
stands_changed(const struct image *old, uint32_t class_number, const bool *changed)
{
	return changed == NULL || changed[image_class(old, class_number) - old->classes];
}

struct both {
	const struct image *old, *next;
	bool *changed;		/* parallel to old's classes; NULL: memory was short */
	bool any, services;	/* some class is; those of the appliance are */
};

/* Its station under next, but for the generation. */
static bool
must_renew(const struct both *b, const struct image_device *x, const struct station *from,
    const struct image_device *y, struct station *to)
{
	uint32_t before = station_class(b->old, x, from);

	to->limited = station_limited_under(b->next, y, from->limited);
	if (b->services || (b->any && stands_changed(b->old, before, b->changed)))
		return true;
	return before != station_class(b->next, y, to) || !identity_same(b->old, x, b->next, y);
}

void
diff_stations(const struct image *old, const struct station *old_stations, const struct image *next,
    struct station *out, bool *wrapped, uint32_t *renewed)
{
	uint32_t n_classes = old->n[IMAGE_CLASSES], n = next->n[IMAGE_DEVICES], i = 0;
	struct both b = { .old = old, .next = next, .changed = calloc((size_t)n_classes + 1, sizeof(bool)),
		.services = !covered(old, old->appliance->services, next, next->appliance->services) };

	b.any = b.changed == NULL;
	for (uint32_t c = 0; b.changed != NULL && c < n_classes; c++)
		b.any |= b.changed[c] = class_changed(old, &old->classes[c], next,
		    image_class(next, old->classes[c].number));
	*renewed = 0;
	for (uint32_t j = 0; j < n; j++) {
		const struct image_device *y = &next->devices[j];

		wrapped[j] = false;
		while (i < old->n[IMAGE_DEVICES] && old->devices[i].number < y->number)
			i++;
		if (i == old->n[IMAGE_DEVICES] || old->devices[i].number != y->number) {
			out[j] = (struct station){ .number = y->number, .generation = 1 };
			continue;
		}
		out[j] = old_stations[i];
		if (must_renew(&b, &old->devices[i], &old_stations[i], y, &out[j])) {
			out[j].generation = station_next_generation(out[j].generation, &wrapped[j]);
			++*renewed;
		}
	}
	free(b.changed);
}

/* ---- addresses that change hands ---------------------------------------- */

struct held {
	struct image_address address;
	uint32_t number;
};

int
image_address_order(const void *a, const void *b)
{
	const struct image_address *x = a, *y = b;

	if (x->family != y->family)
		return x->family < y->family ? -1 : 1;
	return memcmp(x->bytes, y->bytes, sizeof(x->bytes));
}

static int
held_order(const void *a, const void *b)
{
	const struct held *x = a, *y = b;
	int c = image_address_order(&x->address, &y->address);

	return c != 0 ? c : (x->number > y->number) - (x->number < y->number);
}

static size_t
held_by(const struct image *im, const struct image_device *d, struct held *out)
{
	size_t n = 0;

	for (uint32_t j = 0; j < d->addresses.n; j++)
		if (image_address_is_whole(&im->addresses[d->addresses.first + j]))
			out[n++] = (struct held){ im->addresses[d->addresses.first + j], d->number };
	return n;
}

/* Those of all devices but for the ones that have the same in both. */
static size_t
all_held(const struct image *old, const struct image *next, struct held *out)
{
	uint32_t i = 0, j = 0, ni = old->n[IMAGE_DEVICES], nj = next->n[IMAGE_DEVICES];
	size_t n = 0;

	while (i < ni || j < nj) {
		const struct image_device *x = i < ni ? &old->devices[i] : NULL, *y = j < nj ? &next->devices[j] : NULL;
		bool left = y == NULL || (x != NULL && x->number <= y->number);
		bool right = x == NULL || (y != NULL && y->number <= x->number);

		if (!(left && right && addresses_same(old, x, next, y))) {
			n += left ? held_by(old, x, out + n) : 0;
			n += right ? held_by(next, y, out + n) : 0;
		}
		i += left;
		j += right;
	}
	return n;
}

/* What stays is there twice: its holder was and is the same. */
int
diff_moved_addresses(const struct image *old, const struct image *next, struct image_address **out,
    size_t *n)
{
	size_t room = (size_t)old->n[IMAGE_ADDRESSES] + next->n[IMAGE_ADDRESSES] + 1, all;
	/* Room that is never touched takes no memory. */
	struct held *held = malloc(room * sizeof(*held));
	struct image_address *moved = NULL;

	*n = 0;
	if (held == NULL)
		return -ENOMEM;
	all = all_held(old, next, held);
	if ((moved = calloc(all + 1, sizeof(*moved))) == NULL) {
		free(held);
		return -ENOMEM;
	}
	qsort(held, all, sizeof(*held), held_order);
	for (size_t i = 0; i < all; i++) {
		if (i + 1 < all && held_order(&held[i], &held[i + 1]) == 0)
			i++;
		else
			moved[(*n)++] = held[i].address;
	}
	free(held);
	*out = moved;
	return 0;
}
