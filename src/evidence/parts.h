/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parts.h -- what the files of evidence/ share; for nobody else. */
#ifndef CORDON_EVIDENCE_PARTS_H
#define CORDON_EVIDENCE_PARTS_H

#include <sqlite3.h>

#include "evidence/store.h"

/* Columns in the order that both the upsert and the query use. */
#define ATTEMPT_COLUMNS \
	"id, device, device_name, class_name, identity, verdict, reason, state, hook, family, " \
	"protocol, source, destination, port, icmp_type, interface, mac, first_ms, last_ms, " \
	"packets, bytes, revision, mark, log_group, detail"

enum attempt_column {
	COLUMN_ID, COLUMN_DEVICE, COLUMN_DEVICE_NAME, COLUMN_CLASS_NAME, COLUMN_IDENTITY,
	COLUMN_VERDICT, COLUMN_REASON, COLUMN_STATE, COLUMN_HOOK, COLUMN_FAMILY, COLUMN_PROTOCOL,
	COLUMN_SOURCE, COLUMN_DESTINATION, COLUMN_PORT, COLUMN_ICMP_TYPE, COLUMN_INTERFACE,
	COLUMN_MAC, COLUMN_FIRST_MS, COLUMN_LAST_MS, COLUMN_PACKETS, COLUMN_BYTES, COLUMN_REVISION,
	COLUMN_MARK, COLUMN_GROUP, COLUMN_DETAIL, COLUMNS
};

struct evidence {
	sqlite3 *db;
	sqlite3_stmt *put_attempt;	/* prepared at first use */
	sqlite3_stmt *put_loss;
};

/* SQLite's answer as a negative errno. */
int evidence_errno(struct evidence *, int rc);

/* Run statements that return no rows. */
int evidence_exec(struct evidence *, const char *sql);

/* Run a statement whose first column is one integer. */
int evidence_int(struct evidence *, const char *sql, int64_t *out);

int evidence_prepare(struct evidence *, const char *sql, sqlite3_stmt **out);

/* schema.c: bring a store to the present version, or say why not. */
int schema_check(struct evidence *);
int schema_upgrade(struct evidence *);

#endif
