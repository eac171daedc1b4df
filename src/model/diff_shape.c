/* SPDX-License-Identifier: GPL-2.0-or-later */
/* diff_shape.c -- which sets, chains and rules go and which come. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/diff_parts.h"

/* ---- sets and chains ---------------------------------------------------- */

/* Is this set or chain in the other ruleset? Class parts are looked for in
 * that class alone. */
struct finder {
	const void *want;
	bool found;
};

static int
match_set(void *arg, const struct set_ref *ref)
{
	struct finder *f = arg;

	f->found = set_ref_equal(ref, f->want);
	return f->found;
}

static bool
has_set(const struct ruleset *rs, const struct set_ref *ref)
{
	struct finder f = { ref, false };
	const struct image_class *class;
	struct ruleset candidate;

	if (rs == NULL || (set_is_staged(ref) && rs->candidate == NULL))
		return false;
	if (ref->staged) {
		candidate = ruleset_candidate(rs);
		rs = &candidate;
	}
	switch (set_info(ref->kind)->scope) {
	case SCOPE_TABLE:
		return ref->kind != SET_CONNECTIONS || rs->features.connlimit;
	case SCOPE_SCHEDULE:
		return ref->number <= rs->image->n[IMAGE_SCHEDULES];
	case SCOPE_CLASS:
	case SCOPE_PEER:
		break;
	}
	if ((class = image_class(rs->image, ref->number)) == NULL)
		return false;
	ruleset_each_class_set(rs, class, match_set, &f);
	return f.found;
}

static int
match_chain(void *arg, const struct chain_ref *ref)
{
	struct finder *f = arg;
	const struct chain_ref *want = f->want;

	f->found = ref->kind == want->kind && ref->number == want->number;
	return f->found;
}

static bool
has_chain(const struct ruleset *rs, const struct chain_ref *ref)
{
	struct finder f = { ref, false };
	const struct image_class *class;
	struct ruleset candidate;

	if (rs == NULL || (chain_is_staged(ref) && rs->candidate == NULL))
		return false;
	if (ref->kind < CHAIN_CLASS)
		return true;
	if (ref->staged) {
		candidate = ruleset_candidate(rs);
		rs = &candidate;
	}
	if ((class = image_class(rs->image, ref->number)) != NULL)
		ruleset_each_class_chain(rs, class, match_chain, &f);
	return f.found;
}

static bool
is_of_same(const struct diff *d, const struct set_ref *ref)
{
	enum set_scope scope = set_info(ref->kind)->scope;

	return (scope == SCOPE_CLASS || scope == SCOPE_PEER) && diff_is_same(d, ref->staged, ref->number);
}

static int
set_comes(void *arg, const struct set_ref *ref)
{
	struct diff *d = arg;

	return is_of_same(d, ref) || has_set(d->old, ref) ? 0 : d->sink->add_set(d->arg, ref);
}

static int
set_goes(void *arg, const struct set_ref *ref)
{
	struct diff *d = arg;

	return is_of_same(d, ref) || has_set(d->next, ref) ? 0 : d->sink->del_set(d->arg, ref);
}

static bool
chain_is_same(const struct diff *d, const struct chain_ref *ref)
{
	return ref->kind >= CHAIN_CLASS && diff_is_same(d, ref->staged != 0, ref->number);
}

static int
chain_comes(void *arg, const struct chain_ref *ref)
{
	struct diff *d = arg;

	return chain_is_same(d, ref) || has_chain(d->old, ref) ? 0 : d->sink->add_chain(d->arg, ref);
}

static int
chain_goes(void *arg, const struct chain_ref *ref)
{
	struct diff *d = arg;

	return chain_is_same(d, ref) || has_chain(d->next, ref) ? 0 : d->sink->del_chain(d->arg, ref);
}

/* ---- rules -------------------------------------------------------------- */

struct rules {
	struct rule_ir *r;
	size_t n, room;
};

static int
collect_rule(void *arg, const struct rule_ir *r)
{
	struct rules *l = arg;

	if (l->n == l->room) {
		size_t room = l->room ? 2 * l->room : 32;
		struct rule_ir *p = reallocarray(l->r, room, sizeof(*p));

		if (p == NULL)
			return -ENOMEM;
		l->r = p;
		l->room = room;
	}
	l->r[l->n++] = *r;
	return 0;
}

static bool
expr_equal(const struct expr *a, const struct expr *b)
{
	return a->kind == b->kind && a->negate == b->negate &&
	    memcmp(a->fields, b->fields, sizeof(a->fields)) == 0 &&
	    set_ref_equal(&a->set, &b->set) &&
	    a->chain.kind == b->chain.kind && a->chain.number == b->chain.number &&
	    a->chain.staged == b->chain.staged &&
	    a->counter == b->counter && a->value == b->value && a->burst == b->burst && a->n_values == b->n_values &&
	    memcmp(a->values, b->values, a->n_values) == 0;
}

static bool
rules_equal(const struct rules *a, const struct rules *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		const struct expr *x = a->r[i].exprs, *y = b->r[i].exprs;

		for (; x->kind != EXPR_END || y->kind != EXPR_END; x++, y++)
			if (!expr_equal(x, y))
				return false;
	}
	return true;
}

struct rule_diff {
	struct diff *d;
	enum phase phase;
	struct rules a, b;
	bool rates;			/* some class's rate is another */
};

/* Old rules go before sets do, new ones come after sets have come. */
static int
diff_chain(void *arg, const struct chain_ref *ref)
{
	struct rule_diff *rd = arg;
	struct diff *d = rd->d;
	int rc = 0;

	if (chain_is_same(d, ref))
		return 0;
	rd->a.n = rd->b.n = 0;
	if (has_chain(d->old, ref))
		rc = ruleset_each_rule(d->old, ref, collect_rule, &rd->a);
	if (rc == 0 && has_chain(d->next, ref))
		rc = ruleset_each_rule(d->next, ref, collect_rule, &rd->b);
	if (rc != 0 || rules_equal(&rd->a, &rd->b))
		return rc;
	rd->rates |= ref->kind == CHAIN_CLASS_ADMIT && has_chain(d->old, ref);
	if (rd->phase == PHASE_DELETE)
		return d->sink->flush_chain(d->arg, ref);
	for (size_t i = 0; rc == 0 && i < rd->b.n; i++)
		rc = d->sink->add_rule(d->arg, ref, &rd->b.r[i]);
	return rc;
}

int
diff_rules(struct diff *d, enum phase phase)
{
	struct rule_diff rd = { .d = d, .phase = phase };
	int rc;

	rc = ruleset_each_chain(phase == PHASE_DELETE ? d->old : d->next, diff_chain, &rd);
	/* The buckets of devices keep the rate that they were made with. */
	if (rc == 0 && (rd.rates || d->rates) && phase == PHASE_DELETE)
		rc = d->sink->flush_set(d->arg, &(struct set_ref){ .kind = SET_RATE });
	free(rd.a.r);
	free(rd.b.r);
	return rc;
}

int
diff_what_comes(struct diff *d)
{
	int rc = ruleset_each_set(d->next, set_comes, d);

	return rc != 0 ? rc : ruleset_each_chain(d->next, chain_comes, d);
}

int
diff_what_goes(struct diff *d)
{
	int rc = ruleset_each_chain(d->old, chain_goes, d);

	return rc != 0 ? rc : ruleset_each_set(d->old, set_goes, d);
}
