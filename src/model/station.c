/* SPDX-License-Identifier: GPL-2.0-or-later */
/* station.c -- by whose rules a device lives where it stands. Whoever asks for a
 * device's class asks here; nobody else looks at why it is another than its own. */
#include "model/station.h"

#include "model/image.h"

bool
class_is_quarantine(const struct image_class *c)
{
	return c->number == 0 || (c->hints & CLASS_QUARANTINE) != 0;
}

uint32_t
station_class(const struct image *im, const struct image_device *d, const struct station *st)
{
	if (st->quarantined)
		return image_class(im, d->class_number)->quarantine;
	if (st->limited != 0 && image_class(im, st->limited) != NULL)
		return st->limited;
	return d->class_number;
}

uint32_t
station_limit(const struct image *im, const struct image_device *d)
{
	for (uint32_t i = d->certificates.n; i > 0; i--) {
		const struct image_certificate *c = &im->certificates[d->certificates.first + i - 1];
		const struct image_authority *a = image_authority(im, c->authority);

		if (a != NULL && a->restrict_class != 0)
			return a->restrict_class;
	}
	return 0;
}
