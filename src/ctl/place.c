/* SPDX-License-Identifier: GPL-2.0-or-later */
/* place.c -- put a file into the configuration, if the whole stays without
 * mistakes. The check needs the file at its place, since other files may name
 * what stands in it; cordond reads the configuration only when told to apply,
 * and refuses it then should this end between the two. */
#include "ctl/place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "ctl/answer.h"
#include "ctl/child.h"
#include "ctl/format.h"
#include "proto/limits.h"

struct place {
	const char *name;
	int folder;		/* devices.d, locked */
	bool had;		/* there was a file of this name */
	uint8_t *before;	/* and what stood in it */
	size_t before_len;
};

static int
io_failed(struct ctl *c, int error, const char *what)
{
	if (error == EACCES || error == EPERM)
		return ctl_fail(c, EXIT_MISTAKES, "you may not write %s/devices.d: use sudo", c->config);
	if (error == EROFS)
		return ctl_fail(c, EXIT_MISTAKES, "%s/devices.d is on a read-only file system", c->config);
	return ctl_fail(c, EXIT_MISTAKES, "%s/devices.d/%s: %s", c->config, what, strerror(error));
}

static int
open_folder(struct ctl *c, struct place *p)
{
	int config;

	if ((config = open(c->config, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return ctl_fail(c, EXIT_MISTAKES, "no configuration in %s (%s): say where with --config DIR",
		    c->config, strerror(errno));
	if (mkdirat(config, "devices.d", 0755) < 0 && errno != EEXIST) {
		int error = errno;

		close(config);
		return io_failed(c, error, "");
	}
	p->folder = openat(config, "devices.d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	close(config);
	if (p->folder < 0)
		return io_failed(c, errno, "");
	if (flock(p->folder, LOCK_EX | LOCK_NB) == 0)
		return 0;
	close(p->folder);
	return ctl_fail(c, EXIT_MISTAKES, "another cordonctl changes %s/devices.d just now: try again", c->config);
}

/* Keep what is there, or make sure that nothing is. */
static int
read_before(struct ctl *c, struct place *p, bool replace)
{
	struct stat st;
	int rc;

	if (fstatat(p->folder, p->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : io_failed(c, errno, p->name);
	if (!replace)
		return ctl_fail(c, EXIT_MISTAKES, "%s/devices.d/%s is there already: edit it, or choose another name%s",
		    c->config, p->name, strstr(p->name, ".csv") != NULL ? ", or say --replace" : "");
	if (!S_ISREG(st.st_mode))
		return ctl_fail(c, EXIT_MISTAKES, "%s/devices.d/%s is no plain file", c->config, p->name);
	if ((rc = file_read_at(p->folder, p->name, LIMIT_CONFIG_FILE_BYTES, &p->before, &p->before_len)) < 0)
		return io_failed(c, -rc, p->name);
	p->had = true;
	return 0;
}

static int
put_back(struct ctl *c, const struct place *p)
{
	int rc = 0;

	if (p->had)
		rc = file_replace_at(p->folder, p->name, p->before, p->before_len, 0644);
	else if (unlinkat(p->folder, p->name, 0) < 0 || fsync(p->folder) < 0)
		rc = -errno;
	return rc == 0 ? 0 : ctl_fail(c, EXIT_MISTAKES, "%s/devices.d/%s was checked and is wrong, and could not be "
	    "taken away again (%s): remove it", c->config, p->name, strerror(-rc));
}

static void
ignore(int sig)
{
	(void)sig;
}

/* cordon-compile may be interrupted; we must live to put things back. A
 * handler, unlike SIG_IGN, does not outlive exec. */
static void
survive_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct sigaction sa = { .sa_handler = ignore, .sa_flags = SA_RESTART };
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &sa, NULL);
}

static void
print_mistake(const json_t *m, FILE *out)
{
	const char *file = json_string_value(json_object_get(m, "file"));
	const char *text = json_string_value(json_object_get(m, "text"));
	char shown[2][8192];

	if (file != NULL)
		fprintf(out, "%s:%d: ", format_text(file, shown[0], sizeof(shown[0])),
		    (int)json_integer_value(json_object_get(m, "line")));
	fprintf(out, "%s\n", format_text(text != NULL ? text : "?", shown[1], sizeof(shown[1])));
}

static int
refuse(struct ctl *c, const struct place *p, json_t *mistakes)
{
	json_t *m;
	size_t i;

	if (c->json)
		return ctl_json(c, EXIT_MISTAKES, json_pack("{s:b, s:s, s:O}", "added", 0, "file", p->name,
		    "mistakes", mistakes));
	json_array_foreach(mistakes, i, m)
		print_mistake(m, c->err);
	fprintf(c->err, "cordonctl: nothing was changed: with it the configuration has these mistakes\n");
	return EXIT_MISTAKES;
}

static int
accept_file(struct ctl *c, const struct place *p)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/devices.d/%s", c->config, p->name);
	if (c->json)
		return ctl_json(c, EXIT_DONE, json_pack("{s:b, s:o, s:b, s:s}", "added", 1, "file", answer_text(path),
		    "replaced", p->had, "next", "cordonctl policy apply"));
	fprintf(c->out, "%s %s; run `cordonctl policy apply' to enforce it\n", path, p->had ? "replaced" : "written");
	return EXIT_DONE;
}

int
place_device_file(struct ctl *c, const char *name, const void *data, size_t len, bool replace,
    const struct place_check *more)
{
	struct place p = { .name = name, .folder = -1 };
	json_t *mistakes = NULL;
	int exit, rc;

	if ((exit = open_folder(c, &p)) != 0)
		return exit;
	if ((exit = read_before(c, &p, replace)) != 0)
		goto out;
	survive_signals();
	if ((rc = file_replace_at(p.folder, name, data, len, 0644)) < 0) {
		exit = io_failed(c, -rc, name);
		goto out;
	}
	exit = child_check(c, c->config, &mistakes);
	if (exit == EXIT_DONE && more != NULL)
		exit = more->check(c, more->arg);
	if (exit == EXIT_DONE)
		exit = more != NULL && more->quiet ? EXIT_DONE : accept_file(c, &p);
	else if ((rc = put_back(c, &p)) != 0)
		exit = rc;
	else if (mistakes != NULL)
		exit = refuse(c, &p, mistakes);
out:
	json_decref(mistakes);
	free(p.before);
	close(p.folder);
	return exit;
}
