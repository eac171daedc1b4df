/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_trust_properties.c -- what must hold whatever comes, tried on random histories
 * of CRLs, responders and clocks: a further hit never loosens, nothing loosens without
 * a CRL in force, and the same input gives the same output. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "world.h"

#define HISTORIES 60
#define STEPS	  60
#define POINT	  "http://ca.example/one.crl"

static uint64_t dice = 1;

static uint32_t
roll(uint32_t sides)
{
	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	return (uint32_t)(dice >> 32) % sides;
}

/* root (two keys) -> sub, signed by another CA as well -> line; devices renewed, with
 * serials alone, copies, with one key. */
static struct world *
fleet(EVP_PKEY *key)
{
	struct world *w = world_new();
	uint32_t root = world_ca(w, "root", NOBODY, 1), other = world_ca(w, "other", NOBODY, 1),
		 sub = world_ca(w, "sub", root, 2), line = world_ca(w, "line", sub, 3), d, i;

	world_cross(w, sub, 0, other, 4);
	world_roll(w, root);
	for (i = 0; i < 3; i++) {
		d = world_device(w);
		world_cert(w, d, line, (uint8_t)(10 + i), &(struct world_cert){ .own = i < 2 ? key : NULL,
			.point = i == 0 ? POINT : NULL, .not_after = i == 2 ? NOW + 3 * DAY : 0 });
		world_cert(w, d, i == 0 ? line : sub, (uint8_t)(20 + i), NULL);
	}
	world_serial(w, world_device(w), root, 30);
	world_serial(w, world_device(w), root, 30);
	world_serial(w, world_device(w), sub, 31);
	world_start(w);
	for (i = 0; i < w->n_cas; i++) {
		w->all->authorities[i].when_stale = roll(3);
		w->all->authorities[i].when_unchecked = roll(3);
		w->all->authorities[i].rules.rollover_shared = roll(4) == 0;
		w->all->authorities[i].ocsp.devices = OCSP_ALL;
		w->all->authorities[i].ocsp.unknown = roll(3);
	}
	return w;
}

static void
publish(struct world *w)
{
	static const uint8_t serials[] = { 2, 3, 4, 10, 11, 12, 20, 21, 22, 30, 31 };
	static const int8_t reasons[] = { -1, 1, 2, 3, 4, 5, 6, 6, 6, 8, 10 };
	uint32_t ca = roll(w->n_cas), n = roll(3), i;
	struct world_crl c = { .number = 1 + roll(20), .lasts = (int64_t)(1 + roll(3)) * DAY };

	c.at = w->clock.wall_ms - NOW - (int64_t)roll(4) * DAY / 2 + (int64_t)roll(3) * HOUR / 30;
	c.key = ca == 0 ? roll(2) : 0;
	c.base = roll(3) == 0 && c.number > 1 ? 1 + roll(c.number - 1) : 0;
	c.point = roll(6) == 0 ? POINT : NULL;
	c.users = roll(6) == 0;
	c.cas = !c.users && roll(6) == 0;
	c.reasons = roll(8) == 0 ? 0x1e : 0;
	for (i = 0; i < n; i++)
		c.entries[i] = (struct world_entry){ serials[roll(sizeof(serials))],
			reasons[roll(sizeof(reasons))], 0 };
	(void)world_crl(w, ca, &c);
}

static void
anything(struct world *w)
{
	uint32_t d;

	switch (roll(6)) {
	case 0:
		w->clock.wall_ms += (int64_t)roll(48) * HOUR;
		w->clock.boot_ms += (int64_t)roll(48) * HOUR;
		break;
	case 1:
		w->clock.trusted = roll(3) != 0;
		w->clock.wall_ms += ((int64_t)roll(96) - 48) * HOUR;
		break;
	case 2:
		d = roll(w->n_devices);
		world_said(w, d, roll(w->devices[d].certificates.n), (enum trust_saying)roll(4), (uint8_t)roll(12),
		    w->clock.wall_ms);
		break;
	default:
		publish(w);
	}
}

