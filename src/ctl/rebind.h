/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rebind.h -- the text of an inventory with another MAC in one place. Pure. */
#ifndef CORDON_CTL_REBIND_H
#define CORDON_CTL_REBIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"

/* Replace the first mention of `old` at or behind that line (from 1) that is no
 * comment. In a configuration file (not CSV), `note` becomes a comment on a line
 * of its own before it; NULL: none. *out is malloc'd. -ENOENT: it is not there;
 * -ENOMEM. */
int rebind_text(const char *text, size_t len, uint32_t line, bool csv, const struct mac *old, const struct mac *new,
    const char *note, char **out, size_t *out_len);

#endif
