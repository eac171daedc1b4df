/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_compile.c -- numbers stay, mistakes are all found, boxes are canonical. */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/limits.h"
#include "sample.h"

static struct mistakes m;

static int
setup(void **state)
{
	(void)state;
	mistakes_init(&m);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	mistakes_done(&m);
	return 0;
}

static bool
said(char **lines, size_t n, const char *what)
{
	size_t i;

	for (i = 0; i < mistakes_kept(n); i++)
		if (strstr(lines[i], what) != NULL)
			return true;
	for (i = 0; i < mistakes_kept(n); i++)
		print_message("%s\n", lines[i]);
	return false;
}

static void
refuse(struct policy *p)
{
	uint8_t *bytes = NULL;
	size_t len;

	assert_int_equal(compile_policy(p, NULL, &m, &bytes, &len), -EINVAL);
	assert_null(bytes);
	policy_free(p);
}

static void
test_empty(void **state)
{
	uint8_t *bytes;
	struct image im;
	const char *why;
	size_t len;

	(void)state;
	assert_int_equal(compile_empty(&bytes, &len), 0);
	assert_int_equal(image_open(bytes, len, &im, &why), 0);
	assert_int_equal(im.n[IMAGE_CLASSES], 1);
	assert_int_equal(im.n[IMAGE_DEVICES], 0);
	assert_int_equal(im.n[IMAGE_INTERFACES], 0);
	assert_int_equal(im.header->next_device, 1);
	assert_null(image_device_named(&im, "x"));
	free(bytes);
}

static void
test_numbers_stay(void **state)
{
	uint8_t *bytes, *next_bytes;
	struct image im, next;
	struct policy *p = sample_full();
	uint32_t sensor, alpha, two;
	size_t len;

	(void)state;
	im = sample_image(p, NULL, &bytes, &len);
	sensor = image_class_named(&im, "sensor")->number;
	alpha = image_device_named(&im, "alpha")->number;
	two = image_device_named(&im, "sensor-2")->number;
	assert_int_equal(im.header->next_device, 5);
	assert_int_equal(im.header->next_class, 3);
	policy_free(p);

	/* sensor-1 and the class gateway's other device go, others come before all in order of names. */
	p = sample_new();
	sample_authority(p, "factory-ca", "http://pki.example/factory.crl");
	sample_class(p, "a-new-one");
	sample_class(p, "sensor");
	sample_device(p, "aaa", "a-new-one", 9, NULL, NULL, NULL, 0);
	sample_device(p, "sensor-2", "sensor", 2, NULL, NULL, NULL, 0);
	sample_device(p, "alpha", "sensor", 3, NULL, NULL, NULL, 0);
	next = sample_image(p, &im, &next_bytes, &len);
	assert_int_equal(image_class_named(&next, "sensor")->number, sensor);
	assert_int_equal(image_class_named(&next, "a-new-one")->number, 3);
	assert_int_equal(image_device_named(&next, "alpha")->number, alpha);
	assert_int_equal(image_device_named(&next, "sensor-2")->number, two);
	assert_int_equal(image_device_named(&next, "aaa")->number, 5);
	assert_int_equal(next.header->next_device, 6);
	assert_int_equal(next.header->next_class, 4);
	assert_int_equal(next.header->next_authority, 2);
	assert_string_equal(image_text(&next, image_device(&next, two)->name), "sensor-2");
	free(bytes);
	policy_free(p);

	/* One that went comes back as a new one: its old number may stand in evidence. */
	p = sample_new();
	sample_class(p, "gateway");
	im = sample_image(p, &next, &bytes, &len);
	assert_int_equal(image_class_named(&im, "gateway")->number, 4);
	free(bytes);
	free(next_bytes);
	policy_free(p);
}

static void
test_numbers_run_out(void **state)
{
	struct policy *p = sample_full();
	struct image_header header;
	uint8_t *bytes, *next = NULL;
	struct image im;
	size_t len;

	(void)state;
	im = sample_image(p, NULL, &bytes, &len);
	policy_free(p);
	header = *im.header;
	im.header = &header;
	p = sample_new();
	sample_class(p, "c");
	sample_device(p, "d", "c", 1, NULL, NULL, NULL, 0);
	header.next_device = LIMIT_DEVICE_NUMBER;
	assert_int_equal(compile_policy(p, &im, &m, &next, &len), 0);
	free(next);
	header.next_device = LIMIT_DEVICE_NUMBER + 1;
	assert_int_equal(compile_policy(p, &im, &m, &next, &len), -EINVAL);
	assert_true(said(m.lines, m.n, "all numbers were given out once"));
	/* one number is left, and two want it */
	mistakes_done(&m);
	mistakes_init(&m);
	sample_device(p, "e", "c", 2, NULL, NULL, NULL, 0);
	header.next_device = LIMIT_DEVICE_NUMBER;
	assert_int_equal(compile_policy(p, &im, &m, &next, &len), -EINVAL);
	policy_free(p);
	free(bytes);
}

