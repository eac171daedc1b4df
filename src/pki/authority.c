/* SPDX-License-Identifier: GPL-2.0-or-later */
/* authority.c -- from a checked image to keys and inventories. The image comes
 * from the administrator's files, so its certificates are trusted to be meant;
 * what they say about themselves is still checked where a CRL is verified. */
#include <errno.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "pki/authority.h"

/* ---- certificates ------------------------------------------------------- */

static int
key_digest(X509 *x, uint8_t out[KEY_DIGEST_LEN])
{
	uint8_t *der = NULL;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);

	if (n <= 0)
		return -EBADMSG;
	SHA256(der, (size_t)n, out);
	OPENSSL_free(der);
	return 0;
}

static int64_t
asn1_time_ms(const ASN1_TIME *t)
{
	ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
	int days = 0, seconds = 0;

	if (epoch == NULL || ASN1_TIME_diff(&days, &seconds, epoch, t) != 1)
		days = seconds = 0;
	ASN1_TIME_free(epoch);
	return ((int64_t)days * 86400 + seconds) * 1000;
}

int
authority_read_certificate(struct authority *a, const uint8_t *der, size_t len)
{
	const uint8_t *p = der;
	uint8_t *name = NULL;
	int rc = -EBADMSG, n;
	X509 *x;

	if (len > LIMIT_CERTIFICATE_BYTES || (x = d2i_X509(NULL, &p, (long)len)) == NULL)
		return -EBADMSG;
	if (p != der + len || key_digest(x, a->key_digest) < 0)
		goto out;
	if ((n = i2d_X509_NAME(X509_get_subject_name(x), &name)) <= 0)
		goto out;
	if ((a->signer.key = X509_get_pubkey(x)) == NULL) {
		OPENSSL_free(name);
		goto out;
	}
	a->signer.name = name;
	a->signer.name_len = (size_t)n;
	/* RFC 5280 4.2.1.3: without keyUsage the key may do everything. */
	a->signer.may_sign = (X509_get_key_usage(x) & KU_CRL_SIGN) != 0;
	a->not_after = asn1_time_ms(X509_get0_notAfter(x));
	a->n_signers = 1;
	rc = 0;
out:
	X509_free(x);
	return rc;
}

void
authority_done(struct authority *a)
{
	free(a->name);
	free(a->ca);
	OPENSSL_free((void *)(uintptr_t)a->signer.name);
	EVP_PKEY_free(a->signer.key);
	inventory_free(a->inventory);
	memset(a, 0, sizeof(*a));
}

/* ---- inventories -------------------------------------------------------- */

static int
index_of(const struct image *im, uint32_t number, uint32_t *out)
{
	const struct image_authority *a = image_authority(im, number);

	if (a == NULL)
		return -ENOENT;
	*out = (uint32_t)(a - im->authorities);
	return 0;
}

/* All certificates that this authority gave to our devices. */
static struct inventory *
inventory_of(const struct image *im, uint32_t authority, size_t n, const struct inventory_key *key)
{
	struct inventory_cert *certs;
	struct inventory *inv;
	size_t at = 0;
	uint32_t i, j;

	if ((certs = calloc(n + 1, sizeof(*certs))) == NULL)
		return NULL;
	for (i = 0; i < im->n[IMAGE_DEVICES]; i++) {
		const struct image_device *d = &im->devices[i];

		for (j = 0; j < d->certificates.n; j++) {
			const struct image_certificate *c = &im->certificates[d->certificates.first + j];

			if (c->authority != authority || at == n)
				continue;
			serial_load(&certs[at].serial, c->serial, c->serial_len);
			certs[at++].device = d->number;
		}
	}
	inv = inventory_new(certs, at, key);
	free(certs);
	return inv;
}

static int
inventories_load(struct authorities *all, const struct image *im, const struct inventory_key *key)
{
	size_t *counts;
	uint32_t i, at;
	int rc = 0;

	if ((counts = calloc(all->n + 1, sizeof(*counts))) == NULL)
		return -ENOMEM;
	for (i = 0; i < im->n[IMAGE_CERTIFICATES]; i++)
		if (index_of(im, im->certificates[i].authority, &at) == 0)
			counts[at]++;
	for (i = 0; i < all->n && rc == 0; i++) {
		struct authority *a = &all->authorities[i];

		if (counts[i] > 0 && (a->inventory = inventory_of(im, a->number, counts[i], key)) == NULL)
			rc = -ENOMEM;
	}
	free(counts);
	return rc;
}

/* ---- the whole ---------------------------------------------------------- */

static int
authority_load(struct authority *a, const struct image *im, const struct image_authority *from)
{
	a->number = from->number;
	a->refresh_s = from->refresh_s;
	if ((a->name = strdup(image_text(im, from->name))) == NULL)
		return -ENOMEM;
	if (from->sources.n > 0 && im->sources[from->sources.first].ca_len > 0) {
		const struct image_source *s = &im->sources[from->sources.first];

		if ((a->ca = malloc(s->ca_len)) == NULL)
			return -ENOMEM;
		memcpy(a->ca, im->blobs + s->ca, s->ca_len);
		a->ca_len = s->ca_len;
	}
	/* One that cannot be read takes nothing from the others. */
	(void)authority_read_certificate(a, im->blobs + im->issuers[from->issuers.first].certificate,
	    im->issuers[from->issuers.first].certificate_len);
	return 0;
}

static int
sources_load(struct authorities *all, const struct image *im)
{
	uint32_t i;

	for (i = 0; i < all->n_sources; i++) {
		if (index_of(im, im->sources[i].authority, &all->sources[i].authority) < 0)
			return -ENOENT;
		if ((all->sources[i].url = strdup(image_source_url(im, &im->sources[i]))) == NULL)
			return -ENOMEM;
	}
	return 0;
}

struct authorities *
authorities_new(const struct image *im, const struct inventory_key *key)
{
	struct authorities *all;
	uint32_t i;

	if ((all = calloc(1, sizeof(*all))) == NULL)
		return NULL;
	all->n = im->n[IMAGE_AUTHORITIES];
	all->n_sources = im->n[IMAGE_SOURCES];
	all->authorities = calloc(all->n + 1, sizeof(*all->authorities));
	all->sources = calloc(all->n_sources + 1, sizeof(*all->sources));
	if (all->authorities == NULL || all->sources == NULL)
		goto fail;
	for (i = 0; i < all->n; i++)
		if (authority_load(&all->authorities[i], im, &im->authorities[i]) < 0)
			goto fail;
	if (inventories_load(all, im, key) < 0 || sources_load(all, im) < 0)
		goto fail;
	return all;
fail:
	authorities_free(all);
	return NULL;
}

void
authorities_free(struct authorities *all)
{
	uint32_t i;

	if (all == NULL)
		return;
	for (i = 0; all->authorities != NULL && i < all->n; i++)
		authority_done(&all->authorities[i]);
	for (i = 0; all->sources != NULL && i < all->n_sources; i++)
		free(all->sources[i].url);
	free(all->authorities);
	free(all->sources);
	free(all);
}
