/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_trust.c -- from certificates to devices: hierarchies, keys, renewals, clones
 * and responders. Numbers of tests are those of the table of cases in
 * doc/revocation.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pki/point.h"
#include "world.h"

static enum source_error
crl(struct world *w, uint32_t ca, const struct world_crl *c)
{
	enum source_error error = world_crl(w, ca, c);

	world_judge(w);
	return error;
}

#define CRL(ca, ...) crl(w, ca, &(struct world_crl){ __VA_ARGS__ })
#define LISTED(...) .entries = { __VA_ARGS__ }

static unsigned
evidence(const struct world *w, uint32_t device)
{
	const struct trust_verdict *v = &trust_verdicts(w->trust)[device];

	return v->revoked ? v->evidence : 0;
}

static struct pki_authority
report(const struct world *w, uint32_t ca)
{
	struct pki_authority r;

	world_report(w, ca, &r);
	return r;
}

/* ---- whose certificate -------------------------------------------------- */

static void
test_17_signer_expired(void **state)
{
	struct world *w = world_new();
	uint32_t ca = world_ca(w, "factory", NOBODY, 1);

	(void)state;
	world_cert(w, world_device(w), ca, 11, &(struct world_cert){ .not_after = NOW + 3650 * DAY });
	world_cert(w, world_device(w), ca, 12, &(struct world_cert){ .not_after = NOW + 3650 * DAY });
	world_start(w);
	CRL(ca, .number = 1, LISTED({ 11, 6, 0 }));
	assert_int_equal(world_check(w, 1), CHECK_CLEAN);
	w->clock.wall_ms = NOW + 400 * DAY;	/* its certificate had a year */
	assert_int_equal(CRL(ca, .number = 2, .at = 400 * DAY, LISTED({ 12, 1, 0 })), E_SIGNER_EXPIRED);
	assert_int_equal(world_check(w, 1), CHECK_REVOKED);
	assert_int_equal(world_cause(w, 0), CAUSE_REVOKED);
	assert_true((report(w, ca).alarms & ALARM_SIGNER) != 0);
	world_free(w);
}

static void
test_26_serial_of_another_issuer(void **state)
{
	struct world *w = world_new();
	uint32_t a = world_ca(w, "one", NOBODY, 1), b = world_ca(w, "two", NOBODY, 1);

	(void)state;
	world_cert(w, world_device(w), a, 11, NULL);
	world_cert(w, world_device(w), b, 11, NULL);
	world_start(w);
	CRL(a, .number = 1, LISTED({ 11, 1, 0 }));
	CRL(b, .number = 1);
	assert_int_equal(world_cause(w, 0), CAUSE_REVOKED);
	assert_int_equal(world_cause(w, 1), 0);
	assert_int_equal(world_check(w, 1), CHECK_CLEAN);
	world_free(w);
}

static void
test_36_indirect(void **state)
{
	struct world *w = world_new();
	uint32_t a = world_ca(w, "one", NOBODY, 1), b = world_ca(w, "two", NOBODY, 1),
		 other = world_ca(w, "issuer", NOBODY, 1);
	const struct world_crl c = { .signer = other + 1, .number = 1, .indirect = true,
		LISTED({ 11, 1, a + 1 }, { 12, 1, b + 1 }) };

	(void)state;
	world_delegate(w, a, other);
	world_cert(w, world_device(w), a, 11, NULL);
	world_cert(w, world_device(w), a, 12, NULL);
	world_cert(w, world_device(w), b, 12, NULL);
	world_start(w);
	assert_int_equal(crl(w, a, &c), E_NONE);
	assert_int_equal(world_cause(w, 0), CAUSE_REVOKED);
	assert_int_equal(world_cause(w, 1), 0);
	assert_int_equal(world_check(w, 1), CHECK_CLEAN);
	/* two did not let it sign */
	assert_int_equal(crl(w, b, &c), E_SIGNER);
	assert_int_equal(world_cause(w, 2), 0);
	world_free(w);
}

