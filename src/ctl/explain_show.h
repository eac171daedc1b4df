/* SPDX-License-Identifier: GPL-2.0-or-later */
/* explain_show.h -- an explanation in words, and as JSON. */
#ifndef CORDON_CTL_EXPLAIN_SHOW_H
#define CORDON_CTL_EXPLAIN_SHOW_H

#include "ctl/ctl.h"
#include "model/explain.h"

#define PATH_STEPS_MAX 256

/* One step of the way, small enough to be kept. */
struct path_step {
	enum trace_kind kind;
	int depth;
	struct chain_ref chain;
	struct set_ref set;
	struct element key;
	uint32_t mark;
	bool negate, found;
};

struct path {
	struct path_step steps[PATH_STEPS_MAX];
	size_t n;
};

/* A trace_fn; arg is the path. Steps beyond the room are left out. */
void path_add(void *arg, const struct trace_step *);

/* What was asked, of whom, and what came of it. */
struct answer {
	const struct image *image;
	const struct question *question;
	const struct explanation *explanation;
	const struct path *path;
	const char *policy;		/* which one: "revision 7, which runs" */
	bool stations_known;		/* else: nobody is in quarantine, as far as is known */
};

bool answer_allows(const struct answer *);
void answer_show(const struct answer *, FILE *);
json_t *answer_object(const struct answer *);

/* "203.0.113.9 tcp 8883": the other end and what it is asked for. */
#define ASKED_STRLEN 160
const char *answer_asked(const struct answer *, char buf[ASKED_STRLEN]);

#endif
