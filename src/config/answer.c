/* SPDX-License-Identifier: GPL-2.0-or-later */
/* answer.c -- mistakes and warnings, as text and as JSON. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "config/answer.h"

/* "classes.d/sensor.conf:3: text": where the text begins, 0 when no place is
 * named. *file_len and *line tell the place. */
static size_t
place_of(const char *text, size_t *file_len, unsigned *line)
{
	const char *at = text;
	char *end;

	while ((at = strchr(at, ':')) != NULL) {
		at++;
		if (*at < '0' || *at > '9')
			continue;
		*line = (unsigned)strtoul(at, &end, 10);
		if (end[0] != ':' || end[1] != ' ')
			continue;
		*file_len = (size_t)(at - 1 - text);
		return (size_t)(end + 2 - text);
	}
	return 0;
}

static const char *
kept_line(char *const *lines, size_t i)
{
	return lines[i] != NULL ? lines[i] : "memory is short";
}

static void
print_mistakes(const struct mistakes *m, FILE *out)
{
	size_t i;

	for (i = 0; i < mistakes_kept(m->n); i++)
		fprintf(out, "%s\n", kept_line(m->lines, i));
	if (m->n > i)
		fprintf(out, "%zu more mistakes are not shown\n", m->n - i);
}

char *
answer_mistakes(const struct mistakes *m, size_t *len)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, len);

	if (f == NULL)
		return NULL;
	print_mistakes(m, f);
	if (fclose(f) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

void
answer_text(const struct mistakes *m, FILE *out)
{
	const char *text;
	size_t i, at, file_len;
	unsigned line;

	print_mistakes(m, out);
	for (i = 0; i < mistakes_kept(m->n_warnings); i++) {
		text = kept_line(m->warnings, i);
		at = place_of(text, &file_len, &line);
		fprintf(out, "%.*swarning: %s\n", (int)at, text, text + at);
	}
	if (m->n_warnings > i)
		fprintf(out, "%zu more warnings are not shown\n", m->n_warnings - i);
}

/* The text is printable UTF-8 already (mistakes_add saw to it). */
static void
json_string(const char *text, size_t len, FILE *out)
{
	size_t i;

	fputc('"', out);
	for (i = 0; i < len; i++) {
		if (text[i] == '"' || text[i] == '\\')
			fputc('\\', out);
		fputc(text[i], out);
	}
	fputc('"', out);
}

static void
json_line(const char *text, bool first, FILE *out)
{
	size_t file_len, at;
	unsigned line;

	at = place_of(text, &file_len, &line);
	fputs(first ? "\n    {\"file\": " : ",\n    {\"file\": ", out);
	if (at == 0) {
		fputs("null, \"line\": null, \"text\": ", out);
	} else {
		json_string(text, file_len, out);
		fprintf(out, ", \"line\": %u, \"text\": ", line);
	}
	json_string(text + at, strlen(text + at), out);
	fputc('}', out);
}

static void
json_lines(char *const *lines, size_t n, const char *what, FILE *out)
{
	char more[64];
	size_t i;

	fprintf(out, "  \"%s\": [", what);
	for (i = 0; i < mistakes_kept(n); i++)
		json_line(kept_line(lines, i), i == 0, out);
	if (n > i) {
		snprintf(more, sizeof(more), "%zu more %s are not shown", n - i, what);
		json_line(more, false, out);
	}
	fputs(n > 0 ? "\n  ],\n" : "],\n", out);
}

int
answer_json(const struct mistakes *m, const struct image *im, FILE *out)
{
	fputs("{\n", out);
	json_lines(m->lines, m->n, "mistakes", out);
	json_lines(m->warnings, m->n_warnings, "warnings", out);
	fprintf(out, "  \"devices\": %u,\n  \"classes\": %u\n}\n", im == NULL ? 0 : im->n[IMAGE_DEVICES],
	    im == NULL ? 0 : image_declared_classes(im));
	return ferror(out) ? -EIO : 0;
}
