/* SPDX-License-Identifier: GPL-2.0-or-later */
/* describe_authorities.c -- what changes of authorities: whose word counts, where it is
 * read, and what becomes of devices that nobody speaks about. */
#include <string.h>

#include "model/describe_parts.h"
#include "model/words.h"

/* One that is there before and after. */
struct pair {
	const struct image_authority *x;
	const struct image_authority *y;
};

static void
text(struct describer *d, const struct image_where *w, const char *what, const char *key, const char *from,
    const char *to)
{
	if (strcmp(from, to) != 0)
		describe_say(d, DESCRIBED_CHANGES, d->next, w, "%s%s%s: %s -> %s", what, what[0] != '\0' ? ": " : "", key,
		    from[0] != '\0' ? from : "none", to[0] != '\0' ? to : "none");
}

static void
duration(struct describer *d, const struct image_where *w, const char *what, const char *key, uint32_t x, uint32_t y)
{
	char from[DURATION_STRLEN], to[DURATION_STRLEN];

	text(d, w, what, key, duration_format(x, from), duration_format(y, to));
}

static const char *
either(bool second, const char *no, const char *yes)
{
	return second ? yes : no;
}

/* ---- certificates ------------------------------------------------------- */

static bool
same_blob(const struct image *a, uint32_t at, uint32_t n, const struct image *b, uint32_t bt, uint32_t m)
{
	return n == m && memcmp(a->blobs + at, b->blobs + bt, n) == 0;
}

static bool
has_issuer(const struct image *im, const struct image_authority *a, const struct image *jm,
    const struct image_issuer *s)
{
	for (uint32_t i = 0; i < a->issuers.n; i++) {
		const struct image_issuer *x = &im->issuers[a->issuers.first + i];

		if (x->role == s->role && same_blob(im, x->certificate, x->certificate_len, jm, s->certificate,
		    s->certificate_len))
			return true;
	}
	return false;
}

static const char *
role_word(uint32_t role)
{
	switch ((enum issuer_role)role) {
	case ISSUER_OWN:
		return "certificate";
	case ISSUER_CRL:
		return "crl_issuer";
	case ISSUER_OCSP:
		return "ocsp_issuer";
	}
	return "?";
}

static void
issuers(struct describer *d, const struct image *im, const struct image_authority *a, const struct image *other,
    const struct image_authority *b, enum described_sign sign)
{
	for (uint32_t i = 0; i < a->issuers.n; i++) {
		const struct image_issuer *s = &im->issuers[a->issuers.first + i];

		if (!has_issuer(other, b, im, s))
			describe_say(d, sign, im, &s->where, "%s %s", sign == DESCRIBED_COMES ? "another" :
			    "no longer that", role_word(s->role));
	}
}

/* ---- sources ------------------------------------------------------------ */

static const struct image_source *
source_at(const struct image *im, const struct image_authority *a, const char *url)
{
	for (uint32_t i = 0; i < a->sources.n; i++)
		if (strcmp(image_source_url(im, &im->sources[a->sources.first + i]), url) == 0)
			return &im->sources[a->sources.first + i];
	return NULL;
}

static const char *
kind_word(const struct image_source *s)
{
	if ((s->flags & SOURCE_DELTA) != 0)
		return "delta CRL";
	return (s->flags & SOURCE_FROM_DEVICES) != 0 ? "CRL, as devices' certificates say," : "CRL";
}

static bool
has_url(const struct image *im, const struct image_source *s, const char *url)
{
	for (uint32_t i = 0; i < s->urls.n; i++)
		if (strcmp(image_text(im, im->urls[s->urls.first + i]), url) == 0)
			return true;
	return false;
}

static void
mirrors(struct describer *d, const struct image *im, const struct image_source *s, const struct image *other,
    const struct image_source *t, enum described_sign sign)
{
	for (uint32_t i = 1; i < s->urls.n; i++) {
		const char *url = image_text(im, im->urls[s->urls.first + i]);

		if (!has_url(other, t, url))
			describe_say(d, sign, im, &s->where, "%s: %s %s", image_source_url(im, s),
			    sign == DESCRIBED_COMES ? "is mirrored at" : "is no longer mirrored at", url);
	}
}

static void
source(struct describer *d, const struct image_source *x, const struct image_source *y)
{
	const char *url = image_source_url(d->next, y);
	char from[SIZE_STRLEN], to[SIZE_STRLEN];

	mirrors(d, d->old, x, d->next, y, DESCRIBED_GOES);
	mirrors(d, d->next, y, d->old, x, DESCRIBED_COMES);
	text(d, &y->where, url, "is read as", kind_word(x), kind_word(y));
	text(d, &y->where, url, "covers", either((x->flags & SOURCE_COVERS_ALL) != 0, "auto", "all"),
	    either((y->flags & SOURCE_COVERS_ALL) != 0, "auto", "all"));
	duration(d, &y->where, url, "refresh", x->refresh_s, y->refresh_s);
	text(d, &y->where, url, "max_size", size_format(x->max_bytes, from), size_format(y->max_bytes, to));
	duration(d, &y->where, url, "timeout", x->timeout_s, y->timeout_s);
	text(d, &y->where, url, "pin", image_text(d->old, x->pin), image_text(d->next, y->pin));
	text(d, &y->where, url, "proxy", image_text(d->old, x->proxy), image_text(d->next, y->proxy));
	text(d, &y->where, url, "no_proxy", image_text(d->old, x->no_proxy), image_text(d->next, y->no_proxy));
	text(d, &y->where, url, "hosts", image_text(d->old, x->hosts), image_text(d->next, y->hosts));
	if (!same_blob(d->old, x->ca, x->ca_len, d->next, y->ca, y->ca_len))
		describe_say(d, DESCRIBED_CHANGES, d->next, &y->where, "%s: another ca vouches for its server", url);
}

