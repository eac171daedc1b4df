/* SPDX-License-Identifier: GPL-2.0-or-later */
/* packets.c -- random packets: most are near the edge of something allowed. */
#include "packets.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32 };

void
packets_init(struct packets *ps, const struct site *site, struct random *r)
{
	memset(ps, 0, sizeof(*ps));
	ps->site = site;
	ps->r = r;
}

int
packets_route(uint8_t family, const uint8_t a[16])
{
	if (family == AF_INET) {
		if (a[0] == 10 && a[1] == 0 && a[2] < LANS)
			return a[2];
		return a[0] == 198 && a[1] == 51 && a[2] == 100 ? WAN1 : WAN0;
	}
	if (a[0] == 0xfd && a[7] < LANS)
		return a[7];
	return a[0] == 0x20 && a[5] == 4 ? WAN1 : WAN0;
}

static const struct device_decl *
any_device(struct packets *ps)
{
	const struct policy *p = ps->site->policy;

	return &p->devices[random_below(ps->r, (uint32_t)p->n_devices)];
}

static const struct class_decl *
class_of(const struct packets *ps, const struct device_decl *d)
{
	const struct policy *p = ps->site->policy;

	for (size_t i = 0; i < p->n_classes; i++)
		if (strcmp(p->classes[i].name, d->class_name) == 0)
			return &p->classes[i];
	return &p->classes[0];
}

/* ---- near the edge ------------------------------------------------------ */

static void
step(uint8_t *bytes, size_t len, int by)
{
	for (size_t i = len; i > 0; i--) {
		bytes[i - 1] = (uint8_t)(bytes[i - 1] + by);
		if (bytes[i - 1] != (by > 0 ? 0 : 0xff))
			return;
	}
}

static void
near_range(struct random *r, const struct addr_range *range, uint8_t out[16])
{
	size_t len = addr_len(range->first.family);

	switch (random_below(r, 6)) {
	case 0:
		memcpy(out, range->first.bytes, 16);
		step(out, len, -1);
		return;
	case 1:
		memcpy(out, range->last.bytes, 16);
		step(out, len, 1);
		return;
	case 2:
	case 3:
		memcpy(out, range->last.bytes, 16);
		return;
	default:
		memcpy(out, range->first.bytes, 16);
	}
}

static uint16_t
near_port(struct random *r, uint16_t low, uint16_t high)
{
	switch (random_below(r, 7)) {
	case 0:
		return (uint16_t)(low - 1);
	case 1:
		return (uint16_t)(high + 1);
	case 2:
	case 3:
		return high;
	case 4:
		return (uint16_t)random_in(r, low, high);
	default:
		return low;
	}
}

static void
use_service(struct packets *ps, struct shape *s, const struct service *service)
{
	struct random *r = ps->r;

	s->protocol = service->protocol;
	s->dport = near_port(r, service->low, service->high);
	s->sport = (uint16_t)random_in(r, 40000, 40003);
	s->tcp_flags = random_is(r, 85) ? SYN : (uint8_t)random_below(r, 64);
	s->icmp_type = (uint8_t)s->dport;
	if (service->kind == BOX_ANY || random_is(r, 5)) {
		struct service other;

		random_service(r, &other);
		s->protocol = other.protocol != 0 ? other.protocol : 99;
		s->dport = s->icmp_type = (uint8_t)other.low;
		s->dport = other.low;
	}
}

/* ---- where to ----------------------------------------------------------- */

static bool
device_address(struct packets *ps, const struct device_decl *d, uint8_t family, uint8_t out[16])
{
	size_t at = d->n_addresses == 0 ? 0 : random_below(ps->r, (uint32_t)d->n_addresses);

	for (size_t i = 0; i < d->n_addresses; i++) {
		const struct device_address *a = &d->addresses[(at + i) % d->n_addresses];

		if (a->addr.family == family) {
			memcpy(out, a->addr.bytes, 16);
			if (a->prefix == 64)	/* any of them, or one a little beside */
				out[15] = (uint8_t)random_below(ps->r, 20);
			if (a->prefix == 64 && random_is(ps->r, 10))
				out[7] ^= 1;
			return true;
		}
	}
	return false;
}

