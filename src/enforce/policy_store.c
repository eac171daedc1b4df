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
#include "model/image_check.h"
#include "proto/limits.h"

#define NAME_FORMAT	"policy-%08" PRIu64 ".%s"
#define NAME_MAX_LEN	40

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

int
loaded_policy_from_bytes(const void *data, size_t len, uint64_t revision, struct loaded_policy *out)
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
		rc = loaded_policy_from_bytes(data, len, 0, out);
	free(data);
	return rc;
}

/* ---- revisions on disk -------------------------------------------------- */

static const char *
name_of(uint64_t revision, bool trial, char buf[NAME_MAX_LEN])
{
	snprintf(buf, NAME_MAX_LEN, NAME_FORMAT, revision, trial ? "trial" : "image");
	return buf;
}

struct revision {
	uint64_t number;
	bool trial;
};

struct revisions {
	struct revision r[256];
	size_t n;
};

/* Of one number (a crash while it was kept) the image counts. */
static int
newest_first(const void *a, const void *b)
{
	const struct revision *p = a, *q = b;
	uint64_t x = p->number, y = q->number;

	if (x == y)
		return (p->trial > q->trial) - (p->trial < q->trial);
	return x > y ? -1 : 1;
}

static bool
is_revision(const char *file, struct revision *out)
{
	char name[NAME_MAX_LEN];

	if (sscanf(file, "policy-%8" SCNu64, &out->number) != 1 || out->number == 0)
		return false;
	for (int trial = 0; trial < 2; trial++) {
		out->trial = trial != 0;
		if (strcmp(name_of(out->number, out->trial, name), file) == 0)
			return true;
	}
	return false;
}

static int
list_revisions(int dirfd, struct revisions *out)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct revision r;
	struct dirent *d;
	DIR *dir;

	out->n = 0;
	if (fd == -1)
		return -errno;
	if ((dir = fdopendir(fd)) == NULL) {
		close(fd);
		return -ENOMEM;
	}
	while ((d = readdir(dir)) != NULL)
		if (is_revision(d->d_name, &r) && out->n < sizeof(out->r) / sizeof(out->r[0]))
			out->r[out->n++] = r;
	closedir(dir);
	qsort(out->r, out->n, sizeof(out->r[0]), newest_first);
	return 0;
}

static int
load_file(int dirfd, const struct revision *r, struct loaded_policy *out)
{
	char name[NAME_MAX_LEN];
	uint8_t *data = NULL;
	size_t len = 0;
	int rc;

	rc = file_read_at(dirfd, name_of(r->number, r->trial, name), LIMIT_IMAGE_BYTES, &data, &len);
	if (rc == 0)
		rc = loaded_policy_from_bytes(data, len, r->number, out);
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
	for (size_t i = 0; i < all.n; i++) {
		if (all.r[i].trial)
			continue;
		if (load_file(dirfd, &all.r[i], out) == 0)
			return 0;
		++*passed_over;
	}
	return empty_policy(out);
}

int
policy_store_read(int dirfd, uint64_t revision, struct loaded_policy *out)
{
	struct revisions all;
	int rc = list_revisions(dirfd, &all);

	if (revision == 0)
		return empty_policy(out);
	for (size_t i = 0; rc == 0 && i < all.n; i++)
		if (all.r[i].number == revision)
			return load_file(dirfd, &all.r[i], out);
	return rc < 0 ? rc : -ENOENT;
}

static void
remove_file(int dirfd, const struct revision *r)
{
	char name[NAME_MAX_LEN];

	unlinkat(dirfd, name_of(r->number, r->trial, name), 0);
}

int
policy_store_save(int dirfd, const struct loaded_policy *p, bool trial)
{
	struct revisions all;
	char name[NAME_MAX_LEN];
	size_t images = 0;
	int rc;

	rc = file_replace_at(dirfd, name_of(p->revision, trial, name), p->data, p->len, 0600);
	if (rc < 0)
		return rc;
	if (list_revisions(dirfd, &all) < 0)
		return 0;
	/* However many trials came between: the newest image stays. */
	for (size_t i = 0; i < all.n; i++) {
		images += !all.r[i].trial;
		if (i >= LIMIT_REVISIONS && (all.r[i].trial || images > 1))
			remove_file(dirfd, &all.r[i]);
	}
	return 0;
}

int
policy_store_keep(int dirfd, uint64_t revision)
{
	char from[NAME_MAX_LEN], to[NAME_MAX_LEN];

	return file_rename_at(dirfd, name_of(revision, true, from), name_of(revision, false, to));
}

void
policy_store_discard(int dirfd, uint64_t revision)
{
	remove_file(dirfd, &(struct revision){ revision, false });
	remove_file(dirfd, &(struct revision){ revision, true });
}

int
policy_store_newest(int dirfd, uint64_t *image, uint64_t *trial)
{
	struct revisions all;
	int rc = list_revisions(dirfd, &all);

	*image = *trial = 0;
	for (size_t i = all.n; rc == 0 && i-- > 0;)
		*(all.r[i].trial ? trial : image) = all.r[i].number;
	return rc;
}

uint64_t
policy_store_before(int dirfd, const struct loaded_policy *now)
{
	struct loaded_policy p = { .fd = -1 };
	struct revisions all;
	uint64_t found = 0;

	if (list_revisions(dirfd, &all) < 0)
		return 0;
	for (size_t i = 0; found == 0 && i < all.n; i++) {
		if (all.r[i].trial || all.r[i].number >= now->revision || load_file(dirfd, &all.r[i], &p) < 0)
			continue;
		/* The header also says which numbers were given out. */
		if (p.len != now->len || memcmp((const char *)p.data + sizeof(struct image_header),
		    (const char *)now->data + sizeof(struct image_header), p.len - sizeof(struct image_header)) != 0)
			found = all.r[i].number;
		loaded_policy_done(&p);
	}
	return found;
}

static uint32_t
higher(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

int
policy_store_again(const struct loaded_policy *stored, const struct image *now, uint64_t revision,
    struct loaded_policy *out)
{
	struct image_header *h = malloc(stored->len);
	int rc;

	if (h == NULL)
		return -ENOMEM;
	memcpy(h, stored->data, stored->len);
	h->next_device = higher(h->next_device, now->header->next_device);
	h->next_class = higher(h->next_class, now->header->next_class);
	h->next_authority = higher(h->next_authority, now->header->next_authority);
	image_digest(h, h->digest);
	rc = loaded_policy_from_bytes(h, stored->len, revision, out);
	free(h);
	return rc;
}
