/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_rules_language.c -- who may come in, when, how fast, how it is refused, and
 * the identities beyond a MAC with addresses: policies as they are written, compiled
 * and sent packets. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "network.h"

enum { NIGHT_FROM = 1000, NIGHT_TO = 2000, NEXT_FROM = 3000, ROUTER = 0xfe };

/* PORT is a camera, GATE views cameras and is told when it is refused, LOOSE has a
 * rate, PROBE stands behind ROUTER and FREE_PORT behind any router, FREE has a
 * prefix that is also that of all others' addresses. */
static void
classes(struct policy *p)
{
	struct schedule_decl *s = sample_schedule(p, "night");
	struct class_decl *c;

	sample_window(s, NIGHT_FROM, NIGHT_TO);
	sample_window(s, NEXT_FROM, NEXT_FROM + 1000);
	sample_member(sample_group(p, "server"), "192.0.2.10");
	sample_member(&p->groups[0], "2001:db8::a");
	sample_member(sample_group(p, "other"), "192.0.2.11");
	sample_member(&p->groups[1], "2001:db8::b");
	c = sample_class(p, "base");
	sample_rule(p, c, "group:server", BOX_PORTS, IPPROTO_TCP, 443, 443);
	c = sample_class(p, "camera");
	sample_extends(c, "base");
	sample_when(sample_rule(p, c, "group:other", BOX_PORTS, IPPROTO_TCP, 443, 443), "night");
	sample_inbound(c, "group:server", BOX_PORTS, IPPROTO_TCP, 554, 554);
	sample_when(sample_inbound(c, "group:other", BOX_PORTS, IPPROTO_TCP, 554, 554), "night");
	sample_inbound(c, "class:viewer", BOX_PORTS, IPPROTO_TCP, 80, 80);
	sample_when(sample_inbound(c, "class:viewer", BOX_PORTS, IPPROTO_TCP, 81, 81), "night");
	sample_class(p, "viewer")->refuse = REFUSE_REJECT;
	c = sample_class(p, "fast");
	sample_extends(c, "base");
	c->rate = 5;
	c->rate_burst = 10;
}

static void
place(struct policy *p, const char *name, const char *class, int host, const char *port)
{
	char four[32], six[32];
	struct device_decl *d;

	snprintf(four, sizeof(four), "10.10.0.%d", host);
	snprintf(six, sizeof(six), "fd10::%x", (unsigned)host);
	d = sample_device(p, name, class, (uint8_t)host, four, port, NULL, 0);
	sample_address(d, six);
	if (host == PROBE)
		sample_behind(d, ROUTER);
	if (host == FREE_PORT)
		sample_behind(d, 0);
}

static int
prepare(void **state)
{
	struct policy *p = sample_new();
	size_t len;

	v6 = *state != NULL;
	memset(&connection, 0, sizeof(connection));
	classes(p);
	place(p, "port", "camera", PORT, "lan0");
	place(p, "loose", "fast", LOOSE, NULL);
	place(p, "gate", "viewer", GATE, "lan1");
	place(p, "probe", "base", PROBE, "lan0");
	sample_prefix(sample_device(p, "free", "base", FREE, NULL, NULL, NULL, 0), "fd10::");
	place(p, "free-port", "base", FREE_PORT, "lan1");
	image = sample_image(p, NULL, &bytes, &len);
	policy_free(p);
	for (uint32_t i = 0; i < DEVICES; i++)
		stations[i] = (struct station){ .number = image.devices[i].number, .generation = 1 };
	rules = ruleset_make(&image, stations, (struct features){ true, true });
	router_init(&router, &rules);
	return 0;
}

static struct packet
at(struct packet p, int64_t time_s)
{
	p.time_s = time_s;
	return p;
}

static struct packet
tcp(int from, int to, uint16_t port)
{
	return packet(from, to, IPPROTO_TCP, port);
}

static struct packet
tcp_answer(int from, int to, uint16_t port)
{
	return answer(from, to, IPPROTO_TCP, port);
}

static void
told(struct packet p)
{
	router_forget(&router);
	assert_int_equal(router_sends(&router, HOOK_FORWARD, p, &connection), VERDICT_REJECT);
	assert_int_equal(router.hits[SET_TOTAL], 1);
	assert_int_equal(router.logs[LOG_REFUSED], 1);
}

/* ---- who may come in ---------------------------------------------------- */