static void
to_router(struct packets *ps, struct shape *s)
{
	uint8_t port = random_is(ps->r, 80) ? s->port : (uint8_t)random_below(ps->r, PORTS);

	memset(s->dst, 0, 16);
	if (s->family == AF_INET)
		memcpy(s->dst, (const uint8_t[]){ 10, 0, port, 254 }, 4);
	else
		memcpy(s->dst, (const uint8_t[16]){ 0xfd, [7] = port, [15] = 0xfe }, 16);
}

static const struct destination *
pick_destination(struct packets *ps, const struct destination *to, size_t n)
{
	const struct destination *d = &to[random_below(ps->r, (uint32_t)n)];
	const struct policy *p = ps->site->policy;

	if (d->kind != TO_GROUP)
		return d;
	for (size_t i = 0; i < p->n_groups; i++)
		if (strcmp(p->groups[i].name, d->name) == 0)
			return pick_destination(ps, p->groups[i].to, p->groups[i].n_to);
	return d;
}

static const struct service *
pick_service(struct packets *ps, const struct rule *rule)
{
	uint32_t at = random_below(ps->r, (uint32_t)(rule->n_services + rule->n_named));
	const struct policy *p = ps->site->policy;

	if (at < rule->n_services)
		return &rule->services[at];
	for (size_t i = 0; i < p->n_services; i++)
		if (strcmp(p->services[i].name, rule->named[at - rule->n_services]) == 0)
			return &p->services[i].services[random_below(ps->r, (uint32_t)p->services[i].n_services)];
	return NULL;
}

/* The rule's end into `end`: a destination, or in an inbound rule a source. */
static void
to_rule(struct packets *ps, const struct rule *rule, struct shape *s, uint8_t end[16])
{
	const struct destination *d = pick_destination(ps, rule->to, rule->n_to);

	if (d->kind == TO_RANGE) {
		s->family = d->range.first.family;
		near_range(ps->r, &d->range, end);
	} else if (!device_address(ps, any_device(ps), s->family, end)) {
		random_address(ps->r, s->family, end);
	}
	use_service(ps, s, pick_service(ps, rule));
}

static void
to_anywhere(struct packets *ps, struct shape *s)
{
	struct service service;

	random_service(ps->r, &service);
	use_service(ps, s, &service);
	if (random_is(ps->r, 50) && device_address(ps, any_device(ps), s->family, s->dst))
		return;
	random_address(ps->r, s->family, s->dst);
}

static void
to_appliance(struct packets *ps, struct shape *s)
{
	const struct appliance_decl *a = &ps->site->policy->appliance;
	struct service service;

	random_service(ps->r, &service);
	if (a->n_services > 0 && random_is(ps->r, 80))
		service = a->services[random_below(ps->r, (uint32_t)a->n_services)];
	use_service(ps, s, &service);
	to_router(ps, s);
	if (random_is(ps->r, 15)) {	/* to everybody */
		memset(s->dst, 0, 16);
		if (s->family == AF_INET)
			memset(s->dst, 0xff, 4);
		else
			memcpy(s->dst, (const uint8_t[16]){ 0xff, 2, [15] = 1 }, 16);
	}
	if (s->protocol == IPPROTO_UDP && s->dport == 67 && random_is(ps->r, 80)) {
		memset(s->src, 0, 4);
		s->sport = 68;
	} else if (s->protocol == IPPROTO_UDP && s->dport == 547) {
		s->sport = random_is(ps->r, 80) ? 546 : 547;
	} else if (s->protocol == IPPROTO_ICMPV6 && random_is(ps->r, 50)) {
		s->icmp_type = (uint8_t)random_in(ps->r, 130, 143);
		s->hoplimit = random_is(ps->r, 60) ? (random_is(ps->r, 50) ? 255 : 1) : 64;
	}
}

/* ---- from whom ---------------------------------------------------------- */

static int
port_of(const struct packets *ps, const struct device_decl *d, const uint8_t src[16], uint8_t family)
{
	(void)ps;
	for (int p = 0; p < PORTS && d->interface != NULL; p++)
		if (strcmp(d->interface, port_names[p]) == 0)
			return p;
	return packets_route(family, src) < LANS ? packets_route(family, src) : 0;
}

