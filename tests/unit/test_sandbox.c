/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_sandbox.c -- a process that entered a sandbox, seen from outside: what
 * it may do works, what it may not do ends it, and /proc says the same. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <netinet/in.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/ipc.h"
#include "common/sandbox.h"

#define CAP_NET_ADMIN_BIT (1U << 12)
#define CAP_KILL_BIT	  (1U << 5)
#define EXIT_NO_SANDBOX	  99

/* 0: it worked; otherwise the errno of the call that did not. */
typedef int (*deed)(void);

static int
result(long rc)
{
	return rc < 0 ? errno : 0;
}

static int
do_nothing(void)
{
	return 0;
}

static int
do_base_things(void)
{
	struct clock_view now;
	const void *map;
	char text[64];
	size_t len;
	struct stat st;
	int fd, pair[2], rc;
	void *p;

	clock_now(&now);
	if ((p = malloc(8 << 20)) == NULL)
		return ENOMEM;
	memset(p, 1, 8 << 20);
	free(p);
	snprintf(text, sizeof(text), "%d", (int)getpid());
	if ((fd = memfile_new("t")) < 0)
		return -fd;
	if ((rc = file_write_all(fd, text, strlen(text))) < 0 || (rc = memfile_seal(fd)) < 0 ||
	    (rc = memfile_map(fd, 100, &map, &len)) < 0)
		return -rc;
	memfile_unmap(map, len);
	if (fstat(fd, &st) < 0)
		return errno;
	close(fd);
	if ((rc = ipc_pair(pair)) < 0)
		return -rc;
	if (poll(NULL, 0, 0) < 0 || (fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC)) < 0)
		return errno;
	return usleep(1) < 0 ? errno : 0;
}

static int
do_open_read(void)
{
	return result(openat(AT_FDCWD, "/etc/passwd", O_RDONLY));
}

static int
do_open_write(void)
{
	return result(openat(AT_FDCWD, "/dev/null", O_WRONLY));
}

static int
do_create(void)
{
	int fd = openat(AT_FDCWD, "/tmp", O_TMPFILE | O_RDWR, 0600);

	return result(fd);
}

static int
do_socket_inet(void)
{
	return result(socket(AF_INET, SOCK_STREAM, 0));
}

static int
look_up(void)
{
	struct addrinfo *found;
	int rc = getaddrinfo("localhost", "80", NULL, &found);

	if (rc == 0)
		freeaddrinfo(found);
	return rc;
}

/* What the machine answers outside: one without /etc/hosts may not know it. */
static int looked_up;

/* By whatever modules nsswitch.conf names on this machine. */
static int
do_resolve(void)
{
	return look_up() == looked_up && getpwuid(0) != NULL ? 0 : EIO;
}

static int
do_socket_netlink(void)
{
	return result(socket(AF_NETLINK, SOCK_RAW, 12));
}

static int
do_socket_packet(void)
{
	return result(socket(AF_PACKET, SOCK_RAW, 0));
}

static int
do_socket_vsock(void)
{
	return result(socket(40, SOCK_STREAM, 0));
}

static int
do_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return result(pid);
}

static int
do_fork_exec(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		execl("/bin/true", "true", (char *)NULL);
		_exit(1);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return errno;
	return status == 0 ? 0 : EIO;
}

static int
do_exec(void)
{
	execl("/bin/true", "true", (char *)NULL);
	return errno;
}

static void *
thread_main(void *arg)
{
	void *p = malloc(300000);

	free(p);
	return arg;
}

static int
do_thread(void)
{
	pthread_t t;
	int rc;

	if ((rc = pthread_create(&t, NULL, thread_main, NULL)) != 0)
		return rc;
	return pthread_join(t, NULL);
}

static int
do_ptrace(void)
{
	return result(syscall(SYS_ptrace, 0, 0, 0, 0));
}

static int
do_mount(void)
{
	return result(syscall(SYS_mount, "none", "/nowhere", "tmpfs", 0, NULL));
}

static int
do_bpf(void)
{
	return result(syscall(SYS_bpf, 0, NULL, 0));
}

static int
do_setuid(void)
{
	return result(setresuid(0, 0, 0));
}

static int
do_kill_parent(void)
{
	return result(kill(getppid(), 0));
}

static int
do_map_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? errno : 0;
}

static int
do_raise_limit(void)
{
	struct rlimit r = { 100, 100 };

	return result(setrlimit(RLIMIT_NOFILE, &r));
}

