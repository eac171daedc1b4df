/* SPDX-License-Identifier: GPL-2.0-or-later */
/* verdict.c -- the way from a complete CRL to quarantine, in one order:
 * verify, judge, revoke in the kernel, and only then the disk. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "common/log.h"
#include "pki/pki.h"
#include "pki/store.h"
#include "proto/messages.h"

/* Algorithms that sign the message itself get it from our own private file;
 * crl_scan holds it against the digest of what it saw. */
static enum source_error
finish_whole(struct job *j)
{
	const struct crl_verdict *v = crl_scan_verdict(j->scan);
	enum source_error error;
	uint8_t *map;

	if (j->file < 0 || j->disk_error != 0) {
		crl_scan_refuse(j->scan, E_DISK, "no file to verify the signature over");
		return E_DISK;
	}
	map = mmap(NULL, v->size, PROT_READ, MAP_PRIVATE, j->file, 0);
	if (map == MAP_FAILED) {
		crl_scan_refuse(j->scan, E_TOO_BIG, "no memory to verify the signature over");
		return E_TOO_BIG;
	}
	error = crl_scan_finish(j->scan, map + v->signed_offset, v->signed_len);
	munmap(map, v->size);
	return error;
}

static enum source_error
finish(struct job *j)
{
	if (!j->cached && crl_input_finish(&j->input) != E_NONE)
		crl_scan_refuse(j->scan, j->input.error, j->input.why);
	if (crl_scan_needs_message(j->scan))
		return finish_whole(j);
	return crl_scan_finish(j->scan, NULL, 0);
}

static uint32_t
error_detail(const struct job *j)
{
	const struct crl_verdict *v = crl_scan_verdict(j->scan);

	if (!j->cached && j->input.error != E_NONE)
		return j->input.detail;
	return v->offset > UINT32_MAX ? UINT32_MAX : (uint32_t)v->offset;
}

/* All hits of one CRL in a row: they take effect in one transaction. */
static void
revoke(struct pki *p, struct job *j, const struct clock_view *now)
{
	struct pki_revoke_done done = { .source = j->source->index, .received_at = j->received_at };
	struct crl_hit hit;
	size_t pos = 0;

	while (crl_scan_hit(j->scan, &pos, &hit)) {
		const struct subject *of = &pki_authority(p, j->source)->subjects[hit.cert];
		struct pki_revoke r = {
			.device = p->all->devices[of->device].number,
			.authority = j->source->authority_number,
			.cause = CAUSE_REVOKED,
			.reason = hit.reason,
			.evidence = EVIDENCE_CERTIFICATE,
			.source = j->source->index,
			.revoked_at = hit.revoked_at,
		};

		if ((of->flags & SUBJECT_CA) != 0)
			continue;
		pki_send(p, MSG_PKI_REVOKE, &r, sizeof(r));
		done.n++;
	}
	pki_send(p, MSG_PKI_REVOKE_DONE, &done, sizeof(done));
	ipc_done(&j->channel);
	j->phase = JOB_APPLYING;
	j->deadline_boot = now->boot_ms + PKI_APPLY_MS;
}

static uint32_t
count_hits(const struct crl_scan *scan)
{
	struct crl_hit hit;
	size_t pos = 0;
	uint32_t n = 0;

	while (crl_scan_hit(scan, &pos, &hit))
		n++;
	return n;
}

void
job_verdict(struct pki *p, struct job *j, const struct clock_view *now)
{
	const struct authority *a = pki_authority(p, j->source);
	enum source_error error = finish(j);
	struct pki_clock clock = { .wall_ms = now->wall_ms, .boot_ms = now->boot_ms,
		.trusted = now->wall_ms >= CLOCK_FLOOR_MS };
	const struct crl_verdict *v = crl_scan_verdict(j->scan);

	if (error != E_NONE) {
		job_fail(p, j, j->cached ? E_CACHE : error, error_detail(j), v->why, now);
		return;
	}
	/* What was in use was judged when it came: its revocations stand. */
	if (j->cached)
		j->judgement = (struct crl_judgement){ .apply = true };
	else
		j->judgement = crl_judge(v, a->signed_by[v->signer].key_digest, &j->source->highwater,
		    CRL_SKEW_MS, E_NONE, &clock);
	if (!j->judgement.apply) {
		job_fail(p, j, j->judgement.error, 0, j->judgement.why, now);
		return;
	}
	j->hits = count_hits(j->scan);
	if (j->hits == 0 || (j->judgement.same && j->source->applied))
		job_applied(p, j, 0, now);
	else
		revoke(p, j, now);
}

