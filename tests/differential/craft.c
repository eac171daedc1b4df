/* SPDX-License-Identifier: GPL-2.0-or-later */
/* craft.c -- frames from descriptions, and back. */
#include "craft.h"

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <string.h>
#include <sys/socket.h>

#define TOS_UNTRACKED	0x2c	/* DSCP 11: the rules around cordon's do not track it */

/* ---- checksums ---------------------------------------------------------- */

static uint32_t
sum(uint32_t so_far, const uint8_t *p, size_t len)
{
	for (; len > 1; p += 2, len -= 2)
		so_far += (uint32_t)p[0] << 8 | p[1];
	return len > 0 ? so_far + ((uint32_t)p[0] << 8) : so_far;
}

static uint16_t
folded(uint32_t s)
{
	while (s >> 16 != 0)
		s = (s & 0xffff) + (s >> 16);
	return (uint16_t)~s;
}

static void
put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static uint32_t
crc32c(const uint8_t *p, size_t len)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < len; i++) {
		crc ^= p[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (0x82f63b78U & -(crc & 1));
	}
	return ~crc;
}

static uint32_t
pseudo_header(const struct shape *s, size_t len)
{
	size_t n = s->family == AF_INET ? 4 : 16;

	return sum(sum(s->protocol + (uint32_t)len, s->src, n), s->dst, n);
}

/* ---- transport ---------------------------------------------------------- */

/* What an ICMP error quotes: the network header, and 8 bytes of the next. */
static size_t
quote(const struct shape *about, uint8_t *out)
{
	struct frame f[4];
	size_t n, head = about->family == AF_INET ? 20 : 40;
	struct shape plain = *about;

	plain.odd = 0;
	plain.about = NULL;
	craft(&plain, 0, 1, f);
	n = f[0].len - 14U;
	if (n > head + 8)
		n = head + 8;
	memcpy(out, f[0].bytes + 14, n);
	return n;
}

/* Returns its length and says where its checksum is (0: it has none). */
static size_t
transport(const struct shape *s, uint8_t *p, size_t *checksum)
{
	size_t head;

	*checksum = 0;
	put16(p, s->sport);
	put16(p + 2, s->dport);
	switch (s->protocol) {
	case IPPROTO_TCP:
		p[7] = 1;
		p[11] = (s->tcp_flags & 0x10) != 0;
		p[12] = 5 << 4;
		p[13] = s->tcp_flags;
		put16(p + 14, 8192);
		*checksum = 16;
		return 20;
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
		put16(p + 4, s->protocol == IPPROTO_UDP ? (uint16_t)(8 + s->payload) : 0);
		*checksum = 6;
		return 8;
	case IPPROTO_SCTP:	/* with one INIT, which ends with the packet */
		memcpy(p + 12, (const uint8_t[]){ 1, 0, 0, 20 + s->payload, 0, 0, 0, 7, 0, 0, 0x20, 0, 0, 1, 0, 1, 0, 0, 0, 1 }, 20);
		return 32;
	case IPPROTO_DCCP:
		p[4] = 4;
		*checksum = 6;
		return 16;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		p[0] = s->icmp_type;
		p[1] = 0;
		*checksum = 2;
		if (s->about != NULL) {
			head = 8 + quote(s->about, p + 8);
			memset(p + 2, 0, 6);
			return head;
		}
		put16(p + 2, 0);
		put16(p + 4, s->sport);
		return 8;
	default:		/* its first bytes look like ports */
		return 8;
	}
}

static void
seal(const struct shape *s, uint8_t *p, size_t len, size_t checksum)
{
	/* Linux's conntrack takes UDP-Lite's checksum for one of UDP. */
	uint32_t lite = s->protocol == IPPROTO_UDPLITE ? IPPROTO_UDP - IPPROTO_UDPLITE : 0, crc;
	bool alone = s->protocol == IPPROTO_ICMP;

	if (s->protocol == IPPROTO_SCTP) {
		crc = crc32c(p, len);
		memcpy(p + 8, &crc, 4);
		p[8] ^= (s->odd & ODD_CHECKSUM) != 0;
	}
	if (checksum == 0)
		return;
	put16(p + checksum, folded(sum(alone ? 0 : pseudo_header(s, len) + lite, p, len)));
	if (s->protocol == IPPROTO_UDP && p[checksum] == 0 && p[checksum + 1] == 0)
		put16(p + checksum, 0xffff);
	if ((s->odd & ODD_CHECKSUM) != 0)
		p[checksum] ^= 0x55;
}

