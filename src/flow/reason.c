/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reason.c -- from what a packet carried to a reason; pure.
 * It mirrors the order in which the kernel's chains ask, and decides nothing:
 * the packet was judged already. */
#include "flow/reason.h"

#include <stdio.h>
#include <string.h>

static void
set_device(const struct directory *d, const struct image_device *dev, enum attempt_identity identity,
    struct attempt *a)
{
	if (dev == NULL)
		return;
	a->device = dev->number;
	a->identity = identity;
	snprintf(a->device_name, sizeof(a->device_name), "%s", directory_device_name(d, dev));
	snprintf(a->class_name, sizeof(a->class_name), "%s", directory_class_name(d, dev));
}

static bool
owns(const struct directory *d, const struct image_device *dev, const struct addr *a)
{
	return a->family != 0 && directory_by_address(d, a) == dev;
}

/* Before the first policy no interface is anybody's. */
static bool
came_from_outside(const struct directory *d, const struct circumstances *c)
{
	return d->image != NULL && c->in[0] != '\0' && !directory_is_device_interface(d, c->in);
}

/* From outside the devices: by its interface where that is known, and else by
 * whose address is at which end. */
static bool
is_inbound(const struct directory *d, const struct image_device *dev, const struct circumstances *c)
{
	if (c->hook == ATTEMPT_HOOK_OUTPUT)
		return true;	/* the appliance itself */
	if (c->in[0] != '\0')
		return came_from_outside(d, c);
	return dev != NULL && owns(d, dev, &c->destination) && !owns(d, dev, &c->source);
}

/* Towards the device side, where nobody takes part who could be reached: the
 * destination is no device, or one in quarantine. */
static bool
is_closed_peer(const struct directory *d, const struct stations *s, const struct circumstances *c)
{
	const struct image_device *to;

	if (c->destination.family == 0)
		return false;
	to = directory_by_address(d, &c->destination);
	if (to != NULL)
		return stations_of_device(s, to->number) == STATION_QUARANTINED;
	return c->hook == ATTEMPT_HOOK_FORWARD && directory_is_device_interface(d, c->out);
}

static enum attempt_reason
reason_of_device(const struct directory *d, const struct stations *s, const struct image_device *dev,
    enum station_where where, const struct circumstances *c)
{
	if (is_inbound(d, dev, c))
		return REASON_INBOUND;
	if (where == STATION_QUARANTINED)
		return REASON_QUARANTINED;
	if (c->hook == ATTEMPT_HOOK_INPUT)
		return REASON_SERVICE;
	if (is_closed_peer(d, s, c))
		return REASON_PEER;
	return REASON_NOT_ALLOWED;
}

/* In audit mode what the class says lets the packet through, and nothing else does. */
static enum attempt_verdict
verdict_of(enum attempt_reason reason, enum station_where where)
{
	bool judged_by_class = reason == REASON_NOT_ALLOWED || reason == REASON_INBOUND || reason == REASON_RATE;

	return where == STATION_AUDITED && judged_by_class ? VERDICT_AUDITED : VERDICT_REFUSED;
}

/* May the device send from there? Inside a prefix of its own also from link-local
 * addresses. What another device holds was excluded before. */
static bool
may_send_from(const struct directory *d, const struct image_device *dev, const struct addr *source)
{
	static const uint8_t link_local[8] = { 0xfe, 0x80 };

	for (uint32_t i = 0; i < dev->addresses.n; i++) {
		const struct image_address *a = &d->image->addresses[dev->addresses.first + i];
		bool whole = image_address_is_whole(a);

		if (a->family != source->family)
			continue;
		if (memcmp(a->bytes, source->bytes, whole ? addr_len(a->family) : sizeof(link_local)) == 0)
			return true;
		if (!whole && memcmp(source->bytes, link_local, sizeof(link_local)) == 0)
			return true;
	}
	return dev->addresses.n == 0;
}

/* All else fits. When the port does too, the packet came before the policy that
 * knows the device. */
static enum attempt_reason
reason_of_port(const struct directory *d, const struct image_device *dev, const struct circumstances *c,
    struct attempt *a)
{
	const char *port = directory_device_interface(d, dev);

