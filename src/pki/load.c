/* SPDX-License-Identifier: GPL-2.0-or-later */
/* load.c -- a policy image becomes authorities, inventories and sources. What
 * sources knew is carried over by name; every cached CRL is looked through
 * again, since the new inventory may hold devices that the old one had not. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/file.h"
#include "common/log.h"
#include "pki/pki.h"
#include "pki/store.h"

static const struct source *
known(const struct source *sources, uint32_t n, const char *id)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		if (strcmp(sources[i].id, id) == 0)
			return &sources[i];
	return NULL;
}

static void
source_load(struct pki *p, struct source *s, const struct clock_view *now)
{
	int fd = store_open(p->folder, s->id), rc;

	rc = store_load_highwater(p->folder, s->id, &s->highwater);
	if (rc < 0 && rc != -ENOENT)
		log_warn(rc, "the mark of the newest CRL of %s is damaged", pki_authority(p, s)->name);
	source_start(s, fd >= 0, now, pki_random(p));
	if (fd >= 0)
		close(fd);
}

static void
source_renew(struct pki *p, struct source *s, const struct source *before, const struct clock_view *now)
{
	bool was_busy = before->busy;

	source_inherit(s, before);
	/* From the disk: what is in use may be what the disk did not take. */
	s->need_scan = s->this_update != 0 && !s->unsaved;
	s->next_scan_boot = now->boot_ms;
	if (was_busy || s->unsaved || s->next_try_boot > now->boot_ms + s->refresh_ms)
		s->next_try_boot = now->boot_ms + (was_busy ? 0 : pki_random(p) % SOURCE_FIRST_MS);
}

static struct source *
sources_new(const struct authorities *all)
{
	struct source *sources;
	uint32_t i;

	if ((sources = calloc((size_t)all->n_sources + 1, sizeof(*sources))) == NULL)
		return NULL;
	for (i = 0; i < all->n_sources; i++) {
		const struct authority *a = &all->authorities[all->sources[i].authority];

		sources[i].index = i;
		sources[i].authority = all->sources[i].authority;
		sources[i].authority_number = a->number;
		sources[i].refresh_ms = (int64_t)a->refresh_s * 1000;
		source_id(a->name, all->sources[i].urls[0], sources[i].id);
	}
	return sources;
}

/* Jobs of the old image end here; their answers may still come. */
static void
jobs_stop(struct pki *p, const struct clock_view *now)
{
	size_t i;

	for (i = 0; i < PKI_JOBS; i++) {
		struct job *j = &p->jobs[i];
		struct source *s = j->source;

		if (j->phase == JOB_FREE)
			continue;
		if (j->phase == JOB_APPLYING)
			p->old_answers++;
		job_end(p, j, now);
		s->busy = true;		/* so that it begins again at once */
	}
}

static struct authorities *
authorities_of(int fd)
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
	memfile_unmap(map, len);
	return all;
}

int
pki_load_image(struct pki *p, int fd, uint64_t revision, const struct clock_view *now)
{
	struct authorities *all, *old = p->all;
	struct source *sources, *old_sources = p->sources;
	uint32_t i, old_n = old != NULL ? old->n_sources : 0;

	if ((all = authorities_of(fd)) == NULL)
		return -EBADMSG;
	if ((sources = sources_new(all)) == NULL) {
		authorities_free(all);
		return -ENOMEM;
	}
	jobs_stop(p, now);
	p->all = all;
	p->sources = sources;
	p->revision = revision;
	for (i = 0; i < all->n_sources; i++) {
		const struct source *before = known(old_sources, old_n, sources[i].id);

		if (before != NULL)
			source_renew(p, &sources[i], before, now);
		else
			source_load(p, &sources[i], now);
	}
	for (i = 0; i < all->n; i++)
		if (all->authorities[i].n_signers == 0)
			log_warn(0, "%s: its certificate cannot be read, no CRL of it will verify",
			    all->authorities[i].name);
	free(old_sources);
	authorities_free(old);
	log_info("revision %llu: %u authorities, %u sources", (unsigned long long)revision, all->n,
	    all->n_sources);
	return 0;
}

void
pki_unload(struct pki *p)
{
	struct clock_view now;

	clock_now(&now);
	jobs_stop(p, &now);
	free(p->sources);
	authorities_free(p->all);
	p->sources = NULL;
	p->all = NULL;
}
