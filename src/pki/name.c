/* SPDX-License-Identifier: GPL-2.0-or-later */
/* name.c -- comparison of distinguished names without building anything. */
#include <errno.h>
#include <string.h>

#include "common/buf.h"
#include "pki/der.h"
#include "pki/name.h"

#define PARTS_MAX 8		/* attributes in one RDN; real ones have one or two */
#define STRING_END 0xffffffffU
#define FOLD_MAX 1024		/* octets of one string; RFC 5280 allows 64 characters or so */

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

/* Character by character, with every rule. */
static bool
string_equal_slowly(uint8_t a_tag, const struct buf *a, uint8_t b_tag, const struct buf *b)
{
	struct folded fa = { .b = *a, .tag = a_tag }, fb = { .b = *b, .tag = b_tag };
	uint32_t ca, cb;

	do {
		ca = folded_next(&fa);
		cb = folded_next(&fb);
	} while (ca == cb && ca != STRING_END);
	return ca == cb && !fa.bad && !fb.bad;
}

/* One string folded into UTF-8, with one space where some stand between others.
 * A CRL may name an issuer in each of its entries, so this is what counts; whether
 * other than ASCII is well-formed is left to the slow way. Octets, or SIZE_MAX when
 * they are more than fit. */
static size_t
fold_octets(uint8_t tag, const struct buf *b, uint8_t out[FOLD_MAX], bool *high)
{
	const uint8_t *p = b->data + b->pos, *end = b->data + b->len;
	bool spaces = false;
	size_t n = 0;

	for (; p < end; p++) {
		uint8_t c = *p;

		if (is_space(c)) {
			spaces = n > 0;
			continue;
		}
		if (n + 3 > FOLD_MAX)
			return SIZE_MAX;
		if (spaces)
			out[n++] = ' ';
		spaces = false;
		if (c < 0x80) {
			out[n++] = c >= 'A' && c <= 'Z' ? c | 0x20 : c;
			continue;
		}
		*high = true;
		if (tag != 0x0c)	/* Latin-1 */
			out[n++] = 0xc0 | c >> 6;
		out[n++] = tag != 0x0c ? 0x80 | (c & 0x3f) : c;
	}
	return n;
}

static bool
string_equal(uint8_t a_tag, const struct buf *a, uint8_t b_tag, const struct buf *b)
{
	uint8_t fa[FOLD_MAX], fb[FOLD_MAX];
	bool high = false;
	size_t na, nb;

	if (a_tag == b_tag && der_equals(a, b->data + b->pos, der_left(b)))
		return true;
	if (a_tag < 0x1c && b_tag < 0x1c) {
		na = fold_octets(a_tag, a, fa, &high);
		nb = fold_octets(b_tag, b, fb, &high);
		if (na != nb || (na != SIZE_MAX && memcmp(fa, fb, na) != 0))
			return false;
		if (na != SIZE_MAX && !high)
			return true;
	}
	return string_equal_slowly(a_tag, a, b_tag, b);
}

/* AttributeTypeAndValue, both without their SEQUENCE header. */
static bool
part_equal(struct buf a, struct buf b)
{
	struct buf a_oid, b_oid, a_value, b_value;
	uint8_t a_tag, b_tag;

	if (der_expect(&a, DER_OID, &a_oid) < 0 || der_expect(&b, DER_OID, &b_oid) < 0 ||
	    !der_equals(&a_oid, b_oid.data + b_oid.pos, der_left(&b_oid)))
		return false;
	if (der_get(&a, &a_tag, &a_value) < 0 || der_get(&b, &b_tag, &b_value) < 0 ||
	    der_left(&a) != 0 || der_left(&b) != 0)
		return false;
	if (is_string(a_tag) && is_string(b_tag))
		return string_equal(a_tag, &a_value, b_tag, &b_value);
	return a_tag == b_tag &&
	    der_equals(&a_value, b_value.data + b_value.pos, der_left(&b_value));
}

static int
rdn_parts(struct buf rdn, struct buf parts[PARTS_MAX], size_t *n)
{
	for (*n = 0; der_left(&rdn) > 0; (*n)++)
		if (*n == PARTS_MAX || der_expect(&rdn, DER_SEQUENCE, &parts[*n]) < 0)
			return -EBADMSG;
	return *n == 0 ? -EBADMSG : 0;
}

/* The parts of an RDN are a set: each must find a partner of its own. */
static bool
rdn_equal_as_set(struct buf a, struct buf b)
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

static bool
rdn_equal(struct buf a, struct buf b)
{
	struct buf rest_a = a, rest_b = b, part_a, part_b;

	if (der_expect(&rest_a, DER_SEQUENCE, &part_a) < 0 || der_expect(&rest_b, DER_SEQUENCE, &part_b) < 0)
		return false;
	/* nearly always there is but one */
	if (der_left(&rest_a) == 0 && der_left(&rest_b) == 0)
		return part_equal(part_a, part_b);
	return rdn_equal_as_set(a, b);
}

bool
name_equal(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	struct buf whole_a, whole_b, ra, rb, rdn_a, rdn_b;

	if (a_len == b_len && memcmp(a, b, a_len) == 0)
		return true;
	buf_init(&whole_a, a, a_len);
	buf_init(&whole_b, b, b_len);
	if (der_expect(&whole_a, DER_SEQUENCE, &ra) < 0 || der_left(&whole_a) != 0 ||
	    der_expect(&whole_b, DER_SEQUENCE, &rb) < 0 || der_left(&whole_b) != 0)
		return false;
	while (der_left(&ra) > 0 && der_left(&rb) > 0) {
		if (der_expect(&ra, DER_SET, &rdn_a) < 0 || der_expect(&rb, DER_SET, &rdn_b) < 0 ||
		    !rdn_equal(rdn_a, rdn_b))
			return false;
	}
	return der_left(&ra) == 0 && der_left(&rb) == 0;
}
