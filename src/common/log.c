/* SPDX-License-Identifier: GPL-2.0-or-later */
/* log.c -- one write per line to standard error. Holds no file open and never blocks on a lock. */
#include "common/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1024

static const char *log_program = "cordon";
static bool log_is_debug;

void
log_init(const char *program, bool debug)
{
	log_program = program;
	log_is_debug = debug;
}

/* Bytes below the space and DEL could forge a second line or move a
 * terminal's cursor; bytes from 0x80 on are left, they may be UTF-8. */
static void
show_controls(char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			s[i] = '?';
	}
}

/* How much of size is filled after snprintf said n. */
static size_t
filled(int n, size_t size)
{
	if (n < 0)
		return 0;
	return (size_t)n < size ? (size_t)n : size - 1;
}

static void __attribute__((format(printf, 3, 0)))
log_line(int priority, int err, const char *fmt, va_list ap)
{
	char line[LINE_MAX_BYTES + 1];
	int saved = errno;
	size_t len;
	ssize_t n;

	len = filled(
	    snprintf(line, LINE_MAX_BYTES, "<%d>%s: ", priority, log_program), LINE_MAX_BYTES);
	len += filled(vsnprintf(line + len, LINE_MAX_BYTES - len, fmt, ap), LINE_MAX_BYTES - len);
	if (err != 0)
		len +=
		    filled(snprintf(line + len, LINE_MAX_BYTES - len, ": %s", strerror(abs(err))),
			LINE_MAX_BYTES - len);
	show_controls(line, len);
	line[len++] = '\n';
	do {
		n = write(STDERR_FILENO, line, len);
	} while (n < 0 && errno == EINTR);
	errno = saved;
}

void
log_debug(const char *fmt, ...)
{
	va_list ap;

	if (!log_is_debug)
		return;
	va_start(ap, fmt);
	log_line(LOG_DEBUG, 0, fmt, ap);
	va_end(ap);
}

void
log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(LOG_INFO, 0, fmt, ap);
	va_end(ap);
}

void
log_warn(int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(LOG_WARNING, err, fmt, ap);
	va_end(ap);
}

void
log_error(int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(LOG_ERR, err, fmt, ap);
	va_end(ap);
}

void
log_fatal(int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(LOG_ERR, err, fmt, ap);
	va_end(ap);
	exit(1);
}
