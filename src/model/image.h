/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image.h -- the policy image: a compiled policy as one flat, checked file.
 *
 * Boot, apply and rollback load images; only cordon-compile parses text. The
 * compiler has met foreign bytes, so image_open trusts nothing: every index,
 * order and range is checked there once, and readers index without fear.
 * Integers are the host's; addresses are in network order. */
#ifndef CORDON_MODEL_IMAGE_H
#define CORDON_MODEL_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/digest.h"

#define IMAGE_VERSION 3

enum image_section {
	IMAGE_TEXT,		/* NUL-terminated strings; offset 0 is "" */
	IMAGE_BLOBS,		/* bytes: certificates in DER */
	IMAGE_APPLIANCE,	/* exactly one */
	IMAGE_INTERFACES,	/* device interfaces, sorted by name */
	IMAGE_AUTHORITIES,	/* by number */
	IMAGE_ISSUERS,		/* of the authorities: their certificates, and whom they let sign */
	IMAGE_SOURCES,		/* by authority number; a delta stands behind its base */
	IMAGE_URLS,		/* of the sources: text offsets (uint32_t), in the order to try them */
	IMAGE_SCHEDULES,	/* sorted by name; their numbers are 1, 2, ... */
	IMAGE_WINDOWS,		/* of the schedules: ascending, apart from each other */
	IMAGE_CLASSES,		/* by number; the first is number 0: quarantine */
	IMAGE_RULES,		/* of the classes, in the order they were written */
	IMAGE_RULE_BOXES,	/* what each rule says, as written; may overlap */
	IMAGE_REACHES,		/* what each class may reach, and who may reach it */
	IMAGE_BOXES,		/* of the reaches: disjoint, canonical order */
	IMAGE_DEVICES,		/* by number */
	IMAGE_ADDRESSES,	/* of devices */
	IMAGE_CERTIFICATES,	/* of devices */
	IMAGE_LABELS,		/* of devices: text offsets (uint32_t) */
	IMAGE_BY_NAME,		/* devices by name: indices (uint32_t) into IMAGE_DEVICES */
	IMAGE_BY_MAC,		/* those of IDENTITY_OWN by MAC: the same */
	IMAGE_BY_ADDRESS,	/* indices of whole addresses in IMAGE_ADDRESSES, by family and address */
	IMAGE_WARNINGS,		/* the compiler's advice: text offsets (uint32_t) */
	IMAGE_FILES,		/* what it was made of, in the order it was read; none: nobody knows */
	IMAGE_SECTIONS
};

/* Slices stand one after another in their section, without gaps or overlaps, in
 * the order of the records that hold them (in IMAGE_BOXES: the appliance's, then
 * class by class those of its reaches). */
struct image_slice {
	uint32_t first;		/* index into the section */
	uint32_t n;
};

struct image_where {
	uint32_t file;		/* text: path as the admin gave it */
	uint32_t line;
};

enum box_kind {
	BOX_PORTS,		/* protocol with ports: low..high are ports */
	BOX_ICMP,		/* low..high are types; protocol 1 or 58 */
	BOX_PROTOCOL,		/* a protocol without ports */
	BOX_ANY,		/* everything to these addresses */
	BOX_KINDS
};

/* Addresses × one protocol × ports. Of one class, boxes of one kind and family are
 * disjoint and sorted by (kind, family, protocol, low, first). */
struct image_box {
	uint8_t kind;		/* enum box_kind */
	uint8_t family;		/* AF_INET, AF_INET6; 0 without addresses: both (not BOX_ICMP) */
	uint8_t protocol;	/* BOX_ANY: 0 */
	uint8_t pad;
	uint16_t low;
	uint16_t high;
	uint8_t first[16];	/* unused (zero) where a class is the other end */
	uint8_t last[16];
};

struct image_appliance {
	struct image_slice services;	/* IMAGE_BOXES without addresses: what devices may ask of the appliance */
	int32_t hook_priority;
	uint32_t log_group;		/* base of the NFLOG groups */
	uint32_t connections;		/* one device may hold open at once */
	uint32_t brake_devices;		/* 0: no brake */
	uint32_t brake_within_s;
	uint32_t window_s;		/* how long a refused key counts before it is closed */
	struct image_where where;
};

struct image_interface {
	uint32_t name;		/* text, at most 15 bytes */
};

#include "model/image_authority.h"

enum class_mode { MODE_ENFORCE, MODE_AUDIT };

/* What a refused packet of a device gets: nothing, or a TCP reset or ICMP's
 * "administratively prohibited". What comes from outside gets nothing. */
enum class_refuse { REFUSE_DROP, REFUSE_REJECT };

