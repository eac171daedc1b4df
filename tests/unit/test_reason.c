/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_reason.c -- each reason, its device, and whether that is proved. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "flow/reason.h"
#include "flow_sample.h"

#define SENSOR_1 0x1101
#define SENSOR_2 0x1201

static const struct siphash_key seed = { 1, 2 };
static struct image image;
static struct directory directory;
static struct stations stations;

static void
station(uint32_t mark, enum station_where where)
{
	struct flow_station st = { .number = mark >> 8, .mark = mark, .where = where };

	assert_int_equal(stations_set(&stations, &st), 0);
}

static int
set_up(void **state)
{
	(void)state;
	sample_image(&image);
	directory_init(&directory, &seed);
	stations_init(&stations, &seed);
	if (directory_set(&directory, &image) < 0)
		return -1;
	station(SENSOR_1, STATION_ENFORCED);
	station(SENSOR_2, STATION_ENFORCED);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	directory_done(&directory);
	stations_done(&stations);
	return 0;
}

static struct addr
ip4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	return (struct addr){ .family = AF_INET, .bytes = { a, b, c, d } };
}

/* sensor-1 from lan0 to a server behind wan0. */
static struct circumstances
usual(void)
{
	return (struct circumstances){
		.group = FLOW_REFUSED,
		.hook = ATTEMPT_HOOK_FORWARD,
		.has_mac = 1,
		.mark = SENSOR_1,
		.in = "lan0",
		.out = "wan0",
		.mac = { { 2, 0, 0, 0, 0, 0x11 } },
		.source = ip4(10, 10, 0, 11),
		.destination = ip4(192, 0, 2, 2),
	};
}

static struct attempt
find(const struct circumstances *c, bool settled)
{
	struct attempt a;

	memset(&a, 0x55, sizeof(a));	/* what is left over from before must not stay */
	assert_int_equal(reason_find(&directory, &stations, c, &a), settled);
	return a;
}

static void
not_allowed(void **state)
{
	struct circumstances c = usual();
	struct attempt a = find(&c, true);

	(void)state;
	assert_int_equal(a.reason, REASON_NOT_ALLOWED);
	assert_int_equal(a.verdict, VERDICT_REFUSED);
	assert_int_equal(a.identity, IDENTITY_PROVED);
	assert_int_equal(a.device, 0x11);
	assert_string_equal(a.device_name, "sensor-1");
	assert_string_equal(a.class_name, "sensor");
	assert_string_equal(a.detail, "");
}

static void
audited(void **state)
{
	struct circumstances c = usual();
	struct attempt a;

	(void)state;
	c.mark = 0x1102;
	station(0x1102, STATION_AUDITED);
	a = find(&c, true);
	assert_int_equal(a.reason, REASON_NOT_ALLOWED);
	assert_int_equal(a.verdict, VERDICT_AUDITED);
	/* the appliance's own services are refused in audit mode too */
	c.hook = ATTEMPT_HOOK_INPUT;
	c.out = "";
	a = find(&c, true);
	assert_int_equal(a.reason, REASON_SERVICE);
	assert_int_equal(a.verdict, VERDICT_REFUSED);
}

static void
quarantined(void **state)
{
	struct circumstances c = usual();
	struct attempt a;

	(void)state;
	c.mark = 0x1102;
	station(0x1102, STATION_QUARANTINED);
	a = find(&c, true);
	assert_int_equal(a.reason, REASON_QUARANTINED);
	c.hook = ATTEMPT_HOOK_INPUT;
	a = find(&c, true);
	assert_int_equal(a.reason, REASON_QUARANTINED);
	/* restricted, it is refused by the rules of a class, and no more is wrong with it */
	station(0x1103, STATION_RESTRICTED);
	c = usual();
	c.mark = 0x1103;
	a = find(&c, true);
	assert_int_equal(a.reason, REASON_NOT_ALLOWED);
	assert_int_equal(a.verdict, VERDICT_REFUSED);
	/* a packet from before tells of before, whenever it is read */
	c = usual();
	a = find(&c, true);
	assert_int_equal(a.reason, REASON_NOT_ALLOWED);
}

