/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sample.c -- policies for unit tests. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "sample.h"

static void *
must(void *p)
{
	if (p == NULL)
		abort();
	return p;
}

static struct where
next_where(void)
{
	static uint32_t line;

	return (struct where){ .file = 0, .line = ++line };
}

struct policy *
sample_new(void)
{
	struct policy *p = must(policy_new());
	struct appliance_decl *a = &p->appliance;

	p->files = must(calloc(1, sizeof(*p->files)));
	p->files[p->n_files++] = must(strdup("sample.conf"));
	p->facts = must(calloc(1, sizeof(*p->facts)));
	p->n_facts = 1;
	a->where = next_where();
	a->interfaces = must(policy_grow(NULL, 0, sizeof(*a->interfaces)));
	a->interfaces[a->n_interfaces++] = must(strdup("lan0"));
	a->interfaces = must(policy_grow(a->interfaces, 1, sizeof(*a->interfaces)));
	a->interfaces[a->n_interfaces++] = must(strdup("lan1"));
	return p;
}

struct class_decl *
sample_class(struct policy *p, const char *name)
{
	struct class_decl *c;

	p->classes = must(policy_grow(p->classes, p->n_classes, sizeof(*p->classes)));
	c = &p->classes[p->n_classes++];
	c->where = next_where();
	c->name = must(strdup(name));
	return c;
}

static struct destination
destination(const char *to)
{
	struct destination d = { .kind = TO_RANGE };

	if (strncmp(to, "class:", 6) == 0) {
		d.kind = TO_CLASS;
		d.name = must(strdup(to + 6));
	} else if (strncmp(to, "group:", 6) == 0) {
		d.kind = TO_GROUP;
		d.name = must(strdup(to + 6));
	} else if (addr_range_parse(to, &d.range) < 0) {
		d.kind = TO_NAME;
		d.name = must(strdup(to));
	}
	return d;
}

static struct rule *
rule_add(struct rule **rules, size_t *n, const char *to, struct service s)
{
	struct rule *r;

	*rules = must(policy_grow(*rules, *n, sizeof(**rules)));
	r = &(*rules)[(*n)++];
	r->where = next_where();
	r->to = must(calloc(1, sizeof(*r->to)));
	r->to[0] = destination(to);
	r->n_to = 1;
	r->services = must(calloc(1, sizeof(*r->services)));
	r->services[0] = s;
	r->n_services = 1;
	return r;
}

struct rule *
sample_rule(struct policy *p, struct class_decl *c, const char *to, uint8_t kind, uint8_t protocol, uint16_t low,
    uint16_t high)
{
	struct service s = { .kind = kind, .protocol = protocol, .low = low, .high = high };

	(void)p;
	return rule_add(&c->rules, &c->n_rules, to, s);
}

struct rule *
sample_inbound(struct class_decl *c, const char *from, uint8_t kind, uint8_t protocol, uint16_t low, uint16_t high)
{
	struct service s = { .kind = kind, .protocol = protocol, .low = low, .high = high };

	return rule_add(&c->inbound, &c->n_inbound, from, s);
}

void
sample_to(struct rule *r, const char *to)
{
	r->to = must(reallocarray(r->to, r->n_to + 1, sizeof(*r->to)));
	r->to[r->n_to++] = destination(to);
}

void
sample_when(struct rule *r, const char *schedule)
{
	r->schedule = must(strdup(schedule));
}

void
sample_by(struct rule *r, const char *service)
{
	r->named = must(policy_grow(r->named, r->n_named, sizeof(*r->named)));
	r->named[r->n_named++] = must(strdup(service));
	r->n_services = 0;
}

void
sample_extends(struct class_decl *c, const char *base)
{
	c->extends = must(policy_grow(c->extends, c->n_extends, sizeof(*c->extends)));
	c->extends[c->n_extends++] = must(strdup(base));
}

struct service_decl *
sample_declared(struct policy *p, const char *name, uint8_t kind, uint8_t protocol, uint16_t low, uint16_t high)
{
	struct service_decl *s;

	p->services = must(policy_grow(p->services, p->n_services, sizeof(*p->services)));
	s = &p->services[p->n_services++];
	s->where = next_where();
	s->name = must(strdup(name));
	s->services = must(calloc(1, sizeof(*s->services)));
	s->services[s->n_services++] = (struct service){ kind, protocol, low, high };
	return s;
}

