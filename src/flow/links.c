/* SPDX-License-Identifier: GPL-2.0-or-later */
/* links.c -- follow the kernel's interfaces and bridge tables. Sends one kind of
 * request, the dump of all links; changes nothing. */
#include "flow/links.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef IFF_LOWER_UP
#define IFF_LOWER_UP 0x10000	/* in linux/if.h, which cannot stand beside net/if.h */
#endif

#define RECEIVE_BUFFER (1 << 20)
#define DATAGRAM 65536
#define READS_MAX 256		/* per call: bridges must not starve the rest */

struct link {
	char name[IF_NAMESIZE];
	int64_t lost_ms;
	uint8_t up;
	uint8_t gone;
};

void
links_init(struct links *l, const struct siphash_key *seed)
{
	memset(l, 0, sizeof(*l));
	l->fd = -1;
	map_init(&l->by_index, seed, sizeof(uint32_t), sizeof(struct link), LINKS_MAX);
}

void
links_done(struct links *l)
{
	if (l->fd != -1)
		close(l->fd);
	l->fd = -1;
	map_done(&l->by_index);
}

static int
ask_for_all(const struct links *l)
{
	struct {
		struct nlmsghdr header;
		struct ifinfomsg body;
	} request = {
		.header = {
			.nlmsg_len = sizeof(request),
			.nlmsg_type = RTM_GETLINK,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
			.nlmsg_seq = 1,
		},
		.body = { .ifi_family = AF_UNSPEC },
	};

	return send(l->fd, &request, sizeof(request), 0) == -1 ? -errno : 0;
}

static int
is_gone(void *arg, const void *key, void *value)
{
	(void)arg;
	(void)key;
	return ((const struct link *)value)->gone;
}

static void
on_link(struct links *l, const struct nlmsghdr *h, int64_t boot_ms)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(h);
	const struct nlattr *attr;
	struct link *link;
	uint32_t index;
	uint8_t up;

	/* AF_BRIDGE messages speak of the port, not of the interface */
	if (mnl_nlmsg_get_payload_len(h) < sizeof(*info) || info->ifi_family != AF_UNSPEC)
		return;
	index = (uint32_t)info->ifi_index;
	if ((link = map_put(&l->by_index, &index)) == NULL) {
		map_sweep(&l->by_index, is_gone, NULL);
		if ((link = map_put(&l->by_index, &index)) == NULL)
			return;
	}
	up = h->nlmsg_type == RTM_NEWLINK && (info->ifi_flags & IFF_LOWER_UP) != 0;
	if (link->up && !up)
		link->lost_ms = boot_ms;
	link->up = up;
	link->gone = h->nlmsg_type == RTM_DELLINK;
	mnl_attr_for_each(attr, h, sizeof(*info))
		if (mnl_attr_get_type(attr) == IFLA_IFNAME && mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0)
			snprintf(link->name, sizeof(link->name), "%s", mnl_attr_get_str(attr));
}

static void
on_neighbour(const struct nlmsghdr *h, links_learned_fn *fn, void *arg)
{
	const struct ndmsg *n = mnl_nlmsg_get_payload(h);
	const struct nlattr *attr;
	struct mac mac;

	if (mnl_nlmsg_get_payload_len(h) < sizeof(*n) || n->ndm_family != AF_BRIDGE)
		return;
	/* what an admin or the bridge itself wrote was not learned */
	if ((n->ndm_state & (NUD_PERMANENT | NUD_NOARP)) != 0 || (n->ndm_flags & NTF_SELF) != 0)
		return;
	mnl_attr_for_each(attr, h, sizeof(*n)) {
		if (mnl_attr_get_type(attr) != NDA_LLADDR ||
		    mnl_attr_get_payload_len(attr) != sizeof(mac.bytes))
			continue;
		memcpy(mac.bytes, mnl_attr_get_payload(attr), sizeof(mac.bytes));
		fn(arg, &mac, (uint32_t)n->ndm_ifindex);
	}
}

