/* SPDX-License-Identifier: GPL-2.0-or-later */
/* words.c -- tables of words, so that reader and printer cannot differ. */
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "model/image.h"
#include "model/words.h"

struct word {
	const char *name;
	uint8_t number;
};

static const struct word icmp_types[] = {
	{ "echo-reply", 0 }, { "destination-unreachable", 3 }, { "source-quench", 4 }, { "redirect", 5 },
	{ "echo-request", 8 }, { "router-advertisement", 9 }, { "router-solicitation", 10 },
	{ "time-exceeded", 11 }, { "parameter-problem", 12 }, { "timestamp-request", 13 },
	{ "timestamp-reply", 14 }, { "info-request", 15 }, { "info-reply", 16 },
	{ "address-mask-request", 17 }, { "address-mask-reply", 18 },
	{ NULL, 0 }
};

static const struct word icmpv6_types[] = {
	{ "destination-unreachable", 1 }, { "packet-too-big", 2 }, { "time-exceeded", 3 },
	{ "parameter-problem", 4 }, { "echo-request", 128 }, { "echo-reply", 129 },
	{ "mld-listener-query", 130 }, { "mld-listener-report", 131 }, { "mld-listener-done", 132 },
	{ "nd-router-solicit", 133 }, { "nd-router-advert", 134 }, { "nd-neighbor-solicit", 135 },
	{ "nd-neighbor-advert", 136 }, { "nd-redirect", 137 }, { "router-renumbering", 138 },
	{ "ind-neighbor-solicit", 141 }, { "ind-neighbor-advert", 142 }, { "mld2-listener-report", 143 },
	{ NULL, 0 }
};

static const struct word port_protocols[] = {
	{ "tcp", IPPROTO_TCP }, { "udp", IPPROTO_UDP }, { "sctp", IPPROTO_SCTP }, { "dccp", IPPROTO_DCCP },
	{ "udplite", IPPROTO_UDPLITE },
	{ NULL, 0 }
};

/* What an admin writes a rule about, by IANA's keywords; the first name of a
 * number is the one that is shown. */
static const struct word protocols[] = {
	{ "icmp", 1 }, { "igmp", 2 }, { "ipip", 4 }, { "ipencap", 4 }, { "tcp", 6 }, { "egp", 8 }, { "igp", 9 },
	{ "udp", 17 }, { "dccp", 33 }, { "ipv6", 41 }, { "6in4", 41 }, { "rsvp", 46 }, { "gre", 47 },
	{ "esp", 50 }, { "ah", 51 }, { "icmpv6", 58 }, { "ipv6-icmp", 58 }, { "eigrp", 88 }, { "ospf", 89 },
	{ "etherip", 97 }, { "pim", 103 }, { "ipcomp", 108 }, { "vrrp", 112 }, { "l2tp", 115 }, { "isis", 124 },
	{ "sctp", 132 }, { "mobility", 135 }, { "udplite", 136 }, { "hip", 139 },
	{ NULL, 0 }
};

static const struct word *
types_of(uint8_t protocol)
{
	return protocol == IPPROTO_ICMP ? icmp_types : icmpv6_types;
}

static const struct word *
word_named(const struct word *w, const char *name)
{
	for (; w->name != NULL; w++)
		if (strcmp(w->name, name) == 0)
			return w;
	return NULL;
}

static const char *
name_of(const struct word *w, uint8_t number)
{
	for (; w->name != NULL; w++)
		if (w->number == number)
			return w->name;
	return NULL;
}

int
icmp_type_parse(uint8_t protocol, const char *name, uint8_t *type)
{
	const struct word *w = word_named(types_of(protocol), name);

	if (w == NULL)
		return -ENOENT;
	*type = w->number;
	return 0;
}

const char *
icmp_type_name(uint8_t protocol, uint8_t type)
{
	return name_of(types_of(protocol), type);
}

const char *
icmp_type_nth(uint8_t protocol, unsigned n)
{
	const struct word *w = types_of(protocol);

	while (n > 0 && w->name != NULL) {
		w++;
		n--;
	}
	return w->name;
}

