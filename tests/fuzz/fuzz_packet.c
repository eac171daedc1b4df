/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_packet.c -- the packet decoder: whatever the bytes, what it says holds together. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "flow/packet.h"

#define HEAD 128	/* what the kernel sends of a packet */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(int condition)
{
	if (!condition)
		abort();
}

static void
decode_one(const uint8_t *data, size_t size)
{
	static const struct addr none;
	struct packet p, again;

	packet_decode(data, size, &p);
	check(p.family == 0 || p.family == AF_INET || p.family == AF_INET6);
	check(p.source.family == p.family && p.destination.family == p.family);
	if (p.family == 0) {
		check(memcmp(&p.source, &none, sizeof(none)) == 0);
		check((p.flags & (PACKET_SHORT | PACKET_BAD)) != 0);
	}
	if (p.flags & PACKET_PORTS)
		check(packet_has_ports(p.protocol) && p.family != 0);
	else
		check(p.port == 0 && p.source_port == 0);
	if (!(p.flags & PACKET_TYPE))
		check(p.icmp_type == 0);
	if (p.flags & PACKET_FRAGMENT)
		check((p.flags & (PACKET_PORTS | PACKET_TYPE)) == 0);
	/* nothing remembered, nothing left over */
	memset(&again, 0xff, sizeof(again));
	packet_decode(data, size, &again);
	check(memcmp(&p, &again, sizeof(p)) == 0);
}

static uint32_t
little(const uint8_t *b)
{
	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

/* A capture of Ethernet frames is a corpus of its own: every frame, each in a
 * piece of memory of exactly its size, also cut as the kernel cuts. */
static void
decode_capture(const uint8_t *data, size_t size)
{
	size_t at = 24;

	while (size - at >= 16) {
		size_t len = little(data + at + 8), cut;
		uint8_t *copy;

		at += 16;
		if (len > size - at)
			break;
		if (len > 14) {
			cut = len - 14 > HEAD ? HEAD : len - 14;
			if ((copy = malloc(cut)) == NULL)
				abort();
			memcpy(copy, data + at + 14, cut);
			decode_one(copy, cut);
			decode_one(copy, cut / 2);
			free(copy);
		}
		at += len;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size >= 24 && memcmp(data, "\xd4\xc3\xb2\xa1", 4) == 0)
		decode_capture(data, size);
	else
		decode_one(data, size);
	return 0;
}
