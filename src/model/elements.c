/* SPDX-License-Identifier: GPL-2.0-or-later */
/* elements.c -- what the sets hold: of the appliance, of a class, of a device. */
#include "model/ruleset.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

struct emitter {
	element_fn *fn;
	void *arg;
	int rc;			/* the first non-zero answer; nothing is emitted after it */
	struct element e;
};

static void
begin(struct emitter *em, enum set_kind kind, uint32_t number, uint32_t other)
{
	memset(&em->e, 0, sizeof(em->e));
	em->e.set.kind = kind;
	em->e.set.number = number;
	em->e.set.other = other;
}

/* One field of the key; hi is the end of its range, or lo again. */
static void
field(struct emitter *em, const void *lo, const void *hi, size_t len)
{
	struct element *e = &em->e;

	memcpy(e->key + e->key_len, lo, len);
	memcpy(e->key_end + e->key_len, hi, len);
	e->key_len += (len + 3) / 4 * 4;
}

static void
field_bytes(struct emitter *em, const void *p, size_t len)
{
	field(em, p, p, len);
}

static void
field_mark(struct emitter *em, uint32_t mark)
{
	field_bytes(em, &mark, sizeof(mark));
}

static void
field_u8(struct emitter *em, uint8_t lo, uint8_t hi)
{
	field(em, &lo, &hi, 1);
}

static void
field_port(struct emitter *em, uint16_t lo, uint16_t hi)
{
	uint16_t l = htons(lo), h = htons(hi);

	field(em, &l, &h, sizeof(l));
}

static void
field_name(struct emitter *em, const char *name)
{
	uint8_t padded[16] = { 0 };

	strncpy((char *)padded, name, sizeof(padded) - 1);
	field_bytes(em, padded, sizeof(padded));
}

static void
end(struct emitter *em)
{
	if (em->rc == 0)
		em->rc = em->fn(em->arg, &em->e);
}

static void
end_mark(struct emitter *em, uint32_t mark)
{
	em->e.mark = mark;
	end(em);
}

static void
end_chain(struct emitter *em, enum chain_kind kind, uint32_t number)
{
	em->e.chain.kind = kind;
	em->e.chain.number = number;
	end(em);
}

/* ---- the appliance ------------------------------------------------------ */

enum { DHCP_CLIENT = 68, DHCP_SERVER = 67, DHCP6_CLIENT = 546, DHCP6_SERVER = 547 };

static void
bootstrap(struct emitter *em, const struct image_box *b, uint16_t server, uint16_t client)
{
	if (b->protocol != IPPROTO_UDP || b->low > server || b->high < server)
		return;
	begin(em, SET_BOOTSTRAP, 0, 0);
	field_port(em, client, client);
	field_port(em, server, server);
	end(em);
}

static void
service(struct emitter *em, const struct image_box *b)
{
	if (b->kind == BOX_PORTS) {
		begin(em, SET_SERVICES, 0, 0);
		field_u8(em, b->protocol, b->protocol);
		field_port(em, b->low, b->high);
		end(em);
		bootstrap(em, b, DHCP_SERVER, DHCP_CLIENT);
		bootstrap(em, b, DHCP6_SERVER, DHCP6_CLIENT);
	} else if (b->kind == BOX_ICMP) {
		begin(em, b->protocol == IPPROTO_ICMP ? SET_SERVICES_ICMP : SET_SERVICES_ICMP6, 0, 0);
		field_u8(em, b->protocol, b->protocol);
		field_u8(em, (uint8_t)b->low, (uint8_t)b->high);
		end(em);
	}
}

int
elements_of_appliance(const struct ruleset *rs, element_fn *fn, void *arg)
{
	const struct image *im = rs->image;
	struct emitter em = { .fn = fn, .arg = arg };

	for (uint32_t i = 0; i < im->n[IMAGE_INTERFACES]; i++) {
		begin(&em, SET_DEVICE_INTERFACES, 0, 0);
		field_name(&em, image_text(im, im->interfaces[i].name));
		end(&em);
	}
	for (uint32_t i = 0; i < im->appliance->services.n; i++)
		service(&em, &im->boxes[im->appliance->services.first + i]);
	return em.rc;
}

/* ---- a class ------------------------------------------------------------ */

/* The type that answers a query of ICMP (RFC 792, RFC 950) or ICMPv6 (RFC 4443,
 * RFC 4620); false for a type that none answers. */
