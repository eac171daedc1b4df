/* SPDX-License-Identifier: GPL-2.0-or-later */
/* directory.h -- whose MAC, whose address, which interface: a policy image by
 * the things that packets carry. */
#ifndef CORDON_FLOW_DIRECTORY_H
#define CORDON_FLOW_DIRECTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/addr.h"
#include "flow/map.h"
#include "model/image.h"

struct directory {
	const struct image *image;	/* borrowed */
	struct map by_mac;		/* struct mac -> index of the device whose own it is */
	struct map routers;		/* struct mac -> index of one of the devices behind it */
	struct map by_address;		/* struct addr -> index of the device that holds it */
};

/* An empty directory: every question has the answer no. */
void directory_init(struct directory *, const struct siphash_key *seed);
void directory_done(struct directory *);

/* Take another image, or NULL. -ENOMEM leaves the directory empty. */
int directory_set(struct directory *, const struct image *);

const struct image_device *directory_device(const struct directory *, uint32_t number);
const struct image_device *directory_by_mac(const struct directory *, const struct mac *);
/* Is it the MAC of a router that a device is declared behind? */
bool directory_is_router(const struct directory *, const struct mac *);
const struct image_device *directory_by_address(const struct directory *, const struct addr *);
bool directory_is_device_interface(const struct directory *, const char *name);

/* "" for an absent one. */
const char *directory_device_name(const struct directory *, const struct image_device *);
const char *directory_class_name(const struct directory *, const struct image_device *);
const char *directory_device_interface(const struct directory *, const struct image_device *);

#endif