static void
test_contents(void **state)
{
	struct policy *p = sample_full();
	const struct image_class *c;
	const struct image_reach *peer;
	uint8_t *bytes;
	struct image im;
	size_t len;

	(void)state;
	im = sample_image(p, NULL, &bytes, &len);
	c = image_class_named(&im, "sensor");
	/* 192.0.2.0/24 on 443 is cut by 192.0.2.7 on 400 to 500: below, at and above 443. */
	assert_int_equal(c->rules.n, 11);
	assert_int_equal(c->named, 1);
	assert_int_equal(c->reaches.n, 3);
	assert_int_equal(im.reaches[c->reaches.first].peer, 0);
	peer = &im.reaches[c->reaches.first + 1];
	assert_int_equal(peer->peer, image_class_named(&im, "gateway")->number);
	assert_int_equal(peer->boxes.n, 2);
	assert_int_equal(im.boxes[peer->boxes.first].family, 0);
	assert_int_equal(im.boxes[peer->boxes.first + 1].kind, BOX_ICMP);
	assert_int_equal(im.boxes[peer->boxes.first + 1].family, AF_INET);
	assert_int_equal(im.reaches[image_class_named(&im, "quarantine")->reaches.first].boxes.n, 1);
	assert_int_equal(im.appliance->services.n, 2);
	assert_int_equal(im.n[IMAGE_LABELS], 1);
	assert_int_equal(im.n[IMAGE_CERTIFICATES], 2);
	assert_true(im.n[IMAGE_WARNINGS] > 0);
	free(bytes);
	policy_free(p);
}

/* Same declarations in another order: same image but for lines. */
static void
test_order_does_not_show(void **state)
{
	static const char *const to[] = { "10.0.0.0/24", "10.0.0.7", "10.0.1.0/24", "fd00::/64" };
	uint8_t *a, *b;
	struct image x, y;
	size_t len_a, len_b, i;
	struct class_decl *c;
	struct policy *p;

	(void)state;
	p = sample_new();
	c = sample_class(p, "one");
	for (i = 0; i < 4; i++)
		sample_rule(p, c, to[i], BOX_PORTS, IPPROTO_TCP, (uint16_t)(80 + i), 100);
	sample_class(p, "two");
	sample_device(p, "d1", "one", 1, "10.1.0.1", NULL, NULL, 0);
	sample_device(p, "d2", "two", 2, "10.1.0.2", NULL, NULL, 0);
	x = sample_image(p, NULL, &a, &len_a);
	policy_free(p);
	p = sample_new();
	sample_class(p, "two");
	c = sample_class(p, "one");
	for (i = 4; i-- > 0;)
		sample_rule(p, c, to[i], BOX_PORTS, IPPROTO_TCP, (uint16_t)(80 + i), 100);
	sample_device(p, "d2", "two", 2, "10.1.0.2", NULL, NULL, 0);
	sample_device(p, "d1", "one", 1, "10.1.0.1", NULL, NULL, 0);
	y = sample_image(p, NULL, &b, &len_b);
	policy_free(p);
	assert_int_equal(x.n[IMAGE_BOXES], y.n[IMAGE_BOXES]);
	assert_memory_equal(x.boxes, y.boxes, x.n[IMAGE_BOXES] * sizeof(*x.boxes));
	assert_memory_equal(x.addresses, y.addresses, x.n[IMAGE_ADDRESSES] * sizeof(*x.addresses));
	assert_int_equal(image_device_named(&x, "d1")->number, image_device_named(&y, "d1")->number);
	assert_int_equal(image_class_named(&x, "two")->number, image_class_named(&y, "two")->number);
	free(a);
	free(b);
}

