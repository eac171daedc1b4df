/* SPDX-License-Identifier: GPL-2.0-or-later */
/* staged.c -- what a staged policy would change: from the packets that came by and,
 * where no packet can show it, from the two policies. */
#include "ctl/staged.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/addr.h"
#include "common/clock.h"
#include "ctl/answer.h"
#include "ctl/format.h"
#include "ctl/who.h"
#include "model/describe.h"

/* Counts go on while they are read: the later number may be the higher. */
static uint64_t
less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* One class's part, under its name of now. */
struct of_class {
	uint32_t devices;
	uint64_t refused, allowed;
};

/* ---- names -------------------------------------------------------------- */

static const struct image_device *
device_of(const struct staged *s, uint32_t number)
{
	return image_device(&s->view->image, number);
}

static const char *
device_name(const struct staged *s, uint32_t number)
{
	const struct image_device *d = device_of(s, number);

	return d != NULL ? image_text(&s->view->image, d->name) : "?";
}

static const char *
class_now(const struct staged *s, uint32_t number)
{
	const struct image_device *d = device_of(s, number);

	return d != NULL ? view_class_name(s->view, d->class_number) : "?";
}

/* "" when the staged policy does not have the device. */
static const char *
class_next(const struct staged *s, uint32_t number)
{
	const struct image_device *d = image_device(&s->next, number);

	return d != NULL ? image_text(&s->next, image_class(&s->next, d->class_number)->name) : "";
}

static void
key_texts(const struct staged_key *k, char from[ADDR_STRLEN], char to[ADDR_STRLEN], char service[64])
{
	struct addr a = { .family = k->family };
	char protocol[PROTOCOL_STRLEN];

	memcpy(a.bytes, k->source, sizeof(a.bytes));
	addr_format(&a, from);
	memcpy(a.bytes, k->destination, sizeof(a.bytes));
	addr_format(&a, to);
	word_protocol(k->protocol, protocol);
	if (k->has_port)
		snprintf(service, 64, "%s %u", protocol, (unsigned)k->port);
	else
		snprintf(service, 64, "%s", protocol);
}

static struct of_class *
by_class(const struct staged *s)
{
	const struct image *im = &s->view->image;
	struct of_class *all = calloc((size_t)im->n[IMAGE_CLASSES] + 1, sizeof(*all));

	for (uint32_t i = 0; all != NULL && i < s->head.n_totals; i++) {
		const struct image_device *d = device_of(s, s->totals[i].number);
		struct of_class *c;

		if (d == NULL)
			continue;
		c = &all[image_class(im, d->class_number) - im->classes];
		c->devices++;
		c->refused += s->totals[i].refused;
		c->allowed += s->totals[i].allowed;
	}
	return all;
}

/* ---- what packets cannot show ------------------------------------------- */

/* What classes may reach is counted; who there is, and how fast, is not. */
static bool
is_fact(const struct described *d)
{
	return d->area == DESCRIBED_APPLIANCE || d->area == DESCRIBED_AUTHORITY || d->area == DESCRIBED_DEVICE ||
	    (d->area == DESCRIBED_CLASS && d->sign == DESCRIBED_CHANGES);
}

static int
on_fact(void *arg, const struct described *d)
{
	static const char *const areas[DESCRIBED_AREAS] = { "appliance", "authority", "schedule", "class", "device" };
	char name[LIMIT_NAME * 4 + 1], text[4096];
	struct staged *s = arg;

	if (!is_fact(d) || s->facts++ >= s->limit)
		return 0;
	if (s->c->json) {
		json_array_append_new(s->list, json_pack("{s:s, s:o, s:o}", "area", areas[d->area], "name",
		    answer_text(d->name), "text", answer_text(d->text)));
		return 0;
	}
	fprintf(s->c->out, "%s  %s%s%s: %s\n", s->facts == 1 ? "\nno packet can show:\n" : "", areas[d->area],
	    d->name[0] != '\0' ? " " : "", format_text(d->name, name, sizeof(name)),
	    format_text(d->text, text, sizeof(text)));
	return 0;
}

/* ---- for people --------------------------------------------------------- */

