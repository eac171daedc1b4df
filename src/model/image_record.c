/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image_record.c -- what one record of an image may say, by itself. */
#include <netinet/in.h>
#include <string.h>

#include "model/image_record.h"
#include "model/policy.h"

bool
protocol_has_ports(uint8_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP ||
	    protocol == IPPROTO_DCCP || protocol == IPPROTO_UDPLITE;
}

/* first <= last; bytes that the family does not use are zero. */
static bool
box_addresses_ok(const struct image_box *b, bool addresses)
{
	static const uint8_t zero[16];
	size_t used = !addresses ? 0 : b->family == AF_INET ? 4 : 16;

	return memcmp(b->first, b->last, sizeof(b->first)) <= 0 &&
	    memcmp(b->first + used, zero, sizeof(zero) - used) == 0 &&
	    memcmp(b->last + used, zero, sizeof(zero) - used) == 0;
}

bool
image_box_is_valid(const struct image_box *b, enum box_place place)
{
	uint8_t icmp = b->protocol == IPPROTO_ICMP ? AF_INET : AF_INET6;

	if (b->pad != 0 || b->low > b->high || !box_addresses_ok(b, place == BOX_OF_CLASS))
		return false;
	if (b->kind == BOX_ICMP)
		return (b->protocol == IPPROTO_ICMP || b->protocol == IPPROTO_ICMPV6) && b->family == icmp &&
		    b->high <= 255;
	if (place == BOX_OF_CLASS ? b->family != AF_INET && b->family != AF_INET6 : b->family != 0)
		return false;
	if (b->kind == BOX_PORTS)
		return protocol_has_ports(b->protocol);
	if (place == BOX_OF_SERVICES || b->high != 0)
		return false;
	if (b->kind == BOX_PROTOCOL)
		return b->protocol != 0 && !protocol_has_ports(b->protocol) && b->protocol != IPPROTO_ICMP &&
		    b->protocol != IPPROTO_ICMPV6;
	return b->kind == BOX_ANY && b->protocol == 0;
}

bool
image_address_is_valid(const struct image_address *a)
{
	static const uint8_t zero[16];
	struct addr addr = { .family = a->family };

	if ((a->family != AF_INET && a->family != AF_INET6) || memcmp(a->pad, zero, sizeof(a->pad)) != 0)
		return false;
	if (a->family == AF_INET && memcmp(a->bytes + 4, zero, 12) != 0)
		return false;
	if (!image_address_is_whole(a) && (a->family != AF_INET6 || a->prefix != 64 ||
	    memcmp(a->bytes + 8, zero, 8) != 0))
		return false;
	memcpy(addr.bytes, a->bytes, sizeof(addr.bytes));
	return device_address_fault(&addr) == NULL;
}

bool
image_box_same_group(const struct image_box *a, const struct image_box *b)
{
	return a->kind == b->kind && a->family == b->family && a->protocol == b->protocol;
}

int
image_box_cmp(const struct image_box *a, const struct image_box *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	if (a->protocol != b->protocol)
		return a->protocol < b->protocol ? -1 : 1;
	if (a->low != b->low)
		return a->low < b->low ? -1 : 1;
	return memcmp(a->first, b->first, sizeof(a->first));
}

int
image_names_cmp(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}
