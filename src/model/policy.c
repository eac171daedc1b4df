/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy.c -- the life of a policy as written, and what its words may look
 * like. Knows neither files nor the kernel. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "model/policy.h"
#include "proto/limits.h"

struct policy *
policy_new(void)
{
	struct policy *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->appliance.log_group = 300;
	p->appliance.connections = 1024;
	p->appliance.window_s = 300;
	p->appliance.brake_devices = 32;
	p->appliance.brake_within_s = 3600;
	return p;
}

void *
policy_grow(void *array, size_t n, size_t record)
{
	char *grown = array;

	/* Full whenever n is a power of two (or nothing). */
	if ((n & (n - 1)) == 0) {
		grown = reallocarray(array, n == 0 ? 1 : n * 2, record);
		if (grown == NULL)
			return NULL;
	}
	memset(grown + n * record, 0, record);
	return grown;
}

static void
strings_free(char **strings, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		free(strings[i]);
	free(strings);
}

void
rule_done(struct rule *r)
{
	size_t i;

	for (i = 0; i < r->n_to; i++)
		free(r->to[i].name);
	free(r->to);
	free(r->services);
	strings_free(r->named, r->n_named);
	free(r->schedule);
	memset(r, 0, sizeof(*r));
}

static void
rules_free(struct rule *rules, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		rule_done(&rules[i]);
	free(rules);
}

void
class_decl_done(struct class_decl *c)
{
	free(c->name);
	strings_free(c->extends, c->n_extends);
	rules_free(c->rules, c->n_rules);
	rules_free(c->inbound, c->n_inbound);
	rules_free(c->quarantine, c->n_quarantine);
	memset(c, 0, sizeof(*c));
}

void
service_decl_done(struct service_decl *s)
{
	free(s->name);
	free(s->services);
	memset(s, 0, sizeof(*s));
}

void
group_decl_done(struct group_decl *g)
{
	size_t i;

	free(g->name);
	for (i = 0; i < g->n_to; i++)
		free(g->to[i].name);
	free(g->to);
	memset(g, 0, sizeof(*g));
}

void
schedule_decl_done(struct schedule_decl *s)
{
	free(s->name);
	free(s->zone);
	free(s->windows);
	memset(s, 0, sizeof(*s));
}

void
device_decl_done(struct device_decl *d)
{
	if (d->borrowed)	/* there are a hundred thousand of them */
		return;
	free(d->name);
	free(d->class_name);
	free(d->addresses);
	free(d->interface);
	for (size_t i = 0; i < d->n_certificates; i++) {
		free(d->certificates[i].authority);
		free(d->certificates[i].der);
	}
	free(d->certificates);
	strings_free(d->labels, d->n_labels);
	memset(d, 0, sizeof(*d));
}

void
source_decl_init(struct source_decl *s, const struct authority_decl *a)
{
	memset(s, 0, sizeof(*s));
	s->base = SOURCE_NO_BASE;
	s->refresh_s = a->refresh_s;
	s->max_bytes = DEFAULT_CRL_BYTES;
	s->timeout_s = LIMIT_FETCH_SECONDS;
}

void
source_decl_done(struct source_decl *s)
{
	strings_free(s->urls, s->n_urls);
	free(s->pin);
	free(s->proxy);
	free(s->no_proxy);
	free(s->hosts);
	free(s->ca_der);
	memset(s, 0, sizeof(*s));
}

void
authority_decl_init(struct authority_decl *a)
{
	memset(a, 0, sizeof(*a));
	a->refresh_s = 3600;
	a->skew_s = 300;
	a->grace_s = a->max_age_s = 86400;
}

void
authority_decl_done(struct authority_decl *a)
{
	size_t i;

	free(a->name);
	for (i = 0; i < a->n_issuers; i++)
		free(a->issuers[i].der);
	free(a->issuers);
	for (i = 0; i < a->n_sources; i++)
		source_decl_done(&a->sources[i]);
	free(a->sources);
	free(a->ocsp.url);
	free(a->restrict_class);
	memset(a, 0, sizeof(*a));
}

void
policy_free(struct policy *p)
{
	size_t i;

	if (p == NULL)
		return;
	strings_free(p->files, p->n_files);
	free(p->facts);
	for (i = 0; i < p->n_beside; i++)
		free(p->beside[i].path);
	free(p->beside);
	strings_free(p->appliance.interfaces, p->appliance.n_interfaces);
	free(p->appliance.services);
	rules_free(p->appliance.quarantine, p->appliance.n_quarantine);
	for (i = 0; i < p->n_authorities; i++)
		authority_decl_done(&p->authorities[i]);
	free(p->authorities);
	for (i = 0; i < p->n_services; i++)
		service_decl_done(&p->services[i]);
	free(p->services);
	for (i = 0; i < p->n_groups; i++)
		group_decl_done(&p->groups[i]);
	free(p->groups);
	for (i = 0; i < p->n_schedules; i++)
		schedule_decl_done(&p->schedules[i]);
	free(p->schedules);
	for (i = 0; i < p->n_classes; i++)
		class_decl_done(&p->classes[i]);
	free(p->classes);
	for (i = 0; i < p->n_devices; i++)
		device_decl_done(&p->devices[i]);
	free(p->devices);
	free(p);
}

