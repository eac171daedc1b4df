/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_clone.c -- a device that moves is no clone; two users in turns are. Also
 * the interfaces and bridge tables that say so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "flow/clones.h"
#include "flow/links.h"

enum { A = 3, B = 4, C = 5 };

static const struct siphash_key seed = { 1, 2 };
static int64_t lost_at[8];

static int64_t
lost(void *arg, uint32_t interface)
{
	(void)arg;
	return lost_at[interface];
}

static int
set_up(void **state)
{
	static struct clones c;

	memset(lost_at, 0, sizeof(lost_at));
	clones_init(&c, &seed, lost, NULL);
	*state = &c;
	return 0;
}

static int
tear_down(void **state)
{
	clones_done(*state);
	return 0;
}

static void
moving_is_no_clone(void **state)
{
	struct clone k;

	assert_false(clones_sighted(*state, 7, A, 1000, &k));
	assert_false(clones_sighted(*state, 7, A, 31000, &k));
	assert_false(clones_sighted(*state, 7, B, 40000, &k));
	assert_false(clones_sighted(*state, 7, B, 70000, &k));
	/* another device at the first place is nobody's clone */
	assert_false(clones_sighted(*state, 8, A, 71000, &k));
}

static void
two_places_in_turns(void **state)
{
	struct clones *c = *state;
	struct clone k;

	assert_false(clones_sighted(c, 7, A, 1000, &k));
	assert_false(clones_sighted(c, 7, B, 2000, &k));
	assert_true(clones_sighted(c, 7, A, 1000 + CLONES_SIGHTED_MS, &k));
	assert_int_equal(k.here, A);
	assert_int_equal(k.there, B);
	assert_int_equal(c->told, 1);
}

static void
too_late_to_be_at_once(void **state)
{
	struct clone k;

	assert_false(clones_sighted(*state, 7, A, 1000, &k));
	assert_false(clones_sighted(*state, 7, B, 2000, &k));
	assert_false(clones_sighted(*state, 7, A, 1001 + CLONES_SIGHTED_MS, &k));
}

static void
three_places_in_turns(void **state)
{
	struct clone k;

	assert_false(clones_sighted(*state, 7, A, 1000, &k));
	assert_false(clones_sighted(*state, 7, B, 2000, &k));
	assert_false(clones_sighted(*state, 7, C, 3000, &k));
	assert_true(clones_sighted(*state, 7, A, 4000, &k));
}

static void
unplugged_and_back_is_no_clone(void **state)
{
	struct clone k;

	assert_false(clones_sighted(*state, 7, A, 1000, &k));
	lost_at[A] = 1500;
	assert_false(clones_sighted(*state, 7, B, 2000, &k));
	lost_at[B] = 2500;
	assert_false(clones_sighted(*state, 7, A, 3000, &k));
	assert_false(clones_sighted(*state, 7, B, 3500, &k));
	assert_true(clones_sighted(*state, 7, A, 4000, &k));
}

static void
told_once_in_a_while(void **state)
{
	struct clones *c = *state;
	int64_t now = 1000;
	unsigned told = 0;
	struct clone k;

	/* in turns every second, for a little more than the quiet time */
	for (; now <= 1000 + 2000 + CLONES_QUIET_MS; now += 1000)
		told += clones_sighted(c, 7, now / 1000 % 2 ? A : B, now, &k);
	assert_int_equal(told, 2);
	assert_int_equal(c->told, 2);
}

static void
stranger_at_another_port(void **state)
{
	struct clone k;

	/* the device was seen at its own port just before */
	assert_false(clones_sighted(*state, 7, A, 1000, &k));
	assert_true(clones_wrong_port(*state, 7, B, 1000 + CLONES_WRONG_PORT_MS, &k));
	assert_int_equal(k.here, A);
	assert_int_equal(k.there, B);
	/* or just after */
	assert_false(clones_wrong_port(*state, 8, B, 1000, &k));
	assert_true(clones_sighted(*state, 8, A, 1000 + CLONES_WRONG_PORT_MS, &k));
}

static void
stranger_without_the_device(void **state)
{
	struct clone k;

	assert_false(clones_wrong_port(*state, 7, B, 1000, &k));
	assert_false(clones_wrong_port(*state, 7, B, 2000, &k));
	assert_false(clones_sighted(*state, 7, A, 2001 + CLONES_WRONG_PORT_MS, &k));
	/* plugged into the wrong port is no clone: its own link went down */
	assert_false(clones_sighted(*state, 8, A, 1000, &k));
	lost_at[A] = 2000;
	assert_false(clones_wrong_port(*state, 8, B, 3000, &k));
}

static void
bridge_ports_in_turns(void **state)
{
	struct clone k;

	assert_false(clones_learned(*state, 7, A, 1000, &k));
	assert_false(clones_learned(*state, 7, B, 2000, &k));
	assert_true(clones_learned(*state, 7, A, 1000 + CLONES_BRIDGE_MS, &k));
	assert_false(clones_learned(*state, 8, A, 1000, &k));
	assert_false(clones_learned(*state, 8, B, 2000, &k));
	assert_false(clones_learned(*state, 8, A, 1001 + CLONES_BRIDGE_MS, &k));
}

