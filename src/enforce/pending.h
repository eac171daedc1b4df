/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pending.h -- the policy that waits for its confirmation: policy.pending, written
 * before that policy is anywhere else. Without it, or when it cannot be trusted,
 * the policy counts as not confirmed. */
#ifndef CORDON_ENFORCE_PENDING_H
#define CORDON_ENFORCE_PENDING_H

#include <stdint.h>

#include "common/clock.h"
#include "proto/messages.h"

struct pending {
	uint64_t revision;	/* that waits */
	uint64_t before;	/* that comes back; 0: the empty one */
	int64_t since;		/* wall clock: for people */
	int64_t until;		/* the same */
	int64_t until_boot;	/* since boot: this decides, */
	uint8_t boot_id[BOOT_ID_LEN];	/* at this boot */
	uint32_t confirm_s;
	uint32_t forced;
	struct ctl_who who;
};

/* Before this returns it is on the disk. */
int pending_write(int dirfd, const struct pending *);

/* 0; -ENOENT: nothing waits; -EBADMSG: it is damaged; other -errno. */
int pending_read(int dirfd, struct pending *out);

int pending_remove(int dirfd);

/* Milliseconds left at boot_ms of that boot; 0: none, or it was at another boot. */
uint32_t pending_left(const struct pending *, const uint8_t boot_id[BOOT_ID_LEN], int64_t boot_ms);

#endif
