/* SPDX-License-Identifier: GPL-2.0-or-later */
/* record.c -- linked into cordon-pki for one test: each operation that changes its
 * folder is written down in the file that CORDON_TEST_RECORD names, in its order. */
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "record.h"

int __real_openat(int dir, const char *name, int flags, ...);
ssize_t __real_write(int fd, const void *data, size_t len);
int __real_fsync(int fd);
int __real_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __real_unlinkat(int dir, const char *name, int flags);
int __wrap_openat(int dir, const char *name, int flags, ...);
ssize_t __wrap_write(int fd, const void *data, size_t len);
int __wrap_fsync(int fd);
int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __wrap_unlinkat(int dir, const char *name, int flags);

static int record = -1;

__attribute__((constructor)) static void
begin(void)
{
	const char *path = getenv("CORDON_TEST_RECORD");

	if (path != NULL)
		record = __real_openat(AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void
note(char op, int fd, const char *a, const char *b, const void *data, size_t len)
{
	struct record r = { .op = op, .fd = fd, .len = (uint32_t)len };

	if (record < 0)
		return;
	if (a != NULL)
		strncpy(r.a, a, sizeof(r.a) - 1);
	if (b != NULL)
		strncpy(r.b, b, sizeof(r.b) - 1);
	if (__real_write(record, &r, sizeof(r)) != sizeof(r) || (len > 0 && __real_write(record, data, len) != (ssize_t)len))
		abort();
}

int
__wrap_openat(int dir, const char *name, int flags, ...)
{
	va_list ap;
	int fd, mode;

	va_start(ap, flags);
	mode = va_arg(ap, int);
	va_end(ap);
	fd = __real_openat(dir, name, flags, mode);
	if (fd >= 0)
		note((flags & O_CREAT) != 0 ? 'c' : 'o', fd, name, NULL, NULL, 0);
	return fd;
}

ssize_t
__wrap_write(int fd, const void *data, size_t len)
{
	ssize_t n = __real_write(fd, data, len);

	if (n > 0 && fd > 5 && fd != record)
		note('w', fd, NULL, NULL, data, (size_t)n);
	return n;
}

int
__wrap_fsync(int fd)
{
	int rc = __real_fsync(fd);

	if (rc == 0)
		note('s', fd, NULL, NULL, NULL, 0);
	return rc;
}

int
__wrap_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	int rc = __real_renameat(from_dir, from, to_dir, to);

	if (rc == 0)
		note('r', from_dir, from, to, NULL, 0);
	return rc;
}

int
__wrap_unlinkat(int dir, const char *name, int flags)
{
	int rc = __real_unlinkat(dir, name, flags);

	if (rc == 0)
		note('u', dir, name, NULL, NULL, 0);
	return rc;
}
