/* SPDX-License-Identifier: GPL-2.0-or-later */
/* describe.h -- what changes from one policy to another: in the admin's words, and
 * in elements of sets. */
#ifndef CORDON_MODEL_DESCRIBE_H
#define CORDON_MODEL_DESCRIBE_H

#include "model/ruleset.h"

enum described_area {
	DESCRIBED_APPLIANCE,
	DESCRIBED_AUTHORITY,
	DESCRIBED_SCHEDULE,
	DESCRIBED_CLASS,
	DESCRIBED_DEVICE,
	DESCRIBED_AREAS
};

enum described_sign { DESCRIBED_COMES, DESCRIBED_GOES, DESCRIBED_CHANGES };

/* One change. Text is borrowed for the call. */
struct described {
	enum described_area area;
	enum described_sign sign;
	const char *name;	/* of the authority, schedule, class or device; "" of the appliance */
	const char *text;	/* "allows 10.20.0.0/28: udp 123" */
	const char *file;	/* where it stands in next, or, of what goes, stood in old; "": nowhere */
	uint32_t line;
};

typedef int described_fn(void *arg, const struct described *);

/* Told area by area, by name. With old NULL everything comes. Non-zero answers of
 * fn end it; -ENOMEM. */
int describe_policies(const struct image *old, const struct image *next, described_fn *, void *arg);

/* ---- in elements -------------------------------------------------------- */

struct described_elements {
	uint32_t added, removed;	/* elements; of a table that is made anew, all of both */
	uint32_t renewed;		/* devices whose open connections are judged again */
	bool anew;			/* the table is made anew: it outgrew its sets, or its place changed */
};

typedef int described_set_fn(void *arg, const char *set, uint32_t added, uint32_t removed);

/* Set by set, sorted by kind and number. Both images count devices and classes
 * alike (next was compiled with old before it). stations: of old's devices, or
 * NULL: none is in quarantine. */
int describe_elements(const struct image *old, const struct station *stations, const struct image *next,
    struct features, described_set_fn *, void *arg, struct described_elements *out);

#endif
