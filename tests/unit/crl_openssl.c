/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crl_openssl.c -- entry by entry, by OpenSSL's reading and by ours. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crl_openssl.h"
#include "pki/crl_parts.h"

#define STRANGERS 50

struct entry {
	const ASN1_INTEGER *number;
	struct serial serial;
	uint8_t reason;
	int64_t at;
	const X509_NAME *issuer;
};

static const struct inventory_key hash_key = { { 11, 2, 13, 4, 15, 6, 17, 8, 19, 10 } };

/* The octets as they stand in the CRL: what a negative number looks like is
 * what a device's certificate has, too. */
static void
serial_of(const ASN1_INTEGER *number, struct serial *out)
{
	uint8_t *der = NULL;
	int n = i2d_ASN1_INTEGER(number, &der);

	memset(out, 0, sizeof(*out));
	if (n >= 3 && n <= 2 + 32)
		serial_load(out, der + 2, (size_t)n - 2);
	OPENSSL_free(der);
}

static int64_t
time_of(const ASN1_TIME *t)
{
	ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
	int days = 0, seconds = 0;

	ASN1_TIME_diff(&days, &seconds, epoch, t);
	ASN1_TIME_free(epoch);
	return ((int64_t)days * 86400 + seconds) * 1000;
}

static uint8_t
reason_of(const X509_REVOKED *r)
{
	ASN1_ENUMERATED *e = X509_REVOKED_get_ext_d2i(r, NID_crl_reason, NULL, NULL);
	long reason = e != NULL ? ASN1_ENUMERATED_get(e) : 0;

	ASN1_ENUMERATED_free(e);
	return reason >= 0 && reason < 256 && crl_reason_known((uint8_t)reason) ? (uint8_t)reason : 0;
}

/* RFC 5280 5.3.3, here too: inherited. Owned by the entries that name one. */
static X509_NAME *
issuer_named(const X509_REVOKED *r)
{
	GENERAL_NAMES *names = X509_REVOKED_get_ext_d2i(r, NID_certificate_issuer, NULL, NULL);
	X509_NAME *found = NULL;
	int i;

	for (i = 0; i < sk_GENERAL_NAME_num(names) && found == NULL; i++)
		if (sk_GENERAL_NAME_value(names, i)->type == GEN_DIRNAME)
			found = X509_NAME_dup(sk_GENERAL_NAME_value(names, i)->d.directoryName);
	GENERAL_NAMES_free(names);
	return found;
}

/* ---- one issuer --------------------------------------------------------- */

/* What must come of entry i when all with its serial are taken together; -1: no hit. */
static int
expected_of(const struct entry *e, size_t n, size_t i, const X509_NAME *issuer, bool delta)
{
	int best = -1;
	size_t j;

	for (j = i; j < n; j++) {
		if (memcmp(&e[j].serial, &e[i].serial, sizeof(e[i].serial)) != 0 ||
		    (e[j].issuer != issuer && X509_NAME_cmp(e[j].issuer, issuer) != 0))
			continue;
		if (e[j].reason == CRL_REASON_REMOVE)
			best = best < 0 && delta ? CRL_REASON_REMOVE : best;
		else if (best < 0 || best == CRL_REASON_REMOVE ||
		    crl_reason_rank(e[j].reason) > crl_reason_rank((uint8_t)best))
			best = e[j].reason;
	}
	return best;
}

/* By certificates with that issuer and these serials: 0 not listed, 1 listed, 2 removed. */
static int
lookup(X509_CRL *crl, X509 *cert, const ASN1_INTEGER *number)
{
	X509_REVOKED *found;

	X509_set_serialNumber(cert, (ASN1_INTEGER *)(uintptr_t)number);
	return X509_CRL_get0_by_cert(crl, &found, cert);
}

struct held {
	X509_CRL *crl;
	const struct entry *entries;
	size_t n;
	const X509_NAME *issuer;
	X509 *cert;
	bool duplicates;
	const char *which;
	unsigned *disagree;
};

static void
complain(const struct held *h, const char *what, size_t i)
{
	if ((*h->disagree)++ < 10)
		fprintf(stderr, "%s: entry %zu: %s\n", h->which, i, what);
}

static void
compare_hits(const struct held *h, const struct crl_scan *scan, bool delta)
{
	int *reasons = calloc(h->n + 1, sizeof(*reasons)), want, said;
	struct crl_hit hit;
	size_t pos = 0, i;

	for (i = 0; i < h->n; i++)
		reasons[i] = -1;
	while (crl_scan_hit(scan, &pos, &hit)) {
		if (hit.cert >= h->n) {
			complain(h, "a stranger is hit", hit.cert);
			continue;
		}
		reasons[hit.cert] = (int)hit.reason;
		if (!h->duplicates && hit.revoked_at != h->entries[hit.cert].at)
			complain(h, "another date", hit.cert);
	}
	for (i = 0; i < h->n; i++) {
		/* with duplicates the first one stands for all */
		want = h->duplicates ? expected_of(h->entries, h->n, i, h->issuer, delta) :
		    X509_NAME_cmp(h->entries[i].issuer, h->issuer) != 0 ? -1 :
		    h->entries[i].reason == CRL_REASON_REMOVE && !delta ? -1 : h->entries[i].reason;
		if (h->duplicates ? want >= 0 && reasons[i] < 0 : reasons[i] != want)
			complain(h, "another reason", i);
		said = lookup(h->crl, h->cert, h->entries[i].number);
		if (h->duplicates || (said == 2 && !delta))
			continue;
		if ((said == 1) != (reasons[i] >= 0 && reasons[i] != CRL_REASON_REMOVE) ||
		    (said == 2) != (reasons[i] == CRL_REASON_REMOVE))
			complain(h, "OpenSSL looks up something else", i);
	}
	free(reasons);
}

