/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_nflog.c -- the kernel's envelopes, and the count of what never came. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <sys/socket.h>
#include <unistd.h>

#include "flow/nflog.h"

#define BASE 40

static const uint8_t ping[] = {
	0x45, 0, 0, 28, 0, 0, 0, 0, 64, 1, 0, 0, 10, 10, 0, 11, 192, 0, 2, 2, 8, 0, 0, 0, 0, 1, 0, 1,
};

struct seen {
	unsigned n;
	struct record last;
};

static void
see(void *arg, const struct record *r)
{
	struct seen *s = arg;

	s->n++;
	s->last = *r;
}

/* One message as nfnetlink_log makes it. */
static size_t
message(void *out, uint16_t group, uint32_t mark, uint32_t sequence)
{
	const struct nfulnl_msg_packet_hdr header = { .hw_protocol = htons(0x0800), .hook = NF_INET_FORWARD };
	const struct nfulnl_msg_packet_hw hw = { .hw_addrlen = htons(6), .hw_addr = { 2, 0, 0, 0, 0, 0x11 } };
	struct nlmsghdr *h = mnl_nlmsg_put_header(out);
	struct nfgenmsg *g;

	h->nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET;
	g = mnl_nlmsg_put_extra_header(h, sizeof(*g));
	g->nfgen_family = AF_INET;
	g->res_id = htons(group);
	mnl_attr_put(h, NFULA_PACKET_HDR, sizeof(header), &header);
	mnl_attr_put_u32(h, NFULA_IFINDEX_INDEV, htonl(7));
	mnl_attr_put_u32(h, NFULA_IFINDEX_OUTDEV, htonl(8));
	if (mark != 0)
		mnl_attr_put_u32(h, NFULA_MARK, htonl(mark));
	mnl_attr_put(h, NFULA_HWADDR, sizeof(hw), &hw);
	mnl_attr_put(h, NFULA_PAYLOAD, sizeof(ping), ping);
	mnl_attr_put_u32(h, NFULA_SEQ, htonl(sequence));
	return h->nlmsg_len;
}

static void
feed(struct nflog *n, struct seen *s, uint16_t group, uint32_t sequence)
{
	_Alignas(8) uint8_t bytes[512];
	size_t len = message(bytes, group, 0x1101, sequence);

	nflog_parse(n, bytes, len, see, s);
}

static void
a_record_is_read(void **state)
{
	_Alignas(8) uint8_t bytes[512];
	struct seen s = { 0 };
	struct nflog n;
	size_t len;

	(void)state;
	nflog_init(&n, BASE);
	len = message(bytes, BASE + FLOW_SIGHTED, 0x1101, 0);
	nflog_parse(&n, bytes, len, see, &s);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.last.group, FLOW_SIGHTED);
	assert_int_equal(s.last.hook, NF_INET_FORWARD);
	assert_int_equal(s.last.mark, 0x1101);
	assert_int_equal(s.last.in, 7);
	assert_int_equal(s.last.out, 8);
	assert_true(s.last.has_mac);
	assert_memory_equal(s.last.mac.bytes, "\x02\x00\x00\x00\x00\x11", 6);
	assert_int_equal(s.last.packet.icmp_type, 8);
	/* the kernel leaves out a mark of 0 */
	len = message(bytes, BASE, 0, 0);
	nflog_parse(&n, bytes, len, see, &s);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.last.mark, 0);
	assert_int_equal(n.records, 2);
}

static void
several_in_one_datagram(void **state)
{
	_Alignas(8) uint8_t bytes[2048];
	struct seen s = { 0 };
	struct nlmsghdr *done;
	struct nflog n;
	size_t len;

	(void)state;
	nflog_init(&n, BASE);
	len = message(bytes, BASE, 1, 0);
	len += message(bytes + len, BASE, 2, 1);
	done = mnl_nlmsg_put_header(bytes + len);
	done->nlmsg_type = NLMSG_DONE;
	len += MNL_ALIGN(done->nlmsg_len);
	nflog_parse(&n, bytes, len, see, &s);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.last.mark, 2);
	assert_int_equal(n.gaps, 0);
}

static void
gaps_are_losses(void **state)
{
	struct seen s = { 0 };
	struct nflog n;

	(void)state;
	nflog_init(&n, BASE);
	feed(&n, &s, BASE, 1000);	/* where we come in is no loss */
	assert_int_equal(nflog_lost(&n), 0);
	feed(&n, &s, BASE, 1001);
	assert_int_equal(nflog_lost(&n), 0);
	feed(&n, &s, BASE, 1005);
	assert_int_equal(nflog_lost(&n), 3);
	/* each group counts for itself */
	feed(&n, &s, BASE + FLOW_INVALID, 5);
	feed(&n, &s, BASE + FLOW_INVALID, 7);
	assert_int_equal(nflog_lost(&n), 4);
	feed(&n, &s, BASE, 1006);
	assert_int_equal(nflog_lost(&n), 4);
}

