/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crl_input.c -- DER as it is, PEM decoded in passing. Must not buffer a file. */
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
crl_input_init(struct crl_input *in)
{
	memset(in, 0, sizeof(*in));
	in->only_spaces = true;
	in->newline = true;
}

static bool
is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* ---- text around a block ------------------------------------------------ */

static int
start(struct crl_input *in, uint8_t c)
{
	if (c == 0x30)
		in->state = CRL_INPUT_DER;
	else if (c == 0x1f)
		return fail(in, E_NOT_CRL, CRL_OTHER_GZIP, "compressed data, not a CRL");
	else
		in->state = CRL_INPUT_TEXT;
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
		if (!(in->matched == 0 && in->text < 3 && c >= 0x80))
			in->matched = NO_MATCH;
		return false;
	}
	return ++in->matched == sizeof(begin_line) - 1;
}

static int
text(struct crl_input *in, uint8_t c)
{
	if (c < 0x20 && !is_space(c) && c != '\f')
		return fail(in, E_NOT_CRL, CRL_OTHER_BINARY, "neither DER nor PEM");
	if (in->only_spaces && c == '<')
		return fail(in, E_NOT_CRL, CRL_OTHER_HTML, "a web page, not a CRL");
	if (!is_space(c))
		in->only_spaces = false;
	if (line_matches(in, c)) {
		in->state = CRL_INPUT_BASE64;
		in->newline = false;
	} else if (++in->text > CRL_INPUT_TEXT_MAX) {
		return fail(in, E_NOT_CRL, CRL_OTHER_TEXT, "text without a CRL in it");
	}
	return 0;
}

static int
after(struct crl_input *in, uint8_t c)
{
	if ((c < 0x20 && !is_space(c) && c != '\f') || ++in->text > CRL_INPUT_TEXT_MAX)
		return fail(in, E_TRAILING, 0, "something other than text follows the PEM block");
	if (line_matches(in, c))
		return fail(in, E_TRAILING, 0, "a second CRL follows the first");
	return 0;
}

static int
ending(struct crl_input *in, uint8_t c)
{
	if (c != (uint8_t)end_line[in->matched])
		return fail(in, E_DER, 0, "RFC 7468 2: the PEM block has no proper end");
	if (++in->matched == sizeof(end_line) - 1) {
		in->state = CRL_INPUT_AFTER;
		in->matched = NO_MATCH;
		in->text = 0;
	}
	return 0;
}

/* ---- base64 ------------------------------------------------------------- */

static int
flush(struct crl_input *in, crl_input_sink *sink, void *arg)
{
	int rc = in->out_len > 0 ? sink(arg, in->out, in->out_len) : 0;

	in->out_len = 0;
	return rc;
}

/* A full quad gives three octets, fewer with padding. */
static int
quad_done(struct crl_input *in)
{
	uint32_t v = (uint32_t)in->quad[0] << 18 | (uint32_t)in->quad[1] << 12 |
	    (uint32_t)in->quad[2] << 6 | in->quad[3];

	/* Bits that padding hides must be zero: one encoding, one CRL. */
	if ((in->pads == 1 && (v & 0xff) != 0) || (in->pads == 2 && (v & 0xffff) != 0))
		return fail(in, E_DER, 0, "RFC 4648 3.5: stray bits at the end of base64");
	in->out[in->out_len++] = (uint8_t)(v >> 16);
	if (in->pads < 2)
		in->out[in->out_len++] = (uint8_t)(v >> 8);
	if (in->pads < 1)
		in->out[in->out_len++] = (uint8_t)v;
	in->quad_len = 0;
	return 0;
}

static int
base64(struct crl_input *in, uint8_t c)
{
	if (is_space(c)) {
		in->newline = c == '\n';
		return 0;
	}
	if (c == '-' && in->newline && in->quad_len == 0) {
		in->state = CRL_INPUT_END_LINE;
		in->matched = 1;
		return 0;
	}
	in->newline = false;
	if (c == '=' && in->quad_len >= 2) {
		in->pads++;
		in->quad[in->quad_len++] = 0;
	} else if (digits[c] != 0 && in->pads == 0) {
		in->quad[in->quad_len++] = digits[c] - 1;
	} else {
		return fail(in, E_DER, 0, "RFC 4648: not base64");
	}
	return in->quad_len == 4 ? quad_done(in) : 0;
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
		return base64(in, c);
	case CRL_INPUT_END_LINE:
		return ending(in, c);
	case CRL_INPUT_AFTER:
		return after(in, c);
	case CRL_INPUT_START:
	case CRL_INPUT_DER:
		break;
	}
	return 0;
}

int
crl_input_feed(struct crl_input *in, const void *data, size_t len, crl_input_sink *sink, void *arg)
{
	const uint8_t *p = data;
	size_t at = 0;
	int rc;

	if (in->error != E_NONE)
		return -EBADMSG;
	in->received += len;
	if (in->state == CRL_INPUT_START && len > 0 && (rc = start(in, p[0])) < 0)
		return rc;
	if (in->state == CRL_INPUT_DER)
		return len > 0 ? sink(arg, p, len) : 0;
	while (at < len) {
		if (in->state == CRL_INPUT_BASE64)
			at += base64_run(in, p + at, len - at);
		if (in->out_len + 3 > sizeof(in->out) && (rc = flush(in, sink, arg)) != 0)
			return rc;
		if (at < len && (rc = one(in, p[at++])) < 0)
			return rc;
	}
	return flush(in, sink, arg);
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
		(void)fail(in, E_NOT_CRL, CRL_OTHER_TEXT, "text without a CRL in it");
		break;
	case CRL_INPUT_BASE64:
	case CRL_INPUT_END_LINE:
		(void)fail(in, E_TRUNC, 0, "the PEM block ends too early");
		break;
	case CRL_INPUT_DER:
	case CRL_INPUT_AFTER:
		break;
	}
	return in->error;
}
