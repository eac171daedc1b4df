/* SPDX-License-Identifier: GPL-2.0-or-later */
/* job.c -- bytes on their way: from a fetcher, or from our own folder, into the
 * scanner and at the same time into a file. Judges nothing: verdict.c does. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/log.h"
#include "pki/pki.h"
#include "pki/store.h"
#include "proto/messages.h"

#define MESSAGES_AT_ONCE 64	/* of one fetcher, before the others get their turn */

struct job *
job_free_slot(struct pki *p, bool cached)
{
	size_t i, first = cached ? PKI_TRANSFERS : 0, end = cached ? PKI_JOBS : PKI_TRANSFERS;

	for (i = first; i < end; i++)
		if (p->jobs[i].phase == JOB_FREE)
			return &p->jobs[i];
	return NULL;
}

static void
begin(struct job *j, struct source *s, enum job_phase phase, int64_t deadline)
{
	memset(j, 0, sizeof(*j));
	j->channel.fd = -1;
	j->file = -1;
	j->phase = phase;
	j->source = s;
	j->deadline_boot = deadline;
	j->cached = phase == JOB_SCANNING;
	s->busy = true;
	s->fetching = !j->cached;
	s->tell = true;
}

static struct crl_scan *
new_scan(struct pki *p, const struct source *s)
{
	const struct authority *a = pki_authority(p, s);

	const struct crl_scan_setup setup = { .inventory = a->inventory, .names = &a->subject,
		.n_names = a->subject.der != NULL, .signers = a->signers, .n_signers = a->n_signers,
		.max_size = LIMIT_CRL_BYTES };

	return crl_scan_new(&setup);
}

/* ---- transfers ---------------------------------------------------------- */

void
job_start_fetch(struct pki *p, struct job *j, struct source *s, const struct clock_view *now)
{
	struct pki_fetch ask = { .kind = FETCH_CRL, .which = s->index };

	begin(j, s, JOB_ASKED, now->boot_ms + PKI_ASK_MS);
	s->last_try_wall = now->wall_ms;
	pki_send(p, MSG_PKI_FETCH, &ask, sizeof(ask));
}

static void
request_fill(struct pki *p, struct job *j, struct fetch_request *r, const struct clock_view *now)
{
	const struct authority_source *place = &p->all->sources[j->source->index];
	const struct source *s = j->source;

	memset(r, 0, sizeof(*r));
	memcpy(r->url, pki_url(p, s), strnlen(pki_url(p, s), sizeof(r->url) - 1));
	if (source_may_validate(s, now)) {
		memcpy(r->etag, s->etag, sizeof(r->etag));
		memcpy(r->last_modified, s->last_modified, sizeof(r->last_modified));
		j->validated = r->etag[0] != '\0' || r->last_modified[0] != '\0';
	}
	if (place->ca != NULL) {
		memcpy(r->ca, place->ca, place->ca_len);
		r->ca_len = place->ca_len;
	}
}

static int
take_begin(void *arg, uint32_t n)
{
	(void)arg;
	return n > 0;
}

static void
take_end_of_crl(void *arg, enum source_error error, const char *why)
{
	struct job *j = arg;

	if (error != E_NONE)
		crl_scan_refuse(j->scan, error, why);
}

static int
take_der(void *arg, const uint8_t *der, size_t len)
{
	struct job *j = arg;

	if (j->file >= 0 && j->disk_error == 0)
		j->disk_error = file_write_all(j->file, der, len);
	return crl_scan_feed(j->scan, der, len);
}

static const struct crl_input_taker taker = { take_begin, take_der, take_end_of_crl };

void
job_fetcher(struct pki *p, struct job *j, int fd, const struct clock_view *now)
{
	struct fetch_request r;
	int rc;

	ipc_init(&j->channel, fd, PROC_BIT(PROC_PKI), PROC_BIT(PROC_FETCH), &messages);
	if (p->all->sources[j->source->index].ca_len > sizeof(r.ca)) {
		job_fail(p, j, E_FETCH, 0, "the CA for HTTPS is too large to hand over", now);
		return;
	}
	if ((j->scan = new_scan(p, j->source)) == NULL) {
		job_fail(p, j, E_FETCH, ENOMEM, "no memory", now);
		return;
	}
	crl_input_init(&j->input, &taker, j);
	/* Without a disk the scan goes on: who is revoked is revoked. */
	if ((j->file = store_temporary(p->folder, j->source->id)) < 0) {
		j->disk_error = j->file;
		j->file = -1;
	}
	request_fill(p, j, &r, now);
	rc = ipc_send_wait(&j->channel, MSG_FETCH_REQUEST, 0, &r, sizeof(r), -1, PKI_SEND_MS);
	if (rc < 0) {
		job_fail(p, j, E_FETCH, (uint32_t)-rc, "the fetcher takes no request", now);
		return;
	}
	j->phase = JOB_RECEIVING;
	j->deadline_boot = now->boot_ms + PKI_FETCH_MS;
}

static void
take_body(struct pki *p, struct job *j, const struct fetch_body *body, const struct clock_view *now)
{
	if (body->len == 0 || body->len > sizeof(body->data) || !j->header_seen ||
	    j->header.status != 200) {
		job_fail(p, j, E_FETCH, 0, "the fetcher broke the protocol", now);
		return;
	}
	j->received += body->len;
	j->received_at = now->wall_ms;
	if (j->received > LIMIT_CRL_BYTES) {
		job_fail(p, j, E_TOO_BIG, 0, "larger than the limit", now);
		return;
	}
	/* What is refused once is refused: the rest need not come. */
	if (crl_input_feed(&j->input, body->data, body->len) != 0)
		job_verdict(p, j, now);
}

