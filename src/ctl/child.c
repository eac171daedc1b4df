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

/* Mistakes and warnings, as many of each as it keeps: a path and a line of text. */
#define CHECK_TEXT_MAX (2 * LIMIT_MISTAKES * 8192U)

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

/* The array of mistakes in its answer, or NULL when it makes no sense. */
static json_t *
read_mistakes(int fd)
{
	json_t *answer = NULL, *mistakes = NULL;
	uint8_t *text = NULL;
	size_t len;

	if (file_read_fd(fd, CHECK_TEXT_MAX, &text, &len) == 0)
		answer = json_loadb((const char *)text, len, 0, NULL);
	if (json_array_size(json_object_get(answer, "mistakes")) > 0)
		mistakes = json_incref(json_object_get(answer, "mistakes"));
	json_decref(answer);
	free(text);
	return mistakes;
}

int
child_check(struct ctl *c, const char *folder, json_t **mistakes)
{
	const char *argv[] = { NULL, "--json", folder, NULL };
	int fd, rc;

	*mistakes = NULL;
	if ((fd = memfile_new("check")) < 0)
		return ctl_fail(c, EXIT_MISTAKES, "no memory: %s", strerror(-fd));
	if ((rc = child_compile(c, argv, fd, -1, -1)) > 0 && (*mistakes = read_mistakes(fd)) == NULL)
		ctl_fail(c, EXIT_MISTAKES, "cordon-compile ended with %d and named no mistake: are both of the same "
		    "version?", rc);
	close(fd);
	return rc == 0 ? EXIT_DONE : EXIT_MISTAKES;
}
