/* SPDX-License-Identifier: GPL-2.0-or-later */
/* apply.c -- a policy comes into force: written down, places found for its devices,
 * one transaction, and what it leaves behind forgotten. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "enforce/conntrack.h"
#include "enforce/nft_batch.h"
#include "enforce/parts.h"
#include "enforce/refusal.h"
#include "enforce/staged.h"

/* taken: the standings made for these places belong to the enforcer now. */
static void
places_done(struct places *p, bool taken)
{
	for (size_t i = 0; !taken && p->own != NULL && i < p->n; i++)
		free(p->own[i]);
	if (!taken) {
		free(p->again);
		free(p->stations);
		free(p->standings);
	}
	free(p->own);
	free(p->wrapped);
}

/* Both images are sorted by number: *at, the place in the running one, only moves on. */
static bool
device_before(const struct enforcer *e, uint32_t number, uint32_t *at)
{
	const struct image *im = &e->policy.image;

	while (*at < im->n[IMAGE_DEVICES] && im->devices[*at].number < number)
		++*at;
	return *at < im->n[IMAGE_DEVICES] && im->devices[*at].number == number;
}

static int
places_for(const struct enforcer *e, const struct image *next, struct places *p)
{
	size_t n = (size_t)next->n[IMAGE_DEVICES] + 1;

	memset(p, 0, sizeof(*p));
	p->n = next->n[IMAGE_DEVICES];
	p->stations = calloc(n, sizeof(*p->stations));
	p->standings = calloc(n, sizeof(struct standing *));
	p->wrapped = calloc(n, sizeof(*p->wrapped));
	p->own = calloc(n, sizeof(struct standing *));
	p->again = calloc(n, sizeof(*p->again));
	if (p->stations == NULL || p->standings == NULL || p->wrapped == NULL || p->own == NULL ||
	    p->again == NULL) {
		places_done(p, false);
		return -ENOMEM;
	}
	diff_stations(&e->policy.image, e->stations, next, p->stations, p->wrapped, &p->renewed);
	for (uint32_t i = 0, k = 0; i < next->n[IMAGE_DEVICES]; i++) {
		if (!device_before(e, next->devices[i].number, &k))
			continue;
		p->standings[i] = e->standings[k];
		if (p->stations[i].generation != e->stations[k].generation)
			p->again[p->n_again++] = i;
	}
	return 0;
}

int
places_add(struct places *p, const struct image *next, const struct image_device *d, const struct standing *s)
{
	size_t index = (size_t)(d - next->devices);
	struct standing *own = p->own[index];

	if (own == NULL) {
		if ((own = calloc(1, sizeof(*own))) == NULL)
			return -ENOMEM;
		if (p->standings[index] != NULL)
			*own = *p->standings[index];
		own->number = d->number;
		p->own[index] = p->standings[index] = own;
	}
	standing_join(own, s);
	return 0;
}

/* All that is known of the devices decides where they stand. Who stands elsewhere
 * is judged again. */
static void
settle(const struct enforcer *e, const struct image *next, struct places *p)
{
	uint32_t n_again = p->n_again;

	for (uint32_t i = 0, k = 0, a = 0; i < next->n[IMAGE_DEVICES]; i++) {
		const struct image_device *d = &next->devices[i];
		bool renewed = a < n_again && p->again[a] == i;

		a += renewed;
		if (!station_place(next, d, p->standings[i], &p->stations[i]) || renewed ||
		    !device_before(e, d->number, &k))
			continue;
		p->stations[i].generation = station_next_generation(p->stations[i].generation, &p->wrapped[i]);
		p->renewed++;
		p->again[p->n_again++] = i;
	}
}

/* Marks of long ago come again: no flow may still carry one. */
static int
forget_wrapped(struct enforcer *e, const struct places *p, uint32_t n)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < n; i++)
		if (p->wrapped[i])
			rc = conntrack_forget(&e->reader, p->stations[i].number << 8, MARK_NUMBER_MASK);
	return rc;
}

static int
commit_policy(struct enforcer *e, const struct ruleset *next, struct apply_report *report)
{
	const struct ruleset old = enforcer_ruleset(e);
	struct nft_batch *b = enforcer_batch(e, next->image);
	struct nft_failure failure;
	size_t bytes;
	int rc;

	bool grows = ruleset_capacity(old.image) != ruleset_capacity(next->image) ||
	    old.image->appliance->hook_priority != next->image->appliance->hook_priority;

	if (b == NULL)
		return -ENOMEM;
	if (grows) {	/* sets and base chains are made anew: the whole table, at one stroke */
		if (e->before_anew != NULL)
			e->before_anew(e->before_anew_arg);
		nft_batch_new_table(b, true, e->features.owner_persist);
	}
	if ((rc = diff_rulesets(grows ? NULL : &old, next, &nft_batch_sink, b)) == 0) {
		rc = nft_batch_send(b, &e->owner, NULL, NULL, &failure);
		report->microseconds = e->owner.took_us;
		if (rc < 0)
			refusal_say(b, rc, &failure, next, report->refused);
		nft_batch_size(b, &report->added, &report->removed, &bytes);
		report->rules = nft_batch_shapes(b);
	}
	nft_batch_free(b);
	if (rc == 0 && grows)
		staged_counts_begin(e);
	return rc;
}

/* Places and rules for the next policy; *p is to be freed when the answer is 0. */
static int
place_and_commit(struct enforcer *e, const struct loaded_policy *policy, const struct apply_order *order,
    struct places *p, struct apply_report *report)
{
	const struct image *next = &policy->image;
	struct ruleset rs;
	int rc = places_for(e, next, p);

