/* SPDX-License-Identifier: GPL-2.0-or-later */
/* field.h -- the fields of a packet that keys are made of; a part of ruleset.h. */
#ifndef CORDON_MODEL_FIELD_H
#define CORDON_MODEL_FIELD_H

#include <stdint.h>

enum field {
	FIELD_NONE,
	FIELD_ETHER_SADDR,
	FIELD_IP_SADDR,
	FIELD_IP_DADDR,
	FIELD_IP6_SADDR,
	FIELD_IP6_DADDR,
	FIELD_L4PROTO,
	FIELD_SPORT,		/* of tcp, udp, sctp, dccp, udplite */
	FIELD_DPORT,
	FIELD_ICMP_TYPE,
	FIELD_ICMP6_TYPE,
	FIELD_ICMP_CODE,
	FIELD_ICMP6_CODE,
	FIELD_IIFNAME,
	FIELD_OIFNAME,
	FIELD_IIF,
	FIELD_OIF,
	FIELD_IP6_SADDR_NET,	/* the first 64 bits */
	FIELD_TCP_RESET,	/* that bit of the flags: 4 or 0 */
	FIELD_TIME,		/* now, nanoseconds since 1970, big-endian */
	FIELD_MARK,
	FIELD_NUMBER,		/* meta mark and 0xffffff00: the device, whatever its generation */
	FIELD_CLASS,		/* its class, between EXPR_CLASS_FROM_MAP and EXPR_FORGET_CLASS */
	FIELD_CT_MARK,
	FIELD_CT_NUMBER,	/* ct mark and 0xffffff00 */
	FIELD_CT_CONFIRMED,	/* that bit of its status: 0 before the first packet of a flow is through, or 8 */
	FIELD_NFPROTO,
	FIELD_PKTTYPE,
	FIELD_CT_DIRECTION,
	FIELD_HOPLIMIT,		/* ip6 */
	FIELDS
};

struct field_info {
	const char *nft;	/* how nft writes it */
	const char *type;	/* nft's name of its type */
	uint8_t type_id;	/* nft's number of that type, for the listing */
	uint8_t len;		/* bytes; in a key each field is padded to 4 */
	uint8_t family;		/* AF_INET, AF_INET6 where only that family has it; 0: both */
};

const struct field_info *field_info(enum field);

#endif
