/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attempts.c -- attempts from the store, as table rows and as JSON.
 * Devices chose much of what stands in them. */
#include "ctl/attempts.h"

#include <errno.h>
#include <grp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "ctl/answer.h"
#include "ctl/client.h"

#define FLUSH_TIMEOUT_MS 15000

int
attempts_flush(const struct ctl *c)
{
	struct ctl_empty nothing = { 0 };
	struct client cl;
	int rc;

	if ((rc = client_connect(c, &cl)) < 0)
		return rc;
	rc = client_ask(&cl, MSG_CTL_FLUSH, &nothing, sizeof(nothing), MSG_CTL_DONE, FLUSH_TIMEOUT_MS);
	client_close(&cl);
	return rc;
}

int
attempts_since(struct ctl *c, int64_t *since_ms)
{
	const char *since = args_value(c->args, OPT_SINCE);
	struct clock_view now;
	int64_t ago;

	*since_ms = 0;
	if (since != NULL && args_duration(since, &ago) == 0) {
		clock_now(&now);
		*since_ms = now.wall_ms > ago ? now.wall_ms - ago : 1;
	} else if (since != NULL && args_rfc3339(since, since_ms) < 0) {
		return ctl_fail(c, EXIT_USAGE, "--since %s: 90s, 15m, 1h or 7d ago, or a time as "
		    "2026-11-22T11:20:59Z", since);
	}
	return 0;
}

static int
may_not_read(struct ctl *c, const char *folder)
{
	struct stat st;
	struct group *gr = stat(folder, &st) == 0 && st.st_gid != 0 ? getgrgid(st.st_gid) : NULL;

	return ctl_fail(c, EXIT_MISTAKES, "you may not read the evidence in %s: it is for root%s%s; use sudo%s",
	    folder, gr != NULL ? " and the group " : "", gr != NULL ? gr->gr_name : "",
	    gr != NULL ? ", or have yourself added to the group" : "");
}

int
attempts_open(struct ctl *c, struct evidence **out)
{
	char folder[4096];
	int rc;

	if (snprintf(folder, sizeof(folder), "%s/evidence", c->state) >= (int)sizeof(folder))
		return ctl_fail(c, EXIT_USAGE, "--state: the path is too long");
	switch (-(rc = evidence_open(folder, EVIDENCE_READ, out))) {
	case 0:
		return 0;
	case ENOENT:
		return ctl_fail(c, EXIT_MISTAKES, "no evidence in %s yet: cordon-flow makes it when cordond runs; "
		    "or say where with --state DIR", folder);
	case EACCES:
	case EPERM:
		return may_not_read(c, folder);
	case EPROTO:
		return ctl_fail(c, EXIT_MISTAKES, "the evidence in %s was written by a newer version of cordon", folder);
	case EBADMSG:
		return ctl_fail(c, EXIT_MISTAKES, "the evidence in %s is damaged: cordon-flow sets it aside and begins "
		    "anew when it starts", folder);
	default:
		return ctl_fail(c, EXIT_MISTAKES, "the evidence in %s cannot be read: %s", folder, strerror(-rc));
	}
}

/* ---- one attempt -------------------------------------------------------- */

/* The device as it was called then, or the stranger's MAC. */
static const char *
who(const struct attempt *a, char buf[LIMIT_NAME])
{
	if (a->device_name[0] != '\0')
		return a->device_name;
	return a->has_mac ? mac_format(&a->mac, buf) : "?";
}

static const char *
addr_text(const struct addr *a, char buf[ADDR_STRLEN])
{
	return a->family == 0 ? "?" : addr_format(a, buf);
}

/* Not so counts of a device without a key, and clones: these are places, of
 * which the detail tells. */
static bool
has_packet(const struct attempt *a)
{
	return a->family != 0 && a->reason != REASON_CLONE;
}

