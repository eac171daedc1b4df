/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_packet.c -- heads of packets: honest ones, short ones, lying ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "flow/packet.h"

static const uint8_t tcp4[] = {
	0x45, 0x00, 0x00, 0x3c, 0x12, 0x34, 0x40, 0x00, 0x40, 0x06, 0x00, 0x00,
	10, 10, 0, 11, 192, 0, 2, 2,
	0x9c, 0x40, 0x13, 0x88, 0, 0, 0, 1, 0, 0, 0, 0, 0xa0, 0x02, 0xfa, 0xf0, 0, 0, 0, 0,
};

static const uint8_t udp6[] = {
	0x60, 0x00, 0x00, 0x00, 0x00, 0x0c, 17, 64,
	0xfd, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x11,
	0xfd, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02,
	0x04, 0x00, 0x00, 0x35, 0x00, 0x0c, 0, 0, 1, 2, 3, 4,
};

/* An IPv6 header with a chain of other headers behind it. */
static size_t
ip6(uint8_t *out, uint8_t next, const uint8_t *rest, size_t len)
{
	memcpy(out, udp6, 40);
	out[4] = (uint8_t)(len >> 8);
	out[5] = (uint8_t)len;
	out[6] = next;
	memcpy(out + 40, rest, len);
	return 40 + len;
}

static void
ipv4_tcp(void **state)
{
	struct packet p;

	(void)state;
	packet_decode(tcp4, sizeof(tcp4), &p);
	assert_int_equal(p.family, AF_INET);
	assert_int_equal(p.protocol, IPPROTO_TCP);
	assert_int_equal(p.flags, PACKET_PORTS);
	assert_int_equal(p.source_port, 40000);
	assert_int_equal(p.port, 5000);
	assert_int_equal(p.len, 60);
	assert_memory_equal(p.source.bytes, "\x0a\x0a\x00\x0b\x00\x00\x00\x00", 8);
	assert_memory_equal(p.destination.bytes, "\xc0\x00\x02\x02", 4);
	assert_int_equal(p.source.family, AF_INET);
	assert_int_equal(p.destination.family, AF_INET);
}

static void
ipv4_options_move_the_ports(void **state)
{
	uint8_t bytes[64];
	struct packet p;

	(void)state;
	memcpy(bytes, tcp4, 20);
	bytes[0] = 0x47;
	memset(bytes + 20, 1, 8);
	memcpy(bytes + 28, tcp4 + 20, 20);
	packet_decode(bytes, 48, &p);
	assert_int_equal(p.flags, PACKET_PORTS);
	assert_int_equal(p.port, 5000);
}

static void
ipv4_later_fragments_have_no_ports(void **state)
{
	uint8_t bytes[sizeof(tcp4)];
	struct packet p;

	(void)state;
	memcpy(bytes, tcp4, sizeof(bytes));
	bytes[6] = 0x20;	/* more fragments: the first one */
	packet_decode(bytes, sizeof(bytes), &p);
	assert_int_equal(p.flags, PACKET_PORTS);
	bytes[7] = 0x01;
	packet_decode(bytes, sizeof(bytes), &p);
	assert_int_equal(p.flags, PACKET_FRAGMENT);
	assert_int_equal(p.port, 0);
	assert_int_equal(p.protocol, IPPROTO_TCP);
}

static void
ipv4_lies(void **state)
{
	uint8_t bytes[sizeof(tcp4)];
	struct packet p;

	(void)state;
	memcpy(bytes, tcp4, sizeof(bytes));
	bytes[0] = 0x44;	/* a header of 16 bytes */
	packet_decode(bytes, sizeof(bytes), &p);
	assert_int_equal(p.flags, PACKET_BAD);
	assert_int_equal(p.family, AF_INET);	/* the addresses are known all the same */
	assert_int_equal(p.port, 0);
	bytes[0] = 0x45;
	bytes[3] = 19;		/* shorter than its header */
	packet_decode(bytes, sizeof(bytes), &p);
	assert_int_equal(p.flags, PACKET_BAD);
	bytes[3] = 0x3c;
	bytes[0] = 0x4f;	/* options beyond the head */
	packet_decode(bytes, sizeof(bytes), &p);
	assert_int_equal(p.flags, PACKET_SHORT);
}

