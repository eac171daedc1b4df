/* SPDX-License-Identifier: GPL-2.0-or-later */
/* health.h -- what is wrong with a running appliance, from its own numbers. */
#ifndef CORDON_CTL_HEALTH_H
#define CORDON_CTL_HEALTH_H

#include <jansson.h>

#include "ctl/sources.h"
#include "ctl/view.h"
#include "proto/messages.h"

/* Each an array of sentences. A problem makes the appliance unhealthy; a note
 * is worth knowing. The view may be NULL: the sources are not known then. */
struct health {
	json_t *problems;
	json_t *notes;
	struct sources_sum sum;
};

void health_judge(const struct ctl_status *, const struct view *, struct health *out);
void health_done(struct health *);

/* The workers that must be up as long as cordond runs. */
bool health_needs(uint32_t proc);

#endif
