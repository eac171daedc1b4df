/* SPDX-License-Identifier: GPL-2.0-or-later */
/* point.h -- names of distribution points that are written relative to an issuer's
 * name (RFC 5280 4.2.1.13), as the whole names that they stand for. */
#ifndef CORDON_PKI_POINT_H
#define CORDON_PKI_POINT_H

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "pki/crl_scan.h"

#define POINT_NAME_MAX 1024	/* a whole name; longer ones are compared with nothing */

/* issuer: a Name in DER; rdn: the content of nameRelativeToCRLIssuer. crl_point_hash of
 * the directoryName; -EBADMSG or -E2BIG. */
int point_relative(const uint8_t *issuer, size_t len, struct buf rdn, uint64_t *out);

/* What distinguishes a point whose CRLs somebody else issues (a Name in DER): mixed in
 * by exclusive or. */
uint64_t point_issuer_hash(const uint8_t *name, size_t len);

/* The crlExtensions of a CRL that were found well-formed: fills the verdict's points
 * when its distribution point has a relative name. */
void point_of_crl(const uint8_t *exts, size_t n, const uint8_t *issuer, size_t issuer_len, struct crl_verdict *);

#endif
