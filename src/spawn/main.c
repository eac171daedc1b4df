/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main.c -- cordon-spawn: prepare, give up rights, then wait for signals and cordond.
 * The only program that may change user; it reads no byte from outside. */
#include <errno.h>
#include <getopt.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/sandbox.h"
#include "spawn/place.h"
#include "spawn/supervise.h"

#define EXIT_USAGE 64

struct options {
	const char *config;
	const char *state;
	const char *run;
	const char *programs;
	const char *force_absent;
	bool debug;
};

/* A list of what is forbidden (see sandbox_seccomp.c) and no memory or file
 * limits: both are inherited by every child. CAP_NET_ADMIN is held to hand it
 * on to cordond, the others to make children out of us. */
static const struct sandbox sandbox = {
	.program = "cordon-spawn",
	.rights = SB_SPAWN,
	.keep_caps = 1U << CAP_SETUID | 1U << CAP_SETGID | 1U << CAP_SETPCAP | 1U << CAP_KILL |
		     1U << CAP_NET_ADMIN,
};

static void
usage(FILE *f)
{
	fputs("usage: cordon-spawn [--config DIR] [--state DIR] [--run DIR] [--programs DIR]\n"
	      "                    [--force-absent FEATURE[,FEATURE]] [--debug]\n"
	      "       cordon-spawn --help | --version\n", f);
}

static void
options_read(int argc, char **argv, struct options *o)
{
	static const struct option known[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "state", required_argument, NULL, 's' },
		{ "run", required_argument, NULL, 'r' },
		{ "programs", required_argument, NULL, 'p' },
		{ "force-absent", required_argument, NULL, 'a' },
		{ "debug", no_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->config = optarg;
			break;
		case 's':
			o->state = optarg;
			break;
		case 'r':
			o->run = optarg;
			break;
		case 'p':
			o->programs = optarg;
			break;
		case 'a':
			o->force_absent = optarg;
			break;
		case 'd':
			o->debug = true;
			break;
		case 'h':
			usage(stdout);
			exit(0);
		case 'V':
			puts("cordon-spawn " VERSION);
			exit(0);
		default:
			usage(stderr);
			exit(EXIT_USAGE);
		}
	}
	if (optind != argc) {
		usage(stderr);
		exit(EXIT_USAGE);
	}
}

/* We change to "/" and hand these to others. */
static void
options_check(const struct options *o)
{
	const char *const paths[] = { o->config, o->state, o->run, o->programs };
	size_t i;

	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (paths[i][0] != '/')
			log_fatal(EINVAL, "%s: a folder is named from the root on", paths[i]);
	}
}

static void
prepare_users(struct supervisor *s)
{
	const struct program *p;
	uint32_t proc;
	int rc;

	if ((rc = program_group(&s->group)) < 0)
		log_fatal(rc, "group %s (conf/sysusers.d/cordon.conf makes it)", PROGRAM_GROUP);
	for (proc = 0; proc < PROC_MAX; proc++) {
		if ((p = program_by_proc(proc)) != NULL && (rc = program_ids(p, &s->ids[proc])) < 0)
			log_fatal(rc, "user %s (conf/sysusers.d/cordon.conf makes it)", p->user);
	}
}

static void
prepare_state(struct supervisor *s, const char *path)
{
	const struct program *p;
	const struct program_ids *ids;
	uint32_t proc;
	int state, fd, rc;

	if ((state = place_folder(path)) < 0)
		log_fatal(state, "%s", path);
	for (proc = 0; proc < PROC_MAX; proc++) {
		if ((p = program_by_proc(proc)) == NULL || p->folder == NULL)
			continue;
		ids = &s->ids[proc];
		fd = place_own_folder(state, p->folder, ids->uid,
		    p->folder_shared ? s->group : ids->gid, p->folder_mode);
		if (fd < 0)
			log_fatal(fd, "%s/%s", path, p->folder);
		if ((rc = place_hold(fd)) < 0)
			log_fatal(rc, "%s/%s: in use by another cordon", path, p->folder);
		s->state_fd[proc] = fd;
	}
	close(state);
}

