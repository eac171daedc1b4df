/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_staged_kernel.c -- staging against a real kernel, in a network namespace of
 * its own: what a start makes of it after a crash at each place. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/file.h"
#include "enforce/nft_read.h"
#include "enforce/restore.h"
#include "enforce/staged.h"
#include "folder.h"
#include "sample.h"

static struct folder f;
static struct enforcer e;
static struct start_report report;
static int owner_fd;

static const struct ctl_who who = { .uid = 0, .login = "alice" };

static int
start(void)
{
	return enforcer_start(&e, owner_fd, f.fd, 0, NULL, 1000, &report);
}

static void
restart(void)
{
	enforcer_done(&e);
	assert_int_equal(start(), 0);
}

/* Sealed memory with this policy, compiled behind the one that is enforced. */
static int
compiled(struct policy *p, const struct image *before)
{
	uint8_t *bytes;
	size_t len;
	int fd = memfile_new("test");

	sample_image(p, before, &bytes, &len);
	policy_free(p);
	assert_int_equal(file_write_all(fd, bytes, len), 0);
	assert_int_equal(memfile_seal(fd), 0);
	free(bytes);
	return fd;
}

static struct policy *
candidate(uint16_t port)
{
	struct policy *p = sample_full();
	struct class_decl *c = sample_class(p, "later");

	sample_rule(p, c, "198.51.100.7", BOX_PORTS, 6, port, port);
	sample_device(p, "newcomer", "later", 77, "10.10.0.77", NULL, NULL, 0);
	return p;
}

static int
stage_of(struct policy *p, const struct image *before)
{
	struct stage_report r;
	int fd = compiled(p, before), rc = enforcer_stage(&e, fd, &who, 5000, &r);

	close(fd);
	return rc;
}

static int
set_up(void **state)
{
	struct apply_order order = { .revision = 1 };
	struct apply_report r;

	(void)state;
	if (unshare(CLONE_NEWNET) == -1)
		return -1;
	folder_make(&f);
	if ((owner_fd = nft_socket_open()) < 0 || start() < 0)
		return -1;
	order.image_fd = compiled(sample_full(), &e.policy.image);
	assert_int_equal(enforcer_apply(&e, &order, 2000, &r), 0);
	close(order.image_fd);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	enforcer_done(&e);
	close(owner_fd);
	folder_remove(&f);
	return 0;
}

static bool
agrees(void)
{
	bool so;

	assert_int_equal(enforcer_agrees(&e, &so), 0);
	return so;
}

static int
nothing(void *arg, const struct nft_element *el)
{
	(void)arg;
	(void)el;
	return 0;
}

static bool
is_there(const char *set)
{
	int rc = nft_read_set(&e.reader, set, nothing, NULL);

	assert_true(rc == 0 || rc == -ENOENT);
	return rc == 0;
}

static void
test_stage_and_end(void **state)
{
	struct stage_report r;

	(void)state;
	assert_false(is_there("staged_refused4"));
	assert_int_equal(stage_of(candidate(80), &e.policy.image), 0);
	assert_true(agrees());
	assert_true(is_there("staged_refused4"));
	assert_int_equal(e.staged_note.at, 5000);
	assert_int_equal(stage_of(candidate(81), &e.policy.image), 0);
	assert_true(agrees());
	assert_int_equal(enforcer_unstage(&e, &r), 0);
	assert_true(agrees());
	assert_false(is_there("staged_refused4"));
	assert_int_equal(enforcer_unstage(&e, &r), -ENOENT);
	assert_int_equal(faccessat(f.fd, "staged.image", F_OK, 0), -1);
}

static void
test_start_adopts(void **state)
{
	(void)state;
	assert_int_equal(stage_of(candidate(80), &e.policy.image), 0);
	restart();
	assert_true(report.adopted);
	assert_false(report.rebuilt || report.staged_damaged);
	assert_non_null(e.staged.data);
	assert_string_equal(e.staged_note.who.login, "alice");
	assert_true(agrees());
}

