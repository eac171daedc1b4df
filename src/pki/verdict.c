/* SPDX-License-Identifier: GPL-2.0-or-later */
/* verdict.c -- the way of one CRL of a transfer from its last byte into its series,
 * and of all of them, once the kernel took what follows, to the disk. The order is
 * fixed: verify, judge, tighten in the kernel, the disk, and only then loosen. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "pki/pki.h"
#include "proto/messages.h"

/* Which of two things that went wrong says more: what was sent, rather than that
 * nothing came. */
void
job_note(struct job *j, enum source_error error, uint32_t detail, const char *why)
{
	if (j->error != E_NONE && j->error != E_FETCH)
		return;
	j->error = error;
	j->detail = detail;
	j->why = why;
}

/* ---- one CRL ------------------------------------------------------------ */

static int
begin(void *arg, uint32_t n)
{
	struct job_context *c = arg;

	(void)n;
	crl_scan_reset(c->job->scan);
	spool_begin(&c->job->spool, c->job->parts++);
	return 0;
}

static int
der(void *arg, const uint8_t *p, size_t len)
{
	struct job_context *c = arg;

	/* Without a disk the scan goes on: who is revoked is revoked. */
	spool_write(&c->job->spool, c->pki->folder, c->job->source->id, p, len);
	return crl_scan_feed(c->job->scan, p, len);
}

/* Algorithms that sign the message itself get it from our own private copy;
 * crl_scan holds it against the digest of what it saw. */
static enum source_error
finish_whole(struct job *j)
{
	const struct crl_verdict *v = crl_scan_verdict(j->scan);
	enum source_error error;
	const uint8_t *map;
	int rc;

	if ((map = spool_map(&j->spool, v->size, &rc)) == NULL) {
		error = rc == -ENOMEM ? E_TOO_BIG : E_DISK;
		crl_scan_refuse(j->scan, error, "no copy to verify the signature over");
		return error;
	}
	error = crl_scan_finish(j->scan, map + v->signed_offset, v->signed_len);
	spool_unmap(&j->spool, map, v->size);
	return error;
}

static enum source_error
finish(struct job *j)
{
	if (crl_scan_needs_message(j->scan))
		return finish_whole(j);
	return crl_scan_finish(j->scan, NULL, 0);
}

static bool
in_use(const struct series_crl *c, const struct crl_verdict *v)
{
	return c->valid && c->digest_len == v->digest_len && memcmp(c->digest, v->digest, v->digest_len) == 0;
}

static struct taken *
taken_add(struct job *j)
{
	struct taken *more = realloc(j->taken, (j->n_taken + 1) * sizeof(*more));

	if (more == NULL)
		return NULL;
	j->taken = more;
	memset(&more[j->n_taken], 0, sizeof(*more));
	return &more[j->n_taken++];
}

static void
remember(struct series_ref *refs, uint32_t *n, struct series_ref ref)
{
	uint32_t i;

	for (i = 0; i < *n; i++)
		if (refs[i].series == ref.series && refs[i].delta == ref.delta)
			return;
	if (*n < LIMIT_SERIES_PER_SOURCE)
		refs[(*n)++] = ref;
}

/* It is new, and in use from here on. */
static void
take(struct job_context *x, struct series_ref ref, const struct crl_judgement *judged)
{
	const struct crl_verdict *v = crl_scan_verdict(x->job->scan);
	const struct authority *a = pki_authority(x->pki, x->job->source);
	struct series_crl *c = series_set_crl(&x->pki->set, ref);
	struct series_extra *e = &x->pki->set.extra[ref.series];
	struct taken *t;

	if ((t = taken_add(x->job)) == NULL || series_crl_take(c, x->job->scan) < 0) {
		x->job->n_taken -= t != NULL;
		job_note(x->job, E_APPLY, ENOMEM, "no memory");
		return;
	}
	c->source = x->job->source->index;
	c->received_at = x->now.wall_ms;
	c->verified_boot = x->now.boot_ms;
	c->unsaved = true;	/* until the disk has it, it loosens nothing */
	e->looked[ref.delta] = true;
	e->need_scan[ref.delta] = e->damaged[ref.delta] = false;
	series_set_signers(a, e->signers);
	if (judged->mark)
		crl_highwater_raise(&c->highwater, v, a->signed_by[v->signer].key_digest);
	t->ref = ref;
	t->spool = x->job->spool;
	t->meta = (struct store_meta){ .received_at = x->now.wall_ms, .size = v->size, .entries = v->entries,
		.digest_len = v->digest_len };
	memcpy(t->meta.digest, v->digest, sizeof(t->meta.digest));
	spool_begin(&x->job->spool, 0);	/* its bytes moved */
	spool_end(&t->spool);
	pki_clock_saw(x->pki, v->this_update, &x->now);
	log_info("%s: new %s from %s: %llu entries, %u of ours", a->name, ref.delta ? "delta CRL" : "CRL",
	    pki_url(x->job->source), (unsigned long long)v->entries, c->n_hits);
	settle_want(x->pki);
}

