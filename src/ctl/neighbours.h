/* SPDX-License-Identifier: GPL-2.0-or-later */
/* neighbours.h -- the kernel's neighbour tables: who answered ARP or neighbour
 * discovery, or asked. Reading them needs no right. The kernel bounds them
 * (net.ipv4.neigh.default.gc_thresh3). */
#ifndef CORDON_CTL_NEIGHBOURS_H
#define CORDON_CTL_NEIGHBOURS_H

#include <net/if.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"

struct neighbour {
	struct mac mac;
	struct addr address;
	uint32_t interface;	/* index */
	int64_t age_ms;		/* since it was heard of, about */
};

typedef void neighbours_fn(void *arg, const struct neighbour *);

/* Each neighbour with a MAC that was learned. 0 or -errno. */
int neighbours_read(neighbours_fn *, void *arg);

/* One datagram of the answer; 1 when it ended it, 0 when more follows, -errno. */
int neighbours_parse(const void *datagram, size_t len, neighbours_fn *, void *arg);

#endif
