/* SPDX-License-Identifier: GPL-2.0-or-later */
/* print_rules.c -- what may be reached, in the admin's words: rules as they were
 * written, with destinations and services in one order. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "common/addr.h"
#include "model/print_parts.h"
#include "model/words.h"

/* ---- services ----------------------------------------------------------- */

static const char *
service_key(const struct image_box *b)
{
	switch ((enum box_kind)b->kind) {
	case BOX_PORTS:
		return port_protocol_name(b->protocol);
	case BOX_ICMP:
		return b->protocol == IPPROTO_ICMP ? "icmp" : "icmpv6";
	case BOX_PROTOCOL:
		return "protocol";
	case BOX_ANY:
	case BOX_KINDS:
		break;
	}
	return "any";
}

static int
service_cmp(const void *pa, const void *pb)
{
	const struct image_box *a = pa, *b = pb;
	/* A protocol without ports is a value, not a key of its own. */
	int ka = a->kind == BOX_PROTOCOL ? 0 : a->protocol, kb = b->kind == BOX_PROTOCOL ? 0 : b->protocol;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (ka != kb)
		return ka < kb ? -1 : 1;
	if (a->protocol != b->protocol)
		return a->protocol < b->protocol ? -1 : 1;
	if (a->low != b->low)
		return a->low < b->low ? -1 : 1;
	return a->high < b->high ? -1 : a->high > b->high;
}

static void
print_value(struct printer *pr, const struct image_box *b)
{
	const char *name = b->kind == BOX_ICMP && b->low == b->high ?
	    icmp_type_name(b->protocol, (uint8_t)b->low) : NULL;

	if (b->kind == BOX_ANY)
		fputs("true", pr->out);
	else if (b->kind == BOX_PROTOCOL)
		fprintf(pr->out, "%u", b->protocol);
	else if (name != NULL)
		fprintf(pr->out, "\"%s\"", name);
	else if (b->low == b->high)
		fprintf(pr->out, "%u", b->low);
	else
		fprintf(pr->out, "\"%u-%u\"", b->low, b->high);
}

/* Sorted by service_cmp; equal ones are printed once. */
static void
print_sorted(struct printer *pr, const struct image_box *boxes, size_t n)
{
	size_t i, k, end, values;

	for (i = 0; i < n; i = end) {
		values = 1;
		for (end = i + 1; end < n && strcmp(service_key(&boxes[i]), service_key(&boxes[end])) == 0; end++)
			values += service_cmp(&boxes[end - 1], &boxes[end]) != 0;
		fprintf(pr->out, " %s = %s", service_key(&boxes[i]), values > 1 ? "(" : "");
		for (k = i; k < end; k++) {
			if (k > i && service_cmp(&boxes[k - 1], &boxes[k]) == 0)
				continue;
			if (k > i)
				fputs(", ", pr->out);
			print_value(pr, &boxes[k]);
		}
		fprintf(pr->out, "%s;", values > 1 ? ")" : "");
	}
}

int
print_services(struct printer *pr, const struct image_box *boxes, size_t n)
{
	struct image_box *sorted = calloc(n + 1, sizeof(*sorted));
	size_t i;

	if (sorted == NULL)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		sorted[i] = boxes[i];
	qsort(sorted, n, sizeof(*sorted), service_cmp);
	print_sorted(pr, sorted, n);
	free(sorted);
	return 0;
}

/* ---- rules -------------------------------------------------------------- */

static int
destination_cmp(const void *pa, const void *pb, void *arg)
{
	const struct image_rule_box *a = pa, *b = pb;
	const struct image *im = arg;
	int rc;

	if ((a->peer != 0) != (b->peer != 0))
		return a->peer != 0 ? 1 : -1;
	if (a->peer != 0)
		return strcmp(image_text(im, image_class(im, a->peer)->name),
		    image_text(im, image_class(im, b->peer)->name));
	if ((a->name != 0) != (b->name != 0))
		return a->name != 0 ? 1 : -1;
	if (a->name != 0)
		return strcmp(image_text(im, a->name), image_text(im, b->name));
	if (a->box.family != b->box.family)
		return a->box.family < b->box.family ? -1 : 1;
	rc = memcmp(a->box.first, b->box.first, sizeof(a->box.first));
	return rc != 0 ? rc : memcmp(a->box.last, b->box.last, sizeof(a->box.last));
}

