/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_diff.c -- a diff, played into a mirror of the old content, gives exactly
 * the new one, in an order that a kernel takes; and who is judged again. */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/diff.h"
#include "sample.h"

/* ---- a mirror: what a kernel would hold --------------------------------- */

#define ELEMENTS_MAX 4096
#define REFS_MAX 512

struct mirror {
	struct element e[ELEMENTS_MAX];
	size_t n;
	struct set_ref sets[REFS_MAX];
	size_t n_sets;
	struct chain_ref chains[REFS_MAX];
	size_t rules[REFS_MAX];
	size_t n_chains;
	size_t changes;
	size_t flushed;
};

static size_t
find_set(const struct mirror *m, const struct set_ref *ref)
{
	for (size_t i = 0; i < m->n_sets; i++)
		if (set_ref_equal(&m->sets[i], ref))
			return i;
	return SIZE_MAX;
}

static size_t
find_chain(const struct mirror *m, const struct chain_ref *ref)
{
	for (size_t i = 0; i < m->n_chains; i++)
		if (m->chains[i].kind == ref->kind && m->chains[i].number == ref->number &&
		    m->chains[i].staged == ref->staged)
			return i;
	return SIZE_MAX;
}

static size_t
find_element(const struct mirror *m, const struct element *e)
{
	for (size_t i = 0; i < m->n; i++)
		if (element_same_key(&m->e[i], e))
			return i;
	return SIZE_MAX;
}

static int
on_del_element(void *arg, const struct element *e)
{
	struct mirror *m = arg;
	size_t i = find_element(m, e);

	assert_int_not_equal(i, SIZE_MAX);
	assert_true(element_equal(&m->e[i], e));
	m->e[i] = m->e[--m->n];
	m->changes++;
	return 0;
}

static int
on_add_element(void *arg, const struct element *e)
{
	struct mirror *m = arg;

	assert_int_not_equal(find_set(m, &e->set), SIZE_MAX);
	assert_int_equal(find_element(m, e), SIZE_MAX);
	if (e->chain.kind != CHAIN_NONE)
		assert_int_not_equal(find_chain(m, &e->chain), SIZE_MAX);
	assert_in_range(m->n, 0, ELEMENTS_MAX - 1);
	m->e[m->n++] = *e;
	m->changes++;
	return 0;
}

static int
on_add_set(void *arg, const struct set_ref *ref)
{
	struct mirror *m = arg;

	assert_int_equal(find_set(m, ref), SIZE_MAX);
	assert_in_range(m->n_sets, 0, REFS_MAX - 1);
	m->sets[m->n_sets++] = *ref;
	m->changes++;
	return 0;
}

static int
on_del_set(void *arg, const struct set_ref *ref)
{
	struct mirror *m = arg;
	size_t i = find_set(m, ref);

	assert_int_not_equal(i, SIZE_MAX);
	for (size_t j = 0; j < m->n; j++)
		assert_false(set_ref_equal(&m->e[j].set, ref));
	m->sets[i] = m->sets[--m->n_sets];
	m->changes++;
	return 0;
}

static int
on_add_chain(void *arg, const struct chain_ref *ref)
{
	struct mirror *m = arg;

	assert_int_equal(find_chain(m, ref), SIZE_MAX);
	assert_in_range(m->n_chains, 0, REFS_MAX - 1);
	m->chains[m->n_chains] = *ref;
	m->rules[m->n_chains++] = 0;
	m->changes++;
	return 0;
}

static int
on_del_chain(void *arg, const struct chain_ref *ref)
{
	struct mirror *m = arg;
	size_t i = find_chain(m, ref);

	assert_int_not_equal(i, SIZE_MAX);
	assert_int_equal(m->rules[i], 0);	/* a chain with rules cannot go */
	for (size_t j = 0; j < m->n; j++)
		assert_false(m->e[j].chain.kind == ref->kind && m->e[j].chain.number == ref->number &&
		    m->e[j].chain.staged == ref->staged);
	m->n_chains--;
	m->chains[i] = m->chains[m->n_chains];
	m->rules[i] = m->rules[m->n_chains];
	m->changes++;
	return 0;
}

