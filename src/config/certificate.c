/* SPDX-License-Identifier: GPL-2.0-or-later */
/* certificate.c -- certificate files: to DER, and what little the policy needs
 * of them. Judges no chain and no time: that is cordon-pki's. */
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/reader.h"
#include "model/text.h"
#include "proto/limits.h"

#define BESIDE_MAX	1024	/* certificate files that are worth a look each time: authorities' */
#define PEM_BEGIN "-----BEGIN "

void
config_start(void)
{
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_ADD_ALL_DIGESTS, NULL);
}

static X509 *
x509_of_der(const uint8_t *der, size_t len)
{
	const unsigned char *at = der;
	X509 *x = d2i_X509(NULL, &at, (long)len);

	if (x != NULL && at != der + len) {
		X509_free(x);
		x = NULL;
	}
	return x;
}

static X509 *
x509_of_pem(const void *text, size_t len)
{
	BIO *bio = BIO_new_mem_buf(text, (int)len);
	X509 *x;

	if (bio == NULL)
		return NULL;
	/* The callback answers what an encrypted file would ask for: nothing. */
	x = PEM_read_bio_X509(bio, NULL, NULL, (void *)(uintptr_t)"");
	BIO_free(bio);
	return x;
}

/* PEM or DER to a copy in DER. */
static bool
to_der(struct reader *r, unsigned line, const char *name, const uint8_t *data, size_t data_len, size_t max,
    uint8_t **der, size_t *len)
{
	bool pem = memmem(data, data_len, PEM_BEGIN, strlen(PEM_BEGIN)) != NULL;
	X509 *x = pem ? x509_of_pem(data, data_len) : x509_of_der(data, data_len);
	unsigned char *out = NULL;
	int n;

	ERR_clear_error();
	if (x == NULL) {
		mistake(r, line, "certificate %.200s is neither a certificate in PEM nor one in DER", name);
		return false;
	}
	n = i2d_X509(x, &out);
	X509_free(x);
	if (n <= 0 || (size_t)n > max) {
		OPENSSL_free(out);
		mistake(r, line, "certificate %.200s has more than %zu bytes", name, max);
		return false;
	}
	*der = malloc((size_t)n);
	if (*der == NULL)
		r->error = -ENOMEM;
	else
		memcpy(*der, out, (size_t)n);
	OPENSSL_free(out);
	*len = (size_t)n;
	return *der != NULL;
}

/* What was read besides the configuration, to be known again. */
static void
note_file(struct reader *r, const char *path, const uint8_t *data, size_t len)
{
	struct file_beside *beside;

	r->certificates++;
	if (r->p->n_beside >= BESIDE_MAX || !text_is_clean(path)) {
		r->p->read_always = true;
		return;
	}
	if ((beside = reader_grow(r, &r->p->beside, r->p->n_beside, sizeof(*beside))) == NULL ||
	    (beside->path = reader_copy(r, path)) == NULL)
		return;
	digest_of(data, len, beside->digest);
	r->p->n_beside++;
}

bool
read_certificate(struct reader *r, unsigned line, const char *path, size_t max, uint8_t **der, size_t *len)
{
	uint8_t *data;
	size_t data_len;
	bool ok;
	int rc;

	if (strncmp(path, PEM_BEGIN, strlen(PEM_BEGIN)) == 0)
		return to_der(r, line, "in the text", (const uint8_t *)path, strlen(path), max, der, len);
	rc = read_plain(r->dirfd, path, LIMIT_CERTIFICATE_BYTES, &data, &data_len);
	if (rc < 0) {
		mistake(r, line, "certificate %.200s cannot be read: %s%s", path, strerror(-rc),
		    rc == -EACCES ? ": it must be readable for cordon-compile and lie in the configuration folder "
		    "or in " SYSCONFDIR : "");
		return false;
	}
	note_file(r, path, data, data_len);
	ok = to_der(r, line, path, data, data_len, max, der, len);
	free(data);
	return ok;
}

