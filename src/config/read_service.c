/* SPDX-License-Identifier: GPL-2.0-or-later */
/* read_service.c -- tcp = 443; udp = (67, "9000-9010"); icmp = "echo-request";
 * what a rule or the appliance lets through, apart from whereto. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/read_service.h"
#include "model/image_record.h"
#include "model/words.h"
#include "proto/limits.h"

static void
add_service(struct reader *r, struct services *list, uint8_t kind, uint8_t protocol, uint16_t low, uint16_t high)
{
	struct service *slot = reader_grow(r, &list->services, list->n, sizeof(*slot));

	if (slot == NULL)
		return;
	*slot = (struct service){ .kind = kind, .protocol = protocol, .low = low, .high = high };
	list->n++;
}

/* "9000-9010", "443"; both ends from min to max. -EINVAL, -ERANGE. */
static int
parse_range(const char *text, unsigned min, unsigned max, uint16_t *low, uint16_t *high)
{
	unsigned long ends[2];
	const char *at = text;
	char *end;
	int i;

	for (i = 0; i < 2; i++) {
		if (*at < '0' || *at > '9')
			return -EINVAL;
		ends[i] = strtoul(at, &end, 10);
		if (end - at > 9 || ends[i] < min || ends[i] > max)
			return -ERANGE;
		at = end;
		if (i == 0 && *at == '\0') {
			ends[1] = ends[0];
			break;
		}
		if (i == 0 && *at++ != '-')
			return -EINVAL;
	}
	if (*at != '\0' && i == 2)
		return -EINVAL;
	if (ends[0] > ends[1])
		return -EDOM;
	*low = (uint16_t)ends[0];
	*high = (uint16_t)ends[1];
	return 0;
}

static void
add_ports(struct reader *r, const config_setting_t *s, void *target)
{
	uint8_t protocol = port_protocol_parse(key_of(s));
	uint16_t low, high;
	const char *text;
	long long n;
	int rc;

	if (config_setting_type(s) != CONFIG_TYPE_STRING) {
		if (want_number(r, s, 1, 65535, &n))
			add_service(r, target, BOX_PORTS, protocol, (uint16_t)n, (uint16_t)n);
		return;
	}
	text = config_setting_get_string(s);
	rc = parse_range(text, 1, 65535, &low, &high);
	if (rc == 0)
		add_service(r, target, BOX_PORTS, protocol, low, high);
	else if (rc == -EDOM)
		mistake(r, line_of(s), "%s ports \"%.64s\": the lower one comes first", key_of(s), text);
	else if (name_is_valid(text) && (text[0] < '0' || text[0] > '9'))
		mistake(r, line_of(s), "%s ports \"%.64s\": numbers are expected, as in 443 or \"9000-9010\"; a name "
		    "can stand for a declared service, as in service = \"https\"", key_of(s), text);
	else
		mistake(r, line_of(s), "%s ports \"%.64s\": a port from 1 to 65535, or a range as in \"9000-9010\"",
		    key_of(s), text);
}

void
key_ports(struct reader *r, const config_setting_t *s, void *target)
{
	each_value(r, s, add_ports, target);
}

static const char *
nth_icmp(const void *arg, size_t n)
{
	return icmp_type_nth(*(const uint8_t *)arg, (unsigned)n);
}

static void
add_icmp(struct reader *r, const config_setting_t *s, void *target)
{
	uint8_t protocol = strcmp(key_of(s), "icmp") == 0 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	const char *text, *near;
	uint16_t low, high;
	uint8_t type;
	long long n;

	if (config_setting_type(s) != CONFIG_TYPE_STRING) {
		if (want_number(r, s, 0, 255, &n))
			add_service(r, target, BOX_ICMP, protocol, (uint16_t)n, (uint16_t)n);
		return;
	}
	text = config_setting_get_string(s);
	if (icmp_type_parse(protocol, text, &type) == 0) {
		add_service(r, target, BOX_ICMP, protocol, type, type);
	} else if (parse_range(text, 0, 255, &low, &high) == 0) {
		add_service(r, target, BOX_ICMP, protocol, low, high);
	} else if ((near = closest(text, nth_icmp, &protocol)) != NULL) {
		mistake(r, line_of(s), "%s has no type \"%.64s\": did you mean \"%s\"?", key_of(s), text, near);
	} else {
		mistake(r, line_of(s), "%s has no type \"%.64s\": a name as in \"echo-request\", or a number from "
		    "0 to 255", key_of(s), text);
	}
}

void
key_icmp(struct reader *r, const config_setting_t *s, void *target)
{
	each_value(r, s, add_icmp, target);
}

/* A protocol by number; one with ports or types means all of them. */
static void
add_protocol_number(struct reader *r, struct services *list, uint8_t protocol)
{
	if (port_protocol_name(protocol) != NULL)
		add_service(r, list, BOX_PORTS, protocol, 1, 65535);
	else if (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6)
		add_service(r, list, BOX_ICMP, protocol, 0, 255);
	else
		add_service(r, list, BOX_PROTOCOL, protocol, 0, 0);
}

