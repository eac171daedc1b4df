/* SPDX-License-Identifier: GPL-2.0-or-later */
/* element_list.c -- elements of one unit, gathered to be compared. */
#include "model/element_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int
element_list_add(void *arg, const struct element *e)
{
	struct element_list *l = arg;

	if (l->n == l->room) {
		size_t room = l->room ? 2 * l->room : 64;
		struct element *p = reallocarray(l->e, room, sizeof(*p));

		if (p == NULL)
			return -ENOMEM;
		l->e = p;
		l->room = room;
	}
	l->e[l->n++] = *e;
	return 0;
}

int
element_order(const void *a, const void *b)
{
	const struct element *x = a, *y = b;
	int c;

	if ((c = set_ref_order(&x->set, &y->set)) != 0)
		return c;
	c = memcmp(x->key, y->key, sizeof(x->key));
	if (c == 0)
		c = memcmp(x->key_end, y->key_end, sizeof(x->key_end));
	return c != 0 ? c : x->end - y->end;
}

void
element_list_sort(struct element_list *l)
{
	if (l->n > 0)
		qsort(l->e, l->n, sizeof(*l->e), element_order);
}
