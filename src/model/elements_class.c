/* SPDX-License-Identifier: GPL-2.0-or-later */
/* elements_class.c -- what the sets hold of a class: where it may go, who may come,
 * and its chains. */
#include "model/emitter.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

/* A set that one reach of a class has. */
static void
begin_reach(struct emitter *em, enum set_kind kind)
{
	emitter_begin_of(em, kind, em->class_number);
	em->e.set.inbound = em->reach->direction == REACH_IN;
	em->e.set.schedule = em->reach->schedule;
	em->e.set.other = em->reach->peer;
}

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
	emitter_field(em, b->first, b->last, b->family == AF_INET ? 4 : 16);
}

static void
class_icmp(struct emitter *em, const struct image_box *b)
{
	bool v4 = b->protocol == IPPROTO_ICMP;

	begin_reach(em, v4 ? SET_ICMP4_CLASS : SET_ICMP6_CLASS);
	addresses(em, b);
	emitter_u8(em, (uint8_t)b->low, (uint8_t)b->high);
	emitter_end(em);
	for (unsigned type = b->low; !em->staged && type <= b->high; type++) {
		uint8_t answer;

		if (!icmp_answer(b->protocol, (uint8_t)type, &answer))
			continue;
		begin_reach(em, v4 ? SET_ICMP4_R_CLASS : SET_ICMP6_R_CLASS);
		addresses(em, b);
		emitter_u8(em, answer, answer);
		emitter_end(em);
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
		emitter_u8(em, b->protocol, b->protocol);
		emitter_port(em, b->low, b->high);
		emitter_end(em);
		return;
	case BOX_ICMP:
		class_icmp(em, b);
		return;
	case BOX_PROTOCOL:
		begin_reach(em, v4 ? SET_PROTO4_CLASS : SET_PROTO6_CLASS);
		addresses(em, b);
		emitter_u8(em, b->protocol, b->protocol);
		emitter_end(em);
		return;
	case BOX_ANY:
		begin_reach(em, v4 ? SET_ANY4_CLASS : SET_ANY6_CLASS);
		addresses(em, b);
		emitter_u8(em, 0, 255);
		emitter_end(em);
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
	emitter_u8(em, b->protocol, b->protocol);
	emitter_u8(em, (uint8_t)b->low, (uint8_t)b->high);
	emitter_end(em);
	for (unsigned type = b->low; !em->staged && type <= b->high; type++) {
		uint8_t answer;

		if (!icmp_answer(b->protocol, (uint8_t)type, &answer))
			continue;
		begin_reach(em, v4 ? SET_ICMP4_R_PEER : SET_ICMP6_R_PEER);
		emitter_u8(em, b->protocol, b->protocol);
		emitter_u8(em, answer, answer);
		emitter_end(em);
	}
}

static void
peer_box(struct emitter *em, const struct image_box *b)
{
	if (b->kind == BOX_PORTS) {
		begin_reach(em, SET_PORTS_PEER);
		emitter_u8(em, b->protocol, b->protocol);
		emitter_port(em, b->low, b->high);
		emitter_end(em);
	} else if (b->kind == BOX_ICMP) {
		peer_icmp(em, b);
	} else if (b->kind == BOX_PROTOCOL) {
		begin_reach(em, SET_PROTO_PEER);
		emitter_u8(em, b->protocol, b->protocol);
		emitter_end(em);
	}
}

static void
chain_of(struct emitter *em, enum set_kind kind, uint32_t class_number, enum chain_kind chain)
{
	emitter_begin(em, kind);
	emitter_mark_field(em, class_number);
	em->e.chain.kind = (uint16_t)chain;
	if (chain >= CHAIN_CLASS) {
		em->e.chain.number = class_number;
		em->e.chain.staged = em->staged;
	}
	emitter_end(em);
}

/* Nobody comes to who is in quarantine, whatever its class says. */
static void
chains(struct emitter *em, const struct image *im, const struct image_class *class)
{
	bool healthy = !class_is_quarantine(class);
	bool audit = healthy && class->mode == MODE_AUDIT, in = healthy && image_class_has_inbound(im, class);

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

	if (rs->staged && class_is_quarantine(class))
		return 0;	/* nobody asks a staged policy about it */
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
