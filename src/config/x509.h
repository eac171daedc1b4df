/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x509.h -- what the readers of certificates share; for those files alone that use
 * OpenSSL. */
#ifndef CORDON_CONFIG_X509_H
#define CORDON_CONFIG_X509_H

#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

/* All of these bytes are one certificate; NULL. X509_free. */
X509 *x509_of_der(const uint8_t *der, size_t len);

#define X509_NAME_TEXT 200
/* "CN=Factory CA,O=Example"; returns buf. */
const char *x509_name_text(const X509_NAME *, char buf[X509_NAME_TEXT]);

#endif
