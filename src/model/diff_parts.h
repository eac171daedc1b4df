/* SPDX-License-Identifier: GPL-2.0-or-later */
/* diff_parts.h -- inside diff*.c: one diff under way. */
#ifndef CORDON_MODEL_DIFF_PARTS_H
#define CORDON_MODEL_DIFF_PARTS_H

#include "model/diff.h"
#include "model/element_list.h"

enum phase { PHASE_DELETE, PHASE_ADD };

struct diff {
	const struct ruleset *old;	/* or NULL */
	const struct ruleset *next;
	const struct diff_sink *sink;
	void *arg;
	/* Of the enforced policy, not of a staged one. */
	bool *same;			/* parallel to next's classes: as in old; NULL: nobody knows */
	bool named_same;		/* who is named by others is the same in every class of both */
	bool rates;			/* some device has a bucket of another rate than it is to have */
	struct element_list a, b;		/* scratch */
};

/* Is that class of next as it was in old, wherever it is looked at? */
bool diff_is_same(const struct diff *, bool staged, uint32_t class_number);

/* The lists of one unit stand in a (old) and b (next): tell what changes. */
int diff_tell(struct diff *, enum phase);

/* Has the device, by moving from one class to another, a bucket of the wrong rate? */
bool diff_rate_differs(const struct image *, uint32_t class_number, const struct image *next, uint32_t next_class);

/* All elements that go, or all that come. (diff_elements.c) */
int diff_elements(struct diff *, enum phase);

/* Sets, chains and rules. (diff_shape.c) */
int diff_rules(struct diff *, enum phase);
int diff_what_comes(struct diff *);
int diff_what_goes(struct diff *);

#endif
