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

/* Protocols without ports, by number: 47 for GRE, 50 for ESP. */
static void
add_protocol(struct reader *r, const config_setting_t *s, void *target)
{
	const char *key;
	long long n;

	if (!want_number(r, s, 1, 255, &n))
		return;
	key = n == IPPROTO_ICMP ? "icmp" : n == IPPROTO_ICMPV6 ? "icmpv6" : port_protocol_name((uint8_t)n);
	if (key != NULL)
		mistake(r, line_of(s), "protocol %lld is %s: write it as %s = ...", n, key, key);
	else
		add_service(r, target, BOX_PROTOCOL, (uint8_t)n, 0, 0);
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