/* What no rule asks, but who compiles the next policy from this one. */
enum class_hint {
	CLASS_EXTENDED	= 1 << 0,	/* another class extends it */
	CLASS_INBOUND	= 1 << 1,	/* it has inbound rules, its own or those of a class it extends */
	CLASS_QUARANTINE = 1 << 2,	/* no admin's class: where another one's devices stand in quarantine */
	CLASS_HINTS	= 7,
};

struct image_class {
	uint32_t number;	/* 0: quarantine; never used again for another class */
	uint32_t name;		/* text; unique */
	uint8_t mode;		/* enum class_mode */
	uint8_t refuse;		/* enum class_refuse */
	uint8_t named;		/* 1: some reach has this class as its peer: it has member sets */
	uint8_t hints;		/* bits of enum class_hint */
	uint32_t quarantine;	/* number of the class where its devices stand in quarantine; 0: where all do */
	uint32_t rate;		/* new connections per second of one device; 0: no bound */
	uint32_t rate_burst;	/* 0 without a rate */
	struct image_slice reaches;	/* IMAGE_REACHES */
	struct image_slice rules;	/* IMAGE_RULES: its own and those it extends; REACH_OUT's, then REACH_IN's */
	struct image_where where;
};

/* Seen from the class's device: it begins the connection, or somebody beyond
 * the router does. Between two devices there is one direction only: that of the
 * class which begins, wherever the rule was written. */
enum reach_direction { REACH_OUT, REACH_IN };

/* One stretch of what a class may reach. At most one of each (direction,
 * schedule, peer), in that order. */
struct image_reach {
	uint8_t direction;	/* enum reach_direction */
	uint8_t pad[3];
	uint32_t schedule;	/* number; 0: always */
	uint32_t peer;		/* class number of the other end; 0: the boxes have addresses; never with REACH_IN */
	struct image_slice boxes;	/* IMAGE_BOXES, at least one; with a peer as BOX_OF_PEER */
};

/* A rule as it was written, for people: what decides is in the reaches. */
struct image_rule {
	uint8_t direction;	/* enum reach_direction; boxes hold the other end */
	uint8_t pad[3];
	uint32_t schedule;	/* number; 0: always */
	struct image_slice boxes;	/* IMAGE_RULE_BOXES */
	struct image_where where;
};

struct image_schedule {
	uint32_t name;		/* text; unique */
	uint32_t zone;		/* text: a name of the time zone database */
	uint32_t days;		/* bit 0: Monday ... bit 6: Sunday */
	uint32_t from_s;	/* of the local day */
	uint32_t to_s;
	struct image_slice windows;	/* IMAGE_WINDOWS */
	struct image_where where;
};

/* Seconds since 1970 (UTC); `to` is the first second after it. */
struct image_window {
	int64_t from;
	int64_t to;
};

/* Rule boxes: a box, and the class it is for when the rule said "class:NAME",
 * or the host it is for when the rule said a name: that one is closed. */
struct image_rule_box {
	struct image_box box;
	uint32_t peer;		/* class number; 0: box.first..last count, if name is 0 too */
	uint32_t name;		/* text: a host name; 0: none. Otherwise box has no addresses, as inside a peer */
};

/* How a packet is known to be a device's. */
enum device_identity {
	IDENTITY_OWN,		/* its MAC, and its addresses where declared */
	IDENTITY_VIA,		/* behind a router: that one's MAC, its own addresses, the port */
	IDENTITY_ROUTED,	/* behind a router: its addresses and the port; mac is zero */
};

enum device_flag {
	DEVICE_CRITICAL	= 1 << 0,	/* is never quarantined by itself: a person confirms */
	DEVICE_FLAGS	= 1,
};

struct image_device {
	uint32_t number;
	uint32_t name;		/* text; unique */
	uint32_t class_number;
	uint32_t interface;	/* text: its router port; 0: any device interface */
	uint8_t mac[6];		/* unique among IDENTITY_OWN; that of a router is none of theirs */
	uint8_t identity;	/* enum device_identity; behind a router it has an interface and addresses */
	uint8_t flags;		/* bits of enum device_flag */
	struct image_slice addresses;	/* none: the MAC alone is the identity */
	struct image_slice certificates;	/* the newest last */
	struct image_slice labels;
	struct image_where where;
};

struct image_address {
	uint8_t family;
	uint8_t prefix;		/* bits that count: 32, 128; 64 of an IPv6 prefix in which the device takes
				 * what addresses it likes (IDENTITY_OWN only): it holds none of them */
	uint8_t pad[2];
	uint8_t bytes[16];	/* whole addresses are unique over all devices */
};

