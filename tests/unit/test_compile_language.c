/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_compile_language.c -- what classes take over, what names stand for, who may
 * come in, and when; and each mistake at its file and line. */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "proto/limits.h"
#include "sample.h"

#define TCP(port) BOX_PORTS, IPPROTO_TCP, port, port
#define YEAR_S (365 * 86400)

static struct mistakes m;
static struct policy *p;
static uint8_t *bytes;
static struct image im;

static int
setup(void **state)
{
	(void)state;
	mistakes_init(&m);
	bytes = NULL;
	p = sample_new();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	mistakes_done(&m);
	policy_free(p);
	free(bytes);
	return 0;
}

static void
compiled(void)
{
	size_t len;

	im = sample_image(p, NULL, &bytes, &len);
}

/* This line at that place, and no other. */
static void
mistaken(const struct where *w, const char *text)
{
	char want[1024];
	size_t len;

	mistakes_done(&m);
	snprintf(want, sizeof(want), "sample.conf:%u: %s", w->line, text);
	assert_int_equal(compile_policy(p, NULL, &m, &bytes, &len), -EINVAL);
	assert_null(bytes);
	assert_string_equal(m.lines[0], want);
	assert_int_equal(m.n, 1);
}

static bool
advised(const struct where *w, const char *text)
{
	char want[1024];
	size_t len, i;

	mistakes_done(&m);
	free(bytes);
	snprintf(want, sizeof(want), "sample.conf:%u: %s", w->line, text);
	assert_int_equal(compile_policy(p, NULL, &m, &bytes, &len), 0);
	for (i = 0; i < m.n_warnings; i++)
		if (strcmp(m.warnings[i], want) == 0)
			return true;
	return false;
}

static const struct image_class *
class(const char *name)
{
	const struct image_class *c = image_class_named(&im, name);

	assert_non_null(c);
	return c;
}

/* NULL when the class has none such. */
static const struct image_reach *
reach(const char *name, enum reach_direction direction, uint32_t schedule, const char *peer)
{
	const struct image_class *c = class(name);
	uint32_t number = peer == NULL ? 0 : class(peer)->number, i;

	for (i = 0; i < c->reaches.n; i++) {
		const struct image_reach *r = &im.reaches[c->reaches.first + i];

		if (r->direction == direction && r->schedule == schedule && r->peer == number)
			return r;
	}
	return NULL;
}

/* Does some box of it hold that port? Reaches of these tests differ by port. */
static bool
holds(const struct image_reach *r, uint16_t port)
{
	uint32_t i;

	for (i = 0; r != NULL && i < r->boxes.n; i++)
		if (im.boxes[r->boxes.first + i].low <= port && port <= im.boxes[r->boxes.first + i].high)
			return true;
	return false;
}

/* ---- extends ------------------------------------------------------------ */

/* a extends b and c, both extend d: a, b, d, c, each once. */
static void
test_extends(void **state)
{
	static const char *const order[] = { "a", "b", "d", "c" };
	const struct image_class *a;
	uint32_t lines[4], i;

	(void)state;
	for (i = 0; i < 4; i++) {
		struct class_decl *c = sample_class(p, order[i]);

		sample_rule(p, c, "192.0.2.1", TCP((uint16_t)(1000 + i)));
		lines[i] = c->rules[0].where.line;
	}
	sample_extends(&p->classes[0], "b");
	sample_extends(&p->classes[0], "c");
	sample_extends(&p->classes[1], "d");
	sample_extends(&p->classes[3], "d");
	sample_inbound(&p->classes[2], "192.0.2.9", TCP(22));
	compiled();
	a = class("a");
	assert_int_equal(a->rules.n, 5);
	for (i = 0; i < 4; i++) {
		assert_int_equal(im.rules[a->rules.first + i].where.line, lines[i]);
		assert_string_equal(image_text(&im, im.rules[a->rules.first + i].where.file), "sample.conf");
		assert_true(holds(reach("a", REACH_OUT, 0, NULL), (uint16_t)(1000 + i)));
	}
	assert_int_equal(im.rules[a->rules.first + 4].direction, REACH_IN);
	assert_true(holds(reach("a", REACH_IN, 0, NULL), 22));
	assert_int_equal(class("b")->rules.n, 3);
	assert_false(holds(reach("b", REACH_OUT, 0, NULL), 1000));
	assert_false(holds(reach("b", REACH_OUT, 0, NULL), 1003));
	assert_int_equal(class("d")->rules.n, 2);
	assert_null(reach("d", REACH_OUT, 0, "a"));
}

