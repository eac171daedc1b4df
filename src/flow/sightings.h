/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sightings.h -- MACs that no device has, as the device interfaces show them.
 *
 * Bounded three times: rows in all, new rows per interface and minute, and
 * addresses of one row. A flood of invented MACs fills the list slowly and
 * then pushes out its own interface's rows first. */
#ifndef CORDON_FLOW_SIGHTINGS_H
#define CORDON_FLOW_SIGHTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "evidence/sighting.h"
#include "flow/dhcp.h"
#include "flow/map.h"

#define SIGHTINGS_MINUTE_MS 60000

struct sightings {
	struct map by_key;		/* MAC and interface -> slot */
	struct map by_interface;	/* how many it has, and how many are new */
	struct sighting *rows;		/* of slot i at i - 1 */
	uint8_t *dirty;
	size_t n;			/* slots in use: the first ones */
	struct sighting_sums sums;
	bool any_dirty;
};

/* -ENOMEM. */
int sightings_init(struct sightings *, const struct siphash_key *seed);
void sightings_done(struct sightings *);

/* This MAC was seen on this interface; its row, or NULL: it is not taken,
 * which is counted. */
struct sighting *sightings_seen(struct sightings *, const struct mac *, const char *interface,
    const struct clock_view *);

/* Its row if it has one. */
struct sighting *sightings_find(struct sightings *, const struct mac *, const char *interface);

/* What it showed of itself. An unspecified address is none. */
void sightings_address(struct sightings *, struct sighting *, const struct addr *);
void sightings_dhcp(struct sightings *, struct sighting *, const struct dhcp_said *);

/* More (or, when a count was corrected, fewer) packets of it were refused. */
void sightings_packets(struct sightings *, struct sighting *, int64_t more, int64_t last_ms);

/* A row of an earlier run. It stays in its slot where that is free. */
void sightings_restore(struct sightings *, const struct sighting *);

/* Everything is to be written (again): the store is another one. */
void sightings_touch_all(struct sightings *);

/* Rows to write, at most max, beginning at *slot, which moves on; they are
 * clean when sightings_written says so. */
size_t sightings_dirty(const struct sightings *, size_t *slot, const struct sighting **rows, size_t max);
void sightings_written(struct sightings *);

#endif
