/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reach.h -- what a class may reach and who may reach it, in words, with the line that
 * says so: in its own rules, or in those of another class that names it. */
#ifndef CORDON_CTL_REACH_H
#define CORDON_CTL_REACH_H

#include <stdio.h>

#include <jansson.h>

#include "model/image.h"

#define WHERE_STRLEN 1024
/* "classes.d/sensor.conf:4", "-" when it stands in no file; escaped. Returns buf. */
const char *reach_where(const struct image *, const struct image_where *, char buf[WHERE_STRLEN]);
json_t *reach_where_json(const struct image *, const struct image_where *);

/* A line per other end, with its services, its schedule, and where the rule stands;
 * "nothing" or "nobody" when there is none. */
void reach_print(const struct image *, const struct image_class *, enum reach_direction, const char *indent, FILE *);

/* [{"to": "10.20.0.0/28", "services": ["udp 123"], "open": true, "schedule": null,
 * "where": {"file", "line"}}]; REACH_IN: "from". */
json_t *reach_json(const struct image *, const struct image_class *, enum reach_direction);

/* The schedules that these rules name: a line each; nothing when there is none. */
void reach_print_schedules(const struct image *, const struct image_class *, int64_t now_ms, const char *indent,
    FILE *);
json_t *reach_schedules_json(const struct image *, const struct image_class *, int64_t now_ms);

#endif
