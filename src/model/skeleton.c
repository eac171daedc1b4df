/* SPDX-License-Identifier: GPL-2.0-or-later */
/* skeleton.c -- the rules that never change; those of a class are in class_rules.c.
 *
 * What was attacked and holds is said in doc/ruleset.md. Three things to keep:
 * the ct mark is written in `admit` alone; a refusal ends in a drop that stands
 * alone and last; every chain that input or output can reach ends in a verdict,
 * since their policy is to accept what is not a device's. */
#include "model/skeleton.h"
#include "model/skeleton_words.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

enum { DIRECTION_ORIGINAL, DIRECTION_REPLY };
enum { DHCP4_SERVER = 67, DHCP6_SERVER = 547 };
enum { PACKET_BROADCAST = 1, PACKET_MULTICAST = 2 };
enum { TCP_RST = 4, CT_CONFIRMED = 8 };
enum { ICMP_UNREACHABLE = 3, ICMP_REDIRECT = 5, ICMP_TIME_EXCEEDED = 11, ICMP_PARAMETER = 12 };
enum { ICMP6_UNREACHABLE = 1, ICMP6_TOO_BIG = 2, ICMP6_TIME_EXCEEDED = 3, ICMP6_PARAMETER = 4 };
enum { NO_NET = 0, NO_HOST = 1, FRAGMENTATION_NEEDED = 4, NO_ROUTE6 = 0, NO_ADDRESS6 = 3 };	/* codes */
enum {
	MLD_QUERY = 130, MLD_REPORT = 131, MLD_DONE = 132, MLD2_REPORT = 143,
	ND_ROUTER_SOLICIT = 133, ND_ROUTER_ADVERT = 134, ND_SOLICIT = 135, ND_ADVERT = 136,
};

/* ---- forwarded ---------------------------------------------------------- */

/* First the packets that are most: of an admitted flow, from the very device
 * (its MAC, and its port where that is declared), under its present mark.
 * Another device that takes the address gets nowhere. Flows between devices
 * carry no live mark; what somebody outside begins in nobody's name may. */
#define NOT_LATERAL	{ .kind = EXPR_LOOKUP, .negate = true, .inbound = true, \
			  .set = { .kind = SET_DEVICE_INTERFACES }, .fields = { FIELD_OIFNAME } }
static const struct rule_ir forward[] = {
	R(STATE(ESTABLISHED), IN(LIVE_PORT, FIELD_ETHER_SADDR, FIELD_IIFNAME, FIELD_CT_MARK), NOT_LATERAL, ACCEPT),
	R(STATE(ESTABLISHED), IN(LIVE_MAC, FIELD_ETHER_SADDR, FIELD_CT_MARK), NOT_LATERAL, ACCEPT),
	R(STATE(ESTABLISHED), IN(LIVE_ROUTED, FIELD_IIFNAME, FIELD_CT_MARK), NOT_LATERAL, ACCEPT),
	R(IN(DEVICE_INTERFACES, FIELD_IIFNAME), GOTO(FROM_DEVICE)),
	R(STATE(ESTABLISHED), IN(LIVE, FIELD_CT_MARK), ACCEPT),
	R(IN(DEVICE_INTERFACES, FIELD_OIFNAME), GOTO(TO_DEVICE)),
	R(COUNT(TRANSIT), DROP),
};

/* Towards an address that a device holds it is between devices, wherever the
 * route leads at this moment. */
static const struct rule_ir from_device[] = {
	R(STATE(CTS_INVALID), GOTO(INVALID)),
	R(IN(DEVICE_INTERFACES, FIELD_OIFNAME), GOTO(LATERAL)),
	R(MARK_FROM(HOLDER4, FIELD_IP_DADDR), GOTO(LATERAL)),
	R(MARK_FROM(HOLDER6, FIELD_IP6_DADDR), GOTO(LATERAL)),
	R(IS(CT_DIRECTION, DIRECTION_ORIGINAL), GOTO(JUDGE)),
	R(GOTO(JUDGE_REPLY)),
};

/* No device comes in from outside: where all may come, its flow would get a live
 * mark, which flows between devices must not have. */
static const struct rule_ir to_device[] = {
	R(STATE(CTS_INVALID), GOTO(INVALID)),
	R(STATE(ESTABLISHED), IS(CT_DIRECTION, DIRECTION_REPLY), GOTO(REPLY)),
	R(MARK_FROM(HOLDER4, FIELD_IP_SADDR), GOTO(STRANGER)),
	R(MARK_FROM(HOLDER6, FIELD_IP6_SADDR), GOTO(STRANGER)),
	R(JUMP(HOLDER)),
	R(VERDICT_FROM(CHAINS_IN)),
	R(GOTO(STRAY)),
};

