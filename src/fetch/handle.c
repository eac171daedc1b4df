/* SPDX-License-Identifier: GPL-2.0-or-later */
/* handle.c -- a libcurl handle with all limits of a transfer set. Where a
 * connection may lead is decided here, on the address it is made to. */
#include "fetch/handle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "fetch/hosts.h"
#include "fetch/pem.h"
#include "fetch/url.h"

/* ---- what curl calls ---------------------------------------------------- */

static int
on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	struct handle *h = arg;

	(void)a;
	(void)b;
	(void)c;
	(void)d;
	return send_wanted(h->t) ? 0 : 1;
}

/* After the look-up, for each address that is tried: a name says nothing about
 * where it leads, and may say something else the next moment. */
static curl_socket_t
on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct handle *h = arg;
	int fd;

	(void)purpose;
	if (address_is_private(&a->addr, a->addrlen)) {
		h->refused = true;
		return CURL_SOCKET_BAD;
	}
	fd = socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
	return fd < 0 ? CURL_SOCKET_BAD : fd;
}

/* ---- setting up --------------------------------------------------------- */

/* An authority may name the one CA that its server's certificate must come from. */
static int
set_ca(struct handle *h)
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
	if (HANDLE_SET(h, CURLOPT_CAINFO_BLOB, &blob) || HANDLE_SET(h, CURLOPT_CAPATH, NULL))
		rc = -EINVAL;
	free(pem);
	return rc;
}

/* The pin comes on top of the CA, never in its place. That the server's own
 * certificate may be revoked is not looked at: its CRL may be the one we fetch. */
static int
set_tls(struct handle *h)
{
	const char *pin = h->t->limits.pin;

	if (HANDLE_SET(h, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2))
		return -EINVAL;
	if (pin[0] != '\0' && (!url_pins_well(pin) || HANDLE_SET(h, CURLOPT_PINNEDPUBLICKEY, pin)))
		return -EINVAL;
	return set_ca(h);
}

static int
set_limits(struct handle *h)
{
	const struct fetch_limits *l = &h->t->limits;

	if (HANDLE_SET(h, CURLOPT_CONNECTTIMEOUT, (long)FETCH_CONNECT_S) ||
	    HANDLE_SET(h, CURLOPT_LOW_SPEED_LIMIT, (long)FETCH_LOW_BYTES) ||
	    HANDLE_SET(h, CURLOPT_LOW_SPEED_TIME, (long)FETCH_LOW_SECONDS) ||
	    HANDLE_SET(h, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)l->max_bytes) ||
	    HANDLE_SET(h, CURLOPT_BUFFERSIZE, 65536L) || HANDLE_SET(h, CURLOPT_NOPROGRESS, 0L) ||
	    HANDLE_SET(h, CURLOPT_XFERINFOFUNCTION, on_progress) || HANDLE_SET(h, CURLOPT_XFERINFODATA, h) ||
	    HANDLE_SET(h, CURLOPT_OPENSOCKETDATA, h))
		return -EINVAL;
	return 0;
}

int
handle_open(struct handle *h, struct transfer *t, const char *protocols, curl_write_callback on_body, void *arg)
{
	struct clock_view now;

	clock_now(&now);
	memset(h, 0, sizeof(*h));
	h->t = t;
	h->deadline_boot = now.boot_ms + (int64_t)t->limits.timeout_s * 1000;
	/* No cookies, no .netrc, no decompression, and redirects only where we looked at them. */
	if ((h->curl = curl_easy_init()) == NULL || HANDLE_SET(h, CURLOPT_NOSIGNAL, 1L) ||
	    HANDLE_SET(h, CURLOPT_PROTOCOLS_STR, protocols) || HANDLE_SET(h, CURLOPT_FOLLOWLOCATION, 0L) ||
	    HANDLE_SET(h, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) ||
	    HANDLE_SET(h, CURLOPT_HTTP_CONTENT_DECODING, 0L) ||
	    HANDLE_SET(h, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) ||
	    HANDLE_SET(h, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) || HANDLE_SET(h, CURLOPT_USERAGENT, "cordon") ||
	    HANDLE_SET(h, CURLOPT_WRITEFUNCTION, on_body) || HANDLE_SET(h, CURLOPT_WRITEDATA, arg) ||
	    set_limits(h) < 0 || set_tls(h) < 0) {
		transfer_fail(t, E_FETCH, -(int)CURLE_FAILED_INIT);
		return -EINVAL;
	}
	return 0;
}

void
handle_close(struct handle *h)
{
	curl_slist_free_all(h->headers);
	curl_easy_cleanup(h->curl);
}

/* ---- going there -------------------------------------------------------- */

/* Which way: decided here alone, since an address is looked at on the direct way
 * only. Nothing of the environment's http_proxy and no_proxy. */
static bool
choose_way(struct handle *h, const char *url)
{
	const struct fetch_limits *l = &h->t->limits;
	bool direct = l->proxy[0] == '\0' || url_bypasses_proxy(url, l->no_proxy);
	bool watched = direct && l->no_private != 0;

	if (!direct && !url_is_proxy(l->proxy))
		return false;
	return !HANDLE_SET(h, CURLOPT_PROXY, direct ? "" : l->proxy) && !HANDLE_SET(h, CURLOPT_NOPROXY, "") &&
	    !HANDLE_SET(h, CURLOPT_OPENSOCKETFUNCTION, watched ? on_socket : NULL);
}

long
handle_status(const struct handle *h)
{
	long status = 0;

	curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static void
explain(struct handle *h, CURLcode rc)
{
	if (rc == CURLE_COULDNT_CONNECT && h->refused)
		transfer_fail(h->t, E_PRIVATE, -(int)rc);
	else
		transfer_fail(h->t, rc == CURLE_FILESIZE_EXCEEDED ? E_TOO_BIG : E_FETCH, -(int)rc);
}

int
handle_perform(struct handle *h, const char *url)
{
	struct clock_view now;
	int64_t left;
	CURLcode rc;

	clock_now(&now);
	left = h->deadline_boot - now.boot_ms;
	if (left <= 0) {
		transfer_fail(h->t, E_FETCH, -(int)CURLE_OPERATION_TIMEDOUT);
		return -1;
	}
	h->refused = false;
	if (HANDLE_SET(h, CURLOPT_TIMEOUT_MS, (long)left) || HANDLE_SET(h, CURLOPT_URL, url) || !choose_way(h, url)) {
		transfer_fail(h->t, E_FETCH, -(int)CURLE_COULDNT_RESOLVE_PROXY);
		return -1;
	}
	rc = curl_easy_perform(h->curl);
	if (rc == CURLE_OK)
		return 0;
	explain(h, rc);
	return -1;
}
