/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compile_rules.c -- a class into the image: its rules as written, with those that
 * it extends, and the pieces that they allow. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "model/compile_parts.h"
#include "proto/limits.h"

/* What a class's rules come to. */
struct pieces {
	struct piece *at;
	size_t n, cap;
};

static int
pieces_room(struct pieces *p, size_t more)
{
	size_t cap = p->cap < 64 ? 64 : p->cap;
	struct piece *grown;

	while (cap < p->n + more)
		cap *= 2;
	if (cap == p->cap)
		return 0;
	if ((grown = reallocarray(p->at, cap, sizeof(*grown))) == NULL)
		return -ENOMEM;
	p->at = grown;
	p->cap = cap;
	return 0;
}

/* ICMP is IPv4's, ICMPv6 is IPv6's; everything else is both's. 0: both. */
static uint8_t
service_family(const struct service *s)
{
	if (s->kind != BOX_ICMP)
		return 0;
	return s->protocol == IPPROTO_ICMP ? AF_INET : AF_INET6;
}

static struct image_box
service_box(const struct service *s)
{
	struct image_box box;

	memset(&box, 0, sizeof(box));
	box.kind = s->kind;
	box.family = service_family(s);
	box.protocol = s->protocol;
	box.low = s->low;
	box.high = s->high;
	return box;
}

static struct image_rule_box
rule_box(struct compile *c, const struct destination *to, const struct service *s, uint32_t peer)
{
	struct image_rule_box out;

	memset(&out, 0, sizeof(out));
	out.box = service_box(s);
	out.peer = peer;
	if (to->kind == TO_NAME)
		out.name = image_build_intern(&c->b, to->name);
	if (to->kind != TO_RANGE)
		return out;
	out.box.family = to->range.first.family;
	memcpy(out.box.first, to->range.first.bytes, sizeof(out.box.first));
	memcpy(out.box.last, to->range.last.bytes, sizeof(out.box.last));
	return out;
}

/* Does a box of this rule open something in the class itself? A host stays
 * closed; a class that comes in is allowed on its own side. */
static bool
opens(const struct image_rule *r, const struct image_rule_box *b)
{
	return b->name == 0 && (r->direction == REACH_OUT || b->peer == 0);
}

static uint32_t
class_peer(const struct compile *c, const struct destination *to)
{
	uint32_t index;

	if (to->kind != TO_CLASS || !names_find(&c->classes, to->name, &index))
		return 0;
	return c->class_number[index];
}

static int
compile_rule(struct compile *c, const struct rule *r, enum reach_direction direction, struct pieces *pieces)
{
	struct image_rule out = { .direction = (uint8_t)direction, .schedule = compile_schedule_number(c, r),
		.where = compile_where(c, &r->where) };
	struct image_rule_box box;
	size_t i, k;
	int rc;

	if ((rc = compile_resolve(c, r)) < 0 ||
	    (rc = pieces_room(pieces, c->rule.n_to * c->rule.n_services)) < 0)
		return rc;
	out.boxes.first = image_build_count(&c->b, IMAGE_RULE_BOXES);
	for (i = 0; i < c->rule.n_to; i++) {
		const struct destination *to = c->rule.to[i];
		uint32_t peer = class_peer(c, to);

		for (k = 0; k < c->rule.n_services; k++) {
			if (!compile_fits(to, c->rule.services[k]))
				continue;
			box = rule_box(c, to, c->rule.services[k], peer);
			image_build_add(&c->b, IMAGE_RULE_BOXES, &box, 1);
			if (opens(&out, &box))
				pieces->at[pieces->n++] = (struct piece){ out.direction, out.schedule, peer, box.box };
		}
	}
	out.boxes.n = image_build_count(&c->b, IMAGE_RULE_BOXES) - out.boxes.first;
	image_build_add(&c->b, IMAGE_RULES, &out, 1);
	return c->b.error;
}

/* ---- who names a class as its source ------------------------------------ */

static int
add_meetings(struct compile *c, const struct rule *r, uint32_t number, bool *any)
{
	struct meeting *grown;
	size_t i, k;
	int rc;

	if ((rc = compile_resolve(c, r)) < 0)
		return rc;
	for (i = 0; i < c->rule.n_to; i++) {
		uint32_t from = class_peer(c, c->rule.to[i]);

		for (k = 0; from != 0 && k < c->rule.n_services; k++) {
			grown = policy_grow(c->meetings, c->n_meetings, sizeof(*grown));
			if (grown == NULL)
				return -ENOMEM;
			c->meetings = grown;
			c->meetings[c->n_meetings++] = (struct meeting){ from, { REACH_OUT,
			    compile_schedule_number(c, r), number, service_box(c->rule.services[k]) } };
			*any = true;
		}
	}
	return 0;
}

