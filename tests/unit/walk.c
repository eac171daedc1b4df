/* SPDX-License-Identifier: GPL-2.0-or-later */
/* walk.c -- sends packets through the rules of a ruleset. Any failure aborts. */
#include <arpa/inet.h>
#include <endian.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "walk.h"

#define DEPTH_MAX	16	/* the kernel's own limit of jumps */

enum outcome { GOES_ON, RULE_ENDS, RETURNED, ACCEPTED, DROPPED };

struct visit {
	struct walk *w;
	const struct packet *p;
	uint32_t mark;
	uint32_t class;			/* the packet's priority */
	int depth;
};

static int
take_element(void *arg, const struct element *e)
{
	struct walk *w = arg;

	if (w->n == WALK_ELEMENTS)
		abort();
	w->elements[w->n++] = *e;
	return 0;
}

void
walk_init(struct walk *w, const struct ruleset *rs)
{
	memset(w, 0, sizeof(*w));
	w->rs = rs;
	if (ruleset_each_element(rs, take_element, w) != 0)
		abort();
}

void
walk_forget(struct walk *w)
{
	w->n_added = 0;
	memset(w->hits, 0, sizeof(w->hits));
	memset(w->counters, 0, sizeof(w->counters));
	memset(w->logs, 0, sizeof(w->logs));
}

size_t
walk_added(const struct walk *w, enum set_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n_added; i++)
		n += w->added[i].set.kind == kind;
	return n;
}

/* ---- fields ------------------------------------------------------------- */

static uint32_t
interface_index(const char *name)
{
	uint32_t index = 1;

	for (; *name != '\0'; name++)
		index = index * 31 + (uint8_t)*name;
	return index;
}

static unsigned
ct_state(const struct packet *p)
{
	if (p->connection == NULL)
		return p->untracked ? 0 : CTS_INVALID;
	if (p->related)
		return CTS_RELATED;
	return p->connection->established ? CTS_ESTABLISHED : CTS_NEW;
}

static void
put(uint8_t *out, const void *bytes, size_t len)
{
	memcpy(out, bytes, len);
}

static void
put_name(uint8_t *out, const char *name)
{
	memset(out, 0, 16);
	memcpy(out, name, strlen(name));
}

static bool
put_icmp_type(uint8_t *out, const struct packet *p, uint8_t protocol)
{
	*out = p->icmp_type;
	return p->protocol == protocol;
}

static bool
put_ct_mark(uint8_t *out, const struct packet *p, uint32_t mask)
{
	uint32_t mark;

	if (p->connection == NULL)
		return false;
	mark = p->connection->mark & mask;
	put(out, &mark, sizeof(mark));
	return true;
}

/* False where the packet has no such field: the rule ends. */
static bool
load_field(const struct visit *v, enum field f, uint8_t *out)
{
	const struct packet *p = v->p;
	uint16_t port = htons(f == FIELD_SPORT ? p->sport : p->dport);
	uint32_t index = interface_index(p->iif), number = v->mark & MARK_NUMBER_MASK;
	uint8_t direction = p->reply;
	uint64_t now;

	if (field_info(f)->family != 0 && field_info(f)->family != p->family)
		return false;
	switch (f) {
	case FIELD_ETHER_SADDR: put(out, p->mac, 6); return true;
	case FIELD_IP_SADDR: put(out, p->src, 4); return true;
	case FIELD_IP_DADDR: put(out, p->dst, 4); return true;
	case FIELD_IP6_SADDR: put(out, p->src, 16); return true;
	case FIELD_IP6_DADDR: put(out, p->dst, 16); return true;
	case FIELD_IP6_SADDR_NET: put(out, p->src, 8); return true;
	case FIELD_OIF: index = interface_index(p->oif); put(out, &index, sizeof(index)); return true;
	case FIELD_CT_CONFIRMED:
		index = p->connection != NULL && p->connection->established ? 8 : 0;
		put(out, &index, sizeof(index));
		return p->connection != NULL;
	case FIELD_TCP_RESET: *out = p->reset ? 4 : 0; return true;
	case FIELD_TIME: now = htobe64((uint64_t)p->now_s * 1000000000U); put(out, &now, sizeof(now)); return true;
	case FIELD_CLASS: put(out, &v->class, sizeof(v->class)); return true;
	case FIELD_L4PROTO: *out = p->protocol; return true;
	case FIELD_SPORT:
	case FIELD_DPORT: put(out, &port, sizeof(port)); return true;
	case FIELD_ICMP_TYPE: return put_icmp_type(out, p, IPPROTO_ICMP);
	case FIELD_ICMP6_TYPE: return put_icmp_type(out, p, IPPROTO_ICMPV6);
	case FIELD_IIFNAME: put_name(out, p->iif); return true;
	case FIELD_OIFNAME: put_name(out, p->oif); return true;
	case FIELD_IIF: put(out, &index, sizeof(index)); return true;
	case FIELD_MARK: put(out, &v->mark, sizeof(v->mark)); return true;
	case FIELD_NUMBER: put(out, &number, sizeof(number)); return true;
	case FIELD_CT_MARK: return put_ct_mark(out, p, UINT32_MAX);
	case FIELD_CT_NUMBER: return put_ct_mark(out, p, MARK_NUMBER_MASK);
	case FIELD_NFPROTO: *out = p->family; return true;
	case FIELD_PKTTYPE: *out = p->pkttype; return true;
	case FIELD_CT_DIRECTION: *out = direction; return p->connection != NULL;
	case FIELD_HOPLIMIT: *out = p->hoplimit; return true;
	case FIELD_NONE:
	case FIELDS:
		break;
	}
	abort();
}