struct group_decl *
sample_group(struct policy *p, const char *name)
{
	struct group_decl *g;

	p->groups = must(policy_grow(p->groups, p->n_groups, sizeof(*p->groups)));
	g = &p->groups[p->n_groups++];
	g->where = next_where();
	g->name = must(strdup(name));
	return g;
}

void
sample_member(struct group_decl *g, const char *to)
{
	g->to = must(policy_grow(g->to, g->n_to, sizeof(*g->to)));
	g->to[g->n_to++] = destination(to);
}

struct schedule_decl *
sample_schedule(struct policy *p, const char *name)
{
	struct schedule_decl *s;

	p->schedules = must(policy_grow(p->schedules, p->n_schedules, sizeof(*p->schedules)));
	s = &p->schedules[p->n_schedules++];
	s->where = next_where();
	s->name = must(strdup(name));
	s->zone = must(strdup("UTC"));
	s->days = 0x7f;
	s->from_s = 7200;
	s->to_s = 10800;
	return s;
}

void
sample_window(struct schedule_decl *s, int64_t from, int64_t to)
{
	s->windows = must(policy_grow(s->windows, s->n_windows, sizeof(*s->windows)));
	s->windows[s->n_windows++] = (struct window){ from, to };
}

void
sample_quarantine(struct policy *p, const char *to, uint16_t port)
{
	struct service s = { .kind = BOX_PORTS, .protocol = IPPROTO_TCP, .low = port, .high = port };

	rule_add(&p->appliance.quarantine, &p->appliance.n_quarantine, to, s);
}

void
sample_service(struct policy *p, uint8_t kind, uint8_t protocol, uint16_t low, uint16_t high)
{
	struct appliance_decl *a = &p->appliance;

	a->services = must(policy_grow(a->services, a->n_services, sizeof(*a->services)));
	a->services[a->n_services++] = (struct service){ kind, protocol, low, high };
}

void
sample_authority(struct policy *p, const char *name, const char *url)
{
	struct authority_decl *a;

	p->authorities = must(policy_grow(p->authorities, p->n_authorities, sizeof(*p->authorities)));
	a = &p->authorities[p->n_authorities++];
	authority_decl_init(a);
	a->where = next_where();
	a->name = must(strdup(name));
	a->issuers = must(calloc(1, sizeof(*a->issuers)));
	a->n_issuers = 1;
	a->issuers[0].where = a->where;
	a->issuers[0].der = must(calloc(1, 5));
	memcpy(a->issuers[0].der, "\x30\x03\x02\x01\x07", 5);
	a->issuers[0].der_len = 5;
	(void)sample_source(a, url);
}

struct source_decl *
sample_source(struct authority_decl *a, const char *url)
{
	struct source_decl *s;

	a->sources = must(policy_grow(a->sources, a->n_sources, sizeof(*a->sources)));
	s = &a->sources[a->n_sources++];
	source_decl_init(s, a);
	s->where = next_where();
	s->urls = must(calloc(1, sizeof(*s->urls)));
	s->urls[0] = must(strdup(url));
	s->n_urls = 1;
	return s;
}

void
sample_issuer(struct authority_decl *a, enum issuer_role role, uint8_t der)
{
	struct issuer_decl *s;

	a->issuers = must(reallocarray(a->issuers, a->n_issuers + 1, sizeof(*a->issuers)));
	s = &a->issuers[a->n_issuers++];
	*s = (struct issuer_decl){ .where = a->where, .role = role, .der = must(calloc(1, 5)), .der_len = 5 };
	memcpy(s->der, (const uint8_t[]){ 0x30, 3, 2, 1, der }, 5);
}

void
sample_mirror(struct source_decl *s, const char *url)
{
	s->urls = must(reallocarray(s->urls, s->n_urls + 1, sizeof(*s->urls)));
	s->urls[s->n_urls++] = must(strdup(url));
}

void
sample_remedy(struct class_decl *c, const char *to, uint16_t port)
{
	struct service s = { .kind = BOX_PORTS, .protocol = IPPROTO_TCP, .low = port, .high = port };

	c->keys |= CLASS_REMEDY;
	rule_add(&c->quarantine, &c->n_quarantine, to, s);
}

void
sample_address(struct device_decl *d, const char *address)
{
	struct device_address *a;

	d->addresses = must(policy_grow(d->addresses, d->n_addresses, sizeof(*d->addresses)));
	a = &d->addresses[d->n_addresses++];
	if (addr_parse(address, &a->addr) < 0)
		abort();
	a->prefix = a->addr.family == AF_INET ? 32 : 128;
}

