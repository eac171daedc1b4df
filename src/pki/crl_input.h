/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crl_input.h -- what a server sends as CRLs: one in DER, or one or several in PEM
 * with text around them (RFC 7468). Decided on the first bytes, never on a content
 * type. Pure; streams. One bad block does not spoil the next. */
#ifndef CORDON_PKI_CRL_INPUT_H
#define CORDON_PKI_CRL_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/messages.h"

#define CRL_INPUT_TEXT_MAX 65536	/* text before, between or after PEM blocks, each */
#define CRL_INPUT_CRLS	   1024		/* in one body */
#define CRL_INPUT_OUT	   6144

/* detail of E_NOT_CRL */
enum crl_input_other { CRL_OTHER_TEXT = 1, CRL_OTHER_HTML, CRL_OTHER_GZIP, CRL_OTHER_BINARY };

/* Gets the CRLs of a body one after the other: begin, der in pieces, end; the
 * next begins only after end. Called by crl_input_feed and crl_input_finish only. */
struct crl_input_taker {
	/* The n-th, from 0. Not 0: this one is not wanted, and neither der nor end
	 * is called for it. */
	int (*begin)(void *arg, uint32_t n);
	/* Not 0: no more of this one; end is still called. Where nothing else can
	 * come (DER), crl_input_feed returns it. */
	int (*der)(void *arg, const uint8_t *der, size_t len);
	/* All of it came: E_NONE; or its wrapping is broken: E_DER, E_TRUNC, and why. */
	void (*end)(void *arg, enum source_error, const char *why);
};

enum crl_input_state {
	CRL_INPUT_START,
	CRL_INPUT_DER,
	CRL_INPUT_TEXT,
	CRL_INPUT_BASE64,
	CRL_INPUT_END_LINE,
};

struct crl_input {
	const struct crl_input_taker *taker;	/* borrowed, with its arg */
	void *arg;
	enum crl_input_state state;
	enum source_error error;	/* of the body as a whole */
	uint32_t detail;
	const char *why;
	uint64_t received;
	uint32_t n;		/* CRLs that began */
	uint32_t text;		/* octets of text in a row */
	uint32_t matched;	/* of the line that begins or ends a block; ~0: not this line */
	int refused;		/* what der said of this one */
	bool open;		/* between begin and end */
	bool skipping;		/* the rest of a block that is none */
	bool only_spaces;
	bool newline;		/* the octet before was one */
	uint8_t quad_len;
	uint8_t quad[4];
	uint8_t pads;		/* '=' seen: the end of the base64 */
	size_t out_len;
	uint8_t out[CRL_INPUT_OUT];
};

void crl_input_init(struct crl_input *, const struct crl_input_taker *, void *arg);

/* 0; -EBADMSG with error, detail and why: no more can be read from this body, what
 * ended before stands; or, with DER, what the taker returned. */
int crl_input_feed(struct crl_input *, const void *data, size_t len);

/* All bytes came; ends a CRL that is still open. About the body: E_NONE when a CRL
 * began in it (what became of each, its end said), E_EMPTY, E_NOT_CRL, E_TRAILING. */
enum source_error crl_input_finish(struct crl_input *);

#endif
