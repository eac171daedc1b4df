/* SPDX-License-Identifier: GPL-2.0-or-later */
/* handlers.c -- what cordon-flow and cordon-compile say, and what all workers
 * are told when the policy or a station changes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "enforce/cordond.h"
#include "enforce/nflog.h"
#include "enforce/staged.h"

static_assert((int)STAGED_STAYS == UNSTAGED_NOT && (int)STAGED_ENFORCED == UNSTAGED_ENFORCED &&
    (int)STAGED_STALE == UNSTAGED_STALE, "wire");

/* What the rules log to is what cordon-flow reads. */
static_assert((int)LOG_REFUSED == FLOW_REFUSED && (int)LOG_INVALID == FLOW_INVALID &&
    (int)LOG_SIGHTED == FLOW_SIGHTED && (int)LOG_CROWDED == FLOW_CROWDED &&
    (int)LOG_HASTY == FLOW_RATE && (int)LOG_DISCOVERED == FLOW_DISCOVERED, "NFLOG groups");

void
tell_image(struct worker *w)
{
	const struct loaded_policy *p = &w->d->enforcer.policy;
	struct image_ref ref = { .revision = p->revision };

	worker_send(w, MSG_IMAGE, &ref, sizeof(ref), p->fd);
}

enum station_where
station_where(const struct enforcer *e, size_t index)
{
	const struct image *im = &e->policy.image;
	const struct station *st = &e->stations[index];

	if (st->quarantined)
		return STATION_QUARANTINED;
	if (station_class(im, &im->devices[index], st) != im->devices[index].class_number)
		return STATION_RESTRICTED;
	return image_class(im, im->devices[index].class_number)->mode == MODE_AUDIT ? STATION_AUDITED : STATION_ENFORCED;
}

/* For evidence a mark means how it was judged: that a device is restricted is no reason
 * to call refused what passed, when the class where it stands is in audit mode. The cause says the rest. */
static enum station_where
judged_as(const struct enforcer *e, size_t index)
{
	const struct image *im = &e->policy.image;
	enum station_where where = station_where(e, index);
	uint32_t stands = station_class(im, &im->devices[index], &e->stations[index]);

	return where == STATION_RESTRICTED && image_class(im, stands)->mode == MODE_AUDIT ? STATION_AUDITED : where;
}

static struct flow_station
station_told(const struct enforcer *e, size_t index)
{
	const struct station *st = &e->stations[index];
	const struct standing *standing = e->standings[index];

	return (struct flow_station){
		.number = st->number,
		.mark = station_mark(st),
		.where = judged_as(e, index),
		.cause = standing != NULL ? standing->cause : 0,
	};
}

void
tell_station(struct cordond *d, size_t index)
{
	struct flow_station s = station_told(&d->enforcer, index);

	if (d->workers[SLOT_FLOW].state == WORKER_UP)
		worker_send(&d->workers[SLOT_FLOW], MSG_FLOW_STATION, &s, sizeof(s), -1);
}

int
stations_file(const struct enforcer *e)
{
	uint32_t n = e->policy.image.n[IMAGE_DEVICES];
	struct flow_station *all = calloc((size_t)n + 1, sizeof(*all));
	int fd = memfile_new("stations"), rc;

	for (uint32_t i = 0; all != NULL && i < n; i++)
		all[i] = station_told(e, i);
	rc = fd < 0 ? fd : all == NULL ? -ENOMEM : file_write_all(fd, all, n * sizeof(*all));
	if (rc == 0)
		rc = memfile_seal(fd);
	if (rc < 0 && fd >= 0)
		close(fd);
	free(all);
	return rc < 0 ? rc : fd;
}

/* ---- cordon-flow -------------------------------------------------------- */

