/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image_check.c -- every rule of image.h, checked once, on bytes that a
 * compromised compiler may have written. Nothing here changes or trusts them;
 * records are read only after the index that leads to them was checked. */
#include <stdlib.h>
#include <string.h>

#include "model/image_check.h"
#include "model/image_record.h"
#include "model/image_walk.h"
#include "model/text.h"

static const char *
check_text(const struct image *im)
{
	const char *text = im->text;
	size_t n = im->n[IMAGE_TEXT], i, len;

	if (n == 0 || text[0] != '\0' || text[n - 1] != '\0')
		return "the text does not begin and end with NUL";
	for (i = 0; i < n; i += len) {
		len = text[i] == '\0' ? 1 : text_character(text + i, n - i);
		if (len == 0)
			return "the text holds what may not be shown";
	}
	return NULL;
}

static const char *
check_interfaces(const struct image *im)
{
	const char *name, *last = "";
	uint32_t i;

	if (im->n[IMAGE_INTERFACES] > LIMIT_INTERFACES)
		return "too many device interfaces";
	for (i = 0; i < im->n[IMAGE_INTERFACES]; i++) {
		if (!text_ok(im, im->interfaces[i].name))
			return "an interface's name is out of range";
		name = image_text(im, im->interfaces[i].name);
		if (!interface_name_is_valid(name) || strcmp(last, name) >= 0)
			return "interfaces are not valid, unique and sorted";
		last = name;
	}
	return NULL;
}

/* n boxes that stand in the image, sorted and disjoint within each kind, family
 * and protocol. */
static const char *
check_boxes(const struct image_box *boxes, uint32_t n, enum box_place place)
{
	uint32_t i, from = 0;

	if (n > LIMIT_BOXES_PER_CLASS)
		return "too many boxes in one class";
	for (i = 0; i < n; i++)
		if (!image_box_is_valid(&boxes[i], place))
			return "a box is not valid";
	for (i = 0; i < n; i++) {
		if (i + 1 < n) {
			if (image_box_cmp(&boxes[i], &boxes[i + 1]) >= 0)
				return "boxes are not sorted";
			if (image_box_same_group(&boxes[i], &boxes[i + 1]))
				continue;
		}
		if (image_boxes_overlap(boxes + from, i + 1 - from) != 0)
			return "boxes overlap";
		from = i + 1;
	}
	return NULL;
}

static const char *
check_appliance(struct walk *w)
{
	const struct image *im = w->im;
	const struct image_appliance *a = im->appliance;

	if (im->n[IMAGE_APPLIANCE] != 1)
		return "there is not one appliance";
	if (!slice_ok(w, IMAGE_BOXES, &a->services) || !where_ok(im, &a->where))
		return "the appliance's services are out of range";
	if (a->hook_priority < LIMIT_HOOK_PRIORITY_MIN || a->hook_priority > LIMIT_HOOK_PRIORITY_MAX ||
	    a->log_group < 1 || a->log_group > LIMIT_LOG_GROUP || a->connections < 1 ||
	    a->connections > LIMIT_CONNECTIONS || a->brake_devices > LIMIT_DEVICES ||
	    a->brake_within_s > LIMIT_BRAKE_SECONDS || (a->brake_devices == 0) != (a->brake_within_s == 0) ||
	    a->window_s < 1 || a->window_s > LIMIT_WINDOW_SECONDS)
		return "a number of the appliance is out of range";
	return check_boxes(im->boxes + a->services.first, a->services.n, BOX_OF_SERVICES);
}

static bool
pad_ok(const uint8_t pad[3])
{
	return (pad[0] | pad[1] | pad[2]) == 0;
}

/* That of all, or of one class. */
static bool
is_quarantine(const struct image_class *c)
{
	return c->number == 0 || (c->hints & CLASS_QUARANTINE) != 0;
}

/* May it be the other end? Where devices stand in quarantine nobody meets them. */
static bool
is_peer(const struct image *im, uint32_t number)
{
	const struct image_class *c = image_class(im, number);

	return c != NULL && (c->hints & CLASS_QUARANTINE) == 0;
}

static const char *
check_rule_box(const struct image *im, const struct image_class *c, const struct image_rule *r,
    const struct image_rule_box *b)
{
	if (is_quarantine(c) && b->peer != 0)
		return "a rule of quarantine names a class";
	if (b->name != 0 && r->direction == REACH_IN)
		return "a host name comes in";
	if (b->name != 0 && (b->peer != 0 || !text_ok(im, b->name) ||
	    !host_name_is_valid(image_text(im, b->name))))
		return "a rule's host name is not valid";
	if (b->peer != 0 && !is_peer(im, b->peer))
		return "a rule names a class that is none";
	if (!image_box_is_valid(&b->box, b->name != 0 || b->peer != 0 ? BOX_OF_PEER : BOX_OF_CLASS))
		return "a rule's box is not valid";
	return NULL;
}

