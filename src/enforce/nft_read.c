/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_read.c -- dumps of nf_tables. What the kernel says is checked in form
 * all the same: attributes of other lengths are passed over. */
#include "enforce/nft_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "enforce/nft_attr.h"

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
	struct nlmsghdr *h = nft_request(buf, NFT_MSG_GETSETELEM, NLM_F_DUMP);

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

bool
nft_key_field(const struct nft_element *e, size_t *at, void *out, size_t len)
{
	if (*at + len > e->key_len)
		return false;
	memcpy(out, e->key + *at, len);
	*at += (len + 3) / 4 * 4;
	return true;
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
	struct nlmsghdr *h = nft_request(buf, NFT_MSG_GETTABLE, 0);
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
	struct nlmsghdr *h = nft_request(buf, NFT_MSG_GETOBJ, 0);
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
