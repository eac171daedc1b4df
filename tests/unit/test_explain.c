/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_explain.c -- which lines cover a connection, and why it is as it is. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "model/explain.h"
#include "sample.h"

static uint8_t *bytes;
static struct image im;
static struct station stations[8];
static struct ruleset rs;
static struct evaluator *ev;
static struct explanation e;

static void
use(struct policy *p)
{
	size_t len;

	im = sample_image(p, NULL, &bytes, &len);
	policy_free(p);
	for (uint32_t i = 0; i < im.n[IMAGE_DEVICES]; i++)
		stations[i] = (struct station){ .number = im.devices[i].number, .generation = 1 };
	rs = ruleset_make(&im, stations, (struct features){ .connlimit = true });
	ev = evaluator_new(&rs);
	assert_non_null(ev);
}

static int
setup(void **state)
{
	(void)state;
	use(sample_full());
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	evaluator_free(ev);
	free(bytes);
	return 0;
}

static void
quarantine(const char *name)
{
	stations[image_device_named(&im, name) - im.devices].quarantined = 1;
	evaluator_forget(ev);
}

static struct question
question(enum question_kind kind, const char *device, const char *other, uint8_t protocol, uint16_t port)
{
	struct question q = { .kind = kind, .device = image_device_named(&im, device), .family = AF_INET,
		.protocol = protocol, .port = port };

	assert_non_null(q.device);
	if (other != NULL) {
		assert_int_equal(addr_parse(other, &q.other), 0);
		q.family = q.other.family;
	}
	return q;
}

static void
explained(struct question q, enum verdict_kind verdict, enum explain_reason reason)
{
	assert_int_equal(explain(ev, &rs, &q, NULL, NULL, &e), 0);
	assert_int_equal(e.verdict.kind, verdict);
	assert_int_equal(e.reason, reason);
}

static void
out(const char *device, const char *other, uint8_t protocol, uint16_t port, enum verdict_kind verdict,
    enum explain_reason reason)
{
	explained(question(ASK_OUT, device, other, protocol, port), verdict, reason);
}

static void
test_the_line(void **state)
{
	(void)state;
	out("sensor-1", "2001:db8::1", IPPROTO_TCP, 443, VERDICT_ACCEPT, BECAUSE_RULE);
	assert_int_equal(e.n_rules, 1);
	assert_string_equal(image_text(&im, e.rules[0].class->name), "sensor");
	assert_true(e.rules[0].open);
	assert_int_equal(e.rules[0].rule->where.line, im.rules[e.asked->rules.first + 2].where.line);
	assert_null(e.other);
	assert_false(e.place.quarantined);
}

/* The compiled boxes are disjoint; both lines that were written are named. */
static void
test_overlapping_lines(void **state)
{
	(void)state;
	out("sensor-1", "192.0.2.7", IPPROTO_TCP, 443, VERDICT_ACCEPT, BECAUSE_RULE);
	assert_int_equal(e.n_rules, 2);
	assert_true(e.rules[0].rule->where.line < e.rules[1].rule->where.line);
	out("sensor-1", "192.0.2.7", IPPROTO_TCP, 442, VERDICT_ACCEPT, BECAUSE_RULE);
	assert_int_equal(e.n_rules, 1);
}

static void
test_no_line(void **state)
{
	(void)state;
	out("sensor-1", "192.0.2.1", IPPROTO_TCP, 444, VERDICT_DROP, BECAUSE_NO_RULE);
	assert_int_equal(e.n_rules, 0);
	out("sensor-1", "192.0.2.1", IPPROTO_UDP, 443, VERDICT_DROP, BECAUSE_NO_RULE);
	out("sensor-1", "192.0.2.2", IPPROTO_ICMP, 8, VERDICT_DROP, BECAUSE_NO_RULE);
	out("sensor-1", "192.0.2.1", IPPROTO_ICMP, 8, VERDICT_ACCEPT, BECAUSE_RULE);
	out("sensor-1", "198.51.100.2", 47, 0, VERDICT_ACCEPT, BECAUSE_RULE);
	out("sensor-1", "198.51.100.1", 99, 0, VERDICT_ACCEPT, BECAUSE_RULE);
}

