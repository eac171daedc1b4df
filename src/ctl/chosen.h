/* SPDX-License-Identifier: GPL-2.0-or-later */
/* chosen.h -- the devices that an operator names: one by one, or by their labels. */
#ifndef CORDON_CTL_CHOSEN_H
#define CORDON_CTL_CHOSEN_H

#include "ctl/view.h"

/* So many devices by a label are taken without --yes: more is seldom meant. */
#define CHOSEN_WITHOUT_YES 10U

struct chosen {
	const struct image_device **list;	/* borrowed from the view; each once */
	uint32_t n;
};

bool chosen_has_label(const struct image *, const struct image_device *, const char *label);

/* The devices of the words, or those that have all of the --label; with many of
 * these, --yes or --json is asked for. what: "revoke", for messages. 0, or the exit
 * code, said already; chosen_done in any case. */
int chosen_find(struct ctl *, const struct view *, const char *what, struct chosen *);

/* All for which is_one says yes. 0 or -ENOMEM. */
int chosen_all(const struct view *, bool (*is_one)(const struct snapshot_device *), struct chosen *);

void chosen_done(struct chosen *);

#endif
