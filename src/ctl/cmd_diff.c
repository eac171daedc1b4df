/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_diff.c -- policy diff: what would change if this configuration were applied? */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "ctl/candidate.h"
#include "ctl/changes.h"
#include "ctl/client.h"
#include "ctl/ctl.h"

/* The policy before, in memory that cordon-compile can read as well. */
struct before {
	int fd;			/* -1: there is none */
	uint8_t *data;
	struct image image;
	char path[32];
};

static void
before_done(struct before *b)
{
	if (b->fd >= 0)
		close(b->fd);
	free(b->data);
}

/* Takes over fd. */
static int
before_read(struct ctl *c, struct before *b, int fd, const char *what)
{
	const char *why = "it cannot be read";
	size_t len;
	int rc;

	b->fd = fd;
	if ((rc = file_read_fd(fd, LIMIT_IMAGE_BYTES, &b->data, &len)) < 0 ||
	    (rc = image_open(b->data, len, &b->image, &why)) < 0)
		return ctl_fail(c, EXIT_MISTAKES, "%s: %s", what, why);
	/* Handed on under its number. */
	if (fcntl(fd, F_SETFD, 0) == -1)
		return ctl_fail(c, EXIT_MISTAKES, "%s: %s", what, strerror(errno));
	snprintf(b->path, sizeof(b->path), "/proc/self/fd/%d", fd);
	return 0;
}

/* What runs. Without cordond: nothing does, as far as can be told. */
static int
before_of_cordond(struct ctl *c, struct before *b)
{
	const struct ctl_empty nothing = { 0 };
	struct client cl;
	int fd, rc = client_connect(c, &cl);

	if (rc == -ENOENT || rc == -ECONNREFUSED) {
		if (!c->json)
			fputs("cordonctl: cordond does not run: this is what would come on an appliance without a policy "
			    "(or say --previous IMAGE)\n", c->err);
		return 0;
	}
	if (rc < 0)
		return client_fail(c, rc, "diff");
	if ((rc = client_ask(&cl, MSG_CTL_IMAGE, &nothing, sizeof(nothing), MSG_IMAGE, CLIENT_TIMEOUT_MS)) < 0)
		rc = client_fail(c, rc, "diff");
	else if ((fd = fcntl(cl.answer.fd, F_DUPFD_CLOEXEC, 0)) == -1)
		rc = ctl_fail(c, EXIT_MISTAKES, "the running policy: %s", strerror(errno));
	else
		rc = before_read(c, b, fd, "the running policy");
	client_close(&cl);
	return rc;
}

static int
before_of_file(struct ctl *c, struct before *b, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		return ctl_fail(c, EXIT_MISTAKES, "%s: %s", path, strerror(errno));
	return before_read(c, b, fd, path);
}

int
cmd_policy_diff(struct ctl *c)
{
	const char *folder = c->args->n_words > 0 ? c->args->words[0] : c->config;
	const char *previous = args_value(c->args, OPT_PREVIOUS);
	struct before before = { .fd = -1 };
	struct candidate next;
	int rc = previous != NULL ? before_of_file(c, &before, previous) : before_of_cordond(c, &before);

	if (rc == 0)
		rc = candidate_open_after(c, folder, before.fd >= 0 ? before.path : NULL, &next);
	if (rc == 0) {
		rc = changes_show(c, before.fd >= 0 ? &before.image : NULL, &next.image);
		candidate_close(&next);
	}
	before_done(&before);
	return rc;
}
