/* SPDX-License-Identifier: GPL-2.0-or-later */
/* store.c -- durable files by rename, records by checksum. Decides nothing. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "pki/store.h"
#include "pki/store_record.h"

#define NAME_LEN   64
#define CLOCK_NAME "clock"

struct mark_record {
	struct store_identity identity;
	int64_t this_update;
	uint8_t number_len;
	uint8_t digest_len;
	uint8_t pad[2];
	uint8_t number[CRL_NUMBER_MAX];
	uint8_t digest[CRL_DIGEST_MAX];
	uint8_t key_digest[KEY_DIGEST_LEN];
};

static const char mark_magic[] = "CORDONh2", meta_magic[] = "CORDONm2", source_magic[] = "CORDONs1",
	clock_magic[] = "CORDONc1";

enum part { PART_CRL, PART_MARK, PART_META };

static const char *const suffixes[2][3] = {
	{ "full.der", "full.high", "full.meta" },
	{ "delta.der", "delta.high", "delta.meta" },
};

static const char *
name_of(char out[NAME_LEN], const char *id, bool delta, enum part part)
{
	snprintf(out, NAME_LEN, "%.32s.%s", id, suffixes[delta][part]);
	return out;
}

static const char *
part_name(char out[NAME_LEN], const char *source, uint32_t n)
{
	snprintf(out, NAME_LEN, "%.32s-%u.part", source, n);
	return out;
}

static const char *
source_name(char out[NAME_LEN], const char *source)
{
	snprintf(out, NAME_LEN, "%.32s.source", source);
	return out;
}

void
store_series_id(const struct store_identity *identity, char out[STORE_ID_LEN])
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	size_t i;

	SHA256((const uint8_t *)identity, sizeof(*identity), digest);
	for (i = 0; i < (STORE_ID_LEN - 1) / 2; i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

/* ---- records ------------------------------------------------------------ */

int
store_load_mark(int folder, const char *id, bool delta, struct store_mark *out)
{
	struct crl_highwater *hw = &out->highwater;
	struct mark_record r;
	char name[NAME_LEN];
	int rc;

	if ((rc = record_load(folder, name_of(name, id, delta, PART_MARK), mark_magic, &r, sizeof(r))) < 0)
		return rc;
	if (r.number_len > CRL_NUMBER_MAX || r.digest_len > CRL_DIGEST_MAX)
		return -EBADMSG;
	memset(out, 0, sizeof(*out));
	out->identity = r.identity;
	hw->valid = true;
	hw->this_update = r.this_update;
	hw->number_len = r.number_len;
	hw->digest_len = r.digest_len;
	memcpy(hw->number, r.number, sizeof(hw->number));
	memcpy(hw->digest, r.digest, sizeof(hw->digest));
	memcpy(hw->key_digest, r.key_digest, sizeof(hw->key_digest));
	return 0;
}

static int
mark_save(int folder, const char *id, bool delta, const struct store_mark *mark)
{
	const struct crl_highwater *hw = &mark->highwater;
	struct mark_record r;
	char name[NAME_LEN];

	memset(&r, 0, sizeof(r));
	r.identity = mark->identity;
	r.this_update = hw->this_update;
	r.number_len = hw->number_len;
	r.digest_len = hw->digest_len;
	memcpy(r.number, hw->number, sizeof(r.number));
	memcpy(r.digest, hw->digest, sizeof(r.digest));
	memcpy(r.key_digest, hw->key_digest, sizeof(r.key_digest));
	return record_save(folder, name_of(name, id, delta, PART_MARK), mark_magic, &r, sizeof(r));
}

int
store_load_meta(int folder, const char *id, bool delta, struct store_meta *out)
{
	struct store_meta meta;
	char name[NAME_LEN];
	int rc;

	rc = record_load(folder, name_of(name, id, delta, PART_META), meta_magic, &meta, sizeof(meta));
	if (rc == 0 && meta.digest_len > CRL_DIGEST_MAX)
		rc = -EBADMSG;
	if (rc == 0)
		*out = meta;
	return rc;
}

int
store_load_source(int folder, const char *source, struct store_source *out)
{
	char name[NAME_LEN];
	uint32_t i;
	int rc;

	rc = record_load(folder, source_name(name, source), source_magic, out, sizeof(*out));
	if (rc < 0)
		return rc;
	if (out->n_series > LIMIT_SERIES_PER_SOURCE)
		return -EBADMSG;
	for (i = 0; i < LIMIT_SERIES_PER_SOURCE; i++)
		out->series[i].series[STORE_ID_LEN - 1] = '\0';
	for (i = 0; i < LIMIT_URLS_PER_SOURCE; i++) {
		out->validators[i].etag[sizeof(out->validators[i].etag) - 1] = '\0';
		out->validators[i].last_modified[sizeof(out->validators[i].last_modified) - 1] = '\0';
	}
	return 0;
}

int
store_save_source(int folder, const char *source, const struct store_source *s)
{
	char name[NAME_LEN];

	return record_save(folder, source_name(name, source), source_magic, s, sizeof(*s));
}

