/* SPDX-License-Identifier: GPL-2.0-or-later */
/* events.h -- what happened to devices, asked of cordond and checked. */
#ifndef CORDON_CTL_EVENTS_H
#define CORDON_CTL_EVENTS_H

#include <stddef.h>

#include "ctl/client.h"
#include "ctl/view.h"
#include "proto/history.h"

struct events {
	const struct device_event *list;	/* oldest first; mapped */
	size_t n;
	uint32_t damaged;
	size_t len;
};

/* Of one device (number; 0: of all). 0 or -errno, without a word. */
int events_ask(struct client *, uint32_t device, struct events *);
void events_done(struct events *);

const char *event_word(uint32_t what);	/* "quarantined", ... */

#define EVENT_STRLEN 512
/* What is to be said of it beyond its word; returns buf. */
const char *event_text(const struct view *, const struct device_event *, char buf[EVENT_STRLEN]);
json_t *event_json(const struct view *, const struct device_event *);

#endif
