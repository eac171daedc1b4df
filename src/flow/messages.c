/* SPDX-License-Identifier: GPL-2.0-or-later */
/* messages.c -- what cordond says. ipc checked type, size and descriptor; the
 * values are checked here. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/file.h"
#include "common/log.h"
#include "flow/parts.h"
#include "proto/limits.h"

/* The kernel keeps a record back for a moment, in case another follows. Who asks
 * for a flush right after a packet shall see the whole of it all the same. */
#define RECORD_DELAY_MS 100
#define DRAIN_MAX 65536		/* datagrams that a flush waits for: more are a flood without limit */

static int
take_socket(struct flow *f, struct ipc_message *m)
{
	const struct flow_socket *s = (const void *)m->payload;

	if (s->group_base > UINT16_MAX + 1 - FLOW_GROUPS)
		return -EINVAL;
	if (f->nflog_fd != -1) {
		f->lost_before += nflog_lost(&f->nflog);
		close(f->nflog_fd);
	}
	f->nflog_fd = m->fd;
	m->fd = -1;
	nflog_init(&f->nflog, s->group_base);
	return 0;
}

/* Attempts hold copies of names, so the old image can go at once. */
static int
take_image(struct flow *f, const struct ipc_message *m)
{
	const struct image_ref *ref = (const void *)m->payload;
	const void *data;
	const char *why = NULL;
	struct image next;
	size_t len;
	int rc;

	if ((rc = memfile_map(m->fd, LIMIT_IMAGE_BYTES, &data, &len)) < 0)
		return rc;
	if ((rc = image_open(data, len, &next, &why)) < 0) {
		log_error(rc, "the policy image is refused: %s", why != NULL ? why : "?");
		memfile_unmap(data, len);
		return rc;
	}
	if (f->image_data != NULL)
		memfile_unmap(f->image_data, f->image_len);
	f->image_data = data;
	f->image_len = len;
	f->image = next;
	f->revision = ref->revision;
	if ((rc = directory_set(&f->directory, &f->image)) < 0)
		log_error(rc, "no memory for the names of the policy: attempts will have none");
	attempts_set_window(f->attempts, (int64_t)f->image.appliance->window_s * 1000);
	stations_prune(&f->stations, &f->directory);
	return 0;
}

static int
take_counts(struct flow *f, const struct ipc_message *m, const struct clock_view *now)
{
	const struct flow_counts *counts = (const void *)m->payload;

	if (counts->n > FLOW_COUNTS_MAX)
		return -EINVAL;
	for (uint32_t i = 0; i < counts->n; i++) {
		const struct flow_count *c = &counts->counts[i];

		if (c->group >= FLOW_GROUPS || c->group == FLOW_SIGHTED || c->group == FLOW_DISCOVERED ||
		    (c->family != 0 && c->family != AF_INET && c->family != AF_INET6) ||
		    (c->family == 0) != (c->group != FLOW_REFUSED))
			return -EINVAL;
		flow_count(f, c, now);
	}
	return 0;
}

static int
take_losses(struct flow *f, const struct ipc_message *m, const struct clock_view *now)
{
	const struct flow_losses *l = (const void *)m->payload;
	uint32_t number = l->mark >> 8;
	struct loss *loss = map_put(&f->losses, &number);

	if (loss == NULL)
		return 0;	/* more devices than there can be: cordond still knows the totals */
	loss->row = (struct evidence_loss) {
		.device = number,
		.at_ms = now->wall_ms,
		.total_packets = l->total_packets,
		.total_bytes = l->total_bytes,
		.overflow_packets = l->overflow_packets,
		.overflow_bytes = l->overflow_bytes,
	};
	loss->dirty = 1;
	f->losses_dirty = true;
	return 0;
}

static int
await_records(struct flow *f, const struct clock_view *now)
{
	struct pollfd p = { .fd = f->nflog_fd, .events = POLLIN };
	int rc = 0;

	/* the second turn is for what came while the first was read */
	for (unsigned i = 0; i < 2 && rc == 0; i++) {
		if (f->nflog_fd == -1 || !attempts_await_record(f->attempts, now->boot_ms, 2 * RECORD_DELAY_MS) ||
		    poll(&p, 1, RECORD_DELAY_MS) != 1)
			break;
		rc = flow_read_nflog(f, DRAIN_MAX, now);
	}
	return rc;
}

static int
take_flush(struct flow *f, const struct ipc_message *m, const struct clock_view *now)
{
	const struct flow_flush *flush = (const void *)m->payload;
	int rc;

	if ((rc = await_records(f, now)) < 0)
		return rc;
	(void)flow_flush(f, now);
	return flow_tell(f, flush->token, m->serial, now);
}

/* All devices' stations at once, in sealed memory. */
static int
take_stations(struct flow *f, struct ipc_message *m)
{
	const struct flow_stations *said = (const void *)m->payload;
	const struct flow_station *all;
	const void *data;
	size_t len;
	int rc = 0;

	if (said->n == 0)
		return 0;
	if ((rc = memfile_map(m->fd, (size_t)LIMIT_DEVICES * sizeof(*all), &data, &len)) < 0)
		return rc;
	all = data;
	if (len != said->n * sizeof(*all))
		rc = -EMSGSIZE;
	for (uint32_t i = 0; rc == 0 && i < said->n; i++)
		rc = flow_station(f, &all[i]);
	memfile_unmap(data, len);
	return rc;
}

static int
dispatch(struct flow *f, struct ipc_message *m, const struct clock_view *now)
{
	switch (m->type) {
	case MSG_FLOW_SOCKET:
		return take_socket(f, m);
	case MSG_IMAGE:
		return take_image(f, m);
	case MSG_FLOW_STATIONS:
		return take_stations(f, m);
	case MSG_FLOW_STATION:
		return flow_station(f, (const void *)m->payload);
	case MSG_FLOW_COUNTS:
		return take_counts(f, m, now);
	case MSG_FLOW_LOSSES:
		return take_losses(f, m, now);
	case MSG_FLOW_FLUSH:
		return take_flush(f, m, now);
	default:
		return -EBADMSG;
	}
}

int
flow_message(struct flow *f, struct ipc_message *m, const struct clock_view *now)
{
	unsigned drain = m->type == MSG_FLOW_FLUSH ? DRAIN_MAX : 64;
	int rc;

	/* Records that came before the message belong to what was so before it. */
	if ((rc = flow_read_nflog(f, drain, now)) == 0)
		rc = dispatch(f, m, now);
	if (m->fd != -1)
		close(m->fd);
	m->fd = -1;
	return rc;
}
