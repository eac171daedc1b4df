/* SPDX-License-Identifier: GPL-2.0-or-later */
/* store.c -- open and close the evidence store.
 * Write-ahead log: the writer never waits for a reader, nor a reader for it. */
#include "evidence/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "evidence/parts.h"

#define BUSY_MS 2000

int
evidence_errno(struct evidence *e, int rc)
{
	int sys = e->db != NULL ? sqlite3_system_errno(e->db) : 0;

	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EBADMSG;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return -EACCES;
	case SQLITE_CANTOPEN:
	case SQLITE_IOERR:
		return sys > 0 ? -sys : -EIO;
	default:
		return -EIO;
	}
}

int
evidence_exec(struct evidence *e, const char *sql)
{
	return evidence_errno(e, sqlite3_exec(e->db, sql, NULL, NULL, NULL));
}

int
evidence_prepare(struct evidence *e, const char *sql, sqlite3_stmt **out)
{
	return evidence_errno(e, sqlite3_prepare_v2(e->db, sql, -1, out, NULL));
}

int
evidence_int(struct evidence *e, const char *sql, int64_t *out)
{
	sqlite3_stmt *s;
	int rc, step;

	if ((rc = evidence_prepare(e, sql, &s)) < 0)
		return rc;
	step = sqlite3_step(s);
	if (step == SQLITE_ROW)
		*out = sqlite3_column_int64(s, 0);
	rc = step == SQLITE_DONE ? -EIO : evidence_errno(e, step);
	sqlite3_finalize(s);
	return rc;
}

const char *
evidence_error(const struct evidence *e)
{
	return e->db != NULL ? sqlite3_errmsg(e->db) : "not open";
}

/* SQLite turns every name into an absolute one, and so asks for the right to
 * walk there from the root. A process that was handed its folder has no such
 * right and needs none: this VFS is the usual one, but leaves names alone. */
static int
keep_pathname(sqlite3_vfs *vfs, const char *name, int n, char *out)
{
	(void)vfs;
	return snprintf(out, (size_t)n, "%s", name) < n ? SQLITE_OK : SQLITE_CANTOPEN;
}

static const char *
relative_vfs(void)
{
	static sqlite3_vfs vfs;

	if (vfs.zName == NULL) {
		const sqlite3_vfs *usual;

		if (sqlite3_initialize() != SQLITE_OK || (usual = sqlite3_vfs_find(NULL)) == NULL)
			return NULL;
		vfs = *usual;
		vfs.pNext = NULL;
		vfs.zName = "cordon";
		vfs.xFullPathname = keep_pathname;
		if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK) {
			vfs.zName = NULL;
			return NULL;
		}
	}
	return vfs.zName;
}

static int
store_path(const char *folder, const char *name, char *out, size_t size)
{
	int n;

	if (strcmp(folder, ".") == 0)
		n = snprintf(out, size, "%s", name);
	else
		n = snprintf(out, size, "%s/%s", folder, name);
	return n < (int)size ? 0 : -ENAMETOOLONG;
}

/* SQLite gives its other files the mode of this one. */
static int
make_file(const char *path)
{
	int fd, rc = 0;

	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, EVIDENCE_MODE);
	if (fd == -1)
		return errno == EEXIST ? 0 : -errno;
	if (fchmod(fd, EVIDENCE_MODE) == -1)
		rc = -errno;
	close(fd);
	return rc;
}

static int
set_up_writer(struct evidence *e)
{
	int persist = 1, rc;

	/* Readers without the right to write in the folder need the log's files
	 * to be there, so they stay when the last connection closes. */
	(void)sqlite3_file_control(e->db, "main", SQLITE_FCNTL_PERSIST_WAL, &persist);
	rc = evidence_exec(e,
	    "PRAGMA auto_vacuum = INCREMENTAL;"
	    "PRAGMA journal_mode = WAL;"
	    "PRAGMA synchronous = NORMAL;"
	    "PRAGMA journal_size_limit = 8388608;"
	    "PRAGMA temp_store = MEMORY;"
	    "PRAGMA cell_size_check = ON;"
	    "PRAGMA trusted_schema = OFF;");
	return rc < 0 ? rc : schema_upgrade(e);
}

static int
set_up_reader(struct evidence *e)
{
	int rc = evidence_exec(e,
	    "PRAGMA query_only = ON;"
	    "PRAGMA temp_store = MEMORY;"
	    "PRAGMA trusted_schema = OFF;");

	return rc < 0 ? rc : schema_check(e);
}

int
evidence_open(const char *folder, enum evidence_access access, struct evidence **out)
{
	bool write = access == EVIDENCE_WRITE;
	const char *vfs = relative_vfs();
	char path[PATH_MAX];
	struct evidence *e;
	struct stat st;
	int rc;

	if (vfs == NULL)
		return -ENOMEM;
	if ((rc = store_path(folder, EVIDENCE_FILE, path, sizeof(path))) < 0)
		return rc;
	if (write && (rc = make_file(path)) < 0)
		return rc;
	if (stat(path, &st) == -1)
		return -errno;
	if ((e = calloc(1, sizeof(*e))) == NULL)
		return -ENOMEM;
	rc = sqlite3_open_v2(path, &e->db, SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
	    (write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY), vfs);
	if ((rc = evidence_errno(e, rc)) < 0)
		goto fail;
	(void)sqlite3_busy_timeout(e->db, BUSY_MS);
	(void)sqlite3_db_config(e->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	if ((rc = write ? set_up_writer(e) : set_up_reader(e)) < 0)
		goto fail;
	*out = e;
	return 0;
fail:
	evidence_close(e);
	return rc;
}

void
evidence_close(struct evidence *e)
{
	if (e == NULL)
		return;
	sqlite3_finalize(e->put_attempt);
	sqlite3_finalize(e->put_loss);
	(void)sqlite3_close(e->db);
	free(e);
}

int
evidence_set_aside(const char *folder, int64_t now_ms)
{
	static const char *const suffixes[] = { "-wal", "-shm", "" };
	char from[PATH_MAX], to[PATH_MAX], name[64];
	int rc;

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		snprintf(name, sizeof(name), "%s%s", EVIDENCE_FILE, suffixes[i]);
		if ((rc = store_path(folder, name, from, sizeof(from))) < 0)
			return rc;
		snprintf(name, sizeof(name), "%s.damaged-%lld%s", EVIDENCE_FILE, (long long)now_ms,
		    suffixes[i]);
		if ((rc = store_path(folder, name, to, sizeof(to))) < 0)
			return rc;
		if (rename(from, to) == -1 && errno != ENOENT)
			return -errno;
	}
	return 0;
}
