/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy_store.c -- load, save and hand on policy images. */
#include "enforce/policy_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "model/compile.h"
#include "proto/limits.h"

#define NAME_FORMAT	"policy-%08" PRIu64 ".image"
#define NAME_MAX_LEN	40
#define KEEP		10	/* revisions on disk */

int
loaded_policy_from_fd(int fd, uint64_t revision, struct loaded_policy *out, const char **why)
{
	struct loaded_policy p = { .fd = -1, .revision = revision };
	int rc;

	*why = "the memory is not sealed";
	if ((rc = memfile_map(fd, LIMIT_IMAGE_BYTES, &p.data, &p.len)) < 0)
		return rc;
	if ((rc = image_open(p.data, p.len, &p.image, why)) < 0)
		goto out;
	if ((p.fd = fcntl(fd, F_DUPFD_CLOEXEC, 0)) == -1) {
		rc = -errno;
		goto out;
	}
	*out = p;
	return 0;
out:
	memfile_unmap(p.data, p.len);
	return rc;
}

void
loaded_policy_done(struct loaded_policy *p)
{
	if (p->data != NULL)
		memfile_unmap(p->data, p->len);
	if (p->fd != -1)
		close(p->fd);
	*p = (struct loaded_policy){ .fd = -1 };
}

static int
from_bytes(const void *data, size_t len, uint64_t revision, struct loaded_policy *out)
{
	const char *why;
	int fd = memfile_new("policy"), rc;

	if (fd < 0)
		return fd;
	if ((rc = file_write_all(fd, data, len)) == 0 && (rc = memfile_seal(fd)) == 0)
		rc = loaded_policy_from_fd(fd, revision, out, &why);
	close(fd);
	return rc;
}

static int
empty_policy(struct loaded_policy *out)
{
	uint8_t *data = NULL;
	size_t len = 0;
	int rc = compile_empty(&data, &len);

	if (rc == 0)
		rc = from_bytes(data, len, 0, out);
	free(data);
	return rc;
}

/* ---- revisions on disk -------------------------------------------------- */

struct revisions {
	uint64_t r[256];
	size_t n;
};

static int
newest_first(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x > y ? -1 : x < y;
}

static int
list_revisions(int dirfd, struct revisions *out)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *d;
	DIR *dir;

	out->n = 0;
	if (fd == -1)
		return -errno;
	if ((dir = fdopendir(fd)) == NULL) {
		close(fd);
		return -ENOMEM;
	}
	while ((d = readdir(dir)) != NULL) {
		char name[NAME_MAX_LEN];
		uint64_t r;

		if (sscanf(d->d_name, "policy-%8" SCNu64 ".image", &r) != 1 || r == 0)
			continue;
		snprintf(name, sizeof(name), NAME_FORMAT, r);
		if (strcmp(name, d->d_name) == 0 && out->n < sizeof(out->r) / sizeof(out->r[0]))
			out->r[out->n++] = r;
	}
	closedir(dir);
	qsort(out->r, out->n, sizeof(out->r[0]), newest_first);
	return 0;
}

static int
load_revision(int dirfd, uint64_t revision, struct loaded_policy *out)
{
	char name[NAME_MAX_LEN];
	uint8_t *data = NULL;
	size_t len = 0;
	int rc;

	snprintf(name, sizeof(name), NAME_FORMAT, revision);
	rc = file_read_at(dirfd, name, LIMIT_IMAGE_BYTES, &data, &len);
	if (rc == 0)
		rc = from_bytes(data, len, revision, out);
	free(data);
	return rc;
}

int
policy_store_load(int dirfd, struct loaded_policy *out, uint32_t *passed_over)
{
	struct revisions all;
	int rc = list_revisions(dirfd, &all);

	*passed_over = 0;
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < all.n; i++, ++*passed_over)
		if (load_revision(dirfd, all.r[i], out) == 0)
			return 0;
	return empty_policy(out);
}

int
policy_store_save(int dirfd, const struct loaded_policy *p)
{
	struct revisions all;
	char name[NAME_MAX_LEN];
	int rc;

	snprintf(name, sizeof(name), NAME_FORMAT, p->revision);
	if ((rc = file_replace_at(dirfd, name, p->data, p->len, 0600)) < 0)
		return rc;
	if (list_revisions(dirfd, &all) == 0)
		for (size_t i = KEEP; i < all.n; i++)
			policy_store_discard(dirfd, all.r[i]);
	return 0;
}

void
policy_store_discard(int dirfd, uint64_t revision)
{
	char name[NAME_MAX_LEN];

	snprintf(name, sizeof(name), NAME_FORMAT, revision);
	unlinkat(dirfd, name, 0);
}