/* Somebody else's CRL that is not indirect is about his own certificates. */
static void
test_36_not_indirect(void **state)
{
	struct world *w = world_new();
	uint32_t a = world_ca(w, "one", NOBODY, 1), other = world_ca(w, "issuer", NOBODY, 1);

	(void)state;
	world_delegate(w, a, other);
	world_cert(w, world_device(w), a, 11, NULL);
	world_start(w);
	CRL(a, .signer = other + 1, .number = 1, LISTED({ 11, 1, 0 }));
	assert_int_equal(world_check(w, 0), CHECK_UNCHECKED);
	assert_int_equal(world_cause(w, 0), 0);
	assert_int_equal(series_coverage(world_last(w), &w->all->authorities[a]), 0);
	world_free(w);
}

/* A point with cRLIssuer means that one's CRLs; one without means the CA's own. */
static void
test_36_whose_point(void **state)
{
	static const char point[] = "http://ca.example/one.crl";
	struct world *w = world_new();
	uint32_t a = world_ca(w, "one", NOBODY, 1), other = world_ca(w, "issuer", NOBODY, 1);
	struct subject *s;

	(void)state;
	world_delegate(w, a, other);
	world_cert(w, world_device(w), a, 11, &(struct world_cert){ .point = point });
	world_cert(w, world_device(w), a, 12, &(struct world_cert){ .point = point });
	world_start(w);
	s = &w->all->authorities[a].subjects[0];
	s->points[0] ^= point_issuer_hash(w->cas[other].name.p, w->cas[other].name.n);
	CRL(a, .number = 1, .point = point);
	assert_int_equal(world_check(w, 0), CHECK_UNCHECKED);
	assert_int_equal(world_check(w, 1), CHECK_CLEAN);
	CRL(a, .signer = other + 1, .number = 1, .point = point, .indirect = true);
	assert_int_equal(world_check(w, 0), CHECK_CLEAN);
	w->series[0].full.valid = false;
	world_judge(w);
	assert_int_equal(world_check(w, 1), CHECK_UNCHECKED);
	world_free(w);
}

/* ---- what stays --------------------------------------------------------- */

static void
test_43_unrevoked(void **state)
{
	struct world *w = world_new();
	uint32_t ca = world_ca(w, "factory", NOBODY, 1);

	(void)state;
	world_cert(w, world_device(w), ca, 11, NULL);
	world_start(w);
	CRL(ca, .number = 1, LISTED({ 11, 1, 0 }));
	CRL(ca, .number = 2, .at = 1000);
	assert_int_equal(world_cause(w, 0), CAUSE_REVOKED);
	assert_int_equal(report(w, ca).unrevoked, 1);
	assert_true((report(w, ca).alarms & ALARM_UNREVOKED) != 0);
	/* nor may it pass by way of a hold */
	CRL(ca, .number = 3, .at = 2000, LISTED({ 11, 6, 0 }));
	assert_int_equal(world_reason(w, 0), 1);
	CRL(ca, .number = 4, .at = 3000);
	assert_int_equal(world_cause(w, 0), CAUSE_REVOKED);
	world_free(w);
}

static void
test_44_expired(void **state)
{
	struct world *w = world_new();
	uint32_t ca = world_ca(w, "factory", NOBODY, 1);

	(void)state;
	world_cert(w, world_device(w), ca, 11, &(struct world_cert){ .not_after = NOW + DAY });
	world_cert(w, world_device(w), ca, 12, &(struct world_cert){ .not_after = NOW + DAY });
	world_start(w);
	CRL(ca, .number = 1, LISTED({ 11, 6, 0 }));
	w->clock.wall_ms = NOW + DAY + 1000;
	CRL(ca, .number = 2, .at = DAY);
	assert_int_equal(world_check(w, 0), CHECK_EXPIRED);
	assert_int_equal(world_cause(w, 0), CAUSE_REVOKED);
	assert_int_equal(world_check(w, 1), CHECK_EXPIRED);
	assert_int_equal(world_cause(w, 1), 0);
	assert_int_equal(report(w, ca).unrevoked, 0);
	assert_int_equal(report(w, ca).expired, 2);
	world_free(w);
}

