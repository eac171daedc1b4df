/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_image.c -- an image that breaks a rule is refused, and the rule is named. */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/image_check.h"
#include "proto/limits.h"
#include "sample.h"

static uint8_t *bytes;		/* the sample, as compiled */
static size_t bytes_len;

static int
setup(void **state)
{
	struct policy *p = sample_language();

	(void)state;
	sample_image(p, NULL, &bytes, &bytes_len);
	policy_free(p);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(bytes);
	return 0;
}

/* A copy to spoil. */
struct spoiled {
	uint8_t *data;
	struct image_header *h;
};

static struct spoiled
spoil(void)
{
	struct spoiled s = { .data = malloc(bytes_len) };

	assert_non_null(s.data);
	memcpy(s.data, bytes, bytes_len);
	s.h = (struct image_header *)(void *)s.data;
	return s;
}

static void *
record(struct spoiled *s, enum image_section section, uint32_t index)
{
	const struct image_section_ref *r = &s->h->sections[section];

	assert_true(index < r->n);
	return s->data + r->offset + (size_t)index * r->record;
}

/* With a digest that fits, or without; frees the copy. */
static void
refused(struct spoiled *s, const char *want, bool sign)
{
	const char *why;
	struct image im;

	if (sign)
		image_digest(s->h, s->h->digest);
	assert_int_equal(image_open(s->data, bytes_len, &im, &why), -EBADMSG);
	assert_string_equal(why, want);
	free(s->data);
}

static void
test_opens(void **state)
{
	const struct image_device *d;
	struct image im;
	const char *why;
	struct addr a;

	(void)state;
	assert_int_equal(image_open(bytes, bytes_len, &im, &why), 0);
	assert_int_equal(im.n[IMAGE_DEVICES], 6);
	d = image_device_named(&im, "sensor-2");
	assert_non_null(d);
	assert_ptr_equal(image_device(&im, d->number), d);
	assert_ptr_equal(image_device_with_mac(&im, (const uint8_t[]){ 2, 0, 0, 0, 0, 2 }), d);
	assert_int_equal(addr_parse("10.10.0.12", &a), 0);
	assert_ptr_equal(image_device_with_address(&im, a.family, a.bytes), d);
	assert_int_equal(addr_parse("fd10::11", &a), 0);
	assert_ptr_equal(image_device_with_address(&im, a.family, a.bytes), image_device_named(&im, "sensor-1"));
	assert_int_equal(addr_parse("fd10::12", &a), 0);
	assert_null(image_device_with_address(&im, a.family, a.bytes));
	assert_null(image_device_with_mac(&im, (const uint8_t[]){ 2, 0, 0, 0, 0, 9 }));
	assert_null(image_device_named(&im, "nobody"));
	assert_null(image_device(&im, 77));
	assert_int_equal(image_class_named(&im, "quarantine")->number, 0);
	assert_string_equal(image_text(&im, image_class(&im, d->class_number)->name), "sensor");
	assert_int_equal(image_authority_named(&im, "factory-ca")->sources.n, 1);
	assert_null(image_authority(&im, 9));
}

static void
test_frame(void **state)
{
	struct spoiled s;
	struct image im;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < bytes_len; i += 7) {
		assert_int_equal(image_open(bytes, i, &im, &why), -EBADMSG);
		assert_non_null(why);
	}
	s = spoil();
	s.h->version++;
	assert_int_equal(image_open(s.data, bytes_len, &im, &why), -EPROTO);
	free(s.data);
	s = spoil();
	s.data[0] ^= 1;
	refused(&s, "not a policy image", false);
	s = spoil();
	s.data[bytes_len - 9] ^= 1;
	refused(&s, "damaged: the digest does not fit", false);
	s = spoil();
	s.h->next_device ^= 1;
	refused(&s, "damaged: the digest does not fit", false);
	s = spoil();
	s.h->sections[IMAGE_BOXES].n = UINT32_MAX;
	refused(&s, "a section is out of place", true);
	s = spoil();
	s.h->sections[IMAGE_BOXES].offset += 8;
	refused(&s, "a section is out of place", true);
	s = spoil();
	s.h->sections[IMAGE_BOXES].record--;
	refused(&s, "a section has records of another size", true);
}

struct image_url_ref { uint32_t text; };

/* One line per rule: which field gets which value, and what is said. */
#define SPOIL(section, index, type, field, value, want) do {	\
	struct spoiled s_ = spoil();				\
	struct type *r_ = record(&s_, section, index);		\
	r_->field = (value);					\
	refused(&s_, want, true);				\
} while (0)