static void
service(void **state)
{
	struct circumstances c = usual();
	struct attempt a;

	(void)state;
	c.hook = ATTEMPT_HOOK_INPUT;
	c.out = "";
	c.destination = ip4(10, 10, 0, 1);
	a = find(&c, true);
	assert_int_equal(a.reason, REASON_SERVICE);
}

static void
inbound(void **state)
{
	struct circumstances c = usual();
	struct attempt a;

	(void)state;
	c.in = "wan0";
	c.out = "lan0";
	c.source = ip4(192, 0, 2, 66);
	c.destination = ip4(10, 10, 0, 11);
	c.mac.bytes[5] = 0xee;
	a = find(&c, true);
	assert_int_equal(a.reason, REASON_INBOUND);
	assert_int_equal(a.device, 0x11);
	/* in audit mode the class lets it in */
	c.mark = 0x1102;
	station(0x1102, STATION_AUDITED);
	a = find(&c, true);
	assert_int_equal(a.reason, REASON_INBOUND);
	assert_int_equal(a.verdict, VERDICT_AUDITED);
	/* of counts alone the addresses tell */
	c.mark = SENSOR_1;
	c.in = c.out = "";
	c.hook = ATTEMPT_HOOK_NONE;
	a = find(&c, true);
	assert_int_equal(a.reason, REASON_INBOUND);
	/* the appliance itself, towards a device */
	c = usual();
	c.hook = ATTEMPT_HOOK_OUTPUT;
	c.in = "";
	a = find(&c, true);
	assert_int_equal(a.reason, REASON_INBOUND);
	/* to a quarantined device: still from outside */
	c.mark = 0x1103;
	station(0x1103, STATION_QUARANTINED);
	a = find(&c, true);
	assert_int_equal(a.reason, REASON_INBOUND);
}

static void
peer(void **state)
{
	struct circumstances c = usual();
	struct attempt a;

	(void)state;
	c.out = "lan1";
	c.destination = ip4(10, 10, 0, 12);
	a = find(&c, true);
	assert_int_equal(a.reason, REASON_NOT_ALLOWED);
	station(0x1202, STATION_QUARANTINED);
	a = find(&c, true);
	assert_int_equal(a.reason, REASON_PEER);
	/* nobody's address on the device side: no end of a device-to-device flow */
	c.destination = ip4(10, 10, 0, 99);
	a = find(&c, true);
	assert_int_equal(a.reason, REASON_PEER);
	c.mark = 0x1102;
	station(0x1102, STATION_AUDITED);
	a = find(&c, true);
	assert_int_equal(a.verdict, VERDICT_REFUSED);
}

static void
strangers(void **state)
{
	struct circumstances c = usual();
	struct attempt a;

	(void)state;
	c.mark = 0;
	/* its MAC, no address of its */
	c.source = ip4(10, 10, 0, 77);
	a = find(&c, true);
	assert_int_equal(a.reason, REASON_WRONG_ADDRESS);
	assert_int_equal(a.identity, IDENTITY_CLAIMED);
	assert_string_equal(a.device_name, "sensor-1");
	assert_string_equal(a.detail, "");
	/* its MAC, the address of another */
	c.source = ip4(10, 10, 0, 12);
	a = find(&c, true);
	assert_int_equal(a.reason, REASON_WRONG_ADDRESS);
	assert_string_equal(a.device_name, "sensor-1");
	assert_string_equal(a.detail, "address of sensor-2");
	/* its address, no MAC of any device's */
	c = usual();
	c.mark = 0;
	c.mac.bytes[5] = 0x99;
	a = find(&c, true);
	assert_int_equal(a.reason, REASON_WRONG_MAC);
	assert_int_equal(a.identity, IDENTITY_CLAIMED);
	assert_int_equal(a.device, 0x11);
	/* neither */
	c.source = ip4(10, 10, 0, 77);
	a = find(&c, true);
	assert_int_equal(a.reason, REASON_UNKNOWN_DEVICE);
	assert_int_equal(a.identity, IDENTITY_NONE);
	assert_int_equal(a.device, 0);
	assert_string_equal(a.device_name, "");
	assert_string_equal(a.class_name, "");
}

