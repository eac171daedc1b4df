/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trail.h -- all the folders whose entries decide what a path leads to: that of
 * each of its parts, also of those that symbolic links lead through. Watched by
 * inotify, so that a link that is swapped, a folder that is renamed and one that
 * is not there yet are seen like a change of the file itself. */
#ifndef CORDON_FETCH_TRAIL_H
#define CORDON_FETCH_TRAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/inotify.h>

#define TRAIL_STEPS 48	/* more than that no sane path has; the poll sees those */

/* An entry of a watched folder; name 0: any. */
struct trail_step {
	int wd;
	uint64_t name;
};

struct trail {
	size_t n;
	struct trail_step steps[TRAIL_STEPS];
};

/* Follow an absolute path as far as it goes and watch what is on the way; contents:
 * it is a folder, watched itself too. What cannot be watched (a folder that we may
 * not read) is left out. 0, or -errno when the kernel has no watches left. */
int trail_follow(int inotify, const char *path, bool contents, struct trail *);

/* Does the event concern it? name: "" for one of the folder itself. */
bool trail_meets(const struct trail *, int wd, const char *name);

bool trail_has(const struct trail *, int wd);

#endif
