/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_policy.c -- policy check, print. The configuration is read by
 * cordon-compile alone; here its answers are passed on. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "ctl/answer.h"
#include "ctl/child.h"
#include "ctl/ctl.h"
#include "model/print.h"
#include "proto/limits.h"

/* The text of a policy of the largest size that an image may have. */
#define TEXT_MAX (4UL * LIMIT_IMAGE_BYTES)

static const char *
folder_of(const struct ctl *c)
{
	return c->args->n_words > 0 ? c->args->words[0] : c->config;
}

/* 0, or the exit code, said already. */
static int
need_folder(struct ctl *c)
{
	if (access(folder_of(c), R_OK | X_OK) == 0)
		return 0;
	return ctl_fail(c, EXIT_MISTAKES, "no configuration in %s: %s%s", folder_of(c), strerror(errno),
	    errno == EACCES ? ": use sudo" : "");
}

int
cmd_policy_check(struct ctl *c)
{
	const char *argv[] = { NULL, c->json ? "--json" : folder_of(c), c->json ? folder_of(c) : NULL, NULL };
	int rc;

	if ((rc = need_folder(c)) != 0)
		return rc;
	rc = child_compile(c, argv, -1, -1, -1);
	return rc < 0 ? EXIT_MISTAKES : rc;
}

/* ---- print -------------------------------------------------------------- */

/* Text as it is, or as an object. */
static int
print_text(struct ctl *c, const char *syntax, const uint8_t *text, size_t len)
{
	if (c->json)
		return ctl_json(c, EXIT_DONE, json_pack("{s:s, s:s%}", "syntax", syntax, "text", text, len));
	return fwrite(text, 1, len, c->out) == len ? EXIT_DONE : EXIT_MISTAKES;
}

static int
print_words(struct ctl *c)
{
	const char *argv[] = { NULL, "--print", folder_of(c), NULL };
	uint8_t *text = NULL;
	size_t len;
	int fd, rc;

	if (!c->json) {
		rc = child_compile(c, argv, -1, -1, -1);
		return rc < 0 ? EXIT_MISTAKES : rc;
	}
	if ((fd = memfile_new("print")) < 0)
		return ctl_fail(c, EXIT_MISTAKES, "no memory: %s", strerror(-fd));
	if ((rc = child_compile(c, argv, fd, -1, -1)) > 0)
		ctl_fail(c, rc, "the configuration has mistakes: `cordonctl policy check --json' lists them");
	else if (rc == 0 && file_read_fd(fd, TEXT_MAX, &text, &len) == 0)
		rc = print_text(c, "cordon", text, len);
	free(text);
	close(fd);
	return rc < 0 ? EXIT_MISTAKES : rc;
}

/* The ruleset of an image on an appliance that just started: each device at
 * its first generation, none in quarantine. */
static int
print_image(struct ctl *c, const struct image *im)
{
	struct ruleset rules;
	struct station *stations;
	char *text = NULL;
	size_t len = 0;
	FILE *out = c->json ? open_memstream(&text, &len) : c->out;
	uint32_t i, n = im->n[IMAGE_DEVICES];
	int rc;

	if ((stations = calloc(n + 1, sizeof(*stations))) == NULL || out == NULL) {
		free(stations);
		return ctl_fail(c, EXIT_MISTAKES, "no memory");
	}
	for (i = 0; i < n; i++)
		stations[i] = (struct station){ .number = im->devices[i].number, .generation = 1 };
	rules = ruleset_make(im, stations, (struct features){ .owner_persist = true, .connlimit = true });
	rc = print_nft(&rules, out);
	free(stations);
	if (c->json) {
		fclose(out);
		if (rc == 0)
			print_text(c, "nft", (const uint8_t *)text, len);
		free(text);
	}
	return rc == 0 ? EXIT_DONE : ctl_fail(c, EXIT_MISTAKES, "the ruleset cannot be printed: %s", strerror(-rc));
}

static int
print_ruleset(struct ctl *c)
{
	char output[32];
	const char *argv[] = { NULL, "--output", output, folder_of(c), NULL };
	const char *why = "it cannot be read";
	uint8_t *data = NULL;
	struct image im;
	size_t len;
	int fd, rc;

	if ((fd = memfile_new("image")) < 0)
		return ctl_fail(c, EXIT_MISTAKES, "no memory: %s", strerror(-fd));
	snprintf(output, sizeof(output), "/proc/self/fd/%d", fd);
	if ((rc = child_compile(c, argv, -1, -1, fd)) != 0)
		rc = rc < 0 ? EXIT_MISTAKES : rc;
	else if (file_read_fd(fd, LIMIT_IMAGE_BYTES, &data, &len) < 0 || image_open(data, len, &im, &why) < 0)
		rc = ctl_fail(c, EXIT_MISTAKES, "cordon-compile's image makes no sense (%s): are both of the "
		    "same version?", why);
	else
		rc = print_image(c, &im);
	free(data);
	close(fd);
	return rc;
}

int
cmd_policy_print(struct ctl *c)
{
	int rc = need_folder(c);

	if (rc != 0)
		return rc;
	return args_has(c->args, OPT_NFT) ? print_ruleset(c) : print_words(c);
}