static void
wrong_port(void **state)
{
	struct circumstances c = usual();
	struct attempt a;

	(void)state;
	c.mark = 0;
	c.in = "lan1";
	a = find(&c, true);
	assert_int_equal(a.reason, REASON_WRONG_PORT);
	assert_int_equal(a.identity, IDENTITY_CLAIMED);
	assert_string_equal(a.device_name, "sensor-1");
	assert_string_equal(a.detail, "declared on lan0");
	/* in IPv6 just so */
	c.source = (struct addr){ .family = AF_INET6, .bytes = { 0xfd, 0x10, [15] = 0x11 } };
	a = find(&c, true);
	assert_int_equal(a.reason, REASON_WRONG_PORT);
	/* a count without a record knows no interface */
	c.in = c.out = "";
	a = find(&c, true);
	assert_int_equal(a.reason, REASON_WRONG_PORT);
}

/* A device with its MAC alone may use any address that is nobody's. */
static void
mac_alone(void **state)
{
	struct circumstances c = usual();
	struct attempt a;

	(void)state;
	c.mark = 0;
	c.mac.bytes[5] = 0x13;
	c.source = ip4(10, 10, 0, 11);
	a = find(&c, true);
	assert_int_equal(a.reason, REASON_WRONG_ADDRESS);
	assert_string_equal(a.device_name, "camera-1");
	/* everything fits: refused before the policy knew it */
	c.source = ip4(10, 10, 0, 77);
	a = find(&c, true);
	assert_int_equal(a.reason, REASON_UNKNOWN_DEVICE);
	assert_string_equal(a.device_name, "camera-1");
	assert_int_equal(a.identity, IDENTITY_CLAIMED);
}

static void
other_groups(void **state)
{
	struct circumstances c = usual();
	struct attempt a;

	(void)state;
	c.group = FLOW_INVALID;
	a = find(&c, true);
	assert_int_equal(a.reason, REASON_INVALID);
	assert_int_equal(a.device, 0x11);
	c.group = FLOW_CROWDED;
	a = find(&c, true);
	assert_int_equal(a.reason, REASON_CONNECTION_LIMIT);
	c.group = FLOW_RATE;
	a = find(&c, true);
	assert_int_equal(a.reason, REASON_RATE);
	assert_int_equal(a.device, 0x11);
	/* without a mark the device is still the one whose MAC it is */
	c.group = FLOW_INVALID;
	c.mark = 0;
	c.source = ip4(10, 10, 0, 77);
	a = find(&c, true);
	assert_int_equal(a.reason, REASON_INVALID);
	assert_int_equal(a.identity, IDENTITY_CLAIMED);
}

/* Beyond its rate an audited device goes on, and is recorded. */
static void
rate_in_audit(void **state)
{
	struct circumstances c = usual();
	struct attempt a;

	(void)state;
	c.group = FLOW_RATE;
	a = find(&c, true);
	assert_int_equal(a.verdict, VERDICT_REFUSED);
	c.mark = 0x1102;
	a = find(&c, false);
	reason_settle(&a, STATION_AUDITED);
	assert_int_equal(a.reason, REASON_RATE);
	assert_int_equal(a.verdict, VERDICT_AUDITED);
	station(0x1102, STATION_AUDITED);
	a = find(&c, true);
	assert_int_equal(a.verdict, VERDICT_AUDITED);
	c.group = FLOW_CROWDED;
	a = find(&c, true);
	assert_int_equal(a.verdict, VERDICT_REFUSED);
}

/* ---- other identities --------------------------------------------------- */

