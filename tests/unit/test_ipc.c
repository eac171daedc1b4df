/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_ipc.c -- channels: order, full queues, ends, descriptors, waiting. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/ipc.h"

#define A 1U
#define B 2U

static const struct ipc_type types[] = {
	[1] = { "SMALL", 8, A, B, 0 },
	[2] = { "WITH_FD", 4, A, B, 1 },
	[3] = { "BACK", 8, B, A, 0 },
	[4] = { "LARGE", IPC_PAYLOAD_MAX, A, B, 0 },
	[6] = { "AFTER_A_GAP", 8, A, B, 0 },
};
static const struct ipc_table table = { types, 7 };

static struct ipc_message m;
static uint8_t payload[IPC_PAYLOAD_MAX];

struct pair {
	struct ipc a, b;
};

static int
setup(void **state)
{
	static struct pair p;
	int fds[2];

	if (ipc_pair(fds) < 0)
		return -1;
	ipc_init(&p.a, fds[0], A, B, &table);
	ipc_init(&p.b, fds[1], B, A, &table);
	*state = &p;
	return 0;
}

static int
teardown(void **state)
{
	struct pair *p = *state;

	ipc_done(&p->a);
	ipc_done(&p->b);
	return 0;
}

static void
test_pair_is_close_on_exec_and_does_not_block(void **state)
{
	struct pair *p = *state;

	assert_int_equal(fcntl(p->a.fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(p->b.fd, F_GETFD), FD_CLOEXEC);
	assert_true(fcntl(p->a.fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(p->b.fd, F_GETFL) & O_NONBLOCK);
}

static void
test_messages_arrive_in_order_and_whole(void **state)
{
	struct pair *p = *state;
	uint32_t i;

	for (i = 0; i < 100; i++) {
		memset(payload, (int)i, 8);
		assert_int_equal(ipc_send(&p->a, 1, i, payload, 8, -1), 0);
	}
	for (i = 0; i < 100; i++) {
		assert_int_equal(ipc_recv(&p->b, &m), 1);
		assert_int_equal(m.type, 1);
		assert_int_equal(m.serial, i);
		assert_int_equal(m.len, 8);
		assert_int_equal(m.fd, -1);
		assert_int_equal(m.payload[7], i);
	}
	assert_int_equal(ipc_recv(&p->b, &m), -EAGAIN);
	memset(payload, 0x5a, sizeof(payload));
	assert_int_equal(ipc_send(&p->a, 4, 0, payload, sizeof(payload), -1), 0);
	assert_int_equal(ipc_recv(&p->b, &m), 1);
	assert_memory_equal(m.payload, payload, sizeof(payload));
}

static void
test_number_without_a_line_is_no_message(void **state)
{
	struct pair *p = *state;

	assert_int_equal(ipc_send(&p->a, 0, 0, payload, 8, -1), -EBADMSG);
	assert_int_equal(ipc_send(&p->a, 5, 0, payload, 8, -1), -EBADMSG);
	assert_int_equal(ipc_send(&p->a, 7, 0, payload, 8, -1), -EBADMSG);
	assert_int_equal(ipc_send(&p->a, 6, 0, payload, 8, -1), 0);
	assert_int_equal(ipc_send(&p->a, 3, 0, payload, 8, -1), -EPERM);
	assert_int_equal(ipc_send(&p->b, 3, 0, payload, 8, -1), 0);
	assert_int_equal(ipc_recv(&p->a, &m), 1);
}

static void
test_descriptor_crosses_and_stays_the_senders(void **state)
{
	struct pair *p = *state;
	int fds[2];
	char byte;

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(ipc_send(&p->a, 2, 0, payload, 4, fds[1]), 0);
	assert_int_equal(fcntl(fds[1], F_GETFD), 0);
	assert_int_equal(ipc_recv(&p->b, &m), 1);
	assert_true(m.fd >= 0 && m.fd != fds[1]);
	assert_int_equal(fcntl(m.fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(write(m.fd, "x", 1), 1);
	assert_int_equal(read(fds[0], &byte, 1), 1);
	close(m.fd);
	close(fds[0]);
	close(fds[1]);
}

static void
test_full_queue(void **state)
{
	struct pair *p = *state;
	struct clock_view before, after;
	unsigned n;
	int rc = 0;

	for (n = 0; n < 100000 && rc == 0; n++)
		rc = ipc_send(&p->a, 1, n, payload, 8, -1);
	assert_int_equal(rc, -EAGAIN);
	assert_true(n > 100); /* room for a burst, even without privilege */
	clock_now(&before);
	assert_int_equal(ipc_send_wait(&p->a, 1, n, payload, 8, -1, 50), -EAGAIN);
	clock_now(&after);
	assert_true(after.boot_ms - before.boot_ms >= 50);
	while (ipc_recv(&p->b, &m) == 1)
		;
	assert_int_equal(ipc_send_wait(&p->a, 1, n, payload, 8, -1, 0), 0);
}

static void
test_end_of_a_channel(void **state)
{
	struct pair *p = *state;

	assert_int_equal(ipc_send(&p->a, 1, 5, payload, 8, -1), 0);
	ipc_done(&p->a);
	assert_int_equal(p->a.fd, -1);
	/* what was sent before the end still arrives, then the end, and again */
	assert_int_equal(ipc_recv(&p->b, &m), 1);
	assert_int_equal(ipc_recv(&p->b, &m), 0);
	assert_int_equal(ipc_recv_wait(&p->b, &m, 1000), 0);
	assert_int_equal(ipc_send(&p->b, 3, 0, payload, 8, -1), -EPIPE);
	assert_int_equal(ipc_send_wait(&p->b, 3, 0, payload, 8, -1, 1000), -EPIPE);
}

static void
test_end_with_unread_messages_is_an_end(void **state)
{
	struct pair *p = *state;

	assert_int_equal(ipc_send(&p->b, 3, 0, payload, 8, -1), 0);
	ipc_done(&p->a); /* the kernel says ECONNRESET now */
	assert_int_equal(ipc_recv(&p->b, &m), 0);
}

/* An empty datagram cannot be told from the end, and a descriptor that comes
 * with it must not stay open. */
static void
test_empty_message_with_a_descriptor(void **state)
{
	struct pair *p = *state;
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .bytes = { 0 } };
	struct msghdr mh = { .msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes) };
	struct cmsghdr *cm = CMSG_FIRSTHDR(&mh);
	struct stat st;
	int fd = STDIN_FILENO, n = 0, before = 0;

	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cm), &fd, sizeof(fd));
	for (fd = 0; fd < 256; fd++)
		before += fstat(fd, &st) == 0;
	assert_int_equal(sendmsg(p->a.fd, &mh, 0), 0);
	assert_int_equal(ipc_recv(&p->b, &m), 0);
	assert_int_equal(m.fd, -1);
	for (fd = 0; fd < 256; fd++)
		n += fstat(fd, &st) == 0;
	assert_int_equal(n, before);
}

