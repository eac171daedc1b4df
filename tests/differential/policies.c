/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policies.c -- random policies. Addresses, ports and protocols come from small
 * pools, so that they overlap, touch and repeat. */
#include "policies.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "model/compile.h"
#include "world.h"

static void *
must(void *p)
{
	if (p == NULL)
		world_fail("memory", 12);
	return p;
}

#define GROW(array, n) ((array) = must(policy_grow((array), (n), sizeof(*(array)))), &(array)[(n)++])

static struct where
next_where(struct policy *p)
{
	static uint32_t line;

	(void)p;
	return (struct where){ .file = 0, .line = ++line };
}

static char *
numbered(const char *stem, unsigned n)
{
	char name[32];

	snprintf(name, sizeof(name), "%s%u", stem, n);
	return must(strdup(name));
}

/* ---- pools -------------------------------------------------------------- */

void
random_address(struct random *r, uint8_t family, uint8_t out[16])
{
	static const uint8_t nets4[][3] = { { 10, 0, 0 }, { 10, 0, 1 }, { 10, 0, 2 }, { 192, 0, 2 }, { 198, 51, 100 },
		{ 203, 0, 113 } };
	static const uint8_t nets6[][8] = { { 0xfd }, { 0xfd, 0, 0, 0, 0, 0, 0, 1 }, { 0xfd, 0, 0, 0, 0, 0, 0, 2 },
		{ 0x20, 1, 0xd, 0xb8, 0, 3 }, { 0x20, 1, 0xd, 0xb8, 0, 4 }, { 0x20, 1, 0xd, 0xb8, 0, 5 } };
	uint32_t net = random_below(r, 6);

	memset(out, 0, 16);
	if (family == AF_INET)
		memcpy(out, nets4[net], 3);
	else
		memcpy(out, nets6[net], 8);
	out[family == AF_INET ? 3 : 15] = (uint8_t)random_in(r, 1, 16);
}

void
random_service(struct random *r, struct service *s)
{
	static const uint8_t with_ports[] = { IPPROTO_TCP, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDP, IPPROTO_SCTP,
		IPPROTO_DCCP, IPPROTO_UDPLITE };
	static const uint8_t portless[] = { 2, 47, 50, 51, 89, 103, 255, 4 };
	static const uint8_t types[] = { 0, 3, 8, 11, 13, 15, 17, 30 };
	static const uint8_t types6[] = { 1, 2, 3, 128, 129, 139, 135, 200 };
	uint32_t what = random_below(r, 100);

	memset(s, 0, sizeof(*s));
	if (what < 65) {
		s->kind = BOX_PORTS;
		s->protocol = with_ports[random_below(r, sizeof(with_ports))];
		s->low = (uint16_t)random_in(r, 1000, 1012);
		s->high = (uint16_t)(s->low + (random_is(r, 50) ? 0 : random_below(r, 8)));
		if (random_is(r, 8)) {
			s->low = random_is(r, 50) ? 1 : s->low;
			s->high = 65535;
		}
	} else if (what < 82) {
		bool v4 = random_is(r, 50);

		s->kind = BOX_ICMP;
		s->protocol = v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
		s->low = (v4 ? types : types6)[random_below(r, sizeof(types))];
		s->high = random_is(r, 80) ? s->low : 255;
	} else if (what < 95) {
		s->kind = BOX_PROTOCOL;
		s->protocol = portless[random_below(r, sizeof(portless))];
	} else {
		s->kind = BOX_ANY;
	}
}

static void
mask_to(uint8_t *bytes, size_t len, unsigned bits, uint8_t fill)
{
	for (size_t i = 0; i < len; i++) {
		uint8_t keep = bits >= 8 ? 0xff : (uint8_t)(0xff00 >> bits);

		bytes[i] = (uint8_t)((bytes[i] & keep) | (fill & ~keep));
		bits -= bits >= 8 ? 8 : bits;
	}
}

static struct addr_range
random_range(struct random *r)
{
	struct addr_range a = { 0 };
	uint8_t family = random_is(r, 60) ? AF_INET : AF_INET6;
	size_t len = family == AF_INET ? 4 : 16;
	uint32_t shape = random_below(r, 100);

	a.first.family = a.last.family = family;
	random_address(r, family, a.first.bytes);
	memcpy(a.last.bytes, a.first.bytes, 16);
	if (shape < 40)		/* one address */
		return a;
	if (shape < 65) {	/* some that follow each other */
		a.last.bytes[len - 1] = (uint8_t)(a.last.bytes[len - 1] + random_below(r, 10));
	} else {
		unsigned bits = shape < 95 ? (unsigned)(len * 8 - random_below(r, 10)) : random_below(r, 9);

		mask_to(a.first.bytes, len, bits, 0);
		mask_to(a.last.bytes, len, bits, 0xff);
	}
	return a;
}

/* ---- parts -------------------------------------------------------------- */

static void
add_rule(struct policy *p, struct rule **rules, size_t *n, struct random *r, bool classes)
{
	struct rule *rule = GROW(*rules, *n);
	size_t n_to = random_in(r, 1, 3), n_services = random_in(r, 1, 3);

	rule->where = next_where(p);
	for (size_t i = 0; i < n_to; i++) {
		struct destination *d = GROW(rule->to, rule->n_to);

		if (classes && random_is(r, 20)) {
			d->kind = TO_CLASS;
			d->name = must(strdup(p->classes[random_below(r, (uint32_t)p->n_classes)].name));
		} else if (random_is(r, 3)) {
			d->kind = TO_NAME;
			d->name = must(strdup("cloud.example"));
		} else {
			d->kind = TO_RANGE;
			d->range = random_range(r);
		}
	}
	for (size_t i = 0; i < n_services; i++)
		random_service(r, GROW(rule->services, rule->n_services));
}