/* sensor-1 has an IPv6 prefix; sensor-2 is behind a router, camera-1 behind any. */
static void
other_identities(void)
{
	static struct image_address addresses[3];
	static struct image_device devices[3];

	memcpy(addresses, sample_addresses, sizeof(addresses));
	memcpy(devices, sample_devices, sizeof(devices));
	addresses[1] = (struct image_address){ .family = AF_INET6, .prefix = 64, .bytes = { 0xfd, 0x10, [7] = 1 } };
	devices[1].identity = IDENTITY_VIA;
	devices[1].mac[5] = 0xfe;
	devices[1].interface = AT_LAN1;
	devices[2].identity = IDENTITY_ROUTED;
	memset(devices[2].mac, 0, sizeof(devices[2].mac));
	devices[2].interface = AT_LAN1;
	addresses[0].bytes[3] = 13;
	devices[0].addresses = (struct image_slice){ 1, 1 };
	devices[2].addresses = (struct image_slice){ 0, 1 };
	image.addresses = addresses;
	image.devices = devices;
	assert_int_equal(directory_set(&directory, &image), 0);
}

static void
inside_a_prefix(void **state)
{
	struct circumstances c = usual();
	struct attempt a;

	(void)state;
	other_identities();
	c.mark = 0;
	c.source = (struct addr){ .family = AF_INET6, .bytes = { 0xfd, 0x10, [7] = 1, [12] = 0x77, [15] = 0x11 } };
	c.in = "lan1";
	a = find(&c, true);
	assert_int_equal(a.reason, REASON_WRONG_PORT);
	c.source = (struct addr){ .family = AF_INET6, .bytes = { 0xfe, 0x80, [15] = 0x11 } };
	a = find(&c, true);
	assert_int_equal(a.reason, REASON_WRONG_PORT);
	c.in = "lan0";
	c.source = (struct addr){ .family = AF_INET6, .bytes = { 0xfd, 0x10, [7] = 2, [15] = 0x11 } };
	a = find(&c, true);
	assert_int_equal(a.reason, REASON_WRONG_ADDRESS);
	assert_string_equal(a.device_name, "sensor-1");
	/* the prefix itself is nobody's address */
	c.source = (struct addr){ .family = AF_INET6, .bytes = { 0xfd, 0x10, [7] = 1 } };
	c.mac.bytes[5] = 0x99;
	a = find(&c, true);
	assert_int_equal(a.reason, REASON_UNKNOWN_DEVICE);
}

static void
behind_a_router(void **state)
{
	struct circumstances c = usual();
	struct attempt a;

	(void)state;
	other_identities();
	c.mark = 0;
	c.mac.bytes[5] = 0xfe;
	/* an address that nobody declared: the router's MAC says nothing */
	c.source = ip4(10, 10, 0, 77);
	a = find(&c, true);
	assert_int_equal(a.reason, REASON_UNKNOWN_DEVICE);
	assert_string_equal(a.device_name, "");
	/* declared, by another port, and from another MAC */
	c.source = ip4(10, 10, 0, 12);
	a = find(&c, true);
	assert_int_equal(a.reason, REASON_WRONG_PORT);
	assert_string_equal(a.device_name, "sensor-2");
	c.in = "lan1";
	c.mac.bytes[5] = 0x99;
	a = find(&c, true);
	assert_int_equal(a.reason, REASON_WRONG_MAC);
	assert_string_equal(a.device_name, "sensor-2");
	/* where any MAC will do, the port alone can be wrong */
	c.source = ip4(10, 10, 0, 13);
	a = find(&c, true);
	assert_int_equal(a.reason, REASON_UNKNOWN_DEVICE);
	assert_string_equal(a.device_name, "camera-1");
	c.in = "lan0";
	a = find(&c, true);
	assert_int_equal(a.reason, REASON_WRONG_PORT);
	assert_string_equal(a.detail, "declared on lan1");
	assert_true(directory_is_router(&directory, &(struct mac){ { 2, 0, 0, 0, 0, 0xfe } }));
	assert_false(directory_is_router(&directory, &(struct mac){ { 2, 0, 0, 0, 0, 0x11 } }));
	assert_null(directory_by_mac(&directory, &(struct mac){ { 0 } }));
}

