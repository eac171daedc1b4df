/* SPDX-License-Identifier: GPL-2.0-or-later */
/* describe_rules.c -- what the rules of a class say that they did not say before.
 *
 * Rules are compared by what they say, destination by destination and service by
 * service: one that moved to another line, or was divided into two, is the same.
 * What goes and is still covered by other rules is told as that. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/addr.h"
#include "model/compile.h"
#include "model/describe_parts.h"
#include "proto/limits.h"

/* One box of one rule, with names in the place of numbers. */
struct said {
	const struct image *im;
	const struct image_rule *rule;
	const struct image_rule_box *box;
	uint32_t at;			/* as it was written */
};

struct saids {
	struct said *s;
	size_t n;
};

static const char *
peer_name(const struct said *s)
{
	return s->box->peer != 0 ? image_text(s->im, image_class(s->im, s->box->peer)->name) : "";
}

static const char *
schedule_name(const struct said *s)
{
	return s->rule->schedule != 0 ? image_text(s->im, s->im->schedules[s->rule->schedule - 1].name) : "";
}

/* Where to and when, without the services. */
static int
place_order(const struct said *a, const struct said *b)
{
	int c = (int)a->rule->direction - (int)b->rule->direction;

	if (c == 0)
		c = strcmp(schedule_name(a), schedule_name(b));
	if (c == 0)
		c = strcmp(peer_name(a), peer_name(b));
	if (c == 0)
		c = strcmp(image_text(a->im, a->box->name), image_text(b->im, b->box->name));
	if (c == 0 && a->box->peer == 0 && a->box->name == 0) {
		c = (int)a->box->box.family - (int)b->box->box.family;
		if (c == 0)
			c = memcmp(a->box->box.first, b->box->box.first, sizeof(a->box->box.first));
		if (c == 0)
			c = memcmp(a->box->box.last, b->box->box.last, sizeof(a->box->box.last));
	}
	return c;
}

static int
said_order(const void *pa, const void *pb)
{
	const struct said *a = pa, *b = pb;
	const struct image_box *x = &a->box->box, *y = &b->box->box;
	int c = place_order(a, b);

	if (c == 0)
		c = (int)x->kind - (int)y->kind;
	if (c == 0)
		c = (int)x->protocol - (int)y->protocol;
	if (c == 0)
		c = (int)x->low - (int)y->low;
	return c != 0 ? c : (int)x->high - (int)y->high;
}

/* By rule as it was written, and in it by place. */
static int
written_order(const void *pa, const void *pb)
{
	const struct said *a = pa, *b = pb;
	int c;

	if (a->rule != b->rule)
		return a->rule < b->rule ? -1 : 1;
	c = place_order(a, b);
	return c != 0 ? c : (a->at > b->at) - (a->at < b->at);
}

/* Rules of a class from this one on. */
static int
collect(const struct image *im, const struct image_class *c, uint32_t from, struct saids *out)
{
	size_t n = 0;

	out->n = 0;
	for (uint32_t i = from; c != NULL && i < c->rules.n; i++)
		n += im->rules[c->rules.first + i].boxes.n;
	if ((out->s = calloc(n + 1, sizeof(*out->s))) == NULL)
		return -ENOMEM;
	for (uint32_t i = from; c != NULL && i < c->rules.n; i++) {
		const struct image_rule *r = &im->rules[c->rules.first + i];

		for (uint32_t k = 0; k < r->boxes.n; k++, out->n++)
			out->s[out->n] = (struct said){ im, r, &im->rule_boxes[r->boxes.first + k], (uint32_t)out->n };
	}
	if (out->n > 0)
		qsort(out->s, out->n, sizeof(*out->s), said_order);
	return 0;
}

/* What is in a and not in b, as often as it stands there. */
static int
only_in(const struct saids *a, const struct saids *b, struct saids *out)
{
	size_t j = 0;

	out->n = 0;
	if ((out->s = calloc(a->n + 1, sizeof(*out->s))) == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < a->n; i++) {
		if (i > 0 && said_order(&a->s[i - 1], &a->s[i]) == 0)
			continue;	/* said twice */
		while (j < b->n && said_order(&b->s[j], &a->s[i]) < 0)
			j++;
		if (j == b->n || said_order(&b->s[j], &a->s[i]) != 0)
			out->s[out->n++] = a->s[i];
	}
	if (out->n > 0)
		qsort(out->s, out->n, sizeof(*out->s), written_order);
	return 0;
}

/* ---- is it covered by others? ------------------------------------------- */

/* Do boxes of these cover all of b? One kind after the other: what is open for
 * everything is open for this. */
