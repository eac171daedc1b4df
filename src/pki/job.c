/* SPDX-License-Identifier: GPL-2.0-or-later */
/* job.c -- one transfer: addresses of a source are tried in order, and what comes is
 * taken apart into CRLs. Judges nothing: verdict.c does. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "pki/pki.h"
#include "proto/messages.h"

#define MESSAGES_AT_ONCE 64	/* of one fetcher, before the others get their turn */
#define GRACE_MS	 15000	/* the fetcher ends sooner by itself */

/* ---- to ask ------------------------------------------------------------- */

/* At another address it begins from nothing; what came from the one before is in use. */
static void
begin_url(struct job *j)
{
	if (j->error != E_NONE && j->error != E_FETCH)
		j->former = (struct trouble){ j->error, j->detail, j->why };
	j->error = E_NONE;
	j->validated = j->header_seen = j->unchanged = j->skip = j->input_open = false;
	j->received = 0;
	j->strangers = 0;
	memset(&j->header, 0, sizeof(j->header));
}

void
job_ask(struct pki *p, struct job *j, const struct clock_view *now)
{
	struct pki_fetch ask = { .kind = FETCH_CRL, .which = j->source->index, .url = j->source->url };

	j->deadline_boot = now->boot_ms + PKI_ASK_MS;
	if (!job_server_free(p, j)) {
		j->phase = JOB_WAITING;
		j->deadline_boot = now->boot_ms + j->source->transfer_ms;
		return;
	}
	j->phase = JOB_ASKED;
	j->asked_boot = now->boot_ms;
	begin_url(j);
	pki_send(p, MSG_PKI_FETCH, &ask, sizeof(ask), -1);
}

void
job_start(struct pki *p, struct job *j, struct source *s, const struct clock_view *now)
{
	const struct authority_source *from = &p->all->sources[s->index];

	memset(j, 0, sizeof(*j));
	j->channel.fd = j->spool.fd = -1;
	j->source = s;
	s->busy = s->fetching = true;
	s->tell = true;
	s->url = 0;
	s->last_try_wall = now->wall_ms;
	j->phase = JOB_ASKED;
	j->scan = pki_scan_new(pki_authority(p, s), from->max_bytes);
	j->refs = calloc(LIMIT_SERIES_PER_SOURCE, sizeof(*j->refs));
	j->refused = calloc(LIMIT_SERIES_PER_SOURCE, sizeof(*j->refused));
	if (j->scan == NULL || j->refs == NULL || j->refused == NULL) {
		job_note(j, E_FETCH, ENOMEM, "no memory");
		job_fail(p, j, now);
		return;
	}
	job_ask(p, j, now);
}

/* What it brought goes to cordond, then to the disk: settle.c sees to it. */
static void
settle(struct pki *p, struct job *j)
{
	j->phase = JOB_SETTLING;
	j->round = p->settling.round + 1;
	j->deadline_boot = INT64_MAX;
	settle_want(p);
}

/* This address brought nothing good: is there another one? */
static void
url_failed(struct pki *p, struct job *j, const struct clock_view *now)
{
	ipc_done(&j->channel);
	j->channel.fd = -1;
	if (j->error != E_PRIVATE && source_next_url(j->source)) {
		log_info("%s: %s (%s): its next address is asked", pki_authority(p, j->source)->name,
		    j->why != NULL ? j->why : "refused", source_error_name(j->error));
		j->n_refused = 0;
		job_ask(p, j, now);
		return;
	}
	/* What another address sent says more than that this one is away. */
	if (j->error == E_FETCH && j->former.error != E_NONE) {
		j->error = j->former.error;
		j->detail = j->former.detail;
		j->why = j->former.why;
	}
	/* What is in use by now is settled first. */
	if (j->n_taken > 0)
		settle(p, j);
	else
		job_fail(p, j, now);
}

