/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_elements.c -- elements as netlink attributes, gathered per set. There may
 * be millions of them in one transaction, so no object is made for each. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

#include "enforce/nft_parts.h"

/* A nested attribute's length has 16 bits; one element takes less than 256 bytes. */
#define GATHER_BYTES	60000
#define ELEMENT_MAX	256
#define MESSAGE_MAX	4096

static struct nlattr *
put_nest(uint8_t *p, size_t *len, uint16_t type)
{
	struct nlattr *a = (struct nlattr *)(p + *len);

	a->nla_type = type | NLA_F_NESTED;
	*len += sizeof(*a);
	return a;
}

static void
end_nest(uint8_t *p, size_t len, struct nlattr *a)
{
	a->nla_len = (uint16_t)(p + len - (uint8_t *)a);
}

static void
put(uint8_t *p, size_t *len, uint16_t type, const void *data, size_t n)
{
	struct nlattr *a = (struct nlattr *)(p + *len);
	size_t padded = (n + 3) / 4 * 4;

	a->nla_type = type;
	a->nla_len = (uint16_t)(sizeof(*a) + n);
	memcpy(a + 1, data, n);
	memset((uint8_t *)(a + 1) + n, 0, padded - n);
	*len += sizeof(*a) + padded;
}

static void
put_key(uint8_t *p, size_t *len, uint16_t type, const uint8_t *key, size_t n)
{
	struct nlattr *nest = put_nest(p, len, type);

	put(p, len, NFTA_DATA_VALUE, key, n);
	end_nest(p, *len, nest);
}

static void
put_data(uint8_t *p, size_t *len, const struct element *e, enum set_data kind)
{
	struct nlattr *nest, *verdict;
	char name[CHAIN_NAMELEN];
	uint32_t code = htonl((uint32_t)NFT_GOTO);

	if (kind == DATA_NONE)
		return;
	nest = put_nest(p, len, NFTA_SET_ELEM_DATA);
	if (kind == DATA_MARK || kind == DATA_CLASS) {
		put(p, len, NFTA_DATA_VALUE, &e->mark, sizeof(e->mark));
	} else {
		verdict = put_nest(p, len, NFTA_DATA_VERDICT);
		put(p, len, NFTA_VERDICT_CODE, &code, sizeof(code));
		chain_name(&e->chain, name);
		put(p, len, NFTA_VERDICT_CHAIN, name, strlen(name) + 1);
		end_nest(p, *len, verdict);
	}
	end_nest(p, *len, nest);
}

/* The exact key length: nf_tables knows a set's key by its unpadded last field. */
static size_t
key_len(const struct set_info *info)
{
	size_t n = 0;
	int i;

	for (i = 0; i < SET_FIELDS_MAX && info->fields[i] != FIELD_NONE; i++)
		n += (field_info(info->fields[i])->len + 3U) / 4 * 4;
	return i == 1 ? field_info(info->fields[0])->len : n;
}

static void
put_element(struct nft_gather *g, const struct element *e, bool deletion)
{
	const struct set_info *info = set_info(e->set.kind);
	struct nlattr *nest = put_nest(g->elements, &g->len, NFTA_LIST_ELEM);
	size_t n = key_len(info);

	put_key(g->elements, &g->len, NFTA_SET_ELEM_KEY, e->key, n);
	if (info->interval)
		put_key(g->elements, &g->len, NFTA_SET_ELEM_KEY_END, e->key_end, n);
	if (e->end) {
		uint32_t flags = htonl(NFT_SET_ELEM_INTERVAL_END);

		put(g->elements, &g->len, NFTA_SET_ELEM_FLAGS, &flags, sizeof(flags));
	}
	if (!deletion)
		put_data(g->elements, &g->len, e, info->data);
	end_nest(g->elements, g->len, nest);
}

static void
settle_one(struct nft_batch *b, struct nft_gather *g)
{
	struct nlmsghdr *h;
	struct nlattr *nest;
	char name[SET_NAMELEN];
	uint16_t flags = b->gathering == NFT_MSG_NEWSETELEM ? NLM_F_CREATE | NLM_F_EXCL : 0;

	if (g->len == 0)
		return;
	h = nft_begin(b, (uint16_t)b->gathering, flags, g->len + MESSAGE_MAX);
	if (h != NULL) {
		mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_TABLE, b->table);
		mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_SET, set_name(&g->set, name));
		nest = mnl_attr_nest_start(h, NFTA_SET_ELEM_LIST_ELEMENTS);
		memcpy(mnl_nlmsg_get_payload_tail(h), g->elements, g->len);
		h->nlmsg_len += (uint32_t)g->len;
		mnl_attr_nest_end(h, nest);
		nft_end(b, h);
	}
	g->len = 0;
}

void
nft_batch_settle(struct nft_batch *b)
{
	if (b->gathering == 0)
		return;
	for (size_t i = 0; i < SET_KINDS; i++)
		settle_one(b, &b->gathers[i]);
	b->gathering = 0;
}

static void
gather(struct nft_batch *b, const struct element *e, int type)
{
	struct nft_gather *g = &b->gathers[e->set.kind];

	if (b->error != 0)
		return;
	if (b->gathering != type)
		nft_batch_settle(b);
	b->gathering = type;
	if (g->len > 0 && (!set_ref_equal(&g->set, &e->set) || g->len > GATHER_BYTES))
		settle_one(b, g);
	if (g->elements == NULL && (g->elements = malloc(GATHER_BYTES + ELEMENT_MAX)) == NULL) {
		b->error = -ENOMEM;
		return;
	}
	g->set = e->set;
	put_element(g, e, type == NFT_MSG_DELSETELEM);
}

void
nft_batch_add_element(struct nft_batch *b, const struct element *e)
{
	gather(b, e, NFT_MSG_NEWSETELEM);
	b->added++;
}

void
nft_batch_del_element(struct nft_batch *b, const struct element *e)
{
	gather(b, e, NFT_MSG_DELSETELEM);
	b->removed++;
}
