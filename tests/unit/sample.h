/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sample.h -- policies for unit tests, written in a few calls. Any failure
 * aborts: a test's own set-up is no place for error handling. */
#ifndef CORDON_TESTS_SAMPLE_H
#define CORDON_TESTS_SAMPLE_H

#include "model/compile.h"

struct policy *sample_new(void);		/* one file, device interfaces lan0 and lan1 */
struct class_decl *sample_class(struct policy *, const char *name);
/* to: an address, prefix, range, "class:NAME" or a host name. */
void sample_rule(struct policy *, struct class_decl *, const char *to, uint8_t kind, uint8_t protocol,
    uint16_t low, uint16_t high);
void sample_quarantine(struct policy *, const char *to, uint16_t port);
void sample_service(struct policy *, uint8_t kind, uint8_t protocol, uint16_t low, uint16_t high);
void sample_authority(struct policy *, const char *name, const char *url);
/* address, interface and authority may be NULL; serial is one byte. */
struct device_decl *sample_device(struct policy *, const char *name, const char *class_name, uint8_t mac,
    const char *address, const char *interface, const char *authority, uint8_t serial);
void sample_address(struct device_decl *, const char *address);

/* Two classes that name each other, four devices, both families, everything an
 * image can hold. */
struct policy *sample_full(void);

/* Compile without a mistake and open; the caller frees *bytes. */
struct image sample_image(const struct policy *, const struct image *before, uint8_t **bytes, size_t *len);

#endif
