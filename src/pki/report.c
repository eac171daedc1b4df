/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report.c -- how sources, authorities and devices stand, told to cordond when it
 * changes. Nothing fails quietly. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/log.h"
#include "pki/pki.h"
#include "proto/messages.h"

struct reports {
	struct pki_authority *told;	/* by authority; number 0: nothing yet */
	uint8_t *checks;	/* by device, as told last */
	bool checks_told;
	bool checks_changed;
	int64_t checks_boot;
};

int
reports_new(struct pki *p)
{
	struct reports *r;

	if ((r = calloc(1, sizeof(*r))) == NULL)
		return -ENOMEM;
	r->told = calloc((size_t)p->all->n + 1, sizeof(*r->told));
	r->checks = calloc((size_t)p->all->n_devices + 1, 1);
	if (r->told == NULL || r->checks == NULL) {
		free(r->told);
		free(r->checks);
		free(r);
		return -ENOMEM;
	}
	p->reports = r;
	return 0;
}

void
reports_free(struct pki *p)
{
	if (p->reports == NULL)
		return;
	free(p->reports->told);
	free(p->reports->checks);
	free(p->reports);
	p->reports = NULL;
}

int
reports_again(struct pki *p)
{
	reports_free(p);
	return reports_new(p);
}

/* ---- sources ------------------------------------------------------------ */

static uint32_t
device_hits(const struct authority *a, const struct series_crl *c)
{
	uint32_t i, n = 0;

	for (i = 0; i < c->n_hits; i++)
		n += c->hits[i].cert < a->n_subjects && (a->subjects[c->hits[i].cert].flags & SUBJECT_CA) == 0 &&
		    c->hits[i].reason != 8;	/* removeFromCRL */
	return n;
}

/* Without nextUpdate it runs out last. */
static bool
runs_out_before(int64_t a, int64_t b)
{
	return a != 0 && (b == 0 || a < b);
}

static void
view_add(struct source_view *v, const struct authority *a, const struct series_crl *c, enum source_state state,
    bool delta)
{
	if (v->series == 0 || runs_out_before(c->next_update, v->next_update)) {
		v->this_update = c->this_update;
		v->next_update = c->next_update;
		v->number_len = c->number_len;
		memcpy(v->number, c->number, sizeof(v->number));
		v->delta = delta;
	}
	v->state = state > v->state ? state : v->state;
	v->received_at = c->received_at > v->received_at ? c->received_at : v->received_at;
	v->entries += c->entries;
	v->bytes += c->bytes;
	v->hits += device_hits(a, c);
	v->warnings |= c->warnings;
	v->series++;
}

static void
source_view_renew(struct pki *p, struct source *s, const struct pki_clock *clock)
{
	const struct delivery *d = &p->deliveries[s->index];
	const struct authority *a = pki_authority(p, s);
	struct source_view v;
	uint32_t i;

	memset(&v, 0, sizeof(v));
	for (i = 0; i < d->n; i++) {
		const struct series *series = &p->set.series[d->of[i].series];
		const struct series_crl *c = series_set_crl(&p->set, d->of[i]);

		if (p->set.extra[d->of[i].series].need_scan[d->of[i].delta] ||
		    (p->cache.busy && p->cache.ref.series == d->of[i].series))
			return;		/* how it stands shows in a moment */
		if (c->valid)
			view_add(&v, a, c, d->of[i].delta ? series_delta_state(series, &a->rules, clock) :
			    series_state(series, &a->rules, clock), d->of[i].delta);
	}
	if (memcmp(&v, &s->view, sizeof(v)) == 0)
		return;
	s->view = v;
	s->tell = true;
}

void
sources_view(struct pki *p, const struct clock_view *now)
{
	struct pki_clock clock;
	uint32_t i;

	pki_clock(p, now, &clock);
	for (i = 0; i < p->all->n_sources; i++)
		source_view_renew(p, &p->sources[i], &clock);
}

static void
sources_tell(struct pki *p, const struct clock_view *now)
{
	struct pki_source report;
	struct source *s;

	for (s = p->sources; s < p->sources + p->all->n_sources; s++) {
		enum source_state state = source_state(s, now);

		if (!s->tell && state == s->told)
			continue;
		if (state != s->told && (state == SOURCE_STALE || state == SOURCE_EXPIRED)) {
			log_warn(0, "%s: the CRL of %s is %s", pki_authority(p, s)->name, s->urls[0].text,
			    state == SOURCE_STALE ? "stale" : "expired");
			/* Nothing is gained by waiting any longer. */
			if (s->failures == 0)
				source_now(s, now);
		}
		source_report(s, now, &report);
		pki_send(p, MSG_PKI_SOURCE, &report, sizeof(report), -1);
		s->tell = false;
		s->told = state;
	}
}

/* ---- authorities and devices -------------------------------------------- */

void
reports_judged(struct pki *p)
{
	const struct trust_verdict *v = trust_verdicts(p->trust);
	struct reports *r = p->reports;
	struct pki_authority a;
	uint32_t i;

	for (i = 0; i < p->all->n_devices; i++) {
		if (r->checks[i] == v[i].check)
			continue;
		r->checks[i] = v[i].check;
		r->checks_changed = true;
	}
	if (p->lookup.candidate)
		return;
	for (i = 0; i < p->all->n; i++) {
		memset(&a, 0, sizeof(a));
		trust_report(p->trust, i, &a);
		if (memcmp(&a, &r->told[i], sizeof(a)) == 0)
			continue;
		r->told[i] = a;
		pki_send(p, MSG_PKI_AUTHORITY, &a, sizeof(a), -1);
	}
}

static void
checks_tell(struct pki *p, const struct clock_view *now)
{
	struct pki_checked m = { .revision = p->revision, .n = p->all->n_devices };
	struct reports *r = p->reports;
	int fd, rc;

	if (!r->checks_changed || (r->checks_told && now->boot_ms - r->checks_boot < PKI_CHECKED_MS(m.n)))
		return;
	if ((fd = memfile_new("checked")) < 0) {
		log_warn(fd, "no memory file");
		return;
	}
	if ((rc = file_write_all(fd, r->checks, m.n)) < 0 || (rc = memfile_seal(fd)) < 0)
		log_warn(rc, "no memory file");
	else
		pki_send(p, MSG_PKI_CHECKED, &m, sizeof(m), fd);
	close(fd);
	r->checks_changed = false;
	r->checks_told = true;
	r->checks_boot = now->boot_ms;
}

void
reports_tell(struct pki *p, const struct clock_view *now)
{
	/* What a candidate calls its sources and devices cordond does not know yet. */
	if (p->all == NULL || p->lookup.candidate)
		return;
	/* Whoever hears that a source was tried finds what followed. */
	checks_tell(p, now);
	sources_tell(p, now);
}

int64_t
reports_wait(const struct pki *p, const struct clock_view *now, int64_t max)
{
	int64_t left;

	if (p->reports == NULL || !p->reports->checks_changed || p->lookup.candidate)
		return max;
	left = p->reports->checks_boot + PKI_CHECKED_MS(p->all->n_devices) - now->boot_ms;
	return left < 0 ? 0 : left < max ? left : max;
}
