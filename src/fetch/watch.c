/* SPDX-License-Identifier: GPL-2.0-or-later */
/* watch.c -- tells cordon-pki when files change, for as long as it listens. Reads
 * no contents; what inotify cannot see (a file system without it, a folder that
 * may not be read) is looked at every half minute. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "fetch/fetch.h"
#include "fetch/listing.h"
#include "fetch/trail.h"
#include "fetch/url.h"

#define SETTLE_MS   200		/* from an event to a look: writers make several */
#define PAUSE_MS    1000	/* between two words about one file */
#define POLL_MS	    30000
#define BREATH_MS   50		/* events are not read more often: any user may make thousands, in /tmp */
#define READS_MAX   16		/* at once: more than the kernel keeps by default */
#define NEVER	    INT64_MAX

struct watched {
	bool used;
	bool folder;
	bool force;		/* tell, whatever it looks like */
	bool moved;		/* its trail has to be followed anew */
	uint32_t which;
	char path[LIMIT_URL];
	struct trail trail;
	char tag[LISTING_TAG];	/* as it looked when we last told; "" when it was not there */
	int64_t due_boot;	/* of a look; NEVER: none */
	int64_t told_boot;
};

static struct {
	struct ipc *pki;
	int inotify;		/* -1: none, we only poll */
	int64_t read_boot;	/* not before */
	int64_t poll_boot;
	bool full;		/* no more watches; said once */
	size_t n;		/* slots ever used; events are many and slots are large */
	struct watched all[LIMIT_SOURCES];
} w;

/* ---- one file or folder ------------------------------------------------- */

