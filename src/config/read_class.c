/* SPDX-License-Identifier: GPL-2.0-or-later */
/* read_class.c -- device classes: a name, a mode, and what they may reach. */
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "config/read_service.h"
#include "proto/limits.h"

/* A rule under way. services comes first: the keys of services fill it. */
struct rule_draft {
	struct services list;
	struct rule rule;
};

/* ---- whereto ------------------------------------------------------------ */

/* The prefix that an address with host bits lies in. */
static void
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

/* false after telling why this is no destination. */
static bool
parse_destination(struct reader *r, unsigned line, const char *text, struct destination *out)
{
	char prefix[RANGE_STRLEN];
	int rc;

	if (strncmp(text, "class:", 6) == 0) {
		out->kind = TO_CLASS;
		if (name_is_valid(text + 6))
			return (out->name = reader_copy(r, text + 6)) != NULL;
		mistake(r, line, "\"%.80s\": a class's name follows class: letters, digits, '.', '_' and '-'", text);
		return false;
	}
	out->kind = TO_RANGE;
	rc = addr_range_parse(text, &out->range);
	if (rc == 0)
		return true;
	if (rc == -EDOM) {
		cut_prefix(text, prefix);
		mistake(r, line, "prefix \"%.80s\" has bits set beyond its length: did you mean %s?", text, prefix);
	} else if (rc == -ERANGE) {
		mistake(r, line, "range \"%.80s\" ends before it begins: the lower address comes first", text);
	} else if (host_name_is_valid(text)) {
		out->kind = TO_NAME;
		return (out->name = lower_copy(r, text)) != NULL;
	} else {
		mistake(r, line, "\"%.80s\" is no destination: an address, a prefix as in 10.20.0.0/28, a range as in "
		    "10.0.0.1-10.0.0.9, class:NAME, or a host name", text);
	}
	return false;
}

static void
add_destination(struct reader *r, const config_setting_t *s, void *target)
{
	struct rule_draft *d = target;
	struct destination to, *slot;
	const char *text = want_string(r, s, "192.0.2.80");

	memset(&to, 0, sizeof(to));
	if (text == NULL || !parse_destination(r, line_of(s), text, &to))
		return;
	if ((slot = reader_grow(r, &d->rule.to, d->rule.n_to, sizeof(*slot))) == NULL) {
		free(to.name);
		return;
	}
	*slot = to;
	d->rule.n_to++;
}

static void
key_to(struct reader *r, const config_setting_t *s, void *target)
{
	each_value(r, s, add_destination, target);
}

/* ---- rules -------------------------------------------------------------- */

/* Can this service exist towards this destination? ICMP belongs to IPv4. */
static bool
fits(const struct destination *to, const struct service *s)
{
	if (s->kind != BOX_ICMP || to->kind != TO_RANGE)
		return true;
	return to->range.first.family == (s->protocol == IPPROTO_ICMP ? AF_INET : AF_INET6);
}

/* Every destination has a service that can reach it, and the other way round. */
static void
check_fit(struct reader *r, unsigned line, const struct rule *rule)
{
	char text[RANGE_STRLEN];
	size_t i, k;

	for (i = 0; i < rule->n_to; i++) {
		for (k = 0; k < rule->n_services; k++)
			if (fits(&rule->to[i], &rule->services[k]))
				break;
		if (k == rule->n_services)
			mistake(r, line, "no service of this rule exists towards %s: %s",
			    addr_range_format(&rule->to[i].range, text),
			    rule->to[i].range.first.family == AF_INET ?
			    "icmpv6 is IPv6's, write icmp for IPv4" : "icmp is IPv4's, write icmpv6 for IPv6");
	}
	for (k = 0; k < rule->n_services; k++) {
		for (i = 0; i < rule->n_to; i++)
			if (fits(&rule->to[i], &rule->services[k]))
				break;
		/* With no fitting service at all the loop above has told it. */
		if (i == rule->n_to && rule->n_services > 1)
			mistake(r, line, "%s",
			    rule->services[k].protocol == IPPROTO_ICMP ?
			    "icmp is IPv4's, but the rule names no IPv4 destination: write icmpv6 for IPv6" :
			    "icmpv6 is IPv6's, but the rule names no IPv6 destination: write icmp for IPv4");
	}
}