/* The run folder's descriptor, to clean it at the end. The lock is held until we end. */
static int
prepare_run(const char *path)
{
	int run, lock;

	if ((run = place_folder(path)) < 0)
		log_fatal(run, "%s", path);
	if ((lock = place_lock(run)) == -EWOULDBLOCK)
		log_fatal(0, "%s/lock: another cordon-spawn runs there", path);
	if (lock < 0)
		log_fatal(lock, "%s/lock", path);
	return run;
}

static void
prepare_sockets(struct supervisor *s, const char *path, int run)
{
	if ((s->control_fd = place_control_socket(path, run, s->group)) < 0)
		log_fatal(s->control_fd, "%s/control.sock", path);
	if ((s->nft_fd = place_netlink()) < 0)
		log_fatal(s->nft_fd, "netlink");
}

static int
prepare_signals(void)
{
	static const int wanted[] = { SIGCHLD, SIGTERM, SIGINT, SIGHUP };
	sigset_t set;
	size_t i;
	int fd;

	/* A log that went away is no reason to end. */
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		log_fatal(errno, "signals");
	sigemptyset(&set);
	for (i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		sigaddset(&set, wanted[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0 ||
	    (fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
		log_fatal(errno, "signals");
	return fd;
}

static void
on_signals(struct supervisor *s, int fd, int64_t now_ms)
{
	struct signalfd_siginfo si;
	int status;
	pid_t pid;

	while (read(fd, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		if (si.ssi_signo == SIGHUP) {
			supervise_hangup(s);
		} else if (si.ssi_signo == SIGTERM || si.ssi_signo == SIGINT) {
			sd_notify(0, "STOPPING=1");
			supervise_stop(s, now_ms);
		}
	}
	/* Several ends may come as one SIGCHLD. */
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		supervise_ended(s, pid, status, now_ms);
}

static void
run_until_over(struct supervisor *s, int signals)
{
	struct pollfd p[2] = { { .fd = signals, .events = POLLIN }, { .events = POLLIN } };
	struct clock_view now;
	bool told = false;

	for (;;) {
		clock_now(&now);
		supervise_tick(s, now.boot_ms);
		if (s->phase == PHASE_OVER)
			return;
		if (!told && s->loaded) {
			sd_notify(0, "READY=1");
			told = true;
		}
		p[1].fd = s->channel.fd; /* -1 is skipped */
		p[1].revents = 0;
		if (poll(p, 2, supervise_timeout(s, now.boot_ms)) < 0 && errno != EINTR)
			log_fatal(errno, "poll");
		clock_now(&now);
		/* Requests before ends: what was asked for in time is answered. */
		if (p[1].revents != 0)
			supervise_receive(s, now.boot_ms);
		if (p[0].revents != 0)
			on_signals(s, signals, now.boot_ms);
	}
}

int
main(int argc, char **argv)
{
	struct options o = { SYSCONFDIR, STATEDIR, RUNDIR, LIBEXECDIR, NULL, false };
	static struct supervisor s;
	bool landlocked;
	int run, signals, rc;

	options_read(argc, argv, &o);
	log_init("cordon-spawn", o.debug);
	options_check(&o);
	if (geteuid() != 0)
		log_fatal(EPERM, "cordon-spawn is started as root, and hands out less");
	umask(022);
	if (chdir("/") < 0)
		log_fatal(errno, "/");
	supervise_init(&s);
	s.program_folder = o.programs;
	s.config_folder = o.config;
	s.force_absent = o.force_absent;
	s.debug = o.debug;
	prepare_users(&s);
	run = prepare_run(o.run);
	prepare_state(&s, o.state);
	prepare_sockets(&s, o.run, run);
	signals = prepare_signals();
	if ((rc = sandbox_enter(&sandbox, &landlocked)) < 0)
		log_fatal(rc, "sandbox");
	run_until_over(&s, signals);
	place_clean(run);
	log_info("stopped; the rules in the kernel stay");
	return 0;
}
