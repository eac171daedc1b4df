/* SPDX-License-Identifier: GPL-2.0-or-later */
/* elements_device.c -- what the sets hold of a device at its station. */
#include "model/emitter.h"

#include <string.h>
#include <sys/socket.h>

static void
identity(struct emitter *em, const struct image *im, const struct image_device *d,
    const struct image_address *a, uint32_t mark)
{
	bool prefix = a != NULL && !image_address_is_whole(a);

	emitter_begin(em, ruleset_identity_set(d, a));
	if (prefix)
		emitter_bytes(em, a->bytes, sizeof(a->bytes));
	if (d->identity != IDENTITY_ROUTED)
		emitter_bytes(em, d->mac, sizeof(d->mac));
	if (a != NULL && !prefix)
		emitter_bytes(em, a->bytes, a->family == AF_INET ? 4 : 16);
	if (d->interface != 0)
		emitter_name(em, image_text(im, d->interface));
	emitter_end_mark(em, mark);
}

/* Inside a prefix of its own a device may use any address, from its link-local
 * ones too (RFC 4862 5.3): they come from the same MAC. */
static void
link_local(struct emitter *em, const struct image *im, const struct image_device *d, uint32_t mark)
{
	static const struct image_address any = { .family = AF_INET6, .prefix = 64, .bytes = { 0xfe, 0x80 } };

	for (uint32_t i = 0; i < d->addresses.n; i++) {
		if (!image_address_is_whole(&im->addresses[d->addresses.first + i])) {
			identity(em, im, d, &any, mark);
			return;
		}
	}
}

static void
holder(struct emitter *em, const struct image_address *a, uint32_t mark)
{
	bool v4 = a->family == AF_INET;

	emitter_begin(em, v4 ? SET_HOLDER4 : SET_HOLDER6);
	emitter_bytes(em, a->bytes, v4 ? 4 : 16);
	emitter_end_mark(em, mark);
}

static void
member(struct emitter *em, const struct image_address *a, uint32_t class_number)
{
	bool v4 = a->family == AF_INET;

	emitter_begin_of(em, v4 ? SET_MEMBERS4_CLASS : SET_MEMBERS6_CLASS, class_number);
	emitter_bytes(em, a->bytes, v4 ? 4 : 16);
	emitter_end(em);
}

static void
by_mark(struct emitter *em, enum set_kind kind, uint32_t mark)
{
	emitter_begin(em, kind);
	emitter_mark_field(em, mark);
}

static void
live(struct emitter *em, const struct image *im, const struct image_device *d, uint32_t mark)
{
	by_mark(em, SET_LIVE, mark);
	emitter_end(em);
	emitter_begin(em, ruleset_live_set(d));
	if (d->identity != IDENTITY_ROUTED)
		emitter_bytes(em, d->mac, sizeof(d->mac));
	if (d->interface != 0)
		emitter_name(em, image_text(im, d->interface));
	emitter_mark_field(em, mark);
	emitter_end(em);
}

static void
identities(struct emitter *em, const struct image *im, const struct image_device *d, uint32_t mark)
{
	for (uint32_t i = 0; i < d->addresses.n; i++) {
		const struct image_address *a = &im->addresses[d->addresses.first + i];

		identity(em, im, d, a, mark);
		if (image_address_is_whole(a))
			holder(em, a, mark);
	}
	if (d->addresses.n == 0)
		identity(em, im, d, NULL, mark);
	link_local(em, im, d, mark);
	if (d->identity != IDENTITY_OWN)
		return;
	emitter_begin(em, SET_HARDWARE);
	emitter_bytes(em, d->mac, sizeof(d->mac));
	emitter_end_mark(em, mark);
}

/* Where its class matters and its generation does not. Nobody names the classes
 * of quarantine: who stands there is no member of any. */
static void
membership(struct emitter *em, const struct image *im, const struct image_device *d, uint32_t class_number)
{
	const struct image_class *class = image_class(im, class_number);

	if (!em->staged || class_number != 0) {	/* 0 would be a yes */
		by_mark(em, SET_CLASS_OF, d->number << 8);
		emitter_end_mark(em, class_number);
	}
	if (!class->named)
		return;
	for (uint32_t i = 0; i < d->addresses.n; i++) {
		const struct image_address *a = &im->addresses[d->addresses.first + i];

		if (image_address_is_whole(a))
			member(em, a, class->number);
	}
}

int
elements_of_device(const struct ruleset *rs, const struct image_device *d, const struct station *st,
    element_fn *fn, void *arg)
{
	const struct image *im = rs->image;
	struct emitter em = { .fn = fn, .arg = arg, .staged = rs->staged };
	uint32_t mark, number;

	membership(&em, im, d, ruleset_class(rs, d, st));
	if (rs->staged)
		return em.rc;
	mark = station_mark(st);
	number = mark & MARK_NUMBER_MASK;
	identities(&em, im, d, mark);
	by_mark(&em, SET_CURRENT, number);
	emitter_end_mark(&em, mark);
	live(&em, im, d, mark);
	if (st->quarantined) {
		by_mark(&em, SET_QUARANTINED, mark);
		emitter_end(&em);
	}
	by_mark(&em, SET_TOTAL, number);
	emitter_end(&em);
	by_mark(&em, SET_OVER, number);
	emitter_end(&em);
	return em.rc;
}
