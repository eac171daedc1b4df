/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compile_schedules.c -- schedules get numbers by name, and stand in the image with
 * their windows. */
#include <stdlib.h>
#include <string.h>

#include "model/compile_parts.h"
#include "proto/limits.h"

#define YEAR_S (365 * 86400)

void
compile_check_schedules(struct compile *c)
{
	size_t i;

	for (i = 0; i < c->p->n_schedules; i++) {
		const struct schedule_decl *s = &c->p->schedules[i];
		const char *file = compile_file(c, &s->where);

		if (s->n_windows > LIMIT_WINDOWS)
			mistakes_add(c->m, file, s->where.line, "schedule \"%s\" has %zu windows: at most %u", s->name,
			    s->n_windows, LIMIT_WINDOWS);
		else if (s->n_windows > 0 && s->windows[s->n_windows - 1].to - s->windows[0].from < YEAR_S)
			mistakes_warn(c->m, file, s->where.line,
			    "schedule \"%s\" is written out for less than a year, and closed afterwards: apply the "
			    "policy again before", s->name);
	}
}

static int
name_cmp(const void *a, const void *b, void *arg)
{
	const struct policy *p = arg;

	return strcmp(p->schedules[*(const uint32_t *)a].name, p->schedules[*(const uint32_t *)b].name);
}

static void
write_schedule(struct compile *c, const struct schedule_decl *s)
{
	struct image_schedule out;
	struct image_window window;
	size_t i;

	memset(&out, 0, sizeof(out));
	out.name = image_build_intern(&c->b, s->name);
	out.zone = s->zone == NULL ? 0 : image_build_intern(&c->b, s->zone);
	out.days = s->days;
	out.from_s = s->from_s;
	out.to_s = s->to_s;
	out.windows.first = image_build_count(&c->b, IMAGE_WINDOWS);
	out.windows.n = (uint32_t)s->n_windows;
	for (i = 0; i < s->n_windows; i++) {
		window = (struct image_window){ .from = s->windows[i].from, .to = s->windows[i].to };
		image_build_add(&c->b, IMAGE_WINDOWS, &window, 1);
	}
	out.where = compile_where(c, &s->where);
	image_build_add(&c->b, IMAGE_SCHEDULES, &out, 1);
}

void
compile_schedules(struct compile *c)
{
	uint32_t n = (uint32_t)c->p->n_schedules, i;

	for (i = 0; i < n; i++)
		c->schedule_order[i] = i;
	qsort_r(c->schedule_order, n, sizeof(*c->schedule_order), name_cmp, (void *)(uintptr_t)c->p);
	for (i = 0; i < n; i++) {
		c->schedule_number[c->schedule_order[i]] = i + 1;
		write_schedule(c, &c->p->schedules[c->schedule_order[i]]);
	}
}

uint32_t
compile_schedule_number(const struct compile *c, const struct rule *r)
{
	uint32_t index;

	if (r->schedule == NULL || !names_find(&c->schedules, r->schedule, &index))
		return 0;
	return c->schedule_number[index];
}