void
sample_prefix(struct device_decl *d, const char *address)
{
	sample_address(d, address);
	d->addresses[d->n_addresses - 1].prefix = 64;
}

void
sample_behind(struct device_decl *d, uint8_t via)
{
	d->has_mac = false;
	d->has_via = via != 0;
	memset(&d->mac, 0, sizeof(d->mac));
	if (via != 0)
		memcpy(d->mac.bytes, (const uint8_t[]){ 2, 0, 0, 0, 0, via }, 6);
}

void
sample_certificate(struct device_decl *d, const char *authority, uint8_t serial)
{
	struct certificate_decl *c;

	d->certificates = must(policy_grow(d->certificates, d->n_certificates, sizeof(*d->certificates)));
	c = &d->certificates[d->n_certificates++];
	c->where = d->where;
	c->authority = must(strdup(authority));
	c->serial[0] = serial;
	c->serial_len = 1;
}

struct device_decl *
sample_device(struct policy *p, const char *name, const char *class_name, uint8_t mac, const char *address,
    const char *interface, const char *authority, uint8_t serial)
{
	struct device_decl *d;

	p->devices = must(policy_grow(p->devices, p->n_devices, sizeof(*p->devices)));
	d = &p->devices[p->n_devices++];
	d->where = next_where();
	d->name = must(strdup(name));
	d->class_name = must(strdup(class_name));
	d->has_mac = true;
	memcpy(d->mac.bytes, (const uint8_t[]){ 2, 0, 0, 0, 0, mac }, 6);
	if (address != NULL)
		sample_address(d, address);
	if (interface != NULL)
		d->interface = must(strdup(interface));
	if (authority != NULL) {
		sample_certificate(d, authority, serial);
	}
	return d;
}

struct policy *
sample_full(void)
{
	struct policy *p = sample_new();
	struct class_decl *c;
	struct device_decl *d;

	sample_service(p, BOX_PORTS, IPPROTO_UDP, 67, 67);
	sample_service(p, BOX_ICMP, IPPROTO_ICMP, 8, 8);
	sample_quarantine(p, "192.0.2.80", 443);
	sample_authority(p, "factory-ca", "http://pki.example/factory.crl");
	c = sample_class(p, "sensor");
	sample_rule(p, c, "192.0.2.0/24", BOX_PORTS, IPPROTO_TCP, 443, 443);
	sample_rule(p, c, "192.0.2.7", BOX_PORTS, IPPROTO_TCP, 400, 500);
	sample_rule(p, c, "2001:db8::/64", BOX_PORTS, IPPROTO_TCP, 443, 443);
	sample_rule(p, c, "192.0.2.1", BOX_ICMP, IPPROTO_ICMP, 8, 8);
	sample_rule(p, c, "2001:db8::1", BOX_ICMP, IPPROTO_ICMPV6, 128, 128);
	sample_rule(p, c, "198.51.100.1", BOX_ANY, 0, 0, 0);
	sample_rule(p, c, "198.51.100.2", BOX_PROTOCOL, 47, 0, 0);
	sample_rule(p, c, "*.iot.example", BOX_PORTS, IPPROTO_TCP, 8883, 8883);
	c = sample_class(p, "gateway");
	c->mode = MODE_AUDIT;
	sample_rule(p, c, "0.0.0.0/0", BOX_PORTS, IPPROTO_TCP, 1, 65535);
	c = &p->classes[0];
	sample_rule(p, c, "class:gateway", BOX_PORTS, IPPROTO_TCP, 1883, 1883);
	sample_rule(p, c, "class:gateway", BOX_ICMP, IPPROTO_ICMP, 8, 8);
	sample_rule(p, c, "class:sensor", BOX_PORTS, IPPROTO_UDP, 5353, 5353);
	d = sample_device(p, "sensor-1", "sensor", 1, "10.10.0.11", "lan0", "factory-ca", 0x4f);
	sample_address(d, "fd10::11");
	d->labels = must(calloc(1, sizeof(*d->labels)));
	d->labels[d->n_labels++] = must(strdup("batch-2026-07"));
	sample_device(p, "sensor-2", "sensor", 2, "10.10.0.12", NULL, "factory-ca", 0x50);
	sample_device(p, "alpha", "gateway", 3, "fd10::3", "lan1", NULL, 0);
	sample_device(p, "bare", "gateway", 4, NULL, NULL, NULL, 0);
	return p;
}