static const char *
check_rules(struct walk *w, const struct image_class *c)
{
	const struct image *im = w->im;
	const char *fault;
	uint32_t i, k;

	if (c->rules.n > LIMIT_RULES_PER_CLASS || !slice_ok(w, IMAGE_RULES, &c->rules))
		return "a class's rules are out of range";
	for (i = 0; i < c->rules.n; i++) {
		const struct image_rule *r = &im->rules[c->rules.first + i];

		if (!slice_ok(w, IMAGE_RULE_BOXES, &r->boxes) || !where_ok(im, &r->where))
			return "a rule's boxes are out of range";
		if (r->direction > REACH_IN || r->schedule > im->n[IMAGE_SCHEDULES] || !pad_ok(r->pad))
			return "a rule's direction or schedule is out of range";
		if (i > 0 && r->direction < r[-1].direction)
			return "rules that come in stand before others";
		if (is_quarantine(c) && (r->direction != REACH_OUT || r->schedule != 0))
			return "a rule of quarantine comes in, or not always";
		for (k = 0; k < r->boxes.n; k++)
			if ((fault = check_rule_box(im, c, r, &im->rule_boxes[r->boxes.first + k])) != NULL)
				return fault;
	}
	return NULL;
}

static int
reach_order(const struct image_reach *a, const struct image_reach *b)
{
	if (a->direction != b->direction)
		return a->direction < b->direction ? -1 : 1;
	if (a->schedule != b->schedule)
		return a->schedule < b->schedule ? -1 : 1;
	return a->peer < b->peer ? -1 : a->peer > b->peer;
}

/* named[] is parallel to the classes. *boxes: of the class, with those of this one. */
static const char *
check_reach(struct walk *w, const struct image_reach *r, uint8_t *named, uint32_t *boxes)
{
	const struct image *im = w->im;

	if (r->direction > REACH_IN || r->schedule > im->n[IMAGE_SCHEDULES] || !pad_ok(r->pad))
		return "a reach's direction or schedule is out of range";
	if (r->peer != 0) {
		if (r->direction == REACH_IN || !is_peer(im, r->peer))
			return "a reach's peer is no class";
		named[image_class(im, r->peer) - im->classes] = 1;
	}
	if (r->boxes.n == 0 || !slice_ok(w, IMAGE_BOXES, &r->boxes))
		return "a reach's boxes are out of range";
	if (r->boxes.n > LIMIT_BOXES_PER_CLASS - *boxes)
		return "too many boxes in one class";
	*boxes += r->boxes.n;
	return check_boxes(im->boxes + r->boxes.first, r->boxes.n, r->peer != 0 ? BOX_OF_PEER : BOX_OF_CLASS);
}

static const char *
check_reaches(struct walk *w, const struct image_class *c, uint8_t *named)
{
	const struct image *im = w->im;
	const char *fault;
	uint32_t boxes = 0;

	if (!slice_ok(w, IMAGE_REACHES, &c->reaches))
		return "a class's reaches are out of range";
	for (uint32_t i = 0; i < c->reaches.n; i++) {
		const struct image_reach *r = &im->reaches[c->reaches.first + i];

		if (i > 0 && reach_order(r - 1, r) >= 0)
			return "reaches are not in order";
		if (i > 0 && r->direction < r[-1].direction)
			return "rules that come in stand before others";
		if (is_quarantine(c) && (r->direction != REACH_OUT || r->schedule != 0 || r->peer != 0))
			return "quarantine reaches more than addresses";
		if ((fault = check_reach(w, r, named, &boxes)) != NULL)
			return fault;
	}
	return NULL;
}

static const char *
check_class(struct walk *w, const struct image_class *c, uint8_t *named)
{
	const struct image *im = w->im;
	const char *fault;

	if ((c->mode != MODE_ENFORCE && c->mode != MODE_AUDIT) || c->hints > CLASS_HINTS)
		return "a class's mode is not valid";
	if ((c->hints & CLASS_QUARANTINE) != 0 && !image_remedy_is_valid(im, c))
		return "a class's quarantine does more than one";
	if (((c->hints & CLASS_QUARANTINE) == 0 && !name_ok(im, c->name)) || !where_ok(im, &c->where))
		return "a class's name is not valid";
	if (c->number == 0 && (strcmp(image_text(im, c->name), "quarantine") != 0 || c->mode != MODE_ENFORCE))
		return "class 0 is not quarantine";
	if (c->refuse > REFUSE_REJECT || c->rate > LIMIT_RATE || c->rate_burst > LIMIT_RATE ||
	    (c->rate == 0) != (c->rate_burst == 0) || (c->number == 0 && (c->rate != 0 || c->refuse != REFUSE_DROP)))
		return "a class's refuse or rate is not valid";
	if ((fault = check_reaches(w, c, named)) != NULL)
		return fault;
	return check_rules(w, c);
}

