/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crl_state.h -- the inside of a scan, for crl_scan.c (bytes in, verdict out),
 * crl_steps.c and crl_list.c (what the bytes mean). Nobody else looks in here. */
#ifndef CORDON_PKI_CRL_STATE_H
#define CORDON_PKI_CRL_STATE_H

#include <openssl/evp.h>

#include "pki/crl_scan.h"
#include "pki/der.h"
#include "pki/sigalg.h"

enum crl_scan_state {
	S_PREAMBLE,	/* both outer headers, version, inner AlgorithmIdentifier */
	S_ISSUER,
	S_THIS_UPDATE,
	S_AFTER_TIME,	/* nextUpdate, the list, extensions, or the end of the signed part */
	S_ENTRIES,
	S_EXTENSIONS,
	S_SIGALG,
	S_SIGNATURE,
	S_END,
	S_REFUSED,
};

struct staged {
	int64_t at;
	uint8_t reason;
	bool listed;
	bool removed;		/* removeFromCRL; whether that is right shows at the end */
};

struct crl_scan {
	enum crl_scan_state state;
	bool verified;
	bool finished;
	bool next_seen;
	/* positions in the DER: where the parser is, and what ends where */
	uint64_t pos;
	uint64_t received;
	uint64_t outer_end;
	uint64_t signed_end;
	uint64_t list_end;
	/* digest of the signed part, ahead of the parser within one piece */
	uint64_t to_hash;
	EVP_MD_CTX *md[SIGALG_HASHES];
	EVP_MD *md_kind[SIGALG_HASHES];
	struct sigalg alg;
	size_t alg_len;
	uint8_t alg_der[CRL_SIGALG_MAX];
	size_t issuer_len;
	uint8_t issuer[CRL_NAME_MAX];
	size_t signature_len;
	uint8_t signature[CRL_SIGNATURE_MAX];
	/* whose entries come now, and the certificateIssuer last compared */
	bool foreign;
	bool named_issuer;
	size_t last_name_len;
	uint8_t last_name[CRL_NAME_MAX];
	struct crl_verdict v;
	struct crl_scan_setup setup;
	const struct inventory_filter *filter;	/* NULL without certificates, as staged */
	struct staged *staged;	/* one for each certificate of ours */
	/* an element that came in pieces */
	size_t need;
	size_t carry_len;
	uint8_t carry[CRL_EXT_MAX + DER_HEAD_MAX];
};

/* Take one thing from p[0..avail): 0 with what was used (a change of state may
 * use nothing), -ENODATA with s->need, or -EBADMSG: refused. */
int crl_scan_step(struct crl_scan *, const uint8_t *p, size_t avail, size_t *used);

/* The whole element at p, which must end by limit and have at most max octets.
 * 0; -ENODATA with s->need, the octets that must be there; -EBADMSG: refused. */
int crl_scan_element(struct crl_scan *, const uint8_t *p, size_t avail, uint64_t limit, size_t max,
    struct der_head *);

/* crl_list.c: the step that takes entries, as many as there are. Is that name, in
 * DER, one of the authority's? */
int crl_list_step(struct crl_scan *, const uint8_t *p, size_t avail, size_t *used);
bool crl_list_ours(const struct crl_scan *, const uint8_t *name, size_t len);

/* Refuse here and now; -EBADMSG. */
int crl_scan_stop(struct crl_scan *, enum source_error, const char *why);

#endif
