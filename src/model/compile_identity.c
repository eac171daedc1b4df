/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compile_identity.c -- which packets are whose: every MAC and every address
 * belongs to one device only, and who has no MAC of its own has an address. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "model/compile_parts.h"
#include "proto/limits.h"

enum device_identity
compile_identity(const struct device_decl *d)
{
	return d->has_mac ? IDENTITY_OWN : d->has_via ? IDENTITY_VIA : IDENTITY_ROUTED;
}

bool
compile_address_is_whole(const struct device_address *a)
{
	return a->prefix == (a->addr.family == AF_INET ? 32 : 128);
}

/* ---- orders ------------------------------------------------------------- */

/* Ties fall by declaration, so that the first one is the one that is right. */
static int
index_cmp(uint32_t a, uint32_t b)
{
	return a < b ? -1 : a > b;
}

static int
name_cmp(const void *a, const void *b, void *policy)
{
	const struct device_decl *devices = ((const struct policy *)policy)->devices;

	return strcmp(devices[*(const uint32_t *)a].name, devices[*(const uint32_t *)b].name);
}

static int
mac_cmp(const void *a, const void *b, void *policy)
{
	const struct device_decl *devices = ((const struct policy *)policy)->devices;
	uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
	int rc = memcmp(devices[i].mac.bytes, devices[k].mac.bytes, sizeof(devices[i].mac.bytes));

	return rc != 0 ? rc : index_cmp(i, k);
}

static const struct addr *
address_of(const struct policy *p, const struct address_at *at)
{
	return &p->devices[at->device].addresses[at->nth].addr;
}

static int
address_cmp(const void *pa, const void *pb, void *policy)
{
	const struct address_at *a = pa, *b = pb;
	int rc = addr_cmp(address_of(policy, a), address_of(policy, b));

	return rc != 0 ? rc : index_cmp(a->device, b->device);
}

typedef int order_cmp(const void *, const void *, void *);

/* Sort n records whose first `sorted' are thought to be so already. */
static int
sort_rest(void *records, size_t n, size_t sorted, size_t size, order_cmp *cmp, void *arg)
{
	char *at = records, *out, *to;
	size_t i, k;

	for (i = 1; i < sorted; i++)
		if (cmp(at + (i - 1) * size, at + i * size, arg) > 0)
			sorted = 0;
	qsort_r(at + sorted * size, n - sorted, size, cmp, arg);
	if (sorted == 0 || sorted == n)
		return 0;
	if ((to = out = calloc(n, size)) == NULL)
		return -ENOMEM;
	for (i = 0, k = sorted; i < sorted || k < n; to += size) {
		bool left = k == n || (i < sorted && cmp(at + i * size, at + k * size, arg) <= 0);

		memcpy(to, at + (left ? i++ : k++) * size, size);
	}
	memcpy(records, out, n * size);
	free(out);
	return 0;
}

static void
list_devices(struct compile *c)
{
	const struct policy *p = c->p;
	uint32_t i, k;

	for (i = 0; i < p->n_devices; i++) {
		c->by_name[i] = i;
		if (p->devices[i].has_mac)
			c->by_mac[c->n_by_mac++] = i;
		for (k = 0; k < p->devices[i].n_addresses; k++)
			if (compile_address_is_whole(&p->devices[i].addresses[k]))
				c->by_address[c->n_by_address++] = (struct address_at){ .device = i, .nth = k };
	}
}

static int
sort_devices(struct compile *c)
{
	void *p = (void *)(uintptr_t)c->p;
	size_t i, n = 0, names = 0, macs = 0, addresses = 0;
	int rc;

	for (i = 0; i < c->p->n_devices; i++)
		n += c->p->devices[i].n_addresses;
	if ((c->by_address = calloc(n + 1, sizeof(*c->by_address))) == NULL)
		return -ENOMEM;
	if (c->lift == NULL) {
		list_devices(c);
	} else {
		names = compile_lifted_names(c);
		macs = compile_lifted_macs(c);
		addresses = compile_lifted_addresses(c);
	}
	if ((rc = sort_rest(c->by_name, c->p->n_devices, names, sizeof(*c->by_name), name_cmp, p)) < 0 ||
	    (rc = sort_rest(c->by_mac, c->n_by_mac, macs, sizeof(*c->by_mac), mac_cmp, p)) < 0)
		return rc;
	return sort_rest(c->by_address, c->n_by_address, addresses, sizeof(*c->by_address), address_cmp, p);
}

/* ---- checks ------------------------------------------------------------- */

static void
check_macs(struct compile *c)
{
	const struct policy *p = c->p;
	char text[MAC_STRLEN];
	size_t i;

	for (i = 1; i < c->n_by_mac; i++) {
		const struct device_decl *a = &p->devices[c->by_mac[i - 1]], *b = &p->devices[c->by_mac[i]];

		if (memcmp(a->mac.bytes, b->mac.bytes, sizeof(a->mac.bytes)) != 0)
			continue;
		mistakes_add(c->m, compile_file(c, &b->where), b->where.line,
		    "device \"%s\" has the MAC %s of device \"%s\" (%s:%u): a MAC belongs to one device",
		    b->name, mac_format(&b->mac, text), a->name, compile_file(c, &a->where), a->where.line);
	}
}

