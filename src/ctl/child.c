/* SPDX-License-Identifier: GPL-2.0-or-later */
/* child.c -- run cordon-compile: the one program that reads configuration.
 * No shell; the arguments go as they are. */
#include "ctl/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/file.h"
#include "proto/limits.h"

#define CANNOT_RUN 127

/* What it says of every mistake it keeps: a path and a line of text each. */
#define CHECK_TEXT_MAX (LIMIT_MISTAKES * 8192U)

/* Between fork and exec: only what is safe there. */
static _Noreturn void
become(const char *path, const char *argv[], int out, int err, int keep)
{
	int error;

	if ((out >= 0 && dup2(out, STDOUT_FILENO) < 0) || (err >= 0 && dup2(err, STDERR_FILENO) < 0) ||
	    (keep >= 0 && fcntl(keep, F_SETFD, 0) < 0))
		_exit(CANNOT_RUN);
	execv(path, (char *const *)argv);
	error = errno;
	dprintf(STDERR_FILENO, "cordonctl: %s: %s: is cordon installed? or say --programs DIR\n", path,
	    strerror(error));
	_exit(CANNOT_RUN);
}

int
child_compile(struct ctl *c, const char *argv[], int out, int err, int keep)
{
	char path[PATH_MAX];
	int status;
	pid_t pid;

	if (snprintf(path, sizeof(path), "%s/cordon-compile", c->programs) >= (int)sizeof(path)) {
		ctl_fail(c, EXIT_USAGE, "--programs: the path is too long");
		return -1;
	}
	argv[0] = path;
	if (access(path, X_OK) < 0) {
		ctl_fail(c, EXIT_MISTAKES, "%s: %s: is cordon installed? or say where with --programs DIR",
		    path, strerror(errno));
		return -1;
	}
	fflush(c->out);
	fflush(c->err);
	if ((pid = fork()) == 0)
		become(path, argv, out, err, keep);
	if (pid < 0) {
		ctl_fail(c, EXIT_MISTAKES, "fork: %s", strerror(errno));
		return -1;
	}
	while (waitpid(pid, &status, 0) < 0) {
		if (errno == EINTR)
			continue;
		ctl_fail(c, EXIT_MISTAKES, "waitpid: %s", strerror(errno));
		return -1;
	}
	if (WIFSIGNALED(status)) {
		ctl_fail(c, EXIT_MISTAKES, "cordon-compile was killed by signal %d (%s)",
		    WTERMSIG(status), strsignal(WTERMSIG(status)));
		return -1;
	}
	return WEXITSTATUS(status);
}

int
child_check(struct ctl *c, const char *folder, char **text)
{
	const char *argv[] = { NULL, folder, NULL };
	uint8_t *said = NULL;
	size_t len;
	int fd, rc;

	*text = NULL;
	if ((fd = memfile_new("check")) < 0)
		return ctl_fail(c, EXIT_MISTAKES, "no memory: %s", strerror(-fd));
	rc = child_compile(c, argv, fd, fd, -1);
	if (rc > 0) {
		if (file_read_fd(fd, CHECK_TEXT_MAX, &said, &len) == 0 && len > 0)
			*text = (char *)said;
		else if (free(said), (*text = strdup("cordon-compile says nothing\n")) == NULL)
			rc = ctl_fail(c, EXIT_MISTAKES, "no memory");
	}
	close(fd);
	return rc == 0 ? EXIT_DONE : EXIT_MISTAKES;
}
