/* SPDX-License-Identifier: GPL-2.0-or-later */
/* links.h -- names of interfaces by their index, when they lost their link, and
 * what bridges learn; all from one rtnetlink socket that is opened early. */
#ifndef CORDON_FLOW_LINKS_H
#define CORDON_FLOW_LINKS_H

#include <net/if.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "flow/map.h"

#define LINKS_MAX 65536U	/* interfaces, those that are gone included until there is need for room */

struct links {
	int fd;			/* -1: not open; names then are made of numbers */
	struct map by_index;
	uint64_t overruns;
};

/* A bridge learned a MAC at one of its ports. */
typedef void links_learned_fn(void *arg, const struct mac *, uint32_t port);

void links_init(struct links *, const struct siphash_key *seed);
void links_done(struct links *);

/* Open the socket and ask for all interfaces; waits at most timeout_ms for the answer. */
int links_open(struct links *, int timeout_ms, int64_t boot_ms);

/* Read what came. 0, or a negative errno when the socket is of no more use. */
int links_read(struct links *, int64_t boot_ms, links_learned_fn *, void *arg);

/* One datagram; 1 when it ended the answer to links_open. */
int links_parse(struct links *, const void *datagram, size_t len, int64_t boot_ms, links_learned_fn *, void *arg);

/* "" for index 0, "if7" for one that is not known. Returns buf. */
const char *links_name(const struct links *, uint32_t index, char buf[IF_NAMESIZE]);

/* When its link was lost or it was removed, on the boot clock; 0: never. */
int64_t links_lost(const struct links *, uint32_t index);

#endif
