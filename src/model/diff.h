/* SPDX-License-Identifier: GPL-2.0-or-later */
/* diff.h -- from one ruleset to another by the fewest elements. */
#ifndef CORDON_MODEL_DIFF_H
#define CORDON_MODEL_DIFF_H

#include "model/ruleset.h"

/* Told in an order that a single kernel transaction accepts: elements that go,
 * chains whose rules go, new sets and chains, rules, elements that come, then
 * sets and chains that go. Each returns 0 or a negative errno, which ends the diff. */
struct diff_sink {
	int (*del_element)(void *arg, const struct element *);
	int (*add_element)(void *arg, const struct element *);
	int (*add_set)(void *arg, const struct set_ref *);
	int (*del_set)(void *arg, const struct set_ref *);
	int (*add_chain)(void *arg, const struct chain_ref *);
	int (*del_chain)(void *arg, const struct chain_ref *);
	int (*flush_chain)(void *arg, const struct chain_ref *);	/* its rules go */
	int (*flush_set)(void *arg, const struct set_ref *);	/* what packets added goes */
	int (*add_rule)(void *arg, const struct chain_ref *, const struct rule_ir *);
};

/* old may be NULL: then all of next is added. */
int diff_rulesets(const struct ruleset *old, const struct ruleset *next, const struct diff_sink *, void *arg);

/* One device whose station changes while the policy stays. */
struct station_change {
	uint32_t index;		/* into the image's devices */
	struct station from, to;
};

/* Any number of devices at once: all that goes, then all that comes. Into
 * quarantine, restricted, and back: maps and plain sets alone, which all turn in
 * one moment, so that nobody is to be judged once more in a second transaction. */
int diff_station_changes(const struct ruleset *, const struct station_change *, size_t n,
    const struct diff_sink *, void *arg);

/* The stations of next: those of old for the devices that stay, with a new
 * generation for each whose admitted flows must be judged again -- the class
 * that it stands in (station_class) lost something it could reach or changed its
 * mode, that class is another, or its identity changed. A restricted device is
 * limited to what next says (station_limited_under). New devices begin at
 * generation 1. *renewed counts the new generations; out has room for all
 * devices of next. wrapped[] (parallel to out) tells whose generations begin again. */
void diff_stations(const struct image *old, const struct station *old_stations, const struct image *next,
    struct station *out, bool *wrapped, uint32_t *renewed);

/* The addresses that next gives to another device than old did, or to one while
 * old gave them to none, or the other way round: flows that use them are no
 * longer what they were admitted as. Sorted by image_address_order; the caller
 * frees *out. 0 or -ENOMEM. */
int diff_moved_addresses(const struct image *old, const struct image *next, struct image_address **out,
    size_t *n);
int image_address_order(const void *, const void *);

#endif
