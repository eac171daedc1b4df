/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_set.c -- sets and maps as libnftnl wants them. */
#include <errno.h>
#include <libnftnl/set.h>
#include <libnftnl/udata.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

#include "enforce/nft_parts.h"

#ifndef NFT_SET_CONCAT
#define NFT_SET_CONCAT 0x80
#endif
#ifndef NFT_SET_EXPR
#define NFT_SET_EXPR 0x100
#endif

#define MESSAGE_MAX	4096
#define TYPE_BITS	6		/* nft's listing packs types of a concatenation like this */

/* nf_tables' own type of data that is a verdict. */
#define DATA_TYPE_VERDICT 0xffffff00U

struct nftnl_expr *
nft_state_counter(void)
{
	return nftnl_expr_alloc("counter");
}

static struct nftnl_expr *
limit(uint64_t rate, uint64_t unit_s, uint32_t burst, uint32_t flags)
{
	struct nftnl_expr *e = nftnl_expr_alloc("limit");

	if (e == NULL)
		return NULL;
	nftnl_expr_set_u64(e, NFTNL_EXPR_LIMIT_RATE, rate);
	nftnl_expr_set_u64(e, NFTNL_EXPR_LIMIT_UNIT, unit_s);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LIMIT_BURST, burst);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LIMIT_TYPE, NFT_LIMIT_PKTS);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LIMIT_FLAGS, flags);
	return e;
}

struct nftnl_expr *
nft_state_sample(void)
{
	return limit(SAMPLE_PER_MINUTE, 60, SAMPLE_BURST, 0);
}

struct nftnl_expr *
nft_state_budget(void)
{
	return limit(BUDGET_PER_SECOND, 1, BUDGET_BURST, NFT_LIMIT_F_INV);
}

struct nftnl_expr *
nft_state_rate(uint32_t per_second, uint32_t burst)
{
	return limit(per_second, 1, burst, NFT_LIMIT_F_INV);
}

struct nftnl_expr *
nft_state_connections(uint32_t n)
{
	struct nftnl_expr *e = nftnl_expr_alloc("connlimit");

	if (e == NULL)
		return NULL;
	nftnl_expr_set_u32(e, NFTNL_EXPR_CONNLIMIT_COUNT, n);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CONNLIMIT_FLAGS, NFT_CONNLIMIT_F_INV);
	return e;
}

/* Key type and length; for a concatenation also the length of each field. */
static void
set_key(struct nftnl_set *s, const struct set_info *info)
{
	uint8_t lens[SET_FIELDS_MAX];
	uint32_t type = 0, len = 0;
	uint8_t n = 0;

	for (; n < SET_FIELDS_MAX && info->fields[n] != FIELD_NONE; n++) {
		const struct field_info *f = field_info(info->fields[n]);

		type = type << TYPE_BITS | f->type_id;
		len += (f->len + 3U) / 4 * 4;
		lens[n] = f->len;
	}
	nftnl_set_set_u32(s, NFTNL_SET_KEY_TYPE, type);
	nftnl_set_set_u32(s, NFTNL_SET_KEY_LEN, n == 1 ? lens[0] : len);
	if (n > 1)
		nftnl_set_set_data(s, NFTNL_SET_DESC_CONCAT, lens, n);
}

static uint32_t
set_flags(const struct set_info *info)
{
	uint32_t flags = 0;

	if (info->interval || info->edges)
		flags |= NFT_SET_INTERVAL;
	if (info->fields[1] != FIELD_NONE)
		flags |= NFT_SET_CONCAT;
	if (info->data != DATA_NONE)
		flags |= NFT_SET_MAP;
	if (info->dynamic)
		flags |= NFT_SET_EVAL;
	if (info->timeout_s != 0)
		flags |= NFT_SET_TIMEOUT;
	if (info->state == STATE_COUNTER_SAMPLE)
		flags |= NFT_SET_EXPR;
	return flags;
}

static void
set_state(struct nft_batch *b, struct nftnl_set *s, const struct set_info *info)
{
	struct nftnl_expr *e;

	if (info->state != STATE_COUNTER && info->state != STATE_COUNTER_SAMPLE)
		return;		/* the others come with the rule that adds */
	if ((e = nft_state_counter()) == NULL)
		b->error = -ENOMEM;
	else
		nftnl_set_add_expr(s, e);
	if (info->state != STATE_COUNTER_SAMPLE)
		return;
	if ((e = nft_state_sample()) == NULL)
		b->error = -ENOMEM;
	else
		nftnl_set_add_expr(s, e);
}

static void
set_data(struct nftnl_set *s, const struct set_info *info)
{
	if (info->data == DATA_MARK || info->data == DATA_CLASS) {
		nftnl_set_set_u32(s, NFTNL_SET_DATA_TYPE,
		    field_info(info->data == DATA_MARK ? FIELD_MARK : FIELD_CLASS)->type_id);
		nftnl_set_set_u32(s, NFTNL_SET_DATA_LEN, sizeof(uint32_t));
	} else if (info->data == DATA_CHAIN) {
		nftnl_set_set_u32(s, NFTNL_SET_DATA_TYPE, DATA_TYPE_VERDICT);
		nftnl_set_set_u32(s, NFTNL_SET_DATA_LEN, 0);
	}
}

