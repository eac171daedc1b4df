/* SPDX-License-Identifier: GPL-2.0-or-later */
/* source.h -- one place that publishes a CRL: when to ask next, and how it stands.
 * Each has its own deadline and back-off, so that none delays another. Pure:
 * no I/O; the time and the dice are handed in. */
#ifndef CORDON_PKI_SOURCE_H
#define CORDON_PKI_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "pki/crl_policy.h"

#define SOURCE_ID_LEN	    33		/* of its files: 32 hexadecimal digits and the NUL */
#define SOURCE_BACKOFF_MS   2000	/* after the first failure at most so long, */
#define SOURCE_BACKOFF_CAP_MS (5 * 60 * 1000)	/* and never longer than this */
#define SOURCE_FIRST_MS	    5000	/* with a CRL in the cache the first fetch may wait a little */

struct source {
	/* who it is; the id is made of names, so it outlives renumbering */
	uint32_t index;			/* in the image */
	uint32_t authority;		/* index into struct authorities */
	uint32_t authority_number;
	int64_t refresh_ms;
	char id[SOURCE_ID_LEN];

	/* when */
	int64_t next_try_boot;
	int64_t next_scan_boot;		/* of the cached CRL, when need_scan */
	uint32_t failures;		/* in a row */
	bool need_scan;			/* the cached CRL is to be looked through (again) */
	bool busy;			/* a job is at work on it */
	bool fetching;			/* and that is a transfer */
	bool again;			/* asked to refresh while busy */
	bool no_validators;		/* the last content was refused: ask for all of it */

	/* what is in use */
	bool applied;			/* cordond took its hits, for this inventory */
	bool unsaved;			/* in use, but the disk did not take it */
	int64_t this_update;		/* 0: nothing in use */
	int64_t next_update;
	int64_t confirmed_boot;		/* last verified or confirmed by 304 */
	int64_t confirmed_wall;
	uint8_t number_len;
	uint8_t digest_len;
	uint8_t number[CRL_NUMBER_MAX];
	uint8_t digest[CRL_DIGEST_MAX];
	uint32_t entries;
	uint32_t hits;
	char etag[256];			/* validators of it */
	char last_modified[64];
	struct crl_highwater highwater;

	/* what to tell */
	enum source_error error;
	uint32_t detail;
	int64_t last_try_wall;
	bool tell;			/* something changed since the last PKI_SOURCE */
	enum source_state told;
};

/* "E_SIG", ... */
const char *source_error_name(enum source_error);

/* Fill id: what the files of that authority's URL are called. */
void source_id(const char *authority, const char *url, char out[SOURCE_ID_LEN]);

/* Take over what a source knew under the policy before. */
void source_inherit(struct source *, const struct source *before);

/* random: 32 even bits, each call its own. */
void source_start(struct source *, bool cached, const struct clock_view *, uint32_t random);
void source_failed(struct source *, enum source_error, uint32_t detail, const struct clock_view *,
    uint32_t random);
/* Verified, or confirmed by the server to be unchanged. */
void source_succeeded(struct source *, const struct clock_view *, uint32_t random);
/* The cached CRL could not be applied: look through it again after a while. */
void source_scan_later(struct source *, const struct clock_view *, uint32_t random);
void source_refresh(struct source *, const struct clock_view *);
/* A job ended, however it did. */
void source_idle(struct source *, const struct clock_view *);

/* The CRL of that verdict is in use from now on. */
void source_use(struct source *, const struct crl_verdict *, uint32_t hits);

bool source_wants_scan(const struct source *, const struct clock_view *);
bool source_wants_fetch(const struct source *, const struct clock_view *);
/* Milliseconds until it wants that; at most max. */
int64_t source_wait_scan(const struct source *, const struct clock_view *, int64_t max);
int64_t source_wait_fetch(const struct source *, const struct clock_view *, int64_t max);

enum source_state source_state(const struct source *, const struct clock_view *);
/* May the server answer "unchanged"? Not when what we have is stale or suspect. */
bool source_may_validate(const struct source *, const struct clock_view *);
void source_report(const struct source *, const struct clock_view *, struct pki_source *out);

#endif
