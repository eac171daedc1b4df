/* SPDX-License-Identifier: GPL-2.0-or-later */
/* read_source.c -- where an authority's CRLs are, and how to get there. What is
 * written for the authority holds for each of its sources that says nothing else. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/reader.h"
#include "model/words.h"
#include "proto/limits.h"

#define NONE "none"	/* takes away what the authority says */

/* A source while it is read: its delta CRLs become sources of their own. */
struct source_reading {
	struct source_decl s;
	const config_setting_t *delta;
};

/* ---- one key ------------------------------------------------------------ */

void
key_max_size(struct reader *r, const config_setting_t *s, void *target)
{
	struct source_decl *d = target;
	char most[SIZE_STRLEN];
	const char *text;
	long long n;
	uint32_t bytes;

	if (config_setting_type(s) != CONFIG_TYPE_STRING) {
		if (want_number(r, s, 1, LIMIT_CRL_BYTES, &n))
			d->max_bytes = (uint32_t)n;
		return;
	}
	text = config_setting_get_string(s);
	if (size_parse(text, &bytes) < 0)
		mistake(r, line_of(s), "`%s' is \"%.64s\": bytes are expected, as in 65536, \"512k\" or \"64M\"", key_of(s),
		    text);
	else if (bytes < 1 || bytes > LIMIT_CRL_BYTES)
		mistake(r, line_of(s), "`%s' is \"%.64s\": from 1 to \"%s\" is possible", key_of(s), text,
		    size_format(LIMIT_CRL_BYTES, most));
	else
		d->max_bytes = bytes;
}

void
key_timeout(struct reader *r, const config_setting_t *s, void *target)
{
	struct source_decl *d = target;

	want_duration(r, s, 1, LIMIT_FETCH_SECONDS, &d->timeout_s);
}

void
check_refresh(struct reader *r, const config_setting_t *s, uint32_t seconds)
{
	if (seconds < 60)
		advice(r, line_of(s), "refresh = \"%us\" asks the server more than once a minute: only for a lab", seconds);
}

static void
key_refresh(struct reader *r, const config_setting_t *s, void *target)
{
	struct source_decl *d = target;

	if (want_duration(r, s, 1, LIMIT_REFRESH_SECONDS, &d->refresh_s))
		check_refresh(r, s, d->refresh_s);
}

static void
key_covers(struct reader *r, const config_setting_t *s, void *target)
{
	struct source_decl *d = target;
	const char *word = want_string(r, s, "auto");

	d->flags &= ~(uint32_t)SOURCE_COVERS_ALL;
	if (word != NULL && strcmp(word, "all") == 0)
		d->flags |= SOURCE_COVERS_ALL;
	else if (word != NULL && strcmp(word, "auto") != 0)
		mistake(r, line_of(s), "covers = \"%.64s\": \"auto\" (what the CRL says it is about) or \"all\" (all "
		    "certificates of the authority) is possible", word);
}

static bool
is_none(const config_setting_t *s)
{
	return config_setting_type(s) == CONFIG_TYPE_STRING && strcmp(config_setting_get_string(s), NONE) == 0;
}

void
key_ca(struct reader *r, const config_setting_t *s, void *target)
{
	struct source_decl *d = target;
	const char *path = want_string(r, s, "/etc/cordon/pki/web-ca.pem");
	struct der_list list;

	free(d->ca_der);
	d->ca_der = NULL;
	d->ca_der_len = 0;
	if (path == NULL || is_none(s) || !read_certificates(r, line_of(s), path, LIMIT_FETCH_CA, &list))
		return;
	if (list.n > 1)
		mistake(r, line_of(s), "ca: %.200s holds %zu certificates, and one is trusted: name a file with that one",
		    path, list.n);
	d->ca_der = list.d[0].bytes;
	d->ca_der_len = list.d[0].len;
	list.d[0].bytes = NULL;
	der_list_done(&list);
}

void
key_proxy(struct reader *r, const config_setting_t *s, void *target)
{
	struct source_decl *d = target;
	const char *url = want_string(r, s, "http://proxy.example:3128");

	free(d->proxy);
	d->proxy = NULL;
	if (url == NULL || is_none(s))
		return;
	if (url_is_http(url))
		d->proxy = reader_copy(r, url);
	else
		mistake(r, line_of(s), "proxy \"%.200s\" is none: an address as in \"http://proxy.example:3128\" is "
		    "expected, or \"none\"", url);
}