static void
test_duplicates(void **state)
{
	struct policy *p = sample_new();
	struct device_decl *d;

	(void)state;
	sample_authority(p, "ca", "http://a.example/x");
	sample_authority(p, "ca", "http://a.example/x");
	sample_class(p, "c");
	sample_class(p, "c");
	sample_device(p, "d", "c", 1, "10.0.0.1", NULL, "ca", 1);
	sample_device(p, "d", "c", 2, "10.0.0.2", NULL, "ca", 2);
	sample_device(p, "e", "c", 2, "10.0.0.1", NULL, "ca", 1);
	d = sample_device(p, "f", "c", 4, "fd00::1", NULL, NULL, 0);
	sample_address(d, "fd00::1");
	refuse(p);
	assert_int_equal(m.n, 6);
	assert_true(said(m.lines, m.n, "authority \"ca\" is declared twice: the first is at sample.conf:"));
	assert_true(said(m.lines, m.n, "class \"c\" is declared twice"));
	assert_true(said(m.lines, m.n, "device \"d\" is declared twice"));
	assert_true(said(m.lines, m.n, "device \"e\" has the MAC 02:00:00:00:00:02 of device \"d\""));
	assert_true(said(m.lines, m.n, "device \"e\" has the address 10.0.0.1 of device \"d\""));
	assert_true(said(m.lines, m.n, "device \"f\" has the address fd00::1 twice"));
	assert_true(said(m.warnings, m.n_warnings, "revoking it quarantines both"));
}

static void
test_references(void **state)
{
	struct policy *p = sample_new();
	struct class_decl *c = sample_class(p, "c");

	(void)state;
	sample_rule(p, c, "class:nobody", BOX_PORTS, IPPROTO_TCP, 1, 1);
	sample_quarantine(p, "class:c", 1);
	sample_class(p, "quarantine");
	sample_device(p, "d", "none", 1, NULL, "wan0", "no-ca", 1);
	refuse(p);
	assert_int_equal(m.n, 6);
	assert_true(said(m.lines, m.n, "class \"nobody\" is not declared"));
	assert_true(said(m.lines, m.n, "class \"none\" is not declared"));
	assert_true(said(m.lines, m.n, "\"wan0\" is no device interface"));
	assert_true(said(m.lines, m.n, "authority \"no-ca\" is not declared"));
	assert_true(said(m.lines, m.n, "a quarantined device may reach no other device"));
	assert_true(said(m.lines, m.n, "\"quarantine\" is reserved"));
}

/* When a file could not be read, what it may declare is not missed. */
static void
test_incomplete(void **state)
{
	struct policy *p = sample_new();
	uint8_t *bytes;
	size_t len;

	(void)state;
	p->incomplete = true;
	mistakes_add(&m, "classes.d/x.conf", 3, "syntax error");
	sample_device(p, "d", "none", 1, NULL, "wan0", "no-ca", 1);
	assert_int_equal(compile_policy(p, NULL, &m, &bytes, &len), -EINVAL);
	assert_int_equal(m.n, 1);
	policy_free(p);
}

static void
test_no_interfaces(void **state)
{
	struct policy *p = policy_new();

	(void)state;
	refuse(p);
	assert_int_equal(m.n, 1);
	assert_true(said(m.lines, m.n, "no device interface is named"));
}

static void
test_limits(void **state)
{
	struct policy *p = sample_new();
	struct class_decl *c = sample_class(p, "c");
	struct device_decl *d;
	uint8_t *bytes;
	char text[32];
	size_t i, len;

	(void)state;
	for (i = 0; i < LIMIT_RULES_PER_CLASS; i++)
		sample_rule(p, c, "10.0.0.1", BOX_PORTS, IPPROTO_TCP, (uint16_t)(i + 1), (uint16_t)(i + 1));
	d = sample_device(p, "d", "c", 1, NULL, NULL, NULL, 0);
	for (i = 0; i < LIMIT_ADDRESSES_PER_DEVICE; i++) {
		snprintf(text, sizeof(text), "10.9.0.%zu", i + 1);
		sample_address(d, text);
	}
	sample_image(p, NULL, &bytes, &len);
	free(bytes);
	sample_rule(p, c, "10.0.0.1", BOX_PORTS, IPPROTO_TCP, 1, 1);
	sample_address(d, "10.9.1.1");
	refuse(p);
	assert_int_equal(m.n, 2);
	assert_true(said(m.lines, m.n, "has 4097 rules: at most 4096"));
	assert_true(said(m.lines, m.n, "has 17 addresses: at most 16"));
}

