/* SPDX-License-Identifier: GPL-2.0-or-later */
/* authority_parts.h -- what the files of authority share; for them only. */
#ifndef CORDON_PKI_AUTHORITY_PARTS_H
#define CORDON_PKI_AUTHORITY_PARTS_H

#include "pki/authority.h"

/* authority_certificates.c: certificates and signers of all authorities, and who
 * issued whom. 0 or -ENOMEM. */
int authority_certificates_load(struct authorities *, const struct image *);
void authority_certificates_done(struct authorities *);

/* authority_subjects.c: the certificates that CRLs speak about, and where to find
 * them by serial and by device. 0 or -ENOMEM. */
int authority_subjects_load(struct authorities *, const struct image *, const struct inventory_key *);

/* subject_read.c: what a certificate in DER says about itself, strictly read: key,
 * validity, distribution points, and whether it is a CA's. -EBADMSG with nothing
 * changed: then of this certificate only the serial is known. */
int subject_read(struct subject *, const uint8_t *der, size_t len);

#endif