static bool
icmp_answer(uint8_t protocol, uint8_t type, uint8_t *answer)
{
	static const uint8_t v4[][2] = { { 8, 0 }, { 13, 14 }, { 15, 16 }, { 17, 18 } };
	static const uint8_t v6[][2] = { { 128, 129 }, { 139, 140 } };
	const uint8_t (*t)[2] = protocol == IPPROTO_ICMP ? v4 : v6;
	size_t n = protocol == IPPROTO_ICMP ? sizeof(v4) / sizeof(v4[0]) : sizeof(v6) / sizeof(v6[0]);

	for (size_t i = 0; i < n; i++) {
		if (t[i][0] == type) {
			*answer = t[i][1];
			return true;
		}
	}
	return false;
}

static void
addresses(struct emitter *em, const struct image_box *b)
{
	field(em, b->first, b->last, b->family == AF_INET ? 4 : 16);
}

static void
class_icmp(struct emitter *em, const struct image_box *b, uint32_t number)
{
	bool v4 = b->protocol == IPPROTO_ICMP;

	begin(em, v4 ? SET_ICMP4_CLASS : SET_ICMP6_CLASS, number, 0);
	addresses(em, b);
	field_u8(em, (uint8_t)b->low, (uint8_t)b->high);
	end(em);
	for (unsigned type = b->low; type <= b->high; type++) {
		uint8_t answer;

		if (!icmp_answer(b->protocol, (uint8_t)type, &answer))
			continue;
		begin(em, v4 ? SET_ICMP4_R_CLASS : SET_ICMP6_R_CLASS, number, 0);
		addresses(em, b);
		field_u8(em, answer, answer);
		end(em);
	}
}

static void
class_box(struct emitter *em, const struct image_box *b, uint32_t number)
{
	bool v4 = b->family == AF_INET;

	switch ((enum box_kind)b->kind) {
	case BOX_PORTS:
		begin(em, v4 ? SET_ALLOW4_CLASS : SET_ALLOW6_CLASS, number, 0);
		addresses(em, b);
		field_u8(em, b->protocol, b->protocol);
		field_port(em, b->low, b->high);
		end(em);
		return;
	case BOX_ICMP:
		class_icmp(em, b, number);
		return;
	case BOX_PROTOCOL:
		begin(em, v4 ? SET_PROTO4_CLASS : SET_PROTO6_CLASS, number, 0);
		addresses(em, b);
		field_u8(em, b->protocol, b->protocol);
		end(em);
		return;
	case BOX_ANY:
		begin(em, v4 ? SET_ANY4_CLASS : SET_ANY6_CLASS, number, 0);
		addresses(em, b);
		field_u8(em, 0, 255);
		end(em);
		return;
	case BOX_KINDS:
		return;
	}
}

static void
peer_icmp(struct emitter *em, const struct image_box *b, uint32_t number, uint32_t peer)
{
	bool v4 = b->protocol == IPPROTO_ICMP;

	begin(em, v4 ? SET_ICMP4_PEER : SET_ICMP6_PEER, number, peer);
	field_u8(em, b->protocol, b->protocol);
	field_u8(em, (uint8_t)b->low, (uint8_t)b->high);
	end(em);
	for (unsigned type = b->low; type <= b->high; type++) {
		uint8_t answer;

		if (!icmp_answer(b->protocol, (uint8_t)type, &answer))
			continue;
		begin(em, v4 ? SET_ICMP4_R_PEER : SET_ICMP6_R_PEER, number, peer);
		field_u8(em, b->protocol, b->protocol);
		field_u8(em, answer, answer);
		end(em);
	}
}

static void
peer_box(struct emitter *em, const struct image_box *b, uint32_t number, uint32_t peer)
{
	if (b->kind == BOX_PORTS) {
		begin(em, SET_PORTS_PEER, number, peer);
		field_u8(em, b->protocol, b->protocol);
		field_port(em, b->low, b->high);
		end(em);
	} else if (b->kind == BOX_ICMP) {
		peer_icmp(em, b, number, peer);
	} else if (b->kind == BOX_PROTOCOL) {
		begin(em, SET_PROTO_PEER, number, peer);
		field_u8(em, b->protocol, b->protocol);
		end(em);
	}
}

int
elements_of_class(const struct ruleset *rs, const struct image_class *class, element_fn *fn, void *arg)
{
	const struct image *im = rs->image;
	struct emitter em = { .fn = fn, .arg = arg };

	for (uint32_t i = 0; i < class->boxes.n; i++)
		class_box(&em, &im->boxes[class->boxes.first + i], class->number);
	for (uint32_t i = 0; i < class->peers.n; i++) {
		const struct image_peer *p = &im->peers[class->peers.first + i];

		for (uint32_t j = 0; j < p->boxes.n; j++)
			peer_box(&em, &im->boxes[p->boxes.first + j], class->number, p->peer);
	}
	return em.rc;
}

/* ---- a device ----------------------------------------------------------- */