/* To have run out is no way past an administrator who wants a CRL in force. */
static void
test_44_57_expired_and_stale(void **state)
{
	struct world *w = world_new();
	uint32_t ca = world_ca(w, "factory", NOBODY, 1), dead = world_ca(w, "dead", NOBODY, 1);

	(void)state;
	world_cert(w, world_device(w), ca, 11, &(struct world_cert){ .not_after = NOW - DAY });
	/* an old one of a CA that is gone is no reason, beside a new one */
	world_cert(w, world_device(w), dead, 12, &(struct world_cert){ .not_after = NOW - DAY });
	world_cert(w, 1, ca, 13, NULL);
	world_start(w);
	w->all->authorities[ca].when_stale = w->all->authorities[dead].when_stale = WHEN_STALE_QUARANTINE;
	CRL(dead, .number = 1, .at = -30 * DAY, .lasts = DAY);
	CRL(ca, .number = 1, .at = -5 * DAY, .lasts = DAY);
	assert_int_equal(world_check(w, 0), CHECK_EXPIRED);
	assert_int_equal(world_cause(w, 0), CAUSE_STALE);
	CRL(ca, .number = 2);
	assert_int_equal(world_cause(w, 0), 0);
	assert_int_equal(world_cause(w, 1), 0);
	assert_int_equal(world_check(w, 1), CHECK_CLEAN);
	world_free(w);
}

/* ---- hierarchies -------------------------------------------------------- */

/* root -> sub -> line; devices of sub and of line. */
static struct world *
hierarchy(void)
{
	struct world *w = world_new();
	uint32_t root = world_ca(w, "root", NOBODY, 1), sub = world_ca(w, "sub", root, 2),
		 line = world_ca(w, "line", sub, 3);

	world_cert(w, world_device(w), sub, 11, NULL);
	world_cert(w, world_device(w), line, 11, NULL);
	world_serial(w, world_device(w), line, 12);
	world_cert(w, world_device(w), root, 13, NULL);
	return w;
}

static void
test_85_batch(void **state)
{
	static const int reasons[] = { -1, 2, 4, 5 };
	struct world *w;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		w = hierarchy();
		world_start(w);
		CRL(1, .number = 1, LISTED({ 99, 1, 0 }));
		CRL(2, .number = 1);
		CRL(0, .number = 1, LISTED({ 2, reasons[i], 0 }));
		assert_int_equal(world_cause(w, 0), CAUSE_REVOKED);
		assert_int_equal(world_cause(w, 1), CAUSE_REVOKED);
		assert_int_equal(world_cause(w, 2), CAUSE_REVOKED);
		assert_int_equal(world_cause(w, 3), 0);
		assert_int_equal(evidence(w, 1), EVIDENCE_ISSUER);
		assert_int_equal(w->last.n_tighten, 3);
		assert_int_equal(w->last.tighten[0].authority, 1);
		assert_int_equal(w->last.tighten[0].serial[0], 2);
		assert_int_equal(report(w, 0).batch, 3);
		assert_true((report(w, 0).alarms & ALARM_BATCH) != 0);
		assert_true((report(w, 2).alarms & ALARM_SIGNER) != 0);
		world_free(w);
	}
}

/* What a revoked CA signs still revokes, and clears nobody. */
static void
test_85_revoked_ca_clears_nobody(void **state)
{
	struct world *w = hierarchy();

	(void)state;
	world_serial(w, world_device(w), 1, 21);
	world_serial(w, 3, 1, 22);	/* a second certificate of the root's device */
	world_start(w);
	CRL(1, .number = 1, LISTED({ 21, 6, 0 }));
	assert_int_equal(world_cause(w, 4), CAUSE_REVOKED);
	CRL(0, .number = 1, LISTED({ 2, -1, 0 }));
	assert_int_equal(CRL(1, .number = 2, .at = 1000, LISTED({ 11, 1, 0 })), E_SIGNER_REVOKED);
	assert_int_equal(world_reason(w, 0), 1);
	assert_int_equal(world_cause(w, 4), CAUSE_REVOKED);
	assert_true(trust_signer(w->trust, 1, 0, &w->clock) == E_SIGNER_REVOKED);
	assert_true(trust_signer(w->trust, 2, 0, &w->clock) == E_SIGNER_REVOKED);
	assert_true(trust_signer(w->trust, 0, 0, &w->clock) == E_NONE);
	world_free(w);
}

