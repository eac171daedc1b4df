/* SPDX-License-Identifier: GPL-2.0-or-later */
/* name.h -- do two distinguished names name the same? RFC 5280 7.1. */
#ifndef CORDON_PKI_NAME_H
#define CORDON_PKI_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Both are a whole Name in DER. Equal byte for byte, or equal when the strings
 * are compared without regard to their type, to ASCII case and to repeated,
 * leading and trailing spaces, and the parts of one RDN in any order.
 * Malformed names equal nothing but their own copy. Allocates nothing. */
bool name_equal(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len);

#endif
