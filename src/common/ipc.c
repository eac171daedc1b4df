/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ipc.c -- one message, one datagram, checked against the table on both sides.
 * It knows no message by name and never looks into a payload. */
#include "common/ipc.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/clock.h"

/* Room for a burst of some thousand small messages: a small one costs the
 * sender about 800 bytes of this in the kernel. */
#define SEND_BUFFER (4 << 20)

/* More than one, so that a second descriptor is seen and closed. What is
 * beyond this the kernel discards itself and says MSG_CTRUNC. */
#define FDS_MAX 8

struct ipc_header {
	uint32_t type;
	uint32_t serial;
	uint32_t len;
	uint32_t pad;
};

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
};

void
ipc_init(struct ipc *c, int fd, uint32_t self, uint32_t peer, const struct ipc_table *table)
{
	c->fd = fd;
	c->self = self;
	c->peer = peer;
	c->table = table;
}

void
ipc_done(struct ipc *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

int
ipc_pair(int fds[2])
{
	int i, pair[2], size = SEND_BUFFER;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return -errno;
	for (i = 0; i < 2; i++) {
		/* Beyond net.core.wmem_max needs CAP_NET_ADMIN; less room is no error. */
		if (setsockopt(pair[i], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
			(void)setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
		fds[i] = pair[i];
	}
	return 0;
}

static const struct ipc_type *
type_by_number(const struct ipc_table *t, uint32_t type)
{
	if (type == 0 || type >= t->n || t->types[type].name == NULL || t->types[type].size == 0)
		return NULL;
	return &t->types[type];
}

static int
check(const struct ipc_type *t, uint32_t from, uint32_t to, size_t len, int has_fd)
{
	if ((t->from & from) == 0 || (t->to & to) == 0)
		return -EPERM;
	if (len != t->size || len > IPC_PAYLOAD_MAX)
		return -EMSGSIZE;
	if ((t->fd != 0) != (has_fd != 0))
		return -EBADMSG;
	return 0;
}

int
ipc_send(struct ipc *c, uint32_t type, uint32_t serial, const void *payload, size_t len, int fd)
{
	struct ipc_header h = { .type = type, .serial = serial };
	const struct ipc_type *t;
	union control control;
	struct iovec iov[2];
	struct cmsghdr *cm;
	struct msghdr m = { 0 };
	ssize_t n;
	int rc;

	if ((t = type_by_number(c->table, type)) == NULL)
		return -EBADMSG;
	if ((rc = check(t, c->self, c->peer, len, fd >= 0)) < 0)
		return rc;
	h.len = (uint32_t)len;
	iov[0].iov_base = &h;
	iov[0].iov_len = sizeof(h);
	iov[1].iov_base = (void *)(uintptr_t)payload; /* sendmsg only reads it */
	iov[1].iov_len = len;
	m.msg_iov = iov;
	m.msg_iovlen = 2;
	if (fd >= 0) {
		memset(&control, 0, sizeof(control));
		m.msg_control = control.bytes;
		m.msg_controllen = CMSG_SPACE(sizeof(int));
		cm = CMSG_FIRSTHDR(&m);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cm), &fd, sizeof(fd));
	}
	do {
		n = sendmsg(c->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n >= 0)
		return 0;
	if (errno == ECONNRESET || errno == ENOTCONN || errno == ECONNREFUSED)
		return -EPIPE;
	/* Descriptors in flight are bounded, and so is the kernel's memory: both pass. */
	if (errno == ETOOMANYREFS || errno == ENOBUFS || errno == EWOULDBLOCK)
		return -EAGAIN;
	return -errno;
}

/* Collect the descriptors that came along. What is not exactly "some
 * descriptors" is counted as too many. */
static size_t
take_fds(struct msghdr *m, int fds[FDS_MAX])
{
	struct cmsghdr *cm;
	size_t i, k, n = 0;
	int odd = 0, fd;

	for (cm = CMSG_FIRSTHDR(m); cm != NULL; cm = CMSG_NXTHDR(m, cm)) {
		if (cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SCM_RIGHTS) {
			odd = 1;
			continue;
		}
		k = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < k; i++) {
			memcpy(&fd, CMSG_DATA(cm) + i * sizeof(int), sizeof(fd));
			if (n < FDS_MAX)
				fds[n++] = fd;
			else
				close(fd);
		}
	}
	while (odd && n < 2)
		fds[n++] = -1;
	return n;
}

static int
check_received(const struct ipc *c, const struct ipc_header *h, size_t got, int flags, size_t n_fds)
{
	const struct ipc_type *t;

	if (got < sizeof(*h) || (flags & MSG_TRUNC) != 0)
		return -EMSGSIZE;
	if ((flags & MSG_CTRUNC) != 0 || n_fds > 1 || h->pad != 0)
		return -EBADMSG;
	if ((t = type_by_number(c->table, h->type)) == NULL)
		return -EBADMSG;
	if (h->len != got - sizeof(*h))
		return -EMSGSIZE;
	return check(t, c->peer, c->self, h->len, n_fds == 1);
}

int
ipc_recv(struct ipc *c, struct ipc_message *out)
{
	struct ipc_header h = { 0 };
	int fds[FDS_MAX], rc;
	union control control;
	struct iovec iov[2];
	struct msghdr m = { 0 };
	size_t i, n_fds;
	ssize_t n;

	out->fd = -1;
	iov[0].iov_base = &h;
	iov[0].iov_len = sizeof(h);
	iov[1].iov_base = out->payload;
	iov[1].iov_len = sizeof(out->payload);
	m.msg_iov = iov;
	m.msg_iovlen = 2;
	m.msg_control = control.bytes;
	m.msg_controllen = sizeof(control.bytes);
	do {
		n = recvmsg(c->fd, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno == ECONNRESET)
		return 0; /* closed, with messages of ours unread */
	if (n < 0)
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	n_fds = take_fds(&m, fds);
	/* An empty message is no message of ours: it is as good as the end. */
	rc = n == 0 ? 0 : check_received(c, &h, (size_t)n, m.msg_flags, n_fds);
	if (n == 0 || rc < 0) {
		for (i = 0; i < n_fds; i++) {
			if (fds[i] >= 0)
				close(fds[i]);
		}
		return rc;
	}
	out->type = h.type;
	out->serial = h.serial;
	out->len = h.len;
	if (n_fds == 1)
		out->fd = fds[0];
	return 1;
}

/* Wait until events or the deadline. 0, -ETIMEDOUT or -errno. */
static int
wait_for(int fd, short events, int64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = events };
	struct clock_view now;
	int64_t left;
	int n;

	clock_now(&now);
	left = deadline - now.boot_ms;
	if (left < 0)
		left = 0;
	n = poll(&p, 1, (int)left);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	return n == 0 ? -ETIMEDOUT : 0;
}

static int64_t
deadline_in(int timeout_ms)
{
	struct clock_view now;

	clock_now(&now);
	return now.boot_ms + (timeout_ms > 0 ? timeout_ms : 0);
}

int
ipc_send_wait(struct ipc *c, uint32_t type, uint32_t serial, const void *payload, size_t len,
    int fd, int timeout_ms)
{
	int64_t deadline = deadline_in(timeout_ms);
	int rc;

	for (;;) {
		rc = ipc_send(c, type, serial, payload, len, fd);
		if (rc != -EAGAIN)
			return rc;
		if ((rc = wait_for(c->fd, POLLOUT, deadline)) < 0)
			return rc == -ETIMEDOUT ? -EAGAIN : rc;
	}
}

int
ipc_recv_wait(struct ipc *c, struct ipc_message *out, int timeout_ms)
{
	int64_t deadline = deadline_in(timeout_ms);
	int rc;

	for (;;) {
		rc = ipc_recv(c, out);
		if (rc != -EAGAIN)
			return rc;
		if ((rc = wait_for(c->fd, POLLIN, deadline)) < 0)
			return rc;
	}
}
