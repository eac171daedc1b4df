/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trial.c -- whoever starts with an unconfirmed policy on the disk goes back to
 * the confirmed one, unless everything says that there is time left. */
#include "enforce/trial.h"

#include <errno.h>
#include <string.h>

#include "enforce/policy_store.h"

/* The newest sound image once more, above the trial: from here on it counts,
 * even if all else is lost. */
static int
go_back(int dirfd, uint64_t trial)
{
	struct loaded_policy before, tried = { .fd = -1 }, again;
	uint32_t passed_over;
	int rc;

	if ((rc = policy_store_load(dirfd, &before, &passed_over)) < 0)
		return rc;
	/* The numbers that the trial gave out stay given out. */
	if (policy_store_read(dirfd, trial, &tried) < 0)
		tried.fd = -1;
	rc = policy_store_again(&before, tried.fd != -1 ? &tried.image : &before.image, trial + 1, &again);
	if (rc == 0) {
		rc = policy_store_save(dirfd, &again, false);
		loaded_policy_done(&again);
	}
	loaded_policy_done(&tried);
	loaded_policy_done(&before);
	return rc;
}

static bool
is_sound(int dirfd, uint64_t revision)
{
	struct loaded_policy p;

	if (policy_store_read(dirfd, revision, &p) < 0)
		return false;
	loaded_policy_done(&p);
	return true;
}

/* A trial that no image came after: WHY_NONE while it may stay. */
static enum history_why
why_not(int dirfd, const struct trial *t, uint64_t trial, const uint8_t boot_id[BOOT_ID_LEN], int64_t boot_ms)
{
	if (!t->known || t->pending.revision != trial)
		return WHY_DAMAGED;
	if (memcmp(t->pending.boot_id, boot_id, BOOT_ID_LEN) != 0)
		return WHY_BOOT;
	if (pending_left(&t->pending, boot_id, boot_ms) == 0)
		return WHY_DEADLINE;
	return is_sound(dirfd, trial) ? WHY_NONE : WHY_DAMAGED;
}

int
trial_at_start(int dirfd, const uint8_t boot_id[BOOT_ID_LEN], int64_t boot_ms, struct trial *t)
{
	uint64_t image, trial;
	int rc;

	memset(t, 0, sizeof(*t));
	if ((rc = policy_store_newest(dirfd, &image, &trial)) < 0)
		return rc;
	t->known = pending_read(dirfd, &t->pending) == 0;
	if (trial <= image) {
		if (t->known && t->pending.revision == image)
			t->state = TRIAL_CONFIRMED;
		if (t->known && t->pending.revision < image) {
			t->state = TRIAL_REVERTED;
			t->given_up = t->pending.revision;
		}
		return 0;
	}
	t->why = why_not(dirfd, t, trial, boot_id, boot_ms);
	t->state = t->why == WHY_NONE ? TRIAL_WAITS : TRIAL_REVERTED;
	if (t->state == TRIAL_REVERTED) {
		t->given_up = trial;
		t->not_saved = -go_back(dirfd, trial);
	}
	return 0;
}
