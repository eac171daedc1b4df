/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lines.c -- a verdict against the lines as they were written. */
#include "lines.h"

void
lines_step(struct lines_seen *l, const struct trace_step *t)
{
	if (t->kind == TRACE_MARK)
		l->mark = t->mark;
	if (t->kind != TRACE_CHAIN || t->chain.staged)
		return;
	l->audited |= t->chain.kind == CHAIN_AUDITED;
	if (t->chain.kind != CHAIN_CLASS && t->chain.kind != CHAIN_CLASS_IN)
		return;
	l->asked = true;
	l->inbound = t->chain.kind == CHAIN_CLASS_IN;
	l->class_number = t->chain.number;
	l->number = l->mark >> 8;
}

bool
lines_agree(const struct lines_seen *l, const struct ruleset *rs, const struct packet *p, const struct verdict *v,
    uint64_t *n)
{
	const struct image *im = rs->image;
	const struct image_device *device = image_device(im, l->number);
	const struct image_device *to = image_device_with_address(im, p->family, p->dst);
	struct explain_rule rules[EXPLAIN_RULES_MAX];
	bool written = false;
	size_t found;

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
