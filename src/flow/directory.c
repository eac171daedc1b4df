/* SPDX-License-Identifier: GPL-2.0-or-later */
/* directory.c -- indexes over a policy image. Holds no text of its own: names
 * live as long as the image does. */
#include "flow/directory.h"

#include <errno.h>
#include <string.h>

#include "proto/limits.h"

#define ADDRESSES_MAX ((size_t)LIMIT_DEVICES * LIMIT_ADDRESSES_PER_DEVICE)

void
directory_init(struct directory *d, const struct siphash_key *seed)
{
	d->image = NULL;
	map_init(&d->by_mac, seed, sizeof(struct mac), sizeof(uint32_t), LIMIT_DEVICES);
	map_init(&d->routers, seed, sizeof(struct mac), sizeof(uint32_t), LIMIT_DEVICES);
	map_init(&d->by_address, seed, sizeof(struct addr), sizeof(uint32_t), ADDRESSES_MAX);
}

void
directory_done(struct directory *d)
{
	d->image = NULL;
	map_done(&d->by_mac);
	map_done(&d->routers);
	map_done(&d->by_address);
}

static int
put(struct map *m, const void *key, uint32_t index)
{
	uint32_t *value = map_put(m, key);

	if (value == NULL)
		return -ENOMEM;
	*value = index;
	return 0;
}

static int
add_device(struct directory *d, uint32_t index)
{
	const struct image_device *dev = &d->image->devices[index];
	struct mac mac;
	int rc = 0;

	memcpy(mac.bytes, dev->mac, sizeof(mac.bytes));
	if (dev->identity != IDENTITY_ROUTED)
		rc = put(dev->identity == IDENTITY_OWN ? &d->by_mac : &d->routers, &mac, index);
	for (uint32_t i = 0; rc == 0 && i < dev->addresses.n; i++) {
		const struct image_address *ia = &d->image->addresses[dev->addresses.first + i];
		struct addr a;

		if (!image_address_is_whole(ia))
			continue;
		memset(&a, 0, sizeof(a));
		a.family = ia->family;
		memcpy(a.bytes, ia->bytes, addr_len(ia->family));
		rc = put(&d->by_address, &a, index);
	}
	return rc;
}

int
directory_set(struct directory *d, const struct image *image)
{
	int rc = 0;

	map_clear(&d->by_mac);
	map_clear(&d->routers);
	map_clear(&d->by_address);
	d->image = image;
	for (uint32_t i = 0; image != NULL && rc == 0 && i < image->n[IMAGE_DEVICES]; i++)
		rc = add_device(d, i);
	if (rc < 0)
		directory_done(d);
	return rc;
}

const struct image_device *
directory_device(const struct directory *d, uint32_t number)
{
	return d->image != NULL ? image_device(d->image, number) : NULL;
}

static const struct image_device *
device_at(const struct directory *d, const uint32_t *index)
{
	return index != NULL ? &d->image->devices[*index] : NULL;
}

const struct image_device *
directory_by_mac(const struct directory *d, const struct mac *mac)
{
	return device_at(d, map_get(&d->by_mac, mac));
}

bool
directory_is_router(const struct directory *d, const struct mac *mac)
{
	return map_get(&d->routers, mac) != NULL;
}

const struct image_device *
directory_by_address(const struct directory *d, const struct addr *a)
{
	return device_at(d, map_get(&d->by_address, a));
}

bool
directory_is_device_interface(const struct directory *d, const char *name)
{
	uint32_t low = 0, high = d->image != NULL ? d->image->n[IMAGE_INTERFACES] : 0;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = strcmp(name, image_text(d->image, d->image->interfaces[middle].name));

		if (order == 0)
			return true;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

const char *
directory_device_name(const struct directory *d, const struct image_device *dev)
{
	return dev != NULL ? image_text(d->image, dev->name) : "";
}

const char *
directory_class_name(const struct directory *d, const struct image_device *dev)
{
	const struct image_class *c;

	if (dev == NULL)
		return "";
	c = image_class(d->image, dev->class_number);
	return c != NULL ? image_text(d->image, c->name) : "";
}

const char *
directory_device_interface(const struct directory *d, const struct image_device *dev)
{
	return dev != NULL && dev->interface != 0 ? image_text(d->image, dev->interface) : "";
}