static int
on_flush_chain(void *arg, const struct chain_ref *ref)
{
	struct mirror *m = arg;
	size_t i = find_chain(m, ref);

	assert_int_not_equal(i, SIZE_MAX);
	m->rules[i] = 0;
	m->changes++;
	return 0;
}

/* What packets add is no part of the mirror: the set must be there, in both. */
static int
on_flush_set(void *arg, const struct set_ref *ref)
{
	struct mirror *m = arg;

	assert_int_not_equal(find_set(m, ref), SIZE_MAX);
	assert_true(set_info(ref->kind)->dynamic);
	m->flushed++;
	return 0;
}

static int
on_add_rule(void *arg, const struct chain_ref *ref, const struct rule_ir *r)
{
	struct mirror *m = arg;
	size_t i = find_chain(m, ref);

	assert_int_not_equal(i, SIZE_MAX);
	for (const struct expr *x = r->exprs; x->kind != EXPR_END; x++) {
		if (x->set.kind != SET_NONE)
			assert_int_not_equal(find_set(m, &x->set), SIZE_MAX);
		if (x->chain.kind != CHAIN_NONE)
			assert_int_not_equal(find_chain(m, &x->chain), SIZE_MAX);
	}
	m->rules[i]++;
	m->changes++;
	return 0;
}

static const struct diff_sink sink = {
	.del_element = on_del_element, .add_element = on_add_element,
	.add_set = on_add_set, .del_set = on_del_set,
	.add_chain = on_add_chain, .del_chain = on_del_chain,
	.flush_chain = on_flush_chain, .flush_set = on_flush_set, .add_rule = on_add_rule,
};

static void
assert_same_content(const struct mirror *a, const struct mirror *b)
{
	assert_int_equal(a->n, b->n);
	assert_int_equal(a->n_sets, b->n_sets);
	assert_int_equal(a->n_chains, b->n_chains);
	for (size_t i = 0; i < a->n; i++) {
		size_t j = find_element(b, &a->e[i]);

		assert_int_not_equal(j, SIZE_MAX);
		assert_true(element_equal(&a->e[i], &b->e[j]));
	}
	for (size_t i = 0; i < a->n_sets; i++)
		assert_int_not_equal(find_set(b, &a->sets[i]), SIZE_MAX);
	for (size_t i = 0; i < a->n_chains; i++) {
		size_t j = find_chain(b, &a->chains[i]);

		assert_int_not_equal(j, SIZE_MAX);
		assert_int_equal(a->rules[i], b->rules[j]);
	}
}

/* ---- policies ----------------------------------------------------------- */

struct loaded {
	uint8_t *bytes;
	struct image image;
	struct station stations[64];
};

static struct ruleset
rules_of(const struct loaded *l)
{
	return ruleset_make(&l->image, l->stations, (struct features){ true, true });
}

static void
load(struct policy *p, const struct loaded *before, struct loaded *out)
{
	size_t len;

	out->image = sample_image(p, before ? &before->image : NULL, &out->bytes, &len);
	assert_in_range(out->image.n[IMAGE_DEVICES], 0, 64);
	for (uint32_t i = 0; i < out->image.n[IMAGE_DEVICES]; i++)
		out->stations[i] = (struct station){ .number = out->image.devices[i].number, .generation = 1 };
	policy_free(p);
}

static uint32_t seed;

static uint32_t
any(uint32_t n)
{
	seed = seed * 1664525U + 1013904223U;
	return (seed >> 8) % n;
}

/* A list of its own in quarantine. */
static void
random_remedy(struct policy *p, struct class_decl *c)
{
	struct class_decl list = { .name = NULL };

	sample_rule(p, &list, "192.0.2.81", BOX_PORTS, IPPROTO_TCP, (uint16_t)(443 + any(2)), 445);
	sample_rule(p, &list, "2001:db8::81", BOX_PORTS, IPPROTO_TCP, 443, 443);
	c->quarantine = list.rules;
	c->n_quarantine = list.n_rules;
}

