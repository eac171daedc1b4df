/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trail.c -- all the folders whose entries decide what a path leads to. */
#include "fetch/trail.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS 40	/* as the kernel: more are a loop */
#define EVENTS (IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE_SELF | \
	IN_MOVE_SELF | IN_ONLYDIR | IN_EXCL_UNLINK)

/* Where we are, and what is left to go. */
struct walk {
	char at[PATH_MAX];	/* a folder, without links; "" is the root */
	char rest[PATH_MAX];
	unsigned links;
};

/* FNV-1a; two names that collide cost a look too many. */
static uint64_t
name_number(const char *name)
{
	uint64_t h = 0xcbf29ce484222325ULL;

	for (; *name != '\0'; name++)
		h = (h ^ (uint8_t)*name) * 0x100000001b3ULL;
	return h == 0 ? 1 : h;
}

static int
add(int inotify, const char *folder, uint64_t name, struct trail *t)
{
	int wd;

	if (t->n == TRAIL_STEPS)
		return 0;
	wd = inotify_add_watch(inotify, folder[0] == '\0' ? "/" : folder, EVENTS);
	if (wd < 0)
		return errno == ENOSPC || errno == ENOMEM ? -errno : 0;
	t->steps[t->n++] = (struct trail_step){ .wd = wd, .name = name };
	return 0;
}

/* The next part of the rest; false: there is none, or a longer one than names are. */
static bool
next_part(struct walk *w, char part[NAME_MAX + 1])
{
	size_t skip = strspn(w->rest, "/"), n = strcspn(w->rest + skip, "/");

	if (n == 0 || n > NAME_MAX)
		return false;
	memcpy(part, w->rest + skip, n);
	part[n] = '\0';
	memmove(w->rest, w->rest + skip + n, strlen(w->rest + skip + n) + 1);
	return true;
}

static bool
follow_link(struct walk *w, const char *path)
{
	char target[PATH_MAX], joined[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	int len;

	if (n <= 0 || ++w->links > LINKS)
		return false;
	target[n] = '\0';
	len = snprintf(joined, sizeof(joined), "%s/%s", target, w->rest);
	if (len < 0 || (size_t)len >= sizeof(joined))
		return false;
	if (target[0] == '/')
		w->at[0] = '\0';
	memcpy(w->rest, joined, (size_t)len + 1);
	return true;
}

static void
go_up(struct walk *w)
{
	char *slash = strrchr(w->at, '/');

	if (slash != NULL)
		*slash = '\0';
}

/* Into the part. False: the way ends here. */
static bool
go_down(struct walk *w, const char *part)
{
	char next[PATH_MAX];
	struct stat st;
	int len = snprintf(next, sizeof(next), "%s/%s", w->at, part);

	if (len < 0 || (size_t)len >= sizeof(next) || lstat(next, &st) < 0)
		return false;
	if (S_ISLNK(st.st_mode))
		return follow_link(w, next);
	memcpy(w->at, next, (size_t)len + 1);
	return true;
}

int
trail_follow(int inotify, const char *path, bool contents, struct trail *t)
{
	char part[NAME_MAX + 1];
	struct walk w = { .at = "" };
	int rc;

	t->n = 0;
	if (path[0] != '/' || strlen(path) >= sizeof(w.rest))
		return 0;
	memcpy(w.rest, path, strlen(path) + 1);
	while (next_part(&w, part)) {
		if (strcmp(part, ".") == 0)
			continue;
		if (strcmp(part, "..") == 0) {
			go_up(&w);
			continue;
		}
		/* The watch stands before we look, so that nothing happens in between. */
		if ((rc = add(inotify, w.at, name_number(part), t)) < 0)
			return rc;
		if (!go_down(&w, part))
			return 0;
	}
	return contents ? add(inotify, w.at, 0, t) : 0;
}

bool
trail_meets(const struct trail *t, int wd, const char *name)
{
	uint64_t number = name[0] != '\0' ? name_number(name) : 0;
	size_t i;

	for (i = 0; i < t->n; i++)
		if (t->steps[i].wd == wd && (number == 0 || t->steps[i].name == 0 || t->steps[i].name == number))
			return true;
	return false;
}

bool
trail_has(const struct trail *t, int wd)
{
	return trail_meets(t, wd, "");
}