static struct trust_input
input(struct world *w)
{
	return (struct trust_input){ .series = w->series, .n_series = w->n_series, .ocsp = w->ocsp,
		.clock = w->clock };
}

/* ---- nothing loosens without a CRL in force ----------------------------- */

/* By a reading of its own: some full CRL of that authority is in force by the clock, or
 * it is carried on by a delta that is, and none of them lists the certificate now. */
static bool
spoken_for(const struct world *w, const struct subject_ref *ref, bool unlisted)
{
	const int64_t now = w->clock.wall_ms > w->clock.floor_ms ? w->clock.wall_ms : w->clock.floor_ms;
	bool in_force = false;
	size_t i;
	uint32_t h;

	for (i = 0; i < w->n_series; i++) {
		const struct series *s = &w->series[i];

		if (s->authority != ref->authority || !s->full.valid)
			continue;
		if (s->full.this_update <= now + 300 * SECOND && (s->full.next_update > now ||
			(s->delta.valid && s->delta.next_update > now)))
			in_force = true;
		for (h = 0; unlisted && h < s->full.n_hits; h++)
			if (s->full.hits[h].cert == ref->subject && s->full.hits[h].reason != 6)
				return false;
	}
	return in_force;
}

static void
justified(const struct world *w, const struct pki_clear *c)
{
	const struct authority_device *d = NULL;
	uint32_t i, counted = 0;

	for (i = 0; i < w->all->n_devices; i++)
		if (w->all->devices[i].number == c->device)
			d = &w->all->devices[i];
	assert_non_null(d);
	for (i = 0; i < d->n; i++) {
		const struct subject_ref *ref = &w->all->refs[d->first + i];
		const struct subject *s = &w->all->authorities[ref->authority].subjects[ref->subject];

		/* one that ran out, or that was replaced, needs no CRL */
		if (c->cause != CAUSE_REVOKED && (s->not_after != 0 || !spoken_for(w, ref, false)))
			continue;
		if (i + 1 < d->n && !spoken_for(w, ref, true))
			continue;
		assert_true(spoken_for(w, ref, c->cause == CAUSE_REVOKED));
		counted++;
	}
	assert_true(counted > 0 || c->cause != CAUSE_REVOKED);
}

static void
nothing_for_free(const struct world *w, const struct pki_standing *before, size_t n)
{
	size_t i, j;

	for (i = 0; i < w->last.n_loosen; i++)
		justified(w, &w->last.loosen[i]);
	/* what once was revoked for any reason but a hold is there for ever */
	for (i = 0; i < n; i++) {
		if (before[i].cause != CAUSE_REVOKED || before[i].reason == 6)
			continue;
		for (j = 0; j < w->n_standings; j++)
			if (memcmp(&before[i], &w->standings[j], sizeof(before[i])) == 0)
				break;
		assert_true(j < w->n_standings);
	}
}

/* ---- a further hit ------------------------------------------------------ */

static int
by_cert(const void *a, const void *b)
{
	const struct crl_hit *x = a, *y = b;

	return x->cert < y->cert ? -1 : x->cert > y->cert;
}