static void
test_audited(void **state)
{
	(void)state;
	out("bare", "203.0.113.1", IPPROTO_UDP, 53, VERDICT_ACCEPT, BECAUSE_AUDITED);
	assert_int_equal(e.n_rules, 0);
	out("bare", "203.0.113.1", IPPROTO_TCP, 53, VERDICT_ACCEPT, BECAUSE_RULE);
	assert_int_equal(e.n_rules, 1);
}

static void
test_lateral(void **state)
{
	(void)state;
	out("sensor-1", "fd10::3", IPPROTO_TCP, 1883, VERDICT_ACCEPT, BECAUSE_RULE);
	assert_string_equal(image_text(&im, e.other->name), "alpha");
	assert_int_equal(e.n_rules, 1);
	out("sensor-1", "fd10::3", IPPROTO_TCP, 1884, VERDICT_DROP, BECAUSE_NO_RULE);
	out("sensor-1", "10.10.0.12", IPPROTO_TCP, 1883, VERDICT_DROP, BECAUSE_NO_RULE);	/* of another class */
	assert_int_equal(e.n_rules, 0);
	out("sensor-1", "10.10.0.12", IPPROTO_UDP, 5353, VERDICT_ACCEPT, BECAUSE_RULE);
	/* the same, asked from the other end */
	explained(question(ASK_IN, "alpha", "fd10::11", IPPROTO_TCP, 1883), VERDICT_ACCEPT, BECAUSE_RULE);
	assert_string_equal(image_text(&im, e.other->name), "sensor-1");
	assert_int_equal(e.n_rules, 1);
	quarantine("alpha");
	out("sensor-1", "fd10::3", IPPROTO_TCP, 1883, VERDICT_DROP, BECAUSE_OTHER_QUARANTINE);
	assert_true(e.other_place.quarantined);
}

static void
test_quarantine(void **state)
{
	(void)state;
	quarantine("sensor-1");
	out("sensor-1", "192.0.2.1", IPPROTO_TCP, 443, VERDICT_DROP, BECAUSE_QUARANTINE);
	assert_true(e.place.quarantined);
	assert_int_equal(e.n_rules, 0);
	out("sensor-1", "192.0.2.80", IPPROTO_TCP, 443, VERDICT_ACCEPT, BECAUSE_RULE);
	assert_int_equal(e.n_rules, 1);
	assert_int_equal(e.rules[0].class->number, 0);
}

/* sample_full, with a list of the sensors' own in quarantine, and a class to be restricted to. */
static void
use_stations(void)
{
	struct policy *p = sample_full();
	struct class_decl list = { .name = NULL }, *c;

	evaluator_free(ev);
	free(bytes);
	sample_rule(p, &list, "192.0.2.81", BOX_PORTS, IPPROTO_TCP, 443, 443);
	p->classes[0].quarantine = list.rules;
	p->classes[0].n_quarantine = list.n_rules;
	c = sample_class(p, "offline");
	sample_rule(p, c, "192.0.2.82", BOX_PORTS, IPPROTO_TCP, 443, 443);
	sample_rule(p, c, "class:sensor", BOX_PORTS, IPPROTO_TCP, 7, 7);
	p->authorities[0].when_stale = WHEN_STALE_RESTRICT;
	p->authorities[0].restrict_class = strdup("offline");
	use(p);
}

static void
test_quarantine_of_its_class(void **state)
{
	(void)state;
	use_stations();
	quarantine("sensor-1");
	out("sensor-1", "192.0.2.81", IPPROTO_TCP, 443, VERDICT_ACCEPT, BECAUSE_RULE);
	assert_int_equal(e.n_rules, 1);
	assert_string_equal(image_text(&im, e.rules[0].class->name), "sensor/quarantine");
	assert_ptr_equal(e.place.class, e.rules[0].class);
	assert_true(e.place.quarantined && !e.place.restricted);
	out("sensor-1", "192.0.2.80", IPPROTO_TCP, 443, VERDICT_ACCEPT, BECAUSE_RULE);
	assert_int_equal(e.rules[0].rule->where.line, im.rules[im.classes[0].rules.first].where.line);
	out("sensor-1", "192.0.2.1", IPPROTO_TCP, 443, VERDICT_DROP, BECAUSE_QUARANTINE);
	explained(question(ASK_IN, "sensor-1", "192.0.2.81", IPPROTO_TCP, 443), VERDICT_DROP, BECAUSE_QUARANTINE);
	quarantine("alpha");		/* of a class without a list of its own */
	out("alpha", "192.0.2.81", IPPROTO_TCP, 443, VERDICT_DROP, BECAUSE_NO_IDENTITY);
	assert_int_equal(e.place.class->number, 0);
}

