/* SPDX-License-Identifier: GPL-2.0-or-later */
/* snapshot.c -- what an operator's tool may see: states and numbers, in one piece. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "enforce/cordond.h"
#include "enforce/nft_read.h"
#include "proto/snapshot.h"

static void
fill_device(const struct enforcer *e, uint32_t i, const struct refused_total *t,
    struct snapshot_device *out)
{
	const struct station *st = &e->stations[i];
	const struct standing *s = e->standings[i];
	const struct image_class *class = image_class(&e->policy.image, e->policy.image.devices[i].class_number);

	out->number = st->number;
	out->mark = station_mark(st);
	out->where = st->quarantined ? STATION_QUARANTINED :
	    class->mode == MODE_AUDIT ? STATION_AUDITED : STATION_ENFORCED;
	out->refused_packets = t->packets;
	out->refused_bytes = t->bytes;
	if (s == NULL)
		return;
	out->cause = s->cause;
	out->since = s->since;
	out->authority = s->authority;
	out->crl_reason = s->crl_reason;
	out->revoked_at = s->revoked_at;
	memcpy(out->words, s->words, sizeof(out->words));
}

int
snapshot_make(struct cordond *d)
{
	const struct enforcer *e = &d->enforcer;
	uint32_t n = e->policy.image.n[IMAGE_DEVICES], sources = e->policy.image.n[IMAGE_SOURCES];
	size_t len = sizeof(struct snapshot_header) + n * sizeof(struct snapshot_device) +
	    sources * sizeof(struct pki_source);
	struct refused_total *totals = calloc((size_t)n + 1, sizeof(*totals));
	struct snapshot_header *h = calloc(1, len);
	struct snapshot_device *devices;
	struct clock_view now;
	int fd = -1, rc = -ENOMEM;

	if (totals == NULL || h == NULL)
		goto out;
	clock_now(&now);
	*h = (struct snapshot_header){ SNAPSHOT_MAGIC, n, sources, 0, e->policy.revision, now.wall_ms };
	devices = (struct snapshot_device *)(h + 1);
	counts_totals(d, totals);
	for (uint32_t i = 0; i < n; i++)
		fill_device(e, i, &totals[i], &devices[i]);
	if (sources > 0 && d->sources != NULL)
		memcpy(devices + n, d->sources, sources * sizeof(*d->sources));
	if ((fd = memfile_new("snapshot")) < 0) {
		rc = fd;
		goto out;
	}
	if ((rc = file_write_all(fd, h, len)) == 0)
		rc = memfile_seal(fd);
	if (rc < 0) {
		close(fd);
		fd = -1;
	}
out:
	free(totals);
	free(h);
	return rc < 0 ? rc : fd;
}

static uint64_t
packets_of(struct enforcer *e, enum counter_kind kind)
{
	uint64_t packets = 0, bytes;

	nft_read_counter(&e->reader, kind, &packets, &bytes);
	return packets;
}

static void
fill_totals(struct cordond *d, struct ctl_status *s)
{
	struct enforcer *e = &d->enforcer;
	uint32_t n = e->policy.image.n[IMAGE_DEVICES];
	struct refused_total *t = calloc((size_t)n + 1, sizeof(*t));

	if (t != NULL && counts_totals(d, t) == 0) {
		for (uint32_t i = 0; i < n; i++) {
			s->refused_packets += t[i].packets;
			s->refused_bytes += t[i].bytes;
			s->overflow_packets += t[i].over_packets;
		}
	}
	free(t);
	s->stranger_packets = packets_of(e, COUNTER_STRANGERS);
	s->overflow_packets += packets_of(e, COUNTER_STRANGERS_OVER);
	s->invalid_packets = packets_of(e, COUNTER_INVALID);
	s->stray_packets = packets_of(e, COUNTER_STRAY) + packets_of(e, COUNTER_TRANSIT);
}

void
status_fill(struct cordond *d, struct ctl_status *s)
{
	const struct enforcer *e = &d->enforcer;
	const struct image *im = &e->policy.image;
	struct clock_view now;

	memset(s, 0, sizeof(*s));
	clock_now(&now);
	s->revision = e->policy.revision;
	s->applied_at = e->applied_at;
	s->started_at = d->started_at;
	s->now = now.wall_ms;
	s->devices = im->n[IMAGE_DEVICES];
	s->classes = im->n[IMAGE_CLASSES] - 1;
	for (uint32_t i = 0; i < im->n[IMAGE_DEVICES]; i++) {
		s->quarantined += e->stations[i].quarantined;
		s->audited += !e->stations[i].quarantined &&
		    image_class(im, im->devices[i].class_number)->mode == MODE_AUDIT;
	}
	s->table_mode = e->features.owner_persist ? 1 : 2;
	s->healthy = e->healthy && e->disk_ok;
	s->foreign_changes = e->foreign_changes;
	s->landlock = d->landlocked;
	s->worker_up[PROC_SPAWN] = s->worker_up[PROC_ENFORCE] = 1;
	for (size_t i = 0; i < SLOTS; i++) {
		s->worker_up[d->workers[i].proc] |= d->workers[i].ready;
		s->worker_restarts[d->workers[i].proc] += d->workers[i].restarts;
	}
	s->flow = d->flow;
	change_waits(d, &s->waits);
	if (s->waits.revision == 0)	/* one that is compiled is none yet */
		memset(&s->waits, 0, sizeof(s->waits));
	if (d->change.last.what == HISTORY_REVERTED) {
		s->given_up = d->change.last.other;
		s->given_up_at = d->change.last.at;
		s->given_up_why = d->change.last.why;
	}
	s->staged = e->staged.data != NULL;
	s->staged_since = e->staged_note.at;
	s->staged_by = e->staged_note.who;
	fill_totals(d, s);
}
