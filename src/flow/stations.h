/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stations.h -- what each mark says of its device.
 *
 * Every change of a device's station comes with a new mark, so the meaning of
 * a mark never changes: a record that is read late is still told by its own
 * mark, and one that is read early waits for its mark to be explained. */
#ifndef CORDON_FLOW_STATIONS_H
#define CORDON_FLOW_STATIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "flow/directory.h"
#include "flow/map.h"
#include "proto/messages.h"

#define STATIONS_KEPT 4		/* marks of one device that are remembered: late records are seconds late */

struct stations {
	struct map by_number;
};

void stations_init(struct stations *, const struct siphash_key *seed);
void stations_done(struct stations *);

/* -EINVAL when the numbers contradict each other, -ENOSPC at the limit. */
int stations_set(struct stations *, const struct flow_station *);

/* STATION_UNKNOWN when this mark has not been told of. */
enum station_where stations_of_mark(const struct stations *, uint32_t mark);

/* By the device's present mark. */
enum station_where stations_of_device(const struct stations *, uint32_t number);

/* Forget devices that the directory does not know. */
void stations_prune(struct stations *, const struct directory *);

#endif
