/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compile_rules.c -- a class into the image: its rules as written, and what
 * they amount to as disjoint boxes, by address and by class. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "model/compile_parts.h"
#include "proto/limits.h"

/* Every box of a class before overlaps are resolved; peer 0: by address. */
struct raw {
	struct image_rule_box *boxes;
	size_t n;
};

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

/* false: this service does not exist in the destination's family. */
static bool
rule_box(struct compile *c, const struct destination *to, const struct service *s, struct image_rule_box *out)
{
	uint8_t family = to->range.first.family;
	uint32_t index;

	memset(out, 0, sizeof(*out));
	out->box = service_box(s);
	switch (to->kind) {
	case TO_RANGE:
		if (out->box.family != 0 && out->box.family != family)
			return false;
		out->box.family = family;
		memcpy(out->box.first, to->range.first.bytes, sizeof(out->box.first));
		memcpy(out->box.last, to->range.last.bytes, sizeof(out->box.last));
		break;
	case TO_CLASS:
		if (!names_find(&c->classes, to->name, &index))
			return false;
		out->peer = c->class_number[index];
		break;
	case TO_GROUP:
		return false;
	case TO_NAME:
		out->name = image_build_intern(&c->b, to->name);
		break;
	}
	return true;
}

static void
compile_rule(struct compile *c, const struct rule *r, struct raw *raw)
{
	struct image_rule out = { .where = compile_where(c, &r->where) };
	size_t i, k, first = raw->n;

	for (i = 0; i < r->n_to; i++)
		for (k = 0; k < r->n_services; k++)
			raw->n += rule_box(c, &r->to[i], &r->services[k], &raw->boxes[raw->n]);
	out.boxes.n = (uint32_t)(raw->n - first);
	out.boxes.first = image_build_add(&c->b, IMAGE_RULE_BOXES, raw->boxes + first, raw->n - first);
	image_build_add(&c->b, IMAGE_RULES, &out, 1);
}

/* Write n overlapping boxes as disjoint ones. */
static int
write_boxes(struct compile *c, const struct class_decl *cl, const struct image_box *boxes, size_t n,
    struct image_slice *slice)
{
	struct image_box *disjoint;
	size_t n_disjoint;
	int rc = boxes_disjoint(boxes, n, LIMIT_BOXES_PER_CLASS, &disjoint, &n_disjoint);

	slice->first = image_build_count(&c->b, IMAGE_BOXES);
	slice->n = 0;
	if (rc == -E2BIG) {
		mistakes_add(c->m, compile_file(c, &cl->where), cl->where.line,
		    "the rules of class \"%s\" overlap in more than %u pieces: use wider ranges", cl->name,
		    LIMIT_BOXES_PER_CLASS);
		return 0;
	}
	if (rc < 0)
		return rc;
	image_build_add(&c->b, IMAGE_BOXES, disjoint, n_disjoint);
	slice->n = (uint32_t)n_disjoint;
	free(disjoint);
	return 0;
}

static int
by_peer(const void *pa, const void *pb)
{
	const struct image_rule_box *a = pa, *b = pb;

	return a->peer < b->peer ? -1 : a->peer > b->peer;
}

static int
write_reach(struct compile *c, const struct class_decl *cl, const struct image_box *boxes, size_t n,
    struct image_reach *reach)
{
	int rc = n == 0 ? 0 : write_boxes(c, cl, boxes, n, &reach->boxes);

	if (rc == 0 && reach->boxes.n > 0)
		image_build_add(&c->b, IMAGE_REACHES, reach, 1);
	return rc;
}

/* By address, then each peer. raw is sorted by peer. */
static int
write_reaches(struct compile *c, const struct class_decl *cl, const struct raw *raw, struct image_class *out)
{
	struct image_box *boxes = calloc(raw->n + 1, sizeof(*boxes));
	struct image_reach reach;
	size_t i = 0, n;
	int rc = 0;

	if (boxes == NULL)
		return -ENOMEM;
	out->reaches.first = image_build_count(&c->b, IMAGE_REACHES);
	while (rc == 0 && i < raw->n) {
		memset(&reach, 0, sizeof(reach));
		reach.peer = raw->boxes[i].peer;
		for (n = 0; i < raw->n && raw->boxes[i].peer == reach.peer; i++)
			if (raw->boxes[i].name == 0)
				boxes[n++] = raw->boxes[i].box;
		rc = write_reach(c, cl, boxes, n, &reach);
	}
	out->reaches.n = image_build_count(&c->b, IMAGE_REACHES) - out->reaches.first;
	free(boxes);
	return rc;
}

int
compile_class(struct compile *c, const struct class_decl *cl, uint32_t number, bool named)
{
	struct image_class out;
	struct raw raw = { .n = 0 };
	size_t i, n = 0;
	int rc;

	for (i = 0; i < cl->n_rules; i++)
		n += cl->rules[i].n_to * cl->rules[i].n_services;
	if ((raw.boxes = calloc(n + 1, sizeof(*raw.boxes))) == NULL)
		return -ENOMEM;
	memset(&out, 0, sizeof(out));
	out.number = number;
	out.name = image_build_intern(&c->b, cl->name);
	out.mode = (uint8_t)cl->mode;
	out.named = named;
	out.rules.first = image_build_count(&c->b, IMAGE_RULES);
	out.rules.n = (uint32_t)cl->n_rules;
	for (i = 0; i < cl->n_rules; i++)
		compile_rule(c, &cl->rules[i], &raw);
	qsort(raw.boxes, raw.n, sizeof(*raw.boxes), by_peer);
	rc = write_reaches(c, cl, &raw, &out);
	out.where = compile_where(c, &cl->where);
	image_build_add(&c->b, IMAGE_CLASSES, &out, 1);
	free(raw.boxes);
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
		rc = write_boxes(c, &appliance, boxes, a->n_services, slice);
	}
	free(boxes);
	if (rc < 0 && c->b.error == 0)
		c->b.error = rc;
}
