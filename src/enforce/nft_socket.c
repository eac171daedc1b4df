/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_socket.c -- netlink send and receive, with every way it can go wrong. */
#include "enforce/nft_socket.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Answers to a batch are errors and echoes; a dump answers in 32 KB pieces. */
#define RECEIVE_BUFFER	(8 << 20)
#define PIECE		(128 << 10)

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
	s->seq = (uint32_t)getpid() << 8;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) == -1)
		return -errno;
	/* Without the original message in every error: a batch may be long. */
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	return 0;
}

/* The kernel takes a transaction as one message buffer, so the send buffer
 * must hold all of it. */
static int
make_room(int fd, size_t len)
{
	int have = 0, want;
	socklen_t l = sizeof(have);

	if (len > INT32_MAX / 2 - 65536)
		return -EMSGSIZE;
	want = (int)len + 65536;
	if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &have, &l) == 0 && have / 2 >= want)
		return 0;
	return setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &want, sizeof(want)) == -1 ? -errno : 0;
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
	return n == -1 ? -errno : (size_t)n == len ? 0 : -EIO;
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
	while (receive(fd, p, PIECE, MSG_DONTWAIT) > 0)
		;
}

struct answers {
	uint32_t last_seq;
	bool acknowledged;
	struct nft_failure first;
	void (*echo)(void *, const struct nlmsghdr *);
	void *arg;
};

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
		a->first = (struct nft_failure){ h->nlmsg_seq, -e->error };
	else if (e->error == 0 && h->nlmsg_seq == a->last_seq)
		a->acknowledged = true;
}

int
nft_transact(struct nft_socket *s, const void *batch, size_t len, uint32_t last_seq,
    void (*echo)(void *, const struct nlmsghdr *), void *arg, struct nft_failure *failure)
{
	struct answers a = { .last_seq = last_seq, .echo = echo, .arg = arg };
	void *p = malloc(PIECE);
	ssize_t n = 0;
	int rc;

	memset(failure, 0, sizeof(*failure));
	if (p == NULL)
		return -ENOMEM;
	drain(s->fd, p);
	if ((rc = make_room(s->fd, len)) < 0 || (rc = send_all(s->fd, batch, len)) < 0)
		goto out;
	/* The kernel works inside sendmsg: all answers stand in the queue by now. */
	while ((n = receive(s->fd, p, PIECE, MSG_DONTWAIT)) > 0) {
		const struct nlmsghdr *h = p;
		int left = (int)n;

		for (; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left))
			answer(&a, h);
	}
	*failure = a.first;
	if (n != -EAGAIN)
		rc = n == 0 ? -EIO : (int)n;
	else if (a.first.error != 0)
		rc = -a.first.error;
	else
		rc = a.acknowledged ? 0 : -EPROTO;
out:
	free(p);
	return rc;
}

/* One datagram of a dump: 1 there is more, 0 done, or an error. */
static int
dump_piece(const void *p, ssize_t n, uint32_t seq, int (*fn)(void *, const struct nlmsghdr *), void *arg)
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
nft_dump(struct nft_socket *s, struct nlmsghdr *request, int (*fn)(void *, const struct nlmsghdr *), void *arg)
{
	void *p = malloc(PIECE);
	ssize_t n;
	int rc;

	if (p == NULL)
		return -ENOMEM;
	drain(s->fd, p);
	request->nlmsg_seq = ++s->seq;
	if ((rc = send_all(s->fd, request, request->nlmsg_len)) < 0)
		goto out;
	do {
		n = receive(s->fd, p, PIECE, 0);
		rc = n < 0 ? (int)n : dump_piece(p, n, request->nlmsg_seq, fn, arg);
	} while (rc == 1);
out:
	free(p);
	return rc;
}
