/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policies.c -- random policies. Addresses, ports and protocols come from small
 * pools, so that they overlap, touch and repeat. */
#include "policies.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

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
add_destination(struct policy *p, struct destination **to, size_t *n, struct random *r, bool classes, size_t groups)
{
	struct destination *d = GROW(*to, *n);
	uint32_t what = random_below(r, 100);

	if (classes && what < 20) {
		d->kind = TO_CLASS;
		d->name = must(strdup(p->classes[random_below(r, (uint32_t)p->n_classes)].name));
	} else if (groups > 0 && what < 35) {
		d->kind = TO_GROUP;
		d->name = must(strdup(p->groups[random_below(r, (uint32_t)groups)].name));
	} else if (what < 37) {
		d->kind = TO_NAME;
		d->name = must(strdup("cloud.example"));
	} else {
		d->kind = TO_RANGE;
		d->range = random_range(r);
	}
}

static void
add_rule(struct policy *p, struct rule **rules, size_t *n, struct random *r, bool classes, bool inbound)
{
	struct rule *rule = GROW(*rules, *n);
	size_t n_to = random_in(r, 1, 3), n_services = random_in(r, 1, 3);

	rule->where = next_where(p);
	for (size_t i = 0; i < n_to; i++) {
		add_destination(p, &rule->to, &rule->n_to, r, classes, classes ? p->n_groups : 0);
		if (inbound && rule->to[i].kind == TO_NAME) {
			free(rule->to[i].name);
			rule->to[i] = (struct destination){ .kind = TO_RANGE, .range = random_range(r) };
		}
	}
	for (size_t i = 0; i < n_services; i++) {
		if (p->n_services > 0 && random_is(r, 20))
			*GROW(rule->named, rule->n_named) =
			    must(strdup(p->services[random_below(r, (uint32_t)p->n_services)].name));
		else
			random_service(r, GROW(rule->services, rule->n_services));
	}
	if (classes && p->n_schedules > 0 && random_is(r, 25))
		rule->schedule = must(strdup(p->schedules[random_below(r, (uint32_t)p->n_schedules)].name));
}

/* ---- what rules name ---------------------------------------------------- */

static void
add_named(struct policy *p, struct random *r)
{
	for (unsigned i = random_below(r, 3); i > 0; i--) {
		struct service_decl *s = GROW(p->services, p->n_services);

		s->where = next_where(p);
		s->name = numbered("service-", (unsigned)p->n_services);
		for (uint32_t n = random_in(r, 1, 3); n > 0; n--)
			random_service(r, GROW(s->services, s->n_services));
	}
	for (unsigned i = random_below(r, 3); i > 0; i--) {
		struct group_decl *g = GROW(p->groups, p->n_groups);

		g->where = next_where(p);
		g->name = numbered("group-", (unsigned)p->n_groups);
		for (uint32_t n = random_in(r, 1, 3); n > 0; n--)
			add_destination(p, &p->groups[p->n_groups - 1].to, &p->groups[p->n_groups - 1].n_to, r,
			    false, p->n_groups - 1);
	}
}

/* Some are open now for longer than any run takes, some are not. */
static void
add_schedule(struct policy *p, struct random *r)
{
	struct schedule_decl *s = GROW(p->schedules, p->n_schedules);
	int64_t at = time(NULL) - 86400 * (int64_t)random_in(r, 3, 5), hour = 3600;
	bool open = random_is(r, 60);

	s->where = next_where(p);
	s->name = numbered("schedule-", (unsigned)p->n_schedules);
	s->days = 0x7f;
	s->to_s = (uint32_t)hour;
	s->zone = must(strdup("UTC"));
	for (uint32_t n = random_in(r, 1, 4); n > 0; n--, at += 4 * hour)
		*GROW(s->windows, s->n_windows) = (struct window){ at, at + hour };
	at = time(NULL);
	if (open)
		*GROW(s->windows, s->n_windows) = (struct window){ at - hour, at + 5 * hour };
	for (uint32_t n = random_below(r, 3); n > 0; n--)
		*GROW(s->windows, s->n_windows) = (struct window){ at + (8 - (int64_t)n) * 2 * hour,
			at + (8 - (int64_t)n) * 2 * hour + hour };
}

