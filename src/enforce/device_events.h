/* SPDX-License-Identifier: GPL-2.0-or-later */
/* device_events.h -- what happened to devices (proto/history.h): device.events and,
 * when that is full, the same before it. At least the last LIMIT_DEVICE_EVENTS are
 * kept. */
#ifndef CORDON_ENFORCE_DEVICE_EVENTS_H
#define CORDON_ENFORCE_DEVICE_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#include "model/image.h"
#include "proto/history.h"

/* Oldest first; of one device, or of all (0). The caller frees *out. */
int device_events_load(int dirfd, uint32_t device, struct device_event **out, size_t *n, uint32_t *damaged);

/* Write them down, durably. */
int device_events_append(int dirfd, const struct device_event *, size_t n);

/* Written down of one change of the policy: the rest is counted. So many take a few
 * milliseconds. */
#define DEVICE_EVENTS_AT_ONCE 4096

/* Has it another certificate than it had? */
bool device_has_new_certificate(const struct image *old, const struct image_device *x, const struct image *next,
    const struct image_device *y);

/* What a change from one policy to another did to devices, with what `like' says of
 * time, revision and who; at most room. Returns how many there were. */
size_t device_events_of_change(const struct image *old, const struct image *next, const struct device_event *like,
    struct device_event *out, size_t room);

#endif