uint8_t
port_protocol_parse(const char *key)
{
	const struct word *w = word_named(port_protocols, key);

	return w == NULL ? 0 : w->number;
}

const char *
port_protocol_name(uint8_t protocol)
{
	return name_of(port_protocols, protocol);
}

int
protocol_parse(const char *name, uint8_t *protocol)
{
	const struct word *w;

	for (w = protocols; w->name != NULL; w++) {
		if (strcasecmp(w->name, name) != 0)
			continue;
		*protocol = w->number;
		return 0;
	}
	return -ENOENT;
}

const char *
protocol_name(uint8_t protocol)
{
	return name_of(protocols, protocol);
}

const char *
protocol_nth(unsigned n)
{
	return n < sizeof(protocols) / sizeof(protocols[0]) ? protocols[n].name : NULL;
}

static const struct {
	char name;
	uint32_t seconds;
} units[] = { { 'd', 86400 }, { 'h', 3600 }, { 'm', 60 }, { 's', 1 } };

int
duration_parse(const char *text, uint32_t *seconds)
{
	uint64_t n = 0;
	size_t i, unit;

	for (i = 0; text[i] >= '0' && text[i] <= '9'; i++) {
		n = n * 10 + (uint64_t)(text[i] - '0');
		if (n > UINT32_MAX)
			return -ERANGE;
	}
	if (i == 0 || text[i] == '\0' || text[i + 1] != '\0')
		return -EINVAL;
	for (unit = 0; unit < sizeof(units) / sizeof(units[0]); unit++) {
		if (units[unit].name != text[i])
			continue;
		if (n * units[unit].seconds > UINT32_MAX)
			return -ERANGE;
		*seconds = (uint32_t)(n * units[unit].seconds);
		return 0;
	}
	return -EINVAL;
}

const char *
duration_format(uint32_t seconds, char buf[DURATION_STRLEN])
{
	size_t unit = 0;

	while (seconds % units[unit].seconds != 0 || seconds == 0) {
		if (units[unit].seconds == 1)
			break;
		unit++;
	}
	snprintf(buf, DURATION_STRLEN, "%u%c", seconds / units[unit].seconds, units[unit].name);
	return buf;
}

int
size_parse(const char *text, uint32_t *bytes)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; text[i] >= '0' && text[i] <= '9'; i++) {
		n = n * 10 + (uint64_t)(text[i] - '0');
		if (n > UINT32_MAX)
			return -ERANGE;
	}
	if (i == 0 || (text[i] != '\0' && text[i + 1] != '\0'))
		return -EINVAL;
	if (text[i] == 'k' || text[i] == 'K')
		n <<= 10;
	else if (text[i] == 'M')
		n <<= 20;
	else if (text[i] != '\0')
		return -EINVAL;
	if (n > UINT32_MAX)
		return -ERANGE;
	*bytes = (uint32_t)n;
	return 0;
}

const char *
size_format(uint32_t bytes, char buf[SIZE_STRLEN])
{
	if (bytes > 0 && bytes % (1U << 20) == 0)
		snprintf(buf, SIZE_STRLEN, "%uM", bytes >> 20);
	else if (bytes > 0 && bytes % (1U << 10) == 0)
		snprintf(buf, SIZE_STRLEN, "%uk", bytes >> 10);
	else
		snprintf(buf, SIZE_STRLEN, "%u", bytes);
	return buf;
}

static const char *const when_words[] = {
	[WHEN_STALE_KEEP] = "keep", [WHEN_STALE_RESTRICT] = "restrict", [WHEN_STALE_QUARANTINE] = "quarantine",
};

int
when_stale_parse(const char *word, uint32_t *when)
{
	uint32_t i;

	for (i = 0; i < sizeof(when_words) / sizeof(when_words[0]); i++) {
		if (strcmp(word, when_words[i]) != 0)
			continue;
		*when = i;
		return 0;
	}
	return -ENOENT;
}

const char *
when_stale_word(uint32_t when)
{
	return when <= WHEN_STALE_QUARANTINE ? when_words[when] : "?";
}
