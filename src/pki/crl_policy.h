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

#include "pki/authority.h"
#include "pki/crl_scan.h"

#define CRL_SKEW_MS	 (5 * 60 * 1000LL)	/* clocks of CAs and routers differ by minutes */
#define CRL_MAX_AGE_MS	 (24 * 3600 * 1000LL)	/* of a CRL that does not say when the next comes */
#define CRL_GRACE_MS	 (24 * 3600 * 1000LL)	/* from stale to expired */
#define CLOCK_FLOOR_MS	 1767225600000LL	/* 2026-01-01: an earlier clock is unset */

/* The newest that was ever accepted of a source; never goes down. */
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
	bool install;		/* it becomes the CRL in use and the new high-water mark */
	bool same;		/* it is the CRL in use */
	enum source_error error;
	const char *why;
};

/* Bytes of two CRL numbers as integers: <0, 0, >0. */
int crl_number_cmp(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len);

/* The verdict is verified (error E_NONE), and key_digest is its signer's. */
struct crl_judgement crl_judge(const struct crl_verdict *, const uint8_t key_digest[KEY_DIGEST_LEN],
    const struct crl_highwater *, int64_t now_ms);

void crl_highwater_of(const struct crl_verdict *, const uint8_t key_digest[KEY_DIGEST_LEN],
    struct crl_highwater *out);

/* Freshness of the CRL in use. confirmed_ms ago it was fetched or confirmed last;
 * refresh_ms is how often that should happen. this_update 0: none in use. */
enum source_state crl_state(int64_t this_update, int64_t next_update, int64_t now_ms, int64_t confirmed_ms,
    int64_t refresh_ms);

#endif
