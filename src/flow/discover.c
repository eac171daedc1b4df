/* SPDX-License-Identifier: GPL-2.0-or-later */
/* discover.c -- which packets show a device that no inventory names.
 * A MAC of the inventory is no unknown device, wherever and with whatever
 * address it shows up: that is told as an attempt, or as a clone. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "flow/parts.h"

/* Sent by somebody on a device interface whose MAC no device has. */
static bool
is_unknown(const struct flow *f, const struct mac *mac, const char *interface)
{
	static const struct mac none;

	if (memcmp(mac, &none, sizeof(none)) == 0 || (mac->bytes[0] & 1) != 0)
		return false;	/* no station sends from such a one */
	return directory_is_device_interface(&f->directory, interface) &&
	    directory_by_mac(&f->directory, mac) == NULL && !directory_is_router(&f->directory, mac);
}

/* What goes to one host is refused like anything else, and counted there. */
static bool
is_to_all(const struct addr *a)
{
	return a->family == AF_INET ? a->bytes[0] == 255 || (a->bytes[0] & 0xf0) == 0xe0 : a->bytes[0] == 0xff;
}

/* DHCP is the way to an address: the one that it comes from, if any, is an old one. */
void
discover_record(struct flow *f, const struct record *r, const struct clock_view *now)
{
	char interface[IF_NAMESIZE];
	struct sighting *row;
	struct dhcp_said said;

	if ((r->mark != 0 && r->group != FLOW_DISCOVERED) || !r->has_mac)
		return;
	links_name(&f->links, r->in, interface);
	if (!is_unknown(f, &r->mac, interface) ||
	    (row = sightings_seen(&f->sightings, &r->mac, interface, now)) == NULL)
		return;
	sightings_address(&f->sightings, row, &r->packet.source);
	if (r->group != FLOW_DISCOVERED)
		return;
	if (is_to_all(&r->packet.destination))
		sightings_packets(&f->sightings, row, 1, now->wall_ms);
	if (r->head != NULL && dhcp_read(&r->packet, r->head, r->head_len, &said) == 0)
		sightings_dhcp(&f->sightings, row, &said);
}

/* The kernel counts a stranger's packets without the interface: that is known
 * from the first record on, and takes what was counted before with it. seen_ms
 * is 0 where a record said already when and where. */
void
discover_packets(struct flow *f, struct open_attempt *e, int64_t seen_ms)
{
	struct sighting *row;

	if (e->key.mark != 0 || e->key.group != FLOW_REFUSED || !e->row.has_mac ||
	    e->row.packets == e->credited || !is_unknown(f, &e->row.mac, e->row.interface) ||
	    (row = sightings_find(&f->sightings, &e->row.mac, e->row.interface)) == NULL)
		return;
	sightings_packets(&f->sightings, row, (int64_t)(e->row.packets - e->credited), seen_ms);
	e->credited = e->row.packets;
}

/* ---- the store ---------------------------------------------------------- */

static int
restore(void *arg, const struct sighting *row)
{
	sightings_restore(arg, row);
	return 0;
}

/* Once per store: a store that is opened again is a new and empty one. */
int
discover_load(struct flow *f)
{
	struct sighting_sums sums;
	int rc;

	sightings_touch_all(&f->sightings);
	if ((rc = evidence_query_sightings(f->store, 0, restore, &f->sightings)) < 0 ||
	    (rc = evidence_sighting_sums(f->store, &sums)) < 0)
		return rc;
	f->sightings.sums.not_taken += sums.not_taken;
	f->sightings.sums.pushed_out += sums.pushed_out;
	return 0;
}

int
discover_write(struct flow *f)
{
	static const struct sighting *rows[LIMIT_SIGHTINGS];
	size_t slot = 0, n;
	int rc;

	if (!f->sightings.any_dirty)
		return 0;
	n = sightings_dirty(&f->sightings, &slot, rows, LIMIT_SIGHTINGS);
	if ((rc = evidence_put_sightings(f->store, rows, n, &f->sightings.sums)) == 0)
		sightings_written(&f->sightings);
	return rc;
}
