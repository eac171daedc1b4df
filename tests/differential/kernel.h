/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel.h -- a ruleset into the kernel, by the encoders that cordond uses. */
#ifndef CORDON_TESTS_DIFFERENTIAL_KERNEL_H
#define CORDON_TESTS_DIFFERENTIAL_KERNEL_H

#include "model/diff.h"
#include "model/ruleset.h"

/* In the router's namespace. */
void kernel_open(struct features *);

/* In the place of whatever stands. */
void kernel_load(const struct ruleset *);

void kernel_move(const struct ruleset *, const struct station_change *, size_t n);

#endif
