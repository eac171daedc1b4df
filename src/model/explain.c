/* SPDX-License-Identifier: GPL-2.0-or-later */
/* explain.c -- a question's packet, and the lines that cover it. It must not
 * decide: what becomes of the packet is evaluate()'s answer alone. */
#include "model/explain.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

enum { TCP_SYN = 2 };

/* ---- the packet --------------------------------------------------------- */

static const char *
interface_of(const struct image *im, const struct image_device *d)
{
	if (d->interface != 0)
		return image_text(im, d->interface);
	return im->n[IMAGE_INTERFACES] > 0 ? image_text(im, im->interfaces[0].name) : "";
}

/* An address that the device would use: a whole one, or one inside its prefix;
 * left zero (any) when none of the family is declared. */
static void
address_of(const struct image *im, const struct image_device *d, uint8_t family, uint8_t out[16])
{
	const struct image_address *prefix = NULL;

	memset(out, 0, 16);
	for (uint32_t i = 0; i < d->addresses.n; i++) {
		const struct image_address *a = &im->addresses[d->addresses.first + i];

		if (a->family != family)
			continue;
		if (image_address_is_whole(a)) {
			memcpy(out, a->bytes, 16);
			return;
		}
		prefix = a;
	}
	if (prefix != NULL) {
		memcpy(out, prefix->bytes, 16);
		out[15] = 1;
	}
}

/* Whose prefix is it in? Nobody can be reached by such an address, but it is a
 * device's side of the router that it lies at. */
static const struct image_device *
prefix_of(const struct image *im, uint8_t family, const uint8_t address[16])
{
	for (uint32_t i = 0; family == AF_INET6 && i < im->n[IMAGE_DEVICES]; i++) {
		const struct image_device *d = &im->devices[i];

		for (uint32_t j = 0; j < d->addresses.n; j++) {
			const struct image_address *a = &im->addresses[d->addresses.first + j];

			if (!image_address_is_whole(a) && memcmp(a->bytes, address, a->prefix / 8) == 0)
				return d;
		}
	}
	return NULL;
}

static void
sent_by(const struct image *im, const struct image_device *d, struct packet *p)
{
	p->iif = interface_of(im, d);
	memcpy(p->ether, d->mac, sizeof(p->ether));
}

static void
make_packet(const struct image *im, const struct question *q, const struct image_device *other, struct packet *p)
{
	memset(p, 0, sizeof(*p));
	p->hook = q->kind == ASK_APPLIANCE ? HOOK_INPUT : HOOK_FORWARD;
	p->family = q->family;
	p->protocol = q->protocol;
	p->dport = q->port;
	p->sport = 50000;
	p->icmp_type = (uint8_t)q->port;
	p->tcp_flags = TCP_SYN;
	p->hoplimit = 64;
	p->ct_state = CTS_NEW;
	p->time_s = q->time_s;
	p->iif = p->oif = "";	/* beyond the router: no device's interface */
	if (q->kind == ASK_IN) {
		memcpy(p->src, q->other.bytes, 16);
		address_of(im, q->device, q->family, p->dst);
		p->oif = interface_of(im, q->device);
		if (other != NULL)
			sent_by(im, other, p);
		return;
	}
	address_of(im, q->device, q->family, p->src);
	sent_by(im, q->device, p);
	memcpy(p->dst, q->other.bytes, 16);
	if (q->kind == ASK_OUT && other == NULL)
		other = prefix_of(im, q->family, q->other.bytes);
	if (q->kind == ASK_OUT && other != NULL)
		p->oif = interface_of(im, other);
}

/* ---- the lines ---------------------------------------------------------- */

bool
explain_open(const struct image *im, uint32_t schedule, int64_t time_s, int64_t *next)
{
	const struct image_schedule *s;

	*next = 0;
	if (schedule == 0)
		return true;
	s = &im->schedules[schedule - 1];
	for (uint32_t i = 0; i < s->windows.n; i++) {
		const struct image_window *w = &im->windows[s->windows.first + i];

		if (time_s >= w->to)
			continue;
		*next = time_s < w->from ? w->from : w->to;
		return time_s >= w->from;
	}
	return false;
}

