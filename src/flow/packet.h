/* SPDX-License-Identifier: GPL-2.0-or-later */
/* packet.h -- what the first bytes of a refused packet say. */
#ifndef CORDON_FLOW_PACKET_H
#define CORDON_FLOW_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"

#define PACKET_EXTENSIONS_MAX 16	/* IPv6 headers that are followed; honest packets have one or two */

enum packet_flag {
	PACKET_PORTS	= 1 << 0,	/* source_port and port are known */
	PACKET_TYPE	= 1 << 1,	/* icmp_type is known */
	PACKET_FRAGMENT	= 1 << 2,	/* not the first fragment: it has no ports */
	PACKET_SHORT	= 1 << 3,	/* the head ends before all of it was read */
	PACKET_BAD	= 1 << 4,	/* a header contradicts itself */
};

struct packet {
	uint8_t family;		/* AF_INET, AF_INET6; 0: neither could be read */
	uint8_t protocol;	/* what the kernel calls l4proto */
	uint8_t icmp_type;
	uint8_t flags;		/* enum packet_flag */
	uint16_t source_port;	/* host order */
	uint16_t port;
	uint16_t transport;	/* where the header with the ports begins; with PACKET_PORTS */
	uint32_t len;		/* the packet's length as its IP header has it; 0: unknown */
	struct addr source;
	struct addr destination;
};

/* Never fails: what cannot be read stays zero and is flagged. */
void packet_decode(const void *head, size_t len, struct packet *out);

/* Protocols whose first four bytes are two ports. The kernel's sets are keyed
 * with the port for these and for no others. */
bool packet_has_ports(uint8_t protocol);

#endif
