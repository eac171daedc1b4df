/* SPDX-License-Identifier: GPL-2.0-or-later */
/* authority.h -- what pki takes from a policy image: the authorities with their
 * keys, the devices' certificates of each, and the sources of their CRLs. */
#ifndef CORDON_PKI_AUTHORITY_H
#define CORDON_PKI_AUTHORITY_H

#include "model/image.h"
#include "pki/crl_scan.h"
#include "pki/inventory.h"

#define KEY_DIGEST_LEN 32

struct authority {
	uint32_t number;
	char *name;
	uint32_t refresh_s;
	uint8_t *ca;			/* DER of the CA for HTTPS, or NULL: the system's */
	uint32_t ca_len;
	/* One certificate, one key; none when it could not be read: then no CRL
	 * of this authority verifies, and each source says E_SIGNER. */
	struct crl_signer signer;
	size_t n_signers;
	uint8_t key_digest[KEY_DIGEST_LEN];	/* SHA-256 of the SubjectPublicKeyInfo */
	int64_t not_after;
	struct inventory *inventory;
};

struct source_place {
	uint32_t authority;	/* index into authorities */
	char *url;
};

struct authorities {
	struct authority *authorities;
	uint32_t n;
	struct source_place *sources;	/* as in the image */
	uint32_t n_sources;
};

/* Everything is copied: the image may go. NULL without memory. */
struct authorities *authorities_new(const struct image *, const struct inventory_key *);
void authorities_free(struct authorities *);

/* Fill signer, key digest and not_after from a certificate in DER; 0 or -EBADMSG. */
int authority_read_certificate(struct authority *, const uint8_t *der, size_t len);
void authority_done(struct authority *);

#endif