/* ---- after the kernel --------------------------------------------------- */

static void
cached_applied(struct pki *p, struct job *j, const struct clock_view *now)
{
	const struct crl_verdict *v = crl_scan_verdict(j->scan);
	struct source *s = j->source;
	struct store_meta meta;

	source_use(s, v, j->hits);
	s->applied = true;
	if (!s->highwater.valid)
		crl_highwater_of(v, pki_authority(p, s)->signed_by[v->signer].key_digest, &s->highwater);
	/* A mark that is newer than the file: the power went between the two. */
	if (s->highwater.digest_len != v->digest_len ||
	    memcmp(s->highwater.digest, v->digest, v->digest_len) != 0) {
		s->error = E_CACHE;
		s->no_validators = true;
		s->next_try_boot = now->boot_ms;
	}
	memset(s->etag, 0, sizeof(s->etag));
	memset(s->last_modified, 0, sizeof(s->last_modified));
	if (store_load_meta(p->folder, s->id, &meta) == 0 && meta.digest_len == v->digest_len &&
	    memcmp(meta.digest, v->digest, v->digest_len) == 0) {
		memcpy(s->etag, meta.etag, sizeof(s->etag));
		memcpy(s->last_modified, meta.last_modified, sizeof(s->last_modified));
		s->confirmed_wall = s->confirmed_wall == 0 ? meta.received_at : s->confirmed_wall;
	}
	log_info("%s: the cached CRL is verified: %llu entries, %u of ours", pki_authority(p, s)->name,
	    (unsigned long long)v->entries, j->hits);
}

static int
install(struct pki *p, struct job *j)
{
	const struct crl_verdict *v = crl_scan_verdict(j->scan);
	struct source *s = j->source;
	struct store_meta meta;

	if (j->disk_error != 0)
		return j->disk_error;
	memset(&meta, 0, sizeof(meta));
	meta.received_at = j->received_at;
	meta.size = v->size;
	meta.digest_len = v->digest_len;
	memcpy(meta.digest, v->digest, sizeof(meta.digest));
	memcpy(meta.etag, j->header.etag, sizeof(meta.etag));
	memcpy(meta.last_modified, j->header.last_modified, sizeof(meta.last_modified));
	return store_install(p->folder, s->id, j->file, &s->highwater, &meta);
}

static void
fetched_applied(struct pki *p, struct job *j, const struct clock_view *now)
{
	const struct crl_verdict *v = crl_scan_verdict(j->scan);
	struct source *s = j->source;
	bool in_use = v->digest_len == s->digest_len && memcmp(v->digest, s->digest, v->digest_len) == 0;
	int rc = 0;

	if (!j->judgement.mark) {
		job_fail(p, j, j->judgement.error, 0, j->judgement.why, now);
		return;
	}
	source_use(s, v, j->hits);
	s->applied = true;
	memcpy(s->etag, j->header.etag, sizeof(s->etag));
	memcpy(s->last_modified, j->header.last_modified, sizeof(s->last_modified));
	if (!in_use || s->unsaved) {
		/* The mark counts from here on, also while no disk keeps it. */
		crl_highwater_of(v, pki_authority(p, s)->signed_by[v->signer].key_digest, &s->highwater);
		log_info("%s: new CRL from %s: %llu entries, %u of ours", pki_authority(p, s)->name,
		    pki_url(p, s), (unsigned long long)v->entries, j->hits);
		rc = install(p, j);
		s->unsaved = rc < 0;
	}
	if (rc < 0) {
		job_fail(p, j, E_DISK, (uint32_t)-rc, "the CRL folder did not take it", now);
		return;
	}
	source_succeeded(s, now, pki_random(p));
	job_end(p, j, now);
}

void
job_applied(struct pki *p, struct job *j, int error, const struct clock_view *now)
{
	struct source *s = j->source;

	if (error == 0 && j->cached) {
		cached_applied(p, j, now);
		job_end(p, j, now);
	} else if (error == 0) {
		fetched_applied(p, j, now);
	} else if (j->cached) {
		log_warn(error, "%s: revocations of the cached CRL were not taken", pki_authority(p, s)->name);
		source_scan_later(s, now, pki_random(p));
		s->error = E_APPLY;
		s->detail = (uint32_t)error;
		job_end(p, j, now);
	} else {
		job_fail(p, j, E_APPLY, (uint32_t)error, "verified, but cordond did not take the revocations",
		    now);
	}
}
