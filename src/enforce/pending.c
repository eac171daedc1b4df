/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pending.c -- one checked record on disk, and what is left of its time. */
#include "enforce/pending.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "enforce/records.h"

static bool
sound(const void *held)
{
	const struct pending *p = held;

	return p->revision > p->before && p->confirm_s > 0 && p->confirm_s <= LIMIT_CONFIRM_SECONDS &&
	    memchr(p->who.login, '\0', sizeof(p->who.login)) != NULL;
}

static const struct record_kind kind = {
	.file = "policy.pending",
	.magic = 0x31575043U,	/* "CPW1" */
	.size = sizeof(struct pending),
	.max = 4096,
	.sound = sound,
};

int
pending_write(int dirfd, const struct pending *p)
{
	return records_rewrite(dirfd, &kind, p, 1);
}

int
pending_read(int dirfd, struct pending *out)
{
	struct pending *p;
	uint32_t damaged;
	uint8_t *bytes;
	size_t n, len;
	void *held;
	int rc;

	/* An empty file is a damaged one here. */
	if ((rc = file_read_at(dirfd, kind.file, kind.max, &bytes, &len)) < 0)
		return rc == -EFBIG ? -EBADMSG : rc;
	free(bytes);
	if ((rc = records_load(dirfd, &kind, &held, &n, &damaged)) < 0)
		return rc;
	p = held;
	if (n != 1 || damaged != 0 || len != kind.size + RECORD_FRAME)
		rc = -EBADMSG;
	else
		*out = *p;
	free(held);
	return rc;
}

int
pending_remove(int dirfd)
{
	int rc = file_remove_at(dirfd, kind.file);

	return rc == -ENOENT ? 0 : rc;
}

uint32_t
pending_left(const struct pending *p, const uint8_t boot_id[BOOT_ID_LEN], int64_t boot_ms)
{
	int64_t left = p->until_boot - boot_ms;

	/* Time since boot only goes forward: more than was asked for is nonsense. */
	if (memcmp(p->boot_id, boot_id, BOOT_ID_LEN) != 0 || left <= 0 || left > p->confirm_s * INT64_C(1000))
		return 0;
	return (uint32_t)left;
}
