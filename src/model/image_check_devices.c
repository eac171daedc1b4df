/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image_check_devices.c -- the devices of an image: each record by itself, and
 * that no name, MAC or address belongs to two of them. */
#include <string.h>

#include "model/image_check.h"
#include "model/image_record.h"
#include "model/image_walk.h"

/* Each index once: keys rise strictly, and there are as many as records. */
static const char *
check_names(const struct image *im)
{
	uint32_t n = im->n[IMAGE_DEVICES], i;

	if (im->n[IMAGE_BY_NAME] != n)
		return "an order has another length than what it orders";
	for (i = 0; i < n; i++)
		if (im->by_name[i] >= n)
			return "an order leads out of the devices";
	for (i = 1; i < n; i++)
		if (strcmp(image_text(im, im->devices[im->by_name[i - 1]].name),
		    image_text(im, im->devices[im->by_name[i]].name)) >= 0)
			return "two devices have one name";
	return NULL;
}

/* Of those with a MAC of their own; the routers that others stand behind are none
 * of them. */
static const char *
check_macs(const struct image *im)
{
	uint32_t n = im->n[IMAGE_BY_MAC], own = 0, i;
	const struct image_device *d, *last = NULL;

	for (i = 0; i < im->n[IMAGE_DEVICES]; i++)
		own += im->devices[i].identity == IDENTITY_OWN;
	if (n != own)
		return "an order has another length than what it orders";
	for (i = 0; i < n; i++, last = d) {
		if (im->by_mac[i] >= im->n[IMAGE_DEVICES])
			return "an order leads out of the devices";
		d = &im->devices[im->by_mac[i]];
		if (d->identity != IDENTITY_OWN)
			return "an order holds what it does not order";
		if (last != NULL && memcmp(last->mac, d->mac, sizeof(d->mac)) >= 0)
			return "two devices have one MAC";
	}
	for (i = 0; i < im->n[IMAGE_DEVICES]; i++)
		if (im->devices[i].identity == IDENTITY_VIA && image_device_with_mac(im, im->devices[i].mac) != NULL)
			return "a device stands behind another";
	return NULL;
}

static const char *
check_addresses(const struct image *im)
{
	uint32_t n = im->n[IMAGE_BY_ADDRESS], whole = 0, i;
	const struct image_address *a, *last = NULL;

	for (i = 0; i < im->n[IMAGE_ADDRESSES]; i++)
		whole += image_address_is_whole(&im->addresses[i]);
	if (n != whole)
		return "an order has another length than what it orders";
	for (i = 0; i < n; i++, last = a) {
		if (im->by_address[i] >= im->n[IMAGE_ADDRESSES])
			return "an order leads out of the addresses";
		a = &im->addresses[im->by_address[i]];
		if (!image_address_is_whole(a))
			return "an order holds what it does not order";
		if (last != NULL && image_address_cmp(last, a) >= 0)
			return "an address is used twice";
	}
	return NULL;
}

static const char *
check_order(const struct image *im)
{
	const char *fault;

	if ((fault = check_names(im)) != NULL || (fault = check_macs(im)) != NULL)
		return fault;
	return check_addresses(im);
}

