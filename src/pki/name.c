/* SPDX-License-Identifier: GPL-2.0-or-later */
/* name.c -- comparison of distinguished names without building anything. */
#include <errno.h>
#include <string.h>

#include "common/buf.h"
#include "pki/der.h"
#include "pki/name.h"

#define PARTS_MAX 8		/* attributes in one RDN; real ones have one or two */
#define STRING_END 0xffffffffU

/* A string that is read code point by code point, folded. */
struct folded {
	struct buf b;
	uint8_t tag;
	bool pending;		/* a space was held back */
	bool begun;
	uint32_t held;		/* the character after the space, when pending */
	bool bad;
};

static bool
is_string(uint8_t tag)
{
	switch (tag) {
	case 0x0c:		/* UTF8String */
	case 0x13:		/* PrintableString */
	case 0x14:		/* T61String: read as Latin-1, as everybody does */
	case 0x16:		/* IA5String */
	case 0x1a:		/* VisibleString */
	case 0x1c:		/* UniversalString */
	case 0x1e:		/* BMPString */
		return true;
	}
	return false;
}

static uint32_t
utf8_next(struct folded *f)
{
	uint8_t c = 0, more = 0;
	uint32_t cp;
	unsigned n;

	if (buf_get_u8(&f->b, &c) < 0)
		return STRING_END;
	if (c < 0x80)
		return c;
	if (c >= 0xc2 && c < 0xe0) {
		n = 1;
		cp = c & 0x1f;
	} else if (c >= 0xe0 && c < 0xf0) {
		n = 2;
		cp = c & 0x0f;
	} else if (c >= 0xf0 && c < 0xf5) {
		n = 3;
		cp = c & 0x07;
	} else {
		f->bad = true;
		return STRING_END;
	}
	for (; n > 0; n--) {
		if (buf_get_u8(&f->b, &more) < 0 || (more & 0xc0) != 0x80) {
			f->bad = true;
			return STRING_END;
		}
		cp = cp << 6 | (more & 0x3f);
	}
	return cp;
}

static uint32_t
raw_next(struct folded *f)
{
	uint32_t four = 0;
	uint16_t pair = 0;
	uint8_t one = 0;

	if (buf_left(&f->b) == 0)
		return STRING_END;
	switch (f->tag) {
	case 0x0c:
		return utf8_next(f);
	case 0x1c:
		if (buf_get_u32(&f->b, &four) == 0)
			return four;
		break;
	case 0x1e:
		if (buf_get_u16(&f->b, &pair) == 0)
			return pair;
		break;
	default:
		if (buf_get_u8(&f->b, &one) == 0)
			return one;
		break;
	}
	f->bad = true;
	return STRING_END;
}

static bool
is_space(uint32_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The next character with spaces squeezed and ASCII lowered. */
static uint32_t
folded_next(struct folded *f)
{
	uint32_t c;
	bool spaces = false;

	if (f->pending) {
		f->pending = false;
		return f->held;
	}
	while (is_space(c = raw_next(f)))
		spaces = true;
	if (c >= 'A' && c <= 'Z')
		c += 'a' - 'A';
	if (spaces && f->begun && c != STRING_END) {
		f->pending = true;
		f->held = c;
		return ' ';
	}
	f->begun = true;
	return c;
}

static bool
string_equal(uint8_t a_tag, const struct buf *a, uint8_t b_tag, const struct buf *b)
{
	struct folded fa = { .b = *a, .tag = a_tag }, fb = { .b = *b, .tag = b_tag };
	uint32_t ca, cb;

	do {
		ca = folded_next(&fa);
		cb = folded_next(&fb);
	} while (ca == cb && ca != STRING_END);
	return ca == cb && !fa.bad && !fb.bad;
}

/* AttributeTypeAndValue, both without their SEQUENCE header. */
static bool
part_equal(struct buf a, struct buf b)
{
	struct buf a_oid, b_oid, a_value, b_value;
	uint8_t a_tag, b_tag;

	if (der_expect(&a, DER_OID, &a_oid) < 0 || der_expect(&b, DER_OID, &b_oid) < 0 ||
	    !der_equals(&a_oid, b_oid.data + b_oid.pos, buf_left(&b_oid)))
		return false;
	if (der_get(&a, &a_tag, &a_value) < 0 || der_get(&b, &b_tag, &b_value) < 0 ||
	    buf_left(&a) != 0 || buf_left(&b) != 0)
		return false;
	if (is_string(a_tag) && is_string(b_tag))
		return string_equal(a_tag, &a_value, b_tag, &b_value);
	return a_tag == b_tag &&
	    der_equals(&a_value, b_value.data + b_value.pos, buf_left(&b_value));
}

static int
rdn_parts(struct buf rdn, struct buf parts[PARTS_MAX], size_t *n)
{
	for (*n = 0; buf_left(&rdn) > 0; (*n)++)
		if (*n == PARTS_MAX || der_expect(&rdn, DER_SEQUENCE, &parts[*n]) < 0)
			return -EBADMSG;
	return *n == 0 ? -EBADMSG : 0;
}

/* The parts of an RDN are a set: each must find a partner of its own. */
static bool
rdn_equal(struct buf a, struct buf b)
{
	struct buf pa[PARTS_MAX], pb[PARTS_MAX];
	size_t na, nb, i, j;
	unsigned taken = 0;

	if (rdn_parts(a, pa, &na) < 0 || rdn_parts(b, pb, &nb) < 0 || na != nb)
		return false;
	for (i = 0; i < na; i++) {
		for (j = 0; j < nb; j++)
			if ((taken & 1U << j) == 0 && part_equal(pa[i], pb[j]))
				break;
		if (j == nb)
			return false;
		taken |= 1U << j;
	}
	return true;
}

bool
name_equal(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	struct buf whole_a, whole_b, ra, rb, rdn_a, rdn_b;

	if (a_len == b_len && memcmp(a, b, a_len) == 0)
		return true;
	buf_init(&whole_a, a, a_len);
	buf_init(&whole_b, b, b_len);
	if (der_expect(&whole_a, DER_SEQUENCE, &ra) < 0 || buf_left(&whole_a) != 0 ||
	    der_expect(&whole_b, DER_SEQUENCE, &rb) < 0 || buf_left(&whole_b) != 0)
		return false;
	while (buf_left(&ra) > 0 && buf_left(&rb) > 0) {
		if (der_expect(&ra, DER_SET, &rdn_a) < 0 || der_expect(&rb, DER_SET, &rdn_b) < 0 ||
		    !rdn_equal(rdn_a, rdn_b))
			return false;
	}
	return buf_left(&ra) == 0 && buf_left(&rb) == 0;
}