static void
test_restricted(void **state)
{
	(void)state;
	use_stations();
	stations[image_device_named(&im, "sensor-1") - im.devices].limited = image_class_named(&im, "offline")->number;
	evaluator_forget(ev);
	out("sensor-1", "192.0.2.82", IPPROTO_TCP, 443, VERDICT_ACCEPT, BECAUSE_RULE);
	assert_true(e.place.restricted && !e.place.quarantined);
	assert_string_equal(image_text(&im, e.place.class->name), "offline");
	assert_string_equal(image_text(&im, e.rules[0].class->name), "offline");
	out("sensor-1", "192.0.2.7", IPPROTO_TCP, 443, VERDICT_DROP, BECAUSE_NO_RULE);
	assert_int_equal(e.n_rules, 0);
	/* met as one of that class: "to class:sensor" does not mean it now */
	out("sensor-2", "10.10.0.11", IPPROTO_UDP, 5353, VERDICT_DROP, BECAUSE_NO_RULE);
	assert_true(e.other_place.restricted);
	assert_int_equal(e.n_rules, 0);
	out("sensor-1", "10.10.0.12", IPPROTO_TCP, 7, VERDICT_ACCEPT, BECAUSE_RULE);
	assert_false(e.other_place.restricted);
	quarantine("sensor-1");
	out("sensor-1", "192.0.2.82", IPPROTO_TCP, 443, VERDICT_DROP, BECAUSE_QUARANTINE);
	assert_false(e.place.restricted);
}

static void
test_appliance(void **state)
{
	(void)state;
	explained(question(ASK_APPLIANCE, "sensor-1", NULL, IPPROTO_ICMP, 8), VERDICT_ACCEPT, BECAUSE_SERVICE);
	explained(question(ASK_APPLIANCE, "sensor-1", NULL, IPPROTO_UDP, 53), VERDICT_DROP, BECAUSE_NO_SERVICE);
	quarantine("sensor-1");
	explained(question(ASK_APPLIANCE, "sensor-1", NULL, IPPROTO_ICMP, 8), VERDICT_DROP, BECAUSE_QUARANTINE);
}

static void
test_inbound(void **state)
{
	(void)state;
	explained(question(ASK_IN, "sensor-1", "192.0.2.4", IPPROTO_TCP, 554), VERDICT_DROP, BECAUSE_NO_RULE);
	assert_null(e.other);
	/* known by its MAC alone: no address leads to it */
	explained(question(ASK_IN, "bare", "192.0.2.4", IPPROTO_TCP, 554), VERDICT_DROP, BECAUSE_NOT_HELD);
}

static void
test_no_identity(void **state)
{
	(void)state;
	out("sensor-2", "2001:db8::1", IPPROTO_TCP, 443, VERDICT_DROP, BECAUSE_NO_IDENTITY);
}

/* Names are for people so far. */
static void
test_names_cover_nothing(void **state)
{
	(void)state;
	out("sensor-1", "203.0.113.1", IPPROTO_TCP, 8883, VERDICT_DROP, BECAUSE_NO_RULE);
	assert_int_equal(e.n_rules, 0);
}

/* ---- more of the language ------------------------------------------------- */

static void *
grown(void *array, size_t n, size_t size)
{
	void *p = policy_grow(array, n, size);

	assert_non_null(p);
	return p;
}

/* One window, from 1000 on, of 500 seconds; the rule of the class is open then. */
static struct policy *
scheduled(void)
{
	struct policy *p = sample_new();
	struct schedule_decl *s;
	struct class_decl *c = sample_class(p, "camera");

	sample_rule(p, c, "192.0.2.1", BOX_PORTS, IPPROTO_TCP, 443, 443);
	c->rules[0].schedule = strdup("night");
	sample_device(p, "camera-1", "camera", 1, "10.10.0.11", "lan0", NULL, 0);
	p->schedules = s = grown(NULL, 0, sizeof(*s));
	p->n_schedules = 1;
	s->where = c->where;
	s->name = strdup("night");
	s->days = 0x7f;
	s->to_s = 500;
	s->zone = strdup("UTC");
	s->windows = grown(NULL, 0, sizeof(*s->windows));
	s->windows[0] = (struct window){ 1000, 1500 };
	s->n_windows = 1;
	return p;
}

