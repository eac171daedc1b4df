/* SPDX-License-Identifier: GPL-2.0-or-later */
/* evaluate.c -- runs the rules on one packet, as nf_tables does. Whatever a set
 * holds is asked of evaluate_sets.c; there is no opinion on the policy here. */
#include "model/evaluate_parts.h"

#include <errno.h>
#include <string.h>

/* The kernel holds 16 jumps; a goto needs no place there, but one here. */
#define DEPTH_MAX	48

enum outcome { GOES_ON, RULE_ENDS, RETURNED, DECIDED, FAILED };

static enum outcome
failed(struct visit *v, int error)
{
	v->error = error;
	return FAILED;
}

static void
tell(struct visit *v, enum trace_kind kind)
{
	if (v->trace == NULL)
		return;
	v->at.kind = kind;
	v->trace(v->arg, &v->at);
}

/* ---- expressions -------------------------------------------------------- */

static enum outcome visit_chain(struct visit *, const struct chain_ref *);

/* What the chain leaves open is not gone on with here. */
static enum outcome
visit_goto(struct visit *v, const struct chain_ref *ref)
{
	enum outcome o = visit_chain(v, ref);

	return o == GOES_ON ? RETURNED : o;
}

static enum outcome
match(const struct visit *v, const struct expr *x)
{
	uint8_t have[16] = { 0 };
	uint32_t value;
	bool same = false;

	if (!visit_field(v, x->fields[0], have))
		return RULE_ENDS;
	memcpy(&value, have, sizeof(value));
	if (field_info(x->fields[0])->len == 2)
		value = (uint32_t)have[0] << 8 | have[1];	/* a port, as it is on the wire */
	else if (field_info(x->fields[0])->len == 1)
		value = have[0];
	if (x->kind == EXPR_MATCH)
		same = value == x->value;
	else
		for (unsigned i = 0; i < x->n_values; i++)
			same |= have[0] == x->values[i];
	return same != x->negate ? GOES_ON : RULE_ENDS;
}

static void
set_mark(struct visit *v, uint32_t mark)
{
	v->v.mark = mark;
	v->at.mark = mark;
	tell(v, TRACE_MARK);
}

static struct dynamic
dynamic_of(const struct visit *v, const struct element *key)
{
	return v->dynamic->of != NULL ? v->dynamic->of(v->dynamic->arg, key) : *v->dynamic;
}

static bool
add_passes(const struct dynamic *d, enum set_kind kind)
{
	if (!d->known && d->full)
		return false;
	switch (set_info(kind)->state) {
	case STATE_OVER_BUDGET:
		return kind == SET_BUDGET ? d->over_budget : d->stranger_over_budget;
	case STATE_CONNECTIONS:
		return d->crowded;
	case STATE_OVER_RATE:
		return d->over_rate;
	case STATE_COUNTER_SAMPLE:
		return !d->known || !d->sampled_out;
	case STATE_NONE:
	case STATE_COUNTER:
		break;
	}
	return true;
}

static enum outcome
add(struct visit *v, const struct expr *x)
{
	struct dynamic d;
	struct element key;

	if (!visit_key(v, x, &key))
		return RULE_ENDS;
	d = dynamic_of(v, &key);
	v->at.expr = x;
	v->at.key = &key;
	v->at.found = NULL;
	v->at.passed = add_passes(&d, x->set.kind);
	v->v.newly_refused |= x->set.kind == SET_NEWLY_REFUSED;
	v->v.newly_allowed |= x->set.kind == SET_NEWLY_ALLOWED;
	tell(v, TRACE_ADD);
	return v->at.passed ? GOES_ON : RULE_ENDS;
}

/* *found is NULL when it is not in there. */
static enum outcome
ask(struct visit *v, const struct expr *x, const struct element **found)
{
	static const struct element somebody;
	struct element key;
	int rc = 0;

	if (!visit_key(v, x, &key))
		return RULE_ENDS;
	if (set_info(x->set.kind)->dynamic)
		*found = dynamic_of(v, &key).known ? &somebody : NULL;
	else if ((rc = evaluator_lookup(v->ev, &key, found)) < 0)
		return failed(v, rc);
	v->at.expr = x;
	v->at.key = &key;
	v->at.found = *found;
	v->at.passed = (*found != NULL) != x->negate;
	tell(v, TRACE_SET);
	return v->at.passed ? GOES_ON : RULE_ENDS;
}

static enum outcome
from_set(struct visit *v, const struct expr *x)
{
	const struct element *found = NULL;
	enum outcome o = ask(v, x, &found);

	if (o != GOES_ON)
		return o;
	if (x->kind == EXPR_MARK_FROM_MAP)
		set_mark(v, found->mark);
	else if (x->kind == EXPR_CLASS_FROM_MAP)
		v->class_number = found->mark;
	return x->kind == EXPR_VERDICT_FROM_MAP ? visit_goto(v, &found->chain) : GOES_ON;
}

static enum outcome
decide(struct visit *v, enum verdict_kind kind)
{
	v->v.kind = kind;
	v->v.chain = v->at.chain;
	v->at.verdict = kind;
	tell(v, TRACE_VERDICT);
	return DECIDED;
}

