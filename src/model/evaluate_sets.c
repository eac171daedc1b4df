/* SPDX-License-Identifier: GPL-2.0-or-later */
/* evaluate_sets.c -- what a set holds, asked of those who fill the kernel's sets.
 *
 * A key says who could have put it into a set: a class by the set's number, a
 * device by its MAC, its address or its mark. Those few are asked for their
 * elements; nobody else's are made, however many devices there are. */
#include "model/evaluate_parts.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* ---- who could own a key ------------------------------------------------ */

enum owner {
	OWNER_NOBODY,		/* not known here: -EINVAL */
	OWNER_PACKETS,		/* the kernel fills it: struct dynamic */
	OWNER_APPLIANCE,
	OWNER_CLASS,		/* the class that the set is named after */
	OWNER_CLASS_ASKED,	/* the class whose number is the key */
	OWNER_DEVICE,		/* whom a MAC, address or mark in the key belongs to */
};

static const uint8_t owners[SET_KINDS] = {
	[SET_DEVICE_INTERFACES] = OWNER_APPLIANCE,
	[SET_SERVICES] = OWNER_APPLIANCE,
	[SET_SERVICES_ICMP] = OWNER_APPLIANCE,
	[SET_SERVICES_ICMP6] = OWNER_APPLIANCE,
	[SET_BOOTSTRAP] = OWNER_APPLIANCE,
	[SET_WINDOWS] = OWNER_APPLIANCE,

	[SET_IDENTITY4] = OWNER_DEVICE,
	[SET_IDENTITY6] = OWNER_DEVICE,
	[SET_IDENTITY4_PORT] = OWNER_DEVICE,
	[SET_IDENTITY6_PORT] = OWNER_DEVICE,
	[SET_IDENTITY6_NET] = OWNER_DEVICE,
	[SET_IDENTITY6_NET_PORT] = OWNER_DEVICE,
	[SET_IDENTITY4_ROUTED] = OWNER_DEVICE,
	[SET_IDENTITY6_ROUTED] = OWNER_DEVICE,
	[SET_IDENTITY_MAC] = OWNER_DEVICE,
	[SET_IDENTITY_MAC_PORT] = OWNER_DEVICE,
	[SET_HARDWARE] = OWNER_DEVICE,
	[SET_HOLDER4] = OWNER_DEVICE,
	[SET_HOLDER6] = OWNER_DEVICE,
	[SET_CURRENT] = OWNER_DEVICE,
	[SET_CLASS_OF] = OWNER_DEVICE,
	[SET_LIVE] = OWNER_DEVICE,
	[SET_LIVE_MAC] = OWNER_DEVICE,
	[SET_LIVE_PORT] = OWNER_DEVICE,
	[SET_LIVE_ROUTED] = OWNER_DEVICE,
	[SET_QUARANTINED] = OWNER_DEVICE,
	[SET_TOTAL] = OWNER_DEVICE,
	[SET_OVER] = OWNER_DEVICE,
	[SET_MEMBERS4_CLASS] = OWNER_DEVICE,
	[SET_MEMBERS6_CLASS] = OWNER_DEVICE,

	[SET_SEEN] = OWNER_PACKETS,
	[SET_BUDGET] = OWNER_PACKETS,
	[SET_BUDGET_STRANGER] = OWNER_PACKETS,
	[SET_CONNECTIONS] = OWNER_PACKETS,
	[SET_RATE] = OWNER_PACKETS,
	[SET_REFUSED4] = OWNER_PACKETS,
	[SET_REFUSED6] = OWNER_PACKETS,
	[SET_REFUSED4_PORTLESS] = OWNER_PACKETS,
	[SET_REFUSED6_PORTLESS] = OWNER_PACKETS,
	[SET_STRANGER4] = OWNER_PACKETS,
	[SET_STRANGER6] = OWNER_PACKETS,
	[SET_STRANGER4_PORTLESS] = OWNER_PACKETS,
	[SET_STRANGER6_PORTLESS] = OWNER_PACKETS,
	[SET_INVALID] = OWNER_PACKETS,
	[SET_CROWDED] = OWNER_PACKETS,
	[SET_HASTY] = OWNER_PACKETS,
	[SET_ASKING] = OWNER_PACKETS,
	[SET_NEWLY_REFUSED] = OWNER_PACKETS,
	[SET_NEWLY_REFUSED4] = OWNER_PACKETS,
	[SET_NEWLY_REFUSED6] = OWNER_PACKETS,
	[SET_NEWLY_REFUSED4_PORTLESS] = OWNER_PACKETS,
	[SET_NEWLY_REFUSED6_PORTLESS] = OWNER_PACKETS,
	[SET_NEWLY_ALLOWED] = OWNER_PACKETS,
	[SET_NEWLY_ALLOWED4] = OWNER_PACKETS,
	[SET_NEWLY_ALLOWED6] = OWNER_PACKETS,
	[SET_NEWLY_ALLOWED4_PORTLESS] = OWNER_PACKETS,
	[SET_NEWLY_ALLOWED6_PORTLESS] = OWNER_PACKETS,

	[SET_CHAINS] = OWNER_CLASS_ASKED,
	[SET_CHAINS_R] = OWNER_CLASS_ASKED,
	[SET_CHAINS_IN] = OWNER_CLASS_ASKED,
	[SET_CHAINS_IN_R] = OWNER_CLASS_ASKED,
	[SET_ALLOW4_CLASS] = OWNER_CLASS,
	[SET_ALLOW6_CLASS] = OWNER_CLASS,
	[SET_ICMP4_CLASS] = OWNER_CLASS,
	[SET_ICMP6_CLASS] = OWNER_CLASS,
	[SET_ICMP4_R_CLASS] = OWNER_CLASS,
	[SET_ICMP6_R_CLASS] = OWNER_CLASS,
	[SET_PROTO4_CLASS] = OWNER_CLASS,
	[SET_PROTO6_CLASS] = OWNER_CLASS,
	[SET_ANY4_CLASS] = OWNER_CLASS,
	[SET_ANY6_CLASS] = OWNER_CLASS,
	[SET_PORTS_PEER] = OWNER_CLASS,
	[SET_ICMP4_PEER] = OWNER_CLASS,
	[SET_ICMP6_PEER] = OWNER_CLASS,
	[SET_ICMP4_R_PEER] = OWNER_CLASS,
	[SET_ICMP6_R_PEER] = OWNER_CLASS,
	[SET_PROTO_PEER] = OWNER_CLASS,
};

