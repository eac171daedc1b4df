/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_evaluate.c -- what becomes of a packet. Whether a kernel agrees is asked
 * by tests/differential; here are the parts that a kernel does not show. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "model/evaluate.h"
#include "sample.h"

static uint8_t *bytes;
static struct image im;
static struct station stations[8];
static struct ruleset rs;
static struct evaluator *ev;
static struct verdict v;

/* sensor-1: quarantine is tried on it. */
static struct station *
station_of(const char *name)
{
	return &stations[image_device_named(&im, name) - im.devices];
}

static int
setup(void **state)
{
	struct policy *p = sample_full();
	size_t len;

	(void)state;
	im = sample_image(p, NULL, &bytes, &len);
	policy_free(p);
	for (uint32_t i = 0; i < im.n[IMAGE_DEVICES]; i++)
		stations[i] = (struct station){ .number = im.devices[i].number, .generation = (uint8_t)(7 + i) };
	rs = ruleset_make(&im, stations, (struct features){ .connlimit = true });
	ev = evaluator_new(&rs);
	return ev == NULL;
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
address(const char *text, uint8_t out[16])
{
	memset(out, 0, 16);
	assert_int_equal(inet_pton(strchr(text, ':') != NULL ? AF_INET6 : AF_INET, text, out), 1);
}

/* The first packet of a TCP connection of a device by the number of its MAC. */
static struct packet
from(uint8_t mac, const char *src, const char *dst, uint16_t port)
{
	struct packet p = { .hook = HOOK_FORWARD, .family = strchr(dst, ':') != NULL ? AF_INET6 : AF_INET,
		.protocol = IPPROTO_TCP, .sport = 40000, .dport = port, .ether = { 2, 0, 0, 0, 0, mac },
		.iif = "lan0", .oif = "wan", .hoplimit = 64, .mark = 0xdeadbeef, .ct_state = CTS_NEW };

	address(src, p.src);
	address(dst, p.dst);
	return p;
}

static struct packet
from_sensor(const char *dst, uint16_t port)
{
	return from(1, strchr(dst, ':') != NULL ? "fd10::11" : "10.10.0.11", dst, port);
}

static void
becomes_with(struct packet p, const struct dynamic *d, enum verdict_kind kind)
{
	assert_int_equal(evaluate(ev, &p, d, NULL, NULL, &v), 0);
	assert_int_equal(v.kind, kind);
}

static void
becomes(struct packet p, enum verdict_kind kind)
{
	becomes_with(p, NULL, kind);
}

/* ---- sets --------------------------------------------------------------- */

static bool
is_known(const struct element *key)
{
	const struct element *found;

	assert_int_equal(evaluator_lookup(ev, key, &found), 0);
	return found != NULL;
}

/* Whatever fills the kernel's set is found here too, at both ends of a box. */
static int
look_up(void *arg, const struct element *e)
{
	const struct set_info *info = set_info(e->set.kind);
	struct element key = *e;
	const struct element *found;

	++*(unsigned *)arg;
	assert_int_equal(evaluator_lookup(ev, &key, &found), 0);
	if (info->edges) {
		assert_int_equal(found != NULL, !e->end);
		return 0;
	}
	assert_non_null(found);
	assert_true(element_equal(found, e));
	if (!info->interval)
		return 0;
	memcpy(key.key, e->key_end, e->key_len);
	assert_int_equal(evaluator_lookup(ev, &key, &found), 0);
	assert_non_null(found);
	assert_true(element_equal(found, e));
	return 0;
}

static void
test_every_element_is_found(void **state)
{
	unsigned n = 0;

	(void)state;
	station_of("sensor-1")->quarantined = 1;
	assert_int_equal(ruleset_each_element(&rs, look_up, &n), 0);
	assert_true(n > 40);
}

/* No kind of set is left out of the table of owners. */
static void
test_every_kind_has_an_owner(void **state)
{
	(void)state;
	for (uint16_t k = SET_NONE + 1; k < SET_KINDS; k++) {
		struct element key = { .set = { .kind = k, .number = 1, .other = 1 } };
		const struct element *found;

		assert_int_equal(evaluator_lookup(ev, &key, &found), set_info(k)->dynamic ? -EINVAL : 0);
	}
}

static struct element
mark_key(enum set_kind kind, uint32_t mark)
{
	struct element key = { .set = { .kind = (uint16_t)kind }, .key_len = 4 };

	memcpy(key.key, &mark, sizeof(mark));
	return key;
}

static void
test_what_is_kept_is_forgotten(void **state)
{
	struct station *s = station_of("sensor-1");
	struct element was = mark_key(SET_LIVE, station_mark(s)), is;

	(void)state;
	assert_true(is_known(&was));
	s->generation++;
	is = mark_key(SET_LIVE, station_mark(s));
	assert_true(is_known(&was));	/* until told */
	evaluator_forget(ev);
	assert_false(is_known(&was));
	assert_true(is_known(&is));
}

/* ---- verdicts ----------------------------------------------------------- */

static void
test_admitted(void **state)
{
	uint32_t mark = station_mark(station_of("sensor-1"));

	(void)state;
	becomes(from_sensor("192.0.2.1", 443), VERDICT_ACCEPT);
	assert_true(v.saved);
	assert_int_equal(v.ct_mark, mark);
	assert_int_equal(v.mark, mark);
	assert_int_equal(v.chain.kind, CHAIN_ADMIT);
	assert_false(v.by_policy);
	assert_int_equal(v.logged, 1U << LOG_SIGHTED);
	assert_int_equal(v.counted, 0);
	becomes(from_sensor("2001:db8::1", 443), VERDICT_ACCEPT);
}

static void
test_refused(void **state)
{
	struct packet p = from_sensor("192.0.2.1", 442);

	(void)state;
	becomes(p, VERDICT_DROP);
	assert_int_equal(v.chain.kind, CHAIN_REFUSED);
	assert_int_equal(v.logged, 1U << LOG_SIGHTED | 1U << LOG_REFUSED);
	assert_false(v.saved);
	becomes(from_sensor("192.0.2.7", 400), VERDICT_ACCEPT);	/* the ends of a range */
	becomes(from_sensor("192.0.2.7", 500), VERDICT_ACCEPT);
	becomes(from_sensor("192.0.2.7", 399), VERDICT_DROP);
	becomes(from_sensor("192.0.2.7", 501), VERDICT_DROP);
	becomes(from_sensor("192.0.3.0", 443), VERDICT_DROP);
	becomes(from_sensor("192.0.2.255", 443), VERDICT_ACCEPT);
}

static void
test_stranger(void **state)
{
	(void)state;
	becomes(from(1, "10.10.0.12", "192.0.2.1", 443), VERDICT_DROP);
	assert_int_equal(v.chain.kind, CHAIN_STRANGER);
	assert_int_equal(v.counted, 1U << COUNTER_STRANGERS);
	assert_int_equal(v.logged, 1U << LOG_REFUSED);
	assert_int_equal(v.mark, 0);
	becomes(from(99, "10.10.0.11", "192.0.2.1", 443), VERDICT_DROP);
	assert_int_equal(v.chain.kind, CHAIN_STRANGER);
}

static void
test_quarantine(void **state)
{
	(void)state;
	station_of("sensor-1")->quarantined = 1;
	becomes(from_sensor("192.0.2.1", 443), VERDICT_DROP);
	becomes(from_sensor("192.0.2.80", 443), VERDICT_ACCEPT);
	becomes(from(2, "10.10.0.12", "192.0.2.1", 443), VERDICT_ACCEPT);
}

static void
test_audit(void **state)
{
	struct packet p = from(4, "10.10.0.77", "192.0.2.1", 443);

	(void)state;
	p.protocol = IPPROTO_GRE;
	becomes(p, VERDICT_ACCEPT);
	assert_int_equal(v.logged, 1U << LOG_SIGHTED | 1U << LOG_REFUSED);
	assert_true(v.saved);
}

/* A packet of an admitted flow passes without being judged. */
static void
test_fast_path(void **state)
{
	struct packet p = from_sensor("203.0.113.1", 9);

	(void)state;
	p.ct_state = CTS_ESTABLISHED;
	p.ct_mark = station_mark(station_of("sensor-1"));
	becomes(p, VERDICT_ACCEPT);
	assert_int_equal(v.chain.kind, CHAIN_FORWARD);
	assert_false(v.saved);
	assert_int_equal(v.ct_mark, p.ct_mark);
	p.ether[5] = 2;		/* from another device: judged, and not its own */
	becomes(p, VERDICT_DROP);
	p.ether[5] = 1;
	p.ct_state = CTS_NEW;
	becomes(p, VERDICT_DROP);
	p.ct_state = CTS_ESTABLISHED;
	p.ct_mark--;		/* of an earlier generation */
	becomes(p, VERDICT_DROP);
}

/* Towards the device; and between two that are none of a device's. */
static void
test_other_directions(void **state)
{
	struct packet p = from_sensor("10.10.0.11", 443);

	(void)state;
	address("192.0.2.1", p.src);
	p.iif = "wan";
	p.oif = "lan0";
	becomes(p, VERDICT_DROP);
	assert_int_equal(v.chain.kind, CHAIN_REFUSED);
	p.ct_state = CTS_ESTABLISHED;
	p.reply = true;
	p.ct_mark = station_mark(station_of("sensor-1"));
	becomes(p, VERDICT_ACCEPT);
	p.oif = "wan2";
	p.ct_mark = 0;
	becomes(p, VERDICT_DROP);
	assert_int_equal(v.counted, 1U << COUNTER_TRANSIT);
}

/* To class gateway, which class sensor names: both ends are devices. */
static void
test_lateral(void **state)
{
	struct packet p = from_sensor("fd10::3", 1883);

	(void)state;
	p.oif = "lan1";
	becomes(p, VERDICT_ACCEPT);
	assert_int_equal(v.ct_mark, station_of("sensor-1")->number << 8);	/* without a generation */
	p.oif = "wan";		/* wherever the route leads */
	becomes(p, VERDICT_ACCEPT);
	station_of("alpha")->quarantined = 1;
	evaluator_forget(ev);
	becomes(p, VERDICT_DROP);
}

static void
test_conntrack_looks_away(void **state)
{
	struct packet p = from_sensor("192.0.2.1", 443);

	(void)state;
	p.ct_state = 0;
	becomes(p, VERDICT_DROP);
	assert_false(v.saved);
	p.ct_state = CTS_INVALID;
	becomes(p, VERDICT_DROP);
	assert_int_equal(v.chain.kind, CHAIN_INVALID);
	assert_int_equal(v.logged, 1U << LOG_INVALID);
	assert_int_equal(v.counted, 1U << COUNTER_INVALID);
}

/* ---- the appliance ------------------------------------------------------ */

static struct packet
to_appliance(uint8_t protocol, uint16_t port)
{
	struct packet p = from_sensor("10.10.0.254", port);

	p.hook = HOOK_INPUT;
	p.oif = "";
	p.protocol = protocol;
	p.icmp_type = (uint8_t)port;
	return p;
}

static void
test_input(void **state)
{
	struct packet p = to_appliance(IPPROTO_ICMP, 8);

	(void)state;
	becomes(p, VERDICT_ACCEPT);
	p.icmp_type = 13;
	becomes(p, VERDICT_DROP);
	p = to_appliance(IPPROTO_TCP, 22);
	becomes(p, VERDICT_DROP);
	p.iif = "wan";		/* none of ours */
	becomes(p, VERDICT_ACCEPT);
	assert_true(v.by_policy);
	p = to_appliance(IPPROTO_UDP, 67);	/* DHCP, before it has an address */
	p.sport = 68;
	address("0.0.0.0", p.src);
	address("255.255.255.255", p.dst);
	p.pkttype = 1;
	becomes(p, VERDICT_ACCEPT);
	p.sport = 69;
	becomes(p, VERDICT_DROP);
	assert_true(v.counted & 1U << COUNTER_DISCOVERY);
}

static void
test_output(void **state)
{
	struct packet p = from_sensor("10.10.0.11", 9);

	(void)state;
	p.hook = HOOK_OUTPUT;
	p.lack = LACK_ETHER;
	p.iif = "";
	p.oif = "lan0";
	becomes(p, VERDICT_DROP);
	p.oif = "wan";
	becomes(p, VERDICT_ACCEPT);
	assert_true(v.by_policy);
}

/* ---- what a packet does not have ---------------------------------------- */

static void
test_lacks(void **state)
{
	struct packet p = from_sensor("192.0.2.1", 443);

	(void)state;
	p.lack = LACK_TRANSPORT;
	becomes(p, VERDICT_DROP);
	p.lack = LACK_DPORT;
	becomes(p, VERDICT_DROP);
	p.lack = LACK_PROTOCOL;
	becomes(p, VERDICT_DROP);
	p.lack = LACK_ETHER;
	becomes(p, VERDICT_DROP);
	assert_int_equal(v.chain.kind, CHAIN_STRANGER);
	p.lack = 0;
	p.protocol = IPPROTO_GRE;	/* whatever stands where ports would be */
	becomes(p, VERDICT_DROP);
	p = from_sensor("198.51.100.1", 0);	/* anything may go there */
	p.lack = LACK_TRANSPORT;
	becomes(p, VERDICT_ACCEPT);
	p.protocol = IPPROTO_ICMPV6;	/* of the other family */
	p.icmp_type = 135;
	p.hoplimit = 255;
	p.hook = HOOK_INPUT;
	becomes(p, VERDICT_DROP);
}

/* ---- sets that packets fill --------------------------------------------- */

static void
test_dynamic(void **state)
{
	struct packet p = from_sensor("192.0.2.1", 443);

	(void)state;
	becomes_with(p, &(struct dynamic){ .crowded = true }, VERDICT_DROP);
	assert_int_equal(v.chain.kind, CHAIN_CROWDED);
	assert_true(v.logged & 1U << LOG_CROWDED);
	becomes_with(p, &(struct dynamic){ .known = true }, VERDICT_ACCEPT);
	assert_int_equal(v.logged, 0);
	p.dport = 1;
	becomes_with(p, &(struct dynamic){ .known = true, .sampled_out = true }, VERDICT_DROP);
	assert_int_equal(v.logged, 0);
	becomes_with(p, &(struct dynamic){ .over_budget = true }, VERDICT_DROP);
	assert_true(v.counted & 1U << COUNTER_OVER);
	becomes_with(p, &(struct dynamic){ .full = true }, VERDICT_DROP);
	assert_true(v.counted & 1U << COUNTER_OVER);
}

static struct dynamic
seen_before(void *arg, const struct element *key)
{
	unsigned *asked = arg;

	*asked |= (key->set.kind == SET_SEEN) | (key->set.kind == SET_REFUSED4) << 1;
	return (struct dynamic){ .known = key->set.kind == SET_SEEN, .sampled_out = true };
}

/* Who keeps what packets put in is asked for each key, not for all alike. */
static void
test_dynamic_by_key(void **state)
{
	unsigned asked = 0;

	(void)state;
	becomes_with(from_sensor("192.0.2.1", 1), &(struct dynamic){ .of = seen_before, .arg = &asked },
	    VERDICT_DROP);
	assert_int_equal(asked, 3);
	assert_int_equal(v.logged, 1U << LOG_REFUSED);
}

/* ---- the way ------------------------------------------------------------ */

struct way {
	uint16_t chains[16];
	unsigned n, sets, verdicts;
};

static void
take_step(void *arg, const struct trace_step *t)
{
	struct way *w = arg;

	if (t->kind == TRACE_CHAIN && w->n < 16)
		w->chains[w->n++] = t->chain.kind;
	if (t->kind == TRACE_SET) {
		assert_non_null(t->expr);
		assert_int_equal(t->passed, (t->found != NULL) != t->expr->negate);
		assert_true(t->rule > 0);
		w->sets++;
	}
	w->verdicts += t->kind == TRACE_VERDICT;
}

static void
test_trace(void **state)
{
	static const uint16_t chains[] = { CHAIN_FORWARD, CHAIN_FROM_DEVICE, CHAIN_JUDGE, CHAIN_WHO, CHAIN_CLASS,
		CHAIN_ADMIT };
	struct packet p = from_sensor("192.0.2.1", 443);
	struct way w = { .n = 0 };

	(void)state;
	assert_int_equal(evaluate(ev, &p, NULL, take_step, &w, &v), 0);
	assert_int_equal(w.n, sizeof(chains) / sizeof(chains[0]));
	assert_memory_equal(w.chains, chains, sizeof(chains));
	assert_int_equal(w.verdicts, 1);
	assert_true(w.sets > 3);
}

static void
test_no_such_hook(void **state)
{
	struct packet p = from_sensor("192.0.2.1", 443);

	(void)state;
	p.hook = HOOK_NONE;
	assert_int_equal(evaluate(ev, &p, NULL, NULL, NULL, &v), -EINVAL);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_every_element_is_found), T(test_every_kind_has_an_owner), T(test_what_is_kept_is_forgotten),
		T(test_admitted), T(test_refused), T(test_stranger), T(test_quarantine), T(test_audit),
		T(test_fast_path), T(test_other_directions), T(test_lateral), T(test_conntrack_looks_away),
		T(test_input), T(test_output), T(test_lacks), T(test_dynamic),
		T(test_dynamic_by_key), T(test_trace), T(test_no_such_hook),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
