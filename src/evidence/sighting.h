/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sighting.h -- a MAC that no device has, on a device interface: what it showed
 * of itself. Text is what a stranger sent, cleaned for terminals; never a name
 * of ours. */
#ifndef CORDON_EVIDENCE_SIGHTING_H
#define CORDON_EVIDENCE_SIGHTING_H

#include <net/if.h>
#include <stdint.h>

#include "common/addr.h"
#include "proto/limits.h"

#define SIGHTING_TEXT	128	/* a name or a vendor class; longer ones are cut */
#define SIGHTING_LIST	128	/* numbers of DHCP options, as "1,3,6,15" */
#define SIGHTING_CLIENT	65	/* a client's id in hexadecimal, its first 32 bytes */

struct sighting {
	uint32_t slot;			/* 1 .. LIMIT_SIGHTINGS: its row in the store */
	struct mac mac;
	char interface[IF_NAMESIZE];
	uint8_t n_addresses;
	uint8_t more_addresses;		/* 1: it used others before these */
	int64_t first_ms;		/* wall clock, since 1970 */
	int64_t last_ms;
	uint64_t packets;		/* refused */
	struct addr addresses[LIMIT_SIGHTING_ADDRESSES];	/* the latest first */
	char dhcp_name[SIGHTING_TEXT];
	char dhcp_vendor[SIGHTING_TEXT];
	char dhcp_list[SIGHTING_LIST];	/* the options that it asks for, which tell kinds of devices apart */
	char dhcp_client[SIGHTING_CLIENT];
};

/* What the list lacks, since the store began. */
struct sighting_sums {
	uint64_t not_taken;	/* news of MACs beyond the number that may come in one minute */
	uint64_t pushed_out;	/* rows that gave way to newer ones */
};

#endif
