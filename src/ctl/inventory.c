/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inventory.c -- give every row of a CSV inventory a class, without touching
 * anything else in it. What the columns mean is cordon-compile's business. */
#include "ctl/inventory.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The record at text: its length without the line end, and with it. A line end
 * inside quotes belongs to a field. */
static int
find_record(const char *text, size_t len, size_t *inner, size_t *whole)
{
	bool quoted = false;
	size_t i;

	for (i = 0; i < len; i++) {
		if (text[i] == '"')
			quoted = !quoted;
		if (text[i] == '\n' && !quoted)
			break;
	}
	if (quoted)
		return -EINVAL;
	*whole = i < len ? i + 1 : i;
	*inner = i > 0 && text[i - 1] == '\r' ? i - 1 : i;
	return 0;
}

/* What separates columns: the first candidate in the header line. */
static char
find_separator(const char *header, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (header[i] == ',' || header[i] == ';' || header[i] == '\t')
			return header[i];
	return ',';
}

static bool
has_column(const char *header, size_t len, char separator, const char *name)
{
	/* a byte order mark, as spreadsheets write it */
	size_t at = len >= 3 && memcmp(header, "\xef\xbb\xbf", 3) == 0 ? 3 : 0, end;

	while (at <= len) {
		for (end = at; end < len && header[end] != separator; end++)
			;
		while (at < end && (isspace((unsigned char)header[at]) || header[at] == '"'))
			at++;
		if (end - at >= strlen(name) && strncasecmp(header + at, name, strlen(name)) == 0) {
			at += strlen(name);
			while (at < end && (isspace((unsigned char)header[at]) || header[at] == '"'))
				at++;
			if (at == end)
				return true;
		}
		at = end + 1;
	}
	return false;
}

static bool
is_blank(const char *record, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (!isspace((unsigned char)record[i]))
			return false;
	return true;
}

static int
write_all(FILE *out, const char *csv, size_t len, const char *class)
{
	const char *more = "class";
	char separator = ',';
	size_t at, inner, whole;
	int rc;

	for (at = 0; at < len; at += whole) {
		if ((rc = find_record(csv + at, len - at, &inner, &whole)) < 0)
			return rc;
		if (is_blank(csv + at, inner)) {
			fwrite(csv + at, 1, whole, out);
			continue;
		}
		if (more != class) {
			/* the first record names the columns */
			separator = find_separator(csv + at, inner);
			if (has_column(csv + at, inner, separator, "class"))
				return -EEXIST;
		}
		fwrite(csv + at, 1, inner, out);
		fprintf(out, "%c%s", separator, more);
		fwrite(csv + at + inner, 1, whole - inner, out);
		more = class;
	}
	return 0;
}

int
inventory_add_class(const char *csv, size_t len, const char *class, char **out, size_t *out_len)
{
	char *text = NULL;
	size_t text_len = 0;
	FILE *f = open_memstream(&text, &text_len);
	int rc;

	if (f == NULL)
		return -ENOMEM;
	rc = write_all(f, csv, len, class);
	if (fclose(f) == EOF && rc == 0)
		rc = -ENOMEM;
	if (rc < 0) {
		free(text);
		return rc;
	}
	*out = text;
	*out_len = text_len;
	return 0;
}