/* ---- several values in one text ----------------------------------------- */

struct joined {
	char **text;	/* owned; grows */
	size_t max;	/* with the NUL */
	char between;
	bool (*valid)(const char *);
	const char *example;
};

static void
join(struct reader *r, const config_setting_t *s, void *target)
{
	const struct joined *j = target;
	const char *word = want_string(r, s, j->example);
	size_t have = *j->text != NULL ? strlen(*j->text) : 0, n;
	char *grown;

	if (word == NULL)
		return;
	if (!j->valid(word)) {
		mistake(r, line_of(s), "`%s' is \"%.100s\": what is expected looks like \"%s\"", key_of(s), word, j->example);
		return;
	}
	n = have + 1 + strlen(word) + 1;
	if (n > j->max) {
		mistake(r, line_of(s), "`%s' is too long: all of them together have at most %zu characters", key_of(s),
		    j->max - 1);
		return;
	}
	if ((grown = realloc(*j->text, n)) == NULL) {
		r->error = -ENOMEM;
		return;
	}
	*j->text = grown;
	if (have > 0)
		grown[have++] = j->between;
	memcpy(grown + have, word, strlen(word) + 1);
}

static void
join_all(struct reader *r, const config_setting_t *s, struct joined *j)
{
	free(*j->text);
	*j->text = NULL;
	if (!is_none(s))
		each_value(r, s, join, j);
}

void
key_pin(struct reader *r, const config_setting_t *s, void *target)
{
	struct source_decl *d = target;
	struct joined j = { &d->pin, LIMIT_PIN, ';', pin_is_valid,
		"sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" };

	join_all(r, s, &j);
}

bool
is_host(const char *text)
{
	struct addr a;

	return text[0] != '*' && (host_name_is_valid(text) || addr_parse(text, &a) == 0);
}

void
key_no_proxy(struct reader *r, const config_setting_t *s, void *target)
{
	struct source_decl *d = target;
	struct joined j = { &d->no_proxy, LIMIT_URL, ',', is_host, "pki.example" };

	join_all(r, s, &j);
}

void
key_hosts(struct reader *r, const config_setting_t *s, void *target)
{
	struct source_decl *d = target;
	struct joined j = { &d->hosts, LIMIT_URL, ',', is_host, "cdn.example" };

	join_all(r, s, &j);
}

/* ---- addresses ---------------------------------------------------------- */

static void
add_url(struct reader *r, const config_setting_t *s, void *target)
{
	struct source_decl *d = target;
	const char *url = want_string(r, s, "http://pki.example/factory.crl");
	char **slot, *copy;
	size_t i;

	if (url == NULL)
		return;
	if (!url_is_valid(url)) {
		mistake(r, line_of(s), "%s \"%.200s\" is no address we can fetch: http://, https://, "
		    "ldap://HOST/ENTRY, ldaps:// or file:/// (a folder ends with '/') and no blanks", key_of(s), url);
		return;
	}
	for (i = 0; i < d->n_urls; i++)
		if (strcmp(d->urls[i], url) == 0)
			mistake(r, line_of(s), "%s \"%.200s\" stands there twice: once is enough", key_of(s), url);
	if ((slot = reader_grow(r, &d->urls, d->n_urls, sizeof(*slot))) == NULL || (copy = reader_copy(r, url)) == NULL)
		return;
	*slot = copy;
	d->n_urls++;
}

static void
key_url(struct reader *r, const config_setting_t *s, void *target)
{
	each_value(r, s, add_url, target);
}

static void
key_delta(struct reader *r, const config_setting_t *s, void *target)
{
	struct source_reading *reading = target;

	(void)r;
	reading->delta = s;
}

/* ---- sources ------------------------------------------------------------ */