static void
add_class(struct policy *p, struct random *r)
{
	struct class_decl *c = GROW(p->classes, p->n_classes);
	size_t before = p->n_classes - 1;

	c->where = next_where(p);
	c->name = numbered("class-", (unsigned)p->n_classes);
	c->keys = CLASS_MODE | CLASS_ALLOW | CLASS_REFUSE | CLASS_RATE;
	c->mode = random_is(r, 20) ? MODE_AUDIT : MODE_ENFORCE;
	c->refuse = random_is(r, 30) ? REFUSE_REJECT : REFUSE_DROP;
	if (random_is(r, 25)) {
		c->rate = LIMIT_RATE;
		c->rate_burst = LIMIT_RATE;
	}
	if (before > 0 && random_is(r, 25)) {
		c->keys = CLASS_ALLOW | (uint32_t)(random_next(r) & (CLASS_MODE | CLASS_REFUSE | CLASS_RATE));
		*GROW(c->extends, c->n_extends) = must(strdup(p->classes[random_below(r, (uint32_t)before)].name));
	}
}

/* What a CRL that is out of date makes of devices: a class that they stand in then. */
static void
add_authority(struct policy *p, struct random *r)
{
	static const uint8_t certificate[] = { 0x30, 3, 2, 1, 7 };	/* nobody looks into it here */
	struct authority_decl *a = GROW(p->authorities, p->n_authorities);
	struct issuer_decl *issuer;
	struct source_decl *s;

	authority_decl_init(a);
	a->where = next_where(p);
	a->name = numbered("authority-", (unsigned)p->n_authorities);
	issuer = GROW(a->issuers, a->n_issuers);
	issuer->where = a->where;
	issuer->der = must(malloc(sizeof(certificate)));
	memcpy(issuer->der, certificate, sizeof(certificate));
	issuer->der_len = sizeof(certificate);
	s = GROW(a->sources, a->n_sources);
	source_decl_init(s, a);
	s->where = a->where;
	*GROW(s->urls, s->n_urls) = must(strdup("http://pki.example/a.crl"));
	if (random_is(r, 80)) {
		a->when_stale = WHEN_STALE_RESTRICT;
		a->restrict_class = must(strdup(p->classes[random_below(r, (uint32_t)p->n_classes)].name));
	}
}

