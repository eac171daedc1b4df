/* SPDX-License-Identifier: GPL-2.0-or-later */
/* series.h -- consecutive CRLs of one authority, under one key and with one scope:
 * what the newest full one and the newest delta say about our certificates.
 * Sources are only where bytes come from; what was said is kept here, so mirrors,
 * bundles and drop folders may bring the same CRL, and one source several. Pure:
 * no I/O, time is handed in, nothing here releases a device by itself. */
#ifndef CORDON_PKI_SERIES_H
#define CORDON_PKI_SERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "pki/crl_policy.h"
#include "pki/crl_scan.h"
#include "proto/messages.h"

#define SERIES_ID_LEN	33	/* of its files: 32 hexadecimal digits and the NUL */

/* Bits of the reasons that a CRL covers, by RFC 5280 4.2.1.13's ReasonFlags. */
#define REASONS_ALL	0x1feU

/* What one CRL says, once it is verified and its hits are taken. */
struct series_crl {
	bool valid;		/* one is in use */
	bool clears;		/* its signer is valid today: to be unlisted counts */
	bool mark_damaged;	/* the mark could not be read: clears nobody until it is reset */
	bool unsaved;		/* in use, but the disk did not take it */
	int64_t this_update;
	int64_t next_update;	/* 0: none */
	int64_t received_at;	/* its last byte had come; wall clock */
	int64_t confirmed_boot;	/* last verified, or confirmed by 304; 0: not since we run */
	int64_t confirmed_wall;
	uint64_t entries;
	uint64_t bytes;
	uint32_t scope;		/* enum crl_scope */
	uint32_t reasons;	/* REASONS_ALL unless CRL_SCOPE_REASONS */
	uint32_t warnings;
	uint8_t number_len, base_len, digest_len, n_points;
	uint8_t number[CRL_NUMBER_MAX];
	uint8_t base[CRL_NUMBER_MAX];	/* BaseCRLNumber of a delta */
	uint8_t digest[CRL_DIGEST_MAX];
	uint64_t points[CRL_POINTS];	/* names of its distribution point, hashed */
	struct crl_hit *hits;	/* by certificate, owned */
	uint32_t n_hits;
	struct crl_highwater highwater;
};

struct series {
	uint32_t authority;	/* index */
	uint32_t signer;	/* index among the authority's signers */
	char id[SERIES_ID_LEN];
	uint8_t key_digest[KEY_DIGEST_LEN];	/* of the signer */
	uint8_t scope_digest[32];
	bool covers_all;	/* a source that brought it says so */
	struct series_crl full, delta;
};

/* What the series of an authority say about one of its certificates. */
struct finding {
	bool listed;		/* revoked: in a full CRL or a delta, and not taken off again by a delta that counts */
	uint8_t reason;		/* the worst; RFC 5280 5.3.1 */
	int64_t at;		/* revocationDate */
	uint32_t series;	/* index of who says so */
	bool delta;		/* its delta does */
	bool clean;		/* unlisted, and that is proven: fresh, complete, in scope, all reasons */
	bool stale;		/* it would be, but for the time */
};

struct subject;		/* trust.h */
struct series_rules {	/* of the authority */
	int64_t skew_ms, grace_ms, max_age_ms;
	bool rollover_shared;
};

/* Two CRLs of one series: does that delta build on that full one? RFC 5280 5.2.4:
 * base >= BaseCRLNumber, base < delta. */
bool series_delta_counts(const struct series *);

/* Is a delta with that verdict one of this series, in front of what it has?
 * E_NONE, E_BASE (use its hits, ask for the base at once), E_DELTA, or E_NONE with
 * *quietly when it is older than the full one and says nothing new. */
enum source_error series_take_delta(const struct series *, const struct crl_verdict *, bool *quietly,
    const char **why);

/* NEVER, FRESH, STALE or EXPIRED; a delta that counts lends its time to the full
 * one (RFC 5280 5.2.4). DUE is the source's to say. */
enum source_state series_state(const struct series *, const struct series_rules *, const struct clock_view *);

void series_find(const struct series *, size_t n, const struct series_rules *, const struct subject *,
    uint32_t cert, const struct clock_view *, struct finding *);

#endif
