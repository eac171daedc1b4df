/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_ctl_who.c -- who asks, from where: texts of ssh and of other people. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/who.h"

static void
test_connections(void **state)
{
	struct ctl_connection c;
	uint8_t expected[16] = { 0xfe, 0x80, [15] = 9 };

	(void)state;
	assert_int_equal(connection_parse("192.0.2.9 50000 192.0.2.1 22", &c), 0);
	assert_int_equal(c.family, AF_INET);
	assert_memory_equal(c.client, "\300\0\2\11\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_memory_equal(c.server, "\300\0\2\1", 4);
	assert_int_equal(c.client_port, 50000);
	assert_int_equal(c.server_port, 22);
	assert_string_equal(c.interface, "");
	assert_int_equal(connection_parse("fe80::9%eth7 65535 fe80::1%eth7 2222", &c), 0);
	assert_int_equal(c.family, AF_INET6);
	assert_memory_equal(c.client, expected, 16);
	assert_string_equal(c.interface, "eth7");
	assert_int_equal(connection_parse("::ffff:192.0.2.9 50000 ::ffff:192.0.2.1 22", &c), 0);
	assert_int_equal(c.family, AF_INET);
	assert_memory_equal(c.client, "\300\0\2\11\0\0\0\0\0\0\0\0\0\0\0\0", 16);
}

static void
test_no_connections(void **state)
{
	static const char *const texts[] = { "", "UNKNOWN 65535 UNKNOWN 65535", "192.0.2.9 50000 192.0.2.1",
		"192.0.2.9 50000 192.0.2.1 22 more", "192.0.2.9 65536 192.0.2.1 22", "192.0.2.9 -1 192.0.2.1 22",
		"192.0.2.9 50000 fd00::1 22", "192.0.2.256 50000 192.0.2.1 22", "a b c d" };
	struct ctl_connection c;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		memset(&c, 0xff, sizeof(c));
		assert_int_equal(connection_parse(texts[i], &c), -EINVAL);
		assert_int_equal(c.family, 0);
	}
}

static void
test_who(void **state)
{
	struct ctl_who who = { .uid = 0 };
	char buf[WHO_STRLEN];
	json_t *j;

	(void)state;
	assert_string_equal(who_text(&who, buf), "root");
	memcpy(who.login, "alice", 6);
	assert_string_equal(who_text(&who, buf), "root (says: alice)");
	who.uid = 4000000001U;	/* nobody has it */
	assert_string_equal(who_text(&who, buf), "4000000001 (says: alice)");
	who.uid = CTL_NOBODY;
	assert_string_equal(who_text(&who, buf), "cordon itself (alice)");
	j = who_json(&who);
	assert_true(json_is_null(json_object_get(j, "uid")));
	json_decref(j);
	memset(who.login, 'x', sizeof(who.login));	/* not ended */
	assert_int_equal(strlen(who_text(&who, buf)), strlen("cordon itself ()") + CTL_LOGIN);
}

static void
test_login(void **state)
{
	char login[CTL_LOGIN + 4], name[200];

	(void)state;
	setenv("SUDO_USER", "alice", 1);
	who_am_i(login);
	assert_string_equal(login, "alice");
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	setenv("SUDO_USER", name, 1);
	who_am_i(login);
	assert_int_equal(strlen(login), CTL_LOGIN - 1);
	unsetenv("SUDO_USER");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_connections), cmocka_unit_test(test_no_connections), cmocka_unit_test(test_who),
		cmocka_unit_test(test_login),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
