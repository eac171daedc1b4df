/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_standing.c -- what each word makes of a standing: evidence never gets weaker,
 * what was dismissed acts again only when it is another, and nothing but the few
 * words that may loosen does. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "enforce/standing.h"

static const uint8_t this_boot[BOOT_ID_LEN] = "this boot", other_boot[BOOT_ID_LEN] = "other boot";

static struct pki_revoke
revoked(uint32_t authority, uint8_t serial, uint32_t reason, int64_t at)
{
	return (struct pki_revoke){ .device = 7, .authority = authority, .cause = CAUSE_REVOKED, .reason = reason,
		.evidence = EVIDENCE_CERTIFICATE, .revoked_at = at, .serial_len = 1, .serial = { serial },
		.number_len = 1, .number = { 9 } };
}

static struct pki_revoke
other_cause(uint32_t cause)
{
	return (struct pki_revoke){ .device = 7, .authority = 1, .cause = cause, .source = PKI_NO_SOURCE };
}

static struct pki_clear
clear(uint32_t cause, uint32_t authority)
{
	return (struct pki_clear){ .device = 7, .authority = authority, .cause = cause };
}

/* Told, and taken. */
static enum found
told(struct standing *s, struct pki_revoke r)
{
	struct standing out;
	enum found f = standing_found(s, &r, &out);

	if (f != FOUND_NOTHING)
		*s = out;
	return f;
}

static void
test_first_finding_acts_and_says_why(void **state)
{
	struct standing s = { .number = 7 };

	(void)state;
	assert_int_equal(told(&s, revoked(1, 0x4f, 1, 1000)), FOUND_ACTS);
	assert_int_equal(s.number, 7);
	assert_int_equal(s.cause, CAUSE_REVOKED);
	assert_true(standing_quarantines(&s));
	assert_int_equal(s.by.authority, 1);
	assert_int_equal(s.by.reason, 1);
	assert_int_equal(s.by.serial[0], 0x4f);
	assert_int_equal(s.kind, EVIDENCE_CERTIFICATE);
	assert_int_equal(s.crl_number[0], 9);
	assert_int_equal(told(&s, revoked(1, 0x4f, 1, 1000)), FOUND_NOTHING);
	assert_int_equal(told(&s, other_cause(CAUSE_LIMITED)), FOUND_ACTS);
	assert_int_equal(told(&s, other_cause(CAUSE_LIMITED)), FOUND_NOTHING);
	assert_int_equal(s.cause, CAUSE_REVOKED | CAUSE_LIMITED);
}

/* RFC 5280 5.3.1: hold, then keyCompromise; never the other way. */
static void
test_evidence_never_gets_weaker(void **state)
{
	struct standing s = { .number = 7 }, out;
	struct pki_clear c = clear(CAUSE_REVOKED, 1);

	(void)state;
	told(&s, revoked(1, 0x4f, REASON_HOLD, 1000));
	assert_int_equal(told(&s, revoked(1, 0x4f, 1, 2000)), FOUND_MORE);
	assert_int_equal(s.by.reason, 1);
	assert_int_equal(s.by.revoked_at, 2000);
	assert_int_equal(told(&s, revoked(1, 0x4f, REASON_HOLD, 3000)), FOUND_NOTHING);
	assert_int_equal(s.by.reason, 1);
	assert_false(standing_cleared(&s, &c, false, &out));
	/* a hold of another certificate is noted, and the gravest stays on top */
	assert_int_equal(told(&s, revoked(2, 0x50, REASON_HOLD, 3000)), FOUND_MORE);
	assert_int_equal(s.by.reason, 1);
	assert_int_equal(s.n_seen, 2);
	assert_int_equal(told(&s, revoked(1, 0x4f, 4, 3000)), FOUND_NOTHING);
	assert_int_equal(s.by.reason, 1);
}

