/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_load.h -- inside the batch: expressions that bring fields into registers. */
#ifndef CORDON_ENFORCE_NFT_LOAD_H
#define CORDON_ENFORCE_NFT_LOAD_H

#include "enforce/nft_parts.h"

#define REG0 8	/* NFT_REG32_00 */

/* A rule under construction. */
struct nft_rule {
	struct nft_batch *b;
	struct nftnl_rule *r;
	uint8_t family;		/* already checked in this rule */
	uint8_t protocol;
};

/* A new expression of the rule, or NULL and the batch's error. */
struct nftnl_expr *nft_expr(struct nft_rule *, const char *name);

void nft_load(struct nft_rule *, enum field, uint32_t reg);
void nft_load_key(struct nft_rule *, const enum field *fields);
void nft_ct_load(struct nft_rule *, uint32_t key, uint32_t reg);
void nft_and_mask(struct nft_rule *, uint32_t mask, uint32_t reg);
void nft_cmp(struct nft_rule *, uint32_t op, const void *value, uint32_t len);

#endif
