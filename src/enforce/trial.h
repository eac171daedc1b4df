/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trial.h -- what a start finds of a policy that was to be confirmed. The files
 * alone are asked; the kernel follows when the policy is loaded. */
#ifndef CORDON_ENFORCE_TRIAL_H
#define CORDON_ENFORCE_TRIAL_H

#include <stdbool.h>

#include "enforce/pending.h"
#include "proto/history.h"

enum trial_state {
	TRIAL_NONE,		/* nothing waited */
	TRIAL_WAITS,		/* and still does: load pending.revision, not the newest image */
	TRIAL_REVERTED,		/* it was given up: the newest image is the one before, anew */
	TRIAL_CONFIRMED,	/* it was confirmed, and a crash kept that from being written down */
};

struct trial {
	enum trial_state state;
	enum history_why why;	/* TRIAL_REVERTED */
	uint64_t given_up;	/* TRIAL_REVERTED */
	int not_saved;		/* TRIAL_REVERTED: errno; the next start will do it again */
	bool known;		/* pending says who and when */
	struct pending pending;
};

/* Goes back on disk where that is due. 0, or -errno when the folder cannot be read. */
int trial_at_start(int dirfd, const uint8_t boot_id[BOOT_ID_LEN], int64_t boot_ms, struct trial *);

#endif