static void
test_appliance_and_authorities(void **state)
{
	(void)state;
	SPOIL(IMAGE_APPLIANCE, 0, image_appliance, log_group, 0, "a number of the appliance is out of range");
	SPOIL(IMAGE_APPLIANCE, 0, image_appliance, hook_priority, -200, "a number of the appliance is out of range");
	SPOIL(IMAGE_APPLIANCE, 0, image_appliance, brake_within_s, 0, "a number of the appliance is out of range");
	SPOIL(IMAGE_APPLIANCE, 0, image_appliance, services.n, 60000, "the appliance's services are out of range");
	SPOIL(IMAGE_APPLIANCE, 0, image_appliance, services.n, 1, "a reach's boxes are out of range");
	SPOIL(IMAGE_INTERFACES, 0, image_interface, name, UINT32_MAX, "an interface's name is out of range");
	SPOIL(IMAGE_INTERFACES, 0, image_interface, name, 0, "interfaces are not valid, unique and sorted");
	SPOIL(IMAGE_AUTHORITIES, 0, image_authority, number, 0, "authorities are not numbered in order");
	SPOIL(IMAGE_AUTHORITIES, 0, image_authority, number, 99, "authorities are not numbered in order");
	SPOIL(IMAGE_ISSUERS, 0, image_issuer, certificate, 1U << 31, "an authority's certificate is out of range");
	SPOIL(IMAGE_ISSUERS, 0, image_issuer, role, ISSUER_CRL, "an authority's certificates are not in order");
	SPOIL(IMAGE_AUTHORITIES, 0, image_authority, issuers.n, 0, "an authority's certificates are out of range");
	SPOIL(IMAGE_SOURCES, 0, image_source, ca_len, LIMIT_FETCH_CA + 1, "a source's CA is out of range");
	SPOIL(IMAGE_AUTHORITIES, 0, image_authority, refresh_s, 0,
	    "an authority's refresh or when_stale is out of range");
	SPOIL(IMAGE_SOURCES, 0, image_source, authority, 2, "a source is not valid");
	SPOIL(IMAGE_SOURCES, 0, image_source, urls.n, 0, "a source's addresses are out of range");
	SPOIL(IMAGE_URLS, 0, image_url_ref, text, 0, "a source's address is not valid");
}

static void
test_classes(void **state)
{
	(void)state;
	SPOIL(IMAGE_CLASSES, 0, image_class, number, 1, "there are too many classes, or quarantine is missing");
	SPOIL(IMAGE_CLASSES, 2, image_class, number, 1, "classes are not numbered in order");
	SPOIL(IMAGE_CLASSES, 0, image_class, mode, MODE_AUDIT, "class 0 is not quarantine");
	SPOIL(IMAGE_CLASSES, 1, image_class, mode, 2, "a class's mode is not valid");
	SPOIL(IMAGE_CLASSES, 1, image_class, named, 0, "a class is not marked as named, or is without reason");
	SPOIL(IMAGE_CLASSES, 1, image_class, rules.first, 0, "a class's rules are out of range");
	SPOIL(IMAGE_RULES, 0, image_rule, boxes.n, 99, "a rule's boxes are out of range");
	SPOIL(IMAGE_RULE_BOXES, 1, image_rule_box, peer, 44, "a rule names a class that is none");
	SPOIL(IMAGE_RULE_BOXES, 0, image_rule_box, peer, 1, "a rule of quarantine names a class");
	SPOIL(IMAGE_RULE_BOXES, 0, image_rule_box, box.kind, BOX_KINDS, "a rule's box is not valid");
	/* The gateway's, which has neither. */
	SPOIL(IMAGE_CLASSES, 1, image_class, refuse, 2, "a class's refuse or rate is not valid");
	SPOIL(IMAGE_CLASSES, 1, image_class, rate, 1, "a class's refuse or rate is not valid");
	SPOIL(IMAGE_CLASSES, 1, image_class, rate_burst, 1, "a class's refuse or rate is not valid");
	SPOIL(IMAGE_CLASSES, 2, image_class, rate, LIMIT_RATE + 1, "a class's refuse or rate is not valid");
	SPOIL(IMAGE_CLASSES, 2, image_class, rate_burst, LIMIT_RATE + 1, "a class's refuse or rate is not valid");
	SPOIL(IMAGE_CLASSES, 0, image_class, refuse, REFUSE_REJECT, "a class's refuse or rate is not valid");
	SPOIL(IMAGE_CLASSES, 1, image_class, hints, CLASS_HINTS + 1, "a class's mode is not valid");
}

