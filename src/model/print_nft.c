/* SPDX-License-Identifier: GPL-2.0-or-later */
/* print_nft.c -- a ruleset in nft's syntax, for people and for comparison.
 * The appliance never reads this text; what it enforces goes by netlink.
 * Order: objects, sets, chains, each as the ruleset gives them. */
#include <errno.h>
#include <inttypes.h>
#include <sys/socket.h>

#include "model/print.h"
#include "model/print_sets.h"

struct printer {
	const struct ruleset *rules;
	FILE *out;
};

/* The value of a match, as nft likes to read it. */
static void
print_match_value(FILE *out, enum field field, uint32_t value)
{
	static const char *const types[] = { "host", "broadcast", "multicast", "other" };

	if (field == FIELD_NFPROTO && (value == AF_INET || value == AF_INET6))
		fputs(value == AF_INET ? "ipv4" : "ipv6", out);
	else if (field == FIELD_PKTTYPE && value < sizeof(types) / sizeof(types[0]))
		fputs(types[value], out);
	else if (field == FIELD_CT_DIRECTION && value < 2)
		fputs(value == 0 ? "original" : "reply", out);
	else if (field == FIELD_TCP_RESET)
		fputs("== rst", out);
	else if (field == FIELD_CT_CONFIRMED)
		fprintf(out, "== %" PRIu32, value);
	else if (field == FIELD_CLASS)
		fprintf(out, "%" PRIx32 ":%" PRIx32, value >> 16, value & 0xffff);
	else if (field == FIELD_MARK || field == FIELD_NUMBER || field == FIELD_CT_MARK ||
	    field == FIELD_CT_NUMBER)
		fprintf(out, "0x%08" PRIx32, value);
	else
		fprintf(out, "%" PRIu32, value);
}

static void
print_ct_state(FILE *out, uint32_t mask)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} states[] = {
		{ CTS_INVALID, "invalid" },
		{ CTS_ESTABLISHED, "established" },
		{ CTS_RELATED, "related" },
		{ CTS_NEW, "new" },
	};
	const char *comma = "";
	size_t i;

	fputs("ct state ", out);
	for (i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		if ((mask & states[i].bit) == 0)
			continue;
		fprintf(out, "%s%s", comma, states[i].name);
		comma = ",";
	}
}

static void
print_any_of(FILE *out, const struct expr *e)
{
	uint8_t i;

	print_fields(out, e->fields, false);
	fputs(" { ", out);
	for (i = 0; i < e->n_values && i < EXPR_VALUES_MAX; i++) {
		fputs(i > 0 ? ", " : "", out);
		print_match_value(out, e->fields[0], e->values[i]);
	}
	fputs(" }", out);
}

/* Sets whose elements hold a limit say it in the rule, so that the limit is
 * part of the element that the packet adds. */
static void
print_add(const struct printer *p, const struct expr *e)
{
	char name[SET_NAMELEN];

	fprintf(p->out, "add @%s { ", set_name(&e->set, name));
	print_fields(p->out, e->fields, false);
	switch (set_info(e->set.kind)->state) {
	case STATE_NONE:
	case STATE_COUNTER:
	case STATE_COUNTER_SAMPLE:
		break;
	case STATE_OVER_BUDGET:
		fprintf(p->out, " limit rate over %d/second burst %d packets", BUDGET_PER_SECOND, BUDGET_BURST);
		break;
	case STATE_OVER_RATE:
		fprintf(p->out, " limit rate over %" PRIu32 "/second burst %" PRIu32 " packets", e->value, e->burst);
		break;
	case STATE_CONNECTIONS:
		fprintf(p->out, " ct count over %" PRIu32, e->value);
		break;
	}
	fputs(" }", p->out);
}

/* Expressions that name a set. */
static void
print_set_expr(const struct printer *p, const struct expr *e)
{
	char name[SET_NAMELEN];

	set_name(&e->set, name);
	if (e->kind == EXPR_MARK_FROM_MAP)
		fputs("meta mark set ", p->out);
	else if (e->kind == EXPR_CLASS_FROM_MAP)
		fputs("meta priority set ", p->out);
	print_fields(p->out, e->fields, false);
	if (e->kind == EXPR_LOOKUP)
		fprintf(p->out, " %s@%s", e->negate ? "!= " : "", name);
	else
		fprintf(p->out, " %s @%s", e->kind == EXPR_VERDICT_FROM_MAP ? "vmap" : "map", name);
}

