/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image_check_authorities.c -- the authorities of an image, whom they let sign and
 * where their CRLs are. Opens no certificate: bytes are cordon-pki's affair. */
#include <stdlib.h>
#include <string.h>

#include "model/image_check.h"
#include "model/image_record.h"
#include "model/image_walk.h"

const char *
image_check_unique_names(const struct image *im, const void *records, size_t n, size_t size, size_t at)
{
	const char **names = calloc(n + 1, sizeof(*names));
	const char *fault = NULL;
	uint32_t offset;
	size_t i;

	if (names == NULL)
		return "no memory to check names";
	for (i = 0; i < n; i++) {
		memcpy(&offset, (const char *)records + i * size + at, sizeof(offset));
		names[i] = image_text(im, offset);
	}
	qsort(names, n, sizeof(*names), image_names_cmp);
	for (i = 1; i < n && fault == NULL; i++)
		if (strcmp(names[i - 1], names[i]) == 0)
			fault = "a name is used twice";
	free(names);
	return fault;
}

static const char *
check_issuers(struct walk *w, const struct image_authority *a)
{
	const struct image *im = w->im;
	uint32_t i, last = ISSUER_OWN;

	if (!slice_ok(w, IMAGE_ISSUERS, &a->issuers) || a->issuers.n == 0 ||
	    a->issuers.n > LIMIT_ISSUERS_PER_AUTHORITY)
		return "an authority's certificates are out of range";
	for (i = 0; i < a->issuers.n; i++) {
		const struct image_issuer *s = &im->issuers[a->issuers.first + i];

		if (!blob_ok(im, s->certificate, s->certificate_len, true) || !where_ok(im, &s->where))
			return "an authority's certificate is out of range";
		if (s->role < last || s->role > ISSUER_OCSP || (i == 0 && s->role != ISSUER_OWN))
			return "an authority's certificates are not in order";
		last = s->role;
	}
	return NULL;
}

/* Text that is nothing, or shorter than what carries it to cordon-fetch; as an admin
 * can have written it. */
static bool
short_text_ok(const struct image *im, uint32_t offset, size_t size)
{
	const char *text;
	size_t i;

	if (!text_ok(im, offset))
		return false;
	text = image_text(im, offset);
	for (i = 0; text[i] != '\0'; i++)
		if (i + 1 >= size || text[i] <= ' ' || text[i] > '~' || text[i] == '"' || text[i] == '\\')
			return false;
	return true;
}

/* What is for a server in between, or at the other end. */
static const char *
check_transport(const struct image *im, const struct image_source *s)
{
	if (!blob_ok(im, s->ca, s->ca_len, false) || s->ca_len > LIMIT_FETCH_CA)
		return "a source's CA is out of range";
	if (!short_text_ok(im, s->pin, LIMIT_PIN) || !short_text_ok(im, s->proxy, LIMIT_URL) ||
	    !short_text_ok(im, s->no_proxy, LIMIT_URL) || !short_text_ok(im, s->hosts, LIMIT_URL))
		return "a source's text is out of range";
	if (s->proxy != 0 && !url_is_http(image_text(im, s->proxy)))
		return "a source's proxy is none";
	return NULL;
}

static const char *
check_urls(struct walk *w, const struct image_source *s)
{
	const struct image *im = w->im;
	const char *url;
	uint32_t i;

	if (!slice_ok(w, IMAGE_URLS, &s->urls) || s->urls.n == 0 || s->urls.n > LIMIT_URLS_PER_SOURCE)
		return "a source's addresses are out of range";
	for (i = 0; i < s->urls.n; i++) {
		if (!text_ok(im, im->urls[s->urls.first + i]))
			return "a source's address is not valid";
		url = image_text(im, im->urls[s->urls.first + i]);
		/* What a certificate says leads to no file of ours. */
		if (!url_is_valid(url) || ((s->flags & SOURCE_FROM_DEVICES) != 0 && !url_is_http(url)))
			return "a source's address is not valid";
	}
	return NULL;
}

