/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image_check.h -- what image.c, image_check.c and image_build.c share. */
#ifndef CORDON_MODEL_IMAGE_CHECK_H
#define CORDON_MODEL_IMAGE_CHECK_H

#include "common/digest.h"
#include "model/image.h"

/* Bytes of one record. */
extern const uint32_t image_record_size[IMAGE_SECTIONS];

const void *image_section(const struct image_header *, enum image_section);

/* Over the header, from the field after the digest, and all that follows it. */
void image_digest(const struct image_header *, uint8_t out[DIGEST_LEN]);

/* A header with magic, version and its length; everything else zero. */
void image_begin(struct image_header *);

/* By family, then bytes. */
int image_address_cmp(const struct image_address *, const struct image_address *);

/* All records, once the frame stands. NULL, or which rule of image.h is broken. */
const char *image_check(const struct image *);

/* Do boxes of one kind, family and protocol, sorted by (low, first), overlap?
 * -ENOMEM when there is no memory to tell. (image_overlap.c) */
int image_boxes_overlap(const struct image_box *, size_t n);

#endif
