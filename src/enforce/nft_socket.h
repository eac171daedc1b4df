/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_socket.h -- talking to nf_tables: one batch is one transaction. */
#ifndef CORDON_ENFORCE_NFT_SOCKET_H
#define CORDON_ENFORCE_NFT_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nlmsghdr;

struct nft_socket {
	int fd;
	uint32_t seq;
	uint32_t dump;		/* the dump under way */
	uint32_t took_us;	/* our last transaction, in the kernel's hands */
	uint32_t generation;	/* that our last transaction made, 0: none yet. Others have made one since
				 * (or before it, unseen) when the kernel says another */
};

/* A netlink socket of our own. The descriptor or -errno. */
int nft_socket_open(void);

/* Around a descriptor, which stays the caller's; sizes its buffers. */
int nft_socket_init(struct nft_socket *, int fd);

/* What went wrong with a transaction, for a message to a person. */
struct nft_failure {
	uint32_t seq;		/* of the message that the kernel refused; 0: none named */
	int error;		/* positive errno */
	uint32_t offset;	/* inside that message, of what it refused; 0: not told */
	size_t needed;		/* EMSGSIZE: what net.core.wmem_max would have to be */
};

/* How many transactions this network namespace has seen, of all programs. */
int nft_generation(struct nft_socket *, uint32_t *id);

/* Send a whole batch and read its answers: 0 when the kernel committed it, else
 * -errno. Nothing has changed then, but for -ENOBUFS: answers were lost, what
 * happened is not known, and the caller must compare kernel and model.
 * -EAGAIN: answers were lost, and no transaction was committed. -EMSGSIZE: the
 * socket takes none of this length, see needed. -ERESTART: the batch names a
 * generation, and another program has made a change since.
 * last_seq is that of the message that asked for an acknowledgement.
 * echo (or NULL) is called for each notification the batch asked back. */
int nft_transact(struct nft_socket *, const void *batch, size_t len, uint32_t last_seq,
    void (*echo)(void *arg, const struct nlmsghdr *), void *arg, struct nft_failure *);

/* The same in pieces: begin, then piece by piece. 1: there is more, 0: done, or
 * -errno. Nothing else may use the socket meanwhile. */
int nft_dump_begin(struct nft_socket *, struct nlmsghdr *request);
int nft_dump_piece(struct nft_socket *, int (*fn)(void *arg, const struct nlmsghdr *), void *arg);

/* Send one dump request and call fn for each answer. -EAGAIN: the kernel's
 * tables changed meanwhile, ask again. fn's non-zero answer ends it. */
int nft_dump(struct nft_socket *, struct nlmsghdr *request,
    int (*fn)(void *arg, const struct nlmsghdr *), void *arg);

#endif
