/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compile_parts.h -- what the files of the compiler share. */
#ifndef CORDON_MODEL_COMPILE_PARTS_H
#define CORDON_MODEL_COMPILE_PARTS_H

#include "model/compile.h"
#include "model/image_build.h"
#include "proto/limits.h"

/* A declaration and the number it has for ever. */
struct numbered {
	uint32_t number;
	uint32_t index;		/* into the policy's array */
};

/* One address of one device. */
struct address_at {
	uint32_t device;	/* index into the policy's array */
	uint32_t nth;
};

/* Who names whom, by index: to[first[i]] to to[first[i + 1] - 1] for i. */
struct graph {
	uint32_t *first;
	uint32_t *to;
	size_t n;
};

/* A rule without names of groups and services: whereto, and what. Pointers to
 * struct destination and struct service. */
struct resolved {
	const void **to;
	size_t n_to, cap_to;
	const void **services;
	size_t n_services, cap_services;
};

/* A piece of a reach before overlaps are resolved. */
struct piece {
	uint8_t direction;	/* enum reach_direction */
	uint32_t schedule;
	uint32_t peer;		/* class number; 0: by address */
	struct image_box box;
};

/* What an inbound rule of one class adds to the reach of another. */
struct meeting {
	uint32_t class_number;
	struct piece piece;
};

struct compile {
	const struct policy *p;
	const struct image *before;	/* or NULL */
	const struct lift *lift;	/* what stands there was lifted out of before; or NULL */
	struct mistakes *m;
	bool told;		/* who read the policy found mistakes: do not tell them again */
	bool too_many;		/* beyond limits: what needs room for each is left out */
	bool tangled;		/* classes extend each other in a circle */
	struct names authorities;	/* name -> index into the policy's array */
	struct names services;
	struct names groups;
	struct names schedules;
	struct names classes;
	struct names devices;
	struct names interfaces;
	struct graph extends;		/* of classes */
	struct graph nested;		/* of groups */
	struct resolved rule;		/* the one at hand */
	uint32_t *group_seen;		/* parallel to groups, services and classes: in which look */
	uint32_t *service_seen;
	uint32_t *class_seen;
	uint32_t look;
	const struct class_decl **family;	/* the class at hand, and all that it extends */
	size_t n_family;
	struct meeting *meetings;	/* by class number */
	size_t n_meetings;
	uint32_t *by_name;		/* indices of devices, sorted */
	uint32_t *by_mac;		/* of those with a MAC of their own */
	size_t n_by_mac;
	struct address_at *by_address;	/* whole addresses */
	size_t n_by_address;
	uint8_t *named;			/* parallel to classes: some class has it as destination */
	uint8_t *hints;			/* the same: bits of enum class_hint */
	uint8_t *restricts;		/* the same: an authority puts devices in it */
	uint8_t *remedies;		/* the same: it has a quarantine class of its own */
	uint32_t *remedy_number;	/* the same: that one's number, or 0 */
	size_t n_remedies;
	size_t settled;			/* warnings before those about devices */
	struct numbered *authority_order;	/* by number */
	struct numbered *class_order;	/* with those of quarantine: index n_classes + that of their class */
	struct numbered *device_order;
	uint32_t *class_number;		/* parallel to the policy's classes */
	uint32_t *authority_number;
	uint32_t *schedule_number;
	uint32_t *schedule_order;	/* indices of schedules, sorted */
	uint32_t *file_text;		/* parallel to the policy's files: text offsets */
	struct image_build b;
};

const char *compile_file(const struct compile *, const struct where *);
struct image_where compile_where(const struct compile *, const struct where *);

/* Everything that can be wrong with the policy as a whole; fills the tables and
 * orders. 0 or -ENOMEM; mistakes are counted, not returned. (compile_check.c) */
int compile_check(struct compile *);

/* ---- names (compile_names.c) -------------------------------------------- */

