/* SPDX-License-Identifier: GPL-2.0-or-later */
/* answer.c -- mistakes and warnings, as text and as JSON. */
#include <errno.h>
#include <jansson.h>
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

static json_t *
json_line(const char *text)
{
	unsigned line = 0;
	size_t file_len = 0, at = place_of(text, &file_len, &line);

	if (at == 0)
		return json_pack("{s:n, s:n, s:s}", "file", "line", "text", text);
	return json_pack("{s:s%, s:i, s:s}", "file", text, file_len, "line", (int)line, "text", text + at);
}

static json_t *
json_lines(char *const *lines, size_t n, const char *what)
{
	json_t *array = json_array();
	char more[64];
	size_t i;

	for (i = 0; i < mistakes_kept(n); i++)
		if (json_array_append_new(array, json_line(kept_line(lines, i))) < 0)
			goto fail;
	if (n > i) {
		snprintf(more, sizeof(more), "%zu more %s are not shown", n - i, what);
		if (json_array_append_new(array, json_line(more)) < 0)
			goto fail;
	}
	return array;
fail:
	json_decref(array);
	return NULL;
}

int
answer_json(const struct mistakes *m, const struct image *im, FILE *out)
{
	json_t *answer = json_pack("{s:o, s:o, s:i, s:i}",
	    "mistakes", json_lines(m->lines, m->n, "mistakes"),
	    "warnings", json_lines(m->warnings, m->n_warnings, "warnings"),
	    "devices", im == NULL ? 0 : (int)im->n[IMAGE_DEVICES],
	    "classes", im == NULL ? 0 : (int)im->n[IMAGE_CLASSES] - 1);
	int rc;

	if (answer == NULL)
		return -ENOMEM;
	rc = json_dumpf(answer, out, JSON_INDENT(2));
	json_decref(answer);
	fputc('\n', out);
	return rc < 0 || ferror(out) ? -EIO : 0;
}
