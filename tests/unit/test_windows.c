/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_windows.c -- schedules open when the clocks on the wall say so, also on the
 * days when those are put forward or back. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "config/windows.h"

#define DAILY 0x7f

static struct window *windows;
static size_t n_windows;

/* "2026-03-29T02:00" in UTC. */
static int64_t
at(const char *text)
{
	struct tm tm = { .tm_mday = 0 };

	assert_non_null(strptime(text, "%Y-%m-%dT%H:%M", &tm));
	return timegm(&tm);
}

static const char *
show(const struct window *w)
{
	static char text[64];
	time_t from = (time_t)w->from, to = (time_t)w->to;
	struct tm tm;

	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M ", gmtime_r(&from, &tm));
	strftime(text + strlen(text), 32, "%Y-%m-%dT%H:%M", gmtime_r(&to, &tm));
	return text;
}

static uint32_t
seconds(const char *text)
{
	return (uint32_t)(strtoul(text, NULL, 10) * 3600 + strtoul(text + 3, NULL, 10) * 60);
}

static void
expand(const char *zone, uint8_t days, const char *from, const char *to, int64_t now)
{
	char name[64];
	struct schedule_decl s = { .days = days, .from_s = seconds(from), .to_s = seconds(to), .zone = name };

	free(windows);
	windows = NULL;
	snprintf(name, sizeof(name), "%s", zone);
	assert_int_equal(zone_check(name), 0);
	assert_int_equal(windows_expand(&s, now, &windows, &n_windows), 0);
}

static int
teardown(void **state)
{
	(void)state;
	free(windows);
	windows = NULL;
	return 0;
}

/* What the window of that day is, in UTC; the day after's where there is none. */
static const struct {
	const char *zone;
	const char *day;
	const char *from;
	const char *to;
	const char *want;
} rows[] = {
	{ "UTC", "2026-06-10", "02:00", "04:00", "2026-06-10T02:00 2026-06-10T04:00" },
	{ "Asia/Kathmandu", "2026-06-10", "02:00", "04:00", "2026-06-09T20:15 2026-06-09T22:15" },
	{ "Europe/Berlin", "2026-06-10", "02:00", "04:00", "2026-06-10T00:00 2026-06-10T02:00" },
	{ "Europe/Berlin", "2026-06-10", "22:00", "06:00", "2026-06-10T20:00 2026-06-11T04:00" },

	/* Put forward: 02:00 is 03:00. */
	{ "Europe/Berlin", "2026-03-29", "01:00", "02:00", "2026-03-29T00:00 2026-03-29T01:00" },
	{ "Europe/Berlin", "2026-03-29", "02:00", "04:00", "2026-03-29T01:00 2026-03-29T02:00" },
	{ "Europe/Berlin", "2026-03-29", "02:30", "04:00", "2026-03-29T01:00 2026-03-29T02:00" },
	{ "Europe/Berlin", "2026-03-29", "03:00", "04:00", "2026-03-29T01:00 2026-03-29T02:00" },
	{ "Europe/Berlin", "2026-03-29", "01:30", "02:30", "2026-03-29T00:30 2026-03-29T01:00" },
	{ "Europe/Berlin", "2026-03-29", "01:30", "03:00", "2026-03-29T00:30 2026-03-29T01:00" },
	{ "Europe/Berlin", "2026-03-29", "02:15", "02:45", "2026-03-30T00:15 2026-03-30T00:45" },
	{ "Europe/Berlin", "2026-03-28", "23:00", "02:30", "2026-03-28T22:00 2026-03-29T01:00" },
	{ "America/New_York", "2026-03-08", "02:00", "04:00", "2026-03-08T07:00 2026-03-08T08:00" },
	{ "America/New_York", "2026-03-08", "01:00", "02:01", "2026-03-08T06:00 2026-03-08T07:00" },
	{ "Australia/Lord_Howe", "2026-10-04", "02:00", "04:00", "2026-10-03T15:30 2026-10-03T17:00" },
	{ "Australia/Lord_Howe", "2026-10-04", "02:15", "02:45", "2026-10-03T15:30 2026-10-03T15:45" },
	{ "Africa/Casablanca", "2026-03-22", "02:30", "04:00", "2026-03-22T02:00 2026-03-22T03:00" },
	/* At midnight. */
	{ "Africa/Cairo", "2026-04-24", "00:00", "00:30", "2026-04-24T21:00 2026-04-24T21:30" },

	/* Put back: 03:00 is 02:00 again. */
	{ "Europe/Berlin", "2026-10-25", "01:00", "02:00", "2026-10-24T23:00 2026-10-25T00:00" },
	{ "Europe/Berlin", "2026-10-25", "01:00", "02:30", "2026-10-24T23:00 2026-10-25T01:30" },
	{ "Europe/Berlin", "2026-10-25", "02:00", "03:00", "2026-10-25T00:00 2026-10-25T02:00" },
	{ "Europe/Berlin", "2026-10-25", "02:15", "02:45", "2026-10-25T00:15 2026-10-25T01:45" },
	{ "Europe/Berlin", "2026-10-25", "02:30", "04:00", "2026-10-25T00:30 2026-10-25T03:00" },
	{ "Europe/Berlin", "2026-10-25", "03:00", "04:00", "2026-10-25T02:00 2026-10-25T03:00" },
	{ "Europe/Berlin", "2026-10-24", "22:00", "06:00", "2026-10-24T20:00 2026-10-25T05:00" },
	{ "America/New_York", "2026-11-01", "01:00", "02:00", "2026-11-01T05:00 2026-11-01T07:00" },
	{ "America/New_York", "2026-11-01", "00:30", "01:30", "2026-11-01T04:30 2026-11-01T06:30" },
	{ "America/New_York", "2026-11-01", "01:30", "03:00", "2026-11-01T05:30 2026-11-01T08:00" },
	{ "Australia/Lord_Howe", "2026-04-05", "01:00", "01:30", "2026-04-04T14:00 2026-04-04T14:30" },
	{ "Australia/Lord_Howe", "2026-04-05", "01:30", "02:00", "2026-04-04T14:30 2026-04-04T15:30" },
	{ "Australia/Lord_Howe", "2026-04-05", "01:45", "03:00", "2026-04-04T14:45 2026-04-04T16:30" },
	{ "Africa/Casablanca", "2026-02-15", "02:30", "04:00", "2026-02-15T01:30 2026-02-15T04:00" },
	{ "Africa/Cairo", "2026-10-29", "22:00", "00:00", "2026-10-29T19:00 2026-10-29T22:00" },
};

