/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sandbox_parts.h -- the two long steps of sandbox_enter. For sandbox*.c only. */
#ifndef CORDON_COMMON_SANDBOX_PARTS_H
#define CORDON_COMMON_SANDBOX_PARTS_H

#include <stdbool.h>

#include "common/sandbox.h"

/* 0 or -errno; *landlocked is false, with 0, when the kernel has no Landlock. */
int sandbox_landlock(const struct sandbox *, bool *landlocked);

int sandbox_seccomp(const struct sandbox *);

#endif
