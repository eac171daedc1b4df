/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crl_input.h -- what a server sends as a CRL: DER, or PEM with text around it.
 * Decided on the first bytes, never on a content type. Pure; streams. */
#ifndef CORDON_PKI_CRL_INPUT_H
#define CORDON_PKI_CRL_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/messages.h"

#define CRL_INPUT_TEXT_MAX 65536	/* text before or after the PEM block */
#define CRL_INPUT_OUT	   6144

/* detail of E_NOT_CRL */
enum crl_input_other { CRL_OTHER_TEXT = 1, CRL_OTHER_HTML, CRL_OTHER_GZIP, CRL_OTHER_BINARY };

/* Gets the DER in pieces; not 0 ends it. */
typedef int crl_input_sink(void *arg, const uint8_t *der, size_t len);

enum crl_input_state {
	CRL_INPUT_START,
	CRL_INPUT_DER,
	CRL_INPUT_TEXT,
	CRL_INPUT_BASE64,
	CRL_INPUT_END_LINE,
	CRL_INPUT_AFTER,
};

struct crl_input {
	enum crl_input_state state;
	enum source_error error;
	uint32_t detail;
	const char *why;
	uint64_t received;
	uint32_t text;		/* octets of text so far */
	uint32_t matched;	/* of the line that begins or ends a block; ~0: not this line */
	bool only_spaces;
	bool newline;		/* the octet before was one */
	uint8_t quad_len;
	uint8_t quad[4];
	uint8_t pads;		/* '=' seen: the end of the base64 */
	size_t out_len;
	uint8_t out[CRL_INPUT_OUT];
};

void crl_input_init(struct crl_input *);

/* 0; -EBADMSG with error, detail and why; or what the sink returned. */
int crl_input_feed(struct crl_input *, const void *data, size_t len, crl_input_sink *, void *arg);

/* All bytes came. E_NONE, E_EMPTY, E_NOT_CRL or E_TRUNC. */
enum source_error crl_input_finish(struct crl_input *);

#endif
