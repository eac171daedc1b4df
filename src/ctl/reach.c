/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reach.c -- what a class may reach, in words, with the line that says so.
 * From the rules as they were written; what the kernel enforces is the same
 * set of packets in disjoint boxes. */
#include "ctl/reach.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

#include "common/addr.h"
#include "ctl/answer.h"
#include "ctl/format.h"
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
icmp_word(uint8_t protocol, uint16_t type)
{
	static const struct {
		uint8_t protocol, type;
		const char *word;
	} words[] = {
		{ IPPROTO_ICMP, 0, "echo-reply" },
		{ IPPROTO_ICMP, 3, "destination-unreachable" },
		{ IPPROTO_ICMP, 8, "echo-request" },
		{ IPPROTO_ICMP, 11, "time-exceeded" },
		{ IPPROTO_ICMP, 13, "timestamp-request" },
		{ IPPROTO_ICMPV6, 1, "destination-unreachable" },
		{ IPPROTO_ICMPV6, 2, "packet-too-big" },
		{ IPPROTO_ICMPV6, 3, "time-exceeded" },
		{ IPPROTO_ICMPV6, 128, "echo-request" },
		{ IPPROTO_ICMPV6, 129, "echo-reply" },
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i].protocol == protocol && words[i].type == type)
			return words[i].word;
	return NULL;
}

static const char *
service_text(const struct image_box *b, char buf[SERVICE_STRLEN])
{
	char protocol[PROTOCOL_STRLEN];
	const char *word;

	word_protocol(b->protocol, protocol);
	if (b->kind == BOX_ANY)
		snprintf(buf, SERVICE_STRLEN, "anything");
	else if (b->kind == BOX_PROTOCOL)
		snprintf(buf, SERVICE_STRLEN, "%s", protocol);
	else if (b->low != b->high)
		snprintf(buf, SERVICE_STRLEN, "%s %u-%u", protocol, b->low, b->high);
	else if (b->kind == BOX_ICMP && (word = icmp_word(b->protocol, b->low)) != NULL)
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

typedef void reach_fn(void *arg, const struct image *, const struct image_rule *,
    const struct image_rule_box *boxes, uint32_t first, uint32_t n);

/* Each destination of each rule once. */
static void
each_destination(const struct image *im, const struct image_class *class, reach_fn *fn, void *arg)
{
	uint32_t i, j;

	for (i = 0; i < class->rules.n; i++) {
		const struct image_rule *rule = &im->rules[class->rules.first + i];
		const struct image_rule_box *boxes = im->rule_boxes + rule->boxes.first;

		for (j = 0; j < rule->boxes.n; j++)
			if (!is_repeated(boxes, j))
				fn(arg, im, rule, boxes, j, rule->boxes.n);
	}
}

/* ---- printing ----------------------------------------------------------- */

struct printing {
	const char *indent;
	FILE *out;
};

static void
print_destination(void *arg, const struct image *im, const struct image_rule *rule,
    const struct image_rule_box *boxes, uint32_t first, uint32_t n)
{
	const struct printing *p = arg;
	char to[DESTINATION_STRLEN], service[SERVICE_STRLEN], where[WHERE_STRLEN];
	const char *comma = ": ";
	uint32_t i;

	fprintf(p->out, "%s%s", p->indent, destination_text(im, &boxes[first], to));
	for (i = first; i < n; i++) {
		if (!same_destination(&boxes[i], &boxes[first]))
			continue;
		fprintf(p->out, "%s%s", comma, service_text(&boxes[i].box, service));
		comma = ", ";
	}
	fprintf(p->out, "   (%s)%s\n", reach_where(im, &rule->where, where),
	    boxes[first].name != 0 ? " closed until names are resolved by the appliance" : "");
}

void
reach_print(const struct image *im, const struct image_class *class, const char *indent, FILE *out)
{
	struct printing p = { indent, out };

	if (class->rules.n == 0)
		fprintf(out, "%snothing\n", indent);
	each_destination(im, class, print_destination, &p);
}

static void
add_destination(void *arg, const struct image *im, const struct image_rule *rule,
    const struct image_rule_box *boxes, uint32_t first, uint32_t n)
{
	json_t *services = json_array();
	char to[DESTINATION_STRLEN], service[SERVICE_STRLEN];
	uint32_t i;

	for (i = first; i < n; i++)
		if (same_destination(&boxes[i], &boxes[first]))
			json_array_append_new(services, json_string(service_text(&boxes[i].box, service)));
	json_array_append_new(arg, json_pack("{s:o, s:o, s:b, s:o}", "to",
	    answer_text(destination_text(im, &boxes[first], to)), "services", services,
	    "open", boxes[first].name == 0, "where", reach_where_json(im, &rule->where)));
}

json_t *
reach_json(const struct image *im, const struct image_class *class)
{
	json_t *list = json_array();

	each_destination(im, class, add_destination, list);
	return list;
}