struct image_certificate {
	uint32_t authority;	/* number */
	uint32_t serial_len;	/* 1..20, no leading zero octets but for serial 0 */
	uint8_t serial[20];	/* magnitude, big-endian */
	uint32_t chain;		/* offset into blobs: the device's certificate in DER, with chain_len > 0 */
	uint32_t chain_len;
	uint32_t issuer;	/* which of the authority's own certificates has the key that signed it, from 1;
				 * 0: nobody knows, there is no certificate */
};

enum image_file_flag {
	FILE_PLAIN	= 1 << 0,	/* it holds devices and nothing else, and was read without a word */
	FILE_BESIDE	= 1 << 1,	/* no configuration: a certificate that such a file names */
	FILE_FLAGS	= 3,
};

struct image_file {
	uint32_t path;		/* text; as struct image_where has it */
	uint32_t flags;		/* bits of enum image_file_flag */
	uint8_t digest[DIGEST_LEN];	/* of its content */
};

struct image_section_ref {
	uint64_t offset;
	uint32_t n;		/* records (bytes for text and blobs) */
	uint32_t record;	/* bytes of one */
};

struct image_header {
	uint8_t magic[8];	/* "CORDONi1" */
	uint32_t version;
	uint32_t header_len;
	uint64_t total_len;
	uint8_t digest[16];	/* of all that follows this field; what stands before it is checked exactly */
	uint32_t next_device;	/* numbers below were given out once, for ever */
	uint32_t next_class;
	uint32_t next_authority;
	uint32_t settled;	/* the first so many warnings are not about devices */
	struct image_section_ref sections[IMAGE_SECTIONS];
};

/* A checked image, borrowed from memory that outlives it and does not change. */
struct image {
	const struct image_header *header;
	const char *text;
	const uint8_t *blobs;
	const struct image_appliance *appliance;
	const struct image_interface *interfaces;
	const struct image_authority *authorities;
	const struct image_issuer *issuers;
	const struct image_source *sources;
	const uint32_t *urls;
	const struct image_schedule *schedules;
	const struct image_window *windows;
	const struct image_class *classes;
	const struct image_rule *rules;
	const struct image_rule_box *rule_boxes;
	const struct image_reach *reaches;
	const struct image_box *boxes;
	const struct image_device *devices;
	const struct image_address *addresses;
	const struct image_certificate *certificates;
	const uint32_t *labels;
	const uint32_t *by_name;
	const uint32_t *by_mac;
	const uint32_t *by_address;
	const uint32_t *warnings;
	const struct image_file *files;
	uint32_t n[IMAGE_SECTIONS];
};

/* Check bytes (8-byte aligned) and open them. 0, -EBADMSG (not an image,
 * damaged, or it breaks a rule of this header; *why says which, static text),
 * -EPROTO (another version). */
int image_open(const void *data, size_t len, struct image *out, const char **why);

/* The same for one that comes from whoever has checked it and holds it sealed:
 * cordond, for those it hands its image to. Frame and digest are looked at, the
 * records are not. */
int image_open_checked(const void *data, size_t len, struct image *out, const char **why);

/* The first address of a source: what it is called by. */
static inline const char *
image_source_url(const struct image *im, const struct image_source *s)
{
	return im->text + im->urls[s->urls.first];
}

/* Text at a checked offset. */
static inline const char *
image_text(const struct image *im, uint32_t offset)
{
	return im->text + offset;
}

/* NULL when there is none. Binary search. */
const struct image_device *image_device(const struct image *, uint32_t number);
const struct image_class *image_class(const struct image *, uint32_t number);
const struct image_authority *image_authority(const struct image *, uint32_t number);

/* The same; whose MAC or address is it? */
const struct image_device *image_device_named(const struct image *, const char *name);
const struct image_device *image_device_with_mac(const struct image *, const uint8_t mac[6]);
const struct image_device *image_device_with_address(const struct image *, uint8_t family, const uint8_t bytes[16]);

/* Does it hold whole addresses, all of one device? */
static inline bool
image_address_is_whole(const struct image_address *a)
{
	return a->prefix == (a->family == AF_INET ? 32 : 128);
}

/* May anybody beyond the router begin a connection to its devices? */
static inline bool
image_class_has_inbound(const struct image *im, const struct image_class *c)
{
	/* Sorted by direction: those are last. */
	return c->reaches.n > 0 && im->reaches[c->reaches.first + c->reaches.n - 1].direction == REACH_IN;
}

/* How many classes an admin declared: without quarantine, and without that of classes. */
uint32_t image_declared_classes(const struct image *);

/* Linear; for operators' commands. */
const struct image_class *image_class_named(const struct image *, const char *name);
const struct image_authority *image_authority_named(const struct image *, const char *name);

#endif
