/* SPDX-License-Identifier: GPL-2.0-or-later */
/* same.c -- parts of two images side by side. Numbers mean the same in both. */
#include "model/same.h"

#include <string.h>

static bool
reach_same(const struct image *i, const struct image_reach *x, const struct image *j, const struct image_reach *y)
{
	return x->direction == y->direction && x->schedule == y->schedule && x->peer == y->peer &&
	    x->boxes.n == y->boxes.n &&
	    memcmp(i->boxes + x->boxes.first, j->boxes + y->boxes.first, x->boxes.n * sizeof(*i->boxes)) == 0;
}

bool
class_same(const struct image *i, const struct image_class *x, const struct image *j, const struct image_class *y)
{
	if (x->number != y->number || x->mode != y->mode || x->refuse != y->refuse || x->named != y->named ||
	    x->rate != y->rate || x->rate_burst != y->rate_burst || x->reaches.n != y->reaches.n)
		return false;
	for (uint32_t k = 0; k < x->reaches.n; k++)
		if (!reach_same(i, &i->reaches[x->reaches.first + k], j, &j->reaches[y->reaches.first + k]))
			return false;
	return true;
}

bool
addresses_same(const struct image *i, const struct image_device *x, const struct image *j,
    const struct image_device *y)
{
	return x->addresses.n == y->addresses.n &&
	    memcmp(i->addresses + x->addresses.first, j->addresses + y->addresses.first,
	    x->addresses.n * sizeof(*i->addresses)) == 0;
}

bool
identity_same(const struct image *i, const struct image_device *x, const struct image *j,
    const struct image_device *y)
{
	return x->identity == y->identity && memcmp(x->mac, y->mac, sizeof(x->mac)) == 0 &&
	    strcmp(image_text(i, x->interface), image_text(j, y->interface)) == 0 && addresses_same(i, x, j, y);
}
