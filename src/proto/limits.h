/* SPDX-License-Identifier: GPL-2.0-or-later */
/* limits.h -- every limit, with its reason. Each is tested at N and N+1. */
#ifndef CORDON_PROTO_LIMITS_H
#define CORDON_PROTO_LIMITS_H

/* A mark is number << 8 | generation, and a mark has 32 bits. */
#define LIMIT_DEVICE_NUMBER	0x00ffffffU
#define LIMIT_DEVICES		200000U		/* twice the largest fleet that is measured */
#define LIMIT_CLASSES		10000U		/* a class costs chains and sets in the kernel */
#define LIMIT_AUTHORITIES	256U
#define LIMIT_SOURCES		1024U		/* CRL URLs, all authorities together */
#define LIMIT_INTERFACES	4096U		/* device interfaces: one per device in a lab of 1,200 */
#define LIMIT_RULES_PER_CLASS	4096U
#define LIMIT_EXTENDS		16U		/* classes that one class may extend */
#define LIMIT_FAMILY		256U		/* the same, with all that those extend: looked through for each class */
#define LIMIT_SERVICES		1024U		/* declared services */
#define LIMIT_GROUPS		4096U		/* declared groups of destinations */
#define LIMIT_GROUP_MEMBERS	4096U		/* of one group, with those of the groups it names */
#define LIMIT_SCHEDULES		64U		/* each costs a set in the kernel */
#define LIMIT_SCHEDULE_YEARS	5U		/* how far ahead windows are written out */
#define LIMIT_WINDOWS		2048U		/* of one schedule: a window a day for those years */
#define LIMIT_RATE		100000U		/* new connections per second of one device */
#define LIMIT_BOXES_PER_CLASS	65536U		/* disjoint boxes: overlaps may multiply, memory may not */
#define LIMIT_ADDRESSES_PER_DEVICE 16U
#define LIMIT_CERTIFICATES_PER_DEVICE 4U
#define LIMIT_LABELS_PER_DEVICE	32U
#define LIMIT_NAME		64U		/* bytes of a device's, class's or authority's name, with the NUL */
#define LIMIT_SERIAL		20U		/* RFC 5280 4.1.2.2: conforming serials have at most 20 octets */
#define LIMIT_URL		2048U		/* bytes, with the NUL */
#define LIMIT_HOST		256U		/* RFC 1035 2.3.4: 255 octets, and the NUL */
#define LIMIT_CERTIFICATE_BYTES	65536U		/* one certificate file; real ones have 1 to 4 KiB */
#define LIMIT_REFRESH_SECONDS	2592000U	/* 30 days: the longest that a CRL may go unasked for */
#define LIMIT_BRAKE_SECONDS	2592000U
#define LIMIT_WINDOW_SECONDS	600U		/* a refused key is closed before the kernel lets it go (900 s) */
#define LIMIT_CONNECTIONS	1000000U	/* one device's; conntrack itself holds fewer as a rule */
#define LIMIT_LOG_GROUP		65530U		/* NFLOG groups have 16 bits and we take six from the base on */
#define LIMIT_HOOK_PRIORITY_MIN	(-199)		/* conntrack runs at -200, and we need it */
#define LIMIT_HOOK_PRIORITY_MAX	999
#define LIMIT_IMAGE_BYTES	(256U << 20)	/* a policy image; the measured large one has a tenth of it */
#define LIMIT_CONFIG_FILE_BYTES	(64U << 20)	/* one configuration file */
#define LIMIT_MISTAKES		1000U		/* reported in one run; the rest is counted */

/* CRLs. */
#define LIMIT_CRL_BYTES		(256UL << 20)	/* five million entries are 210 MB */
#define LIMIT_FETCH_SECONDS	300U
#define LIMIT_FETCH_REDIRECTS	3U
#define LIMIT_FETCH_CHUNK	32768U		/* body bytes per message */
#define LIMIT_PIN		1024U		/* sixteen pins of a server's key */
#define LIMIT_OCSP_REQUEST	1024U		/* one certificate and a nonce have about 130 octets */
#define LIMIT_OCSP_RESPONSE	65536U		/* real ones with a chain have 2 to 4 KiB */
#define LIMIT_URLS_PER_SOURCE	8U		/* mirrors */
#define LIMIT_DEVICE_SOURCES	256U		/* of one authority, out of devices' certificates: a CA's partitions */
#define LIMIT_ISSUERS_PER_AUTHORITY 16U		/* its certificates and whom it lets sign */
#define LIMIT_SERIES_PER_SOURCE	64U		/* CRLs in one bundle or drop folder */
#define LIMIT_SERIES		2048U		/* CRLs in use, all authorities together */
#define LIMIT_FETCH_CA		4096U		/* a CA certificate for HTTPS: RSA-4096 with long names has 2 kB */

/* Evidence. */
#define LIMIT_REFUSED_KEYS	65536U		/* per kernel set: bounds the kernel's memory */
#define LIMIT_STAGED_KEYS	4096U		/* per kernel set: what a staged policy would change, as far as it is named */
#define LIMIT_ATTEMPTS_OPEN	262144U		/* in cordon-flow's memory, all sets together */
#define LIMIT_SIGHTINGS		4096U		/* unknown devices that are listed: more than anybody looks through */
#define LIMIT_SIGHTINGS_NEW	60U		/* of these per interface and minute: a flood of MACs needs an hour to fill the list */
#define LIMIT_SIGHTING_ADDRESSES 8U		/* of one unknown device, those seen last */

/* What happened to devices. */
#define LIMIT_DEVICE_EVENTS	20000U		/* kept; up to twice as many on disk */
#define LIMIT_REVOCATIONS	4096U		/* serials that operators revoked without a device of ours having them */

/* Changes. */
#define LIMIT_REVISIONS		10U		/* policies kept on disk */
#define LIMIT_CONFIRM_SECONDS	86400U		/* how long a policy may wait for its confirmation */
#define LIMIT_HISTORY		1000U		/* records kept; up to twice as many on disk */

/* Control socket. */
#define LIMIT_CLIENTS		32U		/* operators' tools at once */

/* Differences between kernel and model that are told one by one. */
#define LIMIT_DIFFERENCES	100

#endif