/* What is not written comes from the first in order that writes it, depth first. */
static void
test_extended_keys(void **state)
{
	struct class_decl *c;

	(void)state;
	c = sample_class(p, "own");
	c->keys = CLASS_MODE | CLASS_RATE;
	sample_extends(c, "near");
	sample_extends(c, "second");
	sample_class(p, "near");
	sample_extends(&p->classes[1], "far");
	c = sample_class(p, "far");
	c->keys = CLASS_MODE | CLASS_REFUSE | CLASS_RATE;
	c->mode = MODE_AUDIT;
	c->refuse = REFUSE_REJECT;
	c->rate = 7;
	c->rate_burst = 9;
	c = sample_class(p, "second");
	c->keys = CLASS_REFUSE;
	compiled();
	assert_int_equal(class("own")->mode, MODE_ENFORCE);
	assert_int_equal(class("own")->refuse, REFUSE_REJECT);
	assert_int_equal(class("own")->rate, 0);
	assert_int_equal(class("own")->rate_burst, 0);
	assert_int_equal(class("near")->mode, MODE_AUDIT);
	assert_int_equal(class("near")->rate, 7);
	assert_int_equal(class("near")->rate_burst, 9);
	assert_int_equal(class("second")->refuse, REFUSE_DROP);
}

static void
test_circle(void **state)
{
	(void)state;
	sample_class(p, "a");
	sample_class(p, "b");
	sample_class(p, "c");
	sample_extends(&p->classes[0], "b");
	sample_extends(&p->classes[1], "c");
	sample_extends(&p->classes[2], "b");
	mistaken(&p->classes[1].where, "class \"b\" extends itself: b -> c -> b: take one of these out");
	p->classes[2].n_extends = 0;
	compiled();
	p->classes[2].n_extends = 1;
	free(bytes);
	bytes = NULL;
	strcpy(p->classes[2].extends[0], "c");
	mistaken(&p->classes[2].where, "class \"c\" extends itself: c -> c: take one of these out");
}

static void
test_unknown_base(void **state)
{
	(void)state;
	sample_class(p, "sensor");
	sample_class(p, "sense");
	sample_class(p, "camera");
	sample_extends(&p->classes[2], "sensors");
	mistaken(&p->classes[2].where, "class \"sensors\" is not declared: did you mean \"sensor\"?");
	strcpy(p->classes[2].extends[0], "xyzxyz");
	mistaken(&p->classes[2].where,
	    "class \"xyzxyz\" is not declared: declare it, or correct the name after `extends'");
}

static void
chain(uint32_t n)
{
	char name[32];

	for (uint32_t i = (uint32_t)p->n_classes; i < n; i++) {
		snprintf(name, sizeof(name), "c%05u", i);
		sample_class(p, name);
		if (i > 0)
			sample_extends(&p->classes[i - 1], name);
	}
}

/* A circle as long as there may be classes: nothing here counts on the stack. */
static void
test_long_circle(void **state)
{
	size_t len;

	(void)state;
	chain(LIMIT_CLASSES);
	sample_extends(&p->classes[LIMIT_CLASSES - 1], "c00000");
	assert_int_equal(compile_policy(p, NULL, &m, &bytes, &len), -EINVAL);
	assert_int_equal(m.n, 1);
	assert_non_null(strstr(m.lines[0], "class \"c00000\" extends itself: c00000 -> c00001 -> "));
	assert_non_null(strstr(m.lines[0], " -> ... -> c00000: take one of these out"));
}

