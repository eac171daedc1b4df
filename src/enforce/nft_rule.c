/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_rule.c -- a rule of the ruleset as nf_tables expressions.
 *
 * A key's fields are loaded into 32-bit registers one after another; a family's
 * fields are guarded by a check of the family first, once in a rule. */
#include <errno.h>
#include <libnftnl/rule.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "enforce/nft_parts.h"

#define MESSAGE_MAX	8192
#define REG0		NFT_REG32_00

struct rule {
	struct nft_batch *b;
	struct nftnl_rule *r;
	uint8_t family;		/* already checked in this rule */
	uint8_t protocol;
};

static struct nftnl_expr *
expr(struct rule *r, const char *name)
{
	struct nftnl_expr *e = nftnl_expr_alloc(name);

	if (e == NULL)
		r->b->error = -ENOMEM;
	else
		nftnl_rule_add_expr(r->r, e);
	return e;
}

static void
meta_load(struct rule *r, uint32_t key, uint32_t reg)
{
	struct nftnl_expr *e = expr(r, "meta");

	if (e == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, key);
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_DREG, reg);
}

static void
ct_load(struct rule *r, uint32_t key, uint32_t reg)
{
	struct nftnl_expr *e = expr(r, "ct");

	if (e == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_KEY, key);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_DREG, reg);
}

static void
payload_load(struct rule *r, uint32_t base, uint32_t offset, uint32_t len, uint32_t reg)
{
	struct nftnl_expr *e = expr(r, "payload");

	if (e == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_BASE, base);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, len);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_DREG, reg);
}

static void
cmp(struct rule *r, uint32_t op, const void *value, uint32_t len)
{
	struct nftnl_expr *e = expr(r, "cmp");

	if (e == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_SREG, REG0);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_OP, op);
	nftnl_expr_set_data(e, NFTNL_EXPR_CMP_DATA, value, len);
}

static void
and_mask(struct rule *r, uint32_t mask, uint32_t reg)
{
	struct nftnl_expr *e = expr(r, "bitwise");
	uint32_t zero = 0;

	if (e == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_SREG, reg);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_DREG, reg);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_LEN, sizeof(mask));
	nftnl_expr_set_data(e, NFTNL_EXPR_BITWISE_MASK, &mask, sizeof(mask));
	nftnl_expr_set_data(e, NFTNL_EXPR_BITWISE_XOR, &zero, sizeof(zero));
}

/* Fields of one family or protocol mean nothing in another's packet. */
static void
guard(struct rule *r, enum field f)
{
	uint8_t family = field_info(f)->family;
	uint8_t protocol = f == FIELD_ICMP_TYPE ? IPPROTO_ICMP : f == FIELD_ICMP6_TYPE ? IPPROTO_ICMPV6 : 0;
	uint8_t nfproto = family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6;

	if (family != 0 && r->family != family) {
		meta_load(r, NFT_META_NFPROTO, REG0);
		cmp(r, NFT_CMP_EQ, &nfproto, 1);
		r->family = family;
	}
	if (protocol != 0 && r->protocol != protocol) {
		meta_load(r, NFT_META_L4PROTO, REG0);
		cmp(r, NFT_CMP_EQ, &protocol, 1);
		r->protocol = protocol;
	}
}

