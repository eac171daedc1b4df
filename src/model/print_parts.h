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

/* "allow = ( ... );"; "\n\tinbound = ( ... );", or nothing when nobody may come in.
 * 0 or -ENOMEM. */
int print_allow(struct printer *, const struct image_class *);
int print_inbound(struct printer *, const struct image_class *);
/* "\n\tquarantine = ( ... );": what its devices may reach there beside what all may. */
int print_remedies(struct printer *, const struct image_class *);

/* A certificate in PEM, a line of it per string; libconfig joins them. (print_authorities.c) */
void print_certificate(struct printer *, uint32_t offset, uint32_t len);
/* "\nauthorities = ( ... );\n"; nothing when there are none. 0 or -ENOMEM. */
int print_authorities(struct printer *);

/* "\nschedules = ( ... );\n", "\nclasses = ( ... );\n"; nothing when there are none.
 * 0 or -ENOMEM. (print_classes.c) */
void print_schedules(struct printer *);
int print_classes(struct printer *);

#endif
