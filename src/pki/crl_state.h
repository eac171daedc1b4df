/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crl_state.h -- the inside of a scan, for crl_scan.c (bytes in, verdict out)
 * and crl_steps.c (what the bytes mean). Nobody else looks in here. */
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
	bool hit;
};

struct crl_scan {
	enum crl_scan_state state;
	bool verified;
	bool finished;
	bool next_seen;
	bool remove_seen;	/* a removeFromCRL; whether that is right shows at the end */
	/* positions in the DER: where the parser is, and what ends where */
	uint64_t pos;
	uint64_t received;
	uint64_t outer_end;
	uint64_t signed_end;
	uint64_t list_end;
	uint64_t max_size;
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
	/* of indirect CRLs: whose entries come now, and the name last compared */
	bool foreign;
	bool named_issuer;
	size_t last_name_len;
	uint8_t last_name[CRL_NAME_MAX];
	struct crl_verdict v;
	const struct inventory *inventory;
	const struct inventory_filter *filter;
	const struct crl_signer *signers;
	size_t n_signers;
	struct staged *staged;	/* one for each certificate of ours */
	/* an element that came in pieces */
	size_t need;
	size_t carry_len;
	uint8_t carry[CRL_EXT_MAX + DER_HEAD_MAX];
};

/* Take one thing from p[0..avail): 0 with what was used (a change of state may
 * use nothing), -ENODATA with s->need, or -EBADMSG: refused. */
int crl_scan_step(struct crl_scan *, const uint8_t *p, size_t avail, size_t *used);

/* Refuse here and now; -EBADMSG. */
int crl_scan_stop(struct crl_scan *, enum source_error, const char *why);

#endif
