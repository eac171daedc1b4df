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
	NFT_TYPE_TCP_FLAG = 15,
	NFT_TYPE_MARK = 19,
	NFT_TYPE_IFACE_INDEX = 20,
	NFT_TYPE_CLASSID = 23,
	NFT_TYPE_CT_DIR = 27,
	NFT_TYPE_CT_STATUS = 28,
	NFT_TYPE_ICMPV6_TYPE = 29,
	NFT_TYPE_PKT_TYPE = 31,
	NFT_TYPE_ICMP_CODE = 32,
	NFT_TYPE_ICMPV6_CODE = 33,
	NFT_TYPE_IFNAME = 41,
	NFT_TYPE_TIME = 43,
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
	[FIELD_ICMP_CODE] = { "icmp code", "icmp_code", NFT_TYPE_ICMP_CODE, 1, AF_INET },
	[FIELD_ICMP6_CODE] = { "icmpv6 code", "icmpv6_code", NFT_TYPE_ICMPV6_CODE, 1, AF_INET6 },
	[FIELD_IIFNAME] = { "iifname", "ifname", NFT_TYPE_IFNAME, 16, 0 },
	[FIELD_OIFNAME] = { "oifname", "ifname", NFT_TYPE_IFNAME, 16, 0 },
	[FIELD_IIF] = { "meta iif", "iface_index", NFT_TYPE_IFACE_INDEX, 4, 0 },
	[FIELD_OIF] = { "meta oif", "iface_index", NFT_TYPE_IFACE_INDEX, 4, 0 },
	[FIELD_IP6_SADDR_NET] = { "ip6 saddr and ffff:ffff:ffff:ffff::", "ipv6_addr", NFT_TYPE_IPV6_ADDR,
	    16, AF_INET6 },
	[FIELD_TCP_RESET] = { "tcp flags and rst", "tcp_flag", NFT_TYPE_TCP_FLAG, 1, 0 },
	[FIELD_TIME] = { "meta time", "time", NFT_TYPE_TIME, 8, 0 },
	[FIELD_MARK] = { "meta mark", "mark", NFT_TYPE_MARK, 4, 0 },
	[FIELD_NUMBER] = { "meta mark and 0xffffff00", "mark", NFT_TYPE_MARK, 4, 0 },
	[FIELD_CLASS] = { "meta priority", "classid", NFT_TYPE_CLASSID, 4, 0 },
	[FIELD_CT_MARK] = { "ct mark", "mark", NFT_TYPE_MARK, 4, 0 },
	[FIELD_CT_NUMBER] = { "ct mark and 0xffffff00", "mark", NFT_TYPE_MARK, 4, 0 },
	[FIELD_CT_CONFIRMED] = { "ct status and confirmed", "ct_status", NFT_TYPE_CT_STATUS, 4, 0 },
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
#define BOXES(name_, ...) { .name = name_, .fields = { __VA_ARGS__ }, .interval = true }
#define CHAINS(name_) { .name = name_, .fields = { FIELD_CLASS }, .data = DATA_CHAIN }
#define BY_CLASS(name_, ...) { .name = name_, .scope = SCOPE_CLASS, .fields = { __VA_ARGS__ } }
#define CLASS_BOXES(name_, ...) \
	{ .name = name_, .scope = SCOPE_CLASS, .fields = { __VA_ARGS__ }, .interval = true }
#define BY_PEER(name_, ...) { .name = name_, .scope = SCOPE_PEER, .fields = { __VA_ARGS__ } }
#define PEER_BOXES(name_, ...) \
	{ .name = name_, .scope = SCOPE_PEER, .fields = { __VA_ARGS__ }, .interval = true }
#define DYNAMIC(name_, state_, timeout_, ...) \
	{ .name = name_, .fields = { __VA_ARGS__ }, .state = state_, .dynamic = true, \
	  .size = LIMIT_REFUSED_KEYS, .timeout_s = timeout_ }

#define STAGED_TOTAL(name_) \
	{ .name = name_, .fields = { FIELD_NUMBER }, .state = STATE_COUNTER, .dynamic = true, .per_device = true }
#define STAGED_KEYS(name_, ...) \
	{ .name = name_, .fields = { __VA_ARGS__ }, .state = STATE_COUNTER, .dynamic = true, \
	  .size = LIMIT_STAGED_KEYS }

