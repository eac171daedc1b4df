/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ldap.c -- CRLs out of a directory, as certificates of Active Directory name
 * them (RFC 4516, RFC 4523). Each value of a CRL attribute is a CRL of its own. */
#include <errno.h>
#include <string.h>

#include "fetch/handle.h"
#include "fetch/ldif.h"

#define LDAP_OTHER_BYTES (1U << 20)	/* names and other attributes of an answer; an entry of a CA has some KiB */

struct ldap {
	struct handle h;
	struct ldif ldif;
	struct ldif_sink sink;
};

static int
on_value(void *arg)
{
	struct transfer *t = arg;

	t->header.status = 200;
	t->header.part = t->headers + 1;
	return send_header(t);
}

static int
on_bytes(void *arg, const uint8_t *p, size_t n)
{
	return send_body(arg, p, n);
}

static bool
went_well(struct transfer *t, int rc)
{
	if (rc < 0)
		transfer_fail(t, rc == -EFBIG || rc == -E2BIG ? E_TOO_BIG : rc == -EBADMSG ? E_NOT_CRL : E_FETCH, rc);
	return rc == 0;
}

static size_t
on_body(char *data, size_t size, size_t n, void *arg)
{
	struct ldap *l = arg;

	if (l->ldif.others > LDAP_OTHER_BYTES) {
		transfer_fail(l->h.t, E_TOO_BIG, -EFBIG);
		return 0;
	}
	return went_well(l->h.t, ldif_feed(&l->ldif, data, size * n, &l->sink)) ? size * n : 0;
}

static bool
curl_has(const char *protocol)
{
	const curl_version_info_data *v = curl_version_info(CURLVERSION_NOW);
	const char *const *p;

	for (p = v->protocols; *p != NULL; p++)
		if (strcmp(*p, protocol) == 0)
			return true;
	return false;
}

void
fetch_ldap(struct transfer *t)
{
	bool tls = strncmp(t->request.url, "ldaps:", 6) == 0;
	static struct ldap l;

	if (!curl_has(tls ? "ldaps" : "ldap")) {
		transfer_fail(t, E_FETCH, -(int)CURLE_UNSUPPORTED_PROTOCOL);
		return;
	}
	ldif_init(&l.ldif);
	l.sink = (struct ldif_sink){ .begin = on_value, .bytes = on_bytes, .arg = t };
	if (handle_open(&l.h, t, tls ? "ldaps" : "ldap", on_body, &l) == 0 &&
	    handle_perform(&l.h, t->request.url) == 0 && went_well(t, ldif_finish(&l.ldif, &l.sink)) &&
	    t->headers == 0)
		transfer_fail(t, E_EMPTY, 0);
	handle_close(&l.h);
}
