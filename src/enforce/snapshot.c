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
fill_standing(const struct standing *s, struct snapshot_device *out)
{
	out->cause = s->cause;
	out->pending = s->pending;
	out->since = s->since;
	if ((s->cause | s->pending) & CAUSE_REVOKED) {
		out->authority = s->by.authority;
		out->crl_reason = s->by.reason;
		out->revoked_at = s->by.revoked_at;
		out->evidence = s->kind;
		out->serial_len = s->by.serial_len;
		memcpy(out->serial, s->by.serial, sizeof(out->serial));
		out->crl_number_len = s->crl_number_len;
		memcpy(out->crl_number, s->crl_number, sizeof(out->crl_number));
	} else if (s->cause & CAUSE_OPERATOR) {
		out->crl_reason = s->operator_reason;
	}
	if (s->cause & CAUSE_OPERATOR) {
		out->uid = s->who.uid;
		out->until = s->until;
		memcpy(out->words, s->words, sizeof(out->words));
	}
}

static void
fill_device(const struct cordond *d, uint32_t i, const struct refused_total *t, struct snapshot_device *out)
{
	const struct enforcer *e = &d->enforcer;
	const struct station *st = &e->stations[i];

	out->number = st->number;
	out->mark = station_mark(st);
	out->where = station_where(e, i);
	out->refused_packets = t->packets;
	out->refused_bytes = t->bytes;
	out->uid = CTL_NOBODY;
	if (d->revocation.checks != NULL)
		out->check = d->revocation.checks[i];
	if (e->standings[i] != NULL)
		fill_standing(e->standings[i], out);
}

int
snapshot_make(struct cordond *d)
{
	const struct enforcer *e = &d->enforcer;
	uint32_t n = e->policy.image.n[IMAGE_DEVICES], sources = e->policy.image.n[IMAGE_SOURCES];
	uint32_t authorities = e->policy.image.n[IMAGE_AUTHORITIES];
	size_t len = sizeof(struct snapshot_header) + n * sizeof(struct snapshot_device) +
	    sources * sizeof(struct pki_source) + authorities * sizeof(struct pki_authority);
	struct refused_total *totals = calloc((size_t)n + 1, sizeof(*totals));
	struct snapshot_header *h = calloc(1, len);
	struct snapshot_device *devices;
	struct pki_source *told;
	struct clock_view now;
	int fd = -1, rc = -ENOMEM;

	if (totals == NULL || h == NULL)
		goto out;
	clock_now(&now);
	*h = (struct snapshot_header){ SNAPSHOT_MAGIC, n, sources, authorities, e->policy.revision, now.wall_ms };
	devices = (struct snapshot_device *)(h + 1);
	counts_totals(d, totals);
	for (uint32_t i = 0; i < n; i++)
		fill_device(d, i, &totals[i], &devices[i]);
	told = (struct pki_source *)(devices + n);
	if (sources > 0 && d->sources != NULL)
		memcpy(told, d->sources, sources * sizeof(*told));
	if (authorities > 0 && d->revocation.authorities != NULL)
		memcpy(told + sources, d->revocation.authorities, authorities * sizeof(struct pki_authority));
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
		enum station_where where = station_where(e, i);

		s->quarantined += where == STATION_QUARANTINED;
		s->restricted += where == STATION_RESTRICTED;
		s->audited += where == STATION_AUDITED;
		s->pending += e->standings[i] != NULL && e->standings[i]->pending != 0;
	}
	s->brake_devices = im->appliance->brake_devices;
	s->brake_within_s = im->appliance->brake_within_s;
	s->brake_used = brake_used(&d->revocation.brake, s->brake_within_s, &now);
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