/* A CA on hold holds its batch, and gives it back. */
static void
test_85_batch_on_hold(void **state)
{
	struct world *w = hierarchy();

	(void)state;
	world_start(w);
	CRL(1, .number = 1);
	CRL(2, .number = 1);
	CRL(0, .number = 1, .at = -HOUR, LISTED({ 2, 6, 0 }));
	assert_int_equal(world_check(w, 1), CHECK_HELD);
	assert_int_equal(world_cause(w, 0), CAUSE_REVOKED);
	/* a delta of the root takes it off */
	CRL(0, .number = 2, .base = 1, LISTED({ 2, 8, 0 }));
	assert_int_equal(world_cause(w, 0), 0);
	assert_int_equal(world_cause(w, 1), 0);
	assert_int_equal(world_cause(w, 2), 0);
	assert_int_equal(world_check(w, 1), CHECK_CLEAN);
	world_free(w);
}

static void
test_86_cross_signed(void **state)
{
	static const struct {
		int one, two;		/* reasons; -2: not listed */
		uint32_t cause;
		uint32_t reason;
	} rows[] = {
		{ 4, -2, 0, 99 },
		{ 5, -2, 0, 99 },
		{ -2, 4, 0, 99 },
		{ -1, -2, 0, 99 },		/* another path is left */
		{ 4, 4, CAUSE_REVOKED, 4 },
		{ 4, 6, CAUSE_REVOKED, 6 },	/* the path that is on hold may come back */
		{ 1, -2, CAUSE_REVOKED, 1 },	/* the key is gone, by whomever it was signed */
		{ -2, 2, CAUSE_REVOKED, 2 },
	};
	struct world *w;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t one, two, sub;

		w = world_new();
		one = world_ca(w, "one", NOBODY, 1);
		two = world_ca(w, "two", NOBODY, 1);
		sub = world_ca(w, "sub", one, 2);
		world_cross(w, sub, 0, two, 3);
		world_cert(w, world_device(w), sub, 11, NULL);
		world_serial(w, world_device(w), sub, 12);
		world_start(w);
		CRL(sub, .number = 1);
		if (rows[i].one != -2)
			CRL(one, .number = 1, LISTED({ 2, rows[i].one, 0 }));
		if (rows[i].two != -2)
			CRL(two, .number = 1, LISTED({ 3, rows[i].two, 0 }));
		assert_int_equal(world_cause(w, 0), rows[i].cause);
		assert_int_equal(world_cause(w, 1), rows[i].cause);
		if (rows[i].cause != 0)
			assert_int_equal(trust_verdicts(w->trust)[0].reason, rows[i].reason);
		/* who is left can clear */
		assert_int_equal(trust_signer(w->trust, sub, 0, &w->clock),
		    rows[i].cause != 0 ? E_SIGNER_REVOKED : E_NONE);
		world_free(w);
	}
}

/* Two that signed each other, and a third below: nothing hangs, nothing falls by itself. */
static void
test_86_circle(void **state)
{
	struct world *w = world_new();
	uint32_t root = world_ca(w, "root", NOBODY, 1), a = world_ca(w, "a", root, 2), b = world_ca(w, "b", a, 3);

	(void)state;
	/* both ways, and the root is not among the declared */
	world_cross(w, a, 0, b, 4);
	w->issuers[1].ca = NOBODY;
	w->issuers[0].ca = NOBODY;
	world_cert(w, world_device(w), a, 11, NULL);
	w->certs[0].certificate.issuer = 1;
	world_cert(w, world_device(w), b, 11, NULL);
	world_start(w);
	CRL(a, .number = 1);
	CRL(b, .number = 1);
	assert_int_equal(world_cause(w, 0) | world_cause(w, 1), 0);
	CRL(a, .number = 2, .at = 1000, LISTED({ 3, 1, 0 }));
	assert_int_equal(world_cause(w, 1), CAUSE_REVOKED);
	world_free(w);
}

static void
test_88_delegated_signer_revoked(void **state)
{
	struct world *w = world_new();
	uint32_t a = world_ca(w, "one", NOBODY, 1), other = world_ca(w, "issuer", a, 9);

	(void)state;
	world_delegate(w, a, other);
	world_cert(w, world_device(w), a, 11, NULL);
	world_cert(w, world_device(w), a, 12, NULL);
	world_start(w);
	assert_int_equal(CRL(a, .signer = other + 1, .number = 1, .indirect = true,
			     LISTED({ 11, 6, a + 1 })), E_NONE);
	assert_int_equal(world_check(w, 1), CHECK_CLEAN);
	/* its certificate stands on the CRL of who let it sign */
	CRL(a, .number = 1, .cas = true, LISTED({ 9, 3, 0 }));
	assert_int_equal(CRL(a, .signer = other + 1, .number = 2, .indirect = true, .at = 1000,
			     LISTED({ 12, 1, a + 1 })), E_SIGNER_REVOKED);
	assert_int_equal(world_cause(w, 0), CAUSE_REVOKED);
	assert_int_equal(world_cause(w, 1), CAUSE_REVOKED);
	world_free(w);
}

