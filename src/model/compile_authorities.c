/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compile_authorities.c -- authorities: what they refer to exists, and not too much
 * of it. Then into the image. Opens no certificate. */
#include <string.h>

#include "model/compile_parts.h"
#include "proto/limits.h"

/* ---- checks ------------------------------------------------------------- */

static void
check_restrict_class(struct compile *c, const struct authority_decl *a)
{
	bool wanted = a->when_stale == WHEN_STALE_RESTRICT || a->when_unchecked == WHEN_STALE_RESTRICT ||
	    (a->ocsp.devices != OCSP_OFF && a->ocsp.unknown == WHEN_STALE_RESTRICT);
	uint32_t index;

	if (a->restrict_class == NULL) {
		if (wanted && !c->told)
			mistakes_add(c->m, compile_file(c, &a->where), a->where.line,
			    "authority \"%s\" restricts devices and does not say how: name the class whose rules "
			    "hold for them then, as in restrict_class = \"limited\"", a->name);
		return;
	}
	if (!names_find(&c->classes, a->restrict_class, &index))
		compile_unknown(c, &a->where, "class", a->restrict_class, &c->classes,
		    "declare it in classes.d, or correct the name after `restrict_class'");
	else
		c->restricts[index] = 1;
	if (!wanted && !c->told)
		mistakes_add(c->m, compile_file(c, &a->where), a->where.line,
		    "authority \"%s\" has a restrict_class and never restricts: write when_stale = \"restrict\" "
		    "(or when_unchecked), or take restrict_class away", a->name);
}

static void
check_source(struct compile *c, const struct authority_decl *a, const struct source_decl *s)
{
	if (s->n_urls > LIMIT_URLS_PER_SOURCE)
		mistakes_add(c->m, compile_file(c, &s->where), s->where.line,
		    "a source of authority \"%s\" has %zu addresses: at most %u mirrors are possible", a->name,
		    s->n_urls, LIMIT_URLS_PER_SOURCE);
}

void
compile_check_authorities(struct compile *c)
{
	size_t i, k;

	for (i = 0; i < c->p->n_authorities; i++) {
		const struct authority_decl *a = &c->p->authorities[i];

		if (a->n_issuers > LIMIT_ISSUERS_PER_AUTHORITY)
			mistakes_add(c->m, compile_file(c, &a->where), a->where.line,
			    "authority \"%s\" has %zu certificates, with those of crl_issuer and ocsp_issuer: at "
			    "most %u", a->name, a->n_issuers, LIMIT_ISSUERS_PER_AUTHORITY);
		for (k = 0; k < a->n_sources; k++)
			check_source(c, a, &a->sources[k]);
		check_restrict_class(c, a);
		if (a->n_sources == 0 && a->ocsp.devices == OCSP_OFF)
			mistakes_warn(c->m, compile_file(c, &a->where), a->where.line,
			    "authority \"%s\" has no crl: none of its devices is ever found revoked", a->name);
	}
}

/* ---- into the image ----------------------------------------------------- */

static void
compile_issuer(struct compile *c, const struct issuer_decl *from)
{
	struct image_issuer out;

	memset(&out, 0, sizeof(out));
	out.certificate = image_build_add(&c->b, IMAGE_BLOBS, from->der, from->der_len);
	out.certificate_len = (uint32_t)from->der_len;
	out.role = from->role;
	out.where = compile_where(c, &from->where);
	image_build_add(&c->b, IMAGE_ISSUERS, &out, 1);
}

static uint32_t
text_or_none(struct compile *c, const char *text)
{
	return text != NULL ? image_build_text(&c->b, text) : 0;
}

static void
compile_source(struct compile *c, const struct source_decl *from, uint32_t authority, uint32_t first)
{
	struct image_source out;
	uint32_t url;
	size_t i;

	memset(&out, 0, sizeof(out));
	out.authority = authority;
	out.urls.first = image_build_count(&c->b, IMAGE_URLS);
	out.urls.n = (uint32_t)from->n_urls;
	for (i = 0; i < from->n_urls; i++) {
		url = image_build_text(&c->b, from->urls[i]);
		image_build_add(&c->b, IMAGE_URLS, &url, 1);
	}
	out.flags = from->flags;
	out.base = from->base == SOURCE_NO_BASE ? SOURCE_NO_BASE : first + from->base;
	out.refresh_s = from->refresh_s;
	out.max_bytes = from->max_bytes;
	out.timeout_s = from->timeout_s;
	if (from->ca_der_len > 0) {
		out.ca = image_build_add(&c->b, IMAGE_BLOBS, from->ca_der, from->ca_der_len);
		out.ca_len = (uint32_t)from->ca_der_len;
	}
	out.pin = text_or_none(c, from->pin);
	out.proxy = text_or_none(c, from->proxy);
	out.no_proxy = text_or_none(c, from->no_proxy);
	out.hosts = text_or_none(c, from->hosts);
	out.where = compile_where(c, &from->where);
	image_build_add(&c->b, IMAGE_SOURCES, &out, 1);
}

static void
compile_ocsp(struct compile *c, const struct ocsp_decl *from, struct image_ocsp *out)
{
	if (from->devices == OCSP_OFF)
		return;
	out->devices = from->devices;
	out->url = image_build_text(&c->b, from->url);
	out->refresh_s = from->refresh_s;
	out->max_age_s = from->max_age_s;
	out->need_nonce = from->need_nonce;
	out->unknown = from->unknown;
}

static void
compile_authority(struct compile *c, const struct authority_decl *a, uint32_t number)
{
	struct image_authority out;
	uint32_t index;
	size_t i;

	memset(&out, 0, sizeof(out));
	out.number = number;
	out.name = image_build_intern(&c->b, a->name);
	out.refresh_s = a->refresh_s;
	out.when_stale = a->when_stale;
	out.when_unchecked = a->when_unchecked;
	if (a->restrict_class != NULL && names_find(&c->classes, a->restrict_class, &index))
		out.restrict_class = c->class_number[index];
	compile_ocsp(c, &a->ocsp, &out.ocsp);
	out.flags = a->flags;
	out.skew_s = a->skew_s;
	out.grace_s = a->grace_s;
	out.max_age_s = a->max_age_s;
	out.issuers.first = image_build_count(&c->b, IMAGE_ISSUERS);
	out.issuers.n = (uint32_t)a->n_issuers;
	for (i = 0; i < a->n_issuers; i++)
		compile_issuer(c, &a->issuers[i]);
	out.sources.first = image_build_count(&c->b, IMAGE_SOURCES);
	out.sources.n = (uint32_t)a->n_sources;
	for (i = 0; i < a->n_sources; i++)
		compile_source(c, &a->sources[i], number, out.sources.first);
	out.where = compile_where(c, &a->where);
	image_build_add(&c->b, IMAGE_AUTHORITIES, &out, 1);
}

void
compile_authorities(struct compile *c)
{
	size_t i;

	for (i = 0; i < c->p->n_authorities; i++)
		compile_authority(c, &c->p->authorities[c->authority_order[i].index], c->authority_order[i].number);
}
