/* SPDX-License-Identifier: GPL-2.0-or-later */
/* class_rules.c -- the chains and sets of a class: where may it go, and the same
 * mirrored for answers. Only what the class needs is there, so that a packet
 * pays for no look-up in an empty set. */
#include "model/skeleton.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define END(c)	{ { { .kind = EXPR_GOTO, .chain = { .kind = CHAIN_##c } } } }

struct class_rules {
	const struct ruleset *rs;
	const struct image_class *class;
	bool mirrored;		/* CHAIN_CLASS_R: seen from the other end */
	rule_fn *fn;
	void *arg;
};

static bool
has_box(const struct ruleset *rs, struct image_slice boxes, uint8_t kind, uint8_t family, uint8_t protocol)
{
	for (uint32_t i = 0; i < boxes.n; i++) {
		const struct image_box *b = &rs->image->boxes[boxes.first + i];

		if (b->kind == kind && (family == 0 || b->family == family) &&
		    (protocol == 0 || b->protocol == protocol))
			return true;
	}
	return false;
}

/* One rule: the other end's address, if the set has one, is the destination on
 * the way out and the source on the way back; the same with ports. */
static void
lookup(struct expr *e, enum set_kind kind, uint32_t number, uint32_t other, bool mirrored)
{
	memset(e, 0, sizeof(*e));
	e->kind = EXPR_LOOKUP;
	e->set.kind = kind;
	e->set.number = number;
	e->set.other = other;
	for (int i = 0; i < SET_FIELDS_MAX; i++) {
		enum field f = set_info(kind)->fields[i];

		if (mirrored && f == FIELD_IP_DADDR)
			f = FIELD_IP_SADDR;
		else if (mirrored && f == FIELD_IP6_DADDR)
			f = FIELD_IP6_SADDR;
		else if (mirrored && f == FIELD_DPORT)
			f = FIELD_SPORT;
		e->fields[i] = f;
	}
}

static int
class_lookup(const struct class_rules *c, enum set_kind kind)
{
	struct rule_ir r;

	memset(&r, 0, sizeof(r));
	lookup(&r.exprs[0], kind, c->class->number, 0, c->mirrored);
	r.exprs[1].kind = EXPR_GOTO;
	r.exprs[1].chain.kind = CHAIN_ADMIT;
	return c->fn(c->arg, &r);
}

/* SET_NONE: whatever the protocol. */
static int
peer_lookup(const struct class_rules *c, uint32_t peer, enum set_kind members, enum set_kind kind)
{
	struct rule_ir r;
	int n = 1;

	memset(&r, 0, sizeof(r));
	lookup(&r.exprs[0], members, peer, 0, c->mirrored);
	if (kind != SET_NONE)
		lookup(&r.exprs[n++], kind, c->class->number, peer, c->mirrored);
	r.exprs[n].kind = EXPR_GOTO;
	r.exprs[n].chain.kind = CHAIN_ADMIT;
	return c->fn(c->arg, &r);
}

static int
peer_rules(const struct class_rules *c, const struct image_peer *p)
{
	const struct {
		uint8_t kind, protocol;
		enum set_kind set4, set6;
	} rows[] = {
		{ BOX_PORTS, 0, SET_PORTS_PEER, SET_PORTS_PEER },
		{ BOX_ICMP, IPPROTO_ICMP, c->mirrored ? SET_ICMP4_R_PEER : SET_ICMP4_PEER, SET_NONE },
		{ BOX_ICMP, IPPROTO_ICMPV6, SET_NONE, c->mirrored ? SET_ICMP6_R_PEER : SET_ICMP6_PEER },
		{ BOX_PROTOCOL, 0, SET_PROTO_PEER, SET_PROTO_PEER },
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!has_box(c->rs, p->boxes, rows[i].kind, 0, rows[i].protocol))
			continue;
		if (rows[i].set4 != SET_NONE)
			rc = peer_lookup(c, p->peer, SET_MEMBERS4_CLASS, rows[i].set4);
		if (rc == 0 && rows[i].set6 != SET_NONE)
			rc = peer_lookup(c, p->peer, SET_MEMBERS6_CLASS, rows[i].set6);
	}
	if (rc == 0 && has_box(c->rs, p->boxes, BOX_ANY, 0, 0)) {
		rc = peer_lookup(c, p->peer, SET_MEMBERS4_CLASS, SET_NONE);
		if (rc == 0)
			rc = peer_lookup(c, p->peer, SET_MEMBERS6_CLASS, SET_NONE);
	}
	return rc;
}

static const struct {
	uint8_t kind, family;
	enum set_kind set, mirrored;
} class_sets[] = {
	{ BOX_PORTS, AF_INET, SET_ALLOW4_CLASS, SET_ALLOW4_CLASS },
	{ BOX_PORTS, AF_INET6, SET_ALLOW6_CLASS, SET_ALLOW6_CLASS },
	{ BOX_ICMP, AF_INET, SET_ICMP4_CLASS, SET_ICMP4_R_CLASS },
	{ BOX_ICMP, AF_INET6, SET_ICMP6_CLASS, SET_ICMP6_R_CLASS },
	{ BOX_PROTOCOL, AF_INET, SET_PROTO4_CLASS, SET_PROTO4_CLASS },
	{ BOX_PROTOCOL, AF_INET6, SET_PROTO6_CLASS, SET_PROTO6_CLASS },
	{ BOX_ANY, AF_INET, SET_ANY4_CLASS, SET_ANY4_CLASS },
	{ BOX_ANY, AF_INET6, SET_ANY6_CLASS, SET_ANY6_CLASS },
};
#define N_CLASS_SETS (sizeof(class_sets) / sizeof(class_sets[0]))

