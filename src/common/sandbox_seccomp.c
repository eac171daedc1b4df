/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sandbox_seccomp.c -- the system calls a process may still make.
 *
 * Processes that hold something get a list of what is allowed. Two get a list
 * of what is forbidden instead: who resolves names (SB_NET_CONNECT), since the
 * modules of the system's resolver may call anything; and cordon-spawn
 * (SB_SPAWN), since a filter is inherited over fork and exec, and a list of
 * what it needs itself would have to hold all that its children need. */
#include "common/sandbox_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#ifndef CORDON_SANITIZERS

#define LIST_END INT32_MIN
#define KILL	 SCMP_ACT_KILL_PROCESS
#define WRITING	 (O_ACCMODE | O_CREAT | O_TRUNC)

/* What every process needs to run at all, and to use what it has open. */
static const int base[] = {
	/* bytes */
	SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(preadv), SCMP_SYS(write),
	SCMP_SYS(writev), SCMP_SYS(pwrite64), SCMP_SYS(pwritev), SCMP_SYS(lseek), SCMP_SYS(close),
	SCMP_SYS(close_range), SCMP_SYS(fstat), SCMP_SYS(fcntl), SCMP_SYS(dup), SCMP_SYS(dup2),
	SCMP_SYS(dup3), SCMP_SYS(pipe), SCMP_SYS(pipe2), SCMP_SYS(memfd_create),
	SCMP_SYS(ftruncate),
	/* messages */
	SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(recvmmsg), SCMP_SYS(sendto),
	SCMP_SYS(sendmsg), SCMP_SYS(sendmmsg), SCMP_SYS(shutdown), SCMP_SYS(getsockopt),
	SCMP_SYS(setsockopt), SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(accept),
	SCMP_SYS(accept4),
	/* waiting */
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(select), SCMP_SYS(pselect6),
	SCMP_SYS(epoll_create), SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2), SCMP_SYS(eventfd2), SCMP_SYS(timerfd_create),
	SCMP_SYS(timerfd_settime), SCMP_SYS(timerfd_gettime), SCMP_SYS(signalfd4),
	SCMP_SYS(nanosleep), SCMP_SYS(clock_nanosleep), SCMP_SYS(restart_syscall),
	SCMP_SYS(sched_yield),
	/* time and chance */
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(gettimeofday), SCMP_SYS(time),
	SCMP_SYS(times), SCMP_SYS(getrandom),
	/* memory; what maps code is added apart */
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(msync),
	/* signals and the C library's upkeep */
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigtimedwait), SCMP_SYS(sigreturn), SCMP_SYS(sigaltstack), SCMP_SYS(futex),
	SCMP_SYS(futex_waitv), SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(membarrier),
	SCMP_SYS(sched_getaffinity), SCMP_SYS(getcpu), SCMP_SYS(sysinfo), SCMP_SYS(uname),
	SCMP_SYS(getrlimit), SCMP_SYS(getrusage),
	/* who am I */
	SCMP_SYS(getpid), SCMP_SYS(getppid), SCMP_SYS(gettid), SCMP_SYS(getuid), SCMP_SYS(geteuid),
	SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(getresuid), SCMP_SYS(getresgid),
	SCMP_SYS(getgroups), SCMP_SYS(exit), SCMP_SYS(exit_group), LIST_END
};

static const int files_read[] = { SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(newfstatat),
	SCMP_SYS(statx), SCMP_SYS(statfs), SCMP_SYS(fstatfs), SCMP_SYS(access), SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getdents),
	SCMP_SYS(getdents64), SCMP_SYS(getcwd), SCMP_SYS(fadvise64), SCMP_SYS(flock), LIST_END };

static const int files_write[] = { SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(fsync),
	SCMP_SYS(fdatasync), SCMP_SYS(fallocate), SCMP_SYS(unlink), SCMP_SYS(unlinkat),
	SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(mkdir),
	SCMP_SYS(mkdirat), SCMP_SYS(rmdir), SCMP_SYS(chmod), SCMP_SYS(fchmod), SCMP_SYS(fchmodat),
	SCMP_SYS(utimensat), SCMP_SYS(umask), LIST_END };

static const int watch[] = { SCMP_SYS(inotify_init1), SCMP_SYS(inotify_add_watch),
	SCMP_SYS(inotify_rm_watch), LIST_END };

static const int clock_state[] = { SCMP_SYS(adjtimex), SCMP_SYS(clock_adjtime), LIST_END };

