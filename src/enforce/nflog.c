/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nflog.c -- bind the NFLOG groups and say how records should come. */
#include "enforce/nflog.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "enforce/nft_socket.h"
#include "proto/messages.h"

#define REQUEST_MAX	256
#define COPY_RANGE	128	/* bytes of each packet: headers, with room for IPv6 extensions */
#define COPY_DHCP	1024	/* of a question for an address: its options follow 240 fixed bytes */
#define QUEUE_THRESHOLD	16	/* records per message at the most */
#define FLUSH_AFTER	5	/* hundredths of a second that a lone record may wait */
#define KERNEL_BUFFER	32768	/* for a message under way, QUEUE_THRESHOLD records fit */
#define RECEIVE_BUFFER	(8 << 20)

static struct nlmsghdr *
config(uint8_t *buf, uint16_t group)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *g;

	h->nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	g = mnl_nlmsg_put_extra_header(h, sizeof(*g));
	g->nfgen_family = AF_UNSPEC;
	g->version = NFNETLINK_V0;
	g->res_id = htons(group);
	return h;
}

static int
nothing(void *arg, const struct nlmsghdr *h)
{
	(void)arg;
	(void)h;
	return 0;
}

static int
bind_group(struct nft_socket *s, uint16_t group, uint32_t copy_range)
{
	struct nfulnl_msg_config_cmd cmd = { .command = NFULNL_CFG_CMD_BIND };
	struct nfulnl_msg_config_mode mode = { .copy_range = htonl(copy_range),
		.copy_mode = NFULNL_COPY_PACKET };
	uint8_t buf[REQUEST_MAX];
	struct nlmsghdr *h = config(buf, group);
	int rc;

	mnl_attr_put(h, NFULA_CFG_CMD, sizeof(cmd), &cmd);
	if ((rc = nft_dump(s, h, nothing, NULL)) < 0)
		return rc;
	h = config(buf, group);
	mnl_attr_put(h, NFULA_CFG_MODE, sizeof(mode), &mode);
	mnl_attr_put_u32(h, NFULA_CFG_NLBUFSIZ, htonl(KERNEL_BUFFER));
	mnl_attr_put_u32(h, NFULA_CFG_QTHRESH, htonl(QUEUE_THRESHOLD));
	mnl_attr_put_u32(h, NFULA_CFG_TIMEOUT, htonl(FLUSH_AFTER));
	mnl_attr_put_u16(h, NFULA_CFG_FLAGS, htons(NFULNL_CFG_F_SEQ));
	return nft_dump(s, h, nothing, NULL);
}

int
nflog_open(uint32_t group_base)
{
	struct nft_socket s;
	int fd = nft_socket_open(), size = RECEIVE_BUFFER, one = 1, rc;

	if (fd < 0)
		return fd;
	rc = nft_socket_init(&s, fd);
	for (uint32_t g = 0; rc == 0 && g < FLOW_GROUPS; g++)
		rc = bind_group(&s, (uint16_t)(group_base + g), g == FLOW_DISCOVERED ? COPY_DHCP : COPY_RANGE);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	/* Gaps in the sequence tell of losses; an error on the socket would tell less. */
	setsockopt(fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, &one, sizeof(one));
	return fd;
}
