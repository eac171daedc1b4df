/* SPDX-License-Identifier: GPL-2.0-or-later */
/* args.c -- the command line, sorted by one table; and the readers of values.
 * Pure: says what is wrong, prints nothing, reads no clock. */
#include "ctl/args.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static enum opt
find_option(const char *name, size_t len)
{
	int o;

	for (o = 0; o < OPTS; o++)
		if (strlen(opt_infos[o].name) == len && memcmp(opt_infos[o].name, name, len) == 0)
			return (enum opt)o;
	return OPTS;
}

static const char *
option_name(const void *arg, size_t i)
{
	(void)arg;
	return opt_infos[i].name;
}

/* Options that take a value, but none with the commands of this noun. */
static const struct {
	enum opt opt;
	const char *noun;
} bare_options[] = {
	{ OPT_CONFIRM, "crl" },
};

static bool
is_bare(enum opt o, const char *noun)
{
	size_t i;

	for (i = 0; noun != NULL && i < sizeof(bare_options) / sizeof(bare_options[0]); i++)
		if (bare_options[i].opt == o && strcmp(bare_options[i].noun, noun) == 0)
			return true;
	return opt_infos[o].value == NULL;
}

static int
unknown_option(const char *name, size_t len, char why[ARGS_WHY_LEN])
{
	char word[64];
	const char *near;

	snprintf(word, sizeof(word), "%.*s", (int)(len < 60 ? len : 60), name);
	near = args_nearest(word, OPTS, option_name, NULL);
	if (near != NULL)
		snprintf(why, ARGS_WHY_LEN, "unknown option --%s; did you mean --%s?", word, near);
	else
		snprintf(why, ARGS_WHY_LEN, "unknown option --%s", word);
	return -EINVAL;
}

static int
add_option(struct args *a, enum opt o, const char *value, char why[ARGS_WHY_LEN])
{
	if (!opt_infos[o].many && value != NULL && args_has(a, o)) {
		snprintf(why, ARGS_WHY_LEN, "--%s is given twice", opt_infos[o].name);
		return -EINVAL;
	}
	if (a->n_given == ARGS_OPTIONS_MAX) {
		snprintf(why, ARGS_WHY_LEN, "more than %d options", ARGS_OPTIONS_MAX);
		return -EINVAL;
	}
	a->given[a->n_given].opt = o;
	a->given[a->n_given].value = value;
	a->n_given++;
	return 0;
}

/* One "--name", "--name=value" or "--name value"; *i moves past what was used. */
static int
take_option(int argc, char *const argv[], int *i, struct args *a, char why[ARGS_WHY_LEN])
{
	const char *name = argv[*i] + 2, *equals = strchr(name, '='), *value = NULL;
	size_t len = equals != NULL ? (size_t)(equals - name) : strlen(name);
	enum opt o = find_option(name, len);
	bool bare;

	if (o == OPTS)
		return unknown_option(name, len, why);
	bare = is_bare(o, a->n_words > 0 ? a->words[0] : NULL);
	if (bare && equals != NULL) {
		snprintf(why, ARGS_WHY_LEN, "--%s takes no value", opt_infos[o].name);
		return -EINVAL;
	}
	if (!bare) {
		value = equals != NULL ? equals + 1 : *i + 1 < argc ? argv[++*i] : NULL;
		if (value == NULL) {
			snprintf(why, ARGS_WHY_LEN, "--%s needs a value: --%s %s",
			    opt_infos[o].name, opt_infos[o].name, opt_infos[o].value);
			return -EINVAL;
		}
	}
	return add_option(a, o, value, why);
}

int
args_parse(int argc, char *const argv[], struct args *out, char why[ARGS_WHY_LEN])
{
	bool only_words = false;
	int i, rc;

	out->n_words = out->n_given = 0;
	for (i = 1; i < argc; i++) {
		if (!only_words && strcmp(argv[i], "--") == 0) {
			only_words = true;
			continue;
		}
		if (!only_words && strcmp(argv[i], "-h") == 0) {
			if ((rc = add_option(out, OPT_HELP, NULL, why)) < 0)
				return rc;
			continue;
		}
		if (!only_words && strncmp(argv[i], "--", 2) == 0) {
			if ((rc = take_option(argc, argv, &i, out, why)) < 0)
				return rc;
			continue;
		}
		if (!only_words && argv[i][0] == '-' && argv[i][1] != '\0') {
			snprintf(why, ARGS_WHY_LEN, "unknown option %.60s; options are written out, as --json",
			    argv[i]);
			return -EINVAL;
		}
		if (out->n_words == ARGS_WORDS_MAX) {
			snprintf(why, ARGS_WHY_LEN, "too many words, from \"%.60s\" on", argv[i]);
			return -EINVAL;
		}
		out->words[out->n_words++] = argv[i];
	}
	return 0;
}

bool
args_has(const struct args *a, enum opt o)
{
	unsigned i;

	for (i = 0; i < a->n_given; i++)
		if (a->given[i].opt == o)
			return true;
	return false;
}

const char *
args_nth(const struct args *a, enum opt o, unsigned nth)
{
	unsigned i;

	for (i = 0; i < a->n_given; i++)
		if (a->given[i].opt == o && nth-- == 0)
			return a->given[i].value;
	return NULL;
}

const char *
args_value(const struct args *a, enum opt o)
{
	return args_nth(a, o, 0);
}

/* ---- near words --------------------------------------------------------- */

#define NEAR_LEN 64	/* longer words are compared by their beginning */

