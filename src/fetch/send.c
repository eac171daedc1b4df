/* SPDX-License-Identifier: GPL-2.0-or-later */
/* send.c -- what came goes to cordon-pki in pieces, no faster than it takes them. */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "fetch/fetch.h"

void
transfer_fail(struct transfer *t, enum source_error error, int rc)
{
	if (t->error != E_NONE)
		return;
	t->error = error;
	t->detail = (uint32_t)-rc;
}

static int
send_message(struct transfer *t, uint32_t type, const void *payload, size_t len)
{
	int rc;

	if (t->alone)
		return -EPIPE;
	rc = ipc_send_wait(&t->pki, type, 0, payload, len, -1, FETCH_SEND_MS);
	if (rc < 0)
		t->alone = true;
	return rc;
}

static int
flush(struct transfer *t)
{
	int rc;

	if (t->body.len == 0)
		return 0;
	rc = send_message(t, MSG_FETCH_BODY, &t->body, sizeof(t->body));
	t->body.len = 0;
	return rc;
}

int
send_header(struct transfer *t)
{
	int rc;

	if (t->headers == LIMIT_SERIES_PER_SOURCE)
		return -E2BIG;
	/* what is left of the CRL before */
	if ((rc = flush(t)) < 0)
		return rc;
	t->headers++;
	t->received = 0;
	return send_message(t, MSG_FETCH_HEADER, &t->header, sizeof(t->header));
}

int
send_body(struct transfer *t, const uint8_t *p, size_t len)
{
	size_t n;
	int rc;

	t->received += len;
	if (t->received > t->limits.max_bytes)
		return -EFBIG;
	while (len > 0) {
		n = sizeof(t->body.data) - t->body.len;
		n = len < n ? len : n;
		memcpy(t->body.data + t->body.len, p, n);
		t->body.len += (uint32_t)n;
		p += n;
		len -= n;
		if (t->body.len == sizeof(t->body.data) && (rc = flush(t)) < 0)
			return rc;
	}
	return 0;
}

int
send_end(struct transfer *t)
{
	struct fetch_end end = { .error = t->error, .detail = t->detail, .retry_after_s = t->retry_after_s };
	/* also after an error: of several CRLs those that came whole are whole */
	int rc = flush(t);

	return rc < 0 ? rc : send_message(t, MSG_FETCH_END, &end, sizeof(end));
}

bool
send_wanted(struct transfer *t)
{
	struct pollfd p = { .fd = t->pki.fd, .events = POLLIN };

	/* After its request cordon-pki says nothing more: an event is the end. */
	if (!t->alone && poll(&p, 1, 0) > 0)
		t->alone = true;
	return !t->alone;
}
