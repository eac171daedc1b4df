/* SPDX-License-Identifier: GPL-2.0-or-later */
/* header.h -- what a server says about its answer. Pure: foreign bytes, no clock. */
#ifndef CORDON_FETCH_HEADER_H
#define CORDON_FETCH_HEADER_H

#include <stddef.h>
#include <stdint.h>

#define RETRY_AFTER_MAX_S 2592000U	/* 30 days: nobody waits longer for a server */

/* The value of a header line, when it is the one called name ("ETag:", letters
 * count alike) and fits: a value that was cut off would be another one. */
void header_take(const char *line, size_t n, const char *name, char *out, size_t size);

/* RFC 9110 10.2.3: Retry-After, a number of seconds or a date. now_s: the server's
 * clock, or ours where it does not show it. 0: it says nothing that we understand;
 * at most RETRY_AFTER_MAX_S. */
uint32_t header_retry_after(const char *value, int64_t now_s);

#endif
