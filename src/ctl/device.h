/* SPDX-License-Identifier: GPL-2.0-or-later */
/* device.h -- one device, for the commands that show it. */
#ifndef CORDON_CTL_DEVICE_H
#define CORDON_CTL_DEVICE_H

#include <jansson.h>

#include "ctl/view.h"

json_t *device_json(const struct view *, const struct image_device *);

/* Who revoked it, why, and what says so; null when nobody did. */
json_t *device_revoked_json(const struct view *, const struct snapshot_device *);

/* Who quarantined it by hand; null when nobody did. */
json_t *device_operator_json(const struct snapshot_device *);

/* What is known of it by its certificates, in sentences: an array. */
json_t *device_check_json(const struct view *, const struct image_device *);

void device_print_station(struct ctl *, const struct view *, const struct image_device *);
void device_print_certificates(struct ctl *, const struct view *, const struct image_device *);

#endif
