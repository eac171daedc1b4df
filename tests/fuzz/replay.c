/* SPDX-License-Identifier: GPL-2.0-or-later */
/* replay.c -- the main() of a fuzzer that is no fuzzer: runs inputs that were kept.
 * Arguments are files and folders (one level). Without any it takes
 * $srcdir/tests/fuzz/corpus/NAME for a program called fuzz_NAME, so that
 * `make check` needs no wrapper; without a corpus it is skipped (77). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define INPUT_MAX (16U << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned inputs;

static int
run_file(const char *path, int fd, const struct stat *st)
{
	size_t size = (size_t)st->st_size, have = 0;
	uint8_t *data;

	if (size > INPUT_MAX) {
		fprintf(stderr, "%s: larger than %u bytes\n", path, INPUT_MAX);
		return 1;
	}
	/* exactly its size, so that a read beyond the end is seen by a sanitizer */
	data = malloc(size > 0 ? size : 1);
	if (data == NULL)
		abort();
	while (have < size) {
		ssize_t n = read(fd, data + have, size - have);

		if (n <= 0) {
			fprintf(stderr, "%s: %s\n", path, n < 0 ? strerror(errno) : "cut short");
			free(data);
			return 1;
		}
		have += (size_t)n;
	}
	LLVMFuzzerTestOneInput(data, size);
	inputs++;
	free(data);
	return 0;
}

static int
run_folder(const char *path)
{
	struct dirent *e;
	DIR *d = opendir(path);
	int rc = 0;

	if (d == NULL) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return 1;
	}
	while ((e = readdir(d)) != NULL) {
		struct stat st;
		int fd = openat(dirfd(d), e->d_name, O_RDONLY | O_CLOEXEC);

		if (fd == -1 || fstat(fd, &st) == -1)
			rc = 1;
		else if (S_ISREG(st.st_mode))
			rc |= run_file(e->d_name, fd, &st);
		if (fd != -1)
			close(fd);
	}
	closedir(d);
	return rc;
}

static int
run_path(const char *path)
{
	struct stat st;
	int fd, rc;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return run_folder(path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1 || fstat(fd, &st) == -1) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		if (fd != -1)
			close(fd);
		return 1;
	}
	rc = run_file(path, fd, &st);
	close(fd);
	return rc;
}

static int
run_default(const char *program)
{
	const char *srcdir = getenv("srcdir"), *name = strrchr(program, '/');
	char path[PATH_MAX];

	name = name != NULL ? name + 1 : program;
	if (strncmp(name, "lt-", 3) == 0)
		name += 3;
	if (strncmp(name, "fuzz_", 5) == 0)
		name += 5;
	if (snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/%s", srcdir != NULL ? srcdir : ".",
	    name) >= (int)sizeof(path))
		return 1;
	if (access(path, R_OK) == -1) {
		fprintf(stderr, "no corpus in %s\n", path);
		return 77;
	}
	return run_folder(path);
}

int
main(int argc, char **argv)
{
	int rc = 0;

	if (argc == 1)
		rc = run_default(argv[0]);
	for (int i = 1; i < argc; i++)
		rc |= run_path(argv[i]);
	fprintf(stderr, "%u inputs\n", inputs);
	return rc;
}
