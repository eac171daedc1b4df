/* SPDX-License-Identifier: GPL-2.0-or-later */
/* file.c -- a CRL that lies in a file on this machine. Read here, without any
 * right, and not where its contents are judged. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <curl/curl.h>

#include "fetch/fetch.h"

static void
fail(struct transfer *t, enum source_error error, int rc)
{
	t->error = error;
	t->detail = (uint32_t)(rc < 0 ? -rc : rc);
}

/* "file:///path", with %XX. 0 or -EINVAL. */
static int
path_of(const char *url, char *out, size_t size)
{
	int n = 0, rc = -EINVAL;
	char *path;

	if (strncmp(url, "file:///", 8) != 0)
		return -EINVAL;
	if ((path = curl_easy_unescape(NULL, url + 7, 0, &n)) == NULL)
		return -ENOMEM;
	if (n > 0 && (size_t)n < size && strlen(path) == (size_t)n) {
		memcpy(out, path, (size_t)n + 1);
		rc = 0;
	}
	curl_free(path);
	return rc;
}

static int
open_regular(const char *path, struct stat *st)
{
	int fd, rc = 0;

	/* O_NONBLOCK: a FIFO of that name must not hold us up. */
	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)) < 0)
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

static void
copy(struct transfer *t, int fd)
{
	static uint8_t piece[65536];
	ssize_t n;
	int rc;

	while (send_wanted(t)) {
		n = read(fd, piece, sizeof(piece));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			fail(t, E_FETCH, errno);
		if (n <= 0)
			return;
		if ((rc = send_body(t, piece, (size_t)n)) < 0) {
			fail(t, rc == -EFBIG ? E_TOO_BIG : E_FETCH, rc);
			return;
		}
	}
}

void
fetch_file(struct transfer *t)
{
	char path[LIMIT_URL];
	struct stat st;
	int fd, rc;

	if ((rc = path_of(t->request.url, path, sizeof(path))) < 0 || (rc = open_regular(path, &st)) < 0) {
		fail(t, E_FETCH, rc);
		return;
	}
	fd = rc;
	if ((uint64_t)st.st_size > t->limits.max_bytes) {
		fail(t, E_TOO_BIG, EFBIG);
		close(fd);
		return;
	}
	/* A file has a validator as well: it is another one when any of these changed. */
	snprintf(t->header.etag, sizeof(t->header.etag), "\"%llx-%llx-%llx.%lx\"",
	    (unsigned long long)st.st_ino, (unsigned long long)st.st_size,
	    (unsigned long long)st.st_mtim.tv_sec, (unsigned long)st.st_mtim.tv_nsec);
	t->header.status = strcmp(t->header.etag, t->request.etag) == 0 ? 304 : 200;
	if (send_header(t) == 0 && t->header.status == 200)
		copy(t, fd);
	close(fd);
}
