/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image_authority.h -- authorities in a policy image; a part of image.h, whose rules
 * hold here as well. */
#ifndef CORDON_MODEL_IMAGE_AUTHORITY_H
#define CORDON_MODEL_IMAGE_AUTHORITY_H

#ifndef CORDON_MODEL_IMAGE_H
#error "include model/image.h"
#endif

/* What becomes of devices that no CRL in force speaks about. */
enum when_stale {
	WHEN_STALE_KEEP,	/* nothing, but an alarm */
	WHEN_STALE_RESTRICT,	/* they stand where restrict_class says */
	WHEN_STALE_QUARANTINE,
};

enum authority_flag {
	AUTHORITY_ROLLOVER_SHARED = 1 << 0,	/* a CRL under one of its keys clears what another one issued */
	AUTHORITY_HOLD_MANUAL	= 1 << 1,	/* what was on hold stays in quarantine until an operator releases it */
	AUTHORITY_SHA1		= 1 << 2,	/* CRLs may be signed with SHA-1 */
	AUTHORITY_FLAGS		= 7,
};

/* Which devices are asked about by OCSP. */
enum ocsp_devices { OCSP_OFF, OCSP_CRITICAL, OCSP_ALL };

struct image_ocsp {
	uint32_t devices;	/* enum ocsp_devices; with OCSP_OFF all of it is zero */
	uint32_t url;		/* text: http: or https: */
	uint32_t refresh_s;	/* how often each of them */
	uint32_t max_age_s;	/* of an answer without a nonce, or without nextUpdate */
	uint32_t need_nonce;	/* 0 or 1 */
	uint32_t unknown;	/* enum when_stale: of a serial that the responder never heard of */
};

struct image_authority {
	uint32_t number;
	uint32_t name;		/* text */
	struct image_slice issuers;	/* IMAGE_ISSUERS: one of ISSUER_OWN at least, those first */
	uint32_t refresh_s;
	uint32_t when_stale;	/* enum when_stale */
	uint32_t when_unchecked;	/* the same; of devices that no source of its speaks about */
	uint32_t restrict_class;	/* number of the class that WHEN_STALE_RESTRICT means; 0 without it */
	uint32_t flags;		/* bits of enum authority_flag */
	uint32_t skew_s;	/* that its clock may be ahead of ours */
	uint32_t grace_s;	/* from stale to expired */
	uint32_t max_age_s;	/* of a CRL that does not say when the next one comes */
	struct image_ocsp ocsp;
	struct image_slice sources;
	struct image_where where;
};

enum issuer_role {
	ISSUER_OWN,		/* a certificate of the authority: all have one name; several for a key that
				 * was rolled over, or one that another CA signed as well */
	ISSUER_CRL,		/* somebody else who may sign its CRLs */
	ISSUER_OCSP,		/* who may sign its OCSP answers, beside whom it issued that right */
};

struct image_issuer {
	uint32_t certificate;	/* offset into blobs, DER */
	uint32_t certificate_len;
	uint32_t role;		/* enum issuer_role */
	struct image_where where;
};

enum source_flag {
	SOURCE_DELTA		= 1 << 0,	/* publishes delta CRLs for the source `base` */
	SOURCE_COVERS_ALL	= 1 << 1,	/* its CRLs speak about all devices, whatever distribution point they name */
	SOURCE_FROM_DEVICES	= 1 << 2,	/* the URL stood in devices' certificates: never to a private address */
	SOURCE_FLAGS		= 7,
};

#define SOURCE_NO_BASE UINT32_MAX

struct image_source {
	uint32_t authority;	/* number */
	struct image_slice urls;	/* IMAGE_URLS, at least one: http:, https:, ldap:, ldaps: or file: (a folder ends with '/') */
	uint32_t flags;		/* bits of enum source_flag */
	uint32_t base;		/* SOURCE_DELTA: index of its base, or SOURCE_NO_BASE */
	uint32_t refresh_s;
	uint32_t max_bytes;	/* of one CRL */
	uint32_t timeout_s;	/* of one transfer */
	uint32_t ca;		/* HTTPS: offset of the only CA to trust, in blobs; 0 with ca_len 0: the system's */
	uint32_t ca_len;
	uint32_t pin;		/* text: "sha256//...", of the server's key; "": none */
	uint32_t proxy;		/* text: a URL; "": none */
	uint32_t no_proxy;	/* text: hosts, separated by commas */
	uint32_t hosts;		/* text: further hosts that a redirect may lead to, separated by commas */
	struct image_where where;
};

#endif
