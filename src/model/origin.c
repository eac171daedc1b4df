/* SPDX-License-Identifier: GPL-2.0-or-later */
/* origin.c -- which lines of the configuration an element, a set or a chain comes
 * from. Looked for by making the ruleset again: it is asked for once, after a
 * failure, and there is nothing to keep. */
#include "model/origin.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/addr.h"
#include "model/words.h"

/* ---- names -------------------------------------------------------------- */

struct by_name {
	const char *name;
	void *out;
};

static int
on_set(void *arg, const struct set_ref *ref)
{
	struct by_name *b = arg;
	char name[SET_NAMELEN];

	if (strcmp(set_name(ref, name), b->name) != 0)
		return 0;
	*(struct set_ref *)b->out = *ref;
	return 1;
}

int
origin_set(const struct ruleset *rs, const char *name, struct set_ref *out)
{
	struct by_name b = { name, out };

	return ruleset_each_set(rs, on_set, &b) == 1 ? 0 : -ENOENT;
}

static int
on_chain(void *arg, const struct chain_ref *ref)
{
	struct by_name *b = arg;
	char name[CHAIN_NAMELEN];

	if (strcmp(chain_name(ref, name), b->name) != 0)
		return 0;
	*(struct chain_ref *)b->out = *ref;
	return 1;
}

int
origin_chain(const struct ruleset *rs, const char *name, struct chain_ref *out)
{
	struct by_name b = { name, out };

	return ruleset_each_chain(rs, on_chain, &b) == 1 ? 0 : -ENOENT;
}

/* ---- rules that cover an element ---------------------------------------- */

/* What an element of a class says, whatever its fields are. */
struct extent {
	uint8_t family;			/* 0: no address */
	const uint8_t *first, *last;
	bool has_protocol, has_port, has_type;
	uint8_t protocol_low, protocol_high;
	uint16_t low, high;		/* ports, or ICMP types */
};