static void
request_fill(struct pki *p, struct job *j, struct fetch_request *r, const struct clock_view *now)
{
	const struct authority_source *from = &p->all->sources[j->source->index];
	const struct source_url *url = &j->source->urls[j->source->url];

	memset(r, 0, sizeof(*r));
	memcpy(r->url, url->text, strnlen(url->text, sizeof(r->url) - 1));
	if (source_may_validate(j->source, now) && delivery_stands(p, j->source)) {
		memcpy(r->etag, url->etag, sizeof(r->etag));
		memcpy(r->last_modified, url->last_modified, sizeof(r->last_modified));
		j->validated = r->etag[0] != '\0' || r->last_modified[0] != '\0';
	}
	if (from->ca != NULL) {
		memcpy(r->ca, from->ca, from->ca_len);
		r->ca_len = from->ca_len;
	}
}

void
job_fetcher(struct pki *p, struct job *j, int fd, const struct clock_view *now)
{
	static struct fetch_request r;
	int rc;

	ipc_init(&j->channel, fd, PROC_BIT(PROC_PKI), PROC_BIT(PROC_FETCH), &messages);
	if (p->all->sources[j->source->index].ca_len > sizeof(r.ca)) {
		job_note(j, E_FETCH, 0, "the CA for HTTPS is too large to hand over");
		job_fail(p, j, now);
		return;
	}
	request_fill(p, j, &r, now);
	rc = ipc_send_wait(&j->channel, MSG_FETCH_REQUEST, 0, &r, sizeof(r), -1, PKI_SEND_MS);
	if (rc < 0) {
		job_note(j, E_FETCH, (uint32_t)-rc, "the fetcher takes no request");
		url_failed(p, j, now);
		return;
	}
	j->phase = JOB_RECEIVING;
	j->deadline_boot = now->boot_ms + j->source->transfer_ms + GRACE_MS;
}

void
job_no_fetcher(struct pki *p, struct job *j, const struct clock_view *now)
{
	source_postponed(j->source, false, now);
	job_end(p, j, now);
}

/* ---- what comes --------------------------------------------------------- */

/* The CRLs of one body end here. */
static void
input_end(struct pki *p, struct job *j, const struct clock_view *now)
{
	struct job_context x = { p, j, *now };
	enum source_error error;

	if (!j->input_open)
		return;
	j->input_open = false;
	j->input.arg = &x;
	error = crl_input_finish(&j->input);
	if (error != E_NONE)
		job_note(j, error, j->input.detail, j->input.why);
}

static void
broken(struct pki *p, struct job *j, const struct clock_view *now)
{
	job_note(j, E_FETCH, 0, "the fetcher broke the protocol");
	url_failed(p, j, now);
}

static void
take_body(struct pki *p, struct job *j, const struct fetch_body *body, const struct clock_view *now)
{
	struct job_context x = { p, j, *now };

	if (body->len == 0 || body->len > sizeof(body->data) || !j->header_seen || j->header.status != 200) {
		broken(p, j, now);
		return;
	}
	j->received += body->len;
	j->received_at = now->wall_ms;
	if (j->skip)
		return;
	if (!j->input_open) {
		crl_input_init(&j->input, &job_taker, &x);
		j->input_open = true;
	}
	j->input.arg = &x;
	if (crl_input_feed(&j->input, body->data, body->len) == 0)
		return;
	/* What is refused once is refused: the rest of it need not come. */
	input_end(p, j, now);
	j->skip = true;
	if (j->header.part == 0)
		url_failed(p, j, now);
}

static void
take_header(struct pki *p, struct job *j, const struct fetch_header *h, const struct clock_view *now)
{
	if (j->header_seen && (h->part == 0 || h->part != j->header.part + 1)) {
		broken(p, j, now);
		return;
	}
	input_end(p, j, now);
	j->header = *h;
	j->header.etag[sizeof(h->etag) - 1] = '\0';
	j->header.last_modified[sizeof(h->last_modified) - 1] = '\0';
	j->header_seen = true;
	j->skip = false;
	if (h->part > 0 && h->status != 200)
		job_note(j, h->status == 413 ? E_TOO_BIG : E_FETCH, h->status, "a file of the folder cannot be had");
}

