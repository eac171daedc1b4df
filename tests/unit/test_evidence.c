/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_evidence.c -- the store: what goes in comes out, all or nothing, bounded,
 * readable by its group and by nobody else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "evidence/store.h"

#define WALL 1700000000000
#define READER 12345	/* a user and group that own nothing */

static char folder[64];

static int
set_up(void **state)
{
	snprintf(folder, sizeof(folder), "/tmp/test_evidence.XXXXXX");
	*state = NULL;
	return mkdtemp(folder) != NULL ? 0 : -1;
}

static int
tear_down(void **state)
{
	DIR *d = opendir(folder);
	struct dirent *e;

	(void)state;
	while (d != NULL && (e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			(void)unlinkat(dirfd(d), e->d_name, 0);
	if (d != NULL)
		closedir(d);
	return rmdir(folder);
}

static struct evidence *
writer(void)
{
	struct evidence *e = NULL;

	assert_int_equal(evidence_open(folder, EVIDENCE_WRITE, &e), 0);
	return e;
}

static struct attempt
sample(unsigned i)
{
	struct attempt a;

	memset(&a, 0, sizeof(a));
	a.first_ms = WALL + (int64_t)i * 1000;
	a.last_ms = a.first_ms + 500;
	a.packets = 1 + i;
	a.bytes = 60 * (1 + i);
	a.revision = 3;
	a.device = 0x11 + i % 2;
	a.mark = a.device << 8 | 1;
	snprintf(a.device_name, sizeof(a.device_name), "sensor-%u", 1 + i % 2);
	snprintf(a.class_name, sizeof(a.class_name), "sensor");
	snprintf(a.interface, sizeof(a.interface), "lan0");
	a.family = a.source.family = a.destination.family = AF_INET;
	memcpy(a.source.bytes, "\x0a\x0a\x00\x0b", 4);
	memcpy(a.destination.bytes, "\xc0\x00\x02\x02", 4);
	a.protocol = IPPROTO_TCP;
	a.port = (uint16_t)(5000 + i);
	a.has_mac = 1;
	memcpy(a.mac.bytes, "\x02\x00\x00\x00\x00\x11", 6);
	a.reason = REASON_NOT_ALLOWED;
	a.verdict = VERDICT_REFUSED;
	a.identity = IDENTITY_PROVED;
	a.state = ATTEMPT_OPEN;
	a.hook = ATTEMPT_HOOK_FORWARD;
	return a;
}

static void
put(struct evidence *e, struct attempt *rows, size_t n)
{
	struct attempt **p = calloc(n, sizeof(*p));

	assert_non_null(p);
	for (size_t i = 0; i < n; i++)
		p[i] = &rows[i];
	assert_int_equal(evidence_put_attempts(e, p, n), 0);
	free(p);
}

static void
put_samples(struct evidence *e, unsigned first, unsigned n)
{
	struct attempt *rows = calloc(n, sizeof(*rows));

	assert_non_null(rows);
	for (unsigned i = 0; i < n; i++)
		rows[i] = sample(first + i);
	put(e, rows, n);
	free(rows);
}

struct found {
	size_t n;
	struct attempt first, last;
};

static int
keep(void *arg, const struct attempt *a)
{
	struct found *f = arg;

	if (f->n++ == 0)
		f->first = *a;
	if (f->n > 1)
		assert_true(a->id > f->last.id);
	f->last = *a;
	return 0;
}

static struct found
query(struct evidence *e, struct evidence_filter filter)
{
	struct found f;

	memset(&f, 0, sizeof(f));
	assert_int_equal(evidence_query_attempts(e, &filter, keep, &f), 0);
	return f;
}

static void
words(void **state)
{
	(void)state;
	assert_string_equal(attempt_reason_name(REASON_WRONG_PORT), "wrong-port");
	assert_string_equal(attempt_reason_name(REASONS), "?");
	for (int i = 0; i < REASONS; i++)
		assert_int_equal(attempt_reason_of(attempt_reason_name((unsigned)i)), i);
	for (int i = 0; i < VERDICTS; i++)
		assert_int_equal(attempt_verdict_of(attempt_verdict_name((unsigned)i)), i);
	for (int i = 0; i < IDENTITIES; i++)
		assert_int_equal(attempt_identity_of(attempt_identity_name((unsigned)i)), i);
	for (int i = 0; i < ATTEMPT_STATES; i++)
		assert_int_equal(attempt_state_of(attempt_state_name((unsigned)i)), i);
	for (int i = 0; i < ATTEMPT_HOOKS; i++)
		assert_int_equal(attempt_hook_of(attempt_hook_name((unsigned)i)), i);
	assert_int_equal(attempt_reason_of("no such reason"), -1);
	assert_int_equal(attempt_reason_of(NULL), -1);
}

static void
what_goes_in_comes_out(void **state)
{
	struct evidence *e = writer();
	struct attempt a = sample(4);
	struct found f;

	(void)state;
	a.family = a.source.family = a.destination.family = AF_INET6;
	memset(a.source.bytes, 0xfd, 16);
	memset(a.destination.bytes, 0xfe, 16);
	a.protocol = IPPROTO_ICMPV6;
	a.has_type = 1;
	a.icmp_type = 128;
	a.port = 0;
	a.reason = REASON_CLONE;
	a.verdict = VERDICT_AUDITED;
	a.identity = IDENTITY_CLAIMED;
	a.state = ATTEMPT_FINAL;
	a.packets = 1ULL << 40;
	snprintf(a.detail, sizeof(a.detail), "on lan0 and lan1");
	put(e, &a, 1);
	assert_int_equal(a.id, 1);
	f = query(e, (struct evidence_filter){ .device = 0x11 });
	assert_int_equal(f.n, 1);
	assert_memory_equal(&f.first, &a, sizeof(a));
	evidence_close(e);
}

static void
unknown_parts_stay_unknown(void **state)
{
	struct evidence *e = writer();
	struct attempt a;
	struct found f;

	(void)state;
	memset(&a, 0, sizeof(a));
	a.state = ATTEMPT_LAPSED;
	put(e, &a, 1);
	f = query(e, (struct evidence_filter){ .limit = 1 });
	assert_memory_equal(&f.first, &a, sizeof(a));
	evidence_close(e);
}

static void
a_row_with_an_id_is_updated(void **state)
{
	struct evidence *e = writer();
	struct attempt a = sample(0), b = sample(1);
	struct found f;

	(void)state;
	put(e, &a, 1);
	put(e, &b, 1);
	a.packets = 99;
	a.state = ATTEMPT_FINAL;
	put(e, &a, 1);
	f = query(e, (struct evidence_filter){ .limit = 0 });
	assert_int_equal(f.n, 2);
	assert_memory_equal(&f.first, &a, sizeof(a));
	assert_memory_equal(&f.last, &b, sizeof(b));
	evidence_close(e);
}

static void
filters(void **state)
{
	struct evidence *e = writer();
	struct attempt a = sample(20);

	(void)state;
	put_samples(e, 0, 20);
	a.reason = REASON_QUARANTINED;
	a.state = ATTEMPT_FINAL;
	put(e, &a, 1);
	assert_int_equal(query(e, (struct evidence_filter){ .device = 0x12 }).n, 10);
	assert_int_equal(query(e, (struct evidence_filter){ .device = 0x99 }).n, 0);
	assert_int_equal(query(e, (struct evidence_filter){ .device_name = "sensor-1" }).n, 11);
	assert_int_equal(query(e, (struct evidence_filter){ .device_name = "x' OR 1=1 --" }).n, 0);
	assert_int_equal(query(e, (struct evidence_filter){ .reason = REASON_QUARANTINED }).n, 1);
	assert_int_equal(query(e, (struct evidence_filter){ .state = ATTEMPT_OPEN }).n, 20);
	assert_int_equal(query(e, (struct evidence_filter){ .state = ATTEMPT_FINAL }).n, 1);
	/* those that lasted until then, those that began before */
	assert_int_equal(query(e, (struct evidence_filter){ .since_ms = WALL + 10500 }).n, 11);
	assert_int_equal(query(e, (struct evidence_filter){ .since_ms = WALL + 10501 }).n, 10);
	assert_int_equal(query(e, (struct evidence_filter){ .until_ms = WALL + 10000 }).n, 10);
	assert_int_equal(query(e, (struct evidence_filter){ .until_ms = WALL + 10001 }).n, 11);
	assert_int_equal(query(e, (struct evidence_filter){ .since_ms = WALL + 5000, .until_ms = WALL + 7000,
	    .device = 0x12 }).n, 1);
	evidence_close(e);
}

static void
limits_and_following(void **state)
{
	struct evidence *e = writer();
	struct found f;
	int64_t last;

	(void)state;
	assert_int_equal(evidence_last_id(e, &last), 0);
	assert_int_equal(last, 0);
	put_samples(e, 0, 20);
	/* the newest of them, oldest first */
	f = query(e, (struct evidence_filter){ .limit = 5 });
	assert_int_equal(f.n, 5);
	assert_int_equal(f.first.id, 16);
	assert_int_equal(f.last.id, 20);
	/* a follower goes forward and misses none */
	f = query(e, (struct evidence_filter){ .after_id = 3, .limit = 5 });
	assert_int_equal(f.first.id, 4);
	assert_int_equal(f.last.id, 8);
	f = query(e, (struct evidence_filter){ .after_id = 20, .limit = 5 });
	assert_int_equal(f.n, 0);
	assert_int_equal(evidence_last_id(e, &last), 0);
	assert_int_equal(last, 20);
	evidence_close(e);
}

static int
stop_at_three(void *arg, const struct attempt *a)
{
	(void)a;
	return ++*(int *)arg == 3 ? 7 : 0;
}

static void
a_reader_may_stop(void **state)
{
	struct evidence_filter all = { .limit = 0 };
	struct evidence *e = writer();
	int n = 0;

	(void)state;
	put_samples(e, 0, 20);
	assert_int_equal(evidence_query_attempts(e, &all, stop_at_three, &n), 7);
	assert_int_equal(n, 3);
	evidence_close(e);
}

static void
no_query_returns_more_than_the_most(void **state)
{
	struct evidence_filter all = { .limit = UINT32_MAX };
	struct evidence *e = writer();
	struct found f = { .n = 0 };

	(void)state;
	for (unsigned i = 0; i < EVIDENCE_QUERY_MAX + 1; i += 10000)
		put_samples(e, i, i + 10000 > EVIDENCE_QUERY_MAX ? 1 : 10000);
	assert_int_equal(evidence_query_attempts(e, &all, keep, &f), 0);
	assert_int_equal(f.n, EVIDENCE_QUERY_MAX);
	assert_int_equal(f.last.id, EVIDENCE_QUERY_MAX + 1);
	evidence_close(e);
}

static int
keep_loss(void *arg, const struct evidence_loss *l)
{
	struct evidence_loss **next = arg;

	*(*next)++ = *l;
	return 0;
}

static void
losses_are_as_told_last(void **state)
{
	struct evidence_loss put_in[] = {
		{ .device = 0, .at_ms = WALL, .total_packets = 5, .total_bytes = 300 },
		{ .device = 7, .at_ms = WALL, .total_packets = 9, .overflow_packets = 4, .overflow_bytes = 240 },
	}, got[4], *next = got;
	struct evidence *e = writer();

	(void)state;
	assert_int_equal(evidence_put_losses(e, put_in, 2), 0);
	put_in[1].total_packets = 20;
	assert_int_equal(evidence_put_losses(e, put_in + 1, 1), 0);
	assert_int_equal(evidence_query_losses(e, keep_loss, &next), 0);
	assert_int_equal(next - got, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(got[i].device, put_in[i].device);
		assert_int_equal(got[i].at_ms, put_in[i].at_ms);
		assert_int_equal(got[i].total_packets, put_in[i].total_packets);
		assert_int_equal(got[i].total_bytes, put_in[i].total_bytes);
		assert_int_equal(got[i].overflow_packets, put_in[i].overflow_packets);
		assert_int_equal(got[i].overflow_bytes, put_in[i].overflow_bytes);
	}
	evidence_close(e);
}

/* ---- retention ---------------------------------------------------------- */

static size_t
trim(struct evidence *e, struct evidence_bounds b)
{
	size_t deleted;

	assert_int_equal(evidence_trim(e, &b, &deleted), 0);
	return deleted;
}

static void
the_newest_rows_stay(void **state)
{
	struct evidence *e = writer();
	struct attempt a = sample(0);
	struct found f;

	(void)state;
	put_samples(e, 0, 100);
	assert_int_equal(trim(e, (struct evidence_bounds){ .max_rows = 100 }), 0);
	assert_int_equal(trim(e, (struct evidence_bounds){ .max_rows = 99 }), 1);
	assert_int_equal(trim(e, (struct evidence_bounds){ .max_rows = 10 }), 89);
	f = query(e, (struct evidence_filter){ .limit = 0 });
	assert_int_equal(f.n, 10);
	assert_int_equal(f.first.id, 91);
	/* an id is never given out again */
	assert_int_equal(trim(e, (struct evidence_bounds){ .oldest_ms = INT64_MAX }), 10);
	put(e, &a, 1);
	assert_int_equal(a.id, 101);
	evidence_close(e);
}

static void
too_old_rows_go(void **state)
{
	struct evidence *e = writer();

	(void)state;
	put_samples(e, 0, 100);
	assert_int_equal(trim(e, (struct evidence_bounds){ .oldest_ms = WALL + 500 }), 0);
	assert_int_equal(trim(e, (struct evidence_bounds){ .oldest_ms = WALL + 501 }), 1);
	assert_int_equal(trim(e, (struct evidence_bounds){ .oldest_ms = WALL + 50000 }), 49);
	assert_int_equal(query(e, (struct evidence_filter){ .limit = 0 }).first.id, 51);
	evidence_close(e);
}

static void
steps_are_bounded(void **state)
{
	struct evidence *e = writer();
	unsigned calls = 0;

	(void)state;
	put_samples(e, 0, 2 * EVIDENCE_TRIM_STEP + 1);
	while (trim(e, (struct evidence_bounds){ .max_rows = 1 }) > 0)
		assert_in_range(++calls, 1, 2);
	assert_int_equal(calls, 2);
	assert_int_equal(query(e, (struct evidence_filter){ .limit = 0 }).n, 1);
	evidence_close(e);
}

static void
the_file_shrinks(void **state)
{
	struct evidence *e = writer();
	char path[128];
	struct stat before, after;
	unsigned steps = 0;

	(void)state;
	snprintf(path, sizeof(path), "%s/%s", folder, EVIDENCE_FILE);
	put_samples(e, 0, 20000);
	evidence_close(e);
	assert_int_equal(stat(path, &before), 0);
	e = writer();
	while (trim(e, (struct evidence_bounds){ .max_bytes = before.st_size / 2 }) > 0)
		assert_in_range(++steps, 1, 20);
	assert_in_range(query(e, (struct evidence_filter){ .limit = 0 }).n, 5000, 12000);
	evidence_close(e);
	assert_int_equal(stat(path, &after), 0);
	assert_true(after.st_size < before.st_size * 3 / 4);
}

/* ---- failures ----------------------------------------------------------- */

/* A store that cannot grow: the batch fails whole, ids are taken back, and it
 * succeeds as it was as soon as there is room. */
static void
a_full_disk_loses_nothing(void **state)
{
	struct rlimit usual, tight;
	struct evidence *e = writer();
	struct attempt *rows = calloc(20000, sizeof(*rows)), **p = calloc(20000, sizeof(*p));
	int64_t last;

	(void)state;
	assert_non_null(rows);
	assert_non_null(p);
	put_samples(e, 0, 1);
	for (unsigned i = 0; i < 20000; i++) {
		rows[i] = sample(i);
		p[i] = &rows[i];
	}
	rows[19999].id = 1;	/* one that is there already */
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &usual), 0);
	tight = usual;
	tight.rlim_cur = 256 * 1024;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	assert_true(evidence_put_attempts(e, p, 20000) < 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &usual), 0);
	for (unsigned i = 0; i < 20000; i++)
		assert_int_equal(rows[i].id, i == 19999 ? 1 : 0);
	assert_int_equal(query(e, (struct evidence_filter){ .limit = 0 }).n, 1);
	assert_int_equal(evidence_put_attempts(e, p, 20000), 0);
	assert_int_equal(query(e, (struct evidence_filter){ .limit = 0 }).n, 20000);
	assert_int_equal(evidence_last_id(e, &last), 0);
	assert_int_equal(last, 20000);
	evidence_close(e);
	free(rows);
	free(p);
}