static void
no_ip_at_all(void **state)
{
	struct packet p;

	(void)state;
	packet_decode("", 0, &p);
	assert_int_equal(p.flags, PACKET_SHORT);
	assert_int_equal(p.family, 0);
	packet_decode("\x15\x00\x00\x00", 4, &p);
	assert_int_equal(p.flags, PACKET_BAD);
	assert_int_equal(p.family, 0);
}

static void
icmp_has_a_type(void **state)
{
	uint8_t bytes[sizeof(tcp4)], six[64];
	struct packet p;

	(void)state;
	memcpy(bytes, tcp4, sizeof(bytes));
	bytes[9] = IPPROTO_ICMP;
	bytes[20] = 8;
	packet_decode(bytes, sizeof(bytes), &p);
	assert_int_equal(p.flags, PACKET_TYPE);
	assert_int_equal(p.icmp_type, 8);
	bytes[9] = IPPROTO_ICMPV6;	/* in IPv4 it is nothing */
	packet_decode(bytes, sizeof(bytes), &p);
	assert_int_equal(p.flags, 0);
	packet_decode(six, ip6(six, IPPROTO_ICMPV6, (const uint8_t *)"\x80\x00\x00\x00", 4), &p);
	assert_int_equal(p.flags, PACKET_TYPE);
	assert_int_equal(p.icmp_type, 128);
}

static void
ipv6_udp(void **state)
{
	struct packet p;

	(void)state;
	packet_decode(udp6, sizeof(udp6), &p);
	assert_int_equal(p.family, AF_INET6);
	assert_int_equal(p.protocol, IPPROTO_UDP);
	assert_int_equal(p.flags, PACKET_PORTS);
	assert_int_equal(p.port, 53);
	assert_int_equal(p.len, 52);
	assert_memory_equal(p.source.bytes, udp6 + 8, 16);
	assert_memory_equal(p.destination.bytes, udp6 + 24, 16);
}

static void
ipv6_extensions_are_followed(void **state)
{
	static const uint8_t chain[] = {
		IPPROTO_DSTOPTS, 0, 1, 4, 0, 0, 0, 0,			/* hop by hop, 8 bytes */
		IPPROTO_ROUTING, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,	/* 16 bytes */
		IPPROTO_FRAGMENT, 0, 0, 0, 0, 0, 0, 0,
		IPPROTO_AH, 0, 0x00, 0x01, 0, 0, 0, 1,			/* the first fragment */
		IPPROTO_TCP, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2,		/* 3 words of 4 */
		0x12, 0x34, 0x01, 0xbb,
	};
	uint8_t bytes[128];
	struct packet p;

	(void)state;
	packet_decode(bytes, ip6(bytes, IPPROTO_HOPOPTS, chain, sizeof(chain)), &p);
	assert_int_equal(p.flags, PACKET_PORTS);
	assert_int_equal(p.protocol, IPPROTO_TCP);
	assert_int_equal(p.port, 443);
	/* one byte less, and the port is not known, but the protocol is */
	packet_decode(bytes, ip6(bytes, IPPROTO_HOPOPTS, chain, sizeof(chain) - 1), &p);
	assert_int_equal(p.flags, PACKET_SHORT);
	assert_int_equal(p.protocol, IPPROTO_TCP);
	assert_int_equal(p.port, 0);
}