int
links_parse(struct links *l, const void *datagram, size_t len, int64_t boot_ms, links_learned_fn *fn, void *arg)
{
	const struct nlmsghdr *h = datagram;
	int left = (int)len, ended = 0;

	for (; mnl_nlmsg_ok(h, left) && h->nlmsg_len <= (uint32_t)left; h = mnl_nlmsg_next(h, &left)) {
		switch (h->nlmsg_type) {
		case RTM_NEWLINK:
		case RTM_DELLINK:
			on_link(l, h, boot_ms);
			break;
		case RTM_NEWNEIGH:
			if (fn != NULL)
				on_neighbour(h, fn, arg);
			break;
		case NLMSG_DONE:
		case NLMSG_ERROR:
			ended = 1;
			break;
		}
	}
	return ended;
}

/* 1: the answer to links_open ended; 0: nothing more now. */
static int
read_all(struct links *l, int64_t boot_ms, links_learned_fn *fn, void *arg)
{
	static _Alignas(struct nlmsghdr) uint8_t datagram[DATAGRAM];
	int ended = 0;

	for (unsigned i = 0; i < READS_MAX; i++) {
		ssize_t len = recv(l->fd, datagram, sizeof(datagram), MSG_DONTWAIT);

		if (len > 0) {
			ended |= links_parse(l, datagram, (size_t)len, boot_ms, fn, arg);
		} else if (len == -1 && errno == ENOBUFS) {
			/* something was missed: begin with all of it again */
			l->overruns++;
			(void)ask_for_all(l);
		} else if (len == -1 && errno == EINTR) {
			continue;
		} else if (len == -1 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			break;
		} else {
			return len == 0 ? -EPIPE : -errno;
		}
	}
	return ended;
}

int
links_open(struct links *l, int timeout_ms, int64_t boot_ms)
{
	struct sockaddr_nl sa = {
		.nl_family = AF_NETLINK,
		.nl_groups = 1 << (RTNLGRP_LINK - 1) | 1 << (RTNLGRP_NEIGH - 1),
	};
	int size = RECEIVE_BUFFER, rc;

	l->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (l->fd == -1)
		return -errno;
	(void)setsockopt(l->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (bind(l->fd, (struct sockaddr *)&sa, sizeof(sa)) == -1) {
		rc = -errno;
		goto fail;
	}
	if ((rc = ask_for_all(l)) < 0)
		goto fail;
	rc = 0;
	for (unsigned i = 0; rc == 0 && i < READS_MAX; i++) {
		struct pollfd p = { .fd = l->fd, .events = POLLIN };

		rc = poll(&p, 1, timeout_ms);
		if (rc == 0)
			rc = -ETIMEDOUT;
		else if (rc == -1)
			rc = -errno;
		else
			rc = read_all(l, boot_ms, NULL, NULL);
	}
	if (rc > 0)
		return 0;
	if (rc == 0)
		rc = -EBUSY;
fail:
	close(l->fd);
	l->fd = -1;
	return rc;
}

int
links_read(struct links *l, int64_t boot_ms, links_learned_fn *fn, void *arg)
{
	int rc = read_all(l, boot_ms, fn, arg);

	return rc < 0 ? rc : 0;
}

const char *
links_name(const struct links *l, uint32_t index, char buf[IF_NAMESIZE])
{
	const struct link *link = map_get(&l->by_index, &index);

	if (index == 0)
		buf[0] = '\0';
	else if (link != NULL && link->name[0] != '\0')
		memcpy(buf, link->name, IF_NAMESIZE);
	else
		snprintf(buf, IF_NAMESIZE, "if%u", index);
	return buf;
}

int64_t
links_lost(const struct links *l, uint32_t index)
{
	const struct link *link = map_get(&l->by_index, &index);

	return link != NULL ? link->lost_ms : 0;
}
