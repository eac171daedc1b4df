/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stand.h -- an operator's word on devices or serials, on its way to cordond:
 * one message, one transaction, and the truth afterwards. */
#ifndef CORDON_CTL_STAND_H
#define CORDON_CTL_STAND_H

#include "ctl/chosen.h"
#include "ctl/client.h"

/* Who asks, the text of option `words`, and --until. 0, or the exit code, said already. */
int stand_fill(struct ctl *, enum ctl_stand_what, enum opt words, struct ctl_stand *);

/* --reason as a CRLReason; without it unspecified. The same. */
int stand_reason(struct ctl *, struct ctl_stand *);

/* Hexadecimal with or without colons, as the magnitude it is. -EINVAL. */
int stand_serial(const char *text, uint8_t out[LIMIT_SERIAL], uint32_t *len);

/* Send it. chosen: NULL with a serial. 0 (out->changed may be 0: it was so before),
 * or the exit code, said already. */
int stand_ask(struct ctl *, struct client *, const struct view *, const struct ctl_stand *, const struct chosen *,
    struct ctl_stood *out);

/* Where the devices stand after it: the kernel's truth, not what was asked.
 * EXIT_DIFFERS when one does not stand as it was meant to. */
int stand_show(struct ctl *, struct client *, struct view *, const struct ctl_stand *, const struct chosen *,
    const struct ctl_stood *);

/* All of that. */
int stand_do(struct ctl *, struct client *, struct view *, const struct ctl_stand *, const struct chosen *);

#endif
