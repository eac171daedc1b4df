/* SPDX-License-Identifier: GPL-2.0-or-later */
/* csv.c -- RFC 4180 in place: quoted fields, doubled quotes, line ends within
 * quotes, CRLF or LF. Knows nothing of what the columns mean. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "config/csv.h"

void
csv_init(struct csv *c, char *text, size_t len)
{
	size_t i;

	*c = (struct csv){ .text = text, .len = len, .separator = ',', .line = 1 };
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		c->pos = 3;
	for (i = c->pos; i < len && text[i] != '\n'; i++) {
		if (strchr(",;\t", text[i]) != NULL && text[i] != '\0') {
			c->separator = text[i];
			break;
		}
	}
}

static bool
is_blank(const struct csv *c, char x)
{
	return (x == ' ' || x == '\t') && x != c->separator;
}

/* At a line's end, or the text's; steps over it. */
static bool
line_ends(struct csv *c)
{
	if (c->pos == c->len)
		return true;
	if (c->text[c->pos] == '\r' && c->pos + 1 == c->len) {
		c->pos++;
		return true;
	}
	if (c->text[c->pos] == '\r' && c->text[c->pos + 1] == '\n')
		c->pos++;
	if (c->text[c->pos] != '\n')
		return false;
	c->pos++;
	c->line++;
	return true;
}

/* Give up on this line. */
static void
skip_line(struct csv *c)
{
	while (!line_ends(c))
		c->pos++;
}

/* A field in quotes; pos is behind the opening one. */
static const char *
quoted_field(struct csv *c, char **out)
{
	char *to = c->text + c->pos;

	*out = to;
	for (;; c->pos++) {
		if (c->pos == c->len)
			return "a quote is opened and not closed: every \" needs its partner";
		if (c->text[c->pos] == '"') {
			c->pos++;
			if (c->text[c->pos] != '"')
				break;
		}
		if (c->text[c->pos] == '\n')
			c->line++;
		*to++ = c->text[c->pos];
	}
	while (is_blank(c, c->text[c->pos]))
		c->pos++;
	if (c->pos < c->len && c->text[c->pos] != c->separator && c->text[c->pos] != '\n' &&
	    c->text[c->pos] != '\r')
		return "something follows a closing quote: quote the whole field, and double quotes within";
	/* At most over the closing quote, never over what follows it. */
	*to = '\0';
	return NULL;
}

static void
plain_field(struct csv *c, char **out, char **end)
{
	while (is_blank(c, c->text[c->pos]))
		c->pos++;
	*out = c->text + c->pos;
	while (c->pos < c->len && c->text[c->pos] != c->separator && c->text[c->pos] != '\n' &&
	    !(c->text[c->pos] == '\r' && (c->text[c->pos + 1] == '\n' || c->pos + 1 == c->len)))
		c->pos++;
	*end = c->text + c->pos;
	while (*end > *out && is_blank(c, (*end)[-1]))
		--*end;
}

/* One row; pos is at its beginning. */
static int
read_row(struct csv *c, struct csv_row *row, const char **why)
{
	char *end;
	bool last;

	for (;;) {
		if (row->n == CSV_FIELDS_MAX) {
			*why = "too many columns";
			return -E2BIG;
		}
		while (is_blank(c, c->text[c->pos]))
			c->pos++;
		end = NULL;
		if (c->text[c->pos] == '"') {
			c->pos++;
			if ((*why = quoted_field(c, &row->fields[row->n])) != NULL)
				return -EBADMSG;
		} else {
			plain_field(c, &row->fields[row->n], &end);
		}
		row->n++;
		last = c->pos == c->len || c->text[c->pos] != c->separator;
		if (last)
			line_ends(c);
		else
			c->pos++;
		/* Only now that what stood there was looked at. */
		if (end != NULL)
			*end = '\0';
		if (last)
			return 1;
	}
}

int
csv_next(struct csv *c, struct csv_row *out, const char **why)
{
	int rc;

	while (c->pos < c->len) {
		out->line = c->line;
		out->n = 0;
		if ((rc = read_row(c, out, why)) < 0) {
			skip_line(c);
			return rc;
		}
		if (out->n > 1 || out->fields[0][0] != '\0')
			return 1;
	}
	return 0;
}
