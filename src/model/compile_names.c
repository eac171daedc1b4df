/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compile_names.c -- names that are declared, names that are not, and which one
 * was probably meant. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "model/compile_parts.h"
#include "proto/limits.h"

#define NEAR_MISTAKES	100	/* so many get a suggestion: each looks through all names */
#define NEAR_DISTANCE	3

/* ---- names used twice --------------------------------------------------- */

/* Enter a name; when it is there already, say where. */
static int
enter(struct compile *c, struct names *t, const char *what, const char *name, const struct where *w,
    uint32_t index, const struct where *(*where_of)(const struct policy *, uint32_t))
{
	const struct where *first;
	uint32_t old;
	int rc = names_add(t, name, index, &old);

	if (rc != -EEXIST)
		return rc;
	first = where_of(c->p, old);
	mistakes_add(c->m, compile_file(c, w), w->line, "%s \"%s\" is declared twice: the first is at %s:%u",
	    what, name, compile_file(c, first), first->line);
	return 0;
}

#define WHERE_OF(name, list)						\
static const struct where *						\
name(const struct policy *p, uint32_t i)				\
{									\
	return &p->list[i].where;					\
}

WHERE_OF(authority_where, authorities)
WHERE_OF(service_where, services)
WHERE_OF(group_where, groups)
WHERE_OF(schedule_where, schedules)
WHERE_OF(class_where, classes)
WHERE_OF(device_where, devices)

#define ENTER_ALL(list, what, where_of) do {				\
	for (i = 0; i < p->n_##list; i++)				\
		if ((rc = enter(c, &c->list, what, p->list[i].name, &p->list[i].where, i, where_of)) < 0)	\
			return rc;					\
} while (0)

int
compile_enter_names(struct compile *c)
{
	const struct policy *p = c->p;
	uint32_t i;
	int rc;

	ENTER_ALL(authorities, "authority", authority_where);
	ENTER_ALL(services, "service", service_where);
	ENTER_ALL(groups, "group", group_where);
	ENTER_ALL(schedules, "schedule", schedule_where);
	ENTER_ALL(classes, "class", class_where);
	ENTER_ALL(devices, "device", device_where);
	for (i = 0; i < p->n_classes; i++)
		if (strcmp(p->classes[i].name, "quarantine") == 0)
			mistakes_add(c->m, compile_file(c, &p->classes[i].where), p->classes[i].where.line,
			    "class name \"quarantine\" is reserved: choose another; what quarantined devices "
			    "may reach is appliance.quarantine.allow");
	return 0;
}

/* ---- names that mean nothing -------------------------------------------- */

/* How many letters to change, add or take away; `least' when it is not less. */
static size_t
distance(const char *a, const char *b, size_t least)
{
	size_t row[LIMIT_NAME], n = strlen(a), m = strlen(b), i, k, diagonal, above, best;

	if (n >= LIMIT_NAME || m >= LIMIT_NAME || n + least <= m || m + least <= n)
		return least;
	for (k = 0; k <= m; k++)
		row[k] = k;
	for (i = 1; i <= n; i++) {
		diagonal = row[0];
		best = row[0] = i;
		for (k = 1; k <= m; k++) {
			above = row[k];
			row[k] = diagonal + (a[i - 1] != b[k - 1]);
			if (above + 1 < row[k])
				row[k] = above + 1;
			if (row[k - 1] + 1 < row[k])
				row[k] = row[k - 1] + 1;
			diagonal = above;
			if (row[k] < best)
				best = row[k];
		}
		if (best >= least)
			return least;
	}
	return row[m] < least ? row[m] : least;
}

/* Of several that are as near the first by name, so that the answer does not
 * depend on the table. */
static const char *
nearest(const struct names *t, const char *name)
{
	size_t least = strlen(name) / 3 + 2, d, i;
	const char *best = NULL;

	if (least > NEAR_DISTANCE + 1)
		least = NEAR_DISTANCE + 1;
	for (i = 0; i < t->n_slots; i++) {
		const char *other = t->slots[i].name;

		if (other == NULL)
			continue;
		d = distance(name, other, least + (best != NULL));
		if (d < least || (best != NULL && d == least && strcmp(other, best) < 0)) {
			least = d;
			best = other;
		}
	}
	return best;
}

void
compile_unknown(struct compile *c, const struct where *w, const char *what, const char *name,
    const struct names *known, const char *to_do)
{
	const char *near;

	/* It may stand in a file that could not be read. */
	if (c->p->incomplete)
		return;
	near = c->m->n < NEAR_MISTAKES ? nearest(known, name) : NULL;
	if (near != NULL)
		mistakes_add(c->m, compile_file(c, w), w->line, "%s \"%s\" is not declared: did you mean \"%s\"?", what,
		    name, near);
	else
		mistakes_add(c->m, compile_file(c, w), w->line, "%s \"%s\" is not declared: %s", what, name, to_do);
}

void
compile_remedy_name(const char *name, char out[CLASS_REMEDY_NAME])
{
	snprintf(out, CLASS_REMEDY_NAME, "%s/quarantine", name);
}
