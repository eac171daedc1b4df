/* SPDX-License-Identifier: GPL-2.0-or-later */
/* issuers.c -- who issued what: the certificates of devices and of CRL issuers, held
 * against those of all declared authorities. Judges no time and no revocation: that
 * is cordon-pki's. */
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "config/reader.h"
#include "config/x509.h"
#include "proto/limits.h"

const char *
x509_name_text(const X509_NAME *name, char buf[X509_NAME_TEXT])
{
	BIO *bio = BIO_new(BIO_s_mem());
	int n = 0;

	if (bio != NULL && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0)
		n = BIO_read(bio, buf, X509_NAME_TEXT - 1);
	buf[n > 0 ? n : 0] = '\0';
	BIO_free(bio);
	return buf;
}

/* ---- an authority by itself --------------------------------------------- */

static bool
is_expired(const X509 *x, int64_t now)
{
	time_t at = (time_t)now;

	return X509_cmp_time(X509_get0_notAfter(x), &at) < 0;
}

bool
says_expired(struct reader *r, const uint8_t *der, size_t len)
{
	X509 *x = x509_of_der(der, len);
	bool expired = x != NULL && is_expired(x, r->now);

	X509_free(x);
	ERR_clear_error();
	return expired;
}

/* RFC 5280 4.2.1.9: whose basicConstraints do not say CA signs no certificates. */
static bool
is_ca(X509 *x)
{
	uint32_t flags = X509_get_extension_flags(x);

	return (flags & EXFLAG_CA) != 0 || (flags & (EXFLAG_V1 | EXFLAG_SS)) == (EXFLAG_V1 | EXFLAG_SS);
}

static void
check_issuer(struct reader *r, const struct authority_decl *a, const struct issuer_decl *d, X509 *x, X509 *first)
{
	bool no_crl_sign = (X509_get_extension_flags(x) & EXFLAG_KUSAGE) != 0 &&
	    (X509_get_key_usage(x) & KU_CRL_SIGN) == 0;
	char name[X509_NAME_TEXT], other[X509_NAME_TEXT];
	unsigned line = d->where.line;

	x509_name_text(X509_get_subject_name(x), name);
	if (d->role == ISSUER_OWN && !is_ca(x))
		mistake(r, line, "authority \"%s\": its certificate is no CA's (basicConstraints): name the "
		    "certificate that issued the devices'", a->name);
	else if (d->role == ISSUER_OWN && X509_NAME_cmp(X509_get_subject_name(x), X509_get_subject_name(first)) != 0)
		mistake(r, line, "authority \"%s\": its certificates have two names, %s and %s: keys that follow each "
		    "other have one name (RFC 5280 7.1), so declare another authority for another name", a->name,
		    x509_name_text(X509_get_subject_name(first), other), name);
	else if (d->role == ISSUER_OWN && no_crl_sign)
		advice(r, line, "authority \"%s\": its certificate may not sign CRLs (keyUsage without cRLSign, "
		    "RFC 5280 4.2.1.3): CRLs of its own will be refused", a->name);
	else if (d->role == ISSUER_CRL && no_crl_sign)
		advice(r, line, "authority \"%s\": its crl_issuer %s may not sign CRLs (keyUsage without cRLSign, "
		    "RFC 5280 4.2.1.3): they will be refused", a->name, name);
	if (is_expired(x, r->now))
		advice(r, line, "authority \"%s\": the certificate of %s has expired: what it signs may still quarantine, "
		    "and clears nothing any more", a->name, name);
}

void
check_authority(struct reader *r, const struct authority_decl *a)
{
	X509 *first = NULL, *x;
	size_t i, k;

	for (i = 0; i < a->n_issuers; i++) {
		const struct issuer_decl *d = &a->issuers[i];

		for (k = 0; k < i; k++)
			if (a->issuers[k].role == d->role && a->issuers[k].der_len == d->der_len &&
			    memcmp(a->issuers[k].der, d->der, d->der_len) == 0)
				mistake(r, d->where.line, "authority \"%s\" has the same certificate twice: once is "
				    "enough", a->name);
		if ((x = x509_of_der(d->der, d->der_len)) == NULL)
			continue;
		check_issuer(r, a, d, x, first != NULL ? first : x);
		if (first == NULL)
			first = x;
		else
			X509_free(x);
	}
	X509_free(first);
	ERR_clear_error();
}

/* ---- all of them together ------------------------------------------------ */

/* A certificate of an authority. Those with one name and one key stand for the same
 * CA: a group, called by the first of them. */
struct known {
	X509 *x;
	EVP_PKEY *key;		/* borrowed from x */
	size_t authority;	/* index into the policy's array */
	uint32_t nth;		/* which of that one's, from 1 */
	size_t group;		/* index into these */
	bool anchor;		/* of a group: it is self-signed, or nobody declared issued it */
	bool mark;		/* of a group: seen in this look */
};