static bool
is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool
name_is_valid(const char *name)
{
	size_t i;

	for (i = 0; name[i] != '\0'; i++)
		if (i + 1 >= LIMIT_NAME || (!is_alnum(name[i]) && strchr("._-", name[i]) == NULL))
			return false;
	return i > 0;
}

bool
interface_name_is_valid(const char *name)
{
	size_t i;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	for (i = 0; name[i] != '\0'; i++)
		if (i >= 15 || name[i] <= ' ' || name[i] > '~' || strchr("/:*%\"\\", name[i]) != NULL)
			return false;
	return i > 0;
}

bool
host_name_is_valid(const char *name)
{
	size_t i, label = 0, labels = 0;
	bool letter = false;

	if (strlen(name) >= LIMIT_HOST)
		return false;
	if (name[0] == '*' && name[1] == '.')
		name += 2;
	for (i = 0; name[i] != '\0'; i++) {
		if (name[i] == '.') {
			if (label == 0 || name[i - 1] == '-')
				return false;
			label = 0;
			labels++;
			letter = false;
			continue;
		}
		if ((!is_alnum(name[i]) && name[i] != '-' && name[i] != '_') || ++label > 63 ||
		    (name[i] == '-' && label == 1))
			return false;
		letter = letter || name[i] > '9';
	}
	/* Two labels at least, and the last is no number: 10.0.0 is a mistyped address. */
	return label > 0 && name[i - 1] != '-' && labels > 0 && letter;
}

/* What follows the scheme, when it is that one; NULL. */
static const char *
after_scheme(const char *url, const char *scheme)
{
	size_t n = strlen(scheme);

	return strncmp(url, scheme, n) == 0 ? url + n : NULL;
}

static bool
url_is_clean(const char *url)
{
	size_t i;

	for (i = 0; url[i] != '\0'; i++)
		if (i + 1 >= LIMIT_URL || url[i] <= ' ' || url[i] > '~' || url[i] == '"' || url[i] == '\\')
			return false;
	return true;
}

/* A host begins there. */
static bool
host_begins(const char *at)
{
	return at[0] != '\0' && strchr("/?#:@", at[0]) == NULL;
}

bool
url_is_http(const char *url)
{
	const char *at = after_scheme(url, "http://");

	if (at == NULL)
		at = after_scheme(url, "https://");
	return at != NULL && host_begins(at) && url_is_clean(url);
}

bool
url_is_valid(const char *url)
{
	const char *at;

	if (!url_is_clean(url))
		return false;
	if ((at = after_scheme(url, "file:///")) != NULL)
		return at[0] != '\0';
	if ((at = after_scheme(url, "ldap://")) != NULL || (at = after_scheme(url, "ldaps://")) != NULL) {
		if (!host_begins(at) || (at = strchr(at, '/')) == NULL)
			return false;
		return at[1] != '\0' && at[1] != '?';
	}
	return url_is_http(url);
}

bool
pin_is_valid(const char *pin)
{
	size_t i;

	if (strlen(pin) != PIN_LEN || strncmp(pin, "sha256//", 8) != 0 || pin[PIN_LEN - 1] != '=')
		return false;
	for (i = 8; i + 1 < PIN_LEN; i++)
		if (!is_alnum(pin[i]) && pin[i] != '+' && pin[i] != '/')
			return false;
	return true;
}

const char *
device_address_fault(const struct addr *a)
{
	static const uint8_t zero[16], mapped[12] = { [10] = 0xff, [11] = 0xff };
	const uint8_t *b = a->bytes;

	if (memcmp(b, zero, sizeof(zero)) == 0)
		return "the unspecified address";
	if (a->family == AF_INET) {
		if (b[0] == 0)
			return "an address of \"this network\"";
		if (b[0] == 127)
			return "a loopback address";
		if (b[0] == 169 && b[1] == 254)
			return "a link-local address";
		if (b[0] >= 224 && b[0] < 240)
			return "a multicast address";
		return b[0] >= 240 ? "a reserved address" : NULL;
	}
	if (memcmp(b, zero, 15) == 0 && b[15] == 1)
		return "the loopback address";
	if (memcmp(b, mapped, sizeof(mapped)) == 0)
		return "an IPv4 address in IPv6 form";
	if (b[0] == 0xfe && (b[1] & 0xc0) == 0x80)
		return "a link-local address";
	return b[0] == 0xff ? "a multicast address" : NULL;
}
