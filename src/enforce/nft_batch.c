/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_batch.c -- the buffer of a transaction, its tables and its chains. */
#include "enforce/nft_batch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/object.h>
#include <libnftnl/rule.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "enforce/nft_parts.h"

#ifndef NFT_TABLE_F_OWNER
#define NFT_TABLE_F_OWNER 0x2
#endif
#ifndef NFT_TABLE_F_PERSIST
#define NFT_TABLE_F_PERSIST 0x4		/* Linux 6.9 */
#endif

#define MESSAGE_MAX	4096

struct nft_batch *
nft_batch_new(const char *table, uint32_t seq, int32_t hook_priority, uint32_t capacity)
{
	struct nft_batch *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	b->table = table;
	b->seq = seq;
	b->hook_priority = hook_priority;
	b->capacity = capacity;
	return b;
}

void
nft_batch_free(struct nft_batch *b)
{
	if (b == NULL)
		return;
	for (size_t i = 0; i < SET_KINDS; i++)
		free(b->gathers[i].elements);
	free(b->data);
	free(b);
}

static bool
reserve(struct nft_batch *b, size_t more)
{
	size_t room = b->room ? b->room : 65536;
	uint8_t *p;

	if (b->error != 0)
		return false;
	while (b->len + more > room)
		room *= 2;
	if (room != b->room) {
		if ((p = realloc(b->data, room)) == NULL) {
			b->error = -ENOMEM;
			return false;
		}
		b->data = p;
		b->room = room;
	}
	return true;
}

struct nlmsghdr *
nft_begin(struct nft_batch *b, uint16_t type, uint16_t flags, size_t max)
{
	struct nlmsghdr *h;

	if (b->len == 0) {
		if (!reserve(b, MESSAGE_MAX))
			return NULL;
		h = nftnl_batch_begin((char *)b->data, b->seq++);
		if (b->expected != 0)
			mnl_attr_put_u32(h, NFNL_BATCH_GENID, htonl(b->expected));
		b->len = h->nlmsg_len;
	}
	if (!reserve(b, max))
		return NULL;
	b->shapes |= type != NFT_MSG_NEWSETELEM && type != NFT_MSG_DELSETELEM;
	return nftnl_nlmsg_build_hdr((char *)b->data + b->len, type, NFPROTO_INET,
	    flags | b->echo, b->seq++);
}

void
nft_end(struct nft_batch *b, struct nlmsghdr *h)
{
	b->last = b->len;
	b->len += h->nlmsg_len;
}

/* ---- tables, chains, counters ------------------------------------------- */

static void
table(struct nft_batch *b, uint16_t type, uint16_t nlflags, uint32_t flags)
{
	struct nftnl_table *t;
	struct nlmsghdr *h;

	nft_batch_settle(b);
	if ((t = nftnl_table_alloc()) == NULL) {
		b->error = -ENOMEM;
		return;
	}
	nftnl_table_set_str(t, NFTNL_TABLE_NAME, b->table);
	if (type == NFT_MSG_NEWTABLE)
		nftnl_table_set_u32(t, NFTNL_TABLE_FLAGS, flags);
	if ((h = nft_begin(b, type, nlflags, MESSAGE_MAX)) != NULL) {
		nftnl_table_nlmsg_build_payload(h, t);
		nft_end(b, h);
	}
	nftnl_table_free(t);
}

void
nft_batch_add_table(struct nft_batch *b, bool owner_persist)
{
	table(b, NFT_MSG_NEWTABLE, NLM_F_CREATE,
	    owner_persist ? NFT_TABLE_F_OWNER | NFT_TABLE_F_PERSIST : 0);
}

void
nft_batch_del_table(struct nft_batch *b)
{
	table(b, NFT_MSG_DELTABLE, 0, 0);
}

void
nft_batch_add_counters(struct nft_batch *b)
{
	nft_batch_settle(b);
	for (enum counter_kind k = COUNTER_NONE + 1; k < COUNTER_KINDS; k++) {
		struct nftnl_obj *o = nftnl_obj_alloc();
		struct nlmsghdr *h;

		if (o == NULL) {
			b->error = -ENOMEM;
			return;
		}
		nftnl_obj_set_str(o, NFTNL_OBJ_TABLE, b->table);
		nftnl_obj_set_str(o, NFTNL_OBJ_NAME, counter_name(k));
		nftnl_obj_set_u32(o, NFTNL_OBJ_TYPE, NFT_OBJECT_COUNTER);
		nftnl_obj_set_u64(o, NFTNL_OBJ_CTR_PKTS, 0);
		nftnl_obj_set_u64(o, NFTNL_OBJ_CTR_BYTES, 0);
		if ((h = nft_begin(b, NFT_MSG_NEWOBJ, NLM_F_CREATE, MESSAGE_MAX)) != NULL) {
			nftnl_obj_nlmsg_build_payload(h, o);
			nft_end(b, h);
		}
		nftnl_obj_free(o);
	}
}

void
nft_batch_new_table(struct nft_batch *b, bool replace, bool owner_persist)
{
	if (replace)
		nft_batch_del_table(b);
	nft_batch_add_table(b, owner_persist);
	nft_batch_add_counters(b);
}