static const char *
check_source(struct walk *w, const struct image_authority *a, uint32_t index)
{
	const struct image *im = w->im;
	const struct image_source *s = &im->sources[index];
	const char *fault;

	if (s->authority != a->number || !where_ok(im, &s->where) || s->flags > SOURCE_FLAGS)
		return "a source is not valid";
	if ((s->flags & SOURCE_DELTA) == 0 ? s->base != SOURCE_NO_BASE :
	    s->base != SOURCE_NO_BASE && (s->base < a->sources.first || s->base >= index ||
	    (im->sources[s->base].flags & SOURCE_DELTA) != 0))
		return "a source's base is none";
	if (s->refresh_s < 1 || s->refresh_s > LIMIT_REFRESH_SECONDS || s->timeout_s < 1 ||
	    s->timeout_s > LIMIT_FETCH_SECONDS || s->max_bytes < 1 || s->max_bytes > LIMIT_CRL_BYTES)
		return "a source's limits are out of range";
	if ((fault = check_transport(im, s)) != NULL)
		return fault;
	return check_urls(w, s);
}

static const char *
check_ocsp(const struct image *im, const struct image_ocsp *o)
{
	static const struct image_ocsp off;

	if (o->devices == OCSP_OFF)
		return memcmp(o, &off, sizeof(off)) == 0 ? NULL : "OCSP is off and says something";
	if (o->devices > OCSP_ALL || o->need_nonce > 1 || o->unknown > WHEN_STALE_QUARANTINE ||
	    o->refresh_s < 1 || o->refresh_s > LIMIT_REFRESH_SECONDS || o->max_age_s < 1 ||
	    o->max_age_s > LIMIT_REFRESH_SECONDS || !text_ok(im, o->url) ||
	    !url_is_http(image_text(im, o->url)))
		return "an authority's OCSP is out of range";
	return NULL;
}

static const char *
check_authority(struct walk *w, const struct image_authority *a)
{
	const char *fault;
	uint32_t k;

	if (!name_ok(w->im, a->name) || !where_ok(w->im, &a->where))
		return "an authority's name is not valid";
	if (a->refresh_s < 1 || a->refresh_s > LIMIT_REFRESH_SECONDS || a->when_stale > WHEN_STALE_QUARANTINE ||
	    a->when_unchecked > WHEN_STALE_QUARANTINE || a->flags > AUTHORITY_FLAGS)
		return "an authority's refresh or when_stale is out of range";
	if (a->skew_s > LIMIT_REFRESH_SECONDS || a->grace_s > LIMIT_REFRESH_SECONDS || a->max_age_s < 1 ||
	    a->max_age_s > LIMIT_REFRESH_SECONDS)
		return "an authority's times are out of range";
	/* Classes are checked after authorities: that one is found by its number there. */
	if ((fault = check_issuers(w, a)) != NULL || (fault = check_ocsp(w->im, &a->ocsp)) != NULL)
		return fault;
	if (!slice_ok(w, IMAGE_SOURCES, &a->sources))
		return "an authority's sources are out of range";
	for (k = 0; k < a->sources.n && fault == NULL; k++)
		fault = check_source(w, a, a->sources.first + k);
	return fault;
}

const char *
image_check_authorities(struct walk *w)
{
	const struct image *im = w->im;
	const char *fault;
	uint32_t i, last = 0;

	if (im->n[IMAGE_AUTHORITIES] > LIMIT_AUTHORITIES || im->n[IMAGE_SOURCES] > LIMIT_SOURCES)
		return "too many authorities or sources";
	for (i = 0; i < im->n[IMAGE_AUTHORITIES]; i++) {
		const struct image_authority *a = &im->authorities[i];

		if (a->number <= last || a->number >= im->header->next_authority)
			return "authorities are not numbered in order";
		last = a->number;
		if ((fault = check_authority(w, a)) != NULL)
			return fault;
	}
	return image_check_unique_names(im, im->authorities, im->n[IMAGE_AUTHORITIES], sizeof(*im->authorities),
	    offsetof(struct image_authority, name));
}

const char *
image_check_restricted(const struct image *im)
{
	const struct image_authority *a;
	const struct image_class *c;
	uint32_t i;
	bool wanted;

	for (i = 0; i < im->n[IMAGE_AUTHORITIES]; i++) {
		a = &im->authorities[i];
		wanted = a->when_stale == WHEN_STALE_RESTRICT || a->when_unchecked == WHEN_STALE_RESTRICT ||
		    a->ocsp.unknown == WHEN_STALE_RESTRICT;
		c = image_class(im, a->restrict_class);
		if (wanted != (a->restrict_class != 0))
			return "an authority restricts to no class, or names one for nothing";
		if (wanted && (c == NULL || (c->hints & CLASS_QUARANTINE) != 0))
			return "an authority restricts to what is no class";
	}
	return NULL;
}
