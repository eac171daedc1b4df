/* SPDX-License-Identifier: GPL-2.0-or-later */
/* explain_change.h -- what one would have to write to have it otherwise. */
#ifndef CORDON_CTL_EXPLAIN_CHANGE_H
#define CORDON_CTL_EXPLAIN_CHANGE_H

#include <stdint.h>

#include "ctl/explain_show.h"

#define SERVICE_WORDS_LEN 48
/* "tcp 8883", "icmp echo-request", "protocol gre"; returns buf. */
const char *service_words(uint8_t protocol, uint16_t port, char buf[SERVICE_WORDS_LEN]);

#define CHANGE_STRLEN 4096
/* Lines ready to be copied, and where to; NULL when no policy can change it.
 * Returns buf. */
const char *change_words(const struct answer *, char buf[CHANGE_STRLEN]);

#endif