/* Device to device: a flow carries its originator's mark only, so it takes no
 * fast path and both ends are asked for at every packet. Its mark is saved
 * without a generation, which is in no set of live ones. */
static const struct rule_ir lateral[] = {
	R(IS(CT_DIRECTION, DIRECTION_REPLY), GOTO(LATERAL_REPLY)),
	R(JUMP(HOLDER)),
	R(IS(MARK, 0), GOTO(LATERAL_REFUSED)),
	R(IN(QUARANTINED, FIELD_MARK), GOTO(LATERAL_REFUSED)),
	R(JUMP(WHO)),
	R(IS(MARK, 0), GOTO(STRANGER)),
	R(NOT_IN(SEEN, FIELD_MARK, FIELD_IIF), ADD(SEEN, FIELD_MARK, FIELD_IIF), LOG(LOG_SIGHTED)),
	R(IN(QUARANTINED, FIELD_MARK), GOTO(REFUSED)),
	R(NUMBER_MARK),
	R(VERDICT_FROM(CHAINS)),
	R(GOTO(REFUSED)),
};

/* Whatever the classes say: it is no device, or one in quarantine. */
static const struct rule_ir lateral_refused[] = {
	R(JUMP(WHO)),
	R(IS(MARK, 0), GOTO(STRANGER)),
	R(JUMP(RECORD)),
	R(DROP),
};

/* The whole mark is looked up: one with a generation is of a flow that began
 * outside, whoever it said it was from. */
static const struct rule_ir lateral_reply[] = {
	R(JUMP(WHO)),
	R(IS(MARK, 0), GOTO(STRAY)),
	R(IN(QUARANTINED, FIELD_MARK), GOTO(STRAY)),
	R(SET_MARK(0)),
	R(MARK_FROM(CURRENT, FIELD_CT_MARK)),
	R(IN(QUARANTINED, FIELD_MARK), GOTO(STRAY)),
	R(NUMBER_MARK),
	R(VERDICT_FROM(CHAINS_R)),
	R(GOTO(STRAY)),
};

static const struct rule_ir judge[] = {
	R(JUMP(WHO)),
	R(IS(MARK, 0), GOTO(STRANGER)),
	R(NOT_IN(SEEN, FIELD_MARK, FIELD_IIF), ADD(SEEN, FIELD_MARK, FIELD_IIF), LOG(LOG_SIGHTED)),
	R(VERDICT_FROM(CHAINS)),
	R(GOTO(REFUSED)),
};

/* The device answers a flow that somebody else began: the appliance, or somebody beyond it. */
static const struct rule_ir judge_reply[] = {
	R(JUMP(WHO)),
	R(VERDICT_FROM(CHAINS_IN_R)),
	R(GOTO(STRAY)),
};

/* An answer to a flow whose mark is no longer live: what does the device's
 * present class say to the flow, seen from the other end? No device answers from
 * outside: its flows would get a live mark, which flows between devices must not
 * have. */
static const struct rule_ir reply[] = {
	R(MARK_FROM(HOLDER4, FIELD_IP_SADDR), GOTO(STRAY)),
	R(MARK_FROM(HOLDER6, FIELD_IP6_SADDR), GOTO(STRAY)),
	R(SET_MARK(0)),
	R(MARK_FROM(CURRENT, FIELD_CT_NUMBER)),
	R(VERDICT_FROM(CHAINS_R)),
	R(GOTO(STRAY)),
};

/* ---- who is it? --------------------------------------------------------- */

/* A device without declared addresses may use any that no other device holds; one
 * with a prefix, any of that. */
static const struct rule_ir who[] = {
	R(SET_MARK(0)),
	R(IS(NFPROTO, AF_INET6), GOTO(WHO6)),
	R(MARK_FROM(IDENTITY4_PORT, FIELD_ETHER_SADDR, FIELD_IP_SADDR, FIELD_IIFNAME), RETURN),
	R(MARK_FROM(IDENTITY4, FIELD_ETHER_SADDR, FIELD_IP_SADDR), RETURN),
	R(MARK_FROM(IDENTITY4_ROUTED, FIELD_IP_SADDR, FIELD_IIFNAME), RETURN),
	R(MARK_FROM(HOLDER4, FIELD_IP_SADDR), SET_MARK(0), RETURN),
	R(MARK_FROM(IDENTITY_MAC_PORT, FIELD_ETHER_SADDR, FIELD_IIFNAME), RETURN),
	R(MARK_FROM(IDENTITY_MAC, FIELD_ETHER_SADDR), RETURN),
};

