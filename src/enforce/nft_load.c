/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_load.c -- a packet's fields in registers.
 *
 * A key's fields stand in 32-bit registers one after another; a family's fields
 * are guarded by a check of the family first, once in a rule. */
#include "enforce/nft_load.h"

#include <errno.h>
#include <netinet/in.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

/* Younger than some headers; the kernels have it since 5.4. */
#define META_TIME_NS	30

struct nftnl_expr *
nft_expr(struct nft_rule *r, const char *name)
{
	struct nftnl_expr *e = nftnl_expr_alloc(name);

	if (e == NULL)
		r->b->error = -ENOMEM;
	else
		nftnl_rule_add_expr(r->r, e);
	return e;
}

static void
meta_load(struct nft_rule *r, uint32_t key, uint32_t reg)
{
	struct nftnl_expr *e = nft_expr(r, "meta");

	if (e == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, key);
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_DREG, reg);
}

void
nft_ct_load(struct nft_rule *r, uint32_t key, uint32_t reg)
{
	struct nftnl_expr *e = nft_expr(r, "ct");

	if (e == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_KEY, key);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_DREG, reg);
}

static void
payload_load(struct nft_rule *r, uint32_t base, uint32_t offset, uint32_t len, uint32_t reg)
{
	struct nftnl_expr *e = nft_expr(r, "payload");

	if (e == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_BASE, base);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, len);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_DREG, reg);
}

void
nft_cmp(struct nft_rule *r, uint32_t op, const void *value, uint32_t len)
{
	struct nftnl_expr *e = nft_expr(r, "cmp");

	if (e == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_SREG, REG0);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_OP, op);
	nftnl_expr_set_data(e, NFTNL_EXPR_CMP_DATA, value, len);
}

static void
and_bytes(struct nft_rule *r, const uint8_t *mask, uint32_t len, uint32_t reg)
{
	static const uint8_t zero[16];
	struct nftnl_expr *e = nft_expr(r, "bitwise");

	if (e == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_SREG, reg);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_DREG, reg);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_LEN, len);
	nftnl_expr_set_data(e, NFTNL_EXPR_BITWISE_MASK, mask, len);
	nftnl_expr_set_data(e, NFTNL_EXPR_BITWISE_XOR, zero, len);
}

void
nft_and_mask(struct nft_rule *r, uint32_t mask, uint32_t reg)
{
	uint8_t bytes[sizeof(mask)];

	memcpy(bytes, &mask, sizeof(bytes));
	and_bytes(r, bytes, sizeof(bytes), reg);
}

static void
to_network_order(struct nft_rule *r, uint32_t reg, uint32_t len)
{
	struct nftnl_expr *e = nft_expr(r, "byteorder");

	if (e == NULL)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_BYTEORDER_SREG, reg);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BYTEORDER_DREG, reg);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BYTEORDER_OP, NFT_BYTEORDER_HTON);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BYTEORDER_LEN, len);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BYTEORDER_SIZE, len);
}

static uint8_t
field_protocol(enum field f)
{
	if (f == FIELD_ICMP_TYPE || f == FIELD_ICMP_CODE)
		return IPPROTO_ICMP;
	return f == FIELD_ICMP6_TYPE || f == FIELD_ICMP6_CODE ? IPPROTO_ICMPV6 : 0;
}

/* Fields of one family or protocol mean nothing in another's packet. */
static void
guard(struct nft_rule *r, enum field f)
{
	uint8_t family = field_info(f)->family;
	uint8_t protocol = field_protocol(f);
	uint8_t nfproto = family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6;

	if (family != 0 && r->family != family) {
		meta_load(r, NFT_META_NFPROTO, REG0);
		nft_cmp(r, NFT_CMP_EQ, &nfproto, 1);
		r->family = family;
	}
	if (protocol != 0 && r->protocol != protocol) {
		meta_load(r, NFT_META_L4PROTO, REG0);
		nft_cmp(r, NFT_CMP_EQ, &protocol, 1);
		r->protocol = protocol;
	}
}

