/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_staged.c -- a staged policy counts what it would change, and changes nothing.
 * What it would say is known otherwise too: by enforcing it. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "model/diff.h"
#include "model/evaluate.h"
#include "model/origin.h"
#include "model/print.h"
#include "sample.h"

#define DEVICES	7

struct side {
	struct policy *policy;
	uint8_t *bytes;
	struct image image;
	struct station stations[DEVICES + 1];
	struct ruleset rules;
	struct evaluator *evaluator;
};

struct world {
	struct side now, next;		/* next: the candidate, enforced, in a world of its own */
	struct ruleset both;
	struct evaluator *evaluator;
};

static const struct features features = { true, true };

static void
inbound(struct class_decl *c, const char *from, uint16_t port)
{
	struct rule *r;

	c->inbound = policy_grow(c->inbound, c->n_inbound, sizeof(*c->inbound));
	r = &c->inbound[c->n_inbound++];
	r->to = calloc(1, sizeof(*r->to));
	assert_int_equal(addr_range_parse(from, &r->to[0].range), 0);
	r->to[0].kind = TO_RANGE;
	r->n_to = 1;
	r->services = calloc(1, sizeof(*r->services));
	r->services[0] = (struct service){ .kind = BOX_PORTS, .protocol = IPPROTO_TCP, .low = port, .high = port };
	r->n_services = 1;
}

#define OPENS	INT64_C(1700000000)

/* Open for the first hour of the test's day. */
static void
schedule(struct policy *p)
{
	struct schedule_decl *s;

	p->schedules = policy_grow(p->schedules, p->n_schedules, sizeof(*p->schedules));
	s = &p->schedules[p->n_schedules++];
	s->name = strdup("updates");
	s->zone = strdup("UTC");
	s->days = 0x7f;
	s->to_s = 3600;
	s->windows = calloc(1, sizeof(*s->windows));
	s->windows[0] = (struct window){ OPENS, OPENS + 3600 };
	s->n_windows = 1;
}

static void
scheduled(struct policy *p, struct class_decl *c, uint16_t port)
{
	sample_rule(p, c, "192.0.2.30", BOX_PORTS, IPPROTO_TCP, port, port);
	c->rules[c->n_rules - 1].schedule = strdup("updates");
}

/* Restricted: in one class by the enforced policy, and in another by the staged one. */
static void
restricted(struct policy *p, bool next)
{
	sample_authority(p, "ca", "http://pki.example/ca.crl");
	p->authorities[0].when_stale = WHEN_STALE_RESTRICT;
	p->authorities[0].restrict_class = strdup(next ? "updates-only" : "gateway");
	sample_device(p, "seven", "sensor", 7, "10.10.0.7", NULL, "ca", 7);
}

static void
rules_of(struct policy *p, bool next)
{
	struct class_decl *c = sample_class(p, "sensor");

	sample_rule(p, c, "192.0.2.10", BOX_PORTS, IPPROTO_TCP, 443, 443);
	sample_rule(p, c, "2001:db8::10", BOX_PORTS, IPPROTO_TCP, 443, 443);
	sample_rule(p, c, "192.0.2.0/24", BOX_PORTS, IPPROTO_UDP, next ? 5001 : 5000, next ? 5002 : 5001);
	sample_rule(p, c, "192.0.2.11", BOX_ICMP, IPPROTO_ICMP, next ? 13 : 8, next ? 13 : 8);
	sample_rule(p, c, "2001:db8::11", BOX_ICMP, IPPROTO_ICMPV6, 128, 128);
	sample_rule(p, c, next ? "192.0.2.12" : "192.0.2.13", BOX_PROTOCOL, 47, 0, 0);
	sample_rule(p, c, next ? "192.0.2.14" : "2001:db8::14", BOX_ANY, 0, 0, 0);
	sample_rule(p, c, "class:gateway", BOX_PORTS, IPPROTO_TCP, 1883, next ? 1883 : 1884);
	schedule(p);
	scheduled(p, c, next ? 81 : 80);
	inbound(c, next ? "192.0.2.20" : "192.0.2.20-192.0.2.21", next ? 23 : 22);
	c = sample_class(p, "gateway");
	sample_rule(p, c, "192.0.2.10", BOX_PORTS, IPPROTO_TCP, 443, 443);
	if (!next)
		c->mode = MODE_AUDIT;
	c = sample_class(p, "camera");
	sample_rule(p, c, "192.0.2.10", BOX_PORTS, IPPROTO_TCP, 443, 443);
	if (next)
		c->mode = MODE_AUDIT;
	sample_quarantine(p, "192.0.2.80", 443);
	sample_device(p, "one", "sensor", 1, "10.10.0.1", "lan0", NULL, 0);
	sample_address(&p->devices[p->n_devices - 1], "fd10::1");
	sample_device(p, "two", next ? "camera" : "sensor", 2, "10.10.0.2", NULL, NULL, 0);
	sample_device(p, "three", "gateway", 3, "10.10.0.3", NULL, NULL, 0);
	sample_device(p, "four", next ? "gateway" : "camera", 4, "10.10.0.4", NULL, NULL, 0);
	if (!next)
		sample_device(p, "five", "sensor", 5, "10.10.0.5", NULL, NULL, 0);
	sample_device(p, "six", "sensor", 6, "10.10.0.6", NULL, NULL, 0);
	c = sample_class(p, "updates-only");
	sample_rule(p, c, "192.0.2.15", BOX_PORTS, IPPROTO_TCP, 443, 443);
	sample_rule(p, c, "class:sensor", BOX_PORTS, IPPROTO_UDP, 5000, 5000);
	restricted(p, next);
}

