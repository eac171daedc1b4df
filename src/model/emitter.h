/* SPDX-License-Identifier: GPL-2.0-or-later */
/* emitter.h -- inside model/: an element of a set, put together field by field. */
#ifndef CORDON_MODEL_EMITTER_H
#define CORDON_MODEL_EMITTER_H

#include "model/ruleset.h"

struct emitter {
	element_fn *fn;
	void *arg;
	bool staged;
	uint32_t class_number;	/* of the class whose reach this is */
	const struct image_reach *reach;
	int rc;			/* the first non-zero answer; nothing is emitted after it */
	struct element e;
};

void emitter_begin(struct emitter *, enum set_kind);
/* Of the class or schedule of that number. */
void emitter_begin_of(struct emitter *, enum set_kind, uint32_t number);

/* One field of the key; hi is the end of its range, or lo again. */
void emitter_field(struct emitter *, const void *lo, const void *hi, size_t len);
void emitter_bytes(struct emitter *, const void *, size_t len);
void emitter_mark_field(struct emitter *, uint32_t mark);
void emitter_u8(struct emitter *, uint8_t lo, uint8_t hi);
void emitter_port(struct emitter *, uint16_t lo, uint16_t hi);
void emitter_name(struct emitter *, const char *interface);

/* It is complete, without or with what it leads to. */
void emitter_end(struct emitter *);
void emitter_end_mark(struct emitter *, uint32_t mark);

#endif
