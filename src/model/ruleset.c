/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ruleset.c -- what fields, sets and chains there are, and what they are called.
 * Tables only; the rules stand in skeleton.c, the elements in elements.c. */
#include "model/ruleset.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "proto/limits.h"

/* nft's numbers of its types; only its listing reads them. */
enum {
	NFT_TYPE_NFPROTO = 2,
	NFT_TYPE_INTEGER = 4,
	NFT_TYPE_IPV4_ADDR = 7,
	NFT_TYPE_IPV6_ADDR = 8,
	NFT_TYPE_ETHER_ADDR = 9,
	NFT_TYPE_INET_PROTO = 12,
	NFT_TYPE_INET_SERVICE = 13,
	NFT_TYPE_ICMP_TYPE = 14,
	NFT_TYPE_MARK = 19,
	NFT_TYPE_IFACE_INDEX = 20,
	NFT_TYPE_CT_DIR = 27,
	NFT_TYPE_ICMPV6_TYPE = 29,
	NFT_TYPE_PKT_TYPE = 31,
	NFT_TYPE_IFNAME = 41,
};

static const struct field_info fields[FIELDS] = {
	[FIELD_NONE] = { "", "", 0, 0, 0 },
	[FIELD_ETHER_SADDR] = { "ether saddr", "ether_addr", NFT_TYPE_ETHER_ADDR, 6, 0 },
	[FIELD_IP_SADDR] = { "ip saddr", "ipv4_addr", NFT_TYPE_IPV4_ADDR, 4, AF_INET },
	[FIELD_IP_DADDR] = { "ip daddr", "ipv4_addr", NFT_TYPE_IPV4_ADDR, 4, AF_INET },
	[FIELD_IP6_SADDR] = { "ip6 saddr", "ipv6_addr", NFT_TYPE_IPV6_ADDR, 16, AF_INET6 },
	[FIELD_IP6_DADDR] = { "ip6 daddr", "ipv6_addr", NFT_TYPE_IPV6_ADDR, 16, AF_INET6 },
	[FIELD_L4PROTO] = { "meta l4proto", "inet_proto", NFT_TYPE_INET_PROTO, 1, 0 },
	[FIELD_SPORT] = { "th sport", "inet_service", NFT_TYPE_INET_SERVICE, 2, 0 },
	[FIELD_DPORT] = { "th dport", "inet_service", NFT_TYPE_INET_SERVICE, 2, 0 },
	[FIELD_ICMP_TYPE] = { "icmp type", "icmp_type", NFT_TYPE_ICMP_TYPE, 1, AF_INET },
	[FIELD_ICMP6_TYPE] = { "icmpv6 type", "icmpv6_type", NFT_TYPE_ICMPV6_TYPE, 1, AF_INET6 },
	[FIELD_IIFNAME] = { "iifname", "ifname", NFT_TYPE_IFNAME, 16, 0 },
	[FIELD_OIFNAME] = { "oifname", "ifname", NFT_TYPE_IFNAME, 16, 0 },
	[FIELD_IIF] = { "meta iif", "iface_index", NFT_TYPE_IFACE_INDEX, 4, 0 },
	[FIELD_MARK] = { "meta mark", "mark", NFT_TYPE_MARK, 4, 0 },
	[FIELD_NUMBER] = { "meta mark and 0xffffff00", "mark", NFT_TYPE_MARK, 4, 0 },
	[FIELD_CT_MARK] = { "ct mark", "mark", NFT_TYPE_MARK, 4, 0 },
	[FIELD_CT_NUMBER] = { "ct mark and 0xffffff00", "mark", NFT_TYPE_MARK, 4, 0 },
	[FIELD_NFPROTO] = { "meta nfproto", "nf_proto", NFT_TYPE_NFPROTO, 1, 0 },
	[FIELD_PKTTYPE] = { "meta pkttype", "pkt_type", NFT_TYPE_PKT_TYPE, 1, 0 },
	[FIELD_CT_DIRECTION] = { "ct direction", "ct_dir", NFT_TYPE_CT_DIR, 1, 0 },
	[FIELD_HOPLIMIT] = { "ip6 hoplimit", "integer", NFT_TYPE_INTEGER, 1, AF_INET6 },
};

