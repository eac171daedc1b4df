/* SPDX-License-Identifier: GPL-2.0-or-later */
/* class_rules.c -- the chains of a class: where may it go, who may come, and the
 * same mirrored for answers. Only what the class needs is there, so that a
 * packet pays for no look-up in an empty set. */
#include "model/skeleton.h"
#include "model/skeleton_words.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

struct class_rules {
	const struct ruleset *rs;
	const struct image_class *class;
	bool inbound;		/* who may come, as opposed to: where may it go */
	bool mirrored;		/* for answers: seen from the other end */
	rule_fn *fn;
	void *arg;
};

/* A rule under construction: what must hold, then where to. */
struct draft {
	struct rule_ir r;
	int n;
};

static struct expr *
draft_expr(struct draft *d, enum expr_kind kind)
{
	struct expr *e = &d->r.exprs[d->n++];

	e->kind = kind;
	return e;
}

/* The other end's address is the destination of what the device sends and the
 * source of what it gets; its port, or the device's own, is that of the end
 * which did not begin. */
static enum field
turned(const struct class_rules *c, enum field f)
{
	if (f == FIELD_DPORT)
		return c->mirrored ? FIELD_SPORT : f;
	if (c->inbound == c->mirrored)
		return f;	/* from the device */
	return f == FIELD_IP_DADDR ? FIELD_IP_SADDR : f == FIELD_IP6_DADDR ? FIELD_IP6_SADDR : f;
}

static void
draft_lookup(struct draft *d, const struct class_rules *c, enum set_kind kind, struct set_ref ref)
{
	struct expr *e = draft_expr(d, EXPR_LOOKUP);

	e->set = ref;
	e->set.kind = (uint16_t)kind;
	e->set.staged = c->rs->staged;
	for (int i = 0; i < SET_FIELDS_MAX; i++)
		e->fields[i] = turned(c, set_info(kind)->fields[i]);
}

/* What a schedule let in carries no generation, so that no packet of it takes
 * the fast path: the flow ends with the window. */
static void
draft_schedule(struct draft *d, const struct class_rules *c, uint32_t schedule)
{
	if (schedule == 0)
		return;
	draft_lookup(d, c, SET_WINDOWS, (struct set_ref){ .number = schedule });
	if (!c->rs->staged)
		draft_expr(d, EXPR_NUMBER_MARK);
}

/* A staged class says yes by forgetting itself, and no by saying nothing. */
static int
draft_staged_yes(struct draft *d, const struct class_rules *c)
{
	draft_expr(d, EXPR_FORGET_CLASS);
	draft_expr(d, EXPR_RETURN);
	return c->fn(c->arg, &d->r);
}

static int
draft_admit(struct draft *d, const struct class_rules *c)
{
	bool rate = c->class->rate != 0 && !c->inbound && !c->mirrored;
	struct expr *e;

	if (c->rs->staged)
		return draft_staged_yes(d, c);
	e = draft_expr(d, EXPR_GOTO);

	e->chain.kind = rate ? CHAIN_CLASS_ADMIT : CHAIN_ADMIT;
	e->chain.number = rate ? c->class->number : 0;
	return c->fn(c->arg, &d->r);
}

/* ---- what a reach needs ------------------------------------------------- */

/* Boxes of this kind, for addresses of this family (0: of either), stand in set;
 * what answers them stands in answers. */
