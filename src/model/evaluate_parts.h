/* SPDX-License-Identifier: GPL-2.0-or-later */
/* evaluate_parts.h -- inside evaluate*.c: what an evaluator keeps. */
#ifndef CORDON_MODEL_EVALUATE_PARTS_H
#define CORDON_MODEL_EVALUATE_PARTS_H

#include "model/evaluate.h"

/* The rules of a chain, or the elements of an owner. */
struct kept {
	uint64_t name;		/* 0: an empty place */
	void *items;
	size_t n;
};

struct evaluator {
	const struct ruleset *rs;
	struct kept *kept;	/* hashed by name */
	size_t n_kept;
	size_t places;		/* a power of two, or 0 */
};

/* The rules of a chain. 0 or -ENOMEM. */
int evaluator_rules(struct evaluator *, const struct chain_ref *, const struct rule_ir **rules, size_t *n);

#endif