/* What both have but addresses. */
bool
source_like(struct reader *r, struct source_decl *out, const struct source_decl *from)
{
	*out = *from;
	out->urls = NULL;
	out->n_urls = 0;
	out->pin = from->pin != NULL ? reader_copy(r, from->pin) : NULL;
	out->proxy = from->proxy != NULL ? reader_copy(r, from->proxy) : NULL;
	out->no_proxy = from->no_proxy != NULL ? reader_copy(r, from->no_proxy) : NULL;
	out->hosts = from->hosts != NULL ? reader_copy(r, from->hosts) : NULL;
	out->ca_der = NULL;
	if (from->ca_der_len > 0) {
		if ((out->ca_der = malloc(from->ca_der_len)) == NULL)
			r->error = -ENOMEM;
		else
			memcpy(out->ca_der, from->ca_der, from->ca_der_len);
	}
	return r->error == 0;
}

struct source_decl *
source_add(struct reader *r, struct authority_decl *a, const struct source_decl *like)
{
	struct source_decl from = *like;	/* which may be one of those that move now */
	struct source_decl *slot = reader_grow(r, &a->sources, a->n_sources, sizeof(*slot));

	if (slot == NULL)
		return NULL;
	a->n_sources++;
	return source_like(r, slot, &from) ? slot : NULL;
}

struct delta_reading {
	struct authority_decl *a;
	uint32_t base;
};

static void
add_delta(struct reader *r, const config_setting_t *s, void *target)
{
	struct delta_reading *d = target;
	struct source_decl *delta = source_add(r, d->a, &d->a->sources[d->base]);

	if (delta == NULL)
		return;
	delta->where = reader_where(r, line_of(s));
	delta->flags |= SOURCE_DELTA;
	delta->base = d->base;
	add_url(r, s, delta);
	if (delta->n_urls == 0) {
		source_decl_done(delta);
		d->a->n_sources--;
	}
}

static void
read_source_group(struct reader *r, const config_setting_t *s, struct source_reading *reading)
{
	static const struct key keys[] = {
		{ "url", key_url, KEY_NEEDED },
		{ "delta", key_delta, NULL },
		{ "covers", key_covers, NULL },
		{ "refresh", key_refresh, NULL },
		{ "max_size", key_max_size, NULL },
		{ "timeout", key_timeout, NULL },
		{ "ca", key_ca, NULL },
		{ "pin", key_pin, NULL },
		{ "proxy", key_proxy, NULL },
		{ "no_proxy", key_no_proxy, NULL },
		{ "hosts", key_hosts, NULL },
		{ NULL, NULL, NULL }
	};

	read_group(r, s, keys, "crl", reading);
}

static void
add_source(struct reader *r, const config_setting_t *s, struct authority_decl *a, const struct source_decl *like)
{
	struct source_reading reading = { .delta = NULL };
	struct delta_reading d = { .a = a };
	struct source_decl *slot;

	if (!source_like(r, &reading.s, like))
		goto out;
	reading.s.where = reader_where(r, line_of(s));
	if (config_setting_is_group(s))
		read_source_group(r, s, &reading);
	else
		add_url(r, s, &reading.s);
	if (reading.s.n_urls == 0 || (slot = reader_grow(r, &a->sources, a->n_sources, sizeof(*slot))) == NULL)
		goto out;
	*slot = reading.s;
	d.base = (uint32_t)a->n_sources++;
	if (reading.delta != NULL)
		each_value(r, reading.delta, add_delta, &d);
	return;
out:
	source_decl_done(&reading.s);
}

void
read_sources(struct reader *r, const config_setting_t *s, struct authority_decl *a, const struct source_decl *like)
{
	unsigned i, n;

	if (config_setting_is_group(s) || !config_setting_is_aggregate(s)) {
		add_source(r, s, a, like);
		return;
	}
	n = (unsigned)config_setting_length(s);
	if (n == 0)
		mistake(r, line_of(s), "`%s' is empty: name where the CRL is, or leave the key out", key_of(s));
	for (i = 0; i < n && r->error == 0; i++) {
		const config_setting_t *one = config_setting_get_elem(s, i);

		if (config_setting_is_list(one) || config_setting_is_array(one))
			mistake(r, line_of(one), "`%s' holds %s within a list: mirrors of one CRL are written as "
			    "{ url = ( \"http://a/x.crl\", \"http://b/x.crl\" ); }", key_of(s), type_name(one));
		else
			add_source(r, one, a, like);
	}
}