static void
numbers_wrap(void **state)
{
	struct seen s = { 0 };
	struct nflog n;

	(void)state;
	nflog_init(&n, BASE);
	feed(&n, &s, BASE, UINT32_MAX);
	feed(&n, &s, BASE, 0);
	assert_int_equal(nflog_lost(&n), 0);
	feed(&n, &s, BASE, 2);
	assert_int_equal(nflog_lost(&n), 1);
	/* a group that was bound anew begins again */
	feed(&n, &s, BASE, 0);
	assert_int_equal(nflog_lost(&n), 1);
	feed(&n, &s, BASE, 1);
	assert_int_equal(nflog_lost(&n), 1);
}

static void
an_overrun_counts_until_the_gap_shows(void **state)
{
	struct seen s = { 0 };
	struct nflog n;

	(void)state;
	nflog_init(&n, BASE);
	feed(&n, &s, BASE, 0);
	n.overruns++;
	n.unexplained++;
	assert_int_equal(nflog_lost(&n), 1);
	feed(&n, &s, BASE, 11);
	assert_int_equal(nflog_lost(&n), 10);
}

static void
foreign_groups_and_messages(void **state)
{
	_Alignas(8) uint8_t bytes[512];
	struct seen s = { 0 };
	struct nflog n;
	size_t len;

	(void)state;
	nflog_init(&n, BASE);
	feed(&n, &s, BASE + FLOW_GROUPS, 0);
	feed(&n, &s, BASE - 1, 0);
	assert_int_equal(s.n, 0);
	assert_int_equal(n.malformed, 2);
	len = message(bytes, BASE, 1, 0);
	((struct nlmsghdr *)(void *)bytes)->nlmsg_type = NFNL_SUBSYS_QUEUE << 8;
	nflog_parse(&n, bytes, len, see, &s);
	assert_int_equal(s.n, 0);
	assert_int_equal(n.malformed, 2);
}

static void
every_length_is_safe(void **state)
{
	_Alignas(8) uint8_t bytes[512];
	struct seen s = { 0 };
	struct nflog n;
	size_t len;

	(void)state;
	nflog_init(&n, BASE);
	len = message(bytes, BASE, 1, 0);
	for (size_t cut = 0; cut < len; cut++) {
		_Alignas(8) uint8_t copy[512];

		memcpy(copy, bytes, cut);
		nflog_parse(&n, copy, cut, see, &s);
		assert_int_equal(s.n, 0);
		/* and where the envelope itself lies about its end */
		if (cut < sizeof(struct nlmsghdr))
			continue;
		((struct nlmsghdr *)(void *)copy)->nlmsg_len = (uint32_t)cut;
		nflog_parse(&n, copy, cut, see, &s);
		s.n = 0;
	}
}

/* Seen as a signed number such a length is small. */
static void
a_length_above_two_gigabytes(void **state)
{
	_Alignas(8) uint8_t bytes[512];
	struct seen s = { 0 };
	struct nflog n;
	size_t len;

	(void)state;
	nflog_init(&n, BASE);
	len = message(bytes, BASE, 1, 0);
	((struct nlmsghdr *)(void *)bytes)->nlmsg_type = NLMSG_NOOP;
	((struct nlmsghdr *)(void *)bytes)->nlmsg_len = 0xf4f4f400;
	nflog_parse(&n, bytes, len, see, &s);
	assert_int_equal(s.n, 0);
}

static void
a_socket_is_read_until_empty(void **state)
{
	_Alignas(8) uint8_t bytes[512];
	struct seen s = { 0 };
	struct nflog n;
	int fds[2];
	size_t len;

	(void)state;
	nflog_init(&n, BASE);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds), 0);
	for (uint32_t i = 0; i < 3; i++) {
		len = message(bytes, BASE, 1, i);
		assert_int_equal(send(fds[1], bytes, len, 0), len);
	}
	assert_int_equal(nflog_read(&n, fds[0], 2, see, &s), 2);
	assert_int_equal(nflog_read(&n, fds[0], 100, see, &s), 1);
	assert_int_equal(nflog_read(&n, fds[0], 100, see, &s), 0);
	assert_int_equal(s.n, 3);
	close(fds[0]);
	assert_int_equal(nflog_read(&n, fds[0], 100, see, &s), -EBADF);
	close(fds[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_is_read),
		cmocka_unit_test(several_in_one_datagram),
		cmocka_unit_test(gaps_are_losses),
		cmocka_unit_test(numbers_wrap),
		cmocka_unit_test(an_overrun_counts_until_the_gap_shows),
		cmocka_unit_test(foreign_groups_and_messages),
		cmocka_unit_test(every_length_is_safe),
		cmocka_unit_test(a_length_above_two_gigabytes),
		cmocka_unit_test(a_socket_is_read_until_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