static const char *
service_text(const struct attempt *a, char *buf, size_t size)
{
	char protocol[PROTOCOL_STRLEN];

	word_protocol(a->protocol, protocol);
	if (!has_packet(a))
		snprintf(buf, size, "-");
	else if (a->has_type)
		snprintf(buf, size, "%s type %u", protocol, a->icmp_type);
	else if (a->port != 0)
		snprintf(buf, size, "%s/%u", protocol, a->port);
	else
		snprintf(buf, size, "%s", protocol);
	return buf;
}

void
attempts_table(struct table *t)
{
	static const char *const heads[] = { "LAST (UTC)", "DEVICE", "CLASS", "REASON", "SOURCE", "DESTINATION",
		"SERVICE", ">PACKETS", ">BYTES", NULL };

	table_init(t, heads);
}

void
attempts_make_room(struct table *t)
{
	static const size_t widths[] = { 19, 20, 18, 14, 15, 18, 9, 7, 9 };
	size_t i;

	for (i = 0; i < t->n_columns && i < sizeof(widths) / sizeof(widths[0]); i++)
		if (t->widths[i] < widths[i])
			t->widths[i] = widths[i];
}

void
attempts_row(struct table *t, const struct attempt *a)
{
	char time[TIME_STRLEN], name[LIMIT_NAME], addr[ADDR_STRLEN], service[48], n[COUNT_STRLEN];
	/* Closed without a last count from the kernel: there were at least so many. */
	const char *least = a->state == ATTEMPT_LAPSED ? ">=" : "";

	table_cell(t, format_time(a->last_ms, time));
	table_cellf(t, "%s%s", who(a, name), a->identity == IDENTITY_CLAIMED ? " (claimed)" : "");
	table_cell(t, a->class_name[0] != '\0' ? a->class_name : "-");
	table_cellf(t, "%s%s", attempt_reason_name(a->reason), a->verdict == VERDICT_AUDITED ? " (audited)" : "");
	table_cell(t, addr_text(&a->source, addr));
	if (a->reason == REASON_CLONE)
		table_cell(t, a->detail[0] != '\0' ? a->detail : a->interface);	/* "on lan0 and lan1" */
	else
		table_cellf(t, "-> %s", addr_text(&a->destination, addr));
	table_cell(t, service_text(a, service, sizeof(service)));
	if (a->reason == REASON_CLONE) {
		table_cell(t, "-");
		table_cell(t, "-");
	} else {
		table_cellf(t, "%s%s", least, format_count(a->packets, n));
		table_cellf(t, "%s%s", least, format_count(a->bytes, n));
	}
}

static json_t *
addr_json(const struct addr *a)
{
	char text[ADDR_STRLEN];

	return a->family == 0 ? json_null() : json_string(addr_format(a, text));
}

static json_t *
text_or_null(const char *text)
{
	return text[0] == '\0' ? json_null() : answer_text(text);
}

json_t *
attempts_json(const struct attempt *a)
{
	char mac[MAC_STRLEN], protocol[PROTOCOL_STRLEN];

	return json_pack("{s:I, s:o, s:o, s:o, s:o, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:s?, s:o, s:s?, s:o, s:o, "
	    "s:o, s:o, s:o, s:o}",
	    "id", (json_int_t)a->id, "first", answer_time(a->first_ms), "last", answer_time(a->last_ms),
	    "device", text_or_null(a->device_name), "class", text_or_null(a->class_name),
	    "reason", attempt_reason_name(a->reason), "verdict", attempt_verdict_name(a->verdict),
	    "identity", attempt_identity_name(a->identity), "state", attempt_state_name(a->state),
	    "hook", attempt_hook_name(a->hook),
	    "source", addr_json(&a->source), "destination", addr_json(&a->destination),
	    "protocol", has_packet(a) ? word_protocol(a->protocol, protocol) : NULL,
	    "port", a->port != 0 ? json_integer(a->port) : json_null(),
	    "mac", a->has_mac ? mac_format(&a->mac, mac) : NULL,
	    "icmp_type", a->has_type ? json_integer(a->icmp_type) : json_null(),
	    "interface", text_or_null(a->interface), "packets", answer_count(a->packets),
	    "bytes", answer_count(a->bytes), "revision", answer_count(a->revision),
	    "detail", text_or_null(a->detail));
}
