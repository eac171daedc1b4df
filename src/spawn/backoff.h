/* SPDX-License-Identifier: GPL-2.0-or-later */
/* backoff.h -- how long to wait before a program that ended is started again. */
#ifndef CORDON_SPAWN_BACKOFF_H
#define CORDON_SPAWN_BACKOFF_H

#include <stdint.h>

#define BACKOFF_FIRST_MS 100	/* a crash is repaired at once, as a person sees it */
#define BACKOFF_MAX_MS	 10000	/* a program that cannot start costs next to nothing */
#define BACKOFF_RESET_MS 30000	/* up that long: what ended it has nothing to do with the last time */

struct backoff {
	int64_t started_ms;
	int64_t delay_ms;	/* the last one; 0: none yet */
};

/* It was started at now_ms. */
void backoff_started(struct backoff *, int64_t now_ms);

/* It ended at now_ms, or could not be started: how long to wait, in milliseconds. */
int64_t backoff_ended(struct backoff *, int64_t now_ms);

#endif
