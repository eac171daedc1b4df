/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cordond.h -- inside cordond: the daemon and its parts. */
#ifndef CORDON_ENFORCE_CORDOND_H
#define CORDON_ENFORCE_CORDOND_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "enforce/enforcer.h"
#include "proto/messages.h"

/* ---- workers (workers.c) ------------------------------------------------ */

enum worker_slot {
	SLOT_FLOW,
	SLOT_PKI,
	SLOT_COMPILE,
	SLOT_FETCH,		/* the first of several */
	SLOTS = SLOT_FETCH + 4
};

enum worker_state {
	WORKER_DOWN,		/* not running; a restart may be timed */
	WORKER_ASKED,		/* cordon-spawn was asked for it */
	WORKER_UP,		/* its channel is open */
	WORKER_DYING,		/* to be killed, its exit is awaited */
};

struct cordond;

struct worker {
	struct cordond *d;
	enum proc proc;
	enum worker_state state;
	bool lasting;		/* started again when it ends */
	bool ready;
	uint32_t token;
	uint32_t pid;
	uint32_t restarts;
	uint32_t context;	/* SLOT_FETCH: the source */
	bool answered;		/* SLOT_COMPILE: its result is here, it is on its way out, */
	bool again;		/* and when it is gone another one shall begin */
	int64_t started_ms;	/* boot time */
	uint32_t backoff_ms;
	struct ipc ipc;
	struct event *event;
	struct event *timer;
};

int workers_init(struct cordond *);
void workers_done(struct cordond *);
void worker_start(struct worker *);
/* A free slot for a fetch, or NULL when all are taken. */
struct worker *worker_free_fetch(struct cordond *);
/* Send, or end a worker that does not take messages. -errno when it was not sent. */
int worker_send(struct worker *, uint32_t type, const void *payload, size_t len, int fd);
/* It broke the protocol or hangs: kill it; lasting ones come back. */
void worker_kill(struct worker *, const char *why);

/* What a worker's life means to its user. */
void flow_up(struct worker *);
void pki_up(struct worker *);
void compile_up(struct worker *);
/* Have the configuration compiled and applied. -EBUSY while that is under way. */
int compile_start(struct cordond *);
void fetch_up(struct worker *);
void compile_down(struct worker *);
void fetch_down(struct worker *);

/* Messages; non-zero: it broke the protocol, and this is how. */
const char *flow_message(struct worker *, struct ipc_message *);
const char *pki_message(struct worker *, struct ipc_message *);
const char *compile_message(struct worker *, struct ipc_message *);

/* ---- the policy reaches the workers ------------------------------------- */

void tell_image(struct worker *);
/* A device's station changed. */
void tell_station(struct cordond *, size_t index);
/* Every device's did. */
void tell_stations(struct cordond *);

/* ---- operators (control.c, snapshot.c) ---------------------------------- */

struct client {
	struct cordond *d;
	struct ipc ipc;
	struct event *event;
	uint32_t serial;	/* of the request that waits */
	bool waits_apply;
	uint32_t waits_flush;	/* token; 0: no */
	uint64_t last_asked;	/* cordond's n_asked at its last request */
	bool used;
};

int control_init(struct cordond *, int listen_fd);
/* Every few seconds: has cordon-flow been asked in vain for too long? */
void control_tick(struct cordond *);
void control_done(struct cordond *);
void control_applied(struct cordond *, const struct ctl_applied *, int text_fd);
void control_flushed(struct cordond *, uint32_t token, uint32_t error);

/* A sealed snapshot (proto/snapshot.h): the descriptor or -errno. */
int snapshot_make(struct cordond *);
void status_fill(struct cordond *, struct ctl_status *);

/* ---- counts (counts.c) -------------------------------------------------- */

/* Dump what was refused and hand it to cordon-flow; close windows that ended. */
void counts_send(struct cordond *);
/* The same, and end all windows: a table made anew begins to count at nothing.
 * arg: the struct cordond. */
void counts_close(void *arg);
/* The refused totals per device, parallel to the image. */
struct refused_total {
	uint64_t packets, bytes, over_packets, over_bytes;
};
int counts_totals(struct cordond *, struct refused_total *totals);

/* ---- the watch on foreign changes (watch.c) ----------------------------- */

/* Only where the kernel does not keep others away. */
int watch_init(struct cordond *);
void watch_done(struct cordond *);
/* Around our own transactions: they are not foreign. */
void watch_pause(struct cordond *);
void watch_resume(struct cordond *);

/* ---- the daemon --------------------------------------------------------- */

struct cordond {
	struct event_base *base;
	struct enforcer enforcer;
	struct ipc spawn;
	struct event *spawn_event;
	struct event *signals[3];
	struct event *tick;
	uint32_t next_token;
	struct worker workers[SLOTS];
	struct client clients[LIMIT_CLIENTS];
	uint32_t flush_asked;	/* token of the flush that cordon-flow has not answered for longest; 0: none */
	uint32_t flush_ticks;	/* for how long */
	uint64_t n_asked;	/* requests and connections so far */
	int listen_fd;
	struct event *listen_event;
	int nflog_fd;
	uint32_t nflog_base;
	int watch_fd;
	struct event *watch_event;
	struct event *watch_timer;
	bool landlocked;
	int64_t started_at;
	struct flow_flushed flow;	/* the latest */
	struct pki_source *sources;	/* parallel to the image's */
	/* revocations of one CRL, gathered until it is complete */
	struct standing *pending;
	size_t n_pending, room_pending;
	bool pending_lost;	/* memory was short: not all of them stand here */
};

/* Apply a compiled policy and tell everybody. */
int cordond_apply(struct cordond *, int image_fd, struct apply_report *);
/* Quarantine and tell everybody. */
int cordond_quarantine(struct cordond *, const struct standing *, size_t n, uint32_t *changed);
int cordond_release(struct cordond *, uint32_t number, uint32_t cause, const char *words);
/* Of a new policy nothing is known of its CRLs yet. */
void forget_sources(struct cordond *);
/* Bind the policy's NFLOG groups; without them there are counts alone. */
void listen_to_nflog(struct cordond *);

#endif