struct all_known {
	struct known *k;
	size_t n;
};

/* Did that one issue this certificate? Name first, then the signature. */
static bool
issued(const struct known *k, X509 *x)
{
	return k->key != NULL && X509_NAME_cmp(X509_get_subject_name(k->x), X509_get_issuer_name(x)) == 0 &&
	    X509_verify(x, k->key) == 1;
}

static bool
same_ca(const struct known *k, X509 *x)
{
	return k->key != NULL && X509_NAME_cmp(X509_get_subject_name(k->x), X509_get_subject_name(x)) == 0 &&
	    EVP_PKEY_eq(k->key, X509_get0_pubkey(x)) == 1;
}

static bool
gather(struct reader *r, struct all_known *all)
{
	const struct policy *p = r->p;
	size_t i, k, n = 0;

	for (i = 0; i < p->n_authorities; i++)
		n += p->authorities[i].n_issuers;
	if ((all->k = calloc(n + 1, sizeof(*all->k))) == NULL) {
		r->error = -ENOMEM;
		return false;
	}
	for (i = 0; i < p->n_authorities; i++)
		for (k = 0; k < p->authorities[i].n_issuers; k++) {
			const struct issuer_decl *d = &p->authorities[i].issuers[k];
			struct known *at = &all->k[all->n];

			if (d->role != ISSUER_OWN || (at->x = x509_of_der(d->der, d->der_len)) == NULL)
				continue;
			at->key = X509_get0_pubkey(at->x);
			at->authority = i;
			at->nth = (uint32_t)k + 1;
			for (at->group = 0; at->group < all->n; at->group++)
				if (same_ca(&all->k[at->group], at->x))
					break;
			all->n++;
		}
	return true;
}

/* Whose device is it then? That of the first, unless it names the other one. */
static void
check_shared(struct reader *r, const struct all_known *all)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct known *k = &all->k[i], *first = &all->k[k->group];
		const struct issuer_decl *d = &r->p->authorities[k->authority].issuers[k->nth - 1];

		if (first->authority == k->authority)
			continue;
		r->file = d->where.file;
		advice(r, d->where.line, "authorities \"%s\" and \"%s\" have one name and key: certificates that name no "
		    "authority are taken for the first one's", r->p->authorities[first->authority].name,
		    r->p->authorities[k->authority].name);
	}
}

static void
forget(struct all_known *all)
{
	for (size_t i = 0; i < all->n; i++)
		X509_free(all->k[i].x);
	free(all->k);
}

/* ---- trust anchors ------------------------------------------------------ */

static void
find_anchors(struct all_known *all)
{
	size_t i, k;
	bool above;

	for (i = 0; i < all->n; i++) {
		struct known *g = &all->k[all->k[i].group];

		above = false;
		for (k = 0; k < all->n && !above; k++)
			above = all->k[k].group != all->k[i].group && issued(&all->k[k], all->k[i].x);
		g->anchor |= !above;
	}
}

/* Mark this group and all that it leads to. */
static void
mark_up(struct all_known *all, size_t group)
{
	size_t i, k;

	if (all->k[group].mark)
		return;
	all->k[group].mark = true;
	for (i = 0; i < all->n; i++) {
		if (all->k[i].group != group)
			continue;
		for (k = 0; k < all->n; k++)
			if (all->k[k].group != group && issued(&all->k[k], all->k[i].x))
				mark_up(all, all->k[k].group);
	}
}

/* Of the marked ones the anchors stay. */
static void
anchors_of_authority(struct all_known *all, size_t authority, bool *anchor)
{
	size_t i;

	for (i = 0; i < all->n; i++)
		all->k[i].mark = false;
	for (i = 0; i < all->n; i++)
		if (all->k[i].authority == authority)
			mark_up(all, all->k[i].group);
	for (i = 0; i < all->n; i++)
		anchor[i] = all->k[i].mark && all->k[i].anchor;
}

/* Does this CRL issuer lead to one of these anchors? *known: to any declared
 * authority at all. */
static bool
leads_to(struct all_known *all, X509 *x, const bool *anchor, bool *known)
{
	bool found = false;
	size_t i;

	*known = false;
	for (i = 0; i < all->n; i++)
		all->k[i].mark = false;
	for (i = 0; i < all->n; i++)
		if (same_ca(&all->k[i], x) || issued(&all->k[i], x)) {
			*known = true;
			mark_up(all, all->k[i].group);
		}
	for (i = 0; i < all->n; i++)
		found |= all->k[i].mark && anchor[i];
	return found;
}

