/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sandbox.c -- the steps of giving up rights, in their fixed order.
 * Nothing outside the program (environment, files) can weaken it. */
#include "common/sandbox.h"

#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/sandbox_parts.h"

/* The kernel says EINVAL for a number beyond its last capability. */
static int
bounding_set_drop(unsigned keep)
{
	unsigned cap;
	int has;

	for (cap = 0; cap < 64; cap++) {
		has = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);
		if (has < 0)
			break;
		if (has == 0 || (cap < 32 && (keep & 1U << cap)))
			continue;
		/* Without CAP_SETPCAP it cannot be dropped; cordon-spawn, which has
		 * it, did so before, and no_new_privs makes the rest worthless. */
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0 && errno != EPERM)
			return -errno;
	}
	return 0;
}

static int
capabilities_limit(unsigned keep)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	int rc;

	if ((rc = bounding_set_drop(keep)) < 0)
		return rc;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return -errno;
	memset(data, 0, sizeof(data));
	data[0].permitted = data[0].effective = keep;
	if (syscall(SYS_capset, &header, data) < 0)
		return -errno;
	return 0;
}

static int
limit_set(int what, rlim_t value)
{
	struct rlimit r = { .rlim_cur = value, .rlim_max = value };
	struct rlimit now;

	if (getrlimit(what, &now) < 0)
		return -errno;
	/* Never more than we were given. */
	if (now.rlim_max != RLIM_INFINITY && r.rlim_max > now.rlim_max)
		r.rlim_cur = r.rlim_max = now.rlim_max;
	return setrlimit(what, &r) < 0 ? -errno : 0;
}

static int
limits_set(const struct sandbox *sb)
{
	int rc;

	/* A core would carry what we know to the disk. */
	if ((rc = limit_set(RLIMIT_CORE, 0)) < 0)
		return rc;
#ifndef CORDON_SANITIZERS /* their shadow memory takes terabytes of address space */
	if (sb->max_memory != 0 && (rc = limit_set(RLIMIT_AS, sb->max_memory)) < 0)
		return rc;
#endif
	if (sb->max_files != 0 && (rc = limit_set(RLIMIT_NOFILE, sb->max_files)) < 0)
		return rc;
	if (sb->max_file_size == 0)
		return 0;
	/* EFBIG from write() is an error like any other; the signal would kill
	 * us over a log line when standard error is a file. */
	if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
		return -errno;
	return limit_set(RLIMIT_FSIZE, sb->max_file_size == 1 ? 0 : sb->max_file_size);
}

int
sandbox_enter(const struct sandbox *sb, bool *landlocked)
{
	bool locked = false;
	int rc;

	if ((rc = capabilities_limit(sb->keep_caps)) < 0)
		return rc;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	if ((rc = limits_set(sb)) < 0)
		return rc;
	if ((rc = sandbox_landlock(sb, &locked)) < 0)
		return rc;
	if ((rc = sandbox_seccomp(sb)) < 0)
		return rc;
	*landlocked = locked;
	return 0;
}

int
sandbox_narrow(const struct sandbox *sb)
{
	bool locked;
	int rc;

	if ((rc = sandbox_landlock(sb, &locked)) < 0)
		return rc;
	return sandbox_seccomp(sb);
}
