/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image_walk.h -- what the checkers of an image share: no index is followed
 * before one of these said it leads somewhere. */
#ifndef CORDON_MODEL_IMAGE_WALK_H
#define CORDON_MODEL_IMAGE_WALK_H

#include <stdbool.h>

#include "model/image.h"
#include "model/policy.h"
#include "proto/limits.h"

/* How far each section is used: slices stand one after another. */
struct walk {
	const struct image *im;
	uint32_t used[IMAGE_SECTIONS];
};

static inline bool
slice_ok(struct walk *w, enum image_section section, const struct image_slice *s)
{
	if (s->first != w->used[section] || s->n > w->im->n[section] - w->used[section])
		return false;
	w->used[section] += s->n;
	return true;
}

static inline bool
text_ok(const struct image *im, uint32_t offset)
{
	return offset < im->n[IMAGE_TEXT];
}

static inline bool
name_ok(const struct image *im, uint32_t offset)
{
	return text_ok(im, offset) && name_is_valid(image_text(im, offset));
}

static inline bool
blob_ok(const struct image *im, uint32_t offset, uint32_t len, bool needed)
{
	if (len == 0)
		return !needed && offset == 0;
	return len <= LIMIT_CERTIFICATE_BYTES && offset <= im->n[IMAGE_BLOBS] &&
	    len <= im->n[IMAGE_BLOBS] - offset;
}

static inline bool
where_ok(const struct image *im, const struct image_where *w)
{
	return text_ok(im, w->file);
}

/* Authorities, their issuers and sources; and, once classes are checked, the one that
 * each restricts devices to. (image_check_authorities.c) */
const char *image_check_authorities(struct walk *);
const char *image_check_restricted(const struct image *);

/* That each class's quarantine is its own, or that of all. (image_check_remedies.c) */
bool image_remedy_is_valid(const struct image *, const struct image_class *);
const char *image_check_remedies(const struct image *);

/* Names of up to a few thousand records, each at the same place in its record. */
const char *image_check_unique_names(const struct image *, const void *records, size_t n, size_t size, size_t at);

/* Devices, and the orders they stand in. (image_check_devices.c) */
const char *image_check_devices(struct walk *);

#endif
