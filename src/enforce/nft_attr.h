/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_attr.h -- inside nft_read*.c: what a dump asks and what its attributes hold.
 * What the kernel says is checked in form: attributes of other lengths are zero. */
#ifndef CORDON_ENFORCE_NFT_ATTR_H
#define CORDON_ENFORCE_NFT_ATTR_H

#include <endian.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define REQUEST_MAX	512
#define TRIES		8	/* of a dump that the kernel says was interrupted */

static inline struct nlmsghdr *
nft_request(uint8_t *buf, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *g;

	h->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type);
	h->nlmsg_flags = NLM_F_REQUEST | flags;
	g = mnl_nlmsg_put_extra_header(h, sizeof(*g));
	g->nfgen_family = NFPROTO_INET;
	g->version = NFNETLINK_V0;
	return h;
}

static inline bool
of_type(const struct nlmsghdr *h, uint16_t type)
{
	return h->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | type) &&
	    h->nlmsg_len >= mnl_nlmsg_size(sizeof(struct nfgenmsg));
}

#define EACH(attr, h)	mnl_attr_for_each(attr, h, sizeof(struct nfgenmsg))

static inline uint32_t
be32_of(const struct nlattr *a)
{
	return mnl_attr_get_payload_len(a) == 4 ? be32toh(mnl_attr_get_u32(a)) : 0;
}

static inline uint64_t
be64_of(const struct nlattr *a)
{
	uint64_t v;

	if (mnl_attr_get_payload_len(a) != 8)
		return 0;
	memcpy(&v, mnl_attr_get_payload(a), sizeof(v));
	return be64toh(v);
}

/* Text that ends inside the attribute, or NULL. */
static inline const char *
text_of(const struct nlattr *a)
{
	return mnl_attr_validate(a, MNL_TYPE_NUL_STRING) < 0 ? NULL : mnl_attr_get_str(a);
}

#endif
