/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control.c -- the operators' socket: who may open it may do all that is here
 * (its permissions are the authorisation). Each client has one request at a time. */
#include <errno.h>
#include <linux/sock_diag.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "enforce/cordond.h"

#define SEND_WAIT_MS	100
#define FLUSH_TICKS	3	/* a cordon-flow that answers none for so long hangs */

static void
client_close(struct client *c)
{
	if (c->event != NULL)
		event_free(c->event);
	ipc_done(&c->ipc);
	*c = (struct client){ .d = c->d, .ipc.fd = -1 };
}

void
client_answer(struct client *c, uint32_t type, const void *payload, size_t len, int fd)
{
	if (ipc_send_wait(&c->ipc, type, c->serial, payload, len, fd, SEND_WAIT_MS) < 0)
		client_close(c);
}

void
client_done(struct client *c, int rc)
{
	struct ctl_done m = { .error = (uint32_t)(rc < 0 ? -rc : rc) };

	client_answer(c, MSG_CTL_DONE, &m, sizeof(m), -1);
}

static void
status(struct client *c)
{
	struct ctl_status s;

	status_fill(c->d, &s);
	client_answer(c, MSG_CTL_STATUS_IS, &s, sizeof(s), -1);
}

static void
state(struct client *c)
{
	struct ctl_state s = { .revision = c->d->enforcer.policy.revision };
	int fd = snapshot_make(c->d);

	if (fd < 0) {
		client_done(c, fd);
		return;
	}
	client_answer(c, MSG_CTL_STATE_IS, &s, sizeof(s), fd);
	close(fd);
}

/* Without counts: the kernel is not asked, whatever the fleet. */
static void
stations(struct client *c)
{
	struct ctl_state s = { .revision = c->d->enforcer.policy.revision };
	int fd = stations_file(&c->d->enforcer);

	if (fd < 0) {
		client_done(c, fd);
		return;
	}
	client_answer(c, MSG_CTL_STATIONS_ARE, &s, sizeof(s), fd);
	close(fd);
}

static void
image(struct client *c)
{
	struct image_ref ref = { .revision = c->d->enforcer.policy.revision };

	client_answer(c, MSG_IMAGE, &ref, sizeof(ref), c->d->enforcer.policy.fd);
}

static void
refresh(struct client *c, const struct ctl_authority *r)
{
	struct pki_refresh m = { .authority = r->number };

	if (r->number != 0 && image_authority(&c->d->enforcer.policy.image, r->number) == NULL)
		client_done(c, -ENOENT);
	else
		client_done(c, worker_send(&c->d->workers[SLOT_PKI], MSG_PKI_REFRESH, &m, sizeof(m), -1));
}

static void
flush(struct client *c)
{
	struct worker *w = &c->d->workers[SLOT_FLOW];
	struct flow_flush m = { .token = ++c->d->next_token };
	int rc;

	counts_send(c->d);
	c->waits_flush = m.token;
	if (c->d->flush_asked == 0) {
		c->d->flush_asked = m.token;
		c->d->flush_ticks = 0;
	}
	if ((rc = worker_send(w, MSG_FLOW_FLUSH, &m, sizeof(m), -1)) < 0) {
		c->waits_flush = 0;
		client_done(c, rc);
	}
}

/* What asks for nothing but an answer. */
static bool
question(struct client *c, uint32_t type)
{
	static const struct {
		uint32_t type;
		void (*answer)(struct client *);
	} questions[] = {
		{ MSG_CTL_STATUS, status },
		{ MSG_CTL_STATE, state },
		{ MSG_CTL_STATIONS, stations },
		{ MSG_CTL_IMAGE, image },
		{ MSG_CTL_HISTORY, ask_history },
		{ MSG_CTL_VERIFY, ask_verify },
		{ MSG_CTL_STAGED, ask_staged },
		{ MSG_CTL_STAGED_IMAGE, ask_staged_image },
		{ MSG_CTL_UNSTAGE, ask_unstage },
		{ MSG_CTL_REVOCATIONS, ask_revocations },
		{ MSG_CTL_FLUSH, flush },
	};

	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		if (questions[i].type == type) {
			questions[i].answer(c);
			return true;
		}
	}
	return false;
}

static void
request(struct client *c, struct ipc_message *m)
{
	void *p = m->payload;

	c->serial = m->serial;
	if (question(c, m->type))
		return;
	switch (m->type) {
	case MSG_CTL_APPLY:
		ask_apply(c, p);
		return;
	case MSG_CTL_ROLLBACK:
		ask_rollback(c, p);
		return;
	case MSG_CTL_CONFIRM:
		ask_confirm(c, p);
		return;
	case MSG_CTL_STORED:
		ask_stored(c, p);
		return;
	case MSG_CTL_CRL_REFRESH:
		refresh(c, p);
		return;
	case MSG_CTL_STAND:
		ask_stand(c, p, m->fd);
		return;
	case MSG_CTL_EVENTS:
		ask_events(c, p);
		return;
	case MSG_CTL_CRL_RESET:
		ask_crl_reset(c, p);
		return;
	}
	client_close(c);
}

