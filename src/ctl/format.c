/* SPDX-License-Identifier: GPL-2.0-or-later */
/* format.c -- text for a terminal: escaped, aligned, in UTC.
 * Nothing is printed that was not escaped here: names, reasons and whatever
 * devices chose may be hostile. */
#include "ctl/format.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"

/* ---- characters --------------------------------------------------------- */

/* The length of the UTF-8 character at p, and its code; 0 when it is none.
 * Stops at the NUL, so never reads beyond it. */
static size_t
utf8_next(const unsigned char *p, uint32_t *code)
{
	static const struct {
		unsigned char mask, lead;
		uint32_t min;	/* shorter forms of the same code are forgeries */
	} forms[] = {
		{ 0x80, 0x00, 0 }, { 0xe0, 0xc0, 0x80 }, { 0xf0, 0xe0, 0x800 }, { 0xf8, 0xf0, 0x10000 },
	};
	size_t n, i;

	for (n = 0; n < 4; n++)
		if ((p[0] & forms[n].mask) == forms[n].lead)
			break;
	if (n == 4)
		return 0;
	*code = p[0] & (unsigned char)~forms[n].mask;
	for (i = 1; i <= n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (p[i] & 0x3f);
	}
	if (*code < forms[n].min || *code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000))
		return 0;
	return n + 1;
}

/* Characters that do something to a terminal or to the reader: controls, what
 * has no width, what changes the direction of writing, private use. */
static bool
is_harmful(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{ 0x0000, 0x001f }, { 0x007f, 0x009f }, { 0x00ad, 0x00ad }, { 0x0300, 0x036f },
		{ 0x061c, 0x061c }, { 0x200b, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f },
		{ 0xe000, 0xf8ff }, { 0xfe00, 0xfe0f }, { 0xfeff, 0xfeff }, { 0xfff0, 0xffff },
		{ 0xe0000, 0x10ffff },
	};
	size_t i;

	for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

const char *
format_text(const char *text, char *buf, size_t size)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t at = 0, n, i;
	uint32_t code;

	while (*p != '\0') {
		n = utf8_next(p, &code);
		if (n > 0 && !is_harmful(code)) {
			if (at + n >= size)
				break;
			memcpy(buf + at, p, n);
			at += n;
			p += n;
			continue;
		}
		if (n == 0)
			n = 1;
		if (at + 4 * n >= size)
			break;
		for (i = 0; i < n; i++, at += 4)
			snprintf(buf + at, size - at, "\\x%02x", p[i]);
		p += n;
	}
	buf[at] = '\0';
	return buf;
}

bool
format_is_clean(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	uint32_t code;
	size_t n;

	for (; *p != '\0'; p += n) {
		n = utf8_next(p, &code);
		if (n == 0 || is_harmful(code))
			return false;
	}
	return true;
}

/* ---- numbers and times -------------------------------------------------- */

const char *
format_count(uint64_t n, char buf[COUNT_STRLEN])
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%" PRIu64, n), i;
	size_t at = 0;

	for (i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			buf[at++] = ',';
		buf[at++] = digits[i];
	}
	buf[at] = '\0';
	return buf;
}

const char *
format_time(int64_t wall_ms, char buf[TIME_STRLEN])
{
	char text[RFC3339_STRLEN];

	if (wall_ms == 0) {
		snprintf(buf, TIME_STRLEN, "-");
		return buf;
	}
	clock_format(wall_ms, text);
	if (strlen(text) >= 19)
		text[10] = ' ';
	snprintf(buf, TIME_STRLEN, "%.19s", text);
	return buf;
}

const char *
format_age(int64_t then, int64_t now, char buf[AGO_STRLEN])
{
	int64_t s = now > then ? (now - then) / 1000 : 0;

	if (s < 120)
		snprintf(buf, AGO_STRLEN, "%" PRId64 " s", s);
	else if (s < 120 * 60)
		snprintf(buf, AGO_STRLEN, "%" PRId64 " min", s / 60);
	else if (s < 48 * 3600)
		snprintf(buf, AGO_STRLEN, "%" PRId64 " h", s / 3600);
	else
		snprintf(buf, AGO_STRLEN, "%" PRId64 " d", s / 86400);
	return buf;
}

