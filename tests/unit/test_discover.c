/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_discover.c -- the list of unknown devices: sources joined, the known left
 * out, makers found, inventories that let nobody in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "common/addr.h"
#include "ctl/fragment.h"
#include "ctl/neighbours.h"
#include "ctl/unknown.h"
#include "model/policy.h"
#include "sample.h"

#define T 1795346459000

struct world {
	struct policy *policy;
	uint8_t *bytes;
	struct image im;
	struct unknown_list l;
	char *out;
};

static int
set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	size_t len;

	w->policy = sample_full();	/* sensor-1 is 02:00:00:00:00:01 with 10.10.0.11 on lan0 */
	w->im = sample_image(w->policy, NULL, &w->bytes, &len);
	*state = w;
	return 0;
}

static int
tear_down(void **state)
{
	struct world *w = *state;

	unknown_done(&w->l);
	policy_free(w->policy);
	free(w->bytes);
	free(w->out);
	free(w);
	return 0;
}

static struct mac
mac_of(const char *text)
{
	struct mac mac;

	assert_int_equal(mac_parse(text, &mac), 0);
	return mac;
}

static struct sighting
sighting_of(const char *mac, const char *interface, int64_t first, int64_t last, const char *address)
{
	struct sighting s;

	memset(&s, 0, sizeof(s));
	s.mac = mac_of(mac);
	snprintf(s.interface, sizeof(s.interface), "%s", interface);
	s.first_ms = first;
	s.last_ms = last;
	if (address != NULL)
		assert_int_equal(addr_parse(address, &s.addresses[s.n_addresses++]), 0);
	return s;
}

static void
add(struct world *w, const char *mac, const char *interface, int64_t first, int64_t last, const char *address,
    const char *name)
{
	struct sighting s = sighting_of(mac, interface, first, last, address);

	snprintf(s.dhcp_name, sizeof(s.dhcp_name), "%s", name);
	assert_int_equal(unknown_add(&w->l, &s, false), 0);
}

static void
add_neighbour(struct world *w, const char *mac, const char *interface, int64_t last, const char *address)
{
	struct sighting s = sighting_of(mac, interface, 0, last, address);

	assert_int_equal(unknown_add(&w->l, &s, true), 0);
}

static const char *
as_csv(struct world *w)
{
	size_t len;
	FILE *f;

	free(w->out);
	f = open_memstream(&w->out, &len);
	assert_int_equal(fragment_csv(&w->l, &w->im, f), 0);
	fclose(f);
	return w->out;
}

static const char *
as_config(struct world *w)
{
	size_t len;
	FILE *f;

	free(w->out);
	f = open_memstream(&w->out, &len);
	assert_int_equal(fragment_config(&w->l, &w->im, T, f), 0);
	fclose(f);
	return w->out;
}

static void
has(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" is not in:\n%s", part, text);
}

/* ---- joining ------------------------------------------------------------ */

static void
the_known_are_left_out(void **state)
{
	struct world *w = *state;

	add(w, "02:00:00:00:00:01", "lan0", T, T, "10.10.0.11", "");	/* sensor-1 */
	add(w, "02:00:00:00:00:01", "lan1", T, T, "10.10.0.99", "");	/* at another place and address */
	add_neighbour(w, "02:00:00:00:00:01", "lan0", T, "10.10.0.11");
	add(w, "02:00:00:00:00:77", "lan0", T, T, "10.10.0.77", "");
	add(w, "02:00:00:00:00:78", "wan0", T, T, "10.10.0.78", "");	/* no device interface */
	unknown_settle(&w->l, &w->im, 0);
	assert_int_equal(w->l.n, 1);
	assert_int_equal(w->l.list[0].s.mac.bytes[5], 0x77);
}

static void
sources_are_joined(void **state)
{
	struct world *w = *state;

	add_neighbour(w, "02:00:00:00:00:77", "lan0", T + 5, "fe80::77");
	add_neighbour(w, "02:00:00:00:00:77", "lan0", T + 3, "10.10.0.77");
	add(w, "02:00:00:00:00:77", "lan0", T, T + 1, "10.10.0.77", "cam");
	add_neighbour(w, "02:00:00:00:00:77", "lan1", T + 9, "10.10.1.77");
	unknown_settle(&w->l, &w->im, 0);
	assert_int_equal(w->l.n, 2);
	assert_int_equal(w->l.list[0].s.first_ms, T);
	assert_int_equal(w->l.list[0].s.last_ms, T + 5);
	assert_int_equal(w->l.list[0].s.n_addresses, 2);
	assert_string_equal(w->l.list[0].s.dhcp_name, "cam");
	assert_true(w->l.list[0].neighbour);
	assert_string_equal(w->l.list[1].s.interface, "lan1");
	assert_int_equal(w->l.list[1].s.first_ms, 0);
}

