/* SPDX-License-Identifier: GPL-2.0-or-later */
/* listing.h -- which files a source on this machine consists of, and a word that
 * is another one when any of them is. Reads no contents. */
#ifndef CORDON_FETCH_LISTING_H
#define CORDON_FETCH_LISTING_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "proto/limits.h"

#define LISTING_TAG 128	/* bytes of a validator in quotes, with the NUL */

struct listing {
	size_t n;
	bool more;	/* than LIMIT_SERIES_PER_SOURCE; the first of them are here */
	char names[LIMIT_SERIES_PER_SOURCE][NAME_MAX + 1];	/* sorted by bytes */
	char tag[LISTING_TAG];	/* of names, numbers, sizes and times of all of these */
};

/* The validator of one file: changes with its number, size and times. */
void listing_tag_of(const struct stat *, char out[LISTING_TAG]);

/* A name that publishes something: not ".hidden", nor what somebody still writes
 * ("x.tmp", "x.part", "x~"). */
bool listing_takes(const char *name);

/* What lies in the open folder: regular files, and links to such. 0 or -errno. */
int listing_read(int dirfd, struct listing *);

/* Open a regular file to read; does not wait for whoever holds a FIFO of that
 * name. The descriptor, or -errno (-EINVAL: no regular file). */
int listing_open(int dirfd, const char *name, struct stat *);

#endif
