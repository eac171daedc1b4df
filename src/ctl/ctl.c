/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl.c -- how a command answers: text for people, or one JSON object. */
#include "ctl/ctl.h"

#include <stdarg.h>
#include <stdlib.h>

#include "ctl/answer.h"
#include "ctl/format.h"

int
ctl_fail(struct ctl *c, int exit, const char *fmt, ...)
{
	char text[2048], shown[4096];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fprintf(c->err, "cordonctl: %s\n", format_text(text, shown, sizeof(shown)));
	if (c->json)
		return ctl_json(c, exit, json_pack("{s:o, s:i}", "error", answer_text(text), "exit", exit));
	return exit;
}

int
ctl_json(struct ctl *c, int exit, json_t *answer)
{
	size_t flags = c->terminal ? JSON_INDENT(2) : JSON_COMPACT;

	if (answer == NULL) {
		fprintf(c->err, "cordonctl: no memory for the answer\n");
		return EXIT_MISTAKES;
	}
	if (json_dumpf(answer, c->out, flags) < 0 || fputc('\n', c->out) == EOF)
		exit = EXIT_MISTAKES;
	json_decref(answer);
	return exit;
}

void
ctl_lines(const char *text, FILE *out)
{
	json_t *lines = answer_lines(text), *line;
	char shown[8192];
	size_t i;

	json_array_foreach(lines, i, line)
		fprintf(out, "%s\n", format_text(json_string_value(line), shown, sizeof(shown)));
	json_decref(lines);
}
