/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_series.c -- what consecutive CRLs say: scopes, deltas, keys and time. Numbers
 * of tests are those of the table of cases in doc/revocation.md. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "pki/series_set.h"
#include "world.h"

#define SHARD(n) "http://ca.example/shard" #n ".crl"

/* One CA, device 0 with certificate 11 (shard 1), device 1 with 12 (no point). */
static struct world *
fleet(void)
{
	struct world *w = world_new();
	uint32_t ca = world_ca(w, "factory", NOBODY, 1);

	world_cert(w, world_device(w), ca, 11, &(struct world_cert){ .point = SHARD(1) });
	world_cert(w, world_device(w), ca, 12, NULL);
	return w;
}

static enum source_error
crl(struct world *w, const struct world_crl *c)
{
	enum source_error error = world_crl(w, 0, c);

	world_judge(w);
	return error;
}

#define CRL(...) crl(w, &(struct world_crl){ __VA_ARGS__ })
#define LISTED(...) .entries = { __VA_ARGS__ }

/* ---- scope -------------------------------------------------------------- */

static void
test_28_only_cas(void **state)
{
	struct world *w = fleet();

	(void)state;
	world_start(w);
	CRL(.number = 1, .cas = true);
	assert_int_equal(world_check(w, 0), CHECK_UNCHECKED);
	CRL(.number = 2, .cas = true, LISTED({ 11, 0, 0 }));
	assert_int_equal(world_check(w, 0), CHECK_REVOKED);
	world_free(w);
}

static void
test_29_only_users(void **state)
{
	struct world *w = world_new();
	uint32_t root = world_ca(w, "root", NOBODY, 1), sub = world_ca(w, "sub", root, 2);
	const struct finding *f;
	struct series_weight weight;
	struct finding found;

	(void)state;
	world_cert(w, world_device(w), sub, 11, NULL);
	world_start(w);
	crl(w, &(struct world_crl){ .number = 1, .users = true });
	series_weigh(world_last(w), 0, &w->all->authorities[root], E_NONE, &w->clock, &weight);
	assert_true(weight.clears);
	series_find(&weight, 1, &w->all->authorities[root], 0, &found);
	f = &found;
	assert_false(f->current || f->stale || f->expired || f->listed);
	crl(w, &(struct world_crl){ .number = 2 });
	series_weigh(world_last(w), 0, &w->all->authorities[root], E_NONE, &w->clock, &weight);
	series_find(&weight, 1, &w->all->authorities[root], 0, &found);
	assert_true(finding_clean(f));
	world_free(w);
}

static void
test_30_other_shard(void **state)
{
	struct world *w = fleet();

	(void)state;
	world_start(w);
	CRL(.number = 1, .point = SHARD(2));
	assert_int_equal(world_check(w, 0), CHECK_UNCHECKED);
	assert_int_equal(series_coverage(world_last(w), &w->all->authorities[0]), 0);
	CRL(.number = 2, .point = SHARD(2), LISTED({ 11, 1, 0 }));
	assert_int_equal(world_check(w, 0), CHECK_REVOKED);
	world_free(w);
}

static void
test_31_own_shard(void **state)
{
	struct world *w = fleet();

	(void)state;
	world_start(w);
	CRL(.number = 1, .point = SHARD(1));
	assert_int_equal(world_check(w, 0), CHECK_CLEAN);
	assert_int_equal(world_check(w, 1), CHECK_UNCHECKED);
	assert_int_equal(series_coverage(world_last(w), &w->all->authorities[0]), 1);
	world_free(w);
}

static void
test_32_one_shard_stale(void **state)
{
	struct world *w = world_new();
	uint32_t ca = world_ca(w, "factory", NOBODY, 1);

	(void)state;
	world_cert(w, world_device(w), ca, 11, &(struct world_cert){ .point = SHARD(1) });
	world_cert(w, world_device(w), ca, 12, &(struct world_cert){ .point = SHARD(2) });
	world_start(w);
	CRL(.number = 1, .point = SHARD(1), .at = -DAY, .lasts = DAY / 2);
	CRL(.number = 1, .point = SHARD(2));
	assert_int_equal(world_check(w, 0), CHECK_STALE);
	assert_int_equal(world_check(w, 1), CHECK_CLEAN);
	world_free(w);
}

