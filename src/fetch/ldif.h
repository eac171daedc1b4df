/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ldif.h -- the CRLs in what libcurl makes of an LDAP answer: lines like
 *
 *	DN: cn=CA,dc=example
 *	\tcertificateRevocationList;binary:: MIIB...
 *
 * with each value on a line of its own. Pure, no allocation: bytes come in pieces
 * of any size, values go out as they come, whatever their size. */
#ifndef CORDON_FETCH_LDIF_H
#define CORDON_FETCH_LDIF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ldif_phase {
	LDIF_NAME,	/* of an attribute, from the beginning of a line */
	LDIF_COLON,	/* behind the first colon: is there another? */
	LDIF_TEXT,	/* a value as it is */
	LDIF_BASE64,	/* a value in base64 */
	LDIF_SKIP,	/* to the end of the line */
};

/* What comes out; 0, or a number that ldif_feed returns at once. */
struct ldif_sink {
	int (*begin)(void *arg);	/* a value begins */
	int (*bytes)(void *arg, const uint8_t *, size_t);
	void *arg;
};

#define LDIF_NAME_MAX 64

struct ldif {
	enum ldif_phase phase;
	char name[LDIF_NAME_MAX];
	size_t name_len;
	uint32_t bits;		/* of the quad under way */
	unsigned n_bits;
	bool padded;		/* a '=' came: no digit may follow */
	uint32_t values;
	uint64_t others;	/* bytes of what holds no CRL */
	uint8_t out[3072];
	size_t n_out;
};

void ldif_init(struct ldif *);
/* 0, -EBADMSG for base64 that is none, or what the sink said. */
int ldif_feed(struct ldif *, const void *, size_t, const struct ldif_sink *);
/* The last line may lack its end. */
int ldif_finish(struct ldif *, const struct ldif_sink *);

#endif
