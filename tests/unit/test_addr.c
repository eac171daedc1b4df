/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_addr.c -- addresses: what is one, what is none, and their order. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "common/addr.h"

static struct addr
addr(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static void
test_addr_parse(void **state)
{
	static const char *const good[] = { "0.0.0.0", "10.10.0.11", "255.255.255.255", "::", "::1",
		"fd10::11", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff" };
	static const char *const bad[] = { "", " ", "10.0.0", "10.0.0.256", "10.0.0.1 ",
		" 10.0.0.1", "010.0.0.1", "10.0.0.1/32", "0x0a000001", "167772161", "1.2.3.4.5",
		":::", "fe80::1%lan0", "12345::", "g::", "::ffff:1.2.3.4", "::ffff:102:304",
		"localhost", "1:2:3:4:5:6:7:8:9" };
	char text[ADDR_STRLEN];
	struct addr a, untouched;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		a = addr(good[i]);
		assert_string_equal(addr_format(&a, text), good[i]);
	}
	memset(&a, 0x55, sizeof(a));
	untouched = a;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(addr_parse(bad[i], &a), -EINVAL);
		assert_memory_equal(&a, &untouched, sizeof(a));
	}
	/* equal addresses are equal byte for byte */
	a = addr("10.0.0.1");
	assert_int_equal(a.family, AF_INET);
	for (i = 4; i < sizeof(a.bytes); i++)
		assert_int_equal(a.bytes[i], 0);
	assert_int_equal(addr_len(AF_INET), 4);
	assert_int_equal(addr_len(AF_INET6), 16);
	a = addr("FD10:0:0:0::0011");
	assert_string_equal(addr_format(&a, text), "fd10::11");
}

struct range_case {
	const char *text;
	int rc;
	const char *shown; /* NULL: as text */
};

static void
test_range_parse(void **state)
{
	static const struct range_case cases[] = {
		{ "10.0.0.1", 0, NULL },
		{ "10.0.0.0/8", 0, NULL },
		{ "0.0.0.0/0", 0, NULL },
		{ "::/0", 0, NULL },
		{ "10.0.0.1/32", 0, "10.0.0.1" },
		{ "10.0.0.2/31", 0, NULL },
		{ "10.0.0.3/31", -EDOM, NULL },
		{ "10.0.0.128/25", 0, NULL },
		{ "10.0.0.64/25", -EDOM, NULL },
		{ "fd10::/64", 0, NULL },
		{ "fd10::1/64", -EDOM, NULL },
		{ "fd10::1/128", 0, "fd10::1" },
		{ "fd10:8000::/17", 0, NULL },
		{ "fd10:8000::/16", -EDOM, NULL },
		{ "10.0.0.1-10.0.0.9", 0, NULL },
		{ "10.0.0.0-10.0.0.255", 0, "10.0.0.0/24" },
		{ "10.0.0.5-10.0.0.5", 0, "10.0.0.5" },
		{ "10.0.0.9-10.0.0.1", -ERANGE, NULL },
		{ "fd10::9-fd10::1", -ERANGE, NULL },
		{ "10.0.0.1-fd10::1", -EINVAL, NULL },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff0-ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe",
		    0, NULL },
		{ "10.0.0.0/33", -EINVAL, NULL },
		{ "10.0.0.0/", -EINVAL, NULL },
		{ "10.0.0.0/08", -EINVAL, NULL },
		{ "10.0.0.0/-1", -EINVAL, NULL },
		{ "10.0.0.0/255.0.0.0", -EINVAL, NULL },
		{ "10.0.0.0/8/8", -EINVAL, NULL },
		{ "fd10::/129", -EINVAL, NULL },
		{ "10.0.0.1-", -EINVAL, NULL },
		{ "-10.0.0.1", -EINVAL, NULL },
		{ "10.0.0.1-10.0.0.2-10.0.0.3", -EINVAL, NULL },
		{ "::ffff:0:0/96", -EINVAL, NULL }, /* the packets it means carry IPv4 */
		{ "", -EINVAL, NULL },
	};
	struct addr_range r;
	char text[RANGE_STRLEN], longest[300];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(addr_range_parse(cases[i].text, &r), cases[i].rc);
		if (cases[i].rc == 0)
			assert_string_equal(addr_range_format(&r, text),
			    cases[i].shown != NULL ? cases[i].shown : cases[i].text);
	}
	memset(longest, '1', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(addr_range_parse(longest, &r), -EINVAL);
}

static void
test_mac(void **state)
{
	static const char *const bad[] = { "", "02:00:00:00:03",
		"02:00:00:00:03:4f:", "02:00:00:00:03:4g", "02-00:00:00:03:4f", "0200.0000.034f",
		"02:00:00:00:03:4", " 2:00:00:00:03:4f", "02000000034f12345" };
	char text[MAC_STRLEN];
	struct mac m;
	size_t i;

	(void)state;
	assert_int_equal(mac_parse("02:00:00:00:03:4f", &m), 0);
	assert_string_equal(mac_format(&m, text), "02:00:00:00:03:4f");
	assert_int_equal(mac_parse("02-AB-CD-EF-03-4F", &m), 0);
	assert_string_equal(mac_format(&m, text), "02:ab:cd:ef:03:4f");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(mac_parse(bad[i], &m), -EINVAL);
	assert_int_equal(mac_parse("00:00:00:00:00:00", &m), -EDOM);
	assert_int_equal(mac_parse("ff:ff:ff:ff:ff:ff", &m), -EDOM);
	assert_int_equal(mac_parse("01:00:5e:00:00:01", &m), -EDOM);
	assert_string_equal(mac_format(&m, text), "02:ab:cd:ef:03:4f");
}

static void
test_order_and_neighbours(void **state)
{
	struct addr a, b;
	struct addr_range r;

	(void)state;
	a = addr("9.255.255.255");
	b = addr("10.0.0.0");
	assert_true(addr_cmp(&a, &b) < 0 && addr_cmp(&b, &a) > 0 && addr_cmp(&a, &a) == 0);
	assert_true(addr_next(&a));
	assert_int_equal(addr_cmp(&a, &b), 0);
	assert_true(addr_prev(&a));
	b = addr("9.255.255.255");
	assert_memory_equal(&a, &b, sizeof(a));
	a = addr("255.255.255.255");
	assert_false(addr_next(&a));
	b = addr("255.255.255.255");
	assert_memory_equal(&a, &b, sizeof(a));
	a = addr("0.0.0.0");
	assert_false(addr_prev(&a));
	b = addr("::");
	assert_true(addr_cmp(&a, &b) < 0); /* by family first */
	assert_false(addr_prev(&b));
	a = addr("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	assert_false(addr_next(&a));
	a = addr("fd10::ffff");
	assert_true(addr_next(&a));
	b = addr("fd10::1:0");
	assert_int_equal(addr_cmp(&a, &b), 0);

	assert_int_equal(addr_range_parse("10.0.0.4-10.0.0.6", &r), 0);
	a = addr("10.0.0.3");
	assert_false(addr_in_range(&a, &r));
	a = addr("10.0.0.4");
	assert_true(addr_in_range(&a, &r));
	a = addr("10.0.0.6");
	assert_true(addr_in_range(&a, &r));
	a = addr("10.0.0.7");
	assert_false(addr_in_range(&a, &r));
	a = addr("a00:5::"); /* 10.0.0.5, were it IPv4 */
	assert_false(addr_in_range(&a, &r));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addr_parse),
		cmocka_unit_test(test_range_parse),
		cmocka_unit_test(test_mac),
		cmocka_unit_test(test_order_and_neighbours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