const struct field_info *
field_info(enum field f)
{
	return &fields[f];
}

#define MAP(name_, data_, ...) \
	{ .name = name_, .fields = { __VA_ARGS__ }, .data = data_, .per_device = true }
#define SET(name_, ...) { .name = name_, .fields = { __VA_ARGS__ }, .per_device = true }
#define COUNTED(name_, ...) \
	{ .name = name_, .fields = { __VA_ARGS__ }, .state = STATE_COUNTER, .per_device = true }
#define SMALL(name_, size_, ...) { .name = name_, .fields = { __VA_ARGS__ }, .size = size_ }
#define PLAIN(name_, ...) { .name = name_, .fields = { __VA_ARGS__ } }
#define BOXES(name_, ...) { .name = name_, .fields = { __VA_ARGS__ }, .interval = true }
#define DYNAMIC(name_, state_, timeout_, ...) \
	{ .name = name_, .fields = { __VA_ARGS__ }, .state = state_, .dynamic = true, \
	  .size = LIMIT_REFUSED_KEYS, .timeout_s = timeout_ }

/* A window ends when cordond deletes the key and reads its last count; the
 * kernel's own timeout only cleans up behind a cordond that is not there. */
#define REFUSED_TIMEOUT_S	900
/* The rate at which one device may make new keys recovers within this time. */
#define BUDGET_TIMEOUT_S	60
/* How often one device is reported to be seen at one interface. */
#define SEEN_TIMEOUT_S		30

