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
	struct policy *p = sample_full();

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
	assert_int_equal(im.n[IMAGE_DEVICES], 4);
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
	SPOIL(IMAGE_APPLIANCE, 0, image_appliance, brake_devices, 3, "a number of the appliance is out of range");
	SPOIL(IMAGE_APPLIANCE, 0, image_appliance, services.n, 60000, "the appliance's services are out of range");
	SPOIL(IMAGE_APPLIANCE, 0, image_appliance, services.n, 1, "a reach's boxes are out of range");
	SPOIL(IMAGE_INTERFACES, 0, image_interface, name, UINT32_MAX, "an interface's name is out of range");
	SPOIL(IMAGE_INTERFACES, 0, image_interface, name, 0, "interfaces are not valid, unique and sorted");
	SPOIL(IMAGE_AUTHORITIES, 0, image_authority, number, 0, "authorities are not numbered in order");
	SPOIL(IMAGE_AUTHORITIES, 0, image_authority, number, 99, "authorities are not numbered in order");
	SPOIL(IMAGE_AUTHORITIES, 0, image_authority, certificate, 1U << 31,
	    "an authority's certificate is out of range");
	SPOIL(IMAGE_AUTHORITIES, 0, image_authority, ca_len, LIMIT_FETCH_CA + 1,
	    "an authority's certificate is out of range");
	SPOIL(IMAGE_AUTHORITIES, 0, image_authority, refresh_s, 0,
	    "an authority's refresh or when_stale is out of range");
	SPOIL(IMAGE_SOURCES, 0, image_source, authority, 2, "a source is not valid");
	SPOIL(IMAGE_SOURCES, 0, image_source, url, 0, "a source is not valid");
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
	SPOIL(IMAGE_CLASSES, 1, image_class, refuse, 2, "a class's refuse or rate is not valid");
	SPOIL(IMAGE_CLASSES, 1, image_class, rate, 1, "a class's refuse or rate is not valid");
	SPOIL(IMAGE_CLASSES, 1, image_class, rate_burst, 1, "a class's refuse or rate is not valid");
	SPOIL(IMAGE_RULES, 0, image_rule, direction, 2, "a rule's direction or schedule is out of range");
	SPOIL(IMAGE_RULES, 0, image_rule, schedule, 1, "a rule's direction or schedule is out of range");
}

/* The sensor's: by address, then to the gateways and to its own class. */
static void
test_reaches(void **state)
{
	struct image im;
	const char *why;
	uint32_t first;

	(void)state;
	assert_int_equal(image_open(bytes, bytes_len, &im, &why), 0);
	first = image_class_named(&im, "sensor")->reaches.first;
	assert_true(image_class_named(&im, "sensor")->reaches.n > 1);
	SPOIL(IMAGE_CLASSES, 1, image_class, reaches.n, 99, "a class's reaches are out of range");
	SPOIL(IMAGE_REACHES, first, image_reach, direction, 2, "a reach's direction or schedule is out of range");
	SPOIL(IMAGE_REACHES, first, image_reach, schedule, 1, "a reach's direction or schedule is out of range");
	SPOIL(IMAGE_REACHES, first, image_reach, direction, REACH_IN, "reaches are not in order");
	SPOIL(IMAGE_REACHES, first + 1, image_reach, direction, REACH_IN, "a reach's peer is no class");
	SPOIL(IMAGE_REACHES, first + 1, image_reach, peer, 44, "a reach's peer is no class");
	SPOIL(IMAGE_REACHES, first + 1, image_reach, peer, 0, "reaches are not in order");
	SPOIL(IMAGE_REACHES, first, image_reach, boxes.n, 0, "a reach's boxes are out of range");
}

static void
test_boxes(void **state)
{
	struct image im;
	const char *why;
	uint32_t first;

	(void)state;
	assert_int_equal(image_open(bytes, bytes_len, &im, &why), 0);
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
	SPOIL(IMAGE_DEVICES, 3, image_device, number, 5, "devices are not numbered in order");
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
	SPOIL(IMAGE_DEVICES, 0, image_device, pad, 1, "a device's MAC is not valid");
	SPOIL(IMAGE_CERTIFICATES, 0, image_certificate, authority, 4, "a certificate's authority is none");
	SPOIL(IMAGE_CERTIFICATES, 0, image_certificate, serial_len, 0,
	    "a serial number is not in its shortest form");
	SPOIL(IMAGE_CERTIFICATES, 0, image_certificate, serial_len, 21,
	    "a serial number is not in its shortest form");
	SPOIL(IMAGE_CERTIFICATES, 0, image_certificate, serial[1], 7,
	    "a serial number is not in its shortest form");
	SPOIL(IMAGE_CERTIFICATES, 0, image_certificate, chain_len, 7, "a device's certificate is out of range");
}

static void
test_orders_and_text(void **state)
{
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
	*(char *)record(&s, IMAGE_TEXT, 2) = '\033';
	refused(&s, "the text holds what may not be shown", true);
	s = spoil();
	*(char *)record(&s, IMAGE_TEXT, s.h->sections[IMAGE_TEXT].n - 1) = 'x';
	refused(&s, "the text does not begin and end with NUL", true);
	s = spoil();
	*(uint32_t *)record(&s, IMAGE_WARNINGS, 0) = UINT32_MAX;
	refused(&s, "a warning is out of range", true);
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
		cmocka_unit_test(test_reaches),
		cmocka_unit_test(test_boxes),
		cmocka_unit_test(test_devices),
		cmocka_unit_test(test_orders_and_text),
		cmocka_unit_test(test_any_byte),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