static void
test_33_point_without_point(void **state)
{
	struct world *w = fleet();

	(void)state;
	world_start(w);
	CRL(.number = 1, .point = SHARD(9));
	assert_int_equal(world_check(w, 1), CHECK_UNCHECKED);
	assert_int_equal(series_coverage(world_last(w), &w->all->authorities[0]), 0);
	CRL(.number = 2, .point = SHARD(9), LISTED({ 11, -1, 0 }));
	assert_int_equal(world_check(w, 0), CHECK_REVOKED);
	/* the administrator says that it covers all */
	world_last(w)->covers_all = true;
	world_judge(w);
	assert_int_equal(world_check(w, 1), CHECK_CLEAN);
	assert_int_equal(series_coverage(world_last(w), &w->all->authorities[0]), 2);
	world_free(w);
}

static void
test_34_some_reasons(void **state)
{
	struct world *w = fleet();

	(void)state;
	world_start(w);
	CRL(.number = 1, .reasons = 0x006);
	assert_int_equal(world_check(w, 0), CHECK_UNCHECKED);
	CRL(.number = 1, .reasons = 0x0f8, LISTED({ 12, 6, 0 }));
	assert_int_equal(world_check(w, 1), CHECK_HELD);
	assert_int_equal(world_check(w, 0), CHECK_UNCHECKED);	/* aACompromise is still missing */
	CRL(.number = 1, .reasons = 0x100);
	assert_int_equal(world_check(w, 0), CHECK_CLEAN);
	/* one part out of date: not clean */
	w->series[0].full.next_update = NOW - 1;
	world_judge(w);
	assert_int_equal(world_check(w, 0), CHECK_STALE);
	world_free(w);
}

/* ---- on hold, and deltas ------------------------------------------------ */

static void
test_42_hold(void **state)
{
	struct world *w = fleet();

	(void)state;
	world_start(w);
	CRL(.number = 1, .at = -3 * HOUR, LISTED({ 11, 6, 0 }));
	assert_int_equal(world_check(w, 0), CHECK_HELD);
	assert_int_equal(world_cause(w, 0), CAUSE_REVOKED);
	assert_int_equal(world_cause(w, 1), 0);
	CRL(.number = 2, .at = -2 * HOUR);
	assert_int_equal(world_check(w, 0), CHECK_CLEAN);
	assert_int_equal(world_cause(w, 0), 0);
	/* the administrator wants to release by hand */
	CRL(.number = 3, .at = -HOUR, LISTED({ 11, 6, 0 }));
	w->all->authorities[0].flags |= AUTHORITY_HOLD_MANUAL;
	CRL(.number = 4);
	assert_int_equal(world_check(w, 0), CHECK_CLEAN);
	assert_int_equal(world_cause(w, 0), CAUSE_REVOKED);
	world_free(w);
}

static void
test_45_delta_revokes(void **state)
{
	struct world *w = fleet();

	(void)state;
	world_start(w);
	CRL(.number = 10);
	assert_int_equal(world_check(w, 0), CHECK_CLEAN);
	assert_int_equal(CRL(.number = 11, .base = 10, LISTED({ 11, 1, 0 })), E_NONE);
	assert_int_equal(world_check(w, 0), CHECK_REVOKED);
	assert_int_equal(world_check(w, 1), CHECK_CLEAN);
	assert_int_equal(w->last.n_tighten, 1);
	assert_int_equal(w->last.tighten[0].number[w->last.tighten[0].number_len - 1], 11);
	world_free(w);
}

static void
test_46_delta_releases(void **state)
{
	struct world *w = fleet();

	(void)state;
	world_start(w);
	CRL(.number = 10, LISTED({ 11, 6, 0 }));
	assert_int_equal(world_cause(w, 0), CAUSE_REVOKED);
	/* what was never on hold is taken off without a word */
	CRL(.number = 11, .base = 10, LISTED({ 11, 8, 0 }, { 12, 8, 0 }));
	assert_int_equal(world_check(w, 0), CHECK_CLEAN);
	assert_int_equal(world_cause(w, 0), 0);
	assert_int_equal(world_check(w, 1), CHECK_CLEAN);
	world_free(w);
}