int
store_load_clock(int folder, int64_t *floor_ms)
{
	return record_load(folder, CLOCK_NAME, clock_magic, floor_ms, sizeof(*floor_ms));
}

int
store_save_clock(int folder, int64_t floor_ms)
{
	return record_save(folder, CLOCK_NAME, clock_magic, &floor_ms, sizeof(floor_ms));
}

static int
forget(int folder, const char *id, bool delta, enum part part)
{
	char name[NAME_LEN];
	int rc = file_remove_at(folder, name_of(name, id, delta, part));

	return rc == -ENOENT ? 0 : rc;
}

int
store_forget_mark(int folder, const char *id, bool delta)
{
	return forget(folder, id, delta, PART_MARK);
}

int
store_forget_crl(int folder, const char *id, bool delta)
{
	int rc = forget(folder, id, delta, PART_META);

	return rc < 0 ? rc : forget(folder, id, delta, PART_CRL);
}

/* ---- files -------------------------------------------------------------- */

static int
folder_open(int folder, DIR **dir)
{
	int fd, rc;

	if ((fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return -errno;
	if ((*dir = fdopendir(fd)) == NULL) {
		rc = -errno;
		close(fd);
		return rc;
	}
	return 0;
}

static bool
ends_with(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	return n > m && strcmp(name + n - m, end) == 0;
}

/* Half-written ones, and those of the first format, one set for each address. */
static bool
is_rest(const char *name)
{
	static const char *const old[] = { ".crl", ".high", ".meta" };
	size_t i;

	if (ends_with(name, ".part") || ends_with(name, ".new"))
		return true;
	for (i = 0; i < sizeof(old) / sizeof(old[0]); i++)
		if (strspn(name, "0123456789abcdef") == STORE_ID_LEN - 1 &&
		    strcmp(name + STORE_ID_LEN - 1, old[i]) == 0)
			return true;
	return false;
}

int
store_clean(int folder)
{
	struct dirent *e;
	DIR *dir;
	int rc;

	if ((rc = folder_open(folder, &dir)) < 0)
		return rc;
	while ((e = readdir(dir)) != NULL)
		if (is_rest(e->d_name) && unlinkat(folder, e->d_name, 0) < 0 && errno != ENOENT)
			rc = -errno;
	closedir(dir);
	return rc;
}

static void
series_file(int folder, const char *name, void (*found)(void *arg, const char *id, bool delta), void *arg)
{
	char id[STORE_ID_LEN], mark[NAME_LEN];
	bool delta;

	if (strspn(name, "0123456789abcdef") != STORE_ID_LEN - 1)
		return;
	memcpy(id, name, sizeof(id) - 1);
	id[sizeof(id) - 1] = '\0';
	for (delta = false;; delta = true) {
		/* Who has a mark is told for that one. */
		if (strcmp(name + sizeof(id), suffixes[delta][PART_MARK]) == 0 ||
		    (strcmp(name + sizeof(id), suffixes[delta][PART_CRL]) == 0 &&
			faccessat(folder, name_of(mark, id, delta, PART_MARK), F_OK, 0) < 0))
			found(arg, id, delta);
		if (delta)
			return;
	}
}

int
store_list(int folder, void (*found)(void *arg, const char *id, bool delta), void *arg)
{
	struct dirent *e;
	DIR *dir;
	int rc;

	if ((rc = folder_open(folder, &dir)) < 0)
		return rc;
	while ((e = readdir(dir)) != NULL)
		if (strlen(e->d_name) > STORE_ID_LEN)
			series_file(folder, e->d_name, found, arg);
	closedir(dir);
	return 0;
}

int
store_open(int folder, const char *id, bool delta)
{
	char name[NAME_LEN];
	int fd;

	fd = openat(folder, name_of(name, id, delta, PART_CRL), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

int
store_temporary(int folder, const char *source, uint32_t n)
{
	char name[NAME_LEN];
	int fd;

	store_discard(folder, source, n);
	fd = openat(folder, part_name(name, source, n), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd < 0 ? -errno : fd;
}

int
store_temporary_again(int folder, const char *source, uint32_t n)
{
	char name[NAME_LEN];
	int fd = openat(folder, part_name(name, source, n), O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 ? -errno : fd;
}

void
store_discard(int folder, const char *source, uint32_t n)
{
	char name[NAME_LEN];

	(void)unlinkat(folder, part_name(name, source, n), 0);
}

int
store_install(int folder, const char *id, bool delta, const char *source, uint32_t n, int temporary,
    const struct store_mark *mark, const struct store_meta *meta)
{
	char from[NAME_LEN], to[NAME_LEN], name[NAME_LEN];
	int rc;

	if (fsync(temporary) < 0)
		return -errno;
	if (mark->highwater.valid && (rc = mark_save(folder, id, delta, mark)) < 0)
		return rc;
	if (renameat(folder, part_name(from, source, n), folder, name_of(to, id, delta, PART_CRL)) < 0)
		return -errno;
	/* Its replacement syncs the folder, for the CRL too. */
	return record_save(folder, name_of(name, id, delta, PART_META), meta_magic, meta, sizeof(*meta));
}
