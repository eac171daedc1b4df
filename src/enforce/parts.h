/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parts.h -- shared by enforcer.c and start.c alone. */
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

#endif
