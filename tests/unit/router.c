/* SPDX-License-Identifier: GPL-2.0-or-later */
/* router.c -- sends packets through the rules of a ruleset. Any failure aborts. */
#include <stdlib.h>
#include <string.h>

#include "router.h"

void
router_init(struct router *r, const struct ruleset *rs)
{
	router_end(r);
	memset(r, 0, sizeof(*r));
	if ((r->evaluator = evaluator_new(rs)) == NULL)
		abort();
}

void
router_end(struct router *r)
{
	evaluator_free(r->evaluator);
	r->evaluator = NULL;
}

void
router_forget(struct router *r)
{
	r->n_added = 0;
	memset(r->hits, 0, sizeof(r->hits));
	memset(r->counters, 0, sizeof(r->counters));
	memset(r->logs, 0, sizeof(r->logs));
}

size_t
router_added(const struct router *r, enum set_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n_added; i++)
		n += r->added[i].set.kind == kind;
	return n;
}

/* ---- what packets put into sets ----------------------------------------- */

static bool
is_added(const struct router *r, const struct element *key)
{
	for (size_t i = 0; i < r->n_added; i++)
		if (element_same_key(&r->added[i], key))
			return true;
	return false;
}

static struct dynamic
dynamic_of(void *arg, const struct element *key)
{
	const struct router *r = arg;
	struct dynamic d = r->says;

	d.known = is_added(r, key);
	d.full = r->full[key->set.kind];
	return d;
}

/* A key that is new is in there when there is room, whether the rule goes on or not. */
static void
follow(void *arg, const struct trace_step *t)
{
	struct router *r = arg;

	if (t->kind == TRACE_SET && t->found != NULL && t->passed)
		r->hits[t->key->set.kind]++;
	if (t->kind != TRACE_ADD || r->full[t->key->set.kind] || is_added(r, t->key))
		return;
	if (r->n_added == ROUTER_ADDED)
		abort();
	r->added[r->n_added++] = *t->key;
}

/* ---- one packet --------------------------------------------------------- */

static uint32_t
interface_index(const char *name)
{
	uint32_t index = 1;

	for (; *name != '\0'; name++)
		index = index * 31 + (uint8_t)*name;
	return index;
}

static void
count(unsigned *counts, size_t n, uint32_t bits)
{
	for (size_t i = 0; i < n; i++)
		counts[i] += bits >> i & 1;
}

enum verdict_kind
router_sends(struct router *r, enum chain_hook hook, struct packet p, struct connection *connection)
{
	struct dynamic dynamic = { .of = dynamic_of, .arg = r };
	bool of_it = p.ct_state == CTS_NEW || p.ct_state == CTS_RELATED;
	struct verdict v;

	p.hook = hook;
	p.iif_index = interface_index(p.iif);
	p.oif_index = interface_index(p.oif);
	p.mark = 0xdeadbeef;	/* what somebody else left */
	p.priority = 1;		/* the number of a class */
	if (of_it) {
		p.ct_mark = connection->mark;
		p.confirmed = connection->established;
	}
	if (p.ct_state == CTS_NEW && connection->established)
		p.ct_state = CTS_ESTABLISHED;
	if (evaluate(r->evaluator, &p, &dynamic, follow, r, &v) != 0)
		abort();
	count(r->counters, COUNTER_KINDS, v.counted);
	count(r->logs, LOG_DISCOVERED + 1, v.logged);
	r->mark = v.mark;
	if (of_it && v.saved)
		connection->mark = v.ct_mark;
	if (of_it && v.kind == VERDICT_ACCEPT && p.ct_state != CTS_RELATED)
		connection->established = true;
	return v.kind;
}
