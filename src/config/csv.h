/* SPDX-License-Identifier: GPL-2.0-or-later */
/* csv.h -- rows of comma-separated values (RFC 4180), as spreadsheets write them. */
#ifndef CORDON_CONFIG_CSV_H
#define CORDON_CONFIG_CSV_H

#include <stddef.h>

#define CSV_FIELDS_MAX 64

struct csv {
	char *text;		/* borrowed, and changed: fields end up as strings in it */
	size_t len;
	size_t pos;
	char separator;		/* ',' or ';' or tab: the first of them in the first line */
	unsigned line;		/* where the next row begins */
};

struct csv_row {
	unsigned line;
	size_t n;
	char *fields[CSV_FIELDS_MAX];	/* without surrounding blanks when they were not quoted */
};

/* text[len] must be NUL. A byte order mark is skipped. */
void csv_init(struct csv *, char *text, size_t len);

/* The next row that is not empty. 1; 0 at the end; -EBADMSG (a quote that does
 * not end, or something follows one; *why says which) and -E2BIG (too many
 * fields): out->line tells where, and reading may go on at the next line. */
int csv_next(struct csv *, struct csv_row *out, const char **why);

#endif
