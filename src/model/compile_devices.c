/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compile_devices.c -- devices: everything a device refers to exists. Then into
 * the image. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/compile_parts.h"
#include "proto/limits.h"

/* ---- checks ------------------------------------------------------------- */

/* One certificate of one device. */
struct certificate_at {
	uint32_t device;	/* index into the policy's array */
	uint32_t nth;
};

static int
same_cmp(const void *a, const void *b, void *policy)
{
	const struct device_decl *devices = ((const struct policy *)policy)->devices;
	const struct certificate_at *i = a, *k = b;
	const struct certificate_decl *x = &devices[i->device].certificates[i->nth];
	const struct certificate_decl *y = &devices[k->device].certificates[k->nth];
	int rc = strcmp(x->authority, y->authority);

	if (rc == 0 && x->serial_len != y->serial_len)
		rc = x->serial_len < y->serial_len ? -1 : 1;
	if (rc == 0)
		rc = memcmp(x->serial, y->serial, x->serial_len);
	return rc;
}

/* Ties by declaration. */
static int
certificate_cmp(const void *a, const void *b, void *policy)
{
	const struct certificate_at *i = a, *k = b;
	int rc = same_cmp(a, b, policy);

	if (rc == 0 && i->device != k->device)
		rc = i->device < k->device ? -1 : 1;
	return rc != 0 ? rc : i->nth < k->nth ? -1 : i->nth > k->nth;
}

static size_t
list_certificates(const struct policy *p, struct certificate_at *order)
{
	size_t n = 0;
	uint32_t i, k;

	for (i = 0; i < p->n_devices; i++)
		for (k = 0; k < p->devices[i].n_certificates; k++) {
			const struct certificate_decl *cert = &p->devices[i].certificates[k];

			if (cert->authority != NULL && cert->serial_len > 0)
				order[n++] = (struct certificate_at){ i, k };
		}
	return n;
}

/* Two devices with one certificate are possible (a gateway with two ports), but
 * more often one was copied. */
static int
check_certificates(struct compile *c)
{
	const struct policy *p = c->p;
	struct certificate_at *order;
	size_t n = 0, k;

	for (k = 0; k < p->n_devices; k++)
		n += p->devices[k].n_certificates;
	if ((order = calloc(n + 1, sizeof(*order))) == NULL)
		return -ENOMEM;
	n = list_certificates(p, order);
	qsort_r(order, n, sizeof(*order), certificate_cmp, (void *)(uintptr_t)p);
	for (k = 1; k < n; k++) {
		const struct device_decl *a = &p->devices[order[k - 1].device], *b = &p->devices[order[k].device];

		if (same_cmp(&order[k - 1], &order[k], (void *)(uintptr_t)p) != 0)
			continue;
		if (a == b)
			mistakes_add(c->m, compile_file(c, &b->where), b->where.line,
			    "device \"%s\" has the same certificate twice: once is enough", b->name);
		else
			mistakes_warn(c->m, compile_file(c, &b->where), b->where.line,
			    "device \"%s\" has the certificate of device \"%s\" (%s:%u): revoking it "
			    "quarantines both", b->name, a->name, compile_file(c, &a->where), a->where.line);
	}
	free(order);
	return 0;
}

/* How many, parallel to classes and interfaces. */
struct census {
	uint32_t *members;
	uint32_t *reachable;	/* of them: somebody can name their address */
	uint32_t *at_port;
};

static void
count_member(const struct device_decl *d, uint32_t index, struct census *n)
{
	size_t i;

	n->members[index]++;
	for (i = 0; i < d->n_addresses; i++) {
		if (compile_address_is_whole(&d->addresses[i])) {
			n->reachable[index]++;
			return;
		}
	}
}