static bool
interface_ok(const struct image *im, uint32_t name)
{
	uint32_t low = 0, high = im->n[IMAGE_INTERFACES], mid;
	int c;

	if (name == 0)
		return true;
	if (!text_ok(im, name))
		return false;
	while (low < high) {
		mid = low + (high - low) / 2;
		c = strcmp(image_text(im, im->interfaces[mid].name), image_text(im, name));
		if (c == 0)
			return true;
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

static const char *
check_certificate(const struct image *im, const struct image_certificate *c)
{
	static const uint8_t zero[sizeof(c->serial)];
	const struct image_authority *a;

	if (image_authority(im, c->authority) == NULL)
		return "a certificate's authority is none";
	if (c->serial_len < 1 || c->serial_len > LIMIT_SERIAL || (c->serial[0] == 0 && c->serial_len > 1) ||
	    memcmp(c->serial + c->serial_len, zero, sizeof(zero) - c->serial_len) != 0)
		return "a serial number is not in its shortest form";
	if (!blob_ok(im, c->chain, c->chain_len, false))
		return "a device's certificate is out of range";
	if (c->issuer == 0)
		return NULL;
	a = image_authority(im, c->authority);
	if (c->chain_len == 0 || c->issuer > a->issuers.n ||
	    im->issuers[a->issuers.first + c->issuer - 1].role != ISSUER_OWN)
		return "a certificate's issuer is none";
	return NULL;
}

static const char *
check_device_addresses(const struct image *im, const struct image_device *d)
{
	const struct image_address *all = im->addresses + d->addresses.first;
	uint32_t i, k;

	if (d->identity != IDENTITY_OWN && (d->addresses.n == 0 || d->interface == 0))
		return "a device behind a router has no address or no port";
	for (i = 0; i < d->addresses.n; i++) {
		if (!image_address_is_valid(&all[i]))
			return "a device's address is not valid";
		if (image_address_is_whole(&all[i]))
			continue;
		if (d->identity != IDENTITY_OWN)
			return "a device behind a router has a prefix";
		for (k = 0; k < i; k++)
			if (all[k].prefix == all[i].prefix && image_address_cmp(&all[k], &all[i]) == 0)
				return "a device has a prefix twice";
	}
	return NULL;
}

static const char *
check_device_parts(struct walk *w, const struct image_device *d)
{
	const struct image *im = w->im;
	const char *fault;
	uint32_t i;

	if (d->addresses.n > LIMIT_ADDRESSES_PER_DEVICE || !slice_ok(w, IMAGE_ADDRESSES, &d->addresses) ||
	    d->certificates.n > LIMIT_CERTIFICATES_PER_DEVICE ||
	    !slice_ok(w, IMAGE_CERTIFICATES, &d->certificates) || d->labels.n > LIMIT_LABELS_PER_DEVICE ||
	    !slice_ok(w, IMAGE_LABELS, &d->labels))
		return "a device's parts are out of range";
	if ((fault = check_device_addresses(im, d)) != NULL)
		return fault;
	for (i = 0; i < d->certificates.n; i++)
		if ((fault = check_certificate(im, &im->certificates[d->certificates.first + i])) != NULL)
			return fault;
	for (i = 0; i < d->labels.n; i++)
		if (!name_ok(im, im->labels[d->labels.first + i]))
			return "a label is not valid";
	return NULL;
}

/* Its own, or that of the router it stands behind; none when any router will do. */
static bool
mac_ok(const struct image_device *d)
{
	static const uint8_t no_mac[sizeof(d->mac)];
	bool none = memcmp(d->mac, no_mac, sizeof(no_mac)) == 0;

	if (d->identity > IDENTITY_ROUTED || d->flags > DEVICE_FLAGS)
		return false;
	return d->identity == IDENTITY_ROUTED ? none : !none && (d->mac[0] & 1) == 0;
}

const char *
image_check_devices(struct walk *w)
{
	const struct image *im = w->im;
	const struct image_class *class;
	const char *fault;
	uint32_t i, last = 0;

	if (im->n[IMAGE_DEVICES] > LIMIT_DEVICES)
		return "too many devices";
	for (i = 0; i < im->n[IMAGE_DEVICES]; i++) {
		const struct image_device *d = &im->devices[i];

		if (d->number <= last || d->number >= im->header->next_device)
			return "devices are not numbered in order";
		last = d->number;
		if (!name_ok(im, d->name) || !where_ok(im, &d->where))
			return "a device's name is not valid";
		if (d->class_number == 0 || (class = image_class(im, d->class_number)) == NULL ||
		    (class->hints & CLASS_QUARANTINE) != 0)
			return "a device's class is none";
		if (!mac_ok(d))
			return "a device's MAC is not valid";
		if (!interface_ok(im, d->interface))
			return "a device's port is no device interface";
		if ((fault = check_device_parts(w, d)) != NULL)
			return fault;
	}
	return check_order(im);
}
