/* SPDX-License-Identifier: GPL-2.0-or-later */
/* diff.c -- from one ruleset to another, in an order that one transaction takes. */
#include "model/diff.h"
#include "model/element_list.h"
#include "model/same.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What is in a and not, or not equal, in b. Both are sorted. */
static int
each_missing(const struct element_list *a, const struct element_list *b,
    int (*fn)(void *, const struct element *), void *arg)
{
	size_t j = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < a->n; i++) {
		while (j < b->n && element_order(&b->e[j], &a->e[i]) < 0)
			j++;
		if (j == b->n || !element_equal(&a->e[i], &b->e[j]))
			rc = fn(arg, &a->e[i]);
	}
	return rc;
}

/* ---- the state of one diff ---------------------------------------------- */

enum phase { PHASE_DELETE, PHASE_ADD };

struct diff {
	const struct ruleset *old;	/* or NULL */
	const struct ruleset *next;
	const struct diff_sink *sink;
	void *arg;
	/* Of the enforced policy, not of a staged one. */
	bool *same;			/* parallel to next's classes: as in old; NULL: nobody knows */
	bool named_same;		/* who is named by others is the same in every class of both */
	struct element_list a, b;		/* scratch */
};

/* Most classes of most changes: nothing of them is looked at again. When memory
 * is short nothing is known, which costs time alone. */
static void
find_same(struct diff *d)
{
	const struct image *i = d->old->image, *j = d->next->image;
	const struct image_class *x = i->classes, *end = x + i->n[IMAGE_CLASSES];

	d->named_same = true;
	d->same = calloc((size_t)j->n[IMAGE_CLASSES] + 1, sizeof(*d->same));
	for (uint32_t c = 0; c < j->n[IMAGE_CLASSES]; c++) {
		const struct image_class *y = &j->classes[c];

		while (x < end && x->number < y->number)
			x++;
		if (x == end || x->number != y->number)
			continue;
		d->named_same &= x->named == y->named;
		if (d->same != NULL)
			d->same[c] = class_same(i, x, j, y);
	}
}

static bool
is_same(const struct diff *d, bool staged, uint32_t class_number)
{
	const struct image_class *y;

	if (d->same == NULL || staged || (y = image_class(d->next->image, class_number)) == NULL)
		return false;
	return d->same[y - d->next->image->classes];
}

static void
diff_done(struct diff *d)
{
	free(d->a.e);
	free(d->b.e);
	free(d->same);
}

/* The lists of one unit stand in a (old) and b (next): tell what changes. */
static int
tell(struct diff *d, enum phase phase)
{
	element_list_sort(&d->a);
	element_list_sort(&d->b);
	if (phase == PHASE_DELETE)
		return each_missing(&d->a, &d->b, d->sink->del_element, d->arg);
	return each_missing(&d->b, &d->a, d->sink->add_element, d->arg);
}

/* ---- elements ----------------------------------------------------------- */

static int
diff_appliance(struct diff *d, enum phase phase)
{
	int rc = 0;

	d->a.n = d->b.n = 0;
	if (d->old != NULL)
		rc = elements_of_appliance(d->old, element_list_add, &d->a);
	if (rc == 0)
		rc = elements_of_appliance(d->next, element_list_add, &d->b);
	return rc != 0 ? rc : tell(d, phase);
}

/* Either may be NULL: the class is new, or gone. */
static int
diff_class(struct diff *d, const struct image_class *x, const struct image_class *y, enum phase phase)
{
	int rc = 0;

	if (x == NULL && phase == PHASE_ADD)
		return elements_of_class(d->next, y, d->sink->add_element, d->arg);
	if (x != NULL && y != NULL && is_same(d, d->next->staged, y->number))
		return 0;
	d->a.n = d->b.n = 0;
	if (x != NULL)
		rc = elements_of_class(d->old, x, element_list_add, &d->a);
	if (rc == 0 && y != NULL)
		rc = elements_of_class(d->next, y, element_list_add, &d->b);
	return rc != 0 ? rc : tell(d, phase);
}

static bool
named_same(const struct diff *d, uint32_t class_number)
{
	return (d->named_same && !d->next->staged) || image_class(d->old->image, class_number)->named ==
	    image_class(d->next->image, class_number)->named;
}

/* Same elements without looking at them: most devices of most changes. */
static bool
device_same(const struct diff *d, const struct image_device *x, const struct station *sx,
    const struct image_device *y, const struct station *sy)
{
	return (d->next->staged || memcmp(sx, sy, sizeof(*sx)) == 0) && x->class_number == y->class_number &&
	    identity_same(d->old->image, x, d->next->image, y) && named_same(d, x->class_number);
}

static int
diff_device(struct diff *d, size_t ix, size_t iy, enum phase phase)
{
	const struct image_device *x = ix == SIZE_MAX ? NULL : &d->old->image->devices[ix];
	const struct image_device *y = iy == SIZE_MAX ? NULL : &d->next->image->devices[iy];
	int rc = 0;

	if (x == NULL)
		return phase == PHASE_DELETE ? 0 :
		    elements_of_device(d->next, y, ruleset_station(d->next, iy), d->sink->add_element, d->arg);
	if (y == NULL)
		return phase == PHASE_ADD ? 0 :
		    elements_of_device(d->old, x, ruleset_station(d->old, ix), d->sink->del_element, d->arg);
	if (device_same(d, x, ruleset_station(d->old, ix), y, ruleset_station(d->next, iy)))
		return 0;
	d->a.n = d->b.n = 0;
	rc = elements_of_device(d->old, x, ruleset_station(d->old, ix), element_list_add, &d->a);
	if (rc == 0)
		rc = elements_of_device(d->next, y, ruleset_station(d->next, iy), element_list_add, &d->b);
	return rc != 0 ? rc : tell(d, phase);
}