static const char *
nth_protocol(const void *arg, size_t n)
{
	(void)arg;
	return protocol_nth((unsigned)n);
}

/* All of them, for who wrote something else. */
static void
unknown_protocol(struct reader *r, unsigned line, const char *text)
{
	const char *near = closest(text, nth_protocol, NULL), *name;
	char all[512];
	size_t used = 0;
	unsigned i;

	if (near != NULL) {
		mistake(r, line, "no protocol is known as \"%.64s\": did you mean \"%s\"?", text, near);
		return;
	}
	all[0] = '\0';
	for (i = 0; (name = protocol_nth(i)) != NULL && used < sizeof(all); i++)
		used += (size_t)snprintf(all + used, sizeof(all) - used, "%s%s", i == 0 ? "" : ", ", name);
	mistake(r, line, "no protocol is known as \"%.64s\": a number from 1 to 255, or one of %s", text, all);
}

static void
add_protocol(struct reader *r, const config_setting_t *s, void *target)
{
	uint16_t low, high;
	const char *text;
	uint8_t protocol;
	long long n;

	if (config_setting_type(s) != CONFIG_TYPE_STRING) {
		if (want_number(r, s, 1, 255, &n))
			add_protocol_number(r, target, (uint8_t)n);
		return;
	}
	text = config_setting_get_string(s);
	if (protocol_parse(text, &protocol) == 0)
		add_protocol_number(r, target, protocol);
	else if (parse_range(text, 1, 255, &low, &high) == 0 && low == high)
		add_protocol_number(r, target, (uint8_t)low);
	else
		unknown_protocol(r, line_of(s), text);
}

void
key_protocol(struct reader *r, const config_setting_t *s, void *target)
{
	each_value(r, s, add_protocol, target);
}

void
key_any(struct reader *r, const config_setting_t *s, void *target)
{
	if (config_setting_type(s) != CONFIG_TYPE_BOOL || !config_setting_get_bool(s))
		mistake(r, line_of(s), "`any' is possible as any = true: everything to this destination");
	else
		add_service(r, target, BOX_ANY, 0, 0, 0);
}

/* ---- services that have a name ------------------------------------------ */

/* list comes first: the keys of services fill it. */
struct service_draft {
	struct services list;
	char *name;
};

static void
key_name(struct reader *r, const config_setting_t *s, void *target)
{
	struct service_draft *d = target;

	want_name(r, s, "service", "mqtt", &d->name);
}

void
read_declared_service(struct reader *r, const config_setting_t *s)
{
	static const struct key keys[] = {
		{ "name", key_name, KEY_NEEDED },
		{ "tcp", key_ports, NULL },
		{ "udp", key_ports, NULL },
		{ "sctp", key_ports, NULL },
		{ "dccp", key_ports, NULL },
		{ "udplite", key_ports, NULL },
		{ "icmp", key_icmp, NULL },
		{ "icmpv6", key_icmp, NULL },
		{ "protocol", key_protocol, NULL },
		{ NULL, NULL, NULL }
	};
	struct service_draft d = { .name = NULL };
	struct service_decl *slot;
	size_t before = r->m->n;

	if (!within_limit(r, line_of(s), r->p->n_services, LIMIT_SERVICES, "services", &r->too_many_services))
		return;
	if (read_group(r, s, keys, "a declared service", &d) && d.list.n == 0 && r->m->n == before)
		mistake(r, line_of(s), "service \"%.64s\" is empty: say what it is, as in { name = \"mqtt\"; "
		    "tcp = (1883, 8883); }", d.name);
	if (d.name == NULL || (slot = reader_grow(r, &r->p->services, r->p->n_services, sizeof(*slot))) == NULL) {
		free(d.list.services);
		free(d.name);
		return;
	}
	*slot = (struct service_decl){ .where = reader_where(r, line_of(s)), .name = d.name,
		.services = d.list.services, .n_services = d.list.n };
	r->p->n_services++;
}

/* ---- services of the appliance ------------------------------------------ */

void
read_services(struct reader *r, const config_setting_t *s, struct service **services, size_t *n)
{
	static const struct key keys[] = {
		{ "tcp", key_ports, NULL },
		{ "udp", key_ports, NULL },
		{ "sctp", key_ports, NULL },
		{ "dccp", key_ports, NULL },
		{ "udplite", key_ports, NULL },
		{ "icmp", key_icmp, NULL },
		{ "icmpv6", key_icmp, NULL },
		{ NULL, NULL, NULL }
	};
	struct services list = { .services = *services, .n = *n };
	size_t before = r->m->n;

	if (read_group(r, s, keys, "a service", &list) && list.n == *n && r->m->n == before)
		mistake(r, line_of(s), "the service is empty: name ports or types, as in { udp = 123; }");
	*services = list.services;
	*n = list.n;
}