/* ---- renewals and copies ------------------------------------------------ */

static void
test_89_renewed(void **state)
{
	static const struct {
		struct world_entry listed[3];
		bool same_key, newer_expired;
		uint32_t cause;
	} rows[] = {
		{ { { 11, 4, 0 } }, false, false, 0 },
		{ { { 11, 5, 0 } }, false, false, 0 },
		{ { { 11, -1, 0 } }, false, false, CAUSE_REVOKED },
		{ { { 11, 6, 0 } }, false, false, CAUSE_REVOKED },
		{ { { 11, 3, 0 } }, false, false, CAUSE_REVOKED },
		{ { { 11, 1, 0 } }, false, false, CAUSE_REVOKED },
		{ { { 11, 4, 0 } }, true, false, 0 },
		{ { { 11, 1, 0 } }, true, false, CAUSE_REVOKED },
		{ { { 11, 4, 0 } }, false, true, CAUSE_REVOKED },
		{ { { 11, 4, 0 }, { 12, 4, 0 } }, false, false, CAUSE_REVOKED },
		{ { { 11, 4, 0 }, { 12, 1, 0 } }, false, false, CAUSE_REVOKED },
		{ { { 12, 4, 0 } }, false, false, CAUSE_REVOKED },	/* the newer one, not the older */
	};
	struct world *w;
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world_crl c = { .number = 1 };
		EVP_PKEY *key = make_key("P-256");
		uint32_t ca, device;

		w = world_new();
		ca = world_ca(w, "factory", NOBODY, 1);
		device = world_device(w);
		world_cert(w, device, ca, 11, &(struct world_cert){ .own = key });
		world_cert(w, device, ca, 12, &(struct world_cert){ .own = rows[i].same_key ? key : NULL,
			.not_after = rows[i].newer_expired ? NOW - DAY : 0 });
		world_start(w);
		for (j = 0; j < 3; j++)
			c.entries[j] = rows[i].listed[j];
		crl(w, ca, &c);
		assert_int_equal(world_cause(w, device), rows[i].cause);
		assert_int_equal(world_check(w, device), rows[i].cause == 0 ? CHECK_CLEAN :
		    rows[i].listed[0].reason == 6 ? CHECK_HELD : CHECK_REVOKED);
		EVP_PKEY_free(key);
		world_free(w);
	}
}

/* What is on hold is not excused by being superseded as well, on whatever CRL. */
static void
test_89_on_hold_as_well(void **state)
{
	struct world *w = world_new();
	uint32_t ca = world_ca(w, "factory", NOBODY, 1), device = world_device(w);

	(void)state;
	world_cert(w, device, ca, 11, NULL);
	world_cert(w, device, ca, 12, NULL);
	world_start(w);
	CRL(ca, .number = 1, .users = true, LISTED({ 11, 6, 0 }));
	assert_int_equal(world_cause(w, device), CAUSE_REVOKED);
	CRL(ca, .number = 1, LISTED({ 11, 4, 0 }));
	assert_int_equal(world_cause(w, device), CAUSE_REVOKED);
	assert_true(trust_verdicts(w->trust)[device].revoked);
	assert_int_equal(w->last.n_loosen, 0);
	world_free(w);
}

