/* SPDX-License-Identifier: GPL-2.0-or-later */
/* print_classes.c -- classes and the schedules of their rules, in the admin's words.
 * What a class extends is printed as its own: those rules are in force for it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/print_parts.h"

static void
print_days(FILE *out, uint32_t days)
{
	static const char *const names[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };
	const char *between = "[ ";

	if (days == 0x7f) {
		fputs("\"daily\"", out);
		return;
	}
	for (unsigned i = 0; i < 7; i++) {
		if ((days & 1U << i) == 0)
			continue;
		fprintf(out, "%s\"%s\"", between, names[i]);
		between = ", ";
	}
	fputs(" ]", out);
}

void
print_schedules(struct printer *pr)
{
	const struct image *im = pr->im;
	uint32_t n = im->n[IMAGE_SCHEDULES], i;

	for (i = 0; i < n; i++) {
		const struct image_schedule *s = &im->schedules[i];

		fprintf(pr->out, "%s\t{ name = \"%s\"; days = ", i == 0 ? "\nschedules = (\n" : ",\n",
		    image_text(im, s->name));
		print_days(pr->out, s->days);
		fprintf(pr->out, "; from = \"%02u:%02u\"; to = \"%02u:%02u\"; zone = \"%s\"; }", s->from_s / 3600,
		    s->from_s / 60 % 60, s->to_s / 3600, s->to_s / 60 % 60, image_text(im, s->zone));
	}
	if (n > 0)
		fputs("\n);\n", pr->out);
}

static int
print_class(struct printer *pr, const struct image_class *c)
{
	int rc;

	fprintf(pr->out, "\t{ name = \"%s\"; mode = \"%s\"; refuse = \"%s\";", image_text(pr->im, c->name),
	    c->mode == MODE_AUDIT ? "audit" : "enforce", c->refuse == REFUSE_REJECT ? "reject" : "drop");
	if (c->rate > 0)
		fprintf(pr->out, " rate = { per_second = %u; burst = %u; };", c->rate, c->rate_burst);
	fputs("\n\t", pr->out);
	if ((rc = print_allow(pr, c)) == 0 && (rc = print_inbound(pr, c)) == 0)
		rc = print_remedies(pr, c);
	fputs(" }", pr->out);
	return rc;
}

static int
class_cmp(const void *a, const void *b, void *arg)
{
	const struct image *im = arg;

	return strcmp(image_text(im, im->classes[*(const uint32_t *)a].name),
	    image_text(im, im->classes[*(const uint32_t *)b].name));
}

int
print_classes(struct printer *pr)
{
	uint32_t all = pr->im->n[IMAGE_CLASSES], n = 0, i, *order;
	int rc = 0;

	if ((order = calloc(all, sizeof(*order))) == NULL)
		return -ENOMEM;
	/* Without quarantine, the first, which is the appliance's, and those of other classes. */
	for (i = 1; i < all; i++)
		if ((pr->im->classes[i].hints & CLASS_QUARANTINE) == 0)
			order[n++] = i;
	qsort_r(order, n, sizeof(*order), class_cmp, (void *)(uintptr_t)pr->im);
	if (n > 0)
		fputs("\nclasses = (\n", pr->out);
	for (i = 0; rc == 0 && i < n; i++) {
		if ((rc = print_class(pr, &pr->im->classes[order[i]])) == 0)
			fputs(i + 1 < n ? ",\n" : "\n);\n", pr->out);
	}
	free(order);
	return rc;
}
