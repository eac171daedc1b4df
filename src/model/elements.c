/* SPDX-License-Identifier: GPL-2.0-or-later */
/* elements.c -- what the sets hold: of the appliance, of a class, of a device. */
#include "model/ruleset.h"

#include <arpa/inet.h>
#include <endian.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

struct emitter {
	element_fn *fn;
	void *arg;
	bool staged;
	uint32_t class_number;	/* of the class whose reach this is */
	const struct image_reach *reach;
	int rc;			/* the first non-zero answer; nothing is emitted after it */
	struct element e;
};

static void
begin(struct emitter *em, enum set_kind kind)
{
	memset(&em->e, 0, sizeof(em->e));
	em->e.set.kind = (uint16_t)kind;
	em->e.set.staged = em->staged;
}

static void
begin_of(struct emitter *em, enum set_kind kind, uint32_t number)
{
	begin(em, kind);
	em->e.set.number = number;
}

/* A set that one reach of a class has. */
static void
begin_reach(struct emitter *em, enum set_kind kind)
{
	begin_of(em, kind, em->class_number);
	em->e.set.inbound = em->reach->direction == REACH_IN;
	em->e.set.schedule = em->reach->schedule;
	em->e.set.other = em->reach->peer;
}

/* One field of the key; hi is the end of its range, or lo again. */
static void
field(struct emitter *em, const void *lo, const void *hi, size_t len)
{
	struct element *e = &em->e;

	memcpy(e->key + e->key_len, lo, len);
	memcpy(e->key_end + e->key_len, hi, len);
	e->key_len += (len + 3) / 4 * 4;
}

static void
field_bytes(struct emitter *em, const void *p, size_t len)
{
	field(em, p, p, len);
}

static void
field_mark(struct emitter *em, uint32_t mark)
{
	field_bytes(em, &mark, sizeof(mark));
}

static void
field_u8(struct emitter *em, uint8_t lo, uint8_t hi)
{
	field(em, &lo, &hi, 1);
}

static void
field_port(struct emitter *em, uint16_t lo, uint16_t hi)
{
	uint16_t l = htons(lo), h = htons(hi);

	field(em, &l, &h, sizeof(l));
}

static void
field_name(struct emitter *em, const char *name)
{
	uint8_t padded[16] = { 0 };

	strncpy((char *)padded, name, sizeof(padded) - 1);
	field_bytes(em, padded, sizeof(padded));
}

static void
end_element(struct emitter *em)
{
	if (em->rc == 0)
		em->rc = em->fn(em->arg, &em->e);
}

static void
end_mark(struct emitter *em, uint32_t mark)
{
	em->e.mark = mark;
	end_element(em);
}

/* ---- the appliance ------------------------------------------------------ */

enum { DHCP_CLIENT = 68, DHCP_SERVER = 67, DHCP6_CLIENT = 546, DHCP6_SERVER = 547 };

static void
bootstrap(struct emitter *em, const struct image_box *b, uint16_t server, uint16_t client)
{
	if (b->protocol != IPPROTO_UDP || b->low > server || b->high < server)
		return;
	begin(em, SET_BOOTSTRAP);
	field_port(em, client, client);
	field_port(em, server, server);
	end_element(em);
}

static void
service(struct emitter *em, const struct image_box *b)
{
	if (b->kind == BOX_PORTS) {
		begin(em, SET_SERVICES);
		field_u8(em, b->protocol, b->protocol);
		field_port(em, b->low, b->high);
		end_element(em);
		bootstrap(em, b, DHCP_SERVER, DHCP_CLIENT);
		bootstrap(em, b, DHCP6_SERVER, DHCP6_CLIENT);
	} else if (b->kind == BOX_ICMP) {
		begin(em, b->protocol == IPPROTO_ICMP ? SET_SERVICES_ICMP : SET_SERVICES_ICMP6);
		field_u8(em, b->protocol, b->protocol);
		field_u8(em, (uint8_t)b->low, (uint8_t)b->high);
		end_element(em);
	}
}

/* One edge of a window, in nanoseconds as the kernel's clock has it. */
static void
edge(struct emitter *em, uint32_t number, int64_t at_s, bool end)
{
	uint64_t ns = htobe64((uint64_t)at_s * 1000000000U);

	begin_of(em, SET_WINDOWS, number);
	em->e.end = end;
	field_bytes(em, &ns, sizeof(ns));
	end_element(em);
}

