/* SPDX-License-Identifier: GPL-2.0-or-later */
/* restore.c -- what another program changed is put right in one transaction.
 *
 * Where the rules, sets and chains are as we left them, only the elements that
 * differ are: a table that is replaced whole can cost a packet that another
 * processor is judging at that moment. Whose flows the change may have let
 * through gets a new generation, so that they are judged again. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "enforce/conntrack.h"
#include "enforce/nft_compare.h"
#include "enforce/nft_read.h"
#include "enforce/parts.h"
#include "enforce/restore.h"
#include "enforce/staged.h"

#define DIGEST_FILE	"rules.digest"

#define REPAIR_MAX	65536	/* elements; of more than that the table is made anew */
#define TRIES		4	/* others may go on changing it */

/* ---- the rules ---------------------------------------------------------- */

void
enforcer_save_digest(struct enforcer *e)
{
	uint8_t digest[DIGEST_LEN];

	e->digest_kept = nft_read_rules_digest(&e->reader, digest) == 0 &&
	    file_replace_at(e->dirfd, DIGEST_FILE, digest, sizeof(digest), 0600) == 0;
	if (!e->digest_kept)
		e->disk_ok = false;
}

static bool
digest_agrees(struct enforcer *e)
{
	uint8_t now[DIGEST_LEN], *saved = NULL;
	size_t len = 0;
	bool same = false;

	if (file_read_at(e->dirfd, DIGEST_FILE, DIGEST_LEN, &saved, &len) == 0 &&
	    len == DIGEST_LEN && nft_read_rules_digest(&e->reader, now) == 0)
		same = memcmp(saved, now, DIGEST_LEN) == 0;
	free(saved);
	e->digest_kept = same;
	return same;
}

/* ---- the whole table ---------------------------------------------------- */

int
enforcer_load_table(struct enforcer *e, bool replace)
{
	const struct ruleset rs = enforcer_ruleset(e);
	struct nft_batch *b = enforcer_batch(e, rs.image);
	struct nft_failure failure;
	int rc;

	if (b == NULL)
		return -ENOMEM;
	nft_batch_new_table(b, replace, e->features.owner_persist);
	if ((rc = diff_rulesets(NULL, &rs, &nft_batch_sink, b)) == 0)
		rc = nft_batch_send(b, &e->owner, NULL, NULL, &failure);
	nft_batch_free(b);
	if (rc == 0) {
		staged_counts_begin(e);
		enforcer_save_digest(e);
	}
	return rc;
}

/* A new generation for one device. */
static int
renew(struct enforcer *e, struct station *st)
{
	bool wrapped;

	st->generation = station_next_generation(st->generation, &wrapped);
	return wrapped ? conntrack_forget(&e->reader, st->number << 8, MARK_NUMBER_MASK) : 0;
}

int
enforcer_load_renewed(struct enforcer *e, bool replace)
{
	uint32_t n = e->policy.image.n[IMAGE_DEVICES];
	struct station *before = calloc((size_t)n + 1, sizeof(*before));
	int rc = 0;

	if (before == NULL)
		return -ENOMEM;
	if (replace && e->before_anew != NULL)
		e->before_anew(e->before_anew_arg);
	memcpy(before, e->stations, n * sizeof(*before));
	for (uint32_t i = 0; rc == 0 && i < n; i++)
		rc = renew(e, &e->stations[i]);
	if (rc == 0)
		rc = enforcer_load_table(e, replace);
	if (rc < 0)
		memcpy(e->stations, before, n * sizeof(*before));
	free(before);
	return rc;
}

/* ---- single elements ---------------------------------------------------- */

/* Who may have been let through by an element too many, or one too few? Nobody
 * where it gives nobody a mark and no flow a mark that lasts. */
enum consequence { RENEW_ALL, RENEW_CLASS, RENEW_NOBODY };

