/* SPDX-License-Identifier: GPL-2.0-or-later */
/* read_ocsp.c -- which devices an authority's OCSP responder is asked about, and what
 * its answers count. A good one never lifts what a CRL says. */
#include <stdlib.h>
#include <string.h>

#include "config/reader.h"
#include "model/words.h"
#include "proto/limits.h"

static void
key_url(struct reader *r, const config_setting_t *s, void *target)
{
	struct ocsp_decl *o = target;
	const char *url = want_string(r, s, "http://ocsp.example");

	if (url != NULL && url_is_http(url))
		o->url = reader_copy(r, url);
	else if (url != NULL)
		mistake(r, line_of(s), "ocsp: url \"%.200s\" is no address of a responder: http:// or https:// and no "
		    "blanks", url);
}

static void
key_asked_devices(struct reader *r, const config_setting_t *s, void *target)
{
	struct ocsp_decl *o = target;
	const char *word = want_string(r, s, "critical");

	if (word == NULL)
		return;
	if (strcmp(word, "all") == 0)
		o->devices = OCSP_ALL;
	else if (strcmp(word, "critical") != 0)
		mistake(r, line_of(s), "devices = \"%.64s\": \"critical\" (those with critical = true) or \"all\" is "
		    "possible", word);
}

static void
key_asked_refresh(struct reader *r, const config_setting_t *s, void *target)
{
	struct ocsp_decl *o = target;

	if (want_duration(r, s, 1, LIMIT_REFRESH_SECONDS, &o->refresh_s))
		check_refresh(r, s, o->refresh_s);
}

static void
key_answer_max_age(struct reader *r, const config_setting_t *s, void *target)
{
	struct ocsp_decl *o = target;

	want_duration(r, s, 1, LIMIT_REFRESH_SECONDS, &o->max_age_s);
}

static void
key_nonce(struct reader *r, const config_setting_t *s, void *target)
{
	struct ocsp_decl *o = target;
	const char *word = want_string(r, s, "wanted");

	o->need_nonce = word != NULL && strcmp(word, "needed") == 0;
	if (word != NULL && !o->need_nonce && strcmp(word, "wanted") != 0)
		mistake(r, line_of(s), "nonce = \"%.64s\": \"wanted\" or \"needed\" is possible", word);
}

static void
key_unknown(struct reader *r, const config_setting_t *s, void *target)
{
	struct ocsp_decl *o = target;
	const char *word = want_string(r, s, "keep");
	uint32_t when;

	if (word == NULL)
		return;
	if (when_stale_parse(word, &when) < 0)
		mistake(r, line_of(s), "unknown = \"%.64s\": \"keep\", \"restrict\" or \"quarantine\" is possible", word);
	else
		o->unknown = when;
}

void
read_ocsp(struct reader *r, const config_setting_t *s, struct ocsp_decl *o)
{
	static const struct key keys[] = {
		{ "url", key_url, KEY_NEEDED },
		{ "devices", key_asked_devices, NULL },
		{ "refresh", key_asked_refresh, NULL },
		{ "max_age", key_answer_max_age, NULL },
		{ "nonce", key_nonce, NULL },
		{ "unknown", key_unknown, NULL },
		{ NULL, NULL, NULL }
	};

	*o = (struct ocsp_decl){ .devices = OCSP_CRITICAL, .refresh_s = 3600, .max_age_s = 86400,
		.unknown = WHEN_STALE_KEEP };
	read_group(r, s, keys, "ocsp", o);
	if (o->url == NULL)	/* told */
		*o = (struct ocsp_decl){ .devices = OCSP_OFF };
}
