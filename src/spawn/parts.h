/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parts.h -- shared by supervise.c and supervise_time.c alone. */
#ifndef CORDON_SPAWN_PARTS_H
#define CORDON_SPAWN_PARTS_H

#include "spawn/supervise.h"

void enforcer_start(struct supervisor *, int64_t now_ms);

/* err: an errno to name, or 0. why: "cordond" and this is the sentence. */
void enforcer_kill(struct supervisor *, int err, const char *why);

#endif