static struct image
untouched(void)
{
	struct image im;
	const char *why;

	assert_int_equal(image_open(bytes, bytes_len, &im, &why), 0);
	return im;
}

/* Quarantine's is rule 0, the gateway's rule 1; the sensor's last two come in. */
static void
test_rules(void **state)
{
	struct image im = untouched();
	const struct image_class *sensor = image_class_named(&im, "sensor");
	uint32_t last = sensor->rules.first + sensor->rules.n - 1, k;

	(void)state;
	assert_int_equal(im.rules[last].direction, REACH_IN);
	assert_int_equal(im.rules[last - 2].direction, REACH_OUT);
	SPOIL(IMAGE_RULES, 1, image_rule, direction, 2, "a rule's direction or schedule is out of range");
	SPOIL(IMAGE_RULES, 1, image_rule, schedule, 3, "a rule's direction or schedule is out of range");
	SPOIL(IMAGE_RULES, 1, image_rule, pad[2], 1, "a rule's direction or schedule is out of range");
	SPOIL(IMAGE_RULES, 0, image_rule, direction, REACH_IN, "a rule of quarantine comes in, or not always");
	SPOIL(IMAGE_RULES, 0, image_rule, schedule, 1, "a rule of quarantine comes in, or not always");
	SPOIL(IMAGE_RULES, last, image_rule, direction, REACH_OUT, "rules that come in stand before others");
	for (k = im.rules[sensor->rules.first].boxes.first; im.rule_boxes[k].name == 0; k++)
		;
	SPOIL(IMAGE_RULE_BOXES, k, image_rule_box, peer, 1, "a rule's host name is not valid");
	SPOIL(IMAGE_RULE_BOXES, im.rules[last].boxes.first, image_rule_box, name, im.rule_boxes[k].name,
	    "a host name comes in");
}

static void
test_reaches(void **state)
{
	struct image im = untouched();
	const struct image_class *sensor = image_class_named(&im, "sensor");
	const struct image_reach *r = im.reaches + sensor->reaches.first;
	uint32_t first = sensor->reaches.first;

	(void)state;
	/* By address, to the gateways, to its own; at night by address; who comes in. */
	assert_int_equal(sensor->reaches.n, 5);
	assert_true(r[1].peer != 0 && r[3].schedule == 2 && r[4].direction == REACH_IN);
	SPOIL(IMAGE_CLASSES, 1, image_class, reaches.n, 99, "a class's reaches are out of range");
	SPOIL(IMAGE_REACHES, first, image_reach, direction, 2, "a reach's direction or schedule is out of range");
	SPOIL(IMAGE_REACHES, first, image_reach, schedule, 3, "a reach's direction or schedule is out of range");
	SPOIL(IMAGE_REACHES, first, image_reach, pad[0], 1, "a reach's direction or schedule is out of range");
	SPOIL(IMAGE_REACHES, first, image_reach, direction, REACH_IN, "reaches are not in order");
	SPOIL(IMAGE_REACHES, first + 1, image_reach, direction, REACH_IN, "a reach's peer is no class");
	SPOIL(IMAGE_REACHES, first + 1, image_reach, peer, 44, "a reach's peer is no class");
	SPOIL(IMAGE_REACHES, first + 1, image_reach, peer, 0, "reaches are not in order");
	SPOIL(IMAGE_REACHES, first + 1, image_reach, schedule, 2, "reaches are not in order");
	SPOIL(IMAGE_REACHES, first, image_reach, boxes.n, 0, "a reach's boxes are out of range");
	SPOIL(IMAGE_REACHES, 0, image_reach, direction, REACH_IN, "quarantine reaches more than addresses");
	SPOIL(IMAGE_REACHES, 0, image_reach, schedule, 1, "quarantine reaches more than addresses");
}