static bool
load_key(const struct visit *v, const struct expr *x, struct element *out)
{
	memset(out, 0, sizeof(*out));
	out->set = x->set;
	for (int i = 0; i < SET_FIELDS_MAX && x->fields[i] != FIELD_NONE; i++) {
		if (!load_field(v, x->fields[i], out->key + out->key_len))
			return false;
		out->key_len = (uint8_t)(out->key_len + (field_info(x->fields[i])->len + 3) / 4 * 4);
	}
	return true;
}

/* ---- sets --------------------------------------------------------------- */

static bool
in_box(const struct element *box, const struct element *key)
{
	const struct set_info *info = set_info(key->set.kind);
	size_t at = 0;

	for (int i = 0; i < SET_FIELDS_MAX && info->fields[i] != FIELD_NONE; i++) {
		size_t len = field_info(info->fields[i])->len;

		if (memcmp(key->key + at, box->key + at, len) < 0 ||
		    memcmp(key->key + at, box->key_end + at, len) > 0)
			return false;
		at += (len + 3) / 4 * 4;
	}
	return true;
}

static bool
holds(const struct element *e, const struct element *key)
{
	if (!set_ref_equal(&e->set, &key->set))
		return false;
	if (e->key_len != key->key_len)
		abort();	/* a rule asks a set for another kind of key */
	return set_info(key->set.kind)->interval ? in_box(e, key) :
	    memcmp(e->key, key->key, key->key_len) == 0;
}

/* The last edge at or before the key says whether it lies in an interval. */
static const struct element *
find_edge(const struct walk *w, const struct element *key)
{
	const struct element *last = NULL;

	for (size_t i = 0; i < w->n; i++) {
		const struct element *e = &w->elements[i];

		if (set_ref_equal(&e->set, &key->set) && memcmp(e->key, key->key, key->key_len) <= 0 &&
		    (last == NULL || memcmp(e->key, last->key, key->key_len) > 0))
			last = e;
	}
	return last != NULL && !last->end ? last : NULL;
}

static const struct element *
find(const struct walk *w, const struct element *key)
{
	if (set_info(key->set.kind)->edges)
		return find_edge(w, key);
	for (size_t i = 0; i < w->n; i++)
		if (holds(&w->elements[i], key))
			return &w->elements[i];
	for (size_t i = 0; i < w->n_added; i++)
		if (holds(&w->added[i], key))
			return &w->added[i];
	return NULL;
}

/* Adding fails when there is no room; what the set's state says decides for the rest. */
static bool
add(struct walk *w, const struct element *key)
{
	bool known = find(w, key) != NULL;

	if (!known) {
		if (w->full[key->set.kind])
			return false;
		if (w->n_added == WALK_ADDED)
			abort();
		w->added[w->n_added++] = *key;
	}
	switch (set_info(key->set.kind)->state) {
	case STATE_OVER_BUDGET:
		return key->set.kind == SET_BUDGET ? w->over_budget : w->stranger_over_budget;
	case STATE_OVER_RATE:
		return w->over_rate;
	case STATE_CONNECTIONS:
		return w->crowded;
	case STATE_COUNTER_SAMPLE:
		return !known || !w->sampled_out;
	case STATE_NONE:
	case STATE_COUNTER:
		break;
	}
	return true;
}

/* ---- rules -------------------------------------------------------------- */

static enum outcome visit_chain(struct visit *, const struct chain_ref *);

static enum outcome
match(const struct visit *v, const struct expr *x)
{
	uint8_t have[16] = { 0 };
	uint32_t value = 0;
	bool same = false;

	if (!load_field(v, x->fields[0], have))
		return RULE_ENDS;
	memcpy(&value, have, sizeof(value));
	if (field_info(x->fields[0])->len == 2)
		value = (uint32_t)have[0] << 8 | have[1];	/* a port, as it is on the wire */
	else if (field_info(x->fields[0])->len == 1)
		value = have[0];
	if (x->kind == EXPR_MATCH)
		same = value == x->value;
	else
		for (unsigned i = 0; i < x->n_values; i++)
			same |= have[0] == x->values[i];
	return same != x->negate ? GOES_ON : RULE_ENDS;
}

