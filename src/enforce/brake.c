/* SPDX-License-Identifier: GPL-2.0-or-later */
/* brake.c -- counting what happens by itself, across restarts and clocks that jump. */
#include "enforce/brake.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "enforce/records.h"

#define SHORTEN_AT 256	/* records; then those that count no more go */

static bool
sound(const void *held)
{
	(void)held;
	return true;
}

static const struct record_kind kind = {
	.file = "brake.journal",
	.magic = 0x31425143U,	/* "CQB1" */
	.size = sizeof(struct braked),
	.max = 16U << 20,
	.sound = sound,
};

int
brake_load(struct brake *b, int dirfd, const uint8_t boot_id[BOOT_ID_LEN])
{
	uint32_t damaged;
	void *held;
	int rc;

	memset(b, 0, sizeof(*b));
	memcpy(b->boot_id, boot_id, BOOT_ID_LEN);
	if ((rc = records_load(dirfd, &kind, &held, &b->n, &damaged)) < 0)
		return rc;
	b->list = held;
	b->room = b->n;
	return 0;
}

void
brake_done(struct brake *b)
{
	free(b->list);
	memset(b, 0, sizeof(*b));
}

static bool
counts(const struct brake *b, const struct braked *x, uint32_t within_s, const struct clock_view *now)
{
	const int64_t within = within_s * INT64_C(1000);

	if (memcmp(x->boot_id, b->boot_id, BOOT_ID_LEN) == 0)
		return now->boot_ms - x->at_boot < within;
	if (x->at > now->wall_ms)	/* nobody knows how long ago that was */
		return now->boot_ms < within;
	return now->wall_ms - x->at < within;
}

uint32_t
brake_used(const struct brake *b, uint32_t within_s, const struct clock_view *now)
{
	uint64_t used = 0;

	for (size_t i = 0; i < b->n; i++)
		if (counts(b, &b->list[i], within_s, now))
			used += b->list[i].n;
	return used > UINT32_MAX ? UINT32_MAX : (uint32_t)used;
}

bool
brake_holds(const struct brake *b, uint32_t devices, uint32_t within_s, uint32_t n, const struct clock_view *now)
{
	return devices != 0 && (uint64_t)brake_used(b, within_s, now) + n > devices;
}

/* What counts no more goes from the list and from the file. */
static int
shorten(struct brake *b, int dirfd, uint32_t within_s, const struct clock_view *now)
{
	size_t kept = 0;

	for (size_t i = 0; i < b->n; i++)
		if (counts(b, &b->list[i], within_s, now))
			b->list[kept++] = b->list[i];
	if (kept == b->n)
		return 0;
	b->n = kept;
	return records_rewrite(dirfd, &kind, b->list, b->n);
}

int
brake_note(struct brake *b, int dirfd, uint32_t within_s, uint32_t n, const struct clock_view *now)
{
	struct braked x = { .at = now->wall_ms, .at_boot = now->boot_ms, .n = n };
	int rc = 0;

	if (n == 0)
		return 0;
	memcpy(x.boot_id, b->boot_id, BOOT_ID_LEN);
	if (b->n >= SHORTEN_AT)
		rc = shorten(b, dirfd, within_s, now);
	if (b->n == b->room) {
		size_t room = b->room != 0 ? 2 * b->room : 16;
		struct braked *list = reallocarray(b->list, room, sizeof(*list));

		if (list == NULL)
			return -ENOMEM;
		b->list = list;
		b->room = room;
	}
	b->list[b->n++] = x;
	return rc < 0 ? rc : records_append(dirfd, &kind, &x, 1);
}
