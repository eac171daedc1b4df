/* SPDX-License-Identifier: GPL-2.0-or-later */
/* snapshot.h -- the state that cordond shows to an operator's tool: a sealed
 * memory file of one header, then device records in the order of the image,
 * then source records. Ids only; names are looked up in the image. */
#ifndef CORDON_PROTO_SNAPSHOT_H
#define CORDON_PROTO_SNAPSHOT_H

#include <stdint.h>

#include "proto/messages.h"

#define SNAPSHOT_MAGIC 0x31735043U	/* "CPs1" */

struct snapshot_header {
	uint32_t magic;
	uint32_t devices;
	uint32_t sources;
	uint32_t pad;
	uint64_t revision;	/* the image these belong to */
	int64_t taken_at;
};

struct snapshot_device {
	uint32_t number;
	uint32_t mark;
	uint32_t where;		/* enum station_where */
	uint32_t cause;		/* bits of enum station_cause */
	int64_t since;		/* of the present station; 0: since the policy was applied */
	uint32_t authority;	/* that revoked it, or 0 */
	uint32_t crl_reason;
	int64_t revoked_at;
	uint64_t refused_packets;
	uint64_t refused_bytes;
	char words[200];	/* the operator's */
};

/* Sources are struct pki_source. */

#endif