static const struct reach_set {
	uint8_t kind, family;
	enum set_kind set, answers;
} by_address[] = {
	{ BOX_PORTS, AF_INET, SET_ALLOW4_CLASS, SET_ALLOW4_CLASS },
	{ BOX_PORTS, AF_INET6, SET_ALLOW6_CLASS, SET_ALLOW6_CLASS },
	{ BOX_ICMP, AF_INET, SET_ICMP4_CLASS, SET_ICMP4_R_CLASS },
	{ BOX_ICMP, AF_INET6, SET_ICMP6_CLASS, SET_ICMP6_R_CLASS },
	{ BOX_PROTOCOL, AF_INET, SET_PROTO4_CLASS, SET_PROTO4_CLASS },
	{ BOX_PROTOCOL, AF_INET6, SET_PROTO6_CLASS, SET_PROTO6_CLASS },
	{ BOX_ANY, AF_INET, SET_ANY4_CLASS, SET_ANY4_CLASS },
	{ BOX_ANY, AF_INET6, SET_ANY6_CLASS, SET_ANY6_CLASS },
}, by_peer[] = {
	{ BOX_PORTS, 0, SET_PORTS_PEER, SET_PORTS_PEER },
	{ BOX_ICMP, AF_INET, SET_ICMP4_PEER, SET_ICMP4_R_PEER },
	{ BOX_ICMP, AF_INET6, SET_ICMP6_PEER, SET_ICMP6_R_PEER },
	{ BOX_PROTOCOL, 0, SET_PROTO_PEER, SET_PROTO_PEER },
	{ BOX_ANY, 0, SET_NONE, SET_NONE },
};
#define N_BY_ADDRESS	(sizeof(by_address) / sizeof(by_address[0]))
#define N_BY_PEER	(sizeof(by_peer) / sizeof(by_peer[0]))

static bool
reach_has(const struct ruleset *rs, const struct image_reach *r, const struct reach_set *s)
{
	for (uint32_t i = 0; i < r->boxes.n; i++) {
		const struct image_box *b = &rs->image->boxes[r->boxes.first + i];

		if (b->kind == s->kind && (s->family == 0 || b->family == s->family))
			return true;
	}
	return false;
}

static struct set_ref
reach_ref(const struct ruleset *rs, const struct image_class *class, const struct image_reach *r,
    enum set_kind kind)
{
	return (struct set_ref){ .kind = (uint16_t)kind, .inbound = r->direction == REACH_IN,
	    .staged = rs->staged, .number = class->number, .other = r->peer, .schedule = r->schedule };
}

static struct set_ref
members_ref(const struct ruleset *rs, enum set_kind kind, uint32_t class_number)
{
	return (struct set_ref){ .kind = (uint16_t)kind, .staged = rs->staged, .number = class_number };
}

/* ---- rules -------------------------------------------------------------- */

static int
address_rule(const struct class_rules *c, const struct image_reach *r, const struct reach_set *s)
{
	enum set_kind kind = c->mirrored ? s->answers : s->set;
	struct draft d = { .n = 0 };

	draft_lookup(&d, c, kind, reach_ref(c->rs, c->class, r, kind));
	draft_schedule(&d, c, r->schedule);
	return draft_admit(&d, c);
}

static int
peer_rule(const struct class_rules *c, const struct image_reach *r, const struct reach_set *s,
    enum set_kind members)
{
	enum set_kind kind = c->mirrored ? s->answers : s->set;
	struct draft d = { .n = 0 };

	draft_lookup(&d, c, members, members_ref(c->rs, members, r->peer));
	if (kind != SET_NONE)
		draft_lookup(&d, c, kind, reach_ref(c->rs, c->class, r, kind));
	draft_schedule(&d, c, r->schedule);
	return draft_admit(&d, c);
}

static int
reach_rules(const struct class_rules *c, const struct image_reach *r)
{
	int rc = 0;

	if (r->peer == 0) {
		for (size_t i = 0; rc == 0 && i < N_BY_ADDRESS; i++)
			if (reach_has(c->rs, r, &by_address[i]))
				rc = address_rule(c, r, &by_address[i]);
		return rc;
	}
	for (size_t i = 0; rc == 0 && i < N_BY_PEER; i++) {
		const struct reach_set *s = &by_peer[i];

		if (!reach_has(c->rs, r, s))
			continue;
		if (s->family != AF_INET6)
			rc = peer_rule(c, r, s, SET_MEMBERS4_CLASS);
		if (rc == 0 && s->family != AF_INET)
			rc = peer_rule(c, r, s, SET_MEMBERS6_CLASS);
	}
	return rc;
}

