/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel.c -- a ruleset into the kernel. */
#include "kernel.h"

#include <string.h>

#include "enforce/nft_batch.h"
#include "enforce/nft_probe.h"
#include "world.h"

static struct nft_socket nft;

void
kernel_open(struct features *features)
{
	int fd = nft_socket_open(), rc = fd < 0 ? fd : nft_socket_init(&nft, fd);

	if (rc < 0 || (rc = nft_probe(&nft, features)) < 0)
		world_fail("nf_tables", rc);
	features->owner_persist = false;
}

static struct nft_batch *
begin(const struct ruleset *rs)
{
	struct nft_batch *b = nft_batch_new(RULESET_TABLE, ++nft.seq, rs->image->appliance->hook_priority,
	    ruleset_capacity(rs->image));

	if (b == NULL)
		world_fail("memory", 12);
	return b;
}

static void
commit(struct nft_batch *b, int rc)
{
	struct nft_failure failure;

	if (rc == 0)
		rc = nft_batch_send(b, &nft, NULL, NULL, &failure);
	nft_batch_free(b);
	if (rc < 0)
		world_fail("the kernel takes no transaction", rc);
}

void
kernel_load(const struct ruleset *rs)
{
	static bool stands;
	struct nft_batch *b = begin(rs);

	nft_batch_new_table(b, stands, false);
	stands = true;
	commit(b, diff_rulesets(NULL, rs, &nft_batch_sink, b));
}

void
kernel_move(const struct ruleset *rs, const struct station_change *changes, size_t n)
{
	struct nft_batch *b = begin(rs);

	commit(b, diff_station_changes(rs, changes, n, &nft_batch_sink, b));
}
