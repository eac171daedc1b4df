/* SPDX-License-Identifier: GPL-2.0-or-later */
/* spool.c -- memory first, then a temporary file. Judges nothing. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/file.h"
#include "pki/spool.h"
#include "pki/store.h"

void
spool_begin(struct spool *s, uint32_t part)
{
	memset(s, 0, sizeof(*s));
	s->fd = -1;
	s->part = part;
}

/* From memory to a file. */
static void
to_file(struct spool *s, int folder, const char *source)
{
	if ((s->fd = store_temporary(folder, source, s->part)) < 0)
		s->error = s->fd;
	else if (s->len > 0)
		s->error = file_write_all(s->fd, s->memory, s->len);
	if (s->error != 0)
		s->error = s->error < 0 ? s->error : -EIO;
	free(s->memory);
	s->memory = NULL;
}

void
spool_write(struct spool *s, int folder, const char *source, const uint8_t *p, size_t len)
{
	if (s->error == 0 && s->fd < 0 && s->memory == NULL && (s->memory = malloc(SPOOL_MEMORY)) == NULL)
		s->error = -ENOMEM;
	if (s->error == 0 && s->fd < 0 && len > SPOOL_MEMORY - s->len)
		to_file(s, folder, source);
	if (s->error == 0 && s->fd >= 0)
		s->error = file_write_all(s->fd, p, len);
	else if (s->error == 0)
		memcpy(s->memory + s->len, p, len);
	s->len += len;
}

const uint8_t *
spool_map(const struct spool *s, size_t len, int *error)
{
	void *map;

	*error = s->error != 0 ? s->error : len > s->len ? -EINVAL : 0;
	if (*error != 0)
		return NULL;
	if (s->fd < 0)
		return s->memory;
	map = mmap(NULL, len, PROT_READ, MAP_PRIVATE, s->fd, 0);
	if (map == MAP_FAILED) {
		*error = -errno;
		return NULL;
	}
	return map;
}

void
spool_unmap(const struct spool *s, const uint8_t *map, size_t len)
{
	if (s->fd >= 0)
		munmap((void *)(uintptr_t)map, len);
}

void
spool_end(struct spool *s)
{
	/* Of many CRLs in one transfer few are open at once. */
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

int
spool_file(struct spool *s, int folder, const char *source)
{
	if (s->error != 0)
		return s->error;
	if (s->memory == NULL)
		return s->fd = store_temporary_again(folder, source, s->part);
	to_file(s, folder, source);
	if (s->error != 0) {
		spool_end(s);
		return s->error;
	}
	return s->fd;
}

void
spool_done(struct spool *s, int folder, const char *source)
{
	if (s->fd >= 0)
		close(s->fd);
	free(s->memory);
	/* Only who outgrew its memory, or was to be installed, ever had a file. */
	if (s->memory == NULL && s->len > 0)
		store_discard(folder, source, s->part);
	memset(s, 0, sizeof(*s));
	s->fd = -1;
}
