/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_ipc.c -- whatever a process that was taken over writes to its channel.
 * The first byte chooses sender (high half) and receiver (low half), the
 * second how many descriptors come along, the rest is the datagram as it is.
 * What ipc_recv lets through must be exactly what the table allows. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/messages.h"

#define FDS_MAX 12

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
send_datagram(int fd, const uint8_t *data, size_t size, unsigned n_fds, int passed)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
	} control;
	struct iovec iov = { (void *)(uintptr_t)data, size };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cm;
	unsigned i;

	if (n_fds > 0) {
		memset(&control, 0, sizeof(control));
		m.msg_control = control.bytes;
		m.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		cm = CMSG_FIRSTHDR(&m);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		for (i = 0; i < n_fds; i++)
			memcpy(CMSG_DATA(cm) + i * sizeof(int), &passed, sizeof(passed));
	}
	if (sendmsg(fd, &m, MSG_NOSIGNAL) < 0)
		abort();
}

static void
check_passed(const struct ipc_message *m, uint32_t from, uint32_t to, size_t size)
{
	const struct ipc_type *t;

	if (m->type == MSG_NONE || m->type >= MSG_MAX)
		abort();
	t = &messages.types[m->type];
	if ((t->from & from) == 0 || (t->to & to) == 0 || m->len != t->size ||
	    size != 16 + t->size || (m->fd >= 0) != (t->fd == 1))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ipc_message m;
	struct ipc receiver;
	uint32_t from, to;
	int pair[2], next, rc;

	if (size < 3 || size > IPC_PAYLOAD_MAX)
		return 0;
	from = PROC_BIT(data[0] >> 4);
	to = PROC_BIT(data[0] & 15);
	if (ipc_pair(pair) < 0)
		abort();
	ipc_init(&receiver, pair[1], to, from, &messages);
	send_datagram(pair[0], data + 2, size - 2, data[1] % (FDS_MAX + 1), pair[0]);
	rc = ipc_recv(&receiver, &m);
	if (rc == 1)
		check_passed(&m, from, to, size - 2);
	else if (rc >= 0 || m.fd != -1)
		abort();
	if (m.fd >= 0)
		close(m.fd);
	/* The lowest free number tells whether a descriptor stayed open. */
	next = dup(pair[0]);
	if (next > pair[0] + 1 && next > pair[1] + 1)
		abort();
	close(next);
	close(pair[0]);
	ipc_done(&receiver);
	return 0;
}
