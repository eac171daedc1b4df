/* SPDX-License-Identifier: GPL-2.0-or-later */
/* frames.h -- UDP frames of flows, ready to send. */
#ifndef CORDON_BENCH_FRAMES_H
#define CORDON_BENCH_FRAMES_H

#include <stddef.h>
#include <stdint.h>

#define FRAME_MAX 96	/* Ethernet, IPv6, UDP and some payload */

struct frame {
	uint8_t bytes[FRAME_MAX];
	uint32_t len;
	uint32_t udp;		/* offset of the UDP header */
};

struct frame_list {
	struct frame *frames;
	size_t n, max;
};

/* One flow per line of standard input: mac-src mac-dst src dst sport dport.
 * What is none ends the program. */
void frames_read(struct frame_list *);

/* The UDP checksum: none in IPv4 (allowed), a real one in IPv6. */
void frame_set_ports(struct frame *, uint16_t sport, uint16_t dport);

#endif