/* No process of ours has any use for these, its libraries neither. */
static const int forbidden[] = {
	/* other processes */
	SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev),
	SCMP_SYS(process_madvise), SCMP_SYS(kcmp), SCMP_SYS(pidfd_getfd), SCMP_SYS(perf_event_open),
	/* the machine */
	SCMP_SYS(reboot), SCMP_SYS(kexec_load), SCMP_SYS(kexec_file_load), SCMP_SYS(init_module),
	SCMP_SYS(finit_module), SCMP_SYS(delete_module), SCMP_SYS(create_module),
	SCMP_SYS(query_module), SCMP_SYS(iopl), SCMP_SYS(ioperm), SCMP_SYS(modify_ldt),
	SCMP_SYS(settimeofday), SCMP_SYS(clock_settime), SCMP_SYS(sethostname), SCMP_SYS(setdomainname), SCMP_SYS(syslog),
	SCMP_SYS(acct), SCMP_SYS(quotactl), SCMP_SYS(quotactl_fd), SCMP_SYS(swapon),
	SCMP_SYS(swapoff), SCMP_SYS(vhangup), SCMP_SYS(_sysctl), SCMP_SYS(personality),
	/* mounts and namespaces */
	SCMP_SYS(mount), SCMP_SYS(umount), SCMP_SYS(umount2), SCMP_SYS(pivot_root),
	SCMP_SYS(chroot), SCMP_SYS(move_mount), SCMP_SYS(open_tree), SCMP_SYS(fsopen),
	SCMP_SYS(fsconfig), SCMP_SYS(fsmount), SCMP_SYS(fspick), SCMP_SYS(mount_setattr),
	SCMP_SYS(unshare), SCMP_SYS(setns), SCMP_SYS(mknod), SCMP_SYS(mknodat),
	SCMP_SYS(name_to_handle_at), SCMP_SYS(open_by_handle_at), SCMP_SYS(fanotify_init),
	SCMP_SYS(fanotify_mark),
	/* large and often broken parts of the kernel */
	SCMP_SYS(bpf), SCMP_SYS(userfaultfd), SCMP_SYS(io_uring_setup), SCMP_SYS(io_uring_enter),
	SCMP_SYS(io_uring_register), SCMP_SYS(add_key), SCMP_SYS(request_key), SCMP_SYS(keyctl),
	SCMP_SYS(lookup_dcookie), SCMP_SYS(nfsservctl), SCMP_SYS(uselib),
	SCMP_SYS(remap_file_pages), SCMP_SYS(move_pages), SCMP_SYS(migrate_pages), SCMP_SYS(mbind),
	SCMP_SYS(set_mempolicy), LIST_END
};

/* In addition for who resolves names: it starts, signals and becomes nobody, and
 * the clock is none of its business. (cordon-spawn cannot forbid that: cordon-pki,
 * which asks whether the clock is synchronised, inherits what it forbids itself.) */
static const int forbidden_resolver[] = { SCMP_SYS(clock_adjtime), SCMP_SYS(adjtimex), SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork),
	SCMP_SYS(vfork), SCMP_SYS(kill), SCMP_SYS(rt_sigqueueinfo), SCMP_SYS(rt_tgsigqueueinfo),
	SCMP_SYS(pidfd_send_signal), SCMP_SYS(setuid), SCMP_SYS(setgid), SCMP_SYS(setreuid),
	SCMP_SYS(setregid), SCMP_SYS(setresuid), SCMP_SYS(setresgid), SCMP_SYS(setfsuid),
	SCMP_SYS(setfsgid), SCMP_SYS(setgroups), SCMP_SYS(capset), SCMP_SYS(listen),
	SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(shmget), SCMP_SYS(shmat), SCMP_SYS(msgget),
	SCMP_SYS(semget), SCMP_SYS(mq_open), LIST_END };

/* Answered with EACCES rather than death: a resolver's module may try. */
static const int forbidden_writing[] = { SCMP_SYS(creat), SCMP_SYS(mkdir), SCMP_SYS(mkdirat),
	SCMP_SYS(rmdir), SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(rename), SCMP_SYS(renameat),
	SCMP_SYS(renameat2), SCMP_SYS(link), SCMP_SYS(linkat), SCMP_SYS(symlink),
	SCMP_SYS(symlinkat), SCMP_SYS(truncate), SCMP_SYS(chmod), SCMP_SYS(fchmodat),
	SCMP_SYS(chown), SCMP_SYS(lchown), SCMP_SYS(fchown), SCMP_SYS(fchownat), SCMP_SYS(setxattr),
	SCMP_SYS(lsetxattr), SCMP_SYS(fsetxattr), SCMP_SYS(removexattr), SCMP_SYS(lremovexattr),
	SCMP_SYS(fremovexattr), SCMP_SYS(openat2), LIST_END };

