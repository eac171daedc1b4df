/* SPDX-License-Identifier: GPL-2.0-or-later */
/* origin.h -- from a part of the ruleset back to the lines of the configuration
 * that it comes from. */
#ifndef CORDON_MODEL_ORIGIN_H
#define CORDON_MODEL_ORIGIN_H

#include <stddef.h>
#include <stdint.h>

#include "model/ruleset.h"

enum origin_kind {
	ORIGIN_NONE,		/* no line says this: a part of every ruleset */
	ORIGIN_APPLIANCE,
	ORIGIN_SCHEDULE,
	ORIGIN_CLASS,
	ORIGIN_RULE,		/* of a class: every rule that covers a part of it */
	ORIGIN_DEVICE,
};

#define ORIGIN_LINES 4

struct origin {
	enum origin_kind kind;
	const char *name;			/* of the class or device; "" */
	struct image_where where[ORIGIN_LINES];	/* the first of them */
	uint32_t n_where;			/* all that there are */
};

/* The set or chain of that name. -ENOENT: the ruleset has none. */
int origin_set(const struct ruleset *, const char *name, struct set_ref *out);
int origin_chain(const struct ruleset *, const char *name, struct chain_ref *out);

/* Who asked for it? Of a staged policy's parts its own ruleset knows (ruleset_candidate). */
void origin_of_element(const struct ruleset *, const struct element *, struct origin *out);
void origin_of_set(const struct ruleset *, const struct set_ref *, struct origin *out);
void origin_of_chain(const struct ruleset *, const struct chain_ref *, struct origin *out);

#define ELEMENT_STRLEN 320
/* "192.0.2.0-192.0.2.255 . tcp . 443", "0x500 : class_3": key and data as text;
 * chain: the data of a verdict map, or NULL for the element's own. Returns buf. */
const char *element_text(const struct element *, const char *chain, char buf[ELEMENT_STRLEN]);

#endif
