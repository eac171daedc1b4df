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

static bool
named_same(const struct diff *d, uint32_t class_number)
{
	return (d->named_same && !d->next->staged) || image_class(d->old->image, class_number)->named ==
	    image_class(d->next->image, class_number)->named;
}

/* Same elements without looking at them: most devices of most changes. */
static bool
device_same(const struct diff *d, const struct image_device *x, const struct station *sx,
    const struct image_device *y, const struct station *sy)
{
	return (d->next->staged || memcmp(sx, sy, sizeof(*sx)) == 0) && x->class_number == y->class_number &&
	    identity_same(d->old->image, x, d->next->image, y) && named_same(d, x->class_number);
}

static int
diff_device(struct diff *d, size_t ix, size_t iy, enum phase phase)
{
	const struct image_device *x = ix == SIZE_MAX ? NULL : &d->old->image->devices[ix];
	const struct image_device *y = iy == SIZE_MAX ? NULL : &d->next->image->devices[iy];
	int rc = 0;

	if (x == NULL)
		return phase == PHASE_DELETE ? 0 :
		    elements_of_device(d->next, y, ruleset_station(d->next, iy), d->sink->add_element, d->arg);
	if (y == NULL)
		return phase == PHASE_ADD ? 0 :
		    elements_of_device(d->old, x, ruleset_station(d->old, ix), d->sink->del_element, d->arg);
	if (device_same(d, x, ruleset_station(d->old, ix), y, ruleset_station(d->next, iy)))
		return 0;
	d->a.n = d->b.n = 0;
	rc = elements_of_device(d->old, x, ruleset_station(d->old, ix), element_list_add, &d->a);
	if (rc == 0)
		rc = elements_of_device(d->next, y, ruleset_station(d->next, iy), element_list_add, &d->b);
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

/* The enforced policy's and the staged one's. */
int
diff_elements(struct diff *d, enum phase phase)
{
	const struct ruleset *old = d->old, *next = d->next;
	const struct ruleset none = { .image = next->image };
	const struct ruleset c = ruleset_candidate(old != NULL ? old : &none), n = ruleset_candidate(next);
	int rc = diff_one_policy(d, phase);

	if (rc != 0 || c.image == n.image)
		return rc;
	d->old = &c;
	d->next = &n;
	rc = diff_one_policy(d, phase);
	d->old = old;
	d->next = next;
	return rc;
}
