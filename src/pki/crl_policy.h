/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crl_policy.h -- what follows from a verified CRL. Pure: verdict, high-water
 * mark and time go in, a judgement comes out.
 *
 * Evidence is asymmetric. To be listed on an authentic CRL that is no replay is
 * enough to be revoked, whatever the CRL's age, the clock or the scope say. Not
 * to be listed proves nothing here: nothing in this file ever loosens. */
#ifndef CORDON_PKI_CRL_POLICY_H
#define CORDON_PKI_CRL_POLICY_H

#include <stdbool.h>

#include "pki/crl_scan.h"

#define KEY_DIGEST_LEN	 32	/* SHA-256 of a SubjectPublicKeyInfo */

#define CRL_SKEW_MS	 (5 * 60 * 1000LL)	/* clocks of CAs and routers differ by minutes */
/* What counts where no authority says otherwise. */
#define CRL_MAX_AGE_MS	 (24 * 3600 * 1000LL)	/* of a CRL that does not say when the next comes */
#define CRL_GRACE_MS	 (24 * 3600 * 1000LL)	/* from stale to expired */
#define CLOCK_FLOOR_MS	 1767225600000LL	/* 2026-01-01: an earlier clock is unset */

/* The time, and what is known about it. */
struct pki_clock {
	int64_t wall_ms;	/* may be wrong; below the floor it certainly is */
	int64_t boot_ms;	/* since boot; never goes back */
	int64_t floor_ms;	/* it is not earlier: build, saved clock, newest thisUpdate that was verified
				 * and did not lie in the future */
	bool trusted;		/* the wall clock is set by somebody who knows the time */
};

/* The newest that was ever accepted, of a series' full CRLs or of its deltas;
 * never goes down. */
struct crl_highwater {
	bool valid;
	uint8_t number_len;
	uint8_t digest_len;
	uint8_t number[CRL_NUMBER_MAX];
	uint8_t digest[CRL_DIGEST_MAX];
	uint8_t key_digest[KEY_DIGEST_LEN];
	int64_t this_update;
};

struct crl_judgement {
	bool apply;		/* its hits count */
	bool install;		/* it becomes the CRL in use */
	bool mark;		/* and the new high-water mark: crl_highwater_raise */
	bool same;		/* it is the CRL of the mark, octet by octet */
	bool clears;		/* not to be listed on it may count; otherwise error says why not */
	enum source_error error;	/* E_ROLLBACK, E_EQUIVOCATION: refused. E_FUTURE, E_SIGNER_EXPIRED,
				 * E_SIGNER_REVOKED: in use, but clears nobody */
	const char *why;	/* static text */
};

/* Bytes of two CRL numbers as integers: <0, 0, >0. */
int crl_number_cmp(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len);

/* The later of the wall clock and the floor. */
int64_t pki_clock_now(const struct pki_clock *);

/* A verified CRL (error E_NONE) against the mark of its series and kind. signer:
 * what trust_signer says of who signed it. RFC 5280 5.2.3. */
struct crl_judgement crl_judge(const struct crl_verdict *, const uint8_t key_digest[KEY_DIGEST_LEN],
    const struct crl_highwater *, int64_t skew_ms, enum source_error signer, const struct pki_clock *);

/* The mark of this one alone; and the mark after it: a number is never forgotten. */
void crl_highwater_of(const struct crl_verdict *, const uint8_t key_digest[KEY_DIGEST_LEN],
    struct crl_highwater *out);
void crl_highwater_raise(struct crl_highwater *, const struct crl_verdict *,
    const uint8_t key_digest[KEY_DIGEST_LEN]);

#endif
