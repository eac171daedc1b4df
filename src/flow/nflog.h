/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nflog.h -- the kernel's NFLOG messages, and how many of them never came. */
#ifndef CORDON_FLOW_NFLOG_H
#define CORDON_FLOW_NFLOG_H

#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "flow/packet.h"
#include "proto/messages.h"

/* The kernel puts at most its buffer size (here 64 KiB by contract of the
 * socket's maker; usually a page) into one datagram. */
#define NFLOG_DATAGRAM_MAX 65536

struct record {
	uint8_t group;		/* enum flow_group */
	uint8_t hook;		/* NF_INET_* */
	uint8_t has_mac;
	uint8_t has_head;	/* 0: only what the kernel says of the packet is known */
	uint32_t mark;
	uint32_t in;		/* interface index, 0: none */
	uint32_t out;
	struct mac mac;
	struct packet packet;
	const void *head;	/* its first bytes, as long as the callback runs; NULL: none */
	size_t head_len;
};

/* Each group numbers its records. */
struct nflog {
	uint32_t group_base;
	uint32_t next[FLOW_GROUPS];	/* the number that is expected */
	uint8_t known[FLOW_GROUPS];	/* 1 once a record came */
	uint64_t records;
	uint64_t gaps;			/* records that never came */
	uint64_t overruns;		/* times that the kernel said so (ENOBUFS) */
	uint64_t unexplained;		/* overruns that no gap has accounted for yet */
	uint64_t malformed;		/* messages that could not be read */
};

void nflog_init(struct nflog *, uint32_t group_base);

/* Lost records, as far as known: gaps, and one for each overrun that no gap shows yet. */
uint64_t nflog_lost(const struct nflog *);

/* One datagram from the socket; fn is called for each record. */
typedef void nflog_fn(void *arg, const struct record *);
void nflog_parse(struct nflog *, const void *datagram, size_t len, nflog_fn *, void *arg);

/* Read the socket until it is empty, at most max datagrams. The number read,
 * or a negative errno when the socket is of no more use. */
int nflog_read(struct nflog *, int fd, unsigned max, nflog_fn *, void *arg);

#endif
