/* SPDX-License-Identifier: GPL-2.0-or-later */
/* print_sets.h -- the sets of a ruleset in nft's syntax; a part of print_nft. */
#ifndef CORDON_MODEL_PRINT_SETS_H
#define CORDON_MODEL_PRINT_SETS_H

#include <stdbool.h>
#include <stdio.h>

#include "model/ruleset.h"

/* Each set with its elements. 0 or -errno. */
int print_sets(const struct ruleset *, FILE *);

/* A key, field by field; with key_end as a range where that differs. 0 or -EINVAL. */
int print_key(FILE *, const struct set_info *, const uint8_t *key, const uint8_t *key_end);

/* A class number as nft writes a priority. */
void print_classid(FILE *, uint32_t);

/* What stands in a concatenation: the fields, or their types. */
void print_fields(FILE *, const enum field *, bool types);

#endif
