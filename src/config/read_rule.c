/* SPDX-License-Identifier: GPL-2.0-or-later */
/* read_rule.c -- rules: whereto or wherefrom, by which services, and when; and
 * groups of destinations. Names stay names: the compiler looks them up. */
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "config/read_service.h"
#include "proto/limits.h"

/* Destinations under way. In an inbound rule they are sources. */
struct places {
	struct destination *to;
	size_t n;
	bool inbound;
};

/* A rule under way. list comes first: the keys of services fill it. */
struct rule_draft {
	struct services list;
	struct places places;
	struct rule rule;
};

/* ---- whereto ------------------------------------------------------------ */

void
cut_prefix(const char *text, char out[RANGE_STRLEN])
{
	struct addr_range range;
	char copy[RANGE_STRLEN];
	unsigned bits, i, len;
	char *slash;

	out[0] = '\0';
	if (strlen(text) >= sizeof(copy))
		return;
	memcpy(copy, text, strlen(text) + 1);
	if ((slash = strchr(copy, '/')) == NULL)
		return;
	*slash = '\0';
	bits = (unsigned)strtoul(slash + 1, NULL, 10);
	if (addr_parse(copy, &range.first) < 0)
		return;
	len = (unsigned)addr_len(range.first.family) * 8;
	range.last = range.first;
	for (i = bits; i < len; i++) {
		range.first.bytes[i / 8] &= (uint8_t)~(0x80 >> i % 8);
		range.last.bytes[i / 8] |= (uint8_t)(0x80 >> i % 8);
	}
	addr_range_format(&range, out);
}

