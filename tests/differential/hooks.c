/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hooks.c -- before and after cordon's chains. */
#include "hooks.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "craft.h"

#define GROUP		7777
#define BUFFER		(64 << 20)
#define KERNEL_BUFFER	65536
#define WAITING_MAX	8
#define PATIENCE_MS	3000

/* Told before, and not yet known to have come through. */
struct hooks {
	struct mnl_socket *log, *conntrack;
	const struct world *w;
	struct seen waiting[WAITING_MAX];
	size_t n_waiting;
	uint32_t next;		/* the record that is expected */
	bool lost;
	/* while collecting */
	uint32_t sentinel;
	bool done;
	seen_fn *fn;
	void *arg;
};

/* The prefix says what conntrack says: a letter for the state, one for the
 * direction, one when an earlier packet of the flow went through. The ct mark is told as the packet mark, which is then spoilt. */
static const char table[] =
	"table inet around {\n"
	"	chain tell {\n"
	"		meta mark set 0\n"
	"		meta mark set ct mark\n"
	"		ct state new ct direction original ct status confirmed log prefix \"noc\" group 7777 goto spoil\n"
	"		ct state new ct direction original log prefix \"no\" group 7777 goto spoil\n"
	"		ct state established ct direction reply log prefix \"er\" group 7777 goto spoil\n"
	"		ct state established ct direction original log prefix \"eo\" group 7777 goto spoil\n"
	"		ct state invalid log prefix \"i-\" group 7777 goto spoil\n"
	"		ct state related ct direction reply ct status confirmed log prefix \"rrc\" group 7777 goto spoil\n"
	"		ct state related ct direction original ct status confirmed log prefix \"roc\" group 7777 goto spoil\n"
	"		ct state related ct direction reply log prefix \"rr\" group 7777 goto spoil\n"
	"		ct state related ct direction original log prefix \"ro\" group 7777 goto spoil\n"
	"		ct state new ct direction reply log prefix \"nr\" group 7777 goto spoil\n"
	"		log prefix \"u-\" group 7777 goto spoil\n"
	"	}\n"
	"	chain spoil { meta mark set 0xdeadbeef; }\n"
	"	chain through {\n"
	"		meta mark set 0\n"
	"		meta mark set ct mark\n"
	"		log prefix \">\" group 7777\n"
	"	}\n"
	"	chain untracked {\n"
	"		type filter hook prerouting priority -300\n"
	"		ip dscp 11 notrack\n"
	"		ip6 dscp 11 notrack\n"
	"	}\n"
	"	chain forward_before { type filter hook forward priority -50; goto tell; }\n"
	"	chain input_before { type filter hook input priority -50; goto tell; }\n"
	"	chain output_before { type filter hook output priority -50; goto tell; }\n"
	"	chain forward_after {\n"
	"		type filter hook forward priority 50\n"
	"		jump through\n"
	"		ip dscp 10 ip dscp set 12\n"
	"		ip6 dscp 10 ip6 dscp set 12\n"
	"	}\n"
	"	chain input_after { type filter hook input priority 50; goto through; }\n"
	"	chain output_after { type filter hook output priority 50; goto through; }\n"
	"}\n";

static struct nlmsghdr *
message(uint8_t *buf, uint16_t type, uint16_t group)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *g;

	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	g = mnl_nlmsg_put_extra_header(h, sizeof(*g));
	g->nfgen_family = AF_UNSPEC;
	g->version = NFNETLINK_V0;
	g->res_id = htons(group);
	return h;
}

static void
ask(struct mnl_socket *s, const struct nlmsghdr *h, const char *what)
{
	uint8_t buf[8192];
	ssize_t n;

	if (mnl_socket_sendto(s, h, h->nlmsg_len) < 0 || (n = mnl_socket_recvfrom(s, buf, sizeof(buf))) < 0 ||
	    mnl_cb_run(buf, (size_t)n, 0, 0, NULL, NULL) < 0)
		world_fail(what, errno);
}

static struct mnl_socket *
open_socket(void)
{
	struct mnl_socket *s = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);

	if (s == NULL || mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) < 0)
		world_fail("a netlink socket", errno);
	return s;
}