static void
test_days_of_change(void **state)
{
	char noon[32];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(noon, sizeof(noon), "%sT12:00", rows[i].day);
		expand(rows[i].zone, DAILY, rows[i].from, rows[i].to, at(noon));
		assert_true(n_windows > 1);
		if (strcmp(show(&windows[1]), rows[i].want) != 0)
			print_message("%s %s %s-%s\n", rows[i].zone, rows[i].day, rows[i].from, rows[i].to);
		assert_string_equal(show(&windows[1]), rows[i].want);
	}
}

/* ---- every quarter of an hour of two years ------------------------------ */

/* Is it open then, and what do the clocks show? */
static bool
is_open(int64_t t)
{
	static size_t i;

	if (i >= n_windows || windows[i].from > t)
		i = 0;
	while (i < n_windows && windows[i].to <= t)
		i++;
	return i < n_windows && windows[i].from <= t;
}

static bool
is_shown(int64_t t, uint32_t from, uint32_t to, int64_t *offset)
{
	time_t when = (time_t)t;
	struct tm tm;
	uint32_t clock;

	assert_non_null(localtime_r(&when, &tm));
	clock = (uint32_t)(tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec);
	*offset = tm.tm_gmtoff;
	return from < to ? clock >= from && clock < to : clock >= from || clock < to;
}

static void
check_two_years(const char *zone, const char *from, const char *to)
{
	int64_t start = at("2026-01-02T00:00"), t, offset, later;
	size_t differ = 0;

	expand(zone, DAILY, from, to, start);
	setenv("TZ", zone, 1);
	tzset();
	for (t = start; t < start + 730LL * 86400; t += 900) {
		/* Whenever the clocks show it, it is open; otherwise only while the
		 * clocks, put back lately or soon, show something twice. */
		if (is_shown(t, seconds(from), seconds(to), &offset)) {
			assert_true(is_open(t));
		} else if (is_open(t)) {
			is_shown(t + 10800, 0, 0, &later);
			is_shown(t - 10800, 0, 0, &offset);
			assert_true(later < offset);
			differ++;
		}
	}
	unsetenv("TZ");
	tzset();
	/* At most an hour, twice a year. */
	assert_true(differ <= 4 * 4);
}

static void
test_two_years(void **state)
{
	static const char *const zones[] = { "Europe/Berlin", "America/New_York", "Asia/Kathmandu",
		"Australia/Lord_Howe", "UTC", "Africa/Casablanca", "Africa/Cairo" };
	static const char *const times[][2] = { { "02:00", "04:00" }, { "01:30", "02:30" }, { "23:00", "01:00" },
		{ "02:15", "02:45" } };
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(zones) / sizeof(zones[0]); i++)
		for (k = 0; k < sizeof(times) / sizeof(times[0]); k++)
			check_two_years(zones[i], times[k][0], times[k][1]);
}

/* ---- all of them -------------------------------------------------------- */

static void
test_order(void **state)
{
	int64_t now = at("2026-11-22T15:00");
	size_t i;

	(void)state;
	expand("Europe/Berlin", DAILY, "02:00", "04:00", now);
	assert_true(n_windows <= LIMIT_WINDOWS);
	assert_true(windows[0].from < now);
	assert_true(windows[n_windows - 1].to >= now + (int64_t)LIMIT_SCHEDULE_YEARS * 365 * 86400);
	for (i = 1; i < n_windows; i++)
		assert_true(windows[i].from > windows[i - 1].to && windows[i].from < windows[i].to);
}