static void
test_a_hold_ends_and_nothing_else(void **state)
{
	static const uint32_t final[] = { 0, 1, 2, 3, 4, 5, 8, 9, 10 };
	struct pki_clear ours = clear(CAUSE_REVOKED, 1), theirs = clear(CAUSE_REVOKED, 2), none = clear(CAUSE_REVOKED, 0);
	struct standing s, out;

	(void)state;
	s = (struct standing){ .number = 7 };
	told(&s, revoked(1, 0x4f, REASON_HOLD, 1000));
	assert_false(standing_cleared(&s, &theirs, false, &out));
	assert_false(standing_cleared(&s, &none, false, &out));
	assert_false(standing_cleared(&s, &ours, true, &out));	/* its authority wants an operator for that */
	assert_true(standing_cleared(&s, &ours, false, &out));
	assert_false(standing_says(&out));
	assert_int_equal(out.n_seen, 0);
	for (size_t i = 0; i < sizeof(final) / sizeof(final[0]); i++) {
		s = (struct standing){ .number = 7 };
		told(&s, revoked(1, 0x4f, final[i], 1000));
		assert_false(standing_cleared(&s, &ours, false, &out));
	}
	/* of two certificates one is on hold, the other revoked by a reason as light that does not end */
	s = (struct standing){ .number = 7 };
	told(&s, revoked(1, 0x4f, REASON_HOLD, 1000));
	told(&s, revoked(1, 0x50, 8, 1000));
	assert_int_equal(s.by.reason, REASON_HOLD);
	assert_false(standing_cleared(&s, &ours, false, &out));
	/* two authorities hold it: one of them cannot let it go */
	s = (struct standing){ .number = 7 };
	told(&s, revoked(1, 0x4f, REASON_HOLD, 1000));
	told(&s, revoked(2, 0x50, REASON_HOLD, 1000));
	assert_false(standing_cleared(&s, &ours, false, &out));
	/* whatever its standing, an operator's word and a newcomer's are no CRL's to end */
	s = (struct standing){ .number = 7, .cause = CAUSE_ALL };
	ours.cause = CAUSE_OPERATOR;
	assert_false(standing_cleared(&s, &ours, false, &out));
	ours.cause = CAUSE_NEW;
	assert_false(standing_cleared(&s, &ours, false, &out));
}

static void
test_staleness_ends(void **state)
{
	struct pki_clear stale = clear(CAUSE_STALE, 0), limited = clear(CAUSE_LIMITED, 0);
	struct standing s = { .number = 7 }, out;

	(void)state;
	told(&s, other_cause(CAUSE_STALE));
	told(&s, revoked(1, 0x4f, 1, 1000));
	assert_false(standing_cleared(&s, &limited, false, &out));
	assert_true(standing_cleared(&s, &stale, true, &out));
	assert_int_equal(out.cause, CAUSE_REVOKED);
	assert_int_equal(out.by.reason, 1);
}

/* What waits behind the brake waits: the same again adds nothing, another is judged anew. */
static void
test_pending(void **state)
{
	struct pki_clear c = clear(CAUSE_REVOKED, 1);
	struct standing s = { .number = 7 }, out;

	(void)state;
	told(&s, revoked(1, 0x4f, REASON_HOLD, 1000));
	standing_wait(&s, CAUSE_REVOKED);
	assert_int_equal(s.cause, 0);
	assert_int_equal(s.pending, CAUSE_REVOKED);
	assert_false(standing_quarantines(&s));
	assert_true(standing_says(&s));
	assert_int_equal(told(&s, revoked(1, 0x4f, REASON_HOLD, 1000)), FOUND_NOTHING);
	assert_true(standing_cleared(&s, &c, false, &out));
	assert_false(standing_says(&out));
	assert_int_equal(told(&s, revoked(1, 0x4f, 1, 1000)), FOUND_ACTS);
	assert_int_equal(s.cause, CAUSE_REVOKED);
	assert_int_equal(s.pending, 0);
	standing_wait(&s, CAUSE_REVOKED);
	assert_true(standing_confirmed(&s, &out));
	assert_int_equal(out.cause, CAUSE_REVOKED);
	assert_int_equal(out.pending, 0);
	assert_int_equal(out.by.reason, 1);
	assert_false(standing_confirmed(&out, &s));
}