static bool
waits(const struct client *c)
{
	return c->waits_apply || c->waits_verify || c->waits_flush != 0;
}

/* Has the client not taken the last answer yet? The descriptors in those count
 * against all that we may have under way, to whomever. */
static bool
unread(const struct client *c)
{
	uint32_t memory[SK_MEMINFO_VARS] = { 0 };
	socklen_t len = sizeof(memory);

	return getsockopt(c->ipc.fd, SOL_SOCKET, SO_MEMINFO, memory, &len) == 0 &&
	    memory[SK_MEMINFO_WMEM_ALLOC] != 0;
}

static void
on_client(evutil_socket_t fd, short what, void *arg)
{
	static struct ipc_message m;
	struct client *c = arg;
	int rc;

	(void)fd;
	(void)what;
	if ((rc = ipc_recv(&c->ipc, &m)) == -EAGAIN)
		return;
	if (rc != 1 || waits(c) || unread(c)) {	/* one request at a time */
		if (rc == 1 && m.fd != -1)
			close(m.fd);
		client_close(c);
		return;
	}
	c->last_asked = ++c->d->n_asked;
	request(c, &m);
	if (m.fd != -1)
		close(m.fd);
}

/* A free place, or that of the client which has asked for nothing for longest:
 * idle ones shut no operator out. NULL: all of them wait for an answer. */
static struct client *
free_client(struct cordond *d)
{
	struct client *idle = NULL;

	for (size_t i = 0; i < LIMIT_CLIENTS; i++) {
		struct client *c = &d->clients[i];

		if (!c->used)
			return c;
		if (!waits(c) && (idle == NULL || c->last_asked < idle->last_asked))
			idle = c;
	}
	if (idle != NULL)
		client_close(idle);
	return idle;
}

static void
on_listen(evutil_socket_t listen_fd, short what, void *arg)
{
	struct cordond *d = arg;
	struct client *c;
	int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)what;
	if (fd == -1)
		return;
	if ((c = free_client(d)) == NULL) {
		close(fd);
		return;
	}
	c->used = true;
	c->last_asked = ++d->n_asked;
	ipc_init(&c->ipc, fd, PROC_BIT(PROC_ENFORCE), PROC_BIT(PROC_CTL), &messages);
	c->event = event_new(d->base, fd, EV_READ | EV_PERSIST, on_client, c);
	if (c->event == NULL || event_add(c->event, NULL) == -1)
		client_close(c);
}

void
control_applied(struct cordond *d, const struct ctl_applied *a, int text_fd)
{
	for (size_t i = 0; i < LIMIT_CLIENTS; i++) {
		struct client *c = &d->clients[i];

		if (!c->used || !c->waits_apply)
			continue;
		c->waits_apply = false;
		client_answer(c, MSG_CTL_APPLIED, a, sizeof(*a), text_fd);
	}
}

void
control_progress(struct cordond *d, enum ctl_step step)
{
	struct ctl_progress m = { .step = step };

	for (size_t i = 0; i < LIMIT_CLIENTS; i++) {
		struct client *c = &d->clients[i];

		if (c->used && c->waits_apply && c->tell)
			client_answer(c, MSG_CTL_PROGRESS, &m, sizeof(m), -1);
	}
}

void
control_flushed(struct cordond *d, uint32_t token, uint32_t error)
{
	for (size_t i = 0; i < LIMIT_CLIENTS; i++) {
		struct client *c = &d->clients[i];

		if (!c->used || c->waits_flush != token)
			continue;
		c->waits_flush = 0;
		client_done(c, (int)error);
	}
}

void
control_tick(struct cordond *d)
{
	if (d->flush_asked == 0 || ++d->flush_ticks < FLUSH_TICKS)
		return;
	d->flush_asked = 0;
	worker_kill(&d->workers[SLOT_FLOW], "does not answer");
}

int
control_init(struct cordond *d, int listen_fd)
{
	for (size_t i = 0; i < LIMIT_CLIENTS; i++) {
		d->clients[i].d = d;
		d->clients[i].ipc.fd = -1;
	}
	d->listen_fd = listen_fd;
	d->listen_event = event_new(d->base, listen_fd, EV_READ | EV_PERSIST, on_listen, d);
	return d->listen_event == NULL || event_add(d->listen_event, NULL) == -1 ? -ENOMEM : 0;
}

void
control_done(struct cordond *d)
{
	for (size_t i = 0; i < LIMIT_CLIENTS; i++)
		if (d->clients[i].used)
			client_close(&d->clients[i]);
	if (d->listen_event != NULL)
		event_free(d->listen_event);
}
