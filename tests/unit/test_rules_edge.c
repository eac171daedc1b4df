/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_rules_edge.c -- the appliance's own traffic, evidence when its sets are full, and
 * what holds of every rule. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "network.h"

/* ---- the appliance itself ----------------------------------------------- */

static void
into(struct packet p, enum verdict_kind want)
{
	router_forget(&router);
	p.oif = "";
	assert_int_equal(router_sends(&router, HOOK_INPUT, p, &connection), want);
}

static void
out_of(struct packet p, enum verdict_kind want)
{
	router_forget(&router);
	p.iif = "";
	p.lack = LACK_ETHER;
	assert_int_equal(router_sends(&router, HOOK_OUTPUT, p, &connection), want);
}

static void
test_services(void **state)
{
	struct packet p;

	(void)state;
	into(packet(PORT, OTHER, IPPROTO_UDP, 123), VERDICT_ACCEPT);
	assert_int_equal(connection.mark, mark_of(PORT));
	into(packet(PORT, OTHER, IPPROTO_UDP, 123), VERDICT_ACCEPT);
	out_of(answer(OTHER, PORT, IPPROTO_UDP, 123), VERDICT_ACCEPT);
	p = packet(PORT, OTHER, IPPROTO_UDP, 123);
	p.ether[5] = 99;
	into(p, VERDICT_DROP);
	assert_int_equal(router.counters[COUNTER_STRANGERS], 1);
	p = packet(PORT, OTHER, IPPROTO_UDP, 123);
	p.iif = "lan1";
	into(p, VERDICT_DROP);
	anew();
	into(echo(PORT, OTHER, false), VERDICT_ACCEPT);
	anew();
	into(packet(PORT, OTHER, IPPROTO_TCP, 22), VERDICT_DROP);
	assert_int_equal(router_added(&router, of_family(SET_REFUSED4, SET_REFUSED6)), 1);
	into(packet(PORT, OTHER, IPPROTO_TCP, 123), VERDICT_DROP);
	into(packet(PROBE, OTHER, IPPROTO_TCP, 22), VERDICT_DROP);	/* audit is for what is forwarded */
	into(packet(SERVER, OTHER, IPPROTO_TCP, 22), VERDICT_ACCEPT);	/* no device's: not ours to judge */
	p = packet(PORT, OTHER, IPPROTO_UDP, 123);
	p.ct_state = CTS_INVALID;
	into(p, VERDICT_DROP);
	assert_int_equal(router.counters[COUNTER_INVALID], 1);
}

static void
test_services_in_quarantine(void **state)
{
	(void)state;
	into(packet(PORT, OTHER, IPPROTO_UDP, 123), VERDICT_ACCEPT);
	move(PORT, true);
	into(packet(PORT, OTHER, IPPROTO_UDP, 123), VERDICT_DROP);
	out_of(answer(OTHER, PORT, IPPROTO_UDP, 123), VERDICT_DROP);
	anew();
	into(packet(PORT, OTHER, IPPROTO_UDP, 123), VERDICT_DROP);
	assert_int_equal(router_added(&router, of_family(SET_REFUSED4, SET_REFUSED6)), 1);
	into(echo(PORT, OTHER, false), VERDICT_DROP);
}

/* Before it has an address, a known MAC may ask for one; nobody else may. */
static void
test_bootstrap(void **state)
{
	uint16_t client = v6 ? 546 : 68, server = v6 ? 547 : 67;
	struct packet p = packet(PORT, OTHER, IPPROTO_UDP, server);

	(void)state;
	set_address(p.src, 9);
	p.sport = client;
	p.pkttype = 1;
	into(p, VERDICT_ACCEPT);
	p.ether[5] = 99;
	into(p, VERDICT_DROP);
	p.ether[5] = PORT;
	p.sport = 40000;
	into(p, VERDICT_DROP);
	assert_int_equal(router.counters[COUNTER_DISCOVERY], 1);
	p = packet(OTHER, PORT, IPPROTO_UDP, client);
	p.sport = server;
	out_of(p, VERDICT_ACCEPT);
	p.sport = 123;
	anew();
	out_of(p, VERDICT_DROP);
}

