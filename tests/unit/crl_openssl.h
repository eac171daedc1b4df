/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crl_openssl.h -- a CRL as OpenSSL sees it, held against what our scan says. */
#ifndef CORDON_TESTS_CRL_OPENSSL_H
#define CORDON_TESTS_CRL_OPENSSL_H

#include <openssl/x509v3.h>

#include "crl_make.h"
#include "pki/crl_scan.h"

/* Scan it once for each issuer whose entries it has, with every serial that OpenSSL
 * sees as our inventory, and with strangers. Every hit, reason and date must be
 * the one that OpenSSL has, and X509_CRL_get0_by_cert must say the same of each.
 * Returns the scan's error (of the first issuer); disagreements are printed and
 * counted. */
enum source_error crl_as_openssl(X509_CRL *, const struct bytes *der, const struct crl_signer *,
    const char *which, unsigned *disagree);

#endif
