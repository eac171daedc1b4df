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

/* The high half of a name: whose elements they are, or which chain's rules. */
enum { KEPT_APPLIANCE = 1, KEPT_CLASS, KEPT_DEVICE, KEPT_RULES = 16, KEPT_STAGED = 0x10000 };

/* What is kept under that name, sorted by set; made when it is not. 0 or -ENOMEM. */
int evaluator_keep(struct evaluator *, uint32_t what, uint32_t number, const struct kept **out);

/* The rules of a chain. 0 or -ENOMEM. */
int evaluator_rules(struct evaluator *, const struct chain_ref *, const struct rule_ir **rules, size_t *n);

/* ---- one packet (evaluate_fields.c) -------------------------------------- */

struct visit {
	struct evaluator *ev;
	const struct packet *p;
	const struct dynamic *dynamic;
	trace_fn *trace;
	void *arg;
	struct verdict v;
	uint32_t class_number;	/* where the packet's priority keeps it */
	struct trace_step at;
	int error;		/* when FAILED */
};

/* Does conntrack know its flow? */
bool packet_is_tracked(const struct packet *);

/* A field's bytes into out, which is zero and has room for 16; false where the
 * packet has no such field. */
bool visit_field(const struct visit *, enum field, uint8_t *out);

/* A key from several. */
bool visit_key(const struct visit *, const struct expr *, struct element *out);

#endif
