/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compile_check_rules.c -- what rules refer to, and how many there are of them,
 * with those that a class extends. Adds mistakes and goes on. */
#include <errno.h>
#include <stdlib.h>

#include "common/addr.h"
#include "model/compile_parts.h"
#include "proto/limits.h"

/* Where rules stand: in a class, its inbound rules, or quarantine. */
enum place { IN_CLASS, IN_INBOUND, IN_QUARANTINE };

/* How many rules a class has written itself, and pairs of destination and service. */
struct counts {
	size_t rules;
	size_t pairs;
};

static void
check_names(struct compile *c, const struct rule *r)
{
	uint32_t index;
	size_t i;

	for (i = 0; i < r->n_to; i++) {
		if (r->to[i].kind == TO_CLASS && !names_find(&c->classes, r->to[i].name, &index))
			compile_unknown(c, &r->where, "class", r->to[i].name, &c->classes,
			    "declare it, or correct the name after \"class:\"");
		else if (r->to[i].kind == TO_GROUP && !names_find(&c->groups, r->to[i].name, &index))
			compile_unknown(c, &r->where, "group", r->to[i].name, &c->groups,
			    "declare it, or correct the name after \"group:\"");
	}
	for (i = 0; i < r->n_named; i++)
		if (!names_find(&c->services, r->named[i], &index))
			compile_unknown(c, &r->where, "service", r->named[i], &c->services,
			    "declare it in services, or correct the name after `service'");
	if (r->schedule != NULL && !names_find(&c->schedules, r->schedule, &index))
		compile_unknown(c, &r->where, "schedule", r->schedule, &c->schedules,
		    "declare it in schedules, or correct the name after `schedule'");
}

/* Of the destinations that the rule comes to: classes have members now, hosts stay
 * closed. */
static void
check_places(struct compile *c, const struct rule *r, enum place place)
{
	const char *file = compile_file(c, &r->where), *host = NULL;
	size_t i, hosts = 0;
	uint32_t index;

	for (i = 0; i < c->rule.n_to; i++) {
		const struct destination *d = c->rule.to[i];

		if (d->kind == TO_NAME && hosts++ == 0)
			host = d->name;
		if (d->kind != TO_CLASS)
			continue;
		if (place == IN_QUARANTINE)
			mistakes_add(c->m, file, r->where.line,
			    "a quarantined device may reach no other device: name an address instead of \"class:%s\"",
			    d->name);
		else if (place == IN_CLASS && names_find(&c->classes, d->name, &index))
			c->named[index] = 1;
	}
	if (hosts > 0 && place == IN_INBOUND)
		mistakes_add(c->m, file, r->where.line,
		    "\"%s\" is a host name, and nobody knows which addresses a name has when a packet comes in: "
		    "name a group without host names", host);
	else if (hosts == 1)
		mistakes_warn(c->m, file, r->where.line,
		    "destination \"%s\" stays closed until the name proxy runs: name its addresses to open it now",
		    host);
	else if (hosts > 1)
		mistakes_warn(c->m, file, r->where.line,
		    "%zu destinations of this rule are host names, \"%s\" first, and stay closed until the name "
		    "proxy runs: name their addresses to open them now", hosts, host);
}

/* ---- does every service have a destination, and the other way round? ---- */

/* Of what this one stands for, is there a pair that fits? Nothing does not fit,
 * and was told already. */
static bool
destination_fits(struct compile *c, const struct destination *d)
{
	size_t k;

	for (k = 0; k < c->rule.n_services; k++)
		if (compile_fits(d, c->rule.services[k]))
			return true;
	return c->rule.n_services == 0;
}

static bool
group_fits(struct compile *c, const struct group_decl *g)
{
	uint32_t index;
	size_t i;

	for (i = 0; i < g->n_to; i++) {
		if (g->to[i].kind != TO_GROUP) {
			if (destination_fits(c, &g->to[i]))
				return true;
		} else if (names_find(&c->groups, g->to[i].name, &index) && c->group_seen[index] != c->look) {
			c->group_seen[index] = c->look;
			if (group_fits(c, &c->p->groups[index]))
				return true;
		}
	}
	return g->n_to == 0;
}

static bool
service_fits(struct compile *c, const struct service *services, size_t n)
{
	size_t i, k;

	for (k = 0; k < n; k++)
		for (i = 0; i < c->rule.n_to; i++)
			if (compile_fits(c->rule.to[i], &services[k]))
				return true;
	return n == 0 || c->rule.n_to == 0;
}

/* Who read the rule has told it where no group and no declared service is named. */
static void
check_fit(struct compile *c, const struct rule *r)
{
	const char *file = compile_file(c, &r->where);
	char text[RANGE_STRLEN];
	uint32_t index;
	size_t i;

	for (i = 0; i < r->n_to; i++) {
		const struct destination *d = &r->to[i];

		c->look++;
		if (d->kind == TO_GROUP && names_find(&c->groups, d->name, &index)) {
			c->group_seen[index] = c->look;
			if (!group_fits(c, &c->p->groups[index]))
				mistakes_add(c->m, file, r->where.line,
				    "no service of this rule exists towards anything in group \"%s\": icmp is IPv4's, "
				    "icmpv6 is IPv6's", d->name);
		} else if (d->kind == TO_RANGE && r->n_named > 0 && !destination_fits(c, d)) {
			mistakes_add(c->m, file, r->where.line,
			    "no service of this rule exists towards %s: icmp is IPv4's, icmpv6 is IPv6's",
			    addr_range_format(&d->range, text));
		}
	}
	for (i = 0; i < r->n_named; i++)
		if (names_find(&c->services, r->named[i], &index) &&
		    !service_fits(c, c->p->services[index].services, c->p->services[index].n_services))
			mistakes_add(c->m, file, r->where.line,
			    "service \"%s\" exists towards no destination of this rule: icmp is IPv4's, icmpv6 is "
			    "IPv6's", r->named[i]);
}