/* A window ends when cordond deletes the key and reads its last count; the
 * kernel's own timeout only cleans up behind a cordond that is not there. */
#define REFUSED_TIMEOUT_S	900
/* The rate at which one device may make new keys recovers within this time. */
#define BUDGET_TIMEOUT_S	60
/* A device's bucket is made anew after this time, full. */
#define RATE_TIMEOUT_S		60
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
	/* What nft masks stands first in a concatenation, or nft cannot read its own listing. */
	[SET_IDENTITY6_NET] = MAP("identity6_net", DATA_MARK, FIELD_IP6_SADDR_NET, FIELD_ETHER_SADDR),
	[SET_IDENTITY6_NET_PORT] = MAP("identity6_net_port", DATA_MARK,
	    FIELD_IP6_SADDR_NET, FIELD_ETHER_SADDR, FIELD_IIFNAME),
	[SET_IDENTITY4_ROUTED] = MAP("identity4_routed", DATA_MARK, FIELD_IP_SADDR, FIELD_IIFNAME),
	[SET_IDENTITY6_ROUTED] = MAP("identity6_routed", DATA_MARK, FIELD_IP6_SADDR, FIELD_IIFNAME),
	[SET_IDENTITY_MAC] = MAP("identity_mac", DATA_MARK, FIELD_ETHER_SADDR),
	[SET_IDENTITY_MAC_PORT] = MAP("identity_mac_port", DATA_MARK,
	    FIELD_ETHER_SADDR, FIELD_IIFNAME),
	[SET_HARDWARE] = MAP("hardware", DATA_MARK, FIELD_ETHER_SADDR),
	[SET_HOLDER4] = MAP("holder4", DATA_MARK, FIELD_IP_DADDR),
	[SET_HOLDER6] = MAP("holder6", DATA_MARK, FIELD_IP6_DADDR),
	[SET_CURRENT] = MAP("current", DATA_MARK, FIELD_MARK),
	[SET_CLASS_OF] = MAP("class_of", DATA_CLASS, FIELD_NUMBER),
	[SET_CHAINS] = CHAINS("chains"),
	[SET_CHAINS_R] = CHAINS("chains_r"),
	[SET_CHAINS_IN] = CHAINS("chains_in"),
	[SET_CHAINS_IN_R] = CHAINS("chains_in_r"),
	[SET_LIVE] = SET("live", FIELD_CT_MARK),
	[SET_LIVE_MAC] = SET("live_mac", FIELD_ETHER_SADDR, FIELD_CT_MARK),
	[SET_LIVE_PORT] = SET("live_port", FIELD_ETHER_SADDR, FIELD_IIFNAME, FIELD_CT_MARK),
	[SET_LIVE_ROUTED] = SET("live_routed", FIELD_IIFNAME, FIELD_CT_MARK),
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
	[SET_RATE] = DYNAMIC("rate", STATE_OVER_RATE, RATE_TIMEOUT_S, FIELD_NUMBER),
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
	[SET_HASTY] = DYNAMIC("hasty", STATE_COUNTER_SAMPLE, REFUSED_TIMEOUT_S, FIELD_MARK),
	[SET_ASKING] = DYNAMIC("asking", STATE_COUNTER_SAMPLE, REFUSED_TIMEOUT_S, FIELD_ETHER_SADDR, FIELD_IIF),

	[SET_NEWLY_REFUSED] = STAGED_TOTAL("staged_refused"),
	[SET_NEWLY_REFUSED4] = STAGED_KEYS("staged_refused4",
	    FIELD_NUMBER, FIELD_IP_SADDR, FIELD_IP_DADDR, FIELD_L4PROTO, FIELD_DPORT),
	[SET_NEWLY_REFUSED6] = STAGED_KEYS("staged_refused6",
	    FIELD_NUMBER, FIELD_IP6_SADDR, FIELD_IP6_DADDR, FIELD_L4PROTO, FIELD_DPORT),
	[SET_NEWLY_REFUSED4_PORTLESS] = STAGED_KEYS("staged_refused4_portless",
	    FIELD_NUMBER, FIELD_IP_SADDR, FIELD_IP_DADDR, FIELD_L4PROTO),
	[SET_NEWLY_REFUSED6_PORTLESS] = STAGED_KEYS("staged_refused6_portless",
	    FIELD_NUMBER, FIELD_IP6_SADDR, FIELD_IP6_DADDR, FIELD_L4PROTO),
	[SET_NEWLY_ALLOWED] = STAGED_TOTAL("staged_allowed"),
	[SET_NEWLY_ALLOWED4] = STAGED_KEYS("staged_allowed4",
	    FIELD_NUMBER, FIELD_IP_SADDR, FIELD_IP_DADDR, FIELD_L4PROTO, FIELD_DPORT),
	[SET_NEWLY_ALLOWED6] = STAGED_KEYS("staged_allowed6",
	    FIELD_NUMBER, FIELD_IP6_SADDR, FIELD_IP6_DADDR, FIELD_L4PROTO, FIELD_DPORT),
	[SET_NEWLY_ALLOWED4_PORTLESS] = STAGED_KEYS("staged_allowed4_portless",
	    FIELD_NUMBER, FIELD_IP_SADDR, FIELD_IP_DADDR, FIELD_L4PROTO),
	[SET_NEWLY_ALLOWED6_PORTLESS] = STAGED_KEYS("staged_allowed6_portless",
	    FIELD_NUMBER, FIELD_IP6_SADDR, FIELD_IP6_DADDR, FIELD_L4PROTO),

	/* Alone in its set: an interval is a begin and an end there. */
	[SET_WINDOWS] = { .name = "windows", .scope = SCOPE_SCHEDULE, .fields = { FIELD_TIME },
	    .edges = true },

	[SET_ALLOW4_CLASS] = CLASS_BOXES("allow4", FIELD_IP_DADDR, FIELD_L4PROTO, FIELD_DPORT),
	[SET_ALLOW6_CLASS] = CLASS_BOXES("allow6", FIELD_IP6_DADDR, FIELD_L4PROTO, FIELD_DPORT),
	[SET_ICMP4_CLASS] = CLASS_BOXES("icmp4", FIELD_IP_DADDR, FIELD_ICMP_TYPE),
	[SET_ICMP6_CLASS] = CLASS_BOXES("icmp6", FIELD_IP6_DADDR, FIELD_ICMP6_TYPE),
	[SET_ICMP4_R_CLASS] = CLASS_BOXES("icmp4_r", FIELD_IP_DADDR, FIELD_ICMP_TYPE),
	[SET_ICMP6_R_CLASS] = CLASS_BOXES("icmp6_r", FIELD_IP6_DADDR, FIELD_ICMP6_TYPE),
	[SET_PROTO4_CLASS] = CLASS_BOXES("proto4", FIELD_IP_DADDR, FIELD_L4PROTO),
	[SET_PROTO6_CLASS] = CLASS_BOXES("proto6", FIELD_IP6_DADDR, FIELD_L4PROTO),
	/* Every protocol is written 0-255: interval sets of one field alone are
	 * another kind of set, with another form of elements. */
	[SET_ANY4_CLASS] = CLASS_BOXES("any4", FIELD_IP_DADDR, FIELD_L4PROTO),
	[SET_ANY6_CLASS] = CLASS_BOXES("any6", FIELD_IP6_DADDR, FIELD_L4PROTO),
	[SET_MEMBERS4_CLASS] = BY_CLASS("members4", FIELD_IP_DADDR),
	[SET_MEMBERS6_CLASS] = BY_CLASS("members6", FIELD_IP6_DADDR),

	[SET_PORTS_PEER] = PEER_BOXES("ports", FIELD_L4PROTO, FIELD_DPORT),
	[SET_ICMP4_PEER] = PEER_BOXES("icmp4", FIELD_L4PROTO, FIELD_ICMP_TYPE),
	[SET_ICMP6_PEER] = PEER_BOXES("icmp6", FIELD_L4PROTO, FIELD_ICMP6_TYPE),
	[SET_ICMP4_R_PEER] = PEER_BOXES("icmp4_r", FIELD_L4PROTO, FIELD_ICMP_TYPE),
	[SET_ICMP6_R_PEER] = PEER_BOXES("icmp6_r", FIELD_L4PROTO, FIELD_ICMP6_TYPE),
	[SET_PROTO_PEER] = BY_PEER("proto", FIELD_L4PROTO),
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
set_size(const struct set_ref *ref, uint32_t capacity)
{
	/* A staged policy may have any number of devices: what stands shall not be made anew for it. */
	if (ref->staged)
		return 0;
	return sets[ref->kind].per_device ? capacity : sets[ref->kind].size;
}

