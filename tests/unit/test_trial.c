/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_trial.c -- a policy that waits for its confirmation, on disk: what a start
 * makes of every state that a crash, a bad sector or a reboot can leave; and the
 * history beside it. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/file.h"
#include "enforce/history.h"
#include "enforce/policy_store.h"
#include "enforce/records.h"
#include "enforce/trial.h"
#include "folder.h"
#include "sample.h"

#define NOW	1000000
#define SPAN_S	60

static struct folder f;
static const uint8_t this_boot[BOOT_ID_LEN] = { 1, 2, 3 }, other_boot[BOOT_ID_LEN] = { 1, 2, 4 };

static int
setup(void **state)
{
	(void)state;
	folder_make(&f);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	folder_remove(&f);
	return 0;
}

static void
save(uint64_t revision, const char *class_name, bool trial)
{
	struct policy *p = sample_new();
	struct loaded_policy l;
	const char *why;
	uint8_t *bytes;
	size_t len;
	int fd = memfile_new("test");

	sample_class(p, class_name);
	sample_image(p, NULL, &bytes, &len);
	policy_free(p);
	assert_int_equal(file_write_all(fd, bytes, len), 0);
	assert_int_equal(memfile_seal(fd), 0);
	assert_int_equal(loaded_policy_from_fd(fd, revision, &l, &why), 0);
	assert_int_equal(policy_store_save(f.fd, &l, trial), 0);
	loaded_policy_done(&l);
	close(fd);
	free(bytes);
}

static struct pending
waiting(uint64_t revision)
{
	struct pending p = { .revision = revision, .before = revision - 1, .since = 5, .until = 5 + SPAN_S * 1000,
		.until_boot = NOW + SPAN_S * 1000, .confirm_s = SPAN_S, .who = { 1000, "alice" } };

	memcpy(p.boot_id, this_boot, sizeof(p.boot_id));
	return p;
}

/* "good" runs for good, "tried" waits. */
static void
begin(void)
{
	struct pending p = waiting(2);

	save(1, "good", false);
	assert_int_equal(pending_write(f.fd, &p), 0);
	save(2, "tried", true);
}

static bool
exists(const char *name)
{
	struct stat st;

	return fstatat(f.fd, name, &st, 0) == 0;
}

static void
flip(const char *name, off_t at)
{
	int fd = openat(f.fd, name, O_RDWR);
	uint8_t b;

	assert_int_equal(pread(fd, &b, 1, at), 1);
	b ^= 0x40;
	assert_int_equal(pwrite(fd, &b, 1, at), 1);
	close(fd);
}

/* The policy that a start loads by itself has this class. */
static void
runs(uint64_t revision, const char *class_name)
{
	struct loaded_policy l;
	uint32_t passed_over;

	assert_int_equal(policy_store_load(f.fd, &l, &passed_over), 0);
	assert_int_equal(l.revision, revision);
	if (class_name == NULL)
		assert_int_equal(l.image.n[IMAGE_CLASSES], 1);
	else
		assert_non_null(image_class_named(&l.image, class_name));
	loaded_policy_done(&l);
}

static void
given_up(const uint8_t boot[BOOT_ID_LEN], int64_t at, enum history_why why)
{
	struct trial t;

	assert_int_equal(trial_at_start(f.fd, boot, at, &t), 0);
	assert_int_equal(t.state, TRIAL_REVERTED);
	assert_int_equal(t.why, why);
	assert_int_equal(t.given_up, 2);
	assert_int_equal(t.not_saved, 0);
	runs(3, "good");
}

/* ---- the file ----------------------------------------------------------- */

static void
test_pending_is_read_back(void **state)
{
	struct pending p = waiting(7), q;

	(void)state;
	assert_int_equal(pending_read(f.fd, &q), -ENOENT);
	assert_int_equal(pending_write(f.fd, &p), 0);
	assert_int_equal(pending_read(f.fd, &q), 0);
	assert_memory_equal(&p, &q, sizeof(p));
	assert_int_equal(pending_remove(f.fd), 0);
	assert_int_equal(pending_read(f.fd, &q), -ENOENT);
	assert_int_equal(pending_remove(f.fd), 0);
}

