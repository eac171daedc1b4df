/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sources.h -- the sources of revocation as people and programs see them: a
 * row, an object, and every trouble in a sentence. Pure; asks nobody. */
#ifndef CORDON_CTL_SOURCES_H
#define CORDON_CTL_SOURCES_H

#include <jansson.h>

#include "ctl/format.h"
#include "ctl/view.h"

/* A source that should have been asked this long ago: somebody does not work. */
#define SOURCE_OVERDUE_MS (15 * 60 * 1000LL)

struct sources_sum {
	uint32_t n;
	uint32_t states[SOURCE_EXPIRED + 1];
	uint32_t failing;	/* at the last try, or with a CRL that clears nobody */
	uint32_t overdue;
	uint32_t alarms;	/* authorities that have any */
};

bool source_is_of(const struct view *, uint32_t i, uint32_t authority);	/* number; 0: all */

/* The address that answered last; the first one before any did. */
const char *source_url(const struct view *, uint32_t i);
bool source_is_delta(const struct view *, uint32_t i);
bool source_is_overdue(const struct view *, uint32_t i);

/* "E_FETCH: the transfer failed (HTTP status 404)"; "" when all is well. */
const char *source_error_text(const struct view *, uint32_t i, char *buf, size_t size);

json_t *source_json(const struct view *, uint32_t i);
void sources_table(struct table *);
void source_row(struct table *, const struct view *, uint32_t i);

/* One sentence for each thing that is not as it should be, into an array. */
void source_troubles(const struct view *, uint32_t i, json_t *problems, json_t *notes);

/* Counts and alarms of an authority. i: its index. Notes are what somebody should
 * look at though nothing fails. */
json_t *authority_json(const struct view *, uint32_t i);
void authority_troubles(const struct view *, uint32_t i, json_t *problems, json_t *notes);

void sources_count(const struct view *, uint32_t authority, struct sources_sum *);

/* Nothing is stale, expired, never fetched, failing or overdue, and there is no alarm. */
bool sources_are_current(const struct sources_sum *);

/* Append a sentence. */
void trouble_say(json_t *list, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
