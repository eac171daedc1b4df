/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_compile_identity.c -- devices with a MAC of their own, with a prefix, and
 * behind routers: whose is what, and what may be said of whom. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/limits.h"
#include "sample.h"

static struct mistakes m;
static struct policy *p;
static uint8_t *bytes;
static struct image im;

static int
setup(void **state)
{
	(void)state;
	mistakes_init(&m);
	bytes = NULL;
	p = sample_new();
	sample_class(p, "c");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	mistakes_done(&m);
	policy_free(p);
	free(bytes);
	return 0;
}

static void
compiled(void)
{
	size_t len;

	free(bytes);
	bytes = NULL;
	im = sample_image(p, NULL, &bytes, &len);
}

static void
mistaken(const struct where *w, const char *text)
{
	char want[512];
	size_t len;

	mistakes_done(&m);
	free(bytes);
	bytes = NULL;
	snprintf(want, sizeof(want), "sample.conf:%u: %s", w->line, text);
	assert_int_equal(compile_policy(p, NULL, &m, &bytes, &len), -EINVAL);
	assert_string_equal(m.lines[0], want);
	assert_int_equal(m.n, 1);
}

static bool
advised(const char *text)
{
	size_t len, i;

	mistakes_done(&m);
	free(bytes);
	assert_int_equal(compile_policy(p, NULL, &m, &bytes, &len), 0);
	for (i = 0; i < m.n_warnings; i++)
		if (strcmp(m.warnings[i], text) == 0)
			return true;
	return false;
}

static struct device_decl *
own(const char *name, uint8_t mac, const char *address)
{
	return sample_device(p, name, "c", mac, address, "lan0", NULL, 0);
}

static struct device_decl *
behind(const char *name, uint8_t via, const char *address)
{
	struct device_decl *d = sample_device(p, name, "c", 0, address, "lan1", NULL, 0);

	sample_behind(d, via);
	return d;
}

static void
test_kinds(void **state)
{
	static const uint8_t zero[6], router[6] = { 2, 0, 0, 0, 0, 0xfe };
	struct addr a;

	(void)state;
	own("own", 1, "10.0.0.1");
	behind("via-1", 0xfe, "10.0.0.2");
	behind("via-2", 0xfe, "10.0.0.3");
	behind("routed", 0, "10.0.0.4");
	compiled();
	assert_int_equal(image_device_named(&im, "own")->identity, IDENTITY_OWN);
	assert_int_equal(image_device_named(&im, "via-1")->identity, IDENTITY_VIA);
	assert_memory_equal(image_device_named(&im, "via-2")->mac, router, 6);
	assert_int_equal(image_device_named(&im, "routed")->identity, IDENTITY_ROUTED);
	assert_memory_equal(image_device_named(&im, "routed")->mac, zero, 6);
	assert_int_equal(im.n[IMAGE_BY_MAC], 1);
	assert_int_equal(im.n[IMAGE_BY_ADDRESS], 4);
	assert_null(image_device_with_mac(&im, router));
	assert_null(image_device_with_mac(&im, zero));
	assert_int_equal(addr_parse("10.0.0.3", &a), 0);
	assert_ptr_equal(image_device_with_address(&im, a.family, a.bytes), image_device_named(&im, "via-2"));
}

/* A prefix is nobody's address, and that of many devices. */
static void
test_prefixes(void **state)
{
	const struct image_device *d;
	struct addr a;

	(void)state;
	sample_prefix(own("a", 1, "10.0.0.1"), "2001:db8:1::");
	sample_prefix(own("b", 2, "2001:db8:1::5"), "2001:db8:1::");
	compiled();
	d = image_device_named(&im, "a");
	assert_int_equal(im.addresses[d->addresses.first + 1].prefix, 64);
	assert_int_equal(im.n[IMAGE_ADDRESSES], 4);
	assert_int_equal(im.n[IMAGE_BY_ADDRESS], 2);
	assert_int_equal(addr_parse("2001:db8:1::", &a), 0);
	assert_null(image_device_with_address(&im, a.family, a.bytes));
	/* The whole address of the same bytes is another thing, and may be declared. */
	sample_address(&p->devices[0], "2001:db8:1::");
	compiled();
	assert_ptr_equal(image_device_with_address(&im, a.family, a.bytes), image_device_named(&im, "a"));
	sample_prefix(&p->devices[0], "2001:db8:2::");
	sample_prefix(&p->devices[0], "2001:db8:1::");
	mistaken(&p->devices[0].where, "device \"a\" has the prefix 2001:db8:1::/64 twice: once is enough");
}

