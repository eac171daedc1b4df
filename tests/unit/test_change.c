/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_change.c -- what a change of the policy must reach: every rule that reads
 * differently, the marks of devices in quarantine, and nobody's release. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/diff.h"
#include "sample.h"

#define DEVICES_MAX 8

struct loaded {
	uint8_t *bytes;
	struct image image;
	struct station stations[DEVICES_MAX];
};

static void
load(struct policy *p, const struct loaded *before, struct loaded *out)
{
	size_t len;

	out->image = sample_image(p, before ? &before->image : NULL, &out->bytes, &len);
	for (uint32_t i = 0; i < out->image.n[IMAGE_DEVICES]; i++)
		out->stations[i] = (struct station){ .number = out->image.devices[i].number, .generation = 1 };
	policy_free(p);
}

static struct ruleset
rules_of(const struct loaded *l)
{
	return ruleset_make(&l->image, l->stations, (struct features){ true, true });
}

/* ---- which chains are written anew -------------------------------------- */

struct seen {
	struct chain_ref flushed[64];
	size_t n_flushed, n_added;
};

static int
flushes(void *arg, const struct chain_ref *ref)
{
	struct seen *s = arg;

	assert_in_range(s->n_flushed, 0, 63);
	s->flushed[s->n_flushed++] = *ref;
	return 0;
}

static int
adds(void *arg, const struct chain_ref *ref, const struct rule_ir *r)
{
	struct seen *s = arg;

	(void)ref;
	(void)r;
	s->n_added++;
	return 0;
}

static int
any_element(void *arg, const struct element *e)
{
	(void)arg;
	(void)e;
	return 0;
}

static int
any_set(void *arg, const struct set_ref *ref)
{
	(void)arg;
	(void)ref;
	return 0;
}

static int
any_chain(void *arg, const struct chain_ref *ref)
{
	(void)arg;
	(void)ref;
	return 0;
}

static const struct diff_sink sink = {
	.del_element = any_element, .add_element = any_element,
	.add_set = any_set, .del_set = any_set,
	.add_chain = any_chain, .del_chain = any_chain,
	.flush_chain = flushes, .flush_set = any_set, .add_rule = adds,
};

static struct policy *
small(enum class_mode mode, uint16_t log_group, uint32_t connections)
{
	struct policy *p = sample_new();
	struct class_decl *c = sample_class(p, "a");

	c->mode = mode;
	sample_rule(p, c, "192.0.2.0/24", BOX_PORTS, IPPROTO_TCP, 443, 443);
	p->appliance.log_group = log_group;
	p->appliance.connections = connections;
	sample_device(p, "one", "a", 1, "10.10.0.1", "lan0", NULL, 0);
	return p;
}

/* Who may come instead of where to go: the same boxes, the other way. */
static struct policy *
inbound(void)
{
	struct policy *p = small(MODE_ENFORCE, 4000, 512);
	struct class_decl *c = &p->classes[0];

	c->inbound = c->rules;
	c->n_inbound = c->n_rules;
	c->rules = NULL;
	c->n_rules = 0;
	return p;
}

static struct policy *
hasty(uint32_t rate)
{
	struct policy *p = small(MODE_ENFORCE, 4000, 512);

	p->classes[0].keys |= CLASS_RATE;
	p->classes[0].rate = p->classes[0].rate_burst = rate;
	return p;
}

static bool
flushed(struct policy *before, struct policy *after, enum chain_kind kind)
{
	struct loaded old, next;
	struct seen seen = { .n_flushed = 0 };
	struct ruleset a, b;
	bool found = false;

	load(before, NULL, &old);
	load(after, &old, &next);
	a = rules_of(&old);
	b = rules_of(&next);
	assert_int_equal(diff_rulesets(&a, &b, &sink, &seen), 0);
	for (size_t i = 0; i < seen.n_flushed; i++)
		found |= seen.flushed[i].kind == kind;
	assert_int_equal(seen.n_flushed > 0, seen.n_added > 0);
	free(old.bytes);
	free(next.bytes);
	return found;
}

/* A rule of the same kind with another value is another rule. */
static void
test_rules_with_other_values(void **state)
{
	(void)state;
	assert_false(flushed(small(MODE_ENFORCE, 4000, 512), small(MODE_ENFORCE, 4000, 512), CHAIN_CLASS));
	assert_true(flushed(small(MODE_AUDIT, 4000, 512), small(MODE_ENFORCE, 4000, 512), CHAIN_CLASS));
	assert_true(flushed(small(MODE_AUDIT, 4000, 512), small(MODE_ENFORCE, 4000, 512), CHAIN_CLASS_R));
	assert_false(flushed(hasty(5), hasty(5), CHAIN_CLASS_ADMIT));
	assert_true(flushed(hasty(5), hasty(6), CHAIN_CLASS_ADMIT));
	assert_true(flushed(small(MODE_ENFORCE, 4000, 512), inbound(), CHAIN_CLASS));
	assert_true(flushed(small(MODE_ENFORCE, 4000, 512), small(MODE_ENFORCE, 4100, 512), CHAIN_RECORD_PORT));
	assert_true(flushed(small(MODE_ENFORCE, 4000, 512), small(MODE_ENFORCE, 4000, 500), CHAIN_ADMIT));
	assert_false(flushed(small(MODE_ENFORCE, 4000, 512), small(MODE_ENFORCE, 4000, 500), CHAIN_FORWARD));
}

/* ---- quarantine under a new policy -------------------------------------- */

static struct policy *
remedied(uint16_t port, uint16_t class_port)
{
	struct policy *p = sample_new();

	sample_quarantine(p, "192.0.2.80", 443);
	sample_quarantine(p, "192.0.2.80", port);
	sample_rule(p, sample_class(p, "a"), "192.0.2.0/24", BOX_PORTS, IPPROTO_TCP, 100, class_port);
	sample_device(p, "one", "a", 1, "10.10.0.1", "lan0", NULL, 0);
	sample_device(p, "two", "a", 2, "10.10.0.2", "lan0", NULL, 0);
	return p;
}

static void
renewed(struct policy *before, struct policy *after, struct station want_one, struct station want_two)
{
	struct station out[DEVICES_MAX];
	bool wrapped[DEVICES_MAX];
	struct loaded old, next;
	uint32_t n;

	load(before, NULL, &old);
	load(after, &old, &next);
	old.stations[0].quarantined = 1;
	diff_stations(&old.image, old.stations, &next.image, out, wrapped, &n);
	assert_int_equal(out[0].generation, want_one.generation);
	assert_int_equal(out[0].quarantined, want_one.quarantined);
	assert_int_equal(out[1].generation, want_two.generation);
	assert_int_equal(out[1].quarantined, want_two.quarantined);
	free(old.bytes);
	free(next.bytes);
}

/* A new policy releases nobody, and a device in quarantine is judged again when
 * the remediation list is tightened, not when its class is. */
static void
test_quarantine_stays(void **state)
{
	const struct station same = { .generation = 1 }, anew = { .generation = 2 };
	const struct station held = { .generation = 1, .quarantined = 1 };
	const struct station held_anew = { .generation = 2, .quarantined = 1 };

	(void)state;
	renewed(remedied(80, 200), remedied(80, 200), held, same);
	renewed(remedied(80, 200), remedied(443, 200), held_anew, same);
	renewed(remedied(443, 200), remedied(80, 200), held, same);
	renewed(remedied(80, 200), remedied(80, 199), held, anew);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules_with_other_values),
		cmocka_unit_test(test_quarantine_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