static bool
in_addresses(const struct image_box *b, const uint8_t *address)
{
	size_t len = addr_len(b->family);

	return memcmp(address, b->first, len) >= 0 && memcmp(address, b->last, len) <= 0;
}

static bool
is_service(const struct image_box *b, const struct packet *p)
{
	uint16_t what = b->kind == BOX_ICMP ? p->icmp_type : p->dport;

	switch ((enum box_kind)b->kind) {
	case BOX_ANY:
		return true;
	case BOX_PROTOCOL:
		return b->protocol == p->protocol;
	case BOX_PORTS:
	case BOX_ICMP:
		return b->protocol == p->protocol && what >= b->low && what <= b->high;
	case BOX_KINDS:
		break;
	}
	return false;
}

/* The class whose lines are about it: where it stands, or would but for its quarantine. */
static const struct image_class *
class_written(const struct ruleset *rs, const struct image_device *d)
{
	struct station st;

	if (d == NULL)
		return NULL;
	st = rs->stations[d - rs->image->devices];
	st.quarantined = 0;
	return image_class(rs->image, station_class(rs->image, d, &st));
}

/* far: the other end of the rule's class; peer: the class of the device there, or NULL. */
static bool
covers(const struct image_rule_box *b, const struct packet *p, const uint8_t *far, const struct image_class *peer)
{
	if (b->name != 0 || !is_service(&b->box, p))
		return false;
	if (b->peer != 0)
		return peer != NULL && peer->number == b->peer;
	return b->box.family == p->family && in_addresses(&b->box, far);
}

struct lines {
	const struct packet *p;
	struct explain_rule *rules;
	size_t n;
};

static void
add_line(struct lines *l, const struct image *im, const struct image_class *class, const struct image_rule *r)
{
	int64_t next;

	if (l->n < EXPLAIN_RULES_MAX)
		l->rules[l->n] = (struct explain_rule){ class, r, explain_open(im, r->schedule, l->p->time_s, &next) };
	l->n++;
}

/* peers: by class alone, since an address in an inbound rule means somebody
 * beyond the router. */
static void
find_lines(struct lines *l, const struct image *im, const struct image_class *class,
    enum reach_direction direction, const struct image_class *peer, bool peers)
{
	const uint8_t *far = direction == REACH_OUT ? l->p->dst : l->p->src;

	for (uint32_t i = 0; class != NULL && i < class->rules.n; i++) {
		const struct image_rule *r = &im->rules[class->rules.first + i];
		bool covered = false;

		for (uint32_t j = 0; j < r->boxes.n && !covered && r->direction == direction; j++) {
			const struct image_rule_box *b = &im->rule_boxes[r->boxes.first + j];

			covered = (!peers || b->peer != 0) && covers(b, l->p, far, peer);
		}
		if (covered)
			add_line(l, im, class, r);
	}
}

/* Between devices both ends may have been written down: "to class:X" in one
 * class, "inbound from class:X" in the other. */
size_t
explain_lines(const struct ruleset *rs, const struct packet *p, const struct image_class *asked,
    const struct image_device *from, const struct image_device *to, struct explain_rule rules[EXPLAIN_RULES_MAX])
{
	const struct image_class *sender = class_written(rs, from), *receiver = class_written(rs, to);
	struct lines l = { .p = p, .rules = rules };

	if (from != NULL)
		find_lines(&l, rs->image, asked != NULL ? asked : sender, REACH_OUT, receiver, false);
	if (to != NULL && (from == NULL || asked == NULL || !class_is_quarantine(asked)))
		find_lines(&l, rs->image, receiver, REACH_IN, sender, from != NULL);
	return l.n;
}

/* ---- why ---------------------------------------------------------------- */

struct watch {
	const struct ruleset *rs;
	trace_fn *trace;
	void *arg;
	bool entered[CHAIN_KINDS];
	bool found[SET_KINDS], missed[SET_KINDS];
	uint32_t in_quarantine;	/* the device's number, 0: none was asked for and found */
	const struct image_class *asked;
};