/* Where a field is found. A bitwise `and' with the device's number follows some of them. */
static const struct source {
	enum { FROM_NOWHERE, FROM_PAYLOAD, FROM_META, FROM_CT } from;
	uint32_t what;		/* payload: header base; meta, ct: key */
	uint32_t offset;
	bool number;
} sources[FIELDS] = {
	[FIELD_ETHER_SADDR] = { FROM_PAYLOAD, NFT_PAYLOAD_LL_HEADER, 6, false },
	[FIELD_IP_SADDR] = { FROM_PAYLOAD, NFT_PAYLOAD_NETWORK_HEADER, 12, false },
	[FIELD_IP_DADDR] = { FROM_PAYLOAD, NFT_PAYLOAD_NETWORK_HEADER, 16, false },
	[FIELD_IP6_SADDR] = { FROM_PAYLOAD, NFT_PAYLOAD_NETWORK_HEADER, 8, false },
	[FIELD_IP6_DADDR] = { FROM_PAYLOAD, NFT_PAYLOAD_NETWORK_HEADER, 24, false },
	[FIELD_HOPLIMIT] = { FROM_PAYLOAD, NFT_PAYLOAD_NETWORK_HEADER, 7, false },
	[FIELD_SPORT] = { FROM_PAYLOAD, NFT_PAYLOAD_TRANSPORT_HEADER, 0, false },
	[FIELD_DPORT] = { FROM_PAYLOAD, NFT_PAYLOAD_TRANSPORT_HEADER, 2, false },
	[FIELD_ICMP_TYPE] = { FROM_PAYLOAD, NFT_PAYLOAD_TRANSPORT_HEADER, 0, false },
	[FIELD_ICMP6_TYPE] = { FROM_PAYLOAD, NFT_PAYLOAD_TRANSPORT_HEADER, 0, false },
	[FIELD_ICMP_CODE] = { FROM_PAYLOAD, NFT_PAYLOAD_TRANSPORT_HEADER, 1, false },
	[FIELD_ICMP6_CODE] = { FROM_PAYLOAD, NFT_PAYLOAD_TRANSPORT_HEADER, 1, false },
	[FIELD_L4PROTO] = { FROM_META, NFT_META_L4PROTO, 0, false },
	[FIELD_NFPROTO] = { FROM_META, NFT_META_NFPROTO, 0, false },
	[FIELD_PKTTYPE] = { FROM_META, NFT_META_PKTTYPE, 0, false },
	[FIELD_IIFNAME] = { FROM_META, NFT_META_IIFNAME, 0, false },
	[FIELD_OIFNAME] = { FROM_META, NFT_META_OIFNAME, 0, false },
	[FIELD_IIF] = { FROM_META, NFT_META_IIF, 0, false },
	[FIELD_OIF] = { FROM_META, NFT_META_OIF, 0, false },
	[FIELD_IP6_SADDR_NET] = { FROM_PAYLOAD, NFT_PAYLOAD_NETWORK_HEADER, 8, false },
	[FIELD_TCP_RESET] = { FROM_PAYLOAD, NFT_PAYLOAD_TRANSPORT_HEADER, 13, false },
	[FIELD_TIME] = { FROM_META, META_TIME_NS, 0, false },
	[FIELD_MARK] = { FROM_META, NFT_META_MARK, 0, false },
	[FIELD_NUMBER] = { FROM_META, NFT_META_MARK, 0, true },
	[FIELD_CLASS] = { FROM_META, NFT_META_PRIORITY, 0, false },
	[FIELD_CT_MARK] = { FROM_CT, NFT_CT_MARK, 0, false },
	[FIELD_CT_NUMBER] = { FROM_CT, NFT_CT_MARK, 0, true },
	[FIELD_CT_CONFIRMED] = { FROM_CT, NFT_CT_STATUS, 0, false },
	[FIELD_CT_DIRECTION] = { FROM_CT, NFT_CT_DIRECTION, 0, false },
};

static const uint8_t first_half[16] = { 255, 255, 255, 255, 255, 255, 255, 255 };
static const uint8_t reset_bit[1] = { 4 };

void
nft_load(struct nft_rule *r, enum field f, uint32_t reg)
{
	const struct source *s = &sources[f];

	if (s->from == FROM_PAYLOAD)
		payload_load(r, s->what, s->offset, field_info(f)->len, reg);
	else if (s->from == FROM_META)
		meta_load(r, s->what, reg);
	else if (s->from == FROM_CT)
		nft_ct_load(r, s->what, reg);
	if (s->number)
		nft_and_mask(r, MARK_NUMBER_MASK, reg);
	if (f == FIELD_CT_CONFIRMED)
		nft_and_mask(r, IPS_CONFIRMED, reg);
	if (f == FIELD_TIME)
		to_network_order(r, reg, field_info(f)->len);
	else if (f == FIELD_IP6_SADDR_NET)
		and_bytes(r, first_half, sizeof(first_half), reg);
	else if (f == FIELD_TCP_RESET)
		and_bytes(r, reset_bit, sizeof(reset_bit), reg);
}

void
nft_load_key(struct nft_rule *r, const enum field *fields)
{
	uint32_t reg = REG0;

	for (int i = 0; i < SET_FIELDS_MAX && fields[i] != FIELD_NONE; i++)
		guard(r, fields[i]);
	for (int i = 0; i < SET_FIELDS_MAX && fields[i] != FIELD_NONE; i++) {
		nft_load(r, fields[i], reg);
		reg += (field_info(fields[i])->len + 3U) / 4;
	}
}
