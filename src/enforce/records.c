/* SPDX-License-Identifier: GPL-2.0-or-later */
/* records.c -- magic, what a record holds, checksum; one after another. */
#include "enforce/records.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/digest.h"
#include "common/file.h"

#define HEAD	8	/* magic, and four bytes that are zero */
#define CHECK	8	/* of a digest of what is before */
static_assert(HEAD + CHECK == RECORD_FRAME, "frame");

static size_t
record_len(const struct record_kind *k)
{
	return HEAD + k->size + CHECK;
}

static void
check_of(const struct record_kind *k, const uint8_t *record, uint8_t check[CHECK])
{
	uint8_t digest[DIGEST_LEN];

	digest_of(record, HEAD + k->size, digest);
	memcpy(check, digest, CHECK);
}

static void
record_make(const struct record_kind *k, const void *held, uint8_t *out)
{
	memset(out, 0, HEAD);
	memcpy(out, &k->magic, sizeof(k->magic));
	memcpy(out + HEAD, held, k->size);
	check_of(k, out, out + HEAD + k->size);
}

/* Copied to *held, which is aligned, when it is good. */
static bool
record_good(const struct record_kind *k, const uint8_t *record, void *held)
{
	uint8_t check[CHECK];

	if (memcmp(record, &k->magic, sizeof(k->magic)) != 0)
		return false;
	check_of(k, record, check);
	if (memcmp(check, record + HEAD + k->size, CHECK) != 0)
		return false;
	memcpy(held, record + HEAD, k->size);
	return k->sound(held);
}

int
records_load(int dirfd, const struct record_kind *k, void **out, size_t *n, uint32_t *damaged)
{
	uint8_t *bytes = NULL, *held;
	size_t len = 0, size = record_len(k), all = 0;
	bool in_damage = false;
	int rc = file_read_at(dirfd, k->file, k->max, &bytes, &len);

	*n = 0;
	*damaged = 0;
	if (rc < 0 && rc != -ENOENT)
		return rc;
	if ((held = calloc(len / size + 1, k->size)) == NULL) {
		free(bytes);
		return -ENOMEM;
	}
	/* A full disk leaves a part of a record, and whole ones may stand behind it:
	 * the next good one may begin anywhere. */
	for (size_t at = 0; at + size <= len;) {
		if (record_good(k, bytes + at, held + all * k->size)) {
			all++;
			at += size;
			in_damage = false;
		} else {
			*damaged += !in_damage;
			in_damage = true;
			at++;
		}
	}
	free(bytes);
	*out = held;
	*n = all;
	return 0;
}

static uint8_t *
records_make(const struct record_kind *k, const void *records, size_t n)
{
	uint8_t *out = calloc(n + 1, record_len(k));

	for (size_t i = 0; out != NULL && i < n; i++)
		record_make(k, (const uint8_t *)records + i * k->size, out + i * record_len(k));
	return out;
}

int
records_append(int dirfd, const struct record_kind *k, const void *records, size_t n)
{
	uint8_t *bytes = records_make(k, records, n);
	int fd, rc;

	if (bytes == NULL)
		return -ENOMEM;
	fd = openat(dirfd, k->file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	rc = fd == -1 ? -errno : file_write_all(fd, bytes, n * record_len(k));
	if (rc == 0 && fdatasync(fd) == -1)
		rc = -errno;
	if (fd != -1)
		close(fd);
	free(bytes);
	return rc;
}

int
records_rewrite(int dirfd, const struct record_kind *k, const void *records, size_t n)
{
	uint8_t *bytes = records_make(k, records, n);
	int rc;

	if (bytes == NULL)
		return -ENOMEM;
	rc = file_replace_at(dirfd, k->file, bytes, n * record_len(k), 0600);
	free(bytes);
	return rc;
}
