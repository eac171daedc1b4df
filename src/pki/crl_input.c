/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crl_input.c -- DER as it is, PEM decoded in passing, one CRL after the other.
 * Must not buffer a file. */
#include <errno.h>
#include <string.h>

#include "pki/crl_input.h"

#define NO_MATCH 0xffffffffU

static const char begin_line[] = "-----BEGIN X509 CRL-----";
static const char end_line[] = "-----END X509 CRL-----";

/* Value of a base64 digit plus one; 0 for what is none. */
static const uint8_t digits[256] = {
	['A'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24,
	25, 26,
	['a'] = 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48,
	49, 50, 51, 52,
	['0'] = 53, 54, 55, 56, 57, 58, 59, 60, 61, 62,
	['+'] = 63,
	['/'] = 64,
};

static int
fail(struct crl_input *in, enum source_error error, uint32_t detail, const char *why)
{
	in->error = error;
	in->detail = detail;
	in->why = why;
	return -EBADMSG;
}

void
crl_input_init(struct crl_input *in, const struct crl_input_taker *taker, void *arg)
{
	memset(in, 0, sizeof(*in));
	in->taker = taker;
	in->arg = arg;
	in->only_spaces = true;
	in->newline = true;
}

static bool
is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* ---- one CRL after the other -------------------------------------------- */

static void
begin(struct crl_input *in)
{
	in->refused = in->taker->begin(in->arg, in->n++);
	in->open = in->refused == 0;
	in->skipping = false;
	in->out_len = in->quad_len = in->pads = 0;
	in->newline = false;
}

static void
give(struct crl_input *in, const uint8_t *der, size_t len)
{
	if (in->open && in->refused == 0 && len > 0)
		in->refused = in->taker->der(in->arg, der, len);
}

static void
flush(struct crl_input *in)
{
	give(in, in->out, in->out_len);
	in->out_len = 0;
}

static void
end(struct crl_input *in, enum source_error error, const char *why)
{
	if (error == E_NONE)
		flush(in);
	if (in->open)
		in->taker->end(in->arg, error, why);
	in->open = false;
	in->text = 0;
}

/* This block is none; the next one may be. */
static void
spoiled(struct crl_input *in, enum source_error error, const char *why, uint32_t matched)
{
	end(in, error, why);
	in->state = CRL_INPUT_TEXT;
	in->matched = matched;
	in->skipping = true;
}

/* ---- text around blocks ------------------------------------------------- */

static int
start(struct crl_input *in, uint8_t c)
{
	if (c == 0x30) {
		in->state = CRL_INPUT_DER;
		begin(in);
	} else if (c == 0x1f) {
		return fail(in, E_NOT_CRL, CRL_OTHER_GZIP, "compressed data, not a CRL");
	} else {
		in->state = CRL_INPUT_TEXT;
	}
	return 0;
}

/* Follow a line that may be the one that begins a block. True: it is. */
static bool
line_matches(struct crl_input *in, uint8_t c)
{
	if (c == '\n') {
		in->matched = 0;
		return false;
	}
	if (in->matched == NO_MATCH || c != (uint8_t)begin_line[in->matched]) {
		/* A byte order mark may stand before the first line. */
		if (!(in->matched == 0 && in->n == 0 && in->text < 3 && c >= 0x80))
			in->matched = NO_MATCH;
		return false;
	}
	return ++in->matched == sizeof(begin_line) - 1;
}

/* Text before the first CRL says what this is instead; behind it, it is only odd. */
static int
text_error(struct crl_input *in, uint32_t detail, const char *why)
{
	if (in->n == 0)
		return fail(in, E_NOT_CRL, detail, why);
	return fail(in, E_TRAILING, 0, "something other than text follows the CRL");
}

static int
text(struct crl_input *in, uint8_t c)
{
	if (c < 0x20 && !is_space(c) && c != '\f')
		return text_error(in, CRL_OTHER_BINARY, "neither DER nor PEM");
	if (in->only_spaces && c == '<')
		return fail(in, E_NOT_CRL, CRL_OTHER_HTML, "a web page, not a CRL");
	if (!is_space(c))
		in->only_spaces = false;
	if (line_matches(in, c)) {
		if (in->n == CRL_INPUT_CRLS)
			return fail(in, E_TOO_BIG, 0, "more CRLs than one body may hold");
		in->state = CRL_INPUT_BASE64;
		begin(in);
	} else if (!in->skipping && ++in->text > CRL_INPUT_TEXT_MAX) {
		return text_error(in, CRL_OTHER_TEXT, "text without a CRL in it");
	}
	return 0;
}

static void
ending(struct crl_input *in, uint8_t c)
{
	if (c == (uint8_t)end_line[in->matched]) {
		if (++in->matched == sizeof(end_line) - 1) {
			end(in, E_NONE, NULL);
			in->state = CRL_INPUT_TEXT;
			in->matched = NO_MATCH;
		}
	} else if (in->matched == sizeof("-----") - 1 && c == (uint8_t)begin_line[in->matched]) {
		spoiled(in, E_TRUNC, "the PEM block ends too early", in->matched + 1);
	} else {
		spoiled(in, E_DER, "RFC 7468 2: the PEM block has no proper end", c == '\n' ? 0 : NO_MATCH);
	}
}

/* ---- base64 ------------------------------------------------------------- */

/* A full quad gives three octets, fewer with padding. */
static void
quad_done(struct crl_input *in)
{
	uint32_t v = (uint32_t)in->quad[0] << 18 | (uint32_t)in->quad[1] << 12 |
	    (uint32_t)in->quad[2] << 6 | in->quad[3];

	/* Bits that padding hides must be zero: one encoding, one CRL. */
	if ((in->pads == 1 && (v & 0xff) != 0) || (in->pads == 2 && (v & 0xffff) != 0)) {
		spoiled(in, E_DER, "RFC 4648 3.5: stray bits at the end of base64", NO_MATCH);
		return;
	}
	in->out[in->out_len++] = (uint8_t)(v >> 16);
	if (in->pads < 2)
		in->out[in->out_len++] = (uint8_t)(v >> 8);
	if (in->pads < 1)
		in->out[in->out_len++] = (uint8_t)v;
	in->quad_len = 0;
}

static void
base64(struct crl_input *in, uint8_t c)
{
	if (is_space(c)) {
		in->newline = c == '\n';
		return;
	}
	if (c == '-' && in->newline && in->quad_len == 0) {
		in->state = CRL_INPUT_END_LINE;
		in->matched = 1;
		return;
	}
	in->newline = false;
	if (c == '=' && in->quad_len >= 2) {
		in->pads++;
		in->quad[in->quad_len++] = 0;
	} else if (digits[c] != 0 && in->pads == 0) {
		in->quad[in->quad_len++] = digits[c] - 1;
	} else {
		spoiled(in, E_DER, "RFC 4648: not base64", NO_MATCH);
		return;
	}
	if (in->quad_len == 4)
		quad_done(in);
}

/* Whole quads, as many as there are at once: most of a PEM file. */
static size_t
base64_run(struct crl_input *in, const uint8_t *p, size_t n)
{
	size_t at = 0;
	uint32_t a, b, c, d;

	if (in->quad_len != 0 || in->pads != 0)
		return 0;
	while (n - at >= 4 && in->out_len + 3 <= sizeof(in->out)) {
		a = digits[p[at]] - 1U;
		b = digits[p[at + 1]] - 1U;
		c = digits[p[at + 2]] - 1U;
		d = digits[p[at + 3]] - 1U;
		if (((a | b | c | d) & 0x80) != 0)
			break;
		in->out[in->out_len++] = (uint8_t)(a << 2 | b >> 4);
		in->out[in->out_len++] = (uint8_t)(b << 4 | c >> 2);
		in->out[in->out_len++] = (uint8_t)(c << 6 | d);
		in->newline = false;
		at += 4;
	}
	return at;
}

/* ---- the whole ---------------------------------------------------------- */

static int
one(struct crl_input *in, uint8_t c)
{
	switch (in->state) {
	case CRL_INPUT_TEXT:
		return text(in, c);
	case CRL_INPUT_BASE64:
		base64(in, c);
		break;
	case CRL_INPUT_END_LINE:
		ending(in, c);
		break;
	case CRL_INPUT_START:
	case CRL_INPUT_DER:
		break;
	}
	return 0;
}

int
crl_input_feed(struct crl_input *in, const void *data, size_t len)
{
	const uint8_t *p = data;
	size_t at = 0;
	int rc;

	if (in->error != E_NONE)
		return -EBADMSG;
	in->received += len;
	if (in->state == CRL_INPUT_START && len > 0 && (rc = start(in, p[0])) < 0)
		return rc;
	if (in->state == CRL_INPUT_DER) {
		give(in, p, len);
		return in->refused;
	}
	while (at < len) {
		if (in->state == CRL_INPUT_BASE64)
			at += base64_run(in, p + at, len - at);
		if (in->out_len + 3 > sizeof(in->out))
			flush(in);
		if (at < len && (rc = one(in, p[at++])) < 0)
			return rc;
	}
	flush(in);
	return 0;
}

enum source_error
crl_input_finish(struct crl_input *in)
{
	if (in->error != E_NONE)
		return in->error;
	switch (in->state) {
	case CRL_INPUT_START:
		(void)fail(in, E_EMPTY, 0, "no bytes");
		break;
	case CRL_INPUT_TEXT:
		if (in->n == 0)
			(void)fail(in, E_NOT_CRL, CRL_OTHER_TEXT, "text without a CRL in it");
		break;
	case CRL_INPUT_BASE64:
	case CRL_INPUT_END_LINE:
		end(in, E_TRUNC, "the PEM block ends too early");
		break;
	case CRL_INPUT_DER:
		end(in, E_NONE, NULL);
		break;
	}
	return in->error;
}
