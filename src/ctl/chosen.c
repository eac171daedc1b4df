/* SPDX-License-Identifier: GPL-2.0-or-later */
/* chosen.c -- the devices that an operator names. Either all of them are known,
 * or nothing is done: half of a batch is worse than none. */
#include "ctl/chosen.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/answer.h"
#include "ctl/format.h"

bool
chosen_has_label(const struct image *im, const struct image_device *d, const char *label)
{
	uint32_t i;

	for (i = 0; i < d->labels.n; i++)
		if (strcmp(image_text(im, im->labels[d->labels.first + i]), label) == 0)
			return true;
	return false;
}

static bool
has_labels(const struct ctl *c, const struct image *im, const struct image_device *d)
{
	const char *label;
	unsigned i;

	for (i = 0; (label = args_nth(c->args, OPT_LABEL, i)) != NULL; i++)
		if (!chosen_has_label(im, d, label))
			return false;
	return true;
}

static int
make_room(const struct view *v, struct chosen *out)
{
	out->n = 0;
	out->list = calloc((size_t)v->image.n[IMAGE_DEVICES] + 1, sizeof(struct image_device *));
	return out->list != NULL ? 0 : -ENOMEM;
}

static int
by_address(const void *a, const void *b)
{
	const struct image_device *x = *(const struct image_device *const *)a;
	const struct image_device *y = *(const struct image_device *const *)b;

	return x < y ? -1 : x > y;
}

/* A name that comes twice is one device. */
static void
drop_doubles(struct chosen *out)
{
	uint32_t i, n = 0;

	qsort(out->list, out->n, sizeof(struct image_device *), by_address);
	for (i = 0; i < out->n; i++)
		if (n == 0 || out->list[n - 1] != out->list[i])
			out->list[n++] = out->list[i];
	out->n = n;
}

static int
by_names(struct ctl *c, const struct view *v, struct chosen *out)
{
	const struct image_device **list = calloc((size_t)c->args->n_words + 1, sizeof(*list));
	int exit = EXIT_MISTAKES;
	unsigned i;

	if (list == NULL)
		return ctl_fail(c, EXIT_MISTAKES, "no memory");
	free(out->list);
	out->list = list;
	for (i = 0; i < c->args->n_words; i++)
		if ((out->list[out->n++] = view_device(c, v, c->args->words[i], &exit)) == NULL)
			return exit;
	drop_doubles(out);
	return 0;
}

static int
by_labels(struct ctl *c, const struct view *v, const char *what, struct chosen *out)
{
	char n[COUNT_STRLEN];
	uint32_t i;

	for (i = 0; i < v->image.n[IMAGE_DEVICES]; i++)
		if (has_labels(c, &v->image, &v->image.devices[i]))
			out->list[out->n++] = &v->image.devices[i];
	if (out->n == 0)
		return ctl_fail(c, EXIT_MISTAKES, "no device has the label \"%s\"%s: see `cordonctl device list --label'",
		    args_value(c->args, OPT_LABEL), args_nth(c->args, OPT_LABEL, 1) != NULL ? " and the others" : "");
	if (out->n > CHOSEN_WITHOUT_YES && !c->json && !args_has(c->args, OPT_YES))
		return ctl_fail(c, EXIT_USAGE, "%s devices have the label \"%s\"%s; nothing was done: say --yes to %s all "
		    "of them, or see first who they are with `cordonctl device list --label'", format_count(out->n, n),
		    args_value(c->args, OPT_LABEL), args_nth(c->args, OPT_LABEL, 1) != NULL ? " and the others" : "", what);
	return 0;
}

int
chosen_find(struct ctl *c, const struct view *v, const char *what, struct chosen *out)
{
	bool labels = args_has(c->args, OPT_LABEL);

	if (make_room(v, out) < 0)
		return ctl_fail(c, EXIT_MISTAKES, "no memory");
	if (labels && c->args->n_words > 0)
		return ctl_fail(c, EXIT_USAGE, "names, or --label: not both");
	if (!labels && c->args->n_words == 0)
		return ctl_fail(c, EXIT_USAGE, "%s which devices? say their names, or --label LABEL", what);
	return labels ? by_labels(c, v, what, out) : by_names(c, v, out);
}

int
chosen_all(const struct view *v, bool (*is_one)(const struct snapshot_device *), struct chosen *out)
{
	uint32_t i;

	if (make_room(v, out) < 0)
		return -ENOMEM;
	for (i = 0; i < v->image.n[IMAGE_DEVICES]; i++)
		if (is_one(&v->devices[i]))
			out->list[out->n++] = &v->image.devices[i];
	return 0;
}

void
chosen_done(struct chosen *out)
{
	free(out->list);
	*out = (struct chosen){ NULL, 0 };
}
