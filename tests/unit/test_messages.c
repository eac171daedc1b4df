/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_messages.c -- each line of the message table over real socket pairs:
 * what it allows arrives, and whatever is off by one in any way does not. */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/messages.h"

#define FDS_AT_ONCE 253 /* SCM_MAX_FD of the kernel */

struct raw_header {
	uint32_t type, serial, len, pad;
};

static uint8_t zeros[IPC_PAYLOAD_MAX + 1024];
static struct ipc_message m;

static int
count_fds(void)
{
	struct stat st;
	int fd, n = 0;

	for (fd = 0; fd < 1024; fd++)
		n += fstat(fd, &st) == 0;
	return n;
}

/* Send what no table allows, as a process would that was taken over. */
static void
send_raw(int fd, const struct raw_header *h, size_t body, unsigned n_fds, int passed)
{
	static union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(FDS_AT_ONCE * sizeof(int))];
	} control;
	struct iovec iov[2] = { { (void *)(uintptr_t)h, sizeof(*h) }, { zeros, body } };
	struct msghdr mh = { .msg_iov = iov, .msg_iovlen = 2 };
	struct cmsghdr *cm;
	unsigned i;

	if (n_fds > 0) {
		memset(&control, 0, sizeof(control));
		mh.msg_control = control.bytes;
		mh.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		cm = CMSG_FIRSTHDR(&mh);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		for (i = 0; i < n_fds; i++)
			memcpy(CMSG_DATA(cm) + i * sizeof(int), &passed, sizeof(passed));
	}
	assert_int_equal(sendmsg(fd, &mh, MSG_NOSIGNAL), (ssize_t)(sizeof(*h) + body));
}

/* What the receiver says to one raw message; it must hold no descriptor but
 * the one it was handed. */
