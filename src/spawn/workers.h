/* SPDX-License-Identifier: GPL-2.0-or-later */
/* workers.h -- which workers run: a table by token and by process number. */
#ifndef CORDON_SPAWN_WORKERS_H
#define CORDON_SPAWN_WORKERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define WORKERS_MAX 64	/* the three that stay, and a fetcher for each transfer under way */

struct worker {
	pid_t pid;		/* 0: the row is free */
	uint32_t proc;
	uint32_t token;
	bool forgotten;		/* of a cordond that is gone: nobody asks for it any more */
};

struct workers {
	struct worker rows[WORKERS_MAX];
	size_t n;
};

/* The new row, or NULL when there is no room. */
struct worker *workers_add(struct workers *, pid_t, uint32_t proc, uint32_t token);
bool workers_full(const struct workers *);

/* The worker that cordond knows by this token, or NULL. */
struct worker *workers_by_token(struct workers *, uint32_t token);
struct worker *workers_by_pid(struct workers *, pid_t);
void workers_remove(struct workers *, struct worker *);

/* cordond is gone, and its tokens with it. */
void workers_forget(struct workers *);

/* Send the signal to each; how many there were. */
size_t workers_signal(const struct workers *, int sig);

#endif
