/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hooks.h -- what the kernel shows of a packet right before and right after
 * cordon's chains: a table of our own, at the same hooks, tells it to NFLOG.
 * What is told before and not after was dropped in between. */
#ifndef CORDON_TESTS_DIFFERENTIAL_HOOKS_H
#define CORDON_TESTS_DIFFERENTIAL_HOOKS_H

#include "model/evaluate.h"
#include "random.h"
#include "world.h"

/* The mark that packets have when they come to cordon's chains. */
#define FOREIGN_MARK	0xdeadbeefU

#define HEAD_MAX	128

/* The kernel tells of so many packets at once: as many sentinels end a batch, so
 * that all before the first is told. */
#define SENTINELS	32

/* One packet at one hook. */
struct seen {
	struct packet packet;
	bool accepted;		/* by all between before and after */
	uint32_t ct_mark;	/* afterwards, when accepted */
	bool ours;		/* made by us, not by the router */
	uint32_t number;	/* which one: see craft.h */
	uint16_t len;
	uint8_t head[HEAD_MAX];	/* from the network header on */
};

struct hooks;

/* In the router's namespace. */
struct hooks *hooks_new(const struct world *);
void hooks_free(struct hooks *);

/* Call fn for each packet, in the order in which they came, until the sentinel
 * with that number came before the chains. False: it did not come, or messages
 * were lost; what was seen was told all the same. */
typedef void seen_fn(void *arg, const struct seen *);
bool hooks_collect(struct hooks *, uint32_t sentinel, seen_fn *, void *arg);

/* Forget all connections. */
void hooks_forget_flows(struct hooks *);

#endif
