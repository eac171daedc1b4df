/* SPDX-License-Identifier: GPL-2.0-or-later */
/* query.c -- bounded questions to the store. The words of a question are
 * constants here; whatever a caller brings is bound as a value. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "evidence/parts.h"

static void
column_text(sqlite3_stmt *s, enum attempt_column c, char *out, size_t size)
{
	const unsigned char *text = sqlite3_column_text(s, (int)c);

	snprintf(out, size, "%s", text != NULL ? (const char *)text : "");
}

static uint8_t
column_word(sqlite3_stmt *s, enum attempt_column c, int (*value_of)(const char *))
{
	int value = value_of((const char *)sqlite3_column_text(s, (int)c));

	return value < 0 ? 0 : (uint8_t)value;
}

static void
column_addr(sqlite3_stmt *s, enum attempt_column c, struct addr *out)
{
	const void *data = sqlite3_column_blob(s, (int)c);
	int len = sqlite3_column_bytes(s, (int)c);

	memset(out, 0, sizeof(*out));
	if (data == NULL || (len != 4 && len != 16))
		return;
	out->family = len == 4 ? AF_INET : AF_INET6;
	memcpy(out->bytes, data, (size_t)len);
}

static void
read_attempt(sqlite3_stmt *s, struct attempt *a)
{
	const void *mac = sqlite3_column_blob(s, COLUMN_MAC);
	int family = sqlite3_column_int(s, COLUMN_FAMILY);

	memset(a, 0, sizeof(*a));
	a->id = sqlite3_column_int64(s, COLUMN_ID);
	a->device = (uint32_t)sqlite3_column_int64(s, COLUMN_DEVICE);
	column_text(s, COLUMN_DEVICE_NAME, a->device_name, sizeof(a->device_name));
	column_text(s, COLUMN_CLASS_NAME, a->class_name, sizeof(a->class_name));
	a->identity = column_word(s, COLUMN_IDENTITY, attempt_identity_of);
	a->verdict = column_word(s, COLUMN_VERDICT, attempt_verdict_of);
	a->reason = column_word(s, COLUMN_REASON, attempt_reason_of);
	a->state = column_word(s, COLUMN_STATE, attempt_state_of);
	a->hook = column_word(s, COLUMN_HOOK, attempt_hook_of);
	a->family = family == 4 ? AF_INET : family == 6 ? AF_INET6 : 0;
	a->protocol = (uint8_t)sqlite3_column_int(s, COLUMN_PROTOCOL);
	column_addr(s, COLUMN_SOURCE, &a->source);
	column_addr(s, COLUMN_DESTINATION, &a->destination);
	a->port = (uint16_t)sqlite3_column_int(s, COLUMN_PORT);
	a->has_type = sqlite3_column_type(s, COLUMN_ICMP_TYPE) != SQLITE_NULL;
	a->icmp_type = (uint8_t)sqlite3_column_int(s, COLUMN_ICMP_TYPE);
	column_text(s, COLUMN_INTERFACE, a->interface, sizeof(a->interface));
	if (mac != NULL && sqlite3_column_bytes(s, COLUMN_MAC) == (int)sizeof(a->mac.bytes)) {
		memcpy(a->mac.bytes, mac, sizeof(a->mac.bytes));
		a->has_mac = 1;
	}
	a->first_ms = sqlite3_column_int64(s, COLUMN_FIRST_MS);
	a->last_ms = sqlite3_column_int64(s, COLUMN_LAST_MS);
	a->packets = (uint64_t)sqlite3_column_int64(s, COLUMN_PACKETS);
	a->bytes = (uint64_t)sqlite3_column_int64(s, COLUMN_BYTES);
	a->revision = (uint64_t)sqlite3_column_int64(s, COLUMN_REVISION);
	a->mark = (uint32_t)sqlite3_column_int64(s, COLUMN_MARK);
	a->group = (uint8_t)sqlite3_column_int(s, COLUMN_GROUP);
	column_text(s, COLUMN_DETAIL, a->detail, sizeof(a->detail));
}

/* One condition per part of the filter that is in use, so that the indexes serve. */
static int
build_query(const struct evidence_filter *f, char *out, size_t size)
{
	bool forward = f->after_id > 0;
	int n;

	n = snprintf(out, size, "SELECT " ATTEMPT_COLUMNS " FROM (SELECT * FROM attempt WHERE id > ?1"
	    "%s%s%s%s%s%s ORDER BY id%s LIMIT ?8) ORDER BY id",
	    f->device != 0 ? " AND device = ?2" : "",
	    f->device_name != NULL ? " AND device_name = ?3" : "",
	    f->since_ms != 0 ? " AND last_ms >= ?4" : "",
	    f->until_ms != 0 ? " AND first_ms < ?5" : "",
	    f->reason != REASON_NONE ? " AND reason = ?6" : "",
	    f->state != ATTEMPT_ANY ? (f->state == ATTEMPT_OPEN ? " AND state = 'open'" :
	    " AND state = ?7") : "",
	    forward ? "" : " DESC");
	return n < (int)size ? 0 : -E2BIG;
}

