/* SPDX-License-Identifier: GPL-2.0-or-later */
/* config.h -- from a configuration folder to a policy as written. */
#ifndef CORDON_CONFIG_CONFIG_H
#define CORDON_CONFIG_CONFIG_H

#include "model/policy.h"

/* Read cordon.conf, classes.d/ and devices.d/ below an open folder. Mistakes go
 * to *m and do not stop the reading; what could not be understood is left out.
 * now: seconds since 1970 (UTC); schedules are written out from there on. 0, or -ENOMEM and the like: *out is then untouched. Free with policy_free. */
int config_read_policy(int dirfd, int64_t now, struct policy **out, struct mistakes *m);

/* The same after the image that the lift was made of: unchanged files are not
 * parsed, their devices are lifted; for compile_again. -ESTALE: more changed than
 * inventories, or something is to be said of them: read all. */
struct lift;
int config_read_again(int dirfd, int64_t now, struct lift *, struct policy **out, struct mistakes *m);

/* The same for one text that is taken for the file of that name (*.conf or
 * *.csv); text[len] must be NUL, and inventories are changed. */
int config_read_text(const char *name, char *text, size_t len, int64_t now, struct policy **out,
    struct mistakes *m);

/* To be called before any sandbox: OpenSSL reads its own configuration when it
 * is first used, which we do not want. */
void config_start(void);

#endif
