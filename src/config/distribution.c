/* SPDX-License-Identifier: GPL-2.0-or-later */
/* distribution.c -- distribution points (RFC 5280 4.2.1.13) in devices' certificates
 * become sources, where the admin has named their hosts. What a certificate says
 * leads nowhere else, and to no private address unless the admin says so. */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/reader.h"
#include "config/x509.h"
#include "proto/limits.h"

void
device_crl_done(struct device_crl *d)
{
	for (size_t i = 0; i < d->n_hosts; i++)
		free(d->hosts[i]);
	free(d->hosts);
	source_decl_done(&d->like);
	memset(d, 0, sizeof(*d));
}

void
device_crl_take(struct reader *r, struct device_crl *d)
{
	struct device_crl *slot = reader_grow(r, &r->device_crls, r->n_device_crls, sizeof(*slot));

	if (slot == NULL)
		return;
	*slot = *d;
	r->n_device_crls++;
	memset(d, 0, sizeof(*d));
}

/* ---- addresses ---------------------------------------------------------- */

struct urls {
	char **at;	/* owned */
	size_t n;
};

/* Is that the URL's host, with or without a port? A name before '@' is none. */
static bool
is_at(const char *url, const char *host)
{
	const char *at = strstr(url, "://") + 3;
	size_t n = strlen(host), len = strcspn(at, "/?#");

	if (memchr(at, '@', len) != NULL)
		return false;
	if (at[0] == '[' && strchr(host, ':') != NULL)
		return len > n + 1 && strncasecmp(at + 1, host, n) == 0 && at[n + 1] == ']' &&
		    (len == n + 2 || at[n + 2] == ':');
	return len >= n && strncasecmp(at, host, n) == 0 && (len == n || at[n] == ':');
}

static bool
has(const struct urls *u, const char *url)
{
	for (size_t i = u->n; i > 0; i--)
		if (strcmp(u->at[i - 1], url) == 0)
			return true;
	return false;
}

static void
add_uri(struct reader *r, const struct device_crl *d, const ASN1_STRING *uri, struct urls *u)
{
	const char *data = (const char *)ASN1_STRING_get0_data(uri);
	size_t len = (size_t)ASN1_STRING_length(uri), i;
	char text[LIMIT_URL], **slot;

	if (len >= sizeof(text) || memchr(data, '\0', len) != NULL)
		return;
	memcpy(text, data, len);
	text[len] = '\0';
	if (!url_is_http(text) || has(u, text))
		return;
	for (i = 0; i < d->n_hosts; i++)
		if (is_at(text, d->hosts[i]))
			break;
	/* One more than are used, to tell that there are. */
	if (i == d->n_hosts || u->n > LIMIT_DEVICE_SOURCES ||
	    (slot = reader_grow(r, &u->at, u->n, sizeof(*slot))) == NULL || (*slot = reader_copy(r, text)) == NULL)
		return;
	u->n++;
}

static void
add_certificate(struct reader *r, const struct device_crl *d, const struct certificate_decl *c, struct urls *u)
{
	X509 *x = x509_of_der(c->der, c->der_len);
	CRL_DIST_POINTS *points = x != NULL ? X509_get_ext_d2i(x, NID_crl_distribution_points, NULL, NULL) : NULL;
	int i, k;

	for (i = 0; i < sk_DIST_POINT_num(points); i++) {
		const DIST_POINT_NAME *name = sk_DIST_POINT_value(points, i)->distpoint;

		for (k = 0; name != NULL && name->type == 0 && k < sk_GENERAL_NAME_num(name->name.fullname); k++) {
			const GENERAL_NAME *g = sk_GENERAL_NAME_value(name->name.fullname, k);

			if (g->type == GEN_URI)
				add_uri(r, d, g->d.uniformResourceIdentifier, u);
		}
	}
	CRL_DIST_POINTS_free(points);
	X509_free(x);
	ERR_clear_error();
}

static int
url_cmp(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* ---- sources ------------------------------------------------------------ */

static bool
has_source(const struct authority_decl *a, const char *url)
{
	for (size_t i = 0; i < a->n_sources; i++)
		for (size_t k = 0; k < a->sources[i].n_urls; k++)
			if (strcmp(a->sources[i].urls[k], url) == 0)
				return true;
	return false;
}

/* Moves the text. */
static void
add_source(struct reader *r, struct authority_decl *a, const struct device_crl *d, char **url)
{
	struct source_decl *s;
	char **slot;

	if (has_source(a, *url) || (s = source_add(r, a, &d->like)) == NULL)
		return;
	s->where = d->where;
	s->flags = d->private ? 0 : SOURCE_FROM_DEVICES;
	if ((slot = reader_grow(r, &s->urls, 0, sizeof(*slot))) == NULL)
		return;
	*slot = *url;
	s->n_urls = 1;
	*url = NULL;
}

static void
resolve(struct reader *r, const struct device_crl *d)
{
	struct authority_decl *a = &r->p->authorities[d->authority];
	struct urls u = { .n = 0 };
	size_t i, k;

	for (i = 0; i < r->p->n_devices && r->error == 0; i++)
		for (k = 0; k < r->p->devices[i].n_certificates; k++) {
			const struct certificate_decl *c = &r->p->devices[i].certificates[k];

			/* Nobody's word but that of the authority itself. */
			if (c->issuer != 0 && strcmp(c->authority, a->name) == 0)
				add_certificate(r, d, c, &u);
		}
	r->file = d->where.file;
	if (u.n > LIMIT_DEVICE_SOURCES) {
		advice(r, d->where.line, "authority \"%s\": its devices' certificates name more than %u places of CRLs: "
		    "those found first are read, name the others with `crl'", a->name, LIMIT_DEVICE_SOURCES);
		free(u.at[--u.n]);
	}
	/* In an order that the order of devices does not change. */
	if (u.n > 0)
		qsort(u.at, u.n, sizeof(*u.at), url_cmp);
	for (i = 0; i < u.n && r->error == 0; i++)
		add_source(r, a, d, &u.at[i]);
	for (i = 0; i < u.n; i++)
		free(u.at[i]);
	free(u.at);
}

void
resolve_distribution(struct reader *r)
{
	for (size_t i = 0; i < r->n_device_crls && r->error == 0; i++)
		resolve(r, &r->device_crls[i]);
}
