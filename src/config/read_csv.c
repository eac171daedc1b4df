/* SPDX-License-Identifier: GPL-2.0-or-later */
/* read_csv.c -- an inventory: a header line that names the columns, then a
 * device per row. Values mean what they mean in devices = ( ... ). */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "config/csv.h"
#include "config/reader.h"
#include "proto/limits.h"

enum column { C_NAME, C_CLASS, C_MAC, C_VIA, C_ADDRESS, C_INTERFACE, C_AUTHORITY, C_SERIAL, C_LABELS, C_CRITICAL,
	COLUMNS };

static const char *const column_names[COLUMNS + 1] = {
	[C_NAME] = "name", [C_CLASS] = "class", [C_MAC] = "mac", [C_VIA] = "via", [C_ADDRESS] = "address",
	[C_INTERFACE] = "interface", [C_AUTHORITY] = "authority", [C_SERIAL] = "serial", [C_LABELS] = "labels",
	[C_CRITICAL] = "critical",
};

/* Where each column stands in a row; -1: it is not there. */
struct layout {
	int at[COLUMNS];
	size_t n;	/* columns in the header */
};

static const char *
nth_column(const void *arg, size_t n)
{
	(void)arg;
	return column_names[n];
}

static void
header_field(struct reader *r, unsigned line, struct layout *l, const char *field, int at)
{
	const char *near;
	size_t i;

	for (i = 0; i < COLUMNS; i++)
		if (strcasecmp(field, column_names[i]) == 0)
			break;
	if (i < COLUMNS && l->at[i] >= 0) {
		mistake(r, line, "column \"%s\" stands there twice: once is enough", column_names[i]);
	} else if (i < COLUMNS) {
		l->at[i] = at;
	} else if ((near = closest(field, nth_column, NULL)) != NULL) {
		mistake(r, line, "unknown column \"%.64s\": did you mean \"%s\"?", field, near);
	} else {
		mistake(r, line, "unknown column \"%.64s\": the columns are name, class, mac, via, address, "
		    "interface, authority, serial, labels, critical, and the first line names them", field);
	}
}

