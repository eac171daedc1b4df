/* SPDX-License-Identifier: GPL-2.0-or-later */
/* third_party.c -- test data that others made, where it is at hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "third_party.h"

const char *
third_party(char out[512], const char *below)
{
	const char *root = getenv("CORDON_DATA"), *source = getenv("srcdir");

	if (root != NULL)
		snprintf(out, 512, "%s/%s", root, below);
	else
		snprintf(out, 512, "%s/../shared/data/%s", source != NULL ? source : ".", below);
	return out;
}

bool
read_whole(const char *folder, const char *file, struct bytes *out)
{
	char path[1024];
	uint8_t piece[4096];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, file);
	if ((f = fopen(path, "rb")) == NULL)
		return false;
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
		bytes_add(out, piece, n);
	fclose(f);
	return out->n > 0;
}

void
need_folder(const char *folder)
{
	if (access(folder, R_OK | X_OK) == 0)
		return;
	print_message("skipped: no folder %s\n", folder);
	skip();
}

void
each_file(const char *folder, const char *suffix, void (*f)(const struct bytes *, const char *, void *),
    void *arg)
{
	struct bytes file = { 0 };
	struct dirent *e;
	size_t n, m = strlen(suffix);
	DIR *dir = opendir(folder);

	assert_non_null(dir);
	while ((e = readdir(dir)) != NULL) {
		n = strlen(e->d_name);
		if (e->d_name[0] == '.' || n < m || strcmp(e->d_name + n - m, suffix) != 0)
			continue;
		if (read_whole(folder, e->d_name, &file))
			f(&file, e->d_name, arg);
		bytes_free(&file);
	}
	closedir(dir);
}