/* It is one of those that the source brings. */
static void
brought(struct job_context *x, struct series_ref ref)
{
	remember(x->job->refs, &x->job->n_refs, ref);
	if ((x->job->source->flags & SOURCE_COVERS_ALL) != 0 && !x->pki->set.series[ref.series].covers_all) {
		x->pki->set.series[ref.series].covers_all = true;
		settle_want(x->pki);
	}
}

/* Has the authority a full CRL at all? Then a delta under another key or scope has
 * lost its way; otherwise its base is still to come. */
static bool
has_full(const struct pki *p, uint32_t authority)
{
	size_t i;

	for (i = 0; i < p->set.n; i++)
		if (p->set.series[i].authority == authority && p->set.series[i].full.valid)
			return true;
	return false;
}

/* A delta: does it belong to what we have? False: it is refused, or old. */
static bool
delta_fits(struct job_context *x, uint32_t series, const struct crl_verdict *v)
{
	const struct authority *a = pki_authority(x->pki, x->job->source);
	const char *why = NULL;
	bool quietly = false;
	enum source_error error;
	const struct series *s = &x->pki->set.series[series];

	if (!s->full.valid && has_full(x->pki, s->authority))
		s = NULL;
	error = series_take_delta(s, v, a->signed_by[v->signer].key_digest, &quietly, &why);
	if (error == E_DELTA && v->number_len == 0) {
		job_note(x->job, E_DELTA, 0, why);
		return false;
	}
	if (error == E_BASE && x->job->source->base < x->pki->all->n_sources)
		source_now(&x->pki->sources[x->job->source->base], &x->now);
	if (error != E_NONE)
		x->job->note = error;
	return true;
}

/* Verified. Is it a replay, or the one in use, or new? */
static void
judge(struct job_context *x)
{
	const struct crl_verdict *v = crl_scan_verdict(x->job->scan);
	const struct authority *a = pki_authority(x->pki, x->job->source);
	struct pki_clock clock;
	struct crl_judgement judged;
	enum source_error signer;
	struct series_ref ref = { .delta = v->delta };
	struct series_crl *c;
	int rc;

	rc = series_set_open(&x->pki->set, x->pki->folder, x->pki->all, x->job->source->authority,
	    (uint32_t)v->signer, v->scope_digest, &ref.series);
	if (rc < 0) {
		job_note(x->job, E_TOO_BIG, (uint32_t)-rc, "more CRLs than can be kept");
		return;
	}
	c = series_set_crl(&x->pki->set, ref);
	pki_clock(x->pki, &x->now, &clock);
	signer = trust_signer(x->pki->trust, x->job->source->authority, (uint32_t)v->signer, &clock);
	judged = crl_judge(v, a->signed_by[v->signer].key_digest, &c->highwater, a->rules.skew_ms, signer, &clock);
	if (!judged.apply) {
		x->job->source->rollbacks += judged.error == E_ROLLBACK || judged.error == E_EQUIVOCATION;
		x->pki->deliveries[x->job->source->index].refused = ref;
		if (judged.error == E_ROLLBACK)
			remember(x->job->refused, &x->job->n_refused, ref);
		else
			job_note(x->job, judged.error, 0, judged.why);
		return;
	}
	if (ref.delta && !delta_fits(x, ref.series, v))
		return;
	if (judged.error != E_NONE)
		x->job->note = judged.error;
	if (!in_use(c, v) || c->unsaved || !x->pki->set.extra[ref.series].looked[ref.delta] ||
	    x->pki->set.extra[ref.series].behind[ref.delta])
		take(x, ref, &judged);
	brought(x, ref);
}