/* Who asks and is nobody's is told of, and stays out; that is bounded. */
static void
test_asking_is_told_of(void **state)
{
	struct packet p = packet(PORT, OTHER, IPPROTO_UDP, v6 ? 547 : 67);

	(void)state;
	set_address(p.src, 9);
	p.sport = v6 ? 546 : 68;
	p.pkttype = 1;
	into(p, VERDICT_ACCEPT);
	assert_int_equal(router.logs[LOG_DISCOVERED], 0);
	p.sport = 40000;		/* known, and refused for another reason */
	into(p, VERDICT_DROP);
	assert_int_equal(router.logs[LOG_DISCOVERED], 0);
	p.ether[5] = 99;
	into(p, VERDICT_DROP);
	assert_int_equal(router.logs[LOG_DISCOVERED], 1);
	assert_int_equal(router_added(&router, SET_ASKING), 1);
	router.says.stranger_over_budget = true;
	p.oif = "";
	/* of this one it is known that it asks */
	assert_int_equal(router_sends(&router, HOOK_INPUT, p, &connection), VERDICT_DROP);
	assert_int_equal(router.logs[LOG_DISCOVERED], 2);
	p.ether[5] = 98;
	into(p, VERDICT_DROP);
	assert_int_equal(router.logs[LOG_DISCOVERED], 0);
	assert_int_equal(router_added(&router, SET_ASKING), 0);
	router.says.stranger_over_budget = false;
	p.dport = 53;
	into(p, VERDICT_DROP);
	assert_int_equal(router.logs[LOG_DISCOVERED], 0);
}

static int
count_bootstrap(void *arg, const struct element *e)
{
	unsigned *n = arg;

	*n += e->set.kind == SET_BOOTSTRAP;
	return 0;
}

/* A service that is not DHCP does not open it. */
static void
test_bootstrap_is_a_service(void **state)
{
	static const struct {
		uint8_t protocol;
		uint16_t low, high;
		unsigned want;
	} cases[] = { { IPPROTO_UDP, 67, 67, 1 }, { IPPROTO_UDP, 547, 547, 1 }, { IPPROTO_UDP, 66, 66, 0 },
		{ IPPROTO_UDP, 68, 546, 0 }, { IPPROTO_UDP, 548, 548, 0 }, { IPPROTO_TCP, 67, 547, 0 },
		{ IPPROTO_UDP, 60, 600, 2 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct policy *p = sample_new();
		struct ruleset rs;
		struct image im;
		uint8_t *b;
		unsigned n = 0;
		size_t len;

		sample_service(p, BOX_PORTS, cases[i].protocol, cases[i].low, cases[i].high);
		im = sample_image(p, NULL, &b, &len);
		policy_free(p);
		rs = ruleset_make(&im, NULL, (struct features){ true, true });
		elements_of_appliance(&rs, count_bootstrap, &n);
		assert_int_equal(n, cases[i].want);
		free(b);
	}
}

/* Neighbour discovery from the link itself, by its hop limit. */
static void
test_link(void **state)
{
	static const struct {
		uint8_t type, hoplimit;
		bool in, out;
	} cases[] = { { 133, 255, true, false }, { 134, 255, false, true }, { 135, 255, true, true },
		{ 136, 255, true, true }, { 135, 254, false, false }, { 143, 1, true, true },
		{ 143, 255, false, false }, { 130, 1, false, true }, { 137, 255, false, false } };

	(void)state;
	if (!v6)
		return;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct packet p = echo(PORT, OTHER, false);

		p.icmp_type = cases[i].type;
		p.hoplimit = cases[i].hoplimit;
		p.ct_state = CTS_INVALID;
		into(p, cases[i].in ? VERDICT_ACCEPT : VERDICT_DROP);
		p = echo(OTHER, PORT, false);
		p.icmp_type = cases[i].type;
		p.hoplimit = cases[i].hoplimit;
		p.ct_state = CTS_INVALID;
		out_of(p, cases[i].out ? VERDICT_ACCEPT : VERDICT_DROP);
	}
}

