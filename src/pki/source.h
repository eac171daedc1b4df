/* SPDX-License-Identifier: GPL-2.0-or-later */
/* source.h -- one place that publishes CRLs, at one or several addresses: when to
 * ask next, and how it stands. Each has its own deadline and back-off, so that none
 * delays another. What was published is in the series; here is only what the
 * schedule needs of it. Pure: no I/O; the time and the dice are handed in. */
#ifndef CORDON_PKI_SOURCE_H
#define CORDON_PKI_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "pki/crl_scan.h"
#include "proto/messages.h"

#define SOURCE_ID_LEN	    33		/* of its files: 32 hexadecimal digits and the NUL */
#define SOURCE_BACKOFF_MS   30000	/* after the first failure at most so long; doubles with each */
#define SOURCE_CAP_MS	    (15 * 60 * 1000)	/* and never longer than this, */
#define SOURCE_CAP_STALE_MS (5 * 60 * 1000)	/* or this without a CRL that is in force; nor than refresh */
#define SOURCE_FIRST_MS	    60000	/* over which the first fetches are spread */
#define SOURCE_LEAD_MS	    (5 * 60 * 1000)	/* before nextUpdate, or a tenth of the validity */
#define SOURCE_SLOTLESS_MS  1000	/* asked again so soon when no fetcher was free */

/* What the CRLs that it brought are, taken together; the engine fills it in. Times
 * and number are of the one that runs out first. */
struct source_view {
	enum source_state state;	/* of the worst; NEVER, FRESH, STALE or EXPIRED */
	int64_t this_update;		/* 0: nothing in use */
	int64_t next_update;		/* 0: none */
	int64_t received_at;
	uint64_t entries;
	uint64_t bytes;
	uint32_t hits;			/* devices' certificates on them */
	uint32_t series;
	uint32_t warnings;
	uint8_t delta;
	uint8_t number_len;
	uint8_t number[CRL_NUMBER_MAX];
};

struct source_url {
	const char *text;		/* borrowed from the policy */
	uint64_t server;		/* scheme, host and port, hashed; 0: a file, which has none */
	char etag[256];			/* what this address wants to see again */
	char last_modified[64];
};

struct source {
	/* who it is; the id is made of names, so it outlives renumbering */
	uint32_t index;			/* in the image */
	uint32_t authority;		/* index in the image */
	uint32_t authority_number;
	uint32_t flags;			/* enum source_flag of the image */
	uint32_t base;			/* index of its base, or SOURCE_NO_BASE */
	int64_t refresh_ms;
	int64_t transfer_ms;		/* how long one transfer may take */
	uint32_t n_urls;
	struct source_url *urls;	/* owned */
	char id[SOURCE_ID_LEN];

	/* when */
	int64_t next_try_boot;
	uint32_t failures;		/* in a row */
	bool busy;			/* a job is at work on it */
	bool fetching;			/* and that is a transfer */
	bool again;			/* asked to refresh while busy */
	bool no_validators;		/* the last content was refused, or "unchanged" came too late: ask for all of it */
	bool slow;			/* it failed, or gave way, and was not well since: others go first */
	uint32_t url;			/* of the attempt under way */

	/* what is known */
	struct source_view view;
	int64_t confirmed_boot;		/* last verified or confirmed by 304; 0: not since we run */
	int64_t confirmed_wall;

	/* what to tell */
	enum source_error error;
	uint32_t detail;
	uint32_t answered;		/* which address did last */
	uint32_t rollbacks;
	uint32_t transfer_took_ms;
	int64_t last_try_wall;
	bool tell;			/* something changed since the last PKI_SOURCE */
	enum source_state told;
};

/* "E_SIG", ... */
const char *source_error_name(enum source_error);

/* Fill id: what the files of that authority's source are called; url is its first. */
void source_id(const char *authority, const char *url, char out[SOURCE_ID_LEN]);

/* 0 for a file. */
uint64_t source_server(const char *url);

/* Take over what a source knew under the policy before; addresses keep their validators. */
void source_inherit(struct source *, const struct source *before);

/* random: 32 even bits, each call its own. known: it has CRLs on the disk. */
void source_start(struct source *, bool known, const struct clock_view *, uint32_t random);

/* The attempt failed at this address: is there another to try at once? */
bool source_next_url(struct source *);

/* The attempt failed, at all addresses. */
void source_failed(struct source *, enum source_error, uint32_t detail, uint32_t retry_after_s,
    const struct clock_view *, uint32_t random);
/* Verified, or confirmed by the server to be unchanged. note: what is odd about it, or E_NONE. */
void source_succeeded(struct source *, enum source_error note, bool unchanged, const struct clock_view *,
    uint32_t random);
/* No fetcher was free, or it made room for another one: no fault of its own. */
void source_postponed(struct source *, bool gave_way, const struct clock_view *);
void source_refresh(struct source *, const struct clock_view *);
/* Something on the disk changed, or what it brought went missing: ask now. */
void source_now(struct source *, const struct clock_view *);
/* A job ended, however it did. */
void source_idle(struct source *, const struct clock_view *);

bool source_wants_fetch(const struct source *, const struct clock_view *);
/* Milliseconds until it wants that; at most max. */
int64_t source_wait(const struct source *, const struct clock_view *, int64_t max);

/* As its view, and SOURCE_DUE when it should have been confirmed by now. */
enum source_state source_state(const struct source *, const struct clock_view *);
/* May the server answer "unchanged"? Not when what we have is stale or suspect. */
bool source_may_validate(const struct source *, const struct clock_view *);
void source_report(const struct source *, const struct clock_view *, struct pki_source *out);

#endif