/* A policy of so many of everything that is counted, one device per class at least. */
static struct policy *
many(uint32_t devices, uint32_t classes, uint32_t authorities, uint32_t sources, uint32_t interfaces)
{
	struct policy *p = sample_new();
	struct appliance_decl *a = &p->appliance;
	struct device_decl *d;
	char text[32];
	uint32_t i;

	for (i = 0; i < classes; i++) {
		snprintf(text, sizeof(text), "c%u", i);
		sample_class(p, text);
	}
	for (i = 0; i < authorities; i++) {
		snprintf(text, sizeof(text), "a%u", i);
		sample_authority(p, text, "http://a.example/x");
	}
	for (i = authorities; i < sources; i++) {
		struct authority_decl *first = &p->authorities[0];

		(void)sample_source(first, "http://a.example/x");
	}
	for (i = (uint32_t)a->n_interfaces; i < interfaces; i++) {
		snprintf(text, sizeof(text), "port%u", i);
		a->interfaces = policy_grow(a->interfaces, a->n_interfaces, sizeof(*a->interfaces));
		assert_non_null(a->interfaces);
		a->interfaces[a->n_interfaces++] = strdup(text);
	}
	for (i = 0; i < devices; i++) {
		snprintf(text, sizeof(text), "d%u", i);
		d = sample_device(p, text, "c0", 0, NULL, NULL, NULL, 0);
		memcpy(d->mac.bytes + 2, &i, sizeof(i));
		d->mac.bytes[1] = 1;
	}
	return p;
}

static void
test_counts(void **state)
{
	static const struct {
		uint32_t n[5];
		const char *said;
	} rows[] = {
		{ { LIMIT_DEVICES + 1, 1, 0, 0, 0 }, "200001 devices: at most 200000" },
		{ { 1, LIMIT_CLASSES + 1, 0, 0, 0 }, "10001 classes: at most 10000" },
		{ { 1, 1, LIMIT_AUTHORITIES + 1, 0, 0 }, "257 authorities: at most 256" },
		{ { 1, 1, 1, LIMIT_SOURCES + 1, 0 }, "1025 CRL addresses: at most 1024" },
		{ { 1, 1, 0, 0, LIMIT_INTERFACES + 1 }, "4097 device interfaces: at most 4096" },
	};
	uint8_t *bytes;
	size_t len, i;
	struct policy *p = many(LIMIT_DEVICES, LIMIT_CLASSES, LIMIT_AUTHORITIES, LIMIT_SOURCES, LIMIT_INTERFACES);
	struct image im = sample_image(p, NULL, &bytes, &len);

	(void)state;
	assert_int_equal(im.n[IMAGE_DEVICES], LIMIT_DEVICES);
	assert_int_equal(im.n[IMAGE_CLASSES], LIMIT_CLASSES + 1);
	free(bytes);
	policy_free(p);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const uint32_t *n = rows[i].n;

		refuse(many(n[0], n[1], n[2], n[3], n[4]));
		assert_int_equal(m.n, 1);
		assert_true(said(m.lines, m.n, rows[i].said));
		mistakes_done(&m);
	}
}

static void
test_labels(void **state)
{
	struct policy *p = many(1, 1, 0, 0, 0);
	struct device_decl *d = &p->devices[0];
	uint8_t *bytes;
	size_t len;

	(void)state;
	while (d->n_labels <= LIMIT_LABELS_PER_DEVICE) {
		d->labels = policy_grow(d->labels, d->n_labels, sizeof(*d->labels));
		assert_non_null(d->labels);
		d->labels[d->n_labels++] = strdup("x");
		if (d->n_labels == LIMIT_LABELS_PER_DEVICE) {
			sample_image(p, NULL, &bytes, &len);
			free(bytes);
		}
	}
	refuse(p);
	assert_true(said(m.lines, m.n, "has 33 labels: at most 32"));
}

/* Few rules, many pieces: 255 single addresses on all ports, crossed by a wide
 * prefix on every other port. */
