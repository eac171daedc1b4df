/* SPDX-License-Identifier: GPL-2.0-or-later */
/* windows.c -- when the clocks of a time zone show what a schedule says. The zone's
 * rules are libc's to know; what a skipped or repeated hour means is decided here. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "config/windows.h"
#include "proto/limits.h"

#define DAY	 86400
#define ZONE_MAX 64	/* the longest name of the database has half of that */

/* ---- the zone ----------------------------------------------------------- */

/* As names of the database are, and neither a path nor one of the files beside
 * them: "right/" counts leap seconds, "localtime" is the machine's own. */
static bool
zone_name_is_valid(const char *name)
{
	static const char *const others[] = { "localtime", "posixrules", "posix", "right" };
	size_t i, first = strcspn(name, "/");

	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strlen(others[i]) == first && strncmp(name, others[i], first) == 0)
			return false;
	for (i = 0; name[i] != '\0'; i++) {
		if (i >= ZONE_MAX || (!isalnum((unsigned char)name[i]) && strchr("_+-/", name[i]) == NULL))
			return false;
		if (name[i] == '/' && (i == 0 || name[i - 1] == '/'))
			return false;
	}
	return i > 0 && name[i - 1] != '/';
}

int
zone_check(const char *name)
{
	char path[sizeof(ZONE_FOLDER) + 1 + ZONE_MAX], magic[4];
	struct stat st;
	int fd, rc = 0;

	if (!zone_name_is_valid(name))
		return -EINVAL;
	snprintf(path, sizeof(path), "%s/%s", ZONE_FOLDER, name);
	if ((fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)) < 0)
		return -errno;
	/* RFC 9636 3.1: what the file of a zone begins with. */
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || read(fd, magic, sizeof(magic)) != sizeof(magic) ||
	    memcmp(magic, "TZif", sizeof(magic)) != 0)
		rc = -ENOENT;
	close(fd);
	return rc;
}

/* Have libc work in that zone: *before is what TZ was, for zone_leave. By path,
 * so that TZDIR cannot lead elsewhere than zone_check looked. */
static int
zone_enter(const char *name, char **before)
{
	char value[sizeof(ZONE_FOLDER) + 2 + ZONE_MAX];
	const char *tz = getenv("TZ");

	*before = NULL;
	if (tz != NULL && (*before = strdup(tz)) == NULL)
		return -ENOMEM;
	snprintf(value, sizeof(value), ":%s/%s", ZONE_FOLDER, name);
	if (setenv("TZ", value, 1) < 0) {
		free(*before);
		return -ENOMEM;
	}
	tzset();
	return 0;
}

static void
zone_leave(char *before)
{
	if (before == NULL)
		unsetenv("TZ");
	else
		setenv("TZ", before, 1);
	tzset();
	free(before);
}

/* ---- what clocks show --------------------------------------------------- */

/* How far the clocks are ahead of UTC at that time. */
static int64_t
offset_at(int64_t t)
{
	time_t when = (time_t)t;
	struct tm tm;

	return localtime_r(&when, &tm) == NULL ? 0 : tm.tm_gmtoff;
}

/* When the clocks show what they would show in UTC at `shown`. */
struct moments {
	int64_t first;
	int64_t last;		/* later than first when they show it twice */
	bool skipped;		/* never: first and last are the moment they skip it */
};

/* The clocks go forward between these two. */
static int64_t
change_between(int64_t before, int64_t after)
{
	int64_t old = offset_at(before), middle;

	while (after - before > 1) {
		middle = before + (after - before) / 2;
		if (offset_at(middle) == old)
			before = middle;
		else
			after = middle;
	}
	return after;
}

/* A day to either side is more than any zone is away from UTC (14 hours), so
 * that one change at most, the one that matters, lies between. */
static struct moments
moments_of(int64_t shown)
{
	int64_t a = offset_at(shown - DAY), b = offset_at(shown + DAY);
	int64_t early = shown - (a > b ? a : b), late = shown - (a > b ? b : a);
	bool at_early = shown - offset_at(early) == early, at_late = shown - offset_at(late) == late;

	if (at_early || at_late)
		return (struct moments){ .first = at_early ? early : late, .last = at_late ? late : early };
	early = late = change_between(shown - DAY, shown + DAY);
	return (struct moments){ .first = early, .last = late, .skipped = true };
}

static int64_t
begins(int64_t shown)
{
	return moments_of(shown).first;
}

/* A window to 02:00 ends when 02:00 first comes, even if it comes twice: the
 * second that counts is the last one within. */
static int64_t
ends(int64_t shown)
{
	struct moments m = moments_of(shown - 1);

	return m.skipped ? m.last : m.last + 1;
}

/* ---- windows ------------------------------------------------------------ */

struct list {
	struct window *windows;
	size_t n;
};

/* Days follow each other, and so do windows. */
static int
add_window(struct list *l, int64_t from, int64_t to)
{
	struct window *last = l->n > 0 ? &l->windows[l->n - 1] : NULL, *grown;

	if (from >= to)
		return 0;
	if (last != NULL && from <= last->to) {
		last->to = to > last->to ? to : last->to;
		return 0;
	}
	if (l->n == LIMIT_WINDOWS)
		return -E2BIG;
	if ((grown = policy_grow(l->windows, l->n, sizeof(*grown))) == NULL)
		return -ENOMEM;
	l->windows = grown;
	l->windows[l->n++] = (struct window){ .from = from, .to = to };
	return 0;
}

/* 1970-01-01 was a Thursday, and days before it have negative numbers. */
static unsigned
weekday(int64_t day)
{
	return (unsigned)(((day + 3) % 7 + 7) % 7);
}

int
windows_expand(const struct schedule_decl *s, int64_t now, struct window **out, size_t *n)
{
	int64_t day, first, shown;
	struct list l = { .n = 0 };
	char *before;
	int rc;

	if ((rc = zone_enter(s->zone, &before)) < 0)
		return rc;
	shown = now + offset_at(now);
	/* Yesterday's window may still be open. */
	first = shown / DAY - (shown % DAY < 0) - 1;
	for (day = first; day <= first + 1 + (int64_t)LIMIT_SCHEDULE_YEARS * 366 && rc == 0; day++)
		if ((s->days & 1U << weekday(day)) != 0)
			rc = add_window(&l, begins(day * DAY + s->from_s),
			    ends((day + (s->to_s <= s->from_s)) * DAY + s->to_s));
	zone_leave(before);
	if (rc < 0) {
		free(l.windows);
		return rc;
	}
	*out = l.windows;
	*n = l.n;
	return 0;
}
