/* SPDX-License-Identifier: GPL-2.0-or-later */
/* certificate.c -- certificate files: to DER, and what little the policy needs
 * of them. Who issued them is issuers.c's affair, and what they count cordon-pki's. */
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/reader.h"
#include "config/x509.h"
#include "model/text.h"
#include "proto/limits.h"

#define BESIDE_MAX	1024	/* certificate files that are worth a look each time: authorities' */
#define PEM_BEGIN "-----BEGIN "

void
config_start(void)
{
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_ADD_ALL_DIGESTS, NULL);
}

X509 *
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

void
der_list_done(struct der_list *list)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		free(list->d[i].bytes);
	free(list->d);
	*list = (struct der_list){ .n = 0 };
}

/* Takes x. */
static bool
add_der(struct reader *r, unsigned line, const char *name, X509 *x, size_t max, struct der_list *list)
{
	unsigned char *out = NULL;
	int n = i2d_X509(x, &out);
	struct der *slot;
	bool ok = false;

	X509_free(x);
	if (n <= 0 || (size_t)n > max) {
		mistake(r, line, "certificate %.200s has more than %zu bytes", name, max);
	} else if ((slot = reader_grow(r, &list->d, list->n, sizeof(*slot))) != NULL) {
		if ((slot->bytes = malloc((size_t)n)) == NULL) {
			r->error = -ENOMEM;
		} else {
			memcpy(slot->bytes, out, (size_t)n);
			slot->len = (size_t)n;
			list->n++;
			ok = true;
		}
	}
	OPENSSL_free(out);
	return ok;
}

/* Certificates one after another; what else stands in the file is skipped. */
static bool
pem_to_der(struct reader *r, unsigned line, const char *name, const void *text, size_t len, size_t max,
    struct der_list *list)
{
	BIO *bio = BIO_new_mem_buf(text, (int)len);
	bool ok = true;
	X509 *x;

	if (bio == NULL) {
		r->error = -ENOMEM;
		return false;
	}
	/* The callback answers what an encrypted file would ask for: nothing. */
	while (ok && (x = PEM_read_bio_X509(bio, NULL, NULL, (void *)(uintptr_t)"")) != NULL)
		ok = add_der(r, line, name, x, max, list);
	if (ok && list->n > 0 && ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
		mistake(r, line, "certificate %.200s: what follows certificate %zu in it cannot be read", name, list->n);
		ok = false;
	}
	BIO_free(bio);
	return ok;
}

/* PEM or DER to copies in DER. */
static bool
to_der(struct reader *r, unsigned line, const char *name, const uint8_t *data, size_t len, size_t max,
    struct der_list *list)
{
	bool ok = true;
	X509 *x;

	*list = (struct der_list){ .n = 0 };
	ERR_clear_error();
	if (memmem(data, len, PEM_BEGIN, strlen(PEM_BEGIN)) != NULL)
		ok = pem_to_der(r, line, name, data, len, max, list);
	else if ((x = x509_of_der(data, len)) != NULL)
		ok = add_der(r, line, name, x, max, list);
	ERR_clear_error();
	if (ok && list->n == 0) {
		mistake(r, line, "certificate %.200s is neither a certificate in PEM nor one in DER", name);
		ok = false;
	}
	if (!ok)
		der_list_done(list);
	return ok && r->error == 0;
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
read_certificates(struct reader *r, unsigned line, const char *path, size_t max, struct der_list *list)
{
	uint8_t *data;
	size_t len;
	bool ok;
	int rc;

	if (strncmp(path, PEM_BEGIN, strlen(PEM_BEGIN)) == 0) {
		r->certificates++;
		return to_der(r, line, "in the text", (const uint8_t *)path, strlen(path), max, list);
	}
	rc = read_plain(r->dirfd, path, LIMIT_CERTIFICATE_BYTES, &data, &len);
	if (rc < 0) {
		mistake(r, line, "certificate %.200s cannot be read: %s%s", path, strerror(-rc),
		    rc == -EACCES ? ": it must be readable for cordon-compile and lie in the configuration folder "
		    "or in " SYSCONFDIR : "");
		return false;
	}
	note_file(r, path, data, len);
	ok = to_der(r, line, path, data, len, max, list);
	free(data);
	return ok;
}

/* ---- a device's --------------------------------------------------------- */

static void
take_serial(struct reader *r, unsigned line, struct certificate_decl *c)
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

/* Most devices of a batch have the same one. */
static void
add_intermediate(struct reader *r, unsigned line, struct der *der)
{
	struct intermediate *one, **slot;
	uint8_t digest[DIGEST_LEN];
	uint32_t index;
	size_t i;

	if ((one = calloc(1, sizeof(*one))) == NULL) {
		r->error = -ENOMEM;
		return;
	}
	digest_of(der->bytes, der->len, digest);
	for (i = 0; i < DIGEST_LEN; i++)
		snprintf(one->key + 2 * i, 3, "%02x", digest[i]);
	if (names_find(&r->known_intermediates, one->key, &index) ||
	    (slot = reader_grow(r, &r->intermediates, r->n_intermediates, sizeof(*slot))) == NULL) {
		free(one);
		return;
	}
	one->where = reader_where(r, line);
	one->der = *der;
	der->bytes = NULL;
	*slot = one;
	if (names_add(&r->known_intermediates, one->key, (uint32_t)r->n_intermediates++, NULL) < 0)
		r->error = -ENOMEM;
}

void
certificate_read(struct reader *r, unsigned line, struct certificate_decl *c, const char *path)
{
	struct der_list list;
	size_t i;

	if (!read_certificates(r, line, path, LIMIT_CERTIFICATE_BYTES, &list))
		return;
	c->der = list.d[0].bytes;
	c->der_len = list.d[0].len;
	list.d[0].bytes = NULL;
	take_serial(r, line, c);
	for (i = 1; i < list.n && r->error == 0; i++)
		add_intermediate(r, line, &list.d[i]);
	der_list_done(&list);
}