static void
test_comes_in(void **state)
{
	(void)state;
	passes(tcp(SERVER, PORT, 554));
	assert_int_equal(connection.mark, mark_of(PORT));
	passes(tcp_answer(PORT, SERVER, 554));
	passes(tcp(SERVER, PORT, 554));
	/* Who is quarantined then is reached no longer. */
	move(PORT, true);
	stopped(tcp(SERVER, PORT, 554));
	stopped(tcp_answer(PORT, SERVER, 554));
	move(PORT, false);
	anew();
	stopped(tcp(SERVER, PORT, 555));
	stopped(tcp(SERVER, PORT, 443));
	stopped(packet(SERVER, PORT, IPPROTO_UDP, 554));
	stopped(tcp(ANYTHING, PORT, 554));
	stopped(tcp(SERVER, LOOSE, 554));
	stopped(tcp(SERVER, GATE, 554));
	/* To come in is not to go out. */
	refused(tcp(PORT, SERVER, 554));
	assert_int_equal(connection.mark, 0);
}

static void
test_comes_in_at_night(void **state)
{
	(void)state;
	stopped(at(tcp(OTHER, PORT, 554), NIGHT_FROM - 1));
	passes(at(tcp(OTHER, PORT, 554), NIGHT_FROM));
	passes(at(tcp_answer(PORT, OTHER, 554), NIGHT_TO - 1));
	stopped(at(tcp(OTHER, PORT, 554), NIGHT_TO));
	stopped(at(tcp_answer(PORT, OTHER, 554), NIGHT_TO));
	/* The other always may. */
	anew();
	passes(at(tcp(SERVER, PORT, 554), NIGHT_TO));
}

/* From the devices of a class: what they may, though the rule is the camera's. */
static void
test_comes_from_class(void **state)
{
	(void)state;
	passes(tcp(GATE, PORT, 80));
	passes(tcp_answer(PORT, GATE, 80));
	passes(tcp(GATE, PORT, 80));
	anew();
	told(tcp(GATE, PORT, 82));
	told(tcp(GATE, LOOSE, 80));
	told(at(tcp(GATE, PORT, 81), NIGHT_TO));
	refused(tcp(PORT, GATE, 80));
	stopped(tcp(SERVER, PORT, 80));
	anew();
	passes(at(tcp(GATE, PORT, 81), NIGHT_FROM));
	passes(at(tcp_answer(PORT, GATE, 81), NIGHT_FROM));
	told(at(tcp(GATE, PORT, 81), NIGHT_TO));
	stopped(at(tcp_answer(PORT, GATE, 81), NIGHT_TO));
}

/* ---- when --------------------------------------------------------------- */

/* What a schedule lets in has no generation: each packet of it is judged. */
static void
test_schedule(void **state)
{
	(void)state;
	refused(at(tcp(PORT, OTHER, 443), NIGHT_FROM - 1));
	passes(at(tcp(PORT, OTHER, 443), NIGHT_FROM));
	assert_int_equal(connection.mark, mark_of(PORT) & MARK_NUMBER_MASK);
	passes(at(tcp_answer(OTHER, PORT, 443), NIGHT_TO - 1));
	passes(at(tcp(PORT, OTHER, 443), NIGHT_TO - 1));
	refused(at(tcp(PORT, OTHER, 443), NIGHT_TO));
	stopped(at(tcp_answer(OTHER, PORT, 443), NIGHT_TO));
	anew();
	refused(at(tcp(PORT, OTHER, 443), NEXT_FROM - 1));
	passes(at(tcp(PORT, OTHER, 443), NEXT_FROM));
	anew();
	refused(at(tcp(PORT, OTHER, 443), NEXT_FROM + 1000));
	/* What the class extends is allowed always. */
	passes(at(tcp(PORT, SERVER, 443), NIGHT_TO));
	assert_int_equal(connection.mark, mark_of(PORT));
}

/* ---- how it is refused, and how fast it may be -------------------------- */

static void
test_refuse(void **state)
{
	(void)state;
	told(tcp(GATE, SERVER, 22));
	told(packet(GATE, SERVER, IPPROTO_UDP, 22));
	/* What comes from outside is never told. */
	stopped(tcp(SERVER, GATE, 22));
	refused(tcp(PORT, SERVER, 22));
	/* In quarantine nobody is. */
	move(GATE, true);
	refused(tcp(GATE, SERVER, 22));
}

static void
test_rate(void **state)
{
	(void)state;
	passes(tcp(LOOSE, SERVER, 443));
	assert_int_equal(router_added(&router, SET_RATE), 1);
	router.says.over_rate = true;
	/* It holds for what is new, not for what stands. */
	passes(tcp(LOOSE, SERVER, 443));
	passes(tcp_answer(SERVER, LOOSE, 443));
	anew();
	stopped(tcp(LOOSE, SERVER, 443));
	assert_int_equal(router.logs[LOG_HASTY], 1);
	assert_int_equal(connection.mark, 0);
	refused(tcp(LOOSE, SERVER, 22));
	/* Of this class alone. */
	passes(tcp(PORT, SERVER, 443));
}

