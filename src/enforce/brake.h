/* SPDX-License-Identifier: GPL-2.0-or-later */
/* brake.h -- how many devices were quarantined by themselves lately:
 * brake.journal, which survives restarts. More than the policy allows wait for a
 * person instead. */
#ifndef CORDON_ENFORCE_BRAKE_H
#define CORDON_ENFORCE_BRAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"

/* So many at one time. */
struct braked {
	int64_t at;		/* wall clock */
	int64_t at_boot;	/* since boot, */
	uint8_t boot_id[BOOT_ID_LEN];	/* of this boot */
	uint32_t n;
	uint32_t pad;
};

struct brake {
	uint8_t boot_id[BOOT_ID_LEN];	/* of the running one */
	struct braked *list;
	size_t n, room;
};

/* What is on the disk. 0 or -errno; then it begins empty. */
int brake_load(struct brake *, int dirfd, const uint8_t boot_id[BOOT_ID_LEN]);
void brake_done(struct brake *);

/* How many within the last so many seconds. Of this boot the time since boot counts;
 * of others the wall clock, and where that went back, the time since this boot. */
uint32_t brake_used(const struct brake *, uint32_t within_s, const struct clock_view *now);

/* Would n more be too many? devices 0: never. */
bool brake_holds(const struct brake *, uint32_t devices, uint32_t within_s, uint32_t n, const struct clock_view *now);

/* It happened. Counted here whatever the disk says: -errno when it did not take it. */
int brake_note(struct brake *, int dirfd, uint32_t within_s, uint32_t n, const struct clock_view *now);

#endif