static void
since(void **state)
{
	struct world *w = *state;

	add(w, "02:00:00:00:00:77", "lan0", T, T + 10, NULL, "");
	add(w, "02:00:00:00:00:78", "lan0", T, T + 9, NULL, "");
	add(w, "02:00:00:00:00:79", "lan0", T, T, NULL, "");
	add_neighbour(w, "02:00:00:00:00:79", "lan0", T + 11, "10.10.0.79");	/* joined before it is judged */
	unknown_settle(&w->l, &w->im, T + 10);
	assert_int_equal(w->l.n, 2);
	assert_int_equal(w->l.list[0].s.mac.bytes[5], 0x77);
	assert_int_equal(w->l.list[1].s.mac.bytes[5], 0x79);
	assert_int_equal(w->l.list[1].s.first_ms, T);
}

static void
as_many_addresses_as_fit(void **state)
{
	struct world *w = *state;
	char text[32];

	for (unsigned i = 1; i <= LIMIT_SIGHTING_ADDRESSES; i++) {
		snprintf(text, sizeof(text), "10.10.0.%u", 100 + i);
		add_neighbour(w, "02:00:00:00:00:77", "lan0", T, text);
	}
	unknown_settle(&w->l, &w->im, 0);
	assert_int_equal(w->l.list[0].s.n_addresses, LIMIT_SIGHTING_ADDRESSES);
	assert_false(w->l.list[0].s.more_addresses);
	add_neighbour(w, "02:00:00:00:00:77", "lan0", T, "10.10.0.200");
	unknown_settle(&w->l, &w->im, 0);
	assert_int_equal(w->l.n, 1);
	assert_int_equal(w->l.list[0].s.n_addresses, LIMIT_SIGHTING_ADDRESSES);
	assert_true(w->l.list[0].s.more_addresses);
}

/* ---- makers ------------------------------------------------------------- */

static void
read_list(struct makers *m, const char *text)
{
	FILE *f = fmemopen((void *)(uintptr_t)text, strlen(text), "r");

	assert_non_null(f);
	makers_read(m, f);
	fclose(f);
}

static void
makers(void **state)
{
	struct mac a = mac_of("00:22:72:00:00:01"), b = mac_of("ac:de:48:00:00:01"), c = mac_of("b8:27:eb:00:00:01"),
	    virtual = mac_of("02:22:72:00:00:01"), absent = mac_of("00:00:01:00:00:01");
	struct makers m = { .n = 0 };

	(void)state;
	assert_int_equal(makers_want(&m, &c), 0);
	assert_int_equal(makers_want(&m, &a), 0);
	assert_int_equal(makers_want(&m, &b), 0);
	assert_int_equal(makers_want(&m, &a), 0);
	assert_int_equal(makers_want(&m, &virtual), 0);
	assert_int_equal(makers_want(&m, &absent), 0);
	assert_int_equal(m.n, 4);
	read_list(&m, "OUI/MA-L\t\tOrganization\n\n00-22-72   (hex)\t\tExample Devices Corp.\r\n"
	    "002272     (base 16)\t\tExample Devices Corp.\r\n\t\t\t\tSome Road 1\r\nAC-DE-48\n");
	read_list(&m, "Registry,Assignment,Organization Name,Organization Address\n"
	    "MA-L,ACDE48,\"Second, \x1b[31mInc.\",\"Road, 2\"\nMA-L,B827EB,Third,Road 3\nMA-M,000001,Not this,x\nMA-L,0000");
	assert_string_equal(makers_name(&m, &a), "Example Devices Corp.");
	assert_string_equal(makers_name(&m, &b), "Second, ?[31mInc.");
	assert_string_equal(makers_name(&m, &c), "Third");
	assert_null(makers_name(&m, &absent));
	assert_null(makers_name(&m, &virtual));
	assert_true(mac_is_local(&virtual));
	assert_false(mac_is_local(&a));
	makers_look_up(&m, "/nonexistent");
	makers_done(&m);
}

/* ---- neighbours --------------------------------------------------------- */

static struct neighbour got[4];
static unsigned n_got;

static void
take(void *arg, const struct neighbour *n)
{
	(void)arg;
	got[n_got++] = *n;
}

