/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trust.h -- what is true of devices. From what CRLs and responders say about
 * certificates, and from who issued whom, follows: a revoked CA takes its batch,
 * a compromised key takes every certificate that has it, a renewed device stays.
 *
 * Pure: no I/O, the time is handed in, the same input gives the same output. To
 * tighten, one verified listing is enough; to loosen, everything must be right. */
#ifndef CORDON_PKI_TRUST_H
#define CORDON_PKI_TRUST_H

#include "pki/authority.h"
#include "pki/series.h"

/* What an OCSP responder said last of a certificate (RFC 6960 2.2), verified. */
enum trust_saying { SAID_NOTHING, SAID_GOOD, SAID_REVOKED, SAID_UNKNOWN };

struct trust_said {
	uint8_t what;		/* enum trust_saying */
	uint8_t reason;		/* SAID_REVOKED */
	int64_t revoked_at;
	int64_t this_update;
};

/* Take an answer over, unless it is older than what was said before: a replay of
 * an older "good" after "revoked". False: refused. */
bool trust_hear(struct trust_said *, const struct trust_said *answer);

/* By authority, at its index. */
struct trust_ocsp {
	const struct trust_said *said;	/* by subject; NULL: nobody was asked */
	uint32_t asked, failed;	/* for the report */
};

struct trust_input {
	const struct series *series;	/* of all authorities, in any order */
	size_t n_series;
	const struct trust_ocsp *ocsp;	/* by authority; NULL: nobody was asked */
	const bool *settled;	/* by authority: its cache is looked through and each source had its first try, or
				 * its time for that is over. Before, a lack of CRLs restricts nobody. NULL: all are */
	struct pki_clock clock;
};

/* What is true of one device. */
struct trust_verdict {
	uint8_t check;		/* enum device_check */
	bool revoked;		/* or held */
	uint8_t reason;		/* RFC 5280 5.3.1; of the rest, only when revoked */
	uint8_t evidence;	/* enum pki_evidence */
	uint32_t authority;	/* index of the one whose CRL or responder says so */
	uint32_t subject;	/* index of the certificate there that is listed: its own, a CA's, one with the same key */
	uint32_t series;	/* index; TRUST_NONE: a responder */
	int64_t at;		/* revocationDate */
	bool delta;		/* the series' delta says so */
	bool fresh;		/* CRLs in force speak about all its certificates that count */
	bool clean;		/* all its certificates, and those of the CAs above that have sources, are proven clean */
	bool all_clean;		/* and those above that have none: true only when no CA above is without sources */
	uint8_t wanted;		/* CAUSE_STALE and CAUSE_LIMITED as its authorities' settings want it now, */
	uint8_t possible;	/* and could ever want it */
	uint32_t wanted_by;	/* index of the authority */
};

/* Work space for one set of authorities, which outlives it. NULL without memory. */
struct trust;
struct trust *trust_new(const struct authorities *);
void trust_free(struct trust *);

/* Judge all devices anew. 0 or -ENOMEM, with the former verdicts gone. */
int trust_judge(struct trust *, const struct trust_input *);

/* By device as in authorities.devices; valid until the next trust_judge. */
const struct trust_verdict *trust_verdicts(const struct trust *);

/* Counts and alarms of an authority (index), as of trust_judge and trust_decide. */
void trust_report(const struct trust *, uint32_t authority, struct pki_authority *out);

/* Who signed a CRL of that authority: E_NONE, E_SIGNER_EXPIRED, E_SIGNER_REVOKED as
 * of the last trust_judge (before the first: by the clock alone). */
enum source_error trust_signer(const struct trust *, uint32_t authority, uint32_t signer,
    const struct pki_clock *);

/* What changes against the standings that cordond has (in any order; several of one
 * device may be). Arrays belong to the trust and stay until the next call.
 * Loosened is only certificateHold, proven clean and unless AUTHORITY_HOLD_MANUAL, and
 * what was wanted for want of a fresh CRL once there is one. */
struct trust_decision {
	const struct pki_revoke *tighten;
	size_t n_tighten;
	const struct pki_clear *loosen;
	size_t n_loosen;
};
/* in: what was judged last, for the sources and numbers of its series. 0 or -ENOMEM. */
int trust_decide(struct trust *, const struct trust_input *in, const struct pki_standing *, size_t n,
    struct trust_decision *out);

#endif