static void
scribble(const char *name, const char *text, off_t at)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_int_not_equal(fd, -1);
	assert_int_equal(pwrite(fd, text, strlen(text), at), strlen(text));
	close(fd);
}

static void
a_damaged_store_is_set_aside(void **state)
{
	struct evidence *e = NULL;
	char path[128];

	(void)state;
	scribble(EVIDENCE_FILE, "this is no database at all, but long enough to look like one, "
	    "were it not for its first bytes, which are wrong", 0);
	assert_int_equal(evidence_open(folder, EVIDENCE_WRITE, &e), -EBADMSG);
	assert_null(e);
	assert_int_equal(evidence_set_aside(folder, WALL), 0);
	snprintf(path, sizeof(path), "%s/%s.damaged-%lld", folder, EVIDENCE_FILE, (long long)WALL);
	assert_int_equal(access(path, F_OK), 0);
	e = writer();
	put_samples(e, 0, 1);
	evidence_close(e);
}

static void
a_newer_store_is_left_alone(void **state)
{
	struct evidence *e = writer();

	(void)state;
	evidence_close(e);
	e = NULL;
	/* user_version stands at offset 60 of the file */
	scribble(EVIDENCE_FILE, "\x7f", 60);
	assert_int_equal(evidence_open(folder, EVIDENCE_WRITE, &e), -EPROTO);
	assert_int_equal(evidence_open(folder, EVIDENCE_READ, &e), -EPROTO);
	assert_null(e);
}

