/* SPDX-License-Identifier: GPL-2.0-or-later */
/* schedule.c -- when a schedule is open, in words. From its windows: they are what
 * the kernel compares its clock with. */
#include "ctl/schedule.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "ctl/answer.h"
#include "ctl/format.h"

static const char *const day_names[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };

/* The window that is open at that time, or the first after it; NULL: none is left. */
static const struct image_window *
next_window(const struct image *im, const struct image_schedule *s, int64_t now_ms)
{
	uint32_t low = 0, high = s->windows.n, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (im->windows[s->windows.first + mid].to <= now_ms / 1000)
			low = mid + 1;
		else
			high = mid;
	}
	return low < s->windows.n ? &im->windows[s->windows.first + low] : NULL;
}

static void
days_text(uint32_t days, char buf[32])
{
	size_t at = 0;
	unsigned i;

	snprintf(buf, 32, "daily");
	for (i = 0; i < 7 && days != 0x7f; i++)
		if (days & 1U << i)
			at += (size_t)snprintf(buf + at, 32 - at, "%s%s", at > 0 ? "," : "", day_names[i]);
}

const char *
schedule_text(const struct image *im, const struct image_schedule *s, int64_t now_ms, char buf[SCHEDULE_STRLEN])
{
	const struct image_window *w = next_window(im, s, now_ms);
	char days[32], zone[128], from[TIME_STRLEN], to[TIME_STRLEN];
	int at;

	days_text(s->days, days);
	at = snprintf(buf, SCHEDULE_STRLEN, "%s: %s %02u:%02u-%02u:%02u %s; ", image_text(im, s->name), days,
	    s->from_s / 3600, s->from_s / 60 % 60, s->to_s / 3600, s->to_s / 60 % 60,
	    format_text(image_text(im, s->zone), zone, sizeof(zone)));
	if (w == NULL)
		snprintf(buf + at, SCHEDULE_STRLEN - (size_t)at, "never again: apply the policy to go on");
	else if (w->from <= now_ms / 1000)
		snprintf(buf + at, SCHEDULE_STRLEN - (size_t)at, "open until %s UTC", format_time(w->to * 1000, to));
	else
		snprintf(buf + at, SCHEDULE_STRLEN - (size_t)at, "next from %s to %s UTC",
		    format_time(w->from * 1000, from), format_time(w->to * 1000, to));
	return buf;
}

json_t *
schedule_json(const struct image *im, const struct image_schedule *s, int64_t now_ms)
{
	const struct image_window *w = next_window(im, s, now_ms);
	json_t *days = json_array(), *next = json_null();
	char from[16], to[16];
	unsigned i;

	for (i = 0; i < 7; i++)
		if (s->days & 1U << i)
			json_array_append_new(days, json_string(day_names[i]));
	snprintf(from, sizeof(from), "%02u:%02u", s->from_s / 3600, s->from_s / 60 % 60);
	snprintf(to, sizeof(to), "%02u:%02u", s->to_s / 3600, s->to_s / 60 % 60);
	if (w != NULL)
		next = json_pack("{s:o, s:o}", "from", answer_time(w->from * 1000), "to", answer_time(w->to * 1000));
	return json_pack("{s:o, s:o, s:s, s:s, s:o, s:b, s:o, s:o}", "name", answer_text(image_text(im, s->name)),
	    "days", days, "from", from, "to", to, "zone", answer_text(image_text(im, s->zone)),
	    "open", w != NULL && w->from <= now_ms / 1000, "next", next,
	    "last", answer_time(s->windows.n == 0 ? 0 : im->windows[s->windows.first + s->windows.n - 1].to * 1000));
}