static void
read_rule(struct reader *r, const config_setting_t *s, struct rule **rules, size_t *n)
{
	static const struct key keys[] = {
		{ "to", key_to, KEY_NEEDED },
		{ "tcp", key_ports, NULL },
		{ "udp", key_ports, NULL },
		{ "sctp", key_ports, NULL },
		{ "dccp", key_ports, NULL },
		{ "udplite", key_ports, NULL },
		{ "icmp", key_icmp, NULL },
		{ "icmpv6", key_icmp, NULL },
		{ "protocol", key_protocol, NULL },
		{ "any", key_any, NULL },
		{ NULL, NULL, NULL }
	};
	struct rule_draft d;
	struct rule *slot;
	size_t before = r->m->n;

	memset(&d, 0, sizeof(d));
	if (!read_group(r, s, keys, "a rule", &d))
		return;
	d.rule.where = reader_where(r, line_of(s));
	d.rule.services = d.list.services;
	d.rule.n_services = d.list.n;
	if (r->m->n == before && d.list.n == 0)
		mistake(r, line_of(s), "the rule names no service: add tcp, udp, icmp, icmpv6 or any = true");
	else if (r->m->n == before)
		check_fit(r, line_of(s), &d.rule);
	if ((slot = reader_grow(r, rules, *n, sizeof(*slot))) == NULL) {
		rule_done(&d.rule);
		return;
	}
	*slot = d.rule;
	++*n;
}

void
read_allow(struct reader *r, const config_setting_t *s, struct rule **rules, size_t *n)
{
	unsigned i, k;

	if (config_setting_type(s) == CONFIG_TYPE_STRING) {
		if (strcmp(config_setting_get_string(s), "nothing") != 0)
			mistake(r, line_of(s), "allow = \"%.64s\": a list of rules is expected, or \"nothing\"",
			    config_setting_get_string(s));
		return;
	}
	if (config_setting_is_group(s)) {
		read_rule(r, s, rules, n);
		return;
	}
	if (!config_setting_is_list(s)) {
		if (!config_setting_is_array(s) || config_setting_length(s) != 0) {
			mistake(r, line_of(s), "`allow' is %s: a list of rules is expected, as in "
			    "allow = ( { to = \"192.0.2.80\"; tcp = 443; } )", type_name(s));
			return;
		}
	}
	k = (unsigned)config_setting_length(s);
	if (k == 0)
		mistake(r, line_of(s), "the allow list is empty: name what may be reached, or write "
		    "allow = \"nothing\" when that is meant");
	for (i = 0; i < k && r->error == 0; i++)
		read_rule(r, config_setting_get_elem(s, i), rules, n);
}

/* ---- classes ------------------------------------------------------------ */

static void
key_name(struct reader *r, const config_setting_t *s, void *target)
{
	struct class_decl *c = target;
	const char *name = want_string(r, s, "temperature-sensor");

	if (name == NULL)
		return;
	c->name = reader_copy(r, name);
	if (!name_is_valid(name))
		mistake(r, line_of(s), "class name \"%.64s\": letters, digits, '.', '_' and '-', at most %u of them",
		    name, LIMIT_NAME - 1);
}

static void
key_mode(struct reader *r, const config_setting_t *s, void *target)
{
	struct class_decl *c = target;
	const char *word = want_string(r, s, "enforce");

	if (word == NULL)
		return;
	if (strcmp(word, "audit") == 0)
		c->mode = MODE_AUDIT;
	else if (strcmp(word, "enforce") != 0)
		mistake(r, line_of(s), "mode = \"%.64s\": \"enforce\" or \"audit\" is possible", word);
}

static void
key_refuse(struct reader *r, const config_setting_t *s, void *target)
{
	const char *word = want_string(r, s, "drop");

	(void)target;
	if (word == NULL || strcmp(word, "drop") == 0)
		return;
	if (strcmp(word, "reject") == 0)
		mistake(r, line_of(s), "refuse = \"reject\" is not possible: it would tell a compromised device what "
		    "stands behind the router; write \"drop\" or leave the key out");
	else
		mistake(r, line_of(s), "refuse = \"%.64s\": \"drop\" is possible", word);
}

static void
key_allow(struct reader *r, const config_setting_t *s, void *target)
{
	struct class_decl *c = target;

	read_allow(r, s, &c->rules, &c->n_rules);
}

void
read_class(struct reader *r, const config_setting_t *s)
{
	static const struct key keys[] = {
		{ "name", key_name, KEY_NEEDED },
		{ "mode", key_mode, NULL },
		{ "refuse", key_refuse, NULL },
		{ "allow", key_allow, "name what it may reach, or write allow = \"nothing\" when that is meant" },
		{ NULL, NULL, NULL }
	};
	struct class_decl c, *slot;

	memset(&c, 0, sizeof(c));
	c.where = reader_where(r, line_of(s));
	if (!read_group(r, s, keys, "a class", &c) || c.name == NULL ||
	    (slot = reader_grow(r, &r->p->classes, r->p->n_classes, sizeof(*slot))) == NULL) {
		class_decl_done(&c);
		return;
	}
	*slot = c;
	r->p->n_classes++;
}