/* Cut at any length, longer by one, any octet another: it is not trusted. */
static void
test_pending_damaged(void **state)
{
	const off_t len = sizeof(struct pending) + RECORD_FRAME;
	struct pending p = waiting(7), q;
	int fd;

	(void)state;
	for (off_t at = 0; at < len; at++) {
		assert_int_equal(pending_write(f.fd, &p), 0);
		flip("policy.pending", at);
		assert_int_equal(pending_read(f.fd, &q), -EBADMSG);
		assert_int_equal(pending_write(f.fd, &p), 0);
		fd = openat(f.fd, "policy.pending", O_WRONLY);
		assert_int_equal(ftruncate(fd, at), 0);
		close(fd);
		assert_int_equal(pending_read(f.fd, &q), -EBADMSG);
	}
	assert_int_equal(pending_write(f.fd, &p), 0);
	fd = openat(f.fd, "policy.pending", O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
	assert_int_equal(pending_read(f.fd, &q), -EBADMSG);
}

static void
test_pending_nonsense(void **state)
{
	struct pending p = waiting(7), q;

	(void)state;
	p.confirm_s = LIMIT_CONFIRM_SECONDS;
	assert_int_equal(pending_write(f.fd, &p), 0);
	assert_int_equal(pending_read(f.fd, &q), 0);
	p.confirm_s = LIMIT_CONFIRM_SECONDS + 1;
	assert_int_equal(pending_write(f.fd, &p), 0);
	assert_int_equal(pending_read(f.fd, &q), -EBADMSG);
	p = waiting(7);
	p.before = 7;
	assert_int_equal(pending_write(f.fd, &p), 0);
	assert_int_equal(pending_read(f.fd, &q), -EBADMSG);
	p = waiting(7);
	memset(p.who.login, 'x', sizeof(p.who.login));
	assert_int_equal(pending_write(f.fd, &p), 0);
	assert_int_equal(pending_read(f.fd, &q), -EBADMSG);
}

static void
test_time_left(void **state)
{
	struct pending p = waiting(7);

	(void)state;
	assert_int_equal(pending_left(&p, this_boot, NOW), SPAN_S * 1000);
	assert_int_equal(pending_left(&p, this_boot, NOW + SPAN_S * 1000 - 1), 1);
	assert_int_equal(pending_left(&p, this_boot, NOW + SPAN_S * 1000), 0);
	assert_int_equal(pending_left(&p, this_boot, NOW + SPAN_S * 1000 + 1), 0);
	assert_int_equal(pending_left(&p, this_boot, INT64_MAX / 2), 0);
	/* time since boot cannot have gone back */
	assert_int_equal(pending_left(&p, this_boot, NOW - 1), 0);
	assert_int_equal(pending_left(&p, other_boot, NOW), 0);
	/* the wall clock has no say */
	p.since = p.until = 0;
	assert_int_equal(pending_left(&p, this_boot, NOW), SPAN_S * 1000);
}

static void
test_boot_id(void **state)
{
	static const struct {
		const char *text;
		int rc;
	} cases[] = {
		{ "01020304-0506-0708-090a-0b0c0d0e0fff\n", 0 }, { "0102030405060708090a0b0c0d0e0fff", 0 },
		{ "", -EBADMSG }, { "01020304-0506-0708-090a-0b0c0d0e0f\n", -EBADMSG },
		{ "01020304-0506-0708-090a-0b0c0d0e0fff0\n", -EBADMSG },
		{ "01020304-0506-0708-090a-0b0c0d0e0fgf\n", -EBADMSG },
	};
	uint8_t id[BOOT_ID_LEN], again[BOOT_ID_LEN];
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/boot_id", f.path);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		folder_put(&f, "boot_id", cases[i].text);
		assert_int_equal(clock_boot_id(path, id), cases[i].rc);
		if (cases[i].rc == 0)
			assert_memory_equal(id, "\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\377", BOOT_ID_LEN);
	}
	assert_int_equal(clock_boot_id("/nonexistent", id), -ENOENT);
	assert_int_equal(clock_boot_id(BOOT_ID_FILE, id), 0);
	assert_int_equal(clock_boot_id(BOOT_ID_FILE, again), 0);
	assert_memory_equal(id, again, BOOT_ID_LEN);
}

