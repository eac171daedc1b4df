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

static uint32_t
restrict_class_of(const struct image *im, const struct image_device *d, uint32_t i)
{
	const struct image_authority *a = image_authority(im, im->certificates[d->certificates.first + i].authority);

	return a != NULL ? a->restrict_class : 0;
}

uint32_t
station_limit(const struct image *im, const struct image_device *d)
{
	for (uint32_t i = d->certificates.n; i > 0; i--) {
		uint32_t class_number = restrict_class_of(im, d, i - 1);

		if (class_number != 0)
			return class_number;
	}
	return 0;
}

uint32_t
station_limited_under(const struct image *im, const struct image_device *d, uint32_t limited)
{
	if (limited == 0)
		return 0;
	for (uint32_t i = 0; i < d->certificates.n; i++)
		if (restrict_class_of(im, d, i) == limited)
			return limited;
	return station_limit(im, d);
}
