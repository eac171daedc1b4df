/* SPDX-License-Identifier: GPL-2.0-or-later */
/* element_list.h -- inside model/: elements of one unit (the appliance, a class,
 * a device), in an order of their own. */
#ifndef CORDON_MODEL_ELEMENT_LIST_H
#define CORDON_MODEL_ELEMENT_LIST_H

#include "model/ruleset.h"

/* Zero it to begin; free(e) to end; n = 0 to use it again. */
struct element_list {
	struct element *e;
	size_t n, room;
};

/* An element_fn; arg is the list. -ENOMEM. */
int element_list_add(void *list, const struct element *);
void element_list_sort(struct element_list *);

/* By set, then by key: for qsort and for merging. */
int element_order(const void *, const void *);

#endif