	if (port[0] == '\0' || strcmp(port, c->in) == 0)
		return REASON_UNKNOWN_DEVICE;
	snprintf(a->detail, sizeof(a->detail), "declared on %.15s", port);
	return REASON_WRONG_PORT;
}

/* Nobody's MAC: a device behind a router, or somebody with the address of one. */
static enum attempt_reason
reason_by_address(const struct directory *d, const struct image_device *dev, const struct circumstances *c,
    struct attempt *a)
{
	set_device(d, dev, IDENTITY_CLAIMED, a);
	if (dev == NULL)
		return REASON_UNKNOWN_DEVICE;
	if (dev->identity == IDENTITY_ROUTED ||
	    (dev->identity == IDENTITY_VIA && c->has_mac && memcmp(dev->mac, c->mac.bytes, sizeof(dev->mac)) == 0))
		return reason_of_port(d, dev, c, a);
	return REASON_WRONG_MAC;
}

/* The kernel found no device of which everything fits: which part did? */
static enum attempt_reason
reason_of_stranger(const struct directory *d, const struct circumstances *c, struct attempt *a)
{
	const struct image_device *by_mac = c->has_mac ? directory_by_mac(d, &c->mac) : NULL;
	const struct image_device *by_address = c->source.family != 0 ?
	    directory_by_address(d, &c->source) : NULL;

	if (came_from_outside(d, c))
		return REASON_INBOUND;
	if (by_mac == NULL)
		return reason_by_address(d, by_address, c, a);
	set_device(d, by_mac, IDENTITY_CLAIMED, a);
	if (by_address != NULL && by_address != by_mac)
		snprintf(a->detail, sizeof(a->detail), "address of %.40s", directory_device_name(d, by_address));
	else if (may_send_from(d, by_mac, &c->source))
		return reason_of_port(d, by_mac, c, a);
	return REASON_WRONG_ADDRESS;
}

static enum attempt_reason
reason_of_group(uint8_t group)
{
	switch ((enum flow_group)group) {
	case FLOW_INVALID:
		return REASON_INVALID;
	case FLOW_CROWDED:
		return REASON_CONNECTION_LIMIT;
	case FLOW_RATE:
		return REASON_RATE;
	case FLOW_REFUSED:
	case FLOW_SIGHTED:
	case FLOW_DISCOVERED:
	case FLOW_GROUPS:
		break;
	}
	return REASON_NONE;
}

bool
reason_find(const struct directory *d, const struct stations *s, const struct circumstances *c, struct attempt *out)
{
	enum attempt_reason reason = reason_of_group(c->group);
	enum station_where where = stations_of_mark(s, c->mark);
	const struct image_device *dev;

	out->device = 0;
	out->device_name[0] = out->class_name[0] = out->detail[0] = '\0';
	out->identity = IDENTITY_NONE;
	out->verdict = VERDICT_REFUSED;
	if (c->mark == 0) {
		enum attempt_reason stranger = reason_of_stranger(d, c, out);

		out->reason = (uint8_t)(reason != REASON_NONE ? reason : stranger);
		return true;
	}
	dev = directory_device(d, c->mark >> 8);
	set_device(d, dev, IDENTITY_PROVED, out);
	out->device = c->mark >> 8;	/* also when the policy of the moment has no name for it */
	out->identity = IDENTITY_PROVED;
	if (reason == REASON_NONE)
		reason = reason_of_device(d, s, dev, where, c);
	out->reason = (uint8_t)reason;
	out->verdict = (uint8_t)verdict_of(reason, where);
	return where != STATION_UNKNOWN || reason == REASON_INVALID || reason == REASON_CONNECTION_LIMIT;
}

void
reason_settle(struct attempt *a, enum station_where where)
{
	if (where == STATION_QUARANTINED && a->reason != REASON_INBOUND && a->reason != REASON_RATE)
		a->reason = REASON_QUARANTINED;
	a->verdict = (uint8_t)verdict_of((enum attempt_reason)a->reason, where);
}
