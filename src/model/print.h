/* SPDX-License-Identifier: GPL-2.0-or-later */
/* print.h -- a policy in the admin's words, and its ruleset in nft's. */
#ifndef CORDON_MODEL_PRINT_H
#define CORDON_MODEL_PRINT_H

#include <stdio.h>

#include "model/image.h"
#include "model/ruleset.h"

/* Text that reads like the configuration: normalised, sorted by name. Reading
 * it as configuration and compiling gives the same boxes again. */
int print_policy(const struct image *, FILE *);

/* What `nft -f` accepts, and loads into the same rules and elements that
 * cordond sends by netlink. */
int print_nft(const struct ruleset *, FILE *);

#endif
