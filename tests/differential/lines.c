/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lines.c -- a verdict against the lines as they were written, and against what is
 * promised of those who stand elsewhere. */
#include "lines.h"

#include <stdio.h>
#include <string.h>

static const struct station *
station_of(const struct ruleset *rs, const struct image_device *d)
{
	return &rs->stations[d - rs->image->devices];
}

/* Found by names, as the admin would say it: not by whoever puts it into the kernel. */
static const char *
list_of(const struct image *im, const struct image_device *d, const struct station *st, char buf[64])
{
	const char *own = image_text(im, image_class(im, d->class_number)->name);

	if (st->quarantined) {
		snprintf(buf, 64, "%s/quarantine", own);
		return image_class_named(im, buf) != NULL ? buf : "quarantine";
	}
	return st->limited != 0 ? image_text(im, image_class(im, st->limited)->name) : own;
}

void
lines_step(struct lines_seen *l, const struct trace_step *t)
{
	const struct image *im = l->rules->image;
	const struct image_device *device;
	const struct image_class *asked;
	char buf[64];

	if (t->kind == TRACE_MARK)
		l->mark = t->mark;
	if (t->kind != TRACE_CHAIN || t->chain.staged)
		return;
	l->audited |= t->chain.kind == CHAIN_AUDITED;
	if (t->chain.kind < CHAIN_CLASS)
		return;
	asked = image_class(im, t->chain.number);
	device = image_device(im, l->mark >> 8);
	l->another |= device == NULL || asked == NULL || strcmp(image_text(im, asked->name),
	    list_of(im, device, station_of(l->rules, device), buf)) != 0;
	if (t->chain.kind != CHAIN_CLASS && t->chain.kind != CHAIN_CLASS_IN)
		return;
	l->asked = true;
	l->inbound = t->chain.kind == CHAIN_CLASS_IN;
	l->class_number = t->chain.number;
	l->number = l->mark >> 8;
}

static bool
in_quarantine(const struct ruleset *rs, const struct image_device *d)
{
	return d != NULL && station_of(rs, d)->quarantined;
}

/* Between devices nothing passes while one of them is in quarantine; nobody begins
 * anything with one that is. */
static bool
quarantine_holds(const struct ruleset *rs, const struct packet *p, const struct verdict *v)
{
	const struct image_device *from = image_device_with_address(rs->image, p->family, p->src);
	const struct image_device *to = image_device_with_address(rs->image, p->family, p->dst);

	if (v->kind != VERDICT_ACCEPT || p->hook != HOOK_FORWARD)
		return true;
	if (from != NULL && to != NULL && (in_quarantine(rs, from) || in_quarantine(rs, to)))
		return false;
	return !(in_quarantine(rs, to) && p->ct_state == CTS_NEW && !p->reply);
}

bool
lines_agree(const struct lines_seen *l, const struct packet *p, const struct verdict *v, uint64_t *n)
{
	const struct ruleset *rs = l->rules;
	const struct image *im = rs->image;
	const struct image_device *device = image_device(im, l->number);
	const struct image_device *to = image_device_with_address(im, p->family, p->dst);
	struct explain_rule rules[EXPLAIN_RULES_MAX];
	bool written = false;
	size_t found;

	if (l->another || !quarantine_holds(rs, p, v))
		return false;
	if (!l->asked || p->hook != HOOK_FORWARD || p->ct_state != CTS_NEW || p->reply || p->lack != 0 ||
	    device == NULL)
		return true;
	found = explain_lines(rs, p, image_class(im, l->class_number), l->inbound ? NULL : device,
	    l->inbound ? device : to, rules);
	for (size_t i = 0; i < found && i < EXPLAIN_RULES_MAX; i++)
		written |= rules[i].open;
	++*n;
	return written == (v->kind == VERDICT_ACCEPT && !l->audited);
}