/* What no rule let pass. From outside there is never an answer to a refusal. */
static int
last_rule(const struct class_rules *c)
{
	struct draft d = { .n = 0 };
	struct expr *e = draft_expr(&d, EXPR_GOTO);

	if (c->class->mode == MODE_AUDIT)
		e->chain.kind = c->mirrored ? CHAIN_ADMIT : CHAIN_AUDITED;
	else if (c->mirrored)
		e->chain.kind = CHAIN_STRAY;
	else
		e->chain.kind = c->class->refuse == REFUSE_REJECT && !c->inbound ? CHAIN_REJECTED : CHAIN_REFUSED;
	return c->fn(c->arg, &d.r);
}

static int
class_rules(const struct class_rules *c)
{
	struct draft all = { .n = 0 };
	int rc = 0;

	if (c->rs->staged && c->class->mode == MODE_AUDIT)
		return draft_staged_yes(&all, c);	/* it refuses nothing */
	for (uint32_t i = 0; rc == 0 && i < c->class->reaches.n; i++) {
		const struct image_reach *r = &c->rs->image->reaches[c->class->reaches.first + i];

		if ((r->direction == REACH_IN) == c->inbound)
			rc = reach_rules(c, r);
	}
	return rc != 0 || c->rs->staged ? rc : last_rule(c);
}

/* Beyond its rate a device gets nothing new, wherever it may go. One flow is one
 * connection, also while nobody answers. */
static int
admit_rules(const struct class_rules *c)
{
	struct rule_ir bound = R(STATE(CTS_NEW), IS(CT_CONFIRMED, 0), ADD(RATE, FIELD_NUMBER), GOTO(HASTY));
	struct rule_ir admit = R(GOTO(ADMIT));
	int rc;

	bound.exprs[2].value = c->class->rate;
	bound.exprs[2].burst = c->class->rate_burst;
	if (c->class->mode == MODE_AUDIT)
		bound.exprs[3] = (struct expr)JUMP(HASTY_RECORD);
	rc = c->fn(c->arg, &bound);
	return rc != 0 ? rc : c->fn(c->arg, &admit);
}

int
ruleset_each_rule(const struct ruleset *rs, const struct chain_ref *ref, rule_fn *fn, void *arg)
{
	const struct ruleset candidate = ruleset_candidate(rs);
	struct class_rules c = { .rs = ref->staged && !rs->staged ? &candidate : rs, .fn = fn, .arg = arg };

	if (ref->kind < CHAIN_CLASS)
		return skeleton_each_rule(rs, ref->kind, fn, arg);
	if ((c.class = image_class(c.rs->image, ref->number)) == NULL)
		return 0;
	c.inbound = ref->kind == CHAIN_CLASS_IN || ref->kind == CHAIN_CLASS_IN_R;
	c.mirrored = ref->kind == CHAIN_CLASS_R || ref->kind == CHAIN_CLASS_IN_R;
	return ref->kind == CHAIN_CLASS_ADMIT ? admit_rules(&c) : class_rules(&c);
}

/* ---- which sets and chains ---------------------------------------------- */

static int
reach_sets(const struct ruleset *rs, const struct image_class *class, const struct image_reach *r,
    set_fn *fn, void *arg)
{
	const struct reach_set *s = r->peer == 0 ? by_address : by_peer;
	size_t n = r->peer == 0 ? N_BY_ADDRESS : N_BY_PEER;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++, s++) {
		struct set_ref ref = reach_ref(rs, class, r, s->set);

		if (s->set == SET_NONE || !reach_has(rs, r, s))
			continue;
		rc = fn(arg, &ref);
		ref.kind = (uint16_t)s->answers;
		if (rc == 0 && s->answers != s->set && !rs->staged)
			rc = fn(arg, &ref);
	}
	return rc;
}

