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

#include "pki/crl_policy.h"
#include "pki/crl_scan.h"
#include "proto/messages.h"

#define SERIES_ID_LEN	33	/* of its files: 32 hexadecimal digits and the NUL */

/* Bits of the reasons that a CRL covers, by RFC 5280 4.2.1.13's ReasonFlags. */
#define REASONS_ALL	CRL_REASONS_ALL

/* What one CRL says, once it is verified and its hits are taken. Whether its
 * silence proves anything is worked out anew each time, from the clock and from
 * how its signer stands now. */
struct series_crl {
	bool valid;		/* one is in use */
	bool mark_damaged;	/* the mark could not be read: clears nobody until it is reset */
	bool unsaved;		/* in use, but the disk did not take it */
	uint32_t source;	/* index of the one that brought it, or PKI_NO_SOURCE */
	int64_t this_update;
	int64_t next_update;	/* 0: none */
	int64_t received_at;	/* its last byte had come; wall clock */
	int64_t verified_boot;	/* first verified since we run; that it is confirmed does not make it younger */
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

struct series_rules {	/* of the authority */
	int64_t skew_ms, grace_ms, max_age_ms;
	bool rollover_shared;
};

/* What the series of an authority say about one of its certificates. */
struct finding {
	bool listed;		/* revoked: in a full CRL or a delta, and not taken off again by a delta that counts */
	bool delta;		/* its delta does */
	bool removed;		/* a removeFromCRL was met that has no effect */
	/* At most one of these three: unlisted or not, the CRLs that speak about it are */
	bool current;		/* fresh, complete, in scope, for all reasons, */
	bool stale;		/* would be, but for the time or for who signed them, */
	bool expired;		/* and so is the grace. None of them: nobody speaks about it */
	uint8_t reason;		/* the worst; RFC 5280 5.3.1 */
	uint8_t excuse;		/* the worst of reason_excuse; 0: not listed */
	uint32_t series;	/* index of who says so */
	int64_t at;		/* revocationDate */
};

/* Unlisted, and that is proven. */
static inline bool
finding_clean(const struct finding *f)
{
	return f->current && !f->listed && !f->removed;
}

/* What is true of a series for all certificates at once. */
struct series_weight {
	const struct series *series;
	uint32_t index;		/* what finding.series has for it */
	enum source_state state;	/* as series_state */
	bool ours;		/* its silence is about the authority's certificates at all */
	bool clears;		/* and counts: fresh by every clock, signer in order, no mark damaged */
	bool delta_hits;	/* there is a delta, and it is newer than the full one */
	bool delta_removes;	/* and builds on it and is fresh: what it takes off is off */
	uint64_t issuer;	/* 0: the authority itself; otherwise whose CRL it is, as points name it */
	bool any_key;		/* it speaks about what any key of the authority signed */
};

struct authority;	/* authority.h */
struct subject;

/* Fill *out, but for the times and what came from outside (source, received_at,
 * confirmed_*, mark_damaged, unsaved, highwater), which stay as they are, from a
 * verified scan. 0 or -ENOMEM with *out as it was. The hits there are freed. */
int series_crl_take(struct series_crl *out, const struct crl_scan *);
void series_crl_done(struct series_crl *);

/* Two CRLs of one series: does that delta build on that full one? RFC 5280 5.2.4:
 * base >= BaseCRLNumber, base < delta. */
bool series_delta_counts(const struct series *);

/* How bad a reason is (RFC 5280 5.3.1): 0 for none of them, certificateHold the least,
 * then superseded and cessationOfOperation, the compromised keys the most. */
#define STRENGTH_HOLD	    1
#define STRENGTH_REPLACED   2
#define STRENGTH_COMPROMISE 5
unsigned reason_strength(uint32_t reason);

/* May a newer certificate make up for it? A hold it does not: so here a hold is
 * worse than superseded, and a further listing never turns it into an excuse. */
#define EXCUSE_REPLACED 1
unsigned reason_excuse(uint32_t reason);

/* Is a delta with that verdict one of this series (NULL: the authority has none
 * under that key and scope), in front of what it has?
 * E_NONE: take it; with *quietly it says nothing new beside the full one.
 * E_BASE: take it, its hits count; ask for the base at once.
 * E_DELTA: it belongs to no full CRL. Its hits count all the same, it clears nobody;
 * but without a number (verdict.number_len 0) it is refused. */
enum source_error series_take_delta(const struct series *, const struct crl_verdict *,
    const uint8_t key_digest[KEY_DIGEST_LEN], bool *quietly, const char **why);

/* NEVER, FRESH, STALE or EXPIRED; a delta that counts lends its time to the full
 * one (RFC 5280 5.2.4). DUE is the source's to say. With a clock that nobody
 * vouches for, time goes on from thisUpdate by the time since boot alone. */
enum source_state series_state(const struct series *, const struct series_rules *, const struct pki_clock *);

/* The same for its delta alone: NEVER without one. */
enum source_state series_delta_state(const struct series *, const struct series_rules *, const struct pki_clock *);

/* signer: E_NONE when who signed it is in order (trust_signer). */
void series_weigh(const struct series *, uint32_t index, const struct authority *, enum source_error signer,
    const struct pki_clock *, struct series_weight *out);

/* weights: of all series of the authority, and of no others; cert: the subject's index. */
void series_find(const struct series_weight *, size_t n, const struct authority *, uint32_t cert,
    struct finding *out);

/* How many of the authority's certificates could be cleared by this series' full
 * CRL, by its scope? None: the source says E_SCOPE. */
size_t series_coverage(const struct series *, const struct authority *);

#endif