static size_t
neighbour_message(uint8_t *out, uint8_t family, uint16_t state, size_t mac_len)
{
	struct nda_cacheinfo info = { .ndm_confirmed = 5000, .ndm_updated = 300 };
	struct nlmsghdr *h = mnl_nlmsg_put_header(out);
	struct ndmsg *nd;

	h->nlmsg_type = RTM_NEWNEIGH;
	nd = mnl_nlmsg_put_extra_header(h, sizeof(*nd));
	nd->ndm_family = family;
	nd->ndm_ifindex = 7;
	nd->ndm_state = state;
	mnl_attr_put(h, NDA_DST, family == AF_INET ? 4 : 16, "\x0a\x0a\x00\x4d\0\0\0\0\0\0\0\0\0\0\0\0");
	mnl_attr_put(h, NDA_LLADDR, mac_len, "\x02\x00\x00\x00\x00\x77\x00\x00");
	mnl_attr_put(h, NDA_CACHEINFO, sizeof(info), &info);
	return h->nlmsg_len;
}

static void
neighbours(void **state)
{
	_Alignas(struct nlmsghdr) uint8_t bytes[1024];
	struct nlmsghdr *h;
	size_t len;

	(void)state;
	n_got = 0;
	len = neighbour_message(bytes, AF_INET, NUD_STALE, 6);
	len += neighbour_message(bytes + len, AF_INET, NUD_FAILED, 6);
	len += neighbour_message(bytes + len, AF_INET, NUD_PERMANENT, 6);
	len += neighbour_message(bytes + len, AF_BRIDGE, NUD_REACHABLE, 6);
	len += neighbour_message(bytes + len, AF_INET6, NUD_REACHABLE, 8);	/* no Ethernet address */
	assert_int_equal(neighbours_parse(bytes, len, take, NULL), 0);
	assert_int_equal(n_got, 1);
	assert_int_equal(got[0].interface, 7);
	assert_int_equal(got[0].mac.bytes[5], 0x77);
	assert_int_equal(got[0].address.family, AF_INET);
	assert_int_equal(got[0].age_ms, 3000);	/* ticks are hundredths */
	assert_int_equal(neighbours_parse(bytes, 20, take, NULL), 0);	/* cut */
	h = mnl_nlmsg_put_header(bytes);
	h->nlmsg_type = NLMSG_DONE;
	assert_int_equal(neighbours_parse(bytes, h->nlmsg_len, take, NULL), 1);
	h->nlmsg_type = NLMSG_ERROR;
	assert_int_equal(neighbours_parse(bytes, h->nlmsg_len, take, NULL), -EBADMSG);
	assert_int_equal(n_got, 1);
}

/* ---- inventories -------------------------------------------------------- */

static void
name_becomes(const char *said, const char *expected)
{
	char name[LIMIT_NAME];

	fragment_name(said, name);
	assert_string_equal(name, expected);
	assert_true(name[0] == '\0' || name_is_valid(name));
}

static void
names(void **state)
{
	char said[200], name[LIMIT_NAME];

	(void)state;
	name_becomes("kitchen-cam", "kitchen-cam");
	name_becomes("Bob's iPhone", "Bob-s-iPhone");
	name_becomes("../../etc/passwd", "etc-passwd");
	name_becomes("\"; class = \"admin", "class-admin");
	name_becomes("$(reboot)", "reboot");
	name_becomes("-rf", "rf");
	name_becomes("=1+1", "1-1");
	name_becomes("cam.home.", "cam.home");
	name_becomes("???", "");
	name_becomes("caf\xc3\xa9", "caf");
	memset(said, 'a', sizeof(said) - 1);
	said[sizeof(said) - 1] = '\0';
	fragment_name(said, name);
	assert_true(name_is_valid(name));
}

static void
nobody_has_a_class(void **state)
{
	struct world *w = *state;

	add(w, "00:22:72:00:00:77", "lan0", T, T, "10.10.0.77", "kitchen");
	add(w, "02:00:00:00:00:78", "lan1", T, T, NULL, "\"; } ); x = (\n#");
	unknown_settle(&w->l, &w->im, 0);
	assert_string_equal(as_csv(w), "name,class,mac,address,interface\n"
	    "kitchen,?,00:22:72:00:00:77,10.10.0.77,\"lan0\"\n"
	    "x,?,02:00:00:00:00:78,,\"lan1\"\n");
	has(as_config(w), "  { name = \"kitchen\"; class = \"?\"; mac = \"00:22:72:00:00:77\";\n"
	    "    address = [ \"10.10.0.77\" ];\n    interface = \"lan0\"; },\n");
	has(w->out, "{ name = \"x\"; class = \"?\";");
	has(w->out, "  # maker unknown; calls itself \"kitchen\"\n");
	has(w->out, "  # random or virtual MAC; calls itself \"\"; } ); x = (\\x0a#\"\n");	/* one line of comment */
	assert_false(name_is_valid("?"));
}

