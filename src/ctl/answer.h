/* SPDX-License-Identifier: GPL-2.0-or-later */
/* answer.h -- values of JSON answers; and our numbers in words, the same words
 * in tables and in JSON. */
#ifndef CORDON_CTL_ANSWER_H
#define CORDON_CTL_ANSWER_H

#include <stdint.h>

#include <jansson.h>

#include "ctl/words.h"

/* Text as it is when it is UTF-8, escaped as in tables otherwise. */
json_t *answer_text(const char *);

/* RFC 3339, or null for 0. */
json_t *answer_time(int64_t wall_ms);

/* A count; beyond what JSON's readers agree on (2^63 - 1) it stays there. */
json_t *answer_count(uint64_t);

/* An array of the text's lines; empty ones are left out. */
json_t *answer_lines(const char *text);

/* "?" for a number that is none of ours: the other end is newer. */
const char *word_station(uint32_t where);
const char *word_source_state(uint32_t state);
const char *word_table_mode(uint32_t mode);

#define PROTOCOL_STRLEN 16
/* "tcp", "udp", ..., or the number; returns buf. */
const char *word_protocol(uint8_t protocol, char buf[PROTOCOL_STRLEN]);

#endif
