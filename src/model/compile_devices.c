/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compile_devices.c -- devices: every identity belongs to one device only, and
 * everything a device refers to exists. Then into the image. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/compile_parts.h"
#include "proto/limits.h"

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

static int
certificate_cmp(const void *a, const void *b, void *policy)
{
	const struct device_decl *devices = ((const struct policy *)policy)->devices;
	uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
	const struct certificate_decl *x = devices[i].certificate, *y = devices[k].certificate;
	int rc = strcmp(x->authority, y->authority);

	if (rc == 0 && x->serial_len != y->serial_len)
		rc = x->serial_len < y->serial_len ? -1 : 1;
	if (rc == 0)
		rc = memcmp(x->serial, y->serial, x->serial_len);
	return rc;
}

static int
sort_devices(struct compile *c)
{
	const struct policy *p = c->p;
	uint32_t i, k;
	size_t n = 0;

	for (i = 0; i < p->n_devices; i++) {
		c->by_name[i] = c->by_mac[i] = i;
		n += p->devices[i].n_addresses;
	}
	if ((c->by_address = calloc(n + 1, sizeof(*c->by_address))) == NULL)
		return -ENOMEM;
	for (i = 0; i < p->n_devices; i++)
		for (k = 0; k < p->devices[i].n_addresses; k++)
			c->by_address[c->n_addresses++] = (struct address_at){ .device = i, .nth = k };
	qsort_r(c->by_name, p->n_devices, sizeof(*c->by_name), name_cmp, (void *)(uintptr_t)p);
	qsort_r(c->by_mac, p->n_devices, sizeof(*c->by_mac), mac_cmp, (void *)(uintptr_t)p);
	qsort_r(c->by_address, n, sizeof(*c->by_address), address_cmp, (void *)(uintptr_t)p);
	return 0;
}

/* ---- checks ------------------------------------------------------------- */

static void
check_macs(struct compile *c)
{
	static const struct mac none;
	const struct policy *p = c->p;
	char text[MAC_STRLEN];
	size_t i;

	for (i = 1; i < p->n_devices; i++) {
		const struct device_decl *a = &p->devices[c->by_mac[i - 1]], *b = &p->devices[c->by_mac[i]];

		/* Without a MAC: the reader has said so already. */
		if (memcmp(a->mac.bytes, b->mac.bytes, sizeof(a->mac.bytes)) != 0 ||
		    memcmp(a->mac.bytes, none.bytes, sizeof(none.bytes)) == 0)
			continue;
		mistakes_add(c->m, compile_file(c, &b->where), b->where.line,
		    "device \"%s\" has the MAC %s of device \"%s\" (%s:%u): a MAC belongs to one device",
		    b->name, mac_format(&b->mac, text), a->name, compile_file(c, &a->where), a->where.line);
	}
}