/* What one device refers to. */
static void
check_references(struct compile *c, const struct device_decl *d, struct census *n)
{
	const char *file = compile_file(c, &d->where);
	uint32_t index;
	size_t i;

	if (d->class_name != NULL && names_find(&c->classes, d->class_name, &index))
		count_member(d, index, n);
	else if (d->class_name != NULL)
		compile_unknown(c, &d->where, "class", d->class_name, &c->classes,
		    "declare it in classes.d, or correct the name");
	/* Behind a router they share its port, and cannot do otherwise. */
	if (d->interface != NULL && names_find(&c->interfaces, d->interface, &index))
		n->at_port[index] += d->has_mac;
	else if (d->interface != NULL && !c->p->incomplete)
		mistakes_add(c->m, file, d->where.line,
		    "\"%s\" is no device interface: add it to appliance.device_interfaces, or correct the name",
		    d->interface);
	for (i = 0; i < d->n_certificates; i++)
		if (d->certificates[i].authority != NULL &&
		    !names_find(&c->authorities, d->certificates[i].authority, &index))
			compile_unknown(c, &d->certificates[i].where, "authority", d->certificates[i].authority,
			    &c->authorities, "declare it under authorities, or correct the name");
	if (d->n_certificates > LIMIT_CERTIFICATES_PER_DEVICE)
		mistakes_add(c->m, file, d->where.line, "device \"%s\" has %zu certificates: at most %u, the oldest "
		    "can go", d->name, d->n_certificates, LIMIT_CERTIFICATES_PER_DEVICE);
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
warn_segments(struct compile *c, const struct census *n)
{
	const struct policy *p = c->p;
	size_t i, unbound = 0, shared = 0;

	for (i = 0; i < p->n_devices; i++)
		unbound += p->devices[i].interface == NULL;
	for (i = 0; i < p->appliance.n_interfaces; i++)
		if (n->at_port[i] > 1)
			shared += n->at_port[i];
	if (unbound > 0)
		mistakes_warn(c->m, NULL, 0,
		    "%zu device%s not bound to a router port: on a shared segment another device can take "
		    "%s MAC and address; bind %s with `interface`", unbound, unbound == 1 ? " is" : "s are",
		    unbound == 1 ? "its" : "their", unbound == 1 ? "it" : "them");
	if (shared > 0)
		mistakes_warn(c->m, NULL, 0,
		    "%zu devices share their router port with another device, which can take their MAC and "
		    "address: give each a port of its own", shared);
}

/* A class that others extend needs no devices, and neither does one that devices are put in. */
static void
warn_classes(struct compile *c, const struct census *n)
{
	const struct policy *p = c->p;
	size_t i;

	for (i = 0; i < p->n_classes; i++) {
		const struct class_decl *cl = &p->classes[i];

		if (n->members[i] == 0 && (c->hints[i] & CLASS_EXTENDED) == 0 && c->restricts[i] == 0)
			mistakes_warn(c->m, compile_file(c, &cl->where), cl->where.line,
			    "no device belongs to class \"%s\"", cl->name);
		else if (n->members[i] > 0 && n->reachable[i] == 0 && (c->hints[i] & CLASS_INBOUND) != 0)
			mistakes_warn(c->m, compile_file(c, &cl->where), cl->where.line,
			    "class \"%s\" has inbound rules, but no device of it has a declared address: nobody can "
			    "reach them before they have one", cl->name);
	}
}

int
compile_check_devices(struct compile *c)
{
	const struct policy *p = c->p;
	struct census n = {
		.members = calloc(p->n_classes + 1, sizeof(*n.members)),
		.reachable = calloc(p->n_classes + 1, sizeof(*n.reachable)),
		.at_port = calloc(p->appliance.n_interfaces + 1, sizeof(*n.at_port)),
	};
	size_t i;
	int rc = -ENOMEM;

	if (n.members == NULL || n.reachable == NULL || n.at_port == NULL)
		goto out;
	for (i = 0; i < p->n_devices; i++)
		check_references(c, &p->devices[i], &n);
	if ((rc = compile_check_identities(c)) < 0 || (rc = check_certificates(c)) < 0)
		goto out;
	warn_segments(c, &n);
	if (!c->too_many)
		warn_classes(c, &n);
out:
	free(n.members);
	free(n.reachable);
	free(n.at_port);
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

	if (!names_find(&c->authorities, cert->authority, &index))
		return;
	memset(&out, 0, sizeof(out));
	out.authority = c->authority_number[index];
	out.serial_len = cert->serial_len;
	memcpy(out.serial, cert->serial, cert->serial_len);
	if (cert->der_len > 0) {
		out.chain = image_build_add(&c->b, IMAGE_BLOBS, cert->der, cert->der_len);
		out.chain_len = (uint32_t)cert->der_len;
		out.issuer = cert->issuer;
	}
	image_build_add(&c->b, IMAGE_CERTIFICATES, &out, 1);
	slice->n++;
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
	out.identity = (uint8_t)compile_identity(d);
	if (out.identity != IDENTITY_ROUTED)
		memcpy(out.mac, d->mac.bytes, sizeof(out.mac));
	write_addresses(c, d, &out.addresses);
	out.flags = d->critical ? DEVICE_CRITICAL : 0;
	out.certificates.first = image_build_count(&c->b, IMAGE_CERTIFICATES);
	for (i = 0; i < d->n_certificates; i++)
		write_certificate(c, &d->certificates[i], &out.certificates);
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
	for (i = 0; i < p->n_devices; i++)
		image_build_add(&c->b, IMAGE_BY_NAME, &device[c->by_name[i]], 1);
	for (i = 0; i < c->n_by_mac; i++)
		image_build_add(&c->b, IMAGE_BY_MAC, &device[c->by_mac[i]], 1);
	for (i = 0; i < c->n_by_address; i++) {
		at = address[c->by_address[i].device] + c->by_address[i].nth;
		image_build_add(&c->b, IMAGE_BY_ADDRESS, &at, 1);
	}
	rc = 0;
out:
	free(device);
	free(address);
	return rc;
}
