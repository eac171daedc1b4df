/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy_store.h -- policy images on disk (policy-00000004.image, by revision)
 * and in sealed memory, where other processes may look at them. */
#ifndef CORDON_ENFORCE_POLICY_STORE_H
#define CORDON_ENFORCE_POLICY_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/image.h"

struct loaded_policy {
	int fd;			/* sealed memory */
	const void *data;
	size_t len;
	struct image image;	/* borrows data */
	uint64_t revision;	/* 0: the empty policy of an appliance without one */
};

/* Check and take over a sealed image; fd stays the caller's (it is duplicated).
 * *why: static text, when it is refused. */
int loaded_policy_from_fd(int fd, uint64_t revision, struct loaded_policy *out, const char **why);
/* The same from bytes that are nobody's sealed memory yet. */
int loaded_policy_from_bytes(const void *data, size_t len, uint64_t revision, struct loaded_policy *out);
void loaded_policy_done(struct loaded_policy *);

/* A policy that nobody confirmed yet is a trial (policy-00000005.trial): no start
 * takes it for an image by itself, whatever else was lost. */

/* The newest image that is sound; *passed_over counts damaged ones before it.
 * With none there is the empty policy, revision 0. */
int policy_store_load(int dirfd, struct loaded_policy *out, uint32_t *passed_over);

/* A revision, image or trial; 0: the empty policy. -ENOENT, -EBADMSG. */
int policy_store_read(int dirfd, uint64_t revision, struct loaded_policy *out);

/* Write a policy under its revision, durably; old revisions beyond a few go. */
int policy_store_save(int dirfd, const struct loaded_policy *, bool trial);

/* The trial of this revision is an image from here on, durably. */
int policy_store_keep(int dirfd, uint64_t revision);

/* Take a revision back that the kernel did not accept. */
void policy_store_discard(int dirfd, uint64_t revision);

/* The highest numbers in use, 0: none. A trial above every image was never
 * confirmed nor given up. */
int policy_store_newest(int dirfd, uint64_t *image, uint64_t *trial);

/* The newest sound image below this one whose content is another; 0: none. */
uint64_t policy_store_before(int dirfd, const struct loaded_policy *);

/* The same policy under another revision, with the numbers of `now' counting as
 * given out: no newcomer may get one that somebody had meanwhile. */
int policy_store_again(const struct loaded_policy *stored, const struct image *now, uint64_t revision,
    struct loaded_policy *out);

#endif