static int
meeting_cmp(const void *pa, const void *pb)
{
	const struct meeting *a = pa, *b = pb;

	return a->class_number < b->class_number ? -1 : a->class_number > b->class_number;
}

int
compile_meetings(struct compile *c)
{
	size_t i, k, j;
	int rc;

	for (i = 0; i < c->p->n_classes; i++) {
		bool any = false;

		compile_family(c, (uint32_t)i);
		for (k = 0; k < c->n_family; k++)
			for (j = 0; j < c->family[k]->n_inbound; j++) {
				rc = add_meetings(c, &c->family[k]->inbound[j], c->class_number[i], &any);
				if (rc < 0)
					return rc;
			}
		if (any)
			c->named[i] = 1;
	}
	if (c->n_meetings > 0)	/* without one there is no array */
		qsort(c->meetings, c->n_meetings, sizeof(*c->meetings), meeting_cmp);
	return 0;
}

static int
take_meetings(struct compile *c, uint32_t number, struct pieces *pieces)
{
	size_t low = 0, high = c->n_meetings, mid;
	int rc;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (c->meetings[mid].class_number < number)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < c->n_meetings && c->meetings[low].class_number == number; low++) {
		if ((rc = pieces_room(pieces, 1)) < 0)
			return rc;
		pieces->at[pieces->n++] = c->meetings[low].piece;
	}
	return 0;
}

/* ---- a class ------------------------------------------------------------ */

/* Those of the class, then those of each that it extends. */
static int
compile_family_rules(struct compile *c, struct pieces *pieces)
{
	size_t i, k;
	int rc;

	for (i = 0; i < c->n_family; i++)
		for (k = 0; k < c->family[i]->n_rules; k++)
			if ((rc = compile_rule(c, &c->family[i]->rules[k], REACH_OUT, pieces)) < 0)
				return rc;
	for (i = 0; i < c->n_family; i++)
		for (k = 0; k < c->family[i]->n_inbound; k++)
			if ((rc = compile_rule(c, &c->family[i]->inbound[k], REACH_IN, pieces)) < 0)
				return rc;
	return 0;
}

int
compile_class(struct compile *c, struct image_class *out)
{
	const struct class_decl *cl = c->family[0];
	struct pieces pieces = { .n = 0 };
	int rc;

	out->name = image_build_intern(&c->b, cl->name);
	out->mode = (uint8_t)compile_who_says(c, CLASS_MODE)->mode;
	out->refuse = (uint8_t)compile_who_says(c, CLASS_REFUSE)->refuse;
	out->rate = compile_who_says(c, CLASS_RATE)->rate;
	out->rate_burst = compile_who_says(c, CLASS_RATE)->rate_burst;
	out->rules.first = image_build_count(&c->b, IMAGE_RULES);
	if ((rc = compile_family_rules(c, &pieces)) == 0 && (rc = take_meetings(c, out->number, &pieces)) == 0)
		rc = compile_reaches(c, cl, pieces.at, pieces.n, &out->reaches);
	out->rules.n = image_build_count(&c->b, IMAGE_RULES) - out->rules.first;
	out->where = compile_where(c, &cl->where);
	image_build_add(&c->b, IMAGE_CLASSES, out, 1);
	free(pieces.at);
	return rc;
}

/* What devices may ask of the appliance itself: boxes without addresses. */
void
compile_services(struct compile *c, struct image_slice *slice)
{
	const struct appliance_decl *a = &c->p->appliance;
	struct class_decl appliance = { .where = a->where, .name = NULL };
	struct image_box *boxes = calloc(a->n_services + 1, sizeof(*boxes));
	char name[] = "appliance";
	size_t i;
	int rc = -ENOMEM;

	appliance.name = name;
	if (boxes != NULL) {
		for (i = 0; i < a->n_services; i++)
			boxes[i] = service_box(&a->services[i]);
		rc = compile_boxes(c, &appliance, boxes, a->n_services, LIMIT_BOXES_PER_CLASS, slice);
	}
	free(boxes);
	if (rc < 0 && c->b.error == 0)
		c->b.error = rc;
}