bool
set_is_staged(const struct set_ref *ref)
{
	return ref->staged || (ref->kind >= SET_NEWLY_REFUSED && ref->kind <= SET_NEWLY_ALLOWED6_PORTLESS);
}

bool
chain_is_staged(const struct chain_ref *ref)
{
	return ref->staged || (ref->kind >= CHAIN_STAGED_ADMITTED && ref->kind <= CHAIN_STAGED_ALLOWS_PORT);
}

#define BIT(kind) (1ULL << (kind))
static_assert(SET_LIVE_ROUTED < 63, "a bit for each kind that may be absent");

/* Which identity set an address of a device stands in; NULL: the MAC alone. */
enum set_kind
ruleset_identity_set(const struct image_device *d, const struct image_address *a)
{
	static const enum set_kind own[4][2] = {
		{ SET_IDENTITY_MAC, SET_IDENTITY_MAC_PORT },
		{ SET_IDENTITY4, SET_IDENTITY4_PORT },
		{ SET_IDENTITY6, SET_IDENTITY6_PORT },
		{ SET_IDENTITY6_NET, SET_IDENTITY6_NET_PORT },
	};
	bool v4 = a != NULL && a->family == AF_INET;

	if (d->identity == IDENTITY_ROUTED)
		return v4 ? SET_IDENTITY4_ROUTED : SET_IDENTITY6_ROUTED;
	return own[a == NULL ? 0 : v4 ? 1 : image_address_is_whole(a) ? 2 : 3][d->interface != 0];
}

