/* SPDX-License-Identifier: GPL-2.0-or-later */
/* history.h -- the history of the policy, asked of cordond and checked. */
#ifndef CORDON_CTL_HISTORY_H
#define CORDON_CTL_HISTORY_H

#include <stddef.h>

#include "ctl/client.h"
#include "proto/history.h"

struct history {
	const struct history_entry *entries;	/* oldest first; mapped */
	size_t n;
	uint32_t damaged;
	size_t len;
};

/* 0 or -errno, without a word. */
int history_ask(struct client *, struct history *);
void history_done(struct history *);

const char *history_what_word(uint32_t what);
const char *history_why_word(uint32_t why);	/* "deadline"; "" for none */
const char *history_why_text(uint32_t why);	/* for people */

#endif
