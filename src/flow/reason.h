/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reason.h -- who it was, and why it was refused. */
#ifndef CORDON_FLOW_REASON_H
#define CORDON_FLOW_REASON_H

#include "evidence/attempt.h"
#include "flow/directory.h"
#include "flow/stations.h"

/* What is known of a refused packet; unknown parts are zero or "". */
struct circumstances {
	uint8_t group;		/* enum flow_group */
	uint8_t hook;		/* enum attempt_hook */
	uint8_t has_mac;
	uint32_t mark;
	const char *in;		/* interface names */
	const char *out;
	struct mac mac;
	struct addr source;
	struct addr destination;
};

/* Fill device, device_name, class_name, identity, reason, verdict and detail.
 * false: the station that the mark stands for is not known yet, and the
 * answer is what it would be without one; reason_settle corrects it. */
bool reason_find(const struct directory *, const struct stations *, const struct circumstances *,
    struct attempt *out);

/* The mark of the attempt has been explained. */
void reason_settle(struct attempt *, enum station_where);

#endif