static void
blow_up(struct policy *p, size_t n_ports)
{
	struct class_decl *c = sample_class(p, "wide");
	struct rule *r;
	char text[32];
	size_t i;

	sample_rule(p, c, "10.0.0.0", BOX_PORTS, IPPROTO_TCP, 1, 65535);
	sample_rule(p, c, "10.0.0.0/15", BOX_PORTS, IPPROTO_TCP, 2, 2);
	r = &c->rules[0];
	r->to = reallocarray(r->to, 255, sizeof(*r->to));
	assert_non_null(r->to);
	for (r->n_to = 0; r->n_to < 255; r->n_to++) {
		memset(&r->to[r->n_to], 0, sizeof(*r->to));
		snprintf(text, sizeof(text), "10.0.%zu.%zu", r->n_to / 100, 2 * (r->n_to % 100));
		assert_int_equal(addr_range_parse(text, &r->to[r->n_to].range), 0);
	}
	r = &c->rules[1];
	r->services = reallocarray(r->services, n_ports, sizeof(*r->services));
	assert_non_null(r->services);
	for (i = 0; i < n_ports; i++)
		r->services[i] = (struct service){ BOX_PORTS, IPPROTO_TCP, (uint16_t)(2 * i + 2),
			(uint16_t)(2 * i + 2) };
	r->n_services = n_ports;
}

static void
test_blow_up(void **state)
{
	struct policy *p = sample_new();
	struct image im;
	uint8_t *bytes;
	size_t len;

	(void)state;
	/* 256 * 255 + 255 pieces fit, 257 * 255 + 256 do not. */
	blow_up(p, 255);
	im = sample_image(p, NULL, &bytes, &len);
	assert_int_equal(im.reaches[image_class_named(&im, "wide")->reaches.first].boxes.n, 256 * 255 + 255);
	free(bytes);
	policy_free(p);
	p = sample_new();
	blow_up(p, 256);
	refuse(p);
	assert_int_equal(m.n, 1);
	assert_true(said(m.lines, m.n, "overlap in more than 65536 pieces"));
}

static void
test_warnings(void **state)
{
	struct policy *p = sample_new();
	struct class_decl *c = sample_class(p, "lonely");
	uint8_t *bytes;
	size_t len;

	(void)state;
	sample_rule(p, c, "updates.example", BOX_PORTS, IPPROTO_TCP, 443, 443);
	sample_class(p, "c");
	sample_authority(p, "ca", "http://a.example/x");
	p->authorities[0].n_sources = 0;
	sample_device(p, "d1", "c", 1, NULL, NULL, NULL, 0);
	sample_device(p, "d2", "c", 2, NULL, NULL, NULL, 0);
	sample_device(p, "d3", "c", 3, NULL, "lan1", NULL, 0);
	sample_device(p, "d4", "c", 4, NULL, "lan1", NULL, 0);
	assert_int_equal(compile_policy(p, NULL, &m, &bytes, &len), 0);
	assert_int_equal(m.n_warnings, 5);
	assert_true(said(m.warnings, m.n_warnings, "\"updates.example\" stays closed until the name proxy runs"));
	assert_true(said(m.warnings, m.n_warnings, "2 devices are not bound to a router port"));
	assert_true(said(m.warnings, m.n_warnings, "2 devices share their router port"));
	assert_true(said(m.warnings, m.n_warnings, "no device belongs to class \"lonely\""));
	assert_true(said(m.warnings, m.n_warnings, "authority \"ca\" has no crl"));
	free(bytes);
	p->authorities[0].n_sources = 1;
	policy_free(p);
}

static void
test_mistakes_are_counted(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < LIMIT_MISTAKES + 5; i++)
		mistakes_add(&m, "f", (uint32_t)i + 1, "bad \"%s\"", "x\033[31m\xff\xc3\xa9");
	assert_int_equal(m.n, LIMIT_MISTAKES + 5);
	assert_int_equal(mistakes_kept(m.n), LIMIT_MISTAKES);
	assert_string_equal(m.lines[0], "f:1: bad \"x?[31m?\xc3\xa9\"");
	mistakes_warn(&m, NULL, 0, "w");
	mistakes_warn(&m, "g", 0, "w");
	assert_string_equal(m.warnings[0], "w");
	assert_string_equal(m.warnings[1], "g: w");
}

static void
check_long_words(void)
{
	char text[LIMIT_URL + 1];

	memset(text, 'a', sizeof(text));
	memcpy(text, "http://", 7);
	text[LIMIT_URL - 1] = '\0';
	assert_true(url_is_valid(text));
	text[LIMIT_URL - 1] = 'a';
	text[LIMIT_URL] = '\0';
	assert_false(url_is_valid(text));
	/* Labels of 63 with dots between: 255 octets, then 256. */
	memset(text, 'a', sizeof(text));
	text[63] = text[127] = text[191] = '.';
	text[LIMIT_HOST - 1] = '\0';
	assert_true(host_name_is_valid(text));
	text[100] = '.';
	text[LIMIT_HOST - 1] = 'a';
	text[LIMIT_HOST] = '\0';
	assert_false(host_name_is_valid(text));
}

