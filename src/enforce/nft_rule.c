/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_rule.c -- a rule of the ruleset as nf_tables expressions. */
#include <arpa/inet.h>
#include <errno.h>
#include <libnftnl/rule.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "enforce/nft_load.h"

#define MESSAGE_MAX	8192

static void
set_lookup(struct nft_rule *r, const struct expr *x)
{
	struct nftnl_expr *e;
	char name[SET_NAMELEN];

	nft_load_key(r, x->fields);
	if ((e = nft_expr(r, "lookup")) == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SREG, REG0);
	nftnl_expr_set_str(e, NFTNL_EXPR_LOOKUP_SET, set_name(&x->set, name));
	if (x->negate)
		nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
	if (x->kind == EXPR_MARK_FROM_MAP || x->kind == EXPR_CLASS_FROM_MAP)
		nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_DREG, REG0);
	if (x->kind == EXPR_VERDICT_FROM_MAP)
		nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_DREG, NFT_REG_VERDICT);
}

static void
any_of(struct nft_rule *r, const struct expr *x)
{
	struct nftnl_expr *e;
	uint32_t id = 0;

	nft_add_anonymous(r->b, x->fields[0], x->values, x->n_values, &id);
	nft_load_key(r, x->fields);
	if ((e = nft_expr(r, "lookup")) == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SREG, REG0);
	nftnl_expr_set_str(e, NFTNL_EXPR_LOOKUP_SET, "__set%d");
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SET_ID, id);
}

/* What stands in the register becomes the packet's. */
static void
meta_set(struct nft_rule *r, uint32_t key)
{
	struct nftnl_expr *e = nft_expr(r, "meta");

	if (e == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, key);
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_SREG, REG0);
}

static void
save_mark(struct nft_rule *r)
{
	struct nftnl_expr *e;

	nft_load(r, FIELD_MARK, REG0);
	if ((e = nft_expr(r, "ct")) == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_KEY, NFT_CT_MARK);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_SREG, REG0);
}

static void
meta_set_to(struct nft_rule *r, uint32_t key, uint32_t value)
{
	struct nftnl_expr *e = nft_expr(r, "immediate");

	if (e == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, REG0);
	nftnl_expr_set_data(e, NFTNL_EXPR_IMM_DATA, &value, sizeof(value));
	meta_set(r, key);
}

static void
verdict(struct nft_rule *r, const struct expr *x)
{
	static const int32_t codes[] = {
		[EXPR_ACCEPT] = NF_ACCEPT,
		[EXPR_DROP] = NF_DROP,
		[EXPR_GOTO] = NFT_GOTO,
		[EXPR_JUMP] = NFT_JUMP,
		[EXPR_RETURN] = NFT_RETURN,
	};
	struct nftnl_expr *e = nft_expr(r, "immediate");
	char name[CHAIN_NAMELEN];

	if (e == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_VERDICT, (uint32_t)codes[x->kind]);
	if (x->kind == EXPR_GOTO || x->kind == EXPR_JUMP)
		nftnl_expr_set_str(e, NFTNL_EXPR_IMM_CHAIN, chain_name(&x->chain, name));
}

static void
match(struct nft_rule *r, const struct expr *x)
{
	uint32_t how = x->negate ? NFT_CMP_NEQ : NFT_CMP_EQ;
	uint8_t byte = (uint8_t)x->value;
	uint16_t port = htons((uint16_t)x->value);

	nft_load_key(r, x->fields);
	if (field_info(x->fields[0])->len == sizeof(byte))
		nft_cmp(r, how, &byte, sizeof(byte));
	else if (field_info(x->fields[0])->len == sizeof(port))
		nft_cmp(r, how, &port, sizeof(port));
	else
		nft_cmp(r, how, &x->value, sizeof(x->value));
}

static void
ct_state(struct nft_rule *r, uint32_t mask)
{
	uint32_t zero = 0;

	nft_ct_load(r, NFT_CT_STATE, REG0);
	nft_and_mask(r, mask, REG0);
	nft_cmp(r, NFT_CMP_NEQ, &zero, sizeof(zero));
}

/* A counter and a sample are declared with the set; a budget and a number of
 * connections come with the rule. */