static void
further_hit(struct world *w)
{
	static const uint32_t reasons[] = { 0, 1, 2, 3, 4, 5, 6, 10 };
	struct trust_input in = input(w);
	struct trust_verdict before[WORLD_DEVICES];
	struct pki_clear loosened[WORLD_STANDINGS];
	struct trust_decision out;
	struct series_crl *crl;
	struct crl_hit *had, *more;
	size_t n, i, j;
	uint32_t cert;

	if (w->n_series == 0)
		return;
	crl = &w->series[roll((uint32_t)w->n_series)].full;
	cert = roll(w->all->authorities[w->series[0].authority].n_subjects);
	if (!crl->valid || crl->n_hits > 8)
		return;
	for (i = 0; i < crl->n_hits; i++)
		if (crl->hits[i].cert == cert)
			return;
	assert_int_equal(trust_judge(w->trust, &in), 0);
	assert_int_equal(trust_decide(w->trust, &in, w->standings, w->n_standings, &out), 0);
	memcpy(before, trust_verdicts(w->trust), w->all->n_devices * sizeof(before[0]));
	n = out.n_loosen;
	if (n > 0)
		memcpy(loosened, out.loosen, n * sizeof(loosened[0]));
	had = crl->hits;
	assert_non_null(more = calloc(crl->n_hits + 1U, sizeof(*more)));
	if (crl->n_hits > 0)
		memcpy(more, had, crl->n_hits * sizeof(*more));
	more[crl->n_hits++] = (struct crl_hit){ .cert = cert, .reason = reasons[roll(8)] };
	qsort(more, crl->n_hits, sizeof(*more), by_cert);
	crl->hits = more;
	assert_int_equal(trust_judge(w->trust, &in), 0);
	assert_int_equal(trust_decide(w->trust, &in, w->standings, w->n_standings, &out), 0);
	for (i = 0; i < w->all->n_devices; i++) {
		assert_true(!before[i].revoked || trust_verdicts(w->trust)[i].revoked);
		assert_true(!trust_verdicts(w->trust)[i].clean || before[i].clean);
	}
	for (i = 0; i < out.n_loosen; i++) {
		for (j = 0; j < n; j++)
			if (memcmp(&out.loosen[i], &loosened[j], sizeof(loosened[j])) == 0)
				break;
		assert_true(j < n);
	}
	crl->hits = had;
	crl->n_hits--;
	free(more);
}

/* ---- the same again ----------------------------------------------------- */

static void
same_again(struct world *w)
{
	struct trust_input in = input(w);
	struct trust_verdict once[WORLD_DEVICES];
	struct trust_decision out;
	size_t tightened;

	assert_int_equal(trust_judge(w->trust, &in), 0);
	memcpy(once, trust_verdicts(w->trust), w->all->n_devices * sizeof(once[0]));
	assert_int_equal(trust_judge(w->trust, &in), 0);
	assert_memory_equal(once, trust_verdicts(w->trust), w->all->n_devices * sizeof(once[0]));
	/* all is done: there is nothing left to do */
	assert_int_equal(trust_decide(w->trust, &in, w->standings, w->n_standings, &out), 0);
	tightened = out.n_tighten;
	assert_int_equal(tightened, 0);
	assert_int_equal(out.n_loosen, 0);
}

static void
compact(struct world *w)
{
	size_t i, j, n = 0;

	for (i = 0; i < w->n_standings; i++) {
		for (j = 0; j < n; j++)
			if (memcmp(&w->standings[i], &w->standings[j], sizeof(w->standings[i])) == 0)
				break;
		if (j == n)
			w->standings[n++] = w->standings[i];
	}
	w->n_standings = n;
}

static void
test_properties(void **state)
{
	struct pki_standing before[WORLD_STANDINGS];
	EVP_PKEY *key = make_key("P-256");
	unsigned history, step;
	size_t n, tightened = 0, loosened = 0;

	(void)state;
	for (history = 0; history < HISTORIES; history++) {
		struct world *w = fleet(key);

		for (step = 0; step < STEPS && w->n_series + 4 < WORLD_SERIES; step++) {
			anything(w);
			further_hit(w);
			n = w->n_standings;
			memcpy(before, w->standings, n * sizeof(before[0]));
			world_judge(w);
			tightened += w->last.n_tighten;
			loosened += w->last.n_loosen;
			nothing_for_free(w, before, n);
			compact(w);
			same_again(w);
		}
		world_free(w);
	}
	print_message("%zu tightened, %zu loosened\n", tightened, loosened);
	assert_true(tightened > 100 && loosened > 20);
	EVP_PKEY_free(key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_properties) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
