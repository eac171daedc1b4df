/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ruleset_names.c -- what sets, chains and counters are called in the kernel. */
#include "model/ruleset.h"

#include <stdio.h>

/* Class 0 has a name; all others are numbers, since a class may be renamed. */
static const char *
class_suffix(uint32_t number, char buf[12])
{
	if (number == 0)
		return "quarantine";
	snprintf(buf, 12, "%u", number);
	return buf;
}

const char *
set_name(const struct set_ref *ref, char buf[SET_NAMELEN])
{
	const struct set_info *info = set_info(ref->kind);
	char n[12], o[12], at[24] = "";
	const char *staged = ref->staged ? "staged_" : "";

	if (ref->schedule != 0)
		snprintf(at, sizeof(at), "_at_%u", ref->schedule);
	switch (info->scope) {
	case SCOPE_TABLE:
		snprintf(buf, SET_NAMELEN, "%s%s", staged, info->name);
		break;
	case SCOPE_SCHEDULE:
		snprintf(buf, SET_NAMELEN, "%s%s_%u", staged, info->name, ref->number);
		break;
	case SCOPE_CLASS:
		snprintf(buf, SET_NAMELEN, "%s%s%s_%s%s", staged, ref->inbound ? "in_" : "", info->name,
		    class_suffix(ref->number, n), at);
		break;
	case SCOPE_PEER:
		snprintf(buf, SET_NAMELEN, "%s%s_%s_%s%s", staged, info->name, class_suffix(ref->number, n),
		    class_suffix(ref->other, o), at);
		break;
	}
	return buf;
}

int
set_ref_order(const struct set_ref *a, const struct set_ref *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->staged != b->staged)
		return a->staged < b->staged ? -1 : 1;
	if (a->number != b->number)
		return a->number < b->number ? -1 : 1;
	if (a->other != b->other)
		return a->other < b->other ? -1 : 1;
	if (a->schedule != b->schedule)
		return a->schedule < b->schedule ? -1 : 1;
	return a->inbound < b->inbound ? -1 : a->inbound > b->inbound;
}

static const char *const chains[CHAIN_KINDS] = {
	[CHAIN_FORWARD] = "forward",
	[CHAIN_INPUT] = "input",
	[CHAIN_OUTPUT] = "output",
	[CHAIN_FROM_DEVICE] = "from_device",
	[CHAIN_TO_DEVICE] = "to_device",
	[CHAIN_LATERAL] = "lateral",
	[CHAIN_LATERAL_REFUSED] = "lateral_refused",
	[CHAIN_LATERAL_REPLY] = "lateral_answer",
	[CHAIN_JUDGE] = "judge",
	[CHAIN_JUDGE_REPLY] = "judge_answer",
	[CHAIN_WHO] = "who",
	[CHAIN_WHO6] = "who6",
	[CHAIN_HOLDER] = "holder",
	[CHAIN_REPLY] = "answer",
	[CHAIN_INPUT_DEVICE] = "input_device",
	[CHAIN_ASKING] = "asking",
	[CHAIN_OUTPUT_DEVICE] = "output_device",
	[CHAIN_OUTPUT_REPLY] = "output_answer",
	[CHAIN_OUTPUT_ICMP] = "output_icmp",
	[CHAIN_OUTPUT_ERROR] = "output_error",
	[CHAIN_ADMIT] = "admit",
	[CHAIN_CROWDED] = "crowded",
	[CHAIN_HASTY] = "hasty",
	[CHAIN_HASTY_RECORD] = "hasty_record",
	[CHAIN_REFUSED] = "refused",
	[CHAIN_REJECTED] = "rejected",
	[CHAIN_AUDITED] = "audited",
	[CHAIN_STRAY] = "stray",
	[CHAIN_INVALID] = "invalid",
	[CHAIN_RECORD] = "record",
	[CHAIN_RECORD_PORT] = "record_port",
	[CHAIN_OVER] = "overflow",
	[CHAIN_NEW4] = "new4",
	[CHAIN_NEW6] = "new6",
	[CHAIN_NEW4_PORTLESS] = "new4_portless",
	[CHAIN_NEW6_PORTLESS] = "new6_portless",
	[CHAIN_STRANGER] = "stranger",
	[CHAIN_STRANGER_RECORD] = "stranger_record",
	[CHAIN_STRANGER_PORT] = "stranger_port",
	[CHAIN_STRANGER_OVER] = "stranger_overflow",
	[CHAIN_STRANGER_NEW4] = "stranger_new4",
	[CHAIN_STRANGER_NEW6] = "stranger_new6",
	[CHAIN_STRANGER_NEW4_PORTLESS] = "stranger_new4_portless",
	[CHAIN_STRANGER_NEW6_PORTLESS] = "stranger_new6_portless",
	[CHAIN_STAGED_ADMITTED] = "staged_admitted",
	[CHAIN_STAGED_JUDGE] = "staged_judge",
	[CHAIN_STAGED_REFUSED] = "staged_refused",
	[CHAIN_STAGED_ASK] = "staged_ask",
	[CHAIN_STAGED_REFUSES] = "staged_refuses",
	[CHAIN_STAGED_REFUSES_PORT] = "staged_refuses_port",
	[CHAIN_STAGED_ALLOWS] = "staged_allows",
	[CHAIN_STAGED_ALLOWS_PORT] = "staged_allows_port",
};

const char *
chain_name(const struct chain_ref *ref, char buf[CHAIN_NAMELEN])
{
	static const char *const ends[CHAIN_KINDS] = {
		[CHAIN_CLASS] = "",
		[CHAIN_CLASS_R] = "_r",
		[CHAIN_CLASS_IN] = "_in",
		[CHAIN_CLASS_IN_R] = "_in_r",
		[CHAIN_CLASS_ADMIT] = "_admit",
	};
	const char *staged = ref->staged ? "staged_" : "";

	if (ref->kind < CHAIN_CLASS)
		snprintf(buf, CHAIN_NAMELEN, "%s", chains[ref->kind]);
	else if (ref->number == 0)
		snprintf(buf, CHAIN_NAMELEN, "%squarantine%s", staged, ends[ref->kind]);
	else
		snprintf(buf, CHAIN_NAMELEN, "%sclass_%u%s", staged, ref->number, ends[ref->kind]);
	return buf;
}

const char *
counter_name(enum counter_kind kind)
{
	static const char *const names[COUNTER_KINDS] = {
		[COUNTER_NONE] = "",
		[COUNTER_TRANSIT] = "transit",
		[COUNTER_STRAY] = "stray",
		[COUNTER_INVALID] = "invalid",
		[COUNTER_STRANGERS] = "strangers",
		[COUNTER_STRANGERS_OVER] = "strangers_overflow",
		[COUNTER_OVER] = "overflow",
		[COUNTER_DISCOVERY] = "discovery",
	};

	return names[kind];
}
