/* SPDX-License-Identifier: GPL-2.0-or-later */
/* child.c -- from fork to exec. A child gets what its plan names and nothing else.
 * Between fork and exec it is as privileged as we are, so it stays short. */
#include "spawn/child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/log.h"

/* Above every number that has a meaning. */
#define FD_ASIDE 32

static int
signals_reset(void)
{
	sigset_t none;
	int s;

	/* Kept across exec, unlike handlers: dispositions that ignore. */
	for (s = 1; s < NSIG; s++)
		(void)signal(s, SIG_DFL); /* SIGKILL and the like refuse */
	/* A reload asked for before cordond can hear it must not end it. */
	(void)signal(SIGHUP, SIG_IGN);
	/* Nor may a log that went away. */
	(void)signal(SIGPIPE, SIG_IGN);
	sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL) < 0 ? -errno : 0;
}

static int
descriptors_set(const int fds[CHILD_FDS])
{
	int aside[CHILD_FDS], i, null;

	/* First out of the way: a source may have the number of another's target. */
	for (i = 0; i < CHILD_FDS; i++) {
		aside[i] = fds[i];
		if (fds[i] >= 0 && (aside[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, FD_ASIDE)) < 0)
			return -errno;
	}
	if ((null = open("/dev/null", O_RDWR)) < 0)
		return -errno;
	/* Standard error stays: the log goes there. */
	if (dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
		return -errno;
	for (i = 0; i < CHILD_FDS; i++) {
		if (aside[i] < 0)
			(void)close(CHILD_FIRST_FD + i);
		else if (dup2(aside[i], CHILD_FIRST_FD + i) < 0)
			return -errno;
	}
	return syscall(SYS_close_range, CHILD_FIRST_FD + CHILD_FDS, ~0U, 0) < 0 ? -errno : 0;
}

static int
bounding_set_limit(unsigned keep)
{
	unsigned cap;
	int has;

	for (cap = 0; cap < 64 && (has = prctl(PR_CAPBSET_READ, cap, 0, 0, 0)) >= 0; cap++) {
		if (has == 0 || (cap < 32 && (keep & 1U << cap)))
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return -errno;
	}
	return 0;
}

/* Ambient capabilities are those that a program without file capabilities
 * still has after exec; no_new_privs does not touch them. */
static int
capabilities_set(unsigned caps)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	unsigned cap;

	memset(data, 0, sizeof(data));
	data[0].permitted = data[0].effective = data[0].inheritable = caps;
	if (syscall(SYS_capset, &header, data) < 0)
		return -errno;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return -errno;
	for (cap = 0; cap < 32; cap++) {
		if ((caps & 1U << cap) &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
			return -errno;
	}
	return 0;
}

static int
become(const struct child *c)
{
	int rc;

	if ((rc = bounding_set_limit(c->caps)) < 0)
		return rc;
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return -errno;
	if (setgroups(c->has_group ? 1 : 0, &c->group) < 0 ||
	    setresgid(c->gid, c->gid, c->gid) < 0 || setresuid(c->uid, c->uid, c->uid) < 0)
		return -errno;
	if ((rc = capabilities_set(c->caps)) < 0)
		return rc;
	if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	/* There is no way back. */
	return setresuid(0, 0, 0) == 0 ? -EPERM : 0;
}

/* When cordon-spawn dies by any means, nobody is left who could start and stop
 * the others: they end too, and the kernel's rules stand alone until the next
 * start. A change of user clears this, so it comes after. */
static int
die_with_parent(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) < 0)
		return -errno;
	return getppid() == parent ? 0 : -ESRCH;
}

static _Noreturn void
child_main(const struct child *c, pid_t parent)
{
	/* arrays, since execve() wants them writable */
	char search[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", locale[] = "LC_ALL=C";
	char *environment[] = { search, locale, NULL };
	char path[PATH_MAX];
	char *arguments[1 + CHILD_ARGUMENTS + 1] = { path };
	int i, n, rc;

	for (i = 0; i < CHILD_ARGUMENTS && c->arguments[i] != NULL; i++)
		arguments[1 + i] = (char *)(uintptr_t)c->arguments[i];
	n = snprintf(path, sizeof(path), "%s/%s", c->folder, c->name);
	rc = n < 0 || (size_t)n >= sizeof(path) ? -ENAMETOOLONG : 0;
	if (rc == 0)
		rc = signals_reset();
	/* A session of its own: the terminal's signals are cordon-spawn's to judge. */
	if (rc == 0 && setsid() < 0)
		rc = -errno;
	if (rc == 0)
		rc = descriptors_set(c->fds);
	if (rc == 0 && chdir("/") < 0)
		rc = -errno;
	umask(027);
	if (rc == 0)
		rc = become(c);
	if (rc == 0)
		rc = die_with_parent(parent);
	if (rc == 0) {
		execve(path, arguments, environment);
		rc = -errno;
	}
	log_error(rc, "cannot start %s", path);
	_exit(CHILD_EXEC_FAILED);
}

pid_t
child_start(const struct child *c)
{
	pid_t pid, parent = getpid();

	if ((pid = fork()) < 0)
		return -errno;
	if (pid == 0)
		child_main(c, parent);
	return pid;
}
