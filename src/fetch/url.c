/* SPDX-License-Identifier: GPL-2.0-or-later */
/* url.c -- where a transfer may go. Pure. */
#include "fetch/url.h"

#include <errno.h>
#include <string.h>

#include <curl/curl.h>

#include "fetch/hosts.h"

static bool
begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

enum url_kind
url_kind(const char *url)
{
	if (begins(url, "http://") || begins(url, "https://"))
		return URL_HTTP;
	if (begins(url, "ldap://") || begins(url, "ldaps://"))
		return URL_LDAP;
	if (begins(url, "file://"))
		return url[strlen(url) - 1] == '/' ? URL_FOLDER : URL_FILE;
	return URL_OTHER;
}

bool
url_allowed(const char *url, const char *prefix)
{
	size_t n = strlen(prefix);
	enum url_kind kind = url_kind(url);
	char next;

	if (n == 0 || kind == URL_OTHER || strncmp(url, prefix, n) != 0)
		return false;
	next = url[n];
	if (kind == URL_FILE || kind == URL_FOLDER)
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

static bool
may_redirect(const struct place *a, const struct place *b, const char *hosts)
{
	bool upgrade = strcmp(a->scheme, "http") == 0 && strcmp(b->scheme, "https") == 0;

	if (strcmp(a->scheme, b->scheme) != 0 && !upgrade)
		return false;
	if (strcasecmp(a->host, b->host) == 0 && (upgrade || strcmp(a->port, b->port) == 0))
		return true;
	return hosts_name(hosts, b->host, b->port);
}

bool
url_may_redirect(const char *from, const char *to, const char *hosts)
{
	struct place a, b;
	bool ok;

	if (url_kind(from) != URL_HTTP || url_kind(to) != URL_HTTP)
		return false;
	ok = place_of(from, &a);
	ok = place_of(to, &b) && ok;
	ok = ok && may_redirect(&a, &b, hosts);
	place_done(&a);
	place_done(&b);
	return ok;
}

bool
url_bypasses_proxy(const char *url, const char *no_proxy)
{
	struct place p;
	bool yes;

	yes = place_of(url, &p) && hosts_without_proxy(no_proxy, p.host);
	place_done(&p);
	return yes;
}

bool
url_is_proxy(const char *url)
{
	struct place p;
	bool ok;

	if (!begins(url, "http://") && !begins(url, "https://") && !begins(url, "socks5://") &&
	    !begins(url, "socks5h://"))
		return false;
	ok = place_of(url, &p);
	place_done(&p);
	return ok;
}

static bool
is_base64(const char *p, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";

	return n > 0 && strspn(p, digits) >= n;
}

bool
url_pins_well(const char *pins)
{
	static const char begin[] = "sha256//";
	size_t n;

	for (;;) {
		if (!begins(pins, begin))
			return false;
		pins += strlen(begin);
		n = strcspn(pins, ";");
		if (!is_base64(pins, n))
			return false;
		if (pins[n] == '\0')
			return true;
		pins += n + 1;
	}
}

int
url_path(const char *url, char *out, size_t size)
{
	int n = 0, rc = -EINVAL;
	char *path;

	if (!begins(url, "file:///"))
		return -EINVAL;
	if ((path = curl_easy_unescape(NULL, url + 7, 0, &n)) == NULL)
		return -ENOMEM;
	if (n > 0 && (size_t)n < size && strlen(path) == (size_t)n) {
		memcpy(out, path, (size_t)n + 1);
		rc = 0;
	}
	curl_free(path);
	return rc;
}