static bool
in_host_order(enum field f)
{
	return f == FIELD_CLASS || f == FIELD_MARK || f == FIELD_NUMBER || f == FIELD_CT_MARK || f == FIELD_CT_NUMBER ||
	    f == FIELD_IIF || f == FIELD_IIFNAME || f == FIELD_OIFNAME;
}

/* Only for nft's listing, which would show marks and names the wrong way round. */
static void
set_byte_order(struct nft_batch *b, struct nftnl_set *s, const struct set_info *info)
{
	enum { UNKNOWN, HOST, NETWORK } key = UNKNOWN;
	struct nftnl_udata_buf *u = nftnl_udata_buf_alloc(64);

	if (u == NULL) {
		b->error = -ENOMEM;
		return;
	}
	if (info->fields[1] == FIELD_NONE)
		key = in_host_order(info->fields[0]) ? HOST : NETWORK;
	nftnl_udata_put_u32(u, NFTNL_UDATA_SET_KEYBYTEORDER, key);
	if (info->data == DATA_MARK || info->data == DATA_CLASS)
		nftnl_udata_put_u32(u, NFTNL_UDATA_SET_DATABYTEORDER, HOST);
	nftnl_set_set_data(s, NFTNL_SET_USERDATA, nftnl_udata_buf_data(u), nftnl_udata_buf_len(u));
	nftnl_udata_buf_free(u);
}

static void
message(struct nft_batch *b, const struct nftnl_set *s, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *h = nft_begin(b, type, flags, MESSAGE_MAX);

	if (h == NULL)
		return;
	nftnl_set_nlmsg_build_payload(h, (struct nftnl_set *)s);
	nft_end(b, h);
}

static struct nftnl_set *
named(struct nft_batch *b, const char *name)
{
	struct nftnl_set *s = nftnl_set_alloc();

	if (s == NULL) {
		b->error = -ENOMEM;
		return NULL;
	}
	nftnl_set_set_str(s, NFTNL_SET_TABLE, b->table);
	nftnl_set_set_str(s, NFTNL_SET_NAME, name);
	return s;
}

void
nft_batch_add_set(struct nft_batch *b, const struct set_ref *ref)
{
	const struct set_info *info = set_info(ref->kind);
	char name[SET_NAMELEN];
	struct nftnl_set *s;

	nft_batch_settle(b);
	if ((s = named(b, set_name(ref, name))) == NULL)
		return;
	nftnl_set_set_u32(s, NFTNL_SET_ID, ++b->set_id);
	nftnl_set_set_u32(s, NFTNL_SET_FLAGS, set_flags(info));
	set_key(s, info);
	set_data(s, info);
	set_state(b, s, info);
	set_byte_order(b, s, info);
	if (info->timeout_s != 0)
		nftnl_set_set_u64(s, NFTNL_SET_TIMEOUT, info->timeout_s * 1000ULL);
	if (set_size(ref, b->capacity) != 0)
		nftnl_set_set_u32(s, NFTNL_SET_DESC_SIZE, set_size(ref, b->capacity));
	message(b, s, NFT_MSG_NEWSET, NLM_F_CREATE);
	nftnl_set_free(s);
}

void
nft_batch_del_set(struct nft_batch *b, const struct set_ref *ref)
{
	char name[SET_NAMELEN];
	struct nftnl_set *s;

	nft_batch_settle(b);
	if ((s = named(b, set_name(ref, name))) == NULL)
		return;
	message(b, s, NFT_MSG_DELSET, 0);
	nftnl_set_free(s);
}

void
nft_add_anonymous(struct nft_batch *b, enum field f, const uint8_t *values, uint8_t n, uint32_t *id)
{
	struct nftnl_set *s = named(b, "__set%d");

	if (s == NULL)
		return;
	*id = ++b->set_id;
	nftnl_set_set_u32(s, NFTNL_SET_ID, *id);
	nftnl_set_set_u32(s, NFTNL_SET_FLAGS, NFT_SET_ANONYMOUS | NFT_SET_CONSTANT);
	nftnl_set_set_u32(s, NFTNL_SET_KEY_TYPE, field_info(f)->type_id);
	nftnl_set_set_u32(s, NFTNL_SET_KEY_LEN, 1);
	nftnl_set_set_u32(s, NFTNL_SET_DESC_SIZE, n);
	message(b, s, NFT_MSG_NEWSET, NLM_F_CREATE);
	for (uint8_t i = 0; i < n; i++) {
		struct nftnl_set_elem *e = nftnl_set_elem_alloc();

		if (e == NULL) {
			b->error = -ENOMEM;
			break;
		}
		nftnl_set_elem_set(e, NFTNL_SET_ELEM_KEY, &values[i], 1);
		nftnl_set_elem_add(s, e);
	}
	struct nlmsghdr *h = nft_begin(b, NFT_MSG_NEWSETELEM, NLM_F_CREATE, MESSAGE_MAX);

	if (h != NULL) {
		nftnl_set_elems_nlmsg_build_payload(h, s);
		nft_end(b, h);
	}
	nftnl_set_free(s);
}
