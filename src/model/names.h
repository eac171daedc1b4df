/* SPDX-License-Identifier: GPL-2.0-or-later */
/* names.h -- from a name to a number: the one hash table of the compiler.
 * Names are borrowed and outlive the table. */
#ifndef CORDON_MODEL_NAMES_H
#define CORDON_MODEL_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct names_slot {
	const char *name;	/* NULL: free */
	uint32_t hash;
	uint32_t value;
};

struct names {
	struct names_slot *slots;	/* a power of two of them, at most half in use */
	size_t n_slots;
	size_t n;
	uint64_t key[2];
};

void names_init(struct names *);
void names_done(struct names *);

/* 0; -EEXIST with the value that is there already in *old (may be NULL); -ENOMEM. */
int names_add(struct names *, const char *name, uint32_t value, uint32_t *old);

/* *value is untouched when the name is unknown. */
bool names_find(const struct names *, const char *name, uint32_t *value);

#endif