static enum source_error
scan_for(const struct held *h, const struct bytes *der, const struct crl_signer *signer)
{
	struct inventory_cert *certs = calloc(h->n + STRANGERS, sizeof(*certs));
	struct crl_scan_setup with = { .signers = signer, .n_signers = 1, .max_size = 1UL << 30, .n_names = 1 };
	struct inventory *inv;
	const struct crl_verdict *v;
	struct crl_name name;
	struct crl_scan *scan;
	enum source_error error;
	size_t i, at, len;

	X509_NAME_get0_der(h->issuer, &name.der, &name.len);
	for (i = 0; i < h->n + STRANGERS; i++) {
		if (i < h->n)
			certs[i].serial = h->entries[i].serial;
		else
			certs[i].serial = (struct serial){ { i * 0x9e3779b97f4a7c15ULL, ~i, i, 0 } };
		certs[i].cert = (uint32_t)i;
	}
	inv = inventory_new(certs, h->n + STRANGERS, &hash_key);
	with.inventory = inv;
	with.names = &name;
	scan = crl_scan_new(&with);
	for (at = 0; at < der->n; at += len) {
		len = der->n - at < 4099 ? der->n - at : 4099;
		if (crl_scan_feed(scan, der->p + at, len) < 0)
			break;
	}
	v = crl_scan_verdict(scan);
	error = crl_scan_needs_message(scan) ?
	    crl_scan_finish(scan, der->p + v->signed_offset, v->signed_len) :
	    crl_scan_finish(scan, NULL, 0);
	if (error == E_NONE) {
		if (v->entries != h->n)
			complain(h, "another number of entries", h->n);
		compare_hits(h, scan, v->delta);
	}
	crl_scan_free(scan);
	inventory_free(inv);
	free(certs);
	return error;
}

/* ---- all of them -------------------------------------------------------- */

static int
by_serial(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct serial));
}

static bool
has_duplicates(const struct entry *entries, size_t n)
{
	struct serial *all = calloc(n + 1, sizeof(*all));
	bool found = false;
	size_t i;

	for (i = 0; i < n; i++)
		all[i] = entries[i].serial;
	qsort(all, n, sizeof(*all), by_serial);
	for (i = 1; i < n; i++)
		found = found || memcmp(&all[i], &all[i - 1], sizeof(*all)) == 0;
	free(all);
	return found;
}

/* In the order of the CRL: before the first look-up, which sorts them. */
static struct entry *
read_entries(X509_CRL *crl, size_t *n, X509_NAME ***named, size_t *n_named)
{
	STACK_OF(X509_REVOKED) *list = X509_CRL_get_REVOKED(crl);
	int count = sk_X509_REVOKED_num(list), i;
	struct entry *entries = calloc((size_t)(count > 0 ? count : 0) + 1, sizeof(*entries));
	const X509_NAME *issuer = X509_CRL_get_issuer(crl);
	X509_NAME *other;

	*n = count > 0 ? (size_t)count : 0;
	*n_named = 0;
	*named = calloc(*n + 1, sizeof(**named));
	for (i = 0; i < count; i++) {
		const X509_REVOKED *r = sk_X509_REVOKED_value(list, i);

		if ((other = issuer_named(r)) != NULL)
			issuer = (*named)[(*n_named)++] = other;
		entries[i].number = X509_REVOKED_get0_serialNumber(r);
		serial_of(entries[i].number, &entries[i].serial);
		entries[i].reason = reason_of(r);
		entries[i].at = time_of(X509_REVOKED_get0_revocationDate(r));
		entries[i].issuer = issuer;
	}
	return entries;
}

enum source_error
crl_as_openssl(X509_CRL *crl, const struct bytes *der, const struct crl_signer *signer, const char *which,
    unsigned *disagree)
{
	enum source_error error, first = E_NONE;
	X509_NAME **named;
	size_t n, n_named, i, j;
	struct entry *entries = read_entries(crl, &n, &named, &n_named);
	struct held h = { .crl = crl, .entries = entries, .n = n, .issuer = X509_CRL_get_issuer(crl),
		.cert = X509_new(), .duplicates = has_duplicates(entries, n), .which = which,
		.disagree = disagree };

	for (i = 0; i <= n_named; i++) {
		if (i > 0)
			h.issuer = named[i - 1];
		/* once for each name */
		for (j = 0; j + 1 < i; j++)
			if (X509_NAME_cmp(named[j], h.issuer) == 0)
				break;
		if (i > 0 && (j + 1 < i || X509_NAME_cmp(X509_CRL_get_issuer(crl), h.issuer) == 0))
			continue;
		X509_set_issuer_name(h.cert, h.issuer);
		error = scan_for(&h, der, signer);
		if (i == 0)
			first = error;
		else if (error != first)
			complain(&h, "another verdict for another issuer", i);
	}
	for (i = 0; i < n_named; i++)
		X509_NAME_free(named[i]);
	X509_free(h.cert);
	free(named);
	free(entries);
	return first;
}
