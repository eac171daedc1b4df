/* SPDX-License-Identifier: GPL-2.0-or-later */
/* journal_read.c -- journal_read FOLDER TIMES: how long cordond's journal of quarantines takes
 * to read. Prints milliseconds (the median) and the number of devices that are quarantined. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "enforce/journal.h"

#define TIMES_MAX 1000

static double
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int
by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

int
main(int argc, char **argv)
{
	double took[TIMES_MAX];
	struct standing *s;
	uint32_t damaged = 0;
	size_t n = 0;
	int i, rc, times = argc == 3 ? atoi(argv[2]) : 0;
	int dirfd = argc == 3 ? open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (dirfd < 0 || times < 1 || times > TIMES_MAX) {
		fprintf(stderr, "journal_read: FOLDER TIMES\n");
		return 64;
	}
	for (i = 0; i < times; i++) {
		double start = now_ms();

		if ((rc = journal_load(dirfd, &s, &n, &damaged)) < 0) {
			fprintf(stderr, "journal_read: %s\n", strerror(-rc));
			return 1;
		}
		took[i] = now_ms() - start;
		free(s);
	}
	close(dirfd);
	qsort(took, (size_t)times, sizeof(took[0]), by_size);
	printf("%.3f %zu\n", took[times / 2], n);
	return damaged > 0;
}
