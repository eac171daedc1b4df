/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_compare_parts.h -- inside nft_compare*.c: one comparison under way. */
#ifndef CORDON_ENFORCE_NFT_COMPARE_PARTS_H
#define CORDON_ENFORCE_NFT_COMPARE_PARTS_H

#include "enforce/nft_compare.h"
#include "enforce/nft_read.h"

enum phase {
	PHASE_SUM_MODEL, PHASE_SUM_KERNEL, PHASE_SHAPE,
	PHASE_PRINT_MODEL, PHASE_PRINT_KERNEL, PHASE_SORT,
	PHASE_NAME_MODEL, PHASE_NAME_KERNEL, PHASE_ORDER, PHASE_DONE
};

struct prints {
	uint64_t *p;
	size_t n, room;
};

struct sum {
	uint64_t n, sum;
};

struct nft_compare {
	struct nft_socket *socket;
	const struct ruleset *rs;
	size_t max;
	enum phase phase;
	size_t at;			/* class, device or set of this phase */
	struct set_ref *sets;
	size_t n_sets, room_sets;
	uint32_t chains;
	struct sum model[SET_KINDS], kernel[SET_KINDS];
	bool differs[SET_KINDS];
	struct prints have, want;	/* of the kernel, of the model; then those that one has alone */
	const struct set_ref *reading;	/* its dump is under way, or NULL */
	struct sum before;		/* of its kind, when that began; the same: */
	size_t have_before, listed_before;
	unsigned tries;
	size_t told;			/* of it so far */
	struct set_ref hashed;		/* the set whose name was hashed last */
	uint64_t hash;
	size_t units;			/* of the kernel's elements in this step */
	struct nft_comparison out;
};

/* What is done with each element: summed up, its fingerprint kept, or told by
 * name where one side has it alone. */
enum pass { PASS_SUM, PASS_PRINT, PASS_NAME };

/* Some of the model, or of the kernel. 1: there is more; 0: all were told. */
int compare_walk_model(struct nft_compare *, enum pass);
int compare_walk_kernel(struct nft_compare *, enum pass);

/* For qsort of fingerprints. */
int compare_prints_order(const void *, const void *);

#endif