static void
test_family_limit(void **state)
{
	(void)state;
	chain(LIMIT_FAMILY + 1);
	sample_rule(p, &p->classes[LIMIT_FAMILY], "192.0.2.1", TCP(443));
	compiled();
	assert_int_equal(class("c00000")->rules.n, 1);
	free(bytes);
	bytes = NULL;
	chain(LIMIT_FAMILY + 2);
	mistaken(&p->classes[0].where,
	    "class \"c00000\" extends more than 256 others, with those that they extend");
}

/* A class that is extended needs no devices. */
static void
test_base_without_devices(void **state)
{
	(void)state;
	sample_class(p, "base");
	sample_class(p, "sensor");
	sample_device(p, "d", "sensor", 1, NULL, "lan0", NULL, 0);
	assert_true(advised(&p->classes[0].where, "no device belongs to class \"base\""));
	sample_extends(&p->classes[1], "base");
	assert_false(advised(&p->classes[0].where, "no device belongs to class \"base\""));
}

/* ---- services and groups ------------------------------------------------ */

static void
test_services(void **state)
{
	struct class_decl *c = sample_class(p, "c");
	struct rule *r = sample_rule(p, c, "192.0.2.1", TCP(1));

	(void)state;
	sample_declared(p, "mqtt", TCP(1883));
	sample_declared(p, "ntp", BOX_PORTS, IPPROTO_UDP, 123, 123);
	sample_declared(p, "unused", TCP(9999));
	sample_by(r, "mqtt");
	sample_by(r, "mqtt");
	sample_by(r, "ntp");
	compiled();
	assert_int_equal(im.rules[class("c")->rules.first].boxes.n, 2);
	assert_true(holds(reach("c", REACH_OUT, 0, NULL), 1883));
	assert_true(holds(reach("c", REACH_OUT, 0, NULL), 123));
	assert_false(holds(reach("c", REACH_OUT, 0, NULL), 9999));
}

/* However it is named, each service and each destination is one. */
static void
test_each_once(void **state)
{
	struct class_decl *c = sample_class(p, "c");
	struct rule *r = sample_rule(p, c, "10.0.0.1", TCP(80));
	char text[32];
	uint32_t i;

	(void)state;
	sample_declared(p, "web", TCP(80));
	sample_by(r, "web");
	r->n_services = 1;
	sample_to(r, "10.0.0.1");
	sample_to(r, "c.example");
	sample_to(r, "group:g");
	sample_member(sample_group(p, "g"), "c.example");
	compiled();
	assert_int_equal(im.rules[class("c")->rules.first].boxes.n, 2);
	assert_int_equal(im.rule_boxes[im.rules[class("c")->rules.first].boxes.first].box.first[3], 1);
	for (i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "10.0.0.%u", i % 50);
		sample_member(&p->groups[0], text);
	}
	free(bytes);
	compiled();
	assert_int_equal(im.rules[class("c")->rules.first].boxes.n, 51);
}

/* Groups in groups, each member once however often it is named. */
static void
test_groups(void **state)
{
	struct class_decl *c = sample_class(p, "c");
	struct rule *r = sample_rule(p, c, "group:all", BOX_ICMP, IPPROTO_ICMP, 8, 8);
	struct group_decl *g;

	(void)state;
	sample_class(p, "peer");
	g = sample_group(p, "all");
	sample_member(g, "group:some");
	sample_member(g, "10.0.0.3");
	sample_member(g, "group:some");
	sample_member(g, "class:peer");
	g = sample_group(p, "some");
	sample_member(g, "10.0.0.1");
	sample_member(g, "fd00::1");
	sample_group(p, "unused");
	sample_member(&p->groups[2], "10.0.0.9");
	sample_to(r, "group:some");
	compiled();
	/* ICMP goes to the two IPv4 addresses and the class. */
	assert_int_equal(im.rules[class("c")->rules.first].boxes.n, 3);
	assert_int_equal(reach("c", REACH_OUT, 0, NULL)->boxes.n, 2);
	assert_int_equal(reach("c", REACH_OUT, 0, "peer")->boxes.n, 1);
	assert_int_equal(class("peer")->named, 1);
}