static void
test_link_local(void **state)
{
	(void)state;
	sample_prefix(own("a", 1, NULL), "fe80::");
	mistaken(&p->devices[0].where, "device \"a\" has the prefix fe80::/64: link-local addresses are its own beside "
	    "any prefix, leave them out");
}

static void
test_router_is_a_device(void **state)
{
	char want[256];

	(void)state;
	own("gateway", 0xfe, NULL);
	behind("sensor", 0xfe, "10.0.0.2");
	snprintf(want, sizeof(want), "device \"sensor\" stands behind 02:00:00:00:00:fe, which is the MAC of device "
	    "\"gateway\" (sample.conf:%u): a router that devices stand behind is no device itself",
	    p->devices[0].where.line);
	mistaken(&p->devices[1].where, want);
}

static void
test_addresses_are_unique(void **state)
{
	char want[256];

	(void)state;
	own("a", 1, "10.0.0.2");
	behind("b", 0xfe, "10.0.0.2");
	snprintf(want, sizeof(want), "device \"b\" has the address 10.0.0.2 of device \"a\" (sample.conf:%u): an "
	    "address belongs to one device", p->devices[0].where.line);
	mistaken(&p->devices[1].where, want);
}

static void
test_behind_needs(void **state)
{
	static const char text[] = "device \"b\" has no MAC of its own and cannot be told from others: name its "
	    "`address' and `interface'";
	struct device_decl *d;
	size_t len;

	(void)state;
	d = behind("b", 0xfe, NULL);
	mistaken(&d->where, text);
	sample_address(d, "10.0.0.1");
	compiled();
	free(d->interface);
	d->interface = NULL;
	mistaken(&d->where, text);
	d->has_via = false;
	memset(&d->mac, 0, sizeof(d->mac));
	mistaken(&d->where, text);
	d->interface = strdup("lan1");
	sample_prefix(d, "2001:db8::");
	mistaken(&d->where, "device \"b\" has a prefix and no MAC of its own: in a prefix only the MAC tells devices "
	    "apart, name single addresses");
	/* A MAC that could not be read is no reason to ask for an address. */
	mistakes_done(&m);
	mistakes_add(&m, "sample.conf", d->where.line, "a MAC has six pairs of digits");
	assert_int_equal(compile_policy(p, NULL, &m, &bytes, &len), -EINVAL);
	assert_int_equal(m.n, 1);
}

static void
test_advice(void **state)
{
	(void)state;
	behind("a", 0, "10.0.0.1");
	assert_true(advised("1 device is known by address and port alone: whatever is at that port can take its "
	    "address; name the router's MAC with `via`"));
	behind("b", 0, "10.0.0.2");
	assert_true(advised("2 devices are known by address and port alone: whatever is at that port can take their "
	    "address; name the router's MAC with `via`"));
	/* They have no port of their own, and can have none. */
	assert_int_equal(m.n_warnings, 1);
	sample_behind(&p->devices[0], 0xfe);
	sample_behind(&p->devices[1], 0xfe);
	compiled();
	assert_int_equal(im.n[IMAGE_WARNINGS], 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_kinds),
		TEST(test_prefixes),
		TEST(test_link_local),
		TEST(test_router_is_a_device),
		TEST(test_addresses_are_unique),
		TEST(test_behind_needs),
		TEST(test_advice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
