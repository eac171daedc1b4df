/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_verify.c -- does the kernel hold exactly what the model says?
 * Each side becomes a sorted list of element fingerprints per kind of set. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enforce/nft_read.h"

#define TRIES 8

struct prints {
	uint64_t *p;
	size_t n, room;
};

struct verifier {
	struct nft_socket *socket;
	const struct ruleset *rs;
	struct prints model[SET_KINDS];
	struct prints kernel[SET_KINDS];
	const struct set_ref *reading;
	uint32_t sets;
	uint32_t chains;
};

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

static uint64_t
print_of(const struct set_ref *ref, const uint8_t *key, const uint8_t *key_end, size_t key_len,
    uint32_t mark, const char *chain)
{
	uint64_t h = 0xcbf29ce484222325ULL;

	h = mix(h, &ref->number, sizeof(ref->number));
	h = mix(h, &ref->other, sizeof(ref->other));
	h = mix(h, key, key_len);
	if (key_end != NULL)
		h = mix(h, key_end, key_len);
	h = mix(h, &mark, sizeof(mark));
	return chain != NULL ? mix(h, chain, strlen(chain)) : h;
}

/* The kernel knows the key without the padding of a lone last field. */
static int
model_element(void *arg, const struct element *e)
{
	struct verifier *v = arg;
	const struct set_info *info = set_info(e->set.kind);
	size_t len = info->fields[1] == FIELD_NONE ? field_info(info->fields[0])->len : e->key_len;
	char name[CHAIN_NAMELEN];

	return push(&v->model[e->set.kind], print_of(&e->set, e->key, info->interval ? e->key_end : NULL,
	    len, e->mark, info->data == DATA_CHAIN ? chain_name(&e->chain, name) : NULL));
}

static int
kernel_element(void *arg, const struct nft_element *e)
{
	struct verifier *v = arg;
	const struct set_info *info = set_info(v->reading->kind);
	const uint8_t *end = e->key_end;

	/* The kernel leaves out an end that equals the key. */
	if (info->interval && end == NULL)
		end = e->key;
	return push(&v->kernel[v->reading->kind],
	    print_of(v->reading, e->key, end, e->key_len, e->mark, e->chain));
}

static int
read_set(void *arg, const struct set_ref *ref)
{
	struct verifier *v = arg;
	struct prints *l = &v->kernel[ref->kind];
	size_t before = l->n;
	char name[SET_NAMELEN];
	int rc = -EAGAIN;

	v->sets++;
	if (set_info(ref->kind)->dynamic)
		return 0;
	v->reading = ref;
	for (int i = 0; rc == -EAGAIN && i < TRIES; i++) {
		l->n = before;
		rc = nft_read_set(v->socket, set_name(ref, name), kernel_element, v);
	}
	return rc;
}

static int
count_chain(void *arg, const struct chain_ref *ref)
{
	(void)ref;
	++*(uint32_t *)arg;
	return 0;
}

static int
order(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static bool
same(struct prints *a, struct prints *b)
{
	if (a->n != b->n)
		return false;
	if (a->n == 0)
		return true;
	qsort(a->p, a->n, sizeof(*a->p), order);
	qsort(b->p, b->n, sizeof(*b->p), order);
	return memcmp(a->p, b->p, a->n * sizeof(*a->p)) == 0;
}

int
nft_verify(struct nft_socket *s, const struct ruleset *rs, bool *agrees, char why[SET_NAMELEN])
{
	struct verifier *v = calloc(1, sizeof(*v));
	uint32_t sets, chains;
	int rc;

	if (v == NULL)
		return -ENOMEM;
	v->socket = s;
	v->rs = rs;
	*agrees = false;
	why[0] = '\0';
	if ((rc = ruleset_each_element(rs, model_element, v)) != 0 ||
	    (rc = ruleset_each_chain(rs, count_chain, &v->chains)) != 0)
		goto out;
	rc = ruleset_each_set(rs, read_set, v);
	if (rc == -ENOENT) {
		snprintf(why, SET_NAMELEN, "a set is missing");
		rc = 0;
		goto out;
	}
	if (rc != 0 || (rc = nft_read_shape(s, &sets, &chains)) != 0)
		goto out;
	if (sets != v->sets || chains != v->chains) {
		snprintf(why, SET_NAMELEN, "%u sets and %u chains", sets, chains);
		goto out;
	}
	for (size_t k = 0; k < SET_KINDS; k++) {
		if (!same(&v->model[k], &v->kernel[k])) {
			snprintf(why, SET_NAMELEN, "%s", set_info((enum set_kind)k)->name);
			goto out;
		}
	}
	*agrees = true;
out:
	for (size_t k = 0; k < SET_KINDS; k++) {
		free(v->model[k].p);
		free(v->kernel[k].p);
	}
	free(v);
	return rc;
}
