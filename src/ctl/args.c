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

const struct opt_info opt_infos[OPTS] = {
	[OPT_JSON] = { "json", NULL, false, "answer as JSON" },
	[OPT_RUN] = { "run", "DIR", false, "folder of the control socket" },
	[OPT_CONFIG] = { "config", "DIR", false, "folder of the configuration" },
	[OPT_STATE] = { "state", "DIR", false, "folder of the evidence" },
	[OPT_PROGRAMS] = { "programs", "DIR", false, "folder of cordon-compile" },
	[OPT_HELP] = { "help", NULL, false, "say how to use this" },
	[OPT_VERSION] = { "version", NULL, false, "say which version this is" },
	[OPT_NFT] = { "nft", NULL, false, "print the ruleset in nft's syntax" },
	[OPT_CLASS] = { "class", "CLASS", false, "the device's class; or only devices of this class" },
	[OPT_STATION] = { "station", "STATION", false,
	    "only devices that stand there: enforced, audited or quarantined" },
	[OPT_MAC] = { "mac", "MAC", false, "the device's Ethernet address" },
	[OPT_ADDRESS] = { "address", "ADDRESS", true, "an IPv4 or IPv6 address of the device" },
	[OPT_INTERFACE] = { "interface", "INTERFACE", false, "the device's router port" },
	[OPT_AUTHORITY] = { "authority", "AUTHORITY", false, "who issued its certificate" },
	[OPT_SERIAL] = { "serial", "HEX", false, "the certificate's serial number" },
	[OPT_LABEL] = { "label", "LABEL", true, "a label of the device; or only devices that have it" },
	[OPT_REPLACE] = { "replace", NULL, false, "overwrite a file of that name" },
	[OPT_REASON] = { "reason", "TEXT", false, "why; or only attempts refused for this reason" },
	[OPT_REVOKED] = { "revoked", NULL, false, "lift a revocation too, until its CRL is read again" },
	[OPT_WAIT] = { "wait", NULL, false, "wait until it is over, show the result" },
	[OPT_DEVICE] = { "device", "NAME", false, "this device; only attempts of this device" },
	[OPT_SINCE] = { "since", "TIME", false, "only later ones: 90s, 15m, 1h, 7d ago, or RFC 3339" },
	[OPT_LIMIT] = { "limit", "N", false, "at most N rows" },
	[OPT_AS] = { "as", "FORM", false, "print an inventory to edit: csv or config" },
	[OPT_FOLLOW] = { "follow", NULL, false, "go on as new ones come" },
	[OPT_CONFIRM] = { "confirm", "TIME", false, "go back after 60s, 5m, 1h unless `policy confirm' comes" },
	[OPT_FORCE] = { "force", NULL, false, "even if it cuts your own connection" },
	[OPT_TO] = { "to", "ADDRESS", false, "where the device goes: an address, a device, a name, or appliance" },
	[OPT_FROM] = { "from", "ADDRESS", false, "who begins a connection to the device" },
	[OPT_TCP] = { "tcp", "PORT", false, "for this TCP port" },
	[OPT_UDP] = { "udp", "PORT", false, "for this UDP port" },
	[OPT_SCTP] = { "sctp", "PORT", false, "for this SCTP port" },
	[OPT_ICMP] = { "icmp", "TYPE", false, "for this type of ICMP or ICMPv6, by name or number" },
	[OPT_PROTOCOL] = { "protocol", "PROTOCOL", false, "for this protocol, by name or number" },
	[OPT_AT] = { "at", "TIME", false, "at that time: 2027-03-28T02:30 (local), or RFC 3339" },
	[OPT_CANDIDATE] = { "candidate", "DIR", false, "a configuration that does not run" },
	[OPT_STAGED] = { "staged", NULL, false, "exactly what is staged, not the configuration as it is now" },
	[OPT_PREVIOUS] = { "previous", "IMAGE", false, "compare with this policy image, not with what runs" },
};

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
	if (!opt_infos[o].many && opt_infos[o].value != NULL && args_has(a, o)) {
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

	if (o == OPTS)
		return unknown_option(name, len, why);
	if (opt_infos[o].value == NULL && equals != NULL) {
		snprintf(why, ARGS_WHY_LEN, "--%s takes no value", opt_infos[o].name);
		return -EINVAL;
	}
	if (opt_infos[o].value != NULL) {
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
	struct args a = { .n_words = 0 };
	bool only_words = false;
	int i, rc;

	for (i = 1; i < argc; i++) {
		if (!only_words && strcmp(argv[i], "--") == 0) {
			only_words = true;
			continue;
		}
		if (!only_words && strcmp(argv[i], "-h") == 0) {
			if ((rc = add_option(&a, OPT_HELP, NULL, why)) < 0)
				return rc;
			continue;
		}
		if (!only_words && strncmp(argv[i], "--", 2) == 0) {
			if ((rc = take_option(argc, argv, &i, &a, why)) < 0)
				return rc;
			continue;
		}
		if (!only_words && argv[i][0] == '-' && argv[i][1] != '\0') {
			snprintf(why, ARGS_WHY_LEN, "unknown option %.60s; options are written out, as --json",
			    argv[i]);
			return -EINVAL;
		}
		if (a.n_words == ARGS_WORDS_MAX) {
			snprintf(why, ARGS_WHY_LEN, "too many words, from \"%.60s\" on", argv[i]);
			return -EINVAL;
		}
		a.words[a.n_words++] = argv[i];
	}
	*out = a;
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
