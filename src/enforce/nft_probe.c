/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_probe.c -- try each feature in a transaction that leaves nothing behind. */
#include "enforce/nft_probe.h"

#include <errno.h>
#include <string.h>

#include "enforce/nft_batch.h"

#define PROBE_TABLE "cordon-probe"

/* Owner and persist together: on Linux 6.1 the second flag is not known, and
 * the first alone would take the table away with its owner. */
static int
try_owner(struct nft_socket *s)
{
	struct nft_batch *b = nft_batch_new(PROBE_TABLE, ++s->seq, 0, 0);
	struct nft_failure f;
	int rc;

	if (b == NULL)
		return -ENOMEM;
	nft_batch_add_table(b, true);
	nft_batch_del_table(b);
	rc = nft_batch_send(b, s, NULL, NULL, &f);
	nft_batch_free(b);
	return rc;
}

/* One rule that adds to one set. */
static int
try_rule(struct nft_socket *s, const struct expr *e)
{
	const struct chain_ref chain = { .kind = CHAIN_ADMIT };
	struct rule_ir rule = { { *e } };
	struct nft_batch *b = nft_batch_new(PROBE_TABLE, ++s->seq, 0, 0);
	struct nft_failure f;
	int rc;

	if (b == NULL)
		return -ENOMEM;
	nft_batch_add_table(b, false);
	nft_batch_add_set(b, &e->set);
	nft_batch_add_chain(b, &chain);
	nft_batch_add_rule(b, &chain, &rule);
	nft_batch_del_table(b);
	rc = nft_batch_send(b, s, NULL, NULL, &f);
	nft_batch_free(b);
	return rc;
}

int
nft_probe(struct nft_socket *s, struct features *out)
{
	const struct expr connections = { .kind = EXPR_ADD, .fields = { FIELD_MARK },
		.set = { .kind = SET_CONNECTIONS }, .value = 1 };
	const struct expr sample = { .kind = EXPR_ADD, .fields = { FIELD_MARK },
		.set = { .kind = SET_INVALID } };
	int rc = try_owner(s);

	if (rc == -EPERM || rc == -ENOMEM)
		return rc;
	out->owner_persist = rc == 0;
	if ((rc = try_rule(s, &sample)) < 0)
		return rc;
	out->connlimit = try_rule(s, &connections) == 0;
	return 0;
}

int
features_force_absent(struct features *features, const char *list)
{
	while (*list != '\0') {
		size_t n = strcspn(list, ",");

		if (n == strlen("owner-persist") && strncmp(list, "owner-persist", n) == 0)
			features->owner_persist = false;
		else if (n == strlen("connlimit") && strncmp(list, "connlimit", n) == 0)
			features->connlimit = false;
		else
			return -EINVAL;
		list += n + (list[n] == ',');
	}
	return 0;
}
