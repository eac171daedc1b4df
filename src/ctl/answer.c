/* SPDX-License-Identifier: GPL-2.0-or-later */
/* answer.c -- values of JSON answers, and our numbers in words. */
#include "ctl/answer.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "ctl/format.h"
#include "proto/messages.h"

json_t *
answer_text(const char *text)
{
	char shown[1024];
	json_t *j = json_string(text);	/* NULL when it is not UTF-8 */

	return j != NULL ? j : json_string(format_text(text, shown, sizeof(shown)));
}

json_t *
answer_time(int64_t wall_ms)
{
	char text[RFC3339_STRLEN];

	return wall_ms == 0 ? json_null() : json_string(clock_format(wall_ms, text));
}

json_t *
answer_count(uint64_t n)
{
	return json_integer(n > INT64_MAX ? INT64_MAX : (json_int_t)n);
}

json_t *
answer_lines(const char *text)
{
	json_t *list = json_array();
	const char *end;

	for (; *text != '\0'; text = *end == '\n' ? end + 1 : end) {
		char *line;

		end = strchrnul(text, '\n');
		if ((line = strndup(text, (size_t)(end - text))) == NULL)
			break;
		if (line[0] != '\0')
			json_array_append_new(list, answer_text(line));
		free(line);
	}
	return list;
}

static const char *
word_of(const char *const *words, size_t n, uint32_t i)
{
	return i < n && words[i] != NULL ? words[i] : "?";
}

#define WORD_OF(words, i) word_of(words, sizeof(words) / sizeof((words)[0]), i)

const char *
word_station(uint32_t where)
{
	static const char *const words[] = {
		[STATION_UNKNOWN] = "unknown",
		[STATION_ENFORCED] = "enforced",
		[STATION_AUDITED] = "audited",
		[STATION_QUARANTINED] = "quarantined",
		[STATION_RESTRICTED] = "restricted",
	};

	return WORD_OF(words, where);
}

const char *
word_source_state(uint32_t state)
{
	static const char *const words[] = {
		[SOURCE_NEVER] = "never",
		[SOURCE_FRESH] = "fresh",
		[SOURCE_DUE] = "due",
		[SOURCE_STALE] = "stale",
		[SOURCE_EXPIRED] = "expired",
	};

	return WORD_OF(words, state);
}

const char *
word_table_mode(uint32_t mode)
{
	static const char *const words[] = { NULL, "owner-persist", "watched" };

	return WORD_OF(words, mode);
}

const char *
word_protocol(uint8_t protocol, char buf[PROTOCOL_STRLEN])
{
	static const struct {
		uint8_t number;
		const char *name;
	} names[] = {
		{ IPPROTO_ICMP, "icmp" }, { IPPROTO_IGMP, "igmp" }, { IPPROTO_TCP, "tcp" },
		{ IPPROTO_UDP, "udp" }, { IPPROTO_DCCP, "dccp" }, { IPPROTO_GRE, "gre" },
		{ IPPROTO_ESP, "esp" }, { IPPROTO_AH, "ah" }, { IPPROTO_ICMPV6, "icmpv6" },
		{ IPPROTO_SCTP, "sctp" }, { IPPROTO_UDPLITE, "udplite" },
	};
	size_t i;

	snprintf(buf, PROTOCOL_STRLEN, "%u", protocol);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].number == protocol)
			snprintf(buf, PROTOCOL_STRLEN, "%s", names[i].name);
	return buf;
}
