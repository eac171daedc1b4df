/* SPDX-License-Identifier: GPL-2.0-or-later */
/* change_parts.h -- shared by change.c and change_start.c alone. */
#ifndef CORDON_ENFORCE_CHANGE_PARTS_H
#define CORDON_ENFORCE_CHANGE_PARTS_H

#include "enforce/cordond.h"

#define GRACE_MS	3000	/* cordon-spawn's clock runs out after ours, also on a busy machine */
#define SEND_WAIT_MS	200

extern const struct ctl_who change_nobody;

/* cordon-spawn ends us after so long, unless it hears otherwise. */
int change_arm(struct cordond *, uint32_t ms);
void change_set_timer(struct cordond *, uint32_t ms);
void change_on_timer(evutil_socket_t, short, void *cordond);

/* Nothing waits any more. The file goes last, when all else is written down. */
void change_settled(struct cordond *);

/* Complete a record and write it down. */
int change_record(struct cordond *, struct history_entry *);

const char *change_why_text(enum history_why);

#endif
