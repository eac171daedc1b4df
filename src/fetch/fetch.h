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
#define FETCH_HEADER_BYTES 131072	/* of headers, all answers of a transfer together; real ones have 1 KiB */

#define FETCH_SETTLED_S	   2		/* a time of change must lie so far back to be a validator */

/* One transfer: what was asked, and what came so far. */
struct transfer {
	struct ipc pki;
	struct fetch_limits limits;	/* of cordond */
	struct fetch_request request;	/* of cordon-pki */
	struct fetch_header header;
	uint32_t headers;		/* sent */
	uint64_t received;		/* of the CRL under way */
	struct fetch_body body;		/* being filled */
	/* why it ended */
	enum source_error error;
	uint32_t detail;
	uint32_t retry_after_s;
	bool alone;			/* cordon-pki went away */
};

/* send.c: towards cordon-pki. 0 or -errno; then nobody listens any more. */
int send_header(struct transfer *);	/* begins a CRL; -E2BIG beyond LIMIT_SERIES_PER_SOURCE */
int send_body(struct transfer *, const uint8_t *p, size_t len);	/* counts against the limit: -EFBIG */
int send_end(struct transfer *);
bool send_wanted(struct transfer *);	/* does anybody wait for more? */
/* The first reason counts. rc: -errno, or minus another number that detail shall have. */
void transfer_fail(struct transfer *, enum source_error, int rc);

/* file.c, http.c, ldap.c: the transfer itself; error and detail tell how it went. */
void fetch_file(struct transfer *);
void fetch_folder(struct transfer *);
void fetch_http(struct transfer *);
void fetch_ldap(struct transfer *);

/* watch.c: tells of changes of files until cordon-pki goes away. 0 or -errno. */
int watch_files(struct ipc *pki);

#endif