static void
add_appliance(struct policy *p, struct random *r)
{
	static const struct service services[] = { { BOX_PORTS, IPPROTO_UDP, 67, 67 },
		{ BOX_PORTS, IPPROTO_UDP, 547, 547 }, { BOX_PORTS, IPPROTO_UDP, 1000, 1003 },
		{ BOX_PORTS, IPPROTO_TCP, 1005, 1005 }, { BOX_ICMP, IPPROTO_ICMP, 8, 8 },
		{ BOX_ICMP, IPPROTO_ICMPV6, 128, 128 }, { BOX_PORTS, IPPROTO_SCTP, 1000, 1009 } };
	struct appliance_decl *a = &p->appliance;
	int lans = random_is(r, 70) ? 3 : 2;

	a->where = next_where(p);
	for (int i = 0; i < lans; i++)
		*GROW(a->interfaces, a->n_interfaces) = must(strdup(port_names[i]));
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		if (random_is(r, 50))
			*GROW(a->services, a->n_services) = services[i];
	a->hook_priority = 0;
	a->connections = LIMIT_CONNECTIONS;
}

/* Addresses are given out once. */
struct taken {
	uint8_t of[64][17];
	size_t n;
};

static bool
take_address(struct taken *t, struct random *r, uint8_t family, uint32_t lan, uint8_t out[16])
{
	uint8_t key[17] = { family };

	do
		random_address(r, family, out);
	while (family == AF_INET ? out[0] != 10 : out[0] != 0xfd);
	if (random_is(r, 95))
		out[family == AF_INET ? 2 : 7] = (uint8_t)lan;
	memcpy(key + 1, out, 16);
	for (size_t i = 0; i < t->n; i++)
		if (memcmp(t->of[i], key, sizeof(key)) == 0)
			return false;
	if (t->n == 64)
		return false;
	memcpy(t->of[t->n++], key, sizeof(key));
	return true;
}

static void
add_device(struct policy *p, struct random *r, unsigned n, struct taken *t)
{
	struct device_decl *d = GROW(p->devices, p->n_devices);
	uint32_t lan = random_below(r, (uint32_t)p->appliance.n_interfaces), addresses = random_below(r, 4);
	uint8_t address[16];

	d->where = next_where(p);
	d->name = numbered("device-", n);
	d->class_name = must(strdup(p->classes[random_below(r, (uint32_t)p->n_classes)].name));
	d->has_mac = true;
	memcpy(d->mac.bytes, (const uint8_t[]){ 2, 0, 0, 0, 0, (uint8_t)n }, 6);
	for (uint32_t i = 0; i < addresses; i++) {
		uint8_t family = random_is(r, 50) ? AF_INET : AF_INET6;
		struct device_address *a;

		if (!take_address(t, r, family, lan, address))
			continue;
		a = GROW(d->addresses, d->n_addresses);
		a->addr.family = family;
		memcpy(a->addr.bytes, address, 16);
		a->prefix = family == AF_INET ? 32 : 128;
	}
	if (random_is(r, 50))
		d->interface = must(strdup(port_names[lan]));
}

static struct policy *
random_policy(struct random *r)
{
	struct policy *p = must(policy_new());
	struct taken taken = { .n = 0 };
	unsigned classes = random_in(r, 2, 5), devices = random_in(r, 3, 9);

	*GROW(p->files, p->n_files) = must(strdup("random.conf"));
	add_appliance(p, r);
	for (unsigned i = 0; i < classes; i++) {
		struct class_decl *c = GROW(p->classes, p->n_classes);

		c->where = next_where(p);
		c->name = numbered("class-", i + 1);
		c->keys = CLASS_MODE | CLASS_ALLOW;
		c->mode = random_is(r, 20) ? MODE_AUDIT : MODE_ENFORCE;
	}
	for (unsigned i = 0; i < classes; i++)
		for (uint32_t n = random_below(r, 6); n > 0; n--)
			add_rule(p, &p->classes[i].rules, &p->classes[i].n_rules, r, true);
	for (uint32_t n = random_below(r, 3); n > 0; n--)
		add_rule(p, &p->appliance.quarantine, &p->appliance.n_quarantine, r, false);
	for (unsigned i = 0; i < devices; i++)
		add_device(p, r, i + 1, &taken);
	return p;
}

/* ---- compiled ----------------------------------------------------------- */

void
site_make(struct site *s, struct random *r)
{
	struct mistakes m;
	const char *why;
	uint32_t n;

	memset(s, 0, sizeof(*s));
	s->policy = random_policy(r);
	mistakes_init(&m);
	if (compile_policy(s->policy, NULL, &m, &s->bytes, &s->len) < 0) {
		for (size_t i = 0; i < mistakes_kept(m.n); i++)
			fprintf(stderr, "%s\n", m.lines[i]);
		world_fail("the random policy has mistakes", 22);
	}
	mistakes_done(&m);
	if (image_open(s->bytes, s->len, &s->image, &why) < 0)
		world_fail(why, 22);
	n = s->image.n[IMAGE_DEVICES];
	s->stations = must(calloc(n + 1U, sizeof(*s->stations)));
	for (uint32_t i = 0; i < n; i++)
		s->stations[i] = (struct station){ .number = s->image.devices[i].number,
			.generation = (uint8_t)random_in(r, 1, 255), .quarantined = random_is(r, 15) };
}

void
site_done(struct site *s)
{
	policy_free(s->policy);
	free(s->bytes);
	free(s->stations);
}

struct station
site_moved(const struct station *from, struct random *r)
{
	struct station to = *from;

	to.generation = (uint8_t)(to.generation == 255 ? 1 : to.generation + 1);
	if (random_is(r, 50))
		to.quarantined = !to.quarantined;
	return to;
}
