/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fetch.h -- cordon-fetch's own parts, for its own files only. */
#ifndef CORDON_FETCH_FETCH_H
#define CORDON_FETCH_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ipc.h"
#include "proto/messages.h"

#define FETCH_SEND_MS	   30000	/* for cordon-pki to take a piece */
#define FETCH_CONNECT_S	   10
#define FETCH_LOW_BYTES	   1000		/* slower than this per second, */
#define FETCH_LOW_SECONDS  30		/* for so long, is no transfer */
#define FETCH_OTHER_BYTES  65536	/* of the body of a page that is no CRL */

#define FETCH_SETTLED_S	   2		/* a time of change must lie so far back to be a validator */

/* One transfer: what was asked, and what came so far. */
struct transfer {
	struct ipc pki;
	struct fetch_limits limits;	/* of cordond */
	struct fetch_request request;	/* of cordon-pki */
	struct fetch_header header;
	bool header_sent;
	uint64_t received;
	struct fetch_body body;		/* being filled */
	/* why it ended */
	enum source_error error;
	uint32_t detail;
	bool alone;			/* cordon-pki went away */
};

/* send.c: towards cordon-pki. 0 or -errno; then nobody listens any more. */
int send_header(struct transfer *);
int send_body(struct transfer *, const uint8_t *p, size_t len);	/* counts against the limit: -EFBIG */
int send_end(struct transfer *);
bool send_wanted(struct transfer *);	/* does anybody wait for more? */

/* file.c, http.c: the transfer itself; error and detail tell how it went. */
void fetch_file(struct transfer *);
void fetch_http(struct transfer *);

/* url.c */
enum url_kind { URL_HTTP, URL_FILE, URL_OTHER };
enum url_kind url_kind(const char *url);
/* Does the URL go where cordond said, to no other host that begins alike? */
bool url_allowed(const char *url, const char *prefix);
/* May a server send us from one to the other? To the same host only, never from
 * https to http, and to another port only with the step from http to https. */
bool url_may_redirect(const char *from, const char *to);

/* pem.c: the caller frees *out. 0 or -ENOMEM. */
int pem_certificate(const uint8_t *der, size_t len, char **out, size_t *out_len);

#endif