static void
ipv6_later_fragments_have_no_ports(void **state)
{
	static const uint8_t chain[] = { IPPROTO_UDP, 0, 0x00, 0x08, 0, 0, 0, 1, 0x12, 0x34, 0x01, 0xbb };
	uint8_t bytes[64];
	struct packet p;

	(void)state;
	packet_decode(bytes, ip6(bytes, IPPROTO_FRAGMENT, chain, sizeof(chain)), &p);
	assert_int_equal(p.flags, PACKET_FRAGMENT);
	assert_int_equal(p.protocol, IPPROTO_UDP);
	assert_int_equal(p.port, 0);
}

static void
ipv6_no_next_header(void **state)
{
	uint8_t bytes[64];
	struct packet p;

	(void)state;
	packet_decode(bytes, ip6(bytes, IPPROTO_NONE, (const uint8_t *)"", 0), &p);
	assert_int_equal(p.flags, 0);
	assert_int_equal(p.protocol, IPPROTO_NONE);
	assert_int_equal(p.len, 0);
}

static void
extensions_are_bounded(void **state)
{
	uint8_t chain[8 * (PACKET_EXTENSIONS_MAX + 1) + 4], bytes[40 + sizeof(chain)];
	struct packet p;

	(void)state;
	memset(chain, 0, sizeof(chain));
	for (unsigned i = 0; i <= PACKET_EXTENSIONS_MAX; i++)
		chain[8 * i] = IPPROTO_DSTOPTS;
	chain[8 * (PACKET_EXTENSIONS_MAX - 1)] = IPPROTO_UDP;
	packet_decode(bytes, ip6(bytes, IPPROTO_DSTOPTS, chain, sizeof(chain)), &p);
	assert_int_equal(p.flags, PACKET_PORTS);
	chain[8 * (PACKET_EXTENSIONS_MAX - 1)] = IPPROTO_DSTOPTS;
	chain[8 * PACKET_EXTENSIONS_MAX] = IPPROTO_UDP;
	packet_decode(bytes, ip6(bytes, IPPROTO_DSTOPTS, chain, sizeof(chain)), &p);
	assert_int_equal(p.flags, PACKET_BAD);
}

static void
every_length_is_safe(void **state)
{
	struct packet p;

	(void)state;
	for (size_t len = 0; len < sizeof(tcp4); len++) {
		packet_decode(tcp4, len, &p);
		assert_int_equal(p.family, len >= 20 ? AF_INET : 0);
		assert_int_equal(p.flags, len >= 24 ? PACKET_PORTS : PACKET_SHORT);
		assert_int_equal(p.source.family, p.family);
	}
	for (size_t len = 0; len < sizeof(udp6); len++) {
		packet_decode(udp6, len, &p);
		assert_int_equal(p.family, len >= 40 ? AF_INET6 : 0);
		assert_int_equal(p.flags, len >= 44 ? PACKET_PORTS : PACKET_SHORT);
	}
}

static void
a_half_read_address_is_none(void **state)
{
	static const struct addr none;
	struct packet p;

	(void)state;
	packet_decode(tcp4, 18, &p);
	assert_memory_equal(&p.source, &none, sizeof(none));
	assert_memory_equal(&p.destination, &none, sizeof(none));
	packet_decode(udp6, 30, &p);
	assert_memory_equal(&p.source, &none, sizeof(none));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ipv4_tcp),
		cmocka_unit_test(ipv4_options_move_the_ports),
		cmocka_unit_test(ipv4_later_fragments_have_no_ports),
		cmocka_unit_test(ipv4_lies),
		cmocka_unit_test(no_ip_at_all),
		cmocka_unit_test(icmp_has_a_type),
		cmocka_unit_test(ipv6_udp),
		cmocka_unit_test(ipv6_extensions_are_followed),
		cmocka_unit_test(ipv6_later_fragments_have_no_ports),
		cmocka_unit_test(ipv6_no_next_header),
		cmocka_unit_test(extensions_are_bounded),
		cmocka_unit_test(every_length_is_safe),
		cmocka_unit_test(a_half_read_address_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
