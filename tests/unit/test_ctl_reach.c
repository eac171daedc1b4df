/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_ctl_reach.c -- what is shown of rules, schedules and identities: both
 * directions, whichever class a rule stands in. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/identity.h"
#include "ctl/reach.h"
#include "ctl/schedule.h"
#include "sample.h"

static struct policy *p;
static uint8_t *bytes;
static struct image im;
static char *text;
static size_t text_len;
static FILE *out;

static int
setup(void **state)
{
	size_t len;

	(void)state;
	p = sample_language();
	im = sample_image(p, NULL, &bytes, &len);
	out = open_memstream(&text, &text_len);
	return out == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	fclose(out);
	free(text);
	free(bytes);
	policy_free(p);
	return 0;
}

static void
has(const char *what)
{
	fflush(out);
	if (strstr(text, what) == NULL)
		print_message("%s", text);
	assert_non_null(strstr(text, what));
}

static void
lacks(const char *what)
{
	fflush(out);
	assert_null(strstr(text, what));
}

static void
test_out(void **state)
{
	(void)state;
	reach_print(&im, image_class_named(&im, "sensor"), REACH_OUT, "  ", out);
	has("  192.0.2.0/24: tcp 443   (sample.conf:");
	has("  203.0.113.0/24: tcp 443, only while nightly is open   (sample.conf:");
	has("  class:gateway: icmp echo-request   (");
	has("  *.iot.example: tcp 8883   (");
	has(") closed until names are resolved by the appliance\n");
	lacks("554");
	lacks("nothing");
}

static void
test_in(void **state)
{
	(void)state;
	reach_print(&im, image_class_named(&im, "sensor"), REACH_IN, "  ", out);
	has("  192.0.2.4: tcp 554   (");
	has("  class:gateway: tcp 80, only while daily is open   (");
	/* It may come to its own, and then its own come to it. */
	has("  class:sensor: udp 5353   (");
	lacks("203.0.113.0/24");
}

/* What the other class's rules say of this one. */
static void
test_of_others(void **state)
{
	(void)state;
	reach_print(&im, image_class_named(&im, "gateway"), REACH_OUT, "", out);
	has("class:sensor: tcp 80, only while daily is open   (");
	reach_print(&im, image_class_named(&im, "gateway"), REACH_IN, "", out);
	has("class:sensor: tcp 1883   (");
	has("class:sensor: icmp echo-request   (");
	reach_print(&im, image_class_named(&im, "quarantine"), REACH_IN, "", out);
	has("nobody\n");
}

static void
test_json(void **state)
{
	json_t *list = reach_json(&im, image_class_named(&im, "gateway"), REACH_OUT);
	json_t *last = json_array_get(list, json_array_size(list) - 1);

	(void)state;
	assert_string_equal(json_string_value(json_object_get(last, "to")), "class:sensor");
	assert_string_equal(json_string_value(json_object_get(last, "schedule")), "daily");
	assert_true(json_is_null(json_object_get(json_array_get(list, 0), "schedule")));
	json_decref(list);
	list = reach_json(&im, image_class_named(&im, "sensor"), REACH_IN);
	assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "from")), "192.0.2.4");
	json_decref(list);
}

static void
test_schedules(void **state)
{
	int64_t now = SAMPLE_NOW * INT64_C(1000);
	char line[SCHEDULE_STRLEN];
	json_t *list;

	(void)state;
	reach_print_schedules(&im, image_class_named(&im, "gateway"), now, "schedule ", out);
	has("schedule daily: daily 02:00-03:00 UTC; open until ");
	lacks("nightly");
	reach_print_schedules(&im, image_class_named(&im, "sensor"), now, "", out);
	has("nightly: daily 02:00-03:00 UTC; open until 2027-01-15 09:00:00 UTC\n");
	/* A window ends before its last second has passed. */
	assert_string_equal(schedule_text(&im, &im.schedules[1], now + 3600000, line),
	    "nightly: daily 02:00-03:00 UTC; next from 2027-01-16 08:00:00 to 2027-01-16 09:00:00 UTC");
	assert_string_equal(schedule_text(&im, &im.schedules[1], now - 1000, line),
	    "nightly: daily 02:00-03:00 UTC; next from 2027-01-15 08:00:00 to 2027-01-15 09:00:00 UTC");
	assert_non_null(strstr(schedule_text(&im, &im.schedules[1], now + 10 * 86400000LL, line),
	    "; never again: apply the policy to go on"));
	list = reach_schedules_json(&im, image_class_named(&im, "sensor"), now + 3600000);
	assert_int_equal(json_array_size(list), 2);
	assert_true(json_is_true(json_object_get(json_array_get(list, 0), "open")));
	assert_true(json_is_false(json_object_get(json_array_get(list, 1), "open")));
	assert_string_equal(json_string_value(json_object_get(json_object_get(json_array_get(list, 1), "next"),
	    "from")), "2027-01-16T08:00:00.000Z");
	json_decref(list);
}

static const char *
identity(const char *name)
{
	fflush(out);
	rewind(out);
	identity_print(&im, image_device_named(&im, name), out);
	fputc('\0', out);
	fflush(out);
	return text;
}

static void
test_identities(void **state)
{
	char mac[IDENTITY_MACLEN];
	json_t *via;

	(void)state;
	assert_string_equal(identity("sensor-1"),
	    "identity     02:00:00:00:00:01 with 10.10.0.11, fd10::11, only on interface lan0\n"
	    "             could be taken by whoever is at that port and takes the MAC and an address\n");
	assert_string_equal(identity("sensor-2"),
	    "identity     02:00:00:00:00:02 with 10.10.0.12, 2001:db8:1::/64, on any device interface\n"
	    "             could be taken by whoever is behind any device interface and takes the MAC\n");
	assert_string_equal(identity("bare"),
	    "identity     02:00:00:00:00:04 with any address that no other device holds, on any device interface\n"
	    "             could be taken by whoever is behind any device interface and takes the MAC\n");
	assert_string_equal(identity("behind"),
	    "identity     10.20.0.1 from behind 02:00:00:00:00:fe, only on interface lan1\n"
	    "             could be taken by whoever is behind that router, or at that port and takes the router's "
	    "MAC\n");
	assert_string_equal(identity("beyond"),
	    "identity     10.20.0.2 from behind any router, only on interface lan1\n"
	    "             could be taken by whoever is at that port, behind a router or not\n");
	assert_string_equal(identity_mac(image_device_named(&im, "beyond"), mac), "via any");
	assert_string_equal(identity_kind(image_device_named(&im, "behind")), "via");
	via = identity_mac_json(image_device_named(&im, "behind"), IDENTITY_VIA);
	assert_string_equal(json_string_value(via), "02:00:00:00:00:fe");
	json_decref(via);
	via = identity_mac_json(image_device_named(&im, "behind"), IDENTITY_OWN);
	assert_true(json_is_null(via));
	json_decref(via);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_out),
		TEST(test_in),
		TEST(test_of_others),
		TEST(test_json),
		TEST(test_schedules),
		TEST(test_identities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