static const struct set_info sets[SET_KINDS] = {
	[SET_DEVICE_INTERFACES] = SMALL("device_interfaces", LIMIT_INTERFACES, FIELD_IIFNAME),
	[SET_IDENTITY4] = MAP("identity4", DATA_MARK, FIELD_ETHER_SADDR, FIELD_IP_SADDR),
	[SET_IDENTITY6] = MAP("identity6", DATA_MARK, FIELD_ETHER_SADDR, FIELD_IP6_SADDR),
	[SET_IDENTITY4_PORT] = MAP("identity4_port", DATA_MARK,
	    FIELD_ETHER_SADDR, FIELD_IP_SADDR, FIELD_IIFNAME),
	[SET_IDENTITY6_PORT] = MAP("identity6_port", DATA_MARK,
	    FIELD_ETHER_SADDR, FIELD_IP6_SADDR, FIELD_IIFNAME),
	[SET_IDENTITY_MAC] = MAP("identity_mac", DATA_MARK, FIELD_ETHER_SADDR),
	[SET_IDENTITY_MAC_PORT] = MAP("identity_mac_port", DATA_MARK,
	    FIELD_ETHER_SADDR, FIELD_IIFNAME),
	[SET_HARDWARE] = MAP("hardware", DATA_MARK, FIELD_ETHER_SADDR),
	[SET_HOLDER4] = MAP("holder4", DATA_MARK, FIELD_IP_DADDR),
	[SET_HOLDER6] = MAP("holder6", DATA_MARK, FIELD_IP6_DADDR),
	[SET_CURRENT] = MAP("current", DATA_MARK, FIELD_MARK),
	[SET_STATION] = MAP("station", DATA_CHAIN, FIELD_NUMBER),
	[SET_STATION_R] = MAP("station_r", DATA_CHAIN, FIELD_NUMBER),
	[SET_STATION_IN] = MAP("station_in", DATA_CHAIN, FIELD_NUMBER),
	[SET_STATION_IN_R] = MAP("station_in_r", DATA_CHAIN, FIELD_NUMBER),
	[SET_LIVE] = SET("live", FIELD_CT_MARK),
	[SET_LIVE_MAC] = SET("live_mac", FIELD_ETHER_SADDR, FIELD_CT_MARK),
	[SET_LIVE_PORT] = SET("live_port", FIELD_ETHER_SADDR, FIELD_IIFNAME, FIELD_CT_MARK),
	[SET_QUARANTINED] = SET("quarantined", FIELD_MARK),
	[SET_TOTAL] = COUNTED("total", FIELD_NUMBER),
	[SET_OVER] = COUNTED("overflow", FIELD_NUMBER),
	[SET_SERVICES] = BOXES("services", FIELD_L4PROTO, FIELD_DPORT),
	[SET_SERVICES_ICMP] = BOXES("services_icmp", FIELD_L4PROTO, FIELD_ICMP_TYPE),
	[SET_SERVICES_ICMP6] = BOXES("services_icmp6", FIELD_L4PROTO, FIELD_ICMP6_TYPE),
	[SET_BOOTSTRAP] = SMALL("bootstrap", 4, FIELD_SPORT, FIELD_DPORT),

	[SET_SEEN] = DYNAMIC("seen", STATE_NONE, SEEN_TIMEOUT_S, FIELD_MARK, FIELD_IIF),
	[SET_BUDGET] = DYNAMIC("budget", STATE_OVER_BUDGET, BUDGET_TIMEOUT_S, FIELD_MARK),
	[SET_BUDGET_STRANGER] = DYNAMIC("budget_stranger", STATE_OVER_BUDGET, BUDGET_TIMEOUT_S,
	    FIELD_IIF),
	[SET_CONNECTIONS] = DYNAMIC("connections", STATE_CONNECTIONS, 0, FIELD_NUMBER),
	[SET_REFUSED4] = DYNAMIC("refused4", STATE_COUNTER_SAMPLE, REFUSED_TIMEOUT_S,
	    FIELD_MARK, FIELD_IP_SADDR, FIELD_IP_DADDR, FIELD_L4PROTO, FIELD_DPORT),
	[SET_REFUSED6] = DYNAMIC("refused6", STATE_COUNTER_SAMPLE, REFUSED_TIMEOUT_S,
	    FIELD_MARK, FIELD_IP6_SADDR, FIELD_IP6_DADDR, FIELD_L4PROTO, FIELD_DPORT),
	[SET_REFUSED4_PORTLESS] = DYNAMIC("refused4_portless", STATE_COUNTER_SAMPLE,
	    REFUSED_TIMEOUT_S, FIELD_MARK, FIELD_IP_SADDR, FIELD_IP_DADDR, FIELD_L4PROTO),
	[SET_REFUSED6_PORTLESS] = DYNAMIC("refused6_portless", STATE_COUNTER_SAMPLE,
	    REFUSED_TIMEOUT_S, FIELD_MARK, FIELD_IP6_SADDR, FIELD_IP6_DADDR, FIELD_L4PROTO),
	[SET_STRANGER4] = DYNAMIC("stranger4", STATE_COUNTER_SAMPLE, REFUSED_TIMEOUT_S,
	    FIELD_ETHER_SADDR, FIELD_IP_SADDR, FIELD_IP_DADDR, FIELD_L4PROTO, FIELD_DPORT),
	[SET_STRANGER6] = DYNAMIC("stranger6", STATE_COUNTER_SAMPLE, REFUSED_TIMEOUT_S,
	    FIELD_ETHER_SADDR, FIELD_IP6_SADDR, FIELD_IP6_DADDR, FIELD_L4PROTO, FIELD_DPORT),
	[SET_STRANGER4_PORTLESS] = DYNAMIC("stranger4_portless", STATE_COUNTER_SAMPLE,
	    REFUSED_TIMEOUT_S, FIELD_ETHER_SADDR, FIELD_IP_SADDR, FIELD_IP_DADDR, FIELD_L4PROTO),
	[SET_STRANGER6_PORTLESS] = DYNAMIC("stranger6_portless", STATE_COUNTER_SAMPLE,
	    REFUSED_TIMEOUT_S, FIELD_ETHER_SADDR, FIELD_IP6_SADDR, FIELD_IP6_DADDR, FIELD_L4PROTO),
	[SET_INVALID] = DYNAMIC("invalid", STATE_COUNTER_SAMPLE, REFUSED_TIMEOUT_S, FIELD_MARK),
	[SET_CROWDED] = DYNAMIC("crowded", STATE_COUNTER_SAMPLE, REFUSED_TIMEOUT_S, FIELD_MARK),

	[SET_ALLOW4_CLASS] = BOXES("allow4", FIELD_IP_DADDR, FIELD_L4PROTO, FIELD_DPORT),
	[SET_ALLOW6_CLASS] = BOXES("allow6", FIELD_IP6_DADDR, FIELD_L4PROTO, FIELD_DPORT),
	[SET_ICMP4_CLASS] = BOXES("icmp4", FIELD_IP_DADDR, FIELD_ICMP_TYPE),
	[SET_ICMP6_CLASS] = BOXES("icmp6", FIELD_IP6_DADDR, FIELD_ICMP6_TYPE),
	[SET_ICMP4_R_CLASS] = BOXES("icmp4_r", FIELD_IP_DADDR, FIELD_ICMP_TYPE),
	[SET_ICMP6_R_CLASS] = BOXES("icmp6_r", FIELD_IP6_DADDR, FIELD_ICMP6_TYPE),
	[SET_PROTO4_CLASS] = BOXES("proto4", FIELD_IP_DADDR, FIELD_L4PROTO),
	[SET_PROTO6_CLASS] = BOXES("proto6", FIELD_IP6_DADDR, FIELD_L4PROTO),
	/* Every protocol is written 0-255: interval sets of one field alone are
	 * another kind of set, with another form of elements. */
	[SET_ANY4_CLASS] = BOXES("any4", FIELD_IP_DADDR, FIELD_L4PROTO),
	[SET_ANY6_CLASS] = BOXES("any6", FIELD_IP6_DADDR, FIELD_L4PROTO),
	[SET_MEMBERS4_CLASS] = PLAIN("members4", FIELD_IP_DADDR),
	[SET_MEMBERS6_CLASS] = PLAIN("members6", FIELD_IP6_DADDR),

	[SET_PORTS_PEER] = BOXES("ports", FIELD_L4PROTO, FIELD_DPORT),
	[SET_ICMP4_PEER] = BOXES("icmp4", FIELD_L4PROTO, FIELD_ICMP_TYPE),
	[SET_ICMP6_PEER] = BOXES("icmp6", FIELD_L4PROTO, FIELD_ICMP6_TYPE),
	[SET_ICMP4_R_PEER] = BOXES("icmp4_r", FIELD_L4PROTO, FIELD_ICMP_TYPE),
	[SET_ICMP6_R_PEER] = BOXES("icmp6_r", FIELD_L4PROTO, FIELD_ICMP6_TYPE),
	[SET_PROTO_PEER] = PLAIN("proto", FIELD_L4PROTO),
};

