/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy.h -- a policy as the admin wrote it: what config/ reads and compile takes.
 * Names are still names here; compile resolves them and gives numbers. */
#ifndef CORDON_MODEL_POLICY_H
#define CORDON_MODEL_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/digest.h"
#include "model/image.h"
#include "proto/limits.h"

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
	TO_GROUP,		/* a declared group of destinations */
};

struct destination {
	enum destination_kind kind;
	struct addr_range range;
	char *name;		/* of a class, a host or a group, owned */
};

/* In an inbound rule `to` holds the sources. */
struct rule {
	struct where where;
	struct destination *to;
	size_t n_to;
	struct service *services;
	size_t n_services;
	char **named;		/* declared services that it names, owned */
	size_t n_named;
	char *schedule;		/* of a declared schedule, owned; NULL: always */
};

/* Keys of a class that were written, as opposed to left out: what is left out
 * comes from the classes it extends. */
enum class_key {
	CLASS_MODE	= 1 << 0,
	CLASS_REFUSE	= 1 << 1,
	CLASS_RATE	= 1 << 2,
	CLASS_ALLOW	= 1 << 3,
	CLASS_REMEDY	= 1 << 4,	/* quarantine */
};

struct class_decl {
	struct where where;
	char *name;
	uint32_t keys;		/* bits of enum class_key */
	enum class_mode mode;
	enum class_refuse refuse;
	uint32_t rate;		/* new connections per second of one device; 0: no bound */
	uint32_t rate_burst;
	char **extends;		/* names of classes, in the order written; owned */
	size_t n_extends;
	struct rule *rules;
	size_t n_rules;
	struct rule *inbound;
	size_t n_inbound;
	struct rule *quarantine;	/* what its devices may reach in quarantine, beside what all may */
	size_t n_quarantine;
};

/* services = ( { name = "mqtt"; tcp = (1883, 8883); } ) */
struct service_decl {
	struct where where;
	char *name;
	struct service *services;
	size_t n_services;
};

/* groups = ( { name = "time"; to = (...); } ); a group may name groups. */
struct group_decl {
	struct where where;
	char *name;
	struct destination *to;
	size_t n_to;
};

/* A stretch of time in seconds since 1970 (UTC); `to` is the first second after it. */
struct window {
	int64_t from;
	int64_t to;
};

/* schedules = ( { name; days; from; to; zone; } ), with the windows that this
 * means from now on for some years: ascending, apart from each other. */
struct schedule_decl {
	struct where where;
	char *name;
	uint8_t days;		/* bit 0: Monday ... bit 6: Sunday; the day that a window begins on */
	uint32_t from_s;	/* of the local day */
	uint32_t to_s;		/* <= from_s: it ends on the next day */
	char *zone;		/* of the time zone database, "Europe/Berlin" */
	struct window *windows;
	size_t n_windows;
};

struct certificate_decl {
	struct where where;
	char *authority;	/* NULL: found by the certificate's issuer */
	uint8_t serial[20];	/* magnitude */
	uint32_t serial_len;
	uint8_t *der;		/* the device's certificate, or NULL */
	size_t der_len;
	uint32_t issuer;	/* which of the authority's own certificates issued it, from 1; 0: unknown */
};

/* prefix: bits of the address that count; all of them but for an IPv6 prefix,
 * inside which the device takes what addresses it likes (64). */
struct device_address {
	struct addr addr;
	uint32_t prefix;
};

struct device_decl {
	struct where where;
	bool borrowed;		/* what it points to is not its own */
	char *name;
	char *class_name;
	bool has_mac;
	bool has_via;
	struct mac mac;		/* its own, or with has_via that of the router it stands behind */
	struct device_address *addresses;
	size_t n_addresses;
	char *interface;	/* or NULL */
	struct certificate_decl *certificates;	/* the newest last */
	size_t n_certificates;
	bool critical;
	char **labels;
	size_t n_labels;
};

/* A certificate of an authority, or of whom it lets sign. */
struct issuer_decl {
	struct where where;
	enum issuer_role role;
	uint8_t *der;		/* NULL: it could not be read */
	size_t der_len;
};

/* A place that publishes an authority's CRL. */
struct source_decl {
	struct where where;
	char **urls;		/* in the order to try them; owned */
	size_t n_urls;
	uint32_t flags;		/* bits of enum source_flag */
	uint32_t base;		/* SOURCE_DELTA: index of its base among the authority's sources, or SOURCE_NO_BASE */
	uint32_t refresh_s;
	uint32_t max_bytes;
	uint32_t timeout_s;
	char *pin;		/* owned, or NULL; as those below */
	char *proxy;
	char *no_proxy;
	char *hosts;
	uint8_t *ca_der;	/* for HTTPS, or NULL */
	size_t ca_der_len;
};

