/* SPDX-License-Identifier: GPL-2.0-or-later */
/* staged.c -- a policy that stands staged beside the enforced one, and is asked
 * what it would say. It may count; it may decide nothing.
 *
 * What was admitted is seen once more by a base chain of its own behind ours; what
 * is refused passes `staged_refused' before its drop. Neither writes the packet's
 * mark, and the priority says here alone whether the staged policy allows: 0. */
#include "model/skeleton.h"
#include "model/skeleton_words.h"

#include <string.h>

#define NOBODYS		UINT32_MAX	/* no class has this number */

/* ---- the chains --------------------------------------------------------- */

/* The first packet of a flow that was admitted. */
static const struct rule_ir staged_admitted[] = {
	R(STATE(CTS_NEW), IS(CT_CONFIRMED, 0), NOT_IN(QUARANTINED, FIELD_MARK), GOTO(STAGED_JUDGE)),
};

static const struct rule_ir staged_judge[] = {
	R(JUMP(STAGED_ASK)),
	R(ISNT(CLASS, 0), JUMP(STAGED_REFUSES)),
	R(FORGET_CLASS),
};

static const struct rule_ir staged_refused[] = {
	R(JUMP(STAGED_ASK)),
	R(IS(CLASS, 0), GOTO(STAGED_ALLOWS)),
};

/* A device that the staged policy does not know may nothing. */
static const struct rule_ir staged_ask[] = {
	R(SET_CLASS(NOBODYS)),
	R(IN(DEVICE_INTERFACES, FIELD_IIFNAME), STAGED_VERDICT_FROM(CHAINS)),
	R(NOT_IN(DEVICE_INTERFACES, FIELD_IIFNAME), STAGED_VERDICT_FROM(CHAINS_IN)),
};

/* ---- the counts --------------------------------------------------------- */

#define KEY4		FIELD_IP_SADDR, FIELD_IP_DADDR, FIELD_L4PROTO
#define KEY6		FIELD_IP6_SADDR, FIELD_IP6_DADDR, FIELD_L4PROTO

/* Every device's number in full, and what it was about as far as there is room. */
#define COUNTED(name, ports) { \
	R(ADD(name, FIELD_NUMBER)), \
	R(WITH_PORTS, GOTO(ports)), \
	R(ADD(name##4_PORTLESS, FIELD_NUMBER, KEY4)), \
	R(ADD(name##6_PORTLESS, FIELD_NUMBER, KEY6)), \
}
#define COUNTED_PORTS(name) { \
	R(ADD(name##4, FIELD_NUMBER, KEY4, FIELD_DPORT)), \
	R(ADD(name##6, FIELD_NUMBER, KEY6, FIELD_DPORT)), \
}
static const struct rule_ir staged_refuses[] = COUNTED(NEWLY_REFUSED, STAGED_REFUSES_PORT);
static const struct rule_ir staged_refuses_port[] = COUNTED_PORTS(NEWLY_REFUSED);
static const struct rule_ir staged_allows[] = COUNTED(NEWLY_ALLOWED, STAGED_ALLOWS_PORT);
static const struct rule_ir staged_allows_port[] = COUNTED_PORTS(NEWLY_ALLOWED);

static const struct skeleton_chain chains[CHAIN_CLASS] = {
	CHAIN(STAGED_ADMITTED, staged_admitted),
	CHAIN(STAGED_JUDGE, staged_judge),
	CHAIN(STAGED_REFUSED, staged_refused),
	CHAIN(STAGED_ASK, staged_ask),
	CHAIN(STAGED_REFUSES, staged_refuses),
	CHAIN(STAGED_REFUSES_PORT, staged_refuses_port),
	CHAIN(STAGED_ALLOWS, staged_allows),
	CHAIN(STAGED_ALLOWS_PORT, staged_allows_port),
};

const struct skeleton_chain *
skeleton_staged(enum chain_kind kind)
{
	return &chains[kind];
}

/* ---- its parts ---------------------------------------------------------- */

struct ruleset
ruleset_candidate(const struct ruleset *rs)
{
	static const struct image nothing;

	return (struct ruleset){ .image = rs->candidate != NULL ? rs->candidate : &nothing,
	    .stations = rs->stations, .features = rs->features, .staged = true, .enforced = rs->image };
}

uint32_t
ruleset_class(const struct ruleset *rs, const struct image_device *d, const struct station *st)
{
	struct station asked;

	if (!rs->staged)
		return station_class(rs->image, d, st);
	if (st == NULL)
		return d->class_number;
	asked = (struct station){ .limited = station_limited_under(rs->image, d, st->limited) };
	return station_class(rs->image, d, &asked);
}

/* Its maps by device and by class; what counts is no part of it, and stands with
 * the enforced policy's sets. */
int
staged_each_map(set_fn *fn, void *arg)
{
	static const enum set_kind kinds[] = { SET_CLASS_OF, SET_CHAINS, SET_CHAINS_IN };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct set_ref ref = { .kind = (uint16_t)kinds[i], .staged = 1 };

		rc = fn(arg, &ref);
	}
	return rc;
}

/* ---- whose numbers are they? -------------------------------------------- */

bool
staged_numbers_agree(const struct image *a, const struct image *b)
{
	for (uint32_t i = 0; i < a->n[IMAGE_DEVICES]; i++) {
		const struct image_device *x = &a->devices[i], *y = image_device(b, x->number), *z;

		if (y != NULL && strcmp(image_text(a, x->name), image_text(b, y->name)) != 0)
			return false;
		z = image_device_named(b, image_text(a, x->name));
		if (z != NULL && z->number != x->number)
			return false;
	}
	return true;
}