static int
add_list(scmp_filter_ctx ctx, uint32_t action, const int *list)
{
	int rc;

	for (; *list != LIST_END; list++) {
		/* a number that this architecture never had is no error */
		if ((rc = seccomp_rule_add(ctx, action, *list, 0)) < 0 && rc != -EDOM)
			return rc;
	}
	return 0;
}

/* One system call under one condition on one argument. */
static int
add_if(scmp_filter_ctx ctx, uint32_t action, int number, struct scmp_arg_cmp condition)
{
	int rc = seccomp_rule_add_array(ctx, action, number, 1, &condition);

	return rc == -EDOM ? 0 : rc;
}

/* base, as far as it depends on arguments. */
static int
allow_base_arguments(scmp_filter_ctx ctx)
{
	static const unsigned long requests[] = { FIONREAD, FIONBIO, TCGETS };
	static const unsigned options[] = { PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE };
	size_t i;
	int rc;

	if ((rc = add_list(ctx, SCMP_ACT_ALLOW, base)) < 0 ||
	    /* fresh machine code has no way in */
	    (rc = add_if(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap),
		 SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0))) < 0 ||
	    (rc = add_if(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect),
		 SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0))) < 0 ||
	    (rc = add_if(
		 ctx, SCMP_ACT_ALLOW, SCMP_SYS(socketpair), SCMP_A0(SCMP_CMP_EQ, AF_UNIX))) < 0 ||
	    /* reading a limit, not setting one */
	    (rc = add_if(ctx, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), SCMP_A2(SCMP_CMP_EQ, 0))) < 0 ||
	    /* abort() */
	    (rc = add_if(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill),
		 SCMP_A0(SCMP_CMP_EQ, (uint64_t)getpid()))) < 0)
		return rc;
	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		if ((rc = add_if(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl),
			 SCMP_A1(SCMP_CMP_EQ, requests[i]))) < 0)
			return rc;
	}
	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if ((rc = add_if(ctx, SCMP_ACT_ALLOW, SCMP_SYS(prctl),
			 SCMP_A0(SCMP_CMP_EQ, options[i]))) < 0)
			return rc;
	}
	return 0;
}

static int
allow_files(scmp_filter_ctx ctx, unsigned rights)
{
	int rc;

	if ((rights & (SB_FILES_READ | SB_FILES_WRITE)) == 0)
		/* fstat() of glibc before 2.39; no other file can be told by it
		 * than one can by the numbers of the error */
		return add_if(ctx, SCMP_ACT_ALLOW, SCMP_SYS(newfstatat),
		    SCMP_A3(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, AT_EMPTY_PATH));
	if ((rc = add_list(ctx, SCMP_ACT_ALLOW, files_read)) < 0)
		return rc;
	if (rights & SB_FILES_WRITE)
		return add_list(ctx, SCMP_ACT_ALLOW, files_write);
	if ((rc = add_if(ctx, SCMP_ACT_ALLOW, SCMP_SYS(openat),
		 SCMP_A2(SCMP_CMP_MASKED_EQ, WRITING, 0))) < 0)
		return rc;
	return add_if(ctx, SCMP_ACT_ALLOW, SCMP_SYS(open), SCMP_A1(SCMP_CMP_MASKED_EQ, WRITING, 0));
}

/* Threads, and no processes. The flags of clone3 lie in memory where no filter
 * sees them: told that it is missing, the C library takes clone. */
