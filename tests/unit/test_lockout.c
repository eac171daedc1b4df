/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_lockout.c -- which policies cut the connection that somebody works over? */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "enforce/lockout.h"
#include "sample.h"

static struct ctl_connection
over(const char *client, uint8_t mac, const char *interface, uint16_t port)
{
	struct ctl_connection c = { .client_port = 50000, .server_port = port, .has_mac = 1,
		.mac = { 2, 0, 0, 0, 0, mac } };

	c.family = strchr(client, ':') != NULL ? AF_INET6 : AF_INET;
	assert_int_equal(inet_pton(c.family, client, c.client), 1);
	assert_int_equal(inet_pton(c.family, c.family == AF_INET ? "10.0.0.1" : "fd00::1", c.server), 1);
	snprintf(c.interface, sizeof(c.interface), "%s", interface);
	return c;
}

/* One device, 10.0.0.9 with MAC ..:09 at lan0; port 22 is a service or not. */
static bool
cut(bool service, bool quarantined, struct ctl_connection c)
{
	struct policy *p = sample_new();
	struct station station;
	struct ruleset rs;
	struct image im;
	uint8_t *bytes;
	size_t len;
	bool answer;

	sample_class(p, "some");
	if (service)
		sample_service(p, BOX_PORTS, IPPROTO_TCP, 22, 22);
	sample_address(sample_device(p, "admin", "some", 9, "10.0.0.9", "lan0", NULL, 0), "fd00::9");
	im = sample_image(p, NULL, &bytes, &len);
	station = (struct station){ .number = im.devices[0].number, .generation = 1, .quarantined = quarantined };
	rs = ruleset_make(&im, &station, (struct features){ .owner_persist = true, .connlimit = true });
	answer = would_drop(&rs, &c);
	policy_free(p);
	free(bytes);
	return answer;
}

static void
test_a_device_and_a_service(void **state)
{
	static const char *const clients[] = { "10.0.0.9", "fd00::9" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_false(cut(true, false, over(clients[i], 9, "lan0", 22)));
		assert_true(cut(false, false, over(clients[i], 9, "lan0", 22)));
		assert_true(cut(true, false, over(clients[i], 9, "lan0", 23)));
		assert_true(cut(true, true, over(clients[i], 9, "lan0", 22)));
	}
}

static void
test_a_stranger(void **state)
{
	(void)state;
	assert_true(cut(true, false, over("10.0.0.8", 9, "lan0", 22)));
	assert_true(cut(true, false, over("10.0.0.9", 8, "lan0", 22)));
	assert_true(cut(true, false, over("10.0.0.9", 9, "lan1", 22)));
}

static void
test_another_interface(void **state)
{
	(void)state;
	assert_false(cut(false, false, over("192.0.2.9", 1, "wan0", 22)));
	assert_false(cut(false, false, over("2001:db8::9", 1, "wan0", 22)));
}

static void
test_nothing_is_known(void **state)
{
	struct ctl_connection c = over("10.0.0.8", 9, "lan0", 22);

	(void)state;
	assert_true(cut(true, false, c));
	c.interface[0] = '\0';
	assert_false(cut(true, false, c));
	c = over("10.0.0.8", 9, "lan0", 22);
	c.family = 0;
	assert_false(cut(true, false, c));
	c.family = 77;
	assert_false(cut(true, false, c));
	/* not ended: as long as a name can be */
	c = over("10.0.0.8", 9, "lan0", 22);
	memset(c.interface, 'x', sizeof(c.interface));
	assert_false(cut(true, false, c));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_device_and_a_service), cmocka_unit_test(test_a_stranger),
		cmocka_unit_test(test_another_interface), cmocka_unit_test(test_nothing_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