static void
print_destination(struct printer *pr, const struct image_rule_box *b)
{
	char text[RANGE_STRLEN];
	struct addr_range range;

	if (b->name != 0) {
		fprintf(pr->out, "\"%s\"", image_text(pr->im, b->name));
	} else if (b->peer != 0) {
		fprintf(pr->out, "\"class:%s\"", image_text(pr->im, image_class(pr->im, b->peer)->name));
	} else {
		memset(&range, 0, sizeof(range));
		range.first.family = range.last.family = b->box.family;
		memcpy(range.first.bytes, b->box.first, sizeof(range.first.bytes));
		memcpy(range.last.bytes, b->box.last, sizeof(range.last.bytes));
		fprintf(pr->out, "\"%s\"", addr_range_format(&range, text));
	}
}

/* A rule is destinations times services, less those that do not fit: both lists
 * are what its boxes name. */
static int
print_rule(struct printer *pr, const struct image_rule *r)
{
	struct image_rule_box *to = calloc(r->boxes.n + 1, sizeof(*to));
	struct image_box *services = calloc(r->boxes.n + 1, sizeof(*services));
	void *im = (void *)(uintptr_t)pr->im;
	uint32_t i, values = 1, n = r->boxes.n;

	if (to == NULL || services == NULL) {
		free(to);
		free(services);
		return -ENOMEM;
	}
	for (i = 0; i < n; i++) {
		to[i] = pr->im->rule_boxes[r->boxes.first + i];
		services[i] = to[i].box;
	}
	qsort_r(to, n, sizeof(*to), destination_cmp, im);
	qsort(services, n, sizeof(*services), service_cmp);
	for (i = 1; i < n; i++)
		values += destination_cmp(&to[i - 1], &to[i], im) != 0;
	fprintf(pr->out, "{ %s = %s", r->direction == REACH_IN ? "from" : "to", values > 1 ? "[ " : "");
	for (i = 0; i < n; i++) {
		if (i > 0 && destination_cmp(&to[i - 1], &to[i], im) == 0)
			continue;
		if (i > 0)
			fputs(", ", pr->out);
		print_destination(pr, &to[i]);
	}
	fprintf(pr->out, "%s;", values > 1 ? " ]" : "");
	print_sorted(pr, services, n);
	if (r->schedule != 0)
		fprintf(pr->out, " schedule = \"%s\";", image_text(pr->im, pr->im->schedules[r->schedule - 1].name));
	fputs(" }", pr->out);
	free(to);
	free(services);
	return 0;
}

/* Those of one direction, from this one on; *n: how many. */
static int
print_list(struct printer *pr, const struct image_class *c, uint32_t from, enum reach_direction direction,
    const char *key, uint32_t *n)
{
	const struct image_rule *rules = pr->im->rules + c->rules.first;
	uint32_t i;
	int rc;

	for (*n = 0, i = from; i < c->rules.n; i++) {
		if (rules[i].direction != direction)
			continue;
		if ((*n)++ == 0)
			fprintf(pr->out, "%s = (\n\t\t", key);
		else
			fputs(",\n\t\t", pr->out);
		if ((rc = print_rule(pr, &rules[i])) < 0)
			return rc;
	}
	if (*n > 0)
		fputs("\n\t);", pr->out);
	return 0;
}

int
print_allow(struct printer *pr, const struct image_class *c)
{
	uint32_t n;
	int rc = print_list(pr, c, 0, REACH_OUT, "allow", &n);

	if (rc == 0 && n == 0)
		fputs("allow = \"nothing\";", pr->out);
	return rc;
}

int
print_inbound(struct printer *pr, const struct image_class *c)
{
	uint32_t n;

	return print_list(pr, c, 0, REACH_IN, "\n\tinbound", &n);
}

/* Before its own stand those that hold for all. */
int
print_remedies(struct printer *pr, const struct image_class *c)
{
	uint32_t n;

	if (c->quarantine == 0)
		return 0;
	return print_list(pr, image_class(pr->im, c->quarantine), pr->im->classes[0].rules.n, REACH_OUT,
	    "\n\tquarantine", &n);
}
