/* SPDX-License-Identifier: GPL-2.0-or-later */
/* history.h -- one record of what happened to the policy: as it lies on disk, and
 * as it is shown to an operator's tool. */
#ifndef CORDON_PROTO_HISTORY_H
#define CORDON_PROTO_HISTORY_H

#include "proto/messages.h"

enum history_what {
	HISTORY_APPLIED = 1,
	HISTORY_ROLLED_BACK,	/* other: the stored revision that runs again */
	HISTORY_CONFIRMED,
	HISTORY_REVERTED,	/* other: the revision that was given up, unconfirmed */
	HISTORY_BOOT,		/* cordond started with it */
	HISTORY_RESTORED,	/* somebody else had changed the kernel's rules */
	HISTORY_WHATS
};

enum history_why {
	WHY_NONE = 0,
	WHY_DEADLINE,		/* nobody confirmed in time */
	WHY_BOOT,		/* the machine started anew while it waited */
	WHY_DAMAGED,		/* what was known of the deadline is damaged or gone */
	WHY_ASKED,		/* an operator did not wait for the deadline */
	WHY_ADOPTED,		/* HISTORY_BOOT: the rules stood and were right */
	WHY_LOADED,		/* none stood */
	WHY_REBUILT,		/* others stood */
	HISTORY_WHYS
};

struct history_entry {
	uint64_t revision;	/* in force afterwards */
	uint64_t other;
	int64_t at;
	uint32_t what;		/* enum history_what */
	uint32_t why;		/* enum history_why */
	uint32_t added;		/* elements */
	uint32_t removed;
	uint32_t renewed;	/* devices */
	uint32_t confirm_s;	/* had to be confirmed within */
	uint32_t forced;	/* 1: though it dropped the asker's connection, for all that was known */
	uint32_t pad;
	struct ctl_who who;
};
static_assert(sizeof(struct history_entry) == 120, "disk");

/* What happened to a device: the same, by cordond's own hand or by an operator's. */
enum device_happening {
	DEVICE_ENROLLED = 1,	/* came with a policy */
	DEVICE_WITHDRAWN,	/* went with one */
	DEVICE_MOVED,		/* other: number of the class it left; now: the one it is in */
	DEVICE_REBOUND,		/* other hardware: its MAC changed from old_mac to mac */
	DEVICE_RENEWED,		/* other certificates */
	DEVICE_QUARANTINED,	/* cause, reason, evidence, authority */
	DEVICE_RELEASED,	/* cause: what was taken away */
	DEVICE_RESTRICTED,
	DEVICE_PENDING,		/* waits behind the brake */
	DEVICE_CONFIRMED,
	DEVICE_DISMISSED,
	DEVICE_HAPPENINGS
};

struct device_event {
	int64_t at;
	uint64_t revision;	/* in force */
	uint32_t device;	/* number */
	uint32_t what;		/* enum device_happening */
	uint32_t cause;		/* bits of enum station_cause */
	uint32_t reason;	/* CRLReason */
	uint32_t evidence;	/* enum pki_evidence */
	uint32_t authority;
	uint32_t other;
	uint32_t now;
	uint8_t old_mac[6];
	uint8_t mac[6];
	uint8_t pad[4];
	struct ctl_who who;
	char words[200];
};

#endif
