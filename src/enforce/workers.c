/* SPDX-License-Identifier: GPL-2.0-or-later */
/* workers.c -- the lives of the other processes: asked of cordon-spawn, watched
 * on their channels, killed when they break the protocol, started again. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "enforce/cordond.h"

#define BACKOFF_MIN_MS	100
#define BACKOFF_MAX_MS	10000
#define LIVED_WELL_MS	30000	/* a worker that ran this long begins at the shortest back-off again */
#define SEND_WAIT_MS	200	/* a worker that takes nothing for so long hangs */
/* Whoever has one thing to do and has not ended by then hangs, and holds up the
 * next apply or, one source after another, all fetches. */
#define COMPILE_MAX_S	600
#define FETCH_MAX_S	(LIMIT_FETCH_SECONDS + 60)

static void
worker_up(struct worker *w)
{
	switch (w - w->d->workers) {
	case SLOT_FLOW:
		flow_up(w);
		return;
	case SLOT_PKI:
		pki_up(w);
		return;
	case SLOT_COMPILE:
		compile_up(w);
		return;
	}
	fetch_up(w);
}

static void
worker_ended(struct worker *w)
{
	switch (w - w->d->workers) {
	case SLOT_FLOW:
	case SLOT_PKI:
		return;
	case SLOT_COMPILE:
		compile_down(w);
		return;
	}
	fetch_down(w);
}

static const char *
worker_message(struct worker *w, struct ipc_message *m)
{
	const struct ready *ready = (const struct ready *)m->payload;

	if (m->type == MSG_READY) {
		w->ready = true;
		w->d->landlocked = ready->landlocked == 1;
		return NULL;
	}
	switch (w - w->d->workers) {
	case SLOT_FLOW:
		return flow_message(w, m);
	case SLOT_PKI:
		return pki_message(w, m);
	case SLOT_COMPILE:
		return compile_message(w, m);
	}
	return "spoke out of turn";
}

static void
close_channel(struct worker *w)
{
	if (w->event != NULL)
		event_free(w->event);
	w->event = NULL;
	if (w->ipc.fd != -1)
		ipc_done(&w->ipc);
	w->ipc.fd = -1;
	w->ready = false;
}

static void
ask_to_kill(struct worker *w)
{
	struct spawn_kill kill = { .token = w->token };

	ipc_send_wait(&w->d->spawn, MSG_SPAWN_KILL, 0, &kill, sizeof(kill), -1, SEND_WAIT_MS);
}

/* Time to start a lasting worker again, or to end another one. */
static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct worker *w = arg;

	(void)fd;
	(void)what;
	if (w->lasting)
		worker_start(w);
	else if (w->state == WORKER_UP)
		worker_kill(w, "takes too long");
	else if (w->state == WORKER_DYING)	/* it closed its channel and stayed */
		ask_to_kill(w);
}

static void
down(struct worker *w)
{
	struct clock_view now;
	struct timeval tv;

	close_channel(w);
	w->state = WORKER_DOWN;
	evtimer_del(w->timer);
	worker_ended(w);
	if (!w->lasting)
		return;
	clock_now(&now);
	if (w->backoff_ms == 0 || now.boot_ms - w->started_ms > LIVED_WELL_MS)
		w->backoff_ms = BACKOFF_MIN_MS;
	else if ((w->backoff_ms *= 2) > BACKOFF_MAX_MS)
		w->backoff_ms = BACKOFF_MAX_MS;
	w->restarts++;
	tv = (struct timeval){ w->backoff_ms / 1000, w->backoff_ms % 1000 * 1000 };
	event_add(w->timer, &tv);
}

void
worker_kill(struct worker *w, const char *why)
{
	if (w->state != WORKER_UP)
		return;
	log_warn(0, "%s (pid %u) %s: ended", proc_name(w->proc), w->pid, why);
	close_channel(w);
	w->state = WORKER_DYING;
	ask_to_kill(w);
}

int
worker_send(struct worker *w, uint32_t type, const void *payload, size_t len, int fd)
{
	int rc;

	if (w->state != WORKER_UP)
		return -ENOTCONN;
	rc = ipc_send_wait(&w->ipc, type, 0, payload, len, fd, SEND_WAIT_MS);
	if (rc < 0)
		worker_kill(w, rc == -EAGAIN || rc == -ETIMEDOUT ? "takes no messages" : strerror(-rc));
	return rc;
}

/* One message of a worker that is up. As ipc_recv. */
static int
hear(struct worker *w)
{
	static struct ipc_message m;	/* 64 KB; there is one loop */
	const char *wrong;
	int rc = ipc_recv(&w->ipc, &m);

	if (rc <= 0)
		return rc;
	wrong = worker_message(w, &m);
	if (m.fd != -1)
		close(m.fd);
	if (wrong != NULL)
		worker_kill(w, wrong);
	return rc;
}

/* Its end may be known before its last words are read. */
static void
hear_out(struct worker *w)
{
	while (w->state == WORKER_UP && hear(w) > 0)
		;
}