static const struct rule_ir who6[] = {
	R(MARK_FROM(IDENTITY6_PORT, FIELD_ETHER_SADDR, FIELD_IP6_SADDR, FIELD_IIFNAME), RETURN),
	R(MARK_FROM(IDENTITY6, FIELD_ETHER_SADDR, FIELD_IP6_SADDR), RETURN),
	R(MARK_FROM(IDENTITY6_ROUTED, FIELD_IP6_SADDR, FIELD_IIFNAME), RETURN),
	R(MARK_FROM(HOLDER6, FIELD_IP6_SADDR), SET_MARK(0), RETURN),
	R(MARK_FROM(IDENTITY6_NET_PORT, FIELD_IP6_SADDR_NET, FIELD_ETHER_SADDR, FIELD_IIFNAME), RETURN),
	R(MARK_FROM(IDENTITY6_NET, FIELD_IP6_SADDR_NET, FIELD_ETHER_SADDR), RETURN),
	R(MARK_FROM(IDENTITY_MAC_PORT, FIELD_ETHER_SADDR, FIELD_IIFNAME), RETURN),
	R(MARK_FROM(IDENTITY_MAC, FIELD_ETHER_SADDR), RETURN),
};

static const struct rule_ir holder[] = {
	R(SET_MARK(0)),
	R(MARK_FROM(HOLDER4, FIELD_IP_DADDR), RETURN),
	R(MARK_FROM(HOLDER6, FIELD_IP6_DADDR), RETURN),
};

/* ---- the appliance itself ----------------------------------------------- */

static const struct rule_ir input[] = {
	R(IN(DEVICE_INTERFACES, FIELD_IIFNAME), JUMP(INPUT_DEVICE)),
	R(IN(DEVICE_INTERFACES, FIELD_IIFNAME), DROP),
};

/* Neighbour discovery (RFC 4861: hop limit 255) is no service but the link
 * itself. DHCP comes before a device has its address: the MAC must do. */
static const struct rule_ir input_device[] = {
	R(STATE(ESTABLISHED), IN(LIVE_PORT, FIELD_ETHER_SADDR, FIELD_IIFNAME, FIELD_CT_MARK), ACCEPT),
	R(STATE(ESTABLISHED), IN(LIVE_MAC, FIELD_ETHER_SADDR, FIELD_CT_MARK), ACCEPT),
	R(STATE(ESTABLISHED), IN(LIVE_ROUTED, FIELD_IIFNAME, FIELD_CT_MARK), ACCEPT),
	R(ANY_OF(ICMP6_TYPE, ND_ROUTER_SOLICIT, ND_SOLICIT, ND_ADVERT), IS(HOPLIMIT, 255), ACCEPT),
	R(ANY_OF(ICMP6_TYPE, MLD_REPORT, MLD_DONE, MLD2_REPORT), IS(HOPLIMIT, 1), ACCEPT),
	R(IS(L4PROTO, IPPROTO_UDP), IN(BOOTSTRAP, FIELD_SPORT, FIELD_DPORT),
	    MARK_FROM(HARDWARE, FIELD_ETHER_SADDR), ACCEPT),
	R(IS(L4PROTO, IPPROTO_UDP), IS(DPORT, DHCP4_SERVER), JUMP(ASKING)),
	R(IS(L4PROTO, IPPROTO_UDP), IS(DPORT, DHCP6_SERVER), JUMP(ASKING)),
	R(ANY_OF(PKTTYPE, PACKET_BROADCAST, PACKET_MULTICAST), COUNT(DISCOVERY), DROP),
	R(STATE(CTS_INVALID), GOTO(INVALID)),
	R(IS(CT_DIRECTION, DIRECTION_REPLY), GOTO(JUDGE_REPLY)),
	R(JUMP(WHO)),
	R(IS(MARK, 0), GOTO(STRANGER)),
	R(NOT_IN(SEEN, FIELD_MARK, FIELD_IIF), ADD(SEEN, FIELD_MARK, FIELD_IIF), LOG(LOG_SIGHTED)),
	R(IN(QUARANTINED, FIELD_MARK), GOTO(REFUSED)),
	R(IN(SERVICES, FIELD_L4PROTO, FIELD_DPORT), GOTO(ADMIT)),
	R(IN(SERVICES_ICMP, FIELD_L4PROTO, FIELD_ICMP_TYPE), GOTO(ADMIT)),
	R(IN(SERVICES_ICMP6, FIELD_L4PROTO, FIELD_ICMP6_TYPE), GOTO(ADMIT)),
	R(GOTO(REFUSED)),
};