static void
check_addresses(struct compile *c)
{
	const struct policy *p = c->p;
	char text[ADDR_STRLEN];
	size_t i;

	for (i = 1; i < c->n_addresses; i++) {
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

/* Two devices with one certificate are possible (a gateway with two ports), but
 * more often one was copied. */
static int
check_certificates(struct compile *c)
{
	const struct policy *p = c->p;
	uint32_t *order = calloc(p->n_devices + 1, sizeof(*order)), i;
	size_t n = 0, k;

	if (order == NULL)
		return -ENOMEM;
	for (i = 0; i < p->n_devices; i++) {
		const struct certificate_decl *cert = p->devices[i].certificate;

		if (cert != NULL && cert->authority != NULL && cert->serial_len > 0)
			order[n++] = i;
	}
	qsort_r(order, n, sizeof(*order), certificate_cmp, (void *)(uintptr_t)p);
	for (k = 1; k < n; k++) {
		const struct device_decl *a = &p->devices[order[k - 1]], *b = &p->devices[order[k]];

		if (certificate_cmp(&order[k - 1], &order[k], (void *)(uintptr_t)p) == 0)
			mistakes_warn(c->m, compile_file(c, &b->where), b->where.line,
			    "device \"%s\" has the certificate of device \"%s\" (%s:%u): revoking it "
			    "quarantines both", b->name, a->name, compile_file(c, &a->where), a->where.line);
	}
	free(order);
	return 0;
}

/* What one device refers to. */
static void
check_references(struct compile *c, const struct device_decl *d, uint32_t *members, uint32_t *at_port)
{
	const char *file = compile_file(c, &d->where);
	uint32_t index;

	if (d->class_name != NULL && names_find(&c->classes, d->class_name, &index))
		members[index]++;
	else if (d->class_name != NULL && !c->p->incomplete)
		mistakes_add(c->m, file, d->where.line,
		    "class \"%s\" is not declared: declare it in classes.d, or correct the name", d->class_name);
	if (d->interface != NULL && names_find(&c->interfaces, d->interface, &index))
		at_port[index]++;
	else if (d->interface != NULL && !c->p->incomplete)
		mistakes_add(c->m, file, d->where.line,
		    "\"%s\" is no device interface: add it to appliance.device_interfaces, or correct the name",
		    d->interface);
	if (d->certificate != NULL && d->certificate->authority != NULL && !c->p->incomplete &&
	    !names_find(&c->authorities, d->certificate->authority, &index))
		mistakes_add(c->m, compile_file(c, &d->certificate->where), d->certificate->where.line,
		    "authority \"%s\" is not declared: declare it under authorities, or correct the name",
		    d->certificate->authority);
	if (d->n_addresses > LIMIT_ADDRESSES_PER_DEVICE)
		mistakes_add(c->m, file, d->where.line, "device \"%s\" has %zu addresses: at most %u", d->name,
		    d->n_addresses, LIMIT_ADDRESSES_PER_DEVICE);
	if (d->n_labels > LIMIT_LABELS_PER_DEVICE)
		mistakes_add(c->m, file, d->where.line, "device \"%s\" has %zu labels: at most %u", d->name,
		    d->n_labels, LIMIT_LABELS_PER_DEVICE);
}

/* MAC and address can be taken by whoever is on the same segment; only a port of
 * one's own stops it. One line each, since it concerns most or none. */
static void
warn_segments(struct compile *c, const uint32_t *members, const uint32_t *at_port)
{
	const struct policy *p = c->p;
	size_t i, unbound = 0, shared = 0;

	for (i = 0; i < p->n_devices; i++)
		unbound += p->devices[i].interface == NULL;
	for (i = 0; i < p->appliance.n_interfaces; i++)
		if (at_port[i] > 1)
			shared += at_port[i];
	if (unbound > 0)
		mistakes_warn(c->m, NULL, 0,
		    "%zu device%s not bound to a router port: on a shared segment another device can take "
		    "%s MAC and address; bind %s with `interface`", unbound, unbound == 1 ? " is" : "s are",
		    unbound == 1 ? "its" : "their", unbound == 1 ? "it" : "them");
	if (shared > 0)
		mistakes_warn(c->m, NULL, 0,
		    "%zu devices share their router port with another device, which can take their MAC and "
		    "address: give each a port of its own", shared);
	for (i = 0; i < p->n_classes; i++)
		if (members[i] == 0)
			mistakes_warn(c->m, compile_file(c, &p->classes[i].where), p->classes[i].where.line,
			    "no device belongs to class \"%s\"", p->classes[i].name);
}

int
compile_check_devices(struct compile *c)
{
	const struct policy *p = c->p;
	uint32_t *members = calloc(p->n_classes + 1, sizeof(*members));
	uint32_t *at_port = calloc(p->appliance.n_interfaces + 1, sizeof(*at_port));
	size_t i;
	int rc = -ENOMEM;

	if (members == NULL || at_port == NULL || (rc = sort_devices(c)) < 0)
		goto out;
	for (i = 0; i < p->n_devices; i++)
		check_references(c, &p->devices[i], members, at_port);
	check_macs(c);
	check_addresses(c);
	if ((rc = check_certificates(c)) < 0)
		goto out;
	warn_segments(c, members, at_port);
out:
	free(members);
	free(at_port);
	return rc;
}

/* ---- into the image ----------------------------------------------------- */

static void
write_addresses(struct compile *c, const struct device_decl *d, struct image_slice *slice)
{
	struct image_address address;
	size_t i;

	slice->first = image_build_count(&c->b, IMAGE_ADDRESSES);
	slice->n = (uint32_t)d->n_addresses;
	for (i = 0; i < d->n_addresses; i++) {
		memset(&address, 0, sizeof(address));
		address.family = d->addresses[i].addr.family;
		address.prefix = (uint8_t)d->addresses[i].prefix;
		memcpy(address.bytes, d->addresses[i].addr.bytes, sizeof(address.bytes));
		image_build_add(&c->b, IMAGE_ADDRESSES, &address, 1);
	}
}

static void
write_certificate(struct compile *c, const struct certificate_decl *cert, struct image_slice *slice)
{
	struct image_certificate out;
	uint32_t index;

	slice->first = image_build_count(&c->b, IMAGE_CERTIFICATES);
	if (cert == NULL || !names_find(&c->authorities, cert->authority, &index))
		return;
	memset(&out, 0, sizeof(out));
	out.authority = c->authority_number[index];
	out.serial_len = cert->serial_len;
	memcpy(out.serial, cert->serial, cert->serial_len);
	if (cert->der_len > 0) {
		out.chain = image_build_add(&c->b, IMAGE_BLOBS, cert->der, cert->der_len);
		out.chain_len = (uint32_t)cert->der_len;
	}
	image_build_add(&c->b, IMAGE_CERTIFICATES, &out, 1);
	slice->n = 1;
}

static void
write_device(struct compile *c, const struct device_decl *d, uint32_t number)
{
	struct image_device out;
	uint32_t index = 0, label;
	size_t i;

	memset(&out, 0, sizeof(out));
	out.number = number;
	out.name = image_build_text(&c->b, d->name);
	names_find(&c->classes, d->class_name, &index);
	out.class_number = c->class_number[index];
	if (d->interface != NULL)
		out.interface = image_build_intern(&c->b, d->interface);
	memcpy(out.mac, d->mac.bytes, sizeof(out.mac));
	write_addresses(c, d, &out.addresses);
	write_certificate(c, d->certificate, &out.certificates);
	out.labels.first = image_build_count(&c->b, IMAGE_LABELS);
	out.labels.n = (uint32_t)d->n_labels;
	for (i = 0; i < d->n_labels; i++) {
		label = image_build_intern(&c->b, d->labels[i]);
		image_build_add(&c->b, IMAGE_LABELS, &label, 1);
	}
	out.where = compile_where(c, &d->where);
	image_build_add(&c->b, IMAGE_DEVICES, &out, 1);
}

int
compile_devices(struct compile *c)
{
	const struct policy *p = c->p;
	/* Where each declared device, and its first address, came to stand. */
	uint32_t *device = calloc(p->n_devices + 1, sizeof(*device));
	uint32_t *address = calloc(p->n_devices + 1, sizeof(*address));
	uint32_t i, at;
	int rc = -ENOMEM;

	if (device == NULL || address == NULL)
		goto out;
	for (i = 0; i < p->n_devices; i++) {
		at = c->device_order[i].index;
		device[at] = i;
		address[at] = image_build_count(&c->b, IMAGE_ADDRESSES);
		write_device(c, &p->devices[at], c->device_order[i].number);
	}
	for (i = 0; i < p->n_devices; i++) {
		image_build_add(&c->b, IMAGE_BY_NAME, &device[c->by_name[i]], 1);
		image_build_add(&c->b, IMAGE_BY_MAC, &device[c->by_mac[i]], 1);
	}
	for (i = 0; i < c->n_addresses; i++) {
		at = address[c->by_address[i].device] + c->by_address[i].nth;
		image_build_add(&c->b, IMAGE_BY_ADDRESS, &at, 1);
	}
	rc = 0;
out:
	free(device);
	free(address);
	return rc;
}
