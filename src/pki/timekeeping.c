/* SPDX-License-Identifier: GPL-2.0-or-later */
/* timekeeping.c -- the time below which no clock is believed: a router without a
 * battery begins in the past, and what was verified before cannot lie ahead. */
#include "common/log.h"
#include "pki/pki.h"
#include "pki/store.h"

#define SAVE_MS (6 * 3600 * 1000LL)	/* without other writes no more often: flash wears */

void
pki_clock(const struct pki *p, const struct clock_view *now, struct pki_clock *out)
{
	out->wall_ms = now->wall_ms;
	out->boot_ms = now->boot_ms;
	out->floor_ms = p->floor_ms;
	out->trusted = now->wall_ms >= p->floor_ms && clock_is_set();
}

void
pki_clock_load(struct pki *p, const struct clock_view *now)
{
	int64_t saved;

	p->floor_ms = CLOCK_FLOOR_MS;
	p->floor_saved_boot = now->boot_ms;
	if (store_load_clock(p->folder, &saved) == 0 && saved > p->floor_ms) {
		p->floor_ms = saved;
		p->floor_saved_ms = saved;
	}
	if (now->wall_ms < p->floor_ms)
		log_warn(0, "the clock is behind: it is later than it says");
}

/* A date that nobody vouches for may lie ahead, by mistake or on purpose: a floor
 * there would outlive any correction. */
void
pki_clock_saw(struct pki *p, int64_t this_update, const struct clock_view *now)
{
	struct pki_clock clock;

	pki_clock(p, now, &clock);
	if (this_update <= p->floor_ms || this_update > pki_clock_now(&clock) + CRL_SKEW_MS)
		return;
	p->floor_ms = this_update;
}

void
pki_clock_save(struct pki *p, bool other_writes, const struct clock_view *now)
{
	struct pki_clock clock;
	int64_t floor;
	int rc;

	if (!other_writes && now->boot_ms - p->floor_saved_boot < SAVE_MS)
		return;
	pki_clock(p, now, &clock);
	floor = clock.trusted && now->wall_ms > p->floor_ms ? now->wall_ms : p->floor_ms;
	p->floor_saved_boot = now->boot_ms;
	if (floor <= p->floor_saved_ms)
		return;
	if ((rc = store_save_clock(p->folder, floor)) < 0) {
		log_warn(rc, "the CRL folder did not take the time");
		return;
	}
	p->floor_ms = p->floor_saved_ms = floor;
}
