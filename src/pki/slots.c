/* SPDX-License-Identifier: GPL-2.0-or-later */
/* slots.c -- whose turn it is: few transfers at once, one for each server, and
 * nobody who is slow may keep those waiting who are not. */
#include <stddef.h>

#include "pki/pki.h"

#define PATIENCE_MS	200	/* while others wait, a transfer has so long to show that it gets on, */
#define SLOW_BYTES_S	16384	/* and must bring so much in a second */
#define SLOW_MAX	(PKI_TRANSFERS - 1)	/* of the transfers, for sources that were slow or failed */

/* An attempt that goes on at another address keeps away from servers in use. */
bool
job_server_free(const struct pki *p, const struct job *j)
{
	uint64_t server = j->source->urls[j->source->url].server;
	size_t i;

	for (i = 0; i < PKI_JOBS && server != 0; i++) {
		const struct job *o = &p->jobs[i];

		if (o != j && (o->phase == JOB_ASKED || o->phase == JOB_RECEIVING) &&
		    o->source->urls[o->source->url].server == server)
			return false;
	}
	return true;
}

static bool
starved(const struct source *s)
{
	return s->view.state == SOURCE_STALE || s->view.state == SOURCE_EXPIRED;
}

static bool
counts(const struct job *j)
{
	return (j->phase == JOB_ASKED || j->phase == JOB_RECEIVING) && !j->aside && !j->spare;
}

/* May it begin, and then as the one that is spared for those without a CRL? */
static bool
has_turn(const struct pki *p, const struct source *s, bool *spare)
{
	size_t i, n = 0, slow = 0;
	bool spare_taken = false;

	for (i = 0; i < PKI_JOBS; i++) {
		const struct job *j = &p->jobs[i];

		n += counts(j);
		slow += counts(j) && j->source->slow;
		spare_taken = spare_taken || (j->phase != JOB_FREE && j->spare);
	}
	*spare = n >= PKI_TRANSFERS || (s->slow && slow >= SLOW_MAX);
	return !*spare || (starved(s) && !spare_taken);
}

static struct job *
free_job(struct pki *p)
{
	size_t i;

	for (i = 0; i < PKI_JOBS; i++)
		if (p->jobs[i].phase == JOB_FREE)
			return &p->jobs[i];
	return NULL;
}

static bool
may_start(const struct pki *p, const struct source *s)
{
	struct job probe = { .source = (struct source *)(uintptr_t)s };

	return job_server_free(p, &probe);
}

/* Who was well goes first; then who waits longest. */
static bool
before(const struct source *a, const struct source *b)
{
	return a->slow != b->slow ? !a->slow : a->next_try_boot < b->next_try_boot;
}

static struct source *
next_source(struct pki *p, const struct clock_view *now, bool *spare)
{
	struct source *best = NULL, *s;
	bool as_spare;

	for (s = p->sources; s < p->sources + p->all->n_sources; s++) {
		if (!source_wants_fetch(s, now) || (best != NULL && !before(s, best)) || !may_start(p, s) ||
		    !has_turn(p, s, &as_spare))
			continue;
		best = s;
		*spare = as_spare;
	}
	return best;
}

static bool
crawls(const struct job *j, const struct clock_view *now)
{
	int64_t ran = now->boot_ms - j->asked_boot;

	return counts(j) && ran >= PATIENCE_MS && (int64_t)j->received < ran * SLOW_BYTES_S / 1000;
}

static bool
somebody_waits(const struct pki *p, const struct clock_view *now)
{
	const struct source *s;
	bool spare;

	for (s = p->sources; s < p->sources + p->all->n_sources; s++)
		if (source_wants_fetch(s, now) && may_start(p, s) && !has_turn(p, s, &spare))
			return true;
	return false;
}

/* Others wait: those that crawl go on beside the rest, and when there are too many
 * of these, the oldest ends. */
static void
make_room(struct pki *p, const struct clock_view *now)
{
	struct job *oldest = NULL;
	size_t i, aside = 0;

	for (i = 0; i < PKI_JOBS; i++) {
		struct job *j = &p->jobs[i];

		if (j->phase == JOB_FREE || !j->aside)
			continue;
		aside++;
		if (j->phase == JOB_RECEIVING && (oldest == NULL || j->asked_boot < oldest->asked_boot))
			oldest = j;
	}
	for (i = 0; i < PKI_JOBS; i++) {
		if (!crawls(&p->jobs[i], now))
			continue;
		if (aside >= PKI_ASIDE && oldest != NULL) {
			job_give_way(p, oldest, now);
			return;
		}
		p->jobs[i].aside = true;
		p->jobs[i].source->slow = true;
		aside++;
	}
}

void
jobs_start(struct pki *p, const struct clock_view *now)
{
	struct source *s;
	struct job *j;
	bool spare;
	size_t i;

	/* What a candidate calls its sources cordond does not know yet. */
	if (p->all == NULL || p->lookup.candidate)
		return;
	for (i = 0; i < PKI_JOBS; i++)
		if (p->jobs[i].phase == JOB_WAITING && job_server_free(p, &p->jobs[i]))
			job_ask(p, &p->jobs[i], now);
	if (somebody_waits(p, now))
		make_room(p, now);
	while ((j = free_job(p)) != NULL && (s = next_source(p, now, &spare)) != NULL) {
		job_start(p, j, s, now);
		j->spare = spare && j->phase != JOB_FREE;
	}
}

int64_t
jobs_wait(const struct pki *p, const struct clock_view *now, int64_t max)
{
	uint32_t i;

	for (i = 0; i < PKI_JOBS; i++) {
		const struct job *j = &p->jobs[i];

		if (j->phase != JOB_FREE && j->deadline_boot - now->boot_ms < max)
			max = j->deadline_boot - now->boot_ms;
	}
	if (p->lookup.candidate || p->all == NULL)
		return max > 0 ? max : 0;
	/* Who is due and waits for a server is woken by the end of another's job. */
	for (i = 0; i < p->all->n_sources; i++)
		if (!source_wants_fetch(&p->sources[i], now))
			max = source_wait(&p->sources[i], now, max);
	if (somebody_waits(p, now) && max > PATIENCE_MS / 4)
		max = PATIENCE_MS / 4;
	return max > 0 ? max : 0;
}