static void
random_restriction(struct authority_decl *a, uint32_t n_classes)
{
	char name[16];

	if (any(4) == 0)
		return;
	snprintf(name, sizeof(name), "c%u", any(n_classes));
	a->when_unchecked = WHEN_STALE_RESTRICT;
	if ((a->restrict_class = strdup(name)) == NULL)
		abort();
}

/* A policy of a few classes and devices, whose names meet again in the next. */
static struct policy *
random_policy(void)
{
	static const char *const to[] = { "192.0.2.0/24", "192.0.2.7", "2001:db8::/64", "198.51.100.9",
		"class:c0", "class:c1", "203.0.113.5-203.0.113.77", "2001:db8:1::5" };
	struct policy *p = sample_new();
	uint32_t n_classes = 2 + any(3), n_devices = any(12);
	char name[16], class_name[16], address[32];

	if (any(2))
		sample_service(p, BOX_PORTS, IPPROTO_UDP, 67, (uint16_t)(67 + any(3)));
	if (any(2))
		sample_quarantine(p, "192.0.2.80", (uint16_t)(443 + any(2)));
	for (uint32_t i = 0; i < n_classes; i++) {
		struct class_decl *c;

		snprintf(class_name, sizeof(class_name), "c%u", i);
		c = sample_class(p, class_name);
		c->mode = any(4) == 0 ? MODE_AUDIT : MODE_ENFORCE;
		for (uint32_t j = any(5); j > 0; j--)
			sample_rule(p, c, to[any(8)], BOX_PORTS, any(2) ? IPPROTO_TCP : IPPROTO_UDP,
			    (uint16_t)(400 + any(5)), (uint16_t)(405 + any(5)));
		if (any(3) == 0)
			sample_rule(p, c, "192.0.2.9", BOX_ICMP, IPPROTO_ICMP, 8, 8);
		if (any(3) == 0)
			sample_rule(p, c, "class:c0", BOX_ANY, 0, 0, 0);
		if (any(3) == 0)
			random_remedy(p, c);
		c->rate = c->rate_burst = any(3) == 0 ? 1 + any(3) : 0;
	}
	sample_authority(p, "ca", "http://pki.example/ca.crl");
	random_restriction(&p->authorities[0], n_classes);
	for (uint32_t i = 0; i < n_devices; i++) {
		snprintf(name, sizeof(name), "d%u", i);
		snprintf(class_name, sizeof(class_name), "c%u", any(n_classes));
		snprintf(address, sizeof(address), any(3) ? "10.10.0.%u" : "fd10::%u", 1 + 2 * i + any(2));
		sample_device(p, name, class_name, (uint8_t)(1 + i), any(5) ? address : NULL,
		    any(2) ? "lan0" : NULL, any(3) ? "ca" : NULL, (uint8_t)(1 + i));
	}
	return p;
}

/* Wherever a device can stand. */
static void
random_stations(struct loaded *l)
{
	for (uint32_t i = 0; i < l->image.n[IMAGE_DEVICES]; i++) {
		l->stations[i].generation = (uint8_t)(1 + any(2));
		l->stations[i].quarantined = any(4) == 0;
		l->stations[i].limited = any(3) == 0 ? station_limit(&l->image, &l->image.devices[i]) : 0;
	}
}

/* Stations that change while the policy stays. */
static void
random_moves(struct mirror *m, const struct ruleset *rs, struct loaded *l)
{
	struct station_change changes[64];
	uint32_t n = l->image.n[IMAGE_DEVICES];
	static struct mirror fresh;

	for (uint32_t i = 0; i < n; i++)
		changes[i] = (struct station_change){ .index = i, .from = l->stations[i] };
	random_stations(l);
	for (uint32_t i = 0; i < n; i++)
		changes[i].to = l->stations[i];
	assert_int_equal(diff_station_changes(rs, changes, n, &sink, m), 0);
	memset(&fresh, 0, sizeof(fresh));
	assert_int_equal(diff_rulesets(NULL, rs, &sink, &fresh), 0);
	assert_same_content(m, &fresh);
}

