/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_rules.c -- the attacks of doc/ruleset.md on forwarding, sent through the rules.
 * Each runs for IPv4 and for IPv6: no rule exists for one family only. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "network.h"

/* ---- what a class allows ------------------------------------------------ */

static void
test_class(void **state)
{
	struct packet p;

	(void)state;
	opened(PORT, 443);
	opened(LOOSE, 450);
	anew();
	passes(packet(PORT, SERVER, IPPROTO_UDP, 5000));
	assert_int_equal(router.logs[LOG_SIGHTED], 1);
	anew();
	passes(packet(PORT, OTHER, IPPROTO_GRE, 0));
	anew();
	passes(packet(PORT, ANYTHING, IPPROTO_TCP, 1));
	anew();
	passes(packet(PORT, ANYTHING, 255, 0));
	anew();
	passes(echo(PORT, SERVER, false));
	passes(echo(SERVER, PORT, true));
	anew();
	refused(packet(PORT, SERVER, IPPROTO_TCP, 442));
	refused(packet(PORT, SERVER, IPPROTO_TCP, 451));
	refused(packet(PORT, SERVER, IPPROTO_UDP, 443));
	refused(packet(PORT, OTHER, IPPROTO_TCP, 443));
	refused(packet(PORT, OTHER, IPPROTO_ESP, 0));
	refused(packet(PORT, SERVER, IPPROTO_GRE, 443));
	p = echo(PORT, SERVER, false);
	p.icmp_type = 13;
	refused(p);
	refused(echo(PORT, OTHER, false));
	refused(packet(GATE, SERVER, IPPROTO_TCP, 443));
	assert_int_equal(connection.mark, 0);
}

static void
test_audit(void **state)
{
	(void)state;
	passes(packet(PROBE, OTHER, IPPROTO_TCP, 22));
	assert_int_equal(router.hits[SET_TOTAL], 1);
	assert_int_equal(router_added(&router, of_family(SET_REFUSED4, SET_REFUSED6)), 1);
	passes(answer(OTHER, PROBE, IPPROTO_TCP, 22));
	anew();
	passes(packet(SERVER, PROBE, IPPROTO_TCP, 22));
	assert_int_equal(router_added(&router, of_family(SET_REFUSED4, SET_REFUSED6)), 1);
	passes(answer(PROBE, SERVER, IPPROTO_TCP, 22));
}

/* ---- who it is ---------------------------------------------------------- */

static void
test_identity(void **state)
{
	struct packet p = packet(PORT, SERVER, IPPROTO_TCP, 443);

	(void)state;
	set_address(p.src, 9);			/* an address of nobody */
	strange(p);
	set_address(p.src, LOOSE);		/* of a sibling */
	strange(p);
	p = packet(PORT, SERVER, IPPROTO_TCP, 443);
	p.ether[5] = 99;				/* a MAC of nobody */
	strange(p);
	p = packet(PORT, SERVER, IPPROTO_TCP, 443);
	p.iif = "lan1";				/* MAC and address, at another port */
	strange(p);
	p = packet(LOOSE, SERVER, IPPROTO_TCP, 443);
	p.iif = "lan1";				/* not bound to a port */
	passes(p);
	p = packet(LOOSE, SERVER, IPPROTO_GRE, 0);
	p.ether[5] = 99;
	anew();
	strange(p);
	assert_int_equal(router_added(&router, of_family(SET_STRANGER4_PORTLESS, SET_STRANGER6_PORTLESS)), 1);
	assert_int_equal(connection.mark, 0);
}

/* Known by its MAC alone, it may use any address but another device's. */
static void
test_without_address(void **state)
{
	struct packet p;

	(void)state;
	opened(FREE, 443);
	opened(FREE_PORT, 443);
	anew();
	p = packet(FREE, SERVER, IPPROTO_TCP, 443);
	set_address(p.src, PORT);
	strange(p);
	p = packet(FREE_PORT, SERVER, IPPROTO_TCP, 443);
	set_address(p.src, LOOSE);
	strange(p);
	p = packet(FREE_PORT, SERVER, IPPROTO_TCP, 443);
	p.iif = "lan0";
	strange(p);
}

