/* SPDX-License-Identifier: GPL-2.0-or-later */
/* explain.h -- would this connection begin, which line says so, and what was it
 * asked on the way? The verdict is evaluate()'s; here are the question's packet,
 * and the lines as they were written that cover it. */
#ifndef CORDON_MODEL_EXPLAIN_H
#define CORDON_MODEL_EXPLAIN_H

#include "common/addr.h"
#include "model/evaluate.h"

enum question_kind {
	ASK_OUT,		/* the device begins a connection to other */
	ASK_IN,			/* other begins one to the device */
	ASK_APPLIANCE,		/* the device asks the appliance itself */
};

struct question {
	enum question_kind kind;
	const struct image_device *device;
	struct addr other;
	uint8_t family;		/* of the packet; ASK_APPLIANCE has no other */
	uint8_t protocol;
	uint16_t port;		/* or ICMP's type */
	int64_t time_s;
};

enum explain_reason {
	BECAUSE_RULE,		/* a rule says so */
	BECAUSE_SERVICE,	/* the appliance's services say so */
	BECAUSE_AUDITED,	/* nothing says so, but the class is only watched */
	BECAUSE_NO_RULE,	/* no rule of the class says so */
	BECAUSE_CLOSED,		/* one does, but its schedule is closed at that time */
	BECAUSE_NO_SERVICE,
	BECAUSE_QUARANTINE,	/* the device is in quarantine, whose list does not have it */
	BECAUSE_OTHER_QUARANTINE,	/* the other end is */
	BECAUSE_NO_IDENTITY,	/* a packet of this family would not be known as the device's */
	BECAUSE_NOT_HELD,	/* nobody is known to hold the address that it goes to */
	BECAUSE_ROUTER,		/* whatever the policy says: the rules that never change */
};

#define EXPLAIN_RULES_MAX 16

/* A rule as written that covers the packet. */
struct explain_rule {
	const struct image_class *class;	/* in which it stands, or is inherited */
	const struct image_rule *rule;
	bool open;		/* at that time */
};

/* Where a device stands. */
struct explain_place {
	const struct image_class *class;	/* by whose rules it lives; of quarantine, that list; NULL: no device */
	bool quarantined;
	bool restricted;	/* in another class than its own, not in quarantine */
};

struct explanation {
	struct packet packet;
	struct verdict verdict;
	enum explain_reason reason;
	const struct image_device *other;	/* which holds the other address, or NULL */
	struct explain_place place, other_place;	/* of the device and of the other one */
	const struct image_class *asked;	/* whose chain was asked, or NULL */
	struct explain_rule rules[EXPLAIN_RULES_MAX];
	size_t n_rules;		/* all that were found, also beyond the room */
};

/* trace may be NULL. 0, or what evaluate() answers. */
int explain(struct evaluator *, const struct ruleset *, const struct question *, trace_fn *trace, void *arg,
    struct explanation *out);

/* The rules as they were written that cover the first packet of a connection;
 * no reach and no set is asked. from, to: the devices at its ends, or NULL; asked:
 * the class whose chain it came to (NULL: that where from stands, or would but
 * for its quarantine). Returns how many there are, also beyond the room. */
size_t explain_lines(const struct ruleset *, const struct packet *, const struct image_class *asked,
    const struct image_device *from, const struct image_device *to, struct explain_rule[EXPLAIN_RULES_MAX]);

/* Is a schedule (0: always) open at that time? *next: when that changes, or 0. */
bool explain_open(const struct image *, uint32_t schedule, int64_t time_s, int64_t *next);

#endif
