/* SPDX-License-Identifier: GPL-2.0-or-later */
/* changes.h -- how one policy differs from another, for people and as JSON. */
#ifndef CORDON_CTL_CHANGES_H
#define CORDON_CTL_CHANGES_H

#include "ctl/ctl.h"
#include "model/image.h"

/* Print what changes from old (NULL: nothing) to next, at most as many lines of a
 * kind as --limit says. Numbers of devices and classes are those of both. Returns
 * EXIT_DONE when nothing changes, EXIT_DIFFERS, or EXIT_MISTAKES, said already. */
int changes_show(struct ctl *, const struct image *old, const struct image *next);

#endif