static void
test_group_circle(void **state)
{
	(void)state;
	sample_member(sample_group(p, "a"), "group:b");
	sample_member(sample_group(p, "b"), "group:a");
	mistaken(&p->groups[0].where, "group \"a\" names itself: a -> b -> a: take one of these out");
	strcpy(p->groups[0].to[0].name, "a");
	p->groups[1].to[0].name[0] = 'a';
	mistaken(&p->groups[0].where, "group \"a\" names itself: a -> a: take one of these out");
}

static void
test_unknown_names(void **state)
{
	struct class_decl *c = sample_class(p, "sensor");
	struct rule *r = sample_rule(p, c, "192.0.2.1", TCP(1));

	(void)state;
	sample_declared(p, "mqtt", TCP(1883));
	sample_member(sample_group(p, "time"), "192.0.2.1");
	sample_schedule(p, "nightly");
	sample_by(r, "mqqt");
	mistaken(&r->where, "service \"mqqt\" is not declared: did you mean \"mqtt\"?");
	strcpy(r->named[0], "mqtt");
	sample_to(r, "group:tine");
	mistaken(&r->where, "group \"tine\" is not declared: did you mean \"time\"?");
	strcpy(r->to[1].name, "time");
	sample_when(r, "nightlx");
	mistaken(&r->where, "schedule \"nightlx\" is not declared: did you mean \"nightly\"?");
	strcpy(r->schedule, "nightly");
	sample_to(r, "class:sensr");
	mistaken(&r->where, "class \"sensr\" is not declared: did you mean \"sensor\"?");
	r->n_to--;
	free(r->to[r->n_to].name);
	/* Of a group it is told where the group is, though no rule names it. */
	sample_member(sample_group(p, "unused"), "group:tim");
	mistaken(&p->groups[1].where, "group \"tim\" is not declared: did you mean \"time\"?");
	p->groups[1].to[0].kind = TO_CLASS;
	mistaken(&p->groups[1].where,
	    "class \"tim\" is not declared: declare it, or correct the name after \"class:\"");
	/* A file that could not be read may declare all of it. */
	p->incomplete = true;
	compiled();
}

static void
test_names_twice(void **state)
{
	char want[128];

	(void)state;
	sample_declared(p, "x", TCP(1));
	sample_declared(p, "x", TCP(1));
	snprintf(want, sizeof(want), "service \"x\" is declared twice: the first is at sample.conf:%u",
	    p->services[0].where.line);
	mistaken(&p->services[1].where, want);
	p->services[1].name[0] = 'y';
	sample_member(sample_group(p, "x"), "10.0.0.1");
	sample_member(sample_group(p, "x"), "10.0.0.1");
	snprintf(want, sizeof(want), "group \"x\" is declared twice: the first is at sample.conf:%u",
	    p->groups[0].where.line);
	mistaken(&p->groups[1].where, want);
	p->groups[1].name[0] = 'y';
	sample_schedule(p, "x");
	sample_schedule(p, "x");
	snprintf(want, sizeof(want), "schedule \"x\" is declared twice: the first is at sample.conf:%u",
	    p->schedules[0].where.line);
	mistaken(&p->schedules[1].where, want);
}

/* What a name stands for must be able to meet the rest of the rule. */
static void
test_fit(void **state)
{
	struct class_decl *c = sample_class(p, "c");
	struct rule *r = sample_rule(p, c, "group:v6", BOX_ICMP, IPPROTO_ICMP, 8, 8);

	(void)state;
	sample_declared(p, "ping", BOX_ICMP, IPPROTO_ICMP, 8, 8);
	sample_member(sample_group(p, "v6"), "group:deep");
	sample_member(sample_group(p, "deep"), "fd00::1");
	mistaken(&r->where, "no service of this rule exists towards anything in group \"v6\": icmp is IPv4's, "
	    "icmpv6 is IPv6's");
	sample_member(&p->groups[1], "10.0.0.1");
	compiled();
	free(bytes);
	bytes = NULL;
	r->to[0].kind = TO_RANGE;
	assert_int_equal(addr_range_parse("fd00::1", &r->to[0].range), 0);
	sample_to(r, "10.0.0.1");
	sample_by(r, "ping");
	mistaken(&r->where, "no service of this rule exists towards fd00::1: icmp is IPv4's, icmpv6 is IPv6's");
	r->services[0] = (struct service){ TCP(80) };
	r->n_services = 1;
	r->n_to = 1;
	mistaken(&r->where, "service \"ping\" exists towards no destination of this rule: icmp is IPv4's, "
	    "icmpv6 is IPv6's");
	r->n_to = 2;
	compiled();
}