static char *
lower_copy(struct reader *r, const char *text)
{
	char *copy = reader_copy(r, text), *c;

	for (c = copy; c != NULL && *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	return copy;
}

/* "class:x" and "group:x". false after telling why not. */
static bool
parse_named(struct reader *r, unsigned line, const char *text, struct destination *out)
{
	out->kind = text[0] == 'c' ? TO_CLASS : TO_GROUP;
	if (name_is_valid(text + 6))
		return (out->name = reader_copy(r, text + 6)) != NULL;
	mistake(r, line, "\"%.80s\": a %s's name follows %.6s letters, digits, '.', '_' and '-', at most %u of them",
	    text, out->kind == TO_CLASS ? "class" : "group", text, LIMIT_NAME - 1);
	return false;
}

/* What is neither an address nor a class nor a group. */
static bool
parse_host(struct reader *r, unsigned line, const char *text, bool inbound, struct destination *out)
{
	if (!host_name_is_valid(text)) {
		mistake(r, line, "\"%.80s\" is no %s: an address, a prefix as in 10.20.0.0/28, a range as in "
		    "10.0.0.1-10.0.0.9, class:NAME%s", text, inbound ? "source" : "destination",
		    inbound ? " or group:NAME" : ", group:NAME, or a host name");
		return false;
	}
	if (inbound) {
		mistake(r, line, "\"%.80s\" is a host name, and nobody knows which addresses a name has when a packet "
		    "comes in: name the addresses, class:NAME or group:NAME", text);
		return false;
	}
	out->kind = TO_NAME;
	return (out->name = lower_copy(r, text)) != NULL;
}

/* false after telling why this is no destination. */
static bool
parse_destination(struct reader *r, unsigned line, const char *text, bool inbound, struct destination *out)
{
	char prefix[RANGE_STRLEN];

	if (strncmp(text, "class:", 6) == 0 || strncmp(text, "group:", 6) == 0)
		return parse_named(r, line, text, out);
	out->kind = TO_RANGE;
	switch (addr_range_parse(text, &out->range)) {
	case 0:
		return true;
	case -EDOM:
		cut_prefix(text, prefix);
		mistake(r, line, "prefix \"%.80s\" has bits set beyond its length: did you mean %s?", text, prefix);
		return false;
	case -ERANGE:
		mistake(r, line, "range \"%.80s\" ends before it begins: the lower address comes first", text);
		return false;
	}
	return parse_host(r, line, text, inbound, out);
}

static void
add_place(struct reader *r, const config_setting_t *s, void *target)
{
	struct places *p = target;
	struct destination to, *slot;
	const char *text = want_string(r, s, "192.0.2.80");

	memset(&to, 0, sizeof(to));
	if (text == NULL || !parse_destination(r, line_of(s), text, p->inbound, &to))
		return;
	if ((slot = reader_grow(r, &p->to, p->n, sizeof(*slot))) == NULL) {
		free(to.name);
		return;
	}
	*slot = to;
	p->n++;
}

static void
key_places(struct reader *r, const config_setting_t *s, void *target)
{
	struct rule_draft *d = target;

	each_value(r, s, add_place, &d->places);
}

/* ---- groups of destinations --------------------------------------------- */

struct group_draft {
	struct places places;
	char *name;
};

static void
key_group_name(struct reader *r, const config_setting_t *s, void *target)
{
	struct group_draft *d = target;

	want_name(r, s, "group", "time-servers", &d->name);
}

static void
key_group_to(struct reader *r, const config_setting_t *s, void *target)
{
	struct group_draft *d = target;

	if (config_setting_is_aggregate(s) && config_setting_length(s) > (int)LIMIT_GROUP_MEMBERS)
		mistake(r, line_of(s), "%d members in one group: at most %u; a range or a prefix counts as one",
		    config_setting_length(s), LIMIT_GROUP_MEMBERS);
	else
		each_value(r, s, add_place, &d->places);
}

void
read_declared_group(struct reader *r, const config_setting_t *s)
{
	static const struct key keys[] = {
		{ "name", key_group_name, KEY_NEEDED },
		{ "to", key_group_to, KEY_NEEDED },
		{ NULL, NULL, NULL }
	};
	struct group_draft d = { .name = NULL };
	struct group_decl group, *slot;

	if (!within_limit(r, line_of(s), r->p->n_groups, LIMIT_GROUPS, "groups", &r->too_many_groups))
		return;
	read_group(r, s, keys, "a group", &d);
	group = (struct group_decl){ .where = reader_where(r, line_of(s)), .name = d.name, .to = d.places.to,
		.n_to = d.places.n };
	if (d.name == NULL || (slot = reader_grow(r, &r->p->groups, r->p->n_groups, sizeof(*slot))) == NULL) {
		group_decl_done(&group);
		return;
	}
	*slot = group;
	r->p->n_groups++;
}

/* ---- rules -------------------------------------------------------------- */

static void
add_named(struct reader *r, const config_setting_t *s, void *target)
{
	struct rule_draft *d = target;
	char **slot, *name = NULL;

	if (!want_name(r, s, "service", "mqtt", &name) ||
	    (slot = reader_grow(r, &d->rule.named, d->rule.n_named, sizeof(*slot))) == NULL) {
		free(name);
		return;
	}
	*slot = name;
	d->rule.n_named++;
}

static void
key_service(struct reader *r, const config_setting_t *s, void *target)
{
	each_value(r, s, add_named, target);
}

static void
key_schedule(struct reader *r, const config_setting_t *s, void *target)
{
	struct rule_draft *d = target;

	want_name(r, s, "schedule", "nightly", &d->rule.schedule);
}

/* Can this service exist towards this destination? ICMP belongs to IPv4. What
 * stands behind a name only the compiler sees. */
static bool
fits(const struct destination *to, const struct service *s)
{
	if (s->kind != BOX_ICMP || to->kind != TO_RANGE)
		return true;
	return to->range.first.family == (s->protocol == IPPROTO_ICMP ? AF_INET : AF_INET6);
}

/* Every destination has a service that can reach it, and the other way round. */
static void
check_fit(struct reader *r, unsigned line, const struct rule *rule, bool inbound)
{
	char text[RANGE_STRLEN];
	size_t i, k;

	for (i = 0; i < rule->n_to && rule->n_named == 0; i++) {
		for (k = 0; k < rule->n_services; k++)
			if (fits(&rule->to[i], &rule->services[k]))
				break;
		if (k == rule->n_services)
			mistake(r, line, "no service of this rule exists %s %s: %s", inbound ? "from" : "towards",
			    addr_range_format(&rule->to[i].range, text),
			    rule->to[i].range.first.family == AF_INET ?
			    "icmpv6 is IPv6's, write icmp for IPv4" : "icmp is IPv4's, write icmpv6 for IPv6");
	}
	for (k = 0; k < rule->n_services; k++) {
		for (i = 0; i < rule->n_to; i++)
			if (fits(&rule->to[i], &rule->services[k]))
				break;
		/* With no fitting service at all the loop above has told it. */
		if (i == rule->n_to && rule->n_services + rule->n_named > 1)
			mistake(r, line, "%s",
			    rule->services[k].protocol == IPPROTO_ICMP ?
			    "icmp is IPv4's, but the rule names no IPv4 address: write icmpv6 for IPv6" :
			    "icmpv6 is IPv6's, but the rule names no IPv6 address: write icmp for IPv4");
	}
}

#define SERVICE_KEYS				\
	{ "tcp", key_ports, NULL },		\
	{ "udp", key_ports, NULL },		\
	{ "sctp", key_ports, NULL },		\
	{ "dccp", key_ports, NULL },		\
	{ "udplite", key_ports, NULL },		\
	{ "icmp", key_icmp, NULL },		\
	{ "icmpv6", key_icmp, NULL },		\
	{ "protocol", key_protocol, NULL },	\
	{ "any", key_any, NULL },		\
	{ "service", key_service, NULL },	\
	{ "schedule", key_schedule, NULL },	\
	{ NULL, NULL, NULL }

void
read_rule(struct reader *r, const config_setting_t *s, bool inbound, struct rule **rules, size_t *n)
{
	static const struct key outward[] = { { "to", key_places, KEY_NEEDED }, SERVICE_KEYS };
	static const struct key inward[] = { { "from", key_places, KEY_NEEDED }, SERVICE_KEYS };
	struct rule_draft d;
	struct rule *slot;
	size_t before = r->m->n;

	memset(&d, 0, sizeof(d));
	d.places.inbound = inbound;
	if (!read_group(r, s, inbound ? inward : outward, inbound ? "an inbound rule" : "a rule", &d))
		return;
	d.rule.where = reader_where(r, line_of(s));
	d.rule.to = d.places.to;
	d.rule.n_to = d.places.n;
	d.rule.services = d.list.services;
	d.rule.n_services = d.list.n;
	if (r->m->n == before && d.list.n + d.rule.n_named == 0)
		mistake(r, line_of(s), "the rule names no service: add tcp, udp, icmp, icmpv6, protocol, service or "
		    "any = true");
	else if (r->m->n == before)
		check_fit(r, line_of(s), &d.rule, inbound);
	if ((slot = reader_grow(r, rules, *n, sizeof(*slot))) == NULL) {
		rule_done(&d.rule);
		return;
	}
	*slot = d.rule;
	++*n;
}
