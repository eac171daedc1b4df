/* SPDX-License-Identifier: GPL-2.0-or-later */
/* events.c -- what happened to devices, asked of cordond and checked. */
#include "ctl/events.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/addr.h"
#include "common/file.h"
#include "ctl/answer.h"
#include "ctl/format.h"
#include "ctl/who.h"

/* cordond compacts its file when it has twice as many as are kept. */
#define EVENTS_MAX (2 * LIMIT_DEVICE_EVENTS)

static int
check(const struct events *e, uint32_t n)
{
	size_t i;

	if (e->len != n * sizeof(*e->list))
		return -EBADMSG;
	for (i = 0; i < n; i++)
		if (memchr(e->list[i].who.login, '\0', CTL_LOGIN) == NULL ||
		    memchr(e->list[i].words, '\0', sizeof(e->list[i].words)) == NULL)
			return -EBADMSG;
	return 0;
}

int
events_ask(struct client *cl, uint32_t device, struct events *out)
{
	const struct ctl_device ask = { .number = device };
	struct ctl_history is;
	const void *data = NULL;
	int rc;

	memset(out, 0, sizeof(*out));
	if ((rc = client_ask(cl, MSG_CTL_EVENTS, &ask, sizeof(ask), MSG_CTL_EVENTS_ARE, CLIENT_TIMEOUT_MS)) < 0)
		return rc;
	memcpy(&is, cl->answer.payload, sizeof(is));
	out->damaged = is.damaged;
	if (is.n == 0)
		return 0;
	if (is.n > EVENTS_MAX)
		return -EBADMSG;
	if ((rc = memfile_map(cl->answer.fd, EVENTS_MAX * sizeof(*out->list), &data, &out->len)) < 0)
		return rc;
	out->list = data;
	if ((rc = check(out, is.n)) < 0)
		events_done(out);
	else
		out->n = is.n;
	return rc;
}

void
events_done(struct events *e)
{
	if (e->list != NULL)
		memfile_unmap(e->list, e->len);
	memset(e, 0, sizeof(*e));
}

const char *
event_word(uint32_t what)
{
	static const char *const words[DEVICE_HAPPENINGS] = {
		[DEVICE_ENROLLED] = "enrolled",
		[DEVICE_WITHDRAWN] = "withdrawn",
		[DEVICE_MOVED] = "class-changed",
		[DEVICE_REBOUND] = "rebound",
		[DEVICE_RENEWED] = "renewed",
		[DEVICE_QUARANTINED] = "quarantined",
		[DEVICE_RELEASED] = "released",
		[DEVICE_RESTRICTED] = "restricted",
		[DEVICE_PENDING] = "pending",
		[DEVICE_CONFIRMED] = "confirmed",
		[DEVICE_DISMISSED] = "dismissed",
	};

	return what < DEVICE_HAPPENINGS && words[what] != NULL ? words[what] : "?";
}

static const char *
mac_text(const uint8_t bytes[6], char buf[MAC_STRLEN])
{
	struct mac mac;

	memcpy(mac.bytes, bytes, sizeof(mac.bytes));
	return mac_format(&mac, buf);
}

/* Cause, authority, reason and evidence, as far as there are any. */
static void
say_cause(const struct view *v, const struct device_event *e, char *buf, size_t size)
{
	char cause[CAUSE_STRLEN];
	size_t at = 0;

	if (e->cause != 0)
		at = (size_t)snprintf(buf, size, "%s", word_cause(e->cause, cause));
	if (e->authority != 0 && at < size)
		at += (size_t)snprintf(buf + at, size - at, "%sby %s", at > 0 ? " " : "",
		    view_authority_name(v, e->authority));
	if ((e->reason != 0 || (e->cause & CAUSE_REVOKED) != 0) && at < size)
		at += (size_t)snprintf(buf + at, size - at, "%s%s", at > 0 ? ": " : "", word_crl_reason(e->reason));
	if (e->evidence != 0 && at < size)
		snprintf(buf + at, size - at, "; %s", word_evidence(e->evidence));
}

const char *
event_text(const struct view *v, const struct device_event *e, char buf[EVENT_STRLEN])
{
	char mac[2][MAC_STRLEN];
	size_t at;

	buf[0] = '\0';
	if (e->what == DEVICE_ENROLLED || e->what == DEVICE_WITHDRAWN)
		snprintf(buf, EVENT_STRLEN, "with revision %" PRIu64, e->revision);
	else if (e->what == DEVICE_MOVED)
		snprintf(buf, EVENT_STRLEN, "from class %s to %s", view_class_name(v, e->other), view_class_name(v, e->now));
	else if (e->what == DEVICE_REBOUND)
		snprintf(buf, EVENT_STRLEN, "from %s to %s", mac_text(e->old_mac, mac[0]), mac_text(e->mac, mac[1]));
	else if (e->what == DEVICE_RENEWED)
		snprintf(buf, EVENT_STRLEN, "other certificates, with revision %" PRIu64, e->revision);
	else
		say_cause(v, e, buf, EVENT_STRLEN);
	at = strlen(buf);
	if (e->words[0] != '\0' && at < EVENT_STRLEN)
		snprintf(buf + at, EVENT_STRLEN - at, "%s\"%s\"", at > 0 ? " " : "", e->words);
	return buf;
}

static json_t *
class_json(const struct view *v, uint32_t number, bool moved)
{
	return moved ? answer_text(view_class_name(v, number)) : json_null();
}

json_t *
event_json(const struct view *v, const struct device_event *e)
{
	bool moved = e->what == DEVICE_MOVED, rebound = e->what == DEVICE_REBOUND;
	char mac[2][MAC_STRLEN];

	return json_pack("{s:o, s:s, s:o, s:o, s:s?, s:s?, s:o, s:o, s:o, s:s?, s:s?, s:o, s:o}",
	    "at", answer_time(e->at), "what", event_word(e->what), "revision", answer_count(e->revision),
	    "cause", answer_cause(e->cause),
	    "reason", e->cause & CAUSE_REVOKED || e->reason != 0 ? word_crl_reason(e->reason) : NULL,
	    "evidence", e->evidence != 0 ? word_evidence_key(e->evidence) : NULL,
	    "authority", e->authority != 0 ? answer_text(view_authority_name(v, e->authority)) : json_null(),
	    "class_before", class_json(v, e->other, moved), "class", class_json(v, e->now, moved),
	    "mac_before", rebound ? mac_text(e->old_mac, mac[0]) : NULL, "mac", rebound ? mac_text(e->mac, mac[1]) : NULL,
	    "who", who_json(&e->who), "words", e->words[0] != '\0' ? answer_text(e->words) : json_null());
}
