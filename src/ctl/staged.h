/* SPDX-License-Identifier: GPL-2.0-or-later */
/* staged.h -- what a staged policy would change, as far as it was asked of cordond. */
#ifndef CORDON_CTL_STAGED_H
#define CORDON_CTL_STAGED_H

#include "ctl/ctl.h"
#include "ctl/view.h"
#include "proto/staged.h"

struct staged {
	struct ctl *c;
	const struct view *view;	/* what is enforced */
	struct image next;		/* what is staged */
	const void *image_data, *counts_data;
	size_t image_len, counts_len;
	struct ctl_staged head;
	struct staged_total *totals;	/* copies, the most first */
	struct staged_key *keys;
	uint64_t refused, allowed;	/* of all totals */
	uint64_t named[2];		/* of these, how many the keys name: refused, allowed */
	uint32_t limit;
	uint32_t facts;
	json_t *list;			/* of facts */
};

/* For people, and for programs. 0 or -ENOMEM; the exit code. */
int staged_print(struct staged *);
int staged_json(struct staged *);

#endif