static void
windows(struct emitter *em, const struct image *im, const struct image_schedule *s, uint32_t number)
{
	for (uint32_t i = 0; i < s->windows.n; i++) {
		const struct image_window *w = &im->windows[s->windows.first + i];

		edge(em, number, w->from, false);
		edge(em, number, w->to, true);
	}
}

int
elements_of_appliance(const struct ruleset *rs, element_fn *fn, void *arg)
{
	const struct image *im = rs->image;
	struct emitter em = { .fn = fn, .arg = arg, .staged = rs->staged };

	for (uint32_t i = 0; !rs->staged && i < im->n[IMAGE_INTERFACES]; i++) {
		begin(&em, SET_DEVICE_INTERFACES);
		field_name(&em, image_text(im, im->interfaces[i].name));
		end_element(&em);
	}
	for (uint32_t i = 0; !rs->staged && i < im->appliance->services.n; i++)
		service(&em, &im->boxes[im->appliance->services.first + i]);
	for (uint32_t i = 0; i < im->n[IMAGE_SCHEDULES]; i++)
		windows(&em, im, &im->schedules[i], i + 1);
	return em.rc;
}

/* ---- a class ------------------------------------------------------------ */

/* The type that answers a query of ICMP (RFC 792, RFC 950) or ICMPv6 (RFC 4443,
 * RFC 4620); false for a type that none answers. */
static bool
icmp_answer(uint8_t protocol, uint8_t type, uint8_t *answer)
{
	static const uint8_t v4[][2] = { { 8, 0 }, { 13, 14 }, { 15, 16 }, { 17, 18 } };
	static const uint8_t v6[][2] = { { 128, 129 }, { 139, 140 } };
	const uint8_t (*t)[2] = protocol == IPPROTO_ICMP ? v4 : v6;
	size_t n = protocol == IPPROTO_ICMP ? sizeof(v4) / sizeof(v4[0]) : sizeof(v6) / sizeof(v6[0]);

	for (size_t i = 0; i < n; i++) {
		if (t[i][0] == type) {
			*answer = t[i][1];
			return true;
		}
	}
	return false;
}

static void
addresses(struct emitter *em, const struct image_box *b)
{
	field(em, b->first, b->last, b->family == AF_INET ? 4 : 16);
}

static void
class_icmp(struct emitter *em, const struct image_box *b)
{
	bool v4 = b->protocol == IPPROTO_ICMP;

	begin_reach(em, v4 ? SET_ICMP4_CLASS : SET_ICMP6_CLASS);
	addresses(em, b);
	field_u8(em, (uint8_t)b->low, (uint8_t)b->high);
	end_element(em);
	for (unsigned type = b->low; !em->staged && type <= b->high; type++) {
		uint8_t answer;

		if (!icmp_answer(b->protocol, (uint8_t)type, &answer))
			continue;
		begin_reach(em, v4 ? SET_ICMP4_R_CLASS : SET_ICMP6_R_CLASS);
		addresses(em, b);
		field_u8(em, answer, answer);
		end_element(em);
	}
}

static void
class_box(struct emitter *em, const struct image_box *b)
{
	bool v4 = b->family == AF_INET;

	switch ((enum box_kind)b->kind) {
	case BOX_PORTS:
		begin_reach(em, v4 ? SET_ALLOW4_CLASS : SET_ALLOW6_CLASS);
		addresses(em, b);
		field_u8(em, b->protocol, b->protocol);
		field_port(em, b->low, b->high);
		end_element(em);
		return;
	case BOX_ICMP:
		class_icmp(em, b);
		return;
	case BOX_PROTOCOL:
		begin_reach(em, v4 ? SET_PROTO4_CLASS : SET_PROTO6_CLASS);
		addresses(em, b);
		field_u8(em, b->protocol, b->protocol);
		end_element(em);
		return;
	case BOX_ANY:
		begin_reach(em, v4 ? SET_ANY4_CLASS : SET_ANY6_CLASS);
		addresses(em, b);
		field_u8(em, 0, 255);
		end_element(em);
		return;
	case BOX_KINDS:
		return;
	}
}

static void
peer_icmp(struct emitter *em, const struct image_box *b)
{
	bool v4 = b->protocol == IPPROTO_ICMP;

	begin_reach(em, v4 ? SET_ICMP4_PEER : SET_ICMP6_PEER);
	field_u8(em, b->protocol, b->protocol);
	field_u8(em, (uint8_t)b->low, (uint8_t)b->high);
	end_element(em);
	for (unsigned type = b->low; !em->staged && type <= b->high; type++) {
		uint8_t answer;

		if (!icmp_answer(b->protocol, (uint8_t)type, &answer))
			continue;
		begin_reach(em, v4 ? SET_ICMP4_R_PEER : SET_ICMP6_R_PEER);
		field_u8(em, b->protocol, b->protocol);
		field_u8(em, answer, answer);
		end_element(em);
	}
}