static void
tell_flow(struct worker *w)
{
	struct flow_stations all = { .n = w->d->enforcer.policy.image.n[IMAGE_DEVICES] };
	int fd = stations_file(&w->d->enforcer);

	tell_image(w);
	if (fd < 0) {
		log_error(fd, "cordon-flow cannot be told of the stations");
		return;
	}
	worker_send(w, MSG_FLOW_STATIONS, &all, sizeof(all), fd);
	close(fd);
}

void
tell_stations(struct cordond *d)
{
	if (d->workers[SLOT_FLOW].state == WORKER_UP)
		tell_flow(&d->workers[SLOT_FLOW]);
}

void
flow_up(struct worker *w)
{
	struct flow_socket s = { .group_base = w->d->nflog_base };

	w->d->flush_asked = 0;
	counts_anew(w->d);
	tell_flow(w);
	if (w->d->nflog_fd != -1)
		worker_send(w, MSG_FLOW_SOCKET, &s, sizeof(s), w->d->nflog_fd);
}

const char *
flow_message(struct worker *w, struct ipc_message *m)
{
	if (m->type != MSG_FLOW_FLUSHED)
		return "spoke out of turn";
	memcpy(&w->d->flow, m->payload, sizeof(w->d->flow));
	if (w->d->flow.token != 0) {
		w->d->flush_asked = 0;
		control_flushed(w->d, w->d->flow.token, w->d->flow.error);
	}
	return NULL;
}

/* ---- cordon-compile ----------------------------------------------------- */

int
compile_start(struct cordond *d)
{
	struct worker *w = &d->workers[SLOT_COMPILE];

	if (w->state != WORKER_DOWN && !w->answered)
		return -EBUSY;
	w->again = w->state != WORKER_DOWN;
	if (!w->again)
		worker_start(w);
	return 0;
}

void
compile_up(struct worker *w)
{
	struct compile_request request = { .have_image = 1 };

	tell_image(w);
	worker_send(w, MSG_COMPILE, &request, sizeof(request), -1);
}

void
compile_down(struct worker *w)
{
	bool again = w->again;

	if (!w->answered)	/* ended without a result */
		change_failed(w->d);
	w->answered = w->again = false;
	if (again)
		worker_start(w);
}

const char *
compile_message(struct worker *w, struct ipc_message *m)
{
	const struct compile_result *r = (const struct compile_result *)m->payload;

	if (m->type != MSG_COMPILED || w->answered)
		return "spoke out of turn";
	w->answered = true;
	change_compiled(w->d, m->fd, r->mistakes);
	return NULL;
}

/* ---- all of it ---------------------------------------------------------- */

void
forget_sources(struct cordond *d)
{
	uint32_t n = d->enforcer.policy.image.n[IMAGE_SOURCES];

	free(d->sources);
	d->sources = calloc((size_t)n + 1, sizeof(*d->sources));
	for (uint32_t i = 0; d->sources != NULL && i < n; i++) {
		d->sources[i].source = i;
		d->sources[i].authority = d->enforcer.policy.image.sources[i].authority;
	}
}

void
listen_to_nflog(struct cordond *d)
{
	if (d->nflog_fd != -1)
		close(d->nflog_fd);
	d->nflog_base = d->enforcer.policy.image.appliance->log_group;
	if ((d->nflog_fd = nflog_open(d->nflog_base)) >= 0)
		return;
	log_error(d->nflog_fd, "NFLOG groups %u to %u cannot be bound (another program has one?): "
	    "refused packets are counted but not described; set log_group", d->nflog_base,
	    d->nflog_base + FLOW_GROUPS - 1);
	d->nflog_fd = -1;
}

/* What was judged while the transaction came into force. */
static void
judge_again(struct cordond *d)
{
	int rc;

	if (d->enforcer.n_again == 0)
		return;
	watch_pause(d);
	rc = enforcer_judge_again(&d->enforcer);
	watch_resume(d);
	if (rc < 0)
		log_error(rc, "open connections may go on that the new policy refuses");
	tell_stations(d);
}

/* The policy that goes, for as long as somebody compares it with what came. */
struct leaving {
	const void *data;
	size_t len;
	struct image image;
};

