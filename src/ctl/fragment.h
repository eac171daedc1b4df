/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fragment.h -- unknown devices as an inventory that an admin completes. */
#ifndef CORDON_CTL_FRAGMENT_H
#define CORDON_CTL_FRAGMENT_H

#include <stdio.h>

#include "ctl/unknown.h"

/* The class of every entry is "?", which no class can be called: as it stands
 * the inventory is refused. An entry per MAC. */
int fragment_csv(const struct unknown_list *, const struct image *, FILE *);
int fragment_config(const struct unknown_list *, const struct image *, int64_t now_ms, FILE *);

/* Out of a name that a stranger gave: one that is valid and that no device of
 * the image has; "" when nothing of it can be kept. For fragment.c and tests. */
void fragment_name(const char *said, char out[LIMIT_NAME]);

#endif