unsigned
args_distance(const char *a, const char *b)
{
	unsigned row[3][NEAR_LEN + 1], i, j, best;
	unsigned n = (unsigned)strnlen(a, NEAR_LEN), m = (unsigned)strnlen(b, NEAR_LEN);

	for (j = 0; j <= m; j++)
		row[0][j] = j;
	for (i = 1; i <= n; i++) {
		unsigned *now = row[i % 3], *up = row[(i - 1) % 3], *upper = row[(i + 1) % 3];

		now[0] = i;
		for (j = 1; j <= m; j++) {
			best = up[j - 1] + (a[i - 1] != b[j - 1]);
			if (up[j] + 1 < best)
				best = up[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    upper[j - 2] + 1 < best)
				best = upper[j - 2] + 1;
			now[j] = best;
		}
	}
	return row[n % 3][m];
}

const char *
args_nearest(const char *word, size_t n, const char *(*get)(const void *arg, size_t i), const void *arg)
{
	/* Beyond a third of its letters a word is another word. */
	unsigned near = 1 + (unsigned)strlen(word) / 3, d;
	const char *best = NULL;
	size_t i;

	for (i = 0; i < n; i++) {
		d = args_distance(word, get(arg, i));
		if (d < near || (d == near && best == NULL)) {
			near = d;
			best = get(arg, i);
		}
	}
	return best;
}

/* ---- values ------------------------------------------------------------- */

int
args_number(const char *text, uint32_t max, uint32_t *out)
{
	uint64_t n = 0;
	size_t i;

	if (text[0] == '\0')
		return -EINVAL;
	for (i = 0; text[i] != '\0'; i++) {
		if (!isdigit((unsigned char)text[i]))
			return -EINVAL;
		n = n * 10 + (uint64_t)(text[i] - '0');
		if (n > max)
			return -EINVAL;
	}
	*out = (uint32_t)n;
	return 0;
}

int
args_duration(const char *text, int64_t *ms)
{
	static const struct {
		char unit;
		int64_t ms;
	} units[] = {
		{ 's', 1000 }, { 'm', 60000 }, { 'h', 3600000 }, { 'd', 86400000 },
	};
	char digits[16];
	size_t i, len = strlen(text);
	uint32_t n;

	if (len < 2 || len > sizeof(digits))
		return -EINVAL;
	memcpy(digits, text, len - 1);
	digits[len - 1] = '\0';
	if (args_number(digits, UINT32_MAX, &n) < 0)
		return -EINVAL;
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (text[len - 1] != units[i].unit)
			continue;
		if (n > INT64_MAX / units[i].ms)
			return -ERANGE;
		*ms = n * units[i].ms;
		return 0;
	}
	return -EINVAL;
}

/* Exactly n digits at *p. */
static int
take_digits(const char **p, unsigned n, int *out)
{
	int v = 0;

	for (; n > 0; n--, (*p)++) {
		if (!isdigit((unsigned char)**p))
			return -EINVAL;
		v = v * 10 + (**p - '0');
	}
	*out = v;
	return 0;
}

static int
take_char(const char **p, char c)
{
	if (**p != c)
		return -EINVAL;
	(*p)++;
	return 0;
}

/* "Z", "+hh:mm" or "-hh:mm", and nothing behind it. */
static int
take_offset(const char **p, int64_t *ms)
{
	int sign = **p == '-' ? -1 : 1, h, m;

	if (**p == 'Z' || **p == 'z') {
		(*p)++;
		*ms = 0;
		return **p == '\0' ? 0 : -EINVAL;
	}
	if (**p != '+' && **p != '-')
		return -EINVAL;
	(*p)++;
	if (take_digits(p, 2, &h) < 0 || take_char(p, ':') < 0 || take_digits(p, 2, &m) < 0 ||
	    h > 23 || m > 59 || **p != '\0')
		return -EINVAL;
	*ms = sign * (h * 3600 + m * 60) * INT64_C(1000);
	return 0;
}

int
args_rfc3339(const char *text, int64_t *ms)
{
	const char *p = text;
	struct tm tm = { .tm_isdst = 0 };
	int64_t offset = 0, part = 0, scale = 100;
	int month, day;
	time_t t;

	if (take_digits(&p, 4, &tm.tm_year) < 0 || take_char(&p, '-') < 0 ||
	    take_digits(&p, 2, &month) < 0 || take_char(&p, '-') < 0 ||
	    take_digits(&p, 2, &tm.tm_mday) < 0 || tm.tm_year < 1970)
		return -EINVAL;
	if (*p != '\0') {
		if (*p != 'T' && *p != 't' && *p != ' ')
			return -EINVAL;
		p++;
		if (take_digits(&p, 2, &tm.tm_hour) < 0 || take_char(&p, ':') < 0 ||
		    take_digits(&p, 2, &tm.tm_min) < 0 || take_char(&p, ':') < 0 ||
		    take_digits(&p, 2, &tm.tm_sec) < 0 ||
		    tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
			return -EINVAL;
		if (*p == '.') {
			if (!isdigit((unsigned char)*++p))
				return -EINVAL;
			for (; isdigit((unsigned char)*p); p++, scale /= 10)
				part += (*p - '0') * scale;
		}
		if (take_offset(&p, &offset) < 0)
			return -EINVAL;
	}
	if (tm.tm_sec == 60) {	/* a leap second: timegm knows none */
		tm.tm_sec = 59;
		part += 1000;
	}
	tm.tm_mon = month - 1;
	tm.tm_year -= 1900;
	day = tm.tm_mday;
	t = timegm(&tm);
	/* timegm makes 2 March of 30 February: that is a mistake, not a date. */
	if (tm.tm_mon != month - 1 || tm.tm_mday != day)
		return -EINVAL;
	*ms = (int64_t)t * 1000 + part - offset;
	return 0;
}
