/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl_world.c -- whole commands of cordonctl against a process that plays cordond. */
#include "ctl_world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/commands.h"
#include "ctl/ctl.h"

struct world *
world_of(struct policy *policy)
{
	struct world *w = calloc(1, sizeof(*w));
	uint32_t numbers[16], i;
	size_t len;

	w->policy = policy;
	w->im = sample_image(w->policy, NULL, &w->image, &len);
	w->fake.image = w->image;
	w->fake.image_len = len;
	w->fake.revision = 4;
	w->fake.mistakes = "";
	w->fake.obeys = true;
	for (i = 0; i < w->im.n[IMAGE_DEVICES]; i++)
		numbers[i] = w->im.devices[i].number;
	fake_snapshot(&w->fake, numbers, w->im.n[IMAGE_DEVICES], w->im.n[IMAGE_SOURCES],
	    w->im.n[IMAGE_AUTHORITIES]);
	((struct snapshot_header *)(void *)w->fake.snapshot)->taken_at = 1795346519000;
	fake_source(&w->fake, 0)->state = SOURCE_FRESH;
	fake_source(&w->fake, 0)->last_try = 1795346459000;
	w->fake.status = (struct ctl_status){ .revision = 4, .applied_at = 1795346459000, .now = 1795346519000,
		.started_at = 1795346450000, .devices = 4, .classes = 3, .table_mode = 1, .healthy = 1, .landlock = 1 };
	w->fake.status.worker_up[PROC_FLOW] = w->fake.status.worker_up[PROC_PKI] = 1;
	return w;
}

int
world_set_up(void **state)
{
	*state = world_of(sample_full());
	return 0;
}

int
world_tear_down(void **state)
{
	struct world *w = *state;

	fake_stop(&w->fake);
	policy_free(w->policy);
	free(w->image);
	free(w->out);
	free(w->err);
	free(w);
	return 0;
}

int
run(struct world *w, const char *argv[])
{
	struct ctl c = { .config = "/nonexistent", .state = "/nonexistent", .programs = "/nonexistent",
		.args = &w->args };
	const struct command *cmd;
	char why[ARGS_WHY_LEN];
	unsigned used;
	size_t len[2];
	int argc = 0, rc;

	if (w->fake.pid == 0 && w->fake.folder[0] == '\0')
		fake_start(&w->fake);
	free(w->out);
	free(w->err);
	w->out = w->err = NULL;
	while (argv[argc] != NULL)
		argc++;
	assert_int_equal(args_parse(argc, (char *const *)argv, &w->args, why), 0);
	cmd = command_find(&w->args, &used, why);
	assert_non_null(cmd);
	assert_int_equal(command_check(cmd, &w->args, used, why), 0);
	memmove(w->args.words, w->args.words + used, (w->args.n_words - used) * sizeof(w->args.words[0]));
	w->args.n_words -= used;
	c.json = args_has(&w->args, OPT_JSON);
	c.terminal = w->terminal;
	c.run = args_value(&w->args, OPT_RUN) != NULL ? args_value(&w->args, OPT_RUN) : w->fake.folder;
	c.out = open_memstream(&w->out, &len[0]);
	c.err = open_memstream(&w->err, &len[1]);
	rc = cmd->run(&c);
	fclose(c.out);
	fclose(c.err);
	return rc;
}

void
again(struct world *w)
{
	fake_stop(&w->fake);
	w->fake.folder[0] = '\0';
}

void
has(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" is not in:\n%s", part, text);
}

/* The value at "a.b.0.c" of the last answer. */
static json_t *
at(struct world *w, json_t **root, const char *path)
{
	json_t *j = *root = json_loads(w->out, 0, NULL);
	char *copy = strdup(path), *save = NULL, *word;

	if (j == NULL)
		fail_msg("no JSON: %s", w->out);
	for (word = strtok_r(copy, ".", &save); word != NULL; word = strtok_r(NULL, ".", &save))
		j = json_is_array(j) ? json_array_get(j, (size_t)atoi(word)) : json_object_get(j, word);
	if (j == NULL)
		fail_msg("no %s in %s", path, w->out);
	free(copy);
	return j;
}

void
says_string(struct world *w, const char *path, const char *expected)
{
	json_t *root, *j = at(w, &root, path);

	assert_true(json_is_string(j));
	assert_string_equal(json_string_value(j), expected);
	json_decref(root);
}

void
says_number(struct world *w, const char *path, json_int_t expected)
{
	json_t *root, *j = at(w, &root, path);

	assert_true(json_is_integer(j));
	assert_int_equal(json_integer_value(j), expected);
	json_decref(root);
}

void
says_true(struct world *w, const char *path, bool expected)
{
	json_t *root, *j = at(w, &root, path);

	assert_true(json_is_boolean(j));
	assert_int_equal(json_is_true(j), expected);
	json_decref(root);
}

void
has_not(const char *text, const char *part)
{
	if (strstr(text, part) != NULL)
		fail_msg("\"%s\" is in:\n%s", part, text);
}

void
says_null(struct world *w, const char *path)
{
	json_t *root, *j = at(w, &root, path);

	assert_true(json_is_null(j));
	json_decref(root);
}

uint32_t
index_of(const struct world *w, const char *name)
{
	return (uint32_t)(image_device_named(&w->im, name) - w->im.devices);
}