static void
test_words(void **state)
{
	char name[LIMIT_NAME + 1];

	(void)state;
	memset(name, 'a', sizeof(name));
	name[LIMIT_NAME - 1] = '\0';
	assert_true(name_is_valid(name));
	name[LIMIT_NAME - 1] = 'a';
	name[LIMIT_NAME] = '\0';
	assert_false(name_is_valid(name));
	assert_false(name_is_valid(""));
	assert_false(name_is_valid("a b"));
	assert_false(name_is_valid("a/b"));
	assert_true(interface_name_is_valid("enp3s0.100"));
	assert_true(interface_name_is_valid("123456789012345"));
	assert_false(interface_name_is_valid("1234567890123456"));
	assert_false(interface_name_is_valid(".."));
	assert_false(interface_name_is_valid("a/b"));
	assert_false(interface_name_is_valid("lan*"));
	assert_true(host_name_is_valid("*.iot.eu-west-1.amazonaws.com"));
	assert_false(host_name_is_valid("10.0.0"));
	assert_false(host_name_is_valid("10.0.0.256"));
	assert_false(host_name_is_valid("a..example"));
	assert_false(host_name_is_valid("-a.example"));
	assert_false(host_name_is_valid("localhost"));
	assert_false(host_name_is_valid("a.example."));
	assert_false(host_name_is_valid("a.*.example"));
	check_long_words();
	assert_true(url_is_valid("http://pki.example/x.crl"));
	assert_true(url_is_valid("file:///var/lib/x.crl"));
	assert_false(url_is_valid("file://host/x.crl"));
	assert_true(url_is_valid("file:///var/lib/drop/"));
	assert_true(url_is_valid("ldap://pki.example/cn=ca,dc=example?certificateRevocationList;binary"));
	assert_true(url_is_valid("ldaps://[2001:db8::1]:636/cn=ca"));
	assert_false(url_is_valid("ldap://pki.example"));
	assert_false(url_is_valid("ldap://pki.example/"));
	assert_false(url_is_valid("ldap://pki.example/?certificateRevocationList"));
	assert_false(url_is_valid("ldap:///cn=ca"));
	assert_false(url_is_valid("ftp://pki.example/x"));
	assert_false(url_is_valid("http://"));
	assert_false(url_is_valid("http:///x"));
	assert_false(url_is_valid("http://a b"));
	assert_true(url_is_http("https://pki.example"));
	assert_false(url_is_http("file:///x"));
	assert_false(url_is_http("ldap://pki.example/cn=ca"));
	assert_true(pin_is_valid("sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="));
	assert_false(pin_is_valid("sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
	assert_false(pin_is_valid("sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="));
	assert_false(pin_is_valid("sha512//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="));
}

static void
test_device_addresses(void **state)
{
	static const char *const unfit[] = { "0.0.0.0", "0.1.2.3", "127.0.0.1", "169.254.3.4", "224.0.0.1",
		"239.1.1.1", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "febf::1", "ff02::1" };
	static const char *const fit[] = { "10.0.0.1", "223.255.255.254", "fd00::1", "2001:db8::1", "fec0::1" };
	struct addr a;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(unfit) / sizeof(unfit[0]); i++) {
		assert_int_equal(addr_parse(unfit[i], &a), 0);
		assert_non_null(device_address_fault(&a));
	}
	for (i = 0; i < sizeof(fit) / sizeof(fit[0]); i++) {
		assert_int_equal(addr_parse(fit[i], &a), 0);
		assert_null(device_address_fault(&a));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(test_numbers_stay, setup, teardown),
		cmocka_unit_test_setup_teardown(test_numbers_run_out, setup, teardown),
		cmocka_unit_test_setup_teardown(test_contents, setup, teardown),
		cmocka_unit_test_setup_teardown(test_order_does_not_show, setup, teardown),
		cmocka_unit_test_setup_teardown(test_duplicates, setup, teardown),
		cmocka_unit_test_setup_teardown(test_references, setup, teardown),
		cmocka_unit_test_setup_teardown(test_incomplete, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_interfaces, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_labels, setup, teardown),
		cmocka_unit_test_setup_teardown(test_blow_up, setup, teardown),
		cmocka_unit_test_setup_teardown(test_warnings, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mistakes_are_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_words, setup, teardown),
		cmocka_unit_test_setup_teardown(test_device_addresses, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