static bool
boxes_cover(const struct saids *all, const struct said *s, const struct image_box *b)
{
	struct image_box *in = calloc(all->n + 1, sizeof(*in)), *without = NULL, *with = NULL;
	size_t n = 0, n_without = 0, n_with = 0;
	bool covered = false;

	for (size_t i = 0; in != NULL && i < all->n; i++) {
		const struct said *o = &all->s[i];

		if (o->rule->direction == s->rule->direction && o->box->peer == 0 && o->box->name == 0 &&
		    o->box->box.kind == b->kind && (o->rule->schedule == 0 ||
		    strcmp(schedule_name(o), schedule_name(s)) == 0))
			in[n++] = o->box->box;
	}
	if (n > 0) {
		in[n] = *b;
		if (boxes_disjoint(in, n, LIMIT_BOXES_PER_CLASS, &without, &n_without) == 0 &&
		    boxes_disjoint(in, n + 1, LIMIT_BOXES_PER_CLASS, &with, &n_with) == 0)
			covered = n_with == n_without && memcmp(with, without, n_with * sizeof(*with)) == 0;
	}
	free(in);
	free(without);
	free(with);
	return covered;
}

static bool
covered(const struct saids *all, const struct said *s)
{
	struct image_box any = s->box->box;

	if (s->box->peer != 0 || s->box->name != 0)
		return false;
	any.kind = BOX_ANY;
	any.protocol = 0;
	any.low = any.high = 0;
	return boxes_cover(all, s, &s->box->box) || boxes_cover(all, s, &any);
}

/* ---- telling ------------------------------------------------------------ */

#define PLACE_TEXT 320

static const char *
place_text(const struct said *s, char buf[PLACE_TEXT])
{
	struct addr_range range;
	char text[RANGE_STRLEN];

	if (s->box->peer != 0) {
		snprintf(buf, PLACE_TEXT, "class:%s", peer_name(s));
	} else if (s->box->name != 0) {
		snprintf(buf, PLACE_TEXT, "%.255s (closed: a name)", image_text(s->im, s->box->name));
	} else {
		memset(&range, 0, sizeof(range));
		range.first.family = range.last.family = s->box->box.family;
		memcpy(range.first.bytes, s->box->box.first, sizeof(range.first.bytes));
		memcpy(range.last.bytes, s->box->box.last, sizeof(range.last.bytes));
		snprintf(buf, PLACE_TEXT, "%s", addr_range_format(&range, text));
	}
	return buf;
}

#define SERVICES_TEXT 400

enum { IN_QUARANTINE = REACH_IN + 1, PLACES };

/* A line for each rule and place: all its services that change. */
static void
tell(struct describer *d, const struct saids *l, const struct saids *other, enum described_sign sign, bool remedies)
{
	static const char *const words[PLACES][2] = {
		[REACH_OUT] = { "allows", "no longer allows" },
		[REACH_IN] = { "may be reached from", "may no longer be reached from" },
		[IN_QUARANTINE] = { "allows in quarantine", "no longer allows in quarantine" },
	};
	char services[SERVICES_TEXT], place[PLACE_TEXT], text[SERVICE_TEXT];

	for (size_t i = 0, end; i < l->n && d->rc == 0; i = end) {
		const struct said *s = &l->s[i];
		bool all = true;
		size_t at = 0;

		for (end = i; end < l->n && l->s[end].rule == s->rule && place_order(&l->s[end], s) == 0; end++) {
			if (at < sizeof(services))
				at += (size_t)snprintf(services + at, sizeof(services) - at, "%s%s", end > i ? ", " : "",
				    describe_service(&l->s[end].box->box, text));
			all &= covered(other, &l->s[end]);
		}
		describe_say(d, sign, s->im, &s->rule->where, "%s %s: %s%s%s%s",
		    words[remedies ? IN_QUARANTINE : s->rule->direction == REACH_IN ? REACH_IN : REACH_OUT]
		    [sign == DESCRIBED_GOES], place_text(s, place), services,
		    s->rule->schedule != 0 ? " during " : "", schedule_name(s),
		    !all ? "" : sign == DESCRIBED_GOES ? " (other rules still do)" : " (other rules did already)");
	}
}

/* x_from, y_from: the first of their rules that is told. */
static void
compare(struct describer *d, const struct image_class *x, uint32_t x_from, const struct image_class *y,
    uint32_t y_from, bool remedies)
{
	struct saids was = { .n = 0 }, is = { .n = 0 }, gone = { .n = 0 }, come = { .n = 0 };

	if (collect(d->old, x, x_from, &was) < 0 || collect(d->next, y, y_from, &is) < 0 ||
	    only_in(&was, &is, &gone) < 0 || only_in(&is, &was, &come) < 0) {
		d->rc = -ENOMEM;
	} else {
		tell(d, &gone, &is, DESCRIBED_GOES, remedies);
		tell(d, &come, &was, DESCRIBED_COMES, remedies);
	}
	free(was.s);
	free(is.s);
	free(gone.s);
	free(come.s);
}

void
describe_rules(struct describer *d, const struct image_class *x, const struct image_class *y)
{
	compare(d, x, 0, y, 0, false);
}

/* Before its own stand those of everybody's quarantine, which is told by itself. */
void
describe_remedies(struct describer *d, const struct image_class *x, const struct image_class *y)
{
	const struct image_class *was = x != NULL && x->quarantine != 0 ? image_class(d->old, x->quarantine) : NULL;
	const struct image_class *is = y != NULL && y->quarantine != 0 ? image_class(d->next, y->quarantine) : NULL;

	compare(d, was, d->old != NULL ? d->old->classes[0].rules.n : 0, is, d->next->classes[0].rules.n, true);
}