static void
memory_is_given_back(void **state)
{
	struct clones *c = *state;
	struct clone k;

	for (uint32_t i = 1; i <= 1000; i++)
		clones_sighted(c, i, A, 1000, &k);
	assert_int_equal(c->by_number.n, 1000);
	clones_tick(c, 1000 + CLONES_QUIET_MS);
	assert_int_equal(c->by_number.n, 1000);
	clones_tick(c, 1001 + CLONES_QUIET_MS);
	assert_int_equal(c->by_number.n, 0);
}

/* ---- links -------------------------------------------------------------- */

static size_t
link_message(void *out, uint16_t type, int index, const char *name, unsigned flags)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(out);
	struct ifinfomsg *info;

	h->nlmsg_type = type;
	info = mnl_nlmsg_put_extra_header(h, sizeof(*info));
	info->ifi_index = index;
	info->ifi_flags = flags;
	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	return h->nlmsg_len;
}

static void
links_by_name(void **state)
{
	_Alignas(8) uint8_t bytes[512];
	char name[IF_NAMESIZE];
	struct links l;
	size_t len;

	(void)state;
	links_init(&l, &seed);
	assert_string_equal(links_name(&l, 0, name), "");
	assert_string_equal(links_name(&l, 7, name), "if7");
	len = link_message(bytes, RTM_NEWLINK, 7, "lan0", 0x10000);
	links_parse(&l, bytes, len, 1000, NULL, NULL);
	assert_string_equal(links_name(&l, 7, name), "lan0");
	assert_int_equal(links_lost(&l, 7), 0);
	len = link_message(bytes, RTM_NEWLINK, 7, "lan0", 0);
	links_parse(&l, bytes, len, 2000, NULL, NULL);
	assert_int_equal(links_lost(&l, 7), 2000);
	links_parse(&l, bytes, len, 3000, NULL, NULL);
	assert_int_equal(links_lost(&l, 7), 2000);
	/* a late record still finds the name of one that is gone */
	len = link_message(bytes, RTM_NEWLINK, 7, "lan0", 0x10000);
	links_parse(&l, bytes, len, 4000, NULL, NULL);
	len = link_message(bytes, RTM_DELLINK, 7, "lan0", 0x10000);
	links_parse(&l, bytes, len, 5000, NULL, NULL);
	assert_string_equal(links_name(&l, 7, name), "lan0");
	assert_int_equal(links_lost(&l, 7), 5000);
	links_done(&l);
}

struct learned {
	unsigned n;
	uint32_t port;
};

static void
learn(void *arg, const struct mac *mac, uint32_t port)
{
	struct learned *l = arg;

	assert_memory_equal(mac->bytes, "\x02\x00\x00\x00\x00\x11", 6);
	l->n++;
	l->port = port;
}

static size_t
neighbour(void *out, uint8_t family, uint16_t state, uint8_t flags)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(out);
	struct ndmsg *n;

	h->nlmsg_type = RTM_NEWNEIGH;
	n = mnl_nlmsg_put_extra_header(h, sizeof(*n));
	n->ndm_family = family;
	n->ndm_ifindex = 9;
	n->ndm_state = state;
	n->ndm_flags = flags;
	mnl_attr_put(h, NDA_LLADDR, 6, "\x02\x00\x00\x00\x00\x11");
	return h->nlmsg_len;
}

static void
only_what_a_bridge_learned(void **state)
{
	static const struct {
		uint8_t family;
		uint16_t state;
		uint8_t flags;
		unsigned told;
	} cases[] = {
		{ AF_BRIDGE, NUD_REACHABLE, 0, 1 },
		{ AF_BRIDGE, NUD_PERMANENT, 0, 0 },
		{ AF_BRIDGE, NUD_NOARP, 0, 0 },
		{ AF_BRIDGE, NUD_REACHABLE, NTF_SELF, 0 },
		{ AF_INET, NUD_REACHABLE, 0, 0 },
	};
	_Alignas(8) uint8_t bytes[512];
	struct links l;

	(void)state;
	links_init(&l, &seed);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct learned got = { 0, 0 };
		size_t len = neighbour(bytes, cases[i].family, cases[i].state, cases[i].flags);

		links_parse(&l, bytes, len, 1000, learn, &got);
		assert_int_equal(got.n, cases[i].told);
		if (got.n > 0)
			assert_int_equal(got.port, 9);
	}
	links_done(&l);
}

static void
links_of_this_machine(void **state)
{
	char name[IF_NAMESIZE];
	struct links l;

	(void)state;
	links_init(&l, &seed);
	assert_int_equal(links_open(&l, 5000, 1000), 0);
	assert_string_equal(links_name(&l, 1, name), "lo");
	links_done(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(moving_is_no_clone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(two_places_in_turns, set_up, tear_down),
		cmocka_unit_test_setup_teardown(too_late_to_be_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(three_places_in_turns, set_up, tear_down),
		cmocka_unit_test_setup_teardown(unplugged_and_back_is_no_clone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(told_once_in_a_while, set_up, tear_down),
		cmocka_unit_test_setup_teardown(stranger_at_another_port, set_up, tear_down),
		cmocka_unit_test_setup_teardown(stranger_without_the_device, set_up, tear_down),
		cmocka_unit_test_setup_teardown(bridge_ports_in_turns, set_up, tear_down),
		cmocka_unit_test_setup_teardown(memory_is_given_back, set_up, tear_down),
		cmocka_unit_test(links_by_name),
		cmocka_unit_test(only_what_a_bridge_learned),
		cmocka_unit_test(links_of_this_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