const struct set_info *
set_info(enum set_kind kind)
{
	return &sets[kind];
}

#define CAPACITY_MIN 256

uint32_t
ruleset_capacity(const struct image *im)
{
	uint32_t capacity = CAPACITY_MIN;

	/* A device has an address of each family as a rule, and may have more. */
	while (capacity < im->n[IMAGE_DEVICES] || capacity < im->n[IMAGE_ADDRESSES])
		capacity *= 2;
	return 2 * capacity;
}

uint32_t
set_size(enum set_kind kind, uint32_t capacity)
{
	return sets[kind].per_device ? capacity : sets[kind].size;
}

#define BIT(kind) (1ULL << (kind))
static_assert(SET_LIVE_PORT < 64, "a bit for each kind that may be absent");

struct ruleset
ruleset_make(const struct image *im, const struct station *stations, struct features features)
{
	static const enum set_kind by_address[2][2] = {
		{ SET_IDENTITY4, SET_IDENTITY4_PORT }, { SET_IDENTITY6, SET_IDENTITY6_PORT },
	};
	uint64_t absent = BIT(SET_IDENTITY4) | BIT(SET_IDENTITY4_PORT) | BIT(SET_IDENTITY6) |
	    BIT(SET_IDENTITY6_PORT) | BIT(SET_IDENTITY_MAC) | BIT(SET_IDENTITY_MAC_PORT) |
	    BIT(SET_LIVE_MAC) | BIT(SET_LIVE_PORT);

	for (uint32_t i = 0; i < im->n[IMAGE_DEVICES]; i++) {
		const struct image_device *d = &im->devices[i];
		bool port = d->interface != 0;

		absent &= ~BIT(port ? SET_LIVE_PORT : SET_LIVE_MAC);
		if (d->addresses.n == 0)
			absent &= ~BIT(port ? SET_IDENTITY_MAC_PORT : SET_IDENTITY_MAC);
		for (uint32_t j = 0; j < d->addresses.n; j++) {
			const struct image_address *a = &im->addresses[d->addresses.first + j];

			absent &= ~BIT(by_address[a->family == AF_INET6][port]);
		}
	}
	return (struct ruleset){ im, stations, features, absent };
}

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
	const char *stem = sets[ref->kind].name;
	char n[12], o[12];

	if (ref->kind >= SET_PORTS_PEER)
		snprintf(buf, SET_NAMELEN, "%s_%s_%s", stem, class_suffix(ref->number, n),
		    class_suffix(ref->other, o));
	else if (ref->kind >= SET_ALLOW4_CLASS)
		snprintf(buf, SET_NAMELEN, "%s_%s", stem, class_suffix(ref->number, n));
	else
		snprintf(buf, SET_NAMELEN, "%s", stem);
	return buf;
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
	[CHAIN_INPUT_REPLY] = "input_answer",
	[CHAIN_OUTPUT_DEVICE] = "output_device",
	[CHAIN_OUTPUT_REPLY] = "output_answer",
	[CHAIN_ADMIT] = "admit",
	[CHAIN_CROWDED] = "crowded",
	[CHAIN_REFUSED] = "refused",
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
};