static void
test_47_delta_takes_no_compromise_off(void **state)
{
	struct pki_authority report;
	struct world *w = fleet();

	(void)state;
	world_start(w);
	CRL(.number = 10, LISTED({ 11, 1, 0 }));
	CRL(.number = 11, .base = 10, LISTED({ 11, 8, 0 }));
	assert_int_equal(world_check(w, 0), CHECK_REVOKED);
	assert_int_equal(world_cause(w, 0), CAUSE_REVOKED);
	world_report(w, 0, &report);
	assert_true((report.alarms & ALARM_REMOVED) != 0);
	world_free(w);
}

static void
test_48_base_removes_nothing(void **state)
{
	struct pki_authority report;
	struct world *w = fleet();

	(void)state;
	world_start(w);
	CRL(.number = 10, .at = -HOUR, LISTED({ 11, 6, 0 }));
	CRL(.number = 11, LISTED({ 11, 8, 0 }));
	assert_int_equal(world_cause(w, 0), CAUSE_REVOKED);
	world_report(w, 0, &report);
	assert_true((report.alarms & ALARM_REMOVED) != 0);
	world_free(w);
}

static void
test_49_50_51_52_which_base(void **state)
{
	static const struct {
		uint32_t full, base, delta;
		enum source_error error;
		unsigned other;		/* of who is on neither */
		bool hit;
	} rows[] = {
		{ 11, 10, 12, E_NONE, CHECK_CLEAN, true },	/* 49: built on an older one */
		{ 10, 10, 12, E_NONE, CHECK_CLEAN, true },
		{ 10, 11, 12, E_BASE, CHECK_STALE, true },	/* 50: there is a newer base */
		{ 12, 10, 12, E_NONE, CHECK_CLEAN, false },	/* 51: says nothing new */
		{ 13, 10, 12, E_NONE, CHECK_CLEAN, false },
		{ 0, 10, 12, E_BASE, CHECK_UNCHECKED, true },	/* 52: alone */
	};
	struct world *w;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		w = fleet();
		world_start(w);
		if (rows[i].full != 0)
			CRL(.number = rows[i].full);
		assert_int_equal(CRL(.number = rows[i].delta, .base = rows[i].base, LISTED({ 11, 1, 0 })),
		    rows[i].error);
		assert_int_equal(world_cause(w, 0), rows[i].hit ? CAUSE_REVOKED : 0);
		assert_int_equal(world_check(w, 1), rows[i].other);
		world_free(w);
	}
}

/* A full CRL that is newer than the delta has all that the delta said. */
static void
test_51_overtaken(void **state)
{
	struct world *w = fleet();

	(void)state;
	world_start(w);
	CRL(.number = 10, .at = -3 * HOUR);
	CRL(.number = 12, .base = 10, .at = -2 * HOUR, LISTED({ 11, 6, 0 }));
	assert_int_equal(world_cause(w, 0), CAUSE_REVOKED);
	CRL(.number = 13, .at = -HOUR);
	assert_int_equal(world_cause(w, 0), 0);
	world_free(w);
}

