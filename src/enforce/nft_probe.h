/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_probe.h -- what this kernel can do, by trying it on a table that goes again. */
#ifndef CORDON_ENFORCE_NFT_PROBE_H
#define CORDON_ENFORCE_NFT_PROBE_H

#include "enforce/nft_socket.h"
#include "model/ruleset.h"

/* 0 or -errno when even what everything rests on is missing (-EOPNOTSUPP), or
 * we may not (-EPERM). */
int nft_probe(struct nft_socket *, struct features *out);

/* "owner-persist,connlimit": pretend that these are absent. -EINVAL: not one of ours. */
int features_force_absent(struct features *, const char *list);

#endif
