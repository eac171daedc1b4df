/* SPDX-License-Identifier: GPL-2.0-or-later */
/* read_authority.c -- certification authorities: whose word counts, and what becomes
 * of devices that nobody speaks about. Where CRLs are is in read_source.c. */
#include <stdlib.h>
#include <string.h>

#include "config/reader.h"
#include "model/words.h"
#include "proto/limits.h"

/* The order of keys does not matter: what others depend on is looked at in the end. */
struct authority_reading {
	struct source_decl like;	/* first: what its sources have unless they say otherwise */
	struct authority_decl a;
	const config_setting_t *crl;
	struct device_crl from_devices;
};

static void
key_name(struct reader *r, const config_setting_t *s, void *target)
{
	struct authority_reading *w = target;

	want_name(r, s, "authority", "factory-ca", &w->a.name);
}

/* ---- certificates ------------------------------------------------------- */

static void
add_issuers(struct reader *r, const config_setting_t *s, struct authority_decl *a, enum issuer_role role)
{
	const char *path = want_string(r, s, "/etc/cordon/pki/factory-ca.pem");
	struct issuer_decl *slot;
	struct der_list list;
	size_t i;

	if (path == NULL || !read_certificates(r, line_of(s), path, LIMIT_CERTIFICATE_BYTES, &list))
		return;
	for (i = 0; i < list.n && (slot = reader_grow(r, &a->issuers, a->n_issuers, sizeof(*slot))) != NULL; i++) {
		*slot = (struct issuer_decl){ .where = reader_where(r, line_of(s)), .role = role,
			.der = list.d[i].bytes, .der_len = list.d[i].len };
		list.d[i].bytes = NULL;
		a->n_issuers++;
	}
	der_list_done(&list);
}

static void
add_own(struct reader *r, const config_setting_t *s, void *target)
{
	add_issuers(r, s, target, ISSUER_OWN);
}

static void
add_crl_issuer(struct reader *r, const config_setting_t *s, void *target)
{
	add_issuers(r, s, target, ISSUER_CRL);
}

static void
add_ocsp_issuer(struct reader *r, const config_setting_t *s, void *target)
{
	add_issuers(r, s, target, ISSUER_OCSP);
}

static void
key_certificate(struct reader *r, const config_setting_t *s, void *target)
{
	struct authority_reading *w = target;

	each_value(r, s, add_own, &w->a);
}

static void
key_crl_issuer(struct reader *r, const config_setting_t *s, void *target)
{
	struct authority_reading *w = target;

	each_value(r, s, add_crl_issuer, &w->a);
}

static void
key_ocsp_issuer(struct reader *r, const config_setting_t *s, void *target)
{
	struct authority_reading *w = target;

	each_value(r, s, add_ocsp_issuer, &w->a);
}

/* By role; in one role as they were written. */
static void
sort_issuers(struct authority_decl *a)
{
	struct issuer_decl one;
	size_t i, k;

	for (i = 1; i < a->n_issuers; i++) {
		one = a->issuers[i];
		for (k = i; k > 0 && a->issuers[k - 1].role > one.role; k--)
			a->issuers[k] = a->issuers[k - 1];
		a->issuers[k] = one;
	}
}

/* ---- times -------------------------------------------------------------- */

static void
key_refresh(struct reader *r, const config_setting_t *s, void *target)
{
	struct authority_reading *w = target;

	if (want_duration(r, s, 1, LIMIT_REFRESH_SECONDS, &w->a.refresh_s))
		check_refresh(r, s, w->a.refresh_s);
}

static void
key_skew(struct reader *r, const config_setting_t *s, void *target)
{
	struct authority_reading *w = target;

	want_duration(r, s, 0, LIMIT_REFRESH_SECONDS, &w->a.skew_s);
}

static void
key_grace(struct reader *r, const config_setting_t *s, void *target)
{
	struct authority_reading *w = target;

	want_duration(r, s, 0, LIMIT_REFRESH_SECONDS, &w->a.grace_s);
}

static void
key_max_age(struct reader *r, const config_setting_t *s, void *target)
{
	struct authority_reading *w = target;

	want_duration(r, s, 1, LIMIT_REFRESH_SECONDS, &w->a.max_age_s);
}

/* ---- what becomes of devices -------------------------------------------- */

static void
want_when(struct reader *r, const config_setting_t *s, enum when_stale *out)
{
	const char *word = want_string(r, s, "keep");
	uint32_t when;

	if (word == NULL)
		return;
	if (when_stale_parse(word, &when) < 0)
		mistake(r, line_of(s), "%s = \"%.64s\": \"keep\" (an alarm and nothing else), \"restrict\" (to the rules "
		    "of restrict_class) or \"quarantine\" is possible", key_of(s), word);
	else
		*out = when;
}

static void
key_when_stale(struct reader *r, const config_setting_t *s, void *target)
{
	struct authority_reading *w = target;

	want_when(r, s, &w->a.when_stale);
}

static void
key_when_unchecked(struct reader *r, const config_setting_t *s, void *target)
{
	struct authority_reading *w = target;

	want_when(r, s, &w->a.when_unchecked);
}

static void
key_restrict_class(struct reader *r, const config_setting_t *s, void *target)
{
	struct authority_reading *w = target;

	want_name(r, s, "class", "limited", &w->a.restrict_class);
}

static void
set_flag(struct authority_decl *a, uint32_t flag, bool set)
{
	a->flags = set ? a->flags | flag : a->flags & ~flag;
}

/* Is it the second of two words? false when it is neither. */
static bool
want_either(struct reader *r, const config_setting_t *s, const char *first, const char *second)
{
	const char *word = want_string(r, s, first);

	if (word != NULL && strcmp(word, first) != 0 && strcmp(word, second) != 0)
		mistake(r, line_of(s), "%s = \"%.64s\": \"%s\" or \"%s\" is possible", key_of(s), word, first, second);
	return word != NULL && strcmp(word, second) == 0;
}

