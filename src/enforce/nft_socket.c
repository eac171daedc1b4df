/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_socket.c -- netlink send and receive, with every way it can go wrong. */
#include "enforce/nft_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"

/* Answers to a batch are errors and echoes; a dump answers in 32 KB pieces. */
#define RECEIVE_BUFFER	(8 << 20)
#define PIECE		(64 << 10)

int
nft_socket_open(void)
{
	struct sockaddr_nl sa = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

	if (fd == -1)
		return -errno;
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == -1) {
		int rc = -errno;

		close(fd);
		return rc;
	}
	return fd;
}

int
nft_socket_init(struct nft_socket *s, int fd)
{
	int size = RECEIVE_BUFFER, one = 1;

	s->fd = fd;
	s->generation = 0;
	s->seq = (uint32_t)getpid() << 8;
	/* In a container the right to go beyond the system's bound may be missing. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) == -1 &&
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) == -1)
		return -errno;
	/* Without the original message in every error: a batch may be long. With
	 * the place inside it that the kernel did not like. */
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	return 0;
}

/* The kernel takes a transaction as one message buffer, so the send buffer
 * must hold all of it, and 32 bytes. It is twice what was asked for. */
static bool
has_room(int fd, size_t len)
{
	socklen_t l = sizeof(int);
	int have = 0;

	return getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &have, &l) == 0 && (size_t)have >= len + 32;
}

static int
make_room(int fd, size_t len, struct nft_failure *failure)
{
	int want;

	if (len > INT32_MAX / 2 - 65536)
		return -EMSGSIZE;
	want = (int)len + 65536;
	if (has_room(fd, len) || setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &want, sizeof(want)) == 0)
		return 0;
	/* Not allowed to go beyond the system's bound: as far as that is. */
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &want, sizeof(want));
	if (has_room(fd, len))
		return 0;
	failure->needed = (len + 32 + 1) / 2;
	return -EMSGSIZE;
}

static int
send_all(int fd, const void *p, size_t len)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct iovec iov = { (void *)p, len };
	struct msghdr m = { .msg_name = &kernel, .msg_namelen = sizeof(kernel), .msg_iov = &iov,
		.msg_iovlen = 1 };
	ssize_t n;

	do {
		n = sendmsg(fd, &m, 0);
	} while (n == -1 && errno == EINTR);
	/* There was no memory for a message of this length: it was not sent. */
	if (n == -1)
		return errno == ENOBUFS ? -ENOMEM : -errno;
	return (size_t)n == len ? 0 : -EIO;
}

/* One datagram from the kernel, or -EAGAIN, -ENOBUFS. Others may not speak here. */
static ssize_t
receive(int fd, void *p, size_t len, int flags)
{
	struct sockaddr_nl from;
	struct iovec iov = { p, len };
	struct msghdr m = { .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov,
		.msg_iovlen = 1 };
	ssize_t n;

	for (;;) {
		n = recvmsg(fd, &m, flags);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -errno;
		if (m.msg_flags & MSG_TRUNC)
			return -EMSGSIZE;
		if (from.nl_pid == 0)
			return n;
	}
}

/* What an earlier user of this socket left unread is not ours. */
static void
drain(int fd, void *p)
{
	ssize_t n;

	do {
		n = receive(fd, p, PIECE, MSG_DONTWAIT);
	} while (n > 0 || n == -ENOBUFS);
}

/* ---- transactions ------------------------------------------------------- */

struct answers {
	uint32_t last_seq;
	bool acknowledged;
	bool lost;		/* some of them did not fit the socket */
	struct nft_failure first;
	void (*echo)(void *, const struct nlmsghdr *);
	void *arg;
};

/* Where in the refused message? It follows the bare error. */
static uint32_t
refused_at(const struct nlmsghdr *h)
{
	const struct nlattr *a;

	if ((h->nlmsg_flags & (NLM_F_ACK_TLVS | NLM_F_CAPPED)) == (NLM_F_ACK_TLVS | NLM_F_CAPPED))
		mnl_attr_for_each(a, h, sizeof(struct nlmsgerr))
			if (mnl_attr_get_type(a) == NLMSGERR_ATTR_OFFS && mnl_attr_get_payload_len(a) == 4)
				return mnl_attr_get_u32(a);
	return 0;
}

static void
answer(struct answers *a, const struct nlmsghdr *h)
{
	const struct nlmsgerr *e;

	if (h->nlmsg_type != NLMSG_ERROR) {
		if (a->echo != NULL)
			a->echo(a->arg, h);
		return;
	}
	if (h->nlmsg_len < mnl_nlmsg_size(sizeof(*e)))
		return;
	e = mnl_nlmsg_get_payload(h);
	if (e->error != 0 && a->first.error == 0)
		a->first = (struct nft_failure){ .seq = h->nlmsg_seq, .error = -e->error, .offset = refused_at(h) };
	else if (e->error == 0 && h->nlmsg_seq == a->last_seq)
		a->acknowledged = true;
}

