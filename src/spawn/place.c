/* SPDX-License-Identifier: GPL-2.0-or-later */
/* place.c -- makes folders, lock and sockets, once, before rights are dropped.
 * Owners and modes are set on descriptors, never on a name twice. */
#include "spawn/place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LOCK_NAME    "lock"
#define CONTROL_NAME "control.sock"
#define LOCK_TRIES   10
#define HOLD_TRIES   100
#define HOLD_STEP_US 50000 /* with the tries: 5 seconds */

int
place_folder(const char *path)
{
	char part[PATH_MAX];
	size_t i, len = strlen(path);
	int fd;

	if (path[0] != '/' || len >= sizeof(part))
		return -EINVAL;
	memcpy(part, path, len + 1);
	for (i = 1; i <= len; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		part[i] = '\0';
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			return -errno;
		part[i] = path[i];
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int
place_own_folder(int parent, const char *name, uid_t uid, gid_t gid, mode_t mode)
{
	struct stat st;
	int fd, rc;

	if (mkdirat(parent, name, 0700) < 0 && errno != EEXIST)
		return -errno;
	if ((fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0)
		return -errno;
	/* chown clears the set-group-ID bit, so the mode comes last. What is right is
	 * left alone: a disk that is read-only shall not keep the rules away. */
	if (fstat(fd, &st) < 0 ||
	    ((st.st_uid != uid || st.st_gid != gid) &&
	    (fchown(fd, uid, gid) < 0 || fstat(fd, &st) < 0)) ||
	    ((st.st_mode & 07777) != mode && fchmod(fd, mode) < 0)) {
		rc = -errno;
		close(fd);
		return rc;
	}
	return fd;
}

int
place_hold(int fd)
{
	int i;

	for (i = 0; i < HOLD_TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		usleep(HOLD_STEP_US);
	}
	return -EWOULDBLOCK;
}

/* Whether fd still is what the name leads to: the holder before us may have
 * removed it between our open and our lock. */
static bool
is_still_named(int run, int fd)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && fstatat(run, LOCK_NAME, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
	    a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

int
place_lock(int run)
{
	int fd, i, rc;

	for (i = 0; i < LOCK_TRIES; i++) {
		fd = openat(run, LOCK_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd < 0)
			return -errno;
		if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
			rc = -errno;
			close(fd);
			return rc;
		}
		if (is_still_named(run, fd))
			return fd;
		close(fd);
	}
	return -EWOULDBLOCK;
}

static int
control_bind(int fd, const char *run_path, int run, gid_t gid)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	mode_t mask;
	int n, rc;

	n = snprintf(un.sun_path, sizeof(un.sun_path), "%s/%s", run_path, CONTROL_NAME);
	if (n < 0 || (size_t)n >= sizeof(un.sun_path))
		return -ENAMETOOLONG;
	/* Left over from one that was killed: we hold the lock, so it is nobody's. */
	if (unlinkat(run, CONTROL_NAME, 0) < 0 && errno != ENOENT)
		return -errno;
	/* Nobody else until owner and mode are right. */
	mask = umask(0777);
	rc = bind(fd, (const struct sockaddr *)&un, sizeof(un)) < 0 ? -errno : 0;
	umask(mask);
	if (rc < 0)
		return rc;
	if (fchownat(run, CONTROL_NAME, 0, gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fchmodat(run, CONTROL_NAME, 0660, 0) < 0)
		return -errno;
	return listen(fd, 16) < 0 ? -errno : 0;
}

int
place_control_socket(const char *run_path, int run, gid_t gid)
{
	int fd, rc;

	if ((fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) < 0)
		return -errno;
	if ((rc = control_bind(fd, run_path, run, gid)) < 0) {
		close(fd);
		return rc;
	}
	return fd;
}

int
place_netlink(void)
{
	struct sockaddr_nl nl = { .nl_family = AF_NETLINK };
	int fd, rc;

	if ((fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER)) <
	    0)
		return -errno;
	/* The port that the kernel gives here names the owner of the table. */
	if (bind(fd, (const struct sockaddr *)&nl, sizeof(nl)) < 0) {
		rc = -errno;
		close(fd);
		return rc;
	}
	return fd;
}

void
place_clean(int run)
{
	unlinkat(run, CONTROL_NAME, 0);
	unlinkat(run, LOCK_NAME, 0);
}