/* Somebody whose MAC no device has asks for an address: told of, in bounds, and
 * then refused as it would be otherwise. */
static const struct rule_ir asking[] = {
	R(MARK_FROM(HARDWARE, FIELD_ETHER_SADDR), SET_MARK(0), RETURN),
	R(NOT_IN(ASKING, FIELD_ETHER_SADDR, FIELD_IIF), ADD(BUDGET_STRANGER, FIELD_IIF), RETURN),
	R(ADD(ASKING, FIELD_ETHER_SADDR, FIELD_IIF), LOG(LOG_DISCOVERED)),
};

static const struct rule_ir output[] = {
	R(IN(DEVICE_INTERFACES, FIELD_OIFNAME), JUMP(OUTPUT_DEVICE)),
	R(IN(DEVICE_INTERFACES, FIELD_OIFNAME), DROP),
	R(GOTO(OUTPUT_ICMP)),
};

/* The errors that the kernel makes when a packet cannot be forwarded. */
static const struct rule_ir output_icmp[] = {
	R(ANY_OF(ICMP_TYPE, ICMP_REDIRECT, ICMP_TIME_EXCEEDED, ICMP_PARAMETER), GOTO(OUTPUT_ERROR)),
	R(ANY_OF(ICMP6_TYPE, ICMP6_TOO_BIG, ICMP6_TIME_EXCEEDED, ICMP6_PARAMETER), GOTO(OUTPUT_ERROR)),
	R(IS(ICMP_TYPE, ICMP_UNREACHABLE), ANY_OF(ICMP_CODE, NO_NET, NO_HOST, FRAGMENTATION_NEEDED),
	    GOTO(OUTPUT_ERROR)),
	R(IS(ICMP6_TYPE, ICMP6_UNREACHABLE), ANY_OF(ICMP6_CODE, NO_ROUTE6, NO_ADDRESS6), GOTO(OUTPUT_ERROR)),
};

/* Made before `forward' sees what they are about, they carry that to whoever it says
 * it is from. So they leave about flows of the appliance, or of devices not in quarantine. */
static const struct rule_ir output_error[] = {
	R(IS(CT_CONFIRMED, CT_CONFIRMED), IS(CT_MARK, 0), ACCEPT),
	R(SET_MARK(0)),
	R(MARK_FROM(CURRENT, FIELD_CT_NUMBER)),
	R(IS(MARK, 0), GOTO(STRAY)),
	R(IN(QUARANTINED, FIELD_MARK), GOTO(STRAY)),
	R(ACCEPT),
};

static const struct rule_ir output_device[] = {
	R(STATE(ESTABLISHED), IN(LIVE, FIELD_CT_MARK), ACCEPT),
	R(ANY_OF(ICMP6_TYPE, ND_ROUTER_ADVERT, ND_SOLICIT, ND_ADVERT), IS(HOPLIMIT, 255), ACCEPT),
	R(ANY_OF(ICMP6_TYPE, MLD_QUERY, MLD_REPORT, MLD_DONE, MLD2_REPORT), IS(HOPLIMIT, 1), ACCEPT),
	R(IS(L4PROTO, IPPROTO_UDP), IN(BOOTSTRAP, FIELD_DPORT, FIELD_SPORT), ACCEPT),
	/* How a refusal is told to the device. */
	R(IS(CT_DIRECTION, DIRECTION_REPLY), IS(L4PROTO, IPPROTO_TCP), IS(TCP_RESET, TCP_RST), ACCEPT),
	R(JUMP(OUTPUT_ICMP)),
	R(IS(ICMP_TYPE, ICMP_UNREACHABLE), ACCEPT),
	R(IS(ICMP6_TYPE, ICMP6_UNREACHABLE), ACCEPT),
	R(IS(CT_DIRECTION, DIRECTION_REPLY), GOTO(OUTPUT_REPLY)),
	R(JUMP(HOLDER)),
	R(VERDICT_FROM(CHAINS_IN)),
	R(GOTO(STRAY)),
};

