/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image_check_remedies.c -- the classes where devices of one class stand in
 * quarantine: each belongs to one class, and its devices are nobody's peers. */
#include <string.h>

#include "model/image_check.h"
#include "model/image_walk.h"

#define SUFFIX "/quarantine"

/* By itself: never more than enforced rules about addresses, always in force. That
 * nothing comes in and no class is met is checked with its rules. */
bool
image_remedy_is_valid(const struct image *im, const struct image_class *c)
{
	const char *name, *slash;

	if (!text_ok(im, c->name))
		return false;
	name = image_text(im, c->name);
	slash = strchr(name, '/');
	return slash != NULL && strcmp(slash, SUFFIX) == 0 && (size_t)(slash - name) < LIMIT_NAME && slash > name &&
	    c->hints == CLASS_QUARANTINE && c->mode == MODE_ENFORCE && c->refuse == REFUSE_DROP && c->rate == 0 &&
	    c->quarantine == 0;
}

/* "sensor/quarantine" is that of "sensor". */
static bool
belongs(const char *remedy, const char *name)
{
	size_t n = strlen(name);

	return strncmp(remedy, name, n) == 0 && strcmp(remedy + n, SUFFIX) == 0;
}

/* Names are unique, so that as many classes point to one of these as there are
 * means that each points to its own. */
const char *
image_check_remedies(const struct image *im)
{
	uint32_t i, ordinary = 0, remedies = 0, used = 0;

	for (i = 0; i < im->n[IMAGE_CLASSES]; i++) {
		const struct image_class *c = &im->classes[i], *q;

		remedies += (c->hints & CLASS_QUARANTINE) != 0;
		ordinary += (c->hints & CLASS_QUARANTINE) == 0;
		if (c->quarantine == 0)
			continue;
		q = image_class(im, c->quarantine);
		if (c->number == 0 || q == NULL || (q->hints & CLASS_QUARANTINE) == 0 ||
		    !belongs(image_text(im, q->name), image_text(im, c->name)))
			return "a class's quarantine is none, or another one's";
		used++;
	}
	if (used != remedies)
		return "a quarantine belongs to no class";
	return ordinary > LIMIT_CLASSES + 1 ? "there are too many classes" : NULL;
}