static const char *
check_windows(struct walk *w, const struct image_schedule *s)
{
	const struct image *im = w->im;

	if (s->windows.n > LIMIT_WINDOWS || !slice_ok(w, IMAGE_WINDOWS, &s->windows))
		return "a schedule's windows are out of range";
	for (uint32_t i = 0; i < s->windows.n; i++) {
		const struct image_window *x = &im->windows[s->windows.first + i];

		/* Nanoseconds since 1970 must fit what the kernel compares. */
		if (x->from < 0 || x->to <= x->from || x->to > INT64_MAX / 1000000000 ||
		    (i > 0 && x->from <= x[-1].to))
			return "a schedule's windows are not apart and in order";
	}
	return NULL;
}

static const char *
check_schedules(struct walk *w)
{
	const struct image *im = w->im;
	const char *fault, *last = "";

	if (im->n[IMAGE_SCHEDULES] > LIMIT_SCHEDULES)
		return "too many schedules";
	for (uint32_t i = 0; i < im->n[IMAGE_SCHEDULES]; i++) {
		const struct image_schedule *s = &im->schedules[i];

		if (!name_ok(im, s->name) || !text_ok(im, s->zone) || !where_ok(im, &s->where) ||
		    s->days == 0 || s->days > 127 || s->from_s >= 86400 || s->to_s > 86400)
			return "a schedule is not valid";
		if (strcmp(last, image_text(im, s->name)) >= 0)
			return "schedules are not unique and sorted";
		last = image_text(im, s->name);
		if ((fault = check_windows(w, s)) != NULL)
			return fault;
	}
	return NULL;
}

static const char *
check_classes(struct walk *w)
{
	const struct image *im = w->im;
	uint32_t n = im->n[IMAGE_CLASSES], i;
	const char *fault = NULL;
	uint8_t *named;

	if (n == 0 || n > 2 * LIMIT_CLASSES + 1 || im->classes[0].number != 0 || im->classes[0].hints != 0)
		return "there are too many classes, or quarantine is missing";
	for (i = 1; i < n; i++)
		if (im->classes[i].number <= im->classes[i - 1].number ||
		    im->classes[i].number >= im->header->next_class)
			return "classes are not numbered in order";
	if ((named = calloc(n, 1)) == NULL)
		return "no memory to check classes";
	for (i = 0; i < n && fault == NULL; i++)
		fault = check_class(w, &im->classes[i], named);
	for (i = 0; i < n && fault == NULL; i++)
		if (im->classes[i].named != named[i])
			fault = "a class is not marked as named, or is without reason";
	free(named);
	if (fault == NULL)
		fault = image_check_unique_names(im, im->classes, n, sizeof(*im->classes),
		    offsetof(struct image_class, name));
	if (fault == NULL)
		fault = image_check_remedies(im);
	return fault != NULL ? fault : image_check_restricted(im);
}

static const char *
check_rest(struct walk *w)
{
	static const enum image_section sliced[] = { IMAGE_ISSUERS, IMAGE_SOURCES, IMAGE_URLS, IMAGE_RULES,
		IMAGE_RULE_BOXES, IMAGE_BOXES, IMAGE_REACHES, IMAGE_WINDOWS, IMAGE_ADDRESSES, IMAGE_CERTIFICATES,
		IMAGE_LABELS };
	const struct image *im = w->im;
	uint32_t i;

	for (i = 0; i < sizeof(sliced) / sizeof(sliced[0]); i++)
		if (w->used[sliced[i]] != im->n[sliced[i]])
			return "records belong to nobody";
	if (im->n[IMAGE_WARNINGS] > LIMIT_MISTAKES || im->header->settled > im->n[IMAGE_WARNINGS])
		return "too many warnings";
	for (i = 0; i < im->n[IMAGE_WARNINGS]; i++)
		if (!text_ok(im, im->warnings[i]))
			return "a warning is out of range";
	for (i = 0; i < im->n[IMAGE_FILES]; i++)
		if (!text_ok(im, im->files[i].path) || im->files[i].flags > FILE_FLAGS)
			return "a file is not valid";
	return NULL;
}

const char *
image_check(const struct image *im)
{
	struct walk w = { .im = im };
	const struct image_header *h = im->header;
	const char *fault;

	if (h->next_device == 0 || h->next_device > LIMIT_DEVICE_NUMBER + 1 || h->next_class == 0 ||
	    h->next_authority == 0)
		return "the next numbers are out of range";
	if ((fault = check_text(im)) != NULL || (fault = check_interfaces(im)) != NULL ||
	    (fault = check_appliance(&w)) != NULL || (fault = image_check_authorities(&w)) != NULL ||
	    (fault = check_schedules(&w)) != NULL || (fault = check_classes(&w)) != NULL ||
	    (fault = image_check_devices(&w)) != NULL)
		return fault;
	return check_rest(&w);
}
