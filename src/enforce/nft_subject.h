/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_subject.h -- which part of a transaction did the kernel refuse? */
#ifndef CORDON_ENFORCE_NFT_SUBJECT_H
#define CORDON_ENFORCE_NFT_SUBJECT_H

#include <stddef.h>
#include <stdint.h>

#include "enforce/nft_batch.h"

enum nft_subject_kind {
	SUBJECT_NONE,		/* the kernel named nothing */
	SUBJECT_TABLE,
	SUBJECT_SET,
	SUBJECT_ELEMENT,
	SUBJECT_CHAIN,
	SUBJECT_RULE,
	SUBJECT_OBJECT,
};

/* Pointers are borrowed from the batch. */
struct nft_subject {
	enum nft_subject_kind kind;
	bool removal;
	const char *name;	/* of the set, the chain (SUBJECT_RULE: that it is in), the object; or NULL */
	const uint8_t *key;	/* SUBJECT_ELEMENT; NULL: one of the set's, it is not told which */
	const uint8_t *key_end;	/* NULL where the set has none */
	size_t key_len;
};

void nft_subject(const struct nft_batch *, const struct nft_failure *, struct nft_subject *);

#endif