static void
add(struct nft_rule *r, const struct expr *x)
{
	enum set_state state = set_info(x->set.kind)->state;
	struct nftnl_expr *e, *inner = NULL;
	char name[SET_NAMELEN];

	nft_load_key(r, x->fields);
	if ((e = nft_expr(r, "dynset")) == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_DYNSET_SREG_KEY, REG0);
	nftnl_expr_set_u32(e, NFTNL_EXPR_DYNSET_OP, NFT_DYNSET_OP_ADD);
	nftnl_expr_set_str(e, NFTNL_EXPR_DYNSET_SET_NAME, set_name(&x->set, name));
	if (state == STATE_OVER_BUDGET)
		inner = nft_state_budget();
	else if (state == STATE_CONNECTIONS)
		inner = nft_state_connections(x->value);
	else if (state == STATE_OVER_RATE)
		inner = nft_state_rate(x->value, x->burst);
	if (inner != NULL)
		nftnl_expr_set(e, NFTNL_EXPR_DYNSET_EXPR, inner, 0);
}

static void
counter(struct nft_rule *r, enum counter_kind kind)
{
	struct nftnl_expr *e = nft_expr(r, "objref");

	if (e == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_OBJREF_IMM_TYPE, NFT_OBJECT_COUNTER);
	nftnl_expr_set_str(e, NFTNL_EXPR_OBJREF_IMM_NAME, counter_name(kind));
}

static void
reject(struct nft_rule *r, bool by_reset)
{
	struct nftnl_expr *e = nft_expr(r, "reject");

	if (e == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_REJECT_TYPE, by_reset ? NFT_REJECT_TCP_RST : NFT_REJECT_ICMPX_UNREACH);
	nftnl_expr_set_u8(e, NFTNL_EXPR_REJECT_CODE, by_reset ? 0 : NFT_REJECT_ICMPX_ADMIN_PROHIBITED);
}

static void
log_to(struct nft_rule *r, uint32_t group)
{
	struct nftnl_expr *e = nft_expr(r, "log");

	if (e != NULL)
		nftnl_expr_set_u16(e, NFTNL_EXPR_LOG_GROUP, (uint16_t)group);
}

static void
translate(struct nft_rule *r, const struct expr *x)
{
	switch (x->kind) {
	case EXPR_MATCH:
		match(r, x);
		return;
	case EXPR_CT_STATE:
		ct_state(r, x->value);
		return;
	case EXPR_LOOKUP:
	case EXPR_VERDICT_FROM_MAP:
		set_lookup(r, x);
		return;
	case EXPR_MARK_FROM_MAP:
		set_lookup(r, x);
		meta_set(r, NFT_META_MARK);
		return;
	case EXPR_CLASS_FROM_MAP:
		set_lookup(r, x);
		meta_set(r, NFT_META_PRIORITY);
		return;
	case EXPR_FORGET_CLASS:
		meta_set_to(r, NFT_META_PRIORITY, x->value);
		return;
	case EXPR_ANY_OF:
		any_of(r, x);
		return;
	case EXPR_SET_MARK:
		meta_set_to(r, NFT_META_MARK, x->value);
		return;
	case EXPR_NUMBER_MARK:
		nft_load(r, FIELD_NUMBER, REG0);
		meta_set(r, NFT_META_MARK);
		return;
	case EXPR_SAVE_MARK:
		save_mark(r);
		return;
	case EXPR_ADD:
		add(r, x);
		return;
	case EXPR_COUNTER:
		counter(r, x->counter);
		return;
	case EXPR_LOG:
		log_to(r, x->value);
		return;
	case EXPR_REJECT:
		reject(r, x->value != 0);
		return;
	case EXPR_ACCEPT:
	case EXPR_DROP:
	case EXPR_GOTO:
	case EXPR_JUMP:
	case EXPR_RETURN:
		verdict(r, x);
		return;
	case EXPR_END:
		break;
	}
}

void
nft_batch_add_rule(struct nft_batch *b, const struct chain_ref *chain, const struct rule_ir *ir)
{
	struct nft_rule r = { .b = b };
	char name[CHAIN_NAMELEN];
	struct nlmsghdr *h;

	nft_batch_settle(b);
	if ((r.r = nftnl_rule_alloc()) == NULL) {
		b->error = -ENOMEM;
		return;
	}
	nftnl_rule_set_str(r.r, NFTNL_RULE_TABLE, b->table);
	nftnl_rule_set_str(r.r, NFTNL_RULE_CHAIN, chain_name(chain, name));
	for (const struct expr *x = ir->exprs; x->kind != EXPR_END; x++)
		translate(&r, x);
	if ((h = nft_begin(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, MESSAGE_MAX)) != NULL) {
		nftnl_rule_nlmsg_build_payload(h, r.r);
		nft_end(b, h);
	}
	nftnl_rule_free(r.r);
}