/* Whose field is it? NULL: a field that belongs to nobody, or nobody has it. */
static const struct image_device *
device_with(const struct image *im, enum field f, const uint8_t *value)
{
	uint32_t mark;

	switch (f) {
	case FIELD_ETHER_SADDR:
		return image_device_with_mac(im, value);
	case FIELD_IP_SADDR:
	case FIELD_IP_DADDR:
	case FIELD_IP6_SADDR:
	case FIELD_IP6_DADDR: {
		uint8_t address[16] = { 0 };

		memcpy(address, value, field_info(f)->len);
		return image_device_with_address(im, field_info(f)->family, address);
	}
	case FIELD_MARK:
	case FIELD_NUMBER:
	case FIELD_CT_MARK:
	case FIELD_CT_NUMBER:
		memcpy(&mark, value, sizeof(mark));
		return image_device(im, mark >> 8);
	case FIELD_NONE:
	case FIELD_L4PROTO:
	case FIELD_SPORT:
	case FIELD_DPORT:
	case FIELD_ICMP_TYPE:
	case FIELD_ICMP6_TYPE:
	case FIELD_ICMP_CODE:
	case FIELD_ICMP6_CODE:
	case FIELD_IIFNAME:
	case FIELD_OIFNAME:
	case FIELD_IIF:
	case FIELD_OIF:
	case FIELD_IP6_SADDR_NET:
	case FIELD_TCP_RESET:
	case FIELD_TIME:
	case FIELD_CLASS:
	case FIELD_CT_CONFIRMED:
	case FIELD_NFPROTO:
	case FIELD_PKTTYPE:
	case FIELD_CT_DIRECTION:
	case FIELD_HOPLIMIT:
	case FIELDS:
		break;
	}
	return NULL;
}

/* ---- is it in there? ---------------------------------------------------- */