static void
peer_box(struct emitter *em, const struct image_box *b)
{
	if (b->kind == BOX_PORTS) {
		begin_reach(em, SET_PORTS_PEER);
		field_u8(em, b->protocol, b->protocol);
		field_port(em, b->low, b->high);
		end_element(em);
	} else if (b->kind == BOX_ICMP) {
		peer_icmp(em, b);
	} else if (b->kind == BOX_PROTOCOL) {
		begin_reach(em, SET_PROTO_PEER);
		field_u8(em, b->protocol, b->protocol);
		end_element(em);
	}
}

static void
chain_of(struct emitter *em, enum set_kind kind, uint32_t class_number, enum chain_kind chain)
{
	begin(em, kind);
	field_mark(em, class_number);
	em->e.chain.kind = (uint16_t)chain;
	if (chain >= CHAIN_CLASS) {
		em->e.chain.number = class_number;
		em->e.chain.staged = em->staged;
	}
	end_element(em);
}

/* Quarantine is asked for first, by mark, so class 0 is in no map. */
static void
chains(struct emitter *em, const struct image *im, const struct image_class *class)
{
	bool audit = class->mode == MODE_AUDIT, in = image_class_has_inbound(im, class);

	if (class->number == 0)
		return;
	chain_of(em, SET_CHAINS, class->number, CHAIN_CLASS);
	if (em->staged) {	/* a class in audit says yes to everybody */
		if (in || audit)
			chain_of(em, SET_CHAINS_IN, class->number, in ? CHAIN_CLASS_IN : CHAIN_CLASS);
		return;
	}
	chain_of(em, SET_CHAINS_R, class->number, CHAIN_CLASS_R);
	chain_of(em, SET_CHAINS_IN, class->number, in ? CHAIN_CLASS_IN : audit ? CHAIN_AUDITED : CHAIN_REFUSED);
	chain_of(em, SET_CHAINS_IN_R, class->number, in ? CHAIN_CLASS_IN_R : audit ? CHAIN_ADMIT : CHAIN_STRAY);
}

int
elements_of_class(const struct ruleset *rs, const struct image_class *class, element_fn *fn, void *arg)
{
	const struct image *im = rs->image;
	struct emitter em = { .fn = fn, .arg = arg, .staged = rs->staged, .class_number = class->number };

	if (rs->staged && class->number == 0)
		return 0;
	chains(&em, im, class);
	for (uint32_t i = 0; i < class->reaches.n; i++) {
		const struct image_reach *r = &im->reaches[class->reaches.first + i];

		em.reach = r;
		for (uint32_t j = 0; j < r->boxes.n; j++) {
			if (r->peer == 0)
				class_box(&em, &im->boxes[r->boxes.first + j]);
			else
				peer_box(&em, &im->boxes[r->boxes.first + j]);
		}
	}
	return em.rc;
}

/* ---- a device ----------------------------------------------------------- */

static void
identity(struct emitter *em, const struct image *im, const struct image_device *d,
    const struct image_address *a, uint32_t mark)
{
	bool prefix = a != NULL && !image_address_is_whole(a);

	begin(em, ruleset_identity_set(d, a));
	if (prefix)
		field_bytes(em, a->bytes, sizeof(a->bytes));
	if (d->identity != IDENTITY_ROUTED)
		field_bytes(em, d->mac, sizeof(d->mac));
	if (a != NULL && !prefix)
		field_bytes(em, a->bytes, a->family == AF_INET ? 4 : 16);
	if (d->interface != 0)
		field_name(em, image_text(im, d->interface));
	end_mark(em, mark);
}

/* Inside a prefix of its own a device may use any address, from its link-local
 * ones too (RFC 4862 5.3): they come from the same MAC. */
static void
link_local(struct emitter *em, const struct image *im, const struct image_device *d, uint32_t mark)
{
	static const struct image_address any = { .family = AF_INET6, .prefix = 64, .bytes = { 0xfe, 0x80 } };

	for (uint32_t i = 0; i < d->addresses.n; i++) {
		if (!image_address_is_whole(&im->addresses[d->addresses.first + i])) {
			identity(em, im, d, &any, mark);
			return;
		}
	}
}