static void
readers_make_nothing(void **state)
{
	struct evidence *e = NULL;
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/%s", folder, EVIDENCE_FILE);
	assert_int_equal(evidence_open(folder, EVIDENCE_READ, &e), -ENOENT);
	assert_int_equal(access(path, F_OK), -1);
	evidence_close(writer());
	assert_int_equal(evidence_open(folder, EVIDENCE_READ, &e), 0);
	{
		struct attempt a = sample(0), *p = &a;

		assert_true(evidence_put_attempts(e, &p, 1) < 0);
		assert_int_equal(a.id, 0);
	}
	evidence_close(e);
}

/* ---- two processes ------------------------------------------------------ */

/* Read as a user who is only of the group; the number of rows, or 200 + a step. */
static int
read_as_group(unsigned expected)
{
	struct evidence_filter all = { .limit = 0 };
	struct found f = { .n = 0 };
	struct evidence *e = NULL;
	gid_t group = READER;

	if (setgroups(1, &group) == -1 || setgid(READER) == -1 || setuid(READER + 1) == -1)
		return 200;
	if (evidence_open(folder, EVIDENCE_READ, &e) < 0)
		return 201;
	if (evidence_query_attempts(e, &all, keep, &f) < 0)
		return 202;
	evidence_close(e);
	return f.n == expected ? 0 : 203;
}