struct policy *
sample_language(void)
{
	struct policy *p = sample_full();
	struct schedule_decl *s = sample_schedule(p, "nightly");
	struct class_decl *c;
	int64_t day;

	for (day = 0; day < 3; day++)
		sample_window(s, SAMPLE_NOW + day * 86400, SAMPLE_NOW + day * 86400 + 3600);
	s = sample_schedule(p, "daily");
	sample_window(s, SAMPLE_NOW, SAMPLE_NOW + 400 * 86400);
	c = &p->classes[0];
	c->refuse = REFUSE_REJECT;
	c->rate = 10;
	c->rate_burst = 20;
	sample_when(sample_rule(p, c, "203.0.113.0/24", BOX_PORTS, IPPROTO_TCP, 443, 443), "nightly");
	sample_inbound(c, "192.0.2.4", BOX_PORTS, IPPROTO_TCP, 554, 554);
	sample_when(sample_inbound(c, "class:gateway", BOX_PORTS, IPPROTO_TCP, 80, 80), "daily");
	sample_prefix(&p->devices[1], "2001:db8:1::");
	sample_behind(sample_device(p, "behind", "sensor", 0, "10.20.0.1", "lan1", NULL, 0), 0xfe);
	sample_behind(sample_device(p, "beyond", "sensor", 0, "10.20.0.2", "lan1", NULL, 0), 0);
	return p;
}

struct policy *
sample_revocation(void)
{
	struct policy *p = sample_language();
	struct authority_decl *a;
	struct source_decl *s;
	struct class_decl *c;

	c = sample_class(p, "limited");
	sample_rule(p, c, "192.0.2.80", BOX_PORTS, IPPROTO_TCP, 443, 443);
	sample_remedy(&p->classes[0], "192.0.2.81", 80);
	c = sample_class(p, "sub-sensor");
	sample_extends(c, "sensor");
	sample_remedy(c, "192.0.2.82", 81);
	sample_authority(p, "line-ca", "http://pki.example/line.crl");
	a = &p->authorities[1];
	sample_issuer(a, ISSUER_OWN, 8);
	sample_issuer(a, ISSUER_CRL, 9);
	sample_issuer(a, ISSUER_OCSP, 10);
	sample_mirror(&a->sources[0], "https://mirror.example/line.crl");
	a->sources[0].pin = must(strdup("sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="));
	a->sources[0].proxy = must(strdup("http://proxy.example:3128"));
	a->sources[0].no_proxy = must(strdup("pki.example"));
	a->sources[0].hosts = must(strdup("cdn.example"));
	a->sources[0].flags = SOURCE_COVERS_ALL;
	s = sample_source(a, "http://pki.example/delta.crl");
	s->flags = SOURCE_DELTA;
	s->base = 0;
	s = sample_source(a, "http://devices.example/x.crl");
	s->flags = SOURCE_FROM_DEVICES;
	a->when_stale = WHEN_STALE_RESTRICT;
	a->restrict_class = must(strdup("limited"));
	a->flags = AUTHORITY_HOLD_MANUAL;
	a->ocsp = (struct ocsp_decl){ .devices = OCSP_CRITICAL, .url = must(strdup("http://ocsp.example")),
		.refresh_s = 60, .max_age_s = 3600 };
	sample_certificate(&p->devices[0], "line-ca", 0x51);
	p->devices[0].critical = true;
	p->devices[0].certificates[1].der = must(calloc(1, 5));
	memcpy(p->devices[0].certificates[1].der, "\x30\x03\x02\x01\x51", 5);
	p->devices[0].certificates[1].der_len = 5;
	p->devices[0].certificates[1].issuer = 2;
	return p;
}

struct image
sample_image(const struct policy *p, const struct image *before, uint8_t **bytes, size_t *len)
{
	struct mistakes *m = must(calloc(1, sizeof(*m)));
	struct image im;
	const char *why;
	size_t i;

	mistakes_init(m);
	if (compile_policy(p, before, m, bytes, len) < 0) {
		for (i = 0; i < mistakes_kept(m->n); i++)
			fprintf(stderr, "%s\n", m->lines[i]);
		abort();
	}
	mistakes_done(m);
	free(m);
	if (image_open(*bytes, *len, &im, &why) < 0) {
		fprintf(stderr, "%s\n", why);
		abort();
	}
	return im;
}
