/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_read.c -- dumps of nf_tables. What the kernel says is checked in form
 * all the same: attributes of other lengths are passed over. */
#include "enforce/nft_read.h"

#include <endian.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/digest.h"

#define REQUEST_MAX	512
#define TRIES		8	/* of a dump that the kernel says was interrupted */

static struct nlmsghdr *
request(uint8_t *buf, uint16_t type, uint16_t flags)
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

static bool
of_type(const struct nlmsghdr *h, uint16_t type)
{
	return h->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | type) &&
	    h->nlmsg_len >= mnl_nlmsg_size(sizeof(struct nfgenmsg));
}

#define EACH(attr, h)	mnl_attr_for_each(attr, h, sizeof(struct nfgenmsg))

static uint32_t
be32_of(const struct nlattr *a)
{
	return mnl_attr_get_payload_len(a) == 4 ? be32toh(mnl_attr_get_u32(a)) : 0;
}

static uint64_t
be64_of(const struct nlattr *a)
{
	uint64_t v;

	if (mnl_attr_get_payload_len(a) != 8)
		return 0;
	memcpy(&v, mnl_attr_get_payload(a), sizeof(v));
	return be64toh(v);
}

/* Text that ends inside the attribute, or NULL. */
static const char *
text_of(const struct nlattr *a)
{
	return mnl_attr_validate(a, MNL_TYPE_NUL_STRING) < 0 ? NULL : mnl_attr_get_str(a);
}

/* ---- elements ----------------------------------------------------------- */

static void
parse_value(const struct nlattr *nest, const uint8_t **p, size_t *len)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested(a, nest) {
		if (mnl_attr_get_type(a) == NFTA_DATA_VALUE) {
			*p = mnl_attr_get_payload(a);
			*len = mnl_attr_get_payload_len(a);
		}
	}
}

static void
parse_data(const struct nlattr *nest, struct nft_element *e)
{
	const struct nlattr *a, *v;

	mnl_attr_for_each_nested(a, nest) {
		if (mnl_attr_get_type(a) == NFTA_DATA_VALUE && mnl_attr_get_payload_len(a) == 4)
			e->mark = mnl_attr_get_u32(a);
		if (mnl_attr_get_type(a) != NFTA_DATA_VERDICT)
			continue;
		mnl_attr_for_each_nested(v, a)
			if (mnl_attr_get_type(v) == NFTA_VERDICT_CHAIN)
				e->chain = text_of(v);
	}
}

static void
parse_counter(const struct nlattr *expr, struct nft_element *e)
{
	const struct nlattr *a, *d, *data = NULL;
	const char *name = NULL;

	mnl_attr_for_each_nested(a, expr) {
		if (mnl_attr_get_type(a) == NFTA_EXPR_NAME)
			name = text_of(a);
		if (mnl_attr_get_type(a) == NFTA_EXPR_DATA)
			data = a;
	}
	if (name == NULL || data == NULL || strcmp(name, "counter") != 0)
		return;
	mnl_attr_for_each_nested(d, data) {
		if (mnl_attr_get_type(d) == NFTA_COUNTER_PACKETS)
			e->packets = be64_of(d);
		if (mnl_attr_get_type(d) == NFTA_COUNTER_BYTES)
			e->bytes = be64_of(d);
	}
}

static void
parse_element(const struct nlattr *nest, struct nft_element *e)
{
	const struct nlattr *a, *x;
	size_t end_len = 0;

	memset(e, 0, sizeof(*e));
	mnl_attr_for_each_nested(a, nest) {
		switch (mnl_attr_get_type(a)) {
		case NFTA_SET_ELEM_KEY:
			parse_value(a, &e->key, &e->key_len);
			break;
		case NFTA_SET_ELEM_KEY_END:
			parse_value(a, &e->key_end, &end_len);
			break;
		case NFTA_SET_ELEM_DATA:
			parse_data(a, e);
			break;
		case NFTA_SET_ELEM_EXPR:
			parse_counter(a, e);
			break;
		case NFTA_SET_ELEM_EXPRESSIONS:
			mnl_attr_for_each_nested(x, a)
				parse_counter(x, e);
			break;
		case NFTA_SET_ELEM_EXPIRATION:
			e->expires_ms = be64_of(a);
			break;
		}
	}
	if (end_len != e->key_len)
		e->key_end = NULL;
}