static void
test_output(void **state)
{
	(void)state;
	out_of(packet(OTHER, PORT, IPPROTO_TCP, 80), VERDICT_DROP);
	out_of(packet(OTHER, FREE, IPPROTO_TCP, 80), VERDICT_DROP);
	out_of(packet(OTHER, SERVER, IPPROTO_TCP, 80), VERDICT_ACCEPT);
	anew();
	connection = (struct connection){ 0, true };
	out_of(answer(OTHER, PORT, IPPROTO_UDP, 123), VERDICT_DROP);
	/* A service's answer after a change of the device: admitted again; others are not. */
	connection.mark = mark_of(PORT);
	move(PORT, false);
	out_of(answer(OTHER, PORT, IPPROTO_UDP, 123), VERDICT_ACCEPT);
	assert_int_equal(connection.mark, mark_of(PORT));
	connection.mark--;
	out_of(answer(OTHER, PORT, IPPROTO_UDP, 124), VERDICT_DROP);
	anew();
	out_of(packet(OTHER, PROBE, IPPROTO_TCP, 22), VERDICT_ACCEPT);
	into(answer(PROBE, OTHER, IPPROTO_TCP, 22), VERDICT_ACCEPT);
	connection.mark = 0;
	into(answer(PORT, OTHER, IPPROTO_TCP, 22), VERDICT_DROP);
	move(PROBE, true);
	connection.mark = 0;
	into(answer(PROBE, OTHER, IPPROTO_TCP, 22), VERDICT_DROP);
	anew();
	out_of(packet(OTHER, PROBE, IPPROTO_TCP, 22), VERDICT_DROP);
}

/* ---- evidence, and sets that are full ----------------------------------- */

static const struct {
	uint8_t protocol;
	enum set_kind refused[2], stranger[2];
} keys[] = {
	{ IPPROTO_TCP, { SET_REFUSED4, SET_REFUSED6 }, { SET_STRANGER4, SET_STRANGER6 } },
	{ IPPROTO_ESP, { SET_REFUSED4_PORTLESS, SET_REFUSED6_PORTLESS },
	  { SET_STRANGER4_PORTLESS, SET_STRANGER6_PORTLESS } },
};

static void
test_full(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct packet p = packet(PORT, OTHER, keys[i].protocol, 22);

		memset(router.full, 0, sizeof(router.full));
		router.full[keys[i].refused[v6]] = true;
		stopped(p);
		assert_int_equal(router.hits[SET_TOTAL], 1);
		assert_int_equal(router.hits[SET_OVER], 1);
		assert_int_equal(router.counters[COUNTER_OVER], 1);
		router.full[keys[i].stranger[v6]] = true;
		p.ether[5] = 99;
		stopped(p);
		assert_int_equal(router.counters[COUNTER_STRANGERS], 1);
		assert_int_equal(router.counters[COUNTER_STRANGERS_OVER], 1);
	}
	memset(router.full, true, sizeof(router.full));	/* everything that packets fill */
	stopped(packet(PORT, OTHER, IPPROTO_TCP, 22));
	stopped(packet(PORT, GATE, IPPROTO_TCP, 22));
	passes(packet(PORT, SERVER, IPPROTO_TCP, 443));
	anew();
	passes(packet(LOOSE, SERVER, IPPROTO_TCP, 443));
	connection.mark = 0;
	struct packet p = packet(PORT, SERVER, IPPROTO_TCP, 443);

	p.ct_state = CTS_INVALID;
	stopped(p);
}

