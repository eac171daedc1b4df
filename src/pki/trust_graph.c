/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trust_graph.c -- the authorities' keys and the certificates between them. A key
 * stands by its best path to an anchor, and a path by its worst certificate: so a
 * cross-signed CA survives one of its certificates, and nothing survives its key.
 * Every walk is a bounded number of rounds over the certificates, never recursion. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pki/trust_parts.h"

#define UNREACHED UINT_MAX	/* stronger than any reason: no path was found yet */

static bool
key_known(const uint8_t key[16])
{
	static const uint8_t none[16];

	return memcmp(key, none, sizeof(none)) != 0;
}

/* ---- tainted keys ------------------------------------------------------- */

int
trust_taint(struct trust *t, uint32_t authority, uint32_t subject)
{
	const struct subject *s = &t->all->authorities[authority].subjects[subject];
	struct taint *more;
	struct blame b;

	trust_listing(t, authority, subject, &b);
	if (b.strength < STRENGTH_COMPROMISE || !key_known(s->key))
		return 0;
	if (t->n_taints == t->taints_room) {
		t->taints_room = t->taints_room * 2 + 16;
		if ((more = realloc(t->taints, t->taints_room * sizeof(*more))) == NULL)
			return -ENOMEM;
		t->taints = more;
	}
	b.evidence = EVIDENCE_KEY;
	memcpy(t->taints[t->n_taints].key, s->key, sizeof(s->key));
	t->taints[t->n_taints++].blame = b;
	return 0;
}

/* By key; of one key the worst first, and always the same. */
static int
compare(const void *pa, const void *pb)
{
	const struct taint *a = pa, *b = pb;
	int order = memcmp(a->key, b->key, sizeof(a->key));

	if (order != 0)
		return order;
	if (a->blame.strength != b->blame.strength)
		return a->blame.strength > b->blame.strength ? -1 : 1;
	if (a->blame.authority != b->blame.authority)
		return a->blame.authority < b->blame.authority ? -1 : 1;
	return a->blame.subject < b->blame.subject ? -1 : a->blame.subject > b->blame.subject;
}

void
trust_taints_sort(struct trust *t)
{
	uint32_t i, n = 0;

	if (t->n_taints == 0)
		return;
	qsort(t->taints, t->n_taints, sizeof(*t->taints), compare);
	for (i = 0; i < t->n_taints; i++)
		if (n == 0 || memcmp(t->taints[n - 1].key, t->taints[i].key, sizeof(t->taints[i].key)) != 0)
			t->taints[n++] = t->taints[i];
	t->n_taints = n;
}

