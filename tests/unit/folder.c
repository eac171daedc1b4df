/* SPDX-License-Identifier: GPL-2.0-or-later */
/* folder.c -- temporary configuration folders for tests. */
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "folder.h"

static void
must(int ok)
{
	if (!ok)
		abort();
}

void
folder_make(struct folder *f)
{
	snprintf(f->path, sizeof(f->path), "/tmp/cordon-test-XXXXXX");
	must(mkdtemp(f->path) != NULL);
	f->fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(f->fd >= 0);
	must(mkdirat(f->fd, "classes.d", 0755) == 0);
	must(mkdirat(f->fd, "devices.d", 0755) == 0);
}

void
folder_put_bytes(struct folder *f, const char *name, const void *data, size_t len)
{
	int fd = openat(f->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	must(fd >= 0);
	must(file_write_all(fd, data, len) == 0);
	close(fd);
}

void
folder_put(struct folder *f, const char *name, const char *text)
{
	folder_put_bytes(f, name, text, strlen(text));
}

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

void
folder_remove(struct folder *f)
{
	close(f->fd);
	nftw(f->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *
source_path(const char *name, char *buf, size_t size)
{
	const char *srcdir = getenv("srcdir");

	must(snprintf(buf, size, "%s/%s", srcdir != NULL ? srcdir : ".", name) < (int)size);
	return buf;
}