static void
print_head(const struct staged *s)
{
	char who[WHO_STRLEN], shown[2 * WHO_STRLEN], age[2][AGO_STRLEN], n[4][COUNT_STRLEN];
	struct clock_view now;
	FILE *out = s->c->out;

	clock_now(&now);
	fprintf(out, "staged %s ago by %s, beside revision %" PRIu64, format_age(s->head.since, now.wall_ms, age[0]),
	    format_text(who_text(&s->head.who, who), shown, sizeof(shown)), s->view->revision);
	if (s->head.counted_since > s->head.since)
		fprintf(out, "; counted for %s (the kernel's table was made anew)",
		    format_age(s->head.counted_since, now.wall_ms, age[1]));
	fprintf(out, "\nit would refuse %s connection%s that passed, and allow %s packet%s that %s refused\n",
	    format_count(s->refused, n[0]), s->refused == 1 ? "" : "s", format_count(s->allowed, n[1]),
	    s->allowed == 1 ? "" : "s", s->allowed == 1 ? "was" : "were");
	if (s->named[0] < s->refused || s->named[1] < s->allowed)
		fprintf(out, "of these, %s and %s are counted without what they were about: there is room for %s each\n",
		    format_count(less(s->refused, s->named[0]), n[0]), format_count(less(s->allowed, s->named[1]), n[1]),
		    format_count(LIMIT_STAGED_KEYS, n[2]));
}

static int
print_classes(const struct staged *s)
{
	static const char *const heads[] = { "CLASS", ">DEVICES", ">NEWLY REFUSED", ">NEWLY ALLOWED", NULL };
	struct of_class *all = by_class(s);
	char n[3][COUNT_STRLEN];
	struct table t;
	int rc = 0;

	if (all == NULL)
		return -ENOMEM;
	table_init(&t, heads);
	for (uint32_t i = 0; i < s->view->image.n[IMAGE_CLASSES]; i++) {
		if (all[i].devices == 0)
			continue;
		table_cell(&t, image_text(&s->view->image, s->view->image.classes[i].name));
		table_cell(&t, format_count(all[i].devices, n[0]));
		table_cell(&t, format_count(all[i].refused, n[1]));
		table_cell(&t, format_count(all[i].allowed, n[2]));
	}
	fputc('\n', s->c->out);
	rc = table_print(&t, true, s->c->out);
	table_done(&t);
	free(all);
	return rc;
}

static int
print_devices(const struct staged *s)
{
	static const char *const heads[] = { "DEVICE", "CLASS", "STAGED CLASS", ">NEWLY REFUSED", ">NEWLY ALLOWED", NULL };
	char n[2][COUNT_STRLEN];
	struct table t;
	int rc;

	table_init(&t, heads);
	for (uint32_t i = 0; i < s->head.n_totals && i < s->limit; i++) {
		const struct staged_total *total = &s->totals[i];
		const char *next = class_next(s, total->number);

		table_cell(&t, device_name(s, total->number));
		table_cell(&t, class_now(s, total->number));
		table_cell(&t, next[0] != '\0' ? next : "(device taken away)");
		table_cell(&t, format_count(total->refused, n[0]));
		table_cell(&t, format_count(total->allowed, n[1]));
	}
	fputc('\n', s->c->out);
	rc = table_print(&t, true, s->c->out);
	table_done(&t);
	if (s->head.n_totals > s->limit)
		fprintf(s->c->out, "... and %s more devices (--limit)\n", format_count(s->head.n_totals - s->limit, n[0]));
	return rc;
}

static int
print_keys(const struct staged *s)
{
	static const char *const heads[] = { "NEWLY", "DEVICE", "FROM", "TO", "SERVICE", ">COUNT", NULL };
	char from[ADDR_STRLEN], to[ADDR_STRLEN], service[64], n[COUNT_STRLEN];
	struct table t;
	int rc;

	if (s->head.n_keys == 0)
		return 0;
	table_init(&t, heads);
	for (uint32_t i = 0; i < s->head.n_keys && i < s->limit; i++) {
		const struct staged_key *k = &s->keys[i];

		key_texts(k, from, to, service);
		table_cell(&t, k->allowed ? "allowed" : "refused");
		table_cell(&t, device_name(s, k->number));
		table_cell(&t, from);
		table_cell(&t, to);
		table_cell(&t, service);
		table_cell(&t, format_count(k->count, n));
	}
	fputc('\n', s->c->out);
	rc = table_print(&t, true, s->c->out);
	table_done(&t);
	if (s->head.n_keys > s->limit)
		fprintf(s->c->out, "... and %s more (--limit)\n", format_count(s->head.n_keys - s->limit, n));
	return rc;
}

