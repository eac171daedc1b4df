/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crl.h -- what the commands about CRLs share. */
#ifndef CORDON_CTL_CRL_H
#define CORDON_CTL_CRL_H

#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/view.h"

/* Show the sources and certificates of an authority (number; 0: of all).
 * EXIT_DIFFERS unless all is current. */
int crl_show(struct ctl *, struct client *, const struct view *, uint32_t authority);

#endif
