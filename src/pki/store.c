/* SPDX-License-Identifier: GPL-2.0-or-later */
/* store.c -- durable files by rename, records by checksum. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "pki/source.h"
#include "pki/store.h"

#define NAME_LEN (SOURCE_ID_LEN + 8)

struct record_head {
	uint8_t magic[8];	/* kind and version */
	uint8_t sum[SHA256_DIGEST_LENGTH];	/* of what follows */
};

struct highwater_record {
	struct record_head head;
	struct {
		int64_t this_update;
		uint8_t number_len;
		uint8_t digest_len;
		uint8_t pad[2];
		uint8_t number[CRL_NUMBER_MAX];
		uint8_t digest[CRL_DIGEST_MAX];
		uint8_t key_digest[KEY_DIGEST_LEN];
	} body;
};

struct meta_record {
	struct record_head head;
	struct store_meta body;
};

static const uint8_t highwater_magic[8] = "CORDONh1";
static const uint8_t meta_magic[8] = "CORDONm1";

static const char *
name_of(char out[NAME_LEN], const char *id, const char *suffix)
{
	snprintf(out, NAME_LEN, "%s.%s", id, suffix);
	return out;
}

/* ---- records ------------------------------------------------------------ */

static int
record_save(int folder, const char *name, const uint8_t magic[8], void *record, size_t len)
{
	struct record_head *head = record;

	memcpy(head->magic, magic, sizeof(head->magic));
	SHA256((const uint8_t *)(head + 1), len - sizeof(*head), head->sum);
	return file_replace_at(folder, name, record, len, 0600);
}

static int
record_load(int folder, const char *name, const uint8_t magic[8], void *record, size_t len)
{
	struct record_head head;
	uint8_t sum[SHA256_DIGEST_LENGTH], *data = NULL;
	size_t n = 0;
	int rc;

	rc = file_read_at(folder, name, len, &data, &n);
	if (rc == -EFBIG || (rc == 0 && n != len))
		rc = -EBADMSG;
	if (rc < 0)
		goto out;
	memcpy(&head, data, sizeof(head));
	SHA256(data + sizeof(head), len - sizeof(head), sum);
	if (memcmp(head.magic, magic, sizeof(head.magic)) != 0 ||
	    memcmp(head.sum, sum, sizeof(sum)) != 0)
		rc = -EBADMSG;
	else
		memcpy(record, data, len);
out:
	free(data);
	return rc;
}

int
store_load_highwater(int folder, const char *id, struct crl_highwater *out)
{
	struct highwater_record r;
	char name[NAME_LEN];
	int rc;

	rc = record_load(folder, name_of(name, id, "high"), highwater_magic, &r, sizeof(r));
	if (rc < 0)
		return rc;
	if (r.body.number_len > CRL_NUMBER_MAX || r.body.digest_len > CRL_DIGEST_MAX)
		return -EBADMSG;
	memset(out, 0, sizeof(*out));
	out->valid = true;
	out->this_update = r.body.this_update;
	out->number_len = r.body.number_len;
	out->digest_len = r.body.digest_len;
	memcpy(out->number, r.body.number, sizeof(out->number));
	memcpy(out->digest, r.body.digest, sizeof(out->digest));
	memcpy(out->key_digest, r.body.key_digest, sizeof(out->key_digest));
	return 0;
}

static int
highwater_save(int folder, const char *id, const struct crl_highwater *hw)
{
	struct highwater_record r;
	char name[NAME_LEN];

	memset(&r, 0, sizeof(r));
	r.body.this_update = hw->this_update;
	r.body.number_len = hw->number_len;
	r.body.digest_len = hw->digest_len;
	memcpy(r.body.number, hw->number, sizeof(r.body.number));
	memcpy(r.body.digest, hw->digest, sizeof(r.body.digest));
	memcpy(r.body.key_digest, hw->key_digest, sizeof(r.body.key_digest));
	return record_save(folder, name_of(name, id, "high"), highwater_magic, &r, sizeof(r));
}

int
store_load_meta(int folder, const char *id, struct store_meta *out)
{
	struct meta_record r;
	char name[NAME_LEN];
	int rc;

	rc = record_load(folder, name_of(name, id, "meta"), meta_magic, &r, sizeof(r));
	if (rc < 0)
		return rc;
	r.body.etag[sizeof(r.body.etag) - 1] = '\0';
	r.body.last_modified[sizeof(r.body.last_modified) - 1] = '\0';
	if (r.body.digest_len > CRL_DIGEST_MAX)
		return -EBADMSG;
	*out = r.body;
	return 0;
}

/* ---- files -------------------------------------------------------------- */

static bool
ends_with(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	return n > m && strcmp(name + n - m, end) == 0;
}

int
store_clean(int folder)
{
	struct dirent *e;
	DIR *dir;
	int fd, rc = 0;

	if ((fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return -errno;
	if ((dir = fdopendir(fd)) == NULL) {
		rc = -errno;
		close(fd);
		return rc;
	}
	while ((e = readdir(dir)) != NULL)
		if ((ends_with(e->d_name, ".part") || ends_with(e->d_name, ".new")) &&
		    unlinkat(folder, e->d_name, 0) < 0 && errno != ENOENT)
			rc = -errno;
	closedir(dir);
	return rc;
}

int
store_open(int folder, const char *id)
{
	char name[NAME_LEN];
	int fd;

	fd = openat(folder, name_of(name, id, "crl"), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

int
store_temporary(int folder, const char *id)
{
	char name[NAME_LEN];
	int fd;

	store_discard(folder, id);
	fd = openat(folder, name_of(name, id, "part"), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
	    0600);
	return fd < 0 ? -errno : fd;
}

void
store_discard(int folder, const char *id)
{
	char name[NAME_LEN];

	(void)unlinkat(folder, name_of(name, id, "part"), 0);
}

int
store_install(int folder, const char *id, int temporary, const struct crl_highwater *hw,
    const struct store_meta *meta)
{
	char from[NAME_LEN], to[NAME_LEN], name[NAME_LEN];
	struct meta_record r;
	int rc;

	if (fsync(temporary) < 0)
		return -errno;
	if ((rc = highwater_save(folder, id, hw)) < 0)
		return rc;
	if (renameat(folder, name_of(from, id, "part"), folder, name_of(to, id, "crl")) < 0)
		return -errno;
	/* Its replacement syncs the folder, for the CRL too. */
	memset(&r, 0, sizeof(r));
	r.body = *meta;
	return record_save(folder, name_of(name, id, "meta"), meta_magic, &r, sizeof(r));
}