static int
threads_only(scmp_filter_ctx ctx, bool allow_list)
{
	int rc;

	if ((rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0)) < 0)
		return rc;
	if (allow_list)
		return add_if(ctx, SCMP_ACT_ALLOW, SCMP_SYS(clone),
		    SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
	return add_if(ctx, KILL, SCMP_SYS(clone), SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
}

static int
allow_rights(scmp_filter_ctx ctx, unsigned rights)
{
	int rc;

	if ((rc = allow_base_arguments(ctx)) < 0 || (rc = allow_files(ctx, rights)) < 0)
		return rc;
	if ((rights & SB_WATCH) && (rc = add_list(ctx, SCMP_ACT_ALLOW, watch)) < 0)
		return rc;
	if (rights & SB_NETLINK) {
		if ((rc = add_if(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket),
			 SCMP_A0(SCMP_CMP_EQ, AF_NETLINK))) < 0 ||
		    (rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(bind), 0)) < 0)
			return rc;
	}
	if ((rights & SB_CLOCK) && (rc = add_list(ctx, SCMP_ACT_ALLOW, clock_state)) < 0)
		return rc;
	if (rights & SB_THREADS) {
		if ((rc = threads_only(ctx, true)) < 0)
			return rc;
		/* malloc of a second thread asks /sys and /proc for advice, and
		 * lives without it. */
		if ((rights & (SB_FILES_READ | SB_FILES_WRITE)) == 0 &&
		    (rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(openat), 0)) < 0)
			return rc;
	}
	return 0;
}

/* One argument may stand in a rule once, so "none of these" is many rules. */
static int
forbid_families(scmp_filter_ctx ctx)
{
	unsigned family;
	int rc;

	for (family = 0; family <= AF_NETLINK; family++) {
		if (family == AF_UNIX || family == AF_INET || family == AF_INET6 ||
		    family == AF_NETLINK)
			continue;
		if ((rc = add_if(ctx, KILL, SCMP_SYS(socket), SCMP_A0(SCMP_CMP_EQ, family))) < 0)
			return rc;
	}
	return add_if(ctx, KILL, SCMP_SYS(socket), SCMP_A0(SCMP_CMP_GT, AF_NETLINK));
}

static int
forbid_writing(scmp_filter_ctx ctx)
{
	static const unsigned flags[] = { O_WRONLY, O_RDWR, O_CREAT, O_TRUNC };
	const uint32_t no = SCMP_ACT_ERRNO(EACCES);
	size_t i;
	int rc;

	if ((rc = add_list(ctx, no, forbidden_writing)) < 0)
		return rc;
	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if ((rc = add_if(ctx, no, SCMP_SYS(openat),
			 SCMP_A2(SCMP_CMP_MASKED_EQ, flags[i], flags[i]))) < 0 ||
		    (rc = add_if(ctx, no, SCMP_SYS(open),
			 SCMP_A1(SCMP_CMP_MASKED_EQ, flags[i], flags[i]))) < 0)
			return rc;
	}
	return 0;
}

/* A new user namespace gives back, inside it, every capability that was
 * dropped. clone3 hides its flags, see threads_only. */
static int
forbid_user_namespaces(scmp_filter_ctx ctx)
{
	int rc;

	if ((rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0)) < 0)
		return rc;
	return add_if(ctx, KILL, SCMP_SYS(clone),
	    SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_NEWUSER, CLONE_NEWUSER));
}

static int
forbid_rights(scmp_filter_ctx ctx, unsigned rights)
{
	int rc;

	if ((rc = add_list(ctx, KILL, forbidden)) < 0)
		return rc;
	if (rights & SB_SPAWN)
		return forbid_user_namespaces(ctx);
	if ((rc = add_list(ctx, KILL, forbidden_resolver)) < 0 ||
	    (rc = threads_only(ctx, false)) < 0 || (rc = forbid_families(ctx)) < 0)
		return rc;
	return rights & SB_FILES_WRITE ? 0 : forbid_writing(ctx);
}

int
sandbox_seccomp(const struct sandbox *sb)
{
	bool by_exclusion = (sb->rights & (SB_SPAWN | SB_NET_CONNECT)) != 0;
	scmp_filter_ctx ctx;
	int rc;

	if ((ctx = seccomp_init(by_exclusion ? SCMP_ACT_ALLOW : KILL)) == NULL)
		return -ENOMEM;
	if ((rc = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, KILL)) < 0)
		goto out;
	/* a tree instead of a walk of a hundred comparisons for each call */
	if ((rc = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2)) < 0)
		goto out;
	if ((rc = by_exclusion ? forbid_rights(ctx, sb->rights) : allow_rights(ctx, sb->rights)) <
	    0)
		goto out;
	rc = seccomp_load(ctx);
out:
	seccomp_release(ctx);
	return rc;
}

#else

/* The sanitizers' own calls (ptrace of the leak checker among them) are no
 * list we keep; what is shipped is never built so. */
int
sandbox_seccomp(const struct sandbox *sb)
{
	(void)sb;
	return 0;
}

#endif