static void
identity(struct emitter *em, const struct image *im, const struct image_device *d,
    const struct image_address *a, uint32_t mark)
{
	static const enum set_kind kinds[3][2] = {
		{ SET_IDENTITY4, SET_IDENTITY4_PORT },
		{ SET_IDENTITY6, SET_IDENTITY6_PORT },
		{ SET_IDENTITY_MAC, SET_IDENTITY_MAC_PORT },
	};
	int row = a == NULL ? 2 : a->family == AF_INET ? 0 : 1;

	begin(em, kinds[row][d->interface != 0], 0, 0);
	field_bytes(em, d->mac, sizeof(d->mac));
	if (a != NULL)
		field_bytes(em, a->bytes, a->family == AF_INET ? 4 : 16);
	if (d->interface != 0)
		field_name(em, image_text(im, d->interface));
	end_mark(em, mark);
}

static void
address(struct emitter *em, const struct image_address *a, uint32_t mark, const struct image_class *class,
    bool member)
{
	bool v4 = a->family == AF_INET;

	begin(em, v4 ? SET_HOLDER4 : SET_HOLDER6, 0, 0);
	field_bytes(em, a->bytes, v4 ? 4 : 16);
	end_mark(em, mark);
	if (!member)
		return;
	begin(em, v4 ? SET_MEMBERS4_CLASS : SET_MEMBERS6_CLASS, class->number, 0);
	field_bytes(em, a->bytes, v4 ? 4 : 16);
	end(em);
}

static void
by_mark(struct emitter *em, enum set_kind kind, uint32_t mark)
{
	begin(em, kind, 0, 0);
	field_mark(em, mark);
}

/* Its class's chains, wherever it stands: quarantine is asked for first. */
static void
stations(struct emitter *em, const struct image_class *class, uint32_t number)
{
	bool audit = class->mode == MODE_AUDIT;

	by_mark(em, SET_STATION, number);
	end_chain(em, CHAIN_CLASS, class->number);
	by_mark(em, SET_STATION_R, number);
	end_chain(em, CHAIN_CLASS_R, class->number);
	by_mark(em, SET_STATION_IN, number);
	end_chain(em, audit ? CHAIN_AUDITED : CHAIN_REFUSED, 0);
	by_mark(em, SET_STATION_IN_R, number);
	end_chain(em, audit ? CHAIN_ADMIT : CHAIN_STRAY, 0);
}

int
elements_of_device(const struct ruleset *rs, const struct image_device *d, const struct station *st,
    element_fn *fn, void *arg)
{
	const struct image *im = rs->image;
	const struct image_class *class = image_class(im, d->class_number);
	uint32_t mark = station_mark(st), number = mark & MARK_NUMBER_MASK;
	struct emitter em = { .fn = fn, .arg = arg };

	for (uint32_t i = 0; i < d->addresses.n; i++) {
		const struct image_address *a = &im->addresses[d->addresses.first + i];

		identity(&em, im, d, a, mark);
		address(&em, a, mark, class, class->named && !st->quarantined);
	}
	if (d->addresses.n == 0)
		identity(&em, im, d, NULL, mark);
	begin(&em, SET_HARDWARE, 0, 0);
	field_bytes(&em, d->mac, sizeof(d->mac));
	end_mark(&em, mark);
	by_mark(&em, SET_CURRENT, number);
	end_mark(&em, mark);
	stations(&em, class, number);
	by_mark(&em, SET_LIVE, mark);
	end(&em);
	begin(&em, d->interface != 0 ? SET_LIVE_PORT : SET_LIVE_MAC, 0, 0);
	field_bytes(&em, d->mac, sizeof(d->mac));
	if (d->interface != 0)
		field_name(&em, image_text(im, d->interface));
	field_mark(&em, mark);
	end(&em);
	if (st->quarantined) {
		by_mark(&em, SET_QUARANTINED, mark);
		end(&em);
	}
	by_mark(&em, SET_TOTAL, number);
	end(&em);
	by_mark(&em, SET_OVER, number);
	end(&em);
	return em.rc;
}

int
ruleset_each_element(const struct ruleset *rs, element_fn *fn, void *arg)
{
	const struct image *im = rs->image;
	int rc = elements_of_appliance(rs, fn, arg);

	for (uint32_t i = 0; rc == 0 && i < im->n[IMAGE_CLASSES]; i++)
		rc = elements_of_class(rs, &im->classes[i], fn, arg);
	for (uint32_t i = 0; rc == 0 && i < im->n[IMAGE_DEVICES]; i++)
		rc = elements_of_device(rs, &im->devices[i], &rs->stations[i], fn, arg);
	return rc;
}
