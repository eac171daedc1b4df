/* SPDX-License-Identifier: GPL-2.0-or-later */
/* craft.h -- frames from descriptions, and descriptions from what the kernel shows. */
#ifndef CORDON_TESTS_DIFFERENTIAL_CRAFT_H
#define CORDON_TESTS_DIFFERENTIAL_CRAFT_H

#include "model/evaluate.h"
#include "world.h"

/* A packet carries its number where routers leave it alone: in the identification
 * of IPv4, the flow label of IPv6. */
#define NUMBERS		60000U
#define SENTINEL	65000U	/* and above */

enum oddity {
	ODD_CHECKSUM	= 1 << 0,	/* a wrong one */
	ODD_SHORT	= 1 << 1,	/* ends within the transport header */
	ODD_EXTENSIONS	= 1 << 2,	/* IPv6: options before the transport header; IPv4: options */
	ODD_BROADCAST	= 1 << 3,	/* the frame is for everybody */
	ODD_UNTRACKED	= 1 << 4,	/* conntrack is told to look away */
};

struct shape {
	uint8_t port;			/* where it comes in */
	uint8_t family;
	uint8_t protocol;
	uint8_t ether[6];		/* its source */
	uint8_t src[16], dst[16];
	uint16_t sport, dport;		/* ICMP: sport is the identifier */
	uint8_t icmp_type;
	uint8_t tcp_flags;
	uint8_t hoplimit;
	uint8_t odd;			/* bits of enum oddity */
	uint8_t payload;		/* bytes */
	const struct shape *about;	/* an ICMP error about this packet */
};

/* One frame, or with fragments > 1 so many. Returns how many were made. */
size_t craft(const struct shape *, uint32_t number, unsigned fragments, struct frame *out);

/* What is in front of a hook: family, addresses, protocol, ports, type, flags,
 * hop limit and what is lacking. False when it is neither IPv4 nor IPv6. */
bool craft_read(const uint8_t *head, size_t len, struct packet *, uint32_t *number, bool *ours);

#endif
