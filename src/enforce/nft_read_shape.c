/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_read_shape.c -- how many sets and chains there are, and a digest of all that
 * was declared: dumps of nf_tables. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/digest.h"
#include "enforce/nft_attr.h"
#include "enforce/nft_read.h"

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
		h = nft_request(buf, NFT_MSG_GETSET, NLM_F_DUMP);
		mnl_attr_put_strz(h, NFTA_SET_TABLE, RULESET_TABLE);
		rc = nft_dump(s, h, on_set, sets);
	}
	if (rc != 0)
		return rc;
	rc = -EAGAIN;
	for (int i = 0; rc == -EAGAIN && i < TRIES; i++) {
		*chains = 0;
		h = nft_request(buf, NFT_MSG_GETCHAIN, NLM_F_DUMP);
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
		struct nlmsghdr *h = nft_request(buf, d->of->get, NLM_F_DUMP);

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
