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
		case NFTA_SET_ELEM_FLAGS:
			e->end = (be32_of(a) & NFT_SET_ELEM_INTERVAL_END) != 0;
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

static int
parse_elements(const struct nlmsghdr *h, const char **set, bool whole, nft_element_fn *fn, void *arg)
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
		if ((e.key != NULL || whole) && (rc = fn(arg, &e)) != 0)
			return rc;
	}
	return 0;
}

int
nft_parse_elements(const struct nlmsghdr *h, const char **set, nft_element_fn *fn, void *arg)
{
	return parse_elements(h, set, false, fn, arg);
}

struct set_reader {
	nft_element_fn *fn;
	void *arg;
	bool whole;
};

static int
on_elements(void *arg, const struct nlmsghdr *h)
{
	struct set_reader *r = arg;
	const char *set;

	return of_type(h, NFT_MSG_NEWSETELEM) ? parse_elements(h, &set, r->whole, r->fn, r->arg) : 0;
}

int
nft_read_set_begin(struct nft_socket *s, const char *name)
{
	uint8_t buf[REQUEST_MAX];
	struct nlmsghdr *h = request(buf, NFT_MSG_GETSETELEM, NLM_F_DUMP);

	mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_TABLE, RULESET_TABLE);
	mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_SET, name);
	return nft_dump_begin(s, h);
}

int
nft_read_set_piece(struct nft_socket *s, nft_element_fn *fn, void *arg)
{
	struct set_reader r = { fn, arg, true };

	return nft_dump_piece(s, on_elements, &r);
}

int
nft_read_set(struct nft_socket *s, const char *name, nft_element_fn *fn, void *arg)
{
	struct set_reader r = { fn, arg, false };
	int rc = nft_read_set_begin(s, name);

	if (rc == 0)
		do {
			rc = nft_dump_piece(s, on_elements, &r);
		} while (rc == 1);
	return rc;
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
take(struct rule_bytes *r, const struct nlattr *a)
{
	const size_t n = mnl_attr_get_payload_len(a);
	uint16_t type = mnl_attr_get_type(a);

	if (r->len + n + sizeof(type) > r->room) {
		size_t room = 2 * (r->len + n) + 65536;
		uint8_t *p = realloc(r->p, room);

		if (p == NULL)
			return -ENOMEM;
		r->p = p;
		r->room = room;
	}
	memcpy(r->p + r->len, &type, sizeof(type));
	memcpy(r->p + r->len + sizeof(type), mnl_attr_get_payload(a), n);
	r->len += n + sizeof(type);
	return 0;
}

#define A(attr) (UINT64_C(1) << (attr))

/* What is declared, as opposed to handles, numbers of uses and counts. */
static const struct declaration {
	uint16_t get, new, table;
	uint64_t attributes;
} declarations[] = {
	{ NFT_MSG_GETSET, NFT_MSG_NEWSET, NFTA_SET_TABLE, A(NFTA_SET_NAME) | A(NFTA_SET_FLAGS) |
	    A(NFTA_SET_KEY_TYPE) | A(NFTA_SET_KEY_LEN) | A(NFTA_SET_DATA_TYPE) | A(NFTA_SET_DATA_LEN) |
	    A(NFTA_SET_DESC) | A(NFTA_SET_TIMEOUT) | A(NFTA_SET_EXPR) | A(NFTA_SET_EXPRESSIONS) },
	{ NFT_MSG_GETCHAIN, NFT_MSG_NEWCHAIN, NFTA_CHAIN_TABLE, A(NFTA_CHAIN_NAME) | A(NFTA_CHAIN_HOOK) |
	    A(NFTA_CHAIN_POLICY) | A(NFTA_CHAIN_TYPE) | A(NFTA_CHAIN_FLAGS) },
	{ NFT_MSG_GETRULE, NFT_MSG_NEWRULE, NFTA_RULE_TABLE, A(NFTA_RULE_CHAIN) | A(NFTA_RULE_EXPRESSIONS) },
};

struct declarations {
	struct rule_bytes bytes;
	const struct declaration *of;
};

static int
on_declaration(void *arg, const struct nlmsghdr *h)
{
	struct declarations *d = arg;
	const struct nlattr *a;
	int rc = 0;

	if (!of_type(h, d->of->new) || !ours(h, d->of->table))
		return 0;
	EACH(a, h) {
		if (rc == 0 && mnl_attr_get_type(a) < 64 && (d->of->attributes & A(mnl_attr_get_type(a))))
			rc = take(&d->bytes, a);
	}
	return rc;
}

static int
read_declarations(struct nft_socket *s, struct declarations *d)
{
	const size_t before = d->bytes.len;
	uint8_t buf[REQUEST_MAX];
	int rc = -EAGAIN;

	for (int i = 0; rc == -EAGAIN && i < TRIES; i++) {
		struct nlmsghdr *h = request(buf, d->of->get, NLM_F_DUMP);

		d->bytes.len = before;
		if (d->of->get != NFT_MSG_GETCHAIN)	/* of which the kernel tells all tables' */
			mnl_attr_put_strz(h, d->of->table, RULESET_TABLE);
		rc = nft_dump(s, h, on_declaration, d);
	}
	return rc;
}

int
nft_read_rules_digest(struct nft_socket *s, uint8_t digest[DIGEST_LEN])
{
	struct declarations d = { .of = declarations };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(declarations) / sizeof(declarations[0]); i++) {
		d.of = &declarations[i];
		rc = read_declarations(s, &d);
	}
	if (rc == 0)
		digest_of(d.bytes.p, d.bytes.len, digest);
	free(d.bytes.p);
	return rc;
}
