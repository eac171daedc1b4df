/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parts.h -- what flow.c, flush.c and messages.c share; for nobody else. */
#ifndef CORDON_FLOW_PARTS_H
#define CORDON_FLOW_PARTS_H

#include "flow/flow.h"

struct loss {
	struct evidence_loss row;
	uint8_t dirty;
};

/* discover.c: what a record, or the packets of an attempt, tell of unknown
 * devices; and their way to the store and back. */
void discover_record(struct flow *, const struct record *, const struct clock_view *);
void discover_packets(struct flow *, struct open_attempt *, int64_t seen_ms);
int discover_load(struct flow *);
int discover_write(struct flow *);

/* Attempts whose mark has been explained since they came. */
void flow_settle(struct flow *);

/* The numbers as they stand. */
void flow_numbers(const struct flow *, uint32_t token, struct flow_flushed *out);

/* Answer a flush, or tell changed numbers (token 0). */
int flow_tell(struct flow *, uint32_t token, uint32_t serial, const struct clock_view *);

#endif
