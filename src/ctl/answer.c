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

/* One line each: the key for programs, the words for people. */
static const struct {
	const char *key, *words;
} source_errors[SOURCE_ERRORS] = {
	[E_NONE] = { "", "" },
	[E_FETCH] = { "E_FETCH", "the transfer failed" },
	[E_EMPTY] = { "E_EMPTY", "the answer was empty" },
	[E_NOT_CRL] = { "E_NOT_CRL", "the answer is no CRL" },
	[E_TRUNC] = { "E_TRUNC", "the CRL is cut off" },
	[E_TRAILING] = { "E_TRAILING", "bytes follow the CRL" },
	[E_DER] = { "E_DER", "the CRL is not DER" },
	[E_SIG] = { "E_SIG", "the signature is wrong" },
	[E_SIGALG] = { "E_SIGALG", "the signature algorithms differ or are unknown" },
	[E_WEAK] = { "E_WEAK", "the signature is too weak" },
	[E_SIGNER] = { "E_SIGNER", "the signer may not sign this CRL" },
	[E_CRITICAL] = { "E_CRITICAL", "an unknown critical extension" },
	[E_IDP] = { "E_IDP", "the distribution point is not the declared one" },
	[E_DUP_EXT] = { "E_DUP_EXT", "an extension comes twice" },
	[E_DELTA] = { "E_DELTA", "a delta CRL where a complete one belongs" },
	[E_ROLLBACK] = { "E_ROLLBACK", "the CRL is older than the one in use" },
	[E_EQUIVOCATION] = { "E_EQUIVOCATION", "two CRLs with one number" },
	[E_TOO_BIG] = { "E_TOO_BIG", "the CRL is too big" },
	[E_CACHE] = { "E_CACHE", "the kept copy is damaged" },
	[E_DISK] = { "E_DISK", "the CRL could not be kept" },
	[E_APPLY] = { "E_APPLY", "verified, but the kernel did not take the quarantine yet" },
	[E_FUTURE] = { "E_FUTURE", "the CRL is from the future: check the clock" },
};

const char *
word_source_error(uint32_t error)
{
	return error < SOURCE_ERRORS && source_errors[error].words != NULL ?
	    source_errors[error].words : "?";
}

const char *
word_source_error_key(uint32_t error)
{
	return error < SOURCE_ERRORS && source_errors[error].key != NULL ?
	    source_errors[error].key : "?";
}

/* RFC 5280, 5.3.1: CRLReason. */
const char *
word_crl_reason(uint32_t reason)
{
	static const char *const words[] = {
		"unspecified", "keyCompromise", "cACompromise", "affiliationChanged", "superseded",
		"cessationOfOperation", "certificateHold", NULL, "removeFromCRL",
		"privilegeWithdrawn", "aACompromise",
	};

	return WORD_OF(words, reason);
}

const char *
word_table_mode(uint32_t mode)
{
	static const char *const words[] = { NULL, "owner-persist", "watched" };

	return WORD_OF(words, mode);
}

static const struct {
	uint32_t bit;
	const char *word;
} causes[] = {
	{ CAUSE_REVOKED, "revoked" },
	{ CAUSE_OPERATOR, "operator" },
};
#define N_CAUSES (sizeof(causes) / sizeof(causes[0]))

const char *
word_cause(uint32_t cause, char buf[CAUSE_STRLEN])
{
	size_t i, at = 0;

	buf[0] = '\0';
	for (i = 0; i < N_CAUSES; i++) {
		if ((cause & causes[i].bit) == 0)
			continue;
		at += (size_t)snprintf(buf + at, CAUSE_STRLEN - at, "%s%s", at > 0 ? ", " : "",
		    causes[i].word);
	}
	return at > 0 ? buf : "-";
}

json_t *
answer_cause(uint32_t cause)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < N_CAUSES; i++)
		if (cause & causes[i].bit)
			json_array_append_new(list, json_string(causes[i].word));
	return list;
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