const char *
format_microseconds(uint32_t us, char buf[COUNT_STRLEN])
{
	if (us < 1000)
		snprintf(buf, COUNT_STRLEN, "%" PRIu32 " us", us);
	else if (us < 1000000)
		snprintf(buf, COUNT_STRLEN, "%.1f ms", us / 1e3);
	else
		snprintf(buf, COUNT_STRLEN, "%.2f s", us / 1e6);
	return buf;
}

const char *
format_hex(const uint8_t *bytes, size_t len, char *buf)
{
	size_t i;

	buf[0] = '\0';
	for (i = 0; i < len; i++)
		snprintf(buf + 2 * i, 3, "%02x", bytes[i]);
	return buf;
}

/* ---- tables ------------------------------------------------------------- */

/* Columns on a terminal; all that is_harmful lets pass is taken for one wide. */
static size_t
text_width(const char *text)
{
	size_t width = 0;

	for (; *text != '\0'; text++)
		if (((unsigned char)*text & 0xc0) != 0x80)
			width++;
	return width;
}

static const char *
head_text(const char *head)
{
	return head[0] == '>' ? head + 1 : head;
}

void
table_init(struct table *t, const char *const *heads)
{
	memset(t, 0, sizeof(*t));
	while (heads[t->n_columns] != NULL && t->n_columns < TABLE_COLUMNS_MAX) {
		t->heads[t->n_columns] = heads[t->n_columns];
		t->widths[t->n_columns] = text_width(head_text(heads[t->n_columns]));
		t->n_columns++;
	}
}

static void
forget_rows(struct table *t)
{
	size_t i;

	for (i = 0; i < t->n_cells; i++)
		free(t->cells[i]);
	t->n_cells = 0;
}

void
table_done(struct table *t)
{
	forget_rows(t);
	free(t->cells);
	memset(t, 0, sizeof(*t));
}

void
table_cell(struct table *t, const char *text)
{
	size_t column = t->n_cells % t->n_columns, width;
	char shown[1024], *copy, **more;

	if (t->failed)
		return;
	if (t->n_cells == t->max_cells) {
		size_t max = t->max_cells != 0 ? 2 * t->max_cells : 64;

		if ((more = reallocarray(t->cells, max, sizeof(*more))) == NULL) {
			t->failed = true;
			return;
		}
		t->cells = more;
		t->max_cells = max;
	}
	if ((copy = strdup(format_text(text, shown, sizeof(shown)))) == NULL) {
		t->failed = true;
		return;
	}
	if ((width = text_width(copy)) > t->widths[column])
		t->widths[column] = width;
	t->cells[t->n_cells++] = copy;
}

void
table_cellf(struct table *t, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	table_cell(t, text);
}

size_t
table_rows(const struct table *t)
{
	return t->n_cells / t->n_columns;
}

static void
print_cell(const struct table *t, size_t column, const char *text, FILE *out)
{
	size_t fill = t->widths[column] - text_width(text);
	bool right = t->heads[column][0] == '>', last = column + 1 == t->n_columns;

	fprintf(out, "%*s%s%*s", right ? (int)fill : 0, "", text,
	    right || last ? 0 : (int)fill, "");
	fputs(last ? "\n" : "  ", out);
}

int
table_print(struct table *t, bool heads, FILE *out)
{
	size_t i;

	if (t->failed)
		return -ENOMEM;
	for (i = 0; heads && i < t->n_columns; i++)
		print_cell(t, i, head_text(t->heads[i]), out);
	for (i = 0; i < t->n_cells; i++)
		print_cell(t, i % t->n_columns, t->cells[i], out);
	forget_rows(t);
	return 0;
}