/* All names that are declared; those used twice are mistakes. 0 or -ENOMEM. */
int compile_enter_names(struct compile *);

/* `what "name" is not declared: ', and which one may be meant, or what to do. */
void compile_unknown(struct compile *, const struct where *, const char *what, const char *name,
    const struct names *, const char *to_do);

/* ---- who names whom (compile_graph.c) ----------------------------------- */

/* Fills c->extends and c->nested; circles and unknown names are mistakes. 0 or -ENOMEM. */
int compile_graphs(struct compile *);
void graph_done(struct graph *);

/* c->hints and c->remedies. */
void compile_hints(struct compile *);

/* c->family: the class at this index, then those it extends, depth first, each once;
 * at most one more than the limit. */
void compile_family(struct compile *, uint32_t index);

/* What the class says, or the first of its family that does. */
const struct class_decl *compile_who_says(const struct compile *, enum class_key);

/* c->rule: the destinations and services of a rule, each of them once;
 * what no declaration stands for is left out. 0 or -ENOMEM. (compile_resolve.c) */
int compile_resolve(struct compile *, const struct rule *);

/* Can this service exist towards this destination? ICMP belongs to IPv4. */
bool compile_fits(const struct destination *, const struct service *);

/* Rules, by themselves and together with what a class extends. (compile_check_rules.c) */
int compile_check_rules(struct compile *);

/* Authorities; fills c->restricts. (compile_authorities.c) */
void compile_check_authorities(struct compile *);

/* Devices. (compile_devices.c) */
int compile_check_devices(struct compile *);

/* Which packets are whose. Fills the orders of devices. (compile_identity.c) */
int compile_check_identities(struct compile *);
bool compile_address_is_whole(const struct device_address *);
enum device_identity compile_identity(const struct device_decl *);

/* ---- into the image ----------------------------------------------------- */

/* Numbers for authorities, classes and devices. (compile_numbers.c) */
int compile_numbers(struct compile *);
int compile_numbered_cmp(const void *, const void *);

/* Names and windows that are wrong; numbers by name; then into the image. (compile_schedules.c) */
void compile_check_schedules(struct compile *);
void compile_schedules(struct compile *);
/* 0: always. */
uint32_t compile_schedule_number(const struct compile *, const struct rule *);

void compile_authorities(struct compile *);

#define CLASS_REMEDY_NAME (LIMIT_NAME + sizeof("/quarantine"))
/* What the class is called where the devices of that one stand in quarantine: no admin
 * can write it. (compile_names.c) */
void compile_remedy_name(const char *name, char out[CLASS_REMEDY_NAME]);

/* A class with its rules: c->family is set, and number, named, hints and quarantine of
 * the record. (compile_rules.c) */
int compile_class(struct compile *, struct image_class *);
/* The rules of all classes that name others as their sources: fills c->meetings
 * and c->named. */
int compile_meetings(struct compile *);
/* Disjoint boxes of n overlapping ones; beyond `room' it is a mistake of that class. */
int compile_boxes(struct compile *, const struct class_decl *, const struct image_box *, size_t n, size_t room,
    struct image_slice *);
void compile_services(struct compile *, struct image_slice *);

/* The reaches that pieces amount to; sorts them. (compile_reaches.c) */
int compile_reaches(struct compile *, const struct class_decl *, struct piece *, size_t n, struct image_slice *);

/* All devices. (compile_devices.c) */
int compile_devices(struct compile *);

/* By what names are given, and what becomes of them. (compile.c) */
int compile_init(struct compile *, const struct policy *, const struct image *before, struct mistakes *);
void compile_done(struct compile *);
void compile_files(struct compile *);
void compile_warnings(struct compile *);

/* The order of devices that the image had, without those that were not lifted;
 * behind them all others as they stand. The number of the first. (compile_again.c) */
size_t compile_lifted_names(struct compile *);
size_t compile_lifted_macs(struct compile *);
size_t compile_lifted_addresses(struct compile *);

#endif
