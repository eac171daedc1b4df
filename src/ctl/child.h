/* SPDX-License-Identifier: GPL-2.0-or-later */
/* child.h -- run cordon-compile: the one program that reads configuration. */
#ifndef CORDON_CTL_CHILD_H
#define CORDON_CTL_CHILD_H

#include <stddef.h>

#include "ctl/ctl.h"

/* Run <programs>/cordon-compile with these arguments (argv[0] is filled in,
 * NULL ends). out: descriptor for its standard output, -1 for ours; err the
 * same. keep: a descriptor that it inherits under its number, or -1.
 * Returns its exit code; or, said already: -1 when it could not be run or was killed. */
int child_compile(struct ctl *, const char *argv[], int out, int err, int keep);

/* Check a configuration folder quietly: EXIT_DONE without mistakes; otherwise
 * EXIT_MISTAKES with *mistakes an array of {"file", "line", "text"} (the caller
 * gives it up), or NULL: it could not be checked, said already. */
int child_check(struct ctl *, const char *folder, json_t **mistakes);

#endif