static const struct {
	enum consequence foreign, missing;
} consequences[SET_KINDS] = {
	[SET_LIVE] = { RENEW_NOBODY, RENEW_NOBODY },
	[SET_LIVE_MAC] = { RENEW_NOBODY, RENEW_NOBODY },
	[SET_LIVE_PORT] = { RENEW_NOBODY, RENEW_NOBODY },
	[SET_LIVE_ROUTED] = { RENEW_NOBODY, RENEW_NOBODY },
	[SET_TOTAL] = { RENEW_NOBODY, RENEW_NOBODY },
	[SET_OVER] = { RENEW_NOBODY, RENEW_NOBODY },
	[SET_IDENTITY4] = { RENEW_ALL, RENEW_NOBODY },
	[SET_IDENTITY6] = { RENEW_ALL, RENEW_NOBODY },
	[SET_IDENTITY4_PORT] = { RENEW_ALL, RENEW_NOBODY },
	[SET_IDENTITY6_PORT] = { RENEW_ALL, RENEW_NOBODY },
	[SET_IDENTITY6_NET] = { RENEW_ALL, RENEW_NOBODY },
	[SET_IDENTITY6_NET_PORT] = { RENEW_ALL, RENEW_NOBODY },
	[SET_IDENTITY4_ROUTED] = { RENEW_ALL, RENEW_NOBODY },
	[SET_IDENTITY6_ROUTED] = { RENEW_ALL, RENEW_NOBODY },
	[SET_IDENTITY_MAC] = { RENEW_ALL, RENEW_NOBODY },
	[SET_IDENTITY_MAC_PORT] = { RENEW_ALL, RENEW_NOBODY },
	[SET_ALLOW4_CLASS] = { RENEW_CLASS, RENEW_NOBODY },
	[SET_ALLOW6_CLASS] = { RENEW_CLASS, RENEW_NOBODY },
	[SET_ICMP4_CLASS] = { RENEW_CLASS, RENEW_NOBODY },
	[SET_ICMP6_CLASS] = { RENEW_CLASS, RENEW_NOBODY },
	[SET_PROTO4_CLASS] = { RENEW_CLASS, RENEW_NOBODY },
	[SET_PROTO6_CLASS] = { RENEW_CLASS, RENEW_NOBODY },
	[SET_ANY4_CLASS] = { RENEW_CLASS, RENEW_NOBODY },
	[SET_ANY6_CLASS] = { RENEW_CLASS, RENEW_NOBODY },
};

static bool
concerns(const struct enforcer *e, const struct nft_difference *d, uint32_t i)
{
	enum consequence c = d->foreign ? consequences[d->e.set.kind].foreign : consequences[d->e.set.kind].missing;
	uint32_t class = station_class(&e->policy.image, &e->policy.image.devices[i], &e->stations[i]);

	if (d->e.set.staged)	/* nobody passes by it */
		return false;
	return c == RENEW_ALL || (c == RENEW_CLASS && d->e.set.number == class);
}

/* *n: how many were renewed. The list is sorted by set: of each set one of a kind is asked. */
static int
renew_concerned(struct enforcer *e, const struct nft_comparison *found, struct station *next, uint32_t *n)
{
	uint32_t devices = e->policy.image.n[IMAGE_DEVICES];
	const struct nft_difference *last = NULL;
	int rc = 0;

	memcpy(next, e->stations, devices * sizeof(*next));
	*n = 0;
	for (size_t k = 0; rc == 0 && k < found->n; k++) {
		const struct nft_difference *d = &found->list[k];

		if (last != NULL && last->foreign == d->foreign && set_ref_equal(&last->e.set, &d->e.set))
			continue;
		last = d;
		for (uint32_t i = 0; rc == 0 && i < devices; i++) {
			if (next[i].generation != e->stations[i].generation || !concerns(e, d, i))
				continue;
			rc = renew(e, &next[i]);
			++*n;
		}
	}
	return rc;
}

/* From what stands in the kernel to what shall: one transaction, and only if
 * nobody made another since it was read. */
static int
send_repair(struct enforcer *e, const struct nft_comparison *found, uint32_t generation)
{
	struct nft_batch *b = enforcer_batch(e, &e->policy.image);
	struct nft_failure failure;
	int rc;

	if (b == NULL)
		return -ENOMEM;
	nft_batch_expect(b, generation);
	for (size_t i = 0; i < found->n; i++)
		if (found->list[i].foreign)
			nft_batch_del_element(b, &found->list[i].e);
	for (size_t i = 0; i < found->n; i++)
		if (!found->list[i].foreign)
			nft_batch_add_element(b, &found->list[i].e);
	rc = nft_batch_send(b, &e->owner, NULL, NULL, &failure);
	nft_batch_free(b);
	return rc;
}

/* Is the list complete, and elements all that differs? */
static bool
repairable(const struct nft_comparison *found)
{
	return !found->shape && found->n == found->missing + found->foreign;
}

/* After 255 generations: what was admitted under the last mark meanwhile. */
static void
forget_last_marks(struct enforcer *e, const struct station *before)
{
	for (uint32_t i = 0; i < e->policy.image.n[IMAGE_DEVICES]; i++)
		if (before[i].generation == 255 && e->stations[i].generation == 1)
			conntrack_forget(&e->reader, before[i].number << 8 | 255, UINT32_MAX);
}

/* What goes from a set of ranges goes late: see enforcer_judge_again. */
static bool
goes_late(const struct nft_comparison *found)
{
	for (size_t i = 0; i < found->n; i++)
		if (found->list[i].foreign && set_info(found->list[i].e.set.kind)->interval)
			return true;
	return false;
}

/* Who was renewed is so once more. */
static int
renew_again(struct enforcer *e, const struct station *before, uint32_t renewed)
{
	uint32_t *indexes = calloc((size_t)renewed + 1, sizeof(*indexes)), n = 0;
	int rc;

	if (indexes == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; n < renewed && i < e->policy.image.n[IMAGE_DEVICES]; i++)
		if (before[i].generation != e->stations[i].generation)
			indexes[n++] = i;
	rc = enforcer_renew(e, indexes, n);
	free(indexes);
	return rc;
}

