/* SPDX-License-Identifier: GPL-2.0-or-later */
/* der.h -- strict DER (X.690) over struct buf: the pieces that CRLs are made of.
 * Nothing here allocates, and no laxer second reading exists. */
#ifndef CORDON_PKI_DER_H
#define CORDON_PKI_DER_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

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
 * indefinite or non-minimal lengths, and tags above 30, which no CRL has.
 * In the header, since a CRL of a million odd entries asks it ten million times. */
static inline int
der_peek(const uint8_t *p, size_t n, struct der_head *h)
{
	unsigned i, octets;

	h->head_len = 2;
	if (n < 1)
		return -ENODATA;
	if ((p[0] & 0x1f) == 0x1f)
		return -EBADMSG;
	if (n < 2)
		return -ENODATA;
	h->tag = p[0];
	h->len = p[1];
	if (p[1] < 0x80)
		return 0;
	/* 0x80 is the indefinite form; beyond four octets nothing fits our limits. */
	octets = p[1] & 0x7f;
	if (octets == 0 || octets > 4)
		return -EBADMSG;
	h->head_len = 2 + octets;
	/* All of it or nothing, so that the answer does not hang on the pieces. */
	if (n < 2 + octets)
		return -ENODATA;
	for (h->len = 0, i = 0; i < octets; i++)
		h->len = h->len << 8 | p[2 + i];
	return p[2] == 0 || h->len < 0x80 ? -EBADMSG : 0;
}

/* Take a whole element. -EBADMSG also when it does not fit into the rest. */
static inline int
der_get(struct buf *b, uint8_t *tag, struct buf *content)
{
	struct der_head h;
	size_t left = b->len - b->pos;

	if (der_peek(b->data + b->pos, left, &h) < 0 || h.len > left - h.head_len)
		return -EBADMSG;
	*tag = h.tag;
	*content = (struct buf){ .data = b->data + b->pos + h.head_len, .len = h.len };
	b->pos += h.head_len + h.len;
	return 0;
}

static inline int
der_expect(struct buf *b, uint8_t tag, struct buf *content)
{
	struct buf rest = *b, got;
	uint8_t is;

	if (der_get(&rest, &is, &got) < 0 || is != tag)
		return -EBADMSG;
	*b = rest;
	*content = got;
	return 0;
}

static inline size_t
der_left(const struct buf *b)
{
	return b->len - b->pos;
}

/* The tag of the next element, or 0 at the end. */
static inline uint8_t
der_next(const struct buf *b)
{
	return b->pos < b->len ? b->data[b->pos] : 0;
}

static inline bool
der_equals(const struct buf *b, const void *bytes, size_t len)
{
	return b->len - b->pos == len && memcmp(b->data + b->pos, bytes, len) == 0;
}

/* A non-negative INTEGER's content as magnitude without leading zeros (zero
 * itself: one octet 0). -EBADMSG when negative or not minimal, -E2BIG above max. */
int der_unsigned(const struct buf *content, uint8_t *out, size_t max, uint8_t *len);

/* The content of a UTCTime or GeneralizedTime in the forms that RFC 5280 4.1.2.5
 * allows, in milliseconds since 1970; -EBADMSG otherwise. */
int der_time(uint8_t tag, const uint8_t *p, size_t n, int64_t *ms);

#endif
