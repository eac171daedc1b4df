/* SPDX-License-Identifier: GPL-2.0-or-later */
/* file.h -- whole files, replaced whole; and sealed memory to hand to another process. */
#ifndef CORDON_COMMON_FILE_H
#define CORDON_COMMON_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Write name under dirfd through a temporary beside it: write, fsync, rename,
 * fsync of the folder. After a crash at any point the old or the new is there. */
int file_replace_at(int dirfd, const char *name, const void *data, size_t len, mode_t mode);

/* Give a file another name, or take it away; durably, as above. -ENOENT. */
int file_rename_at(int dirfd, const char *from, const char *to);
int file_remove_at(int dirfd, const char *name);

/* Read at most max bytes (-EFBIG beyond). *out is malloc'd and NUL-terminated
 * beyond *len; the caller frees it. */
int file_read_at(int dirfd, const char *name, size_t max, uint8_t **out, size_t *len);

/* read() and write() until done; EINTR is handled. file_read_fd reads from offset 0. */
int file_write_all(int fd, const void *data, size_t len);
int file_read_fd(int fd, size_t max, uint8_t **out, size_t *len);

/* An anonymous memory file. memfile_seal makes it unchangeable, for ever, by
 * anybody (F_SEAL_WRITE|SHRINK|GROW|SEAL): a receiver may map it without fear
 * of a change or a SIGBUS. memfile_new returns the descriptor or -errno. */
int memfile_new(const char *name);
int memfile_seal(int fd);

/* Map a *sealed* memory file read-only; -EPERM when it is not sealed, -EFBIG
 * above max. Unmap with memfile_unmap. */
int memfile_map(int fd, size_t max, const void **out, size_t *len);
void memfile_unmap(const void *, size_t len);

#endif
