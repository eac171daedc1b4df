/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ocsp_job.c -- questions to responders, each by a fetcher of its own. Judges
 * nothing: ocsp.c weighs the answers, trust.c what follows from them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/log.h"
#include "pki/ocsp_desk.h"
#include "proto/messages.h"

#define TRANSFER_MS 45000	/* the fetcher ends sooner by itself */

static void
slot_end(struct pki *p, struct ocsp_slot *s)
{
	if (s->channel.fd >= 0)
		ipc_done(&s->channel);
	s->channel.fd = -1;
	p->ocsp->authorities[s->authority].busy = false;
	s->phase = OCSP_IDLE;
}

static void
no_answer(struct pki *p, struct ocsp_slot *s, enum source_error error, uint32_t detail, const char *why,
    const struct clock_view *now)
{
	struct ocsp_answer none = { .status = OCSP_NO_ANSWER, .error = error, .detail = detail, .why = why };

	ocsp_heard(p, s, &none, now);
	slot_end(p, s);
}

/* ---- to ask ------------------------------------------------------------- */

/* Who waits longest; those about to be let out of a hold first. */
static bool
next_turn(const struct ocsp_authority *o, const struct clock_view *now, uint32_t *out)
{
	int64_t best = INT64_MAX, at;
	uint32_t i;

	for (i = 0; i < o->n; i++) {
		const struct ocsp_turn *t = &o->turns[i];

		at = t->wanted_boot != 0 && t->asked_boot < t->wanted_boot ? t->wanted_boot - INT32_MAX : t->next_boot;
		if (at <= now->boot_ms && at < best) {
			best = at;
			*out = i;
		}
	}
	return best != INT64_MAX;
}

static struct ocsp_slot *
free_slot(struct ocsp_desk *d)
{
	size_t i;

	for (i = 0; i < OCSP_AT_ONCE; i++)
		if (d->slots[i].phase == OCSP_IDLE)
			return &d->slots[i];
	return NULL;
}

void
ocsp_run(struct pki *p, const struct clock_view *now)
{
	struct ocsp_desk *d = p->ocsp;
	struct ocsp_slot *s;
	uint32_t n, first, subject = 0;
	size_t k;

	if (d == NULL)
		return;
	for (k = 0; k < OCSP_AT_ONCE; k++)
		if (d->slots[k].phase != OCSP_IDLE && now->boot_ms >= d->slots[k].deadline_boot)
			no_answer(p, &d->slots[k], E_FETCH, ETIMEDOUT, "it took too long", now);
	first = d->next;
	for (n = 0; n < d->n && !p->lookup.candidate; n++) {
		uint32_t i = (first + n) % d->n;
		struct ocsp_authority *o = &d->authorities[i];
		struct pki_fetch ask = { .kind = FETCH_OCSP, .which = i };

		if (o->n == 0 || o->busy || now->boot_ms < o->next_boot || (s = free_slot(d)) == NULL ||
		    !next_turn(o, now, &subject))
			continue;
		o->busy = true;
		d->next = i + 1;
		s->phase = OCSP_ASKED;
		s->authority = i;
		s->subject = subject;
		s->deadline_boot = now->boot_ms + PKI_ASK_MS;
		pki_send(p, MSG_PKI_FETCH, &ask, sizeof(ask), -1);
	}
}

static struct ocsp_slot *
slot_of(struct pki *p, uint32_t authority)
{
	size_t i;

	for (i = 0; p->ocsp != NULL && i < OCSP_AT_ONCE; i++)
		if (p->ocsp->slots[i].phase == OCSP_ASKED && p->ocsp->slots[i].authority == authority)
			return &p->ocsp->slots[i];
	return NULL;
}

static int
request_fill(struct pki *p, struct ocsp_slot *s, struct fetch_request *r)
{
	const struct authority *a = &p->all->authorities[s->authority];
	const struct subject *subject = &a->subjects[s->subject];
	struct ocsp_question q;
	size_t issuer = 0, len;
	int rc;

	memset(r, 0, sizeof(*r));
	memcpy(r->url, a->ocsp.url, strnlen(a->ocsp.url, sizeof(r->url) - 1));
	if (getrandom(s->nonce, sizeof(s->nonce), 0) != sizeof(s->nonce))
		return -EIO;
	if (subject->issuer != TRUST_NONE && subject->issuer - a->first_certificate < p->ocsp->authorities[s->authority].n_own)
		issuer = subject->issuer - a->first_certificate;
	q = ocsp_question_about(p, s);
	rc = ocsp_request_make(&q, issuer, p->ocsp->authorities[s->authority].hash, r->body, sizeof(r->body), &len);
	r->body_len = rc == 0 ? (uint32_t)len : 0;
	return rc;
}

