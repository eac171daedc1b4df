/* SPDX-License-Identifier: GPL-2.0-or-later */
/* log.h -- one line per event to standard error, with the priority prefix
 * that journald understands ("<4>cordond: ..."). Used by programs, at the
 * top; common/ and model/ return codes and reasons instead. */
#ifndef CORDON_COMMON_LOG_H
#define CORDON_COMMON_LOG_H

#include <stdbool.h>

void log_init(const char *program, bool debug);

/* The message is one line: control characters that slipped in are shown as '?'. */
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* err is an errno or its negative; its text is appended. 0 appends nothing. */
void log_warn(int err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_error(int err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* For start-up only, before the first foreign byte: log_error and exit 1. */
_Noreturn void log_fatal(int err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
