/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reader.c -- mistakes, tables of keys, and values of the right type. Knows no
 * single key by name. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "config/reader.h"
#include "model/words.h"

#define WORD_MAX 40	/* longer ones are no typing mistakes */

void
mistake(struct reader *r, unsigned line, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	mistakes_add(r->m, r->p->files[r->file], line, "%s", text);
}

void
advice(struct reader *r, unsigned line, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	mistakes_warn(r->m, r->p->files[r->file], line, "%s", text);
}

struct where
reader_where(const struct reader *r, unsigned line)
{
	return (struct where){ .file = r->file, .line = line };
}

void *
reader_grow(struct reader *r, void *array, size_t n, size_t record)
{
	void **slot = array;
	void *grown = r->error == 0 ? policy_grow(*slot, n, record) : NULL;

	if (grown == NULL) {
		r->error = r->error != 0 ? r->error : -ENOMEM;
		return NULL;
	}
	*slot = grown;
	return (char *)grown + n * record;
}

char *
reader_copy(struct reader *r, const char *text)
{
	char *copy = strdup(text);

	if (copy == NULL && r->error == 0)
		r->error = -ENOMEM;
	return copy;
}

/* ---- files -------------------------------------------------------------- */

int
read_plain(int dirfd, const char *path, size_t max, uint8_t **out, size_t *len)
{
	int fd = openat(dirfd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	int rc = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		rc = -errno;
	else if (!S_ISREG(st.st_mode))
		rc = S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	if (rc == 0)
		rc = file_read_fd(fd, max, out, len);
	close(fd);
	return rc;
}

/* ---- typing mistakes ---------------------------------------------------- */

/* How many letters must be added, dropped or changed; more than WORD_MAX for
 * words that are too long to tell. */
static size_t
distance(const char *a, const char *b)
{
	size_t row[WORD_MAX + 1], n = strlen(a), m = strlen(b), i, k, diagonal, above;

	if (n > WORD_MAX || m > WORD_MAX)
		return WORD_MAX + 1;
	for (k = 0; k <= m; k++)
		row[k] = k;
	for (i = 1; i <= n; i++) {
		diagonal = row[0];
		row[0] = i;
		for (k = 1; k <= m; k++) {
			above = row[k];
			row[k] = diagonal + (a[i - 1] != b[k - 1]);
			if (above + 1 < row[k])
				row[k] = above + 1;
			if (row[k - 1] + 1 < row[k])
				row[k] = row[k - 1] + 1;
			diagonal = above;
		}
	}
	return row[m];
}

const char *
closest(const char *word, const char *(*nth)(const void *arg, size_t n), const void *arg)
{
	const char *best = NULL, *name;
	size_t least = strlen(word) / 3 + 2, d, i;

	for (i = 0; (name = nth(arg, i)) != NULL; i++) {
		d = distance(word, name);
		if (d < least) {
			least = d;
			best = name;
		}
	}
	return best;
}

/* ---- keys --------------------------------------------------------------- */

const char *
type_name(const config_setting_t *s)
{
	switch (config_setting_type(s)) {
	case CONFIG_TYPE_GROUP:
		return "a group { }";
	case CONFIG_TYPE_LIST:
		return "a list ( )";
	case CONFIG_TYPE_ARRAY:
		return "an array [ ]";
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		return "a number";
	case CONFIG_TYPE_FLOAT:
		return "a number with a point";
	case CONFIG_TYPE_STRING:
		return "a string";
	case CONFIG_TYPE_BOOL:
		return "true or false";
	}
	return "nothing";
}

unsigned
line_of(const config_setting_t *s)
{
	return config_setting_source_line(s);
}

const char *
key_of(const config_setting_t *s)
{
	while (s != NULL && config_setting_name(s) == NULL)
		s = config_setting_parent(s);
	return s != NULL ? config_setting_name(s) : "value";
}

static const char *
nth_key(const void *arg, size_t n)
{
	const struct key *keys = arg;

	return keys[n].name;
}

/* Tells it, and which key was probably meant; NULL when none is near. */
static const char *
unknown_key(struct reader *r, const config_setting_t *s, const struct key *keys, const char *what)
{
	const char *near = closest(config_setting_name(s), nth_key, keys);
	char all[512];
	size_t i, used = 0;

	if (near != NULL) {
		mistake(r, line_of(s), "unknown key `%.64s' in %s: did you mean `%s'?", config_setting_name(s),
		    what, near);
		return near;
	}
	all[0] = '\0';
	for (i = 0; keys[i].name != NULL && used < sizeof(all); i++)
		used += (size_t)snprintf(all + used, sizeof(all) - used, "%s%s", i == 0 ? "" : ", ", keys[i].name);
	mistake(r, line_of(s), "unknown key `%.64s' in %s: the keys are %s", config_setting_name(s), what, all);
	return NULL;
}

bool
read_group(struct reader *r, const config_setting_t *s, const struct key *keys, const char *what, void *target)
{
	const config_setting_t *member;
	uint32_t seen = 0;
	unsigned i, n, k;
	const char *near;

	if (!config_setting_is_group(s)) {
		mistake(r, line_of(s), "%s is written as %s: a group in braces is expected, as in { %s = ...; }",
		    what, type_name(s), keys[0].name);
		return false;
	}
	n = (unsigned)config_setting_length(s);
	for (i = 0; i < n && r->error == 0; i++) {
		member = config_setting_get_elem(s, i);
		for (k = 0; keys[k].name != NULL; k++)
			if (strcmp(keys[k].name, config_setting_name(member)) == 0)
				break;
		if (keys[k].name != NULL) {
			seen |= 1U << k;
			keys[k].read(r, member, target);
		} else if ((near = unknown_key(r, member, keys, what)) != NULL) {
			for (k = 0; keys[k].name != near; k++)
				continue;
			seen |= 1U << k;
		}
	}
	for (k = 0; keys[k].name != NULL; k++)
		if (keys[k].needed != NULL && (seen & 1U << k) == 0)
			mistake(r, line_of(s), "%s has no `%s': %s", what, keys[k].name, keys[k].needed);
	r->seen = seen;
	return true;
}

void
read_list(struct reader *r, const config_setting_t *s, const char *example,
    void (*fn)(struct reader *, const config_setting_t *))
{
	unsigned i, n;

	if (!config_setting_is_list(s)) {
		mistake(r, line_of(s), "`%s' is %s: a list of groups is expected, as in %s = ( %s )", key_of(s),
		    type_name(s), key_of(s), example);
		return;
	}
	n = (unsigned)config_setting_length(s);
	for (i = 0; i < n && r->error == 0; i++)
		fn(r, config_setting_get_elem(s, i));
}

/* ---- values ------------------------------------------------------------- */

const char *
want_string(struct reader *r, const config_setting_t *s, const char *example)
{
	if (config_setting_type(s) == CONFIG_TYPE_STRING)
		return config_setting_get_string(s);
	mistake(r, line_of(s), "`%s' is %s: a string in double quotes is expected, as in %s = \"%s\"", key_of(s),
	    type_name(s), key_of(s), example);
	return NULL;
}

bool
want_name(struct reader *r, const config_setting_t *s, const char *what, const char *example, char **out)
{
	const char *text = want_string(r, s, example);

	if (text == NULL || (*out = reader_copy(r, text)) == NULL)
		return false;
	if (name_is_valid(text))
		return true;
	mistake(r, line_of(s), "%s name \"%.64s\": letters, digits, '.', '_' and '-', at most %u of them", what, text,
	    LIMIT_NAME - 1);
	return false;
}

bool
want_bool(struct reader *r, const config_setting_t *s)
{
	if (config_setting_type(s) == CONFIG_TYPE_BOOL)
		return config_setting_get_bool(s) != 0;
	mistake(r, line_of(s), "`%s' is %s: true or false is expected", key_of(s), type_name(s));
	return false;
}

bool
within_limit(struct reader *r, unsigned line, size_t n, size_t max, const char *what, bool *told)
{
	if (n < max)
		return true;
	if (!*told)
		mistake(r, line, "more than %zu %s: at most that many are possible", max, what);
	*told = true;
	/* Names that are not found may be among those. */
	r->p->incomplete = true;
	return false;
}

bool
want_number(struct reader *r, const config_setting_t *s, long long min, long long max, long long *out)
{
	int type = config_setting_type(s);
	long long n;

	if (type != CONFIG_TYPE_INT && type != CONFIG_TYPE_INT64) {
		mistake(r, line_of(s), "`%s' is %s: a number from %lld to %lld is expected", key_of(s),
		    type_name(s), min, max);
		return false;
	}
	n = type == CONFIG_TYPE_INT ? config_setting_get_int(s) : config_setting_get_int64(s);
	if (n < min || n > max) {
		mistake(r, line_of(s), "`%s' is %lld: from %lld to %lld is possible", key_of(s), n, min, max);
		return false;
	}
	*out = n;
	return true;
}

bool
want_duration(struct reader *r, const config_setting_t *s, uint32_t min, uint32_t max, uint32_t *out)
{
	char low[DURATION_STRLEN], high[DURATION_STRLEN];
	const char *text = want_string(r, s, "15m");
	uint32_t seconds;
	int rc;

	if (text == NULL)
		return false;
	rc = duration_parse(text, &seconds);
	if (rc == -EINVAL) {
		mistake(r, line_of(s), "`%s' is \"%.64s\": a number and a unit is expected, as in \"90s\", \"15m\", "
		    "\"1h\" or \"7d\"", key_of(s), text);
		return false;
	}
	if (rc < 0 || seconds < min || seconds > max) {
		mistake(r, line_of(s), "`%s' is \"%.64s\": from \"%s\" to \"%s\" is possible", key_of(s), text,
		    duration_format(min, low), duration_format(max, high));
		return false;
	}
	*out = seconds;
	return true;
}

void
each_value(struct reader *r, const config_setting_t *s,
    void (*fn)(struct reader *, const config_setting_t *, void *arg), void *arg)
{
	const config_setting_t *value;
	unsigned i, n;

	if (!config_setting_is_aggregate(s)) {
		fn(r, s, arg);
		return;
	}
	if (config_setting_is_group(s)) {
		mistake(r, line_of(s), "`%s' is a group { }: a value or a list of values is expected", key_of(s));
		return;
	}
	n = (unsigned)config_setting_length(s);
	if (n == 0)
		mistake(r, line_of(s), "`%s' is empty: name something, or leave the key out", key_of(s));
	for (i = 0; i < n && r->error == 0; i++) {
		value = config_setting_get_elem(s, i);
		if (config_setting_is_aggregate(value))
			mistake(r, line_of(value), "`%s' holds %s within a list: one value after another is expected",
			    key_of(s), type_name(value));
		else
			fn(r, value, arg);
	}
}
