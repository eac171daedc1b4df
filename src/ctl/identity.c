/* SPDX-License-Identifier: GPL-2.0-or-later */
/* identity.c -- by what a device's packets are known, and what that is worth:
 * nothing in a packet proves who sent it. */
#include "ctl/identity.h"

#include <string.h>

#include "ctl/format.h"

const char *
identity_address(const struct image_address *a, char buf[RANGE_STRLEN])
{
	struct addr addr = { .family = a->family };
	char text[ADDR_STRLEN];

	memcpy(addr.bytes, a->bytes, sizeof(addr.bytes));
	snprintf(buf, RANGE_STRLEN, "%s%s", addr_format(&addr, text), image_address_is_whole(a) ? "" : "/64");
	return buf;
}

json_t *
identity_addresses(const struct image *im, const struct image_device *d)
{
	json_t *list = json_array();
	char text[RANGE_STRLEN];
	uint32_t i;

	for (i = 0; i < d->addresses.n; i++)
		json_array_append_new(list,
		    json_string(identity_address(&im->addresses[d->addresses.first + i], text)));
	return list;
}

static const char *
plain_mac(const struct image_device *d, char buf[MAC_STRLEN])
{
	struct mac mac;

	memcpy(mac.bytes, d->mac, sizeof(mac.bytes));
	return mac_format(&mac, buf);
}

const char *
identity_mac(const struct image_device *d, char buf[IDENTITY_MACLEN])
{
	char mac[MAC_STRLEN];

	snprintf(buf, IDENTITY_MACLEN, "%s%s", d->identity == IDENTITY_OWN ? "" : "via ",
	    d->identity == IDENTITY_ROUTED ? "any" : plain_mac(d, mac));
	return buf;
}

const char *
identity_kind(const struct image_device *d)
{
	switch ((enum device_identity)d->identity) {
	case IDENTITY_OWN:
		break;
	case IDENTITY_VIA:
		return "via";
	case IDENTITY_ROUTED:
		return "routed";
	}
	return "mac";
}

json_t *
identity_mac_json(const struct image_device *d, enum device_identity kind)
{
	char mac[MAC_STRLEN];

	return d->identity == kind ? json_string(plain_mac(d, mac)) : json_null();
}

const char *
identity_worth(const struct image *im, const struct image_device *d)
{
	bool prefix = false;
	uint32_t i;

	if (d->identity == IDENTITY_ROUTED)
		return "whoever is at that port, behind a router or not";
	if (d->identity == IDENTITY_VIA)
		return "whoever is behind that router, or at that port and takes the router's MAC";
	for (i = 0; i < d->addresses.n; i++)
		prefix |= !image_address_is_whole(&im->addresses[d->addresses.first + i]);
	if (d->interface != 0)
		return d->addresses.n == 0 || prefix ? "whoever is at that port and takes the MAC" :
		    "whoever is at that port and takes the MAC and an address";
	return d->addresses.n == 0 || prefix ? "whoever is behind any device interface and takes the MAC" :
	    "whoever is behind any device interface and takes the MAC and an address";
}

void
identity_print(const struct image *im, const struct image_device *d, FILE *out)
{
	bool own = d->identity == IDENTITY_OWN;
	char text[RANGE_STRLEN], mac[IDENTITY_MACLEN], port[64];
	uint32_t i;

	fprintf(out, "identity     %s", own ? identity_mac(d, mac) : "");
	for (i = 0; i < d->addresses.n; i++)
		fprintf(out, "%s%s", i > 0 ? ", " : own ? " with " : "",
		    identity_address(&im->addresses[d->addresses.first + i], text));
	if (!own)
		fprintf(out, " from behind %s", d->identity == IDENTITY_VIA ? identity_mac(d, mac) + 4 : "any router");
	fprintf(out, "%s, %s%s\n", d->addresses.n == 0 ? " with any address that no other device holds" : "",
	    d->interface != 0 ? "only on interface " : "on any device interface",
	    d->interface != 0 ? format_text(image_text(im, d->interface), port, sizeof(port)) : "");
	fprintf(out, "             could be taken by %s\n", identity_worth(im, d));
}