static int
class_rules(const struct class_rules *c)
{
	static const struct rule_ir ends[2][2] = {
		[MODE_ENFORCE] = { END(REFUSED), END(STRAY) },
		[MODE_AUDIT] = { END(AUDITED), END(ADMIT) },
	};
	const struct image *im = c->rs->image;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < N_CLASS_SETS; i++)
		if (has_box(c->rs, c->class->boxes, class_sets[i].kind, class_sets[i].family, 0))
			rc = class_lookup(c, c->mirrored ? class_sets[i].mirrored : class_sets[i].set);
	for (uint32_t i = 0; rc == 0 && i < c->class->peers.n; i++)
		rc = peer_rules(c, &im->peers[c->class->peers.first + i]);
	return rc != 0 ? rc : c->fn(c->arg, &ends[c->class->mode][c->mirrored]);
}

int
ruleset_each_rule(const struct ruleset *rs, const struct chain_ref *ref, rule_fn *fn, void *arg)
{
	struct class_rules c = { rs, NULL, ref->kind == CHAIN_CLASS_R, fn, arg };

	if (ref->kind < CHAIN_CLASS)
		return skeleton_each_rule(rs, ref->kind, fn, arg);
	c.class = image_class(rs->image, ref->number);
	return c.class == NULL ? 0 : class_rules(&c);
}

/* ---- which sets and chains ---------------------------------------------- */

static int
class_set(set_fn *fn, void *arg, enum set_kind kind, uint32_t number, uint32_t other)
{
	struct set_ref ref = { kind, number, other };

	return fn(arg, &ref);
}

static int
each_peer_set(const struct ruleset *rs, const struct image_class *class, const struct image_peer *p,
    set_fn *fn, void *arg)
{
	static const struct {
		uint8_t kind, protocol;
		enum set_kind sets[2];
	} rows[] = {
		{ BOX_PORTS, 0, { SET_PORTS_PEER, SET_NONE } },
		{ BOX_ICMP, IPPROTO_ICMP, { SET_ICMP4_PEER, SET_ICMP4_R_PEER } },
		{ BOX_ICMP, IPPROTO_ICMPV6, { SET_ICMP6_PEER, SET_ICMP6_R_PEER } },
		{ BOX_PROTOCOL, 0, { SET_PROTO_PEER, SET_NONE } },
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!has_box(rs, p->boxes, rows[i].kind, 0, rows[i].protocol))
			continue;
		rc = class_set(fn, arg, rows[i].sets[0], class->number, p->peer);
		if (rc == 0 && rows[i].sets[1] != SET_NONE)
			rc = class_set(fn, arg, rows[i].sets[1], class->number, p->peer);
	}
	return rc;
}

int
ruleset_each_class_set(const struct ruleset *rs, const struct image_class *class, set_fn *fn, void *arg)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < N_CLASS_SETS; i++) {
		if (!has_box(rs, class->boxes, class_sets[i].kind, class_sets[i].family, 0))
			continue;
		rc = class_set(fn, arg, class_sets[i].set, class->number, 0);
		if (rc == 0 && class_sets[i].mirrored != class_sets[i].set)
			rc = class_set(fn, arg, class_sets[i].mirrored, class->number, 0);
	}
	if (rc == 0 && class->named) {
		rc = class_set(fn, arg, SET_MEMBERS4_CLASS, class->number, 0);
		if (rc == 0)
			rc = class_set(fn, arg, SET_MEMBERS6_CLASS, class->number, 0);
	}
	for (uint32_t i = 0; rc == 0 && i < class->peers.n; i++)
		rc = each_peer_set(rs, class, &rs->image->peers[class->peers.first + i], fn, arg);
	return rc;
}

int
ruleset_each_class_chain(const struct ruleset *rs, const struct image_class *class, chain_fn *fn, void *arg)
{
	struct chain_ref ref = { CHAIN_CLASS, class->number };
	int rc = fn(arg, &ref);

	(void)rs;
	if (rc != 0)
		return rc;
	ref.kind = CHAIN_CLASS_R;
	return fn(arg, &ref);
}

int
ruleset_each_set(const struct ruleset *rs, set_fn *fn, void *arg)
{
	int rc = 0;

	for (uint16_t k = SET_NONE + 1; rc == 0 && k < SET_ALLOW4_CLASS; k++)
		if (k != SET_CONNECTIONS || rs->features.connlimit)
			rc = class_set(fn, arg, k, 0, 0);
	for (uint32_t i = 0; rc == 0 && i < rs->image->n[IMAGE_CLASSES]; i++)
		rc = ruleset_each_class_set(rs, &rs->image->classes[i], fn, arg);
	return rc;
}

int
ruleset_each_chain(const struct ruleset *rs, chain_fn *fn, void *arg)
{
	int rc = 0;

	for (uint16_t k = CHAIN_NONE + 1; rc == 0 && k < CHAIN_CLASS; k++) {
		struct chain_ref ref = { k, 0 };

		rc = fn(arg, &ref);
	}
	for (uint32_t i = 0; rc == 0 && i < rs->image->n[IMAGE_CLASSES]; i++)
		rc = ruleset_each_class_chain(rs, &rs->image->classes[i], fn, arg);
	return rc;
}
