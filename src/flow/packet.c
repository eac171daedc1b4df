/* SPDX-License-Identifier: GPL-2.0-or-later */
/* packet.c -- decode the head of a packet; pure, and every byte is a stranger's.
 * Nothing here knows devices or reasons, and no read goes around struct buf. */
#include "flow/packet.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "common/buf.h"

#define IP4_OFFSET_MASK 0x1fff
#define IP6_OFFSET_MASK 0xfff8
#define IP6_HEADER_LEN 40

bool
packet_has_ports(uint8_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP ||
	    protocol == IPPROTO_DCCP || protocol == IPPROTO_UDPLITE;
}

static void
decode_transport(struct buf *b, struct packet *p)
{
	if (packet_has_ports(p->protocol)) {
		size_t at = b->pos;
		uint16_t from, to;

		if (buf_get_u16(b, &from) < 0 || buf_get_u16(b, &to) < 0) {
			p->flags |= PACKET_SHORT;
			return;
		}
		p->source_port = from;
		p->port = to;
		p->transport = (uint16_t)at;
		p->flags |= PACKET_PORTS;
		return;
	}
	if ((p->family == AF_INET && p->protocol == IPPROTO_ICMP) ||
	    (p->family == AF_INET6 && p->protocol == IPPROTO_ICMPV6)) {
		if (buf_get_u8(b, &p->icmp_type) < 0)
			p->flags |= PACKET_SHORT;
		else
			p->flags |= PACKET_TYPE;
	}
}

static void
decode_ip4(struct buf *b, struct packet *p)
{
	uint8_t first, protocol;
	uint16_t total, offset;
	size_t header;

	if (buf_get_u8(b, &first) < 0 || buf_skip(b, 1) < 0 || buf_get_u16(b, &total) < 0 ||
	    buf_skip(b, 2) < 0 || buf_get_u16(b, &offset) < 0 || buf_skip(b, 1) < 0 ||
	    buf_get_u8(b, &protocol) < 0 || buf_skip(b, 2) < 0 ||
	    buf_get_bytes(b, p->source.bytes, 4) < 0) {
		p->flags |= PACKET_SHORT;
		return;
	}
	if (buf_get_bytes(b, p->destination.bytes, 4) < 0) {
		memset(p->source.bytes, 0, sizeof(p->source.bytes));
		p->flags |= PACKET_SHORT;
		return;
	}
	p->family = p->source.family = p->destination.family = AF_INET;
	p->protocol = protocol;
	p->len = total;
	header = (size_t)(first & 0x0f) * 4;
	if (header < 20 || total < header) {
		p->flags |= PACKET_BAD;
		return;
	}
	if (buf_skip(b, header - 20) < 0) {
		p->flags |= PACKET_SHORT;
		return;
	}
	if ((offset & IP4_OFFSET_MASK) != 0) {
		p->flags |= PACKET_FRAGMENT;
		return;
	}
	decode_transport(b, p);
}

static bool
is_extension(uint8_t next)
{
	return next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_FRAGMENT ||
	    next == IPPROTO_AH || next == IPPROTO_DSTOPTS;
}

/* Walks as the kernel's ipv6_find_hdr does, since the protocol is part of the
 * key that the kernel counts under. false: there is nothing to read behind. */
static bool
skip_extensions(struct buf *b, struct packet *p)
{
	for (unsigned i = 0; is_extension(p->protocol); i++) {
		uint8_t next, len;
		uint16_t offset = 0;
		size_t rest;

		if (i == PACKET_EXTENSIONS_MAX) {
			p->flags |= PACKET_BAD;
			return false;
		}
		if (buf_get_u8(b, &next) < 0 || buf_get_u8(b, &len) < 0) {
			p->flags |= PACKET_SHORT;
			return false;
		}
		if (p->protocol == IPPROTO_FRAGMENT) {
			if (buf_get_u16(b, &offset) < 0) {
				p->flags |= PACKET_SHORT;
				return false;
			}
			rest = 4;
		} else if (p->protocol == IPPROTO_AH) {
			/* RFC 4302 2.2: in words of 4 bytes, minus 2 */
			rest = ((size_t)len + 2) * 4 - 2;
		} else {
			rest = ((size_t)len + 1) * 8 - 2;
		}
		if (buf_skip(b, rest) < 0) {
			p->protocol = next;
			p->flags |= PACKET_SHORT;
			return false;
		}
		p->protocol = next;
		if ((offset & IP6_OFFSET_MASK) != 0) {
			p->flags |= PACKET_FRAGMENT;
			return false;
		}
	}
	return true;
}

static void
decode_ip6(struct buf *b, struct packet *p)
{
	uint16_t payload;
	uint8_t next;

	if (buf_skip(b, 4) < 0 || buf_get_u16(b, &payload) < 0 || buf_get_u8(b, &next) < 0 ||
	    buf_skip(b, 1) < 0 || buf_get_bytes(b, p->source.bytes, 16) < 0) {
		p->flags |= PACKET_SHORT;
		return;
	}
	if (buf_get_bytes(b, p->destination.bytes, 16) < 0) {
		memset(p->source.bytes, 0, sizeof(p->source.bytes));
		p->flags |= PACKET_SHORT;
		return;
	}
	p->family = p->source.family = p->destination.family = AF_INET6;
	p->protocol = next;
	p->len = payload > 0 ? (uint32_t)payload + IP6_HEADER_LEN : 0;	/* 0: jumbogram */
	if (skip_extensions(b, p))
		decode_transport(b, p);
}

void
packet_decode(const void *head, size_t len, struct packet *out)
{
	struct packet p;
	struct buf b, look;
	uint8_t first;

	memset(&p, 0, sizeof(p));
	buf_init(&b, head, len);
	look = b;
	if (buf_get_u8(&look, &first) < 0) {
		p.flags = PACKET_SHORT;
	} else if (first >> 4 == 4) {
		decode_ip4(&b, &p);
	} else if (first >> 4 == 6) {
		decode_ip6(&b, &p);
	} else {
		p.flags = PACKET_BAD;
	}
	*out = p;
}
