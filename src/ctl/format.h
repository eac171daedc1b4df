/* SPDX-License-Identifier: GPL-2.0-or-later */
/* format.h -- text for a terminal: escaped, aligned, in UTC. */
#ifndef CORDON_CTL_FORMAT_H
#define CORDON_CTL_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Text that others may have chosen, as it may be shown: what would move the
 * cursor, change colours, reverse the writing or break a line becomes \xNN.
 * At most size - 1 bytes, never a part of a character. Returns buf. */
const char *format_text(const char *text, char *buf, size_t size);

/* True when text is clean UTF-8 that format_text would leave as it is. */
bool format_is_clean(const char *text);

#define COUNT_STRLEN 32
/* "1,200"; returns buf. */
const char *format_count(uint64_t n, char buf[COUNT_STRLEN]);

#define TIME_STRLEN 32
/* "2026-11-22 11:20:59"; "-" for 0. UTC. Returns buf. */
const char *format_time(int64_t wall_ms, char buf[TIME_STRLEN]);

#define AGO_STRLEN 32
/* "3 s", "12 min", "5 h", "9 d" between two times; "0 s" when then is later. Returns buf. */
const char *format_age(int64_t then, int64_t now, char buf[AGO_STRLEN]);

/* "1.2 ms" of microseconds; returns buf. */
const char *format_microseconds(uint32_t us, char buf[COUNT_STRLEN]);

/* "034f"; returns buf, which has room for 2 * len + 1. */
const char *format_hex(const uint8_t *bytes, size_t len, char *buf);

/* ---- tables ------------------------------------------------------------- */

#define TABLE_COLUMNS_MAX 12

/* Rows are kept until printed, so that columns fit their widest cell. */
struct table {
	size_t n_columns;
	const char *heads[TABLE_COLUMNS_MAX];	/* borrowed; a leading '>' aligns to the right */
	char **cells;		/* row after row */
	size_t n_cells, max_cells;
	size_t widths[TABLE_COLUMNS_MAX];
	bool failed;		/* memory ran out */
};

/* heads ends with NULL. */
void table_init(struct table *, const char *const *heads);
void table_done(struct table *);

/* The next cell, left to right, row after row; escaped here. */
void table_cell(struct table *, const char *text);
void table_cellf(struct table *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

size_t table_rows(const struct table *);

/* Print it, with its heads or without, and forget the rows; widths only grow,
 * so that what follows stands under it. 0 or -ENOMEM. */
int table_print(struct table *, bool heads, FILE *);

#endif