/* Hits of a delta that belongs to no full CRL count, and it clears nobody. */
static void
test_53_foreign_delta(void **state)
{
	struct crl_verdict v = { .number_len = 1, .number = { 12 }, .base_len = 1, .base = { 10 } };
	struct world *w = world_new();
	uint32_t ca = world_ca(w, "factory", NOBODY, 1);
	bool quietly;
	const char *why;

	(void)state;
	world_roll(w, ca);
	world_cert(w, world_device(w), ca, 11, NULL);
	world_cert(w, world_device(w), ca, 12, NULL);
	world_start(w);
	CRL(.number = 10, LISTED({ 11, 6, 0 }, { 12, 6, 0 }));
	memcpy(v.scope_digest, world_last(w)->scope_digest, sizeof(v.scope_digest));
	assert_int_equal(series_take_delta(world_last(w), &v, w->all->authorities[0].signed_by[0].key_digest,
			     &quietly, &why), E_NONE);
	assert_int_equal(series_take_delta(world_last(w), &v, w->all->authorities[0].signed_by[1].key_digest,
			     &quietly, &why), E_DELTA);
	assert_int_equal(series_take_delta(NULL, &v, w->all->authorities[0].signed_by[0].key_digest, &quietly,
			     &why), E_DELTA);
	v.scope_digest[0] ^= 1;
	assert_int_equal(series_take_delta(world_last(w), &v, w->all->authorities[0].signed_by[0].key_digest,
			     &quietly, &why), E_DELTA);
	v.scope_digest[0] ^= 1;
	v.number_len = 0;
	assert_int_equal(series_take_delta(world_last(w), &v, w->all->authorities[0].signed_by[0].key_digest,
			     &quietly, &why), E_DELTA);
	/* of another scope, and under another key */
	CRL(.number = 12, .base = 10, .users = true, LISTED({ 11, 8, 0 }));
	assert_int_equal(world_cause(w, 0), CAUSE_REVOKED);
	CRL(.number = 12, .base = 10, .key = 1, LISTED({ 11, 8, 0 }, { 12, 1, 0 }));
	assert_int_equal(world_cause(w, 0), CAUSE_REVOKED);
	assert_int_equal(world_reason(w, 1), 1);
	world_free(w);
}

static void
test_54_delta_lends_its_time(void **state)
{
	struct world *w = fleet();

	(void)state;
	world_start(w);
	CRL(.number = 10, .at = -3 * DAY, .lasts = DAY, LISTED({ 12, 6, 0 }));
	assert_int_equal(world_check(w, 0), CHECK_STALE);
	CRL(.number = 11, .base = 10, .at = -HOUR, .lasts = DAY, LISTED({ 12, 8, 0 }));
	assert_int_equal(world_check(w, 0), CHECK_CLEAN);
	assert_int_equal(world_cause(w, 1), 0);
	assert_int_equal(series_state(world_last(w), &w->all->authorities[0].rules, &w->clock), SOURCE_FRESH);
	world_free(w);
}

static void
test_55_expired_delta(void **state)
{
	struct world *w = fleet();

	(void)state;
	world_start(w);
	CRL(.number = 10, .at = -3 * DAY, LISTED({ 12, 6, 0 }));
	CRL(.number = 11, .base = 10, .at = -2 * DAY, .lasts = DAY, LISTED({ 11, 1, 0 }, { 12, 8, 0 }));
	assert_int_equal(series_state(world_last(w), &w->all->authorities[0].rules, &w->clock), SOURCE_FRESH);
	assert_int_equal(series_delta_state(world_last(w), &w->all->authorities[0].rules, &w->clock),
	    SOURCE_EXPIRED);
	assert_int_equal(world_check(w, 0), CHECK_REVOKED);	/* its hits stay */
	assert_int_equal(world_cause(w, 1), CAUSE_REVOKED);	/* and it releases nobody */
	world_free(w);
}

/* ---- time --------------------------------------------------------------- */

static void
test_56_57_expired(void **state)
{
	struct world *w = fleet();
	uint32_t i;

	(void)state;
	world_start(w);
	w->all->authorities[0].when_stale = WHEN_STALE_QUARANTINE;
	CRL(.number = 1, .at = -10 * DAY, .lasts = DAY, LISTED({ 11, 1, 0 }));
	assert_int_equal(world_cause(w, 0), CAUSE_REVOKED);
	assert_int_equal(world_cause(w, 1), CAUSE_STALE);
	assert_int_equal(world_check(w, 1), CHECK_STALE);
	/* no flapping: what the clock brings alone, it does not take back */
	for (i = 0; i < 4; i++) {
		w->clock.wall_ms = NOW - (i % 2 == 0 ? 8 * DAY + HOUR : 0);
		world_judge(w);
		assert_int_equal(w->last.n_loosen, 0);
		assert_int_equal(world_cause(w, 1), CAUSE_STALE);
	}
	w->clock.wall_ms = NOW;
	CRL(.number = 2);
	assert_int_equal(world_cause(w, 1), 0);
	assert_int_equal(world_cause(w, 0), CAUSE_REVOKED);
	world_free(w);
}