/* Whose own MAC is it? NULL: nobody's. */
static const struct device_decl *
mac_owner(const struct compile *c, const struct mac *mac)
{
	size_t low = 0, high = c->n_by_mac, mid;

	while (low < high) {
		const struct device_decl *d;
		int rc;

		mid = low + (high - low) / 2;
		d = &c->p->devices[c->by_mac[mid]];
		rc = memcmp(d->mac.bytes, mac->bytes, sizeof(mac->bytes));
		if (rc == 0)
			return d;
		if (rc < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/* Many may stand behind one router; but it is none of the devices, or what it
 * forwards would be taken for its own. */
static void
check_via(struct compile *c)
{
	char text[MAC_STRLEN];
	size_t i;

	for (i = 0; i < c->p->n_devices; i++) {
		const struct device_decl *d = &c->p->devices[i], *owner;

		if (compile_identity(d) != IDENTITY_VIA || (owner = mac_owner(c, &d->mac)) == NULL)
			continue;
		mistakes_add(c->m, compile_file(c, &d->where), d->where.line,
		    "device \"%s\" stands behind %s, which is the MAC of device \"%s\" (%s:%u): a router that devices "
		    "stand behind is no device itself", d->name, mac_format(&d->mac, text), owner->name,
		    compile_file(c, &owner->where), owner->where.line);
	}
}

static void
check_addresses(struct compile *c)
{
	const struct policy *p = c->p;
	char text[ADDR_STRLEN];
	size_t i;

	for (i = 1; i < c->n_by_address; i++) {
		const struct address_at *x = &c->by_address[i - 1], *y = &c->by_address[i];
		const struct device_decl *a = &p->devices[x->device], *b = &p->devices[y->device];

		if (addr_cmp(address_of(p, x), address_of(p, y)) != 0)
			continue;
		addr_format(address_of(p, y), text);
		if (a == b)
			mistakes_add(c->m, compile_file(c, &b->where), b->where.line,
			    "device \"%s\" has the address %s twice: once is enough", b->name, text);
		else
			mistakes_add(c->m, compile_file(c, &b->where), b->where.line,
			    "device \"%s\" has the address %s of device \"%s\" (%s:%u): an address belongs to "
			    "one device", b->name, text, a->name, compile_file(c, &a->where), a->where.line);
	}
}

/* A prefix may be that of many devices; one of them names it once. */
static void
check_prefixes(struct compile *c, const struct device_decl *d)
{
	const char *file = compile_file(c, &d->where);
	char text[ADDR_STRLEN];
	size_t i, k;

	for (i = 0; i < d->n_addresses && i < LIMIT_ADDRESSES_PER_DEVICE; i++) {
		const struct device_address *a = &d->addresses[i];

		if (compile_address_is_whole(a))
			continue;
		addr_format(&a->addr, text);
		if (a->addr.family == AF_INET6 && a->addr.bytes[0] == 0xfe && (a->addr.bytes[1] & 0xc0) == 0x80 &&
		    !c->told)
			mistakes_add(c->m, file, d->where.line,
			    "device \"%s\" has the prefix %s/%u: link-local addresses are its own beside any prefix, "
			    "leave them out", d->name, text, a->prefix);
		for (k = 0; k < i; k++)
			if (d->addresses[k].prefix == a->prefix && addr_cmp(&d->addresses[k].addr, &a->addr) == 0)
				mistakes_add(c->m, file, d->where.line,
				    "device \"%s\" has the prefix %s/%u twice: once is enough", d->name, text,
				    a->prefix);
	}
}

static void
check_behind(struct compile *c, const struct device_decl *d)
{
	const char *file = compile_file(c, &d->where);
	size_t i;

	if (d->interface == NULL || d->n_addresses == 0) {
		mistakes_add(c->m, file, d->where.line, "device \"%s\" has no MAC of its own and cannot be told from "
		    "others: name its `address' and `interface'", d->name);
		return;
	}
	for (i = 0; i < d->n_addresses; i++)
		if (!compile_address_is_whole(&d->addresses[i]))
			mistakes_add(c->m, file, d->where.line, "device \"%s\" has a prefix and no MAC of its own: in "
			    "a prefix only the MAC tells devices apart, name single addresses", d->name);
}

int
compile_check_identities(struct compile *c)
{
	const struct policy *p = c->p;
	size_t i, open = 0;
	int rc;

	if ((rc = sort_devices(c)) < 0)
		return rc;
	check_macs(c);
	check_via(c);
	check_addresses(c);
	for (i = 0; i < p->n_devices; i++) {
		const struct device_decl *d = &p->devices[i];

		check_prefixes(c, d);
		/* Without a MAC it may have a wrong one: who read it has said so. */
		if (compile_identity(d) != IDENTITY_OWN && !c->told)
			check_behind(c, d);
		open += compile_identity(d) == IDENTITY_ROUTED;
	}
	if (open > 0 && !c->told)
		mistakes_warn(c->m, NULL, 0,
		    "%zu device%s known by address and port alone: whatever is at that port can take %s address; "
		    "name the router's MAC with `via`", open, open == 1 ? " is" : "s are",
		    open == 1 ? "its" : "their");
	return 0;
}
