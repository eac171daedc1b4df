/* SPDX-License-Identifier: GPL-2.0-or-later */
/* watch.c -- a fetcher that stays, and tells when files and folders change: what is
 * put there takes effect at once. The schedule goes on beside it, since a watch may
 * be lost without a word. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "pki/pki.h"
#include "proto/messages.h"

#define AGAIN_MS     1000	/* after it died; doubles */
#define AGAIN_MAX_MS 60000
#define LIVED_MS     30000	/* who lived so long begins at the shortest wait again */

struct place {
	uint32_t source;	/* index */
	uint32_t url;
};

struct watch {
	struct ipc channel;	/* fd -1: none */
	struct place *places;	/* what we call them is their index */
	uint32_t n;
	bool asked;
	int64_t next_boot;	/* when to ask for a fetcher, or to give up waiting for it */
	int64_t since_boot;
	uint32_t failures;
};

static bool
is_file(const char *url)
{
	return strncmp(url, "file:", 5) == 0;
}

int
watch_new(struct pki *p)
{
	if ((p->watch = calloc(1, sizeof(*p->watch))) == NULL)
		return -ENOMEM;
	p->watch->channel.fd = -1;
	return 0;
}

static void
stop(struct watch *w)
{
	if (w->channel.fd >= 0)
		ipc_done(&w->channel);
	w->channel.fd = -1;
}

void
watch_free(struct pki *p)
{
	if (p->watch == NULL)
		return;
	stop(p->watch);
	free(p->watch->places);
	free(p->watch);
	p->watch = NULL;
}

int
watch_fd(const struct pki *p)
{
	return p->watch->channel.fd;
}

static uint32_t
places_of(const struct pki *p, struct place *out)
{
	uint32_t i, k, n = 0;

	for (i = 0; i < p->all->n_sources; i++) {
		for (k = 0; k < p->sources[i].n_urls; k++) {
			if (!is_file(p->sources[i].urls[k].text) || n >= LIMIT_SOURCES)
				continue;
			if (out != NULL)
				out[n] = (struct place){ i, k };
			n++;
		}
	}
	return n;
}

void
watch_renew(struct pki *p, const struct clock_view *now)
{
	struct watch *w = p->watch;

	/* Its own numbers go with the policy; the next one is told all of them. */
	stop(w);
	free(w->places);
	w->n = places_of(p, NULL);
	w->places = calloc((size_t)w->n + 1, sizeof(*w->places));
	w->n = w->places != NULL ? places_of(p, w->places) : 0;
	w->failures = 0;
	w->next_boot = w->asked ? w->next_boot : now->boot_ms;
}

static void
died(struct watch *w, const struct clock_view *now)
{
	int64_t wait = AGAIN_MS;
	uint32_t i;

	stop(w);
	w->asked = false;
	if (now->boot_ms - w->since_boot > LIVED_MS)
		w->failures = 0;
	for (i = 0; i < w->failures && wait < AGAIN_MAX_MS; i++)
		wait *= 2;
	w->failures++;
	w->next_boot = now->boot_ms + (wait < AGAIN_MAX_MS ? wait : AGAIN_MAX_MS);
}

void
watch_fetcher(struct pki *p, int fd, const struct clock_view *now)
{
	struct watch *w = p->watch;
	static struct fetch_watch m;
	uint32_t i;

	if (fd < 0) {
		died(w, now);
		return;
	}
	stop(w);
	w->asked = false;
	w->since_boot = now->boot_ms;
	ipc_init(&w->channel, fd, PROC_BIT(PROC_PKI), PROC_BIT(PROC_FETCH), &messages);
	for (i = 0; i < w->n && w->channel.fd >= 0; i++) {
		const char *url = p->sources[w->places[i].source].urls[w->places[i].url].text;

		memset(&m, 0, sizeof(m));
		m.which = i;
		memcpy(m.url, url, strnlen(url, sizeof(m.url) - 1));
		if (ipc_send_wait(&w->channel, MSG_FETCH_WATCH, 0, &m, sizeof(m), -1, PKI_SEND_MS) < 0)
			died(w, now);
	}
}

void
watch_receive(struct pki *p, struct ipc_message *m)
{
	struct watch *w = p->watch;
	struct clock_view now;
	uint32_t which;
	int rc;

	while ((rc = ipc_recv(&w->channel, m)) == 1 && m->type == MSG_FETCH_CHANGED) {
		which = ((const struct fetch_changed *)m->payload)->which;
		clock_now(&now);
		if (which < w->n)
			source_now(&p->sources[w->places[which].source], &now);
	}
	if (rc == -EAGAIN)
		return;
	clock_now(&now);
	log_warn(rc < 0 ? rc : 0, "who watches files and folders is gone: another one is asked for");
	died(w, &now);
}

void
watch_tick(struct pki *p, const struct clock_view *now)
{
	struct pki_fetch ask = { .kind = FETCH_WATCH };
	struct watch *w = p->watch;

	if (w->n == 0 || w->channel.fd >= 0 || now->boot_ms < w->next_boot || p->lookup.candidate)
		return;
	if (w->asked) {
		died(w, now);
		return;
	}
	w->asked = true;
	w->next_boot = now->boot_ms + PKI_ASK_MS;
	pki_send(p, MSG_PKI_FETCH, &ask, sizeof(ask), -1);
}
