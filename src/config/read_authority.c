/* SPDX-License-Identifier: GPL-2.0-or-later */
/* read_authority.c -- certification authorities and where their CRLs are. */
#include <stdlib.h>
#include <string.h>

#include "config/reader.h"
#include "proto/limits.h"

static void
key_name(struct reader *r, const config_setting_t *s, void *target)
{
	struct authority_decl *a = target;

	want_name(r, s, "authority", "factory-ca", &a->name);
}

static void
key_certificate(struct reader *r, const config_setting_t *s, void *target)
{
	struct authority_decl *a = target;
	const char *path = want_string(r, s, "/etc/cordon/pki/factory-ca.pem");

	struct issuer_decl *slot;

	if (path == NULL || (slot = reader_grow(r, &a->issuers, a->n_issuers, sizeof(*slot))) == NULL)
		return;
	slot->where = reader_where(r, line_of(s));
	read_certificate(r, line_of(s), path, LIMIT_CERTIFICATE_BYTES, &slot->der, &slot->der_len);
	a->n_issuers++;
}

static void
key_ca(struct reader *r, const config_setting_t *s, void *target)
{
	struct authority_decl *a = target;
	const char *path = want_string(r, s, "/etc/cordon/pki/web-ca.pem");
	size_t i;

	for (i = 0; path != NULL && i < a->n_sources; i++)
		read_certificate(r, line_of(s), path, LIMIT_FETCH_CA, &a->sources[i].ca_der, &a->sources[i].ca_der_len);
}

static void
add_crl(struct reader *r, const config_setting_t *s, void *target)
{
	struct authority_decl *a = target;
	const char *url = want_string(r, s, "http://pki.example/factory.crl");
	struct source_decl *source;
	char **slot, *copy;

	if (url == NULL)
		return;
	if (!url_is_valid(url)) {
		mistake(r, line_of(s), "crl \"%.200s\" is no address we can fetch: http://, https:// or file:/// "
		    "and no blanks", url);
		return;
	}
	if ((source = reader_grow(r, &a->sources, a->n_sources, sizeof(*source))) == NULL)
		return;
	source_decl_init(source, a);
	source->where = reader_where(r, line_of(s));
	a->n_sources++;
	if ((slot = reader_grow(r, &source->urls, 0, sizeof(*slot))) == NULL || (copy = reader_copy(r, url)) == NULL)
		return;
	*slot = copy;
	source->n_urls = 1;
}

static void
key_crl(struct reader *r, const config_setting_t *s, void *target)
{
	each_value(r, s, add_crl, target);
}

static void
key_refresh(struct reader *r, const config_setting_t *s, void *target)
{
	struct authority_decl *a = target;

	if (want_duration(r, s, 1, LIMIT_REFRESH_SECONDS, &a->refresh_s) && a->refresh_s < 60)
		advice(r, line_of(s), "refresh = \"%us\" asks the CRL server more than once a minute: only for a lab",
		    a->refresh_s);
}

static void
key_when_stale(struct reader *r, const config_setting_t *s, void *target)
{
	struct authority_decl *a = target;
	const char *word = want_string(r, s, "keep");

	a->when_stale = WHEN_STALE_KEEP;
	if (word != NULL && strcmp(word, "keep") != 0)
		mistake(r, line_of(s), "when_stale = \"%.64s\": \"keep\" is possible (what was revoked stays so)", word);
}

void
read_authority(struct reader *r, const config_setting_t *s)
{
	static const struct key keys[] = {
		{ "name", key_name, KEY_NEEDED },
		{ "certificate", key_certificate, KEY_NEEDED },
		{ "crl", key_crl, NULL },
		{ "refresh", key_refresh, NULL },
		{ "when_stale", key_when_stale, NULL },
		{ "ca", key_ca, NULL },
		{ NULL, NULL, NULL }
	};
	struct authority_decl a, *slot;

	authority_decl_init(&a);
	a.where = reader_where(r, line_of(s));
	if (!read_group(r, s, keys, "an authority", &a) || a.name == NULL ||
	    (slot = reader_grow(r, &r->p->authorities, r->p->n_authorities, sizeof(*slot))) == NULL) {
		authority_decl_done(&a);
		return;
	}
	for (size_t i = 0; i < a.n_sources; i++)
		a.sources[i].refresh_s = a.refresh_s;
	if (a.n_issuers > 0 && a.issuers[0].der != NULL)
		check_authority(r, a.where.line, &a);
	*slot = a;
	r->p->n_authorities++;
}
