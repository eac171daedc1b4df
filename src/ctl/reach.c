/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reach.c -- what a class may reach and who may reach it, in words, with the line
 * that says so. From the rules as they were written; what the kernel enforces is
 * the same set of packets in disjoint boxes. */
#include "ctl/reach.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

#include "common/addr.h"
#include "ctl/answer.h"
#include "ctl/format.h"
#include "ctl/schedule.h"
#include "model/words.h"
#include "proto/limits.h"

const char *
reach_where(const struct image *im, const struct image_where *w, char buf[WHERE_STRLEN])
{
	char file[WHERE_STRLEN - 16];

	format_text(image_text(im, w->file), file, sizeof(file));
	if (file[0] == '\0')
		snprintf(buf, WHERE_STRLEN, "-");
	else
		snprintf(buf, WHERE_STRLEN, "%s:%" PRIu32, file, w->line);
	return buf;
}

json_t *
reach_where_json(const struct image *im, const struct image_where *w)
{
	if (image_text(im, w->file)[0] == '\0')
		return json_null();
	return json_pack("{s:o, s:i}", "file", answer_text(image_text(im, w->file)), "line", (int)w->line);
}

/* ---- words -------------------------------------------------------------- */

#define SERVICE_STRLEN 64
#define DESTINATION_STRLEN (LIMIT_HOST + 32)

static const char *
service_text(const struct image_box *b, char buf[SERVICE_STRLEN])
{
	const char *word = protocol_name(b->protocol);
	char protocol[PROTOCOL_STRLEN];

	snprintf(protocol, sizeof(protocol), "%u", b->protocol);
	if (word != NULL)
		snprintf(protocol, sizeof(protocol), "%s", word);
	if (b->kind == BOX_ANY)
		snprintf(buf, SERVICE_STRLEN, "anything");
	else if (b->kind == BOX_PROTOCOL)
		snprintf(buf, SERVICE_STRLEN, "%s", protocol);
	else if (b->low != b->high)
		snprintf(buf, SERVICE_STRLEN, "%s %u-%u", protocol, b->low, b->high);
	else if (b->kind == BOX_ICMP && (word = icmp_type_name(b->protocol, (uint8_t)b->low)) != NULL)
		snprintf(buf, SERVICE_STRLEN, "%s %s", protocol, word);
	else
		snprintf(buf, SERVICE_STRLEN, "%s %u", protocol, b->low);
	return buf;
}

static const char *
destination_text(const struct image *im, const struct image_rule_box *b, char buf[DESTINATION_STRLEN])
{
	struct addr_range range = { .first = { .family = b->box.family }, .last = { .family = b->box.family } };
	const struct image_class *peer;
	char text[RANGE_STRLEN];

	if (b->name != 0) {
		format_text(image_text(im, b->name), buf, DESTINATION_STRLEN);
	} else if (b->peer != 0) {
		peer = image_class(im, b->peer);
		snprintf(buf, DESTINATION_STRLEN, "class:%s", peer != NULL ? image_text(im, peer->name) : "?");
	} else {
		memcpy(range.first.bytes, b->box.first, sizeof(b->box.first));
		memcpy(range.last.bytes, b->box.last, sizeof(b->box.last));
		snprintf(buf, DESTINATION_STRLEN, "%s", addr_range_format(&range, text));
	}
	return buf;
}

/* ---- grouping ----------------------------------------------------------- */

static bool
same_destination(const struct image_rule_box *a, const struct image_rule_box *b)
{
	if (a->peer != b->peer || a->name != b->name)
		return false;
	if (a->peer != 0 || a->name != 0)
		return true;
	return a->box.family == b->box.family && memcmp(a->box.first, b->box.first, sizeof(a->box.first)) == 0 &&
	    memcmp(a->box.last, b->box.last, sizeof(a->box.last)) == 0;
}

/* Boxes are destinations times services: was this destination there before? */
static bool
is_repeated(const struct image_rule_box *boxes, uint32_t i)
{
	uint32_t j;

	for (j = i; j > 0; j--)
		if (same_destination(&boxes[j - 1], &boxes[i]))
			return true;
	return false;
}

/* One other end of one rule: boxes[first], and all later ones of the n that are for
 * it. owner is the class that has the rule. */
struct place {
	const struct image *im;
	const struct image_class *owner;
	const struct image_rule *rule;
	const struct image_rule_box *boxes;
	uint32_t first, n;
};

typedef void reach_fn(void *arg, const struct place *);

static void
each_place(const struct image *im, const struct image_class *owner, enum reach_direction direction, uint32_t peer,
    reach_fn *fn, void *arg)
{
	uint32_t i, j;

	for (i = 0; i < owner->rules.n; i++) {
		const struct image_rule *rule = &im->rules[owner->rules.first + i];
		const struct image_rule_box *boxes = im->rule_boxes + rule->boxes.first;

		for (j = 0; rule->direction == direction && j < rule->boxes.n; j++) {
			const struct place p = { im, owner, rule, boxes, j, rule->boxes.n };

			if ((peer == 0 || boxes[j].peer == peer) && !is_repeated(boxes, j))
				fn(arg, &p);
		}
	}
}