static void
sources(struct describer *d, const struct pair *p)
{
	const struct image_source *s;
	uint32_t i;

	for (i = 0; i < p->x->sources.n; i++) {
		s = &d->old->sources[p->x->sources.first + i];
		if (source_at(d->next, p->y, image_source_url(d->old, s)) == NULL)
			describe_say(d, DESCRIBED_GOES, d->old, &s->where, "no longer reads %s",
			    image_source_url(d->old, s));
	}
	for (i = 0; i < p->y->sources.n; i++) {
		const struct image_source *y = &d->next->sources[p->y->sources.first + i];

		if ((s = source_at(d->old, p->x, image_source_url(d->next, y))) == NULL)
			describe_say(d, DESCRIBED_COMES, d->next, &y->where, "reads its %s at %s", kind_word(y),
			    image_source_url(d->next, y));
		else
			source(d, s, y);
	}
}

/* ---- what becomes of devices -------------------------------------------- */

static const char *
restricted_to(const struct image *im, const struct image_authority *a)
{
	return a->restrict_class != 0 ? image_text(im, image_class(im, a->restrict_class)->name) : "";
}

static void
flag(struct describer *d, const struct pair *p, uint32_t bit, const char *key, const char *no, const char *yes)
{
	text(d, &p->y->where, "", key, either((p->x->flags & bit) != 0, no, yes),
	    either((p->y->flags & bit) != 0, no, yes));
}

static const char *
asked_word(uint32_t devices)
{
	switch ((enum ocsp_devices)devices) {
	case OCSP_OFF:
		return "nobody";
	case OCSP_CRITICAL:
		return "critical devices";
	case OCSP_ALL:
		return "all devices";
	}
	return "?";
}

static void
ocsp(struct describer *d, const struct pair *p)
{
	const struct image_ocsp *x = &p->x->ocsp, *y = &p->y->ocsp;
	const struct image_where *w = &p->y->where;

	text(d, w, "ocsp", "asks about", asked_word(x->devices), asked_word(y->devices));
	text(d, w, "ocsp", "url", image_text(d->old, x->url), image_text(d->next, y->url));
	if (x->devices == OCSP_OFF || y->devices == OCSP_OFF)
		return;
	duration(d, w, "ocsp", "refresh", x->refresh_s, y->refresh_s);
	duration(d, w, "ocsp", "max_age", x->max_age_s, y->max_age_s);
	text(d, w, "ocsp", "nonce", either(x->need_nonce != 0, "wanted", "needed"),
	    either(y->need_nonce != 0, "wanted", "needed"));
	text(d, w, "ocsp", "unknown", when_stale_word(x->unknown), when_stale_word(y->unknown));
}

static void
changed(struct describer *d, const struct pair *p)
{
	const struct image_authority *x = p->x, *y = p->y;
	const struct image_where *w = &y->where;

	issuers(d, d->old, x, d->next, y, DESCRIBED_GOES);
	issuers(d, d->next, y, d->old, x, DESCRIBED_COMES);
	duration(d, w, "", "refresh", x->refresh_s, y->refresh_s);
	duration(d, w, "", "skew", x->skew_s, y->skew_s);
	duration(d, w, "", "grace", x->grace_s, y->grace_s);
	duration(d, w, "", "max_age", x->max_age_s, y->max_age_s);
	text(d, w, "", "when_stale", when_stale_word(x->when_stale), when_stale_word(y->when_stale));
	text(d, w, "", "when_unchecked", when_stale_word(x->when_unchecked), when_stale_word(y->when_unchecked));
	text(d, w, "", "restrict_class", restricted_to(d->old, x), restricted_to(d->next, y));
	flag(d, p, AUTHORITY_ROLLOVER_SHARED, "rollover", "per-key", "shared");
	flag(d, p, AUTHORITY_HOLD_MANUAL, "hold", "automatic", "manual");
	flag(d, p, AUTHORITY_SHA1, "sha1", "false", "true");
	ocsp(d, p);
	sources(d, p);
}

static void
authority(struct describer *d, const struct image_authority *x, const struct image_authority *y)
{
	const struct pair p = { .x = x, .y = y };

	d->name = y != NULL ? image_text(d->next, y->name) : image_text(d->old, x->name);
	if (x == NULL)
		describe_say(d, DESCRIBED_COMES, d->next, &y->where, "new authority");
	else if (y == NULL)
		describe_say(d, DESCRIBED_GOES, d->old, &x->where, "authority taken away");
	else
		changed(d, &p);
}

void
describe_authorities(struct describer *d)
{
	d->area = DESCRIBED_AUTHORITY;
	for (uint32_t i = 0; d->old != NULL && i < d->old->n[IMAGE_AUTHORITIES]; i++)
		if (image_authority_named(d->next, image_text(d->old, d->old->authorities[i].name)) == NULL)
			authority(d, &d->old->authorities[i], NULL);
	for (uint32_t i = 0; i < d->next->n[IMAGE_AUTHORITIES]; i++) {
		const struct image_authority *y = &d->next->authorities[i];

		authority(d, d->old == NULL ? NULL : image_authority_named(d->old, image_text(d->next, y->name)), y);
	}
}
