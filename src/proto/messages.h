/* SPDX-License-Identifier: GPL-2.0-or-later */
/* messages.h -- what crosses a process boundary, and nothing else.
 *
 * Payloads: fixed-width integers, explicit padding, no pointers, no bool or
 * enum members. Times are milliseconds since 1970 (UTC). Text fields are
 * NUL-terminated data to hand on (a URL to fetch, an operator's words to
 * store): no receiver takes them for a path or a format. */
#ifndef CORDON_PROTO_MESSAGES_H
#define CORDON_PROTO_MESSAGES_H

#include <assert.h>
#include <stdint.h>

#include "common/ipc.h"
#include "proto/limits.h"
#include "proto/proc.h"

/* ---- the life of workers ------------------------------------------------ */

struct spawn_start {
	uint32_t proc;		/* enum proc */
	uint32_t token;		/* cordond's choice, names this instance from here on */
};

struct spawn_started {
	uint32_t token;
	uint32_t pid;		/* to show an operator; cordond may not signal it */
};

struct spawn_failed {
	uint32_t token;
	uint32_t error;		/* errno */
};

struct spawn_kill {
	uint32_t token;
	uint32_t pad;
};

/* Kill and start cordond anew unless it disarms in time: it may hang. A second
 * one replaces the first. */
struct spawn_arm {
	uint32_t ms;		/* 1 .. SPAWN_ARM_MAX_MS */
	uint32_t pad;
};

#define SPAWN_ARM_MAX_MS (LIMIT_CONFIRM_SECONDS * 1000 + 600000)

struct spawn_disarm {
	uint32_t pad;
};

/* The rules stand in the kernel. */
struct spawn_loaded {
	uint32_t pad;
};

struct spawn_exited {
	uint32_t token;
	uint32_t status;	/* as of waitpid(2) */
};

struct ready {
	uint32_t landlocked;	/* 1: Landlock stands; 0: the kernel has none */
	uint32_t pad;
};

/* ---- the policy image --------------------------------------------------- */

struct image_ref {
	uint64_t revision;	/* counts applied policies; 0: the empty image of an appliance without a policy */
};

struct compile_request {
	uint32_t have_image;	/* 1: an IMAGE with the running policy came before, whose numbers stay */
	uint32_t pad;
};

struct compile_result {
	uint32_t mistakes;	/* 0: the descriptor is an image; otherwise it is text, a line each */
	uint32_t warnings;	/* lines of advice; only with an image, inside it */
};

/* ---- stations ----------------------------------------------------------- */

/* Where a device stands. */
enum station_where {
	STATION_UNKNOWN = 0,
	STATION_ENFORCED,
	STATION_AUDITED,
	STATION_QUARANTINED,
	STATION_RESTRICTED,	/* in the class that its authority's restrict_class names */
};

/* Why it was quarantined; several may hold at once, so these are bits. */
enum station_cause {
	CAUSE_REVOKED	= 1 << 0,	/* its certificate stands on a verified CRL */
	CAUSE_OPERATOR	= 1 << 1,	/* a person said so */
	CAUSE_STALE	= 1 << 2,	/* no CRL in force speaks about it, and its authority says quarantine then */
	CAUSE_NEW	= 1 << 3,	/* it came with a policy, and cordon-pki could not look it up yet */
	CAUSE_LIMITED	= 1 << 4,	/* as CAUSE_STALE, but only restricted: alone it is no quarantine */
	CAUSE_QUARANTINE = CAUSE_REVOKED | CAUSE_OPERATOR | CAUSE_STALE | CAUSE_NEW,
	CAUSE_ALL	= CAUSE_QUARANTINE | CAUSE_LIMITED,
};

/* ---- evidence ----------------------------------------------------------- */

/* NFLOG groups, counted from the configured base. */
enum flow_group {
	FLOW_REFUSED = 0,	/* a new refused key, and a sample of known ones */
	FLOW_INVALID,		/* conntrack calls the packet invalid */
	FLOW_SIGHTED,		/* a device's new connections come in by this interface */
	FLOW_CROWDED,		/* a device holds too many connections at once */
	FLOW_RATE,		/* a device begins more connections per second than its class may */
	FLOW_DISCOVERED,	/* a MAC that no device has asks for an address (DHCP) */
	FLOW_GROUPS
};

struct flow_socket {
	uint32_t group_base;
	uint32_t pad;
};

struct flow_station {
	uint32_t number;	/* device number */
	uint32_t mark;		/* its present mark */
	uint32_t where;		/* enum station_where */
	uint32_t cause;		/* bits of enum station_cause */
};

struct flow_stations {
	uint32_t n;
	uint32_t pad;
};

/* One refused key as the kernel counts it. The first four sets are keyed by
 * mark, the strangers by MAC. */
struct flow_count {
	uint64_t packets;	/* since the key was made */
	uint64_t bytes;
	uint32_t mark;		/* 0: a stranger */
	uint8_t mac[6];		/* strangers only */
	uint8_t family;		/* AF_INET or AF_INET6; 0: a count per mark of FLOW_INVALID, FLOW_CROWDED or FLOW_RATE */
	uint8_t protocol;
	uint8_t source[16];	/* IPv4 in the first four bytes */
	uint8_t destination[16];
	uint16_t port;		/* host order; 0 where the protocol has none */
	uint8_t final;		/* 1: the key was deleted with this count, the next packet makes a new one */
	uint8_t group;		/* enum flow_group */
	uint8_t pad[8];
};
static_assert(sizeof(struct flow_count) == 72, "wire");

#define FLOW_COUNTS_MAX 64

struct flow_counts {
	uint32_t n;
	uint32_t pad;
	struct flow_count counts[FLOW_COUNTS_MAX];
};

/* What was refused without a key of its own, exact, since the rules were
 * loaded. One message per device that has any, and one with mark 0. */
struct flow_losses {
	uint32_t mark;			/* 0: strangers */
	uint32_t pad;
	uint64_t total_packets;		/* all that was refused to this device */
	uint64_t total_bytes;
	uint64_t overflow_packets;	/* of these, beyond the budget or a full set */
	uint64_t overflow_bytes;
};

struct flow_flush {
	uint32_t token;
	uint32_t pad;
};

/* Answers FLOW_FLUSH when all that was sent before it is in the store; also
 * sent unasked (token 0) when a number changed, at most once a second. */
struct flow_flushed {
	uint32_t token;
	uint32_t error;		/* errno of the store, 0: well */
	uint64_t attempts;	/* rows written since start */
	uint64_t lost;		/* NFLOG records lost (sequence gaps) */
	uint64_t unmatched;	/* counts without a record: attempts of which only the numbers are known */
	uint64_t clones;	/* identities seen at two places at once */
};

#include "proto/pki.h"	/* revocation, and fetching */
#include "proto/ctl.h"	/* the operator */

/* ---- the table ---------------------------------------------------------- */

enum message {
	MSG_NONE = 0,
#define MSG(name, payload, from, to, fd) MSG_##name,
#include "proto/messages.def"
#undef MSG
	MSG_MAX
};

/* For ipc_init. */
extern const struct ipc_table messages;

#endif
