/* SPDX-License-Identifier: GPL-2.0-or-later */
/* identity.h -- by what a device's packets are known, and what that is worth. */
#ifndef CORDON_CTL_IDENTITY_H
#define CORDON_CTL_IDENTITY_H

#include <stdio.h>

#include <jansson.h>

#include "common/addr.h"
#include "model/image.h"

/* "10.0.0.1", "2001:db8::/64"; returns buf. */
const char *identity_address(const struct image_address *, char buf[RANGE_STRLEN]);
json_t *identity_addresses(const struct image *, const struct image_device *);

#define IDENTITY_MACLEN (MAC_STRLEN + 8)
/* "02:00:00:00:03:4f", "via 02:00:00:00:00:fe", "via any"; returns buf. */
const char *identity_mac(const struct image_device *, char buf[IDENTITY_MACLEN]);

/* "mac", "via", "routed". */
const char *identity_kind(const struct image_device *);

/* Its own MAC, or that of the router, as far as it is of this kind; null otherwise. */
json_t *identity_mac_json(const struct image_device *, enum device_identity kind);

/* Who else could send packets that are taken for this device's. Static text. */
const char *identity_worth(const struct image *, const struct image_device *);

/* Lines beginning with "identity     ". */
void identity_print(const struct image *, const struct image_device *, FILE *);

#endif