/* The kernel works inside sendmsg: all answers stand in the queue by now. */
static int
read_answers(struct nft_socket *s, void *p, struct answers *a)
{
	ssize_t n;

	while ((n = receive(s->fd, p, PIECE, MSG_DONTWAIT)) > 0 || n == -ENOBUFS) {
		const struct nlmsghdr *h = p;
		int left = (int)n;

		if (n == -ENOBUFS)
			a->lost = true;
		for (; n > 0 && mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left))
			answer(a, h);
	}
	return n == -EAGAIN ? 0 : n == 0 ? -EIO : (int)n;
}

/* With answers lost, an acknowledgement proves nothing either: what was refused
 * may be among the lost. Only that no transaction was committed can be told. */
static int
outcome(struct nft_socket *s, const struct answers *a, uint32_t before)
{
	uint32_t after;

	if (a->first.error != 0)
		return -a->first.error;
	if (a->acknowledged && !a->lost)
		return 0;
	return nft_generation(s, &after) == 0 && after == before ? -EAGAIN : -ENOBUFS;
}

/* A transaction counts one on. Where another came before it unnoticed, the number
 * stays behind the kernel's until kernel and model have been compared. */
static void
note_generation(struct nft_socket *s, uint32_t before)
{
	if (s->generation == 0 || s->generation == before)
		s->generation = before + 1 == 0 ? 1 : before + 1;
}

int
nft_transact(struct nft_socket *s, const void *batch, size_t len, uint32_t last_seq,
    void (*echo)(void *, const struct nlmsghdr *), void *arg, struct nft_failure *failure)
{
	struct answers a = { .last_seq = last_seq, .echo = echo, .arg = arg };
	struct clock_view begin, end;
	uint32_t before;
	void *p;
	int rc;

	memset(failure, 0, sizeof(*failure));
	if ((rc = make_room(s->fd, len, failure)) < 0 || (rc = nft_generation(s, &before)) < 0)
		return rc;
	if ((p = malloc(PIECE)) == NULL)
		return -ENOMEM;
	clock_now(&begin);
	if ((rc = send_all(s->fd, batch, len)) == 0) {
		rc = read_answers(s, p, &a);
		clock_now(&end);
		s->took_us = (uint32_t)(end.boot_us - begin.boot_us);
		*failure = a.first;
		rc = rc < 0 ? -ENOBUFS : outcome(s, &a, before);
	}
	if (rc == 0)
		note_generation(s, before);
	free(p);
	return rc;
}

/* ---- dumps -------------------------------------------------------------- */

/* One datagram of a dump: 1 there is more, 0 done, or an error. */
static int
read_piece(const void *p, ssize_t n, uint32_t seq, int (*fn)(void *, const struct nlmsghdr *), void *arg)
{
	const struct nlmsghdr *h = p;
	int left = (int)n, rc;

	for (; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left)) {
		if (h->nlmsg_seq != seq)
			continue;
		if (h->nlmsg_flags & NLM_F_DUMP_INTR)
			return -EAGAIN;
		if (h->nlmsg_type == NLMSG_DONE)
			return 0;
		if (h->nlmsg_type == NLMSG_ERROR) {
			const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);

			return e->error;
		}
		if ((rc = fn(arg, h)) != 0)
			return rc;
		if (!(h->nlmsg_flags & NLM_F_MULTI))
			return 0;
	}
	return 1;
}

int
nft_dump_begin(struct nft_socket *s, struct nlmsghdr *request)
{
	void *p = malloc(PIECE);

	if (p == NULL)
		return -ENOMEM;
	drain(s->fd, p);
	free(p);
	s->dump = request->nlmsg_seq = ++s->seq;
	return send_all(s->fd, request, request->nlmsg_len);
}

int
nft_dump_piece(struct nft_socket *s, int (*fn)(void *, const struct nlmsghdr *), void *arg)
{
	void *p = malloc(PIECE);
	ssize_t n;
	int rc;

	if (p == NULL)
		return -ENOMEM;
	n = receive(s->fd, p, PIECE, 0);
	/* A part of it was lost: as good as interrupted. */
	rc = n == -ENOBUFS ? -EAGAIN : n < 0 ? (int)n : read_piece(p, n, s->dump, fn, arg);
	free(p);
	return rc;
}

int
nft_dump(struct nft_socket *s, struct nlmsghdr *request, int (*fn)(void *, const struct nlmsghdr *), void *arg)
{
	int rc = nft_dump_begin(s, request);

	if (rc == 0)
		do {
			rc = nft_dump_piece(s, fn, arg);
		} while (rc == 1);
	return rc;
}

static int
on_generation(void *arg, const struct nlmsghdr *h)
{
	const struct nlattr *a;

	if (h->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWGEN))
		mnl_attr_for_each(a, h, sizeof(struct nfgenmsg))
			if (mnl_attr_get_type(a) == NFTA_GEN_ID && mnl_attr_get_payload_len(a) == 4)
				*(uint32_t *)arg = ntohl(mnl_attr_get_u32(a));
	return 0;
}

int
nft_generation(struct nft_socket *s, uint32_t *id)
{
	uint8_t buf[64];
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *g;

	h->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN;
	h->nlmsg_flags = NLM_F_REQUEST;
	g = mnl_nlmsg_put_extra_header(h, sizeof(*g));
	g->nfgen_family = NFPROTO_UNSPEC;
	g->version = NFNETLINK_V0;
	return nft_dump(s, h, on_generation, id);
}