int
nft_parse_elements(const struct nlmsghdr *h, const char **set, nft_element_fn *fn, void *arg)
{
	const struct nlattr *a, *list = NULL, *x;
	struct nft_element e;
	int rc = 0;

	*set = NULL;
	EACH(a, h) {
		if (mnl_attr_get_type(a) == NFTA_SET_ELEM_LIST_SET)
			*set = text_of(a);
		if (mnl_attr_get_type(a) == NFTA_SET_ELEM_LIST_ELEMENTS)
			list = a;
	}
	if (*set == NULL || list == NULL)
		return 0;
	mnl_attr_for_each_nested(x, list) {
		parse_element(x, &e);
		if (e.key != NULL && (rc = fn(arg, &e)) != 0)
			return rc;
	}
	return 0;
}

struct set_reader {
	nft_element_fn *fn;
	void *arg;
};

static int
on_elements(void *arg, const struct nlmsghdr *h)
{
	struct set_reader *r = arg;
	const char *set;

	return of_type(h, NFT_MSG_NEWSETELEM) ? nft_parse_elements(h, &set, r->fn, r->arg) : 0;
}

int
nft_read_set(struct nft_socket *s, const char *name, nft_element_fn *fn, void *arg)
{
	uint8_t buf[REQUEST_MAX];
	struct nlmsghdr *h = request(buf, NFT_MSG_GETSETELEM, NLM_F_DUMP);
	struct set_reader r = { fn, arg };

	mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_TABLE, RULESET_TABLE);
	mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_SET, name);
	return nft_dump(s, h, on_elements, &r);
}

/* ---- table and counters ------------------------------------------------- */

struct table_answer {
	uint32_t flags, owner;
};

static int
on_table(void *arg, const struct nlmsghdr *h)
{
	struct table_answer *t = arg;
	const struct nlattr *a;

	if (!of_type(h, NFT_MSG_NEWTABLE))
		return 0;
	EACH(a, h) {
		if (mnl_attr_get_type(a) == NFTA_TABLE_FLAGS)
			t->flags = be32_of(a);
		if (mnl_attr_get_type(a) == NFTA_TABLE_OWNER)
			t->owner = be32_of(a);
	}
	return 0;
}

int
nft_read_table(struct nft_socket *s, bool *there, uint32_t *flags, uint32_t *owner)
{
	uint8_t buf[REQUEST_MAX];
	struct nlmsghdr *h = request(buf, NFT_MSG_GETTABLE, 0);
	struct table_answer t = { 0, 0 };
	int rc;

	mnl_attr_put_strz(h, NFTA_TABLE_NAME, RULESET_TABLE);
	rc = nft_dump(s, h, on_table, &t);
	*there = rc == 0;
	*flags = t.flags;
	*owner = t.owner;
	return rc == -ENOENT ? 0 : rc;
}

static int
on_counter(void *arg, const struct nlmsghdr *h)
{
	struct nft_element *e = arg;
	const struct nlattr *a, *d;

	if (!of_type(h, NFT_MSG_NEWOBJ))
		return 0;
	EACH(a, h) {
		if (mnl_attr_get_type(a) != NFTA_OBJ_DATA)
			continue;
		mnl_attr_for_each_nested(d, a) {
			if (mnl_attr_get_type(d) == NFTA_COUNTER_PACKETS)
				e->packets = be64_of(d);
			if (mnl_attr_get_type(d) == NFTA_COUNTER_BYTES)
				e->bytes = be64_of(d);
		}
	}
	return 0;
}

int
nft_read_counter(struct nft_socket *s, enum counter_kind kind, uint64_t *packets, uint64_t *bytes)
{
	uint8_t buf[REQUEST_MAX];
	struct nlmsghdr *h = request(buf, NFT_MSG_GETOBJ, 0);
	struct nft_element e = { 0 };
	int rc;

	mnl_attr_put_strz(h, NFTA_OBJ_TABLE, RULESET_TABLE);
	mnl_attr_put_strz(h, NFTA_OBJ_NAME, counter_name(kind));
	mnl_attr_put_u32(h, NFTA_OBJ_TYPE, htobe32(NFT_OBJECT_COUNTER));
	rc = nft_dump(s, h, on_counter, &e);
	*packets = e.packets;
	*bytes = e.bytes;
	return rc;
}