static void
names_are_told_apart(void **state)
{
	struct world *w = *state;

	add(w, "02:00:00:00:01:77", "lan0", T, T, NULL, "sensor-1");	/* as a device of the policy is called */
	add(w, "02:00:00:00:01:78", "lan0", T, T, NULL, "cam");
	add(w, "02:00:00:00:01:79", "lan0", T, T, NULL, "cam");
	add(w, "02:00:00:00:01:7a", "lan0", T, T, NULL, "cam-000179");
	add(w, "02:00:00:00:01:7b", "lan0", T, T, NULL, "");
	add(w, "06:00:00:00:01:79", "lan0", T, T, NULL, "cam");
	unknown_settle(&w->l, &w->im, 0);
	assert_string_equal(as_csv(w), "name,class,mac,address,interface\n"
	    "sensor-1-000177,?,02:00:00:00:01:77,,\"lan0\"\n"
	    "cam,?,02:00:00:00:01:78,,\"lan0\"\n"
	    "cam-000179,?,02:00:00:00:01:79,,\"lan0\"\n"
	    "cam-000179-00017a,?,02:00:00:00:01:7a,,\"lan0\"\n"
	    "new-02-00-00-00-01-7b,?,02:00:00:00:01:7b,,\"lan0\"\n"
	    "new-06-00-00-00-01-79,?,06:00:00:00:01:79,,\"lan0\"\n");
}

/* What another has, what another stranger uses, what is no device's address. */
static void
addresses_are_its_own(void **state)
{
	struct world *w = *state;
	struct sighting s = sighting_of("02:00:00:00:00:77", "lan0", T, T, "10.10.0.11");	/* sensor-1's */

	assert_int_equal(addr_parse("10.10.0.80", &s.addresses[s.n_addresses++]), 0);
	assert_int_equal(addr_parse("fe80::77", &s.addresses[s.n_addresses++]), 0);
	assert_int_equal(addr_parse("169.254.1.1", &s.addresses[s.n_addresses++]), 0);
	assert_int_equal(addr_parse("127.0.0.1", &s.addresses[s.n_addresses++]), 0);
	assert_int_equal(addr_parse("10.10.0.77", &s.addresses[s.n_addresses++]), 0);
	assert_int_equal(addr_parse("fd10::77", &s.addresses[s.n_addresses++]), 0);
	assert_int_equal(unknown_add(&w->l, &s, false), 0);
	add(w, "02:00:00:00:00:78", "lan0", T, T, "10.10.0.80", "");
	s = sighting_of("02:00:00:00:00:79", "lan0", T, T, "10.10.0.79");
	s.more_addresses = 1;
	assert_int_equal(unknown_add(&w->l, &s, false), 0);
	add(w, "02:00:00:00:00:7a", "lan0", T, T, "10.10.0.122", "");
	add(w, "02:00:00:00:00:7a", "lan1", T, T + 1, "10.10.0.122", "");	/* twice the same one */
	unknown_settle(&w->l, &w->im, 0);
	assert_string_equal(as_csv(w), "name,class,mac,address,interface\n"
	    "new-02-00-00-00-00-77,?,02:00:00:00:00:77,10.10.0.77;fd10::77,\"lan0\"\n"
	    "new-02-00-00-00-00-78,?,02:00:00:00:00:78,,\"lan0\"\n"
	    "new-02-00-00-00-00-79,?,02:00:00:00:00:79,,\"lan0\"\n"
	    "new-02-00-00-00-00-7a,?,02:00:00:00:00:7a,10.10.0.122,\n");
	has(as_config(w), "many addresses: a router?");
	has(w->out, "on several interfaces");
}

static void
nobody_there(void **state)
{
	struct world *w = *state;

	unknown_settle(&w->l, &w->im, 0);
	assert_string_equal(as_csv(w), "name,class,mac,address,interface\n");
	has(as_config(w), "devices = (\n);\n");
}

int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	static const struct CMUnitTest tests[] = {
		TEST(the_known_are_left_out),
		TEST(sources_are_joined),
		TEST(since),
		TEST(as_many_addresses_as_fit),
		cmocka_unit_test(makers),
		cmocka_unit_test(neighbours),
		cmocka_unit_test(names),
		TEST(nobody_has_a_class),
		TEST(names_are_told_apart),
		TEST(addresses_are_its_own),
		TEST(nobody_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
