/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pem.h -- a certificate in the form that libcurl takes. Pure. */
#ifndef CORDON_FETCH_PEM_H
#define CORDON_FETCH_PEM_H

#include <stddef.h>
#include <stdint.h>

/* The caller frees *out. 0 or -ENOMEM. */
int pem_certificate(const uint8_t *der, size_t len, char **out, size_t *out_len);

#endif