static void
test_random_policies(void **state)
{
	(void)state;
	for (uint32_t round = 0; round < 300; round++) {
		static struct mirror m, fresh;
		struct loaded old, next, staged;
		struct ruleset a, b;

		seed = round;
		load(random_policy(), NULL, &old);
		load(random_policy(), &old, &next);
		load(random_policy(), &old, &staged);
		random_stations(&old);
		random_stations(&next);
		a = rules_of(&old);
		b = rules_of(&next);
		a.candidate = any(2) ? &staged.image : NULL;
		b.candidate = any(2) ? &staged.image : NULL;
		memset(&m, 0, sizeof(m));
		memset(&fresh, 0, sizeof(fresh));
		assert_int_equal(diff_rulesets(NULL, &a, &sink, &m), 0);
		assert_int_equal(diff_rulesets(&a, &b, &sink, &m), 0);
		assert_int_equal(diff_rulesets(NULL, &b, &sink, &fresh), 0);
		assert_same_content(&m, &fresh);
		m.changes = 0;
		assert_int_equal(diff_rulesets(&b, &b, &sink, &m), 0);
		assert_int_equal(m.changes, 0);
		random_moves(&m, &b, &next);
		free(old.bytes);
		free(next.bytes);
		free(staged.bytes);
	}
}

/* A quarantine touches that device's elements and nobody else's. */
static void
test_station_change(void **state)
{
	static struct mirror m, fresh;
	struct loaded l;
	struct ruleset rs;
	struct station_change c = { .index = 1 };

	(void)state;
	load(sample_full(), NULL, &l);
	rs = rules_of(&l);
	memset(&m, 0, sizeof(m));
	assert_int_equal(diff_rulesets(NULL, &rs, &sink, &m), 0);
	m.changes = 0;
	c.from = c.to = l.stations[1];
	c.to.generation = 2;
	c.to.quarantined = 1;
	assert_int_equal(diff_station_changes(&rs, &c, 1, &sink, &m), 0);
	assert_in_range(m.changes, 10, 40);
	l.stations[1] = c.to;
	memset(&fresh, 0, sizeof(fresh));
	assert_int_equal(diff_rulesets(NULL, &rs, &sink, &fresh), 0);
	assert_same_content(&m, &fresh);
	free(l.bytes);
}

/* ---- who is judged again ------------------------------------------------ */

static struct policy *
two_classes(uint16_t high, enum class_mode mode)
{
	struct policy *p = sample_new();
	struct class_decl *c = sample_class(p, "a");

	sample_rule(p, c, "192.0.2.0/24", BOX_PORTS, IPPROTO_TCP, 400, high);
	c->mode = mode;
	sample_rule(p, sample_class(p, "b"), "192.0.2.0/24", BOX_PORTS, IPPROTO_TCP, 1, 9);
	sample_device(p, "in-a", "a", 1, "10.10.0.1", "lan0", NULL, 0);
	sample_device(p, "in-b", "b", 2, "10.10.0.2", NULL, NULL, 0);
	return p;
}

static struct station
station_of(const struct loaded *l, const struct station *s, const char *name)
{
	return s[image_device_named(&l->image, name) - l->image.devices];
}

static void
renew(struct policy *before, struct policy *after, bool a, bool b)
{
	struct loaded old, next;
	struct station out[8];
	bool wrapped[8];
	uint32_t renewed;

	load(before, NULL, &old);
	load(after, &old, &next);
	diff_stations(&old.image, old.stations, &next.image, out, wrapped, &renewed);
	assert_int_equal(station_of(&next, out, "in-a").generation, a ? 2 : 1);
	assert_int_equal(station_of(&next, out, "in-b").generation, b ? 2 : 1);
	assert_int_equal(renewed, a + b);
	free(old.bytes);
	free(next.bytes);
}

