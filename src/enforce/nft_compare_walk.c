/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_compare_walk.c -- each element of the model and of the kernel, some at a time. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enforce/nft_compare_parts.h"

/* Steps of about 10 ms. To tell a piece of a set the kernel walks past all that
 * it told before: that counts too. */
#define STEP_DEVICES	2048	/* of the model */
#define STEP_UNITS	8192	/* of the kernel: elements told */
#define SET_COSTS	16	/* asking for a set */
#define WALKED_PAST	32	/* elements that cost as much as one that is told */
#define TRIES		8

/* ---- fingerprints ------------------------------------------------------- */

static int
push(struct prints *l, uint64_t v)
{
	if (l->n == l->room) {
		size_t room = l->room ? 2 * l->room : 256;
		uint64_t *p = reallocarray(l->p, room, sizeof(*p));

		if (p == NULL)
			return -ENOMEM;
		l->p = p;
		l->room = room;
	}
	l->p[l->n++] = v;
	return 0;
}

/* FNV-1a, 64 bits: against accidents, not against a forger with root's rights. */
static uint64_t
mix(uint64_t h, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * 0x100000001b3ULL;
	return h;
}

/* Sums of them shall not cancel each other out: every bit depends on every bit. */
static uint64_t
finish(uint64_t h)
{
	h = (h ^ h >> 30) * 0xbf58476d1ce4e5b9ULL;
	h = (h ^ h >> 27) * 0x94d049bb133111ebULL;
	return h ^ h >> 31;
}

static uint64_t
print_of(struct nft_compare *c, const struct set_ref *ref, const uint8_t *key, const uint8_t *key_end,
    size_t key_len, bool end, uint32_t mark, const char *chain)
{
	const uint8_t ends = end;
	uint64_t h;

	if (c->hash == 0 || !set_ref_equal(&c->hashed, ref)) {
		char name[SET_NAMELEN];

		set_name(ref, name);
		c->hashed = *ref;
		c->hash = mix(0xcbf29ce484222325ULL, name, strlen(name));
	}
	h = mix(c->hash, key, key_len);
	if (key_end != NULL)
		h = mix(h, key_end, key_len);
	h = mix(h, &ends, sizeof(ends));
	h = mix(h, &mark, sizeof(mark));
	return finish(chain != NULL ? mix(h, chain, strlen(chain)) : h);
}

/* The kernel knows the key without the padding of a lone last field. */
static uint64_t
print_of_model(struct nft_compare *c, const struct element *e)
{
	const struct set_info *info = set_info(e->set.kind);
	size_t len = info->fields[1] == FIELD_NONE ? field_info(info->fields[0])->len : e->key_len;
	char name[CHAIN_NAMELEN];

	return print_of(c, &e->set, e->key, info->interval ? e->key_end : NULL, len, e->end, e->mark,
	    info->data == DATA_CHAIN ? chain_name(&e->chain, name) : NULL);
}

static uint64_t
print_of_kernel(struct nft_compare *c, const struct nft_element *e)
{
	const uint8_t *end = e->key_end;

	/* The kernel leaves out an end that equals the key. */
	if (set_info(c->reading->kind)->interval && end == NULL)
		end = e->key;
	return print_of(c, c->reading, e->key, end, e->key_len, e->end, e->mark, e->chain);
}