static void
chain(struct nft_batch *b, const struct chain_ref *ref, uint16_t type, uint16_t flags)
{
	static const uint32_t hooks[] = {
		[HOOK_INPUT] = NF_INET_LOCAL_IN,
		[HOOK_FORWARD] = NF_INET_FORWARD,
		[HOOK_OUTPUT] = NF_INET_LOCAL_OUT,
	};
	struct nftnl_chain *c;
	struct nlmsghdr *h;
	char name[CHAIN_NAMELEN];
	bool drop;
	enum chain_hook hook = chain_hook(ref->kind, &drop);

	nft_batch_settle(b);
	if ((c = nftnl_chain_alloc()) == NULL) {
		b->error = -ENOMEM;
		return;
	}
	nftnl_chain_set_str(c, NFTNL_CHAIN_TABLE, b->table);
	nftnl_chain_set_str(c, NFTNL_CHAIN_NAME, chain_name(ref, name));
	if (type == NFT_MSG_NEWCHAIN && hook != HOOK_NONE) {
		nftnl_chain_set_str(c, NFTNL_CHAIN_TYPE, "filter");
		nftnl_chain_set_u32(c, NFTNL_CHAIN_HOOKNUM, hooks[hook]);
		nftnl_chain_set_s32(c, NFTNL_CHAIN_PRIO, b->hook_priority + chain_behind(ref->kind));
		nftnl_chain_set_u32(c, NFTNL_CHAIN_POLICY, drop ? NF_DROP : NF_ACCEPT);
	}
	if ((h = nft_begin(b, type, flags, MESSAGE_MAX)) != NULL) {
		nftnl_chain_nlmsg_build_payload(h, c);
		nft_end(b, h);
	}
	nftnl_chain_free(c);
}

void
nft_batch_add_chain(struct nft_batch *b, const struct chain_ref *ref)
{
	chain(b, ref, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
}

void
nft_batch_del_chain(struct nft_batch *b, const struct chain_ref *ref)
{
	chain(b, ref, NFT_MSG_DELCHAIN, 0);
}

/* Deleting rules without naming one deletes the chain's. */
void
nft_batch_flush_chain(struct nft_batch *b, const struct chain_ref *ref)
{
	struct nlmsghdr *h;
	char name[CHAIN_NAMELEN];

	nft_batch_settle(b);
	if ((h = nft_begin(b, NFT_MSG_DELRULE, 0, MESSAGE_MAX)) == NULL)
		return;
	mnl_attr_put_strz(h, NFTA_RULE_TABLE, b->table);
	mnl_attr_put_strz(h, NFTA_RULE_CHAIN, chain_name(ref, name));
	nft_end(b, h);
}

/* The same with elements. */
void
nft_batch_flush_set(struct nft_batch *b, const struct set_ref *ref)
{
	struct nlmsghdr *h;
	char name[SET_NAMELEN];

	nft_batch_settle(b);
	if ((h = nft_begin(b, NFT_MSG_DELSETELEM, 0, MESSAGE_MAX)) == NULL)
		return;
	mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_TABLE, b->table);
	mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_SET, set_name(ref, name));
	nft_end(b, h);
}

/* ---- the whole ---------------------------------------------------------- */

void
nft_batch_echo(struct nft_batch *b)
{
	b->echo = NLM_F_ECHO;
}

void
nft_batch_expect(struct nft_batch *b, uint32_t generation)
{
	b->expected = generation;
}

void
nft_batch_size(const struct nft_batch *b, uint32_t *added, uint32_t *removed, size_t *bytes)
{
	*added = b->added;
	*removed = b->removed;
	*bytes = b->len;
}

bool
nft_batch_shapes(const struct nft_batch *b)
{
	return b->shapes;
}

/* The acknowledgement is asked of the last message: when it comes, all is done. */
static uint32_t
ask_acknowledgement(struct nft_batch *b)
{
	struct nlmsghdr *h = (struct nlmsghdr *)(b->data + b->last);

	h->nlmsg_flags |= NLM_F_ACK;
	return h->nlmsg_seq;
}

int
nft_batch_send(struct nft_batch *b, struct nft_socket *s, void (*echo)(void *, const struct nlmsghdr *),
    void *arg, struct nft_failure *failure)
{
	uint32_t last;
	int rc;

	memset(failure, 0, sizeof(*failure));
	nft_batch_settle(b);
	if (b->error != 0)
		return b->error;
	if (b->len == 0)
		return 0;
	last = ask_acknowledgement(b);
	if (!reserve(b, MESSAGE_MAX))
		return b->error;
	b->len += nftnl_batch_end((char *)b->data + b->len, b->seq++)->nlmsg_len;
	rc = nft_transact(s, b->data, b->len, last, echo, arg, failure);
	s->seq = b->seq;
	return rc;
}

/* ---- the sink of a diff ------------------------------------------------- */

#define SINK(name, type) \
	static int sink_##name(void *b, const struct type *x) { nft_batch_##name(b, x); return 0; }
SINK(del_element, element)
SINK(add_element, element)
SINK(add_set, set_ref)
SINK(del_set, set_ref)
SINK(add_chain, chain_ref)
SINK(del_chain, chain_ref)
SINK(flush_chain, chain_ref)
SINK(flush_set, set_ref)
#undef SINK

static int
sink_add_rule(void *b, const struct chain_ref *c, const struct rule_ir *r)
{
	nft_batch_add_rule(b, c, r);
	return 0;
}

const struct diff_sink nft_batch_sink = {
	.del_element = sink_del_element,
	.add_element = sink_add_element,
	.add_set = sink_add_set,
	.del_set = sink_del_set,
	.add_chain = sink_add_chain,
	.del_chain = sink_del_chain,
	.flush_chain = sink_flush_chain,
	.flush_set = sink_flush_set,
	.add_rule = sink_add_rule,
};
