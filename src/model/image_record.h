/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image_record.h -- the rules for single records of an image, for those who
 * write them and those who check them. */
#ifndef CORDON_MODEL_IMAGE_RECORD_H
#define CORDON_MODEL_IMAGE_RECORD_H

#include <stdbool.h>

#include "model/image.h"

enum box_place {
	BOX_OF_CLASS,		/* with addresses */
	BOX_OF_PEER,		/* without */
	BOX_OF_SERVICES,	/* without; ports and ICMP only */
};

bool image_box_is_valid(const struct image_box *, enum box_place);
bool image_address_is_valid(const struct image_address *);

/* Protocols whose packets begin with a source and a destination port. */
bool protocol_has_ports(uint8_t protocol);

/* The order of image.h: kind, family, protocol, low, first. */
int image_box_cmp(const struct image_box *, const struct image_box *);
bool image_box_same_group(const struct image_box *, const struct image_box *);

/* For qsort of const char *. */
int image_names_cmp(const void *, const void *);

#endif
