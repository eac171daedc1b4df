/* SPDX-License-Identifier: GPL-2.0-or-later */
/* neighbours.c -- ask the kernel for its neighbour tables, once; changes nothing. */
#include "ctl/neighbours.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define DATAGRAM 65536
#define WAIT_S 2
#define STATES_HEARD (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE)

static int64_t
ticks_ms(uint32_t ticks)
{
	long hz = sysconf(_SC_CLK_TCK);

	return (int64_t)ticks * 1000 / (hz > 0 ? hz : 100);
}

static void
on_neighbour(const struct nlmsghdr *h, neighbours_fn *fn, void *arg)
{
	const struct ndmsg *nd = mnl_nlmsg_get_payload(h);
	const struct nlattr *attr;
	struct neighbour n;
	int has_mac = 0, has_address = 0;

	if (mnl_nlmsg_get_payload_len(h) < sizeof(*nd) || (nd->ndm_state & STATES_HEARD) == 0 ||
	    (nd->ndm_family != AF_INET && nd->ndm_family != AF_INET6))
		return;
	memset(&n, 0, sizeof(n));
	n.interface = (uint32_t)nd->ndm_ifindex;
	n.address.family = nd->ndm_family;
	mnl_attr_for_each(attr, h, sizeof(*nd)) {
		uint16_t len = mnl_attr_get_payload_len(attr);
		struct nda_cacheinfo info;

		if (mnl_attr_get_type(attr) == NDA_LLADDR && len == sizeof(n.mac.bytes)) {
			memcpy(n.mac.bytes, mnl_attr_get_payload(attr), len);
			has_mac = 1;
		} else if (mnl_attr_get_type(attr) == NDA_DST && len == addr_len(nd->ndm_family)) {
			memcpy(n.address.bytes, mnl_attr_get_payload(attr), len);
			has_address = 1;
		} else if (mnl_attr_get_type(attr) == NDA_CACHEINFO && len >= sizeof(info)) {
			memcpy(&info, mnl_attr_get_payload(attr), sizeof(info));
			n.age_ms = ticks_ms(info.ndm_confirmed < info.ndm_updated ? info.ndm_confirmed :
			    info.ndm_updated);
		}
	}
	if (has_mac && has_address)
		fn(arg, &n);
}

int
neighbours_parse(const void *datagram, size_t len, neighbours_fn *fn, void *arg)
{
	const struct nlmsghdr *h = datagram;
	int left = len > DATAGRAM ? DATAGRAM : (int)len;

	for (; mnl_nlmsg_ok(h, left) && h->nlmsg_len <= (uint32_t)left; h = mnl_nlmsg_next(h, &left)) {
		if (h->nlmsg_type == NLMSG_DONE)
			return 1;
		if (h->nlmsg_type == NLMSG_ERROR) {
			const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);

			return mnl_nlmsg_get_payload_len(h) < sizeof(*e) ? -EBADMSG : e->error < 0 ? e->error : 1;
		}
		if (h->nlmsg_type == RTM_NEWNEIGH)
			on_neighbour(h, fn, arg);
	}
	return 0;
}

static int
ask(int fd)
{
	struct {
		struct nlmsghdr header;
		struct ndmsg body;
	} request = {
		.header = {
			.nlmsg_len = sizeof(request),
			.nlmsg_type = RTM_GETNEIGH,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
			.nlmsg_seq = 1,
		},
		.body = { .ndm_family = AF_UNSPEC },
	};

	return send(fd, &request, sizeof(request), 0) == -1 ? -errno : 0;
}

int
neighbours_read(neighbours_fn *fn, void *arg)
{
	static _Alignas(struct nlmsghdr) uint8_t datagram[DATAGRAM];
	struct timeval wait = { .tv_sec = WAIT_S };
	int fd, rc;

	if ((fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)) == -1)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	rc = ask(fd);
	while (rc == 0) {
		ssize_t len = recv(fd, datagram, sizeof(datagram), 0);

		if (len > 0)
			rc = neighbours_parse(datagram, (size_t)len, fn, arg);
		else if (len == 0 || errno != EINTR)
			rc = len == 0 ? -EPIPE : -errno;
	}
	close(fd);
	return rc < 0 ? rc : 0;
}