static void
test_schedules(void **state)
{
	struct image im = untouched();
	const char *range = "a schedule's windows are out of range";
	const char *order = "a schedule's windows are not apart and in order";

	(void)state;
	/* daily has one window, nightly three. */
	assert_string_equal(image_text(&im, im.schedules[0].name), "daily");
	assert_int_equal(im.n[IMAGE_WINDOWS], 4);
	SPOIL(IMAGE_SCHEDULES, 0, image_schedule, name, 0, "a schedule is not valid");
	SPOIL(IMAGE_SCHEDULES, 0, image_schedule, zone, UINT32_MAX, "a schedule is not valid");
	SPOIL(IMAGE_SCHEDULES, 0, image_schedule, where.file, UINT32_MAX, "a schedule is not valid");
	SPOIL(IMAGE_SCHEDULES, 0, image_schedule, days, 0, "a schedule is not valid");
	SPOIL(IMAGE_SCHEDULES, 0, image_schedule, days, 128, "a schedule is not valid");
	SPOIL(IMAGE_SCHEDULES, 0, image_schedule, from_s, 86400, "a schedule is not valid");
	SPOIL(IMAGE_SCHEDULES, 0, image_schedule, to_s, 86401, "a schedule is not valid");
	SPOIL(IMAGE_SCHEDULES, 1, image_schedule, name, im.schedules[0].name, "schedules are not unique and sorted");
	SPOIL(IMAGE_SCHEDULES, 0, image_schedule, windows.n, 5, range);
	SPOIL(IMAGE_SCHEDULES, 1, image_schedule, windows.n, LIMIT_WINDOWS + 1, range);
	SPOIL(IMAGE_SCHEDULES, 1, image_schedule, windows.n, 2, "records belong to nobody");
	SPOIL(IMAGE_WINDOWS, 1, image_window, from, -1, order);
	SPOIL(IMAGE_WINDOWS, 1, image_window, to, im.windows[1].from, order);
	SPOIL(IMAGE_WINDOWS, 1, image_window, to, im.windows[2].from, order);
	SPOIL(IMAGE_WINDOWS, 3, image_window, to, INT64_MAX / 1000000000 + 1, order);
}

static void
test_boxes(void **state)
{
	struct image im = untouched();
	uint32_t first;

	(void)state;
	first = im.reaches[image_class_named(&im, "sensor")->reaches.first].boxes.first;
	SPOIL(IMAGE_BOXES, first, image_box, pad, 1, "a box is not valid");
	SPOIL(IMAGE_BOXES, first, image_box, protocol, IPPROTO_GRE, "a box is not valid");
	SPOIL(IMAGE_BOXES, first, image_box, family, AF_UNIX, "a box is not valid");
	SPOIL(IMAGE_BOXES, first, image_box, high, 0, "a box is not valid");
	SPOIL(IMAGE_BOXES, first, image_box, last[4], 1, "a box is not valid");
	SPOIL(IMAGE_BOXES, first, image_box, last[0], 0, "a box is not valid");
	SPOIL(IMAGE_BOXES, first + 1, image_box, low, 1, "boxes are not sorted");
	/* 192.0.2.7 on 400 to 442 is first, then its whole prefix on 443. */
	SPOIL(IMAGE_BOXES, first, image_box, high, 443, "boxes overlap");
}

static void
test_devices(void **state)
{
	(void)state;
	SPOIL(IMAGE_DEVICES, 0, image_device, number, 0, "devices are not numbered in order");
	SPOIL(IMAGE_DEVICES, 3, image_device, number, 7, "devices are not numbered in order");
	SPOIL(IMAGE_DEVICES, 0, image_device, name, 0, "a device's name is not valid");
	SPOIL(IMAGE_DEVICES, 0, image_device, class_number, 0, "a device's class is none");
	SPOIL(IMAGE_DEVICES, 0, image_device, class_number, 9, "a device's class is none");
	SPOIL(IMAGE_DEVICES, 0, image_device, interface, 1U << 30, "a device's port is no device interface");
	SPOIL(IMAGE_DEVICES, 0, image_device, interface, 1, "a device's port is no device interface");
	SPOIL(IMAGE_DEVICES, 0, image_device, mac[0], 1, "a device's MAC is not valid");
	SPOIL(IMAGE_DEVICES, 0, image_device, mac[5], 4, "two devices have one MAC");
	SPOIL(IMAGE_DEVICES, 1, image_device, addresses.first, 9, "a device's parts are out of range");
	SPOIL(IMAGE_DEVICES, 1, image_device, addresses.n, LIMIT_ADDRESSES_PER_DEVICE + 1,
	    "a device's parts are out of range");
	SPOIL(IMAGE_ADDRESSES, 0, image_address, family, 0, "a device's address is not valid");
	SPOIL(IMAGE_ADDRESSES, 0, image_address, bytes[0], 0xff, "a device's address is not valid");
	SPOIL(IMAGE_ADDRESSES, 0, image_address, prefix, 24, "a device's address is not valid");
	SPOIL(IMAGE_DEVICES, 0, image_device, flags, DEVICE_FLAGS + 1, "a device's MAC is not valid");
	SPOIL(IMAGE_CERTIFICATES, 0, image_certificate, authority, 4, "a certificate's authority is none");
	SPOIL(IMAGE_CERTIFICATES, 0, image_certificate, serial_len, 0,
	    "a serial number is not in its shortest form");
	SPOIL(IMAGE_CERTIFICATES, 0, image_certificate, serial_len, 21,
	    "a serial number is not in its shortest form");
	SPOIL(IMAGE_CERTIFICATES, 0, image_certificate, serial[1], 7,
	    "a serial number is not in its shortest form");
	SPOIL(IMAGE_CERTIFICATES, 0, image_certificate, chain_len, 7, "a device's certificate is out of range");
}

