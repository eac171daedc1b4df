/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_class.c -- class list, show. */
#include <inttypes.h>
#include <string.h>

#include "ctl/answer.h"
#include "ctl/ctl.h"
#include "ctl/format.h"
#include "ctl/reach.h"
#include "ctl/view.h"

struct members {
	uint32_t devices;
	uint32_t quarantined;
	uint32_t restricted;
	uint32_t pending;
};

static struct members
count_members(const struct view *v, uint32_t number)
{
	struct members m = { 0 };
	uint32_t i;

	for (i = 0; i < v->image.n[IMAGE_DEVICES]; i++) {
		if (v->image.devices[i].class_number != number)
			continue;
		m.devices++;
		m.quarantined += v->devices[i].where == STATION_QUARANTINED;
		m.restricted += v->devices[i].where == STATION_RESTRICTED;
		m.pending += v->devices[i].pending != 0;
	}
	return m;
}

/* Made by the compiler, no admin's: shown with the class it belongs to. */
static bool
is_hidden(const struct image_class *class)
{
	return (class->hints & CLASS_QUARANTINE) != 0;
}

static const char *
mode_word(uint32_t mode)
{
	return mode == MODE_AUDIT ? "audit" : "enforce";
}

static const char *
refuse_word(uint32_t refuse)
{
	return refuse == REFUSE_REJECT ? "reject" : "drop";
}

static json_t *
rate_json(const struct image_class *class)
{
	if (class->rate == 0)
		return json_null();
	return json_pack("{s:i, s:i}", "per_second", (int)class->rate, "burst", (int)class->rate_burst);
}

static json_t *
class_json(const struct view *v, const struct image_class *class)
{
	const struct image *im = &v->image;
	struct members m = count_members(v, class->number);

	return json_pack("{s:o, s:i, s:s, s:s, s:o, s:i, s:i, s:i, s:i, s:i, s:o}", "name",
	    answer_text(image_text(im, class->name)), "number", (int)class->number, "mode", mode_word(class->mode),
	    "refuse", refuse_word(class->refuse),
	    "rate", rate_json(class), "devices", (int)m.devices,
	    "quarantined", (int)m.quarantined, "restricted", (int)m.restricted, "pending", (int)m.pending, "rules", (int)class->rules.n,
	    "where", reach_where_json(im, &class->where));
}

static int
list_json(struct ctl *c, const struct view *v)
{
	json_t *list = json_array();
	uint32_t i;

	for (i = 0; i < v->image.n[IMAGE_CLASSES]; i++)
		if (!is_hidden(&v->image.classes[i]))
			json_array_append_new(list, class_json(v, &v->image.classes[i]));
	return ctl_json(c, EXIT_DONE, json_pack("{s:o, s:o}", "revision", answer_count(v->revision),
	    "classes", list));
}

static int
list_table(struct ctl *c, const struct view *v)
{
	static const char *const heads[] = { "CLASS", "MODE", "REFUSE", ">RATE", ">DEVICES", ">QUARANTINED",
		">RULES", "DECLARED IN", NULL };
	struct table t;
	char n[2][COUNT_STRLEN], where[WHERE_STRLEN];
	uint32_t i;

	table_init(&t, heads);
	for (i = 0; i < v->image.n[IMAGE_CLASSES]; i++) {
		const struct image_class *class = &v->image.classes[i];
		struct members m = count_members(v, class->number);

		if (is_hidden(class))
			continue;
		table_cell(&t, image_text(&v->image, class->name));
		table_cell(&t, mode_word(class->mode));
		table_cell(&t, refuse_word(class->refuse));
		table_cell(&t, class->rate > 0 ? format_count(class->rate, n[0]) : "-");
		table_cell(&t, format_count(m.devices, n[0]));
		table_cell(&t, format_count(m.quarantined, n[1]));
		table_cellf(&t, "%" PRIu32, class->rules.n);
		table_cell(&t, reach_where(&v->image, &class->where, where));
	}
	table_print(&t, true, c->out);
	table_done(&t);
	return EXIT_DONE;
}