static int
do_read_limit(void)
{
	struct rlimit r;

	return result(getrlimit(RLIMIT_NOFILE, &r));
}

static int
do_user_namespace(void)
{
	return result(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0));
}

static int
do_unshare(void)
{
	return result(syscall(SYS_unshare, CLONE_NEWUSER));
}

static int
do_abort(void)
{
	abort();
}

static int
do_accept(void)
{
	/* the descriptor is none: EBADF says that the call got through */
	return accept4(-1, NULL, NULL, 0) < 0 && errno == EBADF ? 0 : EIO;
}

static int
do_many_memory(void)
{
	void *p = mmap(NULL, 1UL << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? errno : 0;
}

static int
do_grow_file(void)
{
	int fd = memfile_new("t");

	return fd < 0 ? -fd : -file_write_all(fd, "x", 1);
}

static int
do_many_files(void)
{
	int i;

	for (i = 0; i < 200; i++) {
		if (dup(0) < 0)
			return errno;
	}
	return 0;
}

static int
do_watch(void)
{
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC), wd;

	if (fd < 0 || (wd = inotify_add_watch(fd, "/", IN_CREATE)) < 0)
		return errno;
	return result(inotify_rm_watch(fd, wd));
}

/* Further in, for what a process turned out to be for. */
static int
narrow(unsigned rights)
{
	static const char *const paths[] = { "/", NULL };
	const struct sandbox sb = { .program = "test", .rights = rights, .read_paths = paths };

	return -sandbox_narrow(&sb);
}

static int
do_narrow_and_watch(void)
{
	int rc = narrow(SB_FILES_READ | SB_WATCH);

	return rc != 0 ? rc : do_watch();
}

static int
do_narrow_and_connect(void)
{
	int rc = narrow(SB_FILES_READ | SB_WATCH);

	return rc != 0 ? rc : do_socket_inet();
}

struct outcome {
	const char *name;
	unsigned rights;
	deed what;
	int signal;	/* that ends it, or 0 */
	int error;	/* that the deed meets, when it lives */
};