static enum outcome
from_set(struct visit *v, const struct expr *x)
{
	const struct element *e;
	struct element key;

	if (!load_key(v, x, &key))
		return RULE_ENDS;
	if (x->kind == EXPR_ADD)
		return add(v->w, &key) ? GOES_ON : RULE_ENDS;
	e = find(v->w, &key);
	if ((e != NULL) == x->negate)
		return RULE_ENDS;
	if (e == NULL)
		return GOES_ON;
	v->w->hits[x->set.kind]++;
	if (x->kind == EXPR_MARK_FROM_MAP)
		v->mark = e->mark;
	if (x->kind == EXPR_CLASS_FROM_MAP)
		v->class = e->mark;
	return x->kind == EXPR_VERDICT_FROM_MAP ? visit_chain(v, &e->chain) : GOES_ON;
}

static enum outcome
visit_expr(struct visit *v, const struct expr *x)
{
	enum outcome o;

	switch (x->kind) {
	case EXPR_MATCH:
	case EXPR_ANY_OF:
		return match(v, x);
	case EXPR_CT_STATE:
		return (ct_state(v->p) & x->value) != 0 ? GOES_ON : RULE_ENDS;
	case EXPR_LOOKUP:
	case EXPR_MARK_FROM_MAP:
	case EXPR_CLASS_FROM_MAP:
	case EXPR_VERDICT_FROM_MAP:
	case EXPR_ADD:
		return from_set(v, x);
	case EXPR_FORGET_CLASS:
		v->class = 0;
		return GOES_ON;
	case EXPR_SET_MARK:
		v->mark = x->value;
		return GOES_ON;
	case EXPR_NUMBER_MARK:
		v->mark &= MARK_NUMBER_MASK;
		return GOES_ON;
	case EXPR_SAVE_MARK:		/* without a connection it does nothing, and goes on */
		if (v->p->connection != NULL)
			v->p->connection->mark = v->mark;
		return GOES_ON;
	case EXPR_COUNTER:
		v->w->counters[x->counter]++;
		return GOES_ON;
	case EXPR_LOG:
		v->w->logs[x->value - v->w->rs->image->appliance->log_group]++;
		return GOES_ON;
	case EXPR_ACCEPT:
		return ACCEPTED;
	case EXPR_REJECT:
		v->w->rejected++;
		return DROPPED;
	case EXPR_DROP:
		return DROPPED;
	case EXPR_RETURN:
		return RETURNED;
	case EXPR_GOTO:		/* what the target leaves open, the caller's caller decides */
		o = visit_chain(v, &x->chain);
		return o == GOES_ON ? RETURNED : o;
	case EXPR_JUMP:
		return visit_chain(v, &x->chain);
	case EXPR_END:
		break;
	}
	abort();
}

struct in_chain {
	struct visit *v;
	enum outcome outcome;
};

static int
visit_rule(void *arg, const struct rule_ir *r)
{
	struct in_chain *c = arg;

	for (const struct expr *x = r->exprs; x->kind != EXPR_END; x++) {
		c->outcome = visit_expr(c->v, x);
		if (c->outcome == RULE_ENDS)
			break;
		/* A map's chain is a goto: when it leaves all open, this chain is done. */
		if (c->outcome == GOES_ON && x->kind == EXPR_VERDICT_FROM_MAP)
			c->outcome = RETURNED;
		if (c->outcome != GOES_ON)
			return 1;
	}
	c->outcome = GOES_ON;
	return 0;
}

/* ACCEPTED, DROPPED, or GOES_ON: the chain left it open. */
static enum outcome
visit_chain(struct visit *v, const struct chain_ref *ref)
{
	struct in_chain c = { v, GOES_ON };

	if (++v->depth > DEPTH_MAX)
		abort();
	ruleset_each_rule(v->w->rs, ref, visit_rule, &c);
	v->depth--;
	return c.outcome == RETURNED ? GOES_ON : c.outcome;
}

enum walked
walk(struct walk *w, enum chain_kind base, const struct packet *p)
{
	struct visit v = { w, p, 0xdeadbeef, 1, 0 };	/* what somebody else left */
	struct chain_ref ref = { .kind = base };
	bool policy_drop;
	enum outcome o;

	if (chain_hook(base, &policy_drop) == HOOK_NONE)
		abort();
	o = visit_chain(&v, &ref);
	w->mark = v.mark;
	if (o == DROPPED || (o == GOES_ON && policy_drop))
		return WALK_DROP;
	if (p->connection != NULL && !p->related)
		p->connection->established = true;
	return WALK_ACCEPT;
}
