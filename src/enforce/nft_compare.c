/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_compare.c -- kernel and model, element by element.
 *
 * Of each kind of set both sides are summed up, element by element: number and
 * sum of fingerprints, in any order and without memory. Only where these differ
 * are fingerprints kept and sorted, and only those that one side has alone are
 * looked for a last time, to be named. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enforce/nft_compare_parts.h"

/* ---- what follows from it ----------------------------------------------- */

static int
check_shape(struct nft_compare *c)
{
	uint32_t sets, chains;
	int rc = nft_read_shape(c->socket, &sets, &chains);
	bool any = false;

	if (rc != 0)
		return rc;
	if (sets != c->n_sets || chains != c->chains) {
		c->out.shape = true;
		snprintf(c->out.where, sizeof(c->out.where), "%u sets and %u chains", sets, chains);
	}
	for (size_t k = 0; k < SET_KINDS; k++) {
		c->differs[k] = c->model[k].n != c->kernel[k].n || c->model[k].sum != c->kernel[k].sum;
		if (c->differs[k] && !any && c->out.where[0] == '\0')
			snprintf(c->out.where, sizeof(c->out.where), "%s", set_info((enum set_kind)k)->name);
		any |= c->differs[k];
	}
	c->out.agrees = !any && !c->out.shape;
	return 0;
}

/* Sorted lists: to each only what it has alone. A fingerprint that stands twice
 * on one side stands there once too often. */
static void
keep_alone(struct prints *a, struct prints *b)
{
	size_t i = 0, j = 0, na = 0, nb = 0;

	if (a->n > 0)
		qsort(a->p, a->n, sizeof(*a->p), compare_prints_order);
	if (b->n > 0)
		qsort(b->p, b->n, sizeof(*b->p), compare_prints_order);
	while (i < a->n || j < b->n) {
		if (j == b->n || (i < a->n && a->p[i] < b->p[j])) {
			a->p[na++] = a->p[i++];
		} else if (i == a->n || b->p[j] < a->p[i]) {
			b->p[nb++] = b->p[j++];
		} else {
			i++;
			j++;
		}
	}
	a->n = na;
	b->n = nb;
}

/* Which fingerprints has one side alone? */
static void
sort_out(struct nft_compare *c)
{
	keep_alone(&c->have, &c->want);
	c->out.foreign = c->have.n;
	c->out.missing = c->want.n;
	c->out.agrees = c->have.n == 0 && c->want.n == 0 && !c->out.shape;
	for (size_t k = 0; !c->out.agrees && c->out.where[0] == '\0' && k < SET_KINDS; k++)
		if (c->differs[k])
			snprintf(c->out.where, sizeof(c->out.where), "%s", set_info((enum set_kind)k)->name);
}

static int
difference_order(const void *a, const void *b)
{
	const struct nft_difference *x = a, *y = b;
	char nx[SET_NAMELEN], ny[SET_NAMELEN];
	int c = 0;

	if (!set_ref_equal(&x->e.set, &y->e.set))
		c = strcmp(set_name(&x->e.set, nx), set_name(&y->e.set, ny));
	if (c == 0)
		c = memcmp(x->e.key, y->e.key, sizeof(x->e.key));
	if (c == 0)
		c = memcmp(x->e.key_end, y->e.key_end, sizeof(x->e.key_end));
	return c != 0 ? c : (int)y->foreign - (int)x->foreign;
}

/* ---- the whole ---------------------------------------------------------- */

/* The work of one phase: 1 more of it, 0 over. */
static int
work(struct nft_compare *c)
{
	switch (c->phase) {
	case PHASE_SUM_MODEL:
		return compare_walk_model(c, PASS_SUM);
	case PHASE_SUM_KERNEL:
		return compare_walk_kernel(c, PASS_SUM);
	case PHASE_SHAPE:
		return check_shape(c);
	case PHASE_PRINT_MODEL:
		return compare_walk_model(c, PASS_PRINT);
	case PHASE_PRINT_KERNEL:
		return compare_walk_kernel(c, PASS_PRINT);
	case PHASE_SORT:
		sort_out(c);
		return 0;
	case PHASE_NAME_MODEL:
		return compare_walk_model(c, PASS_NAME);
	case PHASE_NAME_KERNEL:
		return compare_walk_kernel(c, PASS_NAME);
	case PHASE_ORDER:
		if (c->out.n > 0)
			qsort(c->out.list, c->out.n, sizeof(*c->out.list), difference_order);
		return 0;
	case PHASE_DONE:
		break;
	}
	return 0;
}

int
nft_compare_step(struct nft_compare *c)
{
	int rc = work(c);

	if (rc != 0)
		return rc;
	if (c->phase == PHASE_DONE || (c->phase == PHASE_SHAPE && (c->out.agrees || c->max == 0)) ||
	    (c->phase == PHASE_SORT && c->out.agrees)) {
		c->phase = PHASE_DONE;
		return 0;
	}
	c->phase++;
	c->at = 0;
	return 1;
}

static int
collect_set(void *arg, const struct set_ref *ref)
{
	struct nft_compare *c = arg;

	if (c->n_sets == c->room_sets) {
		size_t room = c->room_sets ? 2 * c->room_sets : 256;
		struct set_ref *p = reallocarray(c->sets, room, sizeof(*p));

		if (p == NULL)
			return -ENOMEM;
		c->sets = p;
		c->room_sets = room;
	}
	c->sets[c->n_sets++] = *ref;
	return 0;
}

static int
count_chain(void *arg, const struct chain_ref *ref)
{
	(void)ref;
	++*(uint32_t *)arg;
	return 0;
}

struct nft_compare *
nft_compare_new(struct nft_socket *s, const struct ruleset *rs, size_t max)
{
	struct nft_compare *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->socket = s;
	c->rs = rs;
	c->max = max;
	if (ruleset_each_set(rs, collect_set, c) != 0 || ruleset_each_chain(rs, count_chain, &c->chains) != 0) {
		nft_compare_free(c);
		return NULL;
	}
	return c;
}

void
nft_compare_only(struct nft_compare *c, const bool kinds[SET_KINDS])
{
	memcpy(c->differs, kinds, sizeof(c->differs));
	c->phase = PHASE_PRINT_MODEL;
}

void
nft_compare_free(struct nft_compare *c)
{
	if (c == NULL)
		return;
	free(c->sets);
	free(c->have.p);
	free(c->want.p);
	nft_comparison_done(&c->out);
	free(c);
}

const struct nft_comparison *
nft_compare_result(const struct nft_compare *c)
{
	return &c->out;
}

void
nft_comparison_done(struct nft_comparison *r)
{
	free(r->list);
	r->list = NULL;
	r->n = 0;
}

int
nft_compare(struct nft_socket *s, const struct ruleset *rs, const bool *kinds, size_t max,
    struct nft_comparison *out)
{
	struct nft_compare *c = nft_compare_new(s, rs, max);
	int rc;

	if (c == NULL)
		return -ENOMEM;
	if (kinds != NULL)
		nft_compare_only(c, kinds);
	do {
		rc = nft_compare_step(c);
	} while (rc == 1);
	if (rc == 0) {
		*out = c->out;
		c->out.list = NULL;
	}
	nft_compare_free(c);
	return rc;
}
