/* SPDX-License-Identifier: GPL-2.0-or-later */
/* world.h -- CAs, devices and CRLs for tests of judgement: certificates and CRLs are
 * made and signed for real, read by the real scanner, and what follows is kept as
 * cordond keeps it. Aborts where the test itself is wrong. */
#ifndef CORDON_TESTS_WORLD_H
#define CORDON_TESTS_WORLD_H

#include "crl_make.h"
#include "pki/trust.h"

#define WORLD_CAS	8
#define WORLD_KEYS	4	/* of one CA */
#define WORLD_ISSUERS	32
#define WORLD_DEVICES	16
#define WORLD_CERTS	40
#define WORLD_SERIES	32
#define WORLD_STANDINGS 64

#define SECOND 1000LL
#define HOUR   (3600 * SECOND)
#define DAY    (24 * HOUR)
#define NOW    1780272000000LL	/* 2026-06-01 */
#define NOBODY UINT32_MAX

struct world_ca {
	char common[32];
	struct bytes name;	/* DN */
	EVP_PKEY *keys[WORLD_KEYS];
	uint32_t n_keys;
};

struct world {
	struct world_ca cas[WORLD_CAS];
	struct image_authority authorities[WORLD_CAS];
	uint32_t n_cas;
	struct {
		uint32_t ca;
		struct image_issuer issuer;
	} issuers[WORLD_ISSUERS];
	uint32_t n_issuers;
	struct image_issuer sorted[WORLD_ISSUERS];
	struct image_device devices[WORLD_DEVICES];
	uint32_t n_devices;
	struct {
		uint32_t device;
		struct image_certificate certificate;
	} certs[WORLD_CERTS];
	uint32_t n_certs;
	struct image_certificate by_device[WORLD_CERTS];
	struct bytes blobs, text;
	struct image_source source;
	struct image image;

	struct authorities *all;
	struct trust *trust;
	struct series series[WORLD_SERIES];
	size_t n_series;
	struct trust_said *said[WORLD_CAS];
	struct trust_ocsp ocsp[WORLD_CAS];
	bool settled[WORLD_CAS];
	bool unsettled;		/* use `settled` */
	bool covers_all;	/* sources say so */
	struct pki_clock clock;
	struct pki_standing standings[WORLD_STANDINGS];
	size_t n_standings;
	struct trust_decision last;
};

struct world *world_new(void);
void world_free(struct world *);

/* A CA with a key and a certificate of serial `serial`, signed by `parent`'s first key,
 * or by itself (NOBODY). All follow with one source each, keep, default times. */
uint32_t world_ca(struct world *, const char *common, uint32_t parent, uint8_t serial);
/* One more certificate of that CA, for its key, by the parent. */
void world_cross(struct world *, uint32_t ca, uint32_t key, uint32_t parent, uint8_t serial);
/* One more key, with a self-signed certificate: its number. */
uint32_t world_roll(struct world *, uint32_t ca);
/* Another CA's certificate as one that may sign this one's CRLs. */
void world_delegate(struct world *, uint32_t ca, uint32_t other);
/* Number of sources, from now on. */
void world_sources(struct world *, uint32_t ca, uint32_t n);

uint32_t world_device(struct world *);
void world_serial(struct world *, uint32_t device, uint32_t ca, uint8_t serial);
struct world_cert {
	uint32_t key;		/* of the CA */
	EVP_PKEY *own;		/* NULL: a new one */
	const char *point;	/* of a distribution point, a URL; or NULL */
	int64_t not_after;	/* 0: a year from NOW */
	bool ca;		/* basicConstraints say so */
};
void world_cert(struct world *, uint32_t device, uint32_t ca, uint8_t serial, const struct world_cert *);
/* Nothing may be added after this. */
void world_start(struct world *);

struct world_entry {
	uint8_t serial;		/* 0 ends the list */
	int reason;		/* -1: no extension */
	uint32_t issuer;	/* certificateIssuer: a CA + 1; 0: none */
};
struct world_crl {
	uint32_t key;
	uint32_t signer;	/* a CA + 1; 0: its own */
	uint32_t number;	/* 0: none */
	uint32_t base;		/* BaseCRLNumber: a delta; 0: it is none */
	int64_t at;		/* thisUpdate, after NOW */
	int64_t lasts;		/* nextUpdate, after thisUpdate; 0: a week; -1: none */
	const char *point;	/* issuingDistributionPoint: URL, */
	bool users, cas, indirect;
	uint32_t reasons;	/* onlySomeReasons, bits as in REASONS_ALL; 0: all */
	struct world_entry entries[12];
	uint8_t content;	/* makes other octets of the same */
};
/* Publish, fetch, scan, judge, and keep what is to be kept. What the source would say. */
enum source_error world_crl(struct world *, uint32_t ca, const struct world_crl *);
/* The same for octets that come from elsewhere. */
enum source_error world_take(struct world *, uint32_t ca, const uint8_t *der, size_t len);
/* The series that the last CRL went to. */
struct series *world_last(struct world *);

void world_said(struct world *, uint32_t device, uint32_t at, enum trust_saying, uint8_t reason, int64_t this_update);

/* Judge, decide, and do what is decided. */
void world_judge(struct world *);
unsigned world_check(const struct world *, uint32_t device);	/* without CHECK_CHAIN_UNKNOWN */
uint32_t world_cause(const struct world *, uint32_t device);	/* all that holds it now */
uint32_t world_reason(const struct world *, uint32_t device);	/* of CAUSE_REVOKED; 99: none */
void world_report(const struct world *, uint32_t ca, struct pki_authority *);

#endif