/* ---- identities --------------------------------------------------------- */

static void
test_prefix(void **state)
{
	struct packet p = tcp(FREE, SERVER, 443);

	(void)state;
	if (!v6) {
		strange(p);	/* it has declared no IPv4 address */
		return;
	}
	passes(p);
	passes(tcp_answer(SERVER, FREE, 443));
	anew();
	memset(p.src + 8, 0xab, 8);	/* any address of it, from anywhere */
	p.iif = "lan1";
	passes(p);
	anew();
	p.ether[5] = 99;
	strange(p);
	p.ether[5] = PORT;
	strange(p);
	p = tcp(FREE, SERVER, 443);
	p.src[7] = 1;			/* beyond the prefix */
	strange(p);
	p = tcp(FREE, SERVER, 443);
	set_address(p.src, PORT);	/* another's, inside the prefix */
	strange(p);
	/* Nobody can begin a connection to an address that is not declared. */
	stopped(tcp(SERVER, FREE, 443));
}

static void
test_behind_a_router(void **state)
{
	struct packet p = tcp(PROBE, SERVER, 443);

	(void)state;
	strange(p);			/* the MAC of its own does not count */
	p.ether[5] = ROUTER;
	passes(p);
	passes(tcp_answer(SERVER, PROBE, 443));
	passes(p);
	anew();
	p.iif = "lan1";
	strange(p);
	p.iif = "lan0";
	set_address(p.src, LOOSE);
	strange(p);
	set_address(p.src, FREE_PORT);
	strange(p);
	set_address(p.src, 9);		/* the router itself is nobody */
	strange(p);
}

static void
test_behind_any_router(void **state)
{
	struct packet p = tcp(FREE_PORT, SERVER, 443);

	(void)state;
	passes(p);
	p.ether[5] = 77;
	passes(p);
	passes(tcp_answer(SERVER, FREE_PORT, 443));
	anew();
	p.iif = "lan0";
	strange(p);
	p.iif = "lan1";
	set_address(p.src, GATE);
	strange(p);
}

/* ---- what nobody needs is not asked for ---------------------------------- */

static int
count_guards(void *arg, const struct rule_ir *r)
{
	for (const struct expr *e = r->exprs; e->kind != EXPR_END; e++)
		*(int *)arg += e->kind == EXPR_LOOKUP && e->negate && e->fields[0] == FIELD_OIFNAME;
	return 0;
}

/* How many rules of the fast path ask whether the packet goes to a device. */
static int
guards(enum class_mode mode, bool inbound)
{
	const struct features features = { .owner_persist = true, .connlimit = true };
	const struct chain_ref forward_chain = { .kind = CHAIN_FORWARD };
	struct policy *policy = sample_new();
	struct class_decl *c = sample_class(policy, "one");
	struct ruleset rs;
	struct image im;
	uint8_t *data;
	size_t length;
	int n = 0;

	c->mode = mode;
	sample_rule(policy, c, "192.0.2.1", BOX_PORTS, IPPROTO_TCP, 443, 443);
	if (inbound)
		sample_inbound(c, "192.0.2.1", BOX_PORTS, IPPROTO_TCP, 554, 554);
	sample_device(policy, "device", "one", 1, "10.10.0.1", NULL, NULL, 0);
	im = sample_image(policy, NULL, &data, &length);
	policy_free(policy);
	rs = ruleset_make(&im, NULL, features);
	assert_int_equal(ruleset_each_rule(&rs, &forward_chain, count_guards, &n), 0);
	free(data);
	return n;
}

/* Where somebody outside may begin a flow, its mark may be live between devices. */
static void
test_fast_path_is_guarded(void **state)
{
	(void)state;
	assert_int_equal(guards(MODE_ENFORCE, false), 0);
	assert_true(guards(MODE_ENFORCE, true) > 0);
	assert_true(guards(MODE_AUDIT, false) > 0);
}

#define BOTH_OF(test)						\
	{ #test "_ipv4", test, prepare, teardown, NULL },	\
	{ #test "_ipv6", test, prepare, teardown, &v6 }

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH_OF(test_comes_in),
		BOTH_OF(test_comes_in_at_night),
		BOTH_OF(test_comes_from_class),
		BOTH_OF(test_schedule),
		BOTH_OF(test_refuse),
		BOTH_OF(test_rate),
		BOTH_OF(test_prefix),
		BOTH_OF(test_behind_a_router),
		BOTH_OF(test_behind_any_router),
		cmocka_unit_test(test_fast_path_is_guarded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
