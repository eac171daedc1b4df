/* SPDX-License-Identifier: GPL-2.0-or-later */
/* authority.c -- from a checked image to what pki works with. The image comes
 * from the administrator's files, so its certificates are trusted to be meant;
 * what they say about themselves is still checked where a CRL is verified. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pki/authority_parts.h"

int
authority_signer_find(const struct authority *a, const uint8_t key_digest[KEY_DIGEST_LEN], uint32_t *out)
{
	size_t i;

	for (i = 0; i < a->n_signers; i++) {
		if (memcmp(a->signed_by[i].key_digest, key_digest, KEY_DIGEST_LEN) != 0)
			continue;
		*out = (uint32_t)i;
		return 0;
	}
	return -ENOENT;
}

static int
authority_load(struct authority *a, const struct image *im, const struct image_authority *from)
{
	a->number = from->number;
	a->refresh_s = from->refresh_s;
	a->when_stale = from->when_stale;
	a->when_unchecked = from->when_unchecked;
	a->flags = from->flags;
	a->n_sources = from->sources.n;
	a->rules.skew_ms = (int64_t)from->skew_s * 1000;
	a->rules.grace_ms = (int64_t)from->grace_s * 1000;
	a->rules.max_age_ms = (int64_t)from->max_age_s * 1000;
	a->rules.rollover_shared = (from->flags & AUTHORITY_ROLLOVER_SHARED) != 0;
	a->ocsp.devices = from->ocsp.devices;
	a->ocsp.refresh_s = from->ocsp.refresh_s;
	a->ocsp.max_age_s = from->ocsp.max_age_s;
	a->ocsp.need_nonce = from->ocsp.need_nonce != 0;
	a->ocsp.unknown = from->ocsp.unknown;
	a->name = strdup(image_text(im, from->name));
	a->ocsp.url = strdup(image_text(im, from->ocsp.url));
	return a->name == NULL || a->ocsp.url == NULL ? -ENOMEM : 0;
}

static void
authority_done(struct authority *a)
{
	free(a->name);
	free(a->ocsp.url);
	free(a->signers);
	free(a->signed_by);
	free(a->subjects);
	inventory_free(a->inventory);
}

/* ---- sources ------------------------------------------------------------ */

static int
source_texts(struct authority_source *s, const struct image *im, const struct image_source *from)
{
	uint32_t i;

	if ((s->urls = calloc((size_t)from->urls.n + 1, sizeof(*s->urls))) == NULL)
		return -ENOMEM;
	for (i = 0; i < from->urls.n; i++, s->n_urls++)
		if ((s->urls[i] = strdup(image_text(im, im->urls[from->urls.first + i]))) == NULL)
			return -ENOMEM;
	s->pin = strdup(image_text(im, from->pin));
	s->proxy = strdup(image_text(im, from->proxy));
	s->no_proxy = strdup(image_text(im, from->no_proxy));
	s->hosts = strdup(image_text(im, from->hosts));
	if (s->pin == NULL || s->proxy == NULL || s->no_proxy == NULL || s->hosts == NULL)
		return -ENOMEM;
	if (from->ca_len == 0)
		return 0;
	if ((s->ca = malloc(from->ca_len)) == NULL)
		return -ENOMEM;
	memcpy(s->ca, im->blobs + from->ca, from->ca_len);
	s->ca_len = from->ca_len;
	return 0;
}

static int
sources_load(struct authorities *all, const struct image *im)
{
	uint32_t i;

	for (i = 0; i < all->n_sources; i++) {
		const struct image_source *from = &im->sources[i];
		const struct image_authority *a = image_authority(im, from->authority);
		struct authority_source *s = &all->sources[i];

		if (a == NULL)
			return -ENOENT;
		s->authority = (uint32_t)(a - im->authorities);
		s->flags = from->flags;
		s->base = from->base;
		s->refresh_s = from->refresh_s;
		s->timeout_s = from->timeout_s;
		s->max_bytes = from->max_bytes;
		if (source_texts(s, im, from) < 0)
			return -ENOMEM;
	}
	return 0;
}

static void
source_done(struct authority_source *s)
{
	uint32_t i;

	for (i = 0; i < s->n_urls; i++)
		free(s->urls[i]);
	free(s->urls);
	free(s->ca);
	free(s->pin);
	free(s->proxy);
	free(s->no_proxy);
	free(s->hosts);
}

/* ---- the whole ---------------------------------------------------------- */

struct authorities *
authorities_new(const struct image *im, const struct inventory_key *key)
{
	struct authorities *all;
	uint32_t i;

	if ((all = calloc(1, sizeof(*all))) == NULL)
		return NULL;
	all->n = im->n[IMAGE_AUTHORITIES];
	all->n_sources = im->n[IMAGE_SOURCES];
	all->authorities = calloc((size_t)all->n + 1, sizeof(*all->authorities));
	all->sources = calloc((size_t)all->n_sources + 1, sizeof(*all->sources));
	if (all->authorities == NULL || all->sources == NULL)
		goto fail;
	for (i = 0; i < all->n; i++)
		if (authority_load(&all->authorities[i], im, &im->authorities[i]) < 0)
			goto fail;
	if (authority_certificates_load(all, im) < 0 || authority_subjects_load(all, im, key) < 0 ||
	    sources_load(all, im) < 0)
		goto fail;
	return all;
fail:
	authorities_free(all);
	return NULL;
}

void
authorities_free(struct authorities *all)
{
	uint32_t i;

	if (all == NULL)
		return;
	for (i = 0; all->authorities != NULL && i < all->n; i++)
		authority_done(&all->authorities[i]);
	for (i = 0; all->sources != NULL && i < all->n_sources; i++)
		source_done(&all->sources[i]);
	authority_certificates_done(all);
	free(all->authorities);
	free(all->sources);
	free(all->devices);
	free(all->refs);
	free(all);
}
