/* SPDX-License-Identifier: GPL-2.0-or-later */
/* elements.c -- what the sets hold: of the appliance, and all of it. */
#include "model/emitter.h"

#include <endian.h>
#include <netinet/in.h>
#include <string.h>

enum { DHCP_CLIENT = 68, DHCP_SERVER = 67, DHCP6_CLIENT = 546, DHCP6_SERVER = 547 };

static void
bootstrap(struct emitter *em, const struct image_box *b, uint16_t server, uint16_t client)
{
	if (b->protocol != IPPROTO_UDP || b->low > server || b->high < server)
		return;
	emitter_begin(em, SET_BOOTSTRAP);
	emitter_port(em, client, client);
	emitter_port(em, server, server);
	emitter_end(em);
}

static void
service(struct emitter *em, const struct image_box *b)
{
	if (b->kind == BOX_PORTS) {
		emitter_begin(em, SET_SERVICES);
		emitter_u8(em, b->protocol, b->protocol);
		emitter_port(em, b->low, b->high);
		emitter_end(em);
		bootstrap(em, b, DHCP_SERVER, DHCP_CLIENT);
		bootstrap(em, b, DHCP6_SERVER, DHCP6_CLIENT);
	} else if (b->kind == BOX_ICMP) {
		emitter_begin(em, b->protocol == IPPROTO_ICMP ? SET_SERVICES_ICMP : SET_SERVICES_ICMP6);
		emitter_u8(em, b->protocol, b->protocol);
		emitter_u8(em, (uint8_t)b->low, (uint8_t)b->high);
		emitter_end(em);
	}
}

/* One edge of a window, in nanoseconds as the kernel's clock has it. */
static void
edge(struct emitter *em, uint32_t number, int64_t at_s, bool end)
{
	uint64_t ns = htobe64((uint64_t)at_s * 1000000000U);

	emitter_begin_of(em, SET_WINDOWS, number);
	em->e.end = end;
	emitter_bytes(em, &ns, sizeof(ns));
	emitter_end(em);
}

static void
windows(struct emitter *em, const struct image *im, const struct image_schedule *s, uint32_t number)
{
	for (uint32_t i = 0; i < s->windows.n; i++) {
		const struct image_window *w = &im->windows[s->windows.first + i];

		edge(em, number, w->from, false);
		edge(em, number, w->to, true);
	}
}

int
elements_of_appliance(const struct ruleset *rs, element_fn *fn, void *arg)
{
	const struct image *im = rs->image;
	struct emitter em = { .fn = fn, .arg = arg, .staged = rs->staged };

	for (uint32_t i = 0; !rs->staged && i < im->n[IMAGE_INTERFACES]; i++) {
		emitter_begin(&em, SET_DEVICE_INTERFACES);
		emitter_name(&em, image_text(im, im->interfaces[i].name));
		emitter_end(&em);
	}
	for (uint32_t i = 0; !rs->staged && i < im->appliance->services.n; i++)
		service(&em, &im->boxes[im->appliance->services.first + i]);
	for (uint32_t i = 0; i < im->n[IMAGE_SCHEDULES]; i++)
		windows(&em, im, &im->schedules[i], i + 1);
	return em.rc;
}

int
ruleset_each_element(const struct ruleset *rs, element_fn *fn, void *arg)
{
	const struct image *im = rs->image;
	const struct ruleset candidate = ruleset_candidate(rs);
	int rc = elements_of_appliance(rs, fn, arg);

	for (uint32_t i = 0; rc == 0 && i < im->n[IMAGE_CLASSES]; i++)
		rc = elements_of_class(rs, &im->classes[i], fn, arg);
	for (uint32_t i = 0; rc == 0 && i < im->n[IMAGE_DEVICES]; i++)
		rc = elements_of_device(rs, &im->devices[i], ruleset_station(rs, i), fn, arg);
	return rc != 0 || rs->candidate == NULL ? rc : ruleset_each_element(&candidate, fn, arg);
}
