/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nflog.c -- read NFLOG records from an inherited socket.
 * The envelope is the kernel's and is walked with libmnl; the packet inside is
 * a stranger's and goes to packet_decode. Sends nothing: the groups were bound
 * and configured by somebody with the right to. */
#include "flow/nflog.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <string.h>
#include <sys/socket.h>

void
nflog_init(struct nflog *n, uint32_t group_base)
{
	memset(n, 0, sizeof(*n));
	n->group_base = group_base;
}

uint64_t
nflog_lost(const struct nflog *n)
{
	return n->gaps + n->unexplained;
}

static void
count_sequence(struct nflog *n, uint8_t group, uint32_t sequence)
{
	uint32_t gap = sequence - n->next[group];

	/* Numbers only grow, so a "gap" of half the range is a group that was
	 * bound anew and begins at 0 again. */
	if (n->known[group] && gap > 0 && gap < UINT32_MAX / 2) {
		n->gaps += gap;
		n->unexplained = 0;
	}
	n->known[group] = 1;
	n->next[group] = sequence + 1;
}

struct attributes {
	const struct nlattr *of[NFULA_MAX + 1];
};

static int
keep_attribute(const struct nlattr *attr, void *data)
{
	struct attributes *a = data;

	if (mnl_attr_type_valid(attr, NFULA_MAX) > 0)
		a->of[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

static int
get_bytes(const struct attributes *a, int type, void *out, size_t len)
{
	const struct nlattr *attr = a->of[type];

	if (attr == NULL || mnl_attr_get_payload_len(attr) < len)
		return -ENODATA;
	memcpy(out, mnl_attr_get_payload(attr), len);
	return 0;
}

static uint32_t
get_u32(const struct attributes *a, int type)
{
	uint32_t value;

	return get_bytes(a, type, &value, sizeof(value)) < 0 ? 0 : ntohl(value);
}

static void
read_mac(const struct attributes *a, struct record *r)
{
	struct nfulnl_msg_packet_hw hw;

	if (get_bytes(a, NFULA_HWADDR, &hw, sizeof(hw)) < 0 ||
	    ntohs(hw.hw_addrlen) != sizeof(r->mac.bytes))
		return;
	memcpy(r->mac.bytes, hw.hw_addr, sizeof(r->mac.bytes));
	r->has_mac = 1;
}

static int
read_record(struct nflog *n, const struct nlmsghdr *h, struct record *r)
{
	struct nfulnl_msg_packet_hdr packet_header;
	struct attributes a = { { NULL } };
	const struct nfgenmsg *general;
	uint32_t group;

	if (mnl_nlmsg_get_payload_len(h) < sizeof(*general))
		return -EBADMSG;
	general = mnl_nlmsg_get_payload(h);
	group = ntohs(general->res_id) - n->group_base;
	if (group >= FLOW_GROUPS)
		return -EBADMSG;
	if (mnl_attr_parse(h, sizeof(*general), keep_attribute, &a) < 0 ||
	    get_bytes(&a, NFULA_PACKET_HDR, &packet_header, sizeof(packet_header)) < 0)
		return -EBADMSG;
	memset(r, 0, sizeof(*r));
	r->group = (uint8_t)group;
	r->hook = packet_header.hook;
	r->mark = get_u32(&a, NFULA_MARK);
	r->in = get_u32(&a, NFULA_IFINDEX_INDEV);
	r->out = get_u32(&a, NFULA_IFINDEX_OUTDEV);
	read_mac(&a, r);
	if (a.of[NFULA_PAYLOAD] != NULL) {
		packet_decode(mnl_attr_get_payload(a.of[NFULA_PAYLOAD]),
		    mnl_attr_get_payload_len(a.of[NFULA_PAYLOAD]), &r->packet);
		r->has_head = 1;
		r->head = mnl_attr_get_payload(a.of[NFULA_PAYLOAD]);
		r->head_len = mnl_attr_get_payload_len(a.of[NFULA_PAYLOAD]);
	}
	if (a.of[NFULA_SEQ] != NULL)
		count_sequence(n, r->group, get_u32(&a, NFULA_SEQ));
	return 0;
}

/* mnl_nlmsg_ok takes a length above 2^31 for a negative one, and so for a short one. */
static bool
message_ok(const struct nlmsghdr *h, int left)
{
	return mnl_nlmsg_ok(h, left) && h->nlmsg_len <= (uint32_t)left;
}

void
nflog_parse(struct nflog *n, const void *datagram, size_t len, nflog_fn *fn, void *arg)
{
	const struct nlmsghdr *h = datagram;
	int left = len > NFLOG_DATAGRAM_MAX ? NFLOG_DATAGRAM_MAX : (int)len;
	struct record r;

	for (; message_ok(h, left); h = mnl_nlmsg_next(h, &left)) {
		if (h->nlmsg_type == NLMSG_DONE)
			break;		/* the kernel ends a datagram of several records so */
		if (h->nlmsg_type != (NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET))
			continue;
		if (read_record(n, h, &r) < 0) {
			n->malformed++;
			continue;
		}
		n->records++;
		fn(arg, &r);
	}
}

int
nflog_read(struct nflog *n, int fd, unsigned max, nflog_fn *fn, void *arg)
{
	static _Alignas(struct nlmsghdr) uint8_t datagram[NFLOG_DATAGRAM_MAX];
	unsigned got = 0;

	while (got < max) {
		ssize_t len = recv(fd, datagram, sizeof(datagram), MSG_DONTWAIT);

		if (len > 0) {
			got++;
			nflog_parse(n, datagram, (size_t)len, fn, arg);
		} else if (len == -1 && errno == ENOBUFS) {
			got++;
			n->overruns++;
			n->unexplained++;
		} else if (len == -1 && errno == EINTR) {
			got++;
		} else if (len == -1 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			break;
		} else {
			return len == 0 ? -EPIPE : -errno;
		}
	}
	return (int)got;
}
