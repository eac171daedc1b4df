/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lines.h -- what kernel and model agree on may still not be what the admin
 * wrote: both are made of one description. So the first packets of connections
 * that a class was asked about are held against its lines, the class against where
 * the device stands, and what passes against what a quarantine promises. */
#ifndef CORDON_TESTS_DIFFERENTIAL_LINES_H
#define CORDON_TESTS_DIFFERENTIAL_LINES_H

#include "model/explain.h"

struct lines_seen {
	const struct ruleset *rules;
	uint32_t mark;		/* so far */
	bool another;		/* a class was asked that is not the one where its device stands */
	bool asked;		/* a class's chain was entered, */
	bool inbound;		/* for what comes from beyond the router, */
	uint32_t class_number;	/* of this class, */
	uint32_t number;	/* for the device with this number; */
	bool audited;
};

/* A step of the way. */
void lines_step(struct lines_seen *, const struct trace_step *);

/* *n counts those that could be held against lines. */
bool lines_agree(const struct lines_seen *, const struct packet *, const struct verdict *, uint64_t *n);

#endif
