/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main.c -- cordond: holds CAP_NET_ADMIN, the running policy and the stations.
 * Takes ids, addresses and checked images; parses no text, reads no byte that
 * came from a network, and never exits over what it is told. */
#include <errno.h>
#include <getopt.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/sandbox.h"
#include "config.h"
#include "enforce/cordond.h"

#define TICK_S		10	/* between two readings of the counts */
#define MEMORY_MAX	(2UL << 30)

static void
usage(FILE *f)
{
	fprintf(f,
	    "usage: cordond [--debug] [--force-absent FEATURE[,FEATURE]]\n"
	    "Enforces the policy of cordon. Started by cordon-spawn, which hands it its\n"
	    "descriptors; see cordon-spawn(8).\n"
	    "  --force-absent LIST  do without kernel features: owner-persist, connlimit\n"
	    "  --debug              say more\n"
	    "  --help, --version\n");
}

struct options {
	bool debug;
	const char *force_absent;
};

static void
parse_options(int argc, char **argv, struct options *o)
{
	enum { OPT_ABSENT = 256, OPT_DEBUG, OPT_HELP, OPT_VERSION };
	static const struct option options[] = {
		{ "force-absent", required_argument, NULL, OPT_ABSENT },
		{ "debug", no_argument, NULL, OPT_DEBUG },
		{ "help", no_argument, NULL, OPT_HELP },
		{ "version", no_argument, NULL, OPT_VERSION },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == OPT_ABSENT) {
			o->force_absent = optarg;
		} else if (c == OPT_DEBUG) {
			o->debug = true;
		} else if (c == OPT_HELP) {
			usage(stdout);
			exit(0);
		} else if (c == OPT_VERSION) {
			printf("cordond %s\n", PACKAGE_VERSION);
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
}

/* The state folder came as a descriptor; Landlock wants its path. */
static void
enter_sandbox(bool *landlocked)
{
	static char state[4096];
	const char *writable[] = { state, NULL };
	const struct sandbox sb = {
		.program = "cordond",
		.rights = SB_FILES_READ | SB_FILES_WRITE | SB_NETLINK,
		.write_paths = writable,
		.max_memory = MEMORY_MAX,
		.max_files = 256,
		.keep_caps = 1U << CAP_NET_ADMIN,
	};
	char link[32];
	ssize_t n;
	int rc;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", PROC_FD_STATE);
	if ((n = readlink(link, state, sizeof(state) - 1)) <= 0)
		log_fatal(errno, "no state folder (start it by cordon-spawn)");
	state[n] = '\0';
	if ((rc = sandbox_enter(&sb, landlocked)) < 0)
		log_fatal(rc, "cannot enter the sandbox");
}

static void
on_signal(evutil_socket_t sig, short what, void *arg)
{
	struct cordond *d = arg;

	(void)what;
	if (sig == SIGHUP) {	/* reload: the same as an operator's apply */
		change_reload(d);
		return;
	}
	event_base_loopexit(d->base, NULL);
}

/* Write what a full disk refused before; and shorten what got long. */
static void
retry_journal(struct enforcer *e)
{
	bool was_ok = e->disk_ok;

	if (was_ok && !enforcer_journal_long(e))
		return;
	e->disk_ok = enforcer_rewrite_journal(e) == 0;
	if (e->disk_ok && !was_ok)
		log_info("the quarantine journal is on disk again");
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct cordond *d = arg;

	(void)fd;
	(void)what;
	counts_tick(d);
	control_tick(d);
	change_tick(d);
	retry_journal(&d->enforcer);
	revocation_tick(d);
}

static int
watch_signals(struct cordond *d)
{
	static const int sigs[] = { SIGTERM, SIGINT, SIGHUP };

	for (size_t i = 0; i < 3; i++) {
		d->signals[i] = evsignal_new(d->base, sigs[i], on_signal, d);
		if (d->signals[i] == NULL || event_add(d->signals[i], NULL) == -1)
			return -ENOMEM;
	}
	return 0;
}

static void
report_start(const struct enforcer *e, const struct start_report *r)
{
	if (r->images_passed_over > 0)
		log_warn(0, "%u damaged policy image(s) passed over: revision %llu is the newest sound one",
		    r->images_passed_over, (unsigned long long)e->policy.revision);
	if (r->records_damaged > 0)
		log_warn(0, "%u damaged record(s) in the quarantine journal passed over", r->records_damaged);
	if (r->flows_forgotten > 0)
		log_warn(0, "the rules were gone: %u open connection(s) are judged anew", r->flows_forgotten);
	if (r->rebuilt)
		log_warn(0, "the rules in the kernel were not as left (%s): put right", r->differs);
	if (r->staged_damaged)
		log_warn(0, "what was staged is damaged, or about another policy: nothing is staged any more");
	if (r->caught_up)
		log_warn(0, "the rules in the kernel were those of the policy before: brought up to date");
	log_info("revision %llu, %u devices, %u quarantined: rules %s, table %s",
	    (unsigned long long)e->policy.revision, e->policy.image.n[IMAGE_DEVICES], r->quarantined,
	    r->adopted ? "adopted" : "loaded", e->features.owner_persist ? "owned" : "watched");
}

static int
run(struct cordond *d, const struct trial *trial, const struct start_report *report)
{
	static const struct timeval tick = { TICK_S, 0 };
	int rc;

	if ((d->base = event_base_new()) == NULL)
		return -ENOMEM;
	d->nflog_fd = -1;
	listen_to_nflog(d);
	forget_sources(d);
	d->change.fd = -1;
	if ((d->tick = event_new(d->base, -1, EV_PERSIST, on_tick, d)) == NULL ||
	    event_add(d->tick, &tick) == -1)
		return -ENOMEM;
	if ((rc = watch_signals(d)) < 0 || (rc = watch_init(d)) < 0 ||
	    (rc = change_init(d, trial, report)) < 0 || (rc = revocation_init(d)) < 0 ||
	    (rc = control_init(d, PROC_FD_CONTROL)) < 0 || (rc = workers_init(d)) < 0)
		return rc;
	event_base_dispatch(d->base);
	return 0;
}

static void
finish(struct cordond *d)
{
	counts_send(d);		/* what is known goes to the evidence before we do */
	workers_done(d);
	control_done(d);
	change_done(d);
	verify_done(d);
	watch_done(d);
	for (size_t i = 0; i < 3; i++)
		if (d->signals[i] != NULL)
			event_free(d->signals[i]);
	if (d->tick != NULL)
		event_free(d->tick);
	enforcer_done(&d->enforcer);
	free(d->sources);
	revocation_done(d);
	event_base_free(d->base);
}

int
main(int argc, char **argv)
{
	static struct cordond d;
	struct options o = { 0 };
	struct start_report report;
	struct clock_view now;
	struct trial trial;
	bool landlocked = false;
	int rc;

	parse_options(argc, argv, &o);
	log_init("cordond", o.debug);
	signal(SIGPIPE, SIG_IGN);
	if ((rc = clock_boot_id(BOOT_ID_FILE, d.change.boot_id)) < 0)
		log_error(rc, BOOT_ID_FILE ": no policy can wait for its confirmation");
	d.change.has_boot_id = rc == 0;
	enter_sandbox(&landlocked);
	clock_now(&now);
	d.started_at = now.wall_ms;
	ipc_init(&d.spawn, PROC_FD_CHANNEL, PROC_BIT(PROC_ENFORCE), PROC_BIT(PROC_SPAWN), &messages);
	if ((rc = trial_at_start(PROC_FD_STATE, d.change.boot_id, now.boot_ms, &trial)) < 0)
		log_fatal(rc, "the state folder cannot be read");
	rc = enforcer_start(&d.enforcer, PROC_FD_EXTRA, PROC_FD_STATE,
	    trial.state == TRIAL_WAITS ? trial.pending.revision : 0, o.force_absent, now.wall_ms, &report);
	if (rc == -EPERM)
		log_fatal(rc, "another program owns the table `cordon' (or CAP_NET_ADMIN is missing)");
	if (rc < 0)
		log_fatal(rc, "the rules could not be loaded; what stood in the kernel still stands");
	report_start(&d.enforcer, &report);
	d.enforcer.before_anew = counts_close;
	d.enforcer.before_anew_arg = &d;
	if ((rc = run(&d, &trial, &report)) < 0)
		log_fatal(rc, "cannot run");
	finish(&d);
	log_info("stopped; the rules stay in force");
	return 0;
}
