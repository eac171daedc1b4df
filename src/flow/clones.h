/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clones.h -- one identity at two places at once.
 *
 * A device that moves is seen at its old place, then at its new one. Two users
 * of one identity are seen in turns: here, there, and here again. A place whose
 * link went down since is no place any more. */
#ifndef CORDON_FLOW_CLONES_H
#define CORDON_FLOW_CLONES_H

#include <stdbool.h>
#include <stdint.h>

#include "flow/map.h"

#define CLONES_SIGHTED_MS	(180 * 1000)	/* here, there, here again by new connections */
#define CLONES_WRONG_PORT_MS	(120 * 1000)	/* at its own port, and by a stranger at another */
#define CLONES_BRIDGE_MS	(60 * 1000)	/* here, there, here again by a bridge's table */
#define CLONES_QUIET_MS		(600 * 1000)	/* told once per device in this time */

/* When the link of that interface was last lost, on the boot clock; 0: never. */
typedef int64_t clones_lost_fn(void *arg, uint32_t interface);

struct clones {
	struct map by_number;
	clones_lost_fn *lost;
	void *lost_arg;
	uint64_t told;
};

/* The two places, as interface indexes. */
struct clone {
	uint32_t here;
	uint32_t there;
};

void clones_init(struct clones *, const struct siphash_key *seed, clones_lost_fn *, void *arg);
void clones_done(struct clones *);

/* A packet of the device itself, by all that is declared of it, came in here. */
bool clones_sighted(struct clones *, uint32_t number, uint32_t interface, int64_t boot_ms, struct clone *);

/* A packet with its MAC and address came in by an interface that is not its own. */
bool clones_wrong_port(struct clones *, uint32_t number, uint32_t interface, int64_t boot_ms, struct clone *);

/* A bridge learned its MAC at this port. */
bool clones_learned(struct clones *, uint32_t number, uint32_t port, int64_t boot_ms, struct clone *);

/* Forget devices of which nothing was seen for long. */
void clones_tick(struct clones *, int64_t boot_ms);

#endif