void
check_authority(struct reader *r, unsigned line, const struct authority_decl *a)
{
	X509 *x = x509_of_der(a->issuers[0].der, a->issuers[0].der_len);
	uint32_t flags, usage;

	if (x == NULL)
		return;
	flags = X509_get_extension_flags(x);
	usage = X509_get_key_usage(x);
	/* RFC 5280 4.2.1.9: whose basicConstraints do not say CA signs no certificates. */
	if ((flags & EXFLAG_CA) == 0 && (flags & (EXFLAG_V1 | EXFLAG_SS)) != (EXFLAG_V1 | EXFLAG_SS))
		mistake(r, line, "authority \"%s\": its certificate is no CA's (basicConstraints): name the "
		    "certificate that issued the devices'", a->name);
	else if ((flags & EXFLAG_KUSAGE) != 0 && (usage & KU_CRL_SIGN) == 0)
		advice(r, line, "authority \"%s\": its certificate may not sign CRLs (keyUsage without cRLSign, "
		    "RFC 5280 4.2.1.3): CRLs of its own will be refused", a->name);
	X509_free(x);
	ERR_clear_error();
}

void
certificate_take_serial(struct reader *r, unsigned line, struct certificate_decl *c)
{
	X509 *x = x509_of_der(c->der, c->der_len);
	const ASN1_INTEGER *serial;
	BIGNUM *bn = NULL;
	int n;

	if (x == NULL)
		return;
	serial = X509_get0_serialNumber(x);
	if (serial != NULL)
		bn = ASN1_INTEGER_to_BN(serial, NULL);
	n = bn != NULL ? BN_num_bytes(bn) : 0;
	if (bn == NULL || BN_is_negative(bn) || n > (int)LIMIT_SERIAL) {
		mistake(r, line, "the certificate's serial number is negative or longer than %u octets "
		    "(RFC 5280 4.1.2.2): it cannot be found on a CRL", LIMIT_SERIAL);
	} else {
		c->serial_len = n == 0 ? 1 : (uint32_t)n;
		BN_bn2bin(bn, c->serial);
	}
	BN_free(bn);
	X509_free(x);
	ERR_clear_error();
}

/* ---- issuers ------------------------------------------------------------ */

/* Did this authority issue that certificate? Name first, then the signature. */
static bool
issued(X509 *authority, EVP_PKEY *key, X509 *x)
{
	return authority != NULL && key != NULL &&
	    X509_NAME_cmp(X509_get_subject_name(authority), X509_get_issuer_name(x)) == 0 &&
	    X509_verify(x, key) == 1;
}

static void
resolve_issuer(struct reader *r, const struct device_decl *d, X509 *const *authorities)
{
	struct certificate_decl *c = d->certificate;
	X509 *x = x509_of_der(c->der, c->der_len);
	size_t i;

	if (x == NULL)
		return;
	r->file = c->where.file;
	for (i = 0; i < r->p->n_authorities; i++) {
		const struct authority_decl *a = &r->p->authorities[i];

		if (c->authority != NULL && strcmp(c->authority, a->name) != 0)
			continue;
		if (authorities[i] != NULL && issued(authorities[i], X509_get0_pubkey(authorities[i]), x)) {
			if (c->authority == NULL)
				c->authority = reader_copy(r, a->name);
			break;
		}
	}
	if (i == r->p->n_authorities && !r->p->incomplete)
		mistake(r, c->where.line, "the certificate of device \"%s\" was issued by %s: declare the authority "
		    "that issued it", d->name,
		    c->authority == NULL ? "no declared authority" : "another authority than it says");
	X509_free(x);
	ERR_clear_error();
}

void
resolve_issuers(struct reader *r)
{
	X509 **authorities = calloc(r->p->n_authorities + 1, sizeof(*authorities));
	size_t i;

	if (authorities == NULL) {
		r->error = -ENOMEM;
		return;
	}
	for (i = 0; i < r->p->n_authorities; i++)
		if (r->p->authorities[i].n_issuers > 0 && r->p->authorities[i].issuers[0].der != NULL)
			authorities[i] = x509_of_der(r->p->authorities[i].issuers[0].der,
			    r->p->authorities[i].issuers[0].der_len);
	for (i = 0; i < r->p->n_devices && r->error == 0; i++)
		if (r->p->devices[i].certificate != NULL && r->p->devices[i].certificate->der != NULL)
			resolve_issuer(r, &r->p->devices[i], authorities);
	for (i = 0; i < r->p->n_authorities; i++)
		X509_free(authorities[i]);
	free(authorities);
}