static void
check_group_reads(unsigned expected)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(read_as_group(expected));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void
check_modes(void)
{
	static const char *const names[] = { EVIDENCE_FILE, EVIDENCE_FILE "-wal", EVIDENCE_FILE "-shm" };
	struct stat st;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[128];

		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0640);
	}
}

static void
its_group_reads_while_it_is_written(void **state)
{
	struct evidence *e;

	(void)state;
	if (geteuid() != 0) {
		print_message("skipped: needs root, to become another user\n");
		skip();
	}
	/* as it is installed: the folder belongs to the group, and so do the files */
	assert_int_equal(chown(folder, (uid_t)-1, READER), 0);
	assert_int_equal(chmod(folder, 02750), 0);
	umask(022);
	e = writer();
	put_samples(e, 0, 3);
	check_modes();
	check_group_reads(3);
	put_samples(e, 3, 3);
	check_group_reads(6);
	evidence_close(e);
	/* and when nobody writes */
	check_modes();
	check_group_reads(6);
	e = writer();
	put_samples(e, 6, 1);
	check_group_reads(7);
	evidence_close(e);
}

/* A writer that dies in the middle leaves whole transactions. */
static void
killed_in_the_middle(void **state)
{
	struct evidence *e = writer();
	struct found f;
	int pipe_fds[2], status;
	char byte;
	pid_t pid;

	(void)state;
	evidence_close(e);
	assert_int_equal(pipe(pipe_fds), 0);
	pid = fork();
	if (pid == 0) {
		e = writer();
		for (unsigned i = 0;; i++) {
			put_samples(e, i * 10, 10);
			if (i == 5 && write(pipe_fds[1], "x", 1) != 1)
				_exit(1);
		}
	}
	assert_int_equal(read(pipe_fds[0], &byte, 1), 1);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	e = writer();
	f = query(e, (struct evidence_filter){ .limit = 0 });
	assert_true(f.n >= 50);
	assert_int_equal(f.n % 10, 0);
	evidence_close(e);
}

