/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_trust.c -- whose CRL it may be: the authorities of a policy, and the
 * certificates that were named. A certificate that a declared authority has too
 * stands for that authority, so that its devices are known. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <openssl/bio.h>
#include <openssl/pem.h>

#include "common/file.h"
#include "ctl/check.h"
#include "pki/name.h"

/* ---- certificates from files -------------------------------------------- */

static int64_t
time_ms(const ASN1_TIME *t)
{
	ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
	int days = 0, seconds = 0;

	if (epoch == NULL || ASN1_TIME_diff(&days, &seconds, epoch, t) != 1)
		days = seconds = 0;
	ASN1_TIME_free(epoch);
	return ((int64_t)days * 86400 + seconds) * 1000;
}

static int
add_certificate(struct check_certificate **list, size_t *n, X509 *x, const char *file)
{
	struct check_certificate *more = reallocarray(*list, *n + 1, sizeof(*more)), *c;

	if (more == NULL) {
		X509_free(x);
		return -ENOMEM;
	}
	*list = more;
	c = &more[(*n)++];
	*c = (struct check_certificate){ .x509 = x, .file = file };
	if (certificate_signer(x, &c->signer, c->by.key_digest) < 0)
		return -EBADMSG;
	c->by.not_before = time_ms(X509_get0_notBefore(x));
	c->by.not_after = time_ms(X509_get0_notAfter(x));
	c->name = (struct crl_name){ c->signer.name, c->signer.name_len };
	return 0;
}

