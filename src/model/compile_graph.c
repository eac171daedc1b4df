/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compile_graph.c -- classes that extend classes and groups that name groups:
 * who names whom, that nobody does so in a circle, and what a class takes over. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/compile_parts.h"
#include "proto/limits.h"

#define PATH_BYTES 512	/* of a circle's names in a mistake */

void
graph_done(struct graph *g)
{
	free(g->first);
	free(g->to);
	memset(g, 0, sizeof(*g));
}

/* For n nodes with at most so many edges. */
static int
graph_init(struct graph *g, size_t n, size_t edges)
{
	g->first = calloc(n + 1, sizeof(*g->first));
	g->to = calloc(edges + 1, sizeof(*g->to));
	g->n = n;
	return g->first == NULL || g->to == NULL ? -ENOMEM : 0;
}

/* ---- circles ------------------------------------------------------------ */

/* The path from a node to itself: n nodes, without the first at its end. */
typedef void circle_fn(struct compile *, const uint32_t *path, size_t n);

enum { NEW, ON_PATH, DONE };

/* Depth first, without recursion: a path may be as long as there are nodes. */
static void
find_circles(struct compile *c, const struct graph *g, uint8_t *state, uint32_t *path, uint32_t *edge,
    circle_fn *fn)
{
	size_t depth, from;
	uint32_t start, at, to;

	for (start = 0; start < g->n; start++) {
		depth = 0;
		if (state[start] == NEW) {
			path[depth++] = start;
			state[start] = ON_PATH;
			edge[start] = g->first[start];
		}
		while (depth > 0) {
			at = path[depth - 1];
			if (edge[at] == g->first[at + 1]) {
				state[at] = DONE;
				depth--;
				continue;
			}
			to = g->to[edge[at]++];
			if (state[to] == NEW) {
				path[depth++] = to;
				state[to] = ON_PATH;
				edge[to] = g->first[to];
			} else if (state[to] == ON_PATH) {
				for (from = depth - 1; path[from] != to; from--)
					;
				fn(c, path + from, depth - from);
			}
		}
	}
}

static int
circles(struct compile *c, const struct graph *g, circle_fn *fn)
{
	uint8_t *state = calloc(g->n + 1, sizeof(*state));
	uint32_t *path = calloc(g->n + 1, sizeof(*path)), *edge = calloc(g->n + 1, sizeof(*edge));
	int rc = -ENOMEM;

	if (state != NULL && path != NULL && edge != NULL) {
		find_circles(c, g, state, path, edge, fn);
		rc = 0;
	}
	free(state);
	free(path);
	free(edge);
	return rc;
}

/* "a -> b -> a". */
static const char *
path_text(const char *(*name)(const struct policy *, uint32_t), const struct policy *p, const uint32_t *path, size_t n,
    char out[PATH_BYTES])
{
	size_t used = 0, i;

	for (i = 0; i < n && used < PATH_BYTES - 4 * LIMIT_NAME; i++)
		used += (size_t)snprintf(out + used, PATH_BYTES - used, "%s -> ", name(p, path[i]));
	snprintf(out + used, PATH_BYTES - used, "%s%s", i < n ? "... -> " : "", name(p, path[0]));
	return out;
}

static const char *
class_name(const struct policy *p, uint32_t i)
{
	return p->classes[i].name;
}

static void
class_circle(struct compile *c, const uint32_t *path, size_t n)
{
	const struct class_decl *cl = &c->p->classes[path[0]];
	char text[PATH_BYTES];

	c->tangled = true;
	mistakes_add(c->m, compile_file(c, &cl->where), cl->where.line,
	    "class \"%s\" extends itself: %s: take one of these out", cl->name,
	    path_text(class_name, c->p, path, n, text));
}

static const char *
group_name(const struct policy *p, uint32_t i)
{
	return p->groups[i].name;
}

static void
group_circle(struct compile *c, const uint32_t *path, size_t n)
{
	const struct group_decl *g = &c->p->groups[path[0]];
	char text[PATH_BYTES];

	mistakes_add(c->m, compile_file(c, &g->where), g->where.line,
	    "group \"%s\" names itself: %s: take one of these out", g->name,
	    path_text(group_name, c->p, path, n, text));
}

/* ---- edges -------------------------------------------------------------- */

static int
class_graph(struct compile *c)
{
	const struct policy *p = c->p;
	struct graph *g = &c->extends;
	size_t edges = 0, i, k;
	int rc;

	for (i = 0; i < p->n_classes; i++)
		edges += p->classes[i].n_extends;
	if ((rc = graph_init(g, p->n_classes, edges)) < 0)
		return rc;
	for (edges = i = 0; i < p->n_classes; i++) {
		const struct class_decl *cl = &p->classes[i];

		for (k = 0; k < cl->n_extends; k++) {
			if (names_find(&c->classes, cl->extends[k], &g->to[edges]))
				edges++;
			else
				compile_unknown(c, &cl->where, "class", cl->extends[k], &c->classes,
				    "declare it, or correct the name after `extends'");
		}
		if (cl->n_extends > LIMIT_EXTENDS)
			mistakes_add(c->m, compile_file(c, &cl->where), cl->where.line,
			    "class \"%s\" extends %zu others: at most %u", cl->name, cl->n_extends, LIMIT_EXTENDS);
		g->first[i + 1] = (uint32_t)edges;
	}
	return circles(c, g, class_circle);
}