/* A key that is lost is lost wherever it stands: on another device, by another CA. */
static void
test_89_one_key(void **state)
{
	EVP_PKEY *key = make_key("P-256");
	struct world *w = world_new();
	uint32_t a = world_ca(w, "one", NOBODY, 1), b = world_ca(w, "two", NOBODY, 1);

	(void)state;
	world_cert(w, world_device(w), a, 11, &(struct world_cert){ .own = key });
	world_cert(w, world_device(w), b, 21, &(struct world_cert){ .own = key });
	world_cert(w, world_device(w), b, 22, NULL);
	world_start(w);
	CRL(b, .number = 1);
	CRL(a, .number = 1, LISTED({ 11, 4, 0 }));
	assert_int_equal(world_cause(w, 1), 0);
	CRL(a, .number = 2, .at = 1000, LISTED({ 11, 1, 0 }));
	assert_int_equal(world_cause(w, 1), CAUSE_REVOKED);
	assert_int_equal(evidence(w, 1), EVIDENCE_KEY);
	assert_int_equal(w->last.tighten[w->last.n_tighten - 1].authority, a + 1);
	assert_int_equal(world_cause(w, 2), 0);
	EVP_PKEY_free(key);
	world_free(w);
}

static void
test_91_known_and_back(void **state)
{
	struct world *w = world_new();
	uint32_t ca = world_ca(w, "factory", NOBODY, 1);

	(void)state;
	world_cert(w, world_device(w), ca, 11, NULL);
	world_start(w);
	/* cordond knows it as revoked; no CRL is at hand, and then one that does not list it */
	w->standings[w->n_standings++] = (struct pki_standing){ .device = 100, .cause = CAUSE_REVOKED,
		.authority = 1, .reason = 3 };
	world_judge(w);
	assert_int_equal(world_cause(w, 0), CAUSE_REVOKED);
	CRL(ca, .number = 1);
	assert_int_equal(world_cause(w, 0), CAUSE_REVOKED);
	assert_int_equal(w->last.n_tighten, 0);
	world_free(w);
}

static void
test_92_clones(void **state)
{
	struct world *w = world_new();
	uint32_t ca = world_ca(w, "factory", NOBODY, 1);

	(void)state;
	world_serial(w, world_device(w), ca, 11);
	world_serial(w, world_device(w), ca, 11);
	world_serial(w, world_device(w), ca, 12);
	world_serial(w, 2, ca, 12);		/* one device twice is no copy */
	world_start(w);
	CRL(ca, .number = 1, .at = -HOUR);
	assert_int_equal(report(w, ca).clones, 2);
	assert_true((report(w, ca).alarms & ALARM_CLONES) != 0);
	CRL(ca, .number = 2, LISTED({ 11, -1, 0 }));
	assert_int_equal(world_cause(w, 0), CAUSE_REVOKED);
	assert_int_equal(world_cause(w, 1), CAUSE_REVOKED);
	assert_int_equal(world_cause(w, 2), 0);
	world_free(w);
}

static void
test_94_unchecked(void **state)
{
	struct world *w = world_new();
	uint32_t ca = world_ca(w, "factory", NOBODY, 1);

	(void)state;
	world_sources(w, ca, 0);
	world_serial(w, world_device(w), ca, 11);
	world_device(w);
	world_start(w);
	world_judge(w);
	assert_int_equal(world_check(w, 0), CHECK_UNCHECKED);
	assert_int_equal(trust_verdicts(w->trust)[0].check, CHECK_UNCHECKED | CHECK_CHAIN_UNKNOWN);
	assert_int_equal(trust_verdicts(w->trust)[1].check, CHECK_NONE);
	assert_int_equal(report(w, ca).unchecked, 1);
	assert_true((report(w, ca).alarms & ALARM_UNCHECKED) != 0);
	assert_int_equal(world_cause(w, 0), 0);
	w->all->authorities[ca].when_unchecked = WHEN_STALE_RESTRICT;
	/* not before its sources had their chance */
	w->unsettled = true;
	world_judge(w);
	assert_int_equal(world_cause(w, 0), 0);
	w->settled[ca] = true;
	world_judge(w);
	assert_int_equal(world_cause(w, 0), CAUSE_LIMITED);
	CRL(ca, .number = 1);
	assert_int_equal(world_cause(w, 0), 0);
	world_free(w);
}

/* ---- responders --------------------------------------------------------- */

static struct world *
asked(void)
{
	struct world *w = world_new();
	uint32_t ca = world_ca(w, "factory", NOBODY, 1);

	world_cert(w, world_device(w), ca, 11, NULL);
	world_cert(w, world_device(w), ca, 12, NULL);
	world_start(w);
	w->all->authorities[ca].ocsp.devices = OCSP_ALL;
	return w;
}

