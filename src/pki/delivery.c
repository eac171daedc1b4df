/* SPDX-License-Identifier: GPL-2.0-or-later */
/* delivery.c -- which CRLs a source brings: for what it is asked, what "unchanged"
 * confirms, and how the source stands. The record on the disk is advice: without it
 * all is fetched once more. */
#include <openssl/sha.h>
#include <string.h>

#include "common/log.h"
#include "pki/pki.h"
#include "pki/store.h"

static void
url_digest(const char *url, uint8_t out[32])
{
	SHA256((const uint8_t *)url, strlen(url), out);
}

static void
save(struct pki *p, const struct source *s, const struct clock_view *now)
{
	const struct delivery *d = &p->deliveries[s->index];
	static struct store_source record;
	uint32_t i;
	int rc;

	memset(&record, 0, sizeof(record));
	record.success_wall = now->wall_ms;
	record.n_series = d->n;
	for (i = 0; i < d->n; i++) {
		memcpy(record.series[i].series, p->set.series[d->of[i].series].id, STORE_ID_LEN);
		record.series[i].delta = d->of[i].delta;
	}
	delivery_content(&p->set, d, record.content);
	for (i = 0; i < s->n_urls && i < LIMIT_URLS_PER_SOURCE; i++) {
		url_digest(s->urls[i].text, record.validators[i].url);
		memcpy(record.validators[i].etag, s->urls[i].etag, sizeof(record.validators[i].etag));
		memcpy(record.validators[i].last_modified, s->urls[i].last_modified,
		    sizeof(record.validators[i].last_modified));
	}
	if ((rc = store_save_source(p->folder, s->id, &record)) < 0)
		log_warn(rc, "the CRL folder did not take the validators of %s", s->urls[0].text);
}

void
delivery_renew(struct pki *p, const struct job *j, const struct clock_view *now)
{
	struct delivery *d = &p->deliveries[j->source->index];
	struct source_url *url = &j->source->urls[j->source->url];
	uint32_t i;

	if (j->unchanged)
		return;
	/* What is no longer published runs out, and is not this source's any more. */
	if (j->error == E_NONE && j->n_refs > 0)
		d->n = 0;
	for (i = 0; i < j->n_refs; i++)
		delivery_add(d, j->refs[i]);
	if (j->error != E_NONE)
		return;
	d->refused.series = TRUST_NONE;
	delivery_content(&p->set, d, d->content);
	memcpy(url->etag, j->header.etag, sizeof(url->etag));
	memcpy(url->last_modified, j->header.last_modified, sizeof(url->last_modified));
	/* Nothing new: nothing to write. */
	if (j->n_taken > 0) {
		save(p, j->source, now);
		pki_clock_save(p, true, now);
	}
}

/* Does what the record speaks of stand as it did then? */
bool
delivery_load(struct pki *p, struct source *s)
{
	struct delivery *d = &p->deliveries[s->index];
	static struct store_source record;
	uint8_t url[32];
	uint32_t i, k;

	d->refused.series = TRUST_NONE;
	if (store_load_source(p->folder, s->id, &record) < 0)
		return false;
	for (i = 0; i < record.n_series; i++) {
		struct series_ref ref = { .delta = record.series[i].delta != 0 };

		if (series_set_find(&p->set, record.series[i].series, &ref.series) &&
		    p->set.series[ref.series].authority == s->authority)
			delivery_add(d, ref);
	}
	s->confirmed_wall = record.success_wall;
	for (i = 0; i < s->n_urls; i++) {
		url_digest(s->urls[i].text, url);
		for (k = 0; k < LIMIT_URLS_PER_SOURCE; k++) {
			if (memcmp(url, record.validators[k].url, sizeof(url)) != 0)
				continue;
			memcpy(s->urls[i].etag, record.validators[k].etag, sizeof(s->urls[i].etag));
			memcpy(s->urls[i].last_modified, record.validators[k].last_modified,
			    sizeof(s->urls[i].last_modified));
		}
	}
	memcpy(d->content, record.content, sizeof(d->content));
	return d->n > 0;
}

/* All that it brought is in use, on the disk, and looked up for the devices of
 * now: only then the server may answer "unchanged". */
bool
delivery_stands(const struct pki *p, const struct source *s)
{
	const struct delivery *d = &p->deliveries[s->index];
	uint8_t content[32];
	uint32_t i;

	for (i = 0; i < d->n; i++) {
		const struct series_crl *c = series_set_crl(&p->set, d->of[i]);
		const struct series_extra *e = &p->set.extra[d->of[i].series];

		if (!c->valid || c->unsaved || !e->looked[d->of[i].delta] || e->behind[d->of[i].delta])
			return false;
	}
	delivery_content(&p->set, d, content);
	return d->n > 0 && memcmp(content, d->content, sizeof(content)) == 0;
}

/* What is wrong with it as long as it is in use, also when nothing new comes. */
static enum source_error
crl_note(const struct series *s, bool delta, const struct series_rules *rules, const struct pki_clock *clock)
{
	const struct series_crl *c = delta ? &s->delta : &s->full;

	if (c->mark_damaged)
		return E_MARK;
	if (c->this_update > pki_clock_now(clock) + rules->skew_ms &&
	    (clock->trusted || clock->wall_ms >= clock->floor_ms))
		return E_FUTURE;
	if (delta && (!s->full.valid ||
	    crl_number_cmp(s->full.number, s->full.number_len, c->base, c->base_len) < 0))
		return E_BASE;
	return E_NONE;
}

/* Of those in use, what is odd about them. */
enum source_error
delivery_note(struct pki *p, const struct job *j, const struct clock_view *now)
{
	const struct delivery *d = &p->deliveries[j->source->index];
	const struct authority *a = pki_authority(p, j->source);
	struct pki_authority report;
	enum source_error note = j->note;
	struct pki_clock clock;
	uint32_t i;

	pki_clock(p, now, &clock);
	for (i = 0; i < d->n && note == E_NONE; i++) {
		const struct series *s = &p->set.series[d->of[i].series];

		note = crl_note(s, d->of[i].delta, &a->rules, &clock);
		if (note == E_NONE && (note = trust_signer(p->trust, s->authority, s->signer, &clock)) == E_NONE &&
		    !d->of[i].delta && a->n_subjects > 0 && series_coverage(s, a) == 0)
			note = E_SCOPE;
	}
	/* A base may have come behind its delta. */
	for (i = 0; i < d->n && note == E_BASE; i++)
		if (d->of[i].delta && series_delta_counts(&p->set.series[d->of[i].series]))
			note = E_NONE;
	trust_report(p->trust, j->source->authority, &report);
	if (note == E_NONE && (report.unrevoked > 0 || (report.alarms & ALARM_REMOVED) != 0))
		note = E_UNREVOKED;
	return note;
}