/* A packet on somebody else's open connection. */
static void
test_injection(void **state)
{
	static const int victims[] = { PORT, LOOSE };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct packet p = packet(victims[i], SERVER, IPPROTO_TCP, 443);

		opened(victims[i], 443);
		p.ether[5] = 99;
		strange(p);
		p.ether[5] = PROBE;
		strange(p);
		p = answer(PROBE, victims[i], IPPROTO_TCP, 443);	/* as if it were the server */
		set_address(p.src, SERVER);
		stopped(p);
		p = packet(victims[i], SERVER, IPPROTO_TCP, 443);
		passes(p);
		assert_int_equal(connection.mark, mark_of(victims[i]));
	}
	opened(PORT, 443);
	struct packet p = packet(PORT, SERVER, IPPROTO_TCP, 443);

	p.iif = "lan1";
	strange(p);
	opened(FREE_PORT, 443);
	p = packet(FREE_PORT, SERVER, IPPROTO_TCP, 443);
	p.iif = "lan0";
	strange(p);
}

/* The mark of one device in the connection, the MAC of another. */
static void
test_somebody_elses_mark(void **state)
{
	(void)state;
	anew();
	connection = (struct connection){ mark_of(LOOSE), true };
	refused(packet(PORT, SERVER, IPPROTO_TCP, 22));
	connection.mark = mark_of(PORT);
	refused(packet(LOOSE, SERVER, IPPROTO_TCP, 22));
	connection.mark = 0x77777701;		/* who else writes ct marks */
	refused(packet(LOOSE, SERVER, IPPROTO_TCP, 22));
	stray(answer(SERVER, LOOSE, IPPROTO_TCP, 22));
}

/* The fast path asks for no identity, so that most packets cost one look-up. */
static void
test_fast_path(void **state)
{
	struct packet p;

	(void)state;
	opened(PORT, 443);
	p = packet(PORT, SERVER, IPPROTO_TCP, 443);
	p.ct_state = CTS_RELATED;
	passes(p);
	passes(packet(PORT, SERVER, IPPROTO_TCP, 443));
	assert_int_equal(router.hits[SET_LIVE_PORT], 1);
	assert_int_equal(router.hits[of_family(SET_IDENTITY4_PORT, SET_IDENTITY6_PORT)], 0);
	/* A new connection never takes it, whatever its mark. */
	connection = (struct connection){ mark_of(PORT), false };
	refused(packet(PORT, SERVER, IPPROTO_TCP, 22));
	connection = (struct connection){ mark_of(LOOSE), false };
	refused(packet(LOOSE, SERVER, IPPROTO_TCP, 22));
	stopped(answer(SERVER, LOOSE, IPPROTO_TCP, 22));
}

/* ---- quarantine --------------------------------------------------------- */

static void
test_quarantine(void **state)
{
	static const int hosts[] = { PORT, LOOSE, FREE };
	struct packet p;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		int host = hosts[i];

		opened(host, 443);
		move(host, true);
		refused(packet(host, SERVER, IPPROTO_TCP, 443));
		stray(answer(SERVER, host, IPPROTO_TCP, 443));
		p = answer(SERVER, host, v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP, 0);
		p.ct_state = CTS_RELATED;
		stray(p);
		anew();
		refused(packet(host, SERVER, IPPROTO_TCP, 443));
		refused(packet(host, ANYTHING, IPPROTO_TCP, 443));
		refused(packet(host, REMEDY, IPPROTO_TCP, 80));
		passes(packet(host, REMEDY, IPPROTO_TCP, 443));
		assert_int_equal(connection.mark, mark_of(host));
		passes(answer(REMEDY, host, IPPROTO_TCP, 443));
		passes(packet(host, REMEDY, IPPROTO_TCP, 443));
		/* An answer that comes before the next packet of the device. */
		connection.mark = mark_of(host) - 1;
		passes(answer(REMEDY, host, IPPROTO_TCP, 443));
		assert_int_equal(connection.mark, mark_of(host));
	}
	opened(FREE_PORT, 443);		/* nobody else was touched */
}

/* Audited classes are cut like all others. */
static void
test_quarantine_of_audited(void **state)
{
	(void)state;
	passes(packet(PROBE, OTHER, IPPROTO_TCP, 22));
	move(PROBE, true);
	refused(packet(PROBE, OTHER, IPPROTO_TCP, 22));
	stray(answer(OTHER, PROBE, IPPROTO_TCP, 22));
	anew();
	stopped(packet(SERVER, PROBE, IPPROTO_TCP, 22));
	assert_int_equal(connection.mark, 0);
	connection = (struct connection){ 0, true };
	stray(answer(PROBE, SERVER, IPPROTO_TCP, 22));
}

static int
no_member(void *arg, const struct element *e)
{
	unsigned *n = arg;

	*n += e->set.kind == SET_MEMBERS4_CLASS || e->set.kind == SET_MEMBERS6_CLASS;
	return 0;
}