/* Behind a router that is not said to have a MAC, any will do. */
static void
frame_from(const struct device_decl *d, struct shape *s)
{
	if (d->has_mac)
		memcpy(s->ether, d->mac.bytes, 6);
	else
		memcpy(s->ether, (const uint8_t[]){ 2, 0xbb, 0, 0, 0, s->port }, 6);
}

static void
from_device(struct packets *ps, const struct device_decl *d, struct shape *s)
{
	if (random_is(ps->r, 4) || !device_address(ps, d, s->family, s->src)) {
		do
			random_address(ps->r, s->family, s->src);
		while (packets_route(s->family, s->src) >= LANS);
	}
	s->port = (uint8_t)port_of(ps, d, s->src, s->family);
	if (random_is(ps->r, 5))
		s->port = (uint8_t)random_below(ps->r, PORTS);
	frame_from(d, s);
	if (random_is(ps->r, 4))
		s->ether[5] = (uint8_t)random_below(ps->r, 16);
	if (s->family == AF_INET6 && random_is(ps->r, 2))	/* link-local */
		memcpy(s->src, (const uint8_t[16]){ 0xfe, 0x80, [15] = 9 }, 16);
}

static void
from_outside(struct packets *ps, struct shape *s)
{
	do
		random_address(ps->r, s->family, s->src);
	while (random_is(ps->r, 90) && packets_route(s->family, s->src) < LANS);
	s->port = (uint8_t)(packets_route(s->family, s->src) == WAN1 ? WAN1 : WAN0);
	memcpy(s->ether, (const uint8_t[]){ 2, 0xbb, 0, 0, 0, s->port }, 6);
}

/* ---- flows -------------------------------------------------------------- */

static uint8_t
answering_type(uint8_t protocol, uint8_t type)
{
	if (protocol == IPPROTO_ICMP)
		return type == 8 ? 0 : (uint8_t)(type + 1);
	return type + 1;
}

/* Its other end says something. */
static void
turn(struct packets *ps, struct shape *s)
{
	struct shape was = *s;
	const struct policy *p = ps->site->policy;

	memcpy(s->src, was.dst, 16);
	memcpy(s->dst, was.src, 16);
	s->sport = was.dport;
	s->dport = was.sport;
	if (s->protocol == IPPROTO_ICMP || s->protocol == IPPROTO_ICMPV6) {
		s->sport = was.sport;
		s->dport = was.dport;
		s->icmp_type = answering_type(s->protocol, was.icmp_type);
	}
	s->tcp_flags = (was.tcp_flags & ACK) != 0 ? ACK : SYN | ACK;
	s->port = (uint8_t)packets_route(s->family, s->src);
	memcpy(s->ether, (const uint8_t[]){ 2, 0xbb, 0, 0, 0, s->port }, 6);
	for (size_t i = 0; i < p->n_devices; i++)
		for (size_t j = 0; j < p->devices[i].n_addresses; j++)
			if (p->devices[i].addresses[j].addr.family == s->family &&
			    memcmp(p->devices[i].addresses[j].addr.bytes, s->src, 16) == 0) {
				s->port = (uint8_t)port_of(ps, &p->devices[i], s->src, s->family);
				frame_from(&p->devices[i], s);
			}
	if (random_is(ps->r, 2))
		s->port = (uint8_t)random_below(ps->r, PORTS);
	/* Link-local addresses are not routed. */
	if (s->family == AF_INET6 && s->dst[0] == 0xfe)
		to_router(ps, s);
}

static void
again(struct packets *ps, struct shape *s)
{
	bool passed = ps->n_flows > 0 && random_is(ps->r, 80);
	struct shape *flow = passed ? &ps->flows[random_below(ps->r, (uint32_t)ps->n_flows)] :
	    &ps->others[random_below(ps->r, (uint32_t)ps->n_others)];
	static struct shape about;

	*s = *flow;
	s->odd = 0;
	if (random_is(ps->r, 45)) {
		turn(ps, s);
		if (random_is(ps->r, 30))	/* and goes on from there */
			flow->tcp_flags = ACK;
	} else if (random_is(ps->r, 10)) {	/* an error about it, from its other end */
		about = *s;
		turn(ps, s);
		s->about = &about;
		s->protocol = s->family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;
		s->icmp_type = s->family == AF_INET ? 3 : 1;
	} else {
		s->tcp_flags = random_is(ps->r, 80) ? ACK : (uint8_t)random_below(ps->r, 64);
		if (random_is(ps->r, 5))
			s->ether[5] ^= 1;
		if (random_is(ps->r, 5))
			s->port = (uint8_t)random_below(ps->r, LANS);
	}
}

