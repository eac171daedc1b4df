/* SPDX-License-Identifier: GPL-2.0-or-later */
/* store_record.h -- small records with a kind, a version and a checksum, replaced
 * whole. For the store's files only. */
#ifndef CORDON_PKI_STORE_RECORD_H
#define CORDON_PKI_STORE_RECORD_H

#include <stddef.h>
#include <stdint.h>

#define RECORD_BODY_MAX 16384

/* magic: 8 octets, kind and version. 0, -ENOENT, -EBADMSG when it is damaged or of
 * another kind, or -errno; out is left alone then. */
int record_load(int folder, const char *name, const char *magic, void *out, size_t len);
int record_save(int folder, const char *name, const char *magic, const void *body, size_t len);

#endif
