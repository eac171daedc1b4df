/* SPDX-License-Identifier: GPL-2.0-or-later */
/* store.h -- the CRL folder: per source the bytes as verified, the high-water
 * mark, and what a server wants to see again. Nothing read here is trusted: the
 * CRL is verified again, records carry a checksum. Names are ids of our making. */
#ifndef CORDON_PKI_STORE_H
#define CORDON_PKI_STORE_H

#include <stdint.h>

#include "pki/crl_policy.h"

struct store_meta {
	int64_t received_at;	/* when its last byte had come */
	uint64_t size;
	uint8_t digest_len;	/* of the CRL that this belongs to */
	uint8_t pad[7];
	uint8_t digest[CRL_DIGEST_MAX];
	char etag[256];
	char last_modified[64];
};

/* Remove what an earlier run left half written. */
int store_clean(int folder);

/* 0, -ENOENT, or -EBADMSG when the record is damaged. */
int store_load_highwater(int folder, const char *id, struct crl_highwater *out);
int store_load_meta(int folder, const char *id, struct store_meta *out);

/* The CRL that was in use, to read; or a fresh temporary file, to write and
 * read. A descriptor or -errno. */
int store_open(int folder, const char *id);
int store_temporary(int folder, const char *id);
void store_discard(int folder, const char *id);

/* Make the temporary file the CRL in use. The mark is on the disk before the
 * CRL is: after a crash it is never lower than what is installed. */
int store_install(int folder, const char *id, int temporary, const struct crl_highwater *,
    const struct store_meta *);

#endif
