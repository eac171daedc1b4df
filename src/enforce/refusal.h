/* SPDX-License-Identifier: GPL-2.0-or-later */
/* refusal.h -- a transaction that failed, in words for an operator. */
#ifndef CORDON_ENFORCE_REFUSAL_H
#define CORDON_ENFORCE_REFUSAL_H

#include "enforce/nft_batch.h"

#define REFUSAL_LEN 1024

/* "classes.d/x.conf:12: the kernel refused this (...): what to do", a line for
 * each rule that it may come from. rc: what nft_batch_send answered; rs: the
 * ruleset that was to come. */
void refusal_say(const struct nft_batch *, int rc, const struct nft_failure *, const struct ruleset *rs,
    char text[REFUSAL_LEN]);

#endif
