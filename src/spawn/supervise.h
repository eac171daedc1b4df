/* SPDX-License-Identifier: GPL-2.0-or-later */
/* supervise.h -- the life of cordond and its workers. */
#ifndef CORDON_SPAWN_SUPERVISE_H
#define CORDON_SPAWN_SUPERVISE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/ipc.h"
#include "proto/proc.h"
#include "spawn/backoff.h"
#include "spawn/program.h"
#include "spawn/workers.h"

#define DRAIN_MS	3000	/* workers of a cordond that is gone end by themselves within this */
#define HANG_UP_MS	1000	/* from a closed channel to the end of cordond */
#define STOP_MS		5000	/* from SIGTERM to SIGKILL */
#define KILLED_MS	1000	/* after SIGKILL nobody is waited for longer */

enum phase {
	PHASE_WAIT,	/* no cordond; it is started when due */
	PHASE_UP,	/* cordond runs */
	PHASE_DRAIN,	/* cordond is gone, its workers are ending */
	PHASE_STOP,	/* everybody was told to end */
	PHASE_OVER,	/* nobody is left */
};

struct supervisor {
	/* what was prepared before rights were dropped; borrowed */
	const char *program_folder;
	const char *config_folder;
	const char *force_absent;	/* for cordond, or NULL */
	bool debug;
	gid_t group;
	struct program_ids ids[PROC_MAX];
	int state_fd[PROC_MAX];		/* -1: none */
	int nft_fd;
	int control_fd;

	enum phase phase;
	int64_t due_ms;			/* PHASE_WAIT: start; UP: 0 or kill; DRAIN, STOP: kill */
	int64_t start_ms;		/* DRAIN: cordond is not started before */
	bool killed;			/* DRAIN, STOP: SIGKILL was sent */
	struct backoff backoff;
	pid_t enforcer;			/* 0: none */
	uint32_t starts;		/* of cordond */
	bool loaded;			/* a cordond said that the rules stand */
	int64_t armed_ms;		/* it must disarm before; 0: not armed. Outlives it */
	struct ipc channel;		/* to cordond; fd -1: none */
	struct workers workers;
};

void supervise_init(struct supervisor *);

/* What the clock demands: start, kill, be done. */
void supervise_tick(struct supervisor *, int64_t now_ms);

/* Milliseconds until supervise_tick has something to do; -1: nothing is due. */
int supervise_timeout(const struct supervisor *, int64_t now_ms);

/* The channel to cordond can be read. */
void supervise_receive(struct supervisor *, int64_t now_ms);

/* A child ended; status is waitpid's. */
void supervise_ended(struct supervisor *, pid_t, int status, int64_t now_ms);

/* End everybody. */
void supervise_stop(struct supervisor *, int64_t now_ms);

/* The operator's SIGHUP. */
void supervise_hangup(const struct supervisor *);

#endif
