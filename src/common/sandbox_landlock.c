/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sandbox_landlock.c -- which paths a process may still open, by raw system calls.
 * Numbers are our own: build machines' headers are older than the kernels we meet. */
#include "common/sandbox_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Since Linux 5.13 the same on every architecture. */
#define NR_CREATE_RULESET 444
#define NR_ADD_RULE	  445
#define NR_RESTRICT_SELF  446

#define CREATE_VERSION	  (1U << 0)
#define RULE_PATH_BENEATH 1

#define FS_EXECUTE	(1ULL << 0)
#define FS_WRITE_FILE	(1ULL << 1)
#define FS_READ_FILE	(1ULL << 2)
#define FS_READ_DIR	(1ULL << 3)
#define FS_REMOVE_DIR	(1ULL << 4)
#define FS_REMOVE_FILE	(1ULL << 5)
#define FS_MAKE_DIR	(1ULL << 7)
#define FS_MAKE_REG	(1ULL << 8)
#define FS_ALL_1	((1ULL << 13) - 1)
#define FS_REFER	(1ULL << 13) /* ABI 2, Linux 5.19 */
#define FS_TRUNCATE	(1ULL << 14) /* ABI 3, Linux 6.2 */
#define FS_IOCTL_DEV	(1ULL << 15) /* ABI 5, Linux 6.10 */

#define NET_BIND_TCP	(1ULL << 0) /* ABI 4, Linux 6.7 */
#define NET_CONNECT_TCP (1ULL << 1)

#define SCOPE_ABSTRACT_UNIX (1ULL << 0) /* ABI 6, Linux 6.12 */
#define SCOPE_SIGNAL	    (1ULL << 1)

#define RIGHTS_READ  (FS_READ_FILE | FS_READ_DIR)
#define RIGHTS_WRITE                                                                               \
	(RIGHTS_READ | FS_WRITE_FILE | FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR |              \
	    FS_MAKE_REG | FS_TRUNCATE)
#define RIGHTS_OF_A_FILE (FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)

struct ruleset_attr {
	uint64_t handled_fs;
	uint64_t handled_net;
	uint64_t scoped;
};

struct path_beneath_attr {
	uint64_t allowed;
	int32_t parent_fd;
} __attribute__((packed));

static struct ruleset_attr
ruleset_for(long abi, unsigned rights)
{
	struct ruleset_attr a = { .handled_fs = FS_ALL_1 };

	if (abi >= 2)
		a.handled_fs |= FS_REFER;
	if (abi >= 3)
		a.handled_fs |= FS_TRUNCATE;
	if (abi >= 4) {
		a.handled_net = NET_BIND_TCP;
		if ((rights & SB_NET_CONNECT) == 0)
			a.handled_net |= NET_CONNECT_TCP;
	}
	if (abi >= 5)
		a.handled_fs |= FS_IOCTL_DEV;
	if (abi >= 6)
		a.scoped = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL;
	return a;
}

static int
path_allow(int ruleset, const char *path, uint64_t allowed)
{
	struct path_beneath_attr rule;
	struct stat st;
	int fd, rc = 0;

	if ((fd = open(path, O_PATH | O_CLOEXEC)) < 0) {
		/* What is not there, or lies where our user cannot go, cannot be
		 * opened; that this changes later opens nothing. Who means to
		 * write there must hear of it. */
		if (errno == ENOENT || (errno == EACCES && (allowed & FS_WRITE_FILE) == 0))
			return 0;
		return -errno;
	}
	if (fstat(fd, &st) < 0) {
		rc = -errno;
	} else {
		/* The kernel refuses rights on a file that only a folder has. */
		rule.allowed = S_ISDIR(st.st_mode) ? allowed : allowed & RIGHTS_OF_A_FILE;
		rule.parent_fd = fd;
		if (syscall(NR_ADD_RULE, ruleset, RULE_PATH_BENEATH, &rule, 0) < 0)
			rc = -errno;
	}
	close(fd);
	return rc;
}

static int
paths_allow(int ruleset, const char *const *paths, uint64_t allowed)
{
	int rc;

	for (; paths != NULL && *paths != NULL; paths++) {
		if ((rc = path_allow(ruleset, *paths, allowed)) < 0)
			return rc;
	}
	return 0;
}

int
sandbox_landlock(const struct sandbox *sb, bool *landlocked)
{
	struct ruleset_attr a;
	int ruleset, rc;
	long abi;

	*landlocked = false;
	/* A domain is inherited for ever: what cordon-spawn may not open, none
	 * of its children could. Each of them enters its own. */
	if (sb->rights & SB_SPAWN)
		return 0;
	abi = syscall(NR_CREATE_RULESET, NULL, 0, CREATE_VERSION);
	if (abi < 0)
		return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -errno;
	a = ruleset_for(abi, sb->rights);
	/* A kernel with a shorter struct takes the longer one when the rest is zero. */
	ruleset = (int)syscall(NR_CREATE_RULESET, &a, sizeof(a), 0);
	if (ruleset < 0)
		return -errno;
	rc = paths_allow(ruleset, sb->read_paths, RIGHTS_READ & a.handled_fs);
	if (rc == 0)
		rc = paths_allow(ruleset, sb->write_paths, RIGHTS_WRITE & a.handled_fs);
	if (rc == 0 && syscall(NR_RESTRICT_SELF, ruleset, 0) < 0)
		rc = -errno;
	close(ruleset);
	if (rc == 0)
		*landlocked = true;
	return rc;
}
