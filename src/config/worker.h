/* SPDX-License-Identifier: GPL-2.0-or-later */
/* worker.h -- cordon-compile as a worker of cordond. */
#ifndef CORDON_CONFIG_WORKER_H
#define CORDON_CONFIG_WORKER_H

#include <stdbool.h>

#include "model/image.h"
#include "model/policy.h"

/* Read and compile what is below an open folder. 0 with *image (the caller frees
 * it), -EINVAL with mistakes, or another negative errno. */
typedef int compile_fn(int dirfd, const struct image *before, struct mistakes *, uint8_t **image, size_t *len);

/* Say READY, take one request, answer it. The sandbox stands already. 0 or -errno. */
int worker_run(bool landlocked, compile_fn *);

#endif