static const struct outcome outcomes[] = {
	{ "base: memory, time, poll, memory files, pairs", SB_BASE, do_base_things, 0, 0 },
	{ "base: accept on what is open", SB_BASE, do_accept, 0, 0 },
	{ "base: reads a limit", SB_BASE, do_read_limit, 0, 0 },
	{ "base: abort aborts", SB_BASE, do_abort, SIGABRT, 0 },
	{ "base: opens nothing", SB_BASE, do_open_read, SIGSYS, 0 },
	{ "base: no socket", SB_BASE, do_socket_inet, SIGSYS, 0 },
	{ "base: no netlink", SB_BASE, do_socket_netlink, SIGSYS, 0 },
	{ "base: no fork", SB_BASE, do_fork, SIGSYS, 0 },
	{ "base: no thread", SB_BASE, do_thread, SIGSYS, 0 },
	{ "base: no exec", SB_BASE, do_exec, SIGSYS, 0 },
	{ "base: no ptrace", SB_BASE, do_ptrace, SIGSYS, 0 },
	{ "base: no mount", SB_BASE, do_mount, SIGSYS, 0 },
	{ "base: no other user", SB_BASE, do_setuid, SIGSYS, 0 },
	{ "base: no signal to others", SB_BASE, do_kill_parent, SIGSYS, 0 },
	{ "base: no machine code", SB_BASE, do_map_code, SIGSYS, 0 },
	{ "base: no change of a limit", SB_BASE, do_raise_limit, SIGSYS, 0 },
	{ "base: no user namespace", SB_BASE, do_unshare, SIGSYS, 0 },
	{ "read: opens", SB_FILES_READ, do_open_read, 0, 0 },
	{ "read: not for writing", SB_FILES_READ, do_open_write, SIGSYS, 0 },
	{ "read: not to create", SB_FILES_READ, do_create, SIGSYS, 0 },
	{ "write: opens", SB_FILES_WRITE, do_open_read, 0, 0 },
	{ "write: for writing", SB_FILES_WRITE, do_open_write, 0, 0 },
	{ "write: no exec", SB_FILES_WRITE, do_exec, SIGSYS, 0 },
	{ "netlink: netlink", SB_NETLINK, do_socket_netlink, 0, 0 },
	{ "netlink: no internet", SB_NETLINK, do_socket_inet, SIGSYS, 0 },
	{ "netlink: no packets", SB_NETLINK, do_socket_packet, SIGSYS, 0 },
	{ "threads: threads", SB_THREADS, do_thread, 0, 0 },
	{ "threads: no fork", SB_THREADS, do_fork, SIGSYS, 0 },
	{ "threads: opens nothing", SB_THREADS, do_open_read, 0, EACCES },
	{ "connect: internet", SB_NET_CONNECT, do_socket_inet, 0, 0 },
	{ "connect: resolves names", SB_NET_CONNECT, do_resolve, 0, 0 },
	{ "connect: threads", SB_NET_CONNECT, do_thread, 0, 0 },
	{ "connect: reads", SB_NET_CONNECT, do_open_read, 0, 0 },
	{ "connect: does not write", SB_NET_CONNECT, do_open_write, 0, EACCES },
	{ "connect: no packets", SB_NET_CONNECT, do_socket_packet, SIGSYS, 0 },
	{ "connect: no rare family", SB_NET_CONNECT, do_socket_vsock, SIGSYS, 0 },
	{ "connect: no fork", SB_NET_CONNECT, do_fork, SIGSYS, 0 },
	{ "connect: no exec", SB_NET_CONNECT, do_exec, SIGSYS, 0 },
	{ "connect: no accept", SB_NET_CONNECT, do_accept, SIGSYS, 0 },
	{ "connect: no signal to others", SB_NET_CONNECT, do_kill_parent, SIGSYS, 0 },
	{ "connect: no ptrace", SB_NET_CONNECT, do_ptrace, SIGSYS, 0 },
	{ "connect: no bpf", SB_NET_CONNECT, do_bpf, SIGSYS, 0 },
	{ "connect: no user namespace", SB_NET_CONNECT, do_user_namespace, SIGSYS, 0 },
	{ "read: watches nothing", SB_FILES_READ, do_watch, SIGSYS, 0 },
	{ "watch: watches", SB_FILES_READ | SB_WATCH, do_watch, 0, 0 },
	{ "watch: opens nothing", SB_WATCH, do_open_read, SIGSYS, 0 },
	{ "narrowed: watches", SB_NET_CONNECT, do_narrow_and_watch, 0, 0 },
	{ "narrowed: no internet", SB_NET_CONNECT, do_narrow_and_connect, SIGSYS, 0 },
	{ "spawn: starts programs", SB_SPAWN, do_fork_exec, 0, 0 },
	{ "spawn: no ptrace", SB_SPAWN, do_ptrace, SIGSYS, 0 },
	{ "spawn: no mount", SB_SPAWN, do_mount, SIGSYS, 0 },
	{ "spawn: no bpf", SB_SPAWN, do_bpf, SIGSYS, 0 },
	{ "spawn: no user namespace", SB_SPAWN, do_user_namespace, SIGSYS, 0 },
	{ "spawn: nor by unshare", SB_SPAWN, do_unshare, SIGSYS, 0 },
};

/* Enter the sandbox in a child, do the deed there, return the wait status. */
static int
status_after(const struct sandbox *sb, deed what)
{
	bool landlocked;
	int status = -1;
	pid_t pid;

	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		alarm(20);
		if (sandbox_enter(sb, &landlocked) < 0)
			_exit(EXIT_NO_SANDBOX);
		_exit(what());
	}
	while (waitpid(pid, &status, 0) < 0)
		assert_int_equal(errno, EINTR);
	return status;
}

static const char *const whole_tree[] = { "/", NULL };

