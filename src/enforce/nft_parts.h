/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_parts.h -- inside the batch: shared by nft_batch.c, nft_set.c and nft_rule.c. */
#ifndef CORDON_ENFORCE_NFT_PARTS_H
#define CORDON_ENFORCE_NFT_PARTS_H

#include <libmnl/libmnl.h>
#include <libnftnl/expr.h>
#include <stdint.h>

#include "enforce/nft_batch.h"

/* Elements of one set on their way into one message. */
struct nft_gather {
	struct set_ref set;
	uint8_t *elements;	/* attributes, room for GATHER_BYTES */
	size_t len;
};

struct nft_batch {
	const char *table;
	uint8_t *data;
	size_t len, room;
	size_t last;			/* where the last message begins */
	uint32_t seq;
	uint32_t set_id;		/* of the last set made in this batch */
	int32_t hook_priority;
	uint32_t capacity;
	int error;			/* the first, kept */
	uint16_t echo;			/* NLM_F_ECHO or 0 */
	uint32_t expected;		/* generation, 0: any */
	uint32_t added, removed;
	bool shapes;			/* more than elements so far */
	int gathering;			/* message type of what is gathered, 0: nothing */
	struct nft_gather gathers[SET_KINDS];
};

/* Room for one message of at most max bytes; begin it. NULL after an error. */
struct nlmsghdr *nft_begin(struct nft_batch *, uint16_t type, uint16_t flags, size_t max);
void nft_end(struct nft_batch *, struct nlmsghdr *);

/* Bring what is gathered into messages, before anything of another kind. */
void nft_batch_settle(struct nft_batch *);

/* A set's state as an expression, for a declaration or an `add`; the caller
 * frees it. value: connections. NULL: out of memory. */
struct nftnl_expr *nft_state_counter(void);
struct nftnl_expr *nft_state_sample(void);
struct nftnl_expr *nft_state_budget(void);
struct nftnl_expr *nft_state_rate(uint32_t per_second, uint32_t burst);
struct nftnl_expr *nft_state_connections(uint32_t n);

/* An anonymous set of one-byte constants, bound to the rule that follows. *id names it. */
void nft_add_anonymous(struct nft_batch *, enum field, const uint8_t *values, uint8_t n, uint32_t *id);

#endif