static void
take_header(struct pki *p, struct job *j, const struct fetch_header *h, const struct clock_view *now)
{
	if (j->header_seen) {
		job_fail(p, j, E_FETCH, 0, "the fetcher broke the protocol", now);
		return;
	}
	j->header = *h;
	j->header.etag[sizeof(h->etag) - 1] = '\0';
	j->header.last_modified[sizeof(h->last_modified) - 1] = '\0';
	j->header_seen = true;
}

static void
take_end(struct pki *p, struct job *j, const struct fetch_end *end, const struct clock_view *now)
{
	if (end->error != 0) {
		job_fail(p, j, end->error < SOURCE_ERRORS ? (enum source_error)end->error : E_FETCH,
		    end->detail, "the transfer failed", now);
	} else if (!j->header_seen) {
		job_fail(p, j, E_FETCH, 0, "the fetcher broke the protocol", now);
	} else if (j->header.status == 304 && j->validated) {
		source_succeeded(j->source, now, pki_random(p));
		job_end(p, j, now);
	} else if (j->header.status != 200) {
		job_fail(p, j, E_FETCH, j->header.status, "the server has no CRL there", now);
	} else {
		job_verdict(p, j, now);
	}
}

void
job_receive(struct pki *p, struct job *j, struct ipc_message *m)
{
	struct clock_view now;
	unsigned n;
	int rc;

	for (n = 0; n < MESSAGES_AT_ONCE && j->phase == JOB_RECEIVING; n++) {
		rc = ipc_recv(&j->channel, m);
		if (rc == -EAGAIN)
			return;
		clock_now(&now);
		if (rc <= 0) {
			job_fail(p, j, E_FETCH, (uint32_t)-rc,
			    rc == 0 ? "the fetcher ended early" : "the fetcher broke the protocol", &now);
			return;
		}
		if (m->type == MSG_FETCH_HEADER)
			take_header(p, j, (const struct fetch_header *)m->payload, &now);
		else if (m->type == MSG_FETCH_BODY)
			take_body(p, j, (const struct fetch_body *)m->payload, &now);
		else
			take_end(p, j, (const struct fetch_end *)m->payload, &now);
	}
}

/* ---- the cache ---------------------------------------------------------- */

void
job_start_scan(struct pki *p, struct job *j, struct source *s, const struct clock_view *now)
{
	begin(j, s, JOB_SCANNING, now->boot_ms + PKI_FETCH_MS);
	s->need_scan = false;
	if ((j->file = store_open(p->folder, s->id)) < 0)
		job_fail(p, j, E_CACHE, (uint32_t)-j->file, "cannot be opened", now);
	else if ((j->scan = new_scan(p, s)) == NULL)
		job_fail(p, j, E_CACHE, ENOMEM, "no memory", now);
}

void
job_step(struct pki *p, struct job *j, const struct clock_view *now)
{
	static uint8_t piece[65536];
	size_t done;
	ssize_t n;

	for (done = 0; done < PKI_SCAN_PIECE; done += (size_t)n) {
		n = read(j->file, piece, sizeof(piece));
		if (n < 0 && errno == EINTR) {
			n = 0;
			continue;
		}
		if (n < 0) {
			job_fail(p, j, E_CACHE, (uint32_t)errno, "cannot be read", now);
			return;
		}
		j->received_at = now->wall_ms;
		if (n == 0 || crl_scan_feed(j->scan, piece, (size_t)n) < 0) {
			job_verdict(p, j, now);
			return;
		}
	}
}

/* ---- ends --------------------------------------------------------------- */

void
job_end(struct pki *p, struct job *j, const struct clock_view *now)
{
	ipc_done(&j->channel);
	crl_scan_free(j->scan);
	if (j->file >= 0)
		close(j->file);
	if (!j->cached)
		store_discard(p->folder, j->source->id);
	source_idle(j->source, now);
	memset(j, 0, sizeof(*j));
	j->channel.fd = j->file = -1;
}

void
job_fail(struct pki *p, struct job *j, enum source_error error, uint32_t detail, const char *why,
    const struct clock_view *now)
{
	struct source *s = j->source;

	if (s->error != error || s->detail != detail)
		log_warn(0, "%s: %s: %s (%s, detail %u): nobody is released or revoked by it",
		    pki_authority(p, s)->name, j->cached ? "the cached CRL" : pki_url(p, s),
		    why != NULL ? why : "refused", source_error_name(error), detail);
	source_failed(s, error, detail, now, pki_random(p));
	if (j->cached) {
		/* Nothing is in use then; the server is asked for all of it at once. */
		s->this_update = s->next_update = 0;
		s->digest_len = s->number_len = 0;
		s->entries = s->hits = 0;
		s->next_try_boot = now->boot_ms;
	}
	job_end(p, j, now);
}

void
job_expire(struct pki *p, struct job *j, const struct clock_view *now)
{
	switch (j->phase) {
	case JOB_ASKED:
		job_fail(p, j, E_FETCH, ETIMEDOUT, "no fetcher came", now);
		break;
	case JOB_RECEIVING:
		job_fail(p, j, E_FETCH, ETIMEDOUT, "the transfer took too long", now);
		break;
	case JOB_APPLYING:
		/* The answer may still come and must not be taken for another's. */
		p->old_answers++;
		job_applied(p, j, ETIMEDOUT, now);
		break;
	case JOB_SCANNING:
	case JOB_FREE:
		break;
	}
}