void
ocsp_fetcher(struct pki *p, uint32_t authority, int fd, const struct clock_view *now)
{
	static struct fetch_request r;
	struct ocsp_slot *s = slot_of(p, authority);

	if (s == NULL) {
		if (fd >= 0)
			close(fd);
		return;
	}
	if (fd < 0) {
		p->ocsp->authorities[authority].next_boot = now->boot_ms + SOURCE_SLOTLESS_MS;
		slot_end(p, s);
		return;
	}
	ipc_init(&s->channel, fd, PROC_BIT(PROC_PKI), PROC_BIT(PROC_FETCH), &messages);
	s->len = 0;
	s->header_seen = false;
	if (s->answer == NULL && (s->answer = malloc(LIMIT_OCSP_RESPONSE)) == NULL) {
		no_answer(p, s, E_FETCH, ENOMEM, "no memory", now);
	} else if (request_fill(p, s, &r) < 0) {
		no_answer(p, s, E_FETCH, 0, "no question can be asked", now);
	} else if (ipc_send_wait(&s->channel, MSG_FETCH_REQUEST, 0, &r, sizeof(r), -1, PKI_SEND_MS) < 0) {
		no_answer(p, s, E_FETCH, EPIPE, "the fetcher takes no request", now);
	} else {
		s->phase = OCSP_RECEIVING;
		s->deadline_boot = now->boot_ms + TRANSFER_MS;
	}
}

/* ---- what comes --------------------------------------------------------- */

struct asked_by {
	struct pki *pki;
	uint32_t authority;
};

static bool
responder_revoked(void *arg, const uint8_t *serial, size_t len)
{
	const struct asked_by *x = arg;

	return ocsp_serial_listed(x->pki, x->authority, serial, len);
}

static void
weigh(struct pki *p, struct ocsp_slot *s, const struct clock_view *now)
{
	const struct authority *a = &p->all->authorities[s->authority];
	struct ocsp_authority *o = &p->ocsp->authorities[s->authority];
	struct asked_by by = { p, s->authority };
	struct ocsp_question q = ocsp_question_about(p, s);
	struct ocsp_policy policy = { .now = *now, .skew_ms = a->rules.skew_ms,
		.max_age_ms = (int64_t)a->ocsp.max_age_s * 1000, .need_nonce = a->ocsp.need_nonce,
		.revoked = responder_revoked, .arg = &by };
	struct ocsp_answer answer;
	struct pki_clock clock;

	pki_clock(p, now, &clock);
	policy.now.wall_ms = pki_clock_now(&clock);
	ocsp_response_check(s->answer, s->len, &q, &policy, &answer);
	/* One that knows the issuer by the other hash only says "unauthorized". */
	if (answer.status == OCSP_NO_ANSWER && answer.error == E_FETCH)
		o->hash = o->hash == OCSP_BY_SHA1 ? OCSP_BY_SHA256 : OCSP_BY_SHA1;
	ocsp_heard(p, s, &answer, now);
	slot_end(p, s);
}

/* Not 0: it broke the protocol, or said too much. */
static int
take(struct ocsp_slot *s, const struct ipc_message *m)
{
	const struct fetch_body *body = (const struct fetch_body *)m->payload;
	const struct fetch_header *header = (const struct fetch_header *)m->payload;

	if (m->type == MSG_FETCH_HEADER) {
		if (s->header_seen || header->part != 0 || header->status != 200)
			return -EBADMSG;
		s->header_seen = true;
		return 0;
	}
	if (m->type != MSG_FETCH_BODY || !s->header_seen || body->len > sizeof(body->data) ||
	    body->len > LIMIT_OCSP_RESPONSE - s->len)
		return -EBADMSG;
	memcpy(s->answer + s->len, body->data, body->len);
	s->len += body->len;
	return 0;
}

void
ocsp_receive(struct pki *p, size_t slot, struct ipc_message *m)
{
	struct ocsp_slot *s = &p->ocsp->slots[slot];
	const struct fetch_end *end = (const struct fetch_end *)m->payload;
	struct clock_view now;
	int rc;

	while (s->phase == OCSP_RECEIVING) {
		if ((rc = ipc_recv(&s->channel, m)) == -EAGAIN)
			return;
		clock_now(&now);
		if (rc <= 0)
			no_answer(p, s, E_FETCH, (uint32_t)-rc, "the fetcher ended early", &now);
		else if (m->type == MSG_FETCH_END && end->error != 0)
			no_answer(p, s, end->error < SOURCE_ERRORS ? (enum source_error)end->error : E_FETCH, end->detail,
			    "the transfer failed", &now);
		else if (m->type == MSG_FETCH_END)
			weigh(p, s, &now);
		else if (take(s, m) < 0)
			no_answer(p, s, E_FETCH, 0, "no answer of a responder", &now);
	}
}

int
ocsp_fd(const struct pki *p, size_t slot)
{
	const struct ocsp_slot *s;

	if (p->ocsp == NULL)
		return -1;
	s = &p->ocsp->slots[slot];
	return s->phase == OCSP_RECEIVING ? s->channel.fd : -1;
}

int64_t
ocsp_wait(const struct pki *p, const struct clock_view *now, int64_t max)
{
	uint32_t i, subject;

	if (p->ocsp == NULL || p->lookup.candidate || free_slot(p->ocsp) == NULL)
		return max;
	for (i = 0; i < p->ocsp->n; i++) {
		const struct ocsp_authority *o = &p->ocsp->authorities[i];
		int64_t left = o->next_boot - now->boot_ms;

		if (o->n > 0 && !o->busy && left < max && next_turn(o, now, &subject))
			max = left;
	}
	return max < 0 ? 0 : max;
}
