/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy.h -- a policy as the admin wrote it: what config/ reads and compile takes.
 * Names are still names here; compile resolves them and gives numbers. */
#ifndef CORDON_MODEL_POLICY_H
#define CORDON_MODEL_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "model/image.h"

/* file is an index into policy.files. */
struct where {
	uint32_t file;
	uint32_t line;
};

/* A service: tcp 443; udp 9000-9010; icmp echo-request; any. */
struct service {
	uint8_t kind;		/* enum box_kind */
	uint8_t protocol;	/* IPPROTO_*; BOX_ANY: 0 */
	uint16_t low;
	uint16_t high;
};

enum destination_kind {
	TO_RANGE,
	TO_CLASS,
	TO_NAME,		/* parses, compiles and explains; closed until the name proxy runs */
};

struct destination {
	enum destination_kind kind;
	struct addr_range range;
	char *name;		/* of a class or a host, owned */
};

struct rule {
	struct where where;
	struct destination *to;
	size_t n_to;
	struct service *services;
	size_t n_services;
};

struct class_decl {
	struct where where;
	char *name;
	enum class_mode mode;
	struct rule *rules;
	size_t n_rules;
};

struct certificate_decl {
	struct where where;
	char *authority;	/* NULL: found by the certificate's issuer */
	uint8_t serial[20];	/* magnitude */
	uint32_t serial_len;
	uint8_t *der;		/* the device's certificate, or NULL */
	size_t der_len;
};

struct device_decl {
	struct where where;
	char *name;
	char *class_name;
	struct mac mac;
	struct addr *addresses;
	size_t n_addresses;
	char *interface;	/* or NULL */
	struct certificate_decl *certificate;	/* or NULL */
	char **labels;
	size_t n_labels;
};

struct authority_decl {
	struct where where;
	char *name;
	uint8_t *der;
	size_t der_len;
	char **crl;		/* URLs */
	struct where *crl_where;
	size_t n_crl;
	uint32_t refresh_s;
	enum when_stale when_stale;
	uint8_t *ca_der;	/* for HTTPS, or NULL */
	size_t ca_der_len;
};

struct appliance_decl {
	struct where where;
	char **interfaces;
	size_t n_interfaces;
	struct service *services;
	size_t n_services;
	struct rule *quarantine;	/* what a quarantined device may still reach */
	size_t n_quarantine;
	int32_t hook_priority;
	uint32_t log_group;
	uint32_t connections;
	uint32_t brake_devices;
	uint32_t brake_within_s;
	uint32_t window_s;
};

struct policy {
	char **files;
	size_t n_files;
	struct appliance_decl appliance;
	struct authority_decl *authorities;
	size_t n_authorities;
	struct class_decl *classes;
	size_t n_classes;
	struct device_decl *devices;
	size_t n_devices;
};

struct policy *policy_new(void);
void policy_free(struct policy *);

/* ---- mistakes ----------------------------------------------------------- */

/* "file:line: what is wrong: what would be right". */
struct mistakes {
	char **lines;		/* at most LIMIT_MISTAKES are kept */
	size_t n;		/* all that were found */
	char **warnings;	/* advice; does not stop an apply */
	size_t n_warnings;
};

void mistakes_init(struct mistakes *);
void mistakes_done(struct mistakes *);
void mistakes_add(struct mistakes *, const char *file, uint32_t line, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void mistakes_warn(struct mistakes *, const char *file, uint32_t line, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#endif