static void
holder(struct emitter *em, const struct image_address *a, uint32_t mark)
{
	bool v4 = a->family == AF_INET;

	begin(em, v4 ? SET_HOLDER4 : SET_HOLDER6);
	field_bytes(em, a->bytes, v4 ? 4 : 16);
	end_mark(em, mark);
}

static void
member(struct emitter *em, const struct image_address *a, uint32_t class_number)
{
	bool v4 = a->family == AF_INET;

	begin_of(em, v4 ? SET_MEMBERS4_CLASS : SET_MEMBERS6_CLASS, class_number);
	field_bytes(em, a->bytes, v4 ? 4 : 16);
	end_element(em);
}

static void
by_mark(struct emitter *em, enum set_kind kind, uint32_t mark)
{
	begin(em, kind);
	field_mark(em, mark);
}

static void
live(struct emitter *em, const struct image *im, const struct image_device *d, uint32_t mark)
{
	by_mark(em, SET_LIVE, mark);
	end_element(em);
	begin(em, ruleset_live_set(d));
	if (d->identity != IDENTITY_ROUTED)
		field_bytes(em, d->mac, sizeof(d->mac));
	if (d->interface != 0)
		field_name(em, image_text(im, d->interface));
	field_mark(em, mark);
	end_element(em);
}

static void
identities(struct emitter *em, const struct image *im, const struct image_device *d, uint32_t mark)
{
	for (uint32_t i = 0; i < d->addresses.n; i++) {
		const struct image_address *a = &im->addresses[d->addresses.first + i];

		identity(em, im, d, a, mark);
		if (image_address_is_whole(a))
			holder(em, a, mark);
	}
	if (d->addresses.n == 0)
		identity(em, im, d, NULL, mark);
	link_local(em, im, d, mark);
	if (d->identity != IDENTITY_OWN)
		return;
	begin(em, SET_HARDWARE);
	field_bytes(em, d->mac, sizeof(d->mac));
	end_mark(em, mark);
}

/* Where its class matters and its generation does not. */
static void
membership(struct emitter *em, const struct image *im, const struct image_device *d, bool quarantined)
{
	const struct image_class *class = image_class(im, d->class_number);

	if (!em->staged || d->class_number != 0) {	/* 0 would be a yes */
		by_mark(em, SET_CLASS_OF, d->number << 8);
		end_mark(em, d->class_number);
	}
	if (!class->named || quarantined)
		return;
	for (uint32_t i = 0; i < d->addresses.n; i++) {
		const struct image_address *a = &im->addresses[d->addresses.first + i];

		if (image_address_is_whole(a))
			member(em, a, class->number);
	}
}

int
elements_of_device(const struct ruleset *rs, const struct image_device *d, const struct station *st,
    element_fn *fn, void *arg)
{
	const struct image *im = rs->image;
	struct emitter em = { .fn = fn, .arg = arg, .staged = rs->staged };
	uint32_t mark, number;

	if (rs->staged) {	/* whoever is in quarantine is not asked about */
		membership(&em, im, d, false);
		return em.rc;
	}
	mark = station_mark(st);
	number = mark & MARK_NUMBER_MASK;
	membership(&em, im, d, st->quarantined != 0);
	identities(&em, im, d, mark);
	by_mark(&em, SET_CURRENT, number);
	end_mark(&em, mark);
	live(&em, im, d, mark);
	if (st->quarantined) {
		by_mark(&em, SET_QUARANTINED, mark);
		end_element(&em);
	}
	by_mark(&em, SET_TOTAL, number);
	end_element(&em);
	by_mark(&em, SET_OVER, number);
	end_element(&em);
	return em.rc;
}

int
ruleset_each_element(const struct ruleset *rs, element_fn *fn, void *arg)
{
	const struct image *im = rs->image;
	const struct ruleset candidate = ruleset_candidate(rs);
	int rc = elements_of_appliance(rs, fn, arg);

	for (uint32_t i = 0; rc == 0 && i < im->n[IMAGE_CLASSES]; i++)
		rc = elements_of_class(rs, &im->classes[i], fn, arg);
	for (uint32_t i = 0; rc == 0 && i < im->n[IMAGE_DEVICES]; i++)
		rc = elements_of_device(rs, &im->devices[i], ruleset_station(rs, i), fn, arg);
	return rc != 0 || rs->candidate == NULL ? rc : ruleset_each_element(&candidate, fn, arg);
}
