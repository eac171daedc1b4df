/* SPDX-License-Identifier: GPL-2.0-or-later */
/* skeleton_evidence.c -- how refused packets are counted and told of, in bounds. */
#include "model/skeleton.h"
#include "model/skeleton_words.h"

/* A known key counts and is told of at a bounded rate; a new one must pass its
 * device's budget first, so that no scanner fills the set for all others. */
#define KEY4		FIELD_IP_SADDR, FIELD_IP_DADDR, FIELD_L4PROTO
#define KEY6		FIELD_IP6_SADDR, FIELD_IP6_DADDR, FIELD_L4PROTO

static const struct rule_ir record[] = {
	R(IN(TOTAL, FIELD_NUMBER)),
	R(WITH_PORTS, GOTO(RECORD_PORT)),
	R(NOT_IN(REFUSED4_PORTLESS, FIELD_MARK, KEY4), GOTO(NEW4_PORTLESS)),
	R(ADD(REFUSED4_PORTLESS, FIELD_MARK, KEY4), LOG(LOG_REFUSED)),
	R(NOT_IN(REFUSED6_PORTLESS, FIELD_MARK, KEY6), GOTO(NEW6_PORTLESS)),
	R(ADD(REFUSED6_PORTLESS, FIELD_MARK, KEY6), LOG(LOG_REFUSED)),
};

static const struct rule_ir record_port[] = {
	R(NOT_IN(REFUSED4, FIELD_MARK, KEY4, FIELD_DPORT), GOTO(NEW4)),
	R(ADD(REFUSED4, FIELD_MARK, KEY4, FIELD_DPORT), LOG(LOG_REFUSED)),
	R(NOT_IN(REFUSED6, FIELD_MARK, KEY6, FIELD_DPORT), GOTO(NEW6)),
	R(ADD(REFUSED6, FIELD_MARK, KEY6, FIELD_DPORT), LOG(LOG_REFUSED)),
};

/* What comes from outside must not use up the budget of the device it goes to. */
#define NEW(set_, ...) { \
	R(NOT_IN(DEVICE_INTERFACES, FIELD_IIFNAME), ADD(BUDGET_STRANGER, FIELD_IIF), GOTO(OVER)), \
	R(IN(DEVICE_INTERFACES, FIELD_IIFNAME), ADD(BUDGET, FIELD_MARK), GOTO(OVER)), \
	R(ADD(set_, FIELD_MARK, __VA_ARGS__), LOG(LOG_REFUSED), RETURN), \
	R(GOTO(OVER)), \
}
static const struct rule_ir new4[] = NEW(REFUSED4, KEY4, FIELD_DPORT);
static const struct rule_ir new6[] = NEW(REFUSED6, KEY6, FIELD_DPORT);
static const struct rule_ir new4_portless[] = NEW(REFUSED4_PORTLESS, KEY4);
static const struct rule_ir new6_portless[] = NEW(REFUSED6_PORTLESS, KEY6);

static const struct rule_ir over[] = {
	R(IN(OVER, FIELD_NUMBER)),
	R(COUNT(OVER)),
};

static const struct rule_ir stranger[] = {
	R(SET_MARK(0)),
	R(COUNT(STRANGERS)),
	R(JUMP(STRANGER_RECORD)),
	R(DROP),
};

static const struct rule_ir stranger_record[] = {
	R(WITH_PORTS, GOTO(STRANGER_PORT)),
	R(NOT_IN(STRANGER4_PORTLESS, FIELD_ETHER_SADDR, KEY4), GOTO(STRANGER_NEW4_PORTLESS)),
	R(ADD(STRANGER4_PORTLESS, FIELD_ETHER_SADDR, KEY4), LOG(LOG_REFUSED)),
	R(NOT_IN(STRANGER6_PORTLESS, FIELD_ETHER_SADDR, KEY6), GOTO(STRANGER_NEW6_PORTLESS)),
	R(ADD(STRANGER6_PORTLESS, FIELD_ETHER_SADDR, KEY6), LOG(LOG_REFUSED)),
};

static const struct rule_ir stranger_port[] = {
	R(NOT_IN(STRANGER4, FIELD_ETHER_SADDR, KEY4, FIELD_DPORT), GOTO(STRANGER_NEW4)),
	R(ADD(STRANGER4, FIELD_ETHER_SADDR, KEY4, FIELD_DPORT), LOG(LOG_REFUSED)),
	R(NOT_IN(STRANGER6, FIELD_ETHER_SADDR, KEY6, FIELD_DPORT), GOTO(STRANGER_NEW6)),
	R(ADD(STRANGER6, FIELD_ETHER_SADDR, KEY6, FIELD_DPORT), LOG(LOG_REFUSED)),
};

#define STRANGER_NEW(set_, ...) { \
	R(ADD(BUDGET_STRANGER, FIELD_IIF), GOTO(STRANGER_OVER)), \
	R(ADD(set_, FIELD_ETHER_SADDR, __VA_ARGS__), LOG(LOG_REFUSED), RETURN), \
	R(GOTO(STRANGER_OVER)), \
}
static const struct rule_ir stranger_new4[] = STRANGER_NEW(STRANGER4, KEY4, FIELD_DPORT);
static const struct rule_ir stranger_new6[] = STRANGER_NEW(STRANGER6, KEY6, FIELD_DPORT);
static const struct rule_ir stranger_new4_portless[] = STRANGER_NEW(STRANGER4_PORTLESS, KEY4);
static const struct rule_ir stranger_new6_portless[] = STRANGER_NEW(STRANGER6_PORTLESS, KEY6);

static const struct rule_ir stranger_over[] = {
	R(COUNT(STRANGERS_OVER)),
};

static const struct skeleton_chain chains[CHAIN_CLASS] = {
	CHAIN(RECORD, record),
	CHAIN(RECORD_PORT, record_port),
	CHAIN(OVER, over),
	CHAIN(NEW4, new4),
	CHAIN(NEW6, new6),
	CHAIN(NEW4_PORTLESS, new4_portless),
	CHAIN(NEW6_PORTLESS, new6_portless),
	CHAIN(STRANGER, stranger),
	CHAIN(STRANGER_RECORD, stranger_record),
	CHAIN(STRANGER_PORT, stranger_port),
	CHAIN(STRANGER_OVER, stranger_over),
	CHAIN(STRANGER_NEW4, stranger_new4),
	CHAIN(STRANGER_NEW6, stranger_new6),
	CHAIN(STRANGER_NEW4_PORTLESS, stranger_new4_portless),
	CHAIN(STRANGER_NEW6_PORTLESS, stranger_new6_portless),
};

const struct skeleton_chain *
skeleton_evidence(enum chain_kind kind)
{
	return &chains[kind];
}
