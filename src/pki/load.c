/* SPDX-License-Identifier: GPL-2.0-or-later */
/* load.c -- a policy image becomes authorities, inventories and sources. What
 * sources knew is carried over by name; every cached CRL is looked through again,
 * since the new inventory may hold devices that the old one had not. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/file.h"
#include "common/log.h"
#include "pki/pki.h"
#include "pki/store.h"

/* ---- sources ------------------------------------------------------------ */

/* What a former policy's sources brought, by names that outlive renumbering. */
struct brought {
	uint32_t n;
	struct store_ref of[LIMIT_SERIES_PER_SOURCE];
	uint8_t content[32];
};

static struct brought *
brought_of(const struct pki *p)
{
	uint32_t i, k, n = p->all != NULL ? p->all->n_sources : 0;
	struct brought *all;

	if ((all = calloc((size_t)n + 1, sizeof(*all))) == NULL)
		return NULL;
	for (i = 0; i < n; i++) {
		const struct delivery *d = &p->deliveries[i];

		all[i].n = d->n;
		memcpy(all[i].content, d->content, sizeof(d->content));
		for (k = 0; k < d->n; k++) {
			memcpy(all[i].of[k].series, p->set.series[d->of[k].series].id, STORE_ID_LEN);
			all[i].of[k].delta = d->of[k].delta;
		}
	}
	return all;
}

static void
delivery_keep(struct pki *p, uint32_t source, const struct brought *before)
{
	struct delivery *d = &p->deliveries[source];
	uint32_t i;

	d->refused.series = TRUST_NONE;
	memcpy(d->content, before->content, sizeof(d->content));
	for (i = 0; i < before->n; i++) {
		struct series_ref ref = { .delta = before->of[i].delta != 0 };

		if (series_set_find(&p->set, before->of[i].series, &ref.series))
			delivery_add(d, ref);
	}
}

static void
sources_free(struct source *sources, uint32_t n)
{
	uint32_t i;

	for (i = 0; sources != NULL && i < n; i++)
		free(sources[i].urls);
	free(sources);
}

static int
source_fill(struct source *s, const struct authorities *all, uint32_t index)
{
	const struct authority_source *from = &all->sources[index];
	const struct authority *a = &all->authorities[from->authority];
	uint32_t i;

	s->index = index;
	s->authority = from->authority;
	s->authority_number = a->number;
	s->flags = from->flags;
	s->base = from->base;
	s->refresh_ms = (int64_t)from->refresh_s * 1000;
	s->transfer_ms = (int64_t)from->timeout_s * 1000;
	s->n_urls = from->n_urls;
	if ((s->urls = calloc((size_t)from->n_urls + 1, sizeof(*s->urls))) == NULL)
		return -ENOMEM;
	for (i = 0; i < from->n_urls; i++) {
		s->urls[i].text = from->urls[i];
		s->urls[i].server = source_server(from->urls[i]);
	}
	source_id(a->name, from->urls[0], s->id);
	return 0;
}

static struct source *
sources_new(const struct authorities *all)
{
	struct source *sources;
	uint32_t i;

	if ((sources = calloc((size_t)all->n_sources + 1, sizeof(*sources))) == NULL)
		return NULL;
	for (i = 0; i < all->n_sources; i++) {
		if (source_fill(&sources[i], all, i) < 0) {
			sources_free(sources, i);
			return NULL;
		}
	}
	return sources;
}

static uint32_t
known(const struct source *sources, uint32_t n, const char *id)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		if (strcmp(sources[i].id, id) == 0)
			break;
	return i;
}

static void
source_renew(struct pki *p, struct source *s, const struct source *before, const struct clock_view *now)
{
	bool was_busy = before->busy;

	source_inherit(s, before);
	if (was_busy || s->next_try_boot > now->boot_ms + s->refresh_ms)
		s->next_try_boot = now->boot_ms + (was_busy ? 0 : pki_random(p) % SOURCE_SLOTLESS_MS);
}

static void
covers_renew(struct pki *p, const struct source *s)
{
	const struct delivery *d = &p->deliveries[s->index];
	uint32_t i;

	for (i = 0; i < d->n; i++) {
		series_set_crl(&p->set, d->of[i])->source = s->index;
		if ((s->flags & SOURCE_COVERS_ALL) != 0)
			p->set.series[d->of[i].series].covers_all = true;
	}
}

static void
sources_join(struct pki *p, const struct source *old, uint32_t old_n, const struct brought *brought,
    const struct clock_view *now)
{
	uint32_t i, k;

	for (i = 0; i < p->all->n_sources; i++) {
		struct source *s = &p->sources[i];

		if ((k = known(old, old_n, s->id)) < old_n) {
			delivery_keep(p, i, &brought[k]);
			source_renew(p, s, &old[k], now);
		} else {
			source_start(s, delivery_load(p, s), now, pki_random(p));
		}
		covers_renew(p, s);
	}
}

/* ---- the image ---------------------------------------------------------- */

static struct authorities *
authorities_of(int fd, uint8_t digest[16])
{
	struct authorities *all = NULL;
	struct inventory_key key;
	const char *why = NULL;
	struct image im;
	const void *map;
	size_t len;
	int rc;

	if ((rc = memfile_map(fd, LIMIT_IMAGE_BYTES, &map, &len)) < 0) {
		log_error(rc, "the policy image cannot be mapped");
		return NULL;
	}
	if ((rc = image_open(map, len, &im, &why)) < 0)
		log_error(rc, "the policy image is refused: %s", why != NULL ? why : "no image");
	else if (getrandom(&key, sizeof(key), 0) != sizeof(key))
		log_error(errno, "getrandom");
	else if ((all = authorities_new(&im, &key)) == NULL)
		log_error(ENOMEM, "the policy image cannot be loaded");
	if (all != NULL)
		memcpy(digest, im.header->digest, 16);
	memfile_unmap(map, len);
	return all;
}