/* A crash behind the disk and before the kernel. */
static void
test_start_catches_up(void **state)
{
	struct stage_report r;
	uint8_t generation = e.stations[0].generation;

	(void)state;
	assert_int_equal(stage_of(candidate(80), &e.policy.image), 0);
	assert_int_equal(file_rename_at(f.fd, "staged.image", "kept.image"), 0);
	assert_int_equal(file_rename_at(f.fd, "staged.note", "kept.note"), 0);
	assert_int_equal(enforcer_unstage(&e, &r), 0);
	assert_int_equal(file_rename_at(f.fd, "kept.image", "staged.image"), 0);
	assert_int_equal(file_rename_at(f.fd, "kept.note", "staged.note"), 0);
	restart();
	assert_true(report.adopted);
	assert_false(report.rebuilt);
	assert_non_null(e.staged.data);
	assert_true(is_there("staged_refused4"));
	assert_true(agrees());
	assert_int_equal(e.stations[0].generation, generation);	/* nobody was judged again for it */
}

/* The image came, its note did not: it was never staged. */
static void
test_image_without_note(void **state)
{
	struct stage_report r;

	(void)state;
	assert_int_equal(stage_of(candidate(80), &e.policy.image), 0);
	assert_int_equal(file_rename_at(f.fd, "staged.image", "kept.image"), 0);
	assert_int_equal(enforcer_unstage(&e, &r), 0);
	assert_int_equal(file_rename_at(f.fd, "kept.image", "staged.image"), 0);
	restart();
	assert_null(e.staged.data);
	assert_true(report.adopted);
	assert_false(report.rebuilt || report.staged_damaged);
	assert_int_equal(faccessat(f.fd, "staged.image", F_OK, 0), -1);
}

/* The note is about another image. */
static void
test_note_of_another(void **state)
{
	(void)state;
	assert_int_equal(stage_of(candidate(80), &e.policy.image), 0);
	assert_int_equal(file_rename_at(f.fd, "staged.note", "kept.note"), 0);
	assert_int_equal(stage_of(candidate(81), &e.policy.image), 0);
	assert_int_equal(file_rename_at(f.fd, "kept.note", "staged.note"), 0);
	restart();
	assert_true(report.staged_damaged);
	assert_null(e.staged.data);
	assert_false(is_there("staged_refused4"));
	assert_true(agrees());
}

static void
test_other_numbers(void **state)
{
	struct policy *p = sample_new();

	(void)state;
	sample_class(p, "else");
	sample_device(p, "somebody", "else", 1, "10.10.0.1", NULL, NULL, 0);
	assert_int_equal(stage_of(p, NULL), -ESTALE);
	assert_null(e.staged.data);
	assert_int_equal(faccessat(f.fd, "staged.image", F_OK, 0), -1);
	assert_true(agrees());
}

/* What cannot be written down is not staged; what was staged before still is. */
static void
test_disk_refuses(void **state)
{
	struct stage_report r;
	int fd = compiled(candidate(81), &e.policy.image), dirfd;

	(void)state;
	assert_int_equal(stage_of(candidate(80), &e.policy.image), 0);
	dirfd = e.dirfd;
	e.dirfd = fd;		/* no folder */
	assert_int_equal(enforcer_stage(&e, fd, &who, 6000, &r), -ENOTDIR);
	e.dirfd = dirfd;
	close(fd);
	assert_int_equal(e.staged_note.at, 5000);
	assert_true(agrees());
	restart();
	assert_int_equal(e.staged_note.at, 5000);
	assert_true(report.adopted);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_stage_and_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_start_adopts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_start_catches_up, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_image_without_note, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_note_of_another, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_other_numbers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_disk_refuses, set_up, tear_down),
	};

	if (unshare(CLONE_NEWNET) == -1)
		return 77;	/* no rights to try it */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