/* ---- inbound ------------------------------------------------------------ */

static void
test_inbound(void **state)
{
	struct class_decl *c = sample_class(p, "camera");

	(void)state;
	sample_inbound(c, "192.0.2.4", TCP(554));
	sample_device(p, "d", "camera", 1, "10.0.0.1", "lan0", NULL, 0);
	compiled();
	assert_int_equal(class("camera")->reaches.n, 1);
	assert_true(holds(reach("camera", REACH_IN, 0, NULL), 554));
	assert_true(image_class_has_inbound(&im, class("camera")));
	assert_int_equal(im.rules[class("camera")->rules.first].direction, REACH_IN);
	assert_int_equal(class("camera")->named, 0);
}

/* Who comes from a class is allowed there; the rule stays where it was written. */
static void
test_inbound_from_class(void **state)
{
	const struct image_rule *r;
	struct class_decl *c = sample_class(p, "camera");

	(void)state;
	sample_schedule(p, "daily");
	sample_inbound(c, "class:viewer", TCP(554));
	sample_when(sample_inbound(c, "group:all", TCP(80)), "daily");
	sample_member(sample_group(p, "all"), "class:viewer");
	sample_member(&p->groups[0], "192.0.2.4");
	c = sample_class(p, "viewer");
	sample_rule(p, c, "class:camera", TCP(443));
	sample_extends(sample_class(p, "dome"), "camera");
	compiled();
	assert_null(reach("camera", REACH_OUT, 0, "viewer"));
	assert_null(reach("camera", REACH_IN, 0, NULL));
	assert_true(holds(reach("camera", REACH_IN, 1, NULL), 80));
	assert_true(holds(reach("viewer", REACH_OUT, 0, "camera"), 554));
	assert_true(holds(reach("viewer", REACH_OUT, 0, "camera"), 443));
	assert_false(holds(reach("viewer", REACH_OUT, 0, "camera"), 80));
	assert_true(holds(reach("viewer", REACH_OUT, 1, "camera"), 80));
	assert_true(holds(reach("viewer", REACH_OUT, 0, "dome"), 554));
	assert_true(holds(reach("viewer", REACH_OUT, 1, "dome"), 80));
	assert_int_equal(class("camera")->named, 1);
	assert_int_equal(class("dome")->named, 1);
	assert_int_equal(class("viewer")->named, 0);
	assert_int_equal(class("viewer")->rules.n, 1);
	r = &im.rules[class("camera")->rules.first];
	assert_int_equal(r->direction, REACH_IN);
	assert_int_equal(im.rule_boxes[r->boxes.first].peer, class("viewer")->number);
}

/* From one's own class. */
static void
test_inbound_from_itself(void **state)
{
	(void)state;
	sample_inbound(sample_class(p, "mesh"), "class:mesh", TCP(7));
	compiled();
	assert_true(holds(reach("mesh", REACH_OUT, 0, "mesh"), 7));
	assert_int_equal(class("mesh")->named, 1);
	assert_false(image_class_has_inbound(&im, class("mesh")));
}

static void
test_inbound_host(void **state)
{
	struct class_decl *c = sample_class(p, "camera");

	(void)state;
	sample_inbound(c, "group:hosts", TCP(554));
	sample_member(sample_group(p, "hosts"), "viewer.example");
	mistaken(&c->inbound[0].where, "\"viewer.example\" is a host name, and nobody knows which addresses a name has "
	    "when a packet comes in: name a group without host names");
}

static void
test_inbound_without_address(void **state)
{
	static const char text[] = "class \"dome\" has inbound rules, but no device of it has a declared address: "
	    "nobody can reach them before they have one";
	struct device_decl *d;

	(void)state;
	sample_inbound(sample_class(p, "camera"), "192.0.2.4", TCP(554));
	sample_extends(sample_class(p, "dome"), "camera");
	d = sample_device(p, "d", "dome", 1, NULL, "lan0", NULL, 0);
	sample_prefix(d, "2001:db8::");
	assert_true(advised(&p->classes[1].where, text));
	sample_address(&p->devices[0], "10.0.0.1");
	assert_false(advised(&p->classes[1].where, text));
}

