/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow.h -- the whole of cordon-flow's state: what came in, what it means, and
 * where it goes. Time comes from the caller. */
#ifndef CORDON_FLOW_FLOW_H
#define CORDON_FLOW_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/ipc.h"
#include "evidence/store.h"
#include "flow/attempts.h"
#include "flow/clones.h"
#include "flow/directory.h"
#include "flow/links.h"
#include "flow/nflog.h"
#include "flow/sightings.h"
#include "flow/stations.h"
#include "model/image.h"
#include "proto/messages.h"

#define FLOW_FLUSH_MS 10000	/* to disk this often, and when cordond asks */
#define FLOW_TELL_MS 1000	/* numbers that changed are told this often at most */
#define FLOW_BATCH 4096		/* rows of one transaction */

struct flow {
	struct ipc *channel;		/* borrowed */
	const char *folder;		/* of the store */
	struct evidence *store;		/* NULL: could not be opened, tried again at each flush */
	struct evidence_bounds bounds;	/* oldest_ms is an age here */

	int nflog_fd;			/* -1: none yet */
	struct nflog nflog;
	uint64_t lost_before;		/* by sockets before this one */
	uint64_t unreadable;		/* records whose packet is no IP */

	const void *image_data;		/* mapped */
	size_t image_len;
	struct image image;
	uint64_t revision;

	struct links links;
	struct directory directory;
	struct stations stations;
	struct attempts *attempts;
	struct clones clones;
	struct sightings sightings;
	struct map losses;		/* device number -> struct loss */
	bool losses_dirty;
	bool stations_new;		/* marks were explained since attempts were last settled */

	uint64_t rows;			/* attempts that came into the store */
	int error;			/* of the last flush: errno or 0 */
	int64_t flushed_ms;
	struct flow_flushed told;	/* what cordond knows */
	int64_t told_ms;
};

/* -ENOMEM. The store is not opened here. */
int flow_init(struct flow *, struct ipc *channel, const char *folder, const struct siphash_key *seed);
void flow_done(struct flow *);

/* Open the store and take its open attempts up again. */
int flow_open_store(struct flow *, const struct clock_view *);

/* What the sockets have. 0, or a negative errno when one is of no more use. */
int flow_read_nflog(struct flow *, unsigned max, const struct clock_view *);
int flow_read_links(struct flow *, const struct clock_view *);

/* One message of cordond's; takes its descriptor. */
int flow_message(struct flow *, struct ipc_message *, const struct clock_view *);

/* All that is known goes to the store. 0 or -errno; what was not written is kept. */
int flow_flush(struct flow *, const struct clock_view *);

/* What is due by time. *wait_ms: until then nothing is. */
int flow_tick(struct flow *, const struct clock_view *, int *wait_ms);

/* One record; for flow_read_nflog and tests. */
void flow_record(struct flow *, const struct record *, const struct clock_view *);
void flow_count(struct flow *, const struct flow_count *, const struct clock_view *);
int flow_station(struct flow *, const struct flow_station *);

#endif
