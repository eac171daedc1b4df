/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main.c -- cordon-compile: a configuration folder into a policy image. The only
 * program that parses what an admin wrote; it holds no right but to read it. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "common/sandbox.h"
#include "config/answer.h"
#include "config/config.h"
#include "config/windows.h"
#include "config/worker.h"
#include "model/compile.h"
#include "model/lift.h"
#include "model/print.h"
#include "proto/limits.h"
#include "proto/proc.h"

/* Several times what the largest policy that is measured takes. */
#define MEMORY_MAX (1536UL << 20)

struct options {
	bool worker;
	bool json;
	bool print;
	const char *previous;
	const char *output;
	const char *folder;
};

/* What is open before the sandbox closes behind us. */
struct work {
	int folder;
	int output;		/* -1: none */
	uint8_t *before_data;
	struct image before;
	bool have_before;
};

static const char usage[] =
    "usage: cordon-compile [--previous IMAGE] [--output IMAGE] [--print] [--json] DIR\n"
    "       cordon-compile --worker\n"
    "       cordon-compile --version\n";

static int
parse_options(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{ "worker", no_argument, NULL, 'w' },
		{ "previous", required_argument, NULL, 'p' },
		{ "output", required_argument, NULL, 'o' },
		{ "print", no_argument, NULL, 'P' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 }
	};
	int c;

	memset(o, 0, sizeof(*o));
	while ((c = getopt_long(argc, argv, "hV", longs, NULL)) != -1) {
		switch (c) {
		case 'w':
			o->worker = true;
			break;
		case 'p':
			o->previous = optarg;
			break;
		case 'o':
			o->output = optarg;
			break;
		case 'P':
			o->print = true;
			break;
		case 'j':
			o->json = true;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(EXIT_SUCCESS);
		case 'V':
			puts("cordon-compile " CORDON_VERSION);
			exit(EXIT_SUCCESS);
		default:
			return -EINVAL;
		}
	}
	if (argc - optind == 1 && !o->worker)
		o->folder = argv[optind];
	if (o->worker ? argc > 2 : o->folder == NULL || (o->json && o->print))
		return -EINVAL;
	return 0;
}

/* ---- before the sandbox ------------------------------------------------- */

static int
open_previous(struct work *w, const char *path)
{
	const char *why = "it cannot be read";
	size_t len;
	int rc = file_read_at(AT_FDCWD, path, LIMIT_IMAGE_BYTES, &w->before_data, &len);

	if (rc == 0)
		rc = image_open(w->before_data, len, &w->before, &why);
	if (rc < 0) {
		log_error(rc == -EBADMSG || rc == -EPROTO ? 0 : rc, "%s: %s", path, why);
		return rc;
	}
	w->have_before = true;
	return 0;
}

