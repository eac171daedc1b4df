/* SPDX-License-Identifier: GPL-2.0-or-later */
/* journal.c -- the quarantine journal on disk. */
#include "enforce/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/digest.h"
#include "common/file.h"

#define JOURNAL		"stations.journal"
#define JOURNAL_MAX	(256U << 20)
#define MAGIC		0x314a5143U	/* "CQJ1" */

struct record {
	uint32_t magic;
	uint32_t pad;
	struct standing s;
	uint8_t check[8];	/* of a SHA-256 over what is before */
};

static void
check_of(const struct record *r, uint8_t check[8])
{
	uint8_t digest[DIGEST_LEN];

	digest_sha256(r, offsetof(struct record, check), digest);
	memcpy(check, digest, 8);
}

static void
record_make(struct record *r, const struct standing *s)
{
	memset(r, 0, sizeof(*r));
	r->magic = MAGIC;
	r->s = *s;
	check_of(r, r->check);
}

static bool
record_good(const struct record *r)
{
	uint8_t check[8];

	if (r->magic != MAGIC)
		return false;
	check_of(r, check);
	return memcmp(check, r->check, sizeof(check)) == 0 &&
	    memchr(r->s.words, '\0', sizeof(r->s.words)) != NULL;
}

struct placed {
	struct standing s;
	size_t place;		/* in the file */
};

static int
by_number(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;

	if (x->s.number != y->s.number)
		return x->s.number < y->s.number ? -1 : 1;
	return x->place < y->place ? -1 : x->place > y->place;
}

/* Of each device the last record, if it says quarantined. */
static size_t
keep_last(const struct placed *p, size_t n, struct standing *out)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if ((i + 1 == n || p[i + 1].s.number != p[i].s.number) && p[i].s.cause != 0)
			out[kept++] = p[i].s;
	return kept;
}

int
journal_load(int dirfd, struct standing **out, size_t *n, uint32_t *damaged)
{
	struct placed *placed = NULL;
	struct standing *s = NULL;
	uint8_t *p = NULL;
	size_t len = 0, room, all = 0;
	bool in_damage = false;
	int rc = file_read_at(dirfd, JOURNAL, JOURNAL_MAX, &p, &len);

	*damaged = 0;
	if (rc < 0 && rc != -ENOENT)
		return rc;
	room = len / sizeof(struct record) + 1;
	placed = calloc(room, sizeof(*placed));
	s = calloc(room, sizeof(*s));
	if (placed == NULL || s == NULL) {
		rc = -ENOMEM;
		goto out;
	}
	/* A full disk leaves a part of a record, and whole ones may stand behind it:
	 * the next good one may begin anywhere. */
	for (size_t at = 0; at + sizeof(struct record) <= len;) {
		struct record r;

		memcpy(&r, p + at, sizeof(r));
		if (record_good(&r)) {
			placed[all].s = r.s;
			placed[all].place = all;
			all++;
			at += sizeof(r);
			in_damage = false;
		} else {
			*damaged += !in_damage;
			in_damage = true;
			at++;
		}
	}
	qsort(placed, all, sizeof(*placed), by_number);
	*n = keep_last(placed, all, s);
	*out = s;
	s = NULL;
	rc = 0;
out:
	free(s);
	free(placed);
	free(p);
	return rc;
}

int
journal_append(int dirfd, const struct standing *s, size_t n)
{
	struct record *r = calloc(n, sizeof(*r));
	int fd, rc;

	if (r == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		record_make(&r[i], &s[i]);
	fd = openat(dirfd, JOURNAL, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	rc = fd == -1 ? -errno : file_write_all(fd, r, n * sizeof(*r));
	if (rc == 0 && fdatasync(fd) == -1)
		rc = -errno;
	if (fd != -1)
		close(fd);
	free(r);
	return rc;
}

int
journal_rewrite(int dirfd, const struct standing *s, size_t n)
{
	struct record *r = calloc(n + 1, sizeof(*r));
	int rc;

	if (r == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		record_make(&r[i], &s[i]);
	rc = file_replace_at(dirfd, JOURNAL, r, n * sizeof(*r), 0600);
	free(r);
	return rc;
}