int
compare_prints_order(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static bool
contains(const struct prints *l, uint64_t v)
{
	return l->n > 0 && bsearch(&v, l->p, l->n, sizeof(v), compare_prints_order) != NULL;
}

/* ---- each element of the model ------------------------------------------ */

static int
sum_model(void *arg, const struct element *e)
{
	struct nft_compare *c = arg;

	c->model[e->set.kind].n++;
	c->model[e->set.kind].sum += print_of_model(c, e);
	c->out.compared++;
	return 0;
}

static int
print_model(void *arg, const struct element *e)
{
	struct nft_compare *c = arg;

	return c->differs[e->set.kind] ? push(&c->want, print_of_model(c, e)) : 0;
}

static int
keep(struct nft_compare *c, const struct element *e, bool foreign, const char *chain)
{
	struct nft_difference *d;

	if (c->out.n == c->max)
		return 0;
	if (c->out.list == NULL && (c->out.list = calloc(c->max, sizeof(*c->out.list))) == NULL)
		return -ENOMEM;
	d = &c->out.list[c->out.n++];
	d->e = *e;
	d->foreign = foreign;
	snprintf(d->chain, sizeof(d->chain), "%s", chain != NULL ? chain : "");
	return 0;
}

static int
name_model(void *arg, const struct element *e)
{
	struct nft_compare *c = arg;

	if (!c->differs[e->set.kind] || !contains(&c->want, print_of_model(c, e)))
		return 0;
	return keep(c, e, false, NULL);
}

static int
walk_classes(struct nft_compare *c, const struct ruleset *rs, element_fn *fn)
{
	int rc = elements_of_appliance(rs, fn, c);

	for (uint32_t i = 0; rc == 0 && i < rs->image->n[IMAGE_CLASSES]; i++)
		rc = elements_of_class(rs, &rs->image->classes[i], fn, c);
	return rc;
}

/* The appliance, the classes, then some of the devices; of the enforced policy,
 * and of the staged one. 0: all were told. */
static int
walk_model(struct nft_compare *c, element_fn *fn)
{
	const struct ruleset candidate = ruleset_candidate(c->rs);
	const size_t devices = c->rs->image->n[IMAGE_DEVICES], n = devices + candidate.image->n[IMAGE_DEVICES];
	size_t end = n - c->at > STEP_DEVICES ? c->at + STEP_DEVICES : n;
	int rc = 0;

	if (c->at == 0 && (rc = walk_classes(c, c->rs, fn)) == 0)
		rc = walk_classes(c, &candidate, fn);
	for (; rc == 0 && c->at < end; c->at++) {
		const struct ruleset *rs = c->at < devices ? c->rs : &candidate;
		size_t i = c->at < devices ? c->at : c->at - devices;

		rc = elements_of_device(rs, &rs->image->devices[i], ruleset_station(rs, i), fn, c);
	}
	return rc != 0 ? rc : c->at < n;
}

/* ---- each element of the kernel ----------------------------------------- */

static int
sum_kernel(void *arg, const struct nft_element *e)
{
	struct nft_compare *c = arg;
	struct sum *s = &c->kernel[c->reading->kind];

	c->units++;
	if (e->key == NULL) {	/* matches everything that no other does */
		c->out.shape = true;
		set_name(c->reading, c->out.where);
		return 0;
	}
	s->n++;
	s->sum += print_of_kernel(c, e);
	return 0;
}

static int
print_kernel(void *arg, const struct nft_element *e)
{
	struct nft_compare *c = arg;

	c->units++;
	c->out.shape |= e->key == NULL;
	return e->key == NULL ? 0 : push(&c->have, print_of_kernel(c, e));
}

static int
name_kernel(void *arg, const struct nft_element *e)
{
	struct nft_compare *c = arg;
	struct element el = { .set = *c->reading, .end = e->end, .mark = e->mark };

	c->units++;
	if (e->key == NULL || e->key_len > KEY_MAX || !contains(&c->have, print_of_kernel(c, e)))
		return 0;
	memcpy(el.key, e->key, e->key_len);
	memcpy(el.key_end, e->key_end != NULL ? e->key_end : e->key, e->key_len);
	el.key_len = (uint8_t)((e->key_len + 3) / 4 * 4);
	return keep(c, &el, true, e->chain);
}

static int
missing_set(struct nft_compare *c)
{
	char name[SET_NAMELEN];

	c->out.shape = true;
	snprintf(c->out.where, sizeof(c->out.where), "%.36s is missing", set_name(c->reading, name));
	return 0;
}

static int
begin_set(struct nft_compare *c)
{
	char name[SET_NAMELEN];

	c->units += SET_COSTS;
	c->told = 0;
	return nft_read_set_begin(c->socket, set_name(c->reading, name));
}

/* Interrupted: what was told of the set so far is taken back. */
static int
begin_again(struct nft_compare *c)
{
	if (++c->tries == TRIES)
		return -EAGAIN;
	c->kernel[c->reading->kind] = c->before;
	c->have.n = c->have_before;
	c->out.n = c->listed_before;
	return begin_set(c);
}

/* The set at hand, or a part of it. 1: there is more of it. */
static int
read_set(struct nft_compare *c, const struct set_ref *ref, nft_element_fn *fn)
{
	size_t units = c->units;
	int rc = 0;

	if (c->reading == NULL) {
		c->reading = ref;
		c->before = c->kernel[ref->kind];
		c->have_before = c->have.n;
		c->listed_before = c->out.n;
		c->tries = 0;
		rc = begin_set(c);
	}
	if (rc == 0)
		rc = nft_read_set_piece(c->socket, fn, c);
	c->told += c->units - units;
	c->units += c->told / WALKED_PAST;
	if (rc == -EAGAIN)
		return (rc = begin_again(c)) == 0 ? 1 : rc;
	if (rc == -ENOENT)
		rc = missing_set(c);
	if (rc != 1)
		c->reading = NULL;
	return rc;
}

/* Some of the sets. 0: all were read. */
static int
walk_kernel(struct nft_compare *c, nft_element_fn *fn)
{
	int rc = 0;

	for (c->units = 0; rc >= 0 && c->at < c->n_sets && c->units < STEP_UNITS; c->at += rc == 0) {
		const struct set_ref *ref = &c->sets[c->at];

		rc = 0;
		if (!set_info(ref->kind)->dynamic && (fn == sum_kernel || c->differs[ref->kind]))
			rc = read_set(c, ref, fn);
	}
	return rc < 0 ? rc : c->at < c->n_sets;
}

/* ---- the passes --------------------------------------------------------- */

int
compare_walk_model(struct nft_compare *c, enum pass pass)
{
	static element_fn *const fns[] = {
		[PASS_SUM] = sum_model, [PASS_PRINT] = print_model, [PASS_NAME] = name_model,
	};

	return walk_model(c, fns[pass]);
}

int
compare_walk_kernel(struct nft_compare *c, enum pass pass)
{
	static nft_element_fn *const fns[] = {
		[PASS_SUM] = sum_kernel, [PASS_PRINT] = print_kernel, [PASS_NAME] = name_kernel,
	};

	return walk_kernel(c, fns[pass]);
}