static void
test_95_good_lifts_nothing(void **state)
{
	struct world *w = asked();

	(void)state;
	CRL(0, .number = 1, LISTED({ 11, 1, 0 }, { 12, 6, 0 }));
	world_said(w, 0, 0, SAID_GOOD, 0, NOW);
	world_said(w, 1, 0, SAID_GOOD, 0, NOW);
	world_judge(w);
	assert_int_equal(world_check(w, 0), CHECK_REVOKED);
	assert_int_equal(world_cause(w, 1), CAUSE_REVOKED);
	/* not even where no CRL is left */
	w->series[0].full.valid = false;
	world_judge(w);
	assert_int_equal(world_cause(w, 0), CAUSE_REVOKED);
	assert_int_equal(world_cause(w, 1), CAUSE_REVOKED);
	assert_int_equal(world_check(w, 1), CHECK_UNCHECKED);
	world_free(w);
}

static void
test_96_revoked_at_once(void **state)
{
	struct world *w = asked();

	(void)state;
	CRL(0, .number = 1);
	world_said(w, 0, 0, SAID_REVOKED, 1, NOW);
	world_judge(w);
	assert_int_equal(world_cause(w, 0), CAUSE_REVOKED);
	assert_int_equal(evidence(w, 0), EVIDENCE_OCSP);
	assert_int_equal(w->last.tighten[0].source, PKI_NO_SOURCE);
	assert_int_equal(world_cause(w, 1), 0);
	world_free(w);
}

static void
test_97_unknown(void **state)
{
	struct world *w = asked();

	(void)state;
	CRL(0, .number = 1);
	world_said(w, 0, 0, SAID_UNKNOWN, 0, NOW);
	world_judge(w);
	assert_int_equal(world_cause(w, 0), 0);
	assert_int_equal(report(w, 0).ocsp_unknown, 1);
	assert_true((report(w, 0).alarms & ALARM_OCSP_UNKNOWN) != 0);
	w->all->authorities[0].ocsp.unknown = WHEN_STALE_QUARANTINE;
	world_judge(w);
	assert_int_equal(world_cause(w, 0), CAUSE_STALE);
	assert_int_equal(world_cause(w, 1), 0);
	world_free(w);
}

static void
test_99_older_good(void **state)
{
	struct world *w = asked();

	(void)state;
	CRL(0, .number = 1);
	world_said(w, 0, 0, SAID_REVOKED, 6, NOW);
	world_said(w, 0, 0, SAID_GOOD, 0, NOW - 1000);
	world_said(w, 0, 0, SAID_GOOD, 0, NOW);
	world_judge(w);
	assert_int_equal(world_cause(w, 0), CAUSE_REVOKED);
	assert_int_equal(world_check(w, 0), CHECK_HELD);
	/* a newer one takes the responder's own word back; the CRL says that it is over */
	world_said(w, 0, 0, SAID_GOOD, 0, NOW + 1000);
	world_judge(w);
	assert_int_equal(world_cause(w, 0), 0);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_17_signer_expired),
		cmocka_unit_test(test_26_serial_of_another_issuer),
		cmocka_unit_test(test_36_indirect),
		cmocka_unit_test(test_36_not_indirect),
		cmocka_unit_test(test_36_whose_point),
		cmocka_unit_test(test_43_unrevoked),
		cmocka_unit_test(test_44_expired),
		cmocka_unit_test(test_44_57_expired_and_stale),
		cmocka_unit_test(test_85_batch),
		cmocka_unit_test(test_85_revoked_ca_clears_nobody),
		cmocka_unit_test(test_85_batch_on_hold),
		cmocka_unit_test(test_86_cross_signed),
		cmocka_unit_test(test_86_circle),
		cmocka_unit_test(test_88_delegated_signer_revoked),
		cmocka_unit_test(test_89_renewed),
		cmocka_unit_test(test_89_on_hold_as_well),
		cmocka_unit_test(test_89_one_key),
		cmocka_unit_test(test_91_known_and_back),
		cmocka_unit_test(test_92_clones),
		cmocka_unit_test(test_94_unchecked),
		cmocka_unit_test(test_95_good_lifts_nothing),
		cmocka_unit_test(test_96_revoked_at_once),
		cmocka_unit_test(test_97_unknown),
		cmocka_unit_test(test_99_older_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
