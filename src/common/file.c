/* SPDX-License-Identifier: GPL-2.0-or-later */
/* file.c -- read and replace whole files; sealed memory files.
 * Names are ours: no caller passes one that came over a channel. */
#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* Linux 6.3 */
#endif

#define SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

int
file_write_all(int fd, const void *data, size_t len)
{
	const uint8_t *p = data;
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = write(fd, p + done, len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
		done += (size_t)n;
	}
	return 0;
}

/* The size is a hint only (files of /proc say 0), max is the bound. */
static size_t
first_room(int fd, size_t max)
{
	struct stat st;
	size_t room = 4096;

	if (fstat(fd, &st) == 0 && st.st_size > 0 && (uintmax_t)st.st_size < SIZE_MAX - 1)
		room = (size_t)st.st_size + 1;
	return room <= max ? room : max + 1;
}

int
file_read_fd(int fd, size_t max, uint8_t **out, size_t *len)
{
	uint8_t *data = NULL, *more;
	size_t room, done = 0;
	ssize_t n;
	int rc;

	if (max >= SIZE_MAX / 2)
		return -EINVAL;
	/* One byte beyond max tells "too big", one more is for the NUL. */
	room = first_room(fd, max);
	for (;;) {
		if (data == NULL || done == room) {
			if (data != NULL)
				room = room < max / 2 ? 2 * room : max + 1;
			if ((more = realloc(data, room + 1)) == NULL) {
				rc = -ENOMEM;
				goto fail;
			}
			data = more;
		}
		n = pread(fd, data + done, room - done, (off_t)done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			rc = -errno;
			goto fail;
		}
		if (n == 0)
			break;
		done += (size_t)n;
		if (done > max) {
			rc = -EFBIG;
			goto fail;
		}
	}
	data[done] = '\0';
	*out = data;
	*len = done;
	return 0;
fail:
	free(data);
	return rc;
}

int
file_read_at(int dirfd, const char *name, size_t max, uint8_t **out, size_t *len)
{
	struct stat st;
	int fd, rc;

	/* O_NONBLOCK: a FIFO of that name must not hold us up. */
	if ((fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)) < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		rc = -errno;
	else if (S_ISDIR(st.st_mode))
		rc = -EISDIR;
	else if (!S_ISREG(st.st_mode))
		rc = -EINVAL;
	else
		rc = file_read_fd(fd, max, out, len);
	close(fd);
	return rc;
}

/* Without this, the new name may be lost with the power. */
static int
folder_sync(int dirfd)
{
	int fd, rc;

	if (fsync(dirfd) == 0)
		return 0;
	if (errno != EBADF)
		return -errno;
	/* AT_FDCWD, or a descriptor that is O_PATH only */
	if ((fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return -errno;
	rc = fsync(fd) < 0 ? -errno : 0;
	close(fd);
	return rc;
}

static int
temporary_write(int dirfd, const char *name, const void *data, size_t len, mode_t mode)
{
	int fd, rc;

	/* A crash may have left one behind; O_EXCL follows no link. */
	if (unlinkat(dirfd, name, 0) < 0 && errno != ENOENT)
		return -errno;
	if ((fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) < 0)
		return -errno;
	rc = file_write_all(fd, data, len);
	if (rc == 0 && fchmod(fd, mode) < 0)
		rc = -errno;
	if (rc == 0 && fsync(fd) < 0)
		rc = -errno;
	if (close(fd) < 0 && rc == 0)
		rc = -errno;
	return rc;
}

int
file_replace_at(int dirfd, const char *name, const void *data, size_t len, mode_t mode)
{
	char temporary[NAME_MAX + 1];
	int n, rc;

	if (name[0] == '\0' || strchr(name, '/') != NULL)
		return -EINVAL;
	n = snprintf(temporary, sizeof(temporary), ".%s.new", name);
	if (n < 0 || (size_t)n >= sizeof(temporary))
		return -ENAMETOOLONG;
	rc = temporary_write(dirfd, temporary, data, len, mode);
	if (rc == 0 && renameat(dirfd, temporary, dirfd, name) < 0)
		rc = -errno;
	if (rc < 0) {
		unlinkat(dirfd, temporary, 0);
		return rc;
	}
	return folder_sync(dirfd);
}

int
file_rename_at(int dirfd, const char *from, const char *to)
{
	if (strchr(from, '/') != NULL || strchr(to, '/') != NULL)
		return -EINVAL;
	return renameat(dirfd, from, dirfd, to) < 0 ? -errno : folder_sync(dirfd);
}

int
file_remove_at(int dirfd, const char *name)
{
	if (strchr(name, '/') != NULL)
		return -EINVAL;
	return unlinkat(dirfd, name, 0) < 0 ? -errno : folder_sync(dirfd);
}

int
memfile_new(const char *name)
{
	int fd;

	fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return fd < 0 ? -errno : fd;
}

int
memfile_seal(int fd)
{
	return fcntl(fd, F_ADD_SEALS, SEALS) < 0 ? -errno : 0;
}

int
memfile_map(int fd, size_t max, const void **out, size_t *len)
{
	struct stat st;
	int seals;
	void *p;

	seals = fcntl(fd, F_GET_SEALS);
	/* Only memory files have seals at all: anything else is EINVAL. */
	if (seals < 0 || (seals & SEALS) != SEALS)
		return -EPERM;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size < 0 || (uintmax_t)st.st_size > max)
		return -EFBIG;
	if (st.st_size == 0) {
		*out = "";
		*len = 0;
		return 0;
	}
	/* Private: before Linux 6.7 a shared mapping of a write-sealed file is EPERM. */
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	*out = p;
	*len = (size_t)st.st_size;
	return 0;
}

void
memfile_unmap(const void *p, size_t len)
{
	if (p != NULL && len > 0)
		munmap((void *)(uintptr_t)p, len);
}
