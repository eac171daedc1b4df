/* SPDX-License-Identifier: GPL-2.0-or-later */
/* file.c -- CRLs that lie in a file or a folder on this machine. Read here, without
 * any right, and not where their contents are judged. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "fetch/fetch.h"
#include "fetch/listing.h"
#include "fetch/url.h"

/* At most `most` bytes: a file that grows meanwhile is not followed. False: that is all. */
static bool
copy(struct transfer *t, int fd, uint64_t most)
{
	static uint8_t piece[65536];
	size_t want;
	ssize_t n;
	int rc;

	while (most > 0 && send_wanted(t)) {
		want = most < sizeof(piece) ? (size_t)most : sizeof(piece);
		n = read(fd, piece, want);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			transfer_fail(t, E_FETCH, -errno);
		if (n <= 0)
			return n == 0;
		if ((rc = send_body(t, piece, (size_t)n)) < 0) {
			transfer_fail(t, rc == -EFBIG ? E_TOO_BIG : E_FETCH, rc);
			return false;
		}
		most -= (uint64_t)n;
	}
	return most == 0;
}

void
fetch_file(struct transfer *t)
{
	char path[LIMIT_URL];
	struct stat st;
	int fd, rc;

	if ((rc = url_path(t->request.url, path, sizeof(path))) < 0 || (rc = listing_open(AT_FDCWD, path, &st)) < 0) {
		transfer_fail(t, E_FETCH, rc);
		return;
	}
	fd = rc;
	if ((uint64_t)st.st_size > t->limits.max_bytes) {
		transfer_fail(t, E_TOO_BIG, -EFBIG);
		close(fd);
		return;
	}
	/* A file has a validator as well. */
	listing_tag_of(&st, t->header.etag);
	t->header.status = strcmp(t->header.etag, t->request.etag) == 0 ? 304 : 200;
	if (send_header(t) == 0 && t->header.status == 200)
		(void)copy(t, fd, UINT64_MAX);
	close(fd);
}

/* ---- a folder ----------------------------------------------------------- */

/* One file; one that cannot be had does not keep the others from coming. */
static bool
send_file(struct transfer *t, int dir, const char *name)
{
	struct stat st = { 0 };
	bool well = false;
	int fd = listing_open(dir, name, &st);

	t->header.status = fd < 0 ? 403 : (uint64_t)st.st_size > t->limits.max_bytes ? 413 : 200;
	if (send_header(t) == 0)
		well = t->header.status != 200 || copy(t, fd, (uint64_t)st.st_size);
	if (fd >= 0)
		close(fd);
	return well;
}

static void
send_folder(struct transfer *t, int dir)
{
	static struct listing l;
	size_t i;
	int rc;

	if ((rc = listing_read(dir, &l)) < 0) {
		transfer_fail(t, E_FETCH, rc);
		return;
	}
	if (l.n == 0) {
		transfer_fail(t, E_EMPTY, 0);
		return;
	}
	memcpy(t->header.etag, l.tag, sizeof(l.tag));
	if (strcmp(l.tag, t->request.etag) == 0) {
		t->header.status = 304;
		(void)send_header(t);
		return;
	}
	for (i = 0; i < l.n; i++) {
		t->header.part = (uint32_t)i + 1;
		if (!send_file(t, dir, l.names[i]))
			return;
	}
	if (l.more)
		transfer_fail(t, E_TOO_BIG, -E2BIG);
}

void
fetch_folder(struct transfer *t)
{
	char path[LIMIT_URL];
	int dir, rc;

	if ((rc = url_path(t->request.url, path, sizeof(path))) < 0) {
		transfer_fail(t, E_FETCH, rc);
		return;
	}
	if ((dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0) {
		transfer_fail(t, E_FETCH, -errno);
		return;
	}
	send_folder(t, dir);
	close(dir);
}
