/* SPDX-License-Identifier: GPL-2.0-or-later */
/* der.h -- strict DER (X.690) over struct buf: the pieces that CRLs are made of.
 * Nothing here allocates, and no laxer second reading exists. */
#ifndef CORDON_PKI_DER_H
#define CORDON_PKI_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

#define DER_BOOLEAN	0x01
#define DER_INTEGER	0x02
#define DER_BIT_STRING	0x03
#define DER_OCTETS	0x04
#define DER_NULL	0x05
#define DER_OID		0x06
#define DER_ENUMERATED	0x0a
#define DER_UTCTIME	0x17
#define DER_GENTIME	0x18
#define DER_SEQUENCE	0x30
#define DER_SET		0x31

/* The longest header we read: a tag, 0x84, four octets of length. */
#define DER_HEAD_MAX 6

struct der_head {
	uint8_t tag;
	size_t head_len;
	uint64_t len;		/* of the content */
};

/* Read the header at the start of p. 0; -ENODATA when more bytes are needed,
 * with head_len telling how many in all; -EBADMSG for what DER forbids:
 * indefinite or non-minimal lengths, and tags above 30, which no CRL has. */
int der_peek(const uint8_t *p, size_t n, struct der_head *);

/* Take a whole element. -EBADMSG also when it does not fit into the rest. */
int der_get(struct buf *, uint8_t *tag, struct buf *content);
int der_expect(struct buf *, uint8_t tag, struct buf *content);

/* The tag of the next element, or 0 at the end. */
uint8_t der_next(const struct buf *);

bool der_equals(const struct buf *, const void *bytes, size_t len);

/* A non-negative INTEGER's content as magnitude without leading zeros (zero
 * itself: one octet 0). -EBADMSG when negative or not minimal, -E2BIG above max. */
int der_unsigned(const struct buf *content, uint8_t *out, size_t max, uint8_t *len);

/* The content of a UTCTime or GeneralizedTime in the forms that RFC 5280 4.1.2.5
 * allows, in milliseconds since 1970; -EBADMSG otherwise. */
int der_time(uint8_t tag, const uint8_t *p, size_t n, int64_t *ms);

#endif