static int
diff_one_policy(struct diff *d, enum phase phase)
{
	const struct image *x = d->old ? d->old->image : NULL, *y = d->next->image;
	uint32_t nx = x ? x->n[IMAGE_CLASSES] : 0, ny = y->n[IMAGE_CLASSES];
	uint32_t i = 0, j = 0;
	int rc = diff_appliance(d, phase);

	while (rc == 0 && (i < nx || j < ny)) {
		bool left = j == ny || (i < nx && x->classes[i].number <= y->classes[j].number);
		bool right = i == nx || (j < ny && y->classes[j].number <= x->classes[i].number);

		rc = diff_class(d, left ? &x->classes[i] : NULL, right ? &y->classes[j] : NULL, phase);
		i += left;
		j += right;
	}
	nx = x ? x->n[IMAGE_DEVICES] : 0;
	ny = y->n[IMAGE_DEVICES];
	i = j = 0;
	while (rc == 0 && (i < nx || j < ny)) {
		bool left = j == ny || (i < nx && x->devices[i].number <= y->devices[j].number);
		bool right = i == nx || (j < ny && y->devices[j].number <= x->devices[i].number);

		rc = diff_device(d, left ? i : SIZE_MAX, right ? j : SIZE_MAX, phase);
		i += left;
		j += right;
	}
	return rc;
}

/* The enforced policy's and the staged one's. */
static int
diff_elements(struct diff *d, enum phase phase)
{
	const struct ruleset *old = d->old, *next = d->next;
	const struct ruleset none = { .image = next->image };
	const struct ruleset c = ruleset_candidate(old != NULL ? old : &none), n = ruleset_candidate(next);
	int rc = diff_one_policy(d, phase);

	if (rc != 0 || c.image == n.image)
		return rc;
	d->old = &c;
	d->next = &n;
	rc = diff_one_policy(d, phase);
	d->old = old;
	d->next = next;
	return rc;
}

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

	return (scope == SCOPE_CLASS || scope == SCOPE_PEER) && is_same(d, ref->staged, ref->number);
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
	return ref->kind >= CHAIN_CLASS && is_same(d, ref->staged != 0, ref->number);
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

static int
diff_rules(struct diff *d, enum phase phase)
{
	struct rule_diff rd = { .d = d, .phase = phase };
	int rc;

	rc = ruleset_each_chain(phase == PHASE_DELETE ? d->old : d->next, diff_chain, &rd);
	/* The buckets of devices keep the rate that they were made with. */
	if (rc == 0 && rd.rates && phase == PHASE_DELETE)
		rc = d->sink->flush_set(d->arg, &(struct set_ref){ .kind = SET_RATE });
	free(rd.a.r);
	free(rd.b.r);
	return rc;
}

/* What was counted against one staged policy says nothing of another. */
static int
forget_counts(struct diff *d)
{
	const struct image *old = d->old->candidate, *next = d->next->candidate;
	int rc = 0;

	if (old == NULL || next == NULL || old == next)
		return 0;
	for (uint16_t k = SET_NEWLY_REFUSED; rc == 0 && k <= SET_NEWLY_ALLOWED6_PORTLESS; k++)
		rc = d->sink->flush_set(d->arg, &(struct set_ref){ .kind = k });
	return rc;
}

int
diff_rulesets(const struct ruleset *old, const struct ruleset *next, const struct diff_sink *sink, void *arg)
{
	struct diff d = { .old = old, .next = next, .sink = sink, .arg = arg };
	int rc = 0;

	if (old != NULL) {
		find_same(&d);
		rc = forget_counts(&d);
		if (rc == 0)
			rc = diff_elements(&d, PHASE_DELETE);
		if (rc == 0)
			rc = diff_rules(&d, PHASE_DELETE);
	}
	if (rc == 0)
		rc = ruleset_each_set(next, set_comes, &d);
	if (rc == 0)
		rc = ruleset_each_chain(next, chain_comes, &d);
	if (rc == 0)
		rc = diff_rules(&d, PHASE_ADD);
	if (rc == 0)
		rc = diff_elements(&d, PHASE_ADD);
	if (rc == 0 && old != NULL)
		rc = ruleset_each_chain(old, chain_goes, &d);
	if (rc == 0 && old != NULL)
		rc = ruleset_each_set(old, set_goes, &d);
	diff_done(&d);
	return rc;
}

static int
diff_station(struct diff *d, const struct station_change *c, enum phase phase)
{
	const struct image_device *device = &d->next->image->devices[c->index];
	int rc;

	d->a.n = d->b.n = 0;
	rc = elements_of_device(d->next, device, &c->from, element_list_add, &d->a);
	if (rc == 0)
		rc = elements_of_device(d->next, device, &c->to, element_list_add, &d->b);
	return rc != 0 ? rc : tell(d, phase);
}

int
diff_station_changes(const struct ruleset *rs, const struct station_change *changes, size_t n,
    const struct diff_sink *sink, void *arg)
{
	struct diff d = { .old = rs, .next = rs, .sink = sink, .arg = arg };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = diff_station(&d, &changes[i], PHASE_DELETE);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = diff_station(&d, &changes[i], PHASE_ADD);
	diff_done(&d);
	return rc;
}
