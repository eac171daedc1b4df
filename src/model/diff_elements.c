/* SPDX-License-Identifier: GPL-2.0-or-later */
/* diff_elements.c -- which elements go and which come. */
#include <string.h>

#include "model/diff_parts.h"
#include "model/same.h"

/* What is in a and not, or not equal, in b. Both are sorted. */
static int
each_missing(const struct element_list *a, const struct element_list *b,
    int (*fn)(void *, const struct element *), void *arg)
{
	size_t j = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < a->n; i++) {
		while (j < b->n && element_order(&b->e[j], &a->e[i]) < 0)
			j++;
		if (j == b->n || !element_equal(&a->e[i], &b->e[j]))
			rc = fn(arg, &a->e[i]);
	}
	return rc;
}

int
diff_tell(struct diff *d, enum phase phase)
{
	element_list_sort(&d->a);
	element_list_sort(&d->b);
	if (phase == PHASE_DELETE)
		return each_missing(&d->a, &d->b, d->sink->del_element, d->arg);
	return each_missing(&d->b, &d->a, d->sink->add_element, d->arg);
}

static int
diff_appliance(struct diff *d, enum phase phase)
{
	int rc = 0;

	d->a.n = d->b.n = 0;
	if (d->old != NULL)
		rc = elements_of_appliance(d->old, element_list_add, &d->a);
	if (rc == 0)
		rc = elements_of_appliance(d->next, element_list_add, &d->b);
	return rc != 0 ? rc : diff_tell(d, phase);
}

/* Either may be NULL: the class is new, or gone. */
static int
diff_class(struct diff *d, const struct image_class *x, const struct image_class *y, enum phase phase)
{
	int rc = 0;

	if (x == NULL && phase == PHASE_ADD)
		return elements_of_class(d->next, y, d->sink->add_element, d->arg);
	if (x != NULL && y != NULL && diff_is_same(d, d->next->staged, y->number))
		return 0;
	d->a.n = d->b.n = 0;
	if (x != NULL)
		rc = elements_of_class(d->old, x, element_list_add, &d->a);
	if (rc == 0 && y != NULL)
		rc = elements_of_class(d->next, y, element_list_add, &d->b);
	return rc != 0 ? rc : diff_tell(d, phase);
}

bool
diff_rate_differs(const struct image *im, uint32_t class_number, const struct image *next, uint32_t next_class)
{
	const struct image_class *x = image_class(im, class_number), *y = image_class(next, next_class);

	return x->rate != 0 && y->rate != 0 && (x->rate != y->rate || x->rate_burst != y->rate_burst);
}

static bool
named_same(const struct diff *d, uint32_t class_number)
{
	return (d->named_same && !d->next->staged) || image_class(d->old->image, class_number)->named ==
	    image_class(d->next->image, class_number)->named;
}

static bool
station_same(const struct station *x, const struct station *y)
{
	return x->number == y->number && x->generation == y->generation && x->quarantined == y->quarantined &&
	    x->limited == y->limited;
}

/* Same elements without looking at them: most devices of most changes. */
static bool
device_same(const struct diff *d, const struct image_device *x, const struct station *sx,
    const struct image_device *y, const struct station *sy)
{
	uint32_t class_number = ruleset_class(d->old, x, sx);

	return (d->next->staged || station_same(sx, sy)) && class_number == ruleset_class(d->next, y, sy) &&
	    identity_same(d->old->image, x, d->next->image, y) && named_same(d, class_number);
}

static int
diff_device(struct diff *d, size_t ix, size_t iy, enum phase phase)
{
	const struct image_device *x = ix == SIZE_MAX ? NULL : &d->old->image->devices[ix];
	const struct image_device *y = iy == SIZE_MAX ? NULL : &d->next->image->devices[iy];
	const struct station *sx, *sy;
	int rc = 0;

	if (x == NULL)
		return phase == PHASE_DELETE ? 0 :
		    elements_of_device(d->next, y, ruleset_station(d->next, iy), d->sink->add_element, d->arg);
	if (y == NULL)
		return phase == PHASE_ADD ? 0 :
		    elements_of_device(d->old, x, ruleset_station(d->old, ix), d->sink->del_element, d->arg);
	sx = ruleset_station(d->old, ix);
	sy = ruleset_station(d->next, iy);
	if (device_same(d, x, sx, y, sy))
		return 0;
	d->rates |= !d->next->staged && diff_rate_differs(d->old->image, ruleset_class(d->old, x, sx),
	    d->next->image, ruleset_class(d->next, y, sy));
	d->a.n = d->b.n = 0;
	rc = elements_of_device(d->old, x, sx, element_list_add, &d->a);
	if (rc == 0)
		rc = elements_of_device(d->next, y, sy, element_list_add, &d->b);
	return rc != 0 ? rc : diff_tell(d, phase);
}

static int
diff_one_policy(struct diff *d, enum phase phase)
{
	const struct image *x = d->old ? d->old->image : NULL, *y = d->next->image;
	uint32_t nx = x ? x->n[IMAGE_CLASSES] : 0, ny = y->n[IMAGE_CLASSES];
	uint32_t i = 0, j = 0;
	int rc = diff_appliance(d, phase);

	while (rc == 0 && (i < nx || j < ny)) {
		bool left = j == ny || (i < nx && x->classes[i].number <= y->classes[j].number);
		bool right = i == nx || (j < ny && y->classes[j].number <= x->classes[i].number);

		rc = diff_class(d, left ? &x->classes[i] : NULL, right ? &y->classes[j] : NULL, phase);
		i += left;
		j += right;
	}
	nx = x ? x->n[IMAGE_DEVICES] : 0;
	ny = y->n[IMAGE_DEVICES];
	i = j = 0;
	while (rc == 0 && (i < nx || j < ny)) {
		bool left = j == ny || (i < nx && x->devices[i].number <= y->devices[j].number);
		bool right = i == nx || (j < ny && y->devices[j].number <= x->devices[i].number);

		rc = diff_device(d, left ? i : SIZE_MAX, right ? j : SIZE_MAX, phase);
		i += left;
		j += right;
	}
	return rc;
}

/* What is staged asks about restricted devices where they stand. */
static bool
any_limited(const struct ruleset *rs)
{
	for (uint32_t i = 0; rs != NULL && rs->stations != NULL && i < rs->image->n[IMAGE_DEVICES]; i++)
		if (rs->stations[i].limited != 0)
			return true;
	return false;
}

/* The enforced policy's and the staged one's. */
int
diff_elements(struct diff *d, enum phase phase)
{
	const struct ruleset *old = d->old, *next = d->next;
	const struct ruleset none = { .image = next->image };
	const struct ruleset c = ruleset_candidate(old != NULL ? old : &none), n = ruleset_candidate(next);
	int rc = diff_one_policy(d, phase);

	if (rc != 0 || (c.image == n.image && !any_limited(old) && !any_limited(next)))
		return rc;
	d->old = &c;
	d->next = &n;
	rc = diff_one_policy(d, phase);
	d->old = old;
	d->next = next;
	return rc;
}