static int
open_work(struct work *w, const struct options *o)
{
	memset(w, 0, sizeof(*w));
	w->output = -1;
	w->folder = open(o->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (w->folder < 0) {
		log_error(errno, "%s", o->folder);
		return -errno;
	}
	if (o->previous != NULL && open_previous(w, o->previous) < 0)
		return -EINVAL;
	/* Emptied only when there is an image to write. */
	if (o->output != NULL &&
	    (w->output = open(o->output, O_WRONLY | O_CREAT | O_NOCTTY | O_CLOEXEC, 0644)) < 0) {
		log_error(errno, "%s", o->output);
		return -errno;
	}
	return 0;
}

static void
work_done(struct work *w)
{
	free(w->before_data);
	if (w->output >= 0)
		close(w->output);
	close(w->folder);
}

/* By hand, root reads what others own; a worker reads what its user may. */
static unsigned
caps_by_hand(void)
{
	if (geteuid() != 0 || prctl(PR_CAPBSET_READ, CAP_DAC_READ_SEARCH, 0, 0, 0) != 1)
		return 0;
	return 1U << CAP_DAC_READ_SEARCH;
}

static bool
enter_sandbox(int folder, bool worker)
{
	char path[32];
	const char *const readable[] = { path, SYSCONFDIR, "/etc/cordon", ZONE_FOLDER, NULL };
	const struct sandbox sb = {
		.program = "cordon-compile",
		.rights = SB_FILES_READ,
		.read_paths = readable,
		.max_memory = MEMORY_MAX,
		.max_files = 32,
		.max_file_size = worker ? LIMIT_IMAGE_BYTES : 0,
		.keep_caps = worker ? 0 : caps_by_hand(),
	};
	bool landlocked;
	int rc;

	config_start();
	/* The folder itself, wherever it stands. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", folder);
	if ((rc = sandbox_enter(&sb, &landlocked)) < 0)
		log_fatal(rc, "sandbox");
	return landlocked;
}

/* ---- the work ----------------------------------------------------------- */

/* -ESTALE: it has to be done from the beginning, and nothing was said. */
static int
compile_changed(int dirfd, const struct image *before, int64_t now, struct mistakes *m, uint8_t **image, size_t *len)
{
	struct policy *p = NULL;
	struct lift l;
	int rc;

	if ((rc = lift_init(&l, before)) == 0 && (rc = config_read_again(dirfd, now, &l, &p, m)) == 0)
		rc = compile_again(p, &l, m, image, len);
	policy_free(p);
	lift_done(&l);
	if (rc < 0) {
		mistakes_done(m);
		mistakes_init(m);
	}
	return rc;
}

static int
compile_folder(int dirfd, const struct image *before, struct mistakes *m, uint8_t **image, size_t *len)
{
	struct policy *p = NULL;
	struct clock_view clock;
	int rc;

	clock_now(&clock);
	if (before != NULL && (rc = compile_changed(dirfd, before, clock.wall_ms / 1000, m, image, len)) != -ESTALE)
		return rc;
	if ((rc = config_read_policy(dirfd, clock.wall_ms / 1000, &p, m)) == 0)
		rc = compile_policy(p, before, m, image, len);
	policy_free(p);
	return rc;
}

static int
write_output(const struct work *w, const struct options *o, const uint8_t *image, size_t len)
{
	int rc = 0;

	/* A pipe cannot be emptied, and need not be. */
	if (ftruncate(w->output, 0) < 0 && errno != EINVAL)
		rc = -errno;
	if (rc == 0)
		rc = file_write_all(w->output, image, len);
	if (rc < 0)
		log_error(rc, "%s", o->output);
	return rc;
}

static int
show(const struct options *o, const struct mistakes *m, const struct image *im)
{
	int rc = 0;

	if (o->json)
		rc = answer_json(m, im, stdout);
	else
		answer_text(m, stderr);
	if (im != NULL && o->print)
		rc = print_policy(im, stdout);
	else if (im != NULL && !o->json && o->output == NULL)
		printf("no mistakes: %u devices in %u classes\n", im->n[IMAGE_DEVICES], image_declared_classes(im));
	if (rc == 0 && fflush(stdout) != 0)
		rc = -errno;
	if (rc < 0)
		log_error(rc, "standard output");
	return rc;
}

static int
run(const struct options *o, struct work *w, struct mistakes *m)
{
	struct image im, *opened = NULL;
	uint8_t *image = NULL;
	const char *why;
	size_t len;
	int rc = compile_folder(w->folder, w->have_before ? &w->before : NULL, m, &image, &len), shown;

	if (rc == 0 && (rc = image_open(image, len, &im, &why)) < 0)
		log_error(0, "our own image is refused: %s: please report this", why);
	if (rc == 0)
		opened = &im;
	if (rc < 0 && rc != -EINVAL)
		log_error(rc, "the policy was not compiled");
	shown = show(o, m, opened);
	if (rc == 0 && o->output != NULL)
		rc = write_output(w, o, image, len);
	free(image);
	return rc < 0 ? rc : shown;
}

int
main(int argc, char **argv)
{
	struct options o;
	struct mistakes *m;
	struct work w;
	int rc;

	log_init("cordon-compile", false);
	if (parse_options(argc, argv, &o) < 0) {
		fputs(usage, stderr);
		return EX_USAGE;
	}
	if (o.worker) {
		rc = worker_run(enter_sandbox(PROC_FD_EXTRA, true), compile_folder);
		if (rc < 0)
			log_error(rc, "the channel to cordond");
		return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	if (open_work(&w, &o) < 0 || (m = calloc(1, sizeof(*m))) == NULL)
		return EXIT_FAILURE;
	enter_sandbox(w.folder, false);
	mistakes_init(m);
	rc = run(&o, &w, m);
	mistakes_done(m);
	free(m);
	work_done(&w);
	return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