static void
on_channel(evutil_socket_t fd, short what, void *arg)
{
	struct worker *w = arg;
	int rc;

	(void)fd;
	(void)what;
	/* Others shall have their turn: a few messages at a time. */
	for (int i = 0; i < 64 && w->state == WORKER_UP; i++) {
		if ((rc = hear(w)) == -EAGAIN)
			return;
		if (rc <= 0) {
			if (rc == 0 && !w->lasting) {	/* its work is done; its exit is told by cordon-spawn */
				close_channel(w);
				w->state = WORKER_DYING;
				return;
			}
			worker_kill(w, rc == 0 ? "closed its channel" : "broke the message table");
			return;
		}
	}
}

void
worker_start(struct worker *w)
{
	static const struct timeval compile_max = { COMPILE_MAX_S, 0 }, fetch_max = { FETCH_MAX_S, 0 };
	struct spawn_start start = { .proc = w->proc };
	struct clock_view now;
	int rc;

	if (w->state != WORKER_DOWN)
		return;
	clock_now(&now);
	w->started_ms = now.boot_ms;
	w->token = start.token = ++w->d->next_token;
	w->pid = 0;
	w->state = WORKER_ASKED;
	rc = ipc_send_wait(&w->d->spawn, MSG_SPAWN_START, 0, &start, sizeof(start), -1, SEND_WAIT_MS);
	if (rc < 0) {
		log_warn(rc, "cannot ask for %s", proc_name(w->proc));
		down(w);
	} else if (!w->lasting && w != &w->d->workers[SLOT_WATCH]) {
		evtimer_add(w->timer, w->proc == PROC_COMPILE ? &compile_max : &fetch_max);
	}
}

struct worker *
worker_free_fetch(struct cordond *d)
{
	for (size_t i = SLOT_FETCH; i < SLOTS; i++)
		if (d->workers[i].state == WORKER_DOWN)
			return &d->workers[i];
	return NULL;
}

/* ---- what cordon-spawn says --------------------------------------------- */

static struct worker *
by_token(struct cordond *d, uint32_t token)
{
	for (size_t i = 0; i < SLOTS; i++)
		if (d->workers[i].token == token && d->workers[i].state != WORKER_DOWN)
			return &d->workers[i];
	return NULL;
}

static void
started(struct cordond *d, struct ipc_message *m)
{
	const struct spawn_started *s = (const struct spawn_started *)m->payload;
	struct worker *w = by_token(d, s->token);

	if (w == NULL || w->state != WORKER_ASKED)
		return;
	w->pid = s->pid;
	ipc_init(&w->ipc, m->fd, PROC_BIT(PROC_ENFORCE), PROC_BIT(w->proc), &messages);
	m->fd = -1;
	w->state = WORKER_UP;
	w->event = event_new(d->base, w->ipc.fd, EV_READ | EV_PERSIST, on_channel, w);
	if (w->event == NULL || event_add(w->event, NULL) == -1)
		worker_kill(w, "cannot be watched");
	else
		worker_up(w);
}

static void
on_spawn(evutil_socket_t fd, short what, void *arg)
{
	static struct ipc_message m;
	struct cordond *d = arg;
	struct worker *w;
	int rc;

	(void)fd;
	(void)what;
	while ((rc = ipc_recv(&d->spawn, &m)) == 1) {
		const uint32_t *token = (const uint32_t *)m.payload;	/* the first field of each */

		if (m.type == MSG_SPAWN_STARTED) {
			started(d, &m);
		} else if ((w = by_token(d, *token)) != NULL) {
			if (m.type == MSG_SPAWN_FAILED)
				log_warn(0, "%s could not be started", proc_name(w->proc));
			hear_out(w);
			down(w);
		}
		if (m.fd != -1)
			close(m.fd);
	}
	if (rc != -EAGAIN)	/* without cordon-spawn there is nothing to manage; the rules stay */
		event_base_loopexit(d->base, NULL);
}

int
workers_init(struct cordond *d)
{
	static const enum proc procs[] = { [SLOT_FLOW] = PROC_FLOW, [SLOT_PKI] = PROC_PKI,
		[SLOT_COMPILE] = PROC_COMPILE, [SLOT_WATCH] = PROC_FETCH };

	for (size_t i = 0; i < SLOTS; i++) {
		struct worker *w = &d->workers[i];

		w->d = d;
		w->proc = i < sizeof(procs) / sizeof(procs[0]) ? procs[i] : PROC_FETCH;
		w->lasting = i == SLOT_FLOW || i == SLOT_PKI;
		w->ipc.fd = -1;
		if ((w->timer = evtimer_new(d->base, on_timer, w)) == NULL)
			return -ENOMEM;
	}
	d->spawn_event = event_new(d->base, d->spawn.fd, EV_READ | EV_PERSIST, on_spawn, d);
	if (d->spawn_event == NULL || event_add(d->spawn_event, NULL) == -1)
		return -ENOMEM;
	worker_start(&d->workers[SLOT_FLOW]);
	worker_start(&d->workers[SLOT_PKI]);
	return 0;
}

void
workers_done(struct cordond *d)
{
	for (size_t i = 0; i < SLOTS; i++) {
		close_channel(&d->workers[i]);
		if (d->workers[i].timer != NULL)
			event_free(d->workers[i].timer);
	}
	if (d->spawn_event != NULL)
		event_free(d->spawn_event);
}
