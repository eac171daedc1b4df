/* SPDX-License-Identifier: GPL-2.0-or-later */
/* http.c -- one transfer by HTTP or HTTPS: a CRL, or an answer of OCSP. Goes to no
 * host that cordond did not name, takes nothing but a body in pieces, and never
 * more than the limit. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "fetch/handle.h"
#include "fetch/header.h"
#include "fetch/url.h"

struct http {
	struct handle h;
	uint64_t other;		/* bytes of a body that is no CRL */
	uint64_t header_bytes;
	char date[64];		/* the server's clock */
	char retry_after[64];
};

/* ---- what curl calls ---------------------------------------------------- */

/* RFC 9110 8.8.2.2: a time of change within the last second says little, since
 * the file may change again in it; the next answer would be "unchanged". */
static void
drop_young_validator(struct http *h)
{
	struct fetch_header *to = &h->h.t->header;
	time_t date = curl_getdate(h->date, NULL), changed = curl_getdate(to->last_modified, NULL);

	if (date == -1 || changed == -1 || date - changed < FETCH_SETTLED_S)
		memset(to->last_modified, 0, sizeof(to->last_modified));
}

static size_t
on_body(char *data, size_t size, size_t n, void *arg)
{
	struct http *h = arg;
	struct transfer *t = h->h.t;
	long status = handle_status(&h->h);
	int rc = 0;

	n *= size;
	if (status != 200) {
		/* The page that comes with an error says nothing to us. */
		h->other += n;
		if (h->other > FETCH_OTHER_BYTES)
			transfer_fail(t, E_FETCH, -(int)status);
		return h->other > FETCH_OTHER_BYTES ? 0 : n;
	}
	if (t->headers == 0) {
		t->header.status = 200;
		drop_young_validator(h);
		rc = send_header(t);
	}
	if (rc == 0)
		rc = send_body(t, (const uint8_t *)data, n);
	if (rc < 0) {
		transfer_fail(t, rc == -EFBIG ? E_TOO_BIG : E_FETCH, rc);
		return 0;
	}
	return n;
}

static size_t
on_header(char *line, size_t size, size_t n, void *arg)
{
	struct http *h = arg;
	struct fetch_header *to = &h->h.t->header;

	n *= size;
	h->header_bytes += n;
	if (h->header_bytes > FETCH_HEADER_BYTES) {
		transfer_fail(h->h.t, E_TOO_BIG, -(int)CURLE_WRITE_ERROR);
		return 0;
	}
	/* Each answer begins anew: of several only the last counts. */
	if (n >= 5 && memcmp(line, "HTTP/", 5) == 0) {
		memset(to->etag, 0, sizeof(to->etag));
		memset(to->last_modified, 0, sizeof(to->last_modified));
		memset(h->date, 0, sizeof(h->date));
		memset(h->retry_after, 0, sizeof(h->retry_after));
	}
	header_take(line, n, "Date:", h->date, sizeof(h->date));
	header_take(line, n, "ETag:", to->etag, sizeof(to->etag));
	header_take(line, n, "Last-Modified:", to->last_modified, sizeof(to->last_modified));
	header_take(line, n, "Retry-After:", h->retry_after, sizeof(h->retry_after));
	return n;
}

/* ---- setting up --------------------------------------------------------- */

static int
add_line(struct handle *h, const char *name, const char *value)
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

/* RFC 6960 A.1: a question and its answer by POST. */
static int
ask_ocsp(struct handle *h)
{
	const struct fetch_request *r = &h->t->request;

	if (r->body_len == 0 || r->body_len > sizeof(r->body))
		return -EINVAL;
	if (HANDLE_SET(h, CURLOPT_POST, 1L) || HANDLE_SET(h, CURLOPT_POSTFIELDS, r->body) ||
	    HANDLE_SET(h, CURLOPT_POSTFIELDSIZE, (long)r->body_len))
		return -EINVAL;
	if (add_line(h, "Content-Type", "application/ocsp-request") < 0 ||
	    add_line(h, "Accept", "application/ocsp-response") < 0)
		return -ENOMEM;
	return 0;
}

static int
ask_crl(struct handle *h)
{
	const struct fetch_request *r = &h->t->request;

	if (add_line(h, "Accept", "application/pkix-crl, */*;q=0.1") < 0 ||
	    add_line(h, "If-None-Match", r->etag) < 0 ||
	    add_line(h, "If-Modified-Since", r->last_modified) < 0)
		return -ENOMEM;
	return 0;
}

static int
set_up(struct http *h, struct transfer *t)
{
	if (handle_open(&h->h, t, "http,https", on_body, h) < 0)
		return -EINVAL;
	if ((t->limits.kind == FETCH_OCSP ? ask_ocsp(&h->h) : ask_crl(&h->h)) < 0 ||
	    HANDLE_SET(&h->h, CURLOPT_HTTPHEADER, h->h.headers) ||
	    HANDLE_SET(&h->h, CURLOPT_HEADERFUNCTION, on_header) || HANDLE_SET(&h->h, CURLOPT_HEADERDATA, h)) {
		transfer_fail(t, E_FETCH, -(int)CURLE_FAILED_INIT);
		return -EINVAL;
	}
	return 0;
}

/* ---- going there -------------------------------------------------------- */

static void
take_retry_after(struct http *h)
{
	struct clock_view now;
	time_t date = curl_getdate(h->date, NULL);

	clock_now(&now);
	h->h.t->retry_after_s = header_retry_after(h->retry_after, date != -1 ? (int64_t)date : now.wall_ms / 1000);
}

static bool
is_redirect(long status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* One request. 1: go to *url instead; 0: done, error and detail are set. */
static int
one_request(struct http *h, char *url, size_t size)
{
	struct transfer *t = h->h.t;
	const char *next = NULL;
	long status;

	if (handle_perform(&h->h, url) < 0)
		return 0;
	status = handle_status(&h->h);
	if (is_redirect(status)) {
		curl_easy_getinfo(h->h.curl, CURLINFO_REDIRECT_URL, &next);
		if (next != NULL && strlen(next) < size && url_may_redirect(url, next, t->limits.hosts)) {
			snprintf(url, size, "%s", next);
			return 1;
		}
	}
	if (status != 200 && status != 304) {
		take_retry_after(h);
		transfer_fail(t, E_FETCH, -(int)status);
		return 0;
	}
	/* An empty body calls nobody. */
	t->header.status = (uint32_t)status;
	if (t->headers == 0)
		(void)send_header(t);
	return 0;
}

void
fetch_http(struct transfer *t)
{
	uint32_t hops, most = t->limits.kind == FETCH_OCSP ? 0 : t->limits.max_redirects;
	static struct http http;
	char url[LIMIT_URL];
	int more = 1;

	snprintf(url, sizeof(url), "%s", t->request.url);
	if (set_up(&http, t) == 0) {
		for (hops = 0; more == 1 && hops <= most; hops++)
			more = one_request(&http, url, sizeof(url));
		if (more == 1)
			transfer_fail(t, E_FETCH, -(int)CURLE_TOO_MANY_REDIRECTS);
	}
	handle_close(&http.h);
}