static void
on_alarm(int sig)
{
	(void)sig;
}

static void
test_waiting_ends_and_survives_signals(void **state)
{
	struct itimerval often = { { 0, 5000 }, { 0, 5000 } }, never = { { 0, 0 }, { 0, 0 } };
	struct sigaction sa = { .sa_handler = on_alarm };
	struct pair *p = *state;
	struct clock_view before, after;

	assert_int_equal(sigaction(SIGALRM, &sa, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
	clock_now(&before);
	assert_int_equal(ipc_recv_wait(&p->b, &m, 60), -ETIMEDOUT);
	clock_now(&after);
	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	assert_true(after.boot_ms - before.boot_ms >= 60);
	assert_int_equal(ipc_recv_wait(&p->b, &m, 0), -ETIMEDOUT);
	assert_int_equal(ipc_send(&p->a, 1, 1, payload, 8, -1), 0);
	assert_int_equal(ipc_recv_wait(&p->b, &m, 0), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_pair_is_close_on_exec_and_does_not_block, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_messages_arrive_in_order_and_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_number_without_a_line_is_no_message, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_descriptor_crosses_and_stays_the_senders, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_queue, setup, teardown),
		cmocka_unit_test_setup_teardown(test_end_of_a_channel, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_end_with_unread_messages_is_an_end, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_empty_message_with_a_descriptor, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_waiting_ends_and_survives_signals, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
