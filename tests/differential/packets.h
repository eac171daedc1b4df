/* SPDX-License-Identifier: GPL-2.0-or-later */
/* packets.h -- random packets that have to do with a policy. */
#ifndef CORDON_TESTS_DIFFERENTIAL_PACKETS_H
#define CORDON_TESTS_DIFFERENTIAL_PACKETS_H

#include "craft.h"
#include "policies.h"

#define FLOWS	64	/* packets that were let through, to be answered or repeated */
#define OTHERS	32	/* and some of the others */
#define RECENT	1024	/* packets under way; a power of two */

struct packets {
	const struct site *site;
	struct random *r;
	struct shape flows[FLOWS], others[OTHERS], recent[RECENT];
	size_t n_flows, n_others;
	bool is_fresh[RECENT], fresh;	/* begins a flow */
};

void packets_init(struct packets *, const struct site *, struct random *);

/* The next one, which will carry that number; *fragments says in how many pieces. */
void packets_next(struct packets *, uint32_t number, struct shape *, unsigned *fragments);

/* It was let through: worth to be gone on with. */
void packets_passed(struct packets *, uint32_t number);

/* Where the router's route to an address leads. */
int packets_route(uint8_t family, const uint8_t address[16]);

#endif