/* The class's own rules of this direction, then what other classes say of it: that
 * its devices may come to them, or theirs to it. */
static void
each_reach(const struct image *im, const struct image_class *class, enum reach_direction direction, reach_fn *fn,
    void *arg)
{
	uint32_t i;

	each_place(im, class, direction, 0, fn, arg);
	for (i = 0; class->number != 0 && i < im->n[IMAGE_CLASSES]; i++)
		each_place(im, &im->classes[i], direction == REACH_OUT ? REACH_IN : REACH_OUT, class->number, fn, arg);
}

/* ---- printing ----------------------------------------------------------- */

/* What stands at the other end, seen from the class that is shown. */
static const char *
other_text(const struct place *p, enum reach_direction direction, char buf[DESTINATION_STRLEN])
{
	if (p->rule->direction == direction)
		return destination_text(p->im, &p->boxes[p->first], buf);
	snprintf(buf, DESTINATION_STRLEN, "class:%s", image_text(p->im, p->owner->name));
	return buf;
}

struct printing {
	enum reach_direction direction;
	const char *indent;
	FILE *out;
	bool any;
};

static void
print_place(void *arg, const struct place *p)
{
	struct printing *pr = arg;
	char other[DESTINATION_STRLEN], service[SERVICE_STRLEN], where[WHERE_STRLEN];
	const char *comma = ": ";
	uint32_t i;

	pr->any = true;
	fprintf(pr->out, "%s%s", pr->indent, other_text(p, pr->direction, other));
	for (i = p->first; i < p->n; i++) {
		if (!same_destination(&p->boxes[i], &p->boxes[p->first]))
			continue;
		fprintf(pr->out, "%s%s", comma, service_text(&p->boxes[i].box, service));
		comma = ", ";
	}
	if (p->rule->schedule != 0)
		fprintf(pr->out, ", only while %s is open",
		    image_text(p->im, p->im->schedules[p->rule->schedule - 1].name));
	fprintf(pr->out, "   (%s)%s\n", reach_where(p->im, &p->rule->where, where),
	    p->boxes[p->first].name != 0 ? " closed until names are resolved by the appliance" : "");
}

void
reach_print(const struct image *im, const struct image_class *class, enum reach_direction direction,
    const char *indent, FILE *out)
{
	struct printing p = { direction, indent, out, false };

	each_reach(im, class, direction, print_place, &p);
	if (!p.any)
		fprintf(out, "%s%s\n", indent, direction == REACH_OUT ? "nothing" : "nobody");
}

struct collecting {
	enum reach_direction direction;
	json_t *list;
};

static void
add_place(void *arg, const struct place *p)
{
	const struct collecting *c = arg;
	json_t *services = json_array(), *schedule = json_null();
	char other[DESTINATION_STRLEN], service[SERVICE_STRLEN];
	uint32_t i;

	for (i = p->first; i < p->n; i++)
		if (same_destination(&p->boxes[i], &p->boxes[p->first]))
			json_array_append_new(services, json_string(service_text(&p->boxes[i].box, service)));
	if (p->rule->schedule != 0)
		schedule = answer_text(image_text(p->im, p->im->schedules[p->rule->schedule - 1].name));
	json_array_append_new(c->list, json_pack("{s:o, s:o, s:b, s:o, s:o}",
	    c->direction == REACH_OUT ? "to" : "from", answer_text(other_text(p, c->direction, other)),
	    "services", services, "open", p->boxes[p->first].name == 0, "schedule", schedule,
	    "where", reach_where_json(p->im, &p->rule->where)));
}

json_t *
reach_json(const struct image *im, const struct image_class *class, enum reach_direction direction)
{
	struct collecting c = { direction, json_array() };

	each_reach(im, class, direction, add_place, &c);
	return c.list;
}

/* ---- schedules ---------------------------------------------------------- */

struct used {
	bool by_number[LIMIT_SCHEDULES + 1];
};

static void
mark_used(void *arg, const struct place *p)
{
	struct used *u = arg;

	u->by_number[p->rule->schedule] = true;
}

static struct used
used_schedules(const struct image *im, const struct image_class *class)
{
	struct used u = { { false } };

	each_reach(im, class, REACH_OUT, mark_used, &u);
	each_reach(im, class, REACH_IN, mark_used, &u);
	return u;
}

void
reach_print_schedules(const struct image *im, const struct image_class *class, int64_t now_ms, const char *indent,
    FILE *out)
{
	struct used u = used_schedules(im, class);
	char text[SCHEDULE_STRLEN];
	uint32_t i;

	for (i = 0; i < im->n[IMAGE_SCHEDULES]; i++)
		if (u.by_number[i + 1])
			fprintf(out, "%s%s\n", indent, schedule_text(im, &im->schedules[i], now_ms, text));
}

json_t *
reach_schedules_json(const struct image *im, const struct image_class *class, int64_t now_ms)
{
	struct used u = used_schedules(im, class);
	json_t *list = json_array();
	uint32_t i;

	for (i = 0; i < im->n[IMAGE_SCHEDULES]; i++)
		if (u.by_number[i + 1])
			json_array_append_new(list, schedule_json(im, &im->schedules[i], now_ms));
	return list;
}
