/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp.h -- what a question for an address tells of who asks (RFC 2131, RFC 8415). */
#ifndef CORDON_FLOW_DHCP_H
#define CORDON_FLOW_DHCP_H

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "evidence/sighting.h"
#include "flow/packet.h"

/* Each "" when it was not said. Text is printable UTF-8, whatever was sent. */
struct dhcp_said {
	char name[SIGHTING_TEXT];	/* option 12; DHCPv6: 39 */
	char vendor[SIGHTING_TEXT];	/* option 60; 16 */
	char list[SIGHTING_LIST];	/* option 55; 6 */
	char client[SIGHTING_CLIENT];	/* option 61; 1 */
};

/* What stands behind the UDP header of a client's message; a head that ends
 * early gives the options before its end. -EBADMSG: no such message, and *out
 * is as it was. */
int dhcp4_read(struct buf *, struct dhcp_said *out);
int dhcp6_read(struct buf *, struct dhcp_said *out);

/* The head of a packet that was decoded; -EBADMSG also when it goes to neither server port. */
int dhcp_read(const struct packet *, const void *head, size_t len, struct dhcp_said *out);

#endif
