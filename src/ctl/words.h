/* SPDX-License-Identifier: GPL-2.0-or-later */
/* words.h -- the numbers of revocation in words: the same in tables, in JSON and
 * in sentences, and what to do about each trouble. "?" for a number that is none
 * of ours: the other end is newer. */
#ifndef CORDON_CTL_WORDS_H
#define CORDON_CTL_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "proto/messages.h"

const char *word_source_error(uint32_t error);	/* "" for E_NONE */
const char *word_source_error_key(uint32_t error);	/* "E_SIG"; for JSON */
const char *word_source_error_advice(uint32_t error);	/* what to do about it; "" when it helps itself */

/* RFC 5280 5.3.1. word_crl_reason_of: the number, or -1. */
const char *word_crl_reason(uint32_t reason);
int word_crl_reason_of(const char *word);
#define CRL_REASON_WORDS "unspecified, keyCompromise, cACompromise, affiliationChanged, superseded, " \
	"cessationOfOperation, certificateHold, privilegeWithdrawn, aACompromise"

#define CAUSE_STRLEN 96
/* "revoked", "operator", "revoked, operator", "-"; returns buf. */
const char *word_cause(uint32_t cause, char buf[CAUSE_STRLEN]);

/* The same as an array of words. */
json_t *answer_cause(uint32_t cause);

/* "clean", "stale", ...; without CHECK_CHAIN_UNKNOWN. */
const char *word_check(uint32_t check);

/* "its certificate stands on a CRL"; "" for none. */
const char *word_evidence(uint32_t evidence);
const char *word_evidence_key(uint32_t evidence);	/* "certificate", "issuer", "key", "ocsp"; for JSON */

/* Bits of enum pki_alarm and of enum crl_warning: keys for JSON ... */
json_t *answer_alarms(uint32_t alarms);
json_t *answer_warnings(uint32_t warnings);
/* ... and the words of the how manieth bit; NULL: it is not set. */
const char *word_warning(uint32_t warnings, unsigned bit);

#define NUMBER_STRLEN 96
/* A CRL number as its people write it: in decimal up to eight octets, in
 * hexadecimal ("0x...") beyond. Returns buf. */
const char *word_crl_number(const uint8_t *number, size_t len, char buf[NUMBER_STRLEN]);

#endif