static bool
read_header(struct reader *r, const struct csv_row *row, struct layout *l)
{
	static const enum column needed[] = { C_NAME, C_CLASS };
	size_t before = r->m->n, i;

	l->n = row->n;
	for (i = 0; i < COLUMNS; i++)
		l->at[i] = -1;
	for (i = 0; i < row->n; i++)
		header_field(r, row->line, l, row->fields[i], (int)i);
	for (i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (l->at[needed[i]] < 0)
			mistake(r, row->line, "there is no column \"%s\": the first line names the columns, and "
			    "name, class and mac (or address and interface) are needed", column_names[needed[i]]);
	if (r->m->n == before && l->at[C_MAC] < 0 && (l->at[C_ADDRESS] < 0 || l->at[C_INTERFACE] < 0))
		mistake(r, row->line, "there is no column \"mac\": without it, devices are known by the columns "
		    "address and interface, and both are needed");
	return r->m->n == before;
}

/* NULL when the column is missing or the cell is empty. */
static char *
cell(const struct csv_row *row, const struct layout *l, enum column c)
{
	char *text;

	if (l->at[c] < 0 || (size_t)l->at[c] >= row->n)
		return NULL;
	text = row->fields[l->at[c]];
	return text[0] == '\0' ? NULL : text;
}

#define BETWEEN "; ,\t\r\n"

/* Several values in one cell: semicolons between them; commas and blanks will do. */
static void
each_word(struct reader *r, unsigned line, struct device_decl *d, char *text,
    void (*fn)(struct reader *, unsigned line, struct device_decl *, const char *))
{
	char *word, *state = NULL;

	if (text == NULL)
		return;
	for (word = strtok_r(text, BETWEEN, &state); word != NULL && r->error == 0;
	    word = strtok_r(NULL, BETWEEN, &state))
		fn(r, line, d, word);
}

/* ---- certificates ------------------------------------------------------- */

static size_t
count_words(const char *text)
{
	size_t n = 0;

	for (text += strspn(text, BETWEEN); *text != '\0'; text += strspn(text, BETWEEN)) {
		text += strcspn(text, BETWEEN);
		n++;
	}
	return n;
}

/* As many serials as certificates, the newest last; one authority for all of them, or
 * one for each. */
static void
read_certificates_of(struct reader *r, unsigned line, struct device_decl *d, char *authority, char *serial)
{
	size_t authorities = authority != NULL ? count_words(authority) : 0;
	size_t serials = serial != NULL ? count_words(serial) : 0, i;
	char *word, *name, *next = NULL, *next_name = NULL;
	struct certificate_decl *c;

	if ((authorities == 0) != (serials == 0) || (authorities > 1 && authorities != serials)) {
		mistake(r, line, authorities == 0 || serials == 0 ?
		    "authority and serial belong together: fill both or leave both empty" :
		    "there are more or fewer serials than authorities: one authority for all of them, or one for each");
		return;
	}
	if (serials > LIMIT_CERTIFICATES_PER_DEVICE) {
		mistake(r, line, "a device with %zu certificates: at most %u, the oldest can go", serials,
		    LIMIT_CERTIFICATES_PER_DEVICE);
		return;
	}
	for (i = 0, name = NULL; i < serials; i++) {
		word = strtok_r(i == 0 ? serial : NULL, BETWEEN, &next);
		if (i < authorities)
			name = strtok_r(i == 0 ? authority : NULL, BETWEEN, &next_name);
		if (word == NULL || name == NULL || (c = device_certificate(r, line, d)) == NULL)
			return;
		certificate_set_authority(r, line, c, name);
		certificate_set_serial(r, line, c, word);
	}
}

/* ---- rows --------------------------------------------------------------- */

static void
read_row(struct reader *r, const struct csv_row *row, const struct layout *l)
{
	const char *text;
	const struct identity written = { cell(row, l, C_MAC) != NULL, cell(row, l, C_VIA) != NULL,
		cell(row, l, C_ADDRESS) != NULL, cell(row, l, C_INTERFACE) != NULL };
	struct device_decl d;
	size_t i;

	memset(&d, 0, sizeof(d));
	d.where = reader_where(r, row->line);
	for (i = 0; i < row->n; i++)
		if (i >= l->n && row->fields[i][0] != '\0') {
			mistake(r, row->line, "the row has more fields than the header has columns: quote a field "
			    "that holds the separator");
			return;
		}
	if ((text = cell(row, l, C_NAME)) != NULL)
		device_set_name(r, row->line, &d, text);
	else
		mistake(r, row->line, "the row has no name: every device needs one");
	if ((text = cell(row, l, C_CLASS)) != NULL)
		device_set_class(r, row->line, &d, text);
	else
		mistake(r, row->line, "the row has no class: every device needs one");
	if ((text = cell(row, l, C_MAC)) != NULL)
		device_set_mac(r, row->line, &d, text);
	if ((text = cell(row, l, C_VIA)) != NULL)
		device_set_via(r, row->line, &d, text);
	if ((text = cell(row, l, C_INTERFACE)) != NULL)
		device_set_interface(r, row->line, &d, text);
	each_word(r, row->line, &d, cell(row, l, C_ADDRESS), device_add_address);
	each_word(r, row->line, &d, cell(row, l, C_LABELS), device_add_label);
	read_certificates_of(r, row->line, &d, cell(row, l, C_AUTHORITY), cell(row, l, C_SERIAL));
	if ((text = cell(row, l, C_CRITICAL)) != NULL)
		device_set_critical(r, row->line, &d, text);
	device_check_identity(r, &d, &written);
	device_finish(r, &d);
}

void
read_csv(struct reader *r, char *text, size_t len)
{
	const char *why = NULL;
	struct layout l;
	struct csv_row row;
	struct csv csv;
	int rc;

	csv_init(&csv, text, len);
	if ((rc = csv_next(&csv, &row, &why)) < 0) {
		mistake(r, row.line, "%s", why);
		return;
	}
	if (rc == 0) {
		advice(r, 0, "the inventory is empty");
		return;
	}
	if (!read_header(r, &row, &l)) {
		r->p->incomplete = true;
		return;
	}
	while (r->error == 0 && (rc = csv_next(&csv, &row, &why)) != 0) {
		if (rc < 0)
			mistake(r, row.line, "%s", why);
		else
			read_row(r, &row, &l);
	}
}