/* ---- schedules ---------------------------------------------------------- */

/* Numbers follow names, whatever the order; a rule of each time is a reach of its
 * own, also where another covers it. */
static void
test_schedules(void **state)
{
	struct class_decl *c = sample_class(p, "c");
	const struct image_reach *r;

	(void)state;
	sample_window(sample_schedule(p, "z"), 1000, 2000);
	sample_window(sample_schedule(p, "a"), 3000, 4000);
	sample_window(&p->schedules[1], 5000, 6000);
	sample_when(sample_rule(p, c, "192.0.2.1", TCP(443)), "z");
	sample_when(sample_rule(p, c, "192.0.2.2", TCP(444)), "a");
	sample_rule(p, c, "192.0.2.0/24", TCP(443));
	compiled();
	assert_string_equal(image_text(&im, im.schedules[0].name), "a");
	assert_string_equal(image_text(&im, im.schedules[0].zone), "UTC");
	assert_int_equal(im.schedules[0].days, 0x7f);
	assert_int_equal(im.schedules[0].from_s, 7200);
	assert_int_equal(im.schedules[0].to_s, 10800);
	assert_int_equal(im.schedules[0].where.line, p->schedules[1].where.line);
	assert_int_equal(im.schedules[0].windows.n, 2);
	assert_int_equal(im.windows[im.schedules[0].windows.first + 1].from, 5000);
	assert_int_equal(im.windows[im.schedules[1].windows.first].to, 2000);
	assert_int_equal(class("c")->reaches.n, 3);
	assert_true(holds(reach("c", REACH_OUT, 2, NULL), 443));
	assert_false(holds(reach("c", REACH_OUT, 2, NULL), 444));
	assert_true(holds(reach("c", REACH_OUT, 1, NULL), 444));
	r = reach("c", REACH_OUT, 0, NULL);
	assert_int_equal(r->boxes.n, 1);
	assert_int_equal(im.boxes[r->boxes.first].last[3], 255);
	assert_int_equal(im.rules[class("c")->rules.first].schedule, 2);
	assert_int_equal(im.rules[class("c")->rules.first + 2].schedule, 0);
}

static void
test_last_window(void **state)
{
	static const char text[] = "schedule \"s\" is written out for less than a year, and closed afterwards: apply "
	    "the policy again before";
	struct schedule_decl *s = sample_schedule(p, "s");

	(void)state;
	sample_window(s, SAMPLE_NOW, SAMPLE_NOW + 3600);
	sample_window(s, SAMPLE_NOW + YEAR_S - 3600, SAMPLE_NOW + YEAR_S - 1);
	assert_true(advised(&s->where, text));
	s->windows[1].to++;
	assert_false(advised(&s->where, text));
}

static void
test_quarantine(void **state)
{
	struct rule *r;

	(void)state;
	sample_quarantine(p, "group:mending", 443);
	r = &p->appliance.quarantine[0];
	sample_member(sample_group(p, "mending"), "192.0.2.80");
	sample_schedule(p, "s");
	compiled();
	assert_true(holds(reach("quarantine", REACH_OUT, 0, NULL), 443));
	free(bytes);
	bytes = NULL;
	sample_when(r, "s");
	mistaken(&r->where, "what a quarantined device may reach, it may reach always: take `schedule' away");
	free(r->schedule);
	r->schedule = NULL;
	sample_class(p, "c");
	sample_member(&p->groups[0], "class:c");
	mistaken(&r->where, "a quarantined device may reach no other device: name an address instead of \"class:c\"");
}

/* ---- the rest ----------------------------------------------------------- */