static void
test_rights(void **state)
{
	struct sandbox sb = { .program = "test" };
	const struct outcome *o;
	size_t i, wrong = 0;
	int status, want;

	(void)state;
#ifdef CORDON_SANITIZERS
	print_message("skipped: the sanitizers make system calls of their own\n");
	skip();
#endif
	looked_up = look_up();
	for (i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++) {
		o = &outcomes[i];
		sb.rights = o->rights;
		/* this test is about system calls: paths are open where Landlock exists */
		sb.read_paths = NULL;
		sb.write_paths = whole_tree;
		status = status_after(&sb, o->what);
		want = o->signal != 0 ? o->signal : o->error << 8;
		if ((status & ~0x80) != want) {
			fprintf(stderr, "%s: wait status 0x%x, not 0x%x\n", o->name, status, want);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
}

static void
test_limits(void **state)
{
	struct sandbox sb = {
		.program = "test", .max_memory = 512 << 20, .max_files = 64, .max_file_size = 1
	};

	(void)state;
#ifndef CORDON_SANITIZERS
	assert_int_equal(status_after(&sb, do_many_memory), ENOMEM << 8);
#endif
	assert_int_equal(status_after(&sb, do_many_files), EMFILE << 8);
	assert_int_equal(status_after(&sb, do_grow_file), EFBIG << 8);
	sb = (struct sandbox){ .program = "test" };
	assert_int_equal(status_after(&sb, do_many_memory), 0);
	assert_int_equal(status_after(&sb, do_many_files), 0);
	assert_int_equal(status_after(&sb, do_grow_file), 0);
}

static void
test_write_right_replaces_files(void **state)
{
	static const char *const paths[] = { "/tmp", NULL };
	struct sandbox sb = { .program = "test", .rights = SB_FILES_WRITE, .write_paths = paths };
	char folder[] = "/tmp/cordon-test-sandbox-XXXXXX";
	bool landlocked;
	int fd, status = -1;
	pid_t pid;

	(void)state;
	assert_non_null(mkdtemp(folder));
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		alarm(20);
		if (sandbox_enter(&sb, &landlocked) < 0)
			_exit(EXIT_NO_SANDBOX);
		_exit(-file_replace_at(fd, "name", "x", 1, 0600));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(faccessat(fd, "name", R_OK, 0), 0);
	unlinkat(fd, "name", 0);
	close(fd);
	rmdir(folder);
}

/* The value of a line of /proc/PID/status, in hexadecimal. */
static unsigned long long
status_line(pid_t pid, const char *name)
{
	char path[64], line[256];
	unsigned long long v = ~0ULL;
	size_t n = strlen(name);
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, name, n) == 0 && line[n] == ':')
			v = strtoull(line + n + 1, NULL, 16);
	}
	fclose(f);
	return v;
}

struct seen {
	unsigned long long no_new_privs, seccomp, effective, permitted, inheritable, bounding,
	    ambient;
};