static const struct rule_ir output_reply[] = {
	R(SET_MARK(0)),
	R(MARK_FROM(CURRENT, FIELD_CT_NUMBER)),
	R(IS(MARK, 0), GOTO(STRAY)),
	R(IN(QUARANTINED, FIELD_MARK), GOTO(STRAY)),
	R(IN(SERVICES, FIELD_L4PROTO, FIELD_SPORT), GOTO(ADMIT)),
	R(GOTO(STRAY)),
};

/* What a staged policy would say to what is refused. It is about what is forwarded,
 * and lets nobody out of quarantine. */
#define ASK_STAGED	ISNT(IIF, 0), ISNT(OIF, 0), NOT_IN(QUARANTINED, FIELD_MARK), JUMP(STAGED_REFUSED)

/* ---- verdicts ----------------------------------------------------------- */

/* A packet without a conntrack entry cannot be admitted: it has none of these
 * states. Saving the mark alone would pass it on. */
static const struct rule_ir admit[] = {
	R(STATE(CTS_NEW), ADD(CONNECTIONS, FIELD_NUMBER), GOTO(CROWDED)),
	R(STATE(CTS_NEW | ESTABLISHED), SAVE_MARK, FORGET_CLASS, ACCEPT),
	R(DROP),
};

static const struct rule_ir crowded[] = {
	R(IN(TOTAL, FIELD_NUMBER)),
	R(ADD(CROWDED, FIELD_MARK), LOG(LOG_CROWDED)),
	R(DROP),
};

static const struct rule_ir hasty[] = {
	R(JUMP(HASTY_RECORD)),
	R(DROP),
};

static const struct rule_ir hasty_record[] = {
	R(IN(TOTAL, FIELD_NUMBER)),
	R(ADD(HASTY, FIELD_MARK), LOG(LOG_HASTY)),
};

static const struct rule_ir refused[] = {
	R(JUMP(RECORD)),
	R(ASK_STAGED),
	R(DROP),
};

/* A device that may use any address could have the answer sent to anybody. */
static const struct rule_ir rejected[] = {
	R(JUMP(RECORD)),
	R(ASK_STAGED),
	R(MARK_FROM(IDENTITY_MAC_PORT, FIELD_ETHER_SADDR, FIELD_IIFNAME), DROP),
	R(MARK_FROM(IDENTITY_MAC, FIELD_ETHER_SADDR), DROP),
	R(IS(L4PROTO, IPPROTO_TCP), REJECT_BY_RESET),
	R(REJECT_BY_ICMP),
	R(DROP),
};

static const struct rule_ir audited[] = {
	R(JUMP(RECORD)),
	R(GOTO(ADMIT)),
};

static const struct rule_ir stray[] = {
	R(COUNT(STRAY)),
	R(DROP),
};

static const struct rule_ir invalid[] = {
	R(JUMP(WHO)),
	R(COUNT(INVALID)),
	R(ADD(INVALID, FIELD_MARK), LOG(LOG_INVALID)),
	R(DROP),
};

static const struct skeleton_chain chains[CHAIN_CLASS] = {
	CHAIN(FORWARD, forward),
	CHAIN(INPUT, input),
	CHAIN(OUTPUT, output),
	CHAIN(FROM_DEVICE, from_device),
	CHAIN(TO_DEVICE, to_device),
	CHAIN(LATERAL, lateral),
	CHAIN(LATERAL_REFUSED, lateral_refused),
	CHAIN(LATERAL_REPLY, lateral_reply),
	CHAIN(JUDGE, judge),
	CHAIN(JUDGE_REPLY, judge_reply),
	CHAIN(WHO, who),
	CHAIN(WHO6, who6),
	CHAIN(HOLDER, holder),
	CHAIN(REPLY, reply),
	CHAIN(INPUT_DEVICE, input_device),
	CHAIN(ASKING, asking),
	CHAIN(OUTPUT_DEVICE, output_device),
	CHAIN(OUTPUT_REPLY, output_reply),
	CHAIN(OUTPUT_ICMP, output_icmp),
	CHAIN(OUTPUT_ERROR, output_error),
	CHAIN(ADMIT, admit),
	CHAIN(CROWDED, crowded),
	CHAIN(HASTY, hasty),
	CHAIN(HASTY_RECORD, hasty_record),
	CHAIN(REFUSED, refused),
	CHAIN(REJECTED, rejected),
	CHAIN(AUDITED, audited),
	CHAIN(STRAY, stray),
	CHAIN(INVALID, invalid),
};

const struct skeleton_chain *
skeleton_main(enum chain_kind kind)
{
	return &chains[kind];
}