/* A process that was handed its folder needs no path that leads there. */
static void
from_inside_the_folder(void **state)
{
	struct evidence *e = NULL;
	int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC), status;
	pid_t pid;

	(void)state;
	assert_int_not_equal(here, -1);
	if (geteuid() != 0) {
		print_message("skipped: needs root, to become another user\n");
		skip();
	}
	assert_int_equal(mkdirat(AT_FDCWD, "/tmp/test_evidence.closed", 0700), 0);
	pid = fork();
	if (pid == 0) {
		struct attempt a = sample(0), *p = &a;
		int rc = 1;

		/* the folder above may not be entered */
		if (mkdir("/tmp/test_evidence.closed/mine", 0700) == 0 &&
		    chown("/tmp/test_evidence.closed/mine", READER, READER) == 0 &&
		    chdir("/tmp/test_evidence.closed/mine") == 0 && setgroups(0, NULL) == 0 &&
		    setgid(READER) == 0 && setuid(READER) == 0 &&
		    evidence_open(".", EVIDENCE_WRITE, &e) == 0 && evidence_put_attempts(e, &p, 1) == 0) {
			evidence_close(e);
			rc = 0;
		}
		_exit(rc);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	(void)unlink("/tmp/test_evidence.closed/mine/" EVIDENCE_FILE);
	(void)unlink("/tmp/test_evidence.closed/mine/" EVIDENCE_FILE "-wal");
	(void)unlink("/tmp/test_evidence.closed/mine/" EVIDENCE_FILE "-shm");
	assert_int_equal(rmdir("/tmp/test_evidence.closed/mine"), 0);
	assert_int_equal(rmdir("/tmp/test_evidence.closed"), 0);
	close(here);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),
		TEST(what_goes_in_comes_out),
		TEST(unknown_parts_stay_unknown),
		TEST(a_row_with_an_id_is_updated),
		TEST(filters),
		TEST(limits_and_following),
		TEST(a_reader_may_stop),
		TEST(no_query_returns_more_than_the_most),
		TEST(losses_are_as_told_last),
		TEST(the_newest_rows_stay),
		TEST(too_old_rows_go),
		TEST(steps_are_bounded),
		TEST(the_file_shrinks),
		TEST(a_full_disk_loses_nothing),
		TEST(a_damaged_store_is_set_aside),
		TEST(a_newer_store_is_left_alone),
		TEST(readers_make_nothing),
		TEST(its_group_reads_while_it_is_written),
		TEST(killed_in_the_middle),
		TEST(from_inside_the_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
