/* SPDX-License-Identifier: GPL-2.0-or-later */
/* staged.h -- what a staged policy would change, as cordond shows it to an
 * operator's tool: a sealed memory file of totals, then keys. Ids only; names are
 * looked up in the images. */
#ifndef CORDON_PROTO_STAGED_H
#define CORDON_PROTO_STAGED_H

#include "proto/messages.h"

/* Exact. One per device that has any, by number. */
struct staged_total {
	uint32_t number;
	uint32_t pad;
	uint64_t refused;	/* connections that were let through and would not be */
	uint64_t allowed;	/* packets that were refused and would not be */
};

/* What they were about, as far as there was room for it. */
struct staged_key {
	uint32_t number;
	uint8_t allowed;	/* 1: newly allowed, 0: newly refused */
	uint8_t family;		/* AF_INET, AF_INET6 */
	uint8_t protocol;
	uint8_t has_port;
	uint16_t port;		/* host order */
	uint8_t pad[6];
	uint8_t source[16];	/* IPv4 in the first four bytes */
	uint8_t destination[16];
	uint64_t count;		/* as in the totals */
};
static_assert(sizeof(struct staged_total) == 24 && sizeof(struct staged_key) == 56, "wire");

#endif