/* Two CRLs that each say their own, over and over, are no way around a person's word. */
static void
test_two_in_turn_do_not_wear_it_down(void **state)
{
	struct standing s = { .number = 7 }, out;

	(void)state;
	told(&s, revoked(1, 0x4f, 4, 1000));
	told(&s, revoked(2, 0x50, 4, 2000));
	standing_wait(&s, CAUSE_REVOKED);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(told(&s, revoked(1, 0x4f, 4, 1000)), FOUND_NOTHING);
		assert_int_equal(told(&s, revoked(2, 0x50, 4, 2000)), FOUND_NOTHING);
	}
	assert_true(standing_dismissed(&s, &out));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(told(&out, revoked(1, 0x4f, 4, 1000)), FOUND_NOTHING);
		assert_int_equal(told(&out, revoked(2, 0x50, 4, 2000)), FOUND_NOTHING);
	}
}

static void
dismissed_then(struct pki_revoke again, enum found want)
{
	struct standing s = { .number = 7 }, out;

	told(&s, revoked(1, 0x4f, 4, 1000));
	standing_wait(&s, CAUSE_REVOKED);
	assert_true(standing_dismissed(&s, &out));
	assert_int_equal(out.cause | out.pending, 0);
	assert_int_equal(told(&out, again), want);
	assert_int_equal(out.cause, want == FOUND_ACTS ? CAUSE_REVOKED : 0);
}

static void
test_dismissed_until_it_changes(void **state)
{
	(void)state;
	dismissed_then(revoked(1, 0x4f, 4, 1000), FOUND_NOTHING);
	dismissed_then(revoked(1, 0x4f, 1, 1000), FOUND_ACTS);		/* another reason, */
	dismissed_then(revoked(1, 0x4f, 4, 1001), FOUND_ACTS);		/* another date, */
	dismissed_then(revoked(1, 0x50, 4, 1000), FOUND_ACTS);		/* another certificate, */
	dismissed_then(revoked(2, 0x4f, 4, 1000), FOUND_ACTS);		/* another authority */
}

/* An operator's word over a revocation in force is the same as to dismiss it. */
static void
test_override(void **state)
{
	struct pki_clear stale = clear(CAUSE_STALE, 0);
	struct standing s = { .number = 7 }, out, after;

	(void)state;
	told(&s, revoked(1, 0x4f, 1, 1000));
	told(&s, other_cause(CAUSE_STALE));
	assert_false(standing_lifted(&s, CAUSE_OPERATOR, &out));
	assert_true(standing_lifted(&s, CAUSE_REVOKED | CAUSE_STALE, &out));
	assert_int_equal(out.cause, 0);
	assert_int_equal(told(&out, revoked(1, 0x4f, 1, 1000)), FOUND_NOTHING);
	assert_int_equal(told(&out, other_cause(CAUSE_STALE)), FOUND_NOTHING);
	/* fresh in between: the next time it counts */
	assert_true(standing_cleared(&out, &stale, false, &after));
	assert_int_equal(told(&after, other_cause(CAUSE_STALE)), FOUND_ACTS);
	assert_int_equal(after.dismissed, CAUSE_REVOKED);
}

