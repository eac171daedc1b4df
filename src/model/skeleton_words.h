/* SPDX-License-Identifier: GPL-2.0-or-later */
/* skeleton_words.h -- the words that skeleton*.c write rules in. */
#ifndef CORDON_MODEL_SKELETON_WORDS_H
#define CORDON_MODEL_SKELETON_WORDS_H

#include <netinet/in.h>

#define R(...)		{ { __VA_ARGS__ } }
#define IN(s, ...)	{ .kind = EXPR_LOOKUP, .set = { .kind = SET_##s }, .fields = { __VA_ARGS__ } }
#define NOT_IN(s, ...)	{ .kind = EXPR_LOOKUP, .negate = true, .set = { .kind = SET_##s }, \
			  .fields = { __VA_ARGS__ } }
#define ADD(s, ...)	{ .kind = EXPR_ADD, .set = { .kind = SET_##s }, .fields = { __VA_ARGS__ } }
#define MARK_FROM(s, ...) { .kind = EXPR_MARK_FROM_MAP, .set = { .kind = SET_##s }, \
			  .fields = { __VA_ARGS__ } }
/* By the class of the device whose mark the packet has. In one rule: without a
 * class it ends here, and what the priority held before means nothing. */
#define VERDICT_FROM(s)	{ .kind = EXPR_CLASS_FROM_MAP, .set = { .kind = SET_CLASS_OF }, \
			  .fields = { FIELD_NUMBER } }, \
			{ .kind = EXPR_VERDICT_FROM_MAP, .set = { .kind = SET_##s }, \
			  .fields = { FIELD_CLASS } }
#define STAGED_VERDICT_FROM(s) { .kind = EXPR_CLASS_FROM_MAP, .set = { .kind = SET_CLASS_OF, .staged = 1 }, \
			  .fields = { FIELD_NUMBER } }, \
			{ .kind = EXPR_VERDICT_FROM_MAP, .set = { .kind = SET_##s, .staged = 1 }, \
			  .fields = { FIELD_CLASS } }
#define FORGET_CLASS	{ .kind = EXPR_FORGET_CLASS }
#define SET_CLASS(v)	{ .kind = EXPR_FORGET_CLASS, .value = (v) }
#define ISNT(f, v)	{ .kind = EXPR_MATCH, .negate = true, .fields = { FIELD_##f }, .value = (v) }
#define IS(f, v)	{ .kind = EXPR_MATCH, .fields = { FIELD_##f }, .value = (v) }
#define ANY_OF(f, ...)	{ .kind = EXPR_ANY_OF, .fields = { FIELD_##f }, .values = { __VA_ARGS__ }, \
			  .n_values = sizeof((const uint8_t[]){ __VA_ARGS__ }) }
#define STATE(mask)	{ .kind = EXPR_CT_STATE, .value = (mask) }
#define GOTO(c)		{ .kind = EXPR_GOTO, .chain = { .kind = CHAIN_##c } }
#define JUMP(c)		{ .kind = EXPR_JUMP, .chain = { .kind = CHAIN_##c } }
#define COUNT(c)	{ .kind = EXPR_COUNTER, .counter = COUNTER_##c }
#define LOG(g)		{ .kind = EXPR_LOG, .value = (g) }
#define SET_MARK(v)	{ .kind = EXPR_SET_MARK, .value = (v) }
#define NUMBER_MARK	{ .kind = EXPR_NUMBER_MARK }
#define SAVE_MARK	{ .kind = EXPR_SAVE_MARK }
#define REJECT_BY_RESET	{ .kind = EXPR_REJECT, .value = 1 }
#define REJECT_BY_ICMP	{ .kind = EXPR_REJECT, .value = 0 }
#define ACCEPT		{ .kind = EXPR_ACCEPT }
#define DROP		{ .kind = EXPR_DROP }
#define RETURN		{ .kind = EXPR_RETURN }

#define ESTABLISHED	(CTS_ESTABLISHED | CTS_RELATED)
#define WITH_PORTS	ANY_OF(L4PROTO, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP, IPPROTO_DCCP, \
			    IPPROTO_UDPLITE)

struct skeleton_chain {
	const struct rule_ir *rules;
	size_t n;
};
#define CHAIN(kind, rules_)	[CHAIN_##kind] = { rules_, sizeof(rules_) / sizeof(rules_[0]) }

/* The chains that decide; no rules for any other. */
const struct skeleton_chain *skeleton_main(enum chain_kind);

/* The chains that record; no rules for any other. */
const struct skeleton_chain *skeleton_evidence(enum chain_kind);

/* The same of the chains that ask a staged policy. */
const struct skeleton_chain *skeleton_staged(enum chain_kind);

#endif
