/* SPDX-License-Identifier: GPL-2.0-or-later */
/* show.h -- a disagreement, for somebody who has to find out who is right. */
#ifndef CORDON_TESTS_DIFFERENTIAL_SHOW_H
#define CORDON_TESTS_DIFFERENTIAL_SHOW_H

#include "hooks.h"
#include "policies.h"

/* The policy, the packet, both verdicts, and the way through chains and sets. */
void show_disagreement(const struct site *, const struct ruleset *, struct evaluator *, const struct seen *,
    const struct verdict *);

#endif
