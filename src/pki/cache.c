/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cache.c -- CRLs of our own folder are looked through: verified again, since a disk
 * is nobody to trust; or, when this process verified that very file before, only
 * looked up in for the devices of a new policy. In pieces, beside all else. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/log.h"
#include "pki/pki.h"
#include "pki/store.h"

static bool
next_ref(const struct pki *p, struct series_ref *out)
{
	size_t i;
	int delta;

	for (delta = 0; delta < 2; delta++) {
		for (i = 0; i < p->set.n; i++) {
			if (p->set.extra[i].need_scan[delta]) {
				*out = (struct series_ref){ (uint32_t)i, delta };
				return true;
			}
		}
	}
	return false;
}

bool
cache_pending(const struct pki *p)
{
	struct series_ref ref;

	return p->cache.busy || next_ref(p, &ref);
}

void
cache_stop(struct pki *p)
{
	crl_scan_free(p->cache.scan);
	if (p->cache.busy && p->cache.file >= 0)
		close(p->cache.file);
	memset(&p->cache, 0, sizeof(p->cache));
	p->cache.file = -1;
}

/* Whoever brings it is asked for all of it, now. */
static void
fetch_again(struct pki *p, struct series_ref ref, enum source_error error, uint32_t detail,
    const struct clock_view *now)
{
	uint32_t i, authority = p->set.series[ref.series].authority;
	bool known = false;

	for (i = 0; i < p->all->n_sources; i++)
		known = known || delivery_has(&p->deliveries[i], ref);
	for (i = 0; i < p->all->n_sources; i++) {
		struct source *s = &p->sources[i];

		if (known ? !delivery_has(&p->deliveries[i], ref) : s->authority != authority)
			continue;
		s->error = error;
		s->detail = detail;
		s->no_validators = true;
		s->tell = true;
		source_now(s, now);
	}
}

static void
failed(struct pki *p, uint32_t detail, const char *why, const struct clock_view *now)
{
	struct series_ref ref = p->cache.ref;
	struct series *s = &p->set.series[ref.series];

	log_warn(0, "%s: a cached CRL: %s (E_CACHE, detail %u): nobody is released by it",
	    p->all->authorities[s->authority].name, why != NULL ? why : "refused", detail);
	p->set.extra[ref.series].damaged[ref.delta] = true;
	p->set.extra[ref.series].file[ref.delta].known = false;
	fetch_again(p, ref, E_CACHE, detail, now);
	cache_stop(p);
	settle_want(p);
}

void
cache_start(struct pki *p, const struct clock_view *now)
{
	struct cache_scan *c = &p->cache;
	struct series_extra *e;
	struct series *s;

	if (p->all == NULL || c->busy || !next_ref(p, &c->ref))
		return;
	s = &p->set.series[c->ref.series];
	e = &p->set.extra[c->ref.series];
	e->need_scan[c->ref.delta] = false;
	c->busy = true;
	if ((c->file = store_open(p->folder, s->id, c->ref.delta)) < 0) {
		failed(p, (uint32_t)-c->file, "cannot be opened", now);
		return;
	}
	if ((c->scan = pki_scan_new(&p->all->authorities[s->authority], LIMIT_CRL_BYTES)) == NULL) {
		failed(p, ENOMEM, "no memory", now);
		return;
	}
	c->again = series_file_same(&e->file[c->ref.delta], c->file);
	if (c->again)
		crl_scan_again(c->scan);
}

static enum source_error
finish(struct cache_scan *c)
{
	const struct crl_verdict *v = crl_scan_verdict(c->scan);
	enum source_error error;
	uint8_t *map;

	if (!crl_scan_needs_message(c->scan))
		return crl_scan_finish(c->scan, NULL, 0);
	if ((map = mmap(NULL, v->size, PROT_READ, MAP_PRIVATE, c->file, 0)) == MAP_FAILED)
		return E_TOO_BIG;
	error = crl_scan_finish(c->scan, map + v->signed_offset, v->signed_len);
	munmap(map, v->size);
	return error;
}