static int
list(struct ctl *c, struct client *cl, struct view *v)
{
	(void)cl;
	return c->json ? list_json(c, v) : list_table(c, v);
}

int
cmd_class_list(struct ctl *c)
{
	return view_with(c, list);
}

/* ---- show --------------------------------------------------------------- */

/* Where its devices stand in quarantine; NULL: where all do. */
static const struct image_class *
own_quarantine(const struct view *v, const struct image_class *class)
{
	return class->quarantine != 0 ? image_class(&v->image, class->quarantine) : NULL;
}

static int
show_json(struct ctl *c, const struct view *v, const struct image_class *class)
{
	json_t *answer = class_json(v, class), *names = json_array();
	uint32_t i;

	for (i = 0; i < v->image.n[IMAGE_DEVICES]; i++)
		if (v->image.devices[i].class_number == class->number)
			json_array_append_new(names, answer_text(image_text(&v->image, v->image.devices[i].name)));
	json_object_set_new(answer, "allow", reach_json(&v->image, class, REACH_OUT));
	json_object_set_new(answer, "quarantine_allow", own_quarantine(v, class) != NULL ?
	    reach_json(&v->image, own_quarantine(v, class), REACH_OUT) : json_null());
	json_object_set_new(answer, "inbound", reach_json(&v->image, class, REACH_IN));
	json_object_set_new(answer, "schedules", reach_schedules_json(&v->image, class, v->head->taken_at));
	json_object_set_new(answer, "members", names);
	json_object_set_new(answer, "revision", answer_count(v->revision));
	return ctl_json(c, EXIT_DONE, answer);
}

static void
print_members(struct ctl *c, const struct view *v, const struct image_class *class)
{
	char shown[LIMIT_NAME * 4];
	uint32_t i;

	for (i = 0; i < v->image.n[IMAGE_DEVICES]; i++)
		if (v->image.devices[i].class_number == class->number)
			fprintf(c->out, "  %s\n", format_text(image_text(&v->image, v->image.devices[i].name),
			    shown, sizeof(shown)));
}

static int
show(struct ctl *c, struct client *cl, struct view *v)
{
	int exit = EXIT_MISTAKES;
	const struct image_class *class = view_class(c, v, c->args->words[0], &exit);
	char where[WHERE_STRLEN], n[4][COUNT_STRLEN];
	struct members m;

	(void)cl;
	if (class == NULL)
		return exit;
	if (c->json)
		return show_json(c, v, class);
	m = count_members(v, class->number);
	fprintf(c->out, "class %s, mode %s, declared in %s\n", image_text(&v->image, class->name),
	    mode_word(class->mode), reach_where(&v->image, &class->where, where));
	fprintf(c->out, "refuses: %s\n", class->refuse == REFUSE_REJECT ?
	    "reject, by a TCP reset or ICMP's \"administratively prohibited\"" : "drop, without an answer");
	if (class->rate > 0)
		fprintf(c->out, "rate: %s new connections per second of one device, %s at once\n",
		    format_count(class->rate, n[0]), format_count(class->rate_burst, n[1]));
	fprintf(c->out, "may reach:\n");
	reach_print(&v->image, class, REACH_OUT, "  ", c->out);
	if (own_quarantine(v, class) != NULL) {
		fprintf(c->out, "in quarantine it may reach:\n");
		reach_print(&v->image, own_quarantine(v, class), REACH_OUT, "  ", c->out);
	}
	fprintf(c->out, "may be reached from:\n");
	reach_print(&v->image, class, REACH_IN, "  ", c->out);
	reach_print_schedules(&v->image, class, v->head->taken_at, "schedule ", c->out);
	fprintf(c->out, "devices: %s, of these %s in quarantine, %s restricted, %s waiting for a person\n",
	    format_count(m.devices, n[0]), format_count(m.quarantined, n[1]), format_count(m.restricted, n[2]),
	    format_count(m.pending, n[3]));
	print_members(c, v, class);
	return EXIT_DONE;
}

int
cmd_class_show(struct ctl *c)
{
	return view_with(c, show);
}
