/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_describe.c -- what changes between two policies, in words and in elements;
 * and from an element back to the line that asks for it. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/describe.h"
#include "model/origin.h"
#include "sample.h"

static char told[16384];

static int
on_line(void *arg, const struct described *d)
{
	size_t at = strlen(told);

	(void)arg;
	snprintf(told + at, sizeof(told) - at, "%c %s|%s\n", "+-~"[d->sign], d->name, d->text);
	return 0;
}

static int
on_set(void *arg, const char *set, uint32_t added, uint32_t removed)
{
	uint32_t *sum = arg;

	assert_non_null(set);
	sum[0] += added;
	sum[1] += removed;
	return 0;
}

struct pair {
	struct image old, next;
	uint8_t *a, *b;
};

/* Compiles p as the policy after sample_full, and tells. */
static struct pair
compare(struct policy *p)
{
	struct policy *full = sample_full();
	struct pair r;
	size_t len;

	r.old = sample_image(full, NULL, &r.a, &len);
	r.next = sample_image(p, &r.old, &r.b, &len);
	policy_free(full);
	policy_free(p);
	told[0] = '\0';
	assert_int_equal(describe_policies(&r.old, &r.next, on_line, NULL), 0);
	return r;
}

static void
done(struct pair *r)
{
	free(r->a);
	free(r->b);
}

static struct described_elements
elements(const struct image *old, const struct image *next)
{
	struct described_elements e;
	uint32_t sum[2] = { 0, 0 };

	assert_int_equal(describe_elements(old, NULL, next, (struct features){ true, true }, on_set, sum, &e), 0);
	assert_int_equal(sum[0], e.added);
	assert_int_equal(sum[1], e.removed);
	return e;
}

static void
test_nothing(void **state)
{
	struct described_elements e;
	struct policy *p = sample_full();
	struct pair r;

	(void)state;
	p->classes[0].rules[0].where.line += 7;		/* said elsewhere: said all the same */
	r = compare(p);
	assert_string_equal(told, "");
	e = elements(&r.old, &r.next);
	assert_int_equal(e.added + e.removed + e.renewed, 0);
	done(&r);
}

static void
test_rules(void **state)
{
	struct policy *p = sample_full();
	struct described_elements e;
	struct pair r;

	(void)state;
	p->classes[0].rules[0].services[0].high = 444;		/* 443 becomes 443-444 */
	p->classes[0].rules[1].services[0].high = 450;		/* 400-500 becomes 400-450 */
	sample_rule(p, &p->classes[0], "192.0.2.9", BOX_PORTS, IPPROTO_TCP, 443, 443);
	r = compare(p);
	assert_non_null(strstr(told, "- sensor|no longer allows 192.0.2.0/24: tcp 443 (other rules still do)\n"));
	assert_non_null(strstr(told, "+ sensor|allows 192.0.2.0/24: tcp 443-444\n"));
	assert_non_null(strstr(told, "- sensor|no longer allows 192.0.2.7: tcp 400-500\n"));
	assert_non_null(strstr(told, "+ sensor|allows 192.0.2.7: tcp 400-450 (other rules did already)\n"));
	assert_non_null(strstr(told, "+ sensor|allows 192.0.2.9: tcp 443 (other rules did already)\n"));
	assert_null(strstr(told, "gateway"));
	e = elements(&r.old, &r.next);
	assert_int_equal(e.renewed, 2);			/* both sensors */
	assert_false(e.anew);
	done(&r);
}

static void
test_classes(void **state)
{
	struct policy *p = sample_full();
	struct pair r;

	(void)state;
	p->classes[0].mode = MODE_AUDIT;
	p->classes[0].keys |= CLASS_MODE;
	sample_rule(p, sample_class(p, "camera"), "198.51.100.9", BOX_ANY, 0, 0, 0);
	r = compare(p);
	assert_string_equal(told,
	    "~ sensor|mode: enforce -> audit\n"
	    "+ camera|new class, mode enforce, refuse drop, rate: no bound\n"
	    "+ camera|allows 198.51.100.9: anything\n");
	done(&r);
}

static void
test_devices(void **state)
{
	struct policy *p = sample_full();
	struct pair r;

	(void)state;
	p->devices[0].mac.bytes[5] = 99;
	free(p->devices[1].class_name);
	p->devices[1].class_name = strdup("gateway");
	free(p->devices[3].name);
	p->devices[3].name = strdup("bear");
	r = compare(p);
	assert_non_null(strstr(told, "- bare|device taken away (class gateway)\n"));
	assert_non_null(strstr(told, "+ bear|new device in class gateway\n"));
	assert_non_null(strstr(told, "~ sensor-1|identity: 02:00:00:00:00:01 -> 02:00:00:00:00:63\n"));
	assert_non_null(strstr(told, "~ sensor-2|class: sensor -> gateway\n"));
	assert_null(strstr(told, "alpha"));
	done(&r);
}