/* Is it that series' CRL at all? */
static bool
belongs(const struct pki *p, const struct cache_scan *c)
{
	const struct crl_verdict *v = crl_scan_verdict(c->scan);
	const struct series *s = &p->set.series[c->ref.series];
	const struct authority *a = &p->all->authorities[s->authority];

	if (v->delta != c->ref.delta || memcmp(v->scope_digest, s->scope_digest, sizeof(s->scope_digest)) != 0)
		return false;
	return v->vouched || memcmp(a->signed_by[v->signer].key_digest, s->key_digest, KEY_DIGEST_LEN) == 0;
}

static void
in_use(struct pki *p, const struct clock_view *now)
{
	struct cache_scan *c = &p->cache;
	const struct crl_verdict *v = crl_scan_verdict(c->scan);
	struct series *s = &p->set.series[c->ref.series];
	struct series_extra *e = &p->set.extra[c->ref.series];
	struct series_crl *crl = series_set_crl(&p->set, c->ref);
	struct store_meta meta;
	struct pki_clock clock;
	int delta = c->ref.delta;

	e->looked[delta] = true;
	e->damaged[delta] = false;
	if (!v->vouched) {
		series_set_signers(&p->all->authorities[s->authority], e->signers);
		series_file_note(&e->file[delta], c->file);
		pki_clock_saw(p, v->this_update, now);
		log_info("%s: a cached CRL is verified: %llu entries, %u of ours",
		    p->all->authorities[s->authority].name, (unsigned long long)v->entries, crl->n_hits);
	}
	if (crl->received_at == 0 && store_load_meta(p->folder, s->id, delta, &meta) == 0) {
		crl->received_at = meta.received_at;
		crl->verified_boot = now->boot_ms;
	}
	/* Without a mark on the disk it begins with what is at hand; not with what lies ahead. */
	pki_clock(p, now, &clock);
	if (!crl->highwater.valid && !v->vouched && v->this_update <= pki_clock_now(&clock) + CRL_SKEW_MS)
		crl_highwater_of(v, s->key_digest, &crl->highwater);
	/* A mark that is newer than the file: the power went between the two. */
	e->behind[delta] = crl->highwater.valid && (crl->highwater.digest_len != crl->digest_len ||
	    memcmp(crl->highwater.digest, crl->digest, crl->digest_len) != 0);
	if (e->behind[delta])
		fetch_again(p, c->ref, E_CACHE, 0, now);
}

static void
whole(struct pki *p, const struct clock_view *now)
{
	struct cache_scan *c = &p->cache;
	struct series_crl *crl = series_set_crl(&p->set, c->ref);
	const struct crl_verdict *v = crl_scan_verdict(c->scan);

	if (finish(c) != E_NONE) {
		failed(p, v->offset > UINT32_MAX ? UINT32_MAX : (uint32_t)v->offset, v->why, now);
	} else if (!belongs(p, c)) {
		failed(p, 0, "it is another one than its name says", now);
	} else if (series_crl_take(crl, c->scan) < 0) {
		failed(p, ENOMEM, "no memory", now);
	} else {
		in_use(p, now);
		cache_stop(p);
		settle_want(p);
	}
}

void
cache_step(struct pki *p, const struct clock_view *now)
{
	static uint8_t piece[65536];
	size_t done;
	ssize_t n;

	for (done = 0; p->cache.busy && done < PKI_SCAN_PIECE; done += (size_t)n) {
		n = read(p->cache.file, piece, sizeof(piece));
		if (n < 0 && errno == EINTR) {
			n = 0;
			continue;
		}
		if (n < 0) {
			failed(p, (uint32_t)errno, "cannot be read", now);
			return;
		}
		if (n == 0 || crl_scan_feed(p->cache.scan, piece, (size_t)n) < 0) {
			whole(p, now);
			return;
		}
	}
}