int
staged_print(struct staged *s)
{
	char n[COUNT_STRLEN];
	int rc = 0;

	print_head(s);
	if (s->head.n_totals > 0 && ((rc = print_classes(s)) < 0 || (rc = print_devices(s)) < 0))
		return rc;
	if ((rc = print_keys(s)) < 0 || (rc = describe_policies(&s->view->image, &s->next, on_fact, s)) < 0)
		return rc;
	if (s->facts > s->limit)
		fprintf(s->c->out, "  ... and %s more (--limit)\n", format_count(s->facts - s->limit, n));
	fputs("\n`cordonctl policy apply --staged' enforces it, `cordonctl policy unstage' ends this\n", s->c->out);
	return 0;
}

/* ---- for programs ------------------------------------------------------- */

static json_t *
classes_json(const struct staged *s)
{
	struct of_class *all = by_class(s);
	json_t *list = json_array();

	for (uint32_t i = 0; all != NULL && i < s->view->image.n[IMAGE_CLASSES]; i++)
		if (all[i].devices != 0)
			json_array_append_new(list, json_pack("{s:o, s:i, s:o, s:o}", "class",
			    answer_text(image_text(&s->view->image, s->view->image.classes[i].name)), "devices",
			    (int)all[i].devices, "newly_refused", answer_count(all[i].refused), "newly_allowed",
			    answer_count(all[i].allowed)));
	free(all);
	return list;
}

static json_t *
devices_json(const struct staged *s)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < s->head.n_totals && i < s->limit; i++) {
		const struct staged_total *t = &s->totals[i];
		const char *next = class_next(s, t->number);

		json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:o, s:o}", "device",
		    answer_text(device_name(s, t->number)), "class", answer_text(class_now(s, t->number)),
		    "staged_class", next[0] != '\0' ? answer_text(next) : json_null(), "newly_refused",
		    answer_count(t->refused), "newly_allowed", answer_count(t->allowed)));
	}
	return list;
}

static json_t *
keys_json(const struct staged *s)
{
	char from[ADDR_STRLEN], to[ADDR_STRLEN], service[64], protocol[PROTOCOL_STRLEN];
	json_t *list = json_array();

	for (uint32_t i = 0; i < s->head.n_keys && i < s->limit; i++) {
		const struct staged_key *k = &s->keys[i];

		key_texts(k, from, to, service);
		json_array_append_new(list, json_pack("{s:s, s:o, s:s, s:s, s:s, s:o, s:o}", "newly",
		    k->allowed ? "allowed" : "refused", "device", answer_text(device_name(s, k->number)), "from", from,
		    "to", to, "protocol", word_protocol(k->protocol, protocol), "port",
		    k->has_port ? json_integer(k->port) : json_null(), "count", answer_count(k->count)));
	}
	return list;
}

int
staged_json(struct staged *s)
{
	int rc;

	s->list = json_array();
	if ((rc = describe_policies(&s->view->image, &s->next, on_fact, s)) < 0)
		return ctl_fail(s->c, EXIT_MISTAKES, "no memory");
	return ctl_json(s->c, EXIT_DONE, json_pack("{s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:O}",
	    "staged", 1, "since", answer_time(s->head.since), "counted_since", answer_time(s->head.counted_since),
	    "who", who_json(&s->head.who), "revision", answer_count(s->view->revision), "newly_refused",
	    answer_count(s->refused), "newly_allowed", answer_count(s->allowed), "unnamed_refused",
	    answer_count(less(s->refused, s->named[0])), "unnamed_allowed", answer_count(less(s->allowed, s->named[1])),
	    "classes", classes_json(s), "devices", devices_json(s), "attempts", keys_json(s), "facts", s->list));
}