static void
test_schedule(void **state)
{
	struct question q;
	int64_t next;

	(void)state;
	use(scheduled());
	q = question(ASK_OUT, "camera-1", "192.0.2.1", IPPROTO_TCP, 443);
	q.time_s = 999;
	explained(q, VERDICT_DROP, BECAUSE_CLOSED);
	assert_int_equal(e.n_rules, 1);
	assert_false(e.rules[0].open);
	q.time_s = 1000;
	explained(q, VERDICT_ACCEPT, BECAUSE_RULE);
	assert_true(e.rules[0].open);
	assert_int_equal(e.verdict.ct_mark & 255, 0);	/* judged again at every packet */
	q.time_s = 1499;
	explained(q, VERDICT_ACCEPT, BECAUSE_RULE);
	q.time_s = 1500;
	explained(q, VERDICT_DROP, BECAUSE_CLOSED);
	assert_true(explain_open(&im, 0, 0, &next));
	assert_false(explain_open(&im, 1, 999, &next));
	assert_int_equal(next, 1000);
	assert_true(explain_open(&im, 1, 1000, &next));
	assert_int_equal(next, 1500);
	assert_false(explain_open(&im, 1, 1500, &next));
	assert_int_equal(next, 0);
}

static void
test_inbound_line(void **state)
{
	struct policy *p = sample_new();
	struct class_decl *c = sample_class(p, "camera");

	(void)state;
	sample_rule(p, c, "192.0.2.4", BOX_PORTS, IPPROTO_TCP, 554, 554);
	c->inbound = c->rules;		/* from there, as opposed to: to there */
	c->n_inbound = c->n_rules;
	c->rules = NULL;
	c->n_rules = 0;
	c->keys = CLASS_ALLOW;
	sample_device(p, "camera-1", "camera", 1, "10.10.0.11", "lan0", NULL, 0);
	use(p);
	explained(question(ASK_IN, "camera-1", "192.0.2.4", IPPROTO_TCP, 554), VERDICT_ACCEPT, BECAUSE_RULE);
	assert_int_equal(e.n_rules, 1);
	explained(question(ASK_IN, "camera-1", "192.0.2.5", IPPROTO_TCP, 554), VERDICT_DROP, BECAUSE_NO_RULE);
	out("camera-1", "192.0.2.4", IPPROTO_TCP, 554, VERDICT_DROP, BECAUSE_NO_RULE);
	assert_int_equal(e.n_rules, 0);
}

static void
test_rejected(void **state)
{
	struct policy *p = sample_new();

	(void)state;
	sample_class(p, "camera")->refuse = REFUSE_REJECT;
	sample_device(p, "camera-1", "camera", 1, "10.10.0.11", "lan0", NULL, 0);
	use(p);
	out("camera-1", "192.0.2.4", IPPROTO_TCP, 554, VERDICT_REJECT, BECAUSE_NO_RULE);
	explained(question(ASK_IN, "camera-1", "192.0.2.4", IPPROTO_TCP, 554), VERDICT_DROP, BECAUSE_NO_RULE);
}

/* ---- many rules --------------------------------------------------------- */

static void
test_more_lines_than_room(void **state)
{
	struct policy *p = sample_new();
	struct class_decl *c = sample_class(p, "wide");

	(void)state;
	for (unsigned i = 0; i < EXPLAIN_RULES_MAX + 5; i++)
		sample_rule(p, c, "192.0.2.0/24", BOX_PORTS, IPPROTO_TCP, 80, 80);
	sample_device(p, "device", "wide", 1, "10.10.0.11", "lan0", NULL, 0);
	use(p);
	out("device", "192.0.2.1", IPPROTO_TCP, 80, VERDICT_ACCEPT, BECAUSE_RULE);
	assert_int_equal(e.n_rules, EXPLAIN_RULES_MAX + 5);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_the_line), T(test_overlapping_lines), T(test_no_line), T(test_audited), T(test_lateral),
		T(test_quarantine), T(test_quarantine_of_its_class), T(test_restricted),
		T(test_appliance), T(test_inbound), T(test_no_identity),
		T(test_names_cover_nothing),
		cmocka_unit_test_teardown(test_schedule, teardown),
		cmocka_unit_test_teardown(test_inbound_line, teardown),
		cmocka_unit_test_teardown(test_rejected, teardown),
		cmocka_unit_test_teardown(test_more_lines_than_room, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
