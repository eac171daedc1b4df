/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trust.h -- who issued whom: the authorities with their certificates, and the
 * certificates of ours that their CRLs speak about. From findings about
 * certificates follows what is true of devices: a revoked CA takes its batch, a
 * compromised key takes every certificate that has it, a renewed device stays. */
#ifndef CORDON_PKI_TRUST_H
#define CORDON_PKI_TRUST_H

#include "common/clock.h"
#include "pki/authority.h"
#include "pki/series.h"

#define SUBJECT_POINTS	4	/* distribution points of one certificate that are looked at */
#define TRUST_NONE	UINT32_MAX

enum subject_flag {
	SUBJECT_CA	= 1 << 0,	/* of an authority (or of whom it lets sign), not of a device */
	SUBJECT_KNOWN	= 1 << 1,	/* the certificate is at hand, not its serial alone */
};

/* One certificate whose fate the CRLs of its issuer decide. Stands in the
 * issuer's array, at the index that crl_hit.cert has. */
struct subject {
	uint32_t device;	/* device number; SUBJECT_CA: index into trust.certificates */
	uint32_t place;		/* of the device's certificates the how manieth: the highest is the newest */
	uint32_t issuer;	/* index into trust.certificates: one with the key that signed it; TRUST_NONE: unknown */
	uint32_t flags;
	int64_t not_before, not_after;	/* 0: unknown */
	uint64_t points[SUBJECT_POINTS];	/* hashes as crl_point_hash makes them */
	uint8_t n_points;
	uint8_t more_points;	/* it has others that were not kept */
	uint8_t serial_len;
	uint8_t serial[20];
	uint8_t key[16];	/* of SHA-256 of its public key; zeros: unknown */
};

/* A certificate of an authority, or of one who may sign for it. */
struct trust_certificate {
	uint32_t authority;	/* index: whose it is */
	uint32_t role;		/* enum issuer_role */
	bool anchor;		/* no declared authority issued it: trusted as declared */
	uint32_t parent;	/* index of the authority that issued it; TRUST_NONE for an anchor */
	uint32_t parent_certificate;	/* with the key that signed it */
	uint32_t subject;	/* its index in the parent's subjects */
	int64_t not_before, not_after;
	uint8_t key[KEY_DIGEST_LEN];
};

#endif