enum set_kind
ruleset_live_set(const struct image_device *d)
{
	if (d->identity == IDENTITY_ROUTED)
		return SET_LIVE_ROUTED;
	return d->interface != 0 ? SET_LIVE_PORT : SET_LIVE_MAC;
}

struct ruleset
ruleset_make(const struct image *im, const struct station *stations, struct features features)
{
	uint64_t absent = BIT(SET_LIVE_MAC) | BIT(SET_LIVE_PORT) | BIT(SET_LIVE_ROUTED) | ABSENT_INBOUND;

	for (int k = SET_IDENTITY4; k <= SET_IDENTITY_MAC_PORT; k++)
		absent |= BIT(k);
	for (uint32_t i = 0; i < im->n[IMAGE_CLASSES]; i++) {
		const struct image_class *c = &im->classes[i];

		if (image_class_has_inbound(im, c) || c->mode == MODE_AUDIT)
			absent &= ~ABSENT_INBOUND;
	}
	for (uint32_t i = 0; i < im->n[IMAGE_DEVICES]; i++) {
		const struct image_device *d = &im->devices[i];

		absent &= ~BIT(ruleset_live_set(d));
		if (d->addresses.n == 0)
			absent &= ~BIT(ruleset_identity_set(d, NULL));
		for (uint32_t j = 0; j < d->addresses.n; j++)
			absent &= ~BIT(ruleset_identity_set(d, &im->addresses[d->addresses.first + j]));
	}
	return (struct ruleset){ .image = im, .stations = stations, .features = features, .absent = absent };
}

enum chain_hook
chain_hook(enum chain_kind kind, bool *policy_drop)
{
	*policy_drop = kind == CHAIN_FORWARD;
	if (kind == CHAIN_FORWARD || kind == CHAIN_STAGED_ADMITTED)
		return HOOK_FORWARD;
	if (kind == CHAIN_INPUT)
		return HOOK_INPUT;
	if (kind == CHAIN_OUTPUT)
		return HOOK_OUTPUT;
	return HOOK_NONE;
}

int
chain_behind(enum chain_kind kind)
{
	return kind == CHAIN_STAGED_ADMITTED;
}

bool
element_same_key(const struct element *a, const struct element *b)
{
	return set_ref_equal(&a->set, &b->set) && a->key_len == b->key_len && a->end == b->end &&
	    memcmp(a->key, b->key, a->key_len) == 0 &&
	    (!sets[a->set.kind].interval || memcmp(a->key_end, b->key_end, a->key_len) == 0);
}

bool
element_equal(const struct element *a, const struct element *b)
{
	return element_same_key(a, b) && a->mark == b->mark && a->chain.kind == b->chain.kind &&
	    a->chain.number == b->chain.number;
}