/* All that hangs on the image that goes. */
static void
drop(struct pki *p, const struct clock_view *now)
{
	size_t i;

	for (i = 0; i < PKI_JOBS; i++) {
		struct source *s = p->jobs[i].source;

		if (p->jobs[i].phase == JOB_FREE)
			continue;
		job_stop(p, &p->jobs[i], now);
		s->busy = true;		/* so that it begins again at once */
	}
	cache_stop(p);
	ocsp_free(p);
	reports_free(p);
	trust_free(p->trust);
	free(p->settled);
	p->trust = NULL;
	p->settled = NULL;
}

static int
take_over(struct pki *p, struct authorities *all, const struct clock_view *now)
{
	struct source *old = p->sources, *sources = sources_new(all);
	struct delivery *deliveries = calloc((size_t)all->n_sources + 1, sizeof(*deliveries));
	struct brought *brought = brought_of(p);
	struct authorities *old_all = p->all;
	uint32_t old_n = old_all != NULL ? old_all->n_sources : 0;
	struct ocsp_memory said;
	int rc;

	if (sources == NULL || deliveries == NULL || brought == NULL) {
		sources_free(sources, all->n_sources);
		free(deliveries);
		free(brought);
		authorities_free(all);
		return -ENOMEM;
	}
	ocsp_keep(p, &said);
	drop(p, now);
	free(p->deliveries);
	p->all = all;
	p->sources = sources;
	p->deliveries = deliveries;
	if ((rc = series_set_renew(&p->set, p->folder, all)) < 0)
		log_warn(rc, "the CRL folder cannot be read");
	sources_join(p, old, old_n, brought, now);
	sources_free(old, old_n);
	authorities_free(old_all);
	free(brought);
	p->trust = trust_new(all);
	p->settled = calloc((size_t)all->n + 1, sizeof(*p->settled));
	if (p->trust == NULL || p->settled == NULL || reports_new(p) < 0 || ocsp_new(p, &said, now) < 0)
		return -ENOMEM;
	watch_renew(p, now);
	return 0;
}

/* The policy in force, to come back to when a candidate is not applied. */
static void
running_is(struct pki *p, int fd, uint64_t revision)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (copy < 0)
		return;
	if (p->running >= 0)
		close(p->running);
	p->running = copy;
	p->running_revision = revision;
}

static bool
same_image(const struct pki *p, int fd)
{
	const char *why = NULL;
	struct image im;
	const void *map;
	size_t len;
	bool same;

	if (p->all == NULL || memfile_map(fd, LIMIT_IMAGE_BYTES, &map, &len) < 0)
		return false;
	same = image_open_checked(map, len, &im, &why) == 0 &&
	    memcmp(im.header->digest, p->image_digest, sizeof(p->image_digest)) == 0;
	memfile_unmap(map, len);
	return same;
}

int
pki_load_image(struct pki *p, int fd, uint64_t revision, bool candidate, const struct clock_view *now)
{
	struct authorities *all;
	uint32_t i;
	int rc;

	if (!candidate)
		running_is(p, fd, revision);
	p->lookup.candidate = candidate;
	p->lookup.owed = true;
	p->lookup.found = 0;
	p->lookup.deadline_boot = now->boot_ms + PKI_CANDIDATE_MS;
	settle_want(p);
	p->settling.again_boot = 0;
	/* A candidate that was looked up, and now is in force. */
	if (same_image(p, fd)) {
		p->revision = revision;
		for (i = 0; i < p->all->n_sources; i++)
			p->sources[i].tell = true;
		return reports_again(p);
	}
	if ((all = authorities_of(fd, p->image_digest)) == NULL)
		return -EBADMSG;
	if ((rc = take_over(p, all, now)) < 0)
		return rc;
	p->revision = revision;
	p->loaded_boot = now->boot_ms;
	for (i = 0; i < all->n; i++)
		if (all->authorities[i].n_signers == 0)
			log_warn(0, "%s: its certificate cannot be read, no CRL of it will verify",
			    all->authorities[i].name);
	log_info("revision %llu%s: %u authorities, %u sources", (unsigned long long)revision,
	    candidate ? " is looked up" : "", all->n, all->n_sources);
	return 0;
}

void
pki_load_tick(struct pki *p, const struct clock_view *now)
{
	if (!p->lookup.candidate || now->boot_ms < p->lookup.deadline_boot || p->running < 0)
		return;
	log_warn(0, "a policy that was looked up was not applied: back to the one in force");
	if (pki_load_image(p, p->running, p->running_revision, false, now) < 0)
		p->broken = true;
}

void
pki_unload(struct pki *p)
{
	struct clock_view now;
	uint32_t n = p->all != NULL ? p->all->n_sources : 0;

	clock_now(&now);
	drop(p, &now);
	watch_free(p);
	sources_free(p->sources, n);
	free(p->deliveries);
	series_set_done(&p->set);
	authorities_free(p->all);
	free(p->settling.standings);
	free(p->settling.tighten);
	free(p->settling.loosen);
	p->sources = NULL;
	p->all = NULL;
}
