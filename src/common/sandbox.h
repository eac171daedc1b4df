/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sandbox.h -- what a process gives up before it reads its first foreign byte.
 *
 * Each main() holds one struct sandbox and calls sandbox_enter once; any
 * failure is fatal, save that Landlock may be absent from the kernel, which
 * is reported. The user was changed before by cordon-spawn, the only program that may. */
#ifndef CORDON_COMMON_SANDBOX_H
#define CORDON_COMMON_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

enum sandbox_rights {
	SB_BASE		= 0,		/* memory, time, poll/epoll, read/write/send/recv on open descriptors */
	SB_FILES_READ	= 1 << 0,	/* open for reading, stat, list */
	SB_FILES_WRITE	= 1 << 1,	/* create, write, rename, unlink, fsync, lock */
	SB_NET_CONNECT	= 1 << 2,	/* socket(AF_INET*), connect, getsockopt; what a resolver needs */
	SB_NETLINK	= 1 << 3,	/* send on an inherited netlink socket, open rtnetlink */
	SB_THREADS	= 1 << 4,	/* clone3 for threads, futex */
	SB_CLOCK	= 1 << 7,	/* ask whether the clock is synchronised; to set it takes a capability */
	SB_SPAWN	= 1 << 5,	/* fork, exec, wait, kill, setuid: cordon-spawn only */
	SB_WATCH	= 1 << 6,	/* inotify */
};

struct sandbox {
	const char *program;		/* for messages */
	unsigned rights;		/* enum sandbox_rights */
	const char *const *read_paths;	/* NULL-terminated; Landlock, NULL: none */
	const char *const *write_paths;	/* NULL-terminated; reading included */
	size_t max_memory;		/* RLIMIT_AS in bytes, 0: unlimited */
	unsigned max_files;		/* RLIMIT_NOFILE, 0: leave */
	size_t max_file_size;		/* RLIMIT_FSIZE in bytes; 0: unlimited; 1: may not write files at all */
	unsigned keep_caps;		/* bit n: capability n stays permitted and effective */
};

/* In this order: capabilities, no_new_privs, dumpable off, rlimits, Landlock,
 * seccomp (libseccomp; what is not allowed kills the process). 0 or -errno;
 * *landlocked says whether the kernel had Landlock. */
int sandbox_enter(const struct sandbox *, bool *landlocked);

/* Later, and after sandbox_enter: give up more by a second Landlock domain and
 * seccomp filter, on top of the first (what one of them forbids is forbidden).
 * Limits and capabilities stay. 0 or -errno. */
int sandbox_narrow(const struct sandbox *);

#endif
