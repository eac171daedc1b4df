/* SPDX-License-Identifier: GPL-2.0-or-later */
/* start.c -- find the last policy, and find or make its rules in the kernel.
 *
 * The rules may stand already (they outlive us): then the marks in the kernel
 * are taken over and nothing is touched that is right. What is not right is put
 * right in one transaction (restore.c), so that no packet sees less. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "enforce/conntrack.h"
#include "enforce/nft_probe.h"
#include "enforce/nft_read.h"
#include "enforce/parts.h"
#include "enforce/restore.h"
#include "enforce/staged.h"

/* ---- what the journal and the kernel know of the devices ---------------- */

static int
places_from_journal(struct enforcer *e, struct start_report *report)
{
	const struct image *im = &e->policy.image;
	struct standing *s = NULL;
	size_t n = 0;
	int rc;

	e->stations = calloc((size_t)im->n[IMAGE_DEVICES] + 1, sizeof(*e->stations));
	e->standings = calloc((size_t)im->n[IMAGE_DEVICES] + 1, sizeof(struct standing *));
	if (e->stations == NULL || e->standings == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < im->n[IMAGE_DEVICES]; i++)
		e->stations[i] = (struct station){ .number = im->devices[i].number, .generation = 1 };
	if ((rc = journal_load(e->dirfd, &s, &n, &report->records_damaged)) < 0)
		return rc;
	for (size_t i = 0; rc == 0 && i < n; i++) {
		size_t index = enforcer_index(e, s[i].number);

		if (index == SIZE_MAX)
			continue;
		if ((e->standings[index] = malloc(sizeof(*s))) == NULL) {
			rc = -ENOMEM;
			break;
		}
		*e->standings[index] = s[i];
		station_place(im, &im->devices[index], &s[i], &e->stations[index]);
		report->quarantined += e->stations[index].quarantined;
	}
	if (rc == 0)
		e->disk_ok = journal_rewrite(e->dirfd, s, n) == 0;
	free(s);
	return rc;
}

struct kernel_marks {
	struct enforcer *e;
	bool *known;		/* parallel to the devices */
};

static int
kernel_mark(void *arg, const struct nft_element *el)
{
	struct kernel_marks *m = arg;
	size_t index = enforcer_index(m->e, el->mark >> 8);

	if (index == SIZE_MAX || (el->mark & 0xff) == 0)
		return 0;
	m->e->stations[index].generation = (uint8_t)el->mark;
	m->known[index] = true;
	return 0;
}

/* The kernel knows nothing of these devices (the table is of another policy):
 * what flows carry of theirs is from some time before. */
