/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nflog.h -- the socket on which cordon-flow hears of refused packets. Binding
 * it needs CAP_NET_ADMIN, receiving does not: it is bound here and lent out. */
#ifndef CORDON_ENFORCE_NFLOG_H
#define CORDON_ENFORCE_NFLOG_H

#include <stdint.h>

/* A socket bound to our groups, or -errno (-EBUSY: another program has one). */
int nflog_open(uint32_t group_base);

#endif
