/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cordond.h -- inside cordond: the daemon and its parts. */
#ifndef CORDON_ENFORCE_CORDOND_H
#define CORDON_ENFORCE_CORDOND_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "enforce/enforcer.h"
#include "enforce/pending.h"
#include "enforce/trial.h"
#include "enforce/restore.h"
#include "enforce/revocation.h"
#include "proto/messages.h"

/* ---- workers (workers.c) ------------------------------------------------ */

enum worker_slot {
	SLOT_FLOW,
	SLOT_PKI,
	SLOT_COMPILE,
	SLOT_WATCH,		/* a fetcher that tells when files change */
	SLOT_FETCH,		/* the first of many: no slow server keeps another source waiting */
	SLOTS = SLOT_FETCH + 56
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
	struct pki_fetch fetch;	/* of a fetcher: what it is for */
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
/* cordon-pki wants a fetcher. */
const char *pki_fetch(struct cordond *, const struct pki_fetch *);
const char *compile_message(struct worker *, struct ipc_message *);

/* ---- the policy reaches the workers ------------------------------------- */

void tell_image(struct worker *);
/* cordon-pki, of where the devices stand, and of the policy. */
void tell_standings(struct worker *);
/* An operator overrode what it had said. */
void tell_overridden(struct cordond *);
void tell_pki(struct worker *);
/* A device's station changed. */
void tell_station(struct cordond *, size_t index);
/* Every device's did. */
void tell_stations(struct cordond *);

/* Where the device of that index stands. */
enum station_where station_where(const struct enforcer *, size_t index);

/* Where all devices stand: sealed, an array of flow_station. The descriptor or -errno. */
int stations_file(const struct enforcer *);

/* ---- operators (control.c, snapshot.c) ---------------------------------- */

struct client {
	struct cordond *d;
	struct ipc ipc;
	struct event *event;
	uint32_t serial;	/* of the request that waits */
	bool waits_apply;
	bool tell;		/* and wants to hear of its steps */
	bool waits_verify;
	uint32_t waits_flush;	/* token; 0: no */
	uint64_t last_asked;	/* cordond's n_asked at its last request */
	bool used;
};

/* Who asks: the kernel's word, and beside it the client's. */
struct ctl_who client_who(const struct client *, const char login[CTL_LOGIN + 4]);

int control_init(struct cordond *, int listen_fd);
/* Every few seconds: has cordon-flow been asked in vain for too long? */
void control_tick(struct cordond *);
void control_done(struct cordond *);
/* Answer a client's request; it is closed when it does not take the answer. */
void client_answer(struct client *, uint32_t type, const void *payload, size_t len, int fd);
/* The same with CTL_DONE: 0, or what went wrong. */
void client_done(struct client *, int rc);
/* To all who wait for it. */
void control_applied(struct cordond *, const struct ctl_applied *, int text_fd);
void control_progress(struct cordond *, enum ctl_step);
void control_flushed(struct cordond *, uint32_t token, uint32_t error);

/* A sealed snapshot (proto/snapshot.h): the descriptor or -errno. */
int snapshot_make(struct cordond *);
void status_fill(struct cordond *, struct ctl_status *);

/* ---- changes of the policy (change*.c) ---------------------------------- */

/* One at a time: it is compiled, or stands and waits for its confirmation. */
struct change {
	bool has_boot_id;
	uint8_t boot_id[BOOT_ID_LEN];
	bool compiling;			/* or looked up */
	struct ctl_apply order;		/* of the one that is compiled */
	struct ctl_who who;
	int64_t since;
	int fd;				/* of the image that is looked up; -1: none */
	uint32_t what;			/* of that one: as in a change_order, */
	uint64_t other;
	uint64_t revision;		/* and its number */
	struct pending waits;		/* revision 0: none */
	bool reverting;			/* and going back has been tried in vain */
	struct event *timer;
	struct history_entry last;	/* that was no start and no repair */
	uint32_t foreign_noted;		/* of the enforcer's foreign_changes */
	char refused[1024];		/* what the kernel did not take of the last one, with file and line */
};

/* When the rules stand: what the start found goes on, and cordon-spawn is told. */
int change_init(struct cordond *, const struct trial *, const struct start_report *);
void change_done(struct cordond *);
void change_tick(struct cordond *);

/* SIGHUP: as an operator's apply. */
void change_reload(struct cordond *);
/* What cordon-compile answered: an image, or text when there are mistakes. */
void change_compiled(struct cordond *, int fd, uint32_t mistakes);
/* It ended without an answer. */
void change_failed(struct cordond *);

/* One change, from a sealed image to its record; a->error or a->refusal say why not. */
struct change_order {
	const struct ctl_apply *asked;
	struct ctl_who who;
	uint32_t what;		/* HISTORY_APPLIED or HISTORY_ROLLED_BACK */
	uint64_t other;		/* HISTORY_ROLLED_BACK: the stored revision */
};
void change_load(struct cordond *, int image_fd, const struct change_order *, struct ctl_applied *a);
/* The same for an operator who waits: its new devices are looked up first. Whoever
 * waits for it is answered, now or later. */
void change_look(struct cordond *, int image_fd, const struct change_order *);
/* They are, or it took too long. */
void change_go_on(struct cordond *);
/* Leave the unconfirmed policy. 0 or -errno: then it is tried again. */
int change_revert(struct cordond *, enum history_why, const struct ctl_who *, struct ctl_applied *a);
/* The unconfirmed policy stays. 0 or -errno: then it still waits. */
int change_confirm(struct cordond *, const struct ctl_who *);
/* A number that no policy on the disk has. */
uint64_t change_next_revision(struct cordond *);
void change_waits(const struct cordond *, struct ctl_waits *);
/* Milliseconds that are left for its confirmation; 0: nothing waits. */
uint32_t change_left(const struct cordond *);

/* Clients' requests. */
void ask_apply(struct client *, const struct ctl_apply *);
void ask_rollback(struct client *, const struct ctl_apply *);
void ask_confirm(struct client *, const struct ctl_confirm *);
void ask_history(struct client *);
void ask_stored(struct client *, const struct image_ref *);

/* ---- kernel and model (verify.c) ---------------------------------------- */

struct verify;

/* A client asks whether they agree: compared in slices, answered to all who wait. */
void ask_verify(struct client *);
void verify_done(struct cordond *);

/* ---- the staged policy (stage_ask.c) ------------------------------------ */

/* From a sealed image; a->error says why not. */
void stage_load(struct cordond *, int image_fd, const struct ctl_who *, struct ctl_applied *a);
void ask_unstage(struct client *);
void ask_staged(struct client *);
void ask_staged_image(struct client *);

/* ---- counts (counts.c) -------------------------------------------------- */

/* Dump what was refused and hand it to cordon-flow; close windows that ended. */
void counts_send(struct cordond *);
/* The same, now and then: of many devices the totals may come a minute later. */
void counts_tick(struct cordond *);
/* Whoever gets the totals has none of them. */
void counts_anew(struct cordond *);
/* The same, and end all windows: a table made anew begins to count at nothing.
 * arg: the struct cordond. */
void counts_close(void *arg);
/* The refused totals per device, parallel to the image. */
struct refused_total {
	uint64_t packets, bytes, over_packets, over_bytes;
};
int counts_totals(struct cordond *, struct refused_total *totals);

/* What was there when the totals were read: no more than these can have grown. */
struct refused_seen {
	uint64_t sum[2];	/* of digests of all keys with their counts */
	uint64_t over_packets, over_bytes;
	bool unknown;
};

/* ---- the watch on foreign changes (watch.c) ----------------------------- */

/* Only where the kernel does not keep others away. */
int watch_init(struct cordond *);
void watch_done(struct cordond *);
/* Around our own transactions: they are not foreign. */
void watch_pause(struct cordond *);
void watch_resume(struct cordond *);
/* Compare in a moment, and put right what differs. */
void watch_compare(struct cordond *);

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
	unsigned watch_pauses;	/* that were not ended yet: one may be part of another */
	struct event *watch_timer;
	struct told told;	/* by the kernel, of changes since the last comparison */
	struct verify *verify;	/* under way; or NULL */
	struct change change;
	bool landlocked;
	int64_t started_at;
	struct flow_flushed flow;	/* the latest */
	struct refused_seen refused_seen;
	uint32_t totals_wait;	/* ticks that passed with totals unread */
	struct pki_source *sources;	/* parallel to the image's */
	struct revocation revocation;
};

/* Take a policy into force and tell everybody. */
int cordond_apply(struct cordond *, const struct apply_order *, const struct ctl_who *, struct apply_report *);
/* Of a new policy nothing is known of its CRLs yet. */
void forget_sources(struct cordond *);
/* Bind the policy's NFLOG groups; without them there are counts alone. */
void listen_to_nflog(struct cordond *);

#endif