static int
forget_unknown(struct enforcer *e, const bool *known)
{
	uint32_t n = e->policy.image.n[IMAGE_DEVICES];
	uint32_t *numbers = calloc((size_t)n + 1, sizeof(*numbers));
	size_t unknown = 0;
	int rc;

	if (numbers == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		if (!known[i])
			numbers[unknown++] = e->stations[i].number;
	rc = forget_devices(e, numbers, unknown);
	free(numbers);
	return rc;
}

struct kernel_quarantine {
	struct enforcer *e;
	int64_t now;
	uint32_t n;
};

/* Tightening acts in the kernel before it is written down: after a crash in
 * between, the kernel knows better. */
static int
kernel_quarantined(void *arg, const struct nft_element *el)
{
	struct kernel_quarantine *q = arg;
	uint32_t mark;
	size_t index;

	if (el->key_len != sizeof(mark))
		return 0;
	memcpy(&mark, el->key, sizeof(mark));
	index = enforcer_index(q->e, mark >> 8);
	if (index == SIZE_MAX || q->e->stations[index].quarantined)
		return 0;
	struct standing s = { .number = mark >> 8, .cause = CAUSE_OPERATOR, .since = q->now, .ways = WAY_DEVICE,
		.said_at = q->now, .who.uid = CTL_NOBODY, .words = "found quarantined in the kernel after a crash" };
	struct standing *have = q->e->standings[index];

	if (have == NULL && (have = calloc(1, sizeof(*have))) == NULL)
		return -ENOMEM;
	have->number = s.number;
	standing_join(have, &s);
	q->e->standings[index] = have;
	q->e->stations[index].quarantined = 1;
	q->n++;
	if (journal_append(q->e->dirfd, have, 1) < 0)	/* a full disk may be why it is not there */
		q->e->disk_ok = false;
	return 0;
}

/* Of a dump that was interrupted the same elements are told again, without harm. */
static int
read_again(struct enforcer *e, enum set_kind kind, nft_element_fn *fn, void *arg)
{
	int rc, tries = 8;

	do {
		rc = nft_read_set(&e->reader, set_info(kind)->name, fn, arg);
	} while (rc == -EAGAIN && --tries > 0);
	return rc;
}

static int
adopt_stations(struct enforcer *e, int64_t now, struct start_report *report)
{
	struct kernel_quarantine q = { e, now, 0 };
	struct kernel_marks m = { e, calloc((size_t)e->policy.image.n[IMAGE_DEVICES] + 1, sizeof(bool)) };
	int rc;

	if (m.known == NULL)
		return -ENOMEM;
	if ((rc = read_again(e, SET_CURRENT, kernel_mark, &m)) == 0)
		rc = forget_unknown(e, m.known);
	free(m.known);
	if (rc == 0)
		rc = read_again(e, SET_QUARANTINED, kernel_quarantined, &q);
	report->quarantined += q.n;
	if (rc == -ENOENT)	/* not our table: it will be replaced, and its marks prove nothing */
		rc = conntrack_forget_marked(&e->reader, &report->flows_forgotten);
	return rc;
}

/* ---- the table ---------------------------------------------------------- */

/* An orphaned table (its owner's socket is gone) becomes ours. -EPERM: another
 * program claimed it, which is an alarm. */
static int
claim(struct enforcer *e)
{
	struct nft_batch *b = enforcer_batch(e, &e->policy.image);
	struct nft_failure failure;
	int rc;

	if (b == NULL)
		return -ENOMEM;
	nft_batch_add_table(b, true);
	rc = nft_batch_send(b, &e->owner, NULL, NULL, &failure);
	nft_batch_free(b);
	return rc;
}

/* Without our table the old marks prove nothing: flows are judged anew. */
static int
first_load(struct enforcer *e, struct start_report *report)
{
	int rc = conntrack_forget_marked(&e->reader, &report->flows_forgotten);

	return rc < 0 ? rc : enforcer_load_table(e, false);
}

static void
places_free(struct enforcer *e)
{
	for (uint32_t i = 0; e->standings != NULL && i < e->policy.image.n[IMAGE_DEVICES]; i++)
		free(e->standings[i]);
	free(e->standings);
	free(e->stations);
	free(e->again);
	e->again = NULL;
	e->n_again = 0;
	e->standings = NULL;
	e->stations = NULL;
}

/* Is what stands in the kernel this policy? It is e's then, with its places. */
static int
stands_there(struct enforcer *e, uint64_t revision, int64_t now, bool *so)
{
	struct start_report unused = { .quarantined = 0 };
	int rc = policy_store_read(e->dirfd, revision, &e->policy);

	if (rc < 0)
		return rc;
	enforcer_policy_changed(e);
	if ((rc = places_from_journal(e, &unused)) == 0 && (rc = adopt_stations(e, now, &unused)) == 0)
		rc = enforcer_agrees(e, so);
	return rc;
}

/* Nobody has looked up who comes with the newest policy, or nobody wrote down what
 * came of it: they wait for that. */
static int
newcomers(const struct image *before, const struct image *next, struct apply_order *order, struct standing **out)
{
	struct standing *list = calloc((size_t)next->n[IMAGE_DEVICES] + 1, sizeof(*list));

	if (list == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < next->n[IMAGE_DEVICES]; i++)
		if (next->devices[i].certificates.n > 0 && image_device(before, next->devices[i].number) == NULL)
			list[order->n_starts++] = (struct standing){ .number = next->devices[i].number,
				.cause = CAUSE_NEW, .who.uid = CTL_NOBODY };
	order->starts = *out = list;
	return 0;
}

/* From this policy, if that is what stands there, to the newest as by an apply.
 * Otherwise e is as it was. */
static bool
goes_on_from(struct enforcer *e, uint64_t before, int64_t now)
{
	struct apply_order order = { .image_fd = e->policy.fd, .revision = e->policy.revision, .stored = true,
		.on_disk = true };
	struct enforcer newest = *e;
	struct standing *starts = NULL;
	struct apply_report report;
	bool so = false, done;

	e->policy = (struct loaded_policy){ .fd = -1 };
	e->stations = NULL;
	e->standings = NULL;
	e->again = NULL;
	e->n_again = 0;
	done = stands_there(e, before, now, &so) == 0 && so &&
	    newcomers(&e->policy.image, &newest.policy.image, &order, &starts) == 0 &&
	    enforcer_apply(e, &order, now, &report) == 0;
	free(starts);
	if (done) {
		(void)enforcer_judge_again(e);	/* what stands is right all the same */
		places_free(&newest);
		loaded_policy_done(&newest.policy);
		return true;
	}
	places_free(e);
	loaded_policy_done(&e->policy);
	e->policy = newest.policy;
	e->stations = newest.stations;
	e->standings = newest.standings;
	enforcer_policy_changed(e);
	return false;
}

/* A policy is written down before the kernel gets it. After a crash in between
 * the kernel has the one before; after a trial that was given up, the trial. From
 * there it goes on, and open connections lose nothing. */
static bool
catch_up(struct enforcer *e, int64_t now)
{
	const uint64_t before = policy_store_before(e->dirfd, &e->policy);
	uint64_t image, tried;

	if (policy_store_newest(e->dirfd, &image, &tried) == 0 && tried > before && tried != e->policy.revision &&
	    goes_on_from(e, tried, now))
		return true;
	return before != 0 && goes_on_from(e, before, now);
}

static int
adopt(struct enforcer *e, uint32_t flags, int64_t now, struct start_report *report)
{
	bool persists = (flags & NFT_FLAG_PERSIST) != 0, differed = false, agrees;
	int rc;

	if ((rc = adopt_stations(e, now, report)) < 0)
		return rc;
	if (persists && (rc = claim(e)) < 0)
		return rc;
	/* Made under other flags (another kernel's, or forced): made anew. */
	if (e->features.owner_persist != persists) {
		report->rebuilt = true;
		snprintf(report->differs, sizeof(report->differs), "the table's flags");
		return enforcer_load_renewed(e, true);
	}
	if ((rc = enforcer_agrees(e, &agrees)) < 0)
		return rc;
	if (!agrees && (rc = staged_catch_up(e, &agrees)) < 0)
		return rc;
	if (!agrees) {
		report->caught_up = catch_up(e, now);
		if (!report->caught_up)
			rc = enforcer_restore(e, &differed, report->differs);
	}
	report->rebuilt = differed;
	report->adopted = !differed;
	return rc;
}

static int
load_policy(struct enforcer *e, uint64_t trial, struct start_report *report)
{
	if (trial != 0 && policy_store_read(e->dirfd, trial, &e->policy) == 0)
		return 0;
	return policy_store_load(e->dirfd, &e->policy, &report->images_passed_over);
}

int
enforcer_start(struct enforcer *e, int owner_fd, int dirfd, uint64_t trial, const char *force_absent,
    int64_t now, struct start_report *report)
{
	uint32_t flags, owner;
	bool there;
	int rc, fd;

	memset(e, 0, sizeof(*e));
	memset(report, 0, sizeof(*report));
	e->policy.fd = e->staged.fd = -1;
	e->dirfd = dirfd;
	e->disk_ok = true;
	e->applied_at = now;
	if ((fd = nft_socket_open()) < 0)
		return fd;
	if ((rc = nft_socket_init(&e->reader, fd)) < 0 || (rc = nft_socket_init(&e->owner, owner_fd)) < 0 ||
	    (rc = nft_probe(&e->owner, &e->features)) < 0)
		return rc;
	if (force_absent != NULL && (rc = features_force_absent(&e->features, force_absent)) < 0)
		return rc;
	if ((rc = load_policy(e, trial, report)) < 0)
		return rc;
	enforcer_policy_changed(e);
	report->staged_damaged = staged_load(e) < 0;
	if ((rc = places_from_journal(e, report)) < 0 ||
	    (rc = nft_read_table(&e->reader, &there, &flags, &owner)) < 0)
		return rc;
	rc = there ? adopt(e, flags, now, report) : first_load(e, report);
	e->healthy = rc == 0;
	return rc;
}

void
enforcer_done(struct enforcer *e)
{
	places_free(e);
	loaded_policy_done(&e->policy);
	loaded_policy_done(&e->staged);
	close(e->reader.fd);
}