int
ruleset_each_class_set(const struct ruleset *rs, const struct image_class *class, set_fn *fn, void *arg)
{
	int rc = 0;

	if (rs->staged && class_is_quarantine(class))
		return 0;	/* quarantine is the enforced policy's */
	for (uint32_t i = 0; rc == 0 && i < class->reaches.n; i++)
		rc = reach_sets(rs, class, &rs->image->reaches[class->reaches.first + i], fn, arg);
	for (int k = SET_MEMBERS4_CLASS; rc == 0 && class->named && k <= SET_MEMBERS6_CLASS; k++) {
		struct set_ref ref = members_ref(rs, k, class->number);

		rc = fn(arg, &ref);
	}
	return rc;
}

int
ruleset_each_class_chain(const struct ruleset *rs, const struct image_class *class, chain_fn *fn, void *arg)
{
	const bool in = image_class_has_inbound(rs->image, class);
	const bool wanted[CHAIN_KINDS] = {
		[CHAIN_CLASS] = true,
		[CHAIN_CLASS_R] = !rs->staged,
		[CHAIN_CLASS_IN] = in,
		[CHAIN_CLASS_IN_R] = !rs->staged && in,
		[CHAIN_CLASS_ADMIT] = !rs->staged && class->rate != 0,
	};
	int rc = 0;

	if (rs->staged && class_is_quarantine(class))
		return 0;

	for (uint16_t k = CHAIN_CLASS; rc == 0 && k < CHAIN_KINDS; k++) {
		struct chain_ref ref = { k, rs->staged, class->number };

		if (wanted[k])
			rc = fn(arg, &ref);
	}
	return rc;
}

static int
table_sets(const struct ruleset *rs, set_fn *fn, void *arg)
{
	int rc = 0;

	for (uint16_t k = SET_NONE + 1; rc == 0 && k < SET_KINDS; k++) {
		struct set_ref ref = { .kind = k };

		if (set_info(k)->scope == SCOPE_TABLE && (k != SET_CONNECTIONS || rs->features.connlimit) &&
		    (!set_is_staged(&ref) || rs->candidate != NULL))
			rc = fn(arg, &ref);
	}
	return rc != 0 || rs->candidate == NULL ? rc : staged_each_map(fn, arg);
}

int
ruleset_each_set(const struct ruleset *rs, set_fn *fn, void *arg)
{
	const struct ruleset candidate = ruleset_candidate(rs);
	int rc = rs->staged ? 0 : table_sets(rs, fn, arg);

	for (uint32_t i = 1; rc == 0 && i <= rs->image->n[IMAGE_SCHEDULES]; i++) {
		struct set_ref ref = { .kind = SET_WINDOWS, .staged = rs->staged, .number = i };

		rc = fn(arg, &ref);
	}
	for (uint32_t i = 0; rc == 0 && i < rs->image->n[IMAGE_CLASSES]; i++)
		rc = ruleset_each_class_set(rs, &rs->image->classes[i], fn, arg);
	return rc != 0 || rs->candidate == NULL ? rc : ruleset_each_set(&candidate, fn, arg);
}

int
ruleset_each_chain(const struct ruleset *rs, chain_fn *fn, void *arg)
{
	const struct ruleset candidate = ruleset_candidate(rs);
	int rc = 0;

	for (uint16_t k = CHAIN_NONE + 1; rc == 0 && !rs->staged && k < CHAIN_CLASS; k++) {
		struct chain_ref ref = { .kind = k };

		if (!chain_is_staged(&ref) || rs->candidate != NULL)
			rc = fn(arg, &ref);
	}
	for (uint32_t i = 0; rc == 0 && i < rs->image->n[IMAGE_CLASSES]; i++)
		rc = ruleset_each_class_chain(rs, &rs->image->classes[i], fn, arg);
	return rc != 0 || rs->candidate == NULL ? rc : ruleset_each_chain(&candidate, fn, arg);
}