static struct seen
look_at(const struct sandbox *sb)
{
	struct seen s = { 0 };
	bool landlocked;
	int ready[2], hold[2], status;
	char byte = 0;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(hold), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		alarm(20);
		close(hold[1]);
		if (sandbox_enter(sb, &landlocked) < 0)
			_exit(EXIT_NO_SANDBOX);
		if (write(ready[1], "r", 1) != 1)
			_exit(1);
		_exit(read(hold[0], &byte, 1) == 0 ? 0 : 1);
	}
	close(ready[1]);
	close(hold[0]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	s.no_new_privs = status_line(pid, "NoNewPrivs");
	s.seccomp = status_line(pid, "Seccomp");
	s.effective = status_line(pid, "CapEff");
	s.permitted = status_line(pid, "CapPrm");
	s.inheritable = status_line(pid, "CapInh");
	s.bounding = status_line(pid, "CapBnd");
	s.ambient = status_line(pid, "CapAmb");
	close(hold[1]);
	close(ready[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return s;
}

static void
test_proc_status(void **state)
{
	struct sandbox sb = { .program = "test" };
	unsigned want[] = { 0, CAP_NET_ADMIN_BIT, CAP_NET_ADMIN_BIT | CAP_KILL_BIT };
	struct seen s;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		if (want[i] != 0 && geteuid() != 0)
			continue;
		sb.keep_caps = want[i];
		s = look_at(&sb);
		assert_int_equal(s.no_new_privs, 1);
#ifndef CORDON_SANITIZERS
		assert_int_equal(s.seccomp, 2);
#endif
		assert_int_equal(s.effective, want[i]);
		assert_int_equal(s.permitted, want[i]);
		assert_int_equal(s.inheritable, 0);
		assert_int_equal(s.ambient, 0);
		if (geteuid() == 0)
			assert_int_equal(s.bounding, want[i]);
	}
}

/* A capability that we do not have cannot be kept: that is a failure, not a
 * sandbox with less. */
static void
test_keeping_what_is_not_there_fails(void **state)
{
	struct sandbox none = { .program = "test", .rights = SB_SPAWN };
	struct sandbox some = { .program = "test", .keep_caps = CAP_NET_ADMIN_BIT };
	bool landlocked = true;
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		alarm(20);
		if (sandbox_enter(&none, &landlocked) < 0 || landlocked)
			_exit(EXIT_NO_SANDBOX);
		_exit(sandbox_enter(&some, &landlocked) == -EPERM ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
test_not_dumpable(void **state)
{
	struct sandbox sb = { .program = "test", .rights = SB_SPAWN };
	bool landlocked;
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(sandbox_enter(&sb, &landlocked) < 0 ? EXIT_NO_SANDBOX
							  : prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(status_after(&(struct sandbox){ .program = "test" }, do_nothing), 0);
}

#define NO_LANDLOCK 77

/* Run in a child with a folder of its own, an inherited TCP socket and a
 * sandbox that reads /etc and writes that folder, as an ordinary user. The
 * folder is named as workers name theirs: by the descriptor they were born with. */
static int
landlocked_deeds(const char *folder, const char *unreachable, int folder_fd, int tcp)
{
	const char *const read_paths[] = { "/etc", "/nowhere/at/all", unreachable, NULL };
	const struct sockaddr_in any = { .sin_family = AF_INET };
	const char *write_paths[] = { NULL, NULL };
	struct sandbox sb = { .program = "test", .rights = SB_FILES_WRITE | SB_NETLINK };
	char by_fd[64];
	bool landlocked = false;

	alarm(20);
	snprintf(by_fd, sizeof(by_fd), "/proc/self/fd/%d", folder_fd);
	write_paths[0] = by_fd;
	sb.read_paths = read_paths;
	sb.write_paths = write_paths;
	if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
		return 50;
	if (sandbox_enter(&sb, &landlocked) < 0)
		return EXIT_NO_SANDBOX;
	if (!landlocked)
		return NO_LANDLOCK;
	if (open("/etc/passwd", O_RDONLY) < 0)
		return 1;
	if (open("/proc/self/stat", O_RDONLY) >= 0 || errno != EACCES)
		return 2;
	if (open("/", O_RDONLY | O_DIRECTORY) >= 0 || errno != EACCES)
		return 3;
	if (open("/tmp", O_TMPFILE | O_RDWR, 0600) >= 0 || errno != EACCES)
		return 4;
	if (open("/dev/null", O_WRONLY) >= 0 || errno != EACCES)
		return 5;
	if (file_replace_at(folder_fd, "one", "x", 1, 0600) < 0 ||
	    file_replace_at(folder_fd, "one", "y", 1, 0600) < 0 ||
	    mkdirat(folder_fd, "two", 0700) < 0)
		return 6;
	if (renameat(folder_fd, "one", folder_fd, "two/one") >= 0 || errno != EXDEV)
		return 7; /* nothing here moves files between folders */
	if (open(folder, O_RDONLY | O_DIRECTORY) < 0)
		return 8;
	if (unlinkat(folder_fd, "one", 0) < 0 || unlinkat(folder_fd, "two", AT_REMOVEDIR) < 0)
		return 9;
	return tcp < 0 || (bind(tcp, (const void *)&any, sizeof(any)) < 0 && errno == EACCES) ? 0
											      : 10;
}

static void
test_landlock(void **state)
{
	char folder[] = "/tmp/cordon-test-sandbox-XXXXXX", closed[] = "/tmp/cordon-test-closed-XXXXXX";
	char unreachable[64];
	int fd, tcp, status, abi;
	pid_t pid;

	(void)state;
	/* LANDLOCK_CREATE_RULESET_VERSION; TCP is known from ABI 4 on */
	abi = (int)syscall(444, NULL, 0, 1);
	assert_non_null(mkdtemp(folder));
	/* as the configuration of a build in somebody's home */
	assert_non_null(mkdtemp(closed));
	assert_int_equal(chmod(closed, 0), 0);
	snprintf(unreachable, sizeof(unreachable), "%s/etc", closed);
	if (geteuid() == 0)
		assert_int_equal(chown(folder, 65534, 65534), 0);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	tcp = abi >= 4 ? socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(landlocked_deeds(folder, unreachable, fd, tcp));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(fd);
	if (tcp >= 0)
		close(tcp);
	assert_int_equal(rmdir(folder), 0);
	assert_int_equal(rmdir(closed), 0);
	if (status == NO_LANDLOCK << 8) {
		assert_true(abi < 0);
		print_message("skipped: this kernel has no Landlock\n");
		skip();
	}
	assert_int_equal(status, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rights),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_write_right_replaces_files),
		cmocka_unit_test(test_proc_status),
		cmocka_unit_test(test_keeping_what_is_not_there_fails),
		cmocka_unit_test(test_not_dumpable),
		cmocka_unit_test(test_landlock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