/* ---- a start ------------------------------------------------------------ */

static void
test_nothing_waits(void **state)
{
	struct trial t;

	(void)state;
	assert_int_equal(trial_at_start(f.fd, this_boot, NOW, &t), 0);
	assert_int_equal(t.state, TRIAL_NONE);
	save(1, "good", false);
	assert_int_equal(trial_at_start(f.fd, this_boot, NOW, &t), 0);
	assert_int_equal(t.state, TRIAL_NONE);
	runs(1, "good");
}

static void
test_time_is_left(void **state)
{
	struct trial t;

	(void)state;
	begin();
	assert_int_equal(trial_at_start(f.fd, this_boot, NOW + SPAN_S * 1000 - 1, &t), 0);
	assert_int_equal(t.state, TRIAL_WAITS);
	assert_int_equal(t.pending.revision, 2);
	assert_string_equal(t.pending.who.login, "alice");
	runs(1, "good");	/* by itself nobody loads the other */
}

static void
test_time_is_over(void **state)
{
	(void)state;
	begin();
	given_up(this_boot, NOW + SPAN_S * 1000, WHY_DEADLINE);
}

static void
test_the_power_went(void **state)
{
	(void)state;
	begin();
	given_up(other_boot, NOW, WHY_BOOT);
}

static void
test_the_note_is_damaged(void **state)
{
	(void)state;
	begin();
	flip("policy.pending", 20);
	given_up(this_boot, NOW, WHY_DAMAGED);
}

static void
test_the_note_is_lost(void **state)
{
	(void)state;
	begin();
	unlinkat(f.fd, "policy.pending", 0);
	given_up(this_boot, NOW, WHY_DAMAGED);
}

static void
test_the_note_is_of_another(void **state)
{
	struct pending p = waiting(9);

	(void)state;
	begin();
	assert_int_equal(pending_write(f.fd, &p), 0);
	given_up(this_boot, NOW, WHY_DAMAGED);
}

static void
test_the_policy_is_damaged(void **state)
{
	(void)state;
	begin();
	flip("policy-00000002.trial", 300);
	given_up(this_boot, NOW, WHY_DAMAGED);
}

/* The newest for good is damaged as well: the one before that. */
static void
test_the_one_before_is_damaged(void **state)
{
	struct pending p = waiting(3);
	struct trial t;

	(void)state;
	save(1, "good", false);
	save(2, "better", false);
	assert_int_equal(pending_write(f.fd, &p), 0);
	save(3, "tried", true);
	flip("policy-00000002.image", 300);
	assert_int_equal(trial_at_start(f.fd, other_boot, NOW, &t), 0);
	assert_int_equal(t.state, TRIAL_REVERTED);
	runs(4, "good");
}

static void
test_the_first_policy(void **state)
{
	struct pending p = waiting(1);
	struct trial t;

	(void)state;
	assert_int_equal(pending_write(f.fd, &p), 0);
	save(1, "tried", true);
	assert_int_equal(trial_at_start(f.fd, other_boot, NOW, &t), 0);
	assert_int_equal(t.state, TRIAL_REVERTED);
	runs(2, NULL);
}

/* The note was written, then the power went: the policy was never anywhere. */
static void
test_only_the_note(void **state)
{
	struct pending p = waiting(2);
	struct trial t;

	(void)state;
	save(1, "good", false);
	assert_int_equal(pending_write(f.fd, &p), 0);
	assert_int_equal(trial_at_start(f.fd, this_boot, NOW, &t), 0);
	assert_int_equal(t.state, TRIAL_NONE);
	runs(1, "good");
}

