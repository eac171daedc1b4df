/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crl_scan.h -- a CRL is read while its bytes arrive: parsed, hashed and looked
 * up in one pass, in memory that does not grow with the CRL.
 *
 * Pure: no I/O, no clock, no allocation between crl_scan_new and crl_scan_finish.
 * What it finds is staged, and nobody can read a hit before the signature and
 * every other check stood. One parser, one verdict. */
#ifndef CORDON_PKI_CRL_SCAN_H
#define CORDON_PKI_CRL_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "pki/inventory.h"
#include "proto/messages.h"

#define CRL_NUMBER_MAX	 20	/* RFC 5280 5.2.3: CRL numbers have at most 20 octets */
#define CRL_SERIAL_MAX	 32	/* tolerated; RFC 5280 allows 20 */
#define CRL_DIGEST_MAX	 64
#define CRL_KEYID_MAX	 64
#define CRL_NAME_MAX	 4096	/* issuer, in DER */
#define CRL_ENTRY_MAX	 8192	/* one entry; certificateIssuer names make the longest */
#define CRL_EXT_MAX	 65536	/* all crlExtensions */
#define CRL_EXT_COUNT	 64	/* extensions of a CRL or of an entry */
#define CRL_SIGALG_MAX	 256
#define CRL_SIGNATURE_MAX 4096	/* RSA-16384 has 2048 */
#define CRL_POINTS	 16	/* names of one distribution point that are kept */
#define CRL_REASONS_ALL	 0x1feU	/* RFC 5280 4.2.1.13: ReasonFlags 1 to 8 */

/* A distinguished name, whole, in DER. Borrowed. */
struct crl_name {
	const uint8_t *der;
	size_t len;
};

/* Who may sign: the certificate's subject and key. */
struct crl_signer {
	const uint8_t *name;	/* subject, in DER; borrowed */
	size_t name_len;
	EVP_PKEY *key;		/* borrowed */
	bool may_sign;		/* keyUsage is absent or has cRLSign */
	const uint8_t *key_id;	/* subjectKeyIdentifier, or NULL; borrowed */
	size_t key_id_len;
};

/* Odd, but no reason to refuse. */
enum crl_warning {
	CRL_WARN_EMPTY_LIST	= 1 << 0,	/* an empty revokedCertificates SEQUENCE */
	CRL_WARN_SERIAL		= 1 << 1,	/* serials that are no DER INTEGER, or longer than 20 octets */
	CRL_WARN_REASON		= 1 << 2,	/* reasonCode that is none: taken as unspecified */
	CRL_WARN_BOOLEAN	= 1 << 3,	/* DEFAULT FALSE written out */
	CRL_WARN_REMOVE		= 1 << 4,	/* removeFromCRL in a CRL that is no delta: no effect */
};

/* issuingDistributionPoint. */
enum crl_scope {
	CRL_SCOPE_PRESENT	= 1 << 0,
	CRL_SCOPE_POINT		= 1 << 1,	/* names a distribution point */
	CRL_SCOPE_USERS		= 1 << 2,
	CRL_SCOPE_CAS		= 1 << 3,
	CRL_SCOPE_REASONS	= 1 << 4,
	CRL_SCOPE_INDIRECT	= 1 << 5,
	CRL_SCOPE_ATTRIBUTES	= 1 << 6,
};

struct crl_verdict {
	enum source_error error;	/* E_NONE: verified */
	const char *why;		/* static text: the rule that was broken */
	uint64_t offset;		/* where, in DER */
	uint64_t size;			/* octets of the CRL */
	uint64_t entries;
	int64_t this_update;
	int64_t next_update;		/* 0: none */
	uint32_t warnings;		/* enum crl_warning */
	uint32_t scope;			/* enum crl_scope */
	uint8_t version;		/* 1 or 2 */
	bool delta;
	bool freshest;			/* it says that there are deltas: RFC 5280 5.2.6 */
	bool stranger;			/* E_SIGNER because no signer has its issuer's name: it is none of ours */
	bool vouched;			/* of crl_scan_again: not verified anew; digest and signer are not filled */
	uint8_t number_len;		/* 0: none */
	uint8_t base_len;
	uint8_t key_id_len;
	uint8_t digest_len;
	uint8_t number[CRL_NUMBER_MAX];	/* crlNumber, big-endian */
	uint8_t base[CRL_NUMBER_MAX];	/* BaseCRLNumber of a delta */
	uint8_t key_id[CRL_KEYID_MAX];	/* authorityKeyIdentifier */
	uint8_t scope_digest[32];	/* SHA-256 of the issuingDistributionPoint; zeros without one */
	uint32_t reasons;		/* onlySomeReasons, bit n: ReasonFlags' n; CRL_REASONS_ALL without */
	uint8_t n_points;
	bool more_points;		/* it has others, or a name that is relative: none of ours */
	uint64_t points[CRL_POINTS];	/* names of the distribution point, by crl_point_hash */
	uint8_t digest[CRL_DIGEST_MAX];	/* of the signed part, by the signature's hash */
	size_t signer;			/* index of who signed */
	uint64_t signed_offset;		/* the signed part, in DER */
	uint64_t signed_len;
};

struct crl_hit {
	uint32_t cert;		/* what the inventory has for it */
	uint32_t reason;	/* RFC 5280 5.3.1; 0: none or unspecified; 8 of a delta: no longer revoked */
	int64_t revoked_at;
};

/* A GeneralName in DER: two are the same name when these are equal. */
uint64_t crl_point_hash(const uint8_t *name, size_t len);

struct crl_scan;

/* What a scan is for. All of it outlives the scan, but for the struct itself. */
struct crl_scan_setup {
	const struct inventory *inventory;	/* our certificates of one authority; NULL: none */
	const struct crl_name *names;		/* the authority's own: whose entries are ours (RFC 5280 5.3.3) */
	size_t n_names;
	const struct crl_signer *signers;	/* it, and whom it lets sign its CRLs */
	size_t n_signers;
	uint64_t max_size;
	bool allow_sha1;
};

/* NULL without memory. A CRL that several authorities trust (an indirect one, a
 * delegated issuer's) is scanned once for each. */
struct crl_scan *crl_scan_new(const struct crl_scan_setup *);
void crl_scan_free(struct crl_scan *);

/* Begin again with another CRL. */
void crl_scan_reset(struct crl_scan *);

/* The same for bytes that this process verified before, with the same names and
 * signers: the caller vouches that not one of them changed. The same hits come out,
 * but nothing is hashed and no signature is looked at; for certificates that were
 * not asked about then. */
void crl_scan_again(struct crl_scan *);

/* The next bytes of the DER, in pieces of any size. 0, or -EBADMSG once and for
 * all when the CRL is refused; the verdict says why. */
int crl_scan_feed(struct crl_scan *, const void *data, size_t len);

/* All bytes came. E_NONE: verified, and the hits may be read. With an
 * algorithm that signs the message itself, crl_scan_needs_message is true and
 * the signed part must be handed in again. */
bool crl_scan_needs_message(const struct crl_scan *);
enum source_error crl_scan_finish(struct crl_scan *, const void *message, size_t len);

/* Refuse for a reason found outside, such as a broken transfer. */
void crl_scan_refuse(struct crl_scan *, enum source_error, const char *why);

const struct crl_verdict *crl_scan_verdict(const struct crl_scan *);

/* One hit per call, in the order of the inventory; start with *pos = 0. Always
 * false unless the verdict is verified. */
bool crl_scan_hit(const struct crl_scan *, size_t *pos, struct crl_hit *out);

#endif