/* Members that are declared nowhere are the group's mistakes, not the rules'. */
static void
group_edge(struct compile *c, const struct group_decl *gr, const struct destination *d, size_t *edges)
{
	uint32_t index;

	if (d->kind == TO_GROUP && names_find(&c->groups, d->name, &c->nested.to[*edges]))
		++*edges;
	else if (d->kind == TO_GROUP)
		compile_unknown(c, &gr->where, "group", d->name, &c->groups,
		    "declare it, or correct the name after \"group:\"");
	else if (d->kind == TO_CLASS && !names_find(&c->classes, d->name, &index))
		compile_unknown(c, &gr->where, "class", d->name, &c->classes,
		    "declare it, or correct the name after \"class:\"");
}

static int
group_graph(struct compile *c)
{
	const struct policy *p = c->p;
	struct graph *g = &c->nested;
	size_t edges = 0, i, k;
	int rc;

	for (i = 0; i < p->n_groups; i++)
		edges += p->groups[i].n_to;
	if ((rc = graph_init(g, p->n_groups, edges)) < 0)
		return rc;
	for (edges = i = 0; i < p->n_groups; i++) {
		for (k = 0; k < p->groups[i].n_to; k++)
			group_edge(c, &p->groups[i], &p->groups[i].to[k], &edges);
		g->first[i + 1] = (uint32_t)edges;
	}
	return circles(c, g, group_circle);
}

/* ---- members ------------------------------------------------------------ */

/* With those of the groups that it names, each of them once. Names of groups count
 * as well: they are what is looked through. Not beyond the limit. */
static void
count_members(struct compile *c, uint32_t index, size_t *n)
{
	uint32_t k;

	c->group_seen[index] = c->look;
	*n += c->p->groups[index].n_to;
	for (k = c->nested.first[index]; k < c->nested.first[index + 1] && *n <= LIMIT_GROUP_MEMBERS; k++)
		if (c->group_seen[c->nested.to[k]] != c->look)
			count_members(c, c->nested.to[k], n);
}

static void
check_members(struct compile *c)
{
	uint32_t i;

	for (i = 0; i < c->p->n_groups; i++) {
		const struct group_decl *g = &c->p->groups[i];
		size_t n = 0;

		c->look++;
		count_members(c, i, &n);
		if (n <= LIMIT_GROUP_MEMBERS)
			continue;
		c->too_many = true;
		mistakes_add(c->m, compile_file(c, &g->where), g->where.line,
		    "group \"%s\" has more than %u members, with those of the groups it names: "
		    "a range or a prefix counts as one", g->name, LIMIT_GROUP_MEMBERS);
	}
}

int
compile_graphs(struct compile *c)
{
	int rc;

	if ((rc = class_graph(c)) < 0 || (rc = group_graph(c)) < 0)
		return rc;
	check_members(c);
	compile_hints(c);
	return 0;
}

/* ---- what a class takes over -------------------------------------------- */

static void
add_family(struct compile *c, uint32_t index)
{
	uint32_t k;

	c->class_seen[index] = c->look;
	c->family[c->n_family++] = &c->p->classes[index];
	for (k = c->extends.first[index]; k < c->extends.first[index + 1] && c->n_family < LIMIT_FAMILY + 2; k++)
		if (c->class_seen[c->extends.to[k]] != c->look)
			add_family(c, c->extends.to[k]);
}

void
compile_family(struct compile *c, uint32_t index)
{
	c->look++;
	c->n_family = 0;
	add_family(c, index);
}

const struct class_decl *
compile_who_says(const struct compile *c, enum class_key key)
{
	size_t i;

	for (i = 0; i < c->n_family; i++)
		if ((c->family[i]->keys & key) != 0)
			return c->family[i];
	return c->family[0];	/* with the default */
}

void
compile_hints(struct compile *c)
{
	uint32_t i;
	size_t k;

	for (i = 0; i < c->extends.first[c->extends.n]; i++)
		c->hints[c->extends.to[i]] |= CLASS_EXTENDED;
	for (i = 0; i < c->p->n_classes; i++) {
		compile_family(c, i);
		for (k = 0; k < c->n_family; k++) {
			if (c->family[k]->n_inbound > 0)
				c->hints[i] |= CLASS_INBOUND;
			if (c->family[k]->n_quarantine > 0)
				c->remedies[i] = 1;
		}
		c->n_remedies += c->remedies[i];
	}
}