	if (rc < 0)
		return rc;
	if (order->stored)
		rc = returning_devices(e, next, p);
	for (size_t i = 0; rc == 0 && i < order->n_starts; i++) {
		const struct image_device *d = image_device(next, order->starts[i].number);

		rc = d == NULL ? 0 : places_add(p, next, d, &order->starts[i]);
	}
	if (rc == 0)
		settle(e, next, p);
	rs = ruleset_make(next, p->stations, e->features);
	report->unstaged = staged_beside(e, policy);
	if (e->staged.data != NULL && report->unstaged == STAGED_STAYS)
		rs.candidate = &e->staged.image;
	if (rc == 0 && (rc = forget_wrapped(e, p, next->n[IMAGE_DEVICES])) == 0)
		rc = commit_policy(e, &rs, report);
	for (uint32_t i = 0; rc == 0 && i < next->n[IMAGE_DEVICES]; i++)
		if (p->wrapped[i])
			rc = enforcer_forget_last_mark(e, p->stations[i].number);
	if (rc < 0)
		places_done(p, false);
	return rc;
}

/* The new policy is in force: what these addresses were admitted for is no more.
 * Such a flow may carry a live mark, of a device that it is no longer about. */
static int
forget_moved(struct enforcer *e, const struct image *next, uint32_t *n)
{
	struct image_address *moved;
	size_t n_moved;
	int rc = diff_moved_addresses(&e->policy.image, next, &moved, &n_moved);

	if (rc < 0)
		return rc;
	rc = conntrack_forget_addresses(&e->reader, moved, n_moved, n);
	free(moved);
	return rc;
}

/* Standings of devices that are gone go with them, and those that others stand for. */
static void
drop_lost_standings(struct enforcer *e, const struct image *next, const struct places *p)
{
	for (uint32_t i = 0; i < e->policy.image.n[IMAGE_DEVICES]; i++) {
		const struct image_device *d = image_device(next, e->policy.image.devices[i].number);

		if (d == NULL || p->standings[d - next->devices] != e->standings[i])
			free(e->standings[i]);
	}
}

/* What was made for these places is not in the journal under their numbers. */
static void
write_down(struct enforcer *e, const struct places *p)
{
	struct standing *all = calloc((size_t)p->n + 1, sizeof(*all));
	size_t n = 0;

	for (size_t i = 0; all != NULL && i < p->n; i++)
		if (p->own[i] != NULL)
			all[n++] = *p->own[i];
	e->appended += n;
	if (all == NULL || (n > 0 && journal_append(e->dirfd, all, n) < 0))
		e->disk_ok = false;
	free(all);
}

/* Who is to say so may still refuse it. */
static int
ask_before(struct enforcer *e, const struct apply_order *order, const struct image *next)
{
	struct places p;
	struct ruleset rs;
	int rc;

	if (order->before == NULL)
		return 0;
	if ((rc = places_for(e, next, &p)) < 0)
		return rc;
	rs = ruleset_make(next, p.stations, e->features);
	rc = order->before(order->before_arg, &rs);
	places_done(&p, false);
	return rc;
}

/* The kernel has the next policy: it is ours. */
static void
take_over(struct enforcer *e, struct loaded_policy *next, struct places *p, struct apply_report *report)
{
	report->renewed = p->renewed;
	report->not_forgotten = -forget_moved(e, &next->image, &report->forgotten);
	if (report->unstaged != STAGED_STAYS)
		staged_forget(e);
	drop_lost_standings(e, &next->image, p);
	free(e->again);
	free(e->stations);
	free(e->standings);
	loaded_policy_done(&e->policy);
	e->policy = *next;
	enforcer_policy_changed(e);
	e->stations = p->stations;
	e->standings = p->standings;
	e->again = p->again;
	e->n_again = p->n_again;
	write_down(e, p);
	places_done(p, true);
	/* Elements alone do not show in it. */
	if (report->rules || !e->digest_kept)
		enforcer_save_digest(e);
}

int
enforcer_apply(struct enforcer *e, const struct apply_order *order, int64_t now, struct apply_report *report)
{
	struct loaded_policy next = { .fd = -1 };
	struct clock_view begin, end;
	struct places places;
	int rc;

	memset(report, 0, sizeof(*report));
	clock_now(&begin);
	if ((rc = loaded_policy_from_fd(order->image_fd, order->revision, &next, &report->why)) < 0)
		return rc;
	if ((rc = ask_before(e, order, &next.image)) < 0)
		goto out;
	if (!order->on_disk)
		report->not_saved = -policy_store_save(e->dirfd, &next, order->trial);
	if (report->not_saved != 0 && !order->despite_disk) {
		rc = -report->not_saved;
		goto out;
	}
	rc = place_and_commit(e, &next, order, &places, report);
	if (rc < 0 && (rc = enforcer_restored(e, rc)) == 0)
		rc = place_and_commit(e, &next, order, &places, report);
	if (rc < 0) {
		if (!order->on_disk)
			policy_store_discard(e->dirfd, next.revision);
		goto out;
	}
	clock_now(&end);
	report->all_microseconds = (uint32_t)(end.boot_us - begin.boot_us);
	report->refused[0] = '\0';	/* at the second try it went */
	take_over(e, &next, &places, report);
	e->applied_at = now;
	return 0;
out:
	loaded_policy_done(&next);
	return rc;
}
