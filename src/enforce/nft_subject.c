/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_subject.c -- from the kernel's error back to the message that we sent, and
 * to the set and element, or the chain, that it is about. */
#include "enforce/nft_subject.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "enforce/nft_parts.h"

static const struct nlmsghdr *
message_of(const struct nft_batch *b, uint32_t seq)
{
	const struct nlmsghdr *h = (const struct nlmsghdr *)b->data;
	int left = (int)b->len;

	for (; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left))
		if (h->nlmsg_seq == seq)
			return h;
	return NULL;
}

static const char *
text_attr(const struct nlmsghdr *h, uint16_t type)
{
	const struct nlattr *a;

	mnl_attr_for_each(a, h, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(a) == type)
			return mnl_attr_get_str(a);
	return NULL;
}

static void
take_key(const struct nlattr *nest, const uint8_t **key, size_t *len)
{
	const struct nlattr *value = mnl_attr_get_payload(nest);

	*key = mnl_attr_get_payload(value);
	*len = mnl_attr_get_payload_len(value);
}

static void
take_element(const struct nlattr *element, struct nft_subject *out)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested(a, element) {
		if (mnl_attr_get_type(a) == NFTA_SET_ELEM_KEY)
			take_key(a, &out->key, &out->key_len);
		if (mnl_attr_get_type(a) == NFTA_SET_ELEM_KEY_END)
			take_key(a, &out->key_end, &out->key_len);
	}
}

/* The element that the place lies in; the only one when no place is told. */
static void
find_element(const struct nlmsghdr *h, uint32_t offset, struct nft_subject *out)
{
	const struct nlattr *a, *x, *list = NULL, *only = NULL;
	unsigned n = 0;

	mnl_attr_for_each(a, h, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(a) == NFTA_SET_ELEM_LIST_ELEMENTS)
			list = a;
	if (list == NULL)
		return;
	mnl_attr_for_each_nested(x, list) {
		size_t from = (size_t)((const uint8_t *)x - (const uint8_t *)h);

		n++;
		only = x;
		if (offset >= from && offset < from + mnl_attr_get_len(x)) {
			take_element(x, out);
			return;
		}
	}
	if (n == 1)
		take_element(only, out);
}

void
nft_subject(const struct nft_batch *b, const struct nft_failure *failure, struct nft_subject *out)
{
	const struct nlmsghdr *h = failure->seq == 0 ? NULL : message_of(b, failure->seq);

	memset(out, 0, sizeof(*out));
	if (h == NULL || h->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES)
		return;
	switch (h->nlmsg_type & 0xff) {
	case NFT_MSG_DELTABLE:
		out->removal = true;
		/* FALLTHROUGH */
	case NFT_MSG_NEWTABLE:
		out->kind = SUBJECT_TABLE;
		break;
	case NFT_MSG_DELSET:
		out->removal = true;
		/* FALLTHROUGH */
	case NFT_MSG_NEWSET:
		out->kind = SUBJECT_SET;
		out->name = text_attr(h, NFTA_SET_NAME);
		break;
	case NFT_MSG_DELSETELEM:
		out->removal = true;
		/* FALLTHROUGH */
	case NFT_MSG_NEWSETELEM:
		out->kind = SUBJECT_ELEMENT;
		out->name = text_attr(h, NFTA_SET_ELEM_LIST_SET);
		find_element(h, failure->offset, out);
		break;
	case NFT_MSG_DELCHAIN:
		out->removal = true;
		/* FALLTHROUGH */
	case NFT_MSG_NEWCHAIN:
		out->kind = SUBJECT_CHAIN;
		out->name = text_attr(h, NFTA_CHAIN_NAME);
		break;
	case NFT_MSG_DELRULE:
		out->removal = true;
		/* FALLTHROUGH */
	case NFT_MSG_NEWRULE:
		out->kind = SUBJECT_RULE;
		out->name = text_attr(h, NFTA_RULE_CHAIN);
		break;
	case NFT_MSG_NEWOBJ:
		out->kind = SUBJECT_OBJECT;
		out->name = text_attr(h, NFTA_OBJ_NAME);
		break;
	}
}
