/* SPDX-License-Identifier: GPL-2.0-or-later */
/* schema.c -- the tables, and the way from each version to the next.
 * A released step is never edited: a change is a new step at the end. */
#include <errno.h>
#include <stdio.h>

#include "evidence/parts.h"

/* Addresses are 4 or 16 bytes, MACs 6; words as attempt.h has them; times in
 * milliseconds since 1970. AUTOINCREMENT: an id that was shown once never
 * names another row, also when the oldest ones have been deleted. */
static const char *const steps[] = {
	"CREATE TABLE attempt ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" device INTEGER NOT NULL,"
	" device_name TEXT NOT NULL,"
	" class_name TEXT NOT NULL,"
	" identity TEXT NOT NULL,"
	" verdict TEXT NOT NULL,"
	" reason TEXT NOT NULL,"
	" state TEXT NOT NULL,"
	" hook TEXT NOT NULL,"
	" family INTEGER NOT NULL,"	/* 4, 6; 0: unknown */
	" protocol INTEGER NOT NULL,"
	" source BLOB,"
	" destination BLOB,"
	" port INTEGER NOT NULL,"
	" icmp_type INTEGER,"
	" interface TEXT NOT NULL,"
	" mac BLOB,"
	" first_ms INTEGER NOT NULL,"
	" last_ms INTEGER NOT NULL,"
	" packets INTEGER NOT NULL,"
	" bytes INTEGER NOT NULL,"
	" revision INTEGER NOT NULL,"
	" mark INTEGER NOT NULL,"
	" log_group INTEGER NOT NULL,"
	" detail TEXT NOT NULL"
	") STRICT;"
	"CREATE INDEX attempt_device ON attempt (device, id);"
	"CREATE INDEX attempt_open ON attempt (id) WHERE state = 'open';"
	"CREATE TABLE loss ("
	" device INTEGER PRIMARY KEY,"
	" at_ms INTEGER NOT NULL,"
	" total_packets INTEGER NOT NULL,"
	" total_bytes INTEGER NOT NULL,"
	" overflow_packets INTEGER NOT NULL,"
	" overflow_bytes INTEGER NOT NULL"
	") STRICT;",

	/* Unknown devices; an address is its version (4 or 6) and its bytes. */
	"CREATE TABLE sighting ("
	" slot INTEGER PRIMARY KEY,"
	" mac BLOB NOT NULL,"
	" interface TEXT NOT NULL,"
	" first_ms INTEGER NOT NULL,"
	" last_ms INTEGER NOT NULL,"
	" packets INTEGER NOT NULL,"
	" addresses BLOB NOT NULL,"
	" more_addresses INTEGER NOT NULL,"
	" dhcp_name TEXT NOT NULL,"
	" dhcp_vendor TEXT NOT NULL,"
	" dhcp_list TEXT NOT NULL,"
	" dhcp_client TEXT NOT NULL,"
	" UNIQUE (mac, interface)"
	") STRICT;"
	"CREATE TABLE sighting_sums ("
	" id INTEGER PRIMARY KEY CHECK (id = 1),"
	" not_taken INTEGER NOT NULL,"
	" pushed_out INTEGER NOT NULL"
	") STRICT;",
};

#define SCHEMA_VERSION ((int64_t)(sizeof(steps) / sizeof(steps[0])))

int
schema_check(struct evidence *e)
{
	int64_t version;
	int rc;

	if ((rc = evidence_int(e, "PRAGMA user_version", &version)) < 0)
		return rc;
	if (version == 0)
		return -ENOENT;		/* the writer has not come that far */
	return version > SCHEMA_VERSION ? -EPROTO : 0;
}

static int
upgrade_step(struct evidence *e, int64_t version)
{
	char pragma[64];
	int rc;

	if ((rc = evidence_exec(e, steps[version])) < 0)
		return rc;
	snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %d", (int)version + 1);
	return evidence_exec(e, pragma);
}

int
schema_upgrade(struct evidence *e)
{
	int64_t version;
	int rc;

	if ((rc = evidence_exec(e, "BEGIN IMMEDIATE")) < 0)
		return rc;
	rc = evidence_int(e, "PRAGMA user_version", &version);
	if (rc == 0 && version > SCHEMA_VERSION)
		rc = -EPROTO;
	while (rc == 0 && version < SCHEMA_VERSION)
		rc = upgrade_step(e, version++);
	if (rc == 0)
		rc = evidence_exec(e, "COMMIT");
	if (rc < 0)
		(void)sqlite3_exec(e->db, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}
