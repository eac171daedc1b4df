/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main.c -- cordon-flow: every refused connection becomes evidence.
 * Reads packet heads from an inherited NFLOG socket, writes one folder, and may
 * do nothing else: no network, no capability, no other file. */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/ipc.h"
#include "common/log.h"
#include "common/sandbox.h"
#include "flow/flow.h"
#include "proto/messages.h"
#include "proto/proc.h"

#define PROGRAM "cordon-flow"
#define LINKS_WAIT_MS 5000
#define MESSAGES_PER_TURN 256
#define DATAGRAMS_PER_TURN 256

static const char *const write_paths[] = { ".", NULL };

static const struct sandbox sandbox = {
	.program = PROGRAM,
	.rights = SB_FILES_READ | SB_FILES_WRITE,
	.write_paths = write_paths,
	.max_memory = (size_t)1 << 30,		/* an image of 256 MB and 262,144 attempts */
	.max_files = 32,
	.max_file_size = (size_t)4 << 30,	/* of the store; retention keeps it far below */
};

/* 1: cordond is gone, which ends us; 0: go on. */
static int
read_channel(struct flow *f, struct ipc_message *m, const struct clock_view *now)
{
	for (unsigned i = 0; i < MESSAGES_PER_TURN; i++) {
		int rc = ipc_recv(f->channel, m);

		if (rc == -EAGAIN)
			return 0;
		if (rc == 0)
			return 1;
		if (rc > 0)
			rc = flow_message(f, m, now);
		if (rc == -EPIPE)
			return 1;
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int
turn(struct flow *f, struct ipc_message *m, const struct clock_view *now, int *wait_ms)
{
	int rc;

	if ((rc = flow_read_links(f, now)) < 0) {
		log_error(rc, "the interfaces cannot be followed any more");
		return rc;
	}
	if ((rc = flow_read_nflog(f, DATAGRAMS_PER_TURN, now)) < 0) {
		log_error(rc, "the NFLOG socket cannot be read any more");
		return rc;
	}
	if ((rc = read_channel(f, m, now)) < 0) {
		log_error(rc, "a message of cordond's is refused");
		return rc;
	}
	if (rc == 1)
		return 1;
	rc = flow_tick(f, now, wait_ms);
	if (rc < 0 && rc != -EPIPE)
		log_error(rc, "cordond does not take the numbers");
	return rc == -EPIPE ? 1 : rc;
}

static int
run(struct flow *f, int signals)
{
	static struct ipc_message message;
	struct clock_view now;
	int rc, wait_ms = 0;

	do {
		struct pollfd fds[] = {
			{ .fd = f->channel->fd, .events = POLLIN },
			{ .fd = signals, .events = POLLIN },
			{ .fd = f->links.fd, .events = POLLIN },
			{ .fd = f->nflog_fd, .events = POLLIN },	/* -1 is ignored */
		};

		if (poll(fds, sizeof(fds) / sizeof(fds[0]), wait_ms) == -1 && errno != EINTR)
			return -errno;
		clock_now(&now);
		rc = turn(f, &message, &now, &wait_ms);
		if (rc == 0 && (fds[1].revents & POLLIN))
			rc = 1;
	} while (rc == 0);
	/* what the kernel told before the end belongs to the evidence as well */
	(void)flow_read_nflog(f, DATAGRAMS_PER_TURN, &now);
	if (flow_flush(f, &now) < 0 && rc == 1)
		rc = -EIO;
	return rc;
}

static int
open_signals(void)
{
	sigset_t set;
	int fd;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);	/* a store that is too large is an error, not the end */
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) == -1)
		return -errno;
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd == -1 ? -errno : fd;
}

static int
start(struct flow *f, struct ipc *channel)
{
	struct ready ready = { 0, 0 };
	struct siphash_key seed;
	struct clock_view now;
	bool landlocked = false;
	int rc;

	/* The evidence folder is where we stand; its path may lead through
	 * folders that we may not enter. */
	if (fchdir(PROC_FD_STATE) == -1)
		log_fatal(errno, "the evidence folder (descriptor %d)", PROC_FD_STATE);
	umask(0027);
	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		log_fatal(errno, "no random bytes");
	ipc_init(channel, PROC_FD_CHANNEL, PROC_BIT(PROC_FLOW), PROC_BIT(PROC_ENFORCE), &messages);
	if ((rc = flow_init(f, channel, ".", &seed)) < 0)
		log_fatal(rc, "start");
	clock_now(&now);
	if ((rc = links_open(&f->links, LINKS_WAIT_MS, now.boot_ms)) < 0)
		log_fatal(rc, "the interfaces cannot be listed");
	if ((rc = sandbox_enter(&sandbox, &landlocked)) < 0)
		log_fatal(rc, "sandbox");
	f->flushed_ms = now.boot_ms;
	if ((rc = flow_open_store(f, &now)) < 0) {
		log_error(rc, "the evidence store cannot be opened, attempts wait in memory");
		f->error = -rc;
	}
	ready.landlocked = landlocked;
	return ipc_send_wait(channel, MSG_READY, 0, &ready, sizeof(ready), -1, 1000);
}

static void
usage(FILE *f)
{
	fprintf(f,
	    "usage: cordon-flow [--debug]\n"
	    "Keeps the evidence of refused packets. Started by cordon-spawn, which hands it\n"
	    "its descriptors; see cordon-spawn(8).\n"
	    "  --debug              say more\n"
	    "  --help, --version\n");
}

/* Whether to say more. */
static bool
parse_options(int argc, char **argv)
{
	enum { OPT_DEBUG = 256, OPT_HELP, OPT_VERSION };
	static const struct option options[] = {
		{ "debug", no_argument, NULL, OPT_DEBUG },
		{ "help", no_argument, NULL, OPT_HELP },
		{ "version", no_argument, NULL, OPT_VERSION },
		{ NULL, 0, NULL, 0 },
	};
	bool debug = false;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == OPT_DEBUG) {
			debug = true;
		} else if (c == OPT_HELP) {
			usage(stdout);
			exit(0);
		} else if (c == OPT_VERSION) {
			printf(PROGRAM " %s\n", PACKAGE_VERSION);
			exit(0);
		} else {
			usage(stderr);
			exit(64);
		}
	}
	if (optind != argc) {
		usage(stderr);
		exit(64);
	}
	return debug;
}

int
main(int argc, char **argv)
{
	static struct flow flow;
	struct ipc channel;
	int rc, signals;

	log_init(PROGRAM, parse_options(argc, argv));
	if ((signals = open_signals()) < 0)
		log_fatal(signals, "signals");
	if ((rc = start(&flow, &channel)) < 0)
		log_fatal(rc, "cordond does not listen");
	rc = run(&flow, signals);
	flow_done(&flow);
	ipc_done(&channel);
	return rc == 1 ? 0 : 1;
}