int
evidence_query_attempts(struct evidence *e, const struct evidence_filter *f, evidence_attempt_fn *fn, void *arg)
{
	uint32_t limit = f->limit == 0 || f->limit > EVIDENCE_QUERY_MAX ? EVIDENCE_QUERY_MAX : f->limit;
	char sql[1024];
	sqlite3_stmt *s;
	int rc, step;

	if ((rc = build_query(f, sql, sizeof(sql))) < 0 || (rc = evidence_prepare(e, sql, &s)) < 0)
		return rc;
	/* A value whose condition is not in use has no parameter: the error is of no interest. */
	(void)sqlite3_bind_int64(s, 1, f->after_id);
	(void)sqlite3_bind_int64(s, 2, f->device);
	(void)sqlite3_bind_text(s, 3, f->device_name, -1, SQLITE_STATIC);
	(void)sqlite3_bind_int64(s, 4, f->since_ms);
	(void)sqlite3_bind_int64(s, 5, f->until_ms);
	(void)sqlite3_bind_text(s, 6, attempt_reason_name(f->reason), -1, SQLITE_STATIC);
	(void)sqlite3_bind_text(s, 7, attempt_state_name(f->state), -1, SQLITE_STATIC);
	(void)sqlite3_bind_int64(s, 8, limit);
	while ((step = sqlite3_step(s)) == SQLITE_ROW) {
		struct attempt a;

		read_attempt(s, &a);
		if ((rc = fn(arg, &a)) != 0)
			break;
	}
	if (rc == 0)
		rc = evidence_errno(e, step);
	sqlite3_finalize(s);
	return rc;
}

int
evidence_query_losses(struct evidence *e, evidence_loss_fn *fn, void *arg)
{
	sqlite3_stmt *s;
	int rc, step;

	rc = evidence_prepare(e, "SELECT device, at_ms, total_packets, total_bytes, overflow_packets,"
	    " overflow_bytes FROM loss ORDER BY device", &s);
	if (rc < 0)
		return rc;
	while ((step = sqlite3_step(s)) == SQLITE_ROW) {
		struct evidence_loss l = {
			.device = (uint32_t)sqlite3_column_int64(s, 0),
			.at_ms = sqlite3_column_int64(s, 1),
			.total_packets = (uint64_t)sqlite3_column_int64(s, 2),
			.total_bytes = (uint64_t)sqlite3_column_int64(s, 3),
			.overflow_packets = (uint64_t)sqlite3_column_int64(s, 4),
			.overflow_bytes = (uint64_t)sqlite3_column_int64(s, 5),
		};

		if ((rc = fn(arg, &l)) != 0)
			break;
	}
	if (rc == 0)
		rc = evidence_errno(e, step);
	sqlite3_finalize(s);
	return rc;
}

int
evidence_last_id(struct evidence *e, int64_t *out)
{
	return evidence_int(e, "SELECT ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'attempt'), 0)",
	    out);
}
