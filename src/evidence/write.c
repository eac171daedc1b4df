/* SPDX-License-Identifier: GPL-2.0-or-later */
/* write.c -- the writer's side: batches of attempts, totals, retention.
 * Whatever fails leaves the store as it was before the call. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "evidence/parts.h"

#define VACUUM_PAGES "512"	/* given back to the disk after each step of a trim */

static int
begin(struct evidence *e)
{
	return evidence_exec(e, "BEGIN IMMEDIATE");
}

/* rc < 0 rolls back. A commit that fails rolls back too. */
static int
finish(struct evidence *e, int rc)
{
	if (rc == 0)
		rc = evidence_exec(e, "COMMIT");
	if (rc < 0 && !sqlite3_get_autocommit(e->db))
		(void)sqlite3_exec(e->db, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}

static void
bind_text(sqlite3_stmt *s, enum attempt_column c, const char *text)
{
	(void)sqlite3_bind_text(s, (int)c + 1, text, -1, SQLITE_STATIC);
}

static void
bind_int(sqlite3_stmt *s, enum attempt_column c, int64_t value)
{
	(void)sqlite3_bind_int64(s, (int)c + 1, value);
}

static void
bind_blob(sqlite3_stmt *s, enum attempt_column c, const void *data, size_t len)
{
	if (len == 0)
		(void)sqlite3_bind_null(s, (int)c + 1);
	else
		(void)sqlite3_bind_blob(s, (int)c + 1, data, (int)len, SQLITE_STATIC);
}

static void
bind_addr(sqlite3_stmt *s, enum attempt_column c, const struct addr *a)
{
	bind_blob(s, c, a->bytes, a->family == AF_INET ? 4 : a->family == AF_INET6 ? 16 : 0);
}

static void
bind_attempt(sqlite3_stmt *s, const struct attempt *a)
{
	if (a->id == 0)
		(void)sqlite3_bind_null(s, COLUMN_ID + 1);
	else
		bind_int(s, COLUMN_ID, a->id);
	bind_int(s, COLUMN_DEVICE, a->device);
	bind_text(s, COLUMN_DEVICE_NAME, a->device_name);
	bind_text(s, COLUMN_CLASS_NAME, a->class_name);
	bind_text(s, COLUMN_IDENTITY, attempt_identity_name(a->identity));
	bind_text(s, COLUMN_VERDICT, attempt_verdict_name(a->verdict));
	bind_text(s, COLUMN_REASON, attempt_reason_name(a->reason));
	bind_text(s, COLUMN_STATE, attempt_state_name(a->state));
	bind_text(s, COLUMN_HOOK, attempt_hook_name(a->hook));
	bind_int(s, COLUMN_FAMILY, a->family == AF_INET ? 4 : a->family == AF_INET6 ? 6 : 0);
	bind_int(s, COLUMN_PROTOCOL, a->protocol);
	bind_addr(s, COLUMN_SOURCE, &a->source);
	bind_addr(s, COLUMN_DESTINATION, &a->destination);
	bind_int(s, COLUMN_PORT, a->port);
	if (a->has_type)
		bind_int(s, COLUMN_ICMP_TYPE, a->icmp_type);
	else
		(void)sqlite3_bind_null(s, COLUMN_ICMP_TYPE + 1);
	bind_text(s, COLUMN_INTERFACE, a->interface);
	bind_blob(s, COLUMN_MAC, a->mac.bytes, a->has_mac ? sizeof(a->mac.bytes) : 0);
	bind_int(s, COLUMN_FIRST_MS, a->first_ms);
	bind_int(s, COLUMN_LAST_MS, a->last_ms);
	bind_int(s, COLUMN_PACKETS, (int64_t)a->packets);
	bind_int(s, COLUMN_BYTES, (int64_t)a->bytes);
	bind_int(s, COLUMN_REVISION, (int64_t)a->revision);
	bind_int(s, COLUMN_MARK, a->mark);
	bind_int(s, COLUMN_GROUP, a->group);
	bind_text(s, COLUMN_DETAIL, a->detail);
}

/* One step of a statement without rows; it is ready for the next afterwards. */
static int
run(struct evidence *e, sqlite3_stmt *s)
{
	int rc = evidence_errno(e, sqlite3_step(s));

	(void)sqlite3_reset(s);
	(void)sqlite3_clear_bindings(s);
	return rc;
}

static int
prepare_put_attempt(struct evidence *e)
{
	if (e->put_attempt != NULL)
		return 0;
	return evidence_prepare(e,
	    "INSERT INTO attempt (" ATTEMPT_COLUMNS ") VALUES"
	    " (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
	    " ON CONFLICT (id) DO UPDATE SET device = excluded.device,"
	    " device_name = excluded.device_name, class_name = excluded.class_name,"
	    " identity = excluded.identity, verdict = excluded.verdict,"
	    " reason = excluded.reason, state = excluded.state, hook = excluded.hook,"
	    " family = excluded.family, protocol = excluded.protocol,"
	    " source = excluded.source, destination = excluded.destination,"
	    " port = excluded.port, icmp_type = excluded.icmp_type,"
	    " interface = excluded.interface, mac = excluded.mac,"
	    " first_ms = excluded.first_ms, last_ms = excluded.last_ms,"
	    " packets = excluded.packets, bytes = excluded.bytes,"
	    " revision = excluded.revision, mark = excluded.mark,"
	    " log_group = excluded.log_group, detail = excluded.detail",
	    &e->put_attempt);
}

/* Ids that are given out stand negative until the commit, so that a failure can
 * take them back without a list of them. */
int
evidence_put_attempts(struct evidence *e, struct attempt *const *rows, size_t n)
{
	size_t done = 0;
	int rc;

	if (n == 0)
		return 0;
	if ((rc = prepare_put_attempt(e)) < 0 || (rc = begin(e)) < 0)
		return rc;
	for (; done < n && rc == 0; done++) {
		struct attempt *a = rows[done];

		bind_attempt(e->put_attempt, a);
		rc = run(e, e->put_attempt);
		if (rc == 0 && a->id == 0)
			a->id = -sqlite3_last_insert_rowid(e->db);
	}
	rc = finish(e, rc);
	for (size_t i = 0; i < done; i++)
		if (rows[i]->id < 0)
			rows[i]->id = rc == 0 ? -rows[i]->id : 0;
	return rc;
}

int
evidence_put_losses(struct evidence *e, const struct evidence_loss *losses, size_t n)
{
	int rc;

	if (n == 0)
		return 0;
	if (e->put_loss == NULL && (rc = evidence_prepare(e,
	    "INSERT OR REPLACE INTO loss (device, at_ms, total_packets, total_bytes,"
	    " overflow_packets, overflow_bytes) VALUES (?,?,?,?,?,?)", &e->put_loss)) < 0)
		return rc;
	if ((rc = begin(e)) < 0)
		return rc;
	for (size_t i = 0; i < n && rc == 0; i++) {
		(void)sqlite3_bind_int64(e->put_loss, 1, losses[i].device);
		(void)sqlite3_bind_int64(e->put_loss, 2, losses[i].at_ms);
		(void)sqlite3_bind_int64(e->put_loss, 3, (int64_t)losses[i].total_packets);
		(void)sqlite3_bind_int64(e->put_loss, 4, (int64_t)losses[i].total_bytes);
		(void)sqlite3_bind_int64(e->put_loss, 5, (int64_t)losses[i].overflow_packets);
		(void)sqlite3_bind_int64(e->put_loss, 6, (int64_t)losses[i].overflow_bytes);
		rc = run(e, e->put_loss);
	}
	return finish(e, rc);
}

/* ---- retention ---------------------------------------------------------- */

/* Rows leave at the low end alone, so the span of ids tells cheaply when there
 * cannot be too many; only then are they counted. */
static int
rows_above(struct evidence *e, uint64_t max_rows, int64_t *out)
{
	int64_t n;
	int rc;

	*out = 0;
	if (max_rows == 0)
		return 0;
	rc = evidence_int(e, "SELECT ifnull((SELECT max(id) FROM attempt)"
	    " - (SELECT min(id) FROM attempt) + 1, 0)", &n);
	if (rc < 0 || (uint64_t)n <= max_rows)
		return rc;
	if ((rc = evidence_int(e, "SELECT count(*) FROM attempt", &n)) < 0)
		return rc;
	if ((uint64_t)n > max_rows)
		*out = n - (int64_t)max_rows;
	return 0;
}

static int
bytes_in_use(struct evidence *e, int64_t *out)
{
	int64_t pages, unused, size;
	int rc;

	if ((rc = evidence_int(e, "PRAGMA page_count", &pages)) < 0 ||
	    (rc = evidence_int(e, "PRAGMA freelist_count", &unused)) < 0 ||
	    (rc = evidence_int(e, "PRAGMA page_size", &size)) < 0)
		return rc;
	*out = (pages - unused) * size;
	return 0;
}

/* The n oldest rows, and of the EVIDENCE_TRIM_STEP oldest those that ended too long ago. */
static int
delete_oldest(struct evidence *e, int64_t n, int64_t oldest_ms, size_t *deleted)
{
	sqlite3_stmt *s;
	int rc;

	rc = evidence_prepare(e,
	    "DELETE FROM attempt WHERE id IN ("
	    " SELECT id FROM (SELECT id, last_ms, row_number() OVER (ORDER BY id) AS place"
	    "  FROM attempt ORDER BY id LIMIT ?1) WHERE place <= ?2 OR last_ms < ?3)", &s);
	if (rc < 0)
		return rc;
	if ((rc = begin(e)) == 0) {
		(void)sqlite3_bind_int64(s, 1, EVIDENCE_TRIM_STEP);
		(void)sqlite3_bind_int64(s, 2, n);
		(void)sqlite3_bind_int64(s, 3, oldest_ms);
		rc = run(e, s);
		*deleted = rc == 0 ? (size_t)sqlite3_changes(e->db) : 0;
		rc = finish(e, rc);
	}
	sqlite3_finalize(s);
	return rc;
}

int
evidence_trim(struct evidence *e, const struct evidence_bounds *bounds, size_t *deleted)
{
	int64_t above, used;
	int rc;

	*deleted = 0;
	if ((rc = rows_above(e, bounds->max_rows, &above)) < 0 ||
	    (rc = bytes_in_use(e, &used)) < 0)
		return rc;
	if (bounds->max_bytes > 0 && used > bounds->max_bytes && above < EVIDENCE_TRIM_STEP)
		above = EVIDENCE_TRIM_STEP;
	if (above == 0 && bounds->oldest_ms == 0)
		return 0;
	if ((rc = delete_oldest(e, above, bounds->oldest_ms, deleted)) < 0)
		return rc;
	if (*deleted > 0)
		rc = evidence_exec(e, "PRAGMA incremental_vacuum(" VACUUM_PAGES ")");
	return rc;
}
