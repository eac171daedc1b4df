/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parts.h -- shared by enforcer.c, apply.c, start.c and returning.c alone. */
#ifndef CORDON_ENFORCE_PARTS_H
#define CORDON_ENFORCE_PARTS_H

#include "enforce/enforcer.h"
#include "enforce/nft_batch.h"
#include "proto/messages.h"

/* An empty batch for our table. NULL: out of memory. */
struct nft_batch *enforcer_batch(struct enforcer *, const struct image *);

/* Note down how the kernel shows the rules we sent, to know a change later. When
 * the disk refuses that, the rules stand all the same: the next start finds no
 * note and replaces them once, without harm. */
void enforcer_save_digest(struct enforcer *);

/* What was admitted under the last mark while its rules were being replaced. */
int enforcer_forget_last_mark(struct enforcer *, uint32_t number);

/* A transaction is made so that it cannot fail on a table that is as we left
 * it. If it fails, the table is not: put it right, then try once more, from the
 * generations that it has then. rc: of the one that failed. */
int enforcer_restored(struct enforcer *, int rc);

/* Another generation for each of these, by index; the rules are put right if need be. */
int enforcer_renew(struct enforcer *, const uint32_t *indexes, uint32_t n);

/* The part of a policy that is not the image: stations and standings. */
struct places {
	struct station *stations;
	struct standing **standings;
	bool *wrapped;
	uint32_t renewed;
	uint32_t *again;		/* those, by index in the next image */
	uint32_t n_again;
	struct standing **own;		/* parallel: those of the standings that were made for these places */
	uint32_t n;			/* devices of the next image */
};

/* Another standing for this device of the next policy, made for these places: what
 * is known of it already, and this. */
int places_add(struct places *, const struct image *next, const struct image_device *, const struct standing *);

/* The next policy is an earlier one: devices come back that are not in the
 * present one. What was known of them, under this number or this name, still
 * is; and no open flow may carry a mark of theirs from then. */
int returning_devices(struct enforcer *, const struct image *next, struct places *);

/* Forget the flows of these devices; of many, all that carry a mark. */
int forget_devices(struct enforcer *, const uint32_t *numbers, size_t n);

#endif
