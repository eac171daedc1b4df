/* SPDX-License-Identifier: GPL-2.0-or-later */
/* http.c -- one transfer by HTTP or HTTPS. Goes to no host that cordond did not
 * name, takes nothing but a body in pieces, and never more than the limit. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "common/clock.h"
#include "fetch/fetch.h"

struct http {
	struct transfer *t;
	CURL *curl;
	struct curl_slist *headers;
	uint64_t other;		/* bytes of a body that is no CRL */
	char date[64];		/* the server's clock */
	int64_t deadline_boot;
};

/* ---- what curl calls ---------------------------------------------------- */

static long
status_of(const struct http *h)
{
	long status = 0;

	curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static void
stop(struct transfer *t, enum source_error error, int rc)
{
	if (t->error == E_NONE) {
		t->error = error;
		t->detail = (uint32_t)-rc;
	}
}

/* RFC 9110 8.8.2.2: a time of change within the last second says little, since
 * the file may change again in it; the next answer would be "unchanged". */
static void
drop_young_validator(struct http *h)
{
	struct fetch_header *to = &h->t->header;
	time_t date = curl_getdate(h->date, NULL), changed = curl_getdate(to->last_modified, NULL);

	if (date == -1 || changed == -1 || date - changed < FETCH_SETTLED_S)
		memset(to->last_modified, 0, sizeof(to->last_modified));
}

static size_t
on_body(char *data, size_t size, size_t n, void *arg)
{
	struct http *h = arg;
	struct transfer *t = h->t;
	int rc = 0;

	n *= size;
	if (status_of(h) != 200) {
		/* The page that comes with an error says nothing to us. */
		h->other += n;
		if (h->other > FETCH_OTHER_BYTES)
			stop(t, E_FETCH, -(int)status_of(h));
		return h->other > FETCH_OTHER_BYTES ? 0 : n;
	}
	if (!t->header_sent) {
		t->header.status = 200;
		drop_young_validator(h);
		rc = send_header(t);
	}
	if (rc == 0)
		rc = send_body(t, (const uint8_t *)data, n);
	if (rc < 0) {
		stop(t, rc == -EFBIG ? E_TOO_BIG : E_FETCH, rc);
		return 0;
	}
	return n;
}

/* The value of a header, when it is that one and fits: a validator that was
 * cut off would be another one. */
static void
take_header(const char *line, size_t n, const char *name, char *out, size_t size)
{
	size_t len = strlen(name), i;

	if (n < len || strncasecmp(line, name, len) != 0)
		return;
	line += len;
	n -= len;
	while (n > 0 && (*line == ' ' || *line == '\t')) {
		line++;
		n--;
	}
	while (n > 0 && (line[n - 1] == '\r' || line[n - 1] == '\n' || line[n - 1] == ' '))
		n--;
	for (i = 0; i < n; i++)
		if ((unsigned char)line[i] < 0x20 || (unsigned char)line[i] > 0x7e)
			return;
	if (n < size) {
		memset(out, 0, size);
		memcpy(out, line, n);
	}
}

static size_t
on_header(char *line, size_t size, size_t n, void *arg)
{
	struct http *h = arg;
	struct fetch_header *to = &h->t->header;

	n *= size;
	/* Each answer begins anew: of several only the last counts. */
	if (n >= 5 && memcmp(line, "HTTP/", 5) == 0) {
		memset(to->etag, 0, sizeof(to->etag));
		memset(to->last_modified, 0, sizeof(to->last_modified));
		memset(h->date, 0, sizeof(h->date));
	}
	take_header(line, n, "Date:", h->date, sizeof(h->date));
	take_header(line, n, "ETag:", to->etag, sizeof(to->etag));
	take_header(line, n, "Last-Modified:", to->last_modified, sizeof(to->last_modified));
	return n;
}

static int
on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	struct http *h = arg;

	(void)a;
	(void)b;
	(void)c;
	(void)d;
	return send_wanted(h->t) ? 0 : 1;
}

/* ---- setting up --------------------------------------------------------- */

static int
add_line(struct http *h, const char *name, const char *value)
{
	char line[320];
	struct curl_slist *more;
	int n;

	if (value[0] == '\0')
		return 0;
	n = snprintf(line, sizeof(line), "%s: %s", name, value);
	if (n < 0 || (size_t)n >= sizeof(line))
		return 0;
	if ((more = curl_slist_append(h->headers, line)) == NULL)
		return -ENOMEM;
	h->headers = more;
	return 0;
}

static int
add_headers(struct http *h)
{
	const struct fetch_request *r = &h->t->request;

	if (add_line(h, "Accept", "application/pkix-crl, */*;q=0.1") < 0 ||
	    add_line(h, "If-None-Match", r->etag) < 0 ||
	    add_line(h, "If-Modified-Since", r->last_modified) < 0)
		return -ENOMEM;
	return curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, h->headers) == CURLE_OK ? 0 : -ENOMEM;
}