/* DER, or any number of them in PEM. */
static int
read_certificates(const char *file, const uint8_t *bytes, size_t len, struct check_certificate **list, size_t *n)
{
	X509 *x = certificate_read(bytes, len);
	size_t before = *n;
	uint8_t *der;
	BIO *bio;
	int rc = 0, der_len;

	if (x != NULL)
		return add_certificate(list, n, x, file);
	if ((bio = BIO_new_mem_buf(bytes, (int)len)) == NULL)
		return -ENOMEM;
	while (rc == 0 && (x = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		der = NULL;
		der_len = i2d_X509(x, &der);
		X509_free(x);
		/* by the one reader that cordon-pki has as well */
		x = der_len > 0 ? certificate_read(der, (size_t)der_len) : NULL;
		OPENSSL_free(der);
		rc = x != NULL ? add_certificate(list, n, x, file) : -EBADMSG;
	}
	BIO_free(bio);
	return rc < 0 ? rc : *n > before ? 0 : -EBADMSG;
}

static int
load_option(struct ctl *c, enum opt option, struct check_certificate **list, size_t *n)
{
	const char *file;
	uint8_t *bytes;
	size_t len;
	unsigned i;
	int rc;

	for (i = 0; (file = args_nth(c->args, option, i)) != NULL; i++) {
		if ((rc = file_read_at(AT_FDCWD, file, 16 * LIMIT_CERTIFICATE_BYTES, &bytes, &len)) < 0)
			return ctl_fail(c, EXIT_MISTAKES, "--%s %s: %s", opt_infos[option].name, file, strerror(-rc));
		rc = read_certificates(file, bytes, len, list, n);
		free(bytes);
		if (rc < 0)
			return ctl_fail(c, EXIT_MISTAKES, "--%s %s: %s", opt_infos[option].name, file,
			    rc == -ENOMEM ? "no memory" : "no certificate in PEM or DER that can be used");
	}
	return 0;
}

/* ---- who is trusted ----------------------------------------------------- */

static int
add_signer(struct check_authority *a, const struct crl_signer *signer, const struct authority_signer *by)
{
	size_t i;

	for (i = 0; i < a->n_signers; i++)
		if (memcmp(a->by[i].key_digest, by->key_digest, KEY_DIGEST_LEN) == 0 && name_equal(a->signers[i].name,
		    a->signers[i].name_len, signer->name, signer->name_len))
			return 0;
	a->signers = reallocarray(a->signers, a->n_signers + 1, sizeof(*a->signers));
	a->by = reallocarray(a->by, a->n_signers + 1, sizeof(*a->by));
	if (a->signers == NULL || a->by == NULL)
		return -ENOMEM;
	a->signers[a->n_signers] = *signer;
	a->by[a->n_signers++] = *by;
	return 0;
}

static struct check_authority *
add_authority(struct check *k, const char *name, uint32_t index)
{
	struct check_authority *more;
	size_t i;

	for (i = 0; i < k->n_list; i++)
		if (index != CHECK_NONE && k->list[i].index == index)
			return &k->list[i];
	if ((more = reallocarray(k->list, k->n_list + 1, sizeof(*more))) == NULL)
		return NULL;
	k->list = more;
	k->list[k->n_list] = (struct check_authority){ .name = name, .index = index, .max_bytes = LIMIT_CRL_BYTES };
	return &k->list[k->n_list++];
}

/* With what its sources allow: the largest of them. */
static int
add_declared(struct check *k, uint32_t index)
{
	const struct authority *from = &k->all->authorities[index];
	struct check_authority *a = add_authority(k, from->name, index);
	uint64_t max = 0;
	uint32_t i;

	if (a == NULL)
		return -ENOMEM;
	if (a->n_signers > 0)
		return 0;
	a->names = &from->subject;
	a->n_names = from->subject.der != NULL;
	a->allow_sha1 = (from->flags & AUTHORITY_SHA1) != 0;
	for (i = 0; i < from->n_signers; i++)
		if (add_signer(a, &from->signers[i], &from->signed_by[i]) < 0)
			return -ENOMEM;
	a->n_declared = a->n_signers;
	for (i = 0; i < k->all->n_sources; i++) {
		if (k->all->sources[i].authority != index)
			continue;
		a->covers_all |= (k->all->sources[i].flags & SOURCE_COVERS_ALL) != 0;
		max = k->all->sources[i].max_bytes > max ? k->all->sources[i].max_bytes : max;
	}
	if (max != 0)
		a->max_bytes = max;
	return 0;
}

/* The declared authority that has this certificate's name and key. */
static uint32_t
declared_with(const struct check *k, const struct check_certificate *c)
{
	uint32_t i;
	size_t j;

	for (i = 0; k->all != NULL && i < k->all->n; i++)
		for (j = 0; j < k->all->authorities[i].n_signers; j++) {
			const struct authority *a = &k->all->authorities[i];

			if (a->signed_by[j].role == ISSUER_OWN &&
			    memcmp(a->signed_by[j].key_digest, c->by.key_digest, KEY_DIGEST_LEN) == 0 &&
			    name_equal(a->signers[j].name, a->signers[j].name_len, c->name.der, c->name.len))
				return i;
		}
	return CHECK_NONE;
}

static int
add_named(struct check *k, const struct check_certificate *c)
{
	uint32_t index = declared_with(k, c);
	struct check_authority *a;

	if (index != CHECK_NONE)
		return add_declared(k, index);
	if ((a = add_authority(k, c->file, CHECK_NONE)) == NULL || add_signer(a, &c->signer, &c->by) < 0)
		return -ENOMEM;
	a->names = &c->name;
	a->n_names = 1;
	return 0;
}

static int
build(struct check *k)
{
	size_t i, j;
	int rc = 0;

	for (i = 0; i < k->n_cas && rc == 0; i++)
		rc = add_named(k, &k->cas[i]);
	for (i = 0; k->n_cas == 0 && k->all != NULL && i < k->all->n && rc == 0; i++)
		rc = add_declared(k, (uint32_t)i);
	for (i = 0; i < k->n_list; i++)
		for (j = 0; j < k->n_issuers && rc == 0; j++)
			rc = add_signer(&k->list[i], &k->issuers[j].signer, &k->issuers[j].by);
	return rc;
}

int
check_trust(struct ctl *c, struct check *k, const struct image *im)
{
	struct inventory_key key;
	int rc;

	if (getrandom(&key, sizeof(key), 0) != sizeof(key))
		return ctl_fail(c, EXIT_MISTAKES, "getrandom: %s", strerror(errno));
	if (im != NULL && (k->all = authorities_new(im, &key)) == NULL)
		return ctl_fail(c, EXIT_MISTAKES, "no memory");
	if ((rc = load_option(c, OPT_CA, &k->cas, &k->n_cas)) != 0 ||
	    (rc = load_option(c, OPT_CRL_ISSUER, &k->issuers, &k->n_issuers)) != 0)
		return rc;
	if (build(k) < 0)
		return ctl_fail(c, EXIT_MISTAKES, "no memory");
	if (k->n_list == 0)
		return ctl_fail(c, EXIT_USAGE, "no authority to check against: say --ca FILE, the certificate of the CA");
	return 0;
}

static void
certificates_free(struct check_certificate *list, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		X509_free(list[i].x509);	/* names and keys are its own */
	free(list);
}

void
check_done(struct check *k)
{
	size_t i;

	for (i = 0; i < k->n_list; i++) {
		free(k->list[i].signers);
		free(k->list[i].by);
	}
	free(k->list);
	certificates_free(k->cas, k->n_cas);
	certificates_free(k->issuers, k->n_issuers);
	authorities_free(k->all);
}
