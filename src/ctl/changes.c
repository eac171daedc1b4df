/* SPDX-License-Identifier: GPL-2.0-or-later */
/* changes.c -- how one policy differs from another: in the admin's words with file
 * and line, then in elements of the kernel's sets. */
#include "ctl/changes.h"

#include <errno.h>
#include <string.h>

#include "ctl/answer.h"
#include "ctl/format.h"
#include "model/describe.h"
#include "proto/limits.h"

#define LINES_DEFAULT 100

struct showing {
	struct ctl *c;
	uint32_t limit;			/* lines of one area, sets of one answer */
	uint32_t n[DESCRIBED_AREAS];
	uint32_t devices[3];		/* by sign, each device once */
	uint32_t sets;
	enum described_area area;	/* of the last line */
	char name[LIMIT_NAME + 1];
	json_t *lines, *elements;	/* with --json */
};

static const char *const areas[DESCRIBED_AREAS] = {
	[DESCRIBED_APPLIANCE] = "appliance", [DESCRIBED_AUTHORITY] = "authority",
	[DESCRIBED_SCHEDULE] = "schedule", [DESCRIBED_CLASS] = "class", [DESCRIBED_DEVICE] = "device",
};

static const char signs[] = { [DESCRIBED_COMES] = '+', [DESCRIBED_GOES] = '-', [DESCRIBED_CHANGES] = '~' };

static json_t *
line_json(const struct described *d)
{
	char sign[2] = { signs[d->sign], '\0' };

	return json_pack("{s:s, s:o, s:s, s:o, s:o}", "area", areas[d->area], "name", answer_text(d->name),
	    "sign", sign, "text", answer_text(d->text), "where", d->file[0] == '\0' ? json_null() :
	    json_pack("{s:o, s:i}", "file", answer_text(d->file), "line", (int)d->line));
}

static void
print_line(struct showing *s, const struct described *d, bool first)
{
	char name[LIMIT_NAME * 4 + 1], text[4096], file[1024];
	FILE *out = s->c->out;

	if (first)
		fprintf(out, "%s%s%s\n", areas[d->area], d->name[0] != '\0' ? " " : "",
		    format_text(d->name, name, sizeof(name)));
	fprintf(out, "  %c %s", signs[d->sign], format_text(d->text, text, sizeof(text)));
	if (d->file[0] != '\0')
		fprintf(out, "  (%s:%u)", format_text(d->file, file, sizeof(file)), d->line);
	fputc('\n', out);
}

static int
on_line(void *arg, const struct described *d)
{
	struct showing *s = arg;
	bool total = s->n[0] + s->n[1] + s->n[2] + s->n[3] + s->n[4] == 0;
	bool first = total || s->area != d->area || strcmp(s->name, d->name) != 0;

	s->area = d->area;
	snprintf(s->name, sizeof(s->name), "%s", d->name);
	if (d->area == DESCRIBED_DEVICE)
		s->devices[d->sign] += first;
	if (s->n[d->area]++ >= s->limit)
		return 0;
	if (s->c->json)
		json_array_append_new(s->lines, line_json(d));
	else
		print_line(s, d, first);
	return 0;
}

static int
on_set(void *arg, const char *set, uint32_t added, uint32_t removed)
{
	struct showing *s = arg;

	if (s->sets++ >= s->limit)
		return 0;
	if (s->c->json)
		json_array_append_new(s->elements, json_pack("{s:s, s:i, s:i}", "set", set, "added", (int)added,
		    "removed", (int)removed));
	else
		fprintf(s->c->out, "%s  %-28s %+d %+d\n", s->sets == 1 ? "sets in the kernel\n" : "", set, (int)added,
		    -(int)removed);
	return 0;
}

static void
print_more(const struct showing *s)
{
	char n[COUNT_STRLEN];

	for (int i = 0; i < DESCRIBED_AREAS; i++)
		if (s->n[i] > s->limit)
			fprintf(s->c->out, "... and %s more about %s (--limit)\n", format_count(s->n[i] - s->limit, n),
			    i == DESCRIBED_DEVICE ? "devices" : areas[i]);
}

static void
print_sums(const struct showing *s, const struct described_elements *e, uint32_t told)
{
	char n[3][COUNT_STRLEN];
	FILE *out = s->c->out;

	if (s->devices[0] + s->devices[1] + s->devices[2] > 0)
		fprintf(out, "devices: %s new, %s taken away, %s changed\n", format_count(s->devices[DESCRIBED_COMES], n[0]),
		    format_count(s->devices[DESCRIBED_GOES], n[1]), format_count(s->devices[DESCRIBED_CHANGES], n[2]));
	if (s->sets > s->limit)
		fprintf(out, "  ... and %s more sets (--limit)\n", format_count(s->sets - s->limit, n[0]));
	if (told == 0 && e->added == 0 && e->removed == 0) {
		fputs("nothing would change\n", out);
		return;
	}
	fprintf(out, "kernel: %s element%s added, %s removed; the open connections of %s device%s are judged again\n",
	    format_count(e->added, n[0]), e->added == 1 ? "" : "s", format_count(e->removed, n[1]),
	    format_count(e->renewed, n[2]), e->renewed == 1 ? "" : "s");
	if (e->anew)
		fputs("the table is made anew, in one transaction: it has outgrown its sets, or hook_priority changes\n", out);
}

static json_t *
sums_json(struct showing *s, const struct described_elements *e, bool differs)
{
	return json_pack("{s:b, s:o, s:o, s:{s:i, s:i, s:i}, s:i, s:i, s:i, s:b}", "differs", differs,
	    "changes", s->lines, "sets", s->elements, "devices", "added", (int)s->devices[DESCRIBED_COMES],
	    "removed", (int)s->devices[DESCRIBED_GOES], "changed", (int)s->devices[DESCRIBED_CHANGES],
	    "added", (int)e->added, "removed", (int)e->removed, "renewed", (int)e->renewed, "anew", e->anew);
}

int
changes_show(struct ctl *c, const struct image *old, const struct image *next)
{
	const struct features features = { .owner_persist = true, .connlimit = true };
	struct showing s = { .c = c, .limit = LINES_DEFAULT };
	const char *limit = args_value(c->args, OPT_LIMIT);
	struct described_elements e;
	uint32_t told = 0;
	bool differs;
	int rc;

	if (limit != NULL && args_number(limit, INT32_MAX, &s.limit) < 0)
		return ctl_fail(c, EXIT_USAGE, "--limit %s: a number is needed", limit);
	if (c->json) {
		s.lines = json_array();
		s.elements = json_array();
	}
	if ((rc = describe_policies(old, next, on_line, &s)) == 0) {
		if (!c->json)
			print_more(&s);
		rc = describe_elements(old, NULL, next, features, on_set, &s, &e);
	}
	if (rc != 0) {
		json_decref(s.lines);
		json_decref(s.elements);
		return ctl_fail(c, EXIT_MISTAKES, "the policies cannot be compared: %s", strerror(-rc));
	}
	for (int i = 0; i < DESCRIBED_AREAS; i++)
		told += s.n[i];
	differs = told > 0 || e.added > 0 || e.removed > 0;
	if (c->json)
		return ctl_json(c, differs ? EXIT_DIFFERS : EXIT_DONE, sums_json(&s, &e, differs));
	print_sums(&s, &e, told);
	return differs ? EXIT_DIFFERS : EXIT_DONE;
}