/* Grace lies between stale and the administrator's measures. */
static void
test_57_grace(void **state)
{
	struct world *w = fleet();

	(void)state;
	world_start(w);
	w->all->authorities[0].when_stale = WHEN_STALE_RESTRICT;
	CRL(.number = 1, .at = -2 * DAY, .lasts = DAY + 2 * HOUR);
	assert_int_equal(world_check(w, 1), CHECK_STALE);
	assert_int_equal(world_cause(w, 1), 0);
	w->clock.wall_ms += 2 * HOUR - 1;
	world_judge(w);
	assert_int_equal(world_cause(w, 1), 0);
	w->clock.wall_ms += 1;
	world_judge(w);
	assert_int_equal(world_cause(w, 1), CAUSE_LIMITED);
	/* the administrator's word ends what the administrator's word began */
	w->all->authorities[0].when_stale = WHEN_STALE_KEEP;
	world_judge(w);
	assert_int_equal(world_cause(w, 1), 0);
	world_free(w);
}

static void
test_58_future(void **state)
{
	struct world *w = fleet();

	(void)state;
	world_start(w);
	assert_int_equal(CRL(.number = 1, .at = -HOUR, LISTED({ 12, 6, 0 })), E_NONE);
	assert_int_equal(CRL(.number = 2, .at = 300 * SECOND, LISTED({ 12, 6, 0 })), E_NONE);
	assert_int_equal(world_check(w, 0), CHECK_CLEAN);
	/* beyond what clocks differ by: it revokes, and clears nobody */
	assert_int_equal(CRL(.number = 90, .at = DAY, LISTED({ 11, 1, 0 })), E_FUTURE);
	assert_int_equal(world_cause(w, 0), CAUSE_REVOKED);
	assert_int_equal(world_cause(w, 1), CAUSE_REVOKED);
	assert_int_equal(world_check(w, 1), CHECK_STALE);
	/* and the CA's next one still comes in */
	assert_int_equal(CRL(.number = 3, .at = 301 * SECOND), E_FUTURE);
	w->clock.wall_ms += 301 * SECOND;
	assert_int_equal(CRL(.number = 3, .at = 301 * SECOND), E_NONE);
	assert_int_equal(world_cause(w, 1), 0);
	assert_int_equal(world_cause(w, 0), CAUSE_REVOKED);
	world_free(w);
}

static void
test_60_clock_jumps(void **state)
{
	struct world *w = fleet();

	(void)state;
	world_start(w);
	w->all->authorities[0].when_stale = WHEN_STALE_QUARANTINE;
	CRL(.number = 1, .at = -HOUR, .lasts = DAY);
	assert_int_equal(world_check(w, 1), CHECK_CLEAN);
	w->clock.wall_ms = NOW + 100 * DAY;
	w->clock.trusted = false;
	world_judge(w);
	assert_int_equal(world_cause(w, 1), 0);
	assert_int_equal(world_check(w, 1), CHECK_STALE);	/* nor is anybody proven clean */
	/* what the machine itself has lived through counts */
	w->clock.boot_ms += 2 * DAY - 1;
	world_judge(w);
	assert_int_equal(world_cause(w, 1), 0);
	w->clock.boot_ms += 1;
	world_judge(w);
	assert_int_equal(world_cause(w, 1), CAUSE_STALE);
	world_free(w);
}

/* A replay of the same CRL, over and over, keeps nothing fresh. */
static void
test_60_same_again(void **state)
{
	struct world *w = fleet();
	uint32_t i;

	(void)state;
	world_start(w);
	w->clock.trusted = false;
	w->clock.wall_ms = NOW + HOUR;
	for (i = 0; i < 5; i++) {
		CRL(.number = 1, .lasts = DAY, .at = 0);
		assert_int_equal(world_check(w, 1), i < 3 ? CHECK_CLEAN : CHECK_STALE);
		w->clock.boot_ms += 8 * HOUR;
	}
	assert_int_equal(series_state(world_last(w), &w->all->authorities[0].rules, &w->clock), SOURCE_STALE);
	world_free(w);
}

