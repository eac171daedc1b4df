/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compile_check.c -- what no single declaration can show: names that mean
 * nothing, names used twice, limits. Adds mistakes and goes on. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/compile_parts.h"
#include "proto/limits.h"

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

static bool
check_limit(struct compile *c, size_t n, unsigned limit, const char *what)
{
	if (n > limit)
		mistakes_add(c->m, NULL, 0, "%zu %s: at most %u", n, what, limit);
	return n > limit;
}

static void
check_limits(struct compile *c)
{
	const struct policy *p = c->p;
	size_t i, sources = 0;

	check_limit(c, p->n_devices, LIMIT_DEVICES, "devices");
	c->too_many = check_limit(c, p->n_classes, LIMIT_CLASSES, "classes");
	c->too_many |= check_limit(c, p->n_services, LIMIT_SERVICES, "services");
	c->too_many |= check_limit(c, p->n_groups, LIMIT_GROUPS, "groups");
	c->too_many |= check_limit(c, p->n_schedules, LIMIT_SCHEDULES, "schedules");
	check_limit(c, p->n_authorities, LIMIT_AUTHORITIES, "authorities");
	for (i = 0; i < p->n_authorities; i++)
		sources += p->authorities[i].n_sources;
	check_limit(c, sources, LIMIT_SOURCES, "CRL addresses");
}

int
compile_check(struct compile *c)
{
	int rc;

	c->told = c->m->n > 0;
	check_limits(c);
	if ((rc = compile_enter_names(c)) < 0 || (rc = check_appliance(c)) < 0)
		return rc;
	compile_check_authorities(c);
	compile_check_schedules(c);
	if (!c->too_many && (rc = compile_graphs(c)) < 0)
		return rc;
	if (!c->too_many && (rc = compile_check_rules(c)) < 0)
		return rc;
	c->settled = c->m->n_warnings;
	return compile_check_devices(c);
}