static int
verdict(uint32_t from, uint32_t to, const struct raw_header *h, size_t body, unsigned n_fds)
{
	struct ipc receiver;
	int pair[2], null, before, rc;

	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_true(null >= 0);
	assert_int_equal(ipc_pair(pair), 0);
	ipc_init(&receiver, pair[1], to, from, &messages);
	send_raw(pair[0], h, body, n_fds, null);
	before = count_fds();
	rc = ipc_recv(&receiver, &m);
	if (rc == 1 && m.fd >= 0) {
		assert_int_equal(fcntl(m.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
		close(m.fd);
	} else {
		assert_int_equal(m.fd, -1);
	}
	assert_int_equal(count_fds(), before);
	/* nothing is left over for the next call */
	assert_int_equal(ipc_recv(&receiver, &m), -EAGAIN);
	ipc_done(&receiver);
	close(pair[0]);
	close(null);
	return rc;
}

static uint32_t
lowest_bit(uint32_t set)
{
	return set & -set;
}

static struct raw_header
header_of(uint32_t type)
{
	return (struct raw_header){ .type = type, .serial = 9, .len = messages.types[type].size };
}

static void
test_table_is_whole(void **state)
{
	const struct ipc_type *t;
	uint32_t type;

	(void)state;
	assert_int_equal(messages.n, MSG_MAX);
	for (type = 1; type < MSG_MAX; type++) {
		t = &messages.types[type];
		assert_non_null(t->name);
		assert_true(t->size > 0 && t->size <= IPC_PAYLOAD_MAX);
		assert_true(t->from != 0 && t->to != 0);
		assert_true((t->from | t->to) < PROC_BIT(PROC_MAX));
		/* nobody talks to itself, and PROC_NONE is nobody */
		assert_int_equal((t->from | t->to) & PROC_BIT(PROC_NONE), 0);
		assert_int_equal(t->from & t->to, 0);
		assert_true(t->fd <= 1);
	}
}

/* Whoever reads bytes from outside may ask cordon-spawn for nothing. */
static void
test_only_cordond_talks_to_spawn(void **state)
{
	const struct ipc_type *t;
	uint32_t type;

	(void)state;
	for (type = 1; type < MSG_MAX; type++) {
		t = &messages.types[type];
		if (t->to & PROC_BIT(PROC_SPAWN))
			assert_int_equal(t->from, PROC_BIT(PROC_ENFORCE));
		if (t->from & PROC_BIT(PROC_SPAWN))
			assert_int_equal(t->to, PROC_BIT(PROC_ENFORCE));
	}
}

/* What each process may say to cordond, written a second time: whoever widens the
 * table must say so here. Workers only tighten; an operator's tool alone loosens, and
 * PKI_CLEAR where cordond's own records say that it may. */
static void
test_who_may_say_what(void **state)
{
	static const struct {
		enum proc proc;
		uint32_t types[24];
	} may[] = {
		{ PROC_SPAWN, { MSG_SPAWN_STARTED, MSG_SPAWN_FAILED, MSG_SPAWN_EXITED } },
		{ PROC_COMPILE, { MSG_READY, MSG_COMPILED } },
		{ PROC_FLOW, { MSG_READY, MSG_FLOW_FLUSHED } },
		{ PROC_PKI, { MSG_READY, MSG_PKI_FETCH, MSG_PKI_REVOKE, MSG_PKI_CLEAR, MSG_PKI_REVOKE_DONE,
		    MSG_PKI_SOURCE, MSG_PKI_AUTHORITY, MSG_PKI_CHECKED, MSG_PKI_LOOKED } },
		{ PROC_FETCH, { MSG_READY } },
		{ PROC_CTL, { MSG_CTL_STATUS, MSG_CTL_STATE, MSG_CTL_STATIONS, MSG_CTL_IMAGE, MSG_CTL_APPLY,
		    MSG_CTL_CRL_REFRESH, MSG_CTL_FLUSH, MSG_CTL_ROLLBACK, MSG_CTL_CONFIRM,
		    MSG_CTL_HISTORY, MSG_CTL_STORED, MSG_CTL_VERIFY, MSG_CTL_STAGED, MSG_CTL_STAGED_IMAGE,
		    MSG_CTL_UNSTAGE, MSG_CTL_STAND, MSG_CTL_CRL_RESET, MSG_CTL_EVENTS, MSG_CTL_REVOCATIONS } },
	};
	size_t i, k, type;

	(void)state;
	for (i = 0; i < sizeof(may) / sizeof(may[0]); i++) {
		for (type = 0; type < messages.n; type++) {
			const struct ipc_type *t = &messages.types[type];
			bool said = (t->from & PROC_BIT(may[i].proc)) != 0 &&
			    (t->to & PROC_BIT(PROC_ENFORCE)) != 0, listed = false;

			for (k = 0; k < 24; k++)
				listed |= may[i].types[k] == type && t->name != NULL;
			if (said != listed)
				fail_msg("%s: %s", proc_name(may[i].proc), t->name);
		}
	}
}

static void
test_every_pair_of_processes(void **state)
{
	struct raw_header h;
	const struct ipc_type *t;
	uint32_t type, from, to;
	int rc;

	(void)state;
	for (type = 1; type < MSG_MAX; type++) {
		t = &messages.types[type];
		h = header_of(type);
		for (from = 1; from < PROC_MAX; from++) {
			for (to = 1; to < PROC_MAX; to++) {
				rc = verdict(PROC_BIT(from), PROC_BIT(to), &h, t->size, t->fd);
				if ((t->from & PROC_BIT(from)) && (t->to & PROC_BIT(to)))
					assert_int_equal(rc, 1);
				else
					assert_int_equal(rc, -EPERM);
			}
		}
	}
}

static void
test_every_size_but_one_is_wrong(void **state)
{
	struct raw_header h;
	const struct ipc_type *t;
	uint32_t type, from, to;

	(void)state;
	for (type = 1; type < MSG_MAX; type++) {
		t = &messages.types[type];
		from = lowest_bit(t->from);
		to = lowest_bit(t->to);
		h = header_of(type);
		assert_int_equal(verdict(from, to, &h, t->size, t->fd), 1);
		assert_int_equal(m.type, type);
		assert_int_equal(m.serial, 9);
		assert_int_equal(m.len, t->size);
		/* the header says what the table says, the bytes do not */
		assert_int_equal(verdict(from, to, &h, t->size - 1, t->fd), -EMSGSIZE);
		assert_int_equal(verdict(from, to, &h, t->size + 1, t->fd), -EMSGSIZE);
		assert_int_equal(verdict(from, to, &h, 0, t->fd), -EMSGSIZE);
		/* the header agrees with the bytes, the table does not */
		h.len = t->size - 1;
		assert_int_equal(verdict(from, to, &h, t->size - 1, t->fd), -EMSGSIZE);
		h.len = t->size + 1;
		assert_int_equal(verdict(from, to, &h, t->size + 1, t->fd), -EMSGSIZE);
		/* the bytes are right, the header is not */
		assert_int_equal(verdict(from, to, &h, t->size, t->fd), -EMSGSIZE);
		h.len = UINT32_MAX;
		assert_int_equal(verdict(from, to, &h, t->size, t->fd), -EMSGSIZE);
	}
}

static void
test_descriptors_missing_or_too_many(void **state)
{
	static const unsigned too_many[] = { 2, 3, 8, 9, FDS_AT_ONCE };
	struct raw_header h;
	const struct ipc_type *t;
	uint32_t type, from, to;
	size_t i;

	(void)state;
	for (type = 1; type < MSG_MAX; type++) {
		t = &messages.types[type];
		from = lowest_bit(t->from);
		to = lowest_bit(t->to);
		h = header_of(type);
		assert_int_equal(verdict(from, to, &h, t->size, !t->fd), -EBADMSG);
		for (i = 0; i < sizeof(too_many) / sizeof(too_many[0]); i++)
			assert_int_equal(verdict(from, to, &h, t->size, too_many[i]), -EBADMSG);
	}
}

static void
test_unknown_types_and_headers(void **state)
{
	const uint32_t from = PROC_BIT(PROC_FLOW), to = PROC_BIT(PROC_ENFORCE);
	struct raw_header h = { .type = MSG_NONE, .len = 8 };
	struct ipc receiver;
	int pair[2];

	(void)state;
	assert_int_equal(verdict(from, to, &h, 8, 0), -EBADMSG);
	h.type = MSG_MAX;
	assert_int_equal(verdict(from, to, &h, 8, 0), -EBADMSG);
	assert_int_equal(verdict(from, to, &h, 8, 1), -EBADMSG);
	h.type = UINT32_MAX;
	assert_int_equal(verdict(from, to, &h, 8, 0), -EBADMSG);
	h = header_of(MSG_READY);
	h.pad = 1;
	assert_int_equal(verdict(from, to, &h, h.len, 0), -EBADMSG);
	/* longer than any message: the kernel cuts it */
	h = header_of(MSG_READY);
	assert_int_equal(verdict(from, to, &h, IPC_PAYLOAD_MAX + 1, 0), -EMSGSIZE);
	assert_int_equal(verdict(from, to, &h, IPC_PAYLOAD_MAX + 1000, 1), -EMSGSIZE);
	/* shorter than a header */
	assert_int_equal(ipc_pair(pair), 0);
	ipc_init(&receiver, pair[1], to, from, &messages);
	assert_int_equal(send(pair[0], &h, sizeof(h) - 1, 0), (ssize_t)sizeof(h) - 1);
	assert_int_equal(ipc_recv(&receiver, &m), -EMSGSIZE);
	assert_int_equal(send(pair[0], &h, 1, 0), 1);
	assert_int_equal(ipc_recv(&receiver, &m), -EMSGSIZE);
	ipc_done(&receiver);
	close(pair[0]);
}

static void
test_our_own_mistakes_stay_here(void **state)
{
	struct ipc sender;
	int pair[2];

	(void)state;
	assert_int_equal(ipc_pair(pair), 0);
	ipc_init(&sender, pair[0], PROC_BIT(PROC_FLOW), PROC_BIT(PROC_ENFORCE), &messages);
	assert_int_equal(ipc_send(&sender, MSG_READY, 1, zeros, sizeof(struct ready), -1), 0);
	assert_int_equal(ipc_send(&sender, MSG_NONE, 1, zeros, 8, -1), -EBADMSG);
	assert_int_equal(ipc_send(&sender, MSG_MAX, 1, zeros, 8, -1), -EBADMSG);
	assert_int_equal(
	    ipc_send(&sender, MSG_READY, 1, zeros, sizeof(struct ready) - 1, -1), -EMSGSIZE);
	assert_int_equal(ipc_send(&sender, MSG_READY, 1, zeros, sizeof(struct ready), 0), -EBADMSG);
	assert_int_equal(
	    ipc_send(&sender, MSG_FLOW_SOCKET, 1, zeros, sizeof(struct flow_socket), 0), -EPERM);
	sender.self = PROC_BIT(PROC_ENFORCE);
	sender.peer = PROC_BIT(PROC_FLOW);
	assert_int_equal(
	    ipc_send(&sender, MSG_FLOW_SOCKET, 1, zeros, sizeof(struct flow_socket), -1), -EBADMSG);
	assert_int_equal(
	    ipc_send(&sender, MSG_FLOW_SOCKET, 1, zeros, sizeof(struct flow_socket), 0), 0);
	ipc_done(&sender);
	close(pair[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_is_whole),
		cmocka_unit_test(test_only_cordond_talks_to_spawn),
		cmocka_unit_test(test_who_may_say_what),
		cmocka_unit_test(test_every_pair_of_processes),
		cmocka_unit_test(test_every_size_but_one_is_wrong),
		cmocka_unit_test(test_descriptors_missing_or_too_many),
		cmocka_unit_test(test_unknown_types_and_headers),
		cmocka_unit_test(test_our_own_mistakes_stay_here),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