const char *
chain_name(const struct chain_ref *ref, char buf[CHAIN_NAMELEN])
{
	const char *r = ref->kind == CHAIN_CLASS_R ? "_r" : "";

	if (ref->kind < CHAIN_CLASS)
		snprintf(buf, CHAIN_NAMELEN, "%s", chains[ref->kind]);
	else if (ref->number == 0)
		snprintf(buf, CHAIN_NAMELEN, "quarantine%s", r);
	else
		snprintf(buf, CHAIN_NAMELEN, "class_%u%s", ref->number, r);
	return buf;
}

enum chain_hook
chain_hook(enum chain_kind kind, bool *policy_drop)
{
	*policy_drop = kind == CHAIN_FORWARD;
	if (kind == CHAIN_FORWARD)
		return HOOK_FORWARD;
	if (kind == CHAIN_INPUT)
		return HOOK_INPUT;
	if (kind == CHAIN_OUTPUT)
		return HOOK_OUTPUT;
	return HOOK_NONE;
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

bool
element_same_key(const struct element *a, const struct element *b)
{
	return set_ref_equal(&a->set, &b->set) && a->key_len == b->key_len &&
	    memcmp(a->key, b->key, a->key_len) == 0 &&
	    (!sets[a->set.kind].interval || memcmp(a->key_end, b->key_end, a->key_len) == 0);
}

bool
element_equal(const struct element *a, const struct element *b)
{
	return element_same_key(a, b) && a->mark == b->mark && a->chain.kind == b->chain.kind &&
	    a->chain.number == b->chain.number;
}