static void
load(struct rule *r, enum field f, uint32_t reg)
{
	switch (f) {
	case FIELD_ETHER_SADDR:
		payload_load(r, NFT_PAYLOAD_LL_HEADER, 6, 6, reg);
		return;
	case FIELD_IP_SADDR:
		payload_load(r, NFT_PAYLOAD_NETWORK_HEADER, 12, 4, reg);
		return;
	case FIELD_IP_DADDR:
		payload_load(r, NFT_PAYLOAD_NETWORK_HEADER, 16, 4, reg);
		return;
	case FIELD_IP6_SADDR:
		payload_load(r, NFT_PAYLOAD_NETWORK_HEADER, 8, 16, reg);
		return;
	case FIELD_IP6_DADDR:
		payload_load(r, NFT_PAYLOAD_NETWORK_HEADER, 24, 16, reg);
		return;
	case FIELD_HOPLIMIT:
		payload_load(r, NFT_PAYLOAD_NETWORK_HEADER, 7, 1, reg);
		return;
	case FIELD_SPORT:
		payload_load(r, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 2, reg);
		return;
	case FIELD_DPORT:
		payload_load(r, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, reg);
		return;
	case FIELD_ICMP_TYPE:
	case FIELD_ICMP6_TYPE:
		payload_load(r, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1, reg);
		return;
	case FIELD_L4PROTO:
		meta_load(r, NFT_META_L4PROTO, reg);
		return;
	case FIELD_NFPROTO:
		meta_load(r, NFT_META_NFPROTO, reg);
		return;
	case FIELD_PKTTYPE:
		meta_load(r, NFT_META_PKTTYPE, reg);
		return;
	case FIELD_IIFNAME:
		meta_load(r, NFT_META_IIFNAME, reg);
		return;
	case FIELD_OIFNAME:
		meta_load(r, NFT_META_OIFNAME, reg);
		return;
	case FIELD_IIF:
		meta_load(r, NFT_META_IIF, reg);
		return;
	case FIELD_MARK:
		meta_load(r, NFT_META_MARK, reg);
		return;
	case FIELD_NUMBER:
		meta_load(r, NFT_META_MARK, reg);
		and_mask(r, MARK_NUMBER_MASK, reg);
		return;
	case FIELD_CT_MARK:
		ct_load(r, NFT_CT_MARK, reg);
		return;
	case FIELD_CT_NUMBER:
		ct_load(r, NFT_CT_MARK, reg);
		and_mask(r, MARK_NUMBER_MASK, reg);
		return;
	case FIELD_CT_DIRECTION:
		ct_load(r, NFT_CT_DIRECTION, reg);
		return;
	case FIELD_NONE:
	case FIELDS:
		return;
	}
}

static void
load_key(struct rule *r, const enum field *fields)
{
	uint32_t reg = REG0;

	for (int i = 0; i < SET_FIELDS_MAX && fields[i] != FIELD_NONE; i++)
		guard(r, fields[i]);
	for (int i = 0; i < SET_FIELDS_MAX && fields[i] != FIELD_NONE; i++) {
		load(r, fields[i], reg);
		reg += (field_info(fields[i])->len + 3U) / 4;
	}
}

static void
set_lookup(struct rule *r, const struct expr *x)
{
	struct nftnl_expr *e;
	char name[SET_NAMELEN];

	load_key(r, x->fields);
	if ((e = expr(r, "lookup")) == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SREG, REG0);
	nftnl_expr_set_str(e, NFTNL_EXPR_LOOKUP_SET, set_name(&x->set, name));
	if (x->negate)
		nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
	if (x->kind == EXPR_MARK_FROM_MAP)
		nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_DREG, REG0);
	if (x->kind == EXPR_VERDICT_FROM_MAP)
		nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_DREG, NFT_REG_VERDICT);
}

static void
any_of(struct rule *r, const struct expr *x)
{
	struct nftnl_expr *e;
	uint32_t id = 0;

	nft_add_anonymous(r->b, x->fields[0], x->values, x->n_values, &id);
	load_key(r, x->fields);
	if ((e = expr(r, "lookup")) == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SREG, REG0);
	nftnl_expr_set_str(e, NFTNL_EXPR_LOOKUP_SET, "__set%d");
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SET_ID, id);
}

static void
mark_set(struct rule *r, const char *which, uint32_t key_attr, uint32_t key, uint32_t sreg_attr)
{
	struct nftnl_expr *e = expr(r, which);

	if (e == NULL)
		return;
	nftnl_expr_set_u32(e, (uint16_t)key_attr, key);
	nftnl_expr_set_u32(e, (uint16_t)sreg_attr, REG0);
}

static void
immediate(struct rule *r, const void *data, uint32_t len)
{
	struct nftnl_expr *e = expr(r, "immediate");

	if (e == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, REG0);
	nftnl_expr_set_data(e, NFTNL_EXPR_IMM_DATA, data, len);
}

static void
verdict(struct rule *r, int code, const struct chain_ref *to)
{
	struct nftnl_expr *e = expr(r, "immediate");
	char name[CHAIN_NAMELEN];

	if (e == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_VERDICT, (uint32_t)code);
	if (to != NULL)
		nftnl_expr_set_str(e, NFTNL_EXPR_IMM_CHAIN, chain_name(to, name));
}

