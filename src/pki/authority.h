/* SPDX-License-Identifier: GPL-2.0-or-later */
/* authority.h -- what pki takes from a policy image: the authorities with their
 * keys and who may sign for them, the certificates that their CRLs speak about,
 * the sources of these CRLs, and which device has which certificates. */
#ifndef CORDON_PKI_AUTHORITY_H
#define CORDON_PKI_AUTHORITY_H

#include <openssl/x509.h>

#include "model/image.h"
#include "pki/crl_scan.h"
#include "pki/inventory.h"
#include "pki/series.h"

#define SUBJECT_POINTS	4	/* distribution points of one certificate that are looked at */
#define TRUST_NONE	UINT32_MAX

enum subject_flag {
	SUBJECT_CA	= 1 << 0,	/* of an authority (or of whom it lets sign), not of a device */
	SUBJECT_KNOWN	= 1 << 1,	/* the certificate is at hand, not its serial alone */
	SUBJECT_ISSUES	= 1 << 2,	/* its basicConstraints make it a CA's */
	SUBJECT_SHARED	= 1 << 3,	/* another device has the same certificate */
};

/* One certificate whose fate the CRLs of its issuer decide. Stands in the
 * issuer's array, at the index that crl_hit.cert has. */
struct subject {
	uint32_t device;	/* index into authorities.devices; SUBJECT_CA: into authorities.certificates */
	uint32_t place;		/* of the device's certificates the how manieth: the highest is the newest */
	uint32_t issuer;	/* index into authorities.certificates: the first with the key that signed it; TRUST_NONE: unknown */
	uint32_t flags;
	int64_t not_before, not_after;	/* 0: unknown */
	uint64_t points[SUBJECT_POINTS];	/* as crl_point_hash, mixed with point_issuer_hash of its cRLIssuer */
	uint8_t n_points;
	uint8_t more_points;	/* it has others that were not kept */
	uint8_t serial_len;
	uint8_t serial[20];
	uint8_t key[16];	/* of SHA-256 of its public key; zeros: unknown */
};

/* A certificate of an authority, or of one who may sign for it. */
struct trust_certificate {
	X509 *x509;		/* owned; NULL: it could not be read, and the rest is zero */
	uint32_t authority;	/* index: whose it is */
	uint32_t role;		/* enum issuer_role */
	bool anchor;		/* no declared authority issued it: trusted as declared */
	uint32_t parent;	/* index of the authority that issued it; TRUST_NONE: none of ours */
	uint32_t parent_certificate;	/* one with the key that signed it */
	uint32_t subject;	/* its index in the parent's subjects; TRUST_NONE: nobody speaks about it */
	uint32_t node;		/* its key, among those of its authority and role: the first certificate with it */
	int64_t not_before, not_after;
	uint8_t key[KEY_DIGEST_LEN];
};

/* Beside authority.signers[i]: */
struct authority_signer {
	uint32_t certificate;	/* index into authorities.certificates: the first with that name and key */
	uint32_t role;		/* ISSUER_OWN or ISSUER_CRL */
	uint8_t key_digest[KEY_DIGEST_LEN];
	int64_t not_before, not_after;	/* the widest of its certificates */
};

struct authority_ocsp {
	uint32_t devices;	/* enum ocsp_devices */
	char *url;
	uint32_t refresh_s, max_age_s;
	bool need_nonce;
	uint32_t unknown;	/* enum when_stale */
};

struct authority {
	uint32_t number;
	char *name;
	uint32_t refresh_s;
	uint32_t when_stale, when_unchecked;	/* enum when_stale */
	uint32_t flags;		/* enum authority_flag */
	uint32_t n_sources;	/* whether anything is to come */
	struct series_rules rules;
	struct authority_ocsp ocsp;

	struct crl_name subject;	/* of its own certificates: who issues; NULL when none could be read */
	/* One for each name and key; none when no certificate could be read: then
	 * no CRL of this authority verifies, and each source says E_SIGNER. */
	struct crl_signer *signers;
	struct authority_signer *signed_by;	/* as many */
	size_t n_signers;
	uint32_t first_certificate;	/* in authorities.certificates; those of ISSUER_OWN first, as in the image */
	uint32_t n_certificates;
	uint32_t n_own;

	struct subject *subjects;	/* the devices' by device, then those of CAs */
	uint32_t n_subjects;
	uint32_t clones;	/* devices that share a certificate with another one */
	struct inventory *inventory;	/* what it has for a certificate is the index of its subject */
};

struct authority_source {
	uint32_t authority;	/* index */
	char **urls;
	uint32_t n_urls;
	uint32_t flags;		/* enum source_flag */
	uint32_t base;		/* index of a source, or SOURCE_NO_BASE */
	uint32_t refresh_s, timeout_s;
	uint32_t max_bytes;
	uint8_t *ca;		/* DER of the CA for HTTPS, or NULL: the system's */
	uint32_t ca_len;
	char *pin, *proxy, *no_proxy, *hosts;
};

struct subject_ref {
	uint32_t authority;	/* index */
	uint32_t subject;
};

struct authority_device {
	uint32_t number;
	uint32_t flags;		/* enum device_flag */
	uint32_t first;		/* in authorities.refs: its certificates, oldest first */
	uint32_t n;
};

struct authorities {
	struct authority *authorities;
	uint32_t n;
	struct authority_source *sources;	/* as in the image */
	uint32_t n_sources;
	struct trust_certificate *certificates;
	uint32_t n_certificates;
	struct authority_device *devices;	/* as in the image: by number */
	uint32_t n_devices;
	struct subject_ref *refs;
	uint32_t n_refs;
};

/* Everything is copied: the image may go. NULL without memory. */
struct authorities *authorities_new(const struct image *, const struct inventory_key *);
void authorities_free(struct authorities *);

/* Index of an authority's signer with that key, or -ENOENT. */
int authority_signer_find(const struct authority *, const uint8_t key_digest[KEY_DIGEST_LEN], uint32_t *out);

/* A whole certificate in DER: NULL when it is malformed, too long, followed by other
 * bytes, or has a key that nobody here can use. X509_free. */
X509 *certificate_read(const uint8_t *der, size_t len);

/* It as a signer, and the digest of its key; what is in there belongs to it. 0 or -EBADMSG. */
int certificate_signer(X509 *, struct crl_signer *, uint8_t key_digest[KEY_DIGEST_LEN]);

#endif
