/* SPDX-License-Identifier: GPL-2.0-or-later */
/* print_parts.h -- what the printers of a policy share. */
#ifndef CORDON_MODEL_PRINT_PARTS_H
#define CORDON_MODEL_PRINT_PARTS_H

#include "model/print.h"

struct printer {
	const struct image *im;
	FILE *out;
};

/* Each begins with a blank: " tcp = (80, 443); udp = 53;". 0 or -ENOMEM. */
int print_services(struct printer *, const struct image_box *, size_t n);

/* "allow = ( ... );". 0 or -ENOMEM. */
int print_allow(struct printer *, const struct image_class *);

#endif
