/* SPDX-License-Identifier: GPL-2.0-or-later */
/* skeleton.h -- inside model/: the fixed part of the ruleset. */
#ifndef CORDON_MODEL_SKELETON_H
#define CORDON_MODEL_SKELETON_H

#include "model/ruleset.h"

int skeleton_each_rule(const struct ruleset *, enum chain_kind, rule_fn *, void *arg);

/* The maps by which a staged policy is asked. */
int staged_each_map(set_fn *, void *arg);

#endif