/* alpha and bare have a MAC, behind stands behind one router, beyond behind any;
 * sensor-2 has an address and a prefix. */
static void
test_identities(void **state)
{
	const char *mac = "a device's MAC is not valid", *address = "a device's address is not valid";
	const char *length = "an order has another length than what it orders";
	const char *place = "a device behind a router has no address or no port";
	struct image im = untouched();
	const struct image_device *two = image_device_named(&im, "sensor-2");
	uint32_t prefix = two->addresses.first + 1, behind = im.devices[2].addresses.first;

	(void)state;
	assert_int_equal(im.devices[2].identity, IDENTITY_VIA);
	assert_int_equal(im.devices[3].identity, IDENTITY_ROUTED);
	assert_int_equal(im.addresses[prefix].prefix, 64);
	SPOIL(IMAGE_DEVICES, 0, image_device, identity, IDENTITY_ROUTED + 1, mac);
	SPOIL(IMAGE_DEVICES, 0, image_device, identity, IDENTITY_ROUTED, mac);
	SPOIL(IMAGE_DEVICES, 3, image_device, mac[0], 2, mac);
	SPOIL(IMAGE_DEVICES, 3, image_device, identity, IDENTITY_VIA, mac);
	SPOIL(IMAGE_DEVICES, 2, image_device, mac[0], 3, mac);
	SPOIL(IMAGE_DEVICES, 2, image_device, identity, IDENTITY_OWN, length);
	SPOIL(IMAGE_DEVICES, 4, image_device, identity, IDENTITY_VIA, length);
	SPOIL(IMAGE_DEVICES, 2, image_device, mac[5], 3, "a device stands behind another");
	SPOIL(IMAGE_DEVICES, 2, image_device, interface, 0, place);
	SPOIL(IMAGE_DEVICES, 3, image_device, interface, 0, place);
	SPOIL(IMAGE_DEVICES, 2, image_device, addresses.n, 0, place);
	SPOIL(IMAGE_ADDRESSES, prefix, image_address, prefix, 63, address);
	SPOIL(IMAGE_ADDRESSES, prefix, image_address, bytes[8], 1, address);
	SPOIL(IMAGE_ADDRESSES, prefix, image_address, bytes[15], 1, address);
	SPOIL(IMAGE_ADDRESSES, prefix, image_address, prefix, 128, length);
	SPOIL(IMAGE_ADDRESSES, behind, image_address, prefix, 64, address);
	SPOIL(IMAGE_ADDRESSES, behind, image_address, pad[1], 1, address);
}

/* What one field cannot show. */
static void
test_prefixes(void **state)
{
	struct image im = untouched();
	const struct image_device *two = image_device_named(&im, "sensor-2");
	uint32_t prefix = two->addresses.first + 1;
	struct image_address *a;
	struct image_device *d;
	struct spoiled s;

	(void)state;
	s = spoil();
	a = record(&s, IMAGE_ADDRESSES, prefix);
	a[-1] = *a;
	refused(&s, "a device has a prefix twice", true);
	s = spoil();
	a = record(&s, IMAGE_ADDRESSES, im.devices[2].addresses.first);
	*a = im.addresses[prefix];
	refused(&s, "a device behind a router has a prefix", true);
	s = spoil();
	a = record(&s, IMAGE_ADDRESSES, prefix);
	memcpy(a->bytes, "\xfe\x80\0\0\0\0\0\0", 8);
	refused(&s, "a device's address is not valid", true);
	/* As many as before, but another one. */
	s = spoil();
	d = record(&s, IMAGE_DEVICES, 2);
	d->identity = IDENTITY_OWN;
	d = record(&s, IMAGE_DEVICES, (uint32_t)(two - im.devices));
	d->identity = IDENTITY_VIA;
	a = record(&s, IMAGE_ADDRESSES, prefix);
	a->prefix = 128;
	a->bytes[15] = 1;
	d->interface = im.devices[2].interface;
	refused(&s, "an order holds what it does not order", true);
}

