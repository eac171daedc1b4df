/* SPDX-License-Identifier: GPL-2.0-or-later */
/* diff.c -- from one ruleset to another, in an order that one transaction takes. */
#include <stdlib.h>

#include "model/diff_parts.h"
#include "model/same.h"

/* Most classes of most changes: nothing of them is looked at again. When memory
 * is short nothing is known, which costs time alone. */
static void
find_same(struct diff *d)
{
	const struct image *i = d->old->image, *j = d->next->image;
	const struct image_class *x = i->classes, *end = x + i->n[IMAGE_CLASSES];

	d->named_same = true;
	d->same = calloc((size_t)j->n[IMAGE_CLASSES] + 1, sizeof(*d->same));
	for (uint32_t c = 0; c < j->n[IMAGE_CLASSES]; c++) {
		const struct image_class *y = &j->classes[c];

		while (x < end && x->number < y->number)
			x++;
		if (x == end || x->number != y->number)
			continue;
		d->named_same &= x->named == y->named;
		if (d->same != NULL)
			d->same[c] = class_same(i, x, j, y);
	}
}

bool
diff_is_same(const struct diff *d, bool staged, uint32_t class_number)
{
	const struct image_class *y;

	if (d->same == NULL || staged || (y = image_class(d->next->image, class_number)) == NULL)
		return false;
	return d->same[y - d->next->image->classes];
}

static void
diff_done(struct diff *d)
{
	free(d->a.e);
	free(d->b.e);
	free(d->same);
}

/* What was counted against one staged policy says nothing of another. */
static int
forget_counts(struct diff *d)
{
	const struct image *old = d->old->candidate, *next = d->next->candidate;
	int rc = 0;

	if (old == NULL || next == NULL || old == next)
		return 0;
	for (uint16_t k = SET_NEWLY_REFUSED; rc == 0 && k <= SET_NEWLY_ALLOWED6_PORTLESS; k++)
		rc = d->sink->flush_set(d->arg, &(struct set_ref){ .kind = k });
	return rc;
}

int
diff_rulesets(const struct ruleset *old, const struct ruleset *next, const struct diff_sink *sink, void *arg)
{
	struct diff d = { .old = old, .next = next, .sink = sink, .arg = arg };
	int rc = 0;

	if (old != NULL) {
		find_same(&d);
		rc = forget_counts(&d);
		if (rc == 0)
			rc = diff_elements(&d, PHASE_DELETE);
		if (rc == 0)
			rc = diff_rules(&d, PHASE_DELETE);
	}
	if (rc == 0)
		rc = diff_what_comes(&d);
	if (rc == 0)
		rc = diff_rules(&d, PHASE_ADD);
	if (rc == 0)
		rc = diff_elements(&d, PHASE_ADD);
	if (rc == 0 && old != NULL)
		rc = diff_what_goes(&d);
	diff_done(&d);
	return rc;
}

static int
diff_station(struct diff *d, const struct station_change *c, enum phase phase)
{
	const struct image_device *device = &d->next->image->devices[c->index], *staged;
	const struct ruleset candidate = ruleset_candidate(d->next);
	int rc;

	d->a.n = d->b.n = 0;
	rc = elements_of_device(d->next, device, &c->from, element_list_add, &d->a);
	if (rc == 0)
		rc = elements_of_device(d->next, device, &c->to, element_list_add, &d->b);
	if (rc == 0 && (staged = image_device(candidate.image, device->number)) != NULL) {
		rc = elements_of_device(&candidate, staged, &c->from, element_list_add, &d->a);
		if (rc == 0)
			rc = elements_of_device(&candidate, staged, &c->to, element_list_add, &d->b);
	}
	return rc != 0 ? rc : diff_tell(d, phase);
}

static bool
station_rate_differs(const struct image *im, const struct station_change *c)
{
	const struct image_device *device = &im->devices[c->index];

	return diff_rate_differs(im, station_class(im, device, &c->from), im, station_class(im, device, &c->to));
}

int
diff_station_changes(const struct ruleset *rs, const struct station_change *changes, size_t n,
    const struct diff_sink *sink, void *arg)
{
	struct diff d = { .old = rs, .next = rs, .sink = sink, .arg = arg };
	int rc = 0;

	for (size_t i = 0; !d.rates && i < n; i++)
		d.rates = station_rate_differs(rs->image, &changes[i]);
	if (d.rates)
		rc = sink->flush_set(arg, &(struct set_ref){ .kind = SET_RATE });
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = diff_station(&d, &changes[i], PHASE_DELETE);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = diff_station(&d, &changes[i], PHASE_ADD);
	diff_done(&d);
	return rc;
}