/* By its mark, or because its class is one of quarantine. */
static bool
tells_of_quarantine(const struct image *im, const struct trace_step *t)
{
	const struct image_class *class;

	if (t->found == NULL || t->expr->set.kind != SET_CLASS_OF || t->expr->set.staged)
		return t->found != NULL && t->expr->set.kind == SET_QUARANTINED;
	class = image_class(im, t->found->mark);
	return class != NULL && class_is_quarantine(class);
}

static void
watch_step(void *arg, const struct trace_step *t)
{
	struct watch *w = arg;
	uint32_t mark;

	if (t->kind == TRACE_CHAIN) {
		w->entered[t->chain.kind] = true;
		if (t->chain.kind >= CHAIN_CLASS && t->chain.kind != CHAIN_CLASS_ADMIT)
			w->asked = image_class(w->rs->image, t->chain.number);
	} else if (t->kind == TRACE_SET) {
		(t->found != NULL ? w->found : w->missed)[t->expr->set.kind] = true;
		if (tells_of_quarantine(w->rs->image, t)) {
			memcpy(&mark, t->key->key, sizeof(mark));
			w->in_quarantine = mark >> 8;
		}
	}
	if (w->trace != NULL)
		w->trace(w->arg, t);
}

static enum explain_reason
why_not(const struct watch *w, const struct question *q, const struct explanation *e)
{
	if (w->entered[CHAIN_STRANGER])
		return BECAUSE_NO_IDENTITY;
	if (w->in_quarantine != 0)
		return w->in_quarantine == q->device->number ? BECAUSE_QUARANTINE : BECAUSE_OTHER_QUARANTINE;
	if (q->kind == ASK_APPLIANCE)
		return BECAUSE_NO_SERVICE;
	if (w->asked != NULL)
		return e->n_rules > 0 && w->missed[SET_WINDOWS] ? BECAUSE_CLOSED : BECAUSE_NO_RULE;
	/* Held by somebody, whose class has no rule for what comes to it. */
	if (q->kind == ASK_IN)
		return w->found[SET_HOLDER4] || w->found[SET_HOLDER6] ? BECAUSE_NO_RULE : BECAUSE_NOT_HELD;
	return BECAUSE_ROUTER;
}

static enum explain_reason
why(const struct watch *w, const struct question *q, const struct explanation *e)
{
	if (e->verdict.kind != VERDICT_ACCEPT)
		return why_not(w, q, e);
	if (w->entered[CHAIN_AUDITED])
		return BECAUSE_AUDITED;
	if (w->found[SET_SERVICES] || w->found[SET_SERVICES_ICMP] || w->found[SET_SERVICES_ICMP6])
		return BECAUSE_SERVICE;
	return w->asked != NULL ? BECAUSE_RULE : BECAUSE_ROUTER;
}

static void
find_place(const struct ruleset *rs, const struct image_device *d, struct explain_place *out)
{
	const struct station *st;

	if (d == NULL)
		return;
	st = &rs->stations[d - rs->image->devices];
	out->class = image_class(rs->image, station_class(rs->image, d, st));
	out->quarantined = st->quarantined != 0;
	out->restricted = !st->quarantined && out->class->number != d->class_number;
}

int
explain(struct evaluator *ev, const struct ruleset *rs, const struct question *q, trace_fn *trace, void *arg,
    struct explanation *out)
{
	struct watch w = { .rs = rs, .trace = trace, .arg = arg };
	const struct image *im = rs->image;
	struct explanation e = { .n_rules = 0 };
	int rc;

	if (q->kind != ASK_APPLIANCE)
		e.other = image_device_with_address(im, q->family, q->other.bytes);
	if (q->kind == ASK_IN && e.other == NULL)
		e.other = prefix_of(im, q->family, q->other.bytes);
	make_packet(im, q, e.other, &e.packet);
	if ((rc = evaluate(ev, &e.packet, NULL, watch_step, &w, &e.verdict)) < 0)
		return rc;
	e.asked = w.asked;
	find_place(rs, q->device, &e.place);
	find_place(rs, e.other, &e.other_place);
	if (q->kind != ASK_APPLIANCE)
		e.n_rules = explain_lines(rs, &e.packet, w.asked, q->kind == ASK_IN ? e.other : q->device,
		    q->kind == ASK_IN ? q->device : e.other, e.rules);
	e.reason = why(&w, q, &e);
	*out = e;
	return 0;
}