/* Of the others this prints nothing. */
static void
print_verdict(FILE *out, const struct expr *e)
{
	char name[CHAIN_NAMELEN];

	if (e->kind == EXPR_REJECT)
		fputs(e->value != 0 ? "reject with tcp reset" : "reject with icmpx admin-prohibited", out);
	else if (e->kind == EXPR_ACCEPT)
		fputs("accept", out);
	else if (e->kind == EXPR_DROP)
		fputs("drop", out);
	else if (e->kind == EXPR_RETURN)
		fputs("return", out);
	else if (e->kind == EXPR_GOTO || e->kind == EXPR_JUMP)
		fprintf(out, "%s %s", e->kind == EXPR_GOTO ? "goto" : "jump", chain_name(&e->chain, name));
}

static int
print_expr(const struct printer *p, const struct expr *e)
{
	switch (e->kind) {
	case EXPR_MATCH:
		print_fields(p->out, e->fields, false);
		fputs(e->negate ? " != " : " ", p->out);
		print_match_value(p->out, e->fields[0], e->value);
		return 0;
	case EXPR_CT_STATE:
		print_ct_state(p->out, e->value);
		return 0;
	case EXPR_ANY_OF:
		print_any_of(p->out, e);
		return 0;
	case EXPR_LOOKUP:
	case EXPR_MARK_FROM_MAP:
	case EXPR_CLASS_FROM_MAP:
	case EXPR_VERDICT_FROM_MAP:
		print_set_expr(p, e);
		return 0;
	case EXPR_ADD:
		print_add(p, e);
		return 0;
	case EXPR_SET_MARK:
		fprintf(p->out, "meta mark set 0x%08" PRIx32, e->value);
		return 0;
	case EXPR_NUMBER_MARK:
		fputs("meta mark set meta mark and 0xffffff00", p->out);
		return 0;
	case EXPR_FORGET_CLASS:
		fprintf(p->out, "meta priority set %" PRIx32 ":%" PRIx32, e->value >> 16, e->value & 0xffff);
		return 0;
	case EXPR_SAVE_MARK:
		fputs("ct mark set meta mark", p->out);
		return 0;
	case EXPR_COUNTER:
		fprintf(p->out, "counter name \"%s\"", counter_name(e->counter));
		return 0;
	case EXPR_LOG:
		fprintf(p->out, "log group %" PRIu32, e->value);
		return 0;
	case EXPR_REJECT:
	case EXPR_ACCEPT:
	case EXPR_DROP:
	case EXPR_RETURN:
	case EXPR_GOTO:
	case EXPR_JUMP:
		print_verdict(p->out, e);
		return 0;
	case EXPR_END:
		break;
	}
	return -EINVAL;
}

static int
print_rule(void *arg, const struct rule_ir *rule)
{
	const struct printer *p = arg;
	size_t i;
	int rc;

	for (i = 0; i < RULE_EXPRS_MAX && rule->exprs[i].kind != EXPR_END; i++) {
		fputs(i == 0 ? "\t\t" : " ", p->out);
		if ((rc = print_expr(p, &rule->exprs[i])) < 0)
			return rc;
	}
	fputc('\n', p->out);
	return 0;
}

static int
print_chain(void *arg, const struct chain_ref *ref)
{
	static const char *const hooks[] = {
		[HOOK_INPUT] = "input",
		[HOOK_FORWARD] = "forward",
		[HOOK_OUTPUT] = "output",
	};
	const struct printer *p = arg;
	char name[CHAIN_NAMELEN];
	bool drop = false;
	enum chain_hook hook = chain_hook(ref->kind, &drop);
	int rc;

	fprintf(p->out, "\n\tchain %s {\n", chain_name(ref, name));
	if (hook != HOOK_NONE)
		fprintf(p->out, "\t\ttype filter hook %s priority %" PRId32 "; policy %s;\n", hooks[hook],
		    p->rules->image->appliance->hook_priority + chain_behind(ref->kind), drop ? "drop" : "accept");
	if ((rc = ruleset_each_rule(p->rules, ref, print_rule, arg)) < 0)
		return rc;
	fputs("\t}\n", p->out);
	return 0;
}

/* ---- the whole ---------------------------------------------------------- */

int
print_nft(const struct ruleset *rules, FILE *out)
{
	struct printer p = { rules, out };
	int counter, rc;

	/* The flags owner and persist are left out: with them the table would
	 * belong to the nft that loads this, and die with it. */
	fprintf(out, "table inet %s {\n", RULESET_TABLE);
	for (counter = COUNTER_NONE + 1; counter < COUNTER_KINDS; counter++)
		fprintf(out, "\tcounter %s {\n\t}\n", counter_name((enum counter_kind)counter));
	if ((rc = print_sets(rules, out)) < 0 || (rc = ruleset_each_chain(rules, print_chain, &p)) < 0)
		return rc;
	fputs("}\n", out);
	return ferror(out) ? -EIO : 0;
}
