/* SPDX-License-Identifier: GPL-2.0-or-later */
/* history.c -- the history of the policy on disk. */
#include "enforce/history.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "enforce/records.h"

#define HISTORY_FILE "policy.history"

static bool
sound(const void *held)
{
	const struct history_entry *h = held;

	return h->what > 0 && h->what < HISTORY_WHATS && h->why < HISTORY_WHYS &&
	    memchr(h->who.login, '\0', sizeof(h->who.login)) != NULL;
}

static const struct record_kind history = {
	.file = HISTORY_FILE,
	.magic = 0x31485043U,	/* "CPH1" */
	.size = sizeof(struct history_entry),
	.max = 16U << 20,
	.sound = sound,
};

int
history_load(int dirfd, struct history_entry **out, size_t *n, uint32_t *damaged)
{
	void *held;
	int rc = records_load(dirfd, &history, &held, n, damaged);

	if (rc < 0)
		return rc;
	*out = held;
	if (*n > LIMIT_HISTORY) {
		memmove(*out, *out + (*n - LIMIT_HISTORY), LIMIT_HISTORY * sizeof(**out));
		*n = LIMIT_HISTORY;
	}
	return 0;
}

/* The file is as long as twice what is kept: write it anew, shorter. */
static int
shorten(int dirfd)
{
	struct history_entry *all;
	uint32_t damaged;
	size_t n;
	int rc = history_load(dirfd, &all, &n, &damaged);

	if (rc == 0) {
		rc = records_rewrite(dirfd, &history, all, n);
		free(all);
	}
	return rc;
}

int
history_append(int dirfd, const struct history_entry *h)
{
	const off_t full = (off_t)(2 * LIMIT_HISTORY * (sizeof(*h) + RECORD_FRAME));
	struct stat st;
	int rc;

	if (fstatat(dirfd, HISTORY_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size >= full &&
	    (rc = shorten(dirfd)) < 0)
		return rc;
	return records_append(dirfd, &history, h, 1);
}
