/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inventory.h -- give every row of a CSV inventory a class. */
#ifndef CORDON_CTL_INVENTORY_H
#define CORDON_CTL_INVENTORY_H

#include <stddef.h>

/* A copy of a CSV text with one more column, "class", of this value. The caller
 * frees *out. -EEXIST: it has that column already; -EINVAL: a quote does not
 * end; -ENOMEM. The class is a plain word. */
int inventory_add_class(const char *csv, size_t len, const char *class, char **out, size_t *out_len);

#endif
