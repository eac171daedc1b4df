/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mistakes.c -- collect what is wrong with a policy, one line each. Never stops
 * at the first; a line that finds no memory is still counted. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/policy.h"
#include "model/text.h"
#include "proto/limits.h"

#define MISTAKE_BYTES 1024	/* longest line */

void
mistakes_init(struct mistakes *m)
{
	memset(m, 0, sizeof(*m));
}

size_t
mistakes_kept(size_t n)
{
	return n < LIMIT_MISTAKES ? n : LIMIT_MISTAKES;
}

void
mistakes_done(struct mistakes *m)
{
	size_t i;

	for (i = 0; i < mistakes_kept(m->n); i++)
		free(m->lines[i]);
	for (i = 0; i < mistakes_kept(m->n_warnings); i++)
		free(m->warnings[i]);
	memset(m, 0, sizeof(*m));
}

static void __attribute__((format(printf, 5, 0)))
line_add(char **lines, size_t *n, const char *file, uint32_t line, const char *fmt, va_list ap)
{
	char text[MISTAKE_BYTES];
	size_t used = 0;

	if ((*n)++ >= LIMIT_MISTAKES)
		return;
	if (file != NULL && line != 0)
		used = (size_t)snprintf(text, sizeof(text), "%.400s:%u: ", file, line);
	else if (file != NULL)
		used = (size_t)snprintf(text, sizeof(text), "%.400s: ", file);
	vsnprintf(text + used, sizeof(text) - used, fmt, ap);
	text_clean(text);
	lines[*n - 1] = strdup(text);
}

void
mistakes_add(struct mistakes *m, const char *file, uint32_t line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	line_add(m->lines, &m->n, file, line, fmt, ap);
	va_end(ap);
}

void
mistakes_warn(struct mistakes *m, const char *file, uint32_t line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	line_add(m->warnings, &m->n_warnings, file, line, fmt, ap);
	va_end(ap);
}