static void
test_quarantined_is_no_member(void **state)
{
	size_t i = index_of(GATE);
	unsigned n = 0;

	(void)state;
	elements_of_device(&rules, &image.devices[i], &stations[i], no_member, &n);
	assert_int_equal(n, 2);
	stations[i].quarantined = 1;
	n = 0;
	elements_of_device(&rules, &image.devices[i], &stations[i], no_member, &n);
	assert_int_equal(n, 0);
}

/* ---- a class that changes ----------------------------------------------- */

static void
test_tightened(void **state)
{
	struct connection kept, lost;
	uint8_t *old_bytes;
	struct image old;

	(void)state;
	opened(PORT, 443);
	kept = connection;
	opened(PORT, 450);
	lost = connection;
	old = image;
	old_bytes = bytes;
	bytes = NULL;
	load(445, &old);
	free(old_bytes);
	move(PORT, false);
	/* Still allowed: admitted again by either direction, under the new mark. */
	connection = kept;
	passes(answer(SERVER, PORT, IPPROTO_TCP, 443));
	assert_int_equal(connection.mark, mark_of(PORT));
	connection = kept;
	passes(packet(PORT, SERVER, IPPROTO_TCP, 443));
	assert_int_equal(connection.mark, mark_of(PORT));
	/* No longer allowed: neither direction, and a refused packet stamps nothing. */
	connection = lost;
	refused(packet(PORT, SERVER, IPPROTO_TCP, 450));
	assert_int_equal(connection.mark, lost.mark);
	stray(answer(SERVER, PORT, IPPROTO_TCP, 450));
	assert_int_equal(connection.mark, lost.mark);
}

/* Answers that come first after a change are judged by the mirrored class. */
static void
test_mirrored(void **state)
{
	static const struct {
		int server;
		uint8_t protocol;
	} cases[] = { { OTHER, IPPROTO_GRE }, { ANYTHING, IPPROTO_ESP }, { SERVER, IPPROTO_UDP } };
	struct packet p;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		anew();
		passes(packet(LOOSE, cases[i].server, cases[i].protocol, 5000));
		move(LOOSE, false);
		passes(answer(cases[i].server, LOOSE, cases[i].protocol, 5000));
		assert_int_equal(connection.mark, mark_of(LOOSE));
	}
	anew();
	passes(echo(LOOSE, SERVER, false));
	move(LOOSE, false);
	p = echo(SERVER, LOOSE, true);
	p.icmp_type = v6 ? 128 : 8;	/* a query is no answer */
	stray(p);
	passes(echo(SERVER, LOOSE, true));
}

/* ---- between devices ---------------------------------------------------- */

static struct packet
telemetry(int from)
{
	return packet(from, GATE, IPPROTO_TCP, 1883);
}

static struct packet
telemetry_answer(int to)
{
	return answer(GATE, to, IPPROTO_TCP, 1883);
}

static void
lateral_open(void)
{
	anew();
	passes(telemetry(PORT));
	passes(telemetry_answer(PORT));
	passes(telemetry(PORT));
}

static void
test_lateral(void **state)
{
	struct packet p;

	(void)state;
	lateral_open();
	assert_int_equal(connection.mark, mark_of(PORT) & MARK_NUMBER_MASK);
	anew();
	passes(echo(PORT, GATE, false));
	passes(echo(GATE, PORT, true));
	anew();
	refused(packet(PORT, GATE, IPPROTO_TCP, 1884));
	refused(packet(PORT, LOOSE, IPPROTO_TCP, 1883));
	refused(packet(GATE, PORT, IPPROTO_TCP, 1883));
	p = telemetry(PORT);
	p.oif = "wan";			/* wherever the route leads */
	passes(p);
	assert_int_equal(connection.mark, mark_of(PORT) & MARK_NUMBER_MASK);
	anew();
	p = packet(PORT, LOOSE, IPPROTO_TCP, 443);
	p.oif = "wan";
	refused(p);
	p = packet(PORT, SERVER, IPPROTO_TCP, 443);
	p.oif = "lan1";			/* towards devices, but no device's address */
	refused(p);
	p.ether[5] = 99;
	strange(p);
	p = telemetry(PORT);
	p.ether[5] = 99;
	strange(p);
}

static void
test_lateral_answers(void **state)
{
	struct packet p;

	(void)state;
	lateral_open();
	p = telemetry_answer(PORT);
	p.ether[5] = 99;			/* not the gateway */
	stray(p);
	p = answer(GATE, PORT, IPPROTO_TCP, 22);
	stray(p);			/* the class does not reach that port */
	connection.mark = 0;
	stray(telemetry_answer(PORT));
}