static void
test_orders_and_text(void **state)
{
	struct image im = untouched();
	struct spoiled s;
	uint32_t *order;

	(void)state;
	s = spoil();
	order = record(&s, IMAGE_BY_NAME, 1);
	*order = 77;
	refused(&s, "an order leads out of the devices", true);
	s = spoil();
	order = record(&s, IMAGE_BY_NAME, 1);
	order[0] = order[1];
	refused(&s, "two devices have one name", true);
	s = spoil();
	order = record(&s, IMAGE_BY_ADDRESS, 0);
	*order = 77;
	refused(&s, "an order leads out of the addresses", true);
	s = spoil();
	order = record(&s, IMAGE_BY_ADDRESS, 0);
	order[1] = order[0];
	refused(&s, "an address is used twice", true);
	s = spoil();
	order = record(&s, IMAGE_BY_ADDRESS, 0);
	*order = image_device_named(&im, "sensor-2")->addresses.first + 1;
	refused(&s, "an order holds what it does not order", true);
	s = spoil();
	order = record(&s, IMAGE_BY_MAC, 0);
	*order = 77;
	refused(&s, "an order leads out of the devices", true);
	s = spoil();
	order = record(&s, IMAGE_BY_MAC, 0);
	order[1] = order[0];
	refused(&s, "two devices have one MAC", true);
	s = spoil();
	order = record(&s, IMAGE_BY_MAC, 0);
	order[1] = 2;
	refused(&s, "an order holds what it does not order", true);
	s = spoil();
	*(char *)record(&s, IMAGE_TEXT, 2) = '\033';
	refused(&s, "the text holds what may not be shown", true);
	s = spoil();
	*(char *)record(&s, IMAGE_TEXT, s.h->sections[IMAGE_TEXT].n - 1) = 'x';
	refused(&s, "the text does not begin and end with NUL", true);
	s = spoil();
	*(uint32_t *)record(&s, IMAGE_WARNINGS, 0) = UINT32_MAX;
	refused(&s, "a warning is out of range", true);
	s = spoil();
	((struct image_file *)record(&s, IMAGE_FILES, 0))->flags = FILE_FLAGS + 1;
	refused(&s, "a file is not valid", true);
	s = spoil();
	((struct image_file *)record(&s, IMAGE_FILES, 0))->path = UINT32_MAX;
	refused(&s, "a file is not valid", true);
	s = spoil();
	s.h->settled = s.h->sections[IMAGE_WARNINGS].n + 1;
	refused(&s, "too many warnings", true);
	s = spoil();
	s.h->next_device = LIMIT_DEVICE_NUMBER + 2;
	refused(&s, "the next numbers are out of range", true);
}

/* Whatever single byte changes under a digest that fits, opening does not crash,
 * and what opens still answers. */
static void
test_any_byte(void **state)
{
	struct spoiled s = spoil();
	struct image im;
	const char *why;
	size_t i;
	int rc;

	(void)state;
	for (i = sizeof(*s.h) - sizeof(s.h->sections); i < bytes_len; i++) {
		s.data[i] ^= (uint8_t)(1 << i % 8);
		image_digest(s.h, s.h->digest);
		rc = image_open(s.data, bytes_len, &im, &why);
		assert_true(rc == 0 || (rc == -EBADMSG && why != NULL));
		if (rc == 0)
			assert_non_null(image_device(&im, im.devices[0].number));
		s.data[i] = bytes[i];
	}
	free(s.data);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_opens),
		cmocka_unit_test(test_frame),
		cmocka_unit_test(test_appliance_and_authorities),
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_reaches),
		cmocka_unit_test(test_schedules),
		cmocka_unit_test(test_boxes),
		cmocka_unit_test(test_devices),
		cmocka_unit_test(test_identities),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_orders_and_text),
		cmocka_unit_test(test_any_byte),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
