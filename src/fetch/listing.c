/* SPDX-License-Identifier: GPL-2.0-or-later */
/* listing.c -- which files a source on this machine consists of. */
#include "fetch/listing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/digest.h"

/* What makes a file another one. */
struct facts {
	uint8_t name[DIGEST_LEN];
	uint64_t device;
	uint64_t inode;
	uint64_t size;
	uint64_t modified[2];
	uint64_t changed[2];
};

static void
facts_of(const char *name, const struct stat *st, struct facts *f)
{
	memset(f, 0, sizeof(*f));
	digest_of(name, strlen(name), f->name);
	f->device = (uint64_t)st->st_dev;
	f->inode = (uint64_t)st->st_ino;
	f->size = (uint64_t)st->st_size;
	f->modified[0] = (uint64_t)st->st_mtim.tv_sec;
	f->modified[1] = (uint64_t)st->st_mtim.tv_nsec;
	f->changed[0] = (uint64_t)st->st_ctim.tv_sec;
	f->changed[1] = (uint64_t)st->st_ctim.tv_nsec;
}

static void
tag_of(const void *facts, size_t len, char out[LISTING_TAG])
{
	uint8_t digest[DIGEST_LEN];
	size_t i;

	digest_of(facts, len, digest);
	out[0] = '"';
	for (i = 0; i < DIGEST_LEN; i++)
		snprintf(out + 1 + 2 * i, 3, "%02x", digest[i]);
	memcpy(out + 1 + 2 * DIGEST_LEN, "\"", 2);
}

void
listing_tag_of(const struct stat *st, char out[LISTING_TAG])
{
	struct facts f;

	facts_of("", st, &f);
	tag_of(&f, sizeof(f), out);
}

static bool
ends(const char *name, const char *with)
{
	size_t n = strlen(name), m = strlen(with);

	return n >= m && strcmp(name + n - m, with) == 0;
}

bool
listing_takes(const char *name)
{
	return name[0] != '.' && !ends(name, ".tmp") && !ends(name, ".part") && !ends(name, "~");
}

/* Keep the first ones by name, however many there are. */
static void
add(struct listing *l, const char *name)
{
	size_t at = l->n, last = LIMIT_SERIES_PER_SOURCE - 1;

	if (l->n == LIMIT_SERIES_PER_SOURCE) {
		l->more = true;
		if (strcmp(name, l->names[last]) > 0)
			return;
		at = last;
	} else {
		l->n++;
	}
	for (; at > 0 && strcmp(name, l->names[at - 1]) < 0; at--)
		memcpy(l->names[at], l->names[at - 1], sizeof(l->names[0]));
	memset(l->names[at], 0, sizeof(l->names[0]));
	memcpy(l->names[at], name, strnlen(name, sizeof(l->names[0]) - 1));
}

static int
read_names(int dirfd, struct listing *l)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;
	struct dirent *e;
	struct stat st;
	DIR *d;

	if (fd < 0)
		return -errno;
	if ((d = fdopendir(fd)) == NULL) {
		rc = -errno;
		close(fd);
		return rc;
	}
	for (errno = 0; (e = readdir(d)) != NULL; errno = 0)
		if (listing_takes(e->d_name) && fstatat(dirfd, e->d_name, &st, 0) == 0 && S_ISREG(st.st_mode))
			add(l, e->d_name);
	rc = -errno;
	closedir(d);
	return rc;
}

int
listing_read(int dirfd, struct listing *l)
{
	static struct facts all[LIMIT_SERIES_PER_SOURCE];
	struct stat st;
	size_t i;
	int rc;

	l->n = 0;
	l->more = false;
	if ((rc = read_names(dirfd, l)) < 0)
		return rc;
	for (i = 0; i < l->n; i++) {
		/* gone in the meantime: as good as empty */
		if (fstatat(dirfd, l->names[i], &st, 0) < 0)
			memset(&st, 0, sizeof(st));
		facts_of(l->names[i], &st, &all[i]);
	}
	tag_of(all, l->n * sizeof(all[0]), l->tag);
	return 0;
}

int
listing_open(int dirfd, const char *name, struct stat *st)
{
	int fd, rc = 0;

	if ((fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)) < 0)
		return -errno;
	if (fstat(fd, st) < 0)
		rc = -errno;
	else if (!S_ISREG(st->st_mode))
		rc = -EINVAL;
	if (rc < 0) {
		close(fd);
		return rc;
	}
	return fd;
}