static void
side_make(struct side *s, bool next, const struct image *before)
{
	size_t len;

	s->policy = sample_new();
	rules_of(s->policy, next);
	s->image = sample_image(s->policy, before, &s->bytes, &len);
	for (uint32_t i = 0; i < s->image.n[IMAGE_DEVICES]; i++)
		s->stations[i] = (struct station){ .number = s->image.devices[i].number, .generation = 1,
			.quarantined = strcmp(image_text(&s->image, s->image.devices[i].name), "six") == 0,
			.limited = station_limit(&s->image, &s->image.devices[i]) };
	s->rules = ruleset_make(&s->image, s->stations, features);
	s->evaluator = evaluator_new(&s->rules);
	assert_non_null(s->evaluator);
}

static void
side_done(struct side *s)
{
	evaluator_free(s->evaluator);
	policy_free(s->policy);
	free(s->bytes);
}

static int
set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	side_make(&w->now, false, NULL);
	side_make(&w->next, true, &w->now.image);
	w->both = w->now.rules;
	w->both.candidate = &w->next.image;
	w->evaluator = evaluator_new(&w->both);
	*state = w;
	return 0;
}

static int
tear_down(void **state)
{
	struct world *w = *state;

	evaluator_free(w->evaluator);
	side_done(&w->next);
	side_done(&w->now);
	free(w);
	return 0;
}

/* ---- packets ------------------------------------------------------------ */

static void
address(struct packet *p, uint8_t *out, bool device, unsigned host)
{
	char text[64];

	if (p->family == AF_INET6)
		snprintf(text, sizeof(text), device ? "fd10::%x" : "2001:db8::%u", host);
	else
		snprintf(text, sizeof(text), device ? "10.10.0.%u" : "192.0.2.%u", host);
	assert_int_equal(inet_pton(p->family, text, out), 1);
}

/* Hosts below 10 are devices. */
static struct packet
packet(uint8_t family, unsigned from, unsigned to, uint8_t protocol, uint16_t port)
{
	struct packet p = { .hook = HOOK_FORWARD, .family = family, .protocol = protocol, .dport = port,
		.sport = 40000, .icmp_type = (uint8_t)port, .ether = { 2, 0, 0, 0, 0, (uint8_t)from },
		.iif = from < 10 ? "lan0" : "wan", .oif = to < 10 ? "lan1" : "wan", .iif_index = from < 10 ? 1 : 3,
		.oif_index = to < 10 ? 2 : 3, .ct_state = CTS_NEW, .hoplimit = 63, .time_s = OPENS - 3600 };

	address(&p, p.src, from < 10, from);
	address(&p, p.dst, to < 10, to);
	return p;
}

static struct verdict
said(struct evaluator *ev, const struct packet *p)
{
	struct verdict v;

	assert_int_equal(evaluate(ev, p, NULL, NULL, NULL, &v), 0);
	return v;
}