static void
look(const struct watched *x, char tag[LISTING_TAG])
{
	static struct listing l;
	struct stat st;
	int fd;

	memset(tag, 0, LISTING_TAG);
	if (!x->folder) {
		if (stat(x->path, &st) == 0)
			listing_tag_of(&st, tag);
		return;
	}
	if ((fd = open(x->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return;
	if (listing_read(fd, &l) == 0)
		memcpy(tag, l.tag, LISTING_TAG);
	close(fd);
}

static void
look_later(struct watched *x, int64_t now)
{
	int64_t at = now + SETTLE_MS;

	if (x->told_boot != 0 && at < x->told_boot + PAUSE_MS)
		at = x->told_boot + PAUSE_MS;
	if (at < x->due_boot)
		x->due_boot = at;
}

static void
drop_watches(const struct trail *before)
{
	size_t i, k;

	for (i = 0; i < before->n; i++) {
		for (k = 0; k < w.n; k++)
			if (w.all[k].used && trail_has(&w.all[k].trail, before->steps[i].wd))
				break;
		if (k == w.n)
			(void)inotify_rm_watch(w.inotify, before->steps[i].wd);
	}
}

static void
follow(struct watched *x)
{
	struct trail before = x->trail;

	x->moved = false;
	if (w.inotify < 0)
		return;
	if (trail_follow(w.inotify, x->path, x->folder, &x->trail) < 0 && !w.full) {
		w.full = true;
		log_warn(0, "no more inotify watches: changes are seen within %d s only", POLL_MS / 1000);
	}
	drop_watches(&before);
}

/* 0, or -errno: nobody listens. */
static int
tell(struct watched *x, int64_t now)
{
	struct fetch_changed changed = { .which = x->which };
	char tag[LISTING_TAG];

	x->due_boot = NEVER;
	look(x, tag);
	if (!x->force && strcmp(tag, x->tag) == 0)
		return 0;
	memcpy(x->tag, tag, sizeof(tag));
	x->force = false;
	x->told_boot = now;
	return ipc_send_wait(w.pki, MSG_FETCH_CHANGED, 0, &changed, sizeof(changed), -1, FETCH_SEND_MS);
}

/* ---- what happens ------------------------------------------------------- */

static void
all_changed(int64_t now)
{
	size_t i;

	for (i = 0; i < w.n; i++) {
		if (!w.all[i].used)
			continue;
		w.all[i].force = w.all[i].moved = true;
		look_later(&w.all[i], now);
	}
}

static void
take_event(const struct inotify_event *e, const char *name, int64_t now)
{
	size_t i;

	if (e->mask & IN_Q_OVERFLOW) {
		all_changed(now);
		return;
	}
	for (i = 0; i < w.n; i++) {
		if (!w.all[i].used || !trail_meets(&w.all[i].trail, e->wd, name))
			continue;
		w.all[i].moved = true;
		look_later(&w.all[i], now);
	}
}

/* False: there are no more. */
static bool
take_some(int64_t now)
{
	static uint8_t bytes[65536];
	struct inotify_event e;
	char name[NAME_MAX + 1];
	size_t at, len;
	ssize_t n = read(w.inotify, bytes, sizeof(bytes));

	for (at = 0; n > 0 && at + sizeof(e) <= (size_t)n; at += sizeof(e) + e.len) {
		memcpy(&e, bytes + at, sizeof(e));
		len = e.len < sizeof(name) ? e.len : sizeof(name) - 1;
		memcpy(name, bytes + at + sizeof(e), len);
		name[len] = '\0';
		take_event(&e, name, now);
	}
	return n > 0;
}

static void
take_events(int64_t now)
{
	unsigned reads;
	size_t i;

	for (reads = 0; reads < READS_MAX && take_some(now); reads++)
		continue;
	w.read_boot = now + BREATH_MS;
	for (i = 0; i < w.n; i++)
		if (w.all[i].used && w.all[i].moved)
			follow(&w.all[i]);
}

static struct watched *
slot_for(uint32_t which)
{
	struct watched *free_one = NULL;
	size_t i;

	for (i = 0; i < w.n; i++) {
		if (w.all[i].used && w.all[i].which == which)
			return &w.all[i];
		if (!w.all[i].used && free_one == NULL)
			free_one = &w.all[i];
	}
	if (free_one == NULL && w.n < LIMIT_SOURCES)
		free_one = &w.all[w.n++];
	return free_one;
}

static void
take_request(const struct fetch_watch *r, int64_t now)
{
	struct watched *x = slot_for(r->which);
	enum url_kind kind;

	if (x == NULL || strnlen(r->url, sizeof(r->url)) == sizeof(r->url))
		return;
	kind = url_kind(r->url);
	x->used = (kind == URL_FILE || kind == URL_FOLDER) && url_path(r->url, x->path, sizeof(x->path)) == 0;
	if (!x->used) {
		struct trail before = x->trail;

		x->trail.n = 0;
		drop_watches(&before);
		return;
	}
	x->which = r->which;
	x->folder = kind == URL_FOLDER;
	x->force = true;
	x->told_boot = 0;
	x->due_boot = now;
	follow(x);
}

static void
poll_all(int64_t now)
{
	size_t i;

	w.poll_boot = now + POLL_MS;
	for (i = 0; i < w.n; i++) {
		if (!w.all[i].used)
			continue;
		follow(&w.all[i]);
		look_later(&w.all[i], now);
	}
}

/* ---- the loop ----------------------------------------------------------- */

static int
tell_due(int64_t now)
{
	size_t i;
	int rc;

	for (i = 0; i < w.n; i++)
		if (w.all[i].used && w.all[i].due_boot <= now && (rc = tell(&w.all[i], now)) < 0)
			return rc;
	return 0;
}

static int64_t
next_due(int64_t now, bool *quiet)
{
	int64_t at = w.poll_boot;
	size_t i;

	for (i = 0; i < w.n; i++)
		if (w.all[i].used && w.all[i].due_boot < at)
			at = w.all[i].due_boot;
	*quiet = w.read_boot > now;
	if (*quiet && w.read_boot < at)
		at = w.read_boot;
	return at <= now ? 0 : at - now;
}

static int64_t
boot_ms(void)
{
	struct clock_view now;

	clock_now(&now);
	return now.boot_ms;
}

static int
take_requests(int64_t now)
{
	static struct ipc_message m;
	int rc;

	while ((rc = ipc_recv(w.pki, &m)) == 1) {
		if (m.type != MSG_FETCH_WATCH)
			return -EBADMSG;
		take_request((const struct fetch_watch *)m.payload, now);
	}
	return rc == -EAGAIN ? 0 : rc == 0 ? -EPIPE : rc;
}

int
watch_files(struct ipc *pki)
{
	struct pollfd p[2] = { { .events = POLLIN }, { .events = POLLIN } };
	int64_t now = boot_ms();
	bool quiet;
	int rc = 0;

	w.pki = pki;
	w.poll_boot = now + POLL_MS;
	if ((w.inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) < 0)
		log_warn(errno, "no inotify: changes are seen within %d s only", POLL_MS / 1000);
	while (rc == 0) {
		int wait = (int)next_due(now, &quiet);

		p[0].fd = pki->fd;
		p[1].fd = quiet ? -1 : w.inotify;
		if (poll(p, 2, wait) < 0 && errno != EINTR)
			return -errno;
		now = boot_ms();
		if (p[0].revents != 0 && (rc = take_requests(now)) < 0)
			break;
		if (p[1].revents != 0)
			take_events(now);
		if (now >= w.poll_boot)
			poll_all(now);
		rc = tell_due(now);
	}
	return rc == -EPIPE ? 0 : rc;
}