static void
test_weekdays(void **state)
{
	size_t i;

	(void)state;
	/* 2026-11-22 is a Sunday. */
	expand("UTC", 1 << 6, "02:00", "04:00", at("2026-11-22T15:00"));
	assert_string_equal(show(&windows[0]), "2026-11-22T02:00 2026-11-22T04:00");
	assert_string_equal(show(&windows[1]), "2026-11-29T02:00 2026-11-29T04:00");
	expand("UTC", 1 << 5, "22:00", "04:00", at("2026-11-22T15:00"));
	assert_string_equal(show(&windows[0]), "2026-11-21T22:00 2026-11-22T04:00");
	/* The day of the zone counts: there it is Monday already. */
	expand("Asia/Kathmandu", 1 << 0, "00:00", "01:00", at("2026-11-22T20:00"));
	assert_string_equal(show(&windows[0]), "2026-11-22T18:15 2026-11-22T19:15");
	/* Before 1970 days have negative numbers: 1969-12-31 was a Wednesday. */
	expand("UTC", 1 << 2, "02:00", "04:00", at("1969-12-31T01:00"));
	assert_string_equal(show(&windows[0]), "1969-12-31T02:00 1969-12-31T04:00");
	for (i = 1; i < n_windows; i++)
		assert_int_equal(windows[i].from - windows[i - 1].from, 7 * 86400);
}

/* What is open through midnight is one window, whatever the days. */
static void
test_merged(void **state)
{
	int64_t now = at("2026-11-22T15:00");

	(void)state;
	expand("Europe/Berlin", DAILY, "00:00", "00:00", now);
	assert_int_equal(n_windows, 1);
	assert_int_equal(windows[0].from, at("2026-11-20T23:00"));
	assert_true(windows[0].to > now + (int64_t)LIMIT_SCHEDULE_YEARS * 365 * 86400);
	/* It begins and ends within the hour that comes twice. */
	expand("Europe/Berlin", DAILY, "02:30", "02:30", now);
	assert_int_equal(n_windows, 1);
	expand("UTC", 0x60, "00:00", "00:00", now);
	assert_string_equal(show(&windows[0]), "2026-11-21T00:00 2026-11-23T00:00");
	assert_string_equal(show(&windows[1]), "2026-11-28T00:00 2026-11-30T00:00");
	/* To the first second of the other is not apart. */
	expand("UTC", DAILY, "12:00", "12:00", now);
	assert_int_equal(n_windows, 1);
}

/* A window that is open now began yesterday. */
static void
test_open_now(void **state)
{
	(void)state;
	expand("Europe/Berlin", DAILY, "22:00", "06:00", at("2026-11-22T02:00"));
	assert_string_equal(show(&windows[0]), "2026-11-21T21:00 2026-11-22T05:00");
}

/* ---- zones -------------------------------------------------------------- */

static void
test_zone_names(void **state)
{
	static const char *const none[] = { "", "/", "/etc/passwd", "../etc/passwd", "Europe/../UTC", "Europe/", "Europe//Berlin",
		":UTC", "zone.tab", "localtime", "posixrules", "posix/UTC", "right/UTC", "UTC0 ",
		"Europe/Berlin\n", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" };
	static const char *const unknown[] = { "Europe", "Europe/Atlantis", "europe/berlin", "CET-1CEST", "leapseconds",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_int_equal(zone_check(none[i]), -EINVAL);
	for (i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		assert_int_equal(zone_check(unknown[i]), -ENOENT);
	assert_int_equal(zone_check("UTC/Berlin"), -ENOTDIR);
	assert_int_equal(zone_check("Etc/GMT+5"), 0);
	assert_int_equal(zone_check("America/Argentina/Buenos_Aires"), 0);
}

/* The environment neither leads astray nor is changed. */
static void
test_environment(void **state)
{
	(void)state;
	setenv("TZ", "Asia/Tokyo", 1);
	setenv("TZDIR", "/nowhere", 1);
	expand("Europe/Berlin", DAILY, "02:00", "04:00", at("2026-06-10T12:00"));
	assert_string_equal(show(&windows[1]), "2026-06-10T00:00 2026-06-10T02:00");
	assert_string_equal(getenv("TZ"), "Asia/Tokyo");
	unsetenv("TZDIR");
	unsetenv("TZ");
	expand("Europe/Berlin", DAILY, "02:00", "04:00", at("2026-06-10T12:00"));
	assert_null(getenv("TZ"));
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_days_of_change),
		TEST(test_two_years),
		TEST(test_order),
		TEST(test_weekdays),
		TEST(test_merged),
		TEST(test_open_now),
		TEST(test_zone_names),
		TEST(test_environment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