static void
test_more_findings_than_room(void **state)
{
	struct standing s = { .number = 7 };
	struct pki_clear c = clear(CAUSE_REVOKED, 1);
	struct standing out;

	(void)state;
	told(&s, revoked(1, 1, 1, 1));
	for (uint8_t i = 2; i < 12; i++)
		assert_int_equal(told(&s, revoked(1, i, 4, i)), FOUND_MORE);
	assert_int_equal(s.n_seen, EVIDENCE_SEEN);
	assert_int_equal(s.by.reason, 1);
	/* what was pushed out is not forgotten where it matters */
	for (uint8_t i = 20; i < 30; i++)
		told(&s, revoked(1, i, REASON_HOLD, i));
	assert_false(standing_cleared(&s, &c, false, &out));
}

/* ---- operators ---------------------------------------------------------- */

#define DAY INT64_C(86400000)
static const struct clock_view start = { .wall_ms = 1000 * DAY, .boot_ms = 5 * DAY };

static struct clock_view
later(int64_t wall, int64_t boot)
{
	return (struct clock_view){ .wall_ms = start.wall_ms + wall, .boot_ms = start.boot_ms + boot };
}

static struct standing
ordered(int64_t until)
{
	const struct operator_word w = { .way = WAY_DEVICE, .until = until, .who = { 1000, "anna" }, .words = "odd" };
	struct standing s = { .number = 7 }, out;

	assert_true(standing_ordered(&s, &w, this_boot, &start, &out));
	assert_false(standing_ordered(&out, &w, this_boot, &start, &s));	/* nothing new */
	assert_int_equal(out.cause, CAUSE_OPERATOR);
	assert_int_equal(out.who.uid, 1000);
	assert_string_equal(out.words, "odd");
	return out;
}

static int64_t
left(const struct standing *s, const uint8_t boot_id[BOOT_ID_LEN], struct clock_view now)
{
	return standing_left(s, boot_id, &now);
}

static void
test_until(void **state)
{
	struct standing s = ordered(start.wall_ms + DAY), for_ever = ordered(0);

	(void)state;
	assert_int_equal(left(&for_ever, this_boot, later(9000 * DAY, 9000 * DAY)), -1);
	assert_int_equal(left(&s, this_boot, start), DAY);
	assert_int_equal(left(&s, this_boot, later(DAY - 1, DAY - 1)), 1);
	assert_int_equal(left(&s, this_boot, later(DAY, DAY)), 0);
	/* a clock that jumps ahead ends nothing; one that jumps back keeps it */
	assert_int_equal(left(&s, this_boot, later(1000 * DAY, DAY / 2)), DAY / 2);
	assert_int_equal(left(&s, this_boot, later(1000 * DAY, DAY)), 0);
	assert_int_equal(left(&s, this_boot, later(-DAY, DAY)), 2 * DAY);
	s.cause = CAUSE_REVOKED;
	assert_int_equal(left(&s, this_boot, later(2 * DAY, 2 * DAY)), -1);
}

static void
test_until_at_another_boot(void **state)
{
	struct standing s = ordered(start.wall_ms + DAY), t;
	struct clock_view now = later(DAY / 2, -4 * DAY);

	(void)state;
	t = s;
	standing_anchor(&t, other_boot, &now);
	assert_int_equal(left(&t, other_boot, now), DAY / 2);
	now = later(1000 * DAY, -4 * DAY + 1);		/* ahead, after that */
	assert_int_equal(left(&t, other_boot, now), DAY / 2 - 1);
	t = s;						/* no clock at boot: what was given, once more */
	now = (struct clock_view){ .wall_ms = 0, .boot_ms = 1000 };
	standing_anchor(&t, other_boot, &now);
	now = later(2 * DAY, -5 * DAY + 1000 + DAY - 1);
	assert_int_equal(left(&t, other_boot, now), 1);
	now.boot_ms++;
	assert_int_equal(left(&t, other_boot, now), 0);
	t = s;						/* it ended while nobody was there */
	now = later(2 * DAY, -4 * DAY);
	standing_anchor(&t, other_boot, &now);
	assert_int_equal(left(&t, other_boot, now), 0);
}