/* The whole truth about one packet: what is enforced stays as it was, and what
 * is counted is how the candidate would differ. */
static struct verdict
check(struct world *w, const struct packet *p)
{
	struct verdict alone = said(w->now.evaluator, p), both = said(w->evaluator, p);
	struct verdict next = said(w->next.evaluator, p);
	bool was = alone.kind == VERDICT_ACCEPT, would = next.kind == VERDICT_ACCEPT;

	assert_int_equal(both.kind, alone.kind);
	assert_int_equal(both.mark, alone.mark);
	assert_int_equal(both.ct_mark, alone.ct_mark);
	assert_int_equal(both.saved, alone.saved);
	assert_int_equal(both.logged, alone.logged);
	assert_int_equal(both.counted, alone.counted);
	assert_false(alone.newly_refused || alone.newly_allowed);
	assert_int_equal(both.newly_refused, was && !would);
	assert_int_equal(both.newly_allowed, !was && would);
	return both;
}

static void
test_every_packet(void **state)
{
	static const uint8_t protocols[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_ICMPV6, 47, 50 };
	static const uint16_t ports[] = { 8, 13, 22, 23, 128, 443, 1883, 1884, 5000, 5001, 5002 };
	unsigned refused = 0, allowed = 0, n = 0;

	for (unsigned from = 1; from <= 22; from++)
		for (unsigned to = 1; to <= 22; to++)
			for (size_t i = 0; i < sizeof(protocols); i++)
				for (size_t j = 0; j < sizeof(ports) / sizeof(ports[0]); j++) {
					struct packet p = packet(AF_INET, from, to, protocols[i], ports[j]);
					struct verdict v;

					/* a device that goes is another matter: see test_device_that_goes */
					if (from == to || to == 5)
						continue;
					v = check(*state, &p);
					refused += v.newly_refused;
					allowed += v.newly_allowed;
					n++;
				}
	assert_true(refused > 20 && allowed > 20 && refused + allowed < n / 2);
}

static void
test_ipv6(void **state)
{
	struct packet p = packet(AF_INET6, 1, 14, IPPROTO_UDP, 7);
	struct verdict v = check(*state, &p);

	assert_true(v.newly_refused);
	p = packet(AF_INET6, 1, 10, IPPROTO_TCP, 443);
	v = check(*state, &p);
	assert_false(v.newly_refused || v.newly_allowed);
	assert_int_equal(v.kind, VERDICT_ACCEPT);
	p = packet(AF_INET6, 1, 11, IPPROTO_ICMPV6, 128);
	check(*state, &p);
	p.icmp_type = 129;
	check(*state, &p);
}

static void
test_inbound(void **state)
{
	struct packet p = packet(AF_INET, 21, 1, IPPROTO_TCP, 22);

	assert_true(check(*state, &p).newly_refused);
	p = packet(AF_INET, 20, 1, IPPROTO_TCP, 23);
	assert_true(check(*state, &p).newly_allowed);
}

/* Once, however many packets a flow has before it is answered. */
static void
test_first_packet(void **state)
{
	struct world *w = *state;
	struct packet p = packet(AF_INET, 1, 10, IPPROTO_UDP, 5000);

	assert_true(said(w->evaluator, &p).newly_refused);
	p.confirmed = true;
	assert_false(said(w->evaluator, &p).newly_refused);
	p.ct_state = CTS_ESTABLISHED;
	assert_int_equal(said(w->evaluator, &p).kind, VERDICT_ACCEPT);
	assert_false(said(w->evaluator, &p).newly_refused);
}

static void
test_schedule(void **state)
{
	struct packet p = packet(AF_INET, 1, 30, IPPROTO_TCP, 81);

	p.time_s = OPENS + 60;
	assert_true(check(*state, &p).newly_allowed);
	p.dport = 80;
	assert_true(check(*state, &p).newly_refused);
	p.time_s = OPENS + 3600;
	assert_false(check(*state, &p).newly_refused);
	p.dport = 81;
	assert_false(check(*state, &p).newly_allowed);
}

