/* SPDX-License-Identifier: GPL-2.0-or-later */
/* candidate.c -- a configuration folder as a policy image that nobody runs. Text
 * is read by cordon-compile alone; what it answers is checked like any image. */
#include "ctl/candidate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "ctl/child.h"
#include "proto/limits.h"

static int
compile_into(struct ctl *c, const char *folder, const char *previous, int fd)
{
	char output[32];
	const char *argv[] = { NULL, "--output", output, folder, NULL, NULL, NULL };
	int rc;

	if (previous != NULL) {
		argv[3] = "--previous";
		argv[4] = previous;
		argv[5] = folder;
	}
	snprintf(output, sizeof(output), "/proc/self/fd/%d", fd);
	/* Its own words are mistakes and advice: not part of our answer. */
	rc = child_compile(c, argv, STDERR_FILENO, -1, fd);
	return rc < 0 ? EXIT_MISTAKES : rc;
}

int
candidate_open(struct ctl *c, const char *folder, struct candidate *out)
{
	return candidate_open_after(c, folder, NULL, out);
}

int
candidate_open_after(struct ctl *c, const char *folder, const char *previous, struct candidate *out)
{
	const char *why = "it cannot be read";
	uint8_t *bytes = NULL;
	size_t len;
	int fd, rc;

	if (access(folder, R_OK | X_OK) < 0)
		return ctl_fail(c, EXIT_MISTAKES, "no configuration in %s: %s%s", folder, strerror(errno),
		    errno == EACCES ? ": use sudo" : "");
	if ((fd = memfile_new("image")) < 0)
		return ctl_fail(c, EXIT_MISTAKES, "no memory: %s", strerror(-fd));
	rc = compile_into(c, folder, previous, fd);
	if (rc == 0 && (file_read_fd(fd, LIMIT_IMAGE_BYTES, &bytes, &len) < 0 ||
	    image_open(bytes, len, &out->image, &why) < 0))
		rc = ctl_fail(c, EXIT_MISTAKES, "cordon-compile's image makes no sense (%s): are both of the "
		    "same version?", why);
	close(fd);
	if (rc != 0)
		free(bytes);
	else
		out->bytes = bytes;
	return rc;
}

void
candidate_close(struct candidate *a)
{
	free(a->bytes);
	a->bytes = NULL;
}
