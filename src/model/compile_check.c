/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compile_check.c -- what no single declaration can show: names that mean
 * nothing, names used twice, limits. Adds mistakes and goes on. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/compile_parts.h"
#include "proto/limits.h"

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

static const struct where *
authority_where(const struct policy *p, uint32_t i)
{
	return &p->authorities[i].where;
}

static const struct where *
class_where(const struct policy *p, uint32_t i)
{
	return &p->classes[i].where;
}

static const struct where *
device_where(const struct policy *p, uint32_t i)
{
	return &p->devices[i].where;
}

static int
enter_names(struct compile *c)
{
	const struct policy *p = c->p;
	uint32_t i;
	int rc;

	for (i = 0; i < p->n_authorities; i++)
		if ((rc = enter(c, &c->authorities, "authority", p->authorities[i].name,
		    &p->authorities[i].where, i, authority_where)) < 0)
			return rc;
	for (i = 0; i < p->n_classes; i++) {
		if ((rc = enter(c, &c->classes, "class", p->classes[i].name, &p->classes[i].where, i,
		    class_where)) < 0)
			return rc;
		if (strcmp(p->classes[i].name, "quarantine") == 0)
			mistakes_add(c->m, compile_file(c, &p->classes[i].where), p->classes[i].where.line,
			    "class name \"quarantine\" is reserved: choose another; what quarantined devices "
			    "may reach is appliance.quarantine.allow");
	}
	for (i = 0; i < p->n_devices; i++)
		if ((rc = enter(c, &c->devices, "device", p->devices[i].name, &p->devices[i].where, i,
		    device_where)) < 0)
			return rc;
	return 0;
}

static int
check_appliance(struct compile *c)
{
	const struct appliance_decl *a = &c->p->appliance;
	const char *file = compile_file(c, &a->where);
	size_t i;
	int rc;

	for (i = 0; i < a->n_interfaces; i++) {
		rc = names_add(&c->interfaces, a->interfaces[i], (uint32_t)i, NULL);
		if (rc == -EEXIST)
			mistakes_add(c->m, file, a->where.line,
			    "device interface \"%s\" is named twice: once is enough", a->interfaces[i]);
		else if (rc < 0)
			return rc;
	}
	/* When an appliance was declared and went wrong, that was told already. */
	if (a->n_interfaces == 0 && !c->p->incomplete && (a->where.line == 0 || c->m->n == 0))
		mistakes_add(c->m, file, a->where.line,
		    "no device interface is named: say behind which interfaces the devices are, "
		    "as in device_interfaces = [ \"lan0\" ]");
	if (a->n_interfaces > LIMIT_INTERFACES)
		mistakes_add(c->m, file, a->where.line, "%zu device interfaces: at most %u", a->n_interfaces,
		    LIMIT_INTERFACES);
	return 0;
}

static void
check_limits(struct compile *c)
{
	const struct policy *p = c->p;
	size_t i, sources = 0;

	if (p->n_devices > LIMIT_DEVICES)
		mistakes_add(c->m, NULL, 0, "%zu devices: at most %u", p->n_devices, LIMIT_DEVICES);
	if (p->n_classes > LIMIT_CLASSES)
		mistakes_add(c->m, NULL, 0, "%zu classes: at most %u", p->n_classes, LIMIT_CLASSES);
	if (p->n_authorities > LIMIT_AUTHORITIES)
		mistakes_add(c->m, NULL, 0, "%zu authorities: at most %u", p->n_authorities, LIMIT_AUTHORITIES);
	for (i = 0; i < p->n_authorities; i++)
		sources += p->authorities[i].n_crl;
	if (sources > LIMIT_SOURCES)
		mistakes_add(c->m, NULL, 0, "%zu CRL addresses: at most %u", sources, LIMIT_SOURCES);
}

static void
check_to_class(struct compile *c, const struct rule *r, const char *name, bool quarantine)
{
	uint32_t i;

	if (quarantine)
		mistakes_add(c->m, compile_file(c, &r->where), r->where.line,
		    "a quarantined device may reach no other device: name an address instead of \"class:%s\"",
		    name);
	else if (names_find(&c->classes, name, &i))
		c->named[i] = 1;
	else if (!c->p->incomplete)
		mistakes_add(c->m, compile_file(c, &r->where), r->where.line,
		    "class \"%s\" is not declared: declare it, or correct the name after \"class:\"", name);
}

static void
check_rules(struct compile *c, const char *class_name, const struct where *w, const struct rule *rules,
    size_t n, bool quarantine)
{
	size_t i, k, boxes = 0;

	for (i = 0; i < n; i++) {
		const struct rule *r = &rules[i];

		boxes += r->n_to * r->n_services;
		for (k = 0; k < r->n_to; k++) {
			if (r->to[k].kind == TO_CLASS)
				check_to_class(c, r, r->to[k].name, quarantine);
			else if (r->to[k].kind == TO_NAME)
				mistakes_warn(c->m, compile_file(c, &r->where), r->where.line,
				    "destination \"%s\" stays closed until the name proxy runs: "
				    "name its addresses to open it now", r->to[k].name);
		}
	}
	if (n > LIMIT_RULES_PER_CLASS)
		mistakes_add(c->m, compile_file(c, w), w->line, "class \"%s\" has %zu rules: at most %u",
		    class_name, n, LIMIT_RULES_PER_CLASS);
	if (boxes > LIMIT_BOXES_PER_CLASS)
		mistakes_add(c->m, compile_file(c, w), w->line,
		    "class \"%s\" has %zu pairs of destination and service: at most %u", class_name, boxes,
		    LIMIT_BOXES_PER_CLASS);
}

static void
check_authorities(struct compile *c)
{
	size_t i;

	for (i = 0; i < c->p->n_authorities; i++) {
		const struct authority_decl *a = &c->p->authorities[i];

		if (a->n_crl == 0)
			mistakes_warn(c->m, compile_file(c, &a->where), a->where.line,
			    "authority \"%s\" has no crl: none of its devices is ever found revoked", a->name);
	}
}

int
compile_check(struct compile *c)
{
	const struct policy *p = c->p;
	size_t i;
	int rc;

	check_limits(c);
	if ((rc = enter_names(c)) < 0 || (rc = check_appliance(c)) < 0)
		return rc;
	check_authorities(c);
	check_rules(c, "quarantine", &p->appliance.where, p->appliance.quarantine, p->appliance.n_quarantine,
	    true);
	for (i = 0; i < p->n_classes; i++)
		check_rules(c, p->classes[i].name, &p->classes[i].where, p->classes[i].rules,
		    p->classes[i].n_rules, false);
	return compile_check_devices(c);
}