/* The budget of one device comes before the set that all share. */
static void
test_budget(void **state)
{
	(void)state;
	router.says.over_budget = router.says.stranger_over_budget = true;
	for (size_t i = 0; i < 2; i++) {
		struct packet p = packet(PORT, OTHER, keys[i].protocol, 22);

		stopped(p);
		assert_int_equal(router_added(&router, keys[i].refused[v6]), 0);
		assert_int_equal(router.hits[SET_TOTAL], 1);
		assert_int_equal(router.hits[SET_OVER], 1);
		assert_int_equal(router.logs[LOG_REFUSED], 0);
		p.ether[5] = 99;
		stopped(p);
		assert_int_equal(router_added(&router, keys[i].stranger[v6]), 0);
		assert_int_equal(router.counters[COUNTER_STRANGERS_OVER], 1);
	}
}

/* What comes from outside does not use up the budget of the device it goes to. */
static void
test_budget_of_outside(void **state)
{
	(void)state;
	router.says.over_budget = true;
	stopped(packet(SERVER, PORT, IPPROTO_TCP, 22));
	assert_int_equal(router_added(&router, SET_BUDGET), 0);
	assert_int_equal(router_added(&router, of_family(SET_REFUSED4, SET_REFUSED6)), 1);
	router.says.over_budget = false;
	router.says.stranger_over_budget = true;
	stopped(packet(SERVER, PORT, IPPROTO_TCP, 23));
	assert_int_equal(router_added(&router, of_family(SET_REFUSED4, SET_REFUSED6)), 0);
	refused(packet(PORT, OTHER, IPPROTO_TCP, 22));
}

/* A known key is counted, and told of only now and then. */
static void
test_known_key(void **state)
{
	(void)state;
	router.says.sampled_out = true;
	for (size_t i = 0; i < 2; i++) {
		struct packet p = packet(PORT, OTHER, keys[i].protocol, 22);

		refused(p);
		assert_int_equal(router_sends(&router, HOOK_FORWARD, p, &connection), VERDICT_DROP);
		assert_int_equal(router.logs[LOG_REFUSED], 1);
		assert_int_equal(router.hits[SET_TOTAL], 2);
		assert_int_equal(router.hits[SET_OVER], 0);
		assert_int_equal(router_added(&router, keys[i].refused[v6]), 1);
		router.says.over_budget = true;		/* a known key needs no budget */
		assert_int_equal(router_sends(&router, HOOK_FORWARD, p, &connection), VERDICT_DROP);
		assert_int_equal(router.hits[SET_OVER], 0);
		router.says.over_budget = false;
		p.ether[5] = 99;
		strange(p);
		assert_int_equal(router_sends(&router, HOOK_FORWARD, p, &connection), VERDICT_DROP);
		assert_int_equal(router.logs[LOG_REFUSED], 1);
		assert_int_equal(router_added(&router, keys[i].stranger[v6]), 1);
	}
}

/* Bytes of a ping that look like a port make no keys of their own. */
static void
test_portless_keys(void **state)
{
	struct packet p = echo(PORT, OTHER, false);

	(void)state;
	refused(p);
	for (uint16_t i = 0; i < 4; i++) {
		p.sport = i;
		p.dport = (uint16_t)(i * 7);
		assert_int_equal(router_sends(&router, HOOK_FORWARD, p, &connection), VERDICT_DROP);
	}
	assert_int_equal(router_added(&router, of_family(SET_REFUSED4_PORTLESS, SET_REFUSED6_PORTLESS)), 1);
	assert_int_equal(router_added(&router, of_family(SET_REFUSED4, SET_REFUSED6)), 0);
	for (size_t i = 0; i < 5; i++) {
		static const uint8_t with_ports[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP, IPPROTO_DCCP,
			IPPROTO_UDPLITE };

		refused(packet(PORT, OTHER, with_ports[i], 22));
		assert_int_equal(router_added(&router, of_family(SET_REFUSED4, SET_REFUSED6)), 1);
	}
}