/* ---- network ------------------------------------------------------------ */

static uint8_t
tos_of(const struct shape *s)
{
	return (s->odd & ODD_UNTRACKED) != 0 ? TOS_UNTRACKED : FRAME_TOS;
}

/* The network header before len bytes that begin at `offset` of the packet. */
static size_t
network4(const struct shape *s, uint8_t *p, size_t len, uint32_t number, size_t offset, bool more)
{
	size_t head = (s->odd & ODD_EXTENSIONS) != 0 ? 24 : 20;

	memset(p, 0, head);
	p[0] = (uint8_t)(0x40 | head / 4);
	p[1] = tos_of(s);
	put16(p + 2, (uint16_t)(head + len));
	put16(p + 4, (uint16_t)number);
	put16(p + 6, (uint16_t)(offset / 8 | (more ? IP_MF : 0)));
	p[8] = s->hoplimit;
	p[9] = s->protocol;
	memcpy(p + 12, s->src, 4);
	memcpy(p + 16, s->dst, 4);
	if (head > 20)
		memset(p + 20, 1, 4);	/* nothing, four times */
	put16(p + 10, folded(sum(0, p, head)));
	return head;
}

static size_t
network6(const struct shape *s, uint8_t *p, size_t len, uint32_t number, size_t offset, bool more, bool whole)
{
	uint8_t *next = p + 6;
	size_t head = 40;

	memset(p, 0, 40);
	p[0] = (uint8_t)(0x60 | tos_of(s) >> 4);
	p[1] = (uint8_t)(tos_of(s) << 4);
	put16(p + 2, (uint16_t)number);
	p[7] = s->hoplimit;
	memcpy(p + 8, s->src, 16);
	memcpy(p + 24, s->dst, 16);
	if ((s->odd & ODD_EXTENSIONS) != 0) {
		*next = IPPROTO_DSTOPTS;
		memcpy(p + head, (const uint8_t[]){ 0, 0, 1, 4, 0, 0, 0, 0 }, 8);
		next = p + head;
		head += 8;
	}
	if (!whole) {
		*next = IPPROTO_FRAGMENT;
		memset(p + head, 0, 8);
		put16(p + head + 2, (uint16_t)(offset | more));
		put16(p + head + 6, (uint16_t)number);
		next = p + head;
		head += 8;
	}
	*next = s->protocol;
	put16(p + 4, (uint16_t)(head - 40 + len));
	return head;
}

static void
ethernet(const struct shape *s, uint8_t *p)
{
	bool v4 = s->family == AF_INET;

	world_mac(s->port, p);
	if ((s->odd & ODD_BROADCAST) != 0 || (v4 && memcmp(s->dst, "\xff\xff\xff\xff", 4) == 0))
		memset(p, 0xff, 6);
	else if (v4 && s->dst[0] >= 224)
		memcpy(p, (const uint8_t[]){ 1, 0, 0x5e, s->dst[1] & 0x7f, s->dst[2], s->dst[3] }, 6);
	else if (!v4 && s->dst[0] == 0xff)
		memcpy(p, (const uint8_t[]){ 0x33, 0x33, s->dst[12], s->dst[13], s->dst[14], s->dst[15] }, 6);
	memcpy(p + 6, s->ether, 6);
	put16(p + 12, v4 ? ETHERTYPE_IP : ETHERTYPE_IPV6);
}