/* An unset clock: floor and time since boot carry on. */
static void
test_60_unset_clock(void **state)
{
	struct world *w = fleet();

	(void)state;
	world_start(w);
	w->clock = (struct pki_clock){ .wall_ms = 0, .boot_ms = 1000, .floor_ms = NOW - DAY };
	assert_int_equal(CRL(.number = 1, .at = -HOUR, .lasts = DAY, LISTED({ 11, 6, 0 })), E_NONE);
	assert_int_equal(world_check(w, 0), CHECK_HELD);
	/* it may be a CRL of tomorrow: nobody is proven clean, nor punished */
	w->all->authorities[0].when_stale = WHEN_STALE_QUARANTINE;
	world_judge(w);
	assert_int_equal(world_check(w, 1), CHECK_STALE);
	assert_int_equal(world_cause(w, 1), 0);
	/* the floor is certain, whatever the clock says */
	w->clock.floor_ms = NOW;
	world_judge(w);
	assert_int_equal(world_check(w, 1), CHECK_CLEAN);
	w->clock.floor_ms = NOW + 2 * DAY;
	world_judge(w);
	assert_int_equal(world_cause(w, 1), CAUSE_STALE);
	world_free(w);
}

static void
test_61_no_next_update(void **state)
{
	struct world *w = fleet();

	(void)state;
	world_start(w);
	CRL(.number = 1, .at = -DAY + 1000, .lasts = -1);
	assert_int_equal(world_check(w, 1), CHECK_CLEAN);
	w->clock.wall_ms += 1000;
	world_judge(w);
	assert_int_equal(world_check(w, 1), CHECK_STALE);
	world_free(w);
}

/* ---- order -------------------------------------------------------------- */

static void
test_62_63_64_65_66_order(void **state)
{
	static const struct {
		uint32_t number;
		int64_t at;
		uint8_t content;
		enum source_error error;
	} rows[] = {
		{ 10, 0, 0, E_NONE },
		{ 10, 0, 0, E_NONE },			/* 63: the same octets but for the signature's */
		{ 9, HOUR, 7, E_ROLLBACK },		/* 62 */
		{ 10, 0, 7, E_EQUIVOCATION },		/* 64 */
		{ 11, -HOUR, 7, E_ROLLBACK },		/* 65 */
		{ 300, SECOND, 0, E_NONE },		/* a gap is no fault */
		{ 0, 0, 7, E_ROLLBACK },		/* 66: thisUpdate is the order */
		{ 0, 2 * SECOND, 0, E_NONE },
		{ 299, 3 * SECOND, 7, E_ROLLBACK },	/* the number is not forgotten for that */
		{ 301, 3 * SECOND, 0, E_NONE },
	};
	struct world *w = fleet();
	size_t i;

	(void)state;
	world_start(w);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(crl(w, &(struct world_crl){ .number = rows[i].number, .at = rows[i].at,
			.content = rows[i].content, LISTED({ rows[i].error == E_NONE ? 99 : 11, 1, 0 }) }),
		    rows[i].error);
		assert_int_equal(world_cause(w, 0), 0);	/* what is refused revokes nobody */
	}
	world_free(w);
}

static void
test_71_damaged_mark(void **state)
{
	struct world *w = fleet();

	(void)state;
	world_start(w);
	CRL(.number = 1, .at = -HOUR, LISTED({ 11, 6, 0 }));
	world_last(w)->full.mark_damaged = true;
	CRL(.number = 2, LISTED({ 12, 1, 0 }));
	assert_int_equal(world_cause(w, 0), CAUSE_REVOKED);
	assert_int_equal(world_cause(w, 1), CAUSE_REVOKED);
	world_last(w)->full.mark_damaged = false;
	world_judge(w);
	assert_int_equal(world_cause(w, 0), 0);
	world_free(w);
}

/* ---- keys --------------------------------------------------------------- */