static void
test_connection_limit(void **state)
{
	struct packet p = packet(PORT, SERVER, IPPROTO_TCP, 443);

	(void)state;
	router.says.crowded = true;
	stopped(p);
	assert_int_equal(connection.mark, 0);
	assert_int_equal(router.hits[SET_TOTAL], 1);
	assert_int_equal(router.logs[LOG_CROWDED], 1);
	router.says.crowded = false;
	opened(PORT, 443);
	router.says.crowded = true;		/* what stands goes on */
	passes(p);
	move(PORT, false);
	router.says.crowded = true;
	passes(p);
	rules.features.connlimit = false;
	router_init(&router, &rules);
	router.says.crowded = true;
	anew();
	passes(p);
}

/* ---- the rules themselves ----------------------------------------------- */

struct structure {
	struct chain_ref chain;
	unsigned fields[FIELDS];
	unsigned last_kind;
	bool bad;
};

static int
look(void *arg, const struct rule_ir *r)
{
	struct structure *s = arg;
	bool adds = false;

	for (const struct expr *x = r->exprs; x->kind != EXPR_END; x++) {
		for (int i = 0; i < SET_FIELDS_MAX && x->fields[i] != FIELD_NONE; i++)
			s->fields[x->fields[i]]++;
		adds |= x->kind == EXPR_ADD;
		if (x->kind == EXPR_SAVE_MARK && s->chain.kind != CHAIN_ADMIT)
			s->bad = true;
		if (adds && (x->kind == EXPR_DROP || x->kind == EXPR_ACCEPT))
			s->bad = true;
		s->last_kind = x->kind;
	}
	if (r->exprs[1].kind != EXPR_END && s->last_kind == EXPR_DROP)
		s->last_kind = r->exprs[0].kind == EXPR_COUNTER ? EXPR_DROP : EXPR_END;
	return 0;
}

static int
look_at_chain(void *arg, const struct chain_ref *ref)
{
	static const enum chain_kind drop_last[] = { CHAIN_REFUSED, CHAIN_STRAY, CHAIN_INVALID, CHAIN_STRANGER,
		CHAIN_CROWDED, CHAIN_ADMIT };
	struct structure *s = arg;

	s->chain = *ref;
	s->last_kind = EXPR_END;
	ruleset_each_rule(&rules, ref, look, s);
	for (size_t i = 0; i < sizeof(drop_last) / sizeof(drop_last[0]); i++)
		s->bad |= ref->kind == drop_last[i] && s->last_kind != EXPR_DROP;
	if (s->bad)
		fail_msg("chain %u", ref->kind);
	return 0;
}

/* One place writes ct marks; drops stand alone and last; both families alike. */
static void
test_structure(void **state)
{
	struct structure s = { .bad = false };
	bool drop;

	(void)state;
	assert_int_equal(chain_hook(CHAIN_FORWARD, &drop), HOOK_FORWARD);
	assert_true(drop);
	assert_int_equal(chain_hook(CHAIN_INPUT, &drop), HOOK_INPUT);
	assert_int_equal(chain_hook(CHAIN_OUTPUT, &drop), HOOK_OUTPUT);
	assert_int_equal(chain_hook(CHAIN_JUDGE, &drop), HOOK_NONE);
	ruleset_each_chain(&rules, look_at_chain, &s);
	assert_int_equal(s.fields[FIELD_IP_SADDR], s.fields[FIELD_IP6_SADDR]);
	assert_int_equal(s.fields[FIELD_IP_DADDR], s.fields[FIELD_IP6_DADDR]);
	assert_int_not_equal(s.fields[FIELD_IP_SADDR], 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(test_services),
		BOTH(test_services_in_quarantine),
		BOTH(test_bootstrap),
		BOTH(test_asking_is_told_of),
		BOTH(test_bootstrap_is_a_service),
		BOTH(test_link),
		BOTH(test_output),
		BOTH(test_full),
		BOTH(test_budget),
		BOTH(test_budget_of_outside),
		BOTH(test_known_key),
		BOTH(test_portless_keys),
		BOTH(test_connection_limit),
		BOTH(test_structure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
