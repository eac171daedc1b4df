/* SPDX-License-Identifier: GPL-2.0-or-later */
/* backoff.c -- doubling delays; pure, the time is passed in. */
#include "spawn/backoff.h"

void
backoff_started(struct backoff *b, int64_t now_ms)
{
	b->started_ms = now_ms;
}

int64_t
backoff_ended(struct backoff *b, int64_t now_ms)
{
	if (b->delay_ms == 0 || now_ms - b->started_ms >= BACKOFF_RESET_MS)
		b->delay_ms = BACKOFF_FIRST_MS;
	else if (b->delay_ms > BACKOFF_MAX_MS / 2)
		b->delay_ms = BACKOFF_MAX_MS;
	else
		b->delay_ms *= 2;
	return b->delay_ms;
}
