/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_stores.c -- the quarantine journal and the policy images on disk, with
 * what a crash or a bad sector leaves behind. */
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

#include "common/digest.h"
#include "common/file.h"
#include "enforce/journal.h"
#include "enforce/policy_store.h"
#include "proto/messages.h"
#include "sample.h"

static char folder[64];
static int dirfd;

static int
setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/cordon-stores-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	dirfd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dirfd == -1 ? -1 : 0;
}

static int
teardown(void **state)
{
	static const char *const names[] = { "stations.journal", "policy-00000001.image",
		"policy-00000002.image" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlinkat(dirfd, names[i], 0);
	close(dirfd);
	return rmdir(folder);
}

static struct standing
standing(uint32_t number, uint32_t cause)
{
	struct standing s = { .number = number, .cause = cause, .since = 5, .who.uid = CTL_NOBODY, .words = "why" };

	return s;
}

static void
test_last_record_counts(void **state)
{
	struct standing s[] = { standing(9, CAUSE_OPERATOR), standing(2, CAUSE_REVOKED),
		standing(9, CAUSE_OPERATOR | CAUSE_REVOKED), standing(2, 0), standing(4, CAUSE_REVOKED) };
	struct standing *out;
	uint32_t damaged;
	size_t n;

	(void)state;
	assert_int_equal(journal_load(dirfd, &out, &n, &damaged), 0);
	assert_int_equal(n, 0);
	free(out);
	assert_int_equal(journal_append(dirfd, s, 2), 0);
	assert_int_equal(journal_append(dirfd, s + 2, 3), 0);
	assert_int_equal(journal_load(dirfd, &out, &n, &damaged), 0);
	assert_int_equal(n, 2);
	assert_int_equal(damaged, 0);
	assert_int_equal(out[0].number, 4);
	assert_int_equal(out[1].number, 9);
	assert_int_equal(out[1].cause, CAUSE_OPERATOR | CAUSE_REVOKED);
	assert_string_equal(out[1].words, "why");
	free(out);
}

/* As the version before wrote it. */
struct record_1 {
	uint32_t magic, zero;
	uint32_t number, cause, authority, crl_reason;
	int64_t revoked_at, since;
	char words[200];
	uint8_t check[8];
};

static void
append_1(uint32_t number, uint32_t cause)
{
	struct record_1 r = { .magic = 0x314a5143U, .number = number, .cause = cause, .authority = 3, .crl_reason = 1,
		.revoked_at = 77, .since = 5, .words = "why" };
	int fd = openat(dirfd, "stations.journal", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	uint8_t digest[DIGEST_LEN];

	digest_of(&r, offsetof(struct record_1, check), digest);
	memcpy(r.check, digest, sizeof(r.check));
	assert_int_equal(file_write_all(fd, &r, sizeof(r)), 0);
	close(fd);
}

/* No quarantine is lost with a new version, whatever stands behind it by then. */
static void
test_journal_of_the_version_before(void **state)
{
	struct standing more[] = { standing(2, 0), standing(8, CAUSE_NEW) };
	struct standing *out;
	uint32_t damaged;
	size_t n;

	(void)state;
	append_1(9, CAUSE_OPERATOR);
	append_1(2, CAUSE_REVOKED);
	append_1(4, CAUSE_OPERATOR | CAUSE_REVOKED);
	append_1(9, 0);
	append_1(9, CAUSE_OPERATOR);
	append_1(5, CAUSE_REVOKED);
	append_1(5, 0);
	assert_int_equal(journal_load(dirfd, &out, &n, &damaged), 0);
	assert_int_equal(damaged, 0);
	assert_int_equal(n, 3);
	assert_int_equal(out[0].number, 2);
	assert_int_equal(out[0].cause, CAUSE_REVOKED);
	assert_int_equal(out[0].by.authority, 3);
	assert_int_equal(out[0].by.reason, 1);
	assert_int_equal(out[0].by.revoked_at, 77);
	assert_int_equal(out[1].number, 4);
	assert_int_equal(out[1].cause, CAUSE_OPERATOR | CAUSE_REVOKED);
	assert_int_equal(out[2].number, 9);
	assert_int_equal(out[2].ways, WAY_DEVICE);
	assert_string_equal(out[2].words, "why");
	free(out);
	assert_int_equal(journal_append(dirfd, more, 2), 0);
	assert_int_equal(journal_load(dirfd, &out, &n, &damaged), 0);
	assert_int_equal(damaged, 0);
	assert_int_equal(n, 3);
	assert_int_equal(out[0].number, 4);
	assert_int_equal(out[1].number, 8);
	assert_int_equal(out[2].number, 9);
	assert_int_equal(journal_rewrite(dirfd, out, n), 0);
	free(out);
	assert_int_equal(journal_load(dirfd, &out, &n, &damaged), 0);
	assert_int_equal(n, 3);
	free(out);
}

/* What waits and what was dismissed is kept as what is in force. */
static void
test_journal_keeps_what_waits(void **state)
{
	struct standing s[] = { standing(1, 0), standing(2, 0), standing(3, 0) };
	struct standing *out;
	uint32_t damaged;
	size_t n;

	(void)state;
	s[0].pending = CAUSE_REVOKED;
	s[1].dismissed = CAUSE_REVOKED;
	s[1].n_seen = 1;
	s[1].seen[0].serial_len = 20;
	assert_int_equal(journal_append(dirfd, s, 3), 0);
	assert_int_equal(journal_load(dirfd, &out, &n, &damaged), 0);
	assert_int_equal(n, 2);
	assert_int_equal(out[0].pending, CAUSE_REVOKED);
	assert_int_equal(out[1].dismissed, CAUSE_REVOKED);
	assert_int_equal(out[1].seen[0].serial_len, 20);
	free(out);
}

/* Cut at any byte: what was whole before counts, nothing else appears. */
static void
test_torn_tail(void **state)
{
	struct standing s[] = { standing(1, CAUSE_REVOKED), standing(2, CAUSE_REVOKED) };
	struct standing *out;
	struct stat st;
	uint32_t damaged;
	size_t n;

	(void)state;
	assert_int_equal(journal_append(dirfd, s, 2), 0);
	assert_int_equal(fstatat(dirfd, "stations.journal", &st, 0), 0);
	for (off_t cut = st.st_size - 1; cut >= st.st_size / 2; cut -= 7) {
		int fd = openat(dirfd, "stations.journal", O_WRONLY);

		assert_int_equal(ftruncate(fd, cut), 0);
		close(fd);
		assert_int_equal(journal_load(dirfd, &out, &n, &damaged), 0);
		assert_int_equal(n, 1);
		assert_int_equal(out[0].number, 1);
		free(out);
	}
}

/* A damaged record in the middle is no release of anybody else. */
static void
test_damaged_record(void **state)
{
	struct standing s[] = { standing(1, CAUSE_REVOKED), standing(2, CAUSE_REVOKED),
		standing(3, CAUSE_REVOKED) };
	struct standing *out;
	struct stat st;
	uint32_t damaged;
	size_t n;
	int fd;

	(void)state;
	assert_int_equal(journal_rewrite(dirfd, s, 3), 0);
	assert_int_equal(fstatat(dirfd, "stations.journal", &st, 0), 0);
	fd = openat(dirfd, "stations.journal", O_WRONLY);
	assert_int_equal(pwrite(fd, "\xff", 1, st.st_size / 3 + 20), 1);
	close(fd);
	assert_int_equal(journal_load(dirfd, &out, &n, &damaged), 0);
	assert_int_equal(n, 2);
	assert_int_equal(damaged, 1);
	assert_int_equal(out[0].number, 1);
	assert_int_equal(out[1].number, 3);
	free(out);
}

/* A full disk took a part of a record; what was written behind it counts. */
static void
test_part_in_the_middle(void **state)
{
	struct standing s[] = { standing(1, CAUSE_REVOKED), standing(2, CAUSE_REVOKED),
		standing(3, CAUSE_REVOKED) };
	struct standing *out;
	struct stat st;
	uint32_t damaged;
	size_t n;
	int fd;

	(void)state;
	for (off_t part = 1; part < 40; part += 13) {
		assert_int_equal(journal_rewrite(dirfd, s, 2), 0);
		assert_int_equal(fstatat(dirfd, "stations.journal", &st, 0), 0);
		fd = openat(dirfd, "stations.journal", O_WRONLY);
		assert_int_equal(ftruncate(fd, st.st_size / 2 + part), 0);
		close(fd);
		assert_int_equal(journal_append(dirfd, s + 2, 1), 0);
		assert_int_equal(journal_load(dirfd, &out, &n, &damaged), 0);
		assert_int_equal(n, 2);
		assert_int_equal(damaged, 1);
		assert_int_equal(out[0].number, 1);
		assert_int_equal(out[1].number, 3);
		free(out);
	}
}

static void
save(uint64_t revision, const char *class_name)
{
	struct policy *p = sample_new();
	struct loaded_policy l;
	const char *why;
	uint8_t *bytes;
	size_t len;
	int fd;

	sample_class(p, class_name);
	sample_image(p, NULL, &bytes, &len);
	policy_free(p);
	fd = memfile_new("test");
	assert_int_equal(file_write_all(fd, bytes, len), 0);
	assert_int_equal(loaded_policy_from_fd(fd, revision, &l, &why), -EPERM);	/* not sealed */
	assert_int_equal(memfile_seal(fd), 0);
	assert_int_equal(loaded_policy_from_fd(fd, revision, &l, &why), 0);
	assert_int_equal(policy_store_save(dirfd, &l, false), 0);
	loaded_policy_done(&l);
	close(fd);
	free(bytes);
}

static void
test_newest_sound_image(void **state)
{
	struct loaded_policy l;
	uint32_t passed_over;
	int fd;

	(void)state;
	assert_int_equal(policy_store_load(dirfd, &l, &passed_over), 0);
	assert_int_equal(l.revision, 0);
	assert_int_equal(l.image.n[IMAGE_INTERFACES], 0);
	loaded_policy_done(&l);
	save(1, "first");
	save(2, "second");
	assert_int_equal(policy_store_load(dirfd, &l, &passed_over), 0);
	assert_int_equal(l.revision, 2);
	assert_non_null(image_class_named(&l.image, "second"));
	loaded_policy_done(&l);
	/* A bad sector in the newest: the one before. */
	fd = openat(dirfd, "policy-00000002.image", O_WRONLY);
	assert_int_equal(pwrite(fd, "\xff\xfe\xfd", 3, 700), 3);
	close(fd);
	assert_int_equal(policy_store_load(dirfd, &l, &passed_over), 0);
	assert_int_equal(l.revision, 1);
	assert_int_equal(passed_over, 1);
	assert_non_null(image_class_named(&l.image, "first"));
	loaded_policy_done(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_last_record_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_journal_of_the_version_before, setup, teardown),
		cmocka_unit_test_setup_teardown(test_journal_keeps_what_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_torn_tail, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged_record, setup, teardown),
		cmocka_unit_test_setup_teardown(test_part_in_the_middle, setup, teardown),
		cmocka_unit_test_setup_teardown(test_newest_sound_image, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
