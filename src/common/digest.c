/* SPDX-License-Identifier: GPL-2.0-or-later */
/* digest.c -- SHA-256 by libmd, so that cordond needs no OpenSSL. */
#include "common/digest.h"

#include <sha2.h>

void
digest_sha256(const void *data, size_t len, uint8_t out[DIGEST_LEN])
{
	SHA2_CTX ctx;

	SHA256Init(&ctx);
	SHA256Update(&ctx, data, len);
	SHA256Final(out, &ctx);
}