static bool
in_box(const struct set_info *info, const struct element *box, const struct element *key)
{
	size_t at = 0;

	for (int i = 0; i < SET_FIELDS_MAX && info->fields[i] != FIELD_NONE; i++) {
		size_t len = field_info(info->fields[i])->len;

		if (memcmp(key->key + at, box->key + at, len) < 0 ||
		    memcmp(key->key + at, box->key_end + at, len) > 0)
			return false;
		at += (len + 3) / 4 * 4;
	}
	return true;
}

/* The first of those of this set; *n says how many there are. */
static const struct element *
of_set(const struct kept *k, const struct set_ref *ref, size_t *n)
{
	const struct element *e = k->items;
	size_t low = 0, high = k->n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (set_ref_order(&e[middle].set, ref) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (*n = 0; low + *n < k->n && set_ref_equal(&e[low + *n].set, ref);)
		++*n;
	return *n == 0 ? NULL : e + low;
}

/* An interval is a begin and an end: the last edge that is not behind the key
 * says on which side of it the key is. */
static const struct element *
between_edges(const struct element *e, size_t n, const struct element *key)
{
	const struct element *last = NULL;

	for (; n > 0; n--, e++)
		if (memcmp(e->key, key->key, key->key_len) <= 0 &&
		    (last == NULL || memcmp(e->key, last->key, key->key_len) > 0))
			last = e;
	return last != NULL && !last->end ? last : NULL;
}

static int
among(struct evaluator *ev, uint32_t what, uint32_t number, const struct element *key,
    const struct element **found)
{
	const struct set_info *info = set_info(key->set.kind);
	const struct element *e;
	const struct kept *k;
	size_t n;
	int rc = evaluator_keep(ev, what | (key->set.staged ? KEPT_STAGED : 0), number, &k);

	if (rc < 0)
		return rc;
	if ((e = of_set(k, &key->set, &n)) == NULL)
		return 0;
	if (e->key_len != key->key_len)
		return -EINVAL;
	if (info->edges) {
		*found = between_edges(e, n, key);
		return 0;
	}
	for (; n > 0 && *found == NULL; n--, e++)
		if (info->interval ? in_box(info, e, key) : memcmp(e->key, key->key, key->key_len) == 0)
			*found = e;
	return 0;
}

/* Whose sets are asked: a staged policy's are asked only where there is one. */
static const struct image *
image_of(const struct evaluator *ev, const struct element *key)
{
	return key->set.staged ? ev->rs->candidate : ev->rs->image;
}

static int
among_class(struct evaluator *ev, uint32_t number, const struct element *key, const struct element **found)
{
	const struct image *im = image_of(ev, key);
	const struct image_class *class = image_class(im, number);

	return class == NULL ? 0 : among(ev, KEPT_CLASS, (uint32_t)(class - im->classes), key, found);
}

static int
among_devices(struct evaluator *ev, const struct element *key, const struct element **found)
{
	const struct set_info *info = set_info(key->set.kind);
	const struct image *im = image_of(ev, key);
	const struct image_device *d;
	size_t at = 0;
	int rc = 0;

	for (int i = 0; rc == 0 && i < SET_FIELDS_MAX && info->fields[i] != FIELD_NONE; i++) {
		if ((d = device_with(im, info->fields[i], key->key + at)) != NULL && *found == NULL)
			rc = among(ev, KEPT_DEVICE, (uint32_t)(d - im->devices), key, found);
		at += (field_info(info->fields[i])->len + 3U) / 4 * 4;
	}
	return rc;
}

int
evaluator_lookup(struct evaluator *ev, const struct element *key, const struct element **found)
{
	uint32_t class_number;

	*found = NULL;
	switch ((enum owner)owners[key->set.kind]) {
	case OWNER_APPLIANCE:
		return among(ev, KEPT_APPLIANCE, 0, key, found);
	case OWNER_CLASS:
		return among_class(ev, key->set.number, key, found);
	case OWNER_CLASS_ASKED:
		memcpy(&class_number, key->key, sizeof(class_number));
		return among_class(ev, class_number, key, found);
	case OWNER_DEVICE:
		return among_devices(ev, key, found);
	case OWNER_NOBODY:
	case OWNER_PACKETS:
		break;
	}
	return -EINVAL;
}
