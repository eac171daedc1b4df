/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compile_resolve.c -- a rule without names of groups and services: the
 * destinations and services that they stand for. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "model/compile_parts.h"
#include "proto/limits.h"

#define FEW 32	/* of these each is compared with each */

bool
compile_fits(const struct destination *to, const struct service *s)
{
	if (s->kind != BOX_ICMP || to->kind != TO_RANGE)
		return true;
	return to->range.first.family == (s->protocol == IPPROTO_ICMP ? AF_INET : AF_INET6);
}

/* The array with room for one more pointer; NULL when there is no memory (it stays). */
static void *
room(void *array, size_t n, size_t *cap)
{
	void *grown;

	if (n < *cap)
		return array;
	if ((grown = reallocarray(array, *cap == 0 ? 64 : *cap * 2, sizeof(void *))) != NULL)
		*cap = *cap == 0 ? 64 : *cap * 2;
	return grown;
}

static int
add_destination(struct compile *c, const struct destination *d)
{
	struct resolved *r = &c->rule;
	const void **grown;
	uint32_t index;
	size_t i;
	int rc;

	/* Beyond that it is too much for any class: there is no need to know how much. */
	if (r->n_to > LIMIT_BOXES_PER_CLASS)
		return 0;
	if (d->kind == TO_GROUP) {
		if (!names_find(&c->groups, d->name, &index) || c->group_seen[index] == c->look)
			return 0;
		c->group_seen[index] = c->look;
		for (i = 0; i < c->p->groups[index].n_to; i++)
			if ((rc = add_destination(c, &c->p->groups[index].to[i])) < 0)
				return rc;
		return 0;
	}
	if (d->kind == TO_CLASS && !names_find(&c->classes, d->name, &index))
		return 0;
	if ((grown = room(r->to, r->n_to, &r->cap_to)) == NULL)
		return -ENOMEM;
	r->to = grown;
	r->to[r->n_to++] = d;
	return 0;
}

static int
add_services(struct compile *c, const struct service *services, size_t n)
{
	struct resolved *r = &c->rule;
	const void **grown;
	size_t i;

	for (i = 0; i < n && r->n_services <= LIMIT_BOXES_PER_CLASS; i++) {
		if ((grown = room(r->services, r->n_services, &r->cap_services)) == NULL)
			return -ENOMEM;
		r->services = grown;
		r->services[r->n_services++] = &services[i];
	}
	return 0;
}

/* ---- each once ---------------------------------------------------------- */

static int
destination_cmp(const void *pa, const void *pb)
{
	const struct destination *a = *(const void *const *)pa, *b = *(const void *const *)pb;
	int rc;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->kind != TO_RANGE)
		return strcmp(a->name, b->name);
	rc = addr_cmp(&a->range.first, &b->range.first);
	return rc != 0 ? rc : addr_cmp(&a->range.last, &b->range.last);
}

static int
service_cmp(const void *pa, const void *pb)
{
	const struct service *a = *(const void *const *)pa, *b = *(const void *const *)pb;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->protocol != b->protocol)
		return a->protocol < b->protocol ? -1 : 1;
	if (a->low != b->low)
		return a->low < b->low ? -1 : 1;
	return a->high < b->high ? -1 : a->high > b->high;
}

/* Take away what is there already, of n pointers: how many stay. In the order they
 * were written where that costs little. */
static size_t
unique(const void **at, size_t n, int (*cmp)(const void *, const void *))
{
	size_t i, k, kept = 0;

	if (n > FEW)
		qsort(at, n, sizeof(*at), cmp);
	for (i = 0; i < n; i++) {
		for (k = n > FEW && kept > 0 ? kept - 1 : 0; k < kept; k++)
			if (cmp(&at[k], &at[i]) == 0)
				break;
		if (k == kept)
			at[kept++] = at[i];
	}
	return kept;
}

int
compile_resolve(struct compile *c, const struct rule *rule)
{
	uint32_t index;
	size_t i;
	int rc;

	c->look++;
	c->rule.n_to = c->rule.n_services = 0;
	for (i = 0; i < rule->n_to; i++)
		if ((rc = add_destination(c, &rule->to[i])) < 0)
			return rc;
	if ((rc = add_services(c, rule->services, rule->n_services)) < 0)
		return rc;
	for (i = 0; i < rule->n_named; i++) {
		if (!names_find(&c->services, rule->named[i], &index) || c->service_seen[index] == c->look)
			continue;
		c->service_seen[index] = c->look;
		rc = add_services(c, c->p->services[index].services, c->p->services[index].n_services);
		if (rc < 0)
			return rc;
	}
	c->rule.n_to = unique(c->rule.to, c->rule.n_to, destination_cmp);
	c->rule.n_services = unique(c->rule.services, c->rule.n_services, service_cmp);
	return 0;
}