static void
test_audit(void **state)
{
	struct packet p = packet(AF_INET, 3, 10, IPPROTO_TCP, 80);	/* audited, to be enforced */

	assert_true(check(*state, &p).newly_refused);
	p = packet(AF_INET, 4, 10, IPPROTO_TCP, 80);	/* of a class to be audited, into one that is enforced */
	assert_false(check(*state, &p).newly_allowed);
	p = packet(AF_INET, 2, 10, IPPROTO_TCP, 80);	/* the other way round */
	assert_true(check(*state, &p).newly_allowed);
}

static void
test_quarantine(void **state)
{
	struct packet p = packet(AF_INET, 6, 10, IPPROTO_UDP, 5002);
	struct world *w = *state;
	struct verdict v = said(w->evaluator, &p);

	assert_int_equal(v.kind, VERDICT_DROP);
	assert_false(v.newly_allowed);
	p = packet(AF_INET, 6, 80, IPPROTO_TCP, 443);
	v = said(w->evaluator, &p);
	assert_int_equal(v.kind, VERDICT_ACCEPT);
	assert_false(v.newly_refused);
}

static void
test_device_that_goes(void **state)
{
	struct packet p = packet(AF_INET, 5, 10, IPPROTO_TCP, 443);

	assert_true(check(*state, &p).newly_refused);
}

/* Only what is forwarded is asked about. */
static void
test_own_services(void **state)
{
	struct packet p = packet(AF_INET, 1, 10, IPPROTO_UDP, 5002);
	struct world *w = *state;

	p.hook = HOOK_INPUT;
	p.oif = "";
	p.oif_index = 0;
	assert_int_equal(said(w->evaluator, &p).kind, VERDICT_DROP);
	assert_false(said(w->evaluator, &p).newly_allowed);
}

/* ---- numbers ------------------------------------------------------------ */

static void
test_numbers(void **state)
{
	struct world *w = *state;
	struct side other = { .policy = NULL };

	assert_true(staged_numbers_agree(&w->now.image, &w->next.image));
	side_make(&other, true, NULL);	/* compiled for itself: "six" is number 5 */
	assert_false(staged_numbers_agree(&w->now.image, &other.image));
	side_done(&other);
}

/* One device beside "one". */
static struct image
with_device(const char *name, const struct image *before, uint8_t **bytes)
{
	struct policy *p = sample_new();
	struct image im;
	size_t len;

	sample_class(p, "sensor");
	sample_device(p, "one", "sensor", 1, "10.10.0.1", "lan0", NULL, 0);
	sample_device(p, name, "sensor", 2, "10.10.0.2", "lan0", NULL, 0);
	im = sample_image(p, before, bytes, &len);
	policy_free(p);
	return im;
}

/* The same name under two numbers, neither of which is used twice. */
static void
test_name_with_two_numbers(void **state)
{
	uint8_t *bytes[4];
	struct image first = with_device("two", NULL, &bytes[0]);
	struct image candidate = with_device("new", &first, &bytes[1]);
	struct image between = with_device("other", &first, &bytes[2]);
	struct image enforced = with_device("new", &between, &bytes[3]);

	(void)state;
	assert_true(staged_numbers_agree(&first, &candidate));
	assert_false(staged_numbers_agree(&enforced, &candidate));
	assert_false(staged_numbers_agree(&between, &candidate));
	for (size_t i = 0; i < 4; i++)
		free(bytes[i]);
}

/* ---- from one to the other ---------------------------------------------- */

struct told {
	unsigned sets, chains, rules, elements;
	unsigned gone_sets, gone_chains, flushed, gone_elements, forgotten;
	bool enforced;		/* something of the enforced policy was touched */
};

#define COUNTS(name, type, member) \
	static int name(void *arg, const struct type *x) \
	{ struct told *t = arg; t->member++; t->enforced |= !TOUCHES(x); return 0; }
#define TOUCHES(x) set_is_staged(&(x)->set)
COUNTS(add_element, element, elements)
COUNTS(del_element, element, gone_elements)
#undef TOUCHES
#define TOUCHES(x) set_is_staged(x)
COUNTS(add_set, set_ref, sets)
COUNTS(del_set, set_ref, gone_sets)
#undef TOUCHES
#define TOUCHES(x) chain_is_staged(x)
COUNTS(add_chain, chain_ref, chains)
COUNTS(del_chain, chain_ref, gone_chains)
#undef TOUCHES
#define TOUCHES(x) (chain_is_staged(x) || (x)->kind == CHAIN_REFUSED || (x)->kind == CHAIN_REJECTED)
COUNTS(flush_chain, chain_ref, flushed)
#undef TOUCHES