static void
test_rate_and_refuse(void **state)
{
	struct class_decl *c = sample_class(p, "c");

	(void)state;
	c->rate = LIMIT_RATE;
	c->rate_burst = LIMIT_RATE;
	c->refuse = REFUSE_REJECT;
	compiled();
	assert_int_equal(class("c")->rate, LIMIT_RATE);
	assert_int_equal(class("c")->rate_burst, LIMIT_RATE);
	assert_int_equal(class("c")->refuse, REFUSE_REJECT);
	free(bytes);
	bytes = NULL;
	c->rate_burst++;
	mistaken(&c->where, "class \"c\": at most 100000 new connections per second");
	c->rate_burst--;
	c->rate++;
	mistaken(&c->where, "class \"c\": at most 100000 new connections per second");
}

/* One line per rule, however many hosts it names. */
static void
test_hosts(void **state)
{
	struct class_decl *c = sample_class(p, "c");
	struct rule *r = sample_rule(p, c, "a.example", TCP(443));

	(void)state;
	assert_true(advised(&r->where,
	    "destination \"a.example\" stays closed until the name proxy runs: name its addresses to open it now"));
	sample_to(r, "b.example");
	sample_to(r, "10.0.0.1");
	assert_true(advised(&r->where, "2 destinations of this rule are host names, \"a.example\" first, and stay "
	    "closed until the name proxy runs: name their addresses to open them now"));
}

/* ---- limits ------------------------------------------------------------- */

static void
test_extends_limit(void **state)
{
	char name[32];
	uint32_t i;

	(void)state;
	sample_class(p, "c");
	for (i = 0; i <= LIMIT_EXTENDS; i++) {
		snprintf(name, sizeof(name), "b%u", i);
		sample_class(p, name);
		sample_extends(&p->classes[0], name);
		if (i + 1 == LIMIT_EXTENDS)
			compiled();
	}
	free(bytes);
	bytes = NULL;
	mistaken(&p->classes[0].where, "class \"c\" extends 17 others: at most 16");
}

/* Its own and those that it extends, in and out. */
static void
test_rules_limit(void **state)
{
	uint32_t i;

	(void)state;
	sample_class(p, "c");
	sample_class(p, "base");
	sample_extends(&p->classes[0], "base");
	for (i = 0; i < LIMIT_RULES_PER_CLASS - 1; i++)
		sample_rule(p, &p->classes[1], "10.0.0.1", TCP(1));
	sample_inbound(&p->classes[0], "10.0.0.1", TCP(1));
	compiled();
	free(bytes);
	bytes = NULL;
	sample_inbound(&p->classes[0], "10.0.0.1", TCP(1));
	mistaken(&p->classes[0].where, "class \"c\" has 4097 rules, with those that it extends: at most 4096");
}

static void
test_members_limit(void **state)
{
	struct group_decl *g;
	char text[32];
	uint32_t i;

	(void)state;
	sample_group(p, "outer");
	sample_group(p, "inner");
	sample_member(&p->groups[0], "group:inner");
	sample_member(&p->groups[0], "10.0.0.1");
	g = &p->groups[1];
	/* The name of the inner one counts as well. */
	for (i = 0; i < LIMIT_GROUP_MEMBERS - 2; i++) {
		snprintf(text, sizeof(text), "10.1.%u.%u", i / 256, i % 256);
		sample_member(g, text);
	}
	compiled();
	free(bytes);
	bytes = NULL;
	sample_member(g, "10.2.0.0");
	mistaken(&p->groups[0].where, "group \"outer\" has more than 4096 members, with those of the groups it names: "
	    "a range or a prefix counts as one");
}

/* 16 rules of 4096 addresses are 65536 pairs. */
static void
test_pairs_limit(void **state)
{
	struct class_decl *c = sample_class(p, "c");
	char text[32];
	uint32_t i;

	(void)state;
	sample_group(p, "g");
	for (i = 0; i < LIMIT_GROUP_MEMBERS; i++) {
		snprintf(text, sizeof(text), "10.%u.%u.%u", i / 128, 2 * (i % 128), i % 7);
		sample_member(&p->groups[0], text);
	}
	for (i = 0; i < LIMIT_BOXES_PER_CLASS / LIMIT_GROUP_MEMBERS; i++)
		sample_rule(p, c, "group:g", TCP((uint16_t)(10 * i + 1)));
	compiled();
	assert_int_equal(reach("c", REACH_OUT, 0, NULL)->boxes.n, LIMIT_BOXES_PER_CLASS);
	free(bytes);
	bytes = NULL;
	sample_rule(p, c, "10.0.0.1", TCP(9999));
	mistaken(&c->where, "class \"c\" has more than 65536 pairs of destination and service: use wider ranges");
}