static void
test_from_nothing(void **state)
{
	struct policy *full = sample_full();
	struct described_elements e;
	struct image im;
	uint8_t *bytes;
	size_t len;

	(void)state;
	im = sample_image(full, NULL, &bytes, &len);
	policy_free(full);
	told[0] = '\0';
	assert_int_equal(describe_policies(NULL, &im, on_line, NULL), 0);
	assert_non_null(strstr(told, "+ |lan0 becomes a device interface\n"));
	assert_non_null(strstr(told, "+ factory-ca|new authority\n"));
	assert_non_null(strstr(told, "+ sensor-1|new device in class sensor\n"));
	assert_null(strstr(told, "- "));
	assert_null(strstr(told, "~ "));
	e = elements(NULL, &im);
	assert_in_range(e.added, 50, 1000);
	assert_int_equal(e.removed, 0);
	free(bytes);
}

/* ---- origins ------------------------------------------------------------ */

struct seen {
	const struct ruleset *rs;
	unsigned n, rules, devices;
};

/* Every element has somebody who asked for it, in words that make sense. */
static int
on_element(void *arg, const struct element *el)
{
	struct seen *s = arg;
	char text[ELEMENT_STRLEN];
	struct set_ref set;
	struct origin o;
	char name[SET_NAMELEN];

	s->n++;
	origin_of_element(s->rs, el, &o);
	assert_in_range(o.n_where, 1, 20);
	assert_in_range(o.where[0].line, 1, 100000);
	assert_int_equal(origin_set(s->rs, set_name(&el->set, name), &set), 0);
	assert_true(set_ref_equal(&set, &el->set));
	assert_in_range(strlen(element_text(el, NULL, text)), 1, ELEMENT_STRLEN - 1);
	if (el->set.kind >= SET_ALLOW4_CLASS && el->set.kind <= SET_ANY6_CLASS) {
		assert_int_equal(o.kind, ORIGIN_RULE);
		s->rules++;
	}
	if (el->set.kind == SET_LIVE) {
		assert_int_equal(o.kind, ORIGIN_DEVICE);
		s->devices++;
	}
	return 0;
}

static void
number_lines(struct policy *p)
{
	uint32_t line = 1;

	p->appliance.where.line = line++;
	for (size_t i = 0; i < p->n_classes; i++) {
		p->classes[i].where.line = line++;
		for (size_t k = 0; k < p->classes[i].n_rules; k++)
			p->classes[i].rules[k].where.line = line++;
	}
	for (size_t i = 0; i < p->appliance.n_quarantine; i++)
		p->appliance.quarantine[i].where.line = line++;
	for (size_t i = 0; i < p->n_devices; i++)
		p->devices[i].where.line = line++;
}

static void
test_origins(void **state)
{
	struct policy *p = sample_full();
	struct station stations[8] = { { 0 } };
	struct seen s = { .n = 0 };
	struct ruleset rs;
	struct image im;
	uint8_t *bytes;
	size_t len;

	(void)state;
	number_lines(p);
	im = sample_image(p, NULL, &bytes, &len);
	for (uint32_t i = 0; i < im.n[IMAGE_DEVICES]; i++)
		stations[i] = (struct station){ .number = im.devices[i].number, .generation = 1 };
	rs = ruleset_make(&im, stations, (struct features){ true, true });
	s.rs = &rs;
	assert_int_equal(ruleset_each_element(&rs, on_element, &s), 0);
	assert_in_range(s.rules, 8, 100);
	assert_int_equal(s.devices, im.n[IMAGE_DEVICES]);
	policy_free(p);
	free(bytes);
}

/* tcp 443, of 192.0.2.0/24 */
static int
on_ports(void *arg, const struct element *el)
{
	static const uint8_t port[2] = { 443 >> 8, 443 & 255 };

	if (el->set.kind != SET_ALLOW4_CLASS || memcmp(el->key + 8, port, 2) != 0)
		return 0;
	*(struct element *)arg = *el;
	return 1;
}

/* An element that two rules cover has both lines. */
static void
test_both_lines(void **state)
{
	struct policy *p = sample_full();
	struct element el;
	struct ruleset rs;
	struct origin o;
	struct image im;
	uint8_t *bytes;
	size_t len;

	(void)state;
	number_lines(p);
	im = sample_image(p, NULL, &bytes, &len);
	rs = ruleset_make(&im, NULL, (struct features){ true, true });
	assert_int_equal(elements_of_class(&rs, image_class_named(&im, "sensor"), on_ports, &el), 1);
	origin_of_element(&rs, &el, &o);
	assert_int_equal(o.kind, ORIGIN_RULE);
	assert_string_equal(o.name, "sensor");
	assert_int_equal(o.n_where, 2);
	assert_int_equal(o.where[0].line, p->classes[0].rules[0].where.line);
	assert_int_equal(o.where[1].line, p->classes[0].rules[1].where.line);
	policy_free(p);
	free(bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing), cmocka_unit_test(test_rules), cmocka_unit_test(test_classes),
		cmocka_unit_test(test_devices), cmocka_unit_test(test_from_nothing),
		cmocka_unit_test(test_origins), cmocka_unit_test(test_both_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
