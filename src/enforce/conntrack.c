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
	qsort(m.marks, m.n, sizeof(*m.marks), order);
	for (size_t i = 0; rc == 0 && i < m.n; i++)
		if (i == 0 || m.marks[i] != m.marks[i - 1])
			rc = conntrack_forget(s, m.marks[i], UINT32_MAX);
	free(m.marks);
	return rc;
}
