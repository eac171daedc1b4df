/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_batch.h -- build one transaction: tables, chains, rules by libnftnl,
 * elements straight into netlink attributes (there are millions of them). */
#ifndef CORDON_ENFORCE_NFT_BATCH_H
#define CORDON_ENFORCE_NFT_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enforce/nft_socket.h"
#include "model/diff.h"

struct nft_batch;

/* Of one table (borrowed name). Base chains carry the appliance's hook priority,
 * sets of devices a capacity (ruleset_capacity). */
struct nft_batch *nft_batch_new(const char *table, uint32_t seq, int32_t hook_priority, uint32_t capacity);
void nft_batch_free(struct nft_batch *);

/* Errors inside (memory) are kept and answered by nft_batch_send. */
void nft_batch_add_table(struct nft_batch *, bool owner_persist);
void nft_batch_del_table(struct nft_batch *);
void nft_batch_add_counters(struct nft_batch *);
/* A table with its counters; `replace`: in the place of the one that stands. */
void nft_batch_new_table(struct nft_batch *, bool replace, bool owner_persist);

void nft_batch_add_set(struct nft_batch *, const struct set_ref *);
void nft_batch_del_set(struct nft_batch *, const struct set_ref *);
void nft_batch_add_chain(struct nft_batch *, const struct chain_ref *);
void nft_batch_del_chain(struct nft_batch *, const struct chain_ref *);
void nft_batch_flush_chain(struct nft_batch *, const struct chain_ref *);
void nft_batch_flush_set(struct nft_batch *, const struct set_ref *);
void nft_batch_add_rule(struct nft_batch *, const struct chain_ref *, const struct rule_ir *);

/* Elements of one set gather in one message; all deletions are sent before
 * what follows them, all additions after what came before. */
void nft_batch_add_element(struct nft_batch *, const struct element *);
void nft_batch_del_element(struct nft_batch *, const struct element *);

/* Ask the kernel to send back what it deletes, with its last counts. */
void nft_batch_echo(struct nft_batch *);

/* Refuse the whole (-ERESTART) when another transaction has come after this
 * generation. To be said before anything else. */
void nft_batch_expect(struct nft_batch *, uint32_t generation);

/* Elements added and removed so far, and the batch's bytes. */
void nft_batch_size(const struct nft_batch *, uint32_t *added, uint32_t *removed, size_t *bytes);

/* Does it change more than elements: the table, sets, chains or rules? */
bool nft_batch_shapes(const struct nft_batch *);

/* The sink that writes a diff into a batch; arg is the batch. */
extern const struct diff_sink nft_batch_sink;

/* Send and free nothing. 0 or -errno; see nft_transact. An empty batch is 0. */
int nft_batch_send(struct nft_batch *, struct nft_socket *, void (*echo)(void *, const struct nlmsghdr *),
    void *arg, struct nft_failure *);

#endif
