/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_read.h -- what stands in the kernel: for counts, for adoption, for verification. */
#ifndef CORDON_ENFORCE_NFT_READ_H
#define CORDON_ENFORCE_NFT_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/digest.h"
#include "enforce/nft_socket.h"
#include "model/ruleset.h"

/* The flag that stays when the owner is gone; the owner's own goes with it. */
#define NFT_FLAG_PERSIST 0x4U
/* The table stands, and none of its rules is asked. */
#define NFT_FLAG_DORMANT 0x1U

/* One element as the kernel told it; pointers are borrowed for the call. */
struct nft_element {
	const uint8_t *key;		/* NULL: what matches where no other does; nft_read_set_piece only */
	const uint8_t *key_end;		/* NULL where the set has none */
	size_t key_len;
	uint32_t mark;
	const char *chain;		/* NULL where it has none */
	bool end;			/* of an interval, in a set of edges */
	uint64_t packets, bytes;	/* of its counter, 0 without one */
	uint64_t expires_ms;		/* left of its life, 0: for ever */
};

typedef int nft_element_fn(void *arg, const struct nft_element *);

/* The next field of a key; each is padded to 4. False when there is none left. */
bool nft_key_field(const struct nft_element *, size_t *at, void *out, size_t len);

/* Every element of a set. A dump while packets add elements may tell one twice
 * and prove no absence. -ENOENT: no such set. Non-zero answers of fn end it. */
int nft_read_set(struct nft_socket *, const char *name, nft_element_fn *, void *arg);

/* The same in pieces (see nft_dump_begin), and with the element without a key
 * when another program put one in. */
int nft_read_set_begin(struct nft_socket *, const char *name);
int nft_read_set_piece(struct nft_socket *, nft_element_fn *, void *arg);

/* The elements inside one notification of NFT_MSG_DELSETELEM, with its set's name. */
int nft_parse_elements(const struct nlmsghdr *, const char **set, nft_element_fn *, void *arg);

/* Is our table there? *flags as the kernel has them; *owner its owner's port, 0: nobody. */
int nft_read_table(struct nft_socket *, bool *there, uint32_t *flags, uint32_t *owner);

/* A named counter. */
int nft_read_counter(struct nft_socket *, enum counter_kind, uint64_t *packets, uint64_t *bytes);

/* A digest of all our rules, chain by chain, and the declarations of our sets
 * and chains, as the kernel dumps them. */
int nft_read_rules_digest(struct nft_socket *, uint8_t digest[DIGEST_LEN]);

/* How many sets (anonymous ones apart) and chains our table has. */
int nft_read_shape(struct nft_socket *, uint32_t *sets, uint32_t *chains);

#endif
