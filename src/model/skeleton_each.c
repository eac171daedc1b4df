/* SPDX-License-Identifier: GPL-2.0-or-later */
/* skeleton_each.c -- the rules of the skeleton as an image needs them: those that no
 * device or class asks for are left out, and the appliance's numbers come in. */
#include "model/skeleton.h"
#include "model/skeleton_words.h"

static bool
rule_wanted(const struct ruleset *rs, const struct rule_ir *rule)
{
	for (const struct expr *e = rule->exprs; e->kind != EXPR_END; e++) {
		if (e->chain.kind == CHAIN_STAGED_REFUSED && rs->candidate == NULL)
			return false;
		if (e->set.kind == SET_CONNECTIONS && !rs->features.connlimit)
			return false;
		if (e->set.kind != SET_NONE && e->set.kind <= SET_LIVE_ROUTED && (rs->absent >> e->set.kind & 1) != 0)
			return false;
	}
	return true;
}

/* The appliance's numbers go into the rule, so that a changed one is a changed rule. */
static int
emit(const struct ruleset *rs, const struct rule_ir *rule, rule_fn *fn, void *arg)
{
	bool inbound = (rs->absent & ABSENT_INBOUND) == 0;
	struct rule_ir r = { 0 };
	struct expr *e = r.exprs;

	for (const struct expr *x = rule->exprs; x->kind != EXPR_END; x++)
		if (inbound || !x->inbound)
			*e++ = *x;
	for (e = r.exprs; e->kind != EXPR_END; e++) {
		if (e->kind == EXPR_LOG)
			e->value += rs->image->appliance->log_group;
		if (e->kind == EXPR_ADD && e->set.kind == SET_CONNECTIONS)
			e->value = rs->image->appliance->connections;
	}
	return fn(arg, &r);
}

/* The rules of a chain that is no class's. */
int
skeleton_each_rule(const struct ruleset *rs, enum chain_kind kind, rule_fn *fn, void *arg)
{
	const struct chain_ref ref = { .kind = (uint16_t)kind };
	const struct skeleton_chain *main = skeleton_main(kind);
	const struct skeleton_chain *c = main->n != 0 ? main :
	    chain_is_staged(&ref) ? skeleton_staged(kind) : skeleton_evidence(kind);
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < c->n; i++)
		if (rule_wanted(rs, &c->rules[i]))
			rc = emit(rs, &c->rules[i], fn, arg);
	return rc;
}
