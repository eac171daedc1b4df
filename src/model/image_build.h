/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image_build.h -- put an image together, section by section. The first
 * failure sticks: every later call does nothing and image_build_finish tells. */
#ifndef CORDON_MODEL_IMAGE_BUILD_H
#define CORDON_MODEL_IMAGE_BUILD_H

#include "model/image.h"
#include "model/names.h"

struct image_build {
	struct {
		uint8_t *data;
		uint32_t n;
		uint32_t cap;
	} sections[IMAGE_SECTIONS];
	struct names texts;	/* what was interned: text -> offset */
	char **owned;		/* the table's keys, since the section moves as it grows */
	size_t n_owned;
	uint32_t next_device;
	uint32_t next_class;
	uint32_t next_authority;
	uint32_t settled;
	int error;		/* 0 or the first negative errno */
};

void image_build_init(struct image_build *);
void image_build_done(struct image_build *);

/* Append n records; the index of the first. */
uint32_t image_build_add(struct image_build *, enum image_section, const void *records, size_t n);

/* Room for so many, where they are known beforehand. */
void image_build_reserve(struct image_build *, enum image_section, size_t n);

/* How many records a section has by now: where the next slice begins. */
uint32_t image_build_count(const struct image_build *, enum image_section);

/* The offset of that text; interned ones are stored once. "" is 0. */
uint32_t image_build_text(struct image_build *, const char *);
uint32_t image_build_intern(struct image_build *, const char *);

/* The caller frees *out. -EFBIG above LIMIT_IMAGE_BYTES. */
int image_build_finish(struct image_build *, uint8_t **out, size_t *len);

#endif