static void
test_words_of_operators(void **state)
{
	struct operator_word w = { .way = WAY_DEVICE, .until = 0, .words = "for good" };
	struct standing s = ordered(start.wall_ms + DAY), out, more;

	(void)state;
	assert_true(standing_ordered(&s, &w, this_boot, &start, &out));		/* the newest counts */
	assert_int_equal(out.until, 0);
	assert_string_equal(out.words, "for good");
	w.way = WAY_SERIAL;
	assert_true(standing_ordered(&out, &w, this_boot, &start, &more));
	assert_int_equal(more.ways, WAYS);
	assert_true(standing_lifted(&more, CAUSE_OPERATOR, &out));
	assert_int_equal(out.ways, 0);
	assert_false(standing_says(&out));
	assert_int_equal(out.dismissed, 0);
}

/* A device and its certificate, or two of its certificates: the longer word holds. */
static void
test_no_other_word_shortens(void **state)
{
	struct operator_word w = { .way = WAY_SERIAL, .until = start.wall_ms + DAY, .words = "for a day" };
	struct standing s = ordered(0), t, out;

	(void)state;
	assert_true(standing_ordered(&s, &w, this_boot, &start, &out));
	assert_int_equal(left(&out, this_boot, later(2 * DAY, 2 * DAY)), -1);
	w.until = start.wall_ms + 3 * DAY;	/* one certificate, then another one */
	s = (struct standing){ .number = 7 };
	assert_true(standing_ordered(&s, &w, this_boot, &start, &t));
	w.until = start.wall_ms + DAY;
	assert_false(standing_ordered(&t, &w, this_boot, &start, &out));
	w.reason = 1;
	assert_true(standing_ordered(&t, &w, this_boot, &start, &out));
	assert_int_equal(left(&out, this_boot, later(DAY, DAY)), 2 * DAY);
	w.way = WAY_DEVICE;
	assert_true(standing_ordered(&t, &w, this_boot, &start, &out));
	assert_int_equal(left(&out, this_boot, later(DAY, DAY)), 2 * DAY);
	w.until = 0;
	assert_true(standing_ordered(&t, &w, this_boot, &start, &out));
	assert_int_equal(left(&out, this_boot, later(9 * DAY, 9 * DAY)), -1);
}

static void
test_join(void **state)
{
	struct standing empty = { .number = 3 }, s = { .number = 7, .pending = CAUSE_REVOKED }, more = { .number = 1 };

	(void)state;
	told(&more, revoked(1, 0x4f, 1, 1000));
	standing_join(&s, &more);
	assert_int_equal(s.number, 7);
	assert_int_equal(s.cause, CAUSE_REVOKED);
	assert_int_equal(s.pending, 0);
	assert_int_equal(s.by.reason, 1);
	standing_join(&empty, &s);
	assert_int_equal(empty.number, 3);
	assert_int_equal(empty.cause, CAUSE_REVOKED);
	more = ordered(start.wall_ms + DAY);
	standing_join(&s, &more);
	assert_int_equal(s.cause, CAUSE_REVOKED | CAUSE_OPERATOR);
	assert_string_equal(s.words, "odd");
	assert_int_equal(s.until, start.wall_ms + DAY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_finding_acts_and_says_why),
		cmocka_unit_test(test_evidence_never_gets_weaker),
		cmocka_unit_test(test_a_hold_ends_and_nothing_else),
		cmocka_unit_test(test_staleness_ends),
		cmocka_unit_test(test_pending),
		cmocka_unit_test(test_two_in_turn_do_not_wear_it_down),
		cmocka_unit_test(test_dismissed_until_it_changes),
		cmocka_unit_test(test_override),
		cmocka_unit_test(test_more_findings_than_room),
		cmocka_unit_test(test_until),
		cmocka_unit_test(test_until_at_another_boot),
		cmocka_unit_test(test_words_of_operators),
		cmocka_unit_test(test_no_other_word_shortens),
		cmocka_unit_test(test_join),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
