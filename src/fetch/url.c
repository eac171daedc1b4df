/* SPDX-License-Identifier: GPL-2.0-or-later */
/* url.c -- where a transfer may go. Pure. */
#include <string.h>

#include <curl/curl.h>

#include "fetch/fetch.h"

enum url_kind
url_kind(const char *url)
{
	if (strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0)
		return URL_HTTP;
	return strncmp(url, "file://", 7) == 0 ? URL_FILE : URL_OTHER;
}

bool
url_allowed(const char *url, const char *prefix)
{
	size_t n = strlen(prefix);
	char next;

	if (n == 0 || url_kind(url) == URL_OTHER || strncmp(url, prefix, n) != 0)
		return false;
	next = url[n];
	if (url_kind(url) == URL_FILE)
		return next == '\0';
	/* "http://host" must not let "http://host.example" pass, nor "http://host@other". */
	return prefix[n - 1] == '/' || next == '/' || next == '?' || next == '#' || next == '\0';
}

struct place {
	char *scheme;
	char *host;
	char *port;
};

static bool
place_of(const char *url, struct place *out)
{
	CURLU *u = curl_url();
	bool ok;

	memset(out, 0, sizeof(*out));
	ok = u != NULL && curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_SCHEME, &out->scheme, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_HOST, &out->host, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_PORT, &out->port, CURLU_DEFAULT_PORT) == CURLUE_OK;
	curl_url_cleanup(u);
	return ok;
}

static void
place_done(struct place *p)
{
	curl_free(p->scheme);
	curl_free(p->host);
	curl_free(p->port);
}

bool
url_may_redirect(const char *from, const char *to)
{
	struct place a, b;
	bool ok, upgrade;

	if (url_kind(from) != URL_HTTP || url_kind(to) != URL_HTTP)
		return false;
	ok = place_of(from, &a);
	ok = place_of(to, &b) && ok;
	if (ok) {
		upgrade = strcmp(a.scheme, "http") == 0 && strcmp(b.scheme, "https") == 0;
		ok = strcasecmp(a.host, b.host) == 0 &&
		    (upgrade || (strcmp(a.scheme, b.scheme) == 0 && strcmp(a.port, b.port) == 0));
	}
	place_done(&a);
	place_done(&b);
	return ok;
}
