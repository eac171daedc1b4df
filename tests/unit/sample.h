/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sample.h -- policies for unit tests, written in a few calls. Any failure
 * aborts: a test's own set-up is no place for error handling. */
#ifndef CORDON_TESTS_SAMPLE_H
#define CORDON_TESTS_SAMPLE_H

#include "model/compile.h"

struct policy *sample_new(void);		/* one file, device interfaces lan0 and lan1 */
struct class_decl *sample_class(struct policy *, const char *name);
/* to: an address, prefix, range, "class:NAME", "group:NAME" or a host name. What
 * these answer stands until the class gets its next rule. */
struct rule *sample_rule(struct policy *, struct class_decl *, const char *to, uint8_t kind, uint8_t protocol,
    uint16_t low, uint16_t high);
struct rule *sample_inbound(struct class_decl *, const char *from, uint8_t kind, uint8_t protocol,
    uint16_t low, uint16_t high);
void sample_to(struct rule *, const char *to);		/* one more destination */
void sample_when(struct rule *, const char *schedule);
void sample_by(struct rule *, const char *service);	/* in place of what it has */
void sample_extends(struct class_decl *, const char *base);
struct service_decl *sample_declared(struct policy *, const char *name, uint8_t kind, uint8_t protocol,
    uint16_t low, uint16_t high);
struct group_decl *sample_group(struct policy *, const char *name);
void sample_member(struct group_decl *, const char *to);
struct schedule_decl *sample_schedule(struct policy *, const char *name);
void sample_window(struct schedule_decl *, int64_t from, int64_t to);
void sample_quarantine(struct policy *, const char *to, uint16_t port);
void sample_service(struct policy *, uint8_t kind, uint8_t protocol, uint16_t low, uint16_t high);
void sample_authority(struct policy *, const char *name, const char *url);
struct source_decl *sample_source(struct authority_decl *, const char *url);
/* address, interface and authority may be NULL; serial is one byte. */
struct device_decl *sample_device(struct policy *, const char *name, const char *class_name, uint8_t mac,
    const char *address, const char *interface, const char *authority, uint8_t serial);
void sample_certificate(struct device_decl *, const char *authority, uint8_t serial);	/* one more, newer */
void sample_issuer(struct authority_decl *, enum issuer_role, uint8_t der);	/* one more */
void sample_mirror(struct source_decl *, const char *url);
void sample_remedy(struct class_decl *, const char *to, uint16_t port);	/* in quarantine */
void sample_address(struct device_decl *, const char *address);
void sample_prefix(struct device_decl *, const char *address);	/* a /64 */
/* It has no MAC of its own: 0: behind any router, otherwise behind that one. */
void sample_behind(struct device_decl *, uint8_t via);

/* Two classes that name each other, four devices, both families. */
struct policy *sample_full(void);

/* The same and everything else an image can hold: who may come in, schedules, a
 * rate, a prefix, devices behind routers. */
#define SAMPLE_NOW 1800000000
struct policy *sample_language(void);

/* The same and what revocation brings: an authority with everything, quarantine of
 * classes (sensor, and sub-sensor that extends it), a class to restrict to. */
struct policy *sample_revocation(void);

/* Compile without a mistake and open; the caller frees *bytes. */
struct image sample_image(const struct policy *, const struct image *before, uint8_t **bytes, size_t *len);

#endif