size_t
craft(const struct shape *s, uint32_t number, unsigned fragments, struct frame *out)
{
	uint8_t body[FRAME_MAX] = { 0 };
	size_t checksum, len, part, n = 0, head;

	len = transport(s, body, &checksum);
	for (size_t i = 0; s->about == NULL && i < s->payload; i++)
		body[len++] = (uint8_t)i;
	seal(s, body, len, checksum);
	if ((s->odd & ODD_SHORT) != 0)
		len = number % 8;
	part = fragments > 1 ? (len / fragments + 7) / 8 * 8 : len;
	for (size_t at = 0; at == 0 || at < len; at += part) {
		size_t now = len - at < part ? len - at : part;
		struct frame *f = &out[n++];

		f->port = s->port;
		ethernet(s, f->bytes);
		head = 14 + (s->family == AF_INET ?
		    network4(s, f->bytes + 14, now, number, at, at + now < len) :
		    network6(s, f->bytes + 14, now, number, at, at + now < len, fragments <= 1));
		memcpy(f->bytes + head, body + at, now);
		f->len = (uint16_t)(head + now);
		if (part == 0)
			break;
	}
	return n;
}

/* ---- and back ----------------------------------------------------------- */

static uint16_t
get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void
read_transport(const uint8_t *p, size_t len, struct packet *out)
{
	bool icmp = out->protocol == IPPROTO_ICMP || out->protocol == IPPROTO_ICMPV6;

	if (len < (icmp ? 1 : 2)) {
		out->lack |= LACK_TRANSPORT;
		return;
	}
	if (icmp) {
		out->icmp_type = p[0];
		out->icmp_code = len > 1 ? p[1] : 0;
		return;
	}
	out->sport = get16(p);
	if (len < 4)
		out->lack |= LACK_DPORT;
	else
		out->dport = get16(p + 2);
	if (out->protocol == IPPROTO_TCP && len >= 14)
		out->tcp_flags = p[13];
}

static bool
is_extension(uint8_t protocol)
{
	return protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING || protocol == IPPROTO_FRAGMENT ||
	    protocol == IPPROTO_DSTOPTS;
}

static void
read6(const uint8_t *p, size_t len, struct packet *out)
{
	size_t at = 40, end = 40U + get16(p + 4);

	if (end < len)
		len = end;
	out->family = AF_INET6;
	out->hoplimit = p[7];
	memcpy(out->src, p + 8, 16);
	memcpy(out->dst, p + 24, 16);
	out->protocol = p[6];
	while (is_extension(out->protocol) && at + 8 <= len) {
		bool fragment = out->protocol == IPPROTO_FRAGMENT;

		if (fragment && (get16(p + at + 2) & ~7U) != 0)
			out->lack |= LACK_TRANSPORT;
		out->protocol = p[at];
		at += fragment ? 8 : (p[at + 1] + 1U) * 8;
	}
	if (is_extension(out->protocol))
		out->lack |= LACK_PROTOCOL;
	read_transport(p + (at < len ? at : len), at < len ? len - at : 0, out);
}

bool
craft_read(const uint8_t *p, size_t len, struct packet *out, uint32_t *number, bool *ours)
{
	uint8_t tos;
	size_t head;

	if (len >= 20 && p[0] >> 4 == 4) {
		head = (p[0] & 15U) * 4U;
		out->family = AF_INET;
		out->protocol = p[9];
		out->hoplimit = p[8];
		memcpy(out->src, p + 12, 4);
		memcpy(out->dst, p + 16, 4);
		if (get16(p + 2) < len)
			len = get16(p + 2);
		if ((get16(p + 6) & 0x1fff) != 0)
			out->lack |= LACK_TRANSPORT;
		read_transport(p + (head < len ? head : len), head < len ? len - head : 0, out);
		*number = get16(p + 4);
		tos = p[1];
	} else if (len >= 40 && p[0] >> 4 == 6) {
		read6(p, len, out);
		*number = get16(p + 2);
		tos = (uint8_t)(p[0] << 4 | p[1] >> 4);
	} else {
		return false;
	}
	*ours = tos == FRAME_TOS || tos == TOS_UNTRACKED;
	return true;
}