/* ---- shape and rules ---------------------------------------------------- */

static bool
ours(const struct nlmsghdr *h, uint16_t table_attr)
{
	const struct nlattr *a;
	const char *name;

	EACH(a, h)
		if (mnl_attr_get_type(a) == table_attr)
			return (name = text_of(a)) != NULL && strcmp(name, RULESET_TABLE) == 0;
	return false;
}

static int
on_set(void *arg, const struct nlmsghdr *h)
{
	const struct nlattr *a;
	uint32_t flags = 0;

	if (!of_type(h, NFT_MSG_NEWSET) || !ours(h, NFTA_SET_TABLE))
		return 0;
	EACH(a, h)
		if (mnl_attr_get_type(a) == NFTA_SET_FLAGS)
			flags = be32_of(a);
	*(uint32_t *)arg += (flags & NFT_SET_ANONYMOUS) == 0;
	return 0;
}

static int
on_chain(void *arg, const struct nlmsghdr *h)
{
	if (of_type(h, NFT_MSG_NEWCHAIN) && ours(h, NFTA_CHAIN_TABLE))
		++*(uint32_t *)arg;
	return 0;
}

int
nft_read_shape(struct nft_socket *s, uint32_t *sets, uint32_t *chains)
{
	uint8_t buf[REQUEST_MAX];
	struct nlmsghdr *h;
	int rc = -EAGAIN;

	for (int i = 0; rc == -EAGAIN && i < TRIES; i++) {
		*sets = 0;
		h = request(buf, NFT_MSG_GETSET, NLM_F_DUMP);
		mnl_attr_put_strz(h, NFTA_SET_TABLE, RULESET_TABLE);
		rc = nft_dump(s, h, on_set, sets);
	}
	if (rc != 0)
		return rc;
	rc = -EAGAIN;
	for (int i = 0; rc == -EAGAIN && i < TRIES; i++) {
		*chains = 0;
		h = request(buf, NFT_MSG_GETCHAIN, NLM_F_DUMP);
		rc = nft_dump(s, h, on_chain, chains);
	}
	return rc;
}

struct rule_bytes {
	uint8_t *p;
	size_t len, room;
};

static int
on_rule(void *arg, const struct nlmsghdr *h)
{
	struct rule_bytes *r = arg;
	const struct nlattr *a;

	if (!of_type(h, NFT_MSG_NEWRULE) || !ours(h, NFTA_RULE_TABLE))
		return 0;
	EACH(a, h) {
		uint16_t type = mnl_attr_get_type(a);
		size_t n = mnl_attr_get_payload_len(a);

		if (type != NFTA_RULE_CHAIN && type != NFTA_RULE_EXPRESSIONS)
			continue;
		if (r->len + n > r->room) {
			size_t room = 2 * (r->len + n) + 65536;
			uint8_t *p = realloc(r->p, room);

			if (p == NULL)
				return -ENOMEM;
			r->p = p;
			r->room = room;
		}
		memcpy(r->p + r->len, mnl_attr_get_payload(a), n);
		r->len += n;
	}
	return 0;
}

int
nft_read_rules_digest(struct nft_socket *s, uint8_t digest[32])
{
	uint8_t buf[REQUEST_MAX];
	struct rule_bytes r = { 0 };
	int rc = -EAGAIN;

	for (int i = 0; rc == -EAGAIN && i < TRIES; i++) {
		struct nlmsghdr *h = request(buf, NFT_MSG_GETRULE, NLM_F_DUMP);

		r.len = 0;
		mnl_attr_put_strz(h, NFTA_RULE_TABLE, RULESET_TABLE);
		rc = nft_dump(s, h, on_rule, &r);
	}
	if (rc == 0)
		digest_sha256(r.p, r.len, digest);
	free(r.p);
	return rc;
}
