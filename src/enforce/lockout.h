/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lockout.h -- would these rules drop the connection that somebody works over? */
#ifndef CORDON_ENFORCE_LOCKOUT_H
#define CORDON_ENFORCE_LOCKOUT_H

#include <stdbool.h>

#include "model/ruleset.h"
#include "proto/messages.h"

/* Its next packet towards the appliance, and the first of one like it. Not when
 * nothing is known of the connection or of the interface it comes in by. When
 * the rules cannot be run (no memory): yes. */
bool would_drop(const struct ruleset *, const struct ctl_connection *);

#endif