static void
a_mark_that_comes_before_its_meaning(void **state)
{
	struct circumstances c = usual();
	struct attempt a;

	(void)state;
	c.mark = 0x1109;
	a = find(&c, false);
	assert_int_equal(a.reason, REASON_NOT_ALLOWED);
	assert_string_equal(a.device_name, "sensor-1");
	reason_settle(&a, STATION_QUARANTINED);
	assert_int_equal(a.reason, REASON_QUARANTINED);
	assert_int_equal(a.verdict, VERDICT_REFUSED);
	a = find(&c, false);
	reason_settle(&a, STATION_AUDITED);
	assert_int_equal(a.reason, REASON_NOT_ALLOWED);
	assert_int_equal(a.verdict, VERDICT_AUDITED);
	c.in = "wan0";
	a = find(&c, false);
	reason_settle(&a, STATION_QUARANTINED);
	assert_int_equal(a.reason, REASON_INBOUND);
}

static void
without_a_policy(void **state)
{
	struct circumstances c = usual();
	struct attempt a;

	(void)state;
	assert_int_equal(directory_set(&directory, NULL), 0);
	a = find(&c, true);
	assert_int_equal(a.reason, REASON_NOT_ALLOWED);
	assert_int_equal(a.device, 0x11);
	assert_int_equal(a.identity, IDENTITY_PROVED);
	assert_string_equal(a.device_name, "");
	c.mark = 0;
	a = find(&c, true);
	assert_int_equal(a.reason, REASON_UNKNOWN_DEVICE);
}

static void
marks_are_remembered_and_forgotten(void **state)
{
	struct flow_station wrong = { .number = 0x11, .mark = 0x1201, .where = STATION_ENFORCED };

	(void)state;
	for (uint32_t g = 1; g <= STATIONS_KEPT + 1; g++)
		station(0x1100 | g, g == 2 ? STATION_QUARANTINED : STATION_ENFORCED);
	assert_int_equal(stations_of_mark(&stations, 0x1101), STATION_UNKNOWN);
	assert_int_equal(stations_of_mark(&stations, 0x1102), STATION_QUARANTINED);
	assert_int_equal(stations_of_device(&stations, 0x11), STATION_ENFORCED);
	/* a generation that comes again means what it means now */
	station(0x1102, STATION_AUDITED);
	assert_int_equal(stations_of_mark(&stations, 0x1102), STATION_AUDITED);
	assert_int_equal(stations_of_device(&stations, 0x11), STATION_AUDITED);
	assert_int_equal(stations_of_mark(&stations, 0x1199), STATION_UNKNOWN);
	assert_int_equal(stations_of_mark(&stations, 0), STATION_UNKNOWN);
	assert_true(stations_set(&stations, &wrong) < 0);
	wrong.mark = 0x1100;
	assert_true(stations_set(&stations, &wrong) < 0);
	wrong.mark = 0x1101;
	wrong.where = STATION_RESTRICTED + 1;
	assert_true(stations_set(&stations, &wrong) < 0);
	/* devices that left the policy */
	station(0x9901, STATION_ENFORCED);
	stations_prune(&stations, &directory);
	assert_int_equal(stations_of_device(&stations, 0x99), STATION_UNKNOWN);
	assert_int_equal(stations_of_device(&stations, 0x12), STATION_ENFORCED);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(not_allowed),
		TEST(audited),
		TEST(quarantined),
		TEST(service),
		TEST(inbound),
		TEST(peer),
		TEST(strangers),
		TEST(wrong_port),
		TEST(mac_alone),
		TEST(other_groups),
		TEST(rate_in_audit),
		TEST(inside_a_prefix),
		TEST(behind_a_router),
		TEST(a_mark_that_comes_before_its_meaning),
		TEST(without_a_policy),
		TEST(marks_are_remembered_and_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