static void
key_rollover(struct reader *r, const config_setting_t *s, void *target)
{
	struct authority_reading *w = target;

	set_flag(&w->a, AUTHORITY_ROLLOVER_SHARED, want_either(r, s, "per-key", "shared"));
}

static void
key_hold(struct reader *r, const config_setting_t *s, void *target)
{
	struct authority_reading *w = target;

	set_flag(&w->a, AUTHORITY_HOLD_MANUAL, want_either(r, s, "automatic", "manual"));
}

static void
key_sha1(struct reader *r, const config_setting_t *s, void *target)
{
	struct authority_reading *w = target;
	bool yes = want_bool(r, s);

	set_flag(&w->a, AUTHORITY_SHA1, yes);
	if (yes)
		advice(r, line_of(s), "sha1 = true accepts CRLs signed with SHA-1: who can make two with one digest can "
		    "exchange them");
}

/* ---- sources ------------------------------------------------------------ */

static void
key_crl(struct reader *r, const config_setting_t *s, void *target)
{
	struct authority_reading *w = target;

	(void)r;
	w->crl = s;
}

static void
add_device_host(struct reader *r, const config_setting_t *s, void *target)
{
	struct device_crl *d = target;
	const char *host = want_string(r, s, "crl.example.com");
	char **slot, *copy;

	if (host == NULL)
		return;
	if (!is_host(host)) {
		mistake(r, line_of(s), "devices_crl \"%.100s\" is no host: the name or address is expected that stands in "
		    "the certificates' distribution points, as in \"crl.example.com\"", host);
		return;
	}
	if ((slot = reader_grow(r, &d->hosts, d->n_hosts, sizeof(*slot))) == NULL || (copy = reader_copy(r, host)) == NULL)
		return;
	*slot = copy;
	d->n_hosts++;
}

static void
key_device_hosts(struct reader *r, const config_setting_t *s, void *target)
{
	each_value(r, s, add_device_host, target);
}

static void
key_private(struct reader *r, const config_setting_t *s, void *target)
{
	struct device_crl *d = target;

	d->private = want_bool(r, s);
}

static void
key_devices_crl(struct reader *r, const config_setting_t *s, void *target)
{
	static const struct key keys[] = {
		{ "hosts", key_device_hosts, KEY_NEEDED },
		{ "private", key_private, NULL },
		{ NULL, NULL, NULL }
	};
	struct authority_reading *w = target;

	w->from_devices.where = reader_where(r, line_of(s));
	if (config_setting_is_group(s))
		read_group(r, s, keys, "devices_crl", &w->from_devices);
	else
		each_value(r, s, add_device_host, &w->from_devices);
}

static void
key_ocsp(struct reader *r, const config_setting_t *s, void *target)
{
	struct authority_reading *w = target;

	read_ocsp(r, s, &w->a.ocsp);
}

/* ---- the whole ---------------------------------------------------------- */

/* Everything is there now, in whatever order. */
static void
finish(struct reader *r, struct authority_reading *w)
{
	w->like.refresh_s = w->a.refresh_s;
	if (w->crl != NULL)
		read_sources(r, w->crl, &w->a, &w->like);
	sort_issuers(&w->a);
	check_authority(r, &w->a);
	if (w->from_devices.n_hosts == 0)
		return;
	w->from_devices.authority = r->p->n_authorities;
	w->from_devices.like = w->like;
	device_crl_take(r, &w->from_devices);
	memset(&w->like, 0, sizeof(w->like));
}

void
read_authority(struct reader *r, const config_setting_t *s)
{
	static const struct key keys[] = {
		{ "name", key_name, KEY_NEEDED },
		{ "certificate", key_certificate, KEY_NEEDED },
		{ "crl_issuer", key_crl_issuer, NULL },
		{ "ocsp_issuer", key_ocsp_issuer, NULL },
		{ "crl", key_crl, NULL },
		{ "devices_crl", key_devices_crl, NULL },
		{ "ocsp", key_ocsp, NULL },
		{ "refresh", key_refresh, NULL },
		{ "skew", key_skew, NULL },
		{ "grace", key_grace, NULL },
		{ "max_age", key_max_age, NULL },
		{ "when_stale", key_when_stale, NULL },
		{ "when_unchecked", key_when_unchecked, NULL },
		{ "restrict_class", key_restrict_class, NULL },
		{ "rollover", key_rollover, NULL },
		{ "hold", key_hold, NULL },
		{ "sha1", key_sha1, NULL },
		{ "max_size", key_max_size, NULL },
		{ "timeout", key_timeout, NULL },
		{ "ca", key_ca, NULL },
		{ "pin", key_pin, NULL },
		{ "proxy", key_proxy, NULL },
		{ "no_proxy", key_no_proxy, NULL },
		{ "hosts", key_hosts, NULL },
		{ NULL, NULL, NULL }
	};
	struct authority_reading w;
	struct authority_decl *slot;
	bool read;

	memset(&w, 0, sizeof(w));
	authority_decl_init(&w.a);
	source_decl_init(&w.like, &w.a);
	w.a.where = w.like.where = reader_where(r, line_of(s));
	read = read_group(r, s, keys, "an authority", &w);
	if (read && w.a.name != NULL)
		finish(r, &w);
	source_decl_done(&w.like);
	device_crl_done(&w.from_devices);
	if (!read || w.a.name == NULL ||
	    (slot = reader_grow(r, &r->p->authorities, r->p->n_authorities, sizeof(*slot))) == NULL) {
		authority_decl_done(&w.a);
		return;
	}
	*slot = w.a;
	r->p->n_authorities++;
}
