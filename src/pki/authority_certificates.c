/* SPDX-License-Identifier: GPL-2.0-or-later */
/* authority_certificates.c -- the authorities' own certificates and those of whom
 * they let sign: keys, names, and which of them issued which. They come from the
 * administrator's files, so they are trusted to be meant. */
#include <errno.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "pki/authority_parts.h"
#include "pki/name.h"

X509 *
certificate_read(const uint8_t *der, size_t len)
{
	const uint8_t *p = der;
	X509 *x;

	if (len > LIMIT_CERTIFICATE_BYTES || (x = d2i_X509(NULL, &p, (long)len)) == NULL)
		return NULL;
	if (p == der + len && X509_get0_pubkey(x) != NULL)
		return x;
	X509_free(x);
	return NULL;
}

int
certificate_signer(X509 *x, struct crl_signer *out, uint8_t key_digest[KEY_DIGEST_LEN])
{
	const ASN1_OCTET_STRING *id;
	const uint8_t *name;
	uint8_t *der = NULL;
	size_t name_len;
	int n;

	if (X509_NAME_get0_der(X509_get_subject_name(x), &name, &name_len) != 1 ||
	    (n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der)) <= 0)
		return -EBADMSG;
	SHA256(der, (size_t)n, key_digest);
	OPENSSL_free(der);
	id = X509_get0_subject_key_id(x);
	*out = (struct crl_signer){
		.name = name,
		.name_len = name_len,
		.key = X509_get0_pubkey(x),
		/* RFC 5280 4.2.1.3: without keyUsage the key may do everything. */
		.may_sign = (X509_get_key_usage(x) & KU_CRL_SIGN) != 0,
		.key_id = id != NULL ? ASN1_STRING_get0_data(id) : NULL,
		.key_id_len = id != NULL ? (size_t)ASN1_STRING_length(id) : 0,
	};
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

/* ---- one authority ------------------------------------------------------ */

static void
certificate_load(struct trust_certificate *c, const struct image *im, const struct image_issuer *from)
{
	struct crl_signer signer;

	if ((c->x509 = certificate_read(im->blobs + from->certificate, from->certificate_len)) == NULL)
		return;
	if (certificate_signer(c->x509, &signer, c->key) < 0) {
		X509_free(c->x509);
		c->x509 = NULL;
		return;
	}
	c->not_before = asn1_time_ms(X509_get0_notBefore(c->x509));
	c->not_after = asn1_time_ms(X509_get0_notAfter(c->x509));
}

static bool
same_subject(const X509 *a, const X509 *b)
{
	const uint8_t *an, *bn;
	size_t al, bl;

	return X509_NAME_get0_der(X509_get_subject_name(a), &an, &al) == 1 &&
	    X509_NAME_get0_der(X509_get_subject_name(b), &bn, &bl) == 1 && name_equal(an, al, bn, bl);
}

static void
signer_add(struct authority *a, const struct trust_certificate *c, uint32_t index)
{
	struct authority_signer *by;
	struct crl_signer signer;
	uint8_t digest[KEY_DIGEST_LEN];
	size_t i;

	if (certificate_signer(c->x509, &signer, digest) < 0)
		return;
	for (i = 0; i < a->n_signers; i++)
		if (memcmp(a->signed_by[i].key_digest, digest, sizeof(digest)) == 0 &&
		    name_equal(a->signers[i].name, a->signers[i].name_len, signer.name, signer.name_len))
			break;
	by = &a->signed_by[i];
	if (i < a->n_signers) {
		/* One key with several certificates: what one of them allows is allowed. */
		a->signers[i].may_sign |= signer.may_sign;
		by->not_before = c->not_before < by->not_before ? c->not_before : by->not_before;
		by->not_after = c->not_after > by->not_after ? c->not_after : by->not_after;
		return;
	}
	a->signers[i] = signer;
	*by = (struct authority_signer){ .certificate = index, .role = c->role, .not_before = c->not_before,
		.not_after = c->not_after };
	memcpy(by->key_digest, digest, sizeof(digest));
	a->n_signers++;
}