struct ocsp_decl {
	enum ocsp_devices devices;
	char *url;		/* owned; NULL with OCSP_OFF */
	uint32_t refresh_s;
	uint32_t max_age_s;
	bool need_nonce;
	enum when_stale unknown;
};

struct authority_decl {
	struct where where;
	char *name;
	struct issuer_decl *issuers;	/* by role */
	size_t n_issuers;
	struct source_decl *sources;
	size_t n_sources;
	struct ocsp_decl ocsp;
	uint32_t refresh_s;
	enum when_stale when_stale;
	enum when_stale when_unchecked;
	char *restrict_class;	/* owned, or NULL */
	uint32_t flags;		/* bits of enum authority_flag */
	uint32_t skew_s;
	uint32_t grace_s;
	uint32_t max_age_s;
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

/* What is known of a file that was read. */
struct file_fact {
	uint8_t digest[DIGEST_LEN];
	bool plain;		/* it holds devices and nothing else, and was read without a word */
};

/* A certificate that a file names. */
struct file_beside {
	char *path;
	uint8_t digest[DIGEST_LEN];
};

struct policy {
	char **files;
	size_t n_files;
	struct file_fact *facts;	/* parallel to files, when n_facts is n_files */
	size_t n_facts;
	struct file_beside *beside;
	size_t n_beside;
	bool read_always;	/* what was read cannot be known again by these digests */
	struct appliance_decl appliance;
	struct authority_decl *authorities;
	size_t n_authorities;
	struct service_decl *services;
	size_t n_services;
	struct group_decl *groups;
	size_t n_groups;
	struct schedule_decl *schedules;
	size_t n_schedules;
	struct class_decl *classes;
	size_t n_classes;
	struct device_decl *devices;
	size_t n_devices;
	bool incomplete;	/* a file could not be read: what a name refers to may just be missing */
};

#define DEFAULT_CRL_BYTES (64U << 20)	/* a million entries have 42 MB */

/* The defaults of every key that has one. NULL when there is no memory. */
struct policy *policy_new(void);
void policy_free(struct policy *);

/* Make room for one more record behind n in an array that grows only by this
 * call; the new record is zero. NULL when there is no memory (the array stays). */
void *policy_grow(void *array, size_t n, size_t record);

/* For those who read a policy: what they began and cannot use. */
void rule_done(struct rule *);
void class_decl_done(struct class_decl *);
void device_decl_done(struct device_decl *);
void service_decl_done(struct service_decl *);
void group_decl_done(struct group_decl *);
void schedule_decl_done(struct schedule_decl *);
void authority_decl_init(struct authority_decl *);	/* the defaults of every key that has one */
void authority_decl_done(struct authority_decl *);
void source_decl_init(struct source_decl *, const struct authority_decl *);
void source_decl_done(struct source_decl *);

/* ---- what words may look like ------------------------------------------- */

/* Of devices, classes, authorities and labels: [A-Za-z0-9._-], 1 to 63 of them. */
bool name_is_valid(const char *);

/* As the kernel sees it, less what has a meaning in configuration or in nft. */
bool interface_name_is_valid(const char *);

/* Letters, digits, '-' and dots; a leading "*." for all names below. */
bool host_name_is_valid(const char *);

/* http:, https:, ldap:, ldaps: or file:, printable, without blanks; each with the host
 * it needs, ldap with the name of an entry as well (RFC 4516 2), file without a host. */
bool url_is_valid(const char *);

/* The same of http: and https: alone. */
bool url_is_http(const char *);

#define PIN_LEN 52
/* "sha256//" and 32 octets in base64: a server's public key. */
bool pin_is_valid(const char *);

/* Why no device can have this address; NULL when one can. Static text. */
const char *device_address_fault(const struct addr *);

/* ---- mistakes ----------------------------------------------------------- */

/* "file:line: what is wrong: what would be right". */
struct mistakes {
	size_t n;		/* all that were found */
	size_t n_warnings;	/* advice; does not stop an apply */
	char *lines[LIMIT_MISTAKES];	/* the first of them; NULL where memory was short */
	char *warnings[LIMIT_MISTAKES];
};

/* How many lines are kept of n that were found. */
size_t mistakes_kept(size_t n);

void mistakes_init(struct mistakes *);
void mistakes_done(struct mistakes *);
/* Control characters and what is no UTF-8 are shown as '?'. Without a file
 * (NULL) or line (0) the line begins later. */
void mistakes_add(struct mistakes *, const char *file, uint32_t line, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void mistakes_warn(struct mistakes *, const char *file, uint32_t line, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#endif
