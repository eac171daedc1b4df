/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policies.h -- random policies, small but with everything in them. */
#ifndef CORDON_TESTS_DIFFERENTIAL_POLICIES_H
#define CORDON_TESTS_DIFFERENTIAL_POLICIES_H

#include "model/policy.h"
#include "model/ruleset.h"
#include "random.h"

struct site {
	struct policy *policy;
	uint8_t *bytes;
	struct image image;
	struct station *stations;
	uint8_t *staged_bytes;		/* of a policy that stands beside it, or NULL */
	struct image staged;
};

/* Ends the program when the compiler finds a mistake in it. */
void site_make(struct site *, struct random *);
void site_done(struct site *);

/* One device elsewhere, or under a new mark. */
struct station site_moved(const struct site *, uint32_t index, struct random *);

/* An address of the small world that policies and packets are about. */
void random_address(struct random *, uint8_t family, uint8_t out[16]);
void random_service(struct random *, struct service *);

#endif