/* An authority may name the one CA that its server's certificate must come from. */
static int
set_ca(struct http *h)
{
	const struct fetch_request *r = &h->t->request;
	struct curl_blob blob = { .flags = CURL_BLOB_COPY };
	char *pem = NULL;
	int rc;

	if (r->ca_len == 0)
		return 0;
	if (r->ca_len > sizeof(r->ca))
		return -EINVAL;
	if ((rc = pem_certificate(r->ca, r->ca_len, &pem, &blob.len)) < 0)
		return rc;
	blob.data = pem;
	if (curl_easy_setopt(h->curl, CURLOPT_CAINFO_BLOB, &blob) != CURLE_OK ||
	    curl_easy_setopt(h->curl, CURLOPT_CAPATH, NULL) != CURLE_OK)
		rc = -EINVAL;
	free(pem);
	return rc;
}

#define SET(option, value) (curl_easy_setopt(h->curl, option, value) != CURLE_OK)

static int
set_limits(struct http *h)
{
	const struct fetch_limits *l = &h->t->limits;

	if (SET(CURLOPT_CONNECTTIMEOUT, (long)FETCH_CONNECT_S) ||
	    SET(CURLOPT_LOW_SPEED_LIMIT, (long)FETCH_LOW_BYTES) ||
	    SET(CURLOPT_LOW_SPEED_TIME, (long)FETCH_LOW_SECONDS) ||
	    SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)l->max_bytes) ||
	    SET(CURLOPT_BUFFERSIZE, 65536L) || SET(CURLOPT_NOPROGRESS, 0L) ||
	    SET(CURLOPT_XFERINFOFUNCTION, on_progress) || SET(CURLOPT_XFERINFODATA, h))
		return -EINVAL;
	return 0;
}

static int
set_up(struct http *h)
{
	/* No proxy of the environment, no cookies, no .netrc, no decompression,
	 * and redirects only where we looked at them. */
	if (SET(CURLOPT_NOSIGNAL, 1L) || SET(CURLOPT_PROTOCOLS_STR, "http,https") ||
	    SET(CURLOPT_FOLLOWLOCATION, 0L) || SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) ||
	    SET(CURLOPT_PROXY, "") || SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) ||
	    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) || SET(CURLOPT_USERAGENT, "cordon") ||
	    SET(CURLOPT_WRITEFUNCTION, on_body) || SET(CURLOPT_WRITEDATA, h) ||
	    SET(CURLOPT_HEADERFUNCTION, on_header) || SET(CURLOPT_HEADERDATA, h))
		return -EINVAL;
	if (set_limits(h) < 0)
		return -EINVAL;
	return add_headers(h) < 0 ? -ENOMEM : set_ca(h);
}

/* ---- going there -------------------------------------------------------- */

static int64_t
time_left(const struct http *h)
{
	struct clock_view now;

	clock_now(&now);
	return h->deadline_boot - now.boot_ms;
}

/* One request. 1: go to *url instead; 0: done, error and detail are set. */
static int
one_request(struct http *h, char *url, size_t size)
{
	struct transfer *t = h->t;
	int64_t left = time_left(h);
	const char *next = NULL;
	CURLcode rc;
	long status;

	if (left <= 0 || SET(CURLOPT_URL, url) || SET(CURLOPT_TIMEOUT_MS, (long)left)) {
		stop(t, E_FETCH, -(int)CURLE_OPERATION_TIMEDOUT);
		return 0;
	}
	rc = curl_easy_perform(h->curl);
	status = status_of(h);
	if (rc != CURLE_OK) {
		stop(t, rc == CURLE_FILESIZE_EXCEEDED ? E_TOO_BIG : E_FETCH, -(int)rc);
		return 0;
	}
	if (status == 301 || status == 302 || status == 303 || status == 307 || status == 308) {
		curl_easy_getinfo(h->curl, CURLINFO_REDIRECT_URL, &next);
		if (next != NULL && strlen(next) < size && url_may_redirect(url, next)) {
			snprintf(url, size, "%s", next);
			h->other = 0;
			return 1;
		}
	}
	if (status != 200 && status != 304) {
		stop(t, E_FETCH, -(int)status);
		return 0;
	}
	t->header.status = (uint32_t)status;
	/* An empty body calls nobody. */
	if (!t->header_sent)
		(void)send_header(t);
	return 0;
}

void
fetch_http(struct transfer *t)
{
	struct http http = { .t = t }, *h = &http;
	char url[LIMIT_URL];
	struct clock_view now;
	uint32_t hops;
	int more = 1;

	clock_now(&now);
	h->deadline_boot = now.boot_ms + (int64_t)t->limits.timeout_s * 1000;
	snprintf(url, sizeof(url), "%s", t->request.url);
	if ((h->curl = curl_easy_init()) == NULL || set_up(h) < 0) {
		stop(t, E_FETCH, -(int)CURLE_FAILED_INIT);
		goto out;
	}
	for (hops = 0; more == 1; hops++) {
		if (hops > t->limits.max_redirects) {
			stop(t, E_FETCH, -(int)CURLE_TOO_MANY_REDIRECTS);
			break;
		}
		more = one_request(h, url, sizeof(url));
	}
out:
	curl_slist_free_all(h->headers);
	curl_easy_cleanup(h->curl);
}