static void
bind_group(struct mnl_socket *s)
{
	struct nfulnl_msg_config_cmd cmd = { .command = NFULNL_CFG_CMD_BIND };
	struct nfulnl_msg_config_mode mode = { .copy_range = htonl(HEAD_MAX),
		.copy_mode = NFULNL_COPY_PACKET };
	uint8_t buf[512];
	struct nlmsghdr *h = message(buf, NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG, GROUP);
	int size = BUFFER;

	mnl_attr_put(h, NFULA_CFG_CMD, sizeof(cmd), &cmd);
	ask(s, h, "binding an NFLOG group");
	h = message(buf, NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG, GROUP);
	mnl_attr_put(h, NFULA_CFG_MODE, sizeof(mode), &mode);
	mnl_attr_put_u32(h, NFULA_CFG_NLBUFSIZ, htonl(KERNEL_BUFFER));
	mnl_attr_put_u32(h, NFULA_CFG_QTHRESH, htonl(SENTINELS));
	mnl_attr_put_u16(h, NFULA_CFG_FLAGS, htons(NFULNL_CFG_F_SEQ));
	ask(s, h, "configuring an NFLOG group");
	setsockopt(mnl_socket_get_fd(s), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
}

struct hooks *
hooks_new(const struct world *w)
{
	struct hooks *h = calloc(1, sizeof(*h));

	if (h == NULL)
		world_fail("memory", ENOMEM);
	h->w = w;
	world_run((const char *const[]){ "nft", "-f", "-", NULL }, table);
	h->log = open_socket();
	h->conntrack = open_socket();
	bind_group(h->log);
	return h;
}

void
hooks_free(struct hooks *h)
{
	if (h == NULL)
		return;
	mnl_socket_close(h->log);
	mnl_socket_close(h->conntrack);
	free(h);
}

void
hooks_forget_flows(struct hooks *h)
{
	uint8_t buf[256];

	ask(h->conntrack, message(buf, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE, 0),
	    "forgetting connections");
}

/* ---- records ------------------------------------------------------------ */

struct record {
	const struct nlattr *of[NFULA_MAX + 1];
};

static int
keep_attribute(const struct nlattr *attr, void *data)
{
	struct record *r = data;

	if (mnl_attr_type_valid(attr, NFULA_MAX) > 0)
		r->of[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

static uint32_t
number_of(const struct record *r, int type)
{
	return r->of[type] == NULL ? 0 : ntohl(mnl_attr_get_u32(r->of[type]));
}

static const char *
port_of(const struct hooks *h, uint32_t index)
{
	for (int p = 0; p < PORTS; p++)
		if (index != 0 && (uint32_t)h->w->index[p] == index)
			return port_names[p];
	return index == 0 ? "" : "lo";
}

static void
read_frame(const struct record *r, struct packet *p)
{
	const struct nlattr *a = r->of[NFULA_HWHEADER];
	const uint8_t *frame;

	if (a == NULL || mnl_attr_get_payload_len(a) < 14) {
		p->lack |= LACK_ETHER;
		return;
	}
	frame = mnl_attr_get_payload(a);
	memcpy(p->ether, frame + 6, sizeof(p->ether));
	if (memcmp(frame, "\xff\xff\xff\xff\xff\xff", 6) == 0)
		p->pkttype = 1;
	else if ((frame[0] & 1) != 0)
		p->pkttype = 2;
}

static void
read_state(const char *prefix, struct packet *p)
{
	switch (prefix[0]) {
	case 'n':
		p->ct_state = CTS_NEW;
		break;
	case 'e':
		p->ct_state = CTS_ESTABLISHED;
		break;
	case 'r':
		p->ct_state = CTS_RELATED;
		break;
	case 'i':
		p->ct_state = CTS_INVALID;
		break;
	default:
		p->ct_state = 0;
	}
	p->reply = prefix[1] == 'r';
	p->confirmed = (p->ct_state != CTS_NEW && p->ct_state != CTS_RELATED) || prefix[2] == 'c';
}

/* False for what is neither IPv4 nor IPv6. */
static bool
read_seen(const struct hooks *h, const struct record *r, struct seen *s)
{
	static const enum chain_hook of[] = { [NF_INET_LOCAL_IN] = HOOK_INPUT, [NF_INET_FORWARD] = HOOK_FORWARD,
		[NF_INET_LOCAL_OUT] = HOOK_OUTPUT };
	const struct nfulnl_msg_packet_hdr *head = mnl_attr_get_payload(r->of[NFULA_PACKET_HDR]);
	struct packet *p = &s->packet;

	memset(s, 0, sizeof(*s));
	s->len = mnl_attr_get_payload_len(r->of[NFULA_PAYLOAD]);
	if (s->len > HEAD_MAX)
		s->len = HEAD_MAX;
	memcpy(s->head, mnl_attr_get_payload(r->of[NFULA_PAYLOAD]), s->len);
	if (!craft_read(s->head, s->len, p, &s->number, &s->ours))
		return false;
	p->hook = of[head->hook];
	p->iif_index = number_of(r, NFULA_IFINDEX_INDEV);
	p->iif = port_of(h, p->iif_index);
	p->oif_index = number_of(r, NFULA_IFINDEX_OUTDEV);
	p->oif = port_of(h, p->oif_index);
	p->mark = FOREIGN_MARK;
	p->time_s = time(NULL);
	read_frame(r, p);
	return true;
}

static void
tell_first(struct hooks *h)
{
	h->fn(h->arg, &h->waiting[0]);
	memmove(h->waiting, h->waiting + 1, --h->n_waiting * sizeof(h->waiting[0]));
}

/* Almost always it is the last that was told; the other processor may have had
 * something to say in between. */
static void
came_through(struct hooks *h, const struct seen *s, uint32_t ct_mark)
{
	for (size_t i = h->n_waiting; i > 0; i--) {
		struct seen *was = &h->waiting[i - 1];

		if (!was->accepted && was->packet.hook == s->packet.hook && was->len == s->len &&
		    memcmp(was->head, s->head, s->len) == 0) {
			was->accepted = true;
			was->ct_mark = ct_mark;
			return;
		}
	}
	h->lost = true;
}

static bool
is_sentinel(const struct hooks *h, const struct seen *s)
{
	return s->ours && s->number == h->sentinel && s->packet.hook == HOOK_FORWARD;
}

static int
read_record(const struct nlmsghdr *n, void *data)
{
	struct record r = { { NULL } };
	struct hooks *h = data;
	const char *prefix;
	struct seen s;

	if (n->nlmsg_type != (NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET))
		return MNL_CB_OK;
	mnl_attr_parse(n, sizeof(struct nfgenmsg), keep_attribute, &r);
	h->lost |= number_of(&r, NFULA_SEQ) != h->next;
	h->next = number_of(&r, NFULA_SEQ) + 1;
	if (r.of[NFULA_PACKET_HDR] == NULL || r.of[NFULA_PAYLOAD] == NULL || r.of[NFULA_PREFIX] == NULL ||
	    !read_seen(h, &r, &s))
		return MNL_CB_OK;
	prefix = mnl_attr_get_str(r.of[NFULA_PREFIX]);
	if (prefix[0] == '>') {
		came_through(h, &s, number_of(&r, NFULA_MARK));
		return MNL_CB_OK;
	}
	read_state(prefix, &s.packet);
	s.packet.ct_mark = number_of(&r, NFULA_MARK);
	if (h->n_waiting == WAITING_MAX)
		tell_first(h);
	h->waiting[h->n_waiting++] = s;
	h->done |= is_sentinel(h, &s);
	return MNL_CB_OK;
}

bool
hooks_collect(struct hooks *h, uint32_t sentinel, seen_fn *fn, void *arg)
{
	static _Alignas(struct nlmsghdr) uint8_t buf[2 * KERNEL_BUFFER];
	struct pollfd p = { mnl_socket_get_fd(h->log), POLLIN, 0 };

	h->sentinel = sentinel;
	h->done = h->lost = false;
	h->fn = fn;
	h->arg = arg;
	while (!h->done && poll(&p, 1, PATIENCE_MS) > 0) {
		ssize_t n = recv(p.fd, buf, sizeof(buf), 0);

		if (n < 0)
			h->lost = true;
		else
			mnl_cb_run(buf, (size_t)n, 0, 0, read_record, h);
	}
	/* What came behind the sentinel may still come through. */
	while (h->n_waiting > 0 && !is_sentinel(h, &h->waiting[0]))
		tell_first(h);
	if (h->n_waiting > 0)
		tell_first(h);
	return h->done && !h->lost;
}
