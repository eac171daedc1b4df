/* SPDX-License-Identifier: GPL-2.0-or-later */
/* router.h -- sends the packets of one connection after another through the rules,
 * and keeps what is between packets: the connection's mark and state, and what
 * packets put into sets. What becomes of a packet is evaluate()'s answer alone.
 * It says what the rules mean, not that a kernel takes them: tests/netns and
 * tests/differential ask the kernel. */
#ifndef CORDON_TESTS_ROUTER_H
#define CORDON_TESTS_ROUTER_H

#include "model/evaluate.h"

#define ROUTER_ADDED	256

/* A connection as conntrack knows it. */
struct connection {
	uint32_t mark;
	bool established;
};

struct router {
	struct evaluator *evaluator;
	/* what packets added */
	struct element added[ROUTER_ADDED];
	size_t n_added;
	/* what the kernel says where it depends on more than one packet */
	bool full[SET_KINDS];		/* no room for a new key */
	struct dynamic says;		/* but for what is known and full */
	/* what happened since router_forget */
	unsigned hits[SET_KINDS];	/* look-ups that found */
	unsigned counters[COUNTER_KINDS];	/* packets */
	unsigned logs[LOG_DISCOVERED + 1];	/* packets */
	uint32_t mark;			/* of the last packet, at its end */
};

/* Everything as it was at first; also after a change of the stations or the
 * image. Zero before the first time. */
void router_init(struct router *, const struct ruleset *);
void router_end(struct router *);
void router_forget(struct router *);
/* A packet with CTS_NEW or CTS_RELATED is of this connection, which says its mark
 * and whether it is established; others are of none. An accepted packet makes the
 * connection established. */
enum verdict_kind router_sends(struct router *, enum chain_hook, struct packet, struct connection *);
size_t router_added(const struct router *, enum set_kind);

#endif