static int
certificates_of(struct authorities *all, uint32_t index, const struct image *im, uint32_t at)
{
	const struct image_authority *from = &im->authorities[index];
	struct authority *a = &all->authorities[index];
	uint32_t i, j;

	a->first_certificate = at;
	a->n_certificates = from->issuers.n;
	a->signers = calloc((size_t)from->issuers.n + 1, sizeof(*a->signers));
	a->signed_by = calloc((size_t)from->issuers.n + 1, sizeof(*a->signed_by));
	if (a->signers == NULL || a->signed_by == NULL)
		return -ENOMEM;
	for (i = at; i < at + from->issuers.n; i++) {
		const struct image_issuer *issuer = &im->issuers[from->issuers.first + i - at];
		struct trust_certificate *c = &all->certificates[i];

		c->authority = index;
		c->role = issuer->role;
		c->parent = c->parent_certificate = c->subject = TRUST_NONE;
		c->node = i;
		a->n_own += issuer->role == ISSUER_OWN;
		certificate_load(c, im, issuer);
		if (c->x509 == NULL)
			continue;
		if (issuer->role == ISSUER_OWN && a->subject.der == NULL)
			(void)X509_NAME_get0_der(X509_get_subject_name(c->x509), &a->subject.der,
			    &a->subject.len);
		for (j = at; c->node == i && j < i; j++)
			if (all->certificates[j].x509 != NULL && all->certificates[j].role == c->role &&
			    memcmp(all->certificates[j].key, c->key, sizeof(c->key)) == 0 &&
			    same_subject(all->certificates[j].x509, c->x509))
				c->node = j;
		if (issuer->role != ISSUER_OCSP)
			signer_add(a, c, i);
	}
	return 0;
}

/* ---- who issued whom ---------------------------------------------------- */

/* Did p issue c? The name alone is anybody's to write. */
static bool
issued(const struct trust_certificate *p, const struct trust_certificate *c)
{
	const uint8_t *issuer, *subject;
	size_t issuer_len, subject_len;

	if (p->x509 == NULL || p->role != ISSUER_OWN || memcmp(p->key, c->key, sizeof(p->key)) == 0 ||
	    X509_NAME_get0_der(X509_get_issuer_name(c->x509), &issuer, &issuer_len) != 1 ||
	    X509_NAME_get0_der(X509_get_subject_name(p->x509), &subject, &subject_len) != 1 ||
	    !name_equal(issuer, issuer_len, subject, subject_len))
		return false;
	return X509_verify(c->x509, X509_get0_pubkey(p->x509)) == 1;
}

/* A certificate that its own key signed is an anchor, and nobody's to revoke. */
static void
parent_find(struct authorities *all, struct trust_certificate *c)
{
	uint32_t i;

	for (i = 0; c->x509 != NULL && i < all->n_certificates; i++) {
		if (!issued(&all->certificates[i], c))
			continue;
		c->parent = all->certificates[i].authority;
		c->parent_certificate = i;
		return;
	}
	c->anchor = true;
}

int
authority_certificates_load(struct authorities *all, const struct image *im)
{
	uint32_t i, at = 0;

	all->certificates = calloc((size_t)im->n[IMAGE_ISSUERS] + 1, sizeof(*all->certificates));
	if (all->certificates == NULL)
		return -ENOMEM;
	all->n_certificates = im->n[IMAGE_ISSUERS];
	for (i = 0; i < all->n; i++) {
		if (certificates_of(all, i, im, at) < 0)
			return -ENOMEM;
		at += all->authorities[i].n_certificates;
	}
	for (i = 0; i < all->n_certificates; i++)
		parent_find(all, &all->certificates[i]);
	return 0;
}

void
authority_certificates_done(struct authorities *all)
{
	uint32_t i;

	for (i = 0; all->certificates != NULL && i < all->n_certificates; i++)
		X509_free(all->certificates[i].x509);
	free(all->certificates);
}