static enum outcome
change(struct visit *v, const struct expr *x)
{
	if (x->kind == EXPR_SET_MARK)
		set_mark(v, x->value);
	else if (x->kind == EXPR_NUMBER_MARK)
		set_mark(v, v->v.mark & MARK_NUMBER_MASK);
	else if (x->kind == EXPR_FORGET_CLASS)
		v->class_number = x->value;
	else if (x->kind == EXPR_COUNTER)
		v->v.counted |= 1U << x->counter;
	else if (x->kind == EXPR_LOG)
		v->v.logged |= 1U << (x->value - v->ev->rs->image->appliance->log_group);
	else if (packet_is_tracked(v->p)) {	/* EXPR_SAVE_MARK: without a flow it does nothing, and goes on */
		v->v.saved = true;
		v->v.ct_mark = v->v.mark;
	}
	return GOES_ON;
}

static enum outcome
visit_expr(struct visit *v, const struct expr *x)
{
	switch (x->kind) {
	case EXPR_MATCH:
	case EXPR_ANY_OF:
		return match(v, x);
	case EXPR_CT_STATE:
		return (v->p->ct_state & x->value) != 0 ? GOES_ON : RULE_ENDS;
	case EXPR_LOOKUP:
	case EXPR_MARK_FROM_MAP:
	case EXPR_CLASS_FROM_MAP:
	case EXPR_VERDICT_FROM_MAP:
		return from_set(v, x);
	case EXPR_ADD:
		return add(v, x);
	case EXPR_SET_MARK:
	case EXPR_NUMBER_MARK:
	case EXPR_FORGET_CLASS:
	case EXPR_SAVE_MARK:
	case EXPR_COUNTER:
	case EXPR_LOG:
		return change(v, x);
	case EXPR_ACCEPT:
		return decide(v, VERDICT_ACCEPT);
	case EXPR_REJECT:
		return decide(v, VERDICT_REJECT);
	case EXPR_DROP:
		return decide(v, VERDICT_DROP);
	case EXPR_RETURN:
		return RETURNED;
	case EXPR_GOTO:
		return visit_goto(v, &x->chain);
	case EXPR_JUMP:
		return visit_chain(v, &x->chain);
	case EXPR_END:
		break;
	}
	return failed(v, -EINVAL);
}

/* GOES_ON: to the chain's next rule. */
static enum outcome
visit_rule(struct visit *v, const struct rule_ir *r)
{
	enum outcome o = GOES_ON;

	for (const struct expr *x = r->exprs; o == GOES_ON && x->kind != EXPR_END; x++)
		o = visit_expr(v, x);
	return o == RULE_ENDS ? GOES_ON : o;
}

/* GOES_ON: the chain left it open. */
static enum outcome
visit_chain(struct visit *v, const struct chain_ref *ref)
{
	struct trace_step came = v->at;
	const struct rule_ir *rules;
	enum outcome o = GOES_ON;
	size_t n;
	int rc;

	if (came.depth == DEPTH_MAX)
		return failed(v, -EINVAL);
	if ((rc = evaluator_rules(v->ev, ref, &rules, &n)) < 0)
		return failed(v, rc);
	v->at.depth++;
	v->at.chain = *ref;
	v->at.rule = 0;
	tell(v, TRACE_CHAIN);
	for (size_t i = 0; o == GOES_ON && i < n; i++) {
		v->at.rule = (unsigned)i + 1;
		o = visit_rule(v, &rules[i]);
	}
	v->at = came;
	return o == RETURNED ? GOES_ON : o;
}

static enum chain_kind
base_chain(enum chain_hook hook)
{
	switch (hook) {
	case HOOK_FORWARD:
		return CHAIN_FORWARD;
	case HOOK_INPUT:
		return CHAIN_INPUT;
	case HOOK_OUTPUT:
		return CHAIN_OUTPUT;
	case HOOK_NONE:
		break;
	}
	return CHAIN_NONE;
}

int
evaluate(struct evaluator *ev, const struct packet *p, const struct dynamic *dynamic, trace_fn *trace, void *arg,
    struct verdict *out)
{
	static const struct dynamic nothing;
	struct visit v = { .ev = ev, .p = p, .dynamic = dynamic != NULL ? dynamic : &nothing,
	    .trace = trace, .arg = arg, .class_number = p->priority,
	    .v = { .mark = p->mark, .ct_mark = p->ct_mark } };
	struct chain_ref base = { .kind = base_chain(p->hook) };
	bool policy_drop;
	enum outcome o;

	if (base.kind == CHAIN_NONE)
		return -EINVAL;
	chain_hook(base.kind, &policy_drop);
	if ((o = visit_chain(&v, &base)) == FAILED)
		return v.error;
	if (o == GOES_ON) {
		v.v.by_policy = true;
		v.at.chain = base;
		decide(&v, policy_drop ? VERDICT_DROP : VERDICT_ACCEPT);
	}
	*out = v.v;
	if (base.kind != CHAIN_FORWARD || v.v.kind != VERDICT_ACCEPT || ev->rs->candidate == NULL)
		return 0;
	/* The base chain behind it: whatever it may do to the packet is seen. */
	base.kind = CHAIN_STAGED_ADMITTED;
	if ((o = visit_chain(&v, &base)) == FAILED)
		return v.error;
	*out = v.v;
	return 0;
}
