/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unknown.c -- join what several sources say of unknown devices; pure. */
#include "ctl/unknown.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void
unknown_done(struct unknown_list *l)
{
	free(l->list);
	makers_done(&l->makers);
	memset(l, 0, sizeof(*l));
}

int
unknown_add(struct unknown_list *l, const struct sighting *s, bool neighbour)
{
	if (l->n == l->room) {
		size_t room = l->room != 0 ? 2 * l->room : 64;
		struct unknown *list = reallocarray(l->list, room, sizeof(*list));

		if (list == NULL)
			return -ENOMEM;
		l->list = list;
		l->room = room;
	}
	l->list[l->n++] = (struct unknown){ .s = *s, .neighbour = neighbour };
	return 0;
}

/* ---- joining ------------------------------------------------------------ */

static int
by_identity(const void *a, const void *b)
{
	const struct unknown *x = a, *y = b;
	int d = memcmp(x->s.mac.bytes, y->s.mac.bytes, sizeof(x->s.mac.bytes));

	if (d == 0)
		d = strcmp(x->s.interface, y->s.interface);
	/* what the evidence has comes first, and takes the rest up */
	return d != 0 ? d : x->neighbour - y->neighbour;
}

static int
by_time(const void *a, const void *b)
{
	const struct unknown *x = a, *y = b;

	if (x->s.last_ms != y->s.last_ms)
		return x->s.last_ms < y->s.last_ms ? -1 : 1;
	return by_identity(a, b);
}

static void
add_address(struct sighting *to, const struct addr *a)
{
	for (unsigned i = 0; i < to->n_addresses; i++)
		if (addr_cmp(&to->addresses[i], a) == 0)
			return;
	if (to->n_addresses < LIMIT_SIGHTING_ADDRESSES)
		to->addresses[to->n_addresses++] = *a;
	else
		to->more_addresses = 1;
}

static void
join(struct unknown *to, const struct unknown *from)
{
	for (unsigned i = 0; i < from->s.n_addresses; i++)
		add_address(&to->s, &from->s.addresses[i]);
	if (from->s.last_ms > to->s.last_ms)
		to->s.last_ms = from->s.last_ms;
	to->neighbour |= from->neighbour;
}

static bool
is_device_interface(const struct image *im, const char *name)
{
	for (uint32_t i = 0; i < im->n[IMAGE_INTERFACES]; i++)
		if (strcmp(image_text(im, im->interfaces[i].name), name) == 0)
			return true;
	return false;
}

void
unknown_settle(struct unknown_list *l, const struct image *im, int64_t since_ms)
{
	size_t kept = 0;

	if (l->n == 0)
		return;
	qsort(l->list, l->n, sizeof(l->list[0]), by_identity);
	for (size_t i = 0; i < l->n; i++) {
		struct unknown *u = &l->list[i], *last = kept > 0 ? &l->list[kept - 1] : NULL;

		if (image_device_with_mac(im, u->s.mac.bytes) != NULL || !is_device_interface(im, u->s.interface))
			continue;
		if (last != NULL && memcmp(&last->s.mac, &u->s.mac, sizeof(u->s.mac)) == 0 &&
		    strcmp(last->s.interface, u->s.interface) == 0)
			join(last, u);
		else
			l->list[kept++] = *u;
	}
	l->n = kept;
	kept = 0;
	for (size_t i = 0; i < l->n; i++)
		if (l->list[i].s.last_ms >= since_ms)
			l->list[kept++] = l->list[i];
	l->n = kept;
	qsort(l->list, l->n, sizeof(l->list[0]), by_time);
	for (size_t i = 0; i < l->n; i++)
		(void)makers_want(&l->makers, &l->list[i].s.mac);	/* without memory it has no name */
}
