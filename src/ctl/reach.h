/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reach.h -- what a class may reach, in words, with the line that says so. */
#ifndef CORDON_CTL_REACH_H
#define CORDON_CTL_REACH_H

#include <stdio.h>

#include <jansson.h>

#include "model/image.h"

#define WHERE_STRLEN 1024
/* "classes.d/sensor.conf:4", "-" when it stands in no file; escaped. Returns buf. */
const char *reach_where(const struct image *, const struct image_where *, char buf[WHERE_STRLEN]);
json_t *reach_where_json(const struct image *, const struct image_where *);

/* A line per destination, with its services and where the rule stands. */
void reach_print(const struct image *, const struct image_class *, const char *indent, FILE *);

/* [{"to": "10.20.0.0/28", "services": ["udp 123"], "open": true, "where": {"file", "line"}}] */
json_t *reach_json(const struct image *, const struct image_class *);

#endif
