/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unknown.h -- the devices that no inventory names, from the evidence and from
 * the kernel's neighbours, as one list. */
#ifndef CORDON_CTL_UNKNOWN_H
#define CORDON_CTL_UNKNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctl/makers.h"
#include "evidence/sighting.h"
#include "model/image.h"

struct unknown {
	struct sighting s;	/* first_ms 0: only the neighbours know it */
	bool neighbour;		/* the kernel has it as a neighbour now */
};

struct unknown_list {
	struct unknown *list;
	size_t n, room;
	struct makers makers;
};

void unknown_done(struct unknown_list *);

/* One more source of the same MAC on the same interface, or of another; -ENOMEM. */
int unknown_add(struct unknown_list *, const struct sighting *, bool neighbour);

/* When all are there: join what is of one MAC and interface; leave out whom
 * the image names, what is on no device interface of it, and what was seen
 * last before since_ms. By time, the latest last; makers are wanted, not looked up. */
void unknown_settle(struct unknown_list *, const struct image *, int64_t since_ms);

#endif