static void
end(void *arg, enum source_error error, const char *why)
{
	struct job_context *x = arg;
	struct job *j = x->job;
	const struct crl_verdict *v;

	if (error != E_NONE)
		crl_scan_refuse(j->scan, error, why);
	error = finish(j);
	v = crl_scan_verdict(j->scan);
	if (error == E_NONE)
		judge(x);
	else if (error == E_SIGNER && v->stranger)
		j->strangers++;
	else
		job_note(j, error, v->offset > UINT32_MAX ? UINT32_MAX : (uint32_t)v->offset, v->why);
	spool_done(&j->spool, x->pki->folder, j->source->id);
}

const struct crl_input_taker job_taker = { begin, der, end };

/* ---- all of them -------------------------------------------------------- */

static bool
superseded(const struct job *j, uint32_t i)
{
	uint32_t k;

	for (k = i + 1; k < j->n_taken; k++)
		if (j->taken[k].ref.series == j->taken[i].ref.series && j->taken[k].ref.delta == j->taken[i].ref.delta)
			return true;
	return false;
}

/* The disk, after the kernel. */
static void
install(struct pki *p, struct job *j)
{
	uint32_t i;
	int rc;

	for (i = 0; i < j->n_taken; i++) {
		struct taken *t = &j->taken[i];

		if (superseded(j, i))
			continue;
		rc = spool_file(&t->spool, p->folder, j->source->id);
		if (rc >= 0)
			rc = series_set_install(&p->set, p->folder, t->ref, j->source->id, t->spool.part, rc, &t->meta);
		if (rc < 0)
			job_note(j, E_DISK, (uint32_t)-rc, "the CRL folder did not take it");
	}
}

/* The kernel took what follows from it, or did not: now the disk. */
void
job_settled(struct pki *p, struct job *j, int error, const struct clock_view *now)
{
	struct source *s = j->source;
	uint32_t i;

	if (error != 0) {
		/* In use, but neither in the kernel nor on the disk: all of it comes again. */
		job_note(j, E_APPLY, (uint32_t)error, "verified, but cordond did not take what follows");
		for (i = 0; i < j->n_taken; i++)
			series_set_crl(&p->set, j->taken[i].ref)->unsaved = true;
		job_fail(p, j, now);
		return;
	}
	install(p, j);
	delivery_renew(p, j, now);
	if (j->error != E_NONE) {
		job_fail(p, j, now);
		return;
	}
	sources_view(p, now);
	source_succeeded(s, delivery_note(p, j, now), j->unchanged, now, pki_random(p));
	if (j->n_taken > 0)
		settle_want(p);
	job_end(p, j, now);
}

void
job_end(struct pki *p, struct job *j, const struct clock_view *now)
{
	struct source *s = j->source;
	uint32_t i;

	ipc_done(&j->channel);
	crl_scan_free(j->scan);
	spool_done(&j->spool, p->folder, s->id);
	for (i = 0; i < j->n_taken; i++)
		spool_done(&j->taken[i].spool, p->folder, s->id);
	free(j->taken);
	free(j->refs);
	free(j->refused);
	s->transfer_took_ms = (uint32_t)j->took_ms;
	source_idle(s, now);
	memset(j, 0, sizeof(*j));
	j->channel.fd = j->spool.fd = -1;
}

/* This attempt failed, at all its addresses; what it brought all the same is in use. */
void
job_fail(struct pki *p, struct job *j, const struct clock_view *now)
{
	struct source *s = j->source;

	if (s->error != j->error || s->detail != j->detail)
		log_warn(0, "%s: %s: %s (%s, detail %u): nobody is released by it", pki_authority(p, s)->name,
		    pki_url(s), j->why != NULL ? j->why : "refused", source_error_name(j->error), j->detail);
	sources_view(p, now);
	source_failed(s, j->error, j->detail, j->retry_after_s, now, pki_random(p));
	job_end(p, j, now);
}
