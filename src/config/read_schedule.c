/* SPDX-License-Identifier: GPL-2.0-or-later */
/* read_schedule.c -- schedules: on which days, from when to when, by which clocks. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/reader.h"
#include "config/windows.h"
#include "proto/limits.h"

static void
key_name(struct reader *r, const config_setting_t *s, void *target)
{
	struct schedule_decl *d = target;

	want_name(r, s, "schedule", "nightly", &d->name);
}

/* ---- days --------------------------------------------------------------- */

static const struct {
	const char *word;
	uint8_t days;
} days[] = {
	{ "mon", 1 << 0 }, { "tue", 1 << 1 }, { "wed", 1 << 2 }, { "thu", 1 << 3 }, { "fri", 1 << 4 },
	{ "sat", 1 << 5 }, { "sun", 1 << 6 }, { "daily", 0x7f }, { "weekdays", 0x1f }, { "weekend", 0x60 },
};

static void
add_day(struct reader *r, const config_setting_t *s, void *target)
{
	struct schedule_decl *d = target;
	const char *word = want_string(r, s, "daily");
	size_t i;

	if (word == NULL)
		return;
	for (i = 0; i < sizeof(days) / sizeof(days[0]); i++)
		if (strcmp(word, days[i].word) == 0)
			break;
	if (i < sizeof(days) / sizeof(days[0]))
		d->days |= days[i].days;
	else
		mistake(r, line_of(s), "\"%.64s\" is no day: \"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\", "
		    "\"daily\", \"weekdays\" or \"weekend\" is possible", word);
}

static void
key_days(struct reader *r, const config_setting_t *s, void *target)
{
	each_value(r, s, add_day, target);
}

/* ---- times -------------------------------------------------------------- */

static bool
two_digits(const char *text, unsigned max, unsigned *out)
{
	if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
		return false;
	*out = (unsigned)(text[0] - '0') * 10 + (unsigned)(text[1] - '0');
	return *out <= max;
}

static void
read_time(struct reader *r, const config_setting_t *s, const char *example, uint32_t *out)
{
	const char *text = want_string(r, s, example);
	unsigned hour, minute;

	if (text == NULL)
		return;
	if (strlen(text) != 5 || text[2] != ':' || !two_digits(text, 23, &hour) || !two_digits(text + 3, 59, &minute))
		mistake(r, line_of(s), "%s = \"%.64s\" is no time of day: from \"00:00\" to \"23:59\" is possible",
		    key_of(s), text);
	else
		*out = hour * 3600 + minute * 60;
}

static void
key_from(struct reader *r, const config_setting_t *s, void *target)
{
	struct schedule_decl *d = target;

	read_time(r, s, "02:00", &d->from_s);
}

static void
key_to(struct reader *r, const config_setting_t *s, void *target)
{
	struct schedule_decl *d = target;

	/* Midnight ends a day as it begins the next. */
	if (config_setting_type(s) == CONFIG_TYPE_STRING && strcmp(config_setting_get_string(s), "24:00") == 0)
		d->to_s = 0;
	else
		read_time(r, s, "04:00", &d->to_s);
}

/* ---- zone --------------------------------------------------------------- */

static void
key_zone(struct reader *r, const config_setting_t *s, void *target)
{
	struct schedule_decl *d = target;
	const char *name = want_string(r, s, "Europe/Berlin");
	int rc;

	if (name == NULL)
		return;
	if ((rc = zone_check(name)) == 0)
		d->zone = reader_copy(r, name);
	else if (rc == -EINVAL || rc == -ENOENT || rc == -ENOTDIR)
		mistake(r, line_of(s), "zone \"%.64s\" is no time zone of " ZONE_FOLDER " (package tzdata): a name as in "
		    "\"Europe/Berlin\" or \"UTC\" is expected", name);
	else
		mistake(r, line_of(s), "zone \"%.64s\" cannot be read from " ZONE_FOLDER ": %s", name, strerror(-rc));
}

/* ---- schedules ---------------------------------------------------------- */

/* Only what has no mistakes: a wrong time would stand for midnight. */
static void
expand(struct reader *r, struct schedule_decl *d)
{
	int rc = windows_expand(d, r->now, &d->windows, &d->n_windows);

	if (rc < 0 && r->error == 0)
		r->error = rc;
}

void
read_schedule(struct reader *r, const config_setting_t *s)
{
	static const struct key keys[] = {
		{ "name", key_name, KEY_NEEDED },
		{ "days", key_days, "say on which, as in days = [ \"mon\", \"thu\" ] or days = \"daily\"" },
		{ "from", key_from, "say when it begins, as in from = \"02:00\"" },
		{ "to", key_to, "say when it ends, as in to = \"04:00\"" },
		{ "zone", key_zone, "say by whose clocks, as in zone = \"Europe/Berlin\" or zone = \"UTC\"" },
		{ NULL, NULL, NULL }
	};
	struct schedule_decl d, *slot;
	size_t before = r->m->n;

	if (!within_limit(r, line_of(s), r->p->n_schedules, LIMIT_SCHEDULES, "schedules", &r->too_many_schedules))
		return;
	memset(&d, 0, sizeof(d));
	d.where = reader_where(r, line_of(s));
	if (read_group(r, s, keys, "a schedule", &d) && r->m->n == before && r->error == 0)
		expand(r, &d);
	if (d.name == NULL || (slot = reader_grow(r, &r->p->schedules, r->p->n_schedules, sizeof(*slot))) == NULL) {
		schedule_decl_done(&d);
		return;
	}
	*slot = d;
	r->p->n_schedules++;
}
