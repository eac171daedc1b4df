/* SPDX-License-Identifier: GPL-2.0-or-later */
/* digest.h -- XXH3 with 128 bits (libxxhash), to know a file that was damaged.
 * Against forgery it proves nothing; where that matters, a signature is checked. */
#ifndef CORDON_COMMON_DIGEST_H
#define CORDON_COMMON_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define DIGEST_LEN 16

void digest_of(const void *data, size_t len, uint8_t out[DIGEST_LEN]);

#endif
