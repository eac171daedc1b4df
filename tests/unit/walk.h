/* SPDX-License-Identifier: GPL-2.0-or-later */
/* walk.h -- sends packets through the rules of a ruleset, as nf_tables would, so
 * that a unit test can ask what becomes of them. Without a kernel it says what
 * the rules mean, not that a kernel takes them: tests/netns asks the kernel. */
#ifndef CORDON_TESTS_WALK_H
#define CORDON_TESTS_WALK_H

#include "model/ruleset.h"

#define WALK_ELEMENTS	4096
#define WALK_ADDED	256

/* A connection as conntrack knows it. */
struct connection {
	uint32_t mark;
	bool established;
};

struct packet {
	uint8_t family;			/* AF_INET, AF_INET6 */
	uint8_t mac[6];			/* where it comes from */
	uint8_t src[16], dst[16];
	uint8_t protocol;
	uint16_t sport, dport;
	uint8_t icmp_type;
	bool reset;			/* TCP */
	int64_t now_s;
	const char *iif, *oif;		/* "" where there is none */
	uint8_t pkttype;		/* 0 to us, 1 broadcast, 2 multicast */
	uint8_t hoplimit;
	bool reply;			/* against the connection's direction */
	bool related;			/* an error that belongs to the connection */
	struct connection *connection;	/* NULL: conntrack calls it invalid, or was told to look away */
	bool untracked;
};

struct walk {
	const struct ruleset *rs;
	struct element elements[WALK_ELEMENTS];
	size_t n;
	/* what packets added */
	struct element added[WALK_ADDED];
	size_t n_added;
	/* what the kernel says where it depends on more than one packet */
	bool full[SET_KINDS];		/* no room for a new key */
	bool over_budget, stranger_over_budget, crowded, over_rate, sampled_out;
	/* what happened since walk_forget */
	unsigned hits[SET_KINDS];	/* look-ups that found */
	unsigned counters[COUNTER_KINDS];
	unsigned logs[6];
	unsigned rejected;
	uint32_t mark;			/* of the last packet, at its end */
};

enum walked { WALK_ACCEPT, WALK_DROP };

/* The rules and elements of rs; later changes of its stations need a new walk_init. */
void walk_init(struct walk *, const struct ruleset *);
void walk_forget(struct walk *);
/* Through the base chain of CHAIN_FORWARD, CHAIN_INPUT or CHAIN_OUTPUT. An
 * accepted packet makes its connection established. */
enum walked walk(struct walk *, enum chain_kind, const struct packet *);
size_t walk_added(const struct walk *, enum set_kind);

#endif
