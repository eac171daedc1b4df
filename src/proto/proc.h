/* SPDX-License-Identifier: GPL-2.0-or-later */
/* proc.h -- our processes, and the descriptors they are born with. */
#ifndef CORDON_PROTO_PROC_H
#define CORDON_PROTO_PROC_H

#include <stdint.h>

enum proc {
	PROC_NONE = 0,
	PROC_SPAWN,
	PROC_ENFORCE,
	PROC_COMPILE,
	PROC_FLOW,
	PROC_PKI,
	PROC_FETCH,
	PROC_CTL,
	PROC_MAX
};

#define PROC_BIT(p) (1U << (p))

/* "cordond", "cordon-flow", ...; "?" for a number that is none. */
const char *proc_name(uint32_t proc);

/* What cordon-spawn hands to a child, always under these numbers. */
enum proc_fd {
	PROC_FD_CHANNEL = 3,	/* to its partner: cordond for workers, cordon-spawn for cordond */
	PROC_FD_EXTRA = 4,	/* cordond: the nftables socket that outlives it; cordon-compile: the configuration folder */
	PROC_FD_STATE = 5,	/* cordond, cordon-flow, cordon-pki: an O_PATH descriptor of their own state folder */
	PROC_FD_CONTROL = 6,	/* cordond: the listening control socket */
};

#endif