const struct blame *
trust_tainted(const struct trust *t, const uint8_t key[16])
{
	uint32_t low = 0, high = t->n_taints;

	if (!key_known(key))
		return NULL;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		int order = memcmp(t->taints[mid].key, key, 16);

		if (order == 0)
			return &t->taints[mid].blame;
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/* ---- anchors, and what the keys depend on ------------------------------- */

/* The key that signed a certificate of an authority. */
static uint32_t
parent_node(const struct authorities *all, uint32_t certificate)
{
	return all->certificates[all->certificates[certificate].parent_certificate].node;
}

static bool
reach_round(const struct trust *t, bool *reached)
{
	const struct authorities *all = t->all;
	bool more = false;
	uint32_t i;

	for (i = 0; i < all->n_certificates; i++) {
		uint32_t node = all->certificates[i].node;

		if (reached[node] || (!t->anchors[i] && !reached[parent_node(all, i)]))
			continue;
		reached[node] = more = true;
	}
	return more;
}

/* Two CAs that issued each other and nobody else: the first one declared is taken
 * for an anchor, as the administrator declared it. */
static int
anchors_init(struct trust *t)
{
	const struct authorities *all = t->all;
	bool *reached = calloc((size_t)all->n_certificates + 1, sizeof(*reached));
	uint32_t i;

	if (reached == NULL)
		return -ENOMEM;
	for (i = 0; i < all->n_certificates; i++)
		t->anchors[i] = all->certificates[i].anchor;
	while (reach_round(t, reached))
		;
	for (i = 0; i < all->n_certificates; i++) {
		if (reached[all->certificates[i].node])
			continue;
		t->anchors[i] = true;
		while (reach_round(t, reached))
			;
	}
	free(reached);
	return 0;
}

static int
compare_keys(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

/* Those of the authorities, sorted. NULL without memory. */
static uint8_t (*keys_sorted(const struct authorities *all))[16]
{
	uint8_t (*keys)[16] = calloc((size_t)all->n_certificates + 1, sizeof(*keys));
	uint32_t i;

	for (i = 0; keys != NULL && i < all->n_certificates; i++)
		memcpy(keys[i], all->certificates[i].key, sizeof(*keys));
	if (keys != NULL)
		qsort(keys, all->n_certificates, sizeof(*keys), compare_keys);
	return keys;
}

/* CAs' certificates, and what else has one of their keys. */
static int
chain_init(struct trust *t, uint8_t (*keys)[16])
{
	const struct authorities *all = t->all;
	uint32_t a, s, n = 0, round;

	for (round = 0; round < 2; round++) {
		for (n = a = 0; a < all->n; a++) {
			for (s = 0; s < all->authorities[a].n_subjects; s++) {
				const struct subject *c = &all->authorities[a].subjects[s];

				if ((c->flags & SUBJECT_CA) == 0 && (!key_known(c->key) ||
					bsearch(c->key, keys, all->n_certificates, sizeof(*keys),
					    compare_keys) == NULL))
					continue;
				if (round == 1)
					t->chain[n] = (struct subject_ref){ a, s };
				n++;
			}
		}
		if (round == 0 && (t->chain = calloc((size_t)n + 1, sizeof(*t->chain))) == NULL)
			return -ENOMEM;
	}
	t->n_chain = n;
	return 0;
}

int
trust_graph_init(struct trust *t)
{
	uint8_t (*keys)[16] = keys_sorted(t->all);
	int rc = keys != NULL ? chain_init(t, keys) : -ENOMEM;

	free(keys);
	return rc < 0 ? rc : anchors_init(t);
}

/* ---- nodes -------------------------------------------------------------- */

/* What stands against this certificate, with what stands against who issued it. */
static void
certificate_blame(const struct trust *t, uint32_t i, struct blame *out)
{
	const struct trust_certificate *c = &t->all->certificates[i];

	memset(out, 0, sizeof(*out));
	if (c->subject != TRUST_NONE)
		trust_listing(t, c->parent, c->subject, out);
	if (!t->anchors[i])
		blame_worsen(out, &t->nodes[parent_node(t->all, i)].blame);
}

/* The better path, by each measure. */
static bool
blame_lessen(struct blame *b, const struct blame *by)
{
	unsigned excuse = by->excuse < b->excuse ? by->excuse : b->excuse;
	bool less = by->strength < b->strength || excuse < b->excuse;

	if (by->strength < b->strength)
		*b = *by;
	b->excuse = excuse;
	return less;
}

static void
nodes_blame(struct trust *t)
{
	const struct authorities *all = t->all;
	const struct blame *taint;
	uint32_t i, round;
	bool more = true;

	for (i = 0; i < all->n_certificates; i++)
		t->nodes[i].blame = (struct blame){ .strength = UNREACHED, .excuse = UNREACHED };
	/* Each round settles at least one key, or nothing changes any more. */
	for (round = 0; more && round <= 2 * all->n_certificates; round++) {
		more = false;
		for (i = 0; i < all->n_certificates; i++) {
			struct node *node = &t->nodes[all->certificates[i].node];
			struct blame b;

			certificate_blame(t, i, &b);
			if ((taint = trust_tainted(t, all->certificates[i].key)) != NULL)
				blame_worsen(&b, taint);
			more |= blame_lessen(&node->blame, &b);
		}
	}
}

/* Is this certificate proven clean, and the path above it? */
static bool
certificate_clean(const struct trust *t, uint32_t i, bool all_of_it)
{
	const struct authorities *all = t->all;
	const struct trust_certificate *c = &all->certificates[i];
	const struct finding *f;
	const struct node *up;

	if (c->parent == TRUST_NONE || c->subject == TRUST_NONE)
		return t->anchors[i];
	f = trust_found(t, c->parent, c->subject);
	if (!finding_clean(f) && (all_of_it || f->listed || all->authorities[c->parent].n_sources > 0))
		return false;
	up = &t->nodes[parent_node(all, i)];
	return t->anchors[i] || (all_of_it ? up->all_clean : up->clean);
}

static void
nodes_clean(struct trust *t)
{
	const struct authorities *all = t->all;
	uint32_t i, round;
	bool more = true;

	for (i = 0; i < all->n_certificates; i++)
		t->nodes[i].clean = t->nodes[i].all_clean = false;
	for (round = 0; more && round <= all->n_certificates; round++) {
		more = false;
		for (i = 0; i < all->n_certificates; i++) {
			struct node *node = &t->nodes[all->certificates[i].node];

			if (node->blame.strength > 0)
				continue;
			if (!node->clean && certificate_clean(t, i, false))
				node->clean = more = true;
			if (!node->all_clean && certificate_clean(t, i, true))
				node->all_clean = more = true;
		}
	}
}

/* ---- weights and nodes, until they agree -------------------------------- */

static void
weigh_all(struct trust *t, bool first)
{
	uint32_t a, i;

	for (a = 0; a < t->all->n; a++) {
		for (i = t->first_weight[a]; i < t->first_weight[a + 1]; i++) {
			struct series_weight *w = &t->weights[i];
			enum source_error signer = E_SIGNER_REVOKED;

			if (!first)
				signer = trust_signer(t, a, w->series->signer, &t->in->clock);
			series_weigh(w->series, w->index, &t->all->authorities[a], signer, &t->in->clock, w);
		}
	}
}

/* A delta takes a CA off its hold only when who signed the delta is in order. First
 * nobody is trusted to take anything off; then those who are in order even so; and
 * so on: each round may only find more of them, so rounds come to an end. */
int
trust_graph_judge(struct trust *t)
{
	uint32_t i, round, revoked, before = UINT32_MAX;
	int rc = 0;

	for (round = 0; rc == 0 && round <= t->all->n_certificates + 1; round++) {
		weigh_all(t, round == 0);
		t->n_taints = 0;
		for (i = 0; i < t->n_chain && rc == 0; i++) {
			trust_find(t, t->chain[i].authority, t->chain[i].subject);
			rc = trust_taint(t, t->chain[i].authority, t->chain[i].subject);
		}
		trust_taints_sort(t);
		nodes_blame(t);
		nodes_clean(t);
		for (revoked = i = 0; i < t->all->n_certificates; i++)
			revoked += t->nodes[t->all->certificates[i].node].blame.strength > 0;
		if (round > 0 && revoked == before)
			break;
		before = round == 0 ? UINT32_MAX : revoked;
	}
	return rc;
}

/* ---- for others --------------------------------------------------------- */

void
trust_issuer(const struct trust *t, uint32_t authority, const struct subject *s, struct node *out)
{
	const struct authority *a = &t->all->authorities[authority];
	bool any = false;
	uint32_t i;

	if (s->issuer != TRUST_NONE) {
		*out = t->nodes[s->issuer];
		return;
	}
	/* Nobody knows which of its keys: revoked when all are, clean when all are. */
	memset(out, 0, sizeof(*out));
	for (i = a->first_certificate; i < a->first_certificate + a->n_own; i++) {
		const struct node *node = &t->nodes[i];

		if (t->all->certificates[i].node != i || t->all->certificates[i].x509 == NULL)
			continue;
		if (!any)
			*out = *node;
		else
			(void)blame_lessen(&out->blame, &node->blame);
		out->clean &= node->clean;
		out->all_clean &= node->all_clean;
		any = true;
	}
}