static void
test_87_other_key(void **state)
{
	struct world *w = world_new();
	uint32_t ca = world_ca(w, "factory", NOBODY, 1), next = world_roll(w, ca);

	(void)state;
	world_cert(w, world_device(w), ca, 11, NULL);
	world_cert(w, world_device(w), ca, 12, &(struct world_cert){ .key = next });
	world_serial(w, world_device(w), ca, 13);
	world_start(w);
	CRL(.number = 1, .at = -HOUR, LISTED({ 11, 6, 0 }, { 12, 6, 0 }, { 13, 6, 0 }));
	CRL(.number = 2, .key = next);
	assert_int_equal(world_cause(w, 0), CAUSE_REVOKED);
	CRL(.number = 3, .key = next, .at = SECOND, LISTED({ 11, 1, 0 }));
	assert_int_equal(world_reason(w, 0), 1);		/* to revoke, any key of it does */
	/* both: now it is proven for whoever signed the third */
	CRL(.number = 4);
	assert_int_equal(world_cause(w, 1), 0);
	assert_int_equal(world_cause(w, 2), 0);
	assert_int_equal(world_cause(w, 0), CAUSE_REVOKED);
	world_free(w);
}

static void
test_87_shared(void **state)
{
	struct world *w = world_new();
	uint32_t ca = world_ca(w, "factory", NOBODY, 1), next = world_roll(w, ca);

	(void)state;
	world_cert(w, world_device(w), ca, 11, NULL);
	world_serial(w, world_device(w), ca, 12);
	world_start(w);
	CRL(.number = 1, .key = next);
	assert_int_equal(world_check(w, 0), CHECK_UNCHECKED);
	assert_int_equal(world_check(w, 1), CHECK_UNCHECKED);
	w->all->authorities[0].rules.rollover_shared = true;
	world_judge(w);
	assert_int_equal(world_check(w, 0), CHECK_CLEAN);
	world_free(w);
}

/* One that publishes under ever new scopes leaves the others their room. */
static void
test_room_for_each_authority(void **state)
{
	struct world *w = world_new();
	uint32_t one = world_ca(w, "one", NOBODY, 1), other = world_ca(w, "other", NOBODY, 2), scope[8] = { 0 }, at;
	int folder = open("/proc/self/fdinfo", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;
	struct series_set set = { 0 };

	(void)state;
	world_start(w);
	while (rc == 0 && ++scope[0] < 2 * LIMIT_SERIES)
		rc = series_set_open(&set, folder, w->all, one, 0, (const uint8_t *)scope, &at);
	assert_int_equal(rc, -ENOSPC);
	assert_in_range(set.n, LIMIT_SERIES / 2, LIMIT_SERIES - 4);
	for (scope[0] = 1; scope[0] <= 4; scope[0]++)
		assert_int_equal(series_set_open(&set, folder, w->all, other, 0, (const uint8_t *)scope, &at), 0);
	assert_int_equal(set.series[at].authority, other);
	series_set_done(&set);
	close(folder);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_28_only_cas),
		cmocka_unit_test(test_29_only_users),
		cmocka_unit_test(test_30_other_shard),
		cmocka_unit_test(test_31_own_shard),
		cmocka_unit_test(test_32_one_shard_stale),
		cmocka_unit_test(test_33_point_without_point),
		cmocka_unit_test(test_34_some_reasons),
		cmocka_unit_test(test_42_hold),
		cmocka_unit_test(test_45_delta_revokes),
		cmocka_unit_test(test_46_delta_releases),
		cmocka_unit_test(test_47_delta_takes_no_compromise_off),
		cmocka_unit_test(test_48_base_removes_nothing),
		cmocka_unit_test(test_49_50_51_52_which_base),
		cmocka_unit_test(test_51_overtaken),
		cmocka_unit_test(test_53_foreign_delta),
		cmocka_unit_test(test_54_delta_lends_its_time),
		cmocka_unit_test(test_55_expired_delta),
		cmocka_unit_test(test_56_57_expired),
		cmocka_unit_test(test_57_grace),
		cmocka_unit_test(test_58_future),
		cmocka_unit_test(test_60_clock_jumps),
		cmocka_unit_test(test_60_same_again),
		cmocka_unit_test(test_60_unset_clock),
		cmocka_unit_test(test_61_no_next_update),
		cmocka_unit_test(test_62_63_64_65_66_order),
		cmocka_unit_test(test_71_damaged_mark),
		cmocka_unit_test(test_87_other_key),
		cmocka_unit_test(test_87_shared),
		cmocka_unit_test(test_room_for_each_authority),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