static uint16_t
port_at(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void
take_field(struct extent *x, enum field f, const uint8_t *lo, const uint8_t *hi)
{
	const struct field_info *info = field_info(f);

	if (strcmp(info->type, "ipv4_addr") == 0 || strcmp(info->type, "ipv6_addr") == 0) {
		x->family = info->len == 4 ? AF_INET : AF_INET6;
		x->first = lo;
		x->last = hi;
	} else if (f == FIELD_L4PROTO) {
		x->has_protocol = true;
		x->protocol_low = *lo;
		x->protocol_high = *hi;
	} else if (f == FIELD_SPORT || f == FIELD_DPORT) {
		x->has_port = true;
		x->low = port_at(lo);
		x->high = port_at(hi);
	} else if (f == FIELD_ICMP_TYPE || f == FIELD_ICMP6_TYPE) {
		x->has_type = true;
		x->low = *lo;
		x->high = *hi;
	}
}

static struct extent
extent_of(const struct element *e)
{
	const struct set_info *info = set_info(e->set.kind);
	struct extent x = { .family = 0 };
	size_t at = 0;

	for (int i = 0; i < SET_FIELDS_MAX && info->fields[i] != FIELD_NONE; i++) {
		take_field(&x, info->fields[i], e->key + at, (info->interval ? e->key_end : e->key) + at);
		at += (field_info(info->fields[i])->len + 3U) / 4 * 4;
	}
	return x;
}

static bool
services_meet(const struct extent *x, const struct image_box *b)
{
	bool protocol = x->has_protocol && b->protocol >= x->protocol_low && b->protocol <= x->protocol_high;
	bool numbers = b->low <= x->high && b->high >= x->low;

	switch ((enum box_kind)b->kind) {
	case BOX_PORTS:
		return protocol && x->has_port && numbers;
	case BOX_ICMP:
		return x->has_type && numbers && (!x->has_protocol || protocol);
	case BOX_PROTOCOL:
		return protocol && !x->has_port && !x->has_type;
	case BOX_ANY:
		return !x->has_port && !x->has_type;
	case BOX_KINDS:
		break;
	}
	return false;
}

static bool
places_meet(const struct extent *x, uint32_t peer, const struct image_rule_box *rb)
{
	size_t len = addr_len(x->family);

	if (rb->name != 0 || rb->peer != peer)
		return false;
	if (rb->peer != 0 || x->family == 0)
		return rb->peer != 0;
	return rb->box.family == x->family && memcmp(rb->box.first, x->last, len) <= 0 &&
	    memcmp(rb->box.last, x->first, len) >= 0;
}

static void
add_line(struct origin *out, struct image_where where)
{
	if (out->n_where < ORIGIN_LINES)
		out->where[out->n_where] = where;
	out->n_where++;
}

/* The mirror of an ICMP type is another type: there the place alone is asked. */
static bool
covers(const struct image *im, const struct image_rule *r, const struct element *e, uint32_t peer, bool services)
{
	const struct extent x = extent_of(e);

	for (uint32_t i = 0; i < r->boxes.n; i++) {
		const struct image_rule_box *rb = &im->rule_boxes[r->boxes.first + i];

		if (places_meet(&x, peer, rb) && (services ? services_meet(&x, &rb->box) :
		    x.has_type && rb->box.kind == BOX_ICMP))
			return true;
	}
	return false;
}

static void
rules_in(const struct image *im, const struct image_class *c, enum reach_direction direction, uint32_t peer,
    const struct element *e, bool services, struct origin *out)
{
	for (uint32_t i = 0; c != NULL && i < c->rules.n; i++) {
		const struct image_rule *r = &im->rules[c->rules.first + i];

		if (r->direction == direction && r->schedule == e->set.schedule &&
		    covers(im, r, e, peer, services))
			add_line(out, r->where);
	}
}

/* Between two classes the rule may stand in either. */
static void
rules_of(const struct ruleset *rs, const struct image_class *c, const struct element *e, struct origin *out)
{
	const struct image *im = rs->image;
	enum reach_direction direction = e->set.inbound ? REACH_IN : REACH_OUT;

	for (int services = 1; services >= 0 && out->n_where == 0; services--) {
		rules_in(im, c, direction, e->set.other, e, services, out);
		if (e->set.other != 0)
			rules_in(im, image_class(im, e->set.other), REACH_IN, c->number, e, services, out);
	}
	out->kind = out->n_where > 0 ? ORIGIN_RULE : ORIGIN_CLASS;
	if (out->n_where == 0)
		add_line(out, c->where);
}

/* ---- who asked for it? -------------------------------------------------- */

static int
same_key(void *arg, const struct element *e)
{
	return element_same_key(arg, e);
}

static void
begin(struct origin *out)
{
	memset(out, 0, sizeof(*out));
	out->name = "";
}

void
origin_of_element(const struct ruleset *rs, const struct element *e, struct origin *out)
{
	const struct image *im = rs->image;
	void *want = (void *)(uintptr_t)e;

	begin(out);
	if (set_info(e->set.kind)->scope == SCOPE_SCHEDULE) {
		origin_of_set(rs, &e->set, out);
		return;
	}
	if (elements_of_appliance(rs, same_key, want) != 0) {
		out->kind = ORIGIN_APPLIANCE;
		add_line(out, im->appliance->where);
		return;
	}
	for (uint32_t i = 0; i < im->n[IMAGE_CLASSES]; i++) {
		if (elements_of_class(rs, &im->classes[i], same_key, want) != 0) {
			out->name = image_text(im, im->classes[i].name);
			rules_of(rs, &im->classes[i], e, out);
			return;
		}
	}
	for (uint32_t i = 0; i < im->n[IMAGE_DEVICES]; i++) {
		if (elements_of_device(rs, &im->devices[i], ruleset_station(rs, i), same_key, want) != 0) {
			out->kind = ORIGIN_DEVICE;
			out->name = image_text(im, im->devices[i].name);
			add_line(out, im->devices[i].where);
			return;
		}
	}
}

static int
same_set(void *arg, const struct set_ref *ref)
{
	return set_ref_equal(arg, ref);
}

static int
same_chain(void *arg, const struct chain_ref *ref)
{
	const struct chain_ref *want = arg;

	return want->kind == ref->kind && want->staged == ref->staged && want->number == ref->number;
}

static void
class_line(const struct image *im, const struct image_class *c, struct origin *out)
{
	out->kind = ORIGIN_CLASS;
	out->name = image_text(im, c->name);
	add_line(out, c->where);
}

void
origin_of_set(const struct ruleset *rs, const struct set_ref *ref, struct origin *out)
{
	const struct image_class *c = image_class(rs->image, ref->number);
	const struct image *im = rs->image;

	begin(out);
	if (ref->staged != rs->staged)
		return;		/* another policy's */
	if (set_info(ref->kind)->scope == SCOPE_SCHEDULE && ref->number - 1 < im->n[IMAGE_SCHEDULES]) {
		out->kind = ORIGIN_SCHEDULE;
		out->name = image_text(im, im->schedules[ref->number - 1].name);
		add_line(out, im->schedules[ref->number - 1].where);
	} else if (c != NULL && ruleset_each_class_set(rs, c, same_set, (void *)(uintptr_t)ref) != 0)
		class_line(rs->image, c, out);
}

void
origin_of_chain(const struct ruleset *rs, const struct chain_ref *ref, struct origin *out)
{
	const struct image_class *c = image_class(rs->image, ref->number);

	begin(out);
	if (c != NULL && ruleset_each_class_chain(rs, c, same_chain, (void *)(uintptr_t)ref) != 0)
		class_line(rs->image, c, out);
}

/* ---- text --------------------------------------------------------------- */

struct line {
	char *p;
	size_t len, size;
};

static void __attribute__((format(printf, 2, 3)))
say(struct line *l, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(l->p + l->len, l->size - l->len, fmt, ap);
	va_end(ap);
	if (n > 0)
		l->len = l->len + (size_t)n < l->size ? l->len + (size_t)n : l->size - 1;
}

static void
say_value(struct line *l, const struct field_info *info, const uint8_t *p)
{
	char text[ADDR_STRLEN];
	struct addr a = { .family = info->len == 4 ? AF_INET : AF_INET6 };
	struct mac mac;
	uint32_t mark;

	if (strcmp(info->type, "ipv4_addr") == 0 || strcmp(info->type, "ipv6_addr") == 0) {
		memcpy(a.bytes, p, info->len);
		say(l, "%s", addr_format(&a, text));
	} else if (strcmp(info->type, "ether_addr") == 0) {
		memcpy(mac.bytes, p, sizeof(mac.bytes));
		say(l, "%s", mac_format(&mac, text));
	} else if (strcmp(info->type, "ifname") == 0) {
		say(l, "%.*s", (int)strnlen((const char *)p, info->len), (const char *)p);
	} else if (strcmp(info->type, "inet_proto") == 0 && protocol_name(*p) != NULL) {
		say(l, "%s", protocol_name(*p));
	} else if (strcmp(info->type, "inet_service") == 0) {
		say(l, "%u", port_at(p));
	} else if (strcmp(info->type, "time") == 0) {
		uint64_t ns = 0;

		for (int i = 0; i < info->len; i++)
			ns = ns << 8 | p[i];
		say(l, "%llu s", (unsigned long long)(ns / 1000000000));
	} else if (strcmp(info->type, "mark") == 0) {
		memcpy(&mark, p, sizeof(mark));
		say(l, "0x%x", mark);
	} else {
		for (int i = 0; i < info->len; i++)
			say(l, info->len == 1 ? "%u" : "%02x", p[i]);
	}
}

const char *
element_text(const struct element *e, const char *chain, char buf[ELEMENT_STRLEN])
{
	const struct set_info *info = set_info(e->set.kind);
	struct line l = { buf, 0, ELEMENT_STRLEN };
	char name[CHAIN_NAMELEN];
	size_t at = 0;

	buf[0] = '\0';
	for (int i = 0; i < SET_FIELDS_MAX && info->fields[i] != FIELD_NONE; i++) {
		const struct field_info *f = field_info(info->fields[i]);

		if (i > 0)
			say(&l, " . ");
		say_value(&l, f, e->key + at);
		if (info->interval && memcmp(e->key + at, e->key_end + at, f->len) != 0) {
			say(&l, "-");
			say_value(&l, f, e->key_end + at);
		}
		at += (f->len + 3U) / 4 * 4;
	}
	if (info->edges)
		say(&l, e->end ? " (end)" : " (begin)");
	if (info->data == DATA_CLASS)
		say(&l, " : %u", e->mark);
	if (info->data == DATA_MARK)
		say(&l, " : 0x%x", e->mark);
	if (info->data == DATA_CHAIN)
		say(&l, " : %s", chain != NULL && chain[0] != '\0' ? chain : chain_name(&e->chain, name));
	return buf;
}