static void
match(struct rule *r, const struct expr *x)
{
	uint8_t byte = (uint8_t)x->value;

	load_key(r, x->fields);
	if (field_info(x->fields[0])->len == 1)
		cmp(r, x->negate ? NFT_CMP_NEQ : NFT_CMP_EQ, &byte, 1);
	else
		cmp(r, x->negate ? NFT_CMP_NEQ : NFT_CMP_EQ, &x->value, sizeof(x->value));
}

static void
ct_state(struct rule *r, uint32_t mask)
{
	uint32_t zero = 0;

	ct_load(r, NFT_CT_STATE, REG0);
	and_mask(r, mask, REG0);
	cmp(r, NFT_CMP_NEQ, &zero, sizeof(zero));
}

/* A counter and a sample are declared with the set; a budget and a number of
 * connections come with the rule. */
static void
add(struct rule *r, const struct expr *x)
{
	enum set_state state = set_info(x->set.kind)->state;
	struct nftnl_expr *e, *inner = NULL;
	char name[SET_NAMELEN];

	load_key(r, x->fields);
	if ((e = expr(r, "dynset")) == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_DYNSET_SREG_KEY, REG0);
	nftnl_expr_set_u32(e, NFTNL_EXPR_DYNSET_OP, NFT_DYNSET_OP_ADD);
	nftnl_expr_set_str(e, NFTNL_EXPR_DYNSET_SET_NAME, set_name(&x->set, name));
	if (state == STATE_OVER_BUDGET)
		inner = nft_state_budget();
	else if (state == STATE_CONNECTIONS)
		inner = nft_state_connections(x->value);
	if (inner != NULL)
		nftnl_expr_set(e, NFTNL_EXPR_DYNSET_EXPR, inner, 0);
}

static void
counter(struct rule *r, enum counter_kind kind)
{
	struct nftnl_expr *e = expr(r, "objref");

	if (e == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_OBJREF_IMM_TYPE, NFT_OBJECT_COUNTER);
	nftnl_expr_set_str(e, NFTNL_EXPR_OBJREF_IMM_NAME, counter_name(kind));
}

static void
log_to(struct rule *r, uint32_t group)
{
	struct nftnl_expr *e = expr(r, "log");

	if (e != NULL)
		nftnl_expr_set_u16(e, NFTNL_EXPR_LOG_GROUP, (uint16_t)group);
}

static void
translate(struct rule *r, const struct expr *x)
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
		mark_set(r, "meta", NFTNL_EXPR_META_KEY, NFT_META_MARK, NFTNL_EXPR_META_SREG);
		return;
	case EXPR_ANY_OF:
		any_of(r, x);
		return;
	case EXPR_SET_MARK:
		immediate(r, &x->value, sizeof(x->value));
		mark_set(r, "meta", NFTNL_EXPR_META_KEY, NFT_META_MARK, NFTNL_EXPR_META_SREG);
		return;
	case EXPR_NUMBER_MARK:
		load(r, FIELD_NUMBER, REG0);
		mark_set(r, "meta", NFTNL_EXPR_META_KEY, NFT_META_MARK, NFTNL_EXPR_META_SREG);
		return;
	case EXPR_SAVE_MARK:
		load(r, FIELD_MARK, REG0);
		mark_set(r, "ct", NFTNL_EXPR_CT_KEY, NFT_CT_MARK, NFTNL_EXPR_CT_SREG);
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
	case EXPR_ACCEPT:
		verdict(r, NF_ACCEPT, NULL);
		return;
	case EXPR_DROP:
		verdict(r, NF_DROP, NULL);
		return;
	case EXPR_GOTO:
		verdict(r, NFT_GOTO, &x->chain);
		return;
	case EXPR_JUMP:
		verdict(r, NFT_JUMP, &x->chain);
		return;
	case EXPR_RETURN:
		verdict(r, NFT_RETURN, NULL);
		return;
	case EXPR_END:
		return;
	}
}

void
nft_batch_add_rule(struct nft_batch *b, const struct chain_ref *chain, const struct rule_ir *ir)
{
	struct rule r = { .b = b };
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
