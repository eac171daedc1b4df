/* SPDX-License-Identifier: GPL-2.0-or-later */
/* same.h -- is a class or a device in one image what it is in another? Wherever
 * its parts stand there; names and lines do not count. */
#ifndef CORDON_MODEL_SAME_H
#define CORDON_MODEL_SAME_H

#include "model/image.h"

/* Its chains, sets and what is in them: all that the rules make of a class, but
 * for who its members are. */
bool class_same(const struct image *, const struct image_class *, const struct image *, const struct image_class *);

/* How its packets are told from others'. */
bool identity_same(const struct image *, const struct image_device *, const struct image *,
    const struct image_device *);
bool addresses_same(const struct image *, const struct image_device *, const struct image *,
    const struct image_device *);

#endif
