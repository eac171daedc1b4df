/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_file.c -- whole files and sealed memory. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/digest.h"
#include "common/file.h"

static char folder[64];
static int dir;

static int
setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/cordon-test-file-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 ? -1 : 0;
}

static int
teardown(void **state)
{
	static const char *const names[] = { "f", ".f.new", "fifo", "link", "victim" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlinkat(dir, names[i], 0);
	close(dir);
	return rmdir(folder);
}

static void
expect_content(const char *name, const char *text)
{
	uint8_t *data;
	size_t len;

	assert_int_equal(file_read_at(dir, name, 1000, &data, &len), 0);
	assert_int_equal(len, strlen(text));
	assert_string_equal((char *)data, text);
	free(data);
}

static void
test_replace(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(file_replace_at(dir, "f", "one", 3, 0640), 0);
	expect_content("f", "one");
	assert_int_equal(fstatat(dir, "f", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0640); /* whatever the umask */
	assert_int_equal(file_replace_at(dir, "f", "", 0, 0600), 0);
	expect_content("f", "");
	assert_int_equal(faccessat(dir, ".f.new", F_OK, 0), -1);
}

/* What a crash left behind, or somebody put there, is not written through. */
static void
test_replace_with_something_in_the_way(void **state)
{
	(void)state;
	assert_int_equal(file_replace_at(dir, "victim", "safe", 4, 0600), 0);
	assert_int_equal(symlinkat("victim", dir, ".f.new"), 0);
	assert_int_equal(file_replace_at(dir, "f", "new", 3, 0600), 0);
	expect_content("victim", "safe");
	expect_content("f", "new");
	/* the name itself may be a link: it is replaced, not followed */
	assert_int_equal(symlinkat("victim", dir, "link"), 0);
	assert_int_equal(file_replace_at(dir, "link", "new", 3, 0600), 0);
	expect_content("victim", "safe");
}

static void
test_replace_refuses_paths(void **state)
{
	char name[NAME_MAX + 1];

	(void)state;
	assert_int_equal(file_replace_at(dir, "", "x", 1, 0600), -EINVAL);
	assert_int_equal(file_replace_at(dir, "../f", "x", 1, 0600), -EINVAL);
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(file_replace_at(dir, name, "x", 1, 0600), -ENAMETOOLONG);
	assert_int_equal(mkdirat(dir, "f", 0700), 0);
	assert_true(file_replace_at(dir, "f", "x", 1, 0600) < 0);
	assert_int_equal(faccessat(dir, ".f.new", F_OK, 0), -1);
	assert_int_equal(unlinkat(dir, "f", AT_REMOVEDIR), 0);
}

static void
test_replace_by_a_path_descriptor(void **state)
{
	int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(file_replace_at(fd, "f", "one", 3, 0600), 0);
	expect_content("f", "one");
	close(fd);
}

static void
test_read_bounds(void **state)
{
	uint8_t *data = NULL, big[5000];
	size_t len = 0;

	(void)state;
	memset(big, 'x', sizeof(big));
	assert_int_equal(file_replace_at(dir, "f", big, sizeof(big), 0600), 0);
	assert_int_equal(file_read_at(dir, "f", sizeof(big) - 1, &data, &len), -EFBIG);
	assert_int_equal(file_read_at(dir, "f", 0, &data, &len), -EFBIG);
	assert_null(data);
	assert_int_equal(file_read_at(dir, "f", sizeof(big), &data, &len), 0);
	assert_int_equal(len, sizeof(big));
	assert_int_equal(data[len], '\0');
	assert_memory_equal(data, big, len);
	free(data);
	assert_int_equal(file_replace_at(dir, "f", "", 0, 0600), 0);
	assert_int_equal(file_read_at(dir, "f", 0, &data, &len), 0);
	assert_int_equal(len, 0);
	free(data);
}

/* Files of /proc say that they are empty. */
static void
test_read_without_a_size(void **state)
{
	uint8_t *data;
	size_t len;

	(void)state;
	assert_int_equal(file_read_at(AT_FDCWD, "/proc/self/status", 65536, &data, &len), 0);
	assert_true(len > 100);
	free(data);
	assert_int_equal(file_read_at(AT_FDCWD, "/proc/self/status", 10, &data, &len), -EFBIG);
}

static void
test_read_what_is_no_file(void **state)
{
	uint8_t *data;
	size_t len;

	(void)state;
	assert_int_equal(file_read_at(dir, "f", 10, &data, &len), -ENOENT);
	assert_int_equal(file_read_at(dir, ".", 10, &data, &len), -EISDIR);
	assert_int_equal(mkfifoat(dir, "fifo", 0600), 0);
	assert_int_equal(
	    file_read_at(dir, "fifo", 10, &data, &len), -EINVAL); /* and does not wait */
	assert_int_equal(file_read_at(AT_FDCWD, "/dev/zero", 10, &data, &len), -EINVAL);
}

static void
test_read_fd_starts_at_zero(void **state)
{
	uint8_t *data;
	size_t len;
	int fd;

	(void)state;
	assert_int_equal(file_replace_at(dir, "f", "abc", 3, 0600), 0);
	fd = openat(dir, "f", O_RDONLY | O_CLOEXEC);
	assert_int_equal(lseek(fd, 2, SEEK_SET), 2);
	assert_int_equal(file_read_fd(fd, 3, &data, &len), 0);
	assert_string_equal((char *)data, "abc");
	free(data);
	close(fd);
}

static void
test_sealed_memory(void **state)
{
	const void *p = NULL;
	size_t len = 0;
	int fd;

	(void)state;
	fd = memfile_new("test");
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(file_write_all(fd, "hello", 5), 0);
	assert_int_equal(memfile_map(fd, 100, &p, &len), -EPERM);
	assert_int_equal(memfile_seal(fd), 0);
	assert_int_equal(memfile_map(fd, 4, &p, &len), -EFBIG);
	assert_null(p);
	assert_int_equal(memfile_map(fd, 5, &p, &len), 0);
	assert_int_equal(len, 5);
	assert_memory_equal(p, "hello", 5);
	/* nobody changes it any more, by any way */
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(ftruncate(fd, 10), -1);
	assert_ptr_equal(mmap(NULL, 5, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	assert_int_equal(memfile_seal(fd), -EPERM);
	memfile_unmap(p, len);
	close(fd);
}

static void
test_memory_with_some_seals_is_not_sealed(void **state)
{
	static const int all[] = { F_SEAL_WRITE, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_SEAL };
	const void *p;
	size_t i, k, len;
	int fd, seals;

	(void)state;
	for (i = 0; i < 4; i++) {
		seals = 0;
		for (k = 0; k < 4; k++)
			seals |= k == i ? 0 : all[k];
		fd = memfile_new("test");
		assert_int_equal(file_write_all(fd, "x", 1), 0);
		assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
		assert_int_equal(memfile_map(fd, 100, &p, &len), -EPERM);
		close(fd);
	}
	/* a file on a disk and a pipe have no seals */
	assert_int_equal(file_replace_at(dir, "f", "x", 1, 0600), 0);
	fd = openat(dir, "f", O_RDONLY | O_CLOEXEC);
	assert_int_equal(memfile_map(fd, 100, &p, &len), -EPERM);
	close(fd);
	assert_int_equal(memfile_map(-1, 100, &p, &len), -EPERM);
}

static void
test_empty_sealed_memory(void **state)
{
	const void *p = NULL;
	size_t len = 1;
	int fd;

	(void)state;
	fd = memfile_new("test");
	assert_int_equal(memfile_seal(fd), 0);
	assert_int_equal(memfile_map(fd, 0, &p, &len), 0);
	assert_non_null(p);
	assert_int_equal(len, 0);
	memfile_unmap(p, len);
	memfile_unmap(NULL, 0);
	close(fd);
}

/* The same as other programs that use XXH3 with 128 bits say. */
static void
test_digest(void **state)
{
	static const uint8_t abc[DIGEST_LEN] = { 0x06, 0xb0, 0x5a, 0xb6, 0x73, 0x3a, 0x61, 0x85,
		0x78, 0xaf, 0x5f, 0x94, 0x89, 0x2f, 0x39, 0x50 };
	static const uint8_t none[4] = { 0x99, 0xaa, 0x06, 0xd3 };
	uint8_t out[DIGEST_LEN];

	(void)state;
	digest_of("abc", 3, out);
	assert_memory_equal(out, abc, sizeof(out));
	digest_of("", 0, out);
	assert_memory_equal(out, none, sizeof(none));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_replace, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_replace_with_something_in_the_way, setup, teardown),
		cmocka_unit_test_setup_teardown(test_replace_refuses_paths, setup, teardown),
		cmocka_unit_test_setup_teardown(test_replace_by_a_path_descriptor, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read_bounds, setup, teardown),
		cmocka_unit_test(test_read_without_a_size),
		cmocka_unit_test_setup_teardown(test_read_what_is_no_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read_fd_starts_at_zero, setup, teardown),
		cmocka_unit_test(test_sealed_memory),
		cmocka_unit_test_setup_teardown(
		    test_memory_with_some_seals_is_not_sealed, setup, teardown),
		cmocka_unit_test(test_empty_sealed_memory),
		cmocka_unit_test(test_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