static int
flush_set(void *arg, const struct set_ref *s)
{
	struct told *t = arg;

	assert_true(set_info(s->kind)->dynamic);
	t->forgotten++;
	t->enforced |= !set_is_staged(s);
	return 0;
}

static int
add_rule(void *arg, const struct chain_ref *c, const struct rule_ir *r)
{
	struct told *t = arg;

	(void)c;
	(void)r;
	t->rules++;
	return 0;
}

static const struct diff_sink sink = { del_element, add_element, add_set, del_set, add_chain, del_chain,
	flush_chain, flush_set, add_rule };

static void
test_diff(void **state)
{
	struct world *w = *state;
	struct told in = { 0 }, out = { 0 }, same = { 0 }, other = { 0 };
	struct ruleset itself = w->now.rules;

	assert_int_equal(diff_rulesets(&w->now.rules, &w->both, &sink, &in), 0);
	assert_int_equal(diff_rulesets(&w->both, &w->now.rules, &sink, &out), 0);
	assert_int_equal(diff_rulesets(&w->both, &w->both, &sink, &same), 0);
	itself.candidate = &w->now.image;
	assert_int_equal(diff_rulesets(&w->both, &itself, &sink, &other), 0);
	assert_false(in.enforced || out.enforced || other.enforced);
	assert_int_equal(other.forgotten, 10);
	assert_int_equal(in.forgotten + out.forgotten, 0);
	assert_int_equal(other.flushed > 0, true);
	assert_true(in.sets > 0 && in.chains > 0 && in.rules > 0 && in.elements > 0);
	assert_int_equal(in.flushed, 2);
	assert_int_equal(in.gone_sets + in.gone_chains + in.gone_elements, 0);
	assert_int_equal(out.gone_sets, in.sets);
	assert_int_equal(out.gone_chains, in.chains);
	assert_int_equal(out.gone_elements, in.elements);
	assert_int_equal(out.sets + out.chains + out.elements, 0);
	assert_memory_equal(&same, &(struct told){ 0 }, sizeof(same));
}

/* A part of the staged policy comes from a line of its own configuration. */
static void
test_origin(void **state)
{
	struct world *w = *state;
	const struct ruleset candidate = ruleset_candidate(&w->both);
	const struct image_class *sensor = image_class_named(&w->next.image, "sensor");
	struct set_ref ref;
	struct origin o;
	char name[SET_NAMELEN];

	snprintf(name, sizeof(name), "staged_allow4_%u", sensor->number);
	assert_int_equal(origin_set(&w->both, name, &ref), 0);
	origin_of_set(&w->both, &ref, &o);
	assert_int_equal(o.kind, ORIGIN_NONE);
	assert_int_equal(origin_set(&candidate, name, &ref), 0);
	origin_of_set(&candidate, &ref, &o);
	assert_int_equal(o.kind, ORIGIN_CLASS);
	assert_string_equal(o.name, "sensor");
	assert_int_equal(o.where[0].line, sensor->where.line);
	assert_int_equal(origin_set(&candidate, "staged_windows_1", &ref), 0);
	origin_of_set(&w->both, &ref, &o);
	assert_int_equal(o.kind, ORIGIN_NONE);
	origin_of_set(&candidate, &ref, &o);
	assert_int_equal(o.kind, ORIGIN_SCHEDULE);
}

/* Nothing staged costs nothing: not one set, chain or rule speaks of it. */
static void
test_nothing_staged(void **state)
{
	struct world *w = *state;
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_int_equal(print_nft(&w->now.rules, f), 0);
	fclose(f);
	assert_null(strstr(text, "staged"));
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_every_packet, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_ipv6, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_inbound, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_first_packet, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_schedule, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_audit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_quarantine, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_device_that_goes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_own_services, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_numbers, set_up, tear_down),
		cmocka_unit_test(test_name_with_two_numbers),
		cmocka_unit_test_setup_teardown(test_diff, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_origin, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_nothing_staged, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
