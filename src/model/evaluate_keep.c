/* SPDX-License-Identifier: GPL-2.0-or-later */
/* evaluate_keep.c -- rules of chains and elements of owners, made when a packet
 * asks for them and kept for the next one. */
#include "model/evaluate_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PLACES_MIN 64

static size_t
place_of(const struct evaluator *ev, uint64_t name)
{
	size_t at = (size_t)((name * 0x9e3779b97f4a7c15ULL) >> 32) & (ev->places - 1);

	while (ev->kept[at].name != 0 && ev->kept[at].name != name)
		at = (at + 1) & (ev->places - 1);
	return at;
}

static int
make_room(struct evaluator *ev)
{
	struct evaluator old = *ev;

	if (ev->n_kept * 2 < ev->places)
		return 0;
	ev->places = old.places == 0 ? PLACES_MIN : old.places * 2;
	if ((ev->kept = calloc(ev->places, sizeof(*ev->kept))) == NULL) {
		*ev = old;
		return -ENOMEM;
	}
	for (size_t i = 0; i < old.places; i++)
		if (old.kept[i].name != 0)
			ev->kept[place_of(ev, old.kept[i].name)] = old.kept[i];
	free(old.kept);
	return 0;
}

/* Grows while it is filled; becomes a struct kept. */
struct list {
	uint8_t *items;
	size_t n, room, size;
};

static int
list_add(struct list *l, const void *item)
{
	if (l->n == l->room) {
		size_t room = l->room == 0 ? 16 : l->room * 2;
		uint8_t *more = reallocarray(l->items, room, l->size);

		if (more == NULL)
			return -ENOMEM;
		l->items = more;
		l->room = room;
	}
	memcpy(l->items + l->n++ * l->size, item, l->size);
	return 0;
}

static int
list_element(void *arg, const struct element *e)
{
	return list_add(arg, e);
}

static int
list_rule(void *arg, const struct rule_ir *r)
{
	return list_add(arg, r);
}

static int
fill(const struct evaluator *ev, uint64_t name, struct list *l)
{
	const struct ruleset candidate = ruleset_candidate(ev->rs);
	const bool staged = (name >> 32 & KEPT_STAGED) != 0;
	const struct ruleset *rs = staged ? &candidate : ev->rs;
	uint32_t what = (uint32_t)(name >> 32) & ~(uint32_t)KEPT_STAGED, number = (uint32_t)name;
	struct chain_ref chain = { .kind = (uint16_t)(what - KEPT_RULES), .staged = staged, .number = number };

	l->size = what >= KEPT_RULES ? sizeof(struct rule_ir) : sizeof(struct element);
	if (what == KEPT_APPLIANCE)
		return elements_of_appliance(rs, list_element, l);
	if (what == KEPT_CLASS)
		return elements_of_class(rs, &rs->image->classes[number], list_element, l);
	if (what == KEPT_DEVICE)
		return elements_of_device(rs, &rs->image->devices[number], ruleset_station(rs, number),
		    list_element, l);
	return ruleset_each_rule(ev->rs, &chain, list_rule, l);
}

static int
by_set(const void *a, const void *b)
{
	return set_ref_order(&((const struct element *)a)->set, &((const struct element *)b)->set);
}

int
evaluator_keep(struct evaluator *ev, uint32_t what, uint32_t number, const struct kept **out)
{
	uint64_t name = (uint64_t)what << 32 | number;
	struct list l = { 0 };
	size_t at;
	int rc;

	if ((rc = make_room(ev)) < 0)
		return rc;
	at = place_of(ev, name);
	if (ev->kept[at].name == 0) {
		if ((rc = fill(ev, name, &l)) < 0) {
			free(l.items);
			return rc;
		}
		if ((what & ~(uint32_t)KEPT_STAGED) < KEPT_RULES && l.n > 1)
			qsort(l.items, l.n, l.size, by_set);
		ev->kept[at] = (struct kept){ name, l.items, l.n };
		ev->n_kept++;
	}
	*out = &ev->kept[at];
	return 0;
}

int
evaluator_rules(struct evaluator *ev, const struct chain_ref *ref, const struct rule_ir **rules, size_t *n)
{
	const struct kept *k;
	int rc = evaluator_keep(ev, (KEPT_RULES + ref->kind) | (ref->staged ? KEPT_STAGED : 0), ref->number, &k);

	if (rc < 0)
		return rc;
	*rules = k->items;
	*n = k->n;
	return 0;
}

struct evaluator *
evaluator_new(const struct ruleset *rs)
{
	struct evaluator *ev = calloc(1, sizeof(*ev));

	if (ev != NULL)
		ev->rs = rs;
	return ev;
}

void
evaluator_forget(struct evaluator *ev)
{
	for (size_t i = 0; i < ev->places; i++)
		free(ev->kept[i].items);
	free(ev->kept);
	ev->kept = NULL;
	ev->n_kept = ev->places = 0;
}

void
evaluator_free(struct evaluator *ev)
{
	if (ev == NULL)
		return;
	evaluator_forget(ev);
	free(ev);
}
