/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attempt.h -- one refused flow key, with first and last time and exact counts. */
#ifndef CORDON_EVIDENCE_ATTEMPT_H
#define CORDON_EVIDENCE_ATTEMPT_H

#include <net/if.h>
#include <stdint.h>

#include "common/addr.h"
#include "proto/limits.h"

#define ATTEMPT_DETAIL 64

enum attempt_reason {
	REASON_NONE = 0,
	REASON_NOT_ALLOWED,	/* outside the device's class */
	REASON_QUARANTINED,	/* the device is in quarantine */
	REASON_WRONG_ADDRESS,	/* the MAC is a device's, the source address is not one of its */
	REASON_WRONG_MAC,	/* the address is a device's, the MAC is not */
	REASON_WRONG_PORT,	/* MAC and address are right, the interface is not the declared one */
	REASON_UNKNOWN_DEVICE,
	REASON_INBOUND,		/* somebody who is no device, towards a device */
	REASON_SERVICE,		/* an appliance service that is not named */
	REASON_PEER,		/* the other device is in quarantine */
	REASON_INVALID,		/* conntrack calls the packet invalid */
	REASON_CONNECTION_LIMIT,
	REASON_RATE,		/* more new connections per second than its class may */
	REASON_CLONE,		/* one identity at two places at once */
	REASONS
};

enum attempt_verdict {
	VERDICT_REFUSED = 0,
	VERDICT_AUDITED,	/* the class was in audit mode: let through, and recorded */
	VERDICTS
};

enum attempt_identity {
	IDENTITY_NONE = 0,	/* no device is concerned */
	IDENTITY_PROVED,	/* the kernel matched all that is declared */
	IDENTITY_CLAIMED,	/* the packet used a MAC or an address of the device */
	IDENTITIES
};

enum attempt_state {
	ATTEMPT_ANY = 0,	/* in filters */
	ATTEMPT_OPEN,		/* packets may still be added */
	ATTEMPT_FINAL,		/* closed with the kernel's last count */
	ATTEMPT_LAPSED,		/* closed without: the numbers are a lower bound */
	ATTEMPT_STATES
};

enum attempt_hook {
	ATTEMPT_HOOK_NONE = 0,	/* only the counts are known */
	ATTEMPT_HOOK_INPUT,
	ATTEMPT_HOOK_FORWARD,
	ATTEMPT_HOOK_OUTPUT,
	ATTEMPT_HOOKS
};

struct attempt {
	int64_t id;			/* 0: not in the store yet */
	int64_t first_ms;		/* wall clock, since 1970 */
	int64_t last_ms;
	uint64_t packets;
	uint64_t bytes;
	uint64_t revision;		/* of the policy of that time */
	uint32_t device;		/* number; 0: none */
	uint32_t mark;			/* the kernel's, 0: stranger */
	char device_name[LIMIT_NAME];
	char class_name[LIMIT_NAME];
	char interface[IF_NAMESIZE];	/* it came in by; "" unknown */
	char detail[ATTEMPT_DETAIL];
	struct addr source;		/* family 0: unknown */
	struct addr destination;
	struct mac mac;			/* all zero: unknown */
	uint8_t has_mac;
	uint8_t family;
	uint8_t protocol;
	uint8_t icmp_type;		/* with has_type */
	uint8_t has_type;
	uint8_t group;			/* enum flow_group it was told by */
	uint16_t port;			/* destination's; 0 where the protocol has none */
	uint8_t reason;			/* enum attempt_reason, and so on */
	uint8_t verdict;
	uint8_t identity;
	uint8_t state;
	uint8_t hook;
};

/* Text as it is stored and shown ("not-allowed", "audited", "claimed", ...);
 * "?" for a number that is none. */
const char *attempt_reason_name(unsigned reason);
const char *attempt_verdict_name(unsigned verdict);
const char *attempt_identity_name(unsigned identity);
const char *attempt_state_name(unsigned state);
const char *attempt_hook_name(unsigned hook);

/* And back: the number, or -1. */
int attempt_reason_of(const char *name);
int attempt_verdict_of(const char *name);
int attempt_identity_of(const char *name);
int attempt_state_of(const char *name);
int attempt_hook_of(const char *name);

#endif