static void
test_kept_and_not_written_down(void **state)
{
	struct trial t;

	(void)state;
	begin();
	assert_int_equal(policy_store_keep(f.fd, 2), 0);
	assert_false(exists("policy-00000002.trial"));
	assert_int_equal(trial_at_start(f.fd, other_boot, NOW, &t), 0);
	assert_int_equal(t.state, TRIAL_CONFIRMED);
	runs(2, "tried");
	assert_int_equal(policy_store_keep(f.fd, 2), -ENOENT);
}

static void
test_left_and_not_written_down(void **state)
{
	struct trial t;

	(void)state;
	begin();
	save(3, "good", false);
	assert_int_equal(trial_at_start(f.fd, this_boot, NOW, &t), 0);
	assert_int_equal(t.state, TRIAL_REVERTED);
	assert_int_equal(t.given_up, 2);
	runs(3, "good");
}

/* Going back twice is going back once. */
static void
test_start_after_start(void **state)
{
	struct trial t;

	(void)state;
	begin();
	given_up(other_boot, NOW, WHY_BOOT);
	assert_int_equal(trial_at_start(f.fd, other_boot, NOW, &t), 0);
	assert_int_equal(t.state, TRIAL_REVERTED);	/* the note still stands, until it is written down */
	assert_int_equal(pending_remove(f.fd), 0);
	assert_int_equal(trial_at_start(f.fd, other_boot, NOW, &t), 0);
	assert_int_equal(t.state, TRIAL_NONE);
	runs(3, "good");
}

/* ---- the store ---------------------------------------------------------- */

static void
test_numbers_stay_given_out(void **state)
{
	struct policy *small = sample_new(), *full = sample_full();
	struct loaded_policy stored, again;
	struct image now, next;
	uint8_t *bytes, *more;
	size_t len;

	(void)state;
	sample_class(small, "one");
	save(1, "one", false);
	now = sample_image(full, NULL, &bytes, &len);
	assert_int_equal(policy_store_read(f.fd, 1, &stored), 0);
	assert_true(stored.image.header->next_device < now.header->next_device);
	assert_int_equal(policy_store_again(&stored, &now, 5, &again), 0);
	assert_int_equal(again.revision, 5);
	assert_int_equal(again.image.header->next_device, now.header->next_device);
	assert_int_equal(again.image.header->next_class, now.header->next_class);
	assert_int_equal(again.image.header->next_authority, now.header->next_authority);
	/* A newcomer gets a number that nobody had under either. */
	next = sample_image(full, &again.image, &more, &len);
	for (uint32_t i = 0; i < next.n[IMAGE_DEVICES]; i++)
		assert_null(image_device(&now, next.devices[i].number));
	loaded_policy_done(&stored);
	loaded_policy_done(&again);
	policy_free(small);
	policy_free(full);
	free(bytes);
	free(more);
}

static void
test_the_one_before(void **state)
{
	struct loaded_policy l, again;

	(void)state;
	save(1, "one", false);
	save(2, "two", false);
	save(3, "tried", true);
	assert_int_equal(policy_store_read(f.fd, 2, &l), 0);	/* 3 was left */
	assert_int_equal(policy_store_again(&l, &l.image, 4, &again), 0);
	assert_int_equal(policy_store_save(f.fd, &again, false), 0);
	loaded_policy_done(&again);
	loaded_policy_done(&l);
	assert_int_equal(policy_store_read(f.fd, 4, &l), 0);
	assert_int_equal(policy_store_before(f.fd, &l), 1);	/* 2 is the same, 3 was never for good */
	loaded_policy_done(&l);
	assert_int_equal(policy_store_read(f.fd, 1, &l), 0);
	assert_int_equal(policy_store_before(f.fd, &l), 0);
	loaded_policy_done(&l);
	assert_int_equal(policy_store_read(f.fd, 3, &l), 0);
	loaded_policy_done(&l);
	assert_int_equal(policy_store_read(f.fd, 5, &l), -ENOENT);
	assert_int_equal(policy_store_read(f.fd, 0, &l), 0);
	assert_int_equal(l.revision, 0);
	loaded_policy_done(&l);
}