/* -E2BIG: too much differs. */
static int
repair(struct enforcer *e, const struct nft_comparison *found, uint32_t generation)
{
	struct station *next = calloc((size_t)e->policy.image.n[IMAGE_DEVICES] + 1, sizeof(*next));
	struct nft_comparison again = { .n = 0 };
	struct ruleset rs = enforcer_ruleset(e);
	uint32_t renewed = 0;
	int rc;

	if (next == NULL)
		return -ENOMEM;
	if ((rc = renew_concerned(e, found, next, &renewed)) == 0 && renewed > 0) {
		rs.stations = next;
		rc = nft_compare(&e->reader, &rs, NULL, REPAIR_MAX, &again);
		found = &again;
	}
	if (rc == 0)
		rc = repairable(found) ? send_repair(e, found, generation) : -E2BIG;
	if (rc == 0) {
		struct station *before = e->stations;

		e->stations = next;
		forget_last_marks(e, before);
		next = before;
		if (renewed > 0 && goes_late(found))
			rc = renew_again(e, before, renewed);
	}
	nft_comparison_done(&again);
	free(next);
	return rc;
}

/* ---- the comparison ----------------------------------------------------- */

struct look {
	uint32_t generation;		/* when it began */
	bool there, rules;
	struct nft_comparison found;
};

int
enforcer_rules_agree(struct enforcer *e, char where[SET_NAMELEN])
{
	uint32_t flags, owner;
	bool there;
	int rc = nft_read_table(&e->reader, &there, &flags, &owner);

	where[0] = '\0';
	if (rc == 0 && !there)
		snprintf(where, SET_NAMELEN, "the table is gone");
	else if (rc == 0 && (flags & NFT_FLAG_DORMANT) != 0)
		snprintf(where, SET_NAMELEN, "the table's flags");
	else if (rc == 0 && !digest_agrees(e))
		snprintf(where, SET_NAMELEN, "the rules");
	return rc;
}

/* What the kernel has. Only a table of ours is looked into. */
static int
look(struct enforcer *e, const struct told *told, struct look *l)
{
	const struct ruleset rs = enforcer_ruleset(e);
	char where[SET_NAMELEN];
	uint32_t flags, owner;
	int rc;

	memset(l, 0, sizeof(*l));
	if ((rc = nft_generation(&e->reader, &l->generation)) < 0 ||
	    (rc = nft_read_table(&e->reader, &l->there, &flags, &owner)) < 0 || !l->there)
		return rc;
	if (told != NULL && !told->more && told->generation == l->generation) {
		l->rules = true;
		return nft_compare(&e->reader, &rs, told->kinds, REPAIR_MAX, &l->found);
	}
	if ((rc = enforcer_rules_agree(e, where)) < 0)
		return rc;
	l->rules = where[0] == '\0';
	if ((rc = nft_compare(&e->reader, &rs, NULL, l->rules ? REPAIR_MAX : 0, &l->found)) < 0)
		return rc;
	if (!l->rules)
		memcpy(l->found.where, where, sizeof(where));
	return 0;
}

int
enforcer_agrees(struct enforcer *e, bool *agrees)
{
	struct look l;
	int rc = look(e, NULL, &l);

	*agrees = rc == 0 && l.there && l.rules && l.found.agrees;
	e->owner.generation = l.generation;
	nft_comparison_done(&l.found);
	return rc;
}

static int
put_right(struct enforcer *e, const struct look *l)
{
	int rc = -E2BIG;

	if (l->there && l->rules && repairable(&l->found))
		rc = repair(e, &l->found, l->generation);
	/* Changed again meanwhile: look again. Anything else: it is not what it seems. */
	if (rc != 0 && rc != -ERESTART && rc != -EAGAIN && rc != -ENOBUFS && rc != -EPERM && rc != -ENOMEM)
		rc = enforcer_load_renewed(e, l->there);
	return rc;
}

int
enforcer_restore(struct enforcer *e, bool *differed, char where[SET_NAMELEN])
{
	return enforcer_restore_told(e, NULL, differed, where);
}

int
enforcer_restore_told(struct enforcer *e, const struct told *told, bool *differed, char where[SET_NAMELEN])
{
	struct look l;
	int rc;

	*differed = false;
	where[0] = '\0';
	for (int i = 0; i < TRIES; i++) {
		if ((rc = look(e, i == 0 ? told : NULL, &l)) < 0)
			return rc;
		e->owner.generation = l.generation;
		if (l.there && l.rules && l.found.agrees) {
			e->healthy = true;
			return 0;
		}
		if (!*differed)
			snprintf(where, SET_NAMELEN, "%s", l.found.where);
		*differed = true;
		e->healthy = false;
		rc = put_right(e, &l);
		nft_comparison_done(&l.found);
		if (rc == 0) {
			e->healthy = true;
			return 0;
		}
		if (rc == -EPERM || rc == -ENOMEM)
			return rc;
	}
	return rc;
}