static void
add_certificate(struct policy *p, struct device_decl *d, struct random *r, uint8_t serial)
{
	struct certificate_decl *c = GROW(d->certificates, d->n_certificates);

	c->where = d->where;
	c->authority = must(strdup(p->authorities[random_below(r, (uint32_t)p->n_authorities)].name));
	c->serial[0] = serial;
	c->serial_len = 1;
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

/* Its own MAC; the MAC of the router that it is behind; or none. */
static void
add_identity(struct device_decl *d, struct random *r, unsigned n, uint32_t lan)
{
	uint32_t what = d->n_addresses == 0 ? 0 : random_below(r, 100);

	d->has_mac = what < 85;
	d->has_via = what >= 70 && what < 85;
	if (what < 70)
		memcpy(d->mac.bytes, (const uint8_t[]){ 2, 0, 0, 0, 0, (uint8_t)n }, 6);
	else if (what < 85)
		memcpy(d->mac.bytes, (const uint8_t[]){ 2, 0, 0, 0, 1, (uint8_t)lan }, 6);
	if (what >= 70 || random_is(r, 50))
		d->interface = must(strdup(port_names[lan]));
	if (what < 70 && random_is(r, 20)) {
		struct device_address *a = GROW(d->addresses, d->n_addresses);

		a->addr.family = AF_INET6;
		a->addr.bytes[0] = 0xfd;
		a->addr.bytes[7] = (uint8_t)lan;
		a->prefix = 64;
	}
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
	add_identity(d, r, n, lan);
	for (uint32_t i = random_below(r, 3); i > 0; i--)
		add_certificate(p, d, r, (uint8_t)(n + 20 * i));
}

static struct policy *
random_policy(struct random *r)
{
	struct policy *p = must(policy_new());
	struct taken taken = { .n = 0 };
	unsigned classes = random_in(r, 2, 5), devices = random_in(r, 3, 9);

	*GROW(p->files, p->n_files) = must(strdup("random.conf"));
	add_appliance(p, r);
	add_named(p, r);
	for (uint32_t n = random_below(r, 3); n > 0; n--)
		add_schedule(p, r);
	for (unsigned i = 0; i < classes; i++)
		add_class(p, r);
	for (unsigned i = 0; i < classes; i++) {
		struct class_decl *c = &p->classes[i];

		for (uint32_t n = random_below(r, 6); n > 0; n--)
			add_rule(p, &c->rules, &c->n_rules, r, true, false);
		for (uint32_t n = random_is(r, 50) ? random_below(r, 4) : 0; n > 0; n--)
			add_rule(p, &c->inbound, &c->n_inbound, r, true, true);
		for (uint32_t n = random_is(r, 50) ? random_in(r, 1, 3) : 0; n > 0; n--)
			add_rule(p, &c->quarantine, &c->n_quarantine, r, false, false);
	}
	for (uint32_t n = random_in(r, 1, 2); n > 0; n--)
		add_authority(p, r);
	for (uint32_t n = random_below(r, 3); n > 0; n--)
		add_rule(p, &p->appliance.quarantine, &p->appliance.n_quarantine, r, false, false);
	for (unsigned i = 0; i < devices; i++)
		add_device(p, r, i + 1, &taken);
	return p;
}

/* ---- compiled ----------------------------------------------------------- */

/* What is random may make no sense, as ICMP towards an IPv6 address alone does:
 * the compiler says so, and another one is made. */
#define TRIES 100

static bool
compiled(const struct policy *p, const struct image *before, uint8_t **bytes, size_t *len, bool say)
{
	struct mistakes m;
	int rc;

	mistakes_init(&m);
	rc = compile_policy(p, before, &m, bytes, len);
	for (size_t i = 0; say && i < mistakes_kept(m.n); i++)
		fprintf(stderr, "%s\n", m.lines[i]);
	mistakes_done(&m);
	return rc == 0;
}

static struct policy *
random_image(struct random *r, const struct image *before, uint8_t **bytes, struct image *out)
{
	struct policy *p = random_policy(r);
	const char *why;
	size_t len;

	for (int tries = 1; !compiled(p, before, bytes, &len, tries == TRIES); tries++) {
		if (tries == TRIES)
			world_fail("random policies with nothing but mistakes", 22);
		policy_free(p);
		p = random_policy(r);
	}
	if (image_open(*bytes, len, out, &why) < 0)
		world_fail(why, 22);
	return p;
}

/* As its authority says, or in whatever class that devices may have. */
static uint32_t
random_limit(const struct image *im, const struct image_device *d, struct random *r)
{
	const struct image_class *c;

	if (station_limit(im, d) != 0 && random_is(r, 60))
		return station_limit(im, d);
	do
		c = &im->classes[random_below(r, im->n[IMAGE_CLASSES])];
	while (class_is_quarantine(c));
	return c->number;
}

void
site_make(struct site *s, struct random *r)
{
	uint32_t n;

	memset(s, 0, sizeof(*s));
	s->policy = random_image(r, NULL, &s->bytes, &s->image);
	n = s->image.n[IMAGE_DEVICES];
	s->stations = must(calloc(n + 1U, sizeof(*s->stations)));
	for (uint32_t i = 0; i < n; i++)
		s->stations[i] = (struct station){ .number = s->image.devices[i].number,
			.generation = (uint8_t)random_in(r, 1, 255), .quarantined = random_is(r, 15),
			.limited = random_is(r, 20) ? random_limit(&s->image, &s->image.devices[i], r) : 0 };
	if (random_is(r, 40))
		policy_free(random_image(r, &s->image, &s->staged_bytes, &s->staged));
}

void
site_done(struct site *s)
{
	policy_free(s->policy);
	free(s->bytes);
	free(s->staged_bytes);
	free(s->stations);
}

struct station
site_moved(const struct site *s, uint32_t index, struct random *r)
{
	struct station to = s->stations[index];

	to.generation = (uint8_t)(to.generation == 255 ? 1 : to.generation + 1);
	if (random_is(r, 40))
		to.quarantined = !to.quarantined;
	if (random_is(r, 40))
		to.limited = to.limited != 0 && random_is(r, 60) ? 0 :
		    random_limit(&s->image, &s->image.devices[index], r);
	return to;
}