/* An old one of a series of which the transfer has the newest as well is no fault. */
static void
count_refused(struct pki *p, struct job *j)
{
	uint32_t i, k;

	for (i = 0; i < j->n_refused; i++) {
		for (k = 0; k < j->n_refs; k++)
			if (j->refs[k].series == j->refused[i].series && j->refs[k].delta == j->refused[i].delta)
				break;
		if (k == j->n_refs) {
			job_note(j, E_ROLLBACK, 0, "RFC 5280 5.2.3: older than a CRL that was accepted");
			p->deliveries[j->source->index].refused = j->refused[i];
		}
	}
	/* CRLs of others in a bundle are passed over, when one of ours is there. */
	if (j->strangers > 0 && j->n_refs == 0)
		job_note(j, E_SIGNER, 0, "signed by somebody else than the authority");
}

static void
all_came(struct pki *p, struct job *j, const struct clock_view *now)
{
	count_refused(p, j);
	if (j->error != E_NONE) {
		url_failed(p, j, now);
		return;
	}
	ipc_done(&j->channel);
	j->channel.fd = -1;
	if (j->n_taken == 0)
		job_settled(p, j, 0, now);
	else
		settle(p, j);
}

static void
take_end(struct pki *p, struct job *j, const struct fetch_end *end, const struct clock_view *now)
{
	j->took_ms = now->boot_ms - j->asked_boot;
	j->retry_after_s = end->retry_after_s;
	if (end->error == 0 || j->header.part > 0)
		input_end(p, j, now);
	if (end->error != 0) {
		job_note(j, end->error < SOURCE_ERRORS ? (enum source_error)end->error : E_FETCH, end->detail,
		    "the transfer failed");
		url_failed(p, j, now);
		return;
	}
	if (!j->header_seen) {
		broken(p, j, now);
		return;
	}
	if (j->header.status == 304 && j->validated && j->header.part == 0)
		j->unchanged = true;
	else if (j->header.part == 0 && j->header.status != 200)
		job_note(j, E_FETCH, j->header.status, "the server has no CRL there");
	else if (j->header.part == 0 && j->received == 0)
		job_note(j, E_EMPTY, 0, "no bytes");
	all_came(p, j, now);
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
			job_note(j, E_FETCH, (uint32_t)-rc,
			    rc == 0 ? "the fetcher ended early" : "the fetcher broke the protocol");
			url_failed(p, j, &now);
			return;
		}
		if (m->type == MSG_FETCH_HEADER)
			take_header(p, j, (const struct fetch_header *)m->payload, &now);
		else if (m->type == MSG_FETCH_BODY)
			take_body(p, j, (const struct fetch_body *)m->payload, &now);
		else if (m->type == MSG_FETCH_END)
			take_end(p, j, (const struct fetch_end *)m->payload, &now);
		else
			broken(p, j, &now);
	}
}

/* ---- ends --------------------------------------------------------------- */

void
job_give_way(struct pki *p, struct job *j, const struct clock_view *now)
{
	log_info("%s: %s is slow, and others wait: it is asked again later", pki_authority(p, j->source)->name,
	    pki_url(j->source));
	if (j->n_taken > 0) {
		job_note(j, E_FETCH, ETIMEDOUT, "the transfer was slow while others waited");
		url_failed(p, j, now);
		return;
	}
	source_postponed(j->source, true, now);
	job_end(p, j, now);
}

void
job_expire(struct pki *p, struct job *j, const struct clock_view *now)
{
	switch (j->phase) {
	case JOB_WAITING:
		job_note(j, E_FETCH, ETIMEDOUT, "another transfer holds its server");
		url_failed(p, j, now);
		break;
	case JOB_ASKED:
		job_note(j, E_FETCH, ETIMEDOUT, "no fetcher came");
		url_failed(p, j, now);
		break;
	case JOB_RECEIVING:
		job_note(j, E_FETCH, ETIMEDOUT, "the transfer took too long");
		url_failed(p, j, now);
		break;
	case JOB_SETTLING:
	case JOB_FREE:
		break;
	}
}

/* Its policy goes: what it brought is in use, and comes once more for the disk. */
void
job_stop(struct pki *p, struct job *j, const struct clock_view *now)
{
	if (j->phase != JOB_FREE)
		job_end(p, j, now);
}