static int
leaving_keep(const struct cordond *d, struct leaving *l)
{
	const char *why;
	int rc = memfile_map(d->enforcer.policy.fd, LIMIT_IMAGE_BYTES, &l->data, &l->len);

	if (rc < 0) {
		l->data = NULL;
		return rc;
	}
	if ((rc = image_open_checked(l->data, l->len, &l->image, &why)) < 0) {
		memfile_unmap(l->data, l->len);
		l->data = NULL;
	}
	return rc;
}

/* Into the history of the devices: who came, went or changed, and who came into quarantine. */
static void
write_events(struct cordond *d, const struct leaving *old, const struct apply_order *order, const struct ctl_who *who)
{
	const size_t room = DEVICE_EVENTS_AT_ONCE;
	struct device_event *v = calloc(room, sizeof(*v));
	struct device_event like = { .at = d->enforcer.applied_at, .revision = d->enforcer.policy.revision, .who = *who };
	size_t n, all;

	if (v == NULL)
		return;
	all = device_events_of_change(&old->image, &d->enforcer.policy.image, &like, v, room);
	n = all < room ? all : room;
	for (size_t i = 0; i < order->n_starts; i++, all++) {
		const struct standing *s = &order->starts[i];

		if (n == room)
			continue;
		v[n] = like;
		v[n].device = s->number;
		v[n].what = standing_quarantines(s) ? DEVICE_QUARANTINED : DEVICE_RESTRICTED;
		v[n].cause = s->cause;
		v[n].reason = s->cause & CAUSE_REVOKED ? s->by.reason : s->operator_reason;
		v[n].authority = s->by.authority;
		v[n++].evidence = s->kind;
	}
	if (all > n)
		log_info("the history of the devices has %zu of the %zu things that happened to them by this policy", n, all);
	cordond_events(d, v, n);
	free(v);
}

static void
tell_applied(const struct cordond *d, const struct apply_order *order, const struct apply_report *report)
{
	log_info("revision %llu applied: %u elements added, %u removed, %u devices renewed",
	    (unsigned long long)d->enforcer.policy.revision, report->added, report->removed,
	    report->renewed);
	if (order->n_starts > 0)
		log_warn(0, "%zu new device(s) start in quarantine or restricted", order->n_starts);
	if (report->unstaged == STAGED_ENFORCED)
		log_info("what was staged is enforced: nothing is staged any more");
	else if (report->unstaged == STAGED_STALE)
		log_warn(0, "what was staged gives devices other numbers than this policy: nothing is staged "
		    "any more");
	if (report->forgotten > 0)
		log_info("%u open connection(s) of addresses that changed hands are judged anew",
		    report->forgotten);
	if (report->not_forgotten != 0)
		log_error(report->not_forgotten, "connections of addresses that changed hands may stay open");
}

int
cordond_apply(struct cordond *d, const struct apply_order *order, const struct ctl_who *who,
    struct apply_report *report)
{
	struct leaving old = { .data = NULL };
	struct clock_view now;
	int rc, kept = leaving_keep(d, &old);

	clock_now(&now);
	watch_pause(d);
	rc = enforcer_apply(&d->enforcer, order, now.wall_ms, report);
	watch_resume(d);
	if (rc == 0) {
		tell_applied(d, order, report);
		if (kept == 0)
			write_events(d, &old, order, who);
	}
	if (old.data != NULL)
		memfile_unmap(old.data, old.len);
	if (rc < 0)
		return rc;
	forget_sources(d);
	revocation_forget(d);
	if (d->enforcer.policy.image.appliance->log_group != d->nflog_base) {
		listen_to_nflog(d);
		worker_kill(&d->workers[SLOT_FLOW], "must listen to other NFLOG groups");
	}
	tell_stations(d);
	judge_again(d);
	until_check(d);
	d->revocation.lookup.asked = false;
	tell_pki(&d->workers[SLOT_PKI]);
	return 0;
}
