/* SPDX-License-Identifier: GPL-2.0-or-later */
/* read_service.h -- the keys that say what passes. Their target is a struct services. */
#ifndef CORDON_CONFIG_READ_SERVICE_H
#define CORDON_CONFIG_READ_SERVICE_H

#include "config/reader.h"

struct services {
	struct service *services;
	size_t n;
};

void key_ports(struct reader *, const config_setting_t *, void *target);
void key_icmp(struct reader *, const config_setting_t *, void *target);
void key_protocol(struct reader *, const config_setting_t *, void *target);
void key_any(struct reader *, const config_setting_t *, void *target);

#endif
