/* SPDX-License-Identifier: GPL-2.0-or-later */
/* snapshot.h -- the state that cordond shows to an operator's tool: a sealed
 * memory file of one header, then device records in the order of the image, then
 * source and authority records. Ids only; names are looked up in the image. */
#ifndef CORDON_PROTO_SNAPSHOT_H
#define CORDON_PROTO_SNAPSHOT_H

#include <stdint.h>

#include "proto/messages.h"

#define SNAPSHOT_MAGIC 0x31735043U	/* "CPs1" */

struct snapshot_header {
	uint32_t magic;
	uint32_t devices;
	uint32_t sources;
	uint32_t authorities;
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
	uint32_t pending;	/* bits of enum station_cause that wait behind the brake */
	uint32_t evidence;	/* enum pki_evidence of the revocation, or 0 */
	uint32_t check;		/* enum device_check, with CHECK_CHAIN_UNKNOWN */
	uint32_t uid;		/* of the operator; CTL_NOBODY: none */
	int64_t until;		/* the operator's cause ends by itself; 0: never */
	uint8_t serial_len;	/* of the certificate that is revoked */
	uint8_t crl_number_len;	/* crlNumber that said so */
	uint8_t serial[20];
	uint8_t crl_number[20];
	uint8_t pad[6];
	char words[200];	/* the operator's */
};

/* Sources are struct pki_source, authorities struct pki_authority. */

#endif
