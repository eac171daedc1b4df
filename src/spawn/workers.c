/* SPDX-License-Identifier: GPL-2.0-or-later */
/* workers.c -- the table of running workers. */
#include "spawn/workers.h"

#include <signal.h>
#include <string.h>

bool
workers_full(const struct workers *w)
{
	return w->n >= WORKERS_MAX;
}

struct worker *
workers_add(struct workers *w, pid_t pid, uint32_t proc, uint32_t token)
{
	size_t i;

	for (i = 0; i < WORKERS_MAX; i++) {
		if (w->rows[i].pid != 0)
			continue;
		w->rows[i] = (struct worker){ .pid = pid, .proc = proc, .token = token };
		w->n++;
		return &w->rows[i];
	}
	return NULL;
}

struct worker *
workers_by_token(struct workers *w, uint32_t token)
{
	size_t i;

	for (i = 0; i < WORKERS_MAX; i++) {
		if (w->rows[i].pid != 0 && !w->rows[i].forgotten && w->rows[i].token == token)
			return &w->rows[i];
	}
	return NULL;
}

struct worker *
workers_by_pid(struct workers *w, pid_t pid)
{
	size_t i;

	for (i = 0; i < WORKERS_MAX; i++) {
		if (pid > 0 && w->rows[i].pid == pid)
			return &w->rows[i];
	}
	return NULL;
}

void
workers_remove(struct workers *w, struct worker *row)
{
	memset(row, 0, sizeof(*row));
	w->n--;
}

void
workers_forget(struct workers *w)
{
	size_t i;

	for (i = 0; i < WORKERS_MAX; i++)
		w->rows[i].forgotten = true;
}

size_t
workers_signal(const struct workers *w, int sig)
{
	size_t i, n = 0;

	for (i = 0; i < WORKERS_MAX; i++) {
		if (w->rows[i].pid != 0) {
			kill(w->rows[i].pid, sig);
			n++;
		}
	}
	return n;
}