static void
check_crl_issuer(struct reader *r, struct all_known *all, const struct authority_decl *a, const struct issuer_decl *d,
    const bool *anchor)
{
	char name[X509_NAME_TEXT], issuer[X509_NAME_TEXT];
	X509 *x = x509_of_der(d->der, d->der_len);
	bool known, fine;

	if (x == NULL)
		return;
	r->file = d->where.file;
	x509_name_text(X509_get_subject_name(x), name);
	/* RFC 5280 6.3.3 (f): the CRL's path begins where the certificate's does. */
	fine = leads_to(all, x, anchor, &known);
	if (!fine && !known)
		mistake(r, d->where.line, "authority \"%s\": its crl_issuer %s was issued by no declared authority: declare "
		    "%s, or take crl_issuer away", a->name, name, x509_name_text(X509_get_issuer_name(x), issuer));
	else if (!fine)
		mistake(r, d->where.line, "authority \"%s\": its crl_issuer %s leads to another trust anchor than the "
		    "authority (RFC 5280 6.3.3): only who has the same root may sign its CRLs", a->name, name);
	X509_free(x);
}

static void
check_crl_issuers(struct reader *r, struct all_known *all)
{
	bool *anchor = calloc(all->n + 1, sizeof(*anchor)), any = false;
	size_t i, k;

	for (i = 0; i < r->p->n_authorities; i++)
		for (k = 0; k < r->p->authorities[i].n_issuers; k++)
			any |= r->p->authorities[i].issuers[k].role == ISSUER_CRL;
	if (anchor == NULL)
		r->error = -ENOMEM;
	if (anchor != NULL && any && !r->p->incomplete) {
		find_anchors(all);
		for (i = 0; i < r->p->n_authorities; i++) {
			const struct authority_decl *a = &r->p->authorities[i];

			anchors_of_authority(all, i, anchor);
			for (k = 0; k < a->n_issuers; k++)
				if (a->issuers[k].role == ISSUER_CRL)
					check_crl_issuer(r, all, a, &a->issuers[k], anchor);
		}
	}
	free(anchor);
}

/* ---- devices ------------------------------------------------------------ */

static void
resolve_issuer(struct reader *r, const struct all_known *all, const char *device, struct certificate_decl *c)
{
	X509 *x = x509_of_der(c->der, c->der_len);
	char name[X509_NAME_TEXT];
	size_t i;

	if (x == NULL)
		return;
	for (i = 0; i < all->n; i++) {
		const char *authority = r->p->authorities[all->k[i].authority].name;

		if ((c->authority != NULL && strcmp(c->authority, authority) != 0) || !issued(&all->k[i], x))
			continue;
		if (c->authority == NULL)
			c->authority = reader_copy(r, authority);
		c->issuer = all->k[i].nth;
		break;
	}
	r->file = c->where.file;
	if (i == all->n && !r->p->incomplete)
		mistake(r, c->where.line, "the certificate of device \"%s\" was issued by %s: declare the authority "
		    "that issued it, %s", device,
		    c->authority == NULL ? "no declared authority" : "another authority than it says",
		    x509_name_text(X509_get_issuer_name(x), name));
	X509_free(x);
	ERR_clear_error();
}

/* Whoever stands between a device and its root is an authority: on its CRL the device is. */
static void
check_intermediate(struct reader *r, const struct all_known *all, const struct intermediate *one)
{
	X509 *x = x509_of_der(one->der.bytes, one->der.len);
	char name[X509_NAME_TEXT];
	bool declared = x == NULL;
	size_t i;

	for (i = 0; i < all->n && !declared; i++)
		declared = same_ca(&all->k[i], x);
	r->file = one->where.file;
	if (!declared && X509_NAME_cmp(X509_get_subject_name(x), X509_get_issuer_name(x)) != 0)
		mistake(r, one->where.line, "behind the device's certificate stands that of %s, which is no declared "
		    "authority: declare it with that certificate and its crl, or take it out of the file",
		    x509_name_text(X509_get_subject_name(x), name));
	X509_free(x);
}

void
resolve_issuers(struct reader *r)
{
	struct all_known all = { .n = 0 };
	size_t i, k;

	if (!gather(r, &all))
		return;
	check_shared(r, &all);
	check_crl_issuers(r, &all);
	for (i = 0; i < r->n_intermediates && !r->p->incomplete; i++)
		check_intermediate(r, &all, r->intermediates[i]);
	for (i = 0; i < r->p->n_devices && r->error == 0; i++)
		for (k = 0; k < r->p->devices[i].n_certificates; k++)
			if (r->p->devices[i].certificates[k].der != NULL)
				resolve_issuer(r, &all, r->p->devices[i].name, &r->p->devices[i].certificates[k]);
	forget(&all);
	ERR_clear_error();
}