static void
test_lateral_quarantine(void **state)
{
	(void)state;
	lateral_open();
	move(GATE, true);		/* the responder */
	refused(telemetry(PORT));
	stray(telemetry_answer(PORT));
	anew();
	refused(telemetry(PORT));
	assert_int_equal(router.mark, mark_of(PORT));
	move(GATE, false);
	lateral_open();
	move(PORT, true);		/* who began */
	refused(telemetry(PORT));
	stray(telemetry_answer(PORT));
	anew();
	refused(telemetry(PORT));
}

/* An audited class lets everything through, but not to or from quarantine. */
static void
test_lateral_quarantine_of_audited(void **state)
{
	static const int in_quarantine[] = { GATE, PROBE };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		anew();
		passes(packet(PROBE, GATE, IPPROTO_TCP, 22));
		passes(answer(GATE, PROBE, IPPROTO_TCP, 22));
		move(in_quarantine[i], true);
		refused(packet(PROBE, GATE, IPPROTO_TCP, 22));
		stray(answer(GATE, PROBE, IPPROTO_TCP, 22));
		anew();
		refused(packet(PROBE, GATE, IPPROTO_TCP, 22));
		move(in_quarantine[i], false);
	}
}

/* Towards a device, nobody beyond the router answers under a device's address:
 * the connection would get a live mark. */
static void
test_lateral_answer_from_outside(void **state)
{
	struct packet p;

	(void)state;
	lateral_open();
	p = telemetry_answer(PORT);
	p.iif = "wan";
	stopped(p);
	assert_int_equal(connection.mark, mark_of(PORT) & MARK_NUMBER_MASK);
}

/* ---- towards devices, and past them ------------------------------------- */

static void
test_inbound(void **state)
{
	(void)state;
	stopped(packet(SERVER, PORT, IPPROTO_TCP, 80));
	assert_int_equal(connection.mark, 0);
	stopped(answer(SERVER, PORT, IPPROTO_TCP, 443));
	connection = (struct connection){ 0, true };
	stray(answer(SERVER, PORT, IPPROTO_TCP, 443));
	stray(answer(PORT, SERVER, IPPROTO_TCP, 443));
	anew();
	stopped(packet(SERVER, OTHER, IPPROTO_TCP, 80));
	assert_int_equal(router.counters[COUNTER_TRANSIT], 1);
	connection = (struct connection){ 0, true };
	stopped(packet(SERVER, OTHER, IPPROTO_TCP, 80));
}

static void
test_invalid(void **state)
{
	struct packet p = packet(PORT, SERVER, IPPROTO_TCP, 443);

	(void)state;
	p.ct_state = CTS_INVALID;
	stopped(p);
	assert_int_equal(router.counters[COUNTER_INVALID], 1);
	assert_int_equal(router.logs[LOG_INVALID], 1);
	assert_int_equal(router.mark, mark_of(PORT));
	p = packet(SERVER, PORT, IPPROTO_TCP, 443);
	p.ct_state = CTS_INVALID;
	stopped(p);
	assert_int_equal(router.counters[COUNTER_INVALID], 1);
	p = telemetry(PORT);
	p.ct_state = CTS_INVALID;
	stopped(p);
	assert_int_equal(router.counters[COUNTER_INVALID], 1);
	p = packet(PROBE, SERVER, IPPROTO_TCP, 443);	/* audited: still dropped */
	p.ct_state = CTS_INVALID;
	stopped(p);
}

/* Nobody follows such a connection, so nobody could cut it. */
static void
test_untracked(void **state)
{
	static const int hosts[] = { PORT, LOOSE, PROBE, FREE };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct packet p = packet(hosts[i], SERVER, IPPROTO_TCP, 443);

		p.ct_state = 0;
		stopped(p);
		p = answer(SERVER, hosts[i], IPPROTO_TCP, 443);
		p.ct_state = 0;
		stopped(p);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(test_class),
		BOTH(test_audit),
		BOTH(test_identity),
		BOTH(test_without_address),
		BOTH(test_injection),
		BOTH(test_somebody_elses_mark),
		BOTH(test_fast_path),
		BOTH(test_quarantine),
		BOTH(test_quarantine_of_audited),
		BOTH(test_quarantined_is_no_member),
		BOTH(test_tightened),
		BOTH(test_mirrored),
		BOTH(test_lateral),
		BOTH(test_lateral_answers),
		BOTH(test_lateral_quarantine),
		BOTH(test_lateral_quarantine_of_audited),
		BOTH(test_lateral_answer_from_outside),
		BOTH(test_untracked),
		BOTH(test_inbound),
		BOTH(test_invalid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