/* Some class that this one extends, or itself. */
static const struct class_decl *
some_parent(struct packets *ps, const struct class_decl *c)
{
	const struct policy *p = ps->site->policy;

	if (c->n_extends > 0 && random_is(ps->r, 50))
		for (size_t i = 0; i < p->n_classes; i++)
			if (strcmp(p->classes[i].name, c->extends[0]) == 0)
				return some_parent(ps, &p->classes[i]);
	return c;
}

/* From outside, or another device, to one that may be reached. */
static bool
to_device(struct packets *ps, const struct device_decl *d, const struct class_decl *c, struct shape *s)
{
	if (c->n_inbound == 0)
		return false;
	to_rule(ps, &c->inbound[random_below(ps->r, (uint32_t)c->n_inbound)], s, s->src);
	if (!device_address(ps, d, s->family, s->dst))
		return false;
	s->port = (uint8_t)packets_route(s->family, s->src);
	memcpy(s->ether, (const uint8_t[]){ 2, 0xbb, 0, 0, 0, s->port }, 6);
	if (s->port < LANS)
		from_device(ps, any_device(ps), s);
	return true;
}

static void
anew(struct packets *ps, struct shape *s)
{
	const struct policy *p = ps->site->policy;
	const struct device_decl *d = any_device(ps);
	const struct class_decl *c = some_parent(ps, class_of(ps, d));
	const struct rule *rules = c->rules;
	size_t n_rules = c->n_rules;
	uint32_t what = random_below(ps->r, 100);
	bool done = what >= 80 && to_device(ps, d, c, s);

	if (random_is(ps->r, 15)) {
		rules = p->appliance.quarantine;
		n_rules = p->appliance.n_quarantine;
	}
	if (!done) {
		if (what < 50 && n_rules > 0)
			to_rule(ps, &rules[random_below(ps->r, (uint32_t)n_rules)], s, s->dst);
		else
			to_anywhere(ps, s);
		if (what >= 80)
			from_outside(ps, s);
		else
			from_device(ps, d, s);
		if (what >= 65 && what < 80)
			to_appliance(ps, s);
		if (what >= 98)
			to_router(ps, s);
	}
	ps->others[ps->n_others < OTHERS ? ps->n_others++ : random_below(ps->r, OTHERS)] = *s;
	ps->fresh = true;
}

static void
make_odd(struct packets *ps, struct shape *s, unsigned *fragments)
{
	switch (random_below(ps->r, 40)) {
	case 0:
		s->odd |= ODD_CHECKSUM;
		return;
	case 1:
		s->odd |= ODD_SHORT;
		return;
	case 2:
	case 3:
		s->odd |= ODD_EXTENSIONS;
		return;
	case 4:
		s->odd |= ODD_UNTRACKED;
		return;
	case 5:
		s->odd |= ODD_BROADCAST;
		return;
	case 6:
	case 7:
		if (s->about == NULL) {
			s->payload = 64;
			*fragments = random_in(ps->r, 2, 3);
		}
	}
}

void
packets_next(struct packets *ps, uint32_t number, struct shape *s, unsigned *fragments)
{
	memset(s, 0, sizeof(*s));
	s->family = random_is(ps->r, 60) ? AF_INET : AF_INET6;
	s->hoplimit = 64;
	s->payload = (uint8_t)random_below(ps->r, 24);
	*fragments = 1;
	ps->fresh = false;
	if (ps->n_others > 8 && random_is(ps->r, 45))
		again(ps, s);
	else
		anew(ps, s);
	ps->recent[number % RECENT] = *s;
	ps->recent[number % RECENT].about = NULL;
	ps->is_fresh[number % RECENT] = ps->fresh;
	make_odd(ps, s, fragments);
}

void
packets_passed(struct packets *ps, uint32_t number)
{
	if (!ps->is_fresh[number % RECENT])
		return;
	ps->flows[ps->n_flows < FLOWS ? ps->n_flows++ : random_below(ps->r, FLOWS)] = ps->recent[number % RECENT];
}
