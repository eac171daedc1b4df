/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conntrack.c -- delete conntrack entries by mark (ctnetlink). */
#include "enforce/conntrack.h"

#include <endian.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "model/diff.h"

#define REQUEST_MAX 1024

static struct nlmsghdr *
request(uint8_t *buf, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *g;

	h->nlmsg_type = (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | type);
	h->nlmsg_flags = NLM_F_REQUEST | flags;
	g = mnl_nlmsg_put_extra_header(h, sizeof(*g));
	g->nfgen_family = AF_UNSPEC;
	g->version = NFNETLINK_V0;
	return h;
}

static int
nothing(void *arg, const struct nlmsghdr *h)
{
	(void)arg;
	(void)h;
	return 0;
}

int
conntrack_forget(struct nft_socket *s, uint32_t mark, uint32_t mask)
{
	uint8_t buf[REQUEST_MAX];
	struct nlmsghdr *h = request(buf, IPCTNL_MSG_CT_DELETE, NLM_F_ACK);
	int rc;

	mnl_attr_put_u32(h, CTA_MARK, htobe32(mark));
	mnl_attr_put_u32(h, CTA_MARK_MASK, htobe32(mask));
	rc = nft_dump(s, h, nothing, NULL);
	return rc == -ENOENT ? 0 : rc;
}

/* ---- all that carry a mark ---------------------------------------------- */

struct marked {
	uint32_t *marks;
	size_t n, room;
};

static int
on_entry(void *arg, const struct nlmsghdr *h)
{
	struct marked *m = arg;
	const struct nlattr *a;
	uint32_t mark = 0;

	mnl_attr_for_each(a, h, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(a) == CTA_MARK && mnl_attr_get_payload_len(a) == 4)
			mark = be32toh(mnl_attr_get_u32(a));
	if (mark == 0)
		return 0;
	if (m->n == m->room) {
		size_t room = m->room ? 2 * m->room : 1024;
		uint32_t *p = reallocarray(m->marks, room, sizeof(*p));

		if (p == NULL)
			return -ENOMEM;
		m->marks = p;
		m->room = room;
	}
	m->marks[m->n++] = mark;
	return 0;
}

static int
order(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

int
conntrack_forget_marked(struct nft_socket *s, uint32_t *n)
{
	uint8_t buf[REQUEST_MAX];
	struct marked m = { 0 };
	int rc = nft_dump(s, request(buf, IPCTNL_MSG_CT_GET, NLM_F_DUMP), on_entry, &m);

	*n = (uint32_t)m.n;
	if (m.n > 0)
		qsort(m.marks, m.n, sizeof(*m.marks), order);
	for (size_t i = 0; rc == 0 && i < m.n; i++)
		if (i == 0 || m.marks[i] != m.marks[i - 1])
			rc = conntrack_forget(s, m.marks[i], UINT32_MAX);
	free(m.marks);
	return rc;
}

/* ---- all that use an address -------------------------------------------- */

#define TUPLE_MAX 256

/* What the kernel needs to find an entry again: its tuple as it came, and its zone. */
struct flow {
	uint8_t family;
	uint16_t zone;
	uint16_t tuple_len;
	uint8_t tuple[TUPLE_MAX];
};

struct users {
	const struct image_address *addresses;
	size_t n_addresses;
	struct flow *flows;
	size_t n, room;
};

static bool
uses(const struct users *u, const struct nlattr *tuple)
{
	struct image_address key;
	const struct nlattr *a, *ip;
	uint16_t len;

	mnl_attr_for_each_nested(a, tuple) {
		if (mnl_attr_get_type(a) != CTA_TUPLE_IP)
			continue;
		mnl_attr_for_each_nested(ip, a) {	/* CTA_IP_V4_SRC and its three siblings */
			if ((len = mnl_attr_get_payload_len(ip)) != 4 && len != 16)
				continue;
			memset(&key, 0, sizeof(key));
			key.family = len == 4 ? AF_INET : AF_INET6;
			memcpy(key.bytes, mnl_attr_get_payload(ip), len);
			if (bsearch(&key, u->addresses, u->n_addresses, sizeof(key),
			    image_address_order) != NULL)
				return true;
		}
	}
	return false;
}

static int
note_flow(struct users *u, const struct nlmsghdr *h, const struct nlattr *tuple, uint16_t zone)
{
	const struct nfgenmsg *g = mnl_nlmsg_get_payload(h);
	struct flow *f;

	if (mnl_attr_get_payload_len(tuple) > TUPLE_MAX)
		return 0;
	if (u->n == u->room) {
		size_t room = u->room ? 2 * u->room : 64;
		struct flow *p = reallocarray(u->flows, room, sizeof(*p));

		if (p == NULL)
			return -ENOMEM;
		u->flows = p;
		u->room = room;
	}
	f = &u->flows[u->n++];
	f->family = g->nfgen_family;
	f->zone = zone;
	f->tuple_len = mnl_attr_get_payload_len(tuple);
	memcpy(f->tuple, mnl_attr_get_payload(tuple), f->tuple_len);
	return 0;
}

static int
on_user(void *arg, const struct nlmsghdr *h)
{
	const struct nlattr *a, *original = NULL, *reply = NULL;
	struct users *u = arg;
	uint32_t mark = 0;
	uint16_t zone = 0;

	mnl_attr_for_each(a, h, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(a) == CTA_TUPLE_ORIG)
			original = a;
		if (mnl_attr_get_type(a) == CTA_TUPLE_REPLY)
			reply = a;
		if (mnl_attr_get_type(a) == CTA_MARK && mnl_attr_get_payload_len(a) == 4)
			mark = mnl_attr_get_u32(a);
		if (mnl_attr_get_type(a) == CTA_ZONE && mnl_attr_get_payload_len(a) == 2)
			zone = mnl_attr_get_u16(a);
	}
	if (mark == 0 || original == NULL || reply == NULL || !(uses(u, original) || uses(u, reply)))
		return 0;
	return note_flow(u, h, original, zone);
}

static int
forget_flow(struct nft_socket *s, const struct flow *f)
{
	uint8_t buf[REQUEST_MAX];
	struct nlmsghdr *h = request(buf, IPCTNL_MSG_CT_DELETE, NLM_F_ACK);
	int rc;

	((struct nfgenmsg *)mnl_nlmsg_get_payload(h))->nfgen_family = f->family;
	mnl_attr_put(h, NLA_F_NESTED | CTA_TUPLE_ORIG, f->tuple_len, f->tuple);
	if (f->zone != 0)
		mnl_attr_put_u16(h, CTA_ZONE, f->zone);
	rc = nft_dump(s, h, nothing, NULL);
	return rc == -ENOENT ? 0 : rc;	/* it ended by itself */
}

int
conntrack_forget_addresses(struct nft_socket *s, const struct image_address *addresses,
    size_t n_addresses, uint32_t *n)
{
	uint8_t buf[REQUEST_MAX];
	struct users u = { .addresses = addresses, .n_addresses = n_addresses };
	int rc = n_addresses == 0 ? 0 :
	    nft_dump(s, request(buf, IPCTNL_MSG_CT_GET, NLM_F_DUMP), on_user, &u);

	for (size_t i = 0; rc == 0 && i < u.n; i++)
		rc = forget_flow(s, &u.flows[i]);
	*n = (uint32_t)u.n;
	free(u.flows);
	return rc;
}