/* ---- how many ----------------------------------------------------------- */

static int
check_rules(struct compile *c, const struct rule *rules, size_t n, enum place place, struct counts *counts)
{
	size_t i;
	int rc;

	counts->rules += n;
	for (i = 0; i < n; i++) {
		check_names(c, &rules[i]);
		if (rules[i].schedule != NULL && place == IN_QUARANTINE)
			mistakes_add(c->m, compile_file(c, &rules[i].where), rules[i].where.line,
			    "what a quarantined device may reach, it may reach always: take `schedule' away");
		/* With so many there is no image, and looking at all of them may take long. */
		if (counts->pairs > LIMIT_BOXES_PER_CLASS)
			continue;
		if ((rc = compile_resolve(c, &rules[i])) < 0)
			return rc;
		counts->pairs += c->rule.n_to * c->rule.n_services;
		if (counts->pairs > LIMIT_BOXES_PER_CLASS)
			continue;
		check_places(c, &rules[i], place);
		check_fit(c, &rules[i]);
	}
	return 0;
}

static void
check_counts(struct compile *c, const char *name, const struct where *w, const struct counts *n, bool extends)
{
	const char *with = extends ? ", with those that it extends" : "";

	if (n->rules > LIMIT_RULES_PER_CLASS)
		mistakes_add(c->m, compile_file(c, w), w->line, "class \"%s\" has %zu rules%s: at most %u", name,
		    n->rules, with, LIMIT_RULES_PER_CLASS);
	if (n->pairs > LIMIT_BOXES_PER_CLASS)
		mistakes_add(c->m, compile_file(c, w), w->line,
		    "class \"%s\" has more than %u pairs of destination and service%s: use wider ranges", name,
		    LIMIT_BOXES_PER_CLASS, with);
}

static void
check_rate(struct compile *c, const struct class_decl *cl)
{
	if (cl->rate > LIMIT_RATE || cl->rate_burst > LIMIT_RATE)
		mistakes_add(c->m, compile_file(c, &cl->where), cl->where.line,
		    "class \"%s\": at most %u new connections per second", cl->name, LIMIT_RATE);
}

static void
check_family(struct compile *c, uint32_t index, const struct counts *counts, const struct counts *remedies)
{
	const struct class_decl *cl = &c->p->classes[index];
	/* Behind the classes' stands what all may reach in quarantine. */
	struct counts all = { 0, 0 }, mended = remedies[c->p->n_classes];
	char name[CLASS_REMEDY_NAME];
	size_t i;

	compile_family(c, index);
	if (c->n_family > LIMIT_FAMILY + 1)
		mistakes_add(c->m, compile_file(c, &cl->where), cl->where.line,
		    "class \"%s\" extends more than %u others, with those that they extend", cl->name, LIMIT_FAMILY);
	for (i = 0; i < c->n_family; i++) {
		all.rules += counts[c->family[i] - c->p->classes].rules;
		all.pairs += counts[c->family[i] - c->p->classes].pairs;
		mended.rules += remedies[c->family[i] - c->p->classes].rules;
		mended.pairs += remedies[c->family[i] - c->p->classes].pairs;
	}
	check_counts(c, cl->name, &cl->where, &all, c->n_family > 1);
	compile_remedy_name(cl->name, name);
	if (c->remedies[index])
		check_counts(c, name, &cl->where, &mended, c->n_family > 1);
}

int
compile_check_rules(struct compile *c)
{
	const struct policy *p = c->p;
	struct counts *counts = calloc(2 * (p->n_classes + 1), sizeof(*counts)), *remedies, *quarantine;
	uint32_t i;
	int rc = -ENOMEM;

	if (counts == NULL)
		return rc;
	remedies = counts + p->n_classes + 1;
	quarantine = &remedies[p->n_classes];
	rc = check_rules(c, p->appliance.quarantine, p->appliance.n_quarantine, IN_QUARANTINE, quarantine);
	for (i = 0; rc == 0 && i < p->n_classes; i++) {
		const struct class_decl *cl = &p->classes[i];

		check_rate(c, cl);
		if ((rc = check_rules(c, cl->rules, cl->n_rules, IN_CLASS, &counts[i])) == 0)
			rc = check_rules(c, cl->inbound, cl->n_inbound, IN_INBOUND, &counts[i]);
		if (rc == 0)
			rc = check_rules(c, cl->quarantine, cl->n_quarantine, IN_QUARANTINE, &remedies[i]);
	}
	if (rc == 0) {
		check_counts(c, "quarantine", &p->appliance.where, quarantine, false);
		for (i = 0; i < p->n_classes && !c->tangled; i++)
			check_family(c, i, counts, remedies);
	}
	free(counts);
	return rc;
}
