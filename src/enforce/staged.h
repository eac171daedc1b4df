/* SPDX-License-Identifier: GPL-2.0-or-later */
/* staged.h -- the policy that stands staged beside the enforced one: asked what it
 * would say, and obeyed in nothing. On disk as staged.image and, behind it,
 * staged.note; what is damaged is no longer staged. */
#ifndef CORDON_ENFORCE_STAGED_H
#define CORDON_ENFORCE_STAGED_H

#include "enforce/enforcer.h"

/* What came of staging, or of ending it. */
struct stage_report {
	uint32_t added, removed;	/* elements */
	uint32_t microseconds;		/* of the kernel's transaction */
	const char *why;		/* a refused image: static text */
	char refused[1024];		/* as in an apply_report */
};

/* Stage a policy, in the place of what was staged; it is counted from here on.
 * -ESTALE: its devices have other numbers than those of the enforced one. What
 * fails changes nothing. */
int enforcer_stage(struct enforcer *, int image_fd, const struct ctl_who *, int64_t now, struct stage_report *);

/* -ENOENT: nothing is staged. */
int enforcer_unstage(struct enforcer *, struct stage_report *);

/* ---- inside the enforcer ------------------------------------------------ */

/* What start finds on the disk becomes the staged policy, without a word to the
 * kernel. 0: it is, or there is none; -EBADMSG: it was damaged, and is gone. */
int staged_load(struct enforcer *);

/* Nothing is staged from here on, for all but the kernel. */
void staged_forget(struct enforcer *);

/* May it stay beside this policy? Not when that is the same, nor when it gives
 * devices other numbers. */
enum staged_end { STAGED_STAYS, STAGED_ENFORCED, STAGED_STALE };
enum staged_end staged_beside(const struct enforcer *, const struct loaded_policy *next);

/* The kernel's counts begin at nothing. */
void staged_counts_begin(struct enforcer *);

/* The kernel holds the rules without what is staged: a crash came between the
 * disk and the kernel. Stage it there; *did says whether that was it. */
int staged_catch_up(struct enforcer *, bool *did);

#endif
