/* SPDX-License-Identifier: GPL-2.0-or-later */
/* store.h -- the CRL folder. Per series and kind (full or delta) three files: the
 * bytes as verified, a record about them, and the mark of the newest that was ever
 * accepted; per source what its servers want to see again; and the time below
 * which no clock is believed. Nothing read here is trusted: a CRL is verified
 * again, records carry a checksum. Names are ids of our making. All functions
 * return 0 (or a descriptor) or -errno; records that are damaged -EBADMSG. */
#ifndef CORDON_PKI_STORE_H
#define CORDON_PKI_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "pki/crl_policy.h"
#include "proto/limits.h"

#define STORE_ID_LEN	33	/* 32 hexadecimal digits and the NUL */

/* Whose CRLs. The id of a series is made of this. */
struct store_identity {
	uint8_t authority[32];	/* SHA-256 of its name */
	uint8_t key[KEY_DIGEST_LEN];	/* of the signer */
	uint8_t scope[32];	/* SHA-256 of the issuingDistributionPoint; zeros without one */
};

struct store_mark {
	struct store_identity identity;
	struct crl_highwater highwater;
};

struct store_meta {
	struct store_identity identity;
	int64_t received_at;	/* when its last byte had come */
	uint64_t size;
	uint64_t entries;
	uint8_t digest_len;	/* of the CRL that this belongs to */
	uint8_t pad[7];
	uint8_t digest[CRL_DIGEST_MAX];
};

struct store_validator {
	uint8_t url[32];	/* SHA-256 of the address that gave it */
	char etag[256];
	char last_modified[64];
};

struct store_ref {
	char series[STORE_ID_LEN];
	uint8_t delta;
	uint8_t pad[6];
};

/* What a source brought. Its validators count only while the CRLs of `content` are
 * in use: a digest over their digests. */
struct store_source {
	uint8_t content[32];
	int64_t success_wall;
	uint32_t n_series;
	uint32_t pad;
	struct store_ref series[LIMIT_SERIES_PER_SOURCE];
	struct store_validator validators[LIMIT_URLS_PER_SOURCE];
};

void store_series_id(const struct store_identity *, char out[STORE_ID_LEN]);

/* Remove what an earlier run left half written, and the files of a former format. */
int store_clean(int folder);

/* Call found for each series that has a mark or a CRL, once for each kind; in no order. */
int store_list(int folder, void (*found)(void *arg, const char *id, bool delta), void *arg);

/* -ENOENT when there is none. */
int store_load_mark(int folder, const char *id, bool delta, struct store_mark *out);
int store_load_meta(int folder, const char *id, bool delta, struct store_meta *out);
int store_load_source(int folder, const char *source, struct store_source *out);
int store_load_clock(int folder, int64_t *floor_ms);

int store_save_source(int folder, const char *source, const struct store_source *);
int store_save_clock(int folder, int64_t floor_ms);
/* From here on any CRL of that series counts as the newest. */
int store_forget_mark(int folder, const char *id, bool delta);
/* The CRL turned out to be damaged: away with it. The mark stays. */
int store_forget_crl(int folder, const char *id, bool delta);

/* The CRL that was in use, to read; a descriptor. */
int store_open(int folder, const char *id, bool delta);

/* A fresh temporary file, the n-th of a source, to write and read; the same again. */
int store_temporary(int folder, const char *source, uint32_t n);
int store_temporary_again(int folder, const char *source, uint32_t n);
void store_discard(int folder, const char *source, uint32_t n);

/* Make the n-th temporary file of a source, written and open as `temporary`, the CRL
 * in use of a series. The mark is on the disk before the CRL is: after a crash it is
 * never lower than what is installed. */
int store_install(int folder, const char *id, bool delta, const char *source, uint32_t n, int temporary,
    const struct store_mark *, const struct store_meta *);

#endif