/* Of all reaches of a class together: what others allow it counts as well. */
static void
test_boxes_limit(void **state)
{
	struct class_decl *c;
	char text[32];
	uint32_t i;

	(void)state;
	sample_class(p, "c");
	sample_class(p, "other");
	sample_group(p, "g");
	for (i = 0; i < LIMIT_GROUP_MEMBERS; i++) {
		snprintf(text, sizeof(text), "10.%u.%u.%u", i / 128, 2 * (i % 128), i % 7);
		sample_member(&p->groups[0], text);
	}
	for (i = 0; i < LIMIT_BOXES_PER_CLASS / LIMIT_GROUP_MEMBERS; i++)
		sample_rule(p, &p->classes[0], "group:g", TCP((uint16_t)(10 * i + 1)));
	c = &p->classes[1];
	sample_inbound(c, "class:c", TCP(22));
	mistaken(&p->classes[0].where, "the rules of class \"c\" overlap in more than 65536 pieces: use wider ranges");
}

static void
test_counts_limit(void **state)
{
	char name[32];
	uint32_t i;
	size_t len;

	(void)state;
	for (i = 0; i < LIMIT_SERVICES; i++) {
		snprintf(name, sizeof(name), "s%u", i);
		sample_declared(p, name, TCP(1));
	}
	for (i = 0; i < LIMIT_GROUPS; i++) {
		snprintf(name, sizeof(name), "g%u", i);
		sample_member(sample_group(p, name), "10.0.0.1");
	}
	for (i = 0; i < LIMIT_SCHEDULES; i++) {
		snprintf(name, sizeof(name), "t%u", i);
		sample_schedule(p, name);
	}
	for (i = 0; i < LIMIT_WINDOWS; i++)
		sample_window(&p->schedules[0], 1000 + 10 * i, 1005 + 10 * i);
	compiled();
	assert_int_equal(im.n[IMAGE_SCHEDULES], LIMIT_SCHEDULES);
	assert_int_equal(im.n[IMAGE_WINDOWS], LIMIT_WINDOWS);
	free(bytes);
	bytes = NULL;
	sample_declared(p, "x", TCP(1));
	sample_member(sample_group(p, "x"), "10.0.0.1");
	sample_schedule(p, "x");
	sample_window(&p->schedules[0], 1000 + 10 * i, 1005 + 10 * i);
	assert_int_equal(compile_policy(p, NULL, &m, &bytes, &len), -EINVAL);
	assert_int_equal(m.n, 4);
	assert_string_equal(m.lines[0], "1025 services: at most 1024");
	assert_string_equal(m.lines[1], "4097 groups: at most 4096");
	assert_string_equal(m.lines[2], "65 schedules: at most 64");
	assert_non_null(strstr(m.lines[3], "schedule \"t0\" has 2049 windows: at most 2048"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_extends),
		TEST(test_extended_keys),
		TEST(test_circle),
		TEST(test_unknown_base),
		TEST(test_long_circle),
		TEST(test_family_limit),
		TEST(test_base_without_devices),
		TEST(test_services),
		TEST(test_each_once),
		TEST(test_groups),
		TEST(test_group_circle),
		TEST(test_unknown_names),
		TEST(test_names_twice),
		TEST(test_fit),
		TEST(test_inbound),
		TEST(test_inbound_from_class),
		TEST(test_inbound_from_itself),
		TEST(test_inbound_host),
		TEST(test_inbound_without_address),
		TEST(test_schedules),
		TEST(test_last_window),
		TEST(test_quarantine),
		TEST(test_rate_and_refuse),
		TEST(test_hosts),
		TEST(test_extends_limit),
		TEST(test_rules_limit),
		TEST(test_members_limit),
		TEST(test_pairs_limit),
		TEST(test_boxes_limit),
		TEST(test_counts_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