static void
test_renewed(void **state)
{
	struct policy *p;

	(void)state;
	renew(two_classes(410, MODE_ENFORCE), two_classes(410, MODE_ENFORCE), false, false);
	renew(two_classes(410, MODE_ENFORCE), two_classes(411, MODE_ENFORCE), false, false);
	renew(two_classes(410, MODE_ENFORCE), two_classes(409, MODE_ENFORCE), true, false);
	renew(two_classes(410, MODE_AUDIT), two_classes(410, MODE_ENFORCE), true, false);
	renew(two_classes(410, MODE_ENFORCE), two_classes(410, MODE_AUDIT), true, false);
	p = two_classes(410, MODE_ENFORCE);	/* another address */
	p->devices[0].addresses[0].addr.bytes[3] = 77;
	renew(two_classes(410, MODE_ENFORCE), p, true, false);
	p = two_classes(410, MODE_ENFORCE);	/* another port */
	free(p->devices[0].interface);
	p->devices[0].interface = strdup("lan1");
	renew(two_classes(410, MODE_ENFORCE), p, true, false);
	p = two_classes(410, MODE_ENFORCE);	/* another MAC */
	p->devices[1].mac.bytes[5] = 99;
	renew(two_classes(410, MODE_ENFORCE), p, false, true);
	p = two_classes(410, MODE_ENFORCE);	/* another class */
	free(p->devices[1].class_name);
	p->devices[1].class_name = strdup("a");
	renew(two_classes(410, MODE_ENFORCE), p, false, true);
	p = two_classes(410, MODE_ENFORCE);	/* a service less concerns all */
	sample_service(p, BOX_PORTS, IPPROTO_UDP, 123, 123);
	renew(p, two_classes(410, MODE_ENFORCE), true, true);
}

static void
test_moved_addresses(void **state)
{
	struct policy *p = two_classes(410, MODE_ENFORCE);
	struct image_address *moved;
	struct loaded old, next;
	uint8_t a[4], b[4];
	size_t n;

	(void)state;
	load(two_classes(410, MODE_ENFORCE), NULL, &old);
	assert_int_equal(diff_moved_addresses(&old.image, &old.image, &moved, &n), 0);
	assert_int_equal(n, 0);
	free(moved);
	/* the first device takes the second's, the second a new one: all three moved */
	memcpy(a, p->devices[0].addresses[0].addr.bytes, 4);
	memcpy(b, p->devices[1].addresses[0].addr.bytes, 4);
	memcpy(p->devices[0].addresses[0].addr.bytes, b, 4);
	p->devices[1].addresses[0].addr.bytes[3] = 200;
	load(p, &old, &next);
	assert_int_equal(diff_moved_addresses(&old.image, &next.image, &moved, &n), 0);
	for (size_t i = 0; i + 1 < n; i++)
		assert_true(image_address_order(&moved[i], &moved[i + 1]) <= 0);
	assert_int_equal(n, 4);		/* the second's is in both lists, of different holders */
	assert_memory_equal(moved[0].bytes, a, 4);
	assert_memory_equal(moved[1].bytes, b, 4);
	assert_memory_equal(moved[2].bytes, b, 4);
	assert_int_equal(moved[3].bytes[3], 200);
	free(moved);
	free(old.bytes);
	free(next.bytes);
}

static void
test_generation_wraps(void **state)
{
	struct loaded old, next;
	struct station out[8];
	bool wrapped[8];
	uint32_t renewed, i;

	(void)state;
	load(two_classes(410, MODE_ENFORCE), NULL, &old);
	load(two_classes(409, MODE_ENFORCE), &old, &next);
	i = (uint32_t)(image_device_named(&old.image, "in-a") - old.image.devices);
	old.stations[i].generation = 255;
	diff_stations(&old.image, old.stations, &next.image, out, wrapped, &renewed);
	assert_int_equal(out[i].generation, 1);
	assert_true(wrapped[i]);
	assert_false(wrapped[1 - i]);
	free(old.bytes);
	free(next.bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_policies),
		cmocka_unit_test(test_station_change),
		cmocka_unit_test(test_renewed),
		cmocka_unit_test(test_moved_addresses),
		cmocka_unit_test(test_generation_wraps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
