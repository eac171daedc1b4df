/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow.c -- bring records, counts and stations together.
 * Only reads and remembers; what goes to disk is in flush.c, what cordond says
 * is in messages.c. */
#include "flow/flow.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/file.h"
#include "flow/parts.h"
#include "flow/reason.h"
#include "proto/limits.h"

static int64_t
link_lost(void *arg, uint32_t interface)
{
	return links_lost(arg, interface);
}

int
flow_init(struct flow *f, struct ipc *channel, const char *folder, const struct siphash_key *seed)
{
	memset(f, 0, sizeof(*f));
	f->channel = channel;
	f->folder = folder;
	f->nflog_fd = -1;
	f->bounds.max_rows = EVIDENCE_MAX_ROWS;
	f->bounds.max_bytes = EVIDENCE_MAX_BYTES;
	f->bounds.oldest_ms = EVIDENCE_MAX_AGE_MS;
	links_init(&f->links, seed);
	directory_init(&f->directory, seed);
	stations_init(&f->stations, seed);
	clones_init(&f->clones, seed, link_lost, &f->links);
	map_init(&f->losses, seed, sizeof(uint32_t), sizeof(struct loss), 2 * (size_t)LIMIT_DEVICES);
	if ((f->attempts = attempts_new(LIMIT_ATTEMPTS_OPEN, seed)) == NULL)
		return -ENOMEM;
	return sightings_init(&f->sightings, seed);
}

void
flow_done(struct flow *f)
{
	evidence_close(f->store);
	if (f->nflog_fd != -1)
		close(f->nflog_fd);
	links_done(&f->links);
	directory_done(&f->directory);
	stations_done(&f->stations);
	clones_done(&f->clones);
	map_done(&f->losses);
	sightings_done(&f->sightings);
	attempts_free(f->attempts);
	if (f->image_data != NULL)
		memfile_unmap(f->image_data, f->image_len);
}

/* ---- who and why -------------------------------------------------------- */

static uint8_t
hook_of(uint8_t hook)
{
	switch (hook) {
	case NF_INET_LOCAL_IN:
		return ATTEMPT_HOOK_INPUT;
	case NF_INET_FORWARD:
		return ATTEMPT_HOOK_FORWARD;
	case NF_INET_LOCAL_OUT:
		return ATTEMPT_HOOK_OUTPUT;
	default:
		return ATTEMPT_HOOK_NONE;
	}
}

/* The parts of a packet that the key of its kind does not hold. */
static void
fill_from_packet(const struct packet *p, bool keyed, struct attempt *row)
{
	if (!keyed) {
		row->family = p->family;
		row->protocol = p->protocol;
		row->source = p->source;
		row->destination = p->destination;
		row->port = p->flags & PACKET_PORTS ? p->port : 0;
	}
	if (p->flags & PACKET_TYPE) {
		row->icmp_type = p->icmp_type;
		row->has_type = 1;
	}
	if (row->detail[0] == '\0' && (p->flags & PACKET_BAD))
		snprintf(row->detail, sizeof(row->detail), "its header contradicts itself");
}

static void
explain_by_record(struct flow *f, struct open_attempt *e, const struct record *r)
{
	char in[IF_NAMESIZE], out[IF_NAMESIZE];
	struct circumstances c = {
		.group = r->group,
		.hook = hook_of(r->hook),
		.has_mac = r->has_mac,
		.mark = r->mark,
		.in = links_name(&f->links, r->in, in),
		.out = links_name(&f->links, r->out, out),
		.mac = r->mac,
		.source = r->packet.source,
		.destination = r->packet.destination,
	};

	e->provisional = !reason_find(&f->directory, &f->stations, &c, &e->row);
	e->row.revision = f->revision;
	e->row.hook = c.hook;
	memcpy(e->row.interface, in, sizeof(e->row.interface));
	e->row.has_mac = r->has_mac;
	e->row.mac = r->mac;
	fill_from_packet(&r->packet, e->key.family != 0, &e->row);
	e->known = KNOWN_FROM_RECORD;
	attempts_touch(f->attempts, e);
}

static void
explain_by_key(struct flow *f, struct open_attempt *e)
{
	struct circumstances c = {
		.group = e->key.group,
		.hook = ATTEMPT_HOOK_NONE,
		.has_mac = e->row.has_mac,
		.mark = e->key.mark,
		.in = "",
		.out = "",
		.mac = e->row.mac,
		.source = e->row.source,
		.destination = e->row.destination,
	};

	e->provisional = !reason_find(&f->directory, &f->stations, &c, &e->row);
	e->known = KNOWN_FROM_KEY;
	attempts_touch(f->attempts, e);
}

/* ---- clones ------------------------------------------------------------- */

