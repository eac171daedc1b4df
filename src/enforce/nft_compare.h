/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_compare.h -- does the kernel hold exactly what the model says, and if not,
 * which elements are missing, which are foreign? Done in steps, so that a daemon
 * may do other things in between. */
#ifndef CORDON_ENFORCE_NFT_COMPARE_H
#define CORDON_ENFORCE_NFT_COMPARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enforce/nft_socket.h"
#include "model/ruleset.h"

/* An element of one side alone. Where the same key has other data there are two of them. */
struct nft_difference {
	struct element e;
	bool foreign;			/* in the kernel and not in the model; otherwise missing there */
	char chain[CHAIN_NAMELEN];	/* of a foreign one in a verdict map */
};

struct nft_comparison {
	bool agrees;			/* every element of every set, and how many sets and chains there are */
	bool shape;			/* sets or chains differ, or an element that no key describes */
	char where[SET_NAMELEN];	/* the first set that differs, or what else does */
	uint64_t missing, foreign;	/* elements */
	uint64_t compared;		/* elements of the model */
	struct nft_difference *list;	/* of them, by set and key; at most as many as were asked for */
	size_t n;
};

struct nft_compare;

/* Borrows the socket and the ruleset, which may not change until the end. At most
 * max differences are listed; with 0 none are looked for. NULL: out of memory. */
struct nft_compare *nft_compare_new(struct nft_socket *, const struct ruleset *, size_t max);
void nft_compare_free(struct nft_compare *);

/* Before the first step: the sets of these kinds alone, and not how many sets and
 * chains there are. They count as differing: each is read twice. */
void nft_compare_only(struct nft_compare *, const bool kinds[SET_KINDS]);

/* A part of the work. 1: there is more, 0: the result stands, or -errno. */
int nft_compare_step(struct nft_compare *);

/* What was found; it goes with the comparison. */
const struct nft_comparison *nft_compare_result(const struct nft_compare *);

/* All at once; kinds: see nft_compare_only, or NULL. The caller frees *out by nft_comparison_done when the answer is 0. */
int nft_compare(struct nft_socket *, const struct ruleset *, const bool *kinds, size_t max,
    struct nft_comparison *out);
void nft_comparison_done(struct nft_comparison *);

#endif
