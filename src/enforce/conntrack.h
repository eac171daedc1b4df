/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conntrack.h -- forget flows whose marks must not be met again. */
#ifndef CORDON_ENFORCE_CONNTRACK_H
#define CORDON_ENFORCE_CONNTRACK_H

#include <stddef.h>
#include <stdint.h>

#include "enforce/nft_socket.h"
#include "model/image.h"

/* Delete every flow whose mark, and'ed with mask, is mark: one device's. */
int conntrack_forget(struct nft_socket *, uint32_t mark, uint32_t mask);

/* Delete every flow that carries a mark at all: after our table was lost, the
 * old marks prove nothing. *n counts them. */
int conntrack_forget_marked(struct nft_socket *, uint32_t *n);

/* Delete every marked flow one of whose ends is one of these addresses, which
 * are sorted by image_address_order. */
int conntrack_forget_addresses(struct nft_socket *, const struct image_address *, size_t n_addresses,
    uint32_t *n);

#endif
