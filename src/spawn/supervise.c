/* SPDX-License-Identifier: GPL-2.0-or-later */
/* supervise.c -- starts cordond and what cordond asks for, and cleans up after both.
 * It reads fixed messages of cordond and the exit status of children, nothing else;
 * the kernel's rules are none of its business, in particular when everybody ends. */
#include "spawn/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/log.h"
#include "proto/messages.h"
#include "spawn/child.h"
#include "spawn/parts.h"

/* So many messages in a row, then signals and the clock have their turn. */
#define RECEIVE_BURST 32

void
supervise_init(struct supervisor *s)
{
	size_t i;

	memset(s, 0, sizeof(*s));
	for (i = 0; i < PROC_MAX; i++)
		s->state_fd[i] = -1;
	s->nft_fd = s->control_fd = s->channel.fd = -1;
	s->phase = PHASE_WAIT;
}

static void
child_plan(const struct supervisor *s, const struct program *p, int channel, struct child *out)
{
	const char *debug = s->debug ? "--debug" : NULL;

	*out = (struct child){
		.folder = s->program_folder,
		.name = proc_name(p->proc),
		.arguments = { p->argument != NULL ? p->argument : debug },
		.uid = s->ids[p->proc].uid,
		.gid = s->ids[p->proc].gid,
		.has_group = p->in_group,
		.group = s->group,
		.caps = p->caps,
		.fds = { channel, -1, s->state_fd[p->proc], -1 },
	};
}

/* ---- cordond ------------------------------------------------------------ */

static void
enforcer_wait(struct supervisor *s, int64_t now_ms)
{
	int64_t delay = backoff_ended(&s->backoff, now_ms);

	s->start_ms = now_ms + delay;
	s->due_ms = s->start_ms;
	s->phase = PHASE_WAIT;
}

static int
enforcer_fork(struct supervisor *s)
{
	struct child c;
	int pair[2], rc;

	if ((rc = ipc_pair(pair)) < 0)
		return rc;
	child_plan(s, program_by_proc(PROC_ENFORCE), pair[1], &c);
	if (s->force_absent != NULL) {
		c.arguments[s->debug ? 1 : 0] = "--force-absent";
		c.arguments[s->debug ? 2 : 1] = s->force_absent;
	}
	c.fds[PROC_FD_EXTRA - CHILD_FIRST_FD] = s->nft_fd;
	c.fds[PROC_FD_CONTROL - CHILD_FIRST_FD] = s->control_fd;
	rc = child_start(&c);
	close(pair[1]);
	if (rc < 0) {
		close(pair[0]);
		return rc;
	}
	s->enforcer = rc;
	ipc_init(&s->channel, pair[0], PROC_BIT(PROC_SPAWN), PROC_BIT(PROC_ENFORCE), &messages);
	return 0;
}

void
enforcer_start(struct supervisor *s, int64_t now_ms)
{
	int rc;

	backoff_started(&s->backoff, now_ms);
	if ((rc = enforcer_fork(s)) < 0) {
		log_error(rc, "cannot start %s", proc_name(PROC_ENFORCE));
		enforcer_wait(s, now_ms);
		return;
	}
	s->starts++;
	s->phase = PHASE_UP;
	s->due_ms = 0;
	log_info("started %s, process %d", proc_name(PROC_ENFORCE), (int)s->enforcer);
}

void
enforcer_kill(struct supervisor *s, int err, const char *why)
{
	log_error(err, "%s %s and is killed", proc_name(PROC_ENFORCE), why);
	ipc_done(&s->channel);
	kill(s->enforcer, SIGKILL);
}

static void
enforcer_ended(struct supervisor *s, int64_t now_ms)
{
	/* Our end first: nothing that it left unread is answered any more. */
	ipc_done(&s->channel);
	s->enforcer = 0;
	workers_forget(&s->workers);
	if (s->phase == PHASE_STOP)
		return;
	s->start_ms = now_ms + backoff_ended(&s->backoff, now_ms);
	s->due_ms = now_ms + DRAIN_MS;
	s->killed = false;
	s->phase = PHASE_DRAIN;
}

/* ---- messages ----------------------------------------------------------- */

/* Send to cordond. One that does not read what it asked for is broken. */
static void
answer(
    struct supervisor *s, uint32_t type, uint32_t serial, const void *payload, size_t len, int fd)
{
	int rc;

	if (s->channel.fd < 0)
		return;
	rc = ipc_send(&s->channel, type, serial, payload, len, fd);
	/* Closed at the other end: its exit is on the way to us. */
	if (rc < 0 && rc != -EPIPE)
		enforcer_kill(s, rc, "does not take its messages");
}