static void
record_clone(struct flow *f, uint32_t number, uint32_t mark, const struct addr *source, const struct mac *mac,
    const struct clone *c, const struct clock_view *now)
{
	const struct image_device *dev = directory_device(&f->directory, number);
	struct open_attempt *e = attempts_event(f->attempts, mark, now);
	char here[IF_NAMESIZE], there[IF_NAMESIZE];
	struct attempt *row;

	if (e == NULL)
		return;
	e->fresh = 0;
	row = &e->row;
	row->device = number;
	row->identity = IDENTITY_CLAIMED;	/* of two users one is another */
	row->reason = REASON_CLONE;
	row->verdict = VERDICT_REFUSED;
	row->revision = f->revision;
	if (source != NULL) {
		row->family = source->family;
		row->source = *source;
	}
	if (mac != NULL) {
		row->mac = *mac;
		row->has_mac = 1;
	}
	snprintf(row->device_name, sizeof(row->device_name), "%s", directory_device_name(&f->directory, dev));
	snprintf(row->class_name, sizeof(row->class_name), "%s", directory_class_name(&f->directory, dev));
	links_name(&f->links, c->here, here);
	links_name(&f->links, c->there, there);
	memcpy(row->interface, here, sizeof(row->interface));
	snprintf(row->detail, sizeof(row->detail), "on %s and %s", here, there);
}

/* A packet of which the kernel matched everything that is declared of the
 * device: was the identity seen elsewhere as well? */
static void
look_for_clone(struct flow *f, const struct record *r, const struct clock_view *now)
{
	const struct image_device *dev = directory_device(&f->directory, r->mark >> 8);
	struct clone c;

	/* the mark may be that of the device it is for: then the MAC is another's */
	if (dev == NULL || !r->has_mac || memcmp(dev->mac, r->mac.bytes, sizeof(dev->mac)) != 0)
		return;
	if (clones_sighted(&f->clones, dev->number, r->in, now->boot_ms, &c))
		record_clone(f, dev->number, r->mark, &r->packet.source, &r->mac, &c, now);
}

static void
look_for_clone_at_wrong_port(struct flow *f, const struct open_attempt *e, const struct record *r,
    const struct clock_view *now)
{
	struct clone c;

	if (e->row.reason == REASON_WRONG_PORT &&
	    clones_wrong_port(&f->clones, e->row.device, r->in, now->boot_ms, &c))
		record_clone(f, e->row.device, 0, &r->packet.source, &r->mac, &c, now);
}

struct at_time {
	struct flow *flow;
	const struct clock_view *now;
};

static void
on_learned(void *arg, const struct mac *mac, uint32_t port)
{
	struct at_time *at = arg;
	struct flow *f = at->flow;
	const struct image_device *dev = directory_by_mac(&f->directory, mac);
	struct clone c;

	if (dev != NULL && clones_learned(&f->clones, dev->number, port, at->now->boot_ms, &c))
		record_clone(f, dev->number, 0, NULL, mac, &c, at->now);
}

/* ---- news --------------------------------------------------------------- */

void
flow_record(struct flow *f, const struct record *r, const struct clock_view *now)
{
	struct attempt_key key;
	struct open_attempt *e;

	if (r->mark != 0 && (r->group == FLOW_SIGHTED || r->group == FLOW_REFUSED))
		look_for_clone(f, r, now);
	discover_record(f, r, now);
	if (r->group == FLOW_SIGHTED || r->group == FLOW_DISCOVERED)
		return;
	if (!attempts_key_of_record(r, &key)) {
		f->unreadable++;
		return;
	}
	if ((e = attempts_record(f->attempts, &key, r->packet.len, now)) == NULL)
		return;
	e->fresh = 0;
	if (e->known < KNOWN_FROM_RECORD)
		explain_by_record(f, e, r);
	if (r->mark == 0)
		look_for_clone_at_wrong_port(f, e, r, now);
	discover_packets(f, e, 0);
}

void
flow_count(struct flow *f, const struct flow_count *c, const struct clock_view *now)
{
	struct attempt_key key;
	struct open_attempt *e;

	attempts_key_of_count(c, &key);
	if ((e = attempts_count(f->attempts, &key, c, now)) == NULL)
		return;
	if (e->fresh)
		e->row.revision = f->revision;
	e->fresh = 0;
	if (e->known == KNOWN_NOTHING)
		explain_by_key(f, e);
	discover_packets(f, e, e->row.last_ms);
}

int
flow_station(struct flow *f, const struct flow_station *st)
{
	f->stations_new = true;
	return stations_set(&f->stations, st);
}

static void
settle(void *arg, struct open_attempt *e)
{
	struct flow *f = arg;
	enum station_where where = stations_of_mark(&f->stations, e->key.mark);

	if (where == STATION_UNKNOWN)
		return;
	e->provisional = 0;
	reason_settle(&e->row, where);
	attempts_touch(f->attempts, e);
}

void
flow_settle(struct flow *f)
{
	if (f->stations_new)
		attempts_each_provisional(f->attempts, settle, f);
	f->stations_new = false;
}

/* ---- sockets ------------------------------------------------------------ */

static void
on_record(void *arg, const struct record *r)
{
	struct at_time *at = arg;

	flow_record(at->flow, r, at->now);
}

int
flow_read_nflog(struct flow *f, unsigned max, const struct clock_view *now)
{
	struct at_time at = { f, now };
	int rc;

	if (f->nflog_fd == -1)
		return 0;
	rc = nflog_read(&f->nflog, f->nflog_fd, max, on_record, &at);
	return rc < 0 ? rc : 0;
}

int
flow_read_links(struct flow *f, const struct clock_view *now)
{
	struct at_time at = { f, now };

	return f->links.fd != -1 ? links_read(&f->links, now->boot_ms, on_learned, &at) : 0;
}