/* So many are kept, and the newest for good whatever comes after it. */
static void
test_old_ones_go(void **state)
{
	char name[40];

	(void)state;
	for (uint64_t r = 1; r <= LIMIT_REVISIONS; r++)
		save(r, "some", false);
	assert_true(exists("policy-00000001.image"));
	save(LIMIT_REVISIONS + 1, "some", false);
	assert_false(exists("policy-00000001.image"));
	assert_true(exists("policy-00000002.image"));
	for (uint64_t r = 1; r <= LIMIT_REVISIONS + 2; r++)
		save(LIMIT_REVISIONS + 1 + r, "tried", true);
	snprintf(name, sizeof(name), "policy-%08u.image", LIMIT_REVISIONS + 1);
	assert_true(exists(name));
	runs(LIMIT_REVISIONS + 1, "some");
}

/* ---- the history -------------------------------------------------------- */

static void
note(uint64_t revision)
{
	struct history_entry h = { .revision = revision, .at = 5, .what = HISTORY_APPLIED, .who = { 0, "bob" } };

	assert_int_equal(history_append(f.fd, &h), 0);
}

static void
test_history_is_kept(void **state)
{
	struct history_entry *all;
	uint32_t damaged;
	size_t n;

	(void)state;
	assert_int_equal(history_load(f.fd, &all, &n, &damaged), 0);
	assert_int_equal(n, 0);
	free(all);
	note(1);
	note(2);
	note(3);
	flip("policy.history", (off_t)(sizeof(struct history_entry) + RECORD_FRAME) + 9);
	assert_int_equal(history_load(f.fd, &all, &n, &damaged), 0);
	assert_int_equal(n, 2);
	assert_int_equal(damaged, 1);
	assert_int_equal(all[0].revision, 1);
	assert_int_equal(all[1].revision, 3);
	assert_string_equal(all[1].who.login, "bob");
	free(all);
}

static void
test_history_is_bounded(void **state)
{
	const off_t one = sizeof(struct history_entry) + RECORD_FRAME;
	struct history_entry *all;
	struct stat st;
	uint32_t damaged;
	size_t n;

	(void)state;
	for (uint64_t r = 1; r <= 2 * LIMIT_HISTORY; r++)
		note(r);
	assert_int_equal(fstatat(f.fd, "policy.history", &st, 0), 0);
	assert_int_equal(st.st_size, 2 * LIMIT_HISTORY * one);
	note(2 * LIMIT_HISTORY + 1);
	assert_int_equal(fstatat(f.fd, "policy.history", &st, 0), 0);
	assert_int_equal(st.st_size, (LIMIT_HISTORY + 1) * one);
	assert_int_equal(history_load(f.fd, &all, &n, &damaged), 0);
	assert_int_equal(n, LIMIT_HISTORY);
	assert_int_equal(all[n - 1].revision, 2 * LIMIT_HISTORY + 1);
	assert_int_equal(all[0].revision, LIMIT_HISTORY + 2);
	free(all);
}

int
main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_pending_is_read_back), T(test_pending_damaged), T(test_pending_nonsense), T(test_time_left),
		T(test_boot_id), T(test_nothing_waits), T(test_time_is_left), T(test_time_is_over),
		T(test_the_power_went), T(test_the_note_is_damaged), T(test_the_note_is_lost),
		T(test_the_note_is_of_another), T(test_the_policy_is_damaged), T(test_the_one_before_is_damaged),
		T(test_the_first_policy), T(test_only_the_note), T(test_kept_and_not_written_down),
		T(test_left_and_not_written_down), T(test_start_after_start), T(test_numbers_stay_given_out),
		T(test_the_one_before), T(test_old_ones_go), T(test_history_is_kept), T(test_history_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