/* 0 and the worker's other end in *out, or -errno. */
static int
worker_fork(struct supervisor *s, const struct program *p, uint32_t token, int *out, pid_t *pid)
{
	struct child c;
	int pair[2], config = -1, rc;

	if (workers_full(&s->workers))
		return -EAGAIN;
	/* Opened anew each time: the admin may have put another folder in its place. */
	if (p->gets_config &&
	    (config = open(s->config_folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return -errno;
	if ((rc = ipc_pair(pair)) < 0)
		goto out;
	child_plan(s, p, pair[1], &c);
	c.fds[PROC_FD_EXTRA - CHILD_FIRST_FD] = config;
	rc = child_start(&c);
	close(pair[1]);
	if (rc < 0) {
		close(pair[0]);
		goto out;
	}
	*pid = rc;
	*out = pair[0];
	workers_add(&s->workers, *pid, p->proc, token);
	rc = 0;
out:
	if (config >= 0)
		close(config);
	return rc;
}

static void
on_start(struct supervisor *s, uint32_t serial, const struct spawn_start *m)
{
	const struct program *p = program_by_proc(m->proc);
	struct spawn_started started = { .token = m->token };
	struct spawn_failed failed = { .token = m->token };
	pid_t pid = 0;
	int fd = -1, rc;

	if (workers_by_token(&s->workers, m->token) != NULL) {
		enforcer_kill(s, 0, "used a token twice");
		return;
	}
	if (s->phase == PHASE_STOP)
		rc = -ESHUTDOWN;
	else
		rc = p == NULL || !p->is_worker ? -EPERM : worker_fork(s, p, m->token, &fd, &pid);
	if (rc < 0) {
		log_warn(rc, "cannot start %s", proc_name(m->proc));
		failed.error = (uint32_t)-rc;
		answer(s, MSG_SPAWN_FAILED, serial, &failed, sizeof(failed), -1);
		return;
	}
	log_debug("started %s, process %d", proc_name(m->proc), (int)pid);
	started.pid = (uint32_t)pid;
	answer(s, MSG_SPAWN_STARTED, serial, &started, sizeof(started), fd);
	/* The worker must see the end when cordond closes: no copy stays here. */
	close(fd);
}

static void
on_kill(struct supervisor *s, const struct spawn_kill *m)
{
	const struct worker *w = workers_by_token(&s->workers, m->token);

	/* It may have ended by itself with the news still on the way. */
	if (w != NULL)
		kill(w->pid, SIGKILL);
}

/* Whatever becomes of cordond until then: the one that starts after it does what
 * this one did not. */
static void
on_arm(struct supervisor *s, const struct spawn_arm *m, int64_t now_ms)
{
	if (m->ms == 0 || m->ms > SPAWN_ARM_MAX_MS)
		enforcer_kill(s, 0, "asked for a time that there is none of");
	else
		s->armed_ms = now_ms + m->ms;
}

static void
on_message(struct supervisor *s, const struct ipc_message *m, int64_t now_ms)
{
	/* The table lets nothing else through from cordond to us. */
	if (m->type == MSG_SPAWN_START)
		on_start(s, m->serial, (const void *)m->payload);
	else if (m->type == MSG_SPAWN_KILL)
		on_kill(s, (const void *)m->payload);
	else if (m->type == MSG_SPAWN_ARM)
		on_arm(s, (const void *)m->payload, now_ms);
	else if (m->type == MSG_SPAWN_DISARM)
		s->armed_ms = 0;
	else if (m->type == MSG_SPAWN_LOADED)
		s->loaded = true;
	if (m->fd >= 0)
		close(m->fd);
}

void
supervise_receive(struct supervisor *s, int64_t now_ms)
{
	static struct ipc_message m;
	int i, rc;

	for (i = 0; i < RECEIVE_BURST && s->channel.fd >= 0; i++) {
		rc = ipc_recv(&s->channel, &m);
		if (rc == -EAGAIN)
			return;
		if (rc == 0) {
			/* At its end it closes this way; without an end it is broken. */
			ipc_done(&s->channel);
			if (s->phase == PHASE_UP)
				s->due_ms = now_ms + HANG_UP_MS;
			return;
		}
		if (rc < 0) {
			enforcer_kill(s, rc, "broke the protocol");
			return;
		}
		on_message(s, &m, now_ms);
	}
}

/* ---- ends --------------------------------------------------------------- */

static void
log_end(uint32_t proc, pid_t pid, int status, bool expected)
{
	if (WIFSIGNALED(status))
		log_warn(0, "%s (process %d) was ended by signal %d, %s", proc_name(proc), (int)pid,
		    WTERMSIG(status), strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status) != 0)
		log_warn(0, "%s (process %d) ended with status %d", proc_name(proc), (int)pid,
		    WEXITSTATUS(status));
	else if (expected)
		log_debug("%s (process %d) ended", proc_name(proc), (int)pid);
	else
		log_info("%s (process %d) ended", proc_name(proc), (int)pid);
}

void
supervise_ended(struct supervisor *s, pid_t pid, int status, int64_t now_ms)
{
	struct spawn_exited m = { .status = (uint32_t)status };
	struct worker *w;
	bool forgotten;

	if (pid == s->enforcer) {
		log_end(PROC_ENFORCE, pid, status, s->phase == PHASE_STOP);
		enforcer_ended(s, now_ms);
		return;
	}
	if ((w = workers_by_pid(&s->workers, pid)) == NULL)
		return;
	log_end(w->proc, pid, status, true);
	m.token = w->token;
	forgotten = w->forgotten;
	workers_remove(&s->workers, w);
	if (!forgotten)
		answer(s, MSG_SPAWN_EXITED, 0, &m, sizeof(m), -1);
}

void
supervise_stop(struct supervisor *s, int64_t now_ms)
{
	if (s->phase == PHASE_STOP || s->phase == PHASE_OVER)
		return;
	s->phase = PHASE_STOP;
	s->killed = false;
	s->due_ms = now_ms + STOP_MS;
	if (s->enforcer != 0)
		kill(s->enforcer, SIGTERM);
}

void
supervise_hangup(const struct supervisor *s)
{
	if (s->enforcer != 0)
		kill(s->enforcer, SIGHUP);
}
